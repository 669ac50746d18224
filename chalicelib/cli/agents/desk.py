"""What each tool does: an audit, its findings, one resource, a rehearsal, a plan, a rule; nothing is changed by any.

A call makes its session and loads its policy anew, as a command does: credentials that were renewed and a policy that
was edited are in force with the next call.
"""

import json
from collections import Counter, OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Lock

from msgspec import Struct, field

from chalicelib.audit.comes_back import BEARING_RULES
from chalicelib.cli.agents.answers import (
    AuditSummary,
    EndpointsComingBack,
    Explained,
    FindingsTold,
    PlanSummary,
    Rehearsed,
    head_of,
    outcome_of,
)
from chalicelib.cli.agents.asked import AuditAsked, ComesBackAsked, ExplainAsked, FindingsAsked, PlanAsked, RuleAsked
from chalicelib.cli.explain import Explanation
from chalicelib.cli.places import Asked, Place, Survey, places, with_resources
from chalicelib.cli.plan import judged_plan
from chalicelib.cli.sessions import new_service
from chalicelib.errors import InvalidInput
from chalicelib.ledger.cursors import decoded, encoded, foreign_cursor
from chalicelib.policy.policy import load_policy, unknown_rule
from chalicelib.report.findings import BlindSpot, EndpointCapacity, Finding, Report
from chalicelib.report.headline import headline
from chalicelib.report.narrowing import narrowed
from chalicelib.report.outcomes import Verdict
from chalicelib.report.severity import Severity
from chalicelib.service import Service
from chalicelib.settings import Settings
from chalicelib.web.answers import CatalogueRule
from chalicelib.web.rehearsal import rehearsed
from chalicelib.web.requests import RehearsalBody
from chalicelib.web.routes import rule_in_force

#: Audits whose findings can still be asked for.
KEPT = 8
#: Blind spots of one answer; stretches and decisions of a rehearsal.
LISTED = 20
#: In which order outcomes are told.
ORDER = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS, Verdict.NOT_APPLICABLE)


class Doorway(Struct, frozen=True):
    """Whose credentials are used and where, as the command line of the server says; None: as the environment does."""

    profile: str | None = None
    region: str | None = None
    policy: str | None = None
    prices: str | None = None
    role: str | None = None
    external_id: str | None = None

    def service(self, region: str | None = None, *, anywhere: bool = False) -> Service:
        """A service of its own. Raises InvalidInput for a profile, policy or price file that is not there."""
        return new_service(
            self.profile, region or self.region, self.policy, anywhere=anywhere, remember=True, prices=self.prices
        )


class Desk(Struct, frozen=True):
    """Answers calls, several at once; the last audits are kept, so that their findings can be asked for."""

    doorway: Doorway
    _kept: OrderedDict[str, Report] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def audit(self, asked: AuditAsked, ended: Event) -> AuditSummary:
        """An audit made now. Raises InvalidInput, AccessFailed."""
        report = self._audited(asked, ended)
        return AuditSummary(**_summary(report, asked.severity, asked.limit))

    def findings(self, asked: FindingsAsked, ended: Event) -> FindingsTold:
        """A page of the findings of an audit that is kept. Raises InvalidInput."""
        report = self._report(asked.audit_id, ended)
        place = decoded(asked.cursor, ("audit", "entry")) if asked.cursor is not None else {"entry": 0}
        if asked.cursor is not None and asked.audit_id is None:
            report = self._report(str(place["audit"]), ended)
        matching = [finding for finding in report.findings if _matches(finding, asked)]
        begin = place["entry"]
        if (
            type(begin) is not int
            or not 0 <= begin <= len(matching)
            or place.get("audit", report.audit_id) != (report.audit_id)
        ):
            raise foreign_cursor()
        if asked.id is not None and not matching:
            raise InvalidInput(
                f"the audit {report.audit_id} has no {asked.status} finding {asked.id!r}; accepted are the ids that "
                "`audit` lists",
                field="id",
            )
        page = [finding.model_copy(update={"chart": None}) for finding in matching[begin : begin + asked.limit]]
        left_out = len(matching) - begin - len(page)
        return FindingsTold(
            audit_id=report.audit_id,
            finished_at=report.finished_at,
            complete=report.complete,
            matching=len(matching),
            findings=page,
            left_out=left_out,
            cursor=encoded({"audit": report.audit_id, "entry": begin + len(page)}) if left_out else None,
        )

    def explain(self, asked: ExplainAsked, ended: Event) -> Explained:
        """Every rule's outcome for a resource. Raises InvalidInput where nothing of that name was judged."""
        survey, scoped = self._survey(ended, asked.region, asked.resource)
        witness = Explanation()
        report = survey.report_of(scoped[0], witness)
        outcomes = [
            outcome
            for outcome in witness.about(asked.resource, survey.scope(scoped[0]))
            if asked.rule in (None, outcome.rule.id)
        ]
        if not outcomes:
            raise InvalidInput(
                f"the rule {asked.rule!r} did not judge it; accepted are the rules that an answer without `rule` lists",
                field="rule",
            )
        outcomes.sort(key=lambda outcome: (ORDER.index(outcome.outcome.verdict), outcome.rule.id))
        arns = {outcome.resource.arn for outcome in outcomes if outcome.resource.kind == "endpoint"}
        comes_back = [endpoint.comes_back for endpoint in report.endpoints if endpoint.arn in arns]
        return Explained(
            outcomes=[
                outcome_of(
                    outcome.resource,
                    outcome.rule.id,
                    outcome.outcome.verdict,
                    outcome.outcome.reason,
                    json.loads(json.dumps(dict(outcome.outcome.evidence), default=str)),
                )
                for outcome in outcomes[: asked.limit]
            ],
            outcomes_left_out=max(0, len(outcomes) - asked.limit),
            comes_back=comes_back[0] if comes_back else None,
        )

    def comes_back(self, asked: ComesBackAsked, ended: Event) -> EndpointsComingBack:
        """What becomes of endpoints, by the rules that bear on it. Raises InvalidInput for one that does not exist."""
        survey, scoped = self._survey(ended, asked.region, asked.endpoint or "", rules=BEARING_RULES)
        report = survey.report_of(scoped[0])
        name = (asked.endpoint or "").rsplit("/", 1)[-1]
        endpoints = sorted((endpoint for endpoint in report.endpoints if name in ("", endpoint.name)), key=_worry)
        if name and not endpoints:
            near = ", ".join(endpoint.name for endpoint in report.endpoints[:LISTED]) or "none, as the region has none"
            raise InvalidInput(f"there is no endpoint {name!r} in {scoped[0]}; accepted are {near}", field="endpoint")
        spots, spots_left_out = _bounded(report.blind_spots)
        return EndpointsComingBack(
            complete=report.complete,
            endpoints=endpoints[: asked.limit],
            endpoints_left_out=max(0, len(endpoints) - asked.limit),
            blind_spots=spots,
            blind_spots_left_out=spots_left_out,
        )

    def rehearse(self, asked: RehearsalBody, ended: Event) -> Rehearsed:
        """Traffic through a scaling policy. Raises InvalidInput, also for what cannot be rehearsed."""
        answer = rehearsed(self.doorway.service(asked.region), asked)
        listed = {"short": answer.short[:LISTED], "decisions": answer.decisions[:LISTED]}
        return Rehearsed(
            **{**dict(answer), **listed},
            short_left_out=max(0, len(answer.short) - LISTED),
            decisions_left_out=max(0, len(answer.decisions) - LISTED),
        )

    def plan(self, asked: PlanAsked, ended: Event) -> PlanSummary:
        """Templates judged before they are deployed. Raises InvalidInput for what is none."""
        files = [Path(file) for file in asked.files]
        region = asked.region or self.doorway.region
        answer, skipped = judged_plan(files, asked.parameters, region, self.doorway.policy, asked.rules)
        self._keep(answer.report)
        summary = _summary(answer.report, asked.severity, asked.limit)
        return PlanSummary(**summary, skipped=skipped, empty=list(answer.empty))

    def rule(self, asked: RuleAsked, ended: Event) -> CatalogueRule:
        """A rule with the policy in force. Raises InvalidInput for one that does not exist."""
        rules = load_policy(self.doorway.policy or Settings.from_environment().policy).rules
        if asked.id not in rules:
            raise InvalidInput(unknown_rule(asked.id, rules), field="id")
        return rule_in_force(rules[asked.id])

    def _audited(self, asked: AuditAsked, ended: Event) -> Report:
        service = self.doorway.service(asked.regions[0] if asked.regions else None, anywhere=asked.all_regions)
        for id in asked.rules:
            if id not in service.policy.rules:
                raise InvalidInput(unknown_rule(id, service.policy.rules), field="rules")
        where = Asked(asked.regions, asked.all_regions, asked.accounts, False, *self._role(service, asked.accounts))
        scoped = with_resources(places(where, service, _unheard), asked.resources)
        survey = Survey(service, frozenset(asked.rules), progress=False, ended=ended)
        report = survey.all(scoped) if len(scoped) > 1 else survey.report_of(scoped[0])
        if not ended.is_set():
            self._keep(report)
        return report

    def _survey(
        self, ended: Event, region: str | None, resource: str, rules: frozenset[str] = frozenset()
    ) -> tuple[Survey, Sequence[Place]]:
        """The survey of one region, of the resource alone where its ARN is known. ``rules``: those of them that the
        policy has on."""
        arn = resource.split(":") if resource.startswith("arn:") else []
        service = self.doorway.service(region or (arn[3] if len(arn) > 3 else None) or None)
        where = Asked((), False, (), False, *self._role(service, ()))
        scoped = with_resources(places(where, service, _unheard), [resource] if arn else [])
        enabled = rules & service.policy.enabled().keys()
        return Survey(service, enabled, progress=False, ended=ended), scoped

    def _role(self, service: Service, accounts: Sequence[str]) -> tuple[str | None, str | None]:
        """The role to assume and its external id: those of the command line; for other accounts also those of the
        environment."""
        role = self.doorway.role or (service.settings.role_name if accounts else None)
        external_id = self.doorway.external_id or (service.settings.external_id if accounts else None)
        return role, external_id if role else None

    def _report(self, audit_id: str | None, ended: Event) -> Report:
        """The audit that is asked for; without an id the last, or one that is made now."""
        with self._lock:
            kept = list(self._kept)
            report = self._kept.get(audit_id or (kept[-1] if kept else ""))
        if report is not None:
            return report
        if audit_id is None:
            return self._audited(AuditAsked(), ended)
        known = ", ".join(kept) or "none, as no audit was made yet"
        raise InvalidInput(f"the audit {audit_id!r} is not kept; accepted are {known}", field="audit_id")

    def _keep(self, report: Report) -> None:
        with self._lock:
            self._kept[report.audit_id] = report
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)


def _summary(report: Report, severity: Severity, limit: int) -> dict[str, object]:
    open_findings = narrowed(report, severity=severity).open_findings()
    spots, spots_left_out = _bounded(report.blind_spots)
    counted = Counter(finding.severity for finding in report.open_findings())
    return {
        **{name: getattr(report, name) for name in ("audit_id", "scope", "started_at", "finished_at", "policy")},
        "headline": headline(report),
        "complete": report.complete,
        "resources": report.resources,
        "open": {severity: counted[severity] for severity in sorted(Severity, key=lambda severity: -severity.rank)},
        "exempt": sum(finding.status == "exempt" for finding in report.findings),
        "findings": [head_of(finding) for finding in open_findings[:limit]],
        "findings_left_out": sum(counted.values()) - len(open_findings[:limit]),
        "blind_spots": spots,
        "blind_spots_left_out": spots_left_out,
    }


def _bounded(spots: Sequence[BlindSpot]) -> tuple[list[BlindSpot], int]:
    return list(spots[:LISTED]), max(0, len(spots) - LISTED)


def _matches(finding: Finding, asked: FindingsAsked) -> bool:
    return (
        finding.status == asked.status
        and finding.severity.rank >= asked.severity.rank
        and asked.id in (None, finding.id)
        and asked.rule in (None, finding.rule)
        and asked.topic in (None, finding.topic)
        and asked.owner in (None, finding.owner)
        and asked.resource in (None, finding.resource.arn, finding.resource.name)
    )


def _worry(endpoint: EndpointCapacity) -> tuple[int, str]:
    """Endpoints with a no come first, then those with an open question."""
    answers = {answer.answer for _, answer in endpoint.comes_back} if endpoint.comes_back is not None else {"unknown"}
    return (0 if "no" in answers else 1 if "unknown" in answers else 2), endpoint.name


def _unheard(sentence: str) -> None:
    """Regions that are left out are those that the account has not enabled; the scope lists the others."""
