"""ARNs in, resources out: only those of the account and region."""

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.kinds import KINDS
from chalicelib.scope import KINDS_BY_ARN, ResourceRef, Scope, parse_resource

ACCOUNT, REGION = "123456789012", "eu-west-1"


@pytest.mark.parametrize(("prefix", "kind"), KINDS_BY_ARN.items())
def test_every_kind_makes_the_round_trip(prefix: str, kind: str) -> None:
    arn = f"arn:aws:{KINDS[kind].service}:{REGION}:{ACCOUNT}:{prefix}/a1b2c3d4e5f6"
    ref = parse_resource(arn, account=ACCOUNT, region=REGION)
    assert ref == ResourceRef(kind, "a1b2c3d4e5f6" if KINDS[kind].arn_is_name else arn)
    assert Scope(ACCOUNT, REGION).arn(ref) == arn


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "churn",
        "arn:aws:sagemaker:eu-west-1:123456789012:endpoint",
        "arn:aws:sagemaker:eu-west-1:999999999999:endpoint/churn",
        "arn:aws:sagemaker:us-east-1:123456789012:endpoint/churn",
        "arn:aws:s3:eu-west-1:123456789012:endpoint/churn",
        "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/churn",
        "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn/extra",
        "arn:aws:ec2:eu-west-1:123456789012:endpoint/churn",
    ],
)
def test_a_foreign_or_unknown_arn_is_refused_with_what_would_be_accepted(arn: str) -> None:
    with pytest.raises(InvalidInput, match=f"accepted are ARNs of account {ACCOUNT} in {REGION}") as caught:
        parse_resource(arn, account=ACCOUNT, region=REGION, field="resources.0")
    assert caught.value.field == "resources.0"
