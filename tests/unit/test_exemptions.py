"""Exemptions that somebody should look at: expired, ending soon, covering nothing."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.audit.exemptions import exempted, exemption_notes, refused_tags
from chalicelib.audit.findings import findings
from chalicelib.audit.judge import Judge
from chalicelib.policy.entries import ExemptionEntry, TagExemptions
from chalicelib.policy.exemptions import ExemptionIndex
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report.findings import ExemptionNote, Finding, Resource
from chalicelib.report.merging import merged, merged_notes, report_of
from chalicelib.scope import Scope
from samples.builders import NOW, a_variant, an_inventory

SCOPE = Scope("123456789012", "eu-west-1")
RULE = "endpoint-single-instance"


def noted(expires: date | None, resource: str = "churn/*", *, all_seen: bool = True) -> tuple[list[ExemptionNote], str]:
    """The notes on one exemption, and the status of the one finding there is."""
    base = load_policy()
    entry = ExemptionEntry(rule=RULE, resource=resource, reason="a trial", owner="ml", expires=expires)
    policy = Policy(base.name, base.notify_at, base.remind_after_days, base.rules, exemptions=(entry,))
    variant = a_variant(count=1)
    judge = Judge(policy.enabled([RULE]), SCOPE)
    judge.judge(variant, an_inventory(variant))
    result = findings(judge.failing, policy, SCOPE, NOW, lambda _: {})
    assert len(result) == 1
    return exemption_notes(policy, result, SCOPE, NOW.date(), all_seen=all_seen), result[0].status


@pytest.mark.parametrize(
    ("expires", "state", "status"),
    [
        (None, "open", "exempt"),
        (date(2027, 6, 1), None, "exempt"),
        (date(2026, 12, 7), None, "exempt"),
        (date(2026, 12, 6), "expiring", "exempt"),
        (date(2026, 11, 22), "expiring", "exempt"),
        (date(2026, 11, 21), "expired", "open"),
    ],
)
def test_an_exemption_is_listed_two_weeks_before_its_end_and_after_it(
    expires: date | None, state: str | None, status: str
) -> None:
    notes, result = noted(expires)
    assert [(note.state, note.findings, note.owner) for note in notes] == ([(state, 1, "ml")] if state else [])
    assert result == status


def test_an_exemption_that_covers_nothing_is_listed_only_when_everything_was_seen() -> None:
    notes, status = noted(date(2027, 6, 1), "other/*")
    assert [(note.state, note.findings) for note in notes] == [("unmatched", 0)]
    assert status == "open"
    assert noted(date(2027, 6, 1), "other/*", all_seen=False)[0] == []


def test_an_open_finding_says_that_its_exemption_has_expired() -> None:
    base = load_policy()
    entry = ExemptionEntry(rule=RULE, resource="*", reason="a trial", expires=date(2026, 11, 1))
    policy = Policy(base.name, base.notify_at, base.remind_after_days, base.rules, exemptions=(entry,))
    variant = a_variant(count=1)
    judge = Judge(policy.enabled([RULE]), SCOPE)
    judge.judge(variant, an_inventory(variant))
    (finding,) = findings(judge.failing, policy, SCOPE, NOW, lambda _: {})
    assert finding.exemption is not None
    assert (finding.status, finding.exemption.expires) == ("open", date(2026, 11, 1))


def test_an_exemption_in_one_region_is_not_unmatched_for_another() -> None:
    matched, _ = noted(date(2026, 12, 1))
    unmatched, _ = noted(date(2026, 12, 1), "other/*")

    class Region:
        def __init__(self, notes: list[ExemptionNote]) -> None:
            self.exemptions, self.accounts, self.regions = notes, [SCOPE.account], [SCOPE.region]

    def together(*regions: list[ExemptionNote]) -> list[str]:
        return [note.state for note in merged_notes([Region(notes) for notes in regions])]  # type: ignore[misc]

    same = [note.model_copy(update={"resource": "churn/*"}) for note in unmatched]
    assert together(matched, same) == ["expiring"]
    assert together(same, same) == ["unmatched"]
    assert together(same, []) == []


def a_policy(*entries: ExemptionEntry, **more: Any) -> Policy:
    base = load_policy()
    return Policy(base.name, base.notify_at, base.remind_after_days, base.rules, exemptions=entries, **more)


def an_entry(resource: str, rule: str = RULE, **more: Any) -> ExemptionEntry:
    details = {"reason": "r", "owner": "ml", "expires": date(2027, 6, 1), **more}
    return ExemptionEntry(rule=rule, resource=resource, **details)


def found_under(policy: Policy, tags: Mapping[str, str] | None = None) -> Finding:
    variant = a_variant(count=1)
    judge = Judge(policy.enabled([RULE]), SCOPE)
    judge.judge(variant, an_inventory(variant))
    (finding,) = findings(judge.failing, policy, SCOPE, NOW, lambda _: tags or {})
    return finding


def test_one_in_force_goes_before_one_that_has_expired_whatever_their_order() -> None:
    over, current = an_entry("churn/*", expires=date(2026, 1, 1)), an_entry("churn/*", reason="still")
    for entries in ((over, current), (current, over)):
        finding = found_under(a_policy(*entries))
        assert finding.exemption is not None
        assert (finding.status, finding.exemption.reason) == ("exempt", "still")


def test_one_without_owner_or_end_is_listed_first() -> None:
    policy = a_policy(an_entry("churn/*", expires=date(2026, 12, 1)), an_entry("nothing", owner=None), an_entry("q"))
    notes = exemption_notes(policy, [found_under(policy)], SCOPE, NOW.date(), all_seen=True)
    assert [(note.resource, note.state) for note in notes] == [
        ("nothing", "open"),
        ("churn/*", "expiring"),
        ("q", "unmatched"),
    ]
    assert notes[0].words == "ends on 2027-06-01, and nobody owns it"


@pytest.mark.parametrize(
    ("resource", "listed"),
    [
        ("arn:aws:sagemaker:*:123456789012:endpoint/none", True),
        ("arn:aws:sagemaker:eu-*:*:endpoint/none", True),
        ("arn:aws:sagemaker:*:999999999999:endpoint/none", False),
        ("arn:aws:sagemaker:us-east-1:*:endpoint/none", False),
        ("none", True),
    ],
)
def test_e9_an_exemption_for_another_account_or_region_is_none_of_this_ones_business(
    resource: str, *, listed: bool
) -> None:
    notes = exemption_notes(a_policy(an_entry(resource)), [], SCOPE, NOW.date(), all_seen=True)
    assert [note.state for note in notes] == (["unmatched"] if listed else [])


@pytest.mark.parametrize(("undecided", "listed"), [([], True), (["endpoint-idle"], True), (["RULE"], False)])
def test_e7_an_exemption_is_unmatched_unless_its_own_rule_stayed_undecided(
    undecided: list[str], *, listed: bool
) -> None:
    entry = an_entry("none")
    rules = [entry.rule if rule == "RULE" else rule for rule in undecided]
    notes = exemption_notes(a_policy(entry), [], SCOPE, NOW.date(), all_seen=True, undecided=rules)
    assert [note.state for note in notes] == (["unmatched"] if listed else [])


def test_e9_an_exemption_that_covers_nothing_in_its_own_account_is_told_for_all_of_them() -> None:
    policy = a_policy(an_entry("arn:aws:sagemaker:*:123456789012:endpoint/none"))
    reports = []
    for account in ("123456789012", "999999999999"):
        notes = exemption_notes(policy, [], Scope(account, "eu-west-1"), NOW.date(), all_seen=True)
        reports.append(
            report_of(account, "eu-west-1", trigger="cli", policy=policy.used, started=NOW, exemptions=notes)
        )
    assert [(note.state, note.findings) for note in merged(reports).exemptions] == [("unmatched", 0)]


TAGGED = {"auditor:exempt": RULE, "owner": "team-churn"}


@pytest.mark.parametrize(
    ("until", "switches", "status", "note"),
    [
        ("2026-12-20", {}, "exempt", ("in-force", 1)),
        ("2026-12-01", {}, "exempt", ("expiring", 1)),
        ("2026-11-21", {}, "open", ("expired", 1)),
        ("2099-01-01", {}, "open", ("refused", 1)),
        ("2027-02-20", {}, "exempt", ("in-force", 1)),
        ("2027-02-21", {}, "open", ("refused", 1)),
        ("2026-12-20", {"tag_exemptions": TagExemptions(max_days=7)}, "open", ("refused", 1)),
        ("2026-12-20", {"tag_exemptions": TagExemptions(enabled=False)}, "open", ("refused", 1)),
        ("soon", {}, "open", ("refused", 1)),
        ("", {}, "open", ("refused", 1)),
        ("", {"allow_open_exemptions": True}, "exempt", ("open", 1)),
    ],
)
def test_e8_exemptions_by_tag_have_an_end_and_are_always_listed(
    until: str, switches: dict[str, Any], status: str, note: tuple[str, int]
) -> None:
    policy, tags = a_policy(**switches), {**TAGGED, "auditor:exempt-until": until}
    finding = found_under(policy, tags)
    assert finding.status == status
    notes = [
        *exemption_notes(policy, [finding], SCOPE, NOW.date(), all_seen=True),
        *refused_tags([(RULE, finding.resource, tags)], policy, NOW.date()),
    ]
    assert [(each.state, each.findings) for each in notes] == [note]
    assert (notes[0].source, notes[0].owner, notes[0].resource) == ("tag", "team-churn", finding.resource.arn)


# ---- thousands of them


@pytest.mark.parametrize("shape", ["svc-{}/*", "arn:aws:sagemaker:*:*:endpoint/svc-{}-*", "svc-{}/A", "*[sS]vc-{}/?"])
def test_of_thousands_of_exemptions_a_handful_is_compared_with_a_resource(shape: str) -> None:
    index = ExemptionIndex([an_entry(shape.format(f"{number:04}"), rule="*") for number in range(2_000)])
    for number in range(0, 2_000, 50):
        name = f"svc-{number:04}/A"
        arn = f"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/svc-{number:04}-x"
        assert index.covering("endpoint-idle", arn, name) == [number]
        assert len(index.candidates(arn, name)) <= 300


GLOBS = st.lists(
    st.sampled_from(["a", "b", "ab", "abc", "*", "?", "[ab]", "[!a]", "[", "]", "!", "arn:", "-"]), min_size=1
)


@given(globs=st.lists(GLOBS.map("".join), max_size=6), arn=GLOBS.map("".join), name=GLOBS.map("".join))
def test_the_index_finds_what_each_exemption_by_itself_covers(globs: list[str], arn: str, name: str) -> None:
    entries = [an_entry(glob) for glob in globs]
    expected = [place for place, entry in enumerate(entries) if entry.covers(RULE, arn, name)]
    assert ExemptionIndex(entries).covering(RULE, arn, name) == expected


# ---- what belongs to an endpoint

TARGET_ARN = "arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/0ec5a"
POLICY_ARN = (
    "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:0c1d:resource/sagemaker/"
    "endpoint/churn/variant/AllTraffic:policyName/by-load"
)
COMPONENT_ARN = "arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/1fd6b"
ENDPOINTS = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint"
OF_CHURN = [
    Resource(kind="endpoint", arn=f"{ENDPOINTS}/churn", name="churn"),
    Resource(kind="endpoint-variant", arn=f"{ENDPOINTS}/churn", name="churn/AllTraffic"),
    Resource(kind="scalable-target", arn=TARGET_ARN, name="churn/AllTraffic"),
    Resource(kind="scaling-policy", arn=POLICY_ARN, name="churn/AllTraffic/by-load"),
]
OF_OTHERS = [
    Resource(kind="endpoint", arn=f"{ENDPOINTS}/churn-2", name="churn-2"),
    Resource(kind="scalable-target", arn=TARGET_ARN, name="churn-2/AllTraffic"),
    Resource(kind="scalable-target", arn=COMPONENT_ARN, name="churn"),  # an inference component of that name
]


def is_exempt(resource: Resource, pattern: str) -> bool:
    base = load_policy()
    entry = ExemptionEntry(rule="*", resource=pattern, reason="a trial", owner="ml", expires=date(2027, 1, 31))
    policy = Policy(base.name, base.notify_at, base.remind_after_days, base.rules, exemptions=(entry,))
    return exempted(RULE, resource, SCOPE, policy, {}, NOW.date()) is not None


@pytest.mark.parametrize("pattern", [f"{ENDPOINTS}/churn", "arn:aws:sagemaker:*:*:endpoint/chur[n]"])
def test_an_exemption_of_an_endpoint_covers_what_belongs_to_it_and_nothing_else(pattern: str) -> None:
    assert [is_exempt(resource, pattern) for resource in OF_CHURN] == [True] * len(OF_CHURN)
    assert [is_exempt(resource, pattern) for resource in OF_OTHERS] == [False] * len(OF_OTHERS)


def test_a_component_has_its_own_exemptions() -> None:
    component = "arn:aws:sagemaker:eu-west-1:123456789012:inference-component/churn"
    assert [is_exempt(resource, component) for resource in OF_OTHERS] == [False, False, True]


def test_an_exemption_of_a_target_covers_the_target_alone() -> None:
    assert [is_exempt(resource, TARGET_ARN) for resource in OF_CHURN] == [False, False, True, False]


def test_an_exemption_that_is_found_by_both_arns_is_found_once() -> None:
    index = ExemptionIndex([an_entry("arn:aws:*churn*", rule="*")])
    assert index.covering(RULE, POLICY_ARN, "churn/AllTraffic/by-load", f"{ENDPOINTS}/churn") == [0]
