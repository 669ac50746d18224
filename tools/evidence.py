"""What the cases of the rules show: the facts that each rule reads, and a finding as people get it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.audit.findings import Failing, findings
from chalicelib.inventory.facts import Fact, source_of
from chalicelib.kinds import DESCRIBED
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Finding
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from chalicelib.scope import Scope
from samples.cases.case import Case
from samples.cases.catalogue import cases_of_rule
from tools.kinds import KINDS

#: Where AWS answers with the facts of each model.
ANSWERS = {
    **{KINDS[row.name].__name__: row.describe_operation for row in DESCRIBED},
    "Variant": "DescribeEndpoint.ProductionVariants[]",
    "VariantSettings": "DescribeEndpointConfig.ProductionVariants[]",
    "ManagedInstanceScaling": "ManagedInstanceScaling",
    "Container": "DescribeModel.Containers[]",
    "VpcConfig": "VpcConfig",
    "ScalableTarget": "DescribeScalableTargets",
    "SuspendedState": "DescribeScalableTargets.SuspendedState",
    "ScalingPolicy": "DescribeScalingPolicies",
    "ScheduledAction": "DescribeScheduledActions",
    "ScalingActivity": "DescribeScalingActivities",
    "Alarm": "DescribeAlarms",
    "Subnet": "DescribeSubnets",
    "ServiceQuota": "ListServiceQuotas",
    "Placement": "PromQL",
    "TypeOffering": "DescribeInstanceTypeOfferings",
    "TrainingDefinition": "DescribeHyperParameterTuningJob.TrainingJobDefinition",
}
#: Fields that name a thing, or are worked out of others.
_NO_FACTS = {"name", "arn", "endpoint_arn", "configured", "configured_unread", "used_by", "in_use", "variants"}


def fields_read(rule: str) -> dict[str, list[str]]:
    """The fields of AWS's answers that a rule reads in its cases, by the operation that gives them."""
    read: set[tuple[str, str]] = set()
    # of these nothing is worked out yet
    fresh = [replace(case, inventory=replace(case.inventory)) for case in cases_of_rule(rule)]
    with _recorded(read):
        for case in fresh:
            case.outcome()
    by_answer: dict[str, list[str]] = {}
    for answer, field in sorted(read):
        by_answer.setdefault(answer, []).append(field)
    return by_answer


def sample(rule: str) -> Finding:
    """The finding of the rule's first failing case."""
    return finding_of(cases_of_rule(rule, Verdict.FAIL)[0])


def finding_of(case: Case) -> Finding:
    """The finding of a failing case."""
    scope = Scope("123456789012", "eu-west-1")
    failing = [Failing(RULES[case.rule], case.subject, case.outcome())]
    (finding,) = findings(failing, load_policy(), scope, datetime(2026, 11, 22, 6, tzinfo=UTC), lambda _: {})
    return finding


@contextmanager
def _recorded(read: set[tuple[str, str]]) -> Iterator[None]:
    """Notes every field of a fact that is looked at meanwhile."""
    plain = Fact.__getattribute__

    def noting(self: Fact, name: str) -> Any:
        model = type(self)
        field = model.__pydantic_fields__.get(name)
        if field is not None and name not in _NO_FACTS and model.__name__ in ANSWERS:
            source = source_of(field)
            read.add((ANSWERS[model.__name__], field.description or (source.usual if source else name)))
        return plain(self, name)

    Fact.__getattribute__ = noting  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        del Fact.__getattribute__
