"""A template judged by the rules that judge an account, and reported like one."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from chalicelib.audit.findings import Failing, exemption_notes, findings, tagged_arn
from chalicelib.audit.judge import Judge
from chalicelib.errors import InvalidInput
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.failures import Failures
from chalicelib.plan import template, terraform
from chalicelib.plan.estate import Builder
from chalicelib.plan.unknown import DEPLOYMENT, LATER, VALUES, Template, spoken
from chalicelib.policy.policy import Policy
from chalicelib.report.findings import BlindSpot, Finding, Outcome, Report, ScopeAudited, Verdict
from chalicelib.report.merging import report_of
from chalicelib.rules import Rule
from chalicelib.scope import Scope

#: Stands for the account, which a template does not tell.
ACCOUNT = "000000000000"
_OURS = ("AWS::SageMaker::", "AWS::ApplicationAutoScaling::")
_MOST_SPOTS = 20
_ACCEPTED = "accepted are a CloudFormation template (JSON or YAML) and the JSON of `terraform show -json PLANFILE`"


def template_in(file: Path, scope: Scope, parameters: Mapping[str, str]) -> Template:
    """What a file declares. Raises InvalidInput for anything but a template or the JSON of a plan."""
    source = str(file)
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{source} cannot be read: {error.strerror}; {_ACCEPTED}", field="TEMPLATE") from None
    if raw.startswith(b"PK\x03\x04"):
        raise InvalidInput(
            f"{source} is a binary file, perhaps a saved Terraform plan; make JSON of it with "
            f"`terraform show -json {source}`",
            field="TEMPLATE",
        )
    if file.suffix == ".tf" or file.name.endswith(".tf.json"):
        raise InvalidInput(
            f"{source} is Terraform configuration; accepted is its plan: `terraform plan -out=plan.bin && "
            "terraform show -json plan.bin`",
            field="TEMPLATE",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{source} is not UTF-8 text; {_ACCEPTED}", field="TEMPLATE") from None
    data = _json(text)
    if terraform.is_plan(data):
        if parameters:
            raise InvalidInput("a Terraform plan takes no --parameter; give variables to `terraform plan`")
        return terraform.declared(source, data, scope)
    _no_other_terraform(source, text, data)
    return template.declared(template.document(source, text), scope, parameters)


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return None


def _no_other_terraform(source: str, text: str, data: Any) -> None:
    """Raises InvalidInput for what Terraform writes beside plans."""
    state = isinstance(data, dict) and (
        {"terraform_version", "values"} <= set(data) or {"lineage", "serial"} <= set(data)
    )
    if state:
        raise InvalidInput(
            f"{source} is a Terraform state; accepted is a plan: `terraform show -json PLANFILE`", field="TEMPLATE"
        )
    if text.startswith('{"@level"'):
        raise InvalidInput(
            f"{source} is the log of `terraform plan -json`; accepted is a plan: `terraform show -json PLANFILE`",
            field="TEMPLATE",
        )


@dataclass
class _Told:
    """Counts the outcomes that are unknown by their reason."""

    unknown: Counter[str] = field(default_factory=Counter)
    verdicts: dict[tuple[str, str, str], Outcome] = field(default_factory=dict)

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        self.verdicts[rule.id, subject.kind, _name(subject)] = outcome
        if outcome.verdict is Verdict.UNKNOWN:
            self.unknown[outcome.reason] += 1

    def finished(self, gaps: Failures) -> None:
        """Nothing more to count."""


def _name(subject: Any) -> str:
    known = [subject.known(key) for key in ("endpoint_name", "resource_id", "name", "id", "policy_name")]
    return "/".join(str(one) for one in known if one is not None)


@dataclass(frozen=True, slots=True)
class Judged:
    """The report, where each finding's resource stands (file and line, by the finding's id), and what was odd.

    ``outcomes`` are by rule, kind and name of the resource; ``empty`` names the files without anything to judge.
    """

    report: Report
    locations: Mapping[str, tuple[str, int]]
    outcomes: Mapping[tuple[str, str, str], Outcome]
    empty: Sequence[str]
    unknown: int


def judged(templates: Sequence[Template], policy: Policy, scope: Scope, now: datetime) -> Judged:
    """The report on these templates together, each judged by itself. Reads nothing but them."""
    told = _Told()
    judge = Judge(policy.enabled(scope.rules), scope, witness=told)
    found: list[Finding] = []
    locations: dict[str, tuple[str, int]] = {}
    for one in templates:
        builder = Builder(one, scope, now)
        estate = builder.inventory()
        for subject in estate.subjects:
            judge.judge(subject, estate)
        judge.merge()
        tags = {tagged_arn(spoken(fact), scope): fact.known("tags") or {} for fact in estate.endpoints.values()}
        failing = [_spoken(failed) for failed in judge.failing]
        judge.failing = []
        mine = findings(
            failing,
            policy,
            scope,
            now,
            lambda failed, tags=tags: _tags(failed, tags, scope),  # type: ignore[misc]
            planned_in=one.language,
        )
        found += [_planned(finding) for finding in mine]
        for finding in mine:
            line = builder.lines.get((finding.resource.kind, finding.resource.name), 0)
            if line:
                locations.setdefault(finding.id, (one.source, line))
    found.sort(key=lambda one: (-one.severity.rank, one.rule, one.resource.name, one.id))
    spots = _spots(judge, told, scope)
    report = report_of(
        scope.account,
        scope.region,
        trigger="cli",
        scope=ScopeAudited(accounts=[scope.account], regions=[scope.region], rules=sorted(scope.rules)),
        started=now,
        policy=policy.used,
        resources=judge.resources,
        rules=judge.rule_counts(),
        findings=found,
        blind_spots=spots,
        exemptions=exemption_notes(policy, found, now.date(), all_seen=False),
        catalogue={id: setting.in_force for id, setting in judge.rules.items()},
        complete=all(spot.operation == DEPLOYMENT for spot in spots),
    )
    empty = [one.source for one in templates if not any(item.type.startswith(_OURS) for item in one.resources)]
    return Judged(report, locations, told.verdicts, empty, sum(told.unknown.values()))


def _spoken(one: Failing) -> Failing:
    """A failing outcome without anything that raises when it is put into words."""
    return Failing(one.rule, spoken(one.subject), one.outcome, spoken(one.merged))


def _tags(one: Failing, endpoints: Mapping[str, Mapping[str, str]], scope: Scope) -> Mapping[str, str]:
    own = getattr(one.subject, "tags", None)
    return own if own else endpoints.get(tagged_arn(one.subject, scope), {})


def _planned(finding: Finding) -> Finding:
    """Without a console page: there is nothing yet that it could show."""
    return finding.model_copy(update={"resource": finding.resource.model_copy(update={"console_url": None})})


def _spots(judge: Judge, told: _Told, scope: Scope) -> list[BlindSpot]:
    """One blind spot for all that no template can tell, and one for each reason that lies in the template."""
    later: set[str] = set()
    later_count = 0
    spots: list[tuple[int, BlindSpot]] = []
    for (operation, reason), rules in judge.unread.items():
        number = told.unknown[reason]
        if operation == DEPLOYMENT:
            later |= rules
            later_count += number
            continue
        text = f"{reason} ({_counted(number)})"
        spots.append((number, _spot(scope, operation if operation.startswith("rule:") else VALUES, text, rules)))
    spots.sort(key=lambda one: (-one[0], one[1].error))
    listed = [spot for _, spot in spots[:_MOST_SPOTS]]
    if rest := spots[_MOST_SPOTS:]:
        rules = {rule for _, spot in rest for rule in spot.effect}
        number = sum(number for number, _ in rest)
        listed.append(_spot(scope, VALUES, f"{len(rest)} more values are not known ({_counted(number)})", rules))
    if later:
        text = f"{_counted(later_count)} are {LATER}: metrics, activities and alarms, and all else that only runs"
        listed.insert(0, _spot(scope, DEPLOYMENT, text, later))
    return listed


def _counted(number: int) -> str:
    return f"{number} outcome" + ("" if number == 1 else "s")


def _spot(scope: Scope, operation: str, error: str, rules: set[str]) -> BlindSpot:
    return BlindSpot(account=scope.account, region=scope.region, operation=operation, error=error, effect=sorted(rules))
