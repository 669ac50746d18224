"""Rules × resources → outcomes → findings: counting, merging double findings, severity, exemptions and words."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from chalicelib.findings import (
    Exemption,
    Finding,
    Fix,
    Outcome,
    Resource,
    RuleCounts,
    Verdict,
    finding_id,
    unknown,
)
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.models import Fact, Unread, Variant
from chalicelib.inventory.scaling import ScalableTarget, ScalingPolicy
from chalicelib.policy import Policy, RuleSetting
from chalicelib.rules import RULES, Rule
from chalicelib.scope import ARN_PREFIXES, ResourceRef, Scope
from chalicelib.texts import finding_text

log = logging.getLogger(__name__)

EXEMPT_TAG, EXEMPT_UNTIL_TAG, EXEMPT_REASON_TAG = "auditor:exempt", "auditor:exempt-until", "auditor:exempt-reason"

_CONSOLES = {
    "aws": "https://{region}.console.aws.amazon.com",
    "aws-cn": "https://{region}.console.amazonaws.cn",
    "aws-us-gov": "https://{region}.console.amazonaws-us-gov.com",
}
_PAGES = {
    "endpoint": "sagemaker/home?region={region}#/endpoints/{name}",
    "endpoint-config": "sagemaker/home?region={region}#/endpointConfig/{name}",
    "model": "sagemaker/home?region={region}#/models/{name}",
    "training-job": "sagemaker/home?region={region}#/jobs/{name}",
    "tuning-job": "sagemaker/home?region={region}#/hyper-tuning-jobs/{name}",
    "transform-job": "sagemaker/home?region={region}#/transform-jobs/{name}",
    "notebook-instance": "sagemaker/home?region={region}#/notebook-instances/{name}",
    "vpc": "vpcconsole/home?region={region}#VpcDetails:VpcId={name}",
}


@dataclass(frozen=True, slots=True)
class Failing:
    """A failing outcome before it is put into words. ``merged`` holds the evidence of the findings it took in."""

    rule: Rule
    subject: Fact
    outcome: Outcome
    merged: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def resource_of(subject: Any, scope: Scope) -> Resource:
    """Kind, ARN, name and part of a resource, as the contract's table says."""
    part = ""
    if isinstance(subject, Variant):
        name, part = f"{subject.endpoint_name}/{subject.name}", subject.name
        arn = subject.arn or scope.arn(ResourceRef("endpoint", subject.endpoint_name))
    elif isinstance(subject, ScalableTarget):
        name, arn, part = subject.name, subject.arn, subject.resource_id
    else:
        name = subject.name
        arn = subject.arn or (scope.arn(ResourceRef(subject.kind, name)) if subject.kind in ARN_PREFIXES else "")
    return Resource(kind=subject.kind, arn=arn, name=name, part=part, console_url=_console_url(subject, name, scope))


def _console_url(subject: Any, name: str, scope: Scope) -> str | None:
    kind = subject.kind
    if isinstance(subject, Variant | ScalableTarget | ScalingPolicy) and "/" in name:
        kind, name = "endpoint", name.split("/")[0]
    host, page = _CONSOLES.get(scope.partition), _PAGES.get(kind)
    if host is None or page is None:
        return None
    return f"{host}/{page}".format(region=scope.region, name=name)


@dataclass
class Judge:
    """Judges resources one after the other by the enabled rules of a policy, and keeps what failed."""

    rules: Mapping[str, RuleSetting]
    scope: Scope
    counts: dict[str, Counter[Verdict]] = field(default_factory=dict)
    resources: Counter[str] = field(default_factory=Counter)
    failing: list[Failing] = field(default_factory=list)
    unread: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_kind: dict[str, list[tuple[Rule, RuleSetting]]] = {}
        for id, setting in self.rules.items():
            self.counts[id] = Counter()
            for kind in RULES[id].kinds:
                self._by_kind.setdefault(kind, []).append((RULES[id], setting))

    def judge(self, subject: Fact, estate: Inventory) -> None:
        """Judges one resource by every rule of its kind."""
        self.resources[subject.kind] += 1
        for rule, setting in self._by_kind.get(subject.kind, ()):
            outcome = self.outcome(rule, setting, subject, estate)
            self.counts[rule.id][outcome.verdict] += 1
            if outcome.verdict is Verdict.FAIL:
                self.failing.append(Failing(rule, subject, outcome))

    def outcome(self, rule: Rule, setting: RuleSetting, subject: Fact, estate: Inventory) -> Outcome:
        """One rule's answer for one resource; what could not be read, and a fault of the rule itself, is unknown."""
        try:
            return rule.judge(subject, estate, setting.params)
        except Unread as unread:
            operation, reason = unread.operation, str(unread)
        except Exception as fault:  # a fault of one rule must not silence the others; it is told as a blind spot
            log.exception("rule %s failed on a %s", rule.id, subject.kind)
            operation, reason = f"rule:{rule.id}", f"the rule failed on a {subject.kind}: {type(fault).__name__}"
        self.unread.setdefault((operation, reason), set()).add(rule.id)
        return unknown(reason)

    def merge(self) -> None:
        """One defect, one finding: a finding that another rule's finding on the same variant tells is taken into it."""
        told = {(one.rule.id, _variant_of(one.subject)): one for one in self.failing}
        kept: dict[int, Failing] = {id(one): one for one in self.failing}
        for one in self.failing:
            host = told.get((one.rule.merges_into or "", _variant_of(one.subject)))
            if host is None:
                continue
            self.counts[one.rule.id][Verdict.FAIL] -= 1
            self.counts[one.rule.id][Verdict.NOT_APPLICABLE] += 1
            del kept[id(one)]
            current = kept[id(host)]
            merged = {**current.merged, one.rule.id: one.outcome.evidence}
            kept[id(host)] = Failing(host.rule, host.subject, host.outcome, merged)
        self.failing = list(kept.values())

    def rule_counts(self) -> dict[str, RuleCounts]:
        """How often each rule gave each outcome."""
        return {
            id: RuleCounts(**{verdict.value: number for verdict, number in counts.items()})
            for id, counts in sorted(self.counts.items())
        }


def _variant_of(subject: Fact) -> str:
    """The resource id of the variant that a finding is about, or a text that equals no other's."""
    if isinstance(subject, Variant | ScalableTarget):
        return subject.resource_id
    return f"#{id(subject)}"


def tagged_arn(failing: Failing, scope: Scope) -> str:
    """The ARN under which the tags of a failing resource are kept: a target's and a variant's are their endpoint's."""
    subject = failing.subject
    if isinstance(subject, ScalableTarget | ScalingPolicy):
        kind, name = subject.resource_id.split("/")[:2]
        return scope.arn(ResourceRef(kind, name)) if kind in ARN_PREFIXES else ""
    arn = resource_of(subject, scope).arn
    return arn if ":sagemaker:" in arn else ""


def findings(
    failing: list[Failing], policy: Policy, scope: Scope, now: datetime, tags_of: Callable[[Failing], Mapping[str, str]]
) -> list[Finding]:
    """The failing outcomes in words, with severity, owner and exemption, worst first."""
    found = [_finding(one, policy, scope, now, tags_of(one)) for one in failing]
    return sorted(found, key=lambda one: (-one.severity.rank, one.rule, one.resource.name, one.id))


def _finding(one: Failing, policy: Policy, scope: Scope, now: datetime, tags: Mapping[str, str]) -> Finding:
    resource = resource_of(one.subject, scope)
    severity = policy.severity(one.rule.id, one.outcome.severity, tags)
    evidence = dict(one.outcome.evidence)
    context = {
        **evidence,
        "resource": resource,
        "subject": one.subject,
        "account": scope.account,
        "region": scope.region,
        "partition": scope.partition,
        "severity": severity.value,
        "merged": one.merged,
    }
    text = finding_text(one.rule.id, context)
    exemption = exempted(one.rule.id, resource, policy, tags, now.date())
    return Finding(
        id=finding_id(one.rule.id, resource.arn, resource.part),
        rule=one.rule.id,
        topic=one.rule.topic,
        title=text.title,
        severity=severity,
        confidence=one.outcome.confidence,
        status="exempt" if exemption else "open",
        account=scope.account,
        region=scope.region,
        resource=resource,
        summary=text.summary,
        why=text.why,
        fix=Fix(text=text.fix, commands=text.commands),
        evidence={**evidence, **({"merged": {k: dict(v) for k, v in one.merged.items()}} if one.merged else {})},
        references=text.references,
        owner=next((value for key, value in tags.items() if key.lower() == "owner"), None),
        exemption=exemption,
        first_seen=now,
        last_seen=now,
    )


def exempted(rule: str, resource: Resource, policy: Policy, tags: Mapping[str, str], today: date) -> Exemption | None:
    """The exemption in force for a finding, from the policy file or from the resource's own tags, or None."""
    for entry in policy.exemptions:
        if entry.covers(rule, resource.arn, resource.name) and not entry.expired(today):
            return Exemption(reason=entry.reason, owner=entry.owner, expires=entry.expires, source="policy")
    listed = tags.get(EXEMPT_TAG, "").replace(",", " ").split()
    if rule not in listed and "*" not in listed:
        return None
    until: date | None = None
    if EXEMPT_UNTIL_TAG in tags:
        try:
            until = date.fromisoformat(tags[EXEMPT_UNTIL_TAG].strip())
        except ValueError:
            return None  # a date that cannot be read exempts nothing: silence would be the worse mistake
    if until is not None and today > until:
        return None
    reason = tags.get(EXEMPT_REASON_TAG) or f"exempt by the tag {EXEMPT_TAG}"
    return Exemption(reason=reason, expires=until, source="tag")
