"""What says that a resource is gone: AWS's own word for it, asked for by name, and nothing else."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.audit.resolution import Resolutions
from chalicelib.inventory.failures import Failures
from chalicelib.kinds import DESCRIBED, says_gone
from chalicelib.report.findings import Finding, Resource, Severity, finding_id
from chalicelib.report.known import Known
from chalicelib.scope import ResourceRef, Scope
from tests.accounts.door import State
from tests.accounts.shapes import ACCOUNT, NOW
from tests.unit.test_notices import a_finding
from tests.unit.test_proof import RULES, SCOPE, FaultyDoor, an_endpoint, audited, nothing_fails, resolved

ARN = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/churn"
TARGET = "application-autoscaling:DescribeScalableTargets"
ID = "endpoint/churn/variant/B"
POLICY_ARN = f"arn:aws:autoscaling:eu-west-1:{ACCOUNT}:scalingPolicy:1:resource/sagemaker/{ID}:policyName/steps"
TARGET_ARN = f"arn:aws:application-autoscaling:eu-west-1:{ACCOUNT}:scalable-target/1"


@pytest.mark.parametrize(
    ("operation", "code", "message", "gone"),
    [
        ("DescribeEndpoint", "ValidationException", f'Could not find endpoint "{ARN}".', True),
        ("DescribeEndpoint", "ValidationException", 'Could not find endpoint configuration "c".', False),
        (
            "DescribeEndpoint",
            "ValidationException",
            "1 validation error detected: Value 'a b' not found in pattern",
            False,
        ),
        ("DescribeEndpoint", "ValidationException", "Access token does not exist", False),
        ("DescribeEndpoint", "AccessDeniedException", f'Could not find endpoint "{ARN}".', False),
        ("DescribeEndpointConfig", "ValidationException", 'Could not find endpoint configuration "arn".', True),
        ("DescribeModel", "ValidationException", 'Could not find model "arn".', True),
        ("DescribeModel", "ValidationException", f'Could not find endpoint "{ARN}".', False),
        ("DescribeInferenceComponent", "ValidationException", 'Could not find inference component "arn".', True),
        ("DescribeTrainingJob", "ValidationException", "Requested resource not found.", True),
        ("DescribeTransformJob", "ValidationException", "Could not find requested job with name: x", True),
        ("DescribeTransformJob", "ResourceNotFound", "", True),
        ("DescribeHyperParameterTuningJob", "ResourceNotFound", "no such job", True),
        ("DescribeHyperParameterTuningJob", "ValidationException", "Requested resource not found.", False),
        ("DescribeNotebookInstance", "ValidationException", "RecordNotFound", True),
        ("DescribeCluster", "ResourceNotFound", "Cluster x not found.", True),
        ("DescribeCluster", "ValidationException", "Cluster x not found.", False),
        ("Search", "ValidationException", "Could not find model", False),
        ("ListTags", "ValidationException", "RecordNotFound", True),
    ],
)
def test_an_operation_says_gone_in_its_own_form_only(operation: str, code: str, message: str, gone: bool) -> None:
    assert says_gone(f"sagemaker:{operation}", code, message, {"Name": "arn"}) is gone


def test_what_names_another_resource_says_nothing_of_this_one() -> None:
    message = f'Could not find endpoint "{ARN}".'
    assert not says_gone("sagemaker:DescribeEndpoint", "ValidationException", message, {"EndpointName": "other"})


def test_no_other_service_says_that_a_resource_of_sagemaker_is_gone() -> None:
    assert not says_gone("ec2:DescribeSubnets", "ResourceNotFound", "", {})
    assert not says_gone("cloudwatch:DescribeAlarms", "ResourceNotFound", "", {})


def on(kind: str, name: str, arn: str, part: str = "", *, rule: str = "endpoint-single-instance") -> dict[str, Known]:
    """A known finding on a resource."""
    resource = Resource(kind=kind, name=name, arn=arn, part=part)
    finding: Finding = a_finding(1, severity=Severity.HIGH).model_copy(
        update={"id": finding_id(rule, arn, part), "rule": rule, "resource": resource}
    )
    return {finding.id: Known(finding)}


def after(known: Mapping[str, Known], door: FaultyDoor, *, scope: Scope = SCOPE) -> list[str]:
    """The names of the resources whose findings an audit resolves."""
    _, resolutions, _ = audited(door, known, scope=scope)
    return [name for _, name in resolved(known, resolutions)]


@pytest.mark.parametrize(
    "row", [row for row in DESCRIBED if not row.passing and row.name != "cluster"], ids=lambda row: row.name
)
def test_what_was_deleted_without_a_trail_is_found_out_by_the_next_sweep(row: Any) -> None:
    known = on(row.name, "lost", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:{row.arn}/lost")
    assert after(known, FaultyDoor(State())) == ["lost"]


def test_e5_a_config_deleted_without_a_trail_resolves_and_one_that_is_there_does_not() -> None:
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint-config/spare"
    known = on("endpoint-config", "spare", arn, rule="endpoint-config-single-instance")
    variant = {"VariantName": "A", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    spare = {"EndpointConfigName": "spare", "EndpointConfigArn": arn, "ProductionVariants": [variant]}
    assert after(known, FaultyDoor(State(configs=[spare]))) == []
    assert after(known, FaultyDoor(State())) == ["spare"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ValidationException"])
def test_a_question_that_fails_proves_nothing_and_is_told(code: str) -> None:
    known = on("endpoint", "churn", ARN)
    door = FaultyDoor(State(), lambda operation, _: code if operation == "DescribeEndpoint" else "")
    report, resolutions, _ = audited(door, known)
    assert resolved(known, resolutions) == []
    assert [spot.operation for spot in report.blind_spots if spot.operation == "sagemaker:DescribeEndpoint"]


def test_a_throttled_component_is_not_gone_and_is_not_asked_for_again() -> None:
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:inference-component/copies"
    component = {"InferenceComponentName": "copies", "InferenceComponentArn": arn, "EndpointName": "churn"}
    target = {
        "ResourceId": "inference-component/copies",
        "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
    }
    state = State(endpoints=[an_endpoint("InService")], components=[component], targets=[target])
    known = on("inference-component", "copies", arn, rule="inference-component-single-copy")
    asked: list[str] = []

    def throttled(operation: str, parameters: Mapping[str, Any]) -> str:
        asked.append(operation)
        return "ThrottlingException" if operation == "DescribeInferenceComponent" else ""

    assert after(known, FaultyDoor(state, throttled)) == []
    assert asked.count("DescribeInferenceComponent") == 1


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("status", "gone"), [("InService", True), ("Updating", False), ("Failed", False), ("UpdateRollbackFailed", False)]
)
def test_a_variant_is_gone_where_its_endpoint_in_service_lacks_it(status: str, gone: bool, whole: bool) -> None:
    known = on("endpoint-variant", "churn/B", ARN, "B")
    scope = SCOPE if whole else Scope(ACCOUNT, "eu-west-1", resources=(ResourceRef("endpoint", "churn"),))
    assert after(known, FaultyDoor(State(endpoints=[an_endpoint(status)])), scope=scope) == (
        ["churn/B"] if gone else []
    )


@pytest.mark.parametrize("whole", [True, False])
def test_targets_and_policies_are_gone_by_the_answer_about_their_resource_id(whole: bool) -> None:
    targets = on("scalable-target", "churn/B", TARGET_ARN, ID, rule="autoscaling-min-below-two")
    policies = on("scaling-policy", "churn/B/steps", POLICY_ARN, rule="autoscaling-alarm-broken")
    scope = SCOPE if whole else Scope(ACCOUNT, "eu-west-1", resources=(ResourceRef("endpoint", "churn"),))
    both = {**targets, **policies}
    bare = State(endpoints=[an_endpoint("InService")])
    assert after(both, FaultyDoor(bare), scope=scope) == ["churn/B/steps", "churn/B"]
    target = {
        "ResourceId": ID,
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ScalableTargetARN": TARGET_ARN,
    }
    policy = {"ResourceId": ID, "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "PolicyARN": POLICY_ARN}
    orphans = State(
        endpoints=[an_endpoint("InService")], targets=[target], policies=[{**policy, "PolicyName": "steps"}]
    )
    if not whole:  # the audit of the endpoint reads no targets of variants that it has not
        assert after(both, FaultyDoor(orphans), scope=scope) == []
    unread = FaultyDoor(
        bare, lambda operation, _: "ThrottlingException" if operation.startswith("DescribeScal") else ""
    )
    assert after(both, unread, scope=scope) == []


def test_policies_are_not_gone_because_the_targets_could_not_be_read() -> None:
    policies = on("scaling-policy", "churn/B/steps", POLICY_ARN, rule="autoscaling-alarm-broken")
    policy = {"ResourceId": ID, "PolicyARN": POLICY_ARN, "PolicyName": "steps"}
    state = State(endpoints=[an_endpoint("InService")], policies=[policy])
    scope = Scope(ACCOUNT, "eu-west-1", resources=(ResourceRef("endpoint", "churn"),))
    door = FaultyDoor(
        state, lambda operation, _: "AccessDeniedException" if operation == "DescribeScalableTargets" else ""
    )
    assert after(policies, door, scope=scope) == []


def test_a_list_without_the_list_proves_nothing() -> None:
    class Empty(FaultyDoor):
        def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
            by_name = "ResourceId" in parameters or "ResourceIds" in parameters
            return {} if by_name else super().call(service, operation, **parameters)

    known = on("scalable-target", "churn/B", TARGET_ARN, ID, rule="autoscaling-min-below-two")
    assert after(known, Empty(State(), nothing_fails)) == []


def test_rules_that_did_not_judge_resolve_nothing() -> None:
    known = on("endpoint", "churn", ARN, rule="a-rule-that-is-off")
    assert after(known, FaultyDoor(State())) == []
    narrowed = Resolutions(SCOPE, RULES - {"endpoint-degraded"}, on("endpoint", "churn", ARN, rule="endpoint-degraded"))
    assert narrowed.lacking() == []


def test_of_a_resource_that_is_gone_only_the_rules_that_judged_resolve() -> None:
    judged, other = "endpoint-degraded", "endpoint-stuck-in-transition"
    known = on("endpoint", "churn", ARN, rule=judged) | on("endpoint", "churn", ARN, rule=other)
    assert len(known) == 2
    resolutions = Resolutions(SCOPE, frozenset({judged}), known)
    resolutions.conclude(frozenset(resolutions.lacking()), Failures())
    assert {known[id].finding.rule for id in resolutions.resolution.gone} == {judged}


def test_a_job_that_left_the_window_is_not_asked_for() -> None:
    known = on(
        "training-job",
        "old",
        f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:training-job/old",
        rule="training-spot-no-checkpoint",
    )
    door = FaultyDoor(State())
    assert after(known, door) == []
    assert door.calls["sagemaker:DescribeTrainingJob"] == 0


@pytest.mark.thorough
def test_questions_are_bounded_and_each_has_its_turn() -> None:
    names = [f"spare-{number:03}" for number in range(450)]
    stem = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint-config"
    known: dict[str, Known] = {}
    for name in names:
        known |= on("endpoint-config", name, f"{stem}/{name}", rule="endpoint-config-single-instance")
    gone: set[str] = set()
    for day in range(3):
        door = FaultyDoor(State())
        _, resolutions, _ = audited(door, known, now=NOW + timedelta(days=day))
        assert door.calls["sagemaker:DescribeEndpointConfig"] == 200
        gone |= {name for _, name in resolved(known, resolutions)}
    assert gone == set(names)


def test_a_part_that_could_not_be_read_is_not_asked_about_one_by_one() -> None:
    known = on("notebook-instance", "desk", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:notebook-instance/desk")
    door = FaultyDoor(
        State(), lambda operation, _: "AccessDeniedException" if operation == "ListNotebookInstances" else ""
    )
    assert after(known, door) == []
    assert door.calls["sagemaker:DescribeNotebookInstance"] == 0
