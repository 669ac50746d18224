"""From what somebody asks to the question that is rehearsed: checked, completed, and with the basis of each number."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.errors import InvalidInput
from chalicelib.rehearsal.bounds import LEAST, MOST, MOST_TIMES
from chalicelib.rehearsal.policies import Replayable, Signal
from chalicelib.rehearsal.proposals import Limits, tracked
from chalicelib.rehearsal.queue import wakes, waking
from chalicelib.rehearsal.record import Explained
from chalicelib.rehearsal.rehearsal import Basis, Question
from chalicelib.rehearsal.series import Load, UnsoundSeries
from chalicelib.rehearsal.settings import Behaviour, Setting, TargetTracking, high, low, tracking
from chalicelib.rehearsal.terms import ASSUMED, MAX_SHORT, Assumptions

COOLDOWN = 300
#: The minutes that a request may wait in the queue of an asynchronous endpoint.
MAX_WAIT = 15
DAY, HIGHEST = 1440, 100
#: The tag of an endpoint that says how many requests an instance carries in a minute.
CAPACITY_TAG = "invocations-per-instance"


class Wishes(Struct, frozen=True):
    """What somebody wants to be otherwise than read or assumed; None leaves it. Cooldowns in seconds, the warm-up in
    minutes; ``zones`` asks about the loss of one of so many. Of an asynchronous endpoint, ``max_wait`` are the minutes
    that a request may wait, and ``wake_up`` adds a policy that starts the first instance as soon as one does;
    ``queued`` says that what is rehearsed is one, where nothing else tells."""

    minimum: int | None = None
    maximum: int | None = None
    target: float | None = None
    out_cooldown: int | None = None
    in_cooldown: int | None = None
    warmup: int | None = None
    capacity: float | None = None
    multiplier: float = 1.0
    zones: int | None = None
    max_short: int = MAX_SHORT
    max_wait: int = MAX_WAIT
    wake_up: bool = False
    queued: bool = False

    def check(self) -> None:
        """Raises InvalidInput for what is out of all bounds, and says what is accepted."""
        _within("minimum", "minimum", self.minimum, 0, 10_000)
        _within("maximum", "maximum", self.maximum, 1, 10_000)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise InvalidInput(
                f"a minimum of {self.minimum} above the maximum of {self.maximum}; accepted is one at or below it",
                field="minimum",
            )
        _positive("target", "target", self.target, MOST)
        _positive("capacity", "capacity", self.capacity, MOST)
        _positive("traffic_multiplier", "traffic multiplier", self.multiplier, MOST_TIMES)
        _within("scale_out_cooldown", "scale-out cooldown", self.out_cooldown, 0, DAY * 60)
        _within("scale_in_cooldown", "scale-in cooldown", self.in_cooldown, 0, DAY * 60)
        _within("warmup", "warm-up", self.warmup, 0, DAY)
        _within("zones", "number of zones", self.zones, 1, 10)
        _within("max_wait", "number of minutes that a request may wait", self.max_wait, 0, DAY)
        _within("max_short", "number of minutes that may be short", self.max_short, 0, 1_000_000)


def _within(field: str, words: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidInput(f"a {words} of {value}; accepted is a number from {least} to {most:,}", field=field)


def _positive(field: str, words: str, value: float | None, most: float) -> None:
    if value is not None and not LEAST <= value <= most:
        raise InvalidInput(f"a {words} of {value:g}; accepted is a number above 0, up to {most:g}", field=field)


class Known(Struct, frozen=True):
    """What is known of the scaling that is rehearsed: the replayable setting and where it was read, the names that
    commands would change, and what was measured: minutes of warm-up and removal, the load that an instance has carried,
    how much of the record the replay explains, the instances at first, and the series beside the requests that policies
    follow. ``stated`` is what an instance carries as the owner says, ``load_test`` what tells that the target rests on
    a load test, and ``quota`` how many instances the account may have. ``queued``: an asynchronous endpoint, whose
    requests wait; ``copies``: an inference component."""

    replayable: Replayable
    where: str
    resource_id: str | None = None
    policy_name: str | None = None
    region: str | None = None
    warmup: int | None = None
    removal: int | None = None
    proven: float | None = None
    stated: float | None = None
    load_test: str = ""
    quota: int | None = None
    explained: Explained | None = None
    start: int | None = None
    others: Sequence[Sequence[float]] = ()
    notes: tuple[str, ...] = ()
    queued: bool = False
    copies: bool = False

    def doubt(self, min_explained: float) -> str:
        """Why the replay does not judge, or an empty text: it explains less than this share of the recorded steps."""
        share = self.explained.share if self.explained else None
        return f"{self.explained}, too few to judge by it" if share is not None and share < min_explained else ""


def question(
    name: str,
    load: Load,
    where: str,
    wishes: Wishes,
    known: Known | None,
    assumed: Assumptions = ASSUMED,
) -> Question:
    """The question. ``where`` says where the load comes from; without anything ``known`` of the scaling, the wishes
    must tell all of it. Raises InvalidInput."""
    wishes.check()
    queued = known.queued if known else wishes.queued
    if queued and wishes.zones is not None:
        raise InvalidInput("what the loss of a zone does to a queue is not rehearsed", field="zones")
    if wishes.wake_up and not queued:
        raise InvalidInput("only an asynchronous endpoint wakes by its queue", field="wake_up")
    signals = known.replayable.signals if known else (Signal.INVOCATIONS,)
    others = known.others if known else ()
    if not queued and (signals[0] is not Signal.INVOCATIONS or len(signals) != 1 + len(others)):
        followed = ", ".join(signals[1:]) or signals[0]
        raise InvalidInput(f"the policy follows {followed}, of which a series of requests says nothing", field="series")
    if wishes.multiplier != 1:
        load = load.times(wishes.multiplier)
        others = [[value * wishes.multiplier for value in series] for series in others]
    setting = _setting(wishes, known)
    if wishes.wake_up and not wakes(setting):
        setting = waking(setting)
    policy = tracked(setting)
    capacity, basis = _capacity(wishes, known, assumed)
    alarms_assumed = known is None or known.replayable.assumed_alarms
    notes = [str(known.explained)] if known and known.explained else []
    notes += known.notes if known else ()
    if known and known.replayable.high_resolution:
        notes.append("a policy looks at its metric every ten seconds, the replay every minute")
    warmup, warmup_basis = _warmup(wishes, known, assumed)
    if wishes.multiplier != 1:
        notes.append(f"the traffic is multiplied by {wishes.multiplier:g}")
    if alarms_assumed:
        notes.append("alarms ring as AWS makes them: after 3 minutes above the target, 15 below nine tenths of it")
    if load.unsound:
        notes.append(f"{load.unsound} datapoints are negative, infinite or no numbers, and count as gaps")
    if load.asked > load.minutes:
        notes.append("the load begins later than the window: it is judged from its first datapoint")
    return Question(
        name=name,
        load=load,
        setting=setting,
        behaviour=Behaviour(capacity, warmup, (known.removal if known else None) or 0),
        basis=Basis(
            where,
            _origin(wishes, known),
            basis,
            warmup_basis,
            tuple(notes),
        ),
        limits=Limits(
            wishes.max_short,
            lowest=assumed.lowest,
            begin=load.minute_of_day,
            highest=max(HIGHEST, setting.maximum) if known is None or known.quota is None else known.quota,
            tested=known is not None and known.stated is not None and wishes.capacity is None,
            max_excess=assumed.max_excess,
        ),
        start=known.start if known else None,
        others=tuple(others),
        doubt=known.doubt(assumed.min_explained) if known else "",
        zones=wishes.zones,
        max_wait=wishes.max_wait if queued else None,
        copies=known is not None and known.copies,
        resource_id=known.resource_id if known else None,
        policy_name=known.policy_name if known and policy else None,
        region=known.region if known else None,
    )


def _setting(wishes: Wishes, known: Known | None) -> Setting:
    if known is None:
        if wishes.target is None or wishes.maximum is None:
            raise InvalidInput(
                "the policy is not known; accepted are a template, or a target and a maximum", field="target"
            )
        policy = tracking(wishes.target, _or(wishes.out_cooldown, COOLDOWN), _or(wishes.in_cooldown, COOLDOWN))
        setting = Setting(_or(wishes.minimum, 0 if wishes.queued else 1), wishes.maximum, (policy,))
    else:
        read = known.replayable.setting
        minimum, maximum = _or(wishes.minimum, read.minimum), _or(wishes.maximum, read.maximum)
        setting = replace(read, minimum=minimum, maximum=maximum, policies=_policies(wishes, read))
    if setting.minimum > setting.maximum:
        raise InvalidInput(
            f"a minimum of {setting.minimum} above the maximum of {setting.maximum}; accepted is one at or below it",
            field="minimum",
        )
    return setting


def _policies(wishes: Wishes, read: Setting) -> tuple[Any, ...]:
    varied = tracked(read)
    if varied is None:
        if (wishes.target, wishes.out_cooldown, wishes.in_cooldown) != (None, None, None):
            raise InvalidInput(
                "a target or a cooldown of no target tracking policy; accepted are bounds", field="target"
            )
        return read.policies
    changed = _varied(varied, wishes)
    return tuple(changed if policy is varied else policy for policy in read.policies)


def _varied(policy: TargetTracking, wishes: Wishes) -> TargetTracking:
    target = wishes.target
    if target is not None:
        outward = replace(policy.high, threshold=high(target).threshold)
        inward = policy.low and replace(policy.low, threshold=low(target).threshold)
        policy = replace(policy, target=target, high=outward, low=inward)
    return replace(
        policy,
        out_cooldown=_or(wishes.out_cooldown, policy.out_cooldown),
        in_cooldown=_or(wishes.in_cooldown, policy.in_cooldown),
    )


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _capacity(wishes: Wishes, known: Known | None, assumed: Assumptions) -> tuple[float, str]:
    """What an instance carries in a minute, and why. Never derived from a target that is only wished for."""
    by = "copy" if known and known.copies else "instance"
    if wishes.capacity is not None:
        return wishes.capacity, f"{wishes.capacity:g} a minute by {by}, as given"
    if known is not None and known.queued and known.proven is not None:
        return known.proven, (
            f"{known.proven:g} a minute by instance, measured: the 95th percentile of what an instance did while "
            "requests waited"
        )
    if known is not None and known.stated is not None:
        return known.stated, f"{known.stated:g} a minute by instance, as the tag {CAPACITY_TAG} says"
    policy = tracked(known.replayable.setting) if known and not known.queued else None
    if policy is None:
        raise InvalidInput(
            f"what {_article(by)} carries in a minute is not known; accepted is a capacity, as a load test tells it",
            field="capacity",
        )
    capacity = policy.target / assumed.safety_factor
    if known is not None and known.load_test:
        return capacity, (
            f"{capacity:g} a minute by instance, load-tested: the target of {policy.target:g} ÷ "
            f"{assumed.safety_factor:g}, and {known.load_test}"
        )
    if known is not None and known.proven is not None and known.proven > capacity:
        return known.proven, (
            f"{known.proven:g} a minute by {by}, measured: the 99th percentile of what {_article(by)} carried without "
            "failing"
        )
    return capacity, (
        f"{capacity:g} a minute by {by}, assumed: the target of {policy.target:g} ÷ {assumed.safety_factor:g}"
    )


def _article(unit: str) -> str:
    return f"a {unit}" if unit == "copy" else f"an {unit}"


def _warmup(wishes: Wishes, known: Known | None, assumed: Assumptions) -> tuple[int, str]:
    """The minutes until new instances serve, and why."""
    if wishes.warmup is not None:
        return wishes.warmup, f"{wishes.warmup} minutes, as given"
    if known is not None and known.warmup is not None:
        return known.warmup, f"{known.warmup} minutes, measured: nine of ten recorded scale-outs took no longer"
    return assumed.warmup, f"{assumed.warmup} minutes, assumed"


def _origin(wishes: Wishes, known: Known | None) -> str:
    if known is None:
        return "as given"
    names = ("minimum", "maximum", "target", "out_cooldown", "in_cooldown")
    changed = [name.replace("_", "-") for name in names if getattr(wishes, name) is not None]
    return known.where + (f", with another {' and '.join(changed)}" if changed else "")


def load_of(lines: Any, what: str) -> Load:
    """The load of a file's lines. Raises InvalidInput."""
    from chalicelib.rehearsal.series import of_file

    try:
        return of_file(lines)
    except UnsoundSeries as problem:
        raise InvalidInput(f"{what}: {problem}", field="series") from None
