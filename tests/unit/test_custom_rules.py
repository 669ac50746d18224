"""Rules of a policy's own: JMESPath over the JSON of a resource, with tags and exemptions like any other."""

from pathlib import Path
from typing import Any

import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.audit.findings import findings
from chalicelib.audit.judge import Judge
from chalicelib.policy.policy import Policy, forget, load_policy
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Verdict
from chalicelib.rules.custom import READS
from chalicelib.scope import ResourceRef, Scope
from samples.builders import NOW, a_notebook, a_training_job, an_endpoint, an_inventory
from tests.accounts.door import State, StateDoor
from tools.kinds import KINDS

SCOPE = Scope("123456789012", "eu-west-1")
OWNER = """
extends: none
custom_rules:
  - id: acme-endpoint-has-owner
    kind: endpoint
    severity: low
    title: Endpoint has no owner
    fails_when: "!tags.owner"
    fix: "Tag the endpoint with owner=TEAM."
"""


def loaded(tmp_path: Path, text: str) -> Policy:
    forget()
    path = tmp_path / "own.yaml"
    path.write_text(text)
    return load_policy(str(path))


def test_a_rule_of_ones_own_may_be_observed_from_the_start(tmp_path: Path) -> None:
    observed = OWNER.replace("severity: low", "severity: low\n    mode: observe")
    assert loaded(tmp_path, observed).rules["acme-endpoint-has-owner"].mode == "observe"
    assert loaded(tmp_path, OWNER).rules["acme-endpoint-has-owner"].mode == "notify"


def judged(policy: Policy, subject: Any) -> Judge:
    judge = Judge(policy.enabled(), SCOPE)
    judge.judge(subject, an_inventory(subject))
    return judge


@pytest.mark.parametrize(
    ("tags", "verdict"),
    [
        ({"owner": "team-churn"}, Verdict.PASS),
        ({"Owner": "team-churn"}, Verdict.FAIL),
        ({}, Verdict.FAIL),
        (None, Verdict.UNKNOWN),
    ],
)
def test_a_rule_over_tags_never_takes_unread_tags_for_none(
    tmp_path: Path, tags: dict[str, str] | None, verdict: Verdict
) -> None:
    judge = judged(loaded(tmp_path, OWNER), an_endpoint().with_tags(tags))
    assert judge.counts["acme-endpoint-has-owner"] == {verdict: 1}


def test_its_finding_says_what_the_policy_says(tmp_path: Path) -> None:
    policy = loaded(tmp_path, OWNER)
    judge = judged(policy, an_endpoint().with_tags({}))
    (finding,) = findings(judge.failing, policy, SCOPE, NOW, lambda _: {})
    assert (finding.rule, finding.severity, finding.topic) == ("acme-endpoint-has-owner", Severity.LOW, "custom")
    assert finding.title == "Endpoint has no owner"
    assert finding.fix.text == "Tag the endpoint with owner=TEAM."
    assert finding.evidence == {"fails_when": "!tags.owner", "value": True}


def test_it_can_be_changed_and_exempted_like_any_other(tmp_path: Path) -> None:
    more = """
rules:
  acme-endpoint-has-owner: {severity: critical, mode: observe}
exemptions:
  - {rule: acme-*, resource: churn, reason: an old one, owner: ml, expires: 2027-01-31}
"""
    policy = loaded(tmp_path, OWNER + more)
    judge = judged(policy, an_endpoint().with_tags({}))
    (finding,) = findings(judge.failing, policy, SCOPE, NOW, lambda _: {})
    assert (finding.severity, finding.status) == (Severity.CRITICAL, "exempt")
    assert policy.rules["acme-endpoint-has-owner"].mode == "observe"


@pytest.mark.parametrize(
    ("kind", "expression", "subject", "verdict"),
    [
        ("notebook-instance", "starts_with(instance_type, 'ml.p')", a_notebook(instance_type="ml.p3.2xlarge"), "fail"),
        ("notebook-instance", "starts_with(instance_type, 'ml.p')", a_notebook(instance_type="ml.m5.large"), "pass"),
        ("training-job", "max_runtime_seconds > `1000`", a_training_job(), "fail"),
        ("training-job", "length(instance_groups) > `0`", a_training_job(), "pass"),
        ("endpoint", "variants[?desired_instance_count < `2`]", an_endpoint(), "pass"),
        ("endpoint", "length(name)", an_endpoint(), "fail"),
        ("endpoint", "!(tags.owner) && name == 'churn'", an_endpoint().with_tags({"env": "dev"}), "fail"),
        ("endpoint", "!tags.owner || tags.owner == 'nobody'", an_endpoint().with_tags({"owner": "nobody"}), "fail"),
        ("endpoint", "!variants[0].shadow", an_endpoint(), "fail"),
        ("training-job", "length(max_runtime_seconds)", a_training_job(), "unknown"),
    ],
)
def test_truth_is_that_of_jmespath(tmp_path: Path, kind: str, expression: str, subject: Any, verdict: str) -> None:
    text = f"""
extends: none
custom_rules:
  - {{id: acme-check, kind: {kind}, title: Check, fails_when: "{expression}"}}
"""
    judge = judged(loaded(tmp_path, text), subject)
    assert judge.counts["acme-check"] == {Verdict(verdict): 1}


def test_every_kind_that_rules_judge_can_have_rules_of_its_own() -> None:
    assert READS.keys() == KINDS.keys()


UNREAD_CONFIG = """
extends: none
custom_rules:
  - {{id: acme-rule, kind: {kind}, severity: low, title: T, fix: F, fails_when: "{expression}"}}
"""


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        ("endpoint-variant", "!configured.instance_type"),
        ("endpoint-variant", "configured.instance_type == 'ml.m5.large'"),
        ("endpoint-variant", "configured"),
        ("endpoint-variant", "!asynchronous"),
        ("endpoint-variant", "config_created < '2020'"),
        ("endpoint-variant", "contains(to_string(@), 'ml.m5.large')"),
        ("endpoint", "variants[?configured.instance_type == 'ml.m5.large']"),
        ("endpoint", "variants[].configured.instance_type | [0]"),
        ("model", "!used_by"),
        ("endpoint-config", "!in_use"),
    ],
)
def test_e4_a_fact_that_could_not_be_read_is_unknown_on_every_path(tmp_path: Path, kind: str, expression: str) -> None:
    policy = loaded(tmp_path, UNREAD_CONFIG.format(kind=kind, expression=expression))
    endpoint = {
        "EndpointName": "churn",
        "EndpointConfigName": "churn",
        "EndpointStatus": "InService",
        "ProductionVariants": [{"VariantName": "A", "DesiredInstanceCount": 2}],
    }
    state = State(
        endpoints=[endpoint],
        configs=[{"EndpointConfigName": "churn", "CreationTime": NOW}],
        models=[{"ModelName": "tree", "ModelArn": "a", "CreationTime": NOW}],
    )
    denied = ["sagemaker:DescribeEndpointConfig"] if kind in ("endpoint-variant", "endpoint") else ["sagemaker:Search"]
    named = {"model": "tree", "endpoint-config": "churn"}
    resources = (ResourceRef(kind, named[kind]),) if kind in named else ()
    scope = Scope(SCOPE.account, SCOPE.region, resources=resources)
    report = Auditor(StateDoor(state, SCOPE.region, denied=denied), policy, clock=lambda: NOW).audit(scope, "cli")
    counts = report.rules["acme-rule"]
    assert (counts.unknown, counts.fail, counts.passed) == (1, 0, 0)
    assert any("acme-rule" in spot.effect for spot in report.blind_spots)


def test_a_fact_that_aws_leaves_out_is_not_there(tmp_path: Path) -> None:
    policy = loaded(tmp_path, UNREAD_CONFIG.format(kind="endpoint", expression="!failure_reason"))
    judge = judged(policy, an_endpoint())
    assert judge.counts["acme-rule"] == {Verdict.FAIL: 1}
