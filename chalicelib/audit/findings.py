"""Failing outcomes in words: severity, owner, exemptions, and where the console shows the resource."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct, field

from chalicelib.audit import jq
from chalicelib.audit.exemptions import exempted, over
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import ScalableTarget, ScalingPolicy
from chalicelib.kinds import KINDS
from chalicelib.policy.policy import Policy
from chalicelib.report import bounds
from chalicelib.report.charts import RehearsalChart
from chalicelib.report.findings import Finding, Fix, Resource, Severity, finding_id
from chalicelib.report.order import ordered
from chalicelib.report.outcomes import Outcome
from chalicelib.rules import Rule
from chalicelib.rules.registry import OwnWords
from chalicelib.rules.well_architected import best_practices
from chalicelib.scope import ResourceRef, Scope, console_of
from chalicelib.templating import FindingText, Language, finding_text, plan_text

if TYPE_CHECKING:
    from chalicelib.money.appraisal import Appraised

#: CloudFormation tags what it creates with the name of the stack.
STACK_TAG = "aws:cloudformation:stack-name"

_HOMES = {"sagemaker": "sagemaker/home", "ec2": "vpcconsole/home"}


class Failing(Struct, frozen=True):
    """A failing outcome before it is put into words. ``merged`` holds the evidence of the findings it took in."""

    rule: Rule
    subject: Fact
    outcome: Outcome
    merged: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Place(NamedTuple):
    """Where a resource stands: the name that people know it by, its ARN, and the part of what has that ARN."""

    name: str
    arn: str
    part: str = ""


def place_of(subject: Any, scope: Scope) -> Place:
    """Name, ARN and part of a resource, as the contract's table says."""
    if isinstance(subject, Variant):
        arn = subject.arn or scope.arn(ResourceRef("endpoint", subject.endpoint_name))
        return Place(f"{subject.endpoint_name}/{subject.name}", arn, subject.name)
    if isinstance(subject, ScalableTarget):
        return Place(subject.name, subject.arn, subject.resource_id)
    name = subject.name
    return Place(
        name, subject.arn or (scope.arn(ResourceRef(subject.kind, name)) if _arn_follows(subject.kind) else "")
    )


def resource_of(subject: Any, scope: Scope) -> Resource:
    """A resource as reports name it."""
    place = place_of(subject, scope)
    url = _console_url(subject, place.name, scope)
    return Resource(kind=subject.kind, arn=place.arn, name=place.name, part=place.part, console_url=url)


def _arn_follows(kind: str) -> bool:
    """True where a resource's ARN follows from its name."""
    return kind in KINDS and bool(KINDS[kind].arn) and KINDS[kind].arn_is_name


def _console_url(subject: Any, name: str, scope: Scope) -> str | None:
    kind = subject.kind
    if isinstance(subject, Variant | ScalableTarget | ScalingPolicy) and "/" in name:
        kind, name = "endpoint", name.split("/")[0]
    if isinstance(subject, InferenceComponent) and subject.endpoint_name:
        kind, name = "endpoint", subject.endpoint_name  # the console shows a component with its endpoint
    host, row = console_of(scope.partition, scope.region), KINDS[kind]
    if host is None or not row.console:
        return None
    page = row.console.format(name=name)
    return f"{host}/{_HOMES[row.service]}?region={scope.region}#{page}"


def tagged_arn(subject: Fact, scope: Scope) -> str:
    """The ARN under which the tags of a resource are kept: a target's and a variant's are their endpoint's; empty where
    SageMaker keeps none."""
    if isinstance(subject, ScalableTarget | ScalingPolicy):
        kind, name = subject.resource_id.split("/")[:2]
        return scope.arn(ResourceRef(kind, name)) if _arn_follows(kind) else ""
    arn = resource_of(subject, scope).arn
    return arn if ":sagemaker:" in arn else ""


def findings(
    failing: list[Failing],
    policy: Policy,
    scope: Scope,
    now: datetime,
    tags_of: Callable[[Failing], Mapping[str, str]],
    planned_in: Language | None = None,
    amounts: "Mapping[int, Appraised]" = MappingProxyType({}),
    charts: Mapping[int, RehearsalChart] = MappingProxyType({}),
) -> list[Finding]:
    """The failing outcomes in words, with severity, owner, exemption and chart, in the order of every report.

    ``planned_in`` is the language of the template that declares the resources, where they are not deployed;
    ``amounts`` are what they save or cost, ``charts`` those of rehearsals, by the identity of the outcome.
    """
    findings = [
        _finding(
            failed,
            policy,
            scope,
            now,
            tags_of(failed),
            planned_in,
            amounts.get(id(failed)),
            charts.get(id(failed)),
        )
        for failed in failing
    ]
    return ordered(findings)


def _finding(
    failing: Failing,
    policy: Policy,
    scope: Scope,
    now: datetime,
    tags: Mapping[str, str],
    planned_in: Language | None,
    appraised: "Appraised | None",
    chart: RehearsalChart | None,
) -> Finding:
    resource = resource_of(failing.subject, scope)
    severity = policy.severity(failing.rule.id, failing.outcome.severity, tags)
    text = _text(failing, resource, severity, scope, planned=planned_in is not None)
    exemption = exempted(failing.rule.id, resource, scope, policy, tags, now.date())
    in_force = exemption is not None and not over(exemption.expires, now.date())
    evidence = bounds.evidence(failing.outcome.evidence)
    if failing.merged:
        evidence["merged"] = {rule: bounds.evidence(facts) for rule, facts in failing.merged.items()}
    if appraised is not None:
        evidence["money"] = appraised.facts
    finding = Finding(
        id=finding_id(failing.rule.id, resource.arn, resource.part),
        rule=failing.rule.id,
        topic=failing.rule.topic,
        title=text.title,
        concern=failing.rule.concern,
        severity=severity,
        confidence=failing.outcome.confidence,
        status="exempt" if in_force else "open",
        account=scope.account,
        region=scope.region,
        resource=resource,
        summary=text.summary,
        why=text.why,
        fix=_fix(text, tags, policy) if planned_in is None else _planned_fix(text, planned_in),
        evidence=evidence,
        chart=chart,
        references=text.references,
        well_architected=best_practices(failing.rule.id),
        owner=policy.responsible(tags),
        saving=appraised.saving if appraised is not None else None,
        cost_usd=appraised.cost_usd if appraised is not None else None,
        exemption=exemption,
        first_seen=now,
        last_seen=now,
    )
    return bounds.narrowed(finding)


def _text(failing: Failing, resource: Resource, severity: Severity, scope: Scope, *, planned: bool) -> FindingText:
    """The words of a finding. Commands go as far along a list as they fit, and the fix says how far that is."""
    if failing.rule.words:
        return _own_words(failing.rule.words, resource)
    facts, common = dict(failing.outcome.evidence), common_context(failing, resource, severity, scope)
    if planned:
        return plan_text(failing.rule.id, facts | common)
    for entries in bounds.NAMED:
        named, shortened = bounds.first_entries(facts, entries)
        text = finding_text(failing.rule.id, facts | common, named | common)
        if sum(map(len, text.commands)) <= bounds.COMMANDS:
            break
    if not shortened or not text.commands:
        return text
    return text._replace(fix=f"{text.fix} The commands name {' and '.join(shortened)}; the others need the same.")


def _planned_fix(text: FindingText, language: Language) -> Fix:
    return Fix(text=text.fix, snippets={key: value for key, value in text.snippets.items() if key == language})


def _fix(text: FindingText, tags: Mapping[str, str], policy: Policy) -> Fix:
    """The fix of a deployed resource. Where a template manages it, commands alone would last until its next deployment,
    so that the template comes first."""
    manager = f"CloudFormation stack {tags[STACK_TAG]}" if STACK_TAG in tags else None
    if manager is None and policy.managed_by_terraform(tags):
        manager = "Terraform"
    if manager is None:
        return Fix(text=text.fix, commands=text.commands)
    also = ". " if not text.commands else ": what the commands change lasts until the next deployment only. "
    return Fix(
        text=f"Managed by {manager}: change it there{also}{text.fix}",
        commands=text.commands,
        snippets=dict(text.snippets),
    )


def common_context(failing: Failing, resource: Resource, severity: Severity, scope: Scope) -> dict[str, Any]:
    """What every template may read, whatever the evidence of its rule."""
    return {
        "resource": resource,
        "subject": failing.subject.spoken(),
        "account": scope.account,
        "region": scope.region,
        "partition": scope.partition,
        "severity": severity.value,
        "merged": failing.merged,
        "jq": jq,
    }


def _own_words(words: OwnWords, resource: Resource) -> FindingText:
    return FindingText(
        title=words.title,
        summary=f"{resource.name}: {words.title}.",
        why=words.why,
        fix=words.fix,
        commands=[],
        references=list(words.references),
    )
