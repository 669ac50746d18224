"""The engine: counting, merging, exemptions, and faults that stay where they are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.audit.findings import findings, tagged_arn
from chalicelib.audit.judge import Judge, Obstacle
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.failures import NOT_READ, Failure
from chalicelib.inventory.kinds.configs import VariantSettings
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.policy.entries import ExemptionEntry
from chalicelib.policy.policy import Policy, RuleSetting, load_policy
from chalicelib.report.cause import Cause
from chalicelib.report.findings import Finding, Severity, finding_id
from chalicelib.report.outcomes import Outcome, failed, passed
from chalicelib.rules import RULES
from chalicelib.rules.registry import Params, rule
from chalicelib.scope import Scope

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
SCOPE = Scope("123456789012", "eu-west-1")
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn"


def an_estate(*, count: int, minimum: int) -> Inventory:
    variant = Variant(
        name="A",
        endpoint_name="churn",
        endpoint_arn=ARN,
        endpoint_status="InService",
        endpoint_created=NOW - timedelta(days=90),
        endpoint_modified=NOW - timedelta(days=90),
        desired_instance_count=count,
        desired_weight=1,
        asynchronous=False,
        configured=VariantSettings(name="A", model_name="m", instance_type="ml.m5.large"),
    )
    target = ScalableTarget(
        resource_id="endpoint/churn/variant/A", arn=f"{ARN}-target", min_capacity=minimum, max_capacity=4
    )
    return Inventory(
        account="123456789012",
        region="eu-west-1",
        now=NOW,
        endpoints={"churn": Endpoint(name="churn", arn=ARN, status="InService", variants=(variant,))},
        targets=[target],
    )


def judged(estate: Inventory, *rules: str, policy: Policy | None = None) -> Judge:
    judge = Judge((policy or load_policy()).enabled(rules), SCOPE)
    for subject in estate.subjects:
        judge.judge(subject, estate)
    judge.merge()
    return judge


def findings_of(judge: Judge, tags: dict[str, str] | None = None, policy: Policy | None = None) -> list[Finding]:
    return findings(judge.failing, policy or load_policy(), SCOPE, NOW, lambda failure: tags or {})


BOTH = ("endpoint-single-instance", "autoscaling-min-below-two")


def test_a_minimum_of_one_on_a_single_instance_is_told_once() -> None:
    judge = judged(an_estate(count=1, minimum=1), *BOTH)
    (finding,) = findings_of(judge)
    assert finding.rule == "endpoint-single-instance"
    assert finding.evidence["merged"]["autoscaling-min-below-two"]["min_capacity"] == 1
    counts = judge.rule_counts()
    assert counts["endpoint-single-instance"].fail == 1
    assert counts["autoscaling-min-below-two"].fail == 0


def test_a_minimum_of_one_on_two_instances_is_told_on_the_target() -> None:
    (finding,) = findings_of(judged(an_estate(count=2, minimum=1), *BOTH))
    assert (finding.rule, finding.resource.name) == ("autoscaling-min-below-two", "churn/A")
    assert finding.id == finding_id("autoscaling-min-below-two", f"{ARN}-target", "endpoint/churn/variant/A")


def test_without_the_other_rule_the_minimum_is_told_by_itself() -> None:
    (finding,) = findings_of(judged(an_estate(count=1, minimum=1), "autoscaling-min-below-two"))
    assert finding.rule == "autoscaling-min-below-two"


def test_an_id_survives_another_severity_wording_and_policy() -> None:
    (finding,) = findings_of(judged(an_estate(count=1, minimum=2), "endpoint-single-instance"))
    milder = Policy(
        name="x",
        notify_at=Severity.LOW,
        remind_after_days=1,
        rules={**load_policy().rules, "endpoint-single-instance": _with_severity(Severity.INFO)},
    )
    (same,) = findings_of(
        judged(an_estate(count=1, minimum=2), "endpoint-single-instance", policy=milder), policy=milder
    )
    assert same.id == finding.id == finding_id("endpoint-single-instance", ARN, "A")
    assert (finding.severity, same.severity) == (Severity.HIGH, Severity.INFO)


def _with_severity(severity: Severity) -> RuleSetting:
    base = load_policy().rules["endpoint-single-instance"]
    return replace(base, severity=severity)


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ({}, "open"),
        ({"auditor:exempt": "*"}, "open"),
        ({"auditor:exempt": "endpoint-idle, endpoint-single-instance", "auditor:exempt-until": "2026-12-01"}, "exempt"),
        ({"auditor:exempt": "endpoint-idle", "auditor:exempt-until": "2026-12-01"}, "open"),
        ({"auditor:exempt": "*", "auditor:exempt-until": "2026-11-22"}, "exempt"),
        ({"auditor:exempt": "*", "auditor:exempt-until": "2026-11-21"}, "open"),
        ({"auditor:exempt": "*", "auditor:exempt-until": "when it is done"}, "open"),
    ],
)
def test_tags_exempt_until_their_day_and_an_unreadable_day_exempts_nothing(tags: dict[str, str], status: str) -> None:
    (finding,) = findings_of(judged(an_estate(count=1, minimum=2), "endpoint-single-instance"), tags)
    assert finding.status == status


def test_an_exemption_of_the_policy_carries_reason_and_owner() -> None:
    base = load_policy()
    entry = ExemptionEntry(rule="endpoint-*", resource="arn:aws:sagemaker:*:*:endpoint/ch*", reason="r", owner="o")
    policy = Policy(base.name, base.notify_at, base.remind_after_days, base.rules, exemptions=(entry,))
    (finding,) = findings_of(judged(an_estate(count=1, minimum=2), "endpoint-single-instance"), policy=policy)
    assert finding.exemption is not None
    assert (finding.status, finding.exemption.reason, finding.exemption.owner) == ("exempt", "r", "o")


def test_the_owner_comes_from_the_tags() -> None:
    (finding,) = findings_of(judged(an_estate(count=1, minimum=2), "endpoint-single-instance"), {"Owner": "team-churn"})
    assert finding.owner == "team-churn"


def test_tags_of_a_target_are_those_of_its_endpoint() -> None:
    judge = judged(an_estate(count=2, minimum=1), "autoscaling-min-below-two")
    assert tagged_arn(judge.failing[0].subject, SCOPE) == ARN


@pytest.fixture
def broken_rule() -> Iterator[str]:
    @rule("broken-rule", topic="t", kinds=["endpoint"], severity=Severity.LOW, reads=[])
    def broken(subject: Any, estate: Inventory, params: Params) -> Outcome:
        """Always breaks."""
        raise KeyError("oops")

    yield "broken-rule"
    del RULES["broken-rule"]


def test_a_fault_of_one_rule_is_unknown_and_silences_no_other(broken_rule: str) -> None:
    settings = {
        broken_rule: RuleSetting(RULES[broken_rule], True, Params()),
        **load_policy().enabled(["endpoint-single-instance"]),
    }
    judge = Judge(settings, SCOPE)
    estate = an_estate(count=1, minimum=2)
    for subject in estate.subjects:
        judge.judge(subject, estate)
    assert judge.rule_counts()[broken_rule].unknown == 1
    assert Obstacle("rule:broken-rule", "the rule failed on a endpoint: KeyError", Cause.FAILED) in judge.unread
    assert [failing.rule.id for failing in judge.failing] == ["endpoint-single-instance"]


def test_a_rule_registered_twice_is_refused(broken_rule: str) -> None:
    with pytest.raises(ValueError, match="registered twice"):
        rule(broken_rule, topic="t", kinds=["endpoint"], severity=Severity.LOW, reads=[])(lambda *_: passed())


def test_guards_end_the_judgement_before_the_rule_is_asked() -> None:
    estate = an_estate(count=1, minimum=2)
    variant = next(iter(estate.variants.values())).model_copy(update={"shadow": True})
    rule_ = RULES["endpoint-single-instance"]
    assert rule_.judge(variant, estate, rule_.params()).verdict == "not_applicable"


def test_what_was_not_declared_to_be_read_is_never_taken_for_absent() -> None:
    estate = an_estate(count=1, minimum=2)
    for part in RULES["variant-no-autoscaling"].reads:
        estate.gaps.note(Failure(NOT_READ, "", f"{part} were not read", part=part))
    variant = next(iter(estate.variants.values()))
    with pytest.raises(Unread):
        RULES["variant-no-autoscaling"].judge(variant, estate, RULES["variant-no-autoscaling"].params())


def test_evidence_of_an_outcome_is_kept() -> None:
    assert failed(severity=Severity.LOW, count=1).evidence == {"count": 1}
