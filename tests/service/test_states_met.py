"""States of an account that people met and told of in public: what the whole audit says of each.

They stand side by side in one account, audited once, as nobody has only one of them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.inventory.aws import Aws
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Finding, Report, Severity
from chalicelib.scope import Scope
from emulator import account_network, account_storage, seed
from emulator.account_base import Account, Scaling, settle_alarms
from emulator.account_endpoints import Component, Endpoint, Model, Variant, make_endpoint
from emulator.extension.registry import backend_of
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator

MANAGED = {"ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 2, "MaxInstanceCount": 6}}
HOST = {"ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 1}}
CHECKPOINTS = "s3://checkpoints-123456789012/"


def model(endpoint: str) -> Model:
    return Model(f"{endpoint}-v1", ["own/scorer:1"])


def steady(endpoint: str, **more: Any) -> Endpoint:
    """An endpoint of which nothing is to be said: two instances that scale, load-tested, busy."""
    variant = Variant(model(endpoint), scaling=Scaling(2, 6), calls=1200)
    return Endpoint(endpoint, [variant], owner="search", **more)


@pytest.fixture(scope="module")
def account(running_emulator: Emulator) -> Account:
    running_emulator.reset()
    here = Account(ACCOUNT, REGION, datetime.now(UTC))
    account_network.make(here)
    account_storage.make(here)
    for endpoint in ("config-gone", "model-gone"):
        make_endpoint(here, steady(endpoint))
    here.sagemaker("DeleteEndpointConfig", EndpointConfigName="config-gone-config")
    here.sagemaker("DeleteModel", ModelName="model-gone-v1")
    make_endpoint(here, Endpoint("managed", [Variant(model("managed"), calls=1200, settings=MANAGED)], owner="search"))
    to_zero = Variant(model("to-zero"), scaling=Scaling(0, 5), calls=1200)
    make_endpoint(here, Endpoint("to-zero", [to_zero], owner="search"))
    host = Variant(None, "ml.g5.xlarge", 1, gpu=(55, 40), settings=HOST)
    awake = Component("awake", Model("awake-v1", ["own/scorer:1"]), 1, Scaling(0, 1, 5, wakes=True), calls=300)
    make_endpoint(here, Endpoint("host", [host], owner="search", components=[awake]))
    _asynchronous(here)
    make_endpoint(here, steady("creating", status="Creating", age=26 / 24))
    _scaled_out(here)
    _training(here)
    settle_alarms(here, here.ago(days=1))
    return here


def _asynchronous(here: Account) -> None:
    """Endpoints with a queue: one scaled by what has no datapoint while it runs, one whose alarm looks elsewhere, one
    that is well."""
    queue = Scaling(1, 4, tracking=None)
    mismatched = Variant(model("mismatched"), "ml.g5.xlarge", 2, queue, calls=40, gpu=(60, 50))
    make_endpoint(here, Endpoint("mismatched", [mismatched], owner="docs", asynchronous=True))
    seed.scaling_policy(
        here.id,
        here.region,
        "backlog",
        "endpoint/mismatched/variant/AllTraffic",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 1.0,
            "CustomizedMetricSpecification": {
                "Namespace": "AWS/SageMaker",
                "MetricName": "HasBacklogWithoutCapacity",
                "Dimensions": [{"Name": "EndpointName", "Value": "mismatched"}],
                "Statistic": "Average",
            },
        },
        CreationTime=here.ago(days=30),
    )
    asleep = Scaling(0, 3, 5, wakes=True, watches="mismatched")
    never = Variant(model("never-wakes"), "ml.g5.xlarge", 1, asleep, now_running=(0, 0))
    make_endpoint(here, Endpoint("never-wakes", [never], owner="docs", asynchronous=True))
    alarm = backend_of("cloudwatch", here.id, here.region).alarms["never-wakes-wake-up"]
    alarm.period, alarm.alarm_actions = 86_400, []
    busy = Variant(model("busy"), "ml.g5.xlarge", 2, Scaling(2, 6, 5), calls=40, gpu=(60, 50))
    make_endpoint(here, Endpoint("busy", [busy], owner="docs", asynchronous=True))


def _scaled_out(here: Account) -> None:
    """The config says one instance, the target two to ten, and three run."""
    variant = Variant(model("scaled-out"), count=1, scaling=Scaling(2, 10), calls=1200, now_running=(3, 3))
    make_endpoint(here, Endpoint("scaled-out", [variant], owner="search"))


def _training(here: Account) -> None:
    spot = {"MaxRuntimeInSeconds": 86_400, "MaxWaitTimeInSeconds": 48 * 3600}
    seed.training_job(
        here.id,
        here.region,
        "waits",
        status="InProgress",
        created=here.ago(hours=46),
        started=None,
        TrainingStartTime=None,
        SecondaryStatus="Starting",
        EnableManagedSpotTraining=True,
        StoppingCondition=spot,
        CheckpointConfig={"S3Uri": f"{CHECKPOINTS}waits"},
        SecondaryStatusTransitions=[{"Status": "Starting", "StartTime": here.ago(hours=46), "StatusMessage": ""}],
    )
    seed.training_job(
        here.id,
        here.region,
        "cut-off",
        status="Stopped",
        created=here.ago(hours=30),
        started=here.ago(hours=29),
        ended=here.ago(hours=5),
        SecondaryStatus="MaxRuntimeExceeded",
        StoppingCondition={"MaxRuntimeInSeconds": 86_400},
    )


@pytest.fixture(scope="module")
def report(account: Account, running_emulator: Emulator) -> Iterator[Report]:
    environment = pytest.MonkeyPatch()
    for name, value in running_emulator.environment().items():
        environment.setenv(name, value)
    session: boto3.Session = running_emulator.session()
    yield Auditor(Aws(session, REGION), load_policy()).audit(Scope(ACCOUNT, REGION), "cli")
    environment.undo()


def about(report: Report, name: str) -> dict[str, Finding]:
    """The findings on an endpoint and its parts, or on another resource, by rule."""
    return {
        finding.rule: finding
        for finding in report.findings
        if name in (finding.resource.name, finding.resource.name.split("/")[0])
    }


@pytest.mark.parametrize("name", ["config-gone", "model-gone"])
def test_an_endpoint_whose_config_or_model_was_deleted(report: Report, name: str) -> None:
    """hashicorp/terraform-provider-aws#40048, ministryofjustice/analytical-platform#10195."""
    assert set(about(report, name)) == {"endpoint-dependency-missing"}


def test_managed_scaling_on_a_variant_with_a_model_scales_nothing(report: Report) -> None:
    """hashicorp/terraform-provider-aws#45926."""
    assert set(about(report, "managed")) == {"variant-no-autoscaling"}


def test_a_variant_with_a_model_does_not_reach_zero(report: Report) -> None:
    """hashicorp/terraform-provider-aws#41490."""
    assert about(report, "to-zero")


def test_a_component_of_one_copy_at_most_that_is_awake(report: Report) -> None:
    """AWS: "Scale an endpoint to zero instances": a demonstration that scales to zero is meant so."""
    findings = [*about(report, "host").values(), *about(report, "awake").values()]
    assert all(finding.severity.rank <= Severity.LOW.rank for finding in findings)
    assert not any("MinInstanceCount" in f"{finding.fix.text} {finding.fix.commands}" for finding in findings)


def test_an_asynchronous_endpoint_scaled_by_a_metric_without_datapoints_while_it_runs(report: Report) -> None:
    """philschmid/terraform-aws-sagemaker-huggingface#19."""
    assert "autoscaling-metric-mismatch" in about(report, "mismatched")


def test_an_endpoint_that_has_been_creating_for_a_day(report: Report) -> None:
    """aws/amazon-sagemaker-examples#3432."""
    assert set(about(report, "creating")) == {"endpoint-stuck-in-transition"}


def test_a_spot_job_that_has_almost_waited_to_its_end(report: Report) -> None:
    assert "training-spot-waiting" in about(report, "waits")


def test_a_job_that_was_stopped_at_its_limit_without_checkpoints(report: Report) -> None:
    assert "training-stopped-at-limit" in about(report, "cut-off")


def test_a_wake_up_alarm_that_watches_another_endpoint_and_calls_nothing(report: Report) -> None:
    assert {"autoscaling-zero-without-wakeup", "autoscaling-alarm-broken"} <= set(about(report, "never-wakes"))


def test_a_busy_asynchronous_endpoint_publishes_no_invocations(report: Report) -> None:
    """AWS: "Monitor asynchronous endpoint": InvocationsProcessed stands in the place of Invocations."""
    assert not about(report, "busy")


def test_what_runs_counts_and_not_what_was_configured(report: Report) -> None:
    """prowler-cloud/prowler#5045: a config of one, a target of two to ten, three that run."""
    assert not about(report, "scaled-out")
