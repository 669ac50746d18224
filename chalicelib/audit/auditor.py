"""The one sentence of the program: a scope is read, judged and reported."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct, field

from chalicelib.audit import capacity
from chalicelib.audit.calendar import calendar
from chalicelib.audit.charts import chart_of, charts_of
from chalicelib.audit.comes_back import Verdicts
from chalicelib.audit.deferral import deferrals, untold
from chalicelib.audit.exemptions import exemption_notes, refused_tags
from chalicelib.audit.findings import Failing, findings, resource_of, tagged_arn
from chalicelib.audit.judge import Judge, Listener, Witness
from chalicelib.audit.passes import Passes
from chalicelib.audit.resolution import Resolutions
from chalicelib.inventory.allowance import most_calls
from chalicelib.inventory.aws import Aws
from chalicelib.inventory.collect import Reading
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.failures import Failure
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Needs, Progress, no_progress
from chalicelib.inventory.remembered import Memory
from chalicelib.kinds import KINDS
from chalicelib.policy.policy import Policy, RuleSetting
from chalicelib.report.cause import Cause
from chalicelib.report.findings import BlindSpot, Finding, Report, ScopeAudited, Trigger
from chalicelib.report.merging import report_of
from chalicelib.report.shown import Shown
from chalicelib.rules.rehearsal import rehearser
from chalicelib.scope import Scope

if TYPE_CHECKING:
    from chalicelib.money.appraisal import Appraisal
    from chalicelib.money.estimates import Hub, HubAnswer
    from chalicelib.money.prices import Prices
    from chalicelib.money.spot import TrainingSums
    from chalicelib.report.money import Money

F = TypeVar("F", bound=Fact)


def utc_now() -> datetime:
    return datetime.now(UTC)


def needs_of(rules: Mapping[str, RuleSetting], lookback_days: int) -> Needs:
    """What these rules read: nothing else is asked of AWS."""
    parts: set[Part] = set()
    days: dict[str, int] = {}
    bounds: dict[str, int] = {}
    for setting in rules.values():
        rule, params = setting.rule, setting.params
        parts |= rule.parts(params)
        for window in rule.metrics:
            days[window.of] = max(days.get(window.of, 0), math.ceil(getattr(params, window.param)))
        for window in rule.bounds:
            bounds[window.of] = max(bounds.get(window.of, 1), math.ceil(getattr(params, window.param) * window.hours))
    return Needs.of(
        parts,
        metric_days=days,
        lookback_days=lookback_days,
        activity_hours=bounds.get(Part.ACTIVITIES, 1),
        recommendation_days=bounds.get(Part.RECOMMENDATIONS, 1),
        reduction=rehearser(setting.params for setting in rules.values()),
    )


#: What an audit leaves of its time for judging and telling: this many seconds, or less where there is less time.
RESERVED_SECONDS, RESERVED_SHARE = 120.0, 0.3


def reading_seconds(left: float) -> float:
    """For how long an audit may ask AWS that begins now with so many seconds left: the rest is for telling."""
    return max(0.0, left - min(RESERVED_SECONDS, left * RESERVED_SHARE))


class Auditor(Struct, frozen=True):
    """How audits are made: the door to AWS, the policy, the look-back window, the clock, and what is remembered from
    the last audit.

    ``tags`` narrows what is reported, not what is read: to findings on resources that carry all of these keys, with
    these values where they are not None. One whose tags could not be read stays in the report. With ``passes`` the
    report lists what passed, too. ``reading_seconds`` is for how long AWS may be asked: what is not read by then is a
    blind spot. With ``prices`` findings are told in money, as far as these are known; ``hub``
    tells beside it what AWS estimates itself, in a sweep.
    """

    aws: Aws
    policy: Policy
    lookback_days: int = 30
    clock: Callable[[], datetime] = utc_now
    progress: Progress = no_progress
    tags: Mapping[str, str | None] = field(default_factory=dict)
    memory: Memory | None = None
    reading_seconds: float | None = None
    passes: bool = False
    prices: "Prices | None" = None
    hub: "Hub | None" = None

    def audit(
        self,
        scope: Scope,
        trigger: Trigger,
        witness: Witness | None = None,
        resolutions: Resolutions | None = None,
    ) -> Report:
        """One account and region (or the resources named in it) read, judged by the policy, and reported. For an event
        the calls are bounded: what goes beyond is left to the next sweep, and its findings are not told.

        ``witness`` is told of every outcome. ``resolutions`` bring what was known before, and collect what this audit
        proves about it.
        """
        started = self.clock()
        self.aws.begin(self.reading_seconds)
        calls_before = self.aws.calls.copy()
        rules = self.policy.enabled(scope.rules)
        passes = Passes(scope) if self.passes else None
        verdicts = Verdicts()
        heard = [listener for listener in (witness, passes, resolutions, verdicts) if listener is not None]
        judge = Judge(rules, scope, witnesses=heard)
        tagged = frozenset(kind for setting in rules.values() if setting.rule.needs_tags for kind in setting.rule.kinds)
        needs = needs_of(rules, self.lookback_days)
        most = most_calls(scope) if trigger == "event" and not scope.whole else None
        training = self._training_sums(scope)
        with Reading(self.aws, scope, needs, started, self.progress, self.memory, most) as reading:
            network = None
            for job in reading.training_jobs():
                network = network or reading.network_of_jobs()
                if training is not None:
                    training.take(job)
                judge.judge(_with_tags(reading, [job], scope, tagged)[0], network)
            estate = reading.inventory()
            estate.first_seen = resolutions.first_seen if resolutions is not None else None
            for subject in _with_tags(reading, list(estate.subjects), scope, tagged):
                judge.judge(subject, estate)
            judge.merge()
            if resolutions is not None:
                resolutions.conclude(reading.gone(resolutions.lacking()), estate.gaps)
            if isinstance(witness, Listener):
                witness.finished(estate.gaps)
            tags = _tags_of_failing(reading, judge.failing, scope, estate)
        arns = {id(failed): tagged_arn(failed.subject, scope) for failed in judge.failing}
        left = untold(reading.deferred)
        shown = self._shown(scope, rules)
        failing = [
            failed
            for failed in judge.failing
            if arns[id(failed)] not in left and self._reported(arns[id(failed)], tags)
        ]
        tags_of = {id(failed): tags.get(arns[id(failed)], {}) for failed in failing}
        appraisal = self._appraised(failing, estate, training)
        amounts = appraisal.amounts if appraisal is not None else {}
        hub_answer = self.hub.of(scope) if self.hub is not None and scope.whole else None
        charts = {
            id(failed): chart
            for failed in failing
            if (chart := chart_of(failed.subject, rules[failed.rule.id], estate)) is not None
        }
        listed = findings(
            failing,
            self.policy,
            scope,
            started,
            lambda failed: tags_of[id(failed)],
            amounts=amounts,
            charts=charts,
        )
        money, asked_for_money = _money(scope, listed, appraisal, hub_answer)
        asked = [(failed.rule.id, resource_of(failed.subject, scope), tags_of[id(failed)]) for failed in failing]
        blind = blind_spots(reading.failures, judge, scope, reading.deferred)
        # What AWS does not tell hides the findings of its rules alone, and no permission would bring them.
        unseen = [spot for spot in blind if spot.cause is not Cause.NOT_TOLD]
        all_seen = scope.whole and not scope.rules and not self.tags and not unseen
        counts = judge.rule_counts()
        undecided = {rule for spot in blind for rule in spot.effect} | {id for id in counts if counts[id].unknown}
        return report_of(
            scope.account,
            scope.region,
            trigger=trigger,
            scope=ScopeAudited(
                accounts=[scope.account],
                regions=[scope.region],
                resources=[scope.arn(ref) for ref in scope.resources],
                rules=sorted(scope.rules),
            ),
            started=started,
            finished=self.clock(),
            policy=self.policy.used,
            resources=judge.resources,
            rules=counts,
            findings=listed,
            shown=shown
            and shown.model_copy(update={"findings": len(listed), "left_out": len(judge.failing) - len(failing)}),
            passes=passes.records if passes is not None else None,
            blind_spots=blind,
            deferred=deferrals(reading.deferred, judge, scope),
            exemptions=[
                *exemption_notes(self.policy, listed, scope, started.date(), all_seen=all_seen, undecided=undecided),
                *refused_tags(asked, self.policy, started.date()),
            ],
            calendar=calendar(self.policy, rules, listed, estate, scope, started.date()) if scope.whole else (),
            catalogue={id: setting.in_force for id, setting in rules.items()},
            zones=capacity.zones(estate),
            endpoints=capacity.endpoints(estate, verdicts.of(estate, rules), charts_of(estate)),
            money=money,
            api_calls=self.aws.calls - calls_before + asked_for_money,
        )

    def _training_sums(self, scope: Scope) -> "TrainingSums | None":
        """What training jobs are summed up in; None where no prices are told."""
        if self.prices is None or not scope.whole:
            return None
        from chalicelib.money.spot import TrainingSums

        return TrainingSums()

    def _appraised(
        self, failing: Sequence[Failing], estate: Inventory, training: "TrainingSums | None"
    ) -> "Appraisal | None":
        """What these findings save or cost; None where no prices are told."""
        if self.prices is None:
            return None
        from chalicelib.money.appraisal import appraised  # who wants no amounts does not wait for what works them out
        from chalicelib.money.cases import Case

        cases = {id(failed): Case(failed.rule.id, failed.subject, failed.outcome.evidence) for failed in failing}
        whole = training if estate.gaps.of(Part.TRAINING_JOBS) is None else None
        return appraised(cases, estate, self.prices, training=whole, lookback_days=self.lookback_days)

    def _shown(self, scope: Scope, rules: Mapping[str, RuleSetting]) -> Shown | None:
        """How the report is narrowed, before its findings are counted."""
        if scope.whole and not scope.rules and not self.tags:
            return None
        return Shown(
            rules=sorted(scope.rules),
            tags=[key if value is None else f"{key}={value}" for key, value in self.tags.items()],
            resources=[scope.arn(ref) for ref in scope.resources],
            only_named=not scope.whole,
            rules_left_out=len(self.policy.enabled().keys() - rules.keys()),
        )

    def _reported(self, arn: str, tags: Mapping[str, Mapping[str, str]]) -> bool:
        """True for a finding on a resource with the tags that are asked for, or whose tags could not be read."""
        if arn and arn not in tags:
            return True
        carried = tags.get(arn, {})
        return all(key in carried and value in (None, carried[key]) for key, value in self.tags.items())


def _with_tags(reading: Reading, subjects: list[F], scope: Scope, kinds: frozenset[str]) -> list[F]:
    """The subjects, those of these kinds with their tags, asked for where they came without."""
    lacking = [subject for subject in subjects if subject.kind in kinds and getattr(subject, "tags", None) is None]
    arns = {id(subject): tagged_arn(subject, scope) for subject in lacking}
    tags = reading.tags(list(dict.fromkeys(arn for arn in arns.values() if arn))) if arns else {}
    return [
        subject.model_copy(update={"tags": tags[arns[id(subject)]]}) if arns.get(id(subject)) in tags else subject
        for subject in subjects
    ]


def _tags_of_failing(
    reading: Reading, failing: list[Failing], scope: Scope, estate: Inventory
) -> dict[str, dict[str, str]]:
    """The tags of what failed, by the ARN that carries them: those already read, the others asked for now."""
    known = {owner.arn: owner.tags for owner in estate.endpoints.values() if owner.tags is not None}
    known |= {owner.arn: owner.tags for owner in estate.components.values() if owner.tags is not None}
    lacking: dict[str, None] = {}
    for failed in failing:
        arn = tagged_arn(failed.subject, scope)
        tags = getattr(failed.subject, "tags", None)
        if tags is not None:
            known[arn] = tags
        elif arn:
            lacking[arn] = None
    return known | reading.tags([arn for arn in lacking if arn not in known])


def blind_spots(failures: list[Failure], judge: Judge, scope: Scope, deferred: Iterable[Failure]) -> list[BlindSpot]:
    """What could not be read, each operation and error once, with the rules that it leaves unknown; not what is left
    to the next sweep."""
    effects: dict[tuple[str, str], set[str]] = {}
    causes = {(obstacle.operation, obstacle.reason): obstacle.cause for obstacle in judge.unread}
    resources: dict[tuple[str, str], set[str | None]] = {}
    by_failure: dict[Failure, set[str]] = {}
    for obstacle, ids in judge.unread.items():
        if obstacle.failure is not None:  # several rules may have met it, each in its own words
            by_failure.setdefault(obstacle.failure, set()).update(ids)
    covered, left = {failure.reason for failure in deferred}, {failure.operation for failure in deferred}
    for failure in failures:
        key = (failure.operation, failure.reason if failure.resource is None else failure.code)
        effect = effects.setdefault(key, set())
        causes[key] = failure.cause
        if failure.part is not None and failure.resource is None:
            effect |= {id for id, own in judge.rules.items() if failure.part in own.rule.rests_on(own.params)}
        elif failure.part is not None and failure.part is not Part.SUBNETS:  # of these only the types of zones
            kinds = {row.name for row in KINDS.values() if row.part == failure.part}
            effect |= {id for id, setting in judge.rules.items() if kinds.intersection(setting.rule.kinds)}
        effect |= by_failure.get(failure, set())
        resources.setdefault(key, set()).add(failure.resource)
    listed_failures = set(failures)
    for obstacle, ids in judge.unread.items():
        if (
            obstacle.failure not in listed_failures
            and obstacle.reason not in covered
            and obstacle.operation not in left
        ):
            effects.setdefault((obstacle.operation, obstacle.reason), set()).update(ids)
    return [
        BlindSpot(
            account=scope.account,
            region=scope.region,
            operation=operation,
            error=error,
            cause=causes[operation, error],
            effect=sorted(effect),
            resource=_only(resources.get((operation, error), set())),
        )
        for (operation, error), effect in sorted(effects.items())
    ]


def _only(resources: set[str | None]) -> str | None:
    return next(iter(resources)) if len(resources) == 1 else None


def _money(
    scope: Scope, listed: Sequence[Finding], appraisal: "Appraisal | None", hub_answer: "HubAnswer | None"
) -> "tuple[Money | None, Counter[str]]":
    """What the report says in money, and the calls that were made for it."""
    if appraisal is None and hub_answer is None:
        return None, Counter()
    from chalicelib.money.appraisal import calls_of, money_of

    return money_of(scope.account, listed, appraisal, hub_answer), calls_of(appraisal, hub_answer)
