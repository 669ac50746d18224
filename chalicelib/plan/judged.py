"""A template judged by the rules that judge an account, and reported like one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.audit.exemptions import exemption_notes
from chalicelib.audit.findings import Failing, findings, resource_of, tagged_arn
from chalicelib.audit.judge import Judge, Obstacle
from chalicelib.inventory.facts import Fact
from chalicelib.kinds import DESCRIBED
from chalicelib.plan.bounds import InWords
from chalicelib.plan.estate import Builder
from chalicelib.plan.unknown import DEPLOYMENT, LATER, VALUES, Place, Template, spoken
from chalicelib.policy.policy import Policy
from chalicelib.report.cause import Cause
from chalicelib.report.findings import BlindSpot, Declaration, Finding, Report, ScopeAudited
from chalicelib.report.merging import report_of
from chalicelib.report.order import ordered
from chalicelib.report.outcomes import Outcome, Verdict
from chalicelib.report.shown import Shown
from chalicelib.rules import Rule
from chalicelib.scope import Scope
from chalicelib.templating import SNIPPETS, Language

#: Stands for the account, which a template does not tell.
ACCOUNT = "000000000000"
_OURS = ("AWS::SageMaker::", "AWS::ApplicationAutoScaling::")
_MOST_SPOTS = 20
#: The kinds of resources that no template declares.
_NEVER_DECLARED = {row.name for row in DESCRIBED if row.passing}


@dataclass
class _Verdicts:
    """Counts the outcomes that are unknown by their reason."""

    unknown: Counter[str] = field(default_factory=Counter)
    verdicts: dict[tuple[str, str, str], Outcome] = field(default_factory=dict)

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        self.verdicts[rule.id, subject.kind, _name(subject)] = outcome
        if outcome.verdict is Verdict.UNKNOWN:
            self.unknown[outcome.reason] += 1


def _name(subject: Any) -> str:
    known = [subject.known(key) for key in ("endpoint_name", "resource_id", "name", "id", "policy_name")]
    return "/".join(str(part) for part in known if part is not None)


class Judged(Struct, frozen=True):
    """The report, and what was odd.

    ``outcomes`` are by rule, kind and name of the resource; ``empty`` names the files without anything to judge.
    """

    report: Report
    outcomes: Mapping[tuple[str, str, str], Outcome]
    empty: Sequence[str]
    unknown: int


def judged(templates: Sequence[Template], policy: Policy, scope: Scope, now: datetime) -> Judged:
    """The report on these templates, each judged by itself. Reads nothing but them."""
    tally = _Verdicts()
    judge = Judge(policy.enabled(scope.rules), scope, witnesses=[tally])
    reported: list[Finding] = []
    for template in templates:
        builder = Builder(template, scope, now)
        estate = builder.inventory()
        for subject in estate.subjects:
            judge.judge(subject, estate)
        for reason in template.more.values():
            judge.unread.setdefault(Obstacle(VALUES, reason, Cause.NOT_TOLD), set()).update(_declarable(judge))
        judge.merge()
        tags = {tagged_arn(spoken(fact), scope): fact.known("tags") or {} for fact in estate.endpoints.values()}
        failing = [_spoken(failed) for failed in judge.failing]
        judge.failing = []
        for language in SNIPPETS:
            mine = findings(
                [failed for failed in failing if _language(failed, template, builder, scope) == language],
                policy,
                scope,
                now,
                lambda failed, tags=tags: _tags(failed, tags, scope),  # type: ignore[misc]
                planned_in=language,
            )
            # A file that goes with several others was judged with each of them.
            known = {(finding.id, finding.resource.declared) for finding in reported}
            planned = [_planned(finding, builder.places) for finding in mine]
            reported += [finding for finding in planned if (finding.id, finding.resource.declared) not in known]
    reported = ordered(reported)
    spots = _spots(judge, tally, scope)
    report = report_of(
        scope.account,
        scope.region,
        trigger="cli",
        scope=ScopeAudited(accounts=[scope.account], regions=[scope.region], rules=sorted(scope.rules)),
        started=now,
        policy=policy.used,
        resources=judge.resources,
        rules=judge.rule_counts(),
        findings=reported,
        shown=_shown(policy, scope, len(reported)),
        blind_spots=spots,
        exemptions=exemption_notes(policy, reported, scope, now.date(), all_seen=False),
        catalogue={id: setting.in_force for id, setting in judge.rules.items()},
        complete=all(spot.operation == DEPLOYMENT for spot in spots),
    )
    full = {item.source for template in templates for item in template.resources if item.type.startswith(_OURS)}
    full |= {source for template in templates for source in template.more}
    sources = dict.fromkeys(source for template in templates for source in template.sources)
    empty = [source for source in sources if source not in full]
    return Judged(report, tally.verdicts, empty, sum(tally.unknown.values()))


def _shown(policy: Policy, scope: Scope, listed: int) -> Shown | None:
    """How the report is narrowed, where only some rules judged."""
    if not scope.rules:
        return None
    left_out = len(policy.enabled().keys() - scope.rules)
    return Shown(rules=sorted(scope.rules), findings=listed, rules_left_out=left_out)


def _spoken(failing: Failing) -> Failing:
    """A failing outcome without anything that raises when it is put into words."""
    outcome = replace(failing.outcome, evidence=spoken(failing.outcome.evidence))
    return Failing(failing.rule, spoken(failing.subject), outcome, spoken(failing.merged))


def _tags(failing: Failing, endpoints: Mapping[str, Mapping[str, str]], scope: Scope) -> Mapping[str, str]:
    own = getattr(failing.subject, "tags", None)
    return own if own else endpoints.get(tagged_arn(failing.subject, scope), {})


def _language(failing: Failing, template: Template, builder: Builder, scope: Scope) -> Language:
    """The language of the file that declares what failed."""
    resource = resource_of(failing.subject, scope)
    place = builder.places.get((resource.kind, resource.name))
    return "terraform" if place is not None and place.file in template.plans else "cloudformation"


def _planned(finding: Finding, places: Mapping[tuple[str, str], Place]) -> Finding:
    """With the place in the template, and without a console page: there is nothing yet that it could show."""
    place = places.get((finding.resource.kind, finding.resource.name))
    declared = Declaration(file=place.file, line=place.line or None, address=place.address) if place else None
    evidence = {name: str(value) if isinstance(value, InWords) else value for name, value in finding.evidence.items()}
    resource = finding.resource.model_copy(update={"console_url": None, "declared": declared})
    return finding.model_copy(update={"evidence": evidence, "resource": resource})


def _spots(judge: Judge, tally: _Verdicts, scope: Scope) -> list[BlindSpot]:
    """One blind spot for all that no template can tell, and one for each reason that lies in the template."""
    later: set[str] = set()
    later_count = 0
    spots: list[tuple[int, BlindSpot]] = []
    for (operation, reason, *_), rules in judge.unread.items():
        number = tally.unknown[reason]
        if operation == DEPLOYMENT:
            later |= rules
            later_count += number
            continue
        text = f"{reason} ({_counted(number)})" if number else reason
        spots.append((number, _spot(scope, operation if operation.startswith("rule:") else VALUES, text, rules)))
    spots.sort(key=lambda entry: (-entry[0], entry[1].error))
    listed = [spot for _, spot in spots[:_MOST_SPOTS]]
    if rest := spots[_MOST_SPOTS:]:
        rules = {rule for _, spot in rest for rule in spot.effect}
        number = sum(number for number, _ in rest)
        listed.append(_spot(scope, VALUES, f"{len(rest)} more values are not known ({_counted(number)})", rules))
    if later:
        text = f"{_counted(later_count)} are {LATER}: metrics, activities and alarms, and all else that only runs"
        spot = _spot(scope, DEPLOYMENT, text, later)
        listed.insert(0, spot.model_copy(update={"cause": Cause.NOT_TOLD}))
    return listed


def _declarable(judge: Judge) -> set[str]:
    """The rules that judge what a template can declare: they are blind to what it brings and does not show."""
    return {id for id, setting in judge.rules.items() if not set(setting.rule.kinds) <= _NEVER_DECLARED}


def _counted(number: int) -> str:
    return f"{number} outcome" + ("" if number == 1 else "s")


def _spot(scope: Scope, operation: str, error: str, rules: set[str]) -> BlindSpot:
    return BlindSpot(account=scope.account, region=scope.region, operation=operation, error=error, effect=sorted(rules))
