"""The score by hand, what moves it and what does not, and the order in which it puts accounts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.report.findings import EndpointCapacity, Exemption, RuleCounts, RuleInForce, Severity, VariantCapacity
from chalicelib.report.posture import LEVELS, level, posture, standing
from chalicelib.report.survival import survival
from tests.unit.test_notices import a_finding, a_report


def a_judged(**rules: tuple[Severity, int, int]) -> dict[str, Any]:
    """Rules with severity, passes and failures, as a report holds them."""
    return {
        "rules": {id: RuleCounts(passed=passes, fail=fails) for id, (_, passes, fails) in rules.items()},
        "catalogue": {id: RuleInForce(severity=severity, topic=id[0]) for id, (severity, _, _) in rules.items()},
    }


def a_variant(**differences: Any) -> VariantCapacity:
    """A variant on two instances in two zones."""
    sound = {
        "name": "main",
        "mode": "instances",
        "instance_types": ["ml.m5.large"],
        "current": 2,
        "desired": 2,
        "network": "vpc",
        "zones": ["euw1-az1", "euw1-az2"],
        "weight": 1.0,
    }
    return VariantCapacity.model_validate(sound | differences)


def a_capacity(*variants: VariantCapacity, status: str = "InService", **differences: Any) -> EndpointCapacity:
    """An endpoint on these variants, else on a sound one."""
    place = {"account": "123456789012", "region": "eu-west-1", "name": "churn", "arn": "arn:churn"}
    return EndpointCapacity(**{**place, "status": status, "variants": list(variants or [a_variant()]), **differences})


SOUND = a_capacity()
ONE_ZONE = a_capacity(a_variant(zones=["euw1-az1"]))
SINGLE = a_capacity(a_variant(current=1, desired=1))
DOWN = a_capacity(status="Failed")
UNKNOWN = a_capacity(a_variant(network="unknown", zones=None, desired=None, current=None))
#: From worst to best.
LADDER = [DOWN, SINGLE, ONE_ZONE, SOUND]


def score_of(*endpoints: EndpointCapacity, **rules: tuple[Severity, int, int]) -> float | None:
    return posture(a_report(endpoints=list(endpoints), **a_judged(**rules))).score


# ---- by hand


def test_five_endpoints_by_hand() -> None:
    # up 5/5 × 20, an instance 4/5 × 35, a zone 3/5 × 35, and the rules: high 4 × 3/4 + low 1 × 0, of 5, × 10
    rules = {"a": (Severity.HIGH, 3, 1), "b": (Severity.LOW, 0, 7), "c": (Severity.MEDIUM, 0, 0)}
    assert score_of(SOUND, SOUND, SOUND, ONE_ZONE, SINGLE, **rules) == 20 + 28 + 21 + 6


def test_all_endpoints_on_one_instance_are_red_whatever_else_is_well() -> None:
    stands = posture(a_report(endpoints=[SINGLE] * 12, **a_judged(a=(Severity.HIGH, 5000, 0))))
    assert stands.score == 20 + 10
    assert stands.level is not None and (stands.level.colour, stands.level.word) == ("red", "in danger")


def test_a_busy_endpoint_weighs_more_and_hides_nothing() -> None:
    busy = a_capacity(a_variant(current=1, desired=1, requests_per_day=900))
    calm = a_capacity(a_variant(requests_per_day=100))
    # half by traffic, half equally: the busy one weighs 1/2 × 9/10 + 1/2 × 1/2 = 0.7
    assert standing([busy, calm]).share_instance == pytest.approx(0.3)
    # one whose traffic is unknown has the mean of the others: thirds of 1,500
    assert standing([busy, calm, SOUND]).share_instance == pytest.approx(1 - (0.5 * 900 / 1500 + 0.5 / 3))
    idle = [a_capacity(a_variant(requests_per_day=0)), a_capacity(a_variant(current=1, desired=1, requests_per_day=0))]
    assert standing(idle).share_instance == pytest.approx(0.5)


def test_an_endpoint_that_is_down_caps_the_score() -> None:
    assert score_of(*[SOUND] * 9, DOWN) == 36.0
    assert score_of(*[SOUND] * 99, DOWN, a=(Severity.HIGH, 9, 0)) == 39.6
    assert score_of(DOWN, a=(Severity.HIGH, 9, 0)) == 0.0


def test_an_account_without_endpoints_is_judged_by_its_rules() -> None:
    report = a_report(**a_judged(a=(Severity.HIGH, 3, 1), b=(Severity.LOW, 0, 7)))
    assert posture(report).score == 60.0
    many = a_report(**a_judged(a=(Severity.HIGH, 0, 1), b=(Severity.HIGH, 5000, 0)))
    assert posture(many).score == 50.0  # many healthy jobs do not hide one
    assert score_of(a_capacity(status="Creating"), a=(Severity.HIGH, 1, 1)) == 50.0


def test_without_judgements_there_is_no_score() -> None:
    for report in (
        a_report(),
        a_report(**a_judged(a=(Severity.HIGH, 0, 0))),
        a_report(**a_judged(a=(Severity.INFO, 0, 3))),
        a_report(endpoints=[UNKNOWN, UNKNOWN], **a_judged(a=(Severity.HIGH, 9, 0))),
    ):
        stands = posture(report)
        assert (stands.score, stands.level) == (None, None)


def test_a_report_by_some_rules_reads_too_little_for_its_endpoints() -> None:
    report = a_report(endpoints=[UNKNOWN, SINGLE], **a_judged(a=(Severity.HIGH, 1, 1)))
    by_rules = report.model_copy(update={"scope": report.scope.model_copy(update={"rules": ["a"]})})
    assert (posture(by_rules).score, posture(by_rules).standing.endpoints) == (50.0, ())


# ---- what an endpoint survives


@pytest.mark.parametrize(
    ("endpoint", "down", "instance", "zone"),
    [
        (SOUND, False, "yes", "yes"),
        (ONE_ZONE, False, "yes", "no"),
        (SINGLE, False, "no", "no"),
        (DOWN, True, "no", "no"),
        (a_capacity(status="OUT_OF_SERVICE"), True, "no", "no"),
        (a_capacity(failed_components=["llm"]), True, "no", "no"),
        (a_capacity(status="Updating"), False, "yes", "yes"),
        (a_capacity(a_variant(network="managed", zones=None)), False, "yes", "yes"),
        (a_capacity(a_variant(network="unknown", zones=None)), False, "yes", "unknown"),
        (a_capacity(a_variant(desired=None, current=None)), False, "unknown", "unknown"),
        (a_capacity(a_variant(desired=None, current=None, zones=["a"])), False, "unknown", "no"),
        (a_capacity(a_variant(zones=[])), False, "yes", "no"),
        (a_capacity(a_variant(proven={"euw1-az1": 2})), False, "yes", "no"),
        (a_capacity(a_variant(proven={"euw1-az1": 1, "euw1-az2": 1})), False, "yes", "yes"),
        (a_capacity(a_variant(current=1)), False, "yes", "yes"),  # its second instance is on the way
        # the weakest variant that takes traffic decides
        (a_capacity(a_variant(), a_variant(desired=1)), False, "no", "no"),
        (a_capacity(a_variant(), a_variant(desired=1, weight=0.0)), False, "yes", "yes"),
        (a_capacity(a_variant(), a_variant(desired=1, mode="shadow")), False, "yes", "yes"),
        # serverless runs on no instance; a queue waits while an instance is replaced
        (a_capacity(a_variant(mode="serverless", desired=None, current=None)), False, "yes", "yes"),
        (a_capacity(a_variant(mode="serverless", desired=None, current=None, zones=["a"])), False, "yes", "no"),
        (a_capacity(a_variant(mode="asynchronous", desired=1)), False, "yes", "yes"),
        (a_capacity(a_variant(mode="asynchronous", desired=1, zones=["a"])), False, "yes", "no"),
        # components: instances and copies
        (a_capacity(a_variant(mode="components", copies=2)), False, "yes", "yes"),
        (a_capacity(a_variant(mode="components", copies=1)), False, "no", "no"),
        (a_capacity(a_variant(mode="components", copies=0)), False, "yes", "yes"),
        (a_capacity(a_variant(mode="components", copies=None)), False, "unknown", "unknown"),
        (a_capacity(a_variant(mode="components", desired=0, copies=0)), False, "yes", "yes"),
        (a_capacity(a_variant(instance_types=[])), False, "unknown", "unknown"),  # its config was not read
    ],
)
def test_what_an_endpoint_survives(endpoint: EndpointCapacity, down: bool, instance: str, zone: str) -> None:
    answer = survival(endpoint)
    assert (answer.down, answer.instance, answer.zone) == (down, instance, zone)
    assert bool(answer.reason) is not answer.sound


# ---- accounts, as a person would order them


ACCOUNTS: list[tuple[str, list[EndpointCapacity], int]] = [
    ("everything survives", [SOUND] * 10, 0),
    ("everything survives, and some is untidy", [SOUND] * 10, 30),
    ("one of ten in one zone", [*[SOUND] * 9, ONE_ZONE], 30),
    ("one of ten on one instance", [*[SOUND] * 9, SINGLE], 30),
    ("three of ten on one instance", [*[SOUND] * 7, *[SINGLE] * 3], 40),
    ("all in one zone", [ONE_ZONE] * 10, 40),
    ("seven of ten on one instance", [*[SOUND] * 3, *[SINGLE] * 7], 50),
    ("one of ten down, the others sound", [*[SOUND] * 9, DOWN], 30),
    ("all on one instance", [SINGLE] * 10, 50),
    ("half down, the others sound", [*[SOUND] * 5, *[DOWN] * 5], 50),
    ("half down, the others on one instance", [*[SINGLE] * 5, *[DOWN] * 5], 100),
    ("everything down", [DOWN] * 10, 100),
]


def test_accounts_stand_in_the_order_in_which_a_person_would_put_them() -> None:
    scores = [
        (name, score_of(*endpoints, a=(Severity.MEDIUM, 100 - failing, failing)) or 0)
        for name, endpoints, failing in ACCOUNTS
    ]
    assert scores == sorted(scores, key=lambda entry: -entry[1])
    assert scores[0][1] == 100 and scores[-1][1] == 0
    colours = {name: level(score).colour for name, score in scores}
    assert [name for name, colour in colours.items() if colour == "green"] == [name for name, _, _ in ACCOUNTS[:4]]
    assert [name for name, colour in colours.items() if colour == "amber"] == [name for name, _, _ in ACCOUNTS[4:6]]


def test_each_level_has_its_least_score() -> None:
    assert [level(score).word for score in (100.0, 80.0, 79.9, 50.0, 49.9, 0.0)] == [
        "sound",
        "sound",
        "at risk",
        "at risk",
        "in danger",
        "in danger",
    ]
    assert [entry.least for entry in LEVELS] == sorted((entry.least for entry in LEVELS), reverse=True)


# ---- what may not move it, and which way it moves


def test_exempt_findings_count_as_they_stand_and_are_told() -> None:
    exempt = a_finding(1, rule="a", status="exempt", exemption=Exemption(reason="on purpose"))
    judged = {"endpoints": [SINGLE], **a_judged(a=(Severity.HIGH, 1, 2))}
    stands = posture(a_report(exempt, a_finding(2, rule="a"), **judged))
    assert stands.score == posture(a_report(a_finding(1, rule="a"), a_finding(2, rule="a"), **judged)).score
    assert (stands.total, stands.exempt) == (1, 1)
    assert posture(a_report(**judged), exempt=7).exempt == 7


RULES = st.lists(
    st.tuples(st.sampled_from(list(Severity)), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=5
)
PLACES = st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 1000))), min_size=1, max_size=6)


def judged(places: list[tuple[int, int | None]], rules: list[tuple[Severity, int, int, int]]) -> float | None:
    """The score of endpoints by their rung of the ladder and their requests, and of rules by what they said."""
    endpoints = [
        LADDER[rung].model_copy(
            update={"variants": [LADDER[rung].variants[0].model_copy(update={"requests_per_day": requests})]}
        )
        for rung, requests in places
    ]
    return posture(
        a_report(
            endpoints=endpoints,
            rules={f"r{at}": RuleCounts(passed=row[1], fail=row[2], unknown=row[3]) for at, row in enumerate(rules)},
            catalogue={f"r{at}": RuleInForce(severity=row[0], topic="t") for at, row in enumerate(rules)},
        )
    ).score


@given(PLACES, RULES)
def test_the_score_never_falls_when_a_finding_passes_or_an_endpoint_gets_better(
    places: list[tuple[int, int | None]], rules: list[tuple[Severity, int, int, int]]
) -> None:
    before = judged(places, rules)
    assert before is not None and 0 <= before <= 100
    for at, (rung, requests) in enumerate(places):
        if rung < 3:
            better = judged([*places[:at], (rung + 1, requests), *places[at + 1 :]], rules)
            assert better is not None and better >= before
    for at, (severity, passes, fails, unknown) in enumerate(rules):
        if fails:
            better = judged(places, [*rules[:at], (severity, passes + 1, fails - 1, unknown), *rules[at + 1 :]])
            assert better is not None and better >= before


#: What of a variant may not be known.
UNREAD: list[dict[str, Any]] = [
    {"network": "unknown", "zones": None},
    {"desired": None, "current": None},
    {"instance_types": []},
]


@given(PLACES, RULES)
def test_the_score_never_rises_when_something_becomes_unknown(
    places: list[tuple[int, int | None]], rules: list[tuple[Severity, int, int, int]]
) -> None:
    before = judged(places, rules)
    assert before is not None
    for at, (severity, passes, fails, unknown) in enumerate(rules):
        for less in ((passes - 1, fails), (passes, fails - 1)):
            if min(less) >= 0:
                hidden = judged(places, [*rules[:at], (severity, *less, unknown + 1), *rules[at + 1 :]])
                assert hidden is not None and hidden <= before
    for at, (rung, _) in enumerate(places):
        if rung == 0:
            continue  # that it is down was read
        endpoints = [LADDER[of] for of, _ in places]
        known = posture(a_report(endpoints=endpoints)).score
        variant = LADDER[rung].variants[0]
        for unread in UNREAD:
            endpoints[at] = a_capacity(variant.model_copy(update=unread))
            hidden = posture(a_report(endpoints=endpoints)).score
            assert hidden is None or (known is not None and hidden <= known)


# ---- counts and topics


def test_open_findings_are_counted_by_their_own_severity() -> None:
    report = a_report(
        a_finding(1, rule="a", severity=Severity.LOW),
        a_finding(2, rule="b", severity=Severity.CRITICAL),
        **a_judged(a=(Severity.HIGH, 1, 1), b=(Severity.HIGH, 1, 1), c=(Severity.HIGH, 1, 0)),
    )
    stands = posture(report)
    assert stands.open == {"critical": 1, "high": 0, "medium": 0, "low": 1, "info": 0}
    assert [(topic.name, topic.open, topic.worst, topic.score) for topic in stands.topics] == [
        ("b", 1, Severity.CRITICAL, 50.0),
        ("a", 1, Severity.LOW, 50.0),
        ("c", 0, None, 100.0),
    ]


def test_counts_of_a_sweep_take_the_place_of_those_of_the_findings() -> None:
    report = a_report(a_finding(1, rule="a"), **a_judged(a=(Severity.HIGH, 1, 9)))
    stands = posture(report, {"a": {Severity.HIGH: 7, Severity.LOW: 2}})
    assert (stands.total, stands.topics[0].open) == (9, 9)


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW])
def test_every_severity_but_info_weighs(severity: Severity) -> None:
    assert posture(a_report(**a_judged(a=(severity, 0, 1)))).score == 0.0
