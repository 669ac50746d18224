"""ARNs in, resources out: only those of the account and region."""

import json
import subprocess
import sys

import botocore.session
import pytest

from chalicelib.audit.findings import resource_of
from chalicelib.errors import InvalidInput
from chalicelib.kinds import KINDS
from chalicelib.scope import KINDS_BY_ARN, ResourceRef, Scope, dns_suffix_of, parse_resource, partition_of, scaled_id
from samples.builders import an_endpoint

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


@pytest.mark.parametrize("partition", botocore.session.get_session().get_available_partitions())
def test_every_region_of_the_sdk_lies_in_its_partition(partition: str) -> None:
    regions = botocore.session.get_session().get_available_regions("sts", partition)
    assert {partition_of(region) for region in regions} == {partition}


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
        ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
        ("us-isob-west-1", "aws-iso-b", "sc2s.sgov.gov"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ("cn-northwest-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-east-1", "aws-us-gov", "amazonaws.com"),
        ("eu-west-9", "aws", "amazonaws.com"),  # newer than the table
        ("us-isof-north-9", "aws-iso-f", "csp.hci.ic.gov"),
        ("moon-1", "aws", "amazonaws.com"),
    ],
)
def test_a_region_lies_in_a_partition(region: str, partition: str, suffix: str) -> None:
    assert (partition_of(region), dns_suffix_of(partition)) == (partition, suffix)
    assert Scope(ACCOUNT, region, partition_of(region)).arn(ResourceRef("endpoint", "churn")) == (
        f"arn:{partition}:sagemaker:{region}:{ACCOUNT}:endpoint/churn"
    )


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "https://eu-west-1.console.aws.amazon.com/"),
        ("eusc-de-east-1", "https://eusc-de-east-1.console.amazonaws-eusc.eu/"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
    ],
)
def test_the_console_is_that_of_the_partition(region: str, host: str) -> None:
    url = resource_of(an_endpoint(), Scope(ACCOUNT, region, partition_of(region))).console_url
    assert url is not None and url.startswith(host)


def test_an_isolated_partition_has_no_console_that_is_published() -> None:
    assert resource_of(an_endpoint(), Scope(ACCOUNT, "us-isof-east-1", "aws-iso-f")).console_url is None


@pytest.mark.thorough
def test_importing_the_scope_reads_no_table_and_no_sdk() -> None:
    heavy = (
        "import chalicelib.scope, json, sys; print(json.dumps([m for m in ('botocore', 'yaml') if m in sys.modules]))"
    )
    answer = subprocess.run([sys.executable, "-c", heavy], capture_output=True, check=True, text=True).stdout
    assert json.loads(answer) == []


@pytest.mark.parametrize(
    ("name", "arn", "policy", "id"),
    [
        ("churn/A", "", False, "endpoint/churn/variant/A"),
        ("copies", "", False, "inference-component/copies"),
        ("churn/A/steps", "", True, "endpoint/churn/variant/A"),
        ("copies/steps", "", True, "inference-component/copies"),
        (
            "copies/up/and/down",
            "arn:aws:autoscaling:eu-west-1:1:scalingPolicy:x:resource/sagemaker/inference-component/copies"
            ":policyName/up/and/down",
            True,
            "inference-component/copies",
        ),
    ],
)
def test_what_is_scaled_follows_from_name_and_arn(name: str, arn: str, policy: bool, id: str) -> None:
    assert scaled_id(name, arn, policy=policy) == id
