"""What the witness of an audit collects: verdicts of what was known, who stands where, and what was seen since when."""

from datetime import timedelta

import pytest

from chalicelib.audit.resolution import Ending, Resolutions, ending
from chalicelib.inventory.absence import Lacking
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.failures import Failure, Failures
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Resource, finding_id
from chalicelib.report.known import Known, Resolution
from chalicelib.report.outcomes import Outcome, Verdict, failed, not_applicable, not_now, passed, unknown
from chalicelib.rules import RULES
from chalicelib.scope import ResourceRef, Scope
from samples.builders import (
    ACCOUNT,
    NOW,
    REGION,
    a_component,
    a_config,
    a_model,
    a_policy,
    a_variant,
    an_endpoint,
)
from tests.unit.test_notices import a_finding

SCOPE = Scope(ACCOUNT, REGION)
STEM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
SINGLE, DEGRADED = RULES["endpoint-single-instance"], RULES["endpoint-degraded"]
BEFORE, LONG_AGO = NOW - timedelta(hours=1), NOW - timedelta(days=9)


def known(rule: str, kind: str, name: str, arn: str, part: str = "") -> dict[str, Known]:
    finding = a_finding().model_copy(
        update={
            "id": finding_id(rule, arn, part),
            "rule": rule,
            "resource": Resource(kind=kind, name=name, arn=arn, part=part),
        }
    )
    return {finding.id: Known(finding)}


def resolutions(*findings: dict[str, Known], scope: Scope = SCOPE, **more: object) -> Resolutions:
    together = {id: finding for each in findings for id, finding in each.items()}
    return Resolutions(scope, frozenset(RULES), together, **more)  # type: ignore[arg-type]


OF_VARIANT = known(SINGLE.id, "endpoint-variant", "churn/AllTraffic", f"{STEM}:endpoint/churn", "AllTraffic")
(ID,) = OF_VARIANT


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([passed()], Verdict.PASS),
        ([failed()], Verdict.FAIL),
        ([not_applicable("runs elsewhere")], Verdict.NOT_APPLICABLE),
        ([not_now("it is Updating")], Verdict.UNKNOWN),
        ([passed().passing()], Verdict.UNKNOWN),
        ([unknown("denied")], Verdict.UNKNOWN),
        ([passed(), not_applicable("a shadow")], Verdict.NOT_APPLICABLE),
        ([not_applicable("a shadow"), passed()], Verdict.NOT_APPLICABLE),
        ([not_applicable("a shadow"), unknown("denied")], Verdict.UNKNOWN),
        ([failed(), passed()], Verdict.FAIL),
        ([unknown("denied"), failed()], Verdict.FAIL),
    ],
)
def test_of_two_answers_under_one_name_the_one_counts_that_resolves_least(
    outcomes: list[Outcome], verdict: Verdict
) -> None:
    witness = resolutions(OF_VARIANT)
    for outcome in outcomes:
        witness(SINGLE, a_variant(), outcome)
    assert witness.resolution.verdicts == {ID: verdict}
    assert witness.lacking() == []


@pytest.mark.parametrize(
    ("outcome", "undecided"),
    [
        (passed(), False),
        (not_applicable("runs elsewhere"), False),
        (failed(), True),
        (unknown("denied"), True),
        (not_now("it is Updating"), True),
    ],
)
def test_a_rule_is_decided_by_answers_that_last_and_do_not_fail(outcome: Outcome, undecided: bool) -> None:
    witness = resolutions()
    witness(SINGLE, a_variant(), outcome)
    assert witness.resolution.undecided == ({SINGLE.id} if undecided else frozenset())


@pytest.mark.parametrize(
    ("verdict", "end"),
    [
        (Verdict.PASS, Ending.RESOLVED),
        (Verdict.NOT_APPLICABLE, Ending.RESOLVED),
        (Verdict.FAIL, Ending.TOLD_BY_ANOTHER),
        (Verdict.UNKNOWN, None),
        (None, None),
    ],
)
def test_a_finding_ends_by_a_verdict_or_by_being_gone(verdict: Verdict | None, end: Ending | None) -> None:
    verdicts = {ID: verdict} if verdict is not None else {}
    assert ending(ID, Resolution(verdicts)) is end
    assert ending(ID, Resolution(verdicts, frozenset({ID}))) is Ending.RESOLVED


def test_a_variant_of_which_no_arn_was_read_is_known_by_that_of_its_endpoint() -> None:
    witness = resolutions(OF_VARIANT)
    witness(SINGLE, a_variant().model_copy(update={"endpoint_arn": ""}), passed())
    assert witness.resolution.verdicts == {ID: Verdict.PASS}


def test_of_a_sweep_only_what_was_known_is_kept_and_of_an_event_everything() -> None:
    other = a_variant("Other")
    sweep = resolutions(OF_VARIANT)
    sweep(SINGLE, other, passed())
    assert sweep.resolution.verdicts == {}
    event = resolutions(scope=Scope(ACCOUNT, REGION, resources=(ResourceRef("endpoint", "churn"),)))
    event(SINGLE, other, passed())
    assert event.resolution.verdicts == {finding_id(SINGLE.id, f"{STEM}:endpoint/churn", "Other"): Verdict.PASS}


def test_what_was_not_read_is_lacking_and_resolves_where_it_is_gone() -> None:
    off = known("no-such-rule", "model", "old", f"{STEM}:model/old")
    of_model = known("model-vpc-single-az", "model", "tree", f"{STEM}:model/tree")
    witness = resolutions(OF_VARIANT, of_model, off)
    variant = Lacking("endpoint-variant", "churn/AllTraffic", f"{STEM}:endpoint/churn", "AllTraffic")
    model = Lacking("model", "tree", f"{STEM}:model/tree")
    assert witness.lacking() == [variant, model]
    witness.conclude(frozenset({model, Lacking("model", "old", f"{STEM}:model/old")}), Failures())
    assert witness.resolution.gone == set(of_model)


def test_a_named_resource_is_settled_where_it_was_read_or_is_gone() -> None:
    churn, tree = ResourceRef("endpoint", "churn"), ResourceRef("model", "tree")
    scope = Scope(ACCOUNT, REGION, resources=(churn, tree, ResourceRef("model", "unread")))
    gone = Failures([Failure("sagemaker:DescribeModel", "ValidationException", "", "tree", Part.MODELS, gone=True)])

    def settled(scope: Scope) -> frozenset[str]:
        witness = resolutions(scope=scope)
        witness(DEGRADED, an_endpoint(), passed())
        witness.conclude(frozenset(), gone)
        return witness.resolution.settled

    assert settled(scope) == {f"{STEM}:endpoint/churn", f"{STEM}:model/tree"}
    assert settled(Scope(ACCOUNT, REGION, resources=scope.resources, rules=frozenset({DEGRADED.id}))) == frozenset()


# ---- who stands where


@pytest.mark.parametrize(
    ("subject", "stands"),
    [
        (a_model(subnets=["a", "b"]), {"a": {f"{STEM}:model/churn-model"}, "b": {f"{STEM}:model/churn-model"}}),
        (a_model(subnets=["a"], used_by=()), {}),
        (a_model(subnets=["a"], used_by=None), {}),
        (a_model(), {}),
        (a_config(subnets=["a"], in_use=True), {"a": {f"{STEM}:endpoint-config/churn-config"}}),
        (a_config(subnets=["a"], in_use=False), {}),
        (
            a_policy(a_variant(), alarms=["high", "low"]),
            {key: {f"{STEM}:endpoint/churn"} for key in ("alarm:high", "alarm:low")},
        ),
        (a_policy(a_component(), alarms=["high"]), {"alarm:high": {f"{STEM}:inference-component/churn-component"}}),
        (a_policy(alarms=[]), {}),
        (a_variant(), {}),
    ],
)
def test_what_is_in_use_stands_on_its_subnets_and_alarms_scale_what_their_policy_does(
    subject: Fact, stands: dict[str, set[str]]
) -> None:
    witness = resolutions()
    witness(SINGLE, subject, passed())
    assert witness.stands == stands


def test_many_stand_on_one_subnet() -> None:
    witness = resolutions()
    for name in ("one", "two"):
        witness(SINGLE, a_model(name=name, subnets=["a"]), failed())
    assert witness.stands == {"a": {f"{STEM}:model/one", f"{STEM}:model/two"}}


# ---- since when something has been seen


def test_what_is_seen_again_keeps_its_first_moment_and_what_is_over_is_forgotten() -> None:
    endpoints = {name: an_endpoint(name=name) for name in ("new", "still", "over", "unread", "for-now")}
    arns = {name: endpoint.arn for name, endpoint in endpoints.items()}
    first = {(DEGRADED.id, str(arns[name])): BEFORE for name in ("still", "over", "unread", "for-now")}
    witness = resolutions(first_seen={**first, ("another-rule", "arn"): LONG_AGO})
    witness(DEGRADED, endpoints["new"], failed().seen())
    witness(DEGRADED, endpoints["still"], passed().passing().seen())
    witness(DEGRADED, endpoints["over"], passed())
    witness(DEGRADED, endpoints["unread"], unknown("denied"))
    witness(DEGRADED, endpoints["for-now"], not_now("it is Updating"))
    assert witness.sightings(NOW) == {
        (DEGRADED.id, arns["new"]): NOW,
        (DEGRADED.id, arns["still"]): BEFORE,
        (DEGRADED.id, arns["unread"]): BEFORE,
        (DEGRADED.id, arns["for-now"]): BEFORE,
        ("another-rule", "arn"): LONG_AGO,
    }


def test_where_nothing_remembers_sightings_none_are_kept() -> None:
    witness = resolutions()
    witness(DEGRADED, an_endpoint(), failed().seen())
    assert witness.sightings(NOW) == {}
