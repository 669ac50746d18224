"""To an EventBridge bus: an event for each finding that changed, and one for each digest, for programs of others.

An event has at most 256 kB, a request ten of them. What AWS refuses of a request is tried again entry by entry. Follows
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html: a bus that does not exist takes everything
and drops it, so that it is looked up before it is first used.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict

from chalicelib.errors import AuditorError
from chalicelib.notices.first_page import Important, OwnerCount
from chalicelib.notices.notice import Notice
from chalicelib.report.findings import BlindSpot, ChangeKind, Finding, Moment, Report, Severity
from chalicelib.report.money import Totals

#: Where the events say that they are from. No rule of the auditor's own listens to it.
SOURCE = "sagemaker-auditor"
#: The detail type of a finding's event, by its change; of everything else, by the kind of the notice.
FINDING_TYPES: dict[ChangeKind, str] = {
    "new": "SageMaker Auditor Finding Opened",
    "back": "SageMaker Auditor Finding Opened",
    "worse": "SageMaker Auditor Finding Updated",
    "reminder": "SageMaker Auditor Finding Updated",
    "resolved": "SageMaker Auditor Finding Resolved",
}
OTHER_TYPES = {"digest": "SageMaker Auditor Digest", "run": "SageMaker Auditor Run Failed"}
#: Entries of a request, and bytes of all of them, with room for what is counted beside the detail.
ENTRIES, REQUEST_BYTES = 10, 250_000
#: Blind spots that a digest's event names.
SPOTS = 10
#: What is worth another try, how often that is tried, and after how many seconds at first.
PASSING = {"ThrottlingException", "InternalFailure", "InternalException", "ServiceUnavailable"}
TRIES, PAUSE = 4, 0.2

Entry = dict[str, Any]


class BusFailed(AuditorError):
    """The bus did not take everything; the next attempt puts the events of the same notice again."""


class _Detail(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class FindingDetail(_Detail):
    """The detail of ``SageMaker Auditor Finding Opened``, ``… Updated`` and ``… Resolved``: a finding, and why it is
    told. The same finding, audit and change are the same event, if it comes twice."""

    schema_version: Literal[1] = 1
    audit_id: str
    account: str
    region: str
    severity: Severity
    change: ChangeKind
    before: Severity | None = None
    away_days: float | None = None
    finding: Finding
    report_url: str | None = None


class DigestDetail(_Detail):
    """The detail of ``SageMaker Auditor Digest`` (after a sweep) and ``SageMaker Auditor Run Failed``: counts, what
    matters most, and the first blind spots. Findings that changed have events of their own."""

    schema_version: Literal[1] = 1
    audit_id: str
    account: str
    region: str
    severity: Severity
    complete: bool
    finished_at: Moment
    headline: str
    health: str
    told: dict[str, int]
    resolved: int
    still_open: dict[str, int]
    exempt: int
    most_important: list[Important]
    by_owner: list[OwnerCount]
    omitted_owners: int
    money: Totals | None = None
    blind_spots: list[BlindSpot]
    omitted_blind_spots: int
    report_url: str | None = None


def entries(notice: Notice, bus: str) -> Iterator[Entry]:
    """The events of a notice, as PutEvents takes them: those of its findings, and of a sweep's digest or a failed run
    its own. An address that opens without signing in stays out of events, which others store."""
    url = None if notice.report_note else notice.report_url
    for change in notice.told:
        finding = change.finding
        detail = FindingDetail(
            audit_id=notice.audit_id,
            account=finding.account,
            region=finding.region,
            severity=finding.severity,
            change=change.change,
            before=change.before,
            away_days=change.away_days,
            finding=finding,
            report_url=url,
        )
        arns = [finding.resource.arn] if finding.resource.arn else []
        yield _entry(FINDING_TYPES[change.change], detail, bus, notice.finished_at, arns)
    if notice.kind in OTHER_TYPES and not notice.about:
        yield _entry(OTHER_TYPES[notice.kind], _digest(notice, url), bus, notice.finished_at, [])


def _digest(notice: Notice, url: str | None) -> DigestDetail:
    return DigestDetail(
        audit_id=notice.audit_id,
        account=notice.account,
        region=notice.region,
        severity=notice.severity,
        complete=notice.complete,
        finished_at=notice.finished_at,
        headline=notice.headline,
        health=notice.health,
        told=notice.by_severity,
        resolved=notice.resolved,
        still_open=notice.still_open,
        exempt=notice.exempt,
        most_important=notice.most_important,
        by_owner=notice.by_owner,
        omitted_owners=notice.omitted_owners,
        money=notice.money,
        blind_spots=notice.blind_spots[:SPOTS],
        omitted_blind_spots=len(notice.blind_spots[SPOTS:]) + notice.omitted_blind_spots,
        report_url=url,
    )


def _entry(detail_type: str, detail: BaseModel, bus: str, moment: datetime, arns: Sequence[str]) -> Entry:
    return {
        "Source": SOURCE,
        "DetailType": detail_type,
        "Detail": detail.model_dump_json(),
        "EventBusName": bus,
        "Time": moment,
        "Resources": list(arns),
    }


def size(entry: Entry) -> int:
    """The bytes that an entry counts: its source, type, detail and resources, and 14 for the time."""
    texts = [entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"]]
    return 14 + sum(len(text.encode()) for text in texts)


def requests(events: Iterator[Entry]) -> Iterator[list[Entry]]:
    """The entries in their order, ten at most and 250 kB to a request."""
    request: list[Entry] = []
    room = REQUEST_BYTES
    for entry in events:
        needed = size(entry)
        if request and (len(request) == ENTRIES or needed > room):
            yield request
            request, room = [], REQUEST_BYTES
        request.append(entry)
        room -= needed
    if request:
        yield request


@dataclass
class Bus:
    """The bus (AUDITOR_BUS, a name or an ARN); ``client`` is boto3's ``events`` in its region. The role needs
    ``events:PutEvents`` and ``events:DescribeEventBus`` on it."""

    name: str
    client: Any
    sleep: Callable[[float], None] = time.sleep
    _there: bool = False

    def deliver(self, notice: Notice, report: Report) -> None:
        """Puts the events of the notice. Raises BusFailed where the bus does not take all of them."""
        self._look_up()
        for request in requests(entries(notice, self.name)):
            self._put(request)

    def _look_up(self) -> None:
        """Raises BusFailed for a bus that does not exist. One that may not be looked up, as in another account, is
        taken to be there."""
        if self._there:
            return
        try:
            self.client.describe_event_bus(Name=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise BusFailed(
                    f"there is no event bus {self.name}; AUDITOR_BUS names one, by its name or its ARN"
                ) from None
        except BotoCoreError as error:
            raise BusFailed(f"the event bus {self.name} could not be asked: {type(error).__name__}") from error
        self._there = True

    def _put(self, request: list[Entry]) -> None:
        """One request; entries that AWS refuses for the moment are put again, alone."""
        for attempt in range(TRIES):
            refused = self._refused(request)
            lasting = [error for _, error in refused if error.partition(":")[0] not in PASSING]
            if not refused:
                return
            if lasting or attempt == TRIES - 1:
                reason = (lasting or [error for _, error in refused])[0]
                raise BusFailed(f"the event bus {self.name} did not take {len(refused)} of its events ({reason})")
            request = [entry for entry, _ in refused]
            self.sleep(PAUSE * 2**attempt)

    def _refused(self, request: list[Entry]) -> list[tuple[Entry, str]]:
        """Puts the entries once. Gives those that AWS refused, each with its error: ``CODE: message``."""
        try:
            answer = self.client.put_events(Entries=request)
        except ClientError as error:
            details = error.response.get("Error", {})
            raise BusFailed(
                f"the event bus {self.name} took no events ({details.get('Code')}: {details.get('Message')}); needed "
                "is events:PutEvents on it"
            ) from error
        except BotoCoreError as error:
            raise BusFailed(f"the event bus {self.name} could not be asked: {type(error).__name__}") from error
        results = answer["Entries"]
        return [
            (entry, f"{result['ErrorCode']}: {result.get('ErrorMessage', '')}")
            for entry, result in zip(request, results, strict=True)
            if "ErrorCode" in result
        ]
