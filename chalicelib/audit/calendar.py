"""Which ends an audit knows of: those of exemptions, and of what was read for the rules that look at ends."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Endpoint
from chalicelib.inventory.kinds.plain import NotebookInstance
from chalicelib.inventory.kinds.plans import LIVE, ReservedCapacity, TrainingPlan
from chalicelib.inventory.kinds.quotas import ServiceQuota
from chalicelib.inventory.kinds.scaling import ScheduledAction
from chalicelib.inventory.platforms import platform_of
from chalicelib.policy.policy import Policy
from chalicelib.rehearsal.schedule import UnreadSchedule, minutes_of
from chalicelib.report.calendar import CalendarEntry, in_order
from chalicelib.report.findings import Finding
from chalicelib.rules.quotas import schedules_beyond
from chalicelib.scope import Scope, may_lie_in

#: How far ahead schedules are looked at: most come within a month, and of those of a year only a few are left.
AHEAD_DAYS = (31, 366)

Source = Callable[[Inventory, Scope, Policy], Iterable[CalendarEntry]]


def calendar(
    policy: Policy, rules: Iterable[str], reported: Sequence[Finding], estate: Inventory, scope: Scope, today: date
) -> list[CalendarEntry]:
    """The ends from ``today`` on that the audit of a whole account and region knows of, the next one first.

    ``rules`` are those that judged, ``reported`` the findings of the audit.
    """
    entries = [*of_policy(policy, scope), *_of_tags(reported)]
    for rule in rules:
        if rule in SOURCES:
            entries += SOURCES[rule](estate, scope, policy)
    return in_order(entry for entry in entries if entry.day >= today)


def of_policy(policy: Policy, scope: Scope) -> Iterator[CalendarEntry]:
    """The ends of the exemptions of the policy that may cover something in an account and region."""
    for exemption in policy.exemptions:
        if exemption.expires is not None and may_lie_in(exemption.resource, scope.account, scope.region):
            yield CalendarEntry(
                day=exemption.expires,
                kind="exemption",
                resource=exemption.resource,
                says=f"The exemption of {exemption.resource} from {exemption.rule} ends",
                rule=exemption.rule,
                owner=exemption.owner,
            )


def _of_tags(reported: Iterable[Finding]) -> Iterator[CalendarEntry]:
    for finding in reported:
        exemption = finding.exemption
        if exemption is not None and exemption.source != "policy" and exemption.expires is not None:
            by = "tag" if exemption.source == "tag" else "answer in Slack"
            yield CalendarEntry(
                day=exemption.expires,
                kind="exemption",
                resource=finding.resource.arn or finding.resource.name,
                says=f"The {by} that exempts {finding.resource.name} from {finding.rule} ends",
                account=finding.account,
                region=finding.region,
                rule=finding.rule,
                owner=exemption.owner or finding.owner,
            )


def _of_platforms(estate: Inventory, scope: Scope, policy: Policy) -> Iterator[CalendarEntry]:
    """When AWS stops to mend what notebook instances and variants run on."""
    standing: list[tuple[str | None, NotebookInstance | Endpoint]] = [
        (notebook.known("platform"), notebook) for notebook in estate.plain(NotebookInstance).values()
    ]
    for endpoint in estate.endpoints.values():
        settings = (variant.known("configured") for variant in endpoint.variants)
        standing += [(configured.known("inference_ami"), endpoint) for configured in settings if configured]
    for identifier, subject in standing:
        platform = platform_of(identifier) if identifier else None
        if platform is not None:
            yield CalendarEntry(
                day=platform.ends,
                kind="platform",
                resource=subject.arn,
                says=f"{platform.system} under {subject.name} is mended no more",
                account=scope.account,
                region=scope.region,
                rule="platform-end-of-life",
                owner=policy.responsible(subject.tags or {}),
            )


def _of_plans(estate: Inventory, scope: Scope, policy: Policy) -> Iterator[CalendarEntry]:
    """When the blocks of training plans end, or the plan where no block is told."""
    for plan in estate.plain(TrainingPlan).values():
        blocks: tuple[ReservedCapacity, ...] = plan.known("blocks") or ()
        ends = [(block.end, _words(block)) for block in blocks if block.known("status") in LIVE and block.end]
        if not ends and plan.known("status") in LIVE and plan.end is not None:
            ends = [(plan.end, "all of it")]
        for moment, words in ends:
            yield CalendarEntry(
                day=moment.date(),
                kind="training-plan",
                resource=plan.arn,
                says=f"The training plan {plan.name} ends for {words}",
                account=scope.account,
                region=scope.region,
                rule="reservation-ends",
                owner=policy.responsible(plan.tags or {}),
            )


def _words(block: ReservedCapacity) -> str:
    """What a block holds: ``8 ml.p5.48xlarge in use1-az2``."""
    number = f"{block.instances} " if block.instances else ""
    zone = f" in {block.zone_id}" if block.zone_id else ""
    return f"{number}{block.instance_type or 'instances'}{zone}"


def _of_quotas(estate: Inventory, scope: Scope, policy: Policy) -> Iterator[CalendarEntry]:
    """When a scheduled action lets variants reach beyond a quota; nothing where a quota or a schedule is not known."""
    for quota in estate.plain(ServiceQuota).values():
        try:
            beyond = list(schedules_beyond(quota, estate))
        except Unread:
            continue
        for variant, action, together in beyond:
            if (moment := _next(action, estate.now)) is not None:
                name = f"{variant.endpoint_name}/{variant.name}"
                yield CalendarEntry(
                    day=moment.date(),
                    kind="quota",
                    resource=quota.arn or quota.name,
                    says=f"The schedule {action.name} of {name} lets endpoints reach {together} instances, and the "
                    f"quota is {quota.applied:g} ({quota.name})",
                    account=scope.account,
                    region=scope.region,
                    rule="autoscaling-max-above-quota",
                    owner=policy.responsible(variant.tags or {}),
                )


def _next(action: ScheduledAction, now: datetime) -> datetime | None:
    """When an action is done next, within a year; None where nobody knows."""
    for days in AHEAD_DAYS:
        try:
            minutes = minutes_of(action, now, days * 24 * 60)
        except UnreadSchedule:
            return None
        if minutes:
            return now + timedelta(minutes=minutes[0])
    return None


#: Where ends are read, by the rule that has it read: a rule that is off adds nothing and asks nothing.
SOURCES: Mapping[str, Source] = {
    "autoscaling-max-above-quota": _of_quotas,
    "platform-end-of-life": _of_platforms,
    "reservation-ends": _of_plans,
}
