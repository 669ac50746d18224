"""HyperPod clusters, whose ARN ends in an id: audited by sweep, ARN and event, and resolved when they are gone."""

from typing import Any

import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.audit.resolution import Resolutions
from chalicelib.events import scope_of
from chalicelib.inventory.aws import Aws
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Report
from chalicelib.report.known import Known
from chalicelib.scope import Scope, parse_resource
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.conftest import NewService

NAME = "pretraining"


@pytest.fixture
def sagemaker(emulator: Emulator) -> Any:
    return emulator.client("sagemaker")


@pytest.fixture
def arn(sagemaker: Any) -> str:
    """The ARN of a cluster that leaves faulty nodes to people, with another one beside it."""
    sagemaker.create_cluster(ClusterName="well", NodeRecovery="Automatic")
    made: str = sagemaker.create_cluster(ClusterName=NAME, NodeRecovery="None")["ClusterArn"]
    assert not made.endswith(NAME)
    return made


def findings_of(report: Report) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.resource.name, finding.resource.arn) for finding in report.findings]


def test_a_sweep_reads_every_cluster(arn: str, new_service: NewService) -> None:
    service = new_service()
    report = service.audit(service.scope(), "cli")
    assert report.resources["cluster"] == 2
    assert findings_of(report) == [("cluster-node-recovery-off", NAME, arn)]
    assert report.findings[0].resource.console_url is not None
    assert report.findings[0].resource.console_url.endswith(f"#/cluster-management/{NAME}")


def test_an_audit_by_arn_reads_that_cluster_alone(arn: str, new_service: NewService) -> None:
    service = new_service()
    report = service.audit(service.scope(resources=[parse_resource(arn, account=ACCOUNT, region=REGION)]), "cli")
    assert report.resources == {"cluster": 1}
    assert report.scope.resources == [arn]
    assert findings_of(report) == [("cluster-node-recovery-off", NAME, arn)]
    assert "sagemaker:ListClusters" not in report.api_calls


def test_its_event_names_it_by_its_arn(arn: str) -> None:
    detail = {"ClusterArn": arn, "ClusterName": NAME, "ClusterStatus": "Updating"}
    event = {"account": ACCOUNT, "region": REGION, "detail-type": "SageMaker HyperPod Cluster State Change"}
    scope = scope_of({**event, "detail": detail})
    assert scope.arn(scope.resources[0]) == arn


@pytest.mark.parametrize("by", ["arn", "sweep"])
def test_findings_on_a_cluster_that_is_gone_are_resolved_and_no_others(
    emulator: Emulator, sagemaker: Any, arn: str, new_service: NewService, by: str
) -> None:
    service = new_service()
    report = service.audit(service.scope(), "cli")
    known = {finding.id: Known(finding) for finding in report.findings}
    ref = parse_resource(arn, account=ACCOUNT, region=REGION)
    scope = Scope(ACCOUNT, REGION, resources=(ref,) if by == "arn" else ())
    auditor = Auditor(Aws(emulator.session(), REGION), load_policy())

    def gone() -> frozenset[str]:
        answers = Resolutions(scope, frozenset({"cluster-node-recovery-off"}), known)
        auditor.audit(scope, "cli", resolutions=answers)
        return answers.resolution.gone

    assert gone() == frozenset()
    sagemaker.delete_cluster(ClusterName=arn)
    assert gone() == frozenset(known)
