"""A rule gives as evidence what its template reads: in every failing case the finding can be put into words."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from jinja2 import Environment, meta, nodes

from chalicelib.audit.findings import Failing, common_context, findings, resource_of
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from chalicelib.scope import Scope
from chalicelib.templating import FILTERS, TEMPLATES
from samples.cases.case import Case
from samples.cases.catalogue import cases_of_rule
from tests.each import check_each

pytestmark = pytest.mark.thorough

SCOPE = Scope("123456789012", "eu-west-1")
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


@cache
def read_by(source: str) -> frozenset[str]:
    """The names that a template, and those that it includes, read and do not set."""
    environment = Environment()
    environment.filters.update(FILTERS)
    parsed = environment.parse(source)
    own = {name.name for name in parsed.find_all(nodes.Name) if name.ctx == "store"}
    names = frozenset(meta.find_undeclared_variables(parsed))
    for included in meta.find_referenced_templates(parsed):
        assert included is not None, "a template is included by its name"
        names |= read_by((TEMPLATES / included).read_text(encoding="utf-8"))
    return names - own


def common(case: Case) -> set[str]:
    failing = Failing(RULES[case.rule], case.subject, case.outcome())
    return set(common_context(failing, resource_of(case.subject, SCOPE), Severity.LOW, SCOPE))


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_template_reads_nothing_that_its_rule_never_gives(rule: str) -> None:
    cases = cases_of_rule(rule, Verdict.FAIL)
    keys = {key for case in cases for key in case.outcome().evidence}
    source = (TEMPLATES / "findings" / f"{rule}.md.j2").read_text(encoding="utf-8")
    assert read_by(source) - common(cases[0]) - keys == set()


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_failing_case_can_be_put_into_words(rule: str) -> None:
    """What only some cases give as evidence, the template must not require of the others."""
    check_each(cases_of_rule(rule, Verdict.FAIL), can_be_put_into_words, lambda case: case.id)


def can_be_put_into_words(case: Case) -> None:
    failing = Failing(RULES[case.rule], case.subject, case.outcome())
    (finding,) = findings([failing], load_policy(), SCOPE, NOW, lambda _: {})
    assert finding.summary
    assert finding.fix.commands
    assert not common(case) & set(finding.evidence), "evidence has no name that every template has"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{{ count }} of {{ resource.name }}", {"count", "resource"}),
        ("{% if missing is defined %}{{ missing }}{% endif %}", {"missing"}),
        ("{% for id in ids %}{{ id }}{% endfor %}{% set half = count / 2 %}{{ half }}", {"ids", "count"}),
        ("{% block fix %}{{ inner }}{% endblock %}", {"inner"}),
    ],
)
def test_what_a_template_reads_is_seen(source: str, names: Any) -> None:
    assert read_by(source) == names
