"""The demo account: every defect that was put into it is found, and nothing else."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import jsonschema
import pytest

from chalicelib.notices.decide import preview
from chalicelib.policy.policy import load_policy
from chalicelib.report.cause import Cause
from chalicelib.report.findings import Report
from chalicelib.rules import RULES
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator.account import EXPECTED, build
from emulator.account_endpoints import Endpoint
from emulator.account_healthy import HEALTHY
from emulator.account_hosting import FAULTY, IN_TRANSITION
from emulator.account_reserved import RESERVED
from emulator.server import Emulator
from samples.cases.catalogue import CASES
from tests.unit.test_sizes_of_notices import check_sizes
from tools.generate import ROOT

#: What the sweep can give under the baseline, by the cases that name a resource of the account.
SWEPT = {case.rule for case in CASES if case.in_demo}


@pytest.fixture(scope="module")
def emulator_of_demo() -> Iterator[Emulator]:
    with Emulator() as emulator, pytest.MonkeyPatch.context() as environment:
        for name, value in emulator.environment().items():
            environment.setenv(name, value)
        build(now=datetime.now(UTC))
        yield emulator


@pytest.fixture(scope="module")
def report(emulator_of_demo: Emulator) -> Report:
    """One audit of the whole account under the baseline."""
    service = Service(Settings.from_environment({}), emulator_of_demo.session())
    return service.audit(service.scope(), "cli")


def fired(report: Report) -> dict[str, frozenset[str]]:
    rules: dict[str, set[str]] = defaultdict(set)
    for finding in report.findings:
        rules[f"{finding.resource.kind} {finding.resource.name}"].add(finding.rule)
    return {resource: frozenset(ids) for resource, ids in rules.items()}


def difference(findings: Mapping[str, frozenset[str]], expected: Mapping[str, frozenset[str]]) -> list[str]:
    """One line for each finding that is missing or too many."""
    nothing: frozenset[str] = frozenset()
    lines = []
    for resource in sorted(findings.keys() | expected.keys()):
        got, wanted = findings.get(resource, nothing), expected.get(resource, nothing)
        lines += [f"not found: {resource}: {rule}" for rule in sorted(wanted - got)]
        lines += [f"too much:  {resource}: {rule}" for rule in sorted(got - wanted)]
    return lines


def test_every_defect_is_found_and_nothing_else(report: Report) -> None:
    lines = difference(fired(report), EXPECTED)
    assert not lines, "\n" + "\n".join(lines)


def test_what_is_sent_of_it_is_within_the_limits_of_every_door(report: Report) -> None:
    (digest,) = preview(report, load_policy(), whole=True)
    assert len(digest.most_important) == 10
    check_sizes(digest)


@pytest.mark.slow
def test_under_the_strict_policy_every_rule_finds_something(emulator_of_demo: Emulator) -> None:
    service = Service(Settings(policy="strict"), emulator_of_demo.session())
    strict = service.audit(service.scope(), "cli")
    rules = {finding.rule for finding in strict.findings}
    merged = {rule for finding in strict.findings for rule in finding.evidence.get("merged", {})}
    assert set(RULES) - rules - merged == set()


def test_each_finding_is_as_severe_and_as_sure_as_the_case_that_names_its_resource(report: Report) -> None:
    wanted = {
        (case.rule, place.resource): (case.severity, case.confidence)
        for case in CASES
        for place in case.in_demo
        if not place.told_with
    }
    assert wanted == {
        (finding.rule, f"{finding.resource.kind} {finding.resource.name}"): (finding.severity, finding.confidence)
        for finding in report.findings
    }


def test_what_a_finding_takes_in_is_what_the_cases_say(report: Report) -> None:
    """A rule may merge into the finding of another kind: a target's into its variant's, which has the same name."""
    wanted = {
        (place.resource.split()[1], place.told_with, case.rule)
        for case in CASES
        for place in case.in_demo
        if place.told_with
    }
    assert wanted == {
        (finding.resource.name, finding.rule, rule)
        for finding in report.findings
        for rule in finding.evidence.get("merged", {})
    }


def test_nothing_is_found_twice(report: Report) -> None:
    assert len(report.findings) == sum(len(rules) for rules in EXPECTED.values())


#: Variants that rehearsals cannot judge: two whose policies follow something else than requests, and one whose record
#: the replay does not explain, which alone is a blind spot.
UNREHEARSED = 3


def test_all_of_it_can_be_judged_but_what_cannot_be_rehearsed(report: Report) -> None:
    rehearsals = sorted(id for id, rule in RULES.items() if rule.topic == "autoscaling-rehearsal")
    (spot,) = report.blind_spots
    assert spot.error.startswith("quote-ranking/AllTraffic is not judged: the replay explains 0 of the 8 scaling steps")
    assert (spot.cause, spot.effect) == (Cause.NOT_TOLD, rehearsals)
    unknown = {id: counts.unknown for id, counts in report.rules.items() if counts.unknown}
    assert unknown == dict.fromkeys(rehearsals, UNREHEARSED)


#: What rehearsals, and the rule of queues that nothing wakes, tell of the variants that are there for them.
REHEARSED = {
    "checkout-risk": {"rehearsal-capacity-shortfall", "endpoint-az-loss-overload"},  # too slow for its mornings
    "campaign-targeting": {"rehearsal-excess-capacity"},  # a wasteful minimum
    "ad-click-rate": {"endpoint-az-loss-overload"},  # right, but for the loss of a zone
    "credit-risk": set[str](),  # right
    "contract-scans": {"autoscaling-zero-without-wakeup"},  # asynchronous, and never wakes
    "quote-ranking": set[str](),  # its record is not explained: unknown, see above
}


def test_the_demo_holds_one_of_each_that_a_rehearsal_tells_apart(report: Report) -> None:
    rules = {id for id, rule in RULES.items() if rule.topic == "autoscaling-rehearsal"}
    rules.add("autoscaling-zero-without-wakeup")
    rules_of: dict[str, set[str]] = {name: set() for name in REHEARSED}
    for finding in report.findings:
        if finding.rule in rules and (name := finding.resource.name.split("/")[0]) in rules_of:
            rules_of[name].add(finding.rule)
    assert rules_of == REHEARSED


def test_every_rule_has_something_to_find(report: Report) -> None:
    assert {rule for rules in EXPECTED.values() for rule in rules} == SWEPT
    assert {id for id, counts in report.rules.items() if counts.fail} == SWEPT


def test_every_rule_lets_something_pass(report: Report) -> None:
    assert {id for id, counts in report.rules.items() if counts.passed} == SWEPT


def test_the_account_is_as_large_as_the_demo_promises(report: Report) -> None:
    assert report.resources["endpoint"] >= 25
    assert report.resources["training-job"] >= 60
    assert report.resources["tuning-job"] == 2
    assert report.resources["transform-job"] == 4
    assert report.resources["notebook-instance"] == 5
    assert report.resources["cluster"] == 2


def resources_of(endpoint: Endpoint) -> set[str]:
    """Everything under an endpoint that a rule could name."""
    variants = [*endpoint.variants, *endpoint.shadows]
    names = [f"{endpoint.name}/{variant.name}" for variant in variants]
    components = [component.name for component in endpoint.components]
    return {
        f"endpoint {endpoint.name}",
        f"endpoint-config {endpoint.name}-config",
        *(f"{kind} {name}" for kind in ("endpoint-variant", "scalable-target") for name in names),
        *(f"model {model.name}" for model in endpoint.models),
        *(f"{kind} {name}" for kind in ("inference-component", "scalable-target") for name in components),
        *(f"scaling-policy {name}/target-tracking" for name in names + components),
    }


def test_a_third_of_the_endpoints_is_well(report: Report) -> None:
    with_findings = fired(report).keys()
    every = (*HEALTHY, *FAULTY, *IN_TRANSITION)
    assert report.resources["endpoint"] == len(every) + len(RESERVED)
    assert [name.name for name in HEALTHY if resources_of(name) & with_findings] == []
    assert [name.name for name in FAULTY if not resources_of(name) & with_findings] == []
    assert len(HEALTHY) >= len(every) / 3


def test_a_third_of_the_training_jobs_is_well(report: Report) -> None:
    jobs = report.resources["training-job"]
    faulty = sum(1 for name in fired(report) if name.startswith("training-job "))
    assert jobs - faulty >= jobs / 3


def test_endpoints_have_an_owner_to_turn_to(report: Report) -> None:
    hosting = ("endpoint", "endpoint-config", "endpoint-variant", "model")
    assert [
        finding.resource.name for finding in report.findings if finding.resource.kind in hosting and not finding.owner
    ] == []


def test_the_report_is_what_its_schema_says(report: Report) -> None:
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in validator.iter_errors(json.loads(report.model_dump_json()))] == []


def test_every_fix_has_commands_and_says_how_to_see_that_it_worked(report: Report) -> None:
    for finding in report.findings:
        assert finding.fix.commands, finding.rule
        assert "It worked when the last command" in finding.fix.text


def test_the_words_of_a_finding_are_whole_sentences(report: Report) -> None:
    for finding in report.findings:
        for text in (finding.summary, finding.why, finding.fix.text):
            assert text.endswith((".", "?", "!")), (finding.rule, text)
            assert not {"None", "nan"} & set(text.replace(".", " ").split()), (finding.rule, text)
            assert "  " not in text
        assert finding.references
        assert all(
            reference.startswith(("https://docs.aws.amazon.com/", "https://aws.amazon.com/"))
            for reference in finding.references
        )
