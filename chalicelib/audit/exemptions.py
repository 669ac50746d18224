"""Which findings are exempt, by the policy or by the tags of a resource, and which exemptions one should look at."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import NamedTuple

from chalicelib.policy.entries import ExemptionEntry
from chalicelib.policy.policy import Policy
from chalicelib.report.findings import (
    Exemption,
    ExemptionNote,
    ExemptionState,
    Finding,
    Resource,
    finding_id,
    root_arn,
    root_of,
)
from chalicelib.scope import Scope, may_lie_in

EXEMPT_TAG, EXEMPT_UNTIL_TAG, EXEMPT_REASON_TAG = "auditor:exempt", "auditor:exempt-until", "auditor:exempt-reason"
#: An exemption that ends within this many days is listed.
EXPIRING_DAYS = 14


class Refused(NamedTuple):
    """The tags of a resource ask for an exemption that the policy does not grant, and why."""

    because: str


def exempted(
    rule: str, resource: Resource, scope: Scope, policy: Policy, tags: Mapping[str, str], today: date
) -> Exemption | None:
    """The exemption of a finding: from the policy file, the resource's own tags or an answer in Slack, or None. One in
    force goes before one that has expired."""
    root = root_of(resource, scope.account, scope.region)
    exemptions = [
        Exemption(reason=entry.reason, owner=entry.owner, expires=entry.expires, source="policy")
        for entry in (
            policy.exemptions[place] for place in policy.index.covering(rule, resource.arn, resource.name, root)
        )
    ]
    tagged = by_tags(rule, policy, tags, today)
    exemptions += [tagged] if isinstance(tagged, Exemption) else []
    answer = policy.answers.get(finding_id(rule, resource.arn, resource.part))
    exemptions += [answer] if answer is not None else []
    return next(
        (exemption for exemption in exemptions if not over(exemption.expires, today)),
        exemptions[0] if exemptions else None,
    )


def over(expires: date | None, today: date) -> bool:
    """True after the day on which an exemption ends."""
    return expires is not None and today > expires


def by_tags(rule: str, policy: Policy, tags: Mapping[str, str], today: date) -> Exemption | Refused | None:
    """The exemption that the tags of a resource ask for; None where they ask for none from this rule.

    A tag is set without a review, so that its end may lie no further ahead than the policy allows, and a date that
    cannot be read exempts nothing: silence would be the worse mistake.
    """
    listed = tags.get(EXEMPT_TAG, "").replace(",", " ").split()
    if rule not in listed and "*" not in listed:
        return None
    if not policy.tag_exemptions.enabled:
        return Refused("the policy does not let tags exempt")
    reason = tags.get(EXEMPT_REASON_TAG) or f"exempt by the tag {EXEMPT_TAG}"
    until = tags.get(EXEMPT_UNTIL_TAG, "").strip()
    if not until:
        if policy.allow_open_exemptions:
            return Exemption(reason=reason, owner=policy.owner(tags), source="tag")
        return Refused(f"it has no {EXEMPT_UNTIL_TAG}")
    try:
        expires = date.fromisoformat(until)
    except ValueError:
        return Refused(f"{EXEMPT_UNTIL_TAG} is no date such as 2027-01-31")
    latest = today + timedelta(days=policy.tag_exemptions.max_days)
    if expires > latest:
        return Refused(f"{EXEMPT_UNTIL_TAG} lies more than {policy.tag_exemptions.max_days} days ahead")
    return Exemption(reason=reason, owner=policy.owner(tags), expires=expires, source="tag")


# ---- what somebody should look at


def exemption_notes(
    policy: Policy,
    reported: Sequence[Finding],
    scope: Scope,
    today: date,
    *,
    all_seen: bool,
    undecided: Collection[str] = (),
) -> list[ExemptionNote]:
    """The exemptions of the policy that somebody should look at, those without owner or end first, and then every
    exemption by tag.

    ``all_seen``: everything was read, so that an exemption without a finding covers nothing, but for one from a rule
    that stayed ``undecided`` somewhere. One that names another account or region is none of this one's business.
    """
    covered: Counter[int] = Counter()
    for finding in reported:
        rules = (finding.rule, *finding.evidence.get("merged", ()))
        covered.update(
            {
                place
                for rule in rules
                for place in policy.index.covering(rule, finding.resource.arn, finding.resource.name, root_arn(finding))
            }
        )
    notes = []
    for place, entry in enumerate(policy.exemptions):
        state = _state(entry, covered[place], today)
        open_question = not all_seen or any(fnmatchcase(rule, entry.rule) for rule in undecided)
        if state is None or (state == "unmatched" and open_question):
            continue
        if not covered[place] and not may_lie_in(entry.resource, scope.account, scope.region):
            continue
        notes.append(ExemptionNote(**entry.model_dump(), state=state, findings=covered[place]))
    return sorted([*notes, *_notes_of_tags(reported, today)], key=lambda note: note.state != "open")


def _state(entry: ExemptionEntry, covered: int, today: date) -> ExemptionState | None:
    """What there is to say of an exemption of the policy; None where it is in order."""
    if entry.expired(today):
        return "expired" if covered else "unmatched"
    if entry.lacking:
        return "open"
    if not covered:
        return "unmatched"
    return "expiring" if _ends_soon(entry.expires, today) else None


def _ends_soon(expires: date | None, today: date) -> bool:
    return expires is not None and expires <= today + timedelta(days=EXPIRING_DAYS)


def _notes_of_tags(reported: Iterable[Finding], today: date) -> list[ExemptionNote]:
    """A note for each rule and resource that a tag or an answer exempts, or exempted until its end."""
    notes = []
    for finding in reported:
        exemption = finding.exemption
        if exemption is None or exemption.source == "policy":
            continue
        state: ExemptionState = "open" if exemption.expires is None else "in-force"
        if over(exemption.expires, today):
            state = "expired"
        elif _ends_soon(exemption.expires, today):
            state = "expiring"
        note = {"rule": finding.rule, "resource": _subject(finding.resource), "state": state, "findings": 1}
        notes.append(ExemptionNote.model_validate({**exemption.model_dump(), **note}))
    return notes


def refused_tags(
    failed: Iterable[tuple[str, Resource, Mapping[str, str]]], policy: Policy, today: date
) -> list[ExemptionNote]:
    """A note for each failure whose resource asks by its tags for an exemption that the policy does not grant.

    ``failed`` are the rule's id, the resource, and its tags.
    """
    notes = []
    for rule, resource, tags in failed:
        asked = by_tags(rule, policy, tags, today)
        if isinstance(asked, Refused):
            note = {"rule": rule, "resource": _subject(resource), "source": "tag", "state": "refused", "findings": 1}
            notes.append(ExemptionNote.model_validate({**note, "reason": asked.because, "owner": policy.owner(tags)}))
    return notes


def _subject(resource: Resource) -> str:
    return resource.arn or resource.name
