"""What AWS estimates itself: recommendations of the Cost Optimization Hub for SageMaker endpoints.

They are shown beside the auditor's own amounts and decide nothing. The hub collects those of AWS Compute Optimizer
(idle endpoints), too. It has one endpoint, in us-east-1, and must be switched on in the account; the operation needs
``cost-optimization-hub:ListRecommendations``.
"""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from chalicelib.inventory.answers import CallFailed, mappings, text
from chalicelib.money.prices import CURRENCY
from chalicelib.report.money import Estimate
from chalicelib.scope import Scope

if TYPE_CHECKING:
    from chalicelib.inventory.aws import Aws

SERVICE, NAME = "cost-optimization-hub", "ListRecommendations"
OPERATION = f"{SERVICE}:{NAME}"
#: Where the hub is asked, by partition.
ENDPOINT_REGIONS = {"aws": "us-east-1"}
#: The name of endpoints in the hub (botocore, shape ResourceType).
RESOURCE_TYPE = "SageMakerEndpoint"
PAGE, MOST_PAGES = 100, 20
SECONDS = 10.0
UNAVAILABLE = "AWS's own estimates unavailable"


class HubAnswer(Struct, frozen=True):
    """What AWS estimates of one account and region; ``note``: why nothing, or not all, is known."""

    estimates: list[Estimate] = field(default_factory=list)
    note: str = ""
    calls: Mapping[str, int] = field(default_factory=dict)


class Hub(Struct, frozen=True):
    """The Cost Optimization Hub; ``door`` makes a door to a region, with the credentials of the auditor itself."""

    door: Callable[[str], "Aws"]

    def of(self, scope: Scope) -> HubAnswer:
        """What AWS estimates of an account and region; never raises."""
        region = ENDPOINT_REGIONS.get(scope.partition)
        if region is None:
            return HubAnswer(note=f"{UNAVAILABLE}: there is no Cost Optimization Hub in {scope.partition}")
        aws = self.door(region)
        aws.begin(SECONDS)
        estimates: list[Estimate] = []
        try:
            for record in self._records(aws, scope):
                if (estimate := _estimate(record, scope)) is not None:
                    estimates.append(estimate)
        except CallFailed as failure:
            return HubAnswer(note=f"{UNAVAILABLE}: {failure.operation}: {failure.code}", calls=aws.calls)
        except Exception as fault:  # the boto3 of a Lambda runtime may be older than the service
            return HubAnswer(note=f"{UNAVAILABLE}: {type(fault).__name__}", calls=aws.calls)
        return HubAnswer(sorted(estimates, key=lambda estimate: (-estimate.monthly_usd, estimate.arn)), calls=aws.calls)

    def _records(self, aws: "Aws", scope: Scope) -> list[Mapping[str, Any]]:
        narrowed = {"resourceTypes": [RESOURCE_TYPE], "accountIds": [scope.account], "regions": [scope.region]}
        records: list[Mapping[str, Any]] = []
        following: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = aws.call(SERVICE, NAME, filter=narrowed, maxResults=PAGE, **following)
            records += mappings(answer.get("items"))
            token = answer.get("nextToken")
            if not isinstance(token, str) or not token or token == following.get("nextToken"):
                return records
            following = {"nextToken": token}
        return records


def _estimate(record: Mapping[str, Any], scope: Scope) -> Estimate | None:
    """A recommendation as reports hold it; None for one of something else, in another currency, or without a saving."""
    amount, arn = record.get("estimatedMonthlySavings"), text(record, "resourceArn")
    if record.get("currencyCode") != CURRENCY or not isinstance(amount, int | float) or isinstance(amount, bool):
        return None
    if not math.isfinite(amount) or amount <= 0 or not arn:
        return None
    if text(record, "accountId") not in ("", scope.account) or text(record, "region") not in ("", scope.region):
        return None
    summaries = [text(record, "currentResourceSummary"), text(record, "recommendedResourceSummary")]
    return Estimate(
        account=scope.account,
        region=scope.region,
        arn=arn,
        action=text(record, "actionType") or "change",
        monthly_usd=round(amount, 2),
        summary=" → ".join(summary[:300] for summary in summaries if summary),
    )
