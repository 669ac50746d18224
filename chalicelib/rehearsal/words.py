"""A rehearsal in sentences."""

from chalicelib.rehearsal.proposals import NoProposal, Proposal, tracked
from chalicelib.rehearsal.queue import Waiting, wakes
from chalicelib.rehearsal.rehearsal import Rehearsal
from chalicelib.rehearsal.settings import Setting

HOURS_A_MONTH = 730


def duration(minutes: int) -> str:
    """A number of minutes in the unit that people would take: ``40 minutes``, ``5.5 hours``, ``7 days``."""
    for length, unit in ((1440, "day"), (60, "hour")):
        if minutes >= 2 * length or minutes == length:
            number = f"{minutes / length:.1f}".removesuffix(".0")
            return f"{number} {unit}" + ("" if number == "1" else "s")
    return f"{minutes} minute" + ("" if minutes == 1 else "s")


def moment(answer: Rehearsal, minute: int) -> str:
    """When a minute was: ``Mon 2 Mar 09:04 UTC``, or ``minute 544`` of a load without dates."""
    at = answer.question.load.at(minute)
    return f"minute {minute:,}" if at is None else f"{at:%a} {at.day} {at:%b %H:%M} UTC"


def counted(minutes: int) -> str:
    """So many minutes."""
    return f"{minutes:,} minute" + ("" if minutes == 1 else "s")


def units(answer: Rehearsal, count: int) -> str:
    """So many instances, or copies of an inference component."""
    singular, plural = ("copy", "copies") if answer.question.copies else ("instance", "instances")
    return f"{count:,} {singular if count == 1 else plural}"


def sentences(answer: Rehearsal) -> list[str]:
    """What the rehearsal says, the most important thing first."""
    first = _waiting(answer, answer.waiting) if answer.waiting else _shortage(answer)
    return [*first, *_crossed(answer), *_hours(answer), *_zone(answer), *_proposal(answer)]


def _crossed(answer: Rehearsal) -> list[str]:
    """What a schedule left of bounds that cross."""
    crossed = answer.replay.crossed
    if not crossed:
        return []
    times = "once" if len(crossed) == 1 else f"{len(crossed):,} times"
    place = "in" if answer.question.load.begin is None else "on"
    return [
        f"Scheduled actions left the minimum above the maximum {times}, first {place} {moment(answer, crossed[0])}: "
        "the maximum counts."
    ]


def _waiting(answer: Rehearsal, waiting: Waiting) -> list[str]:
    """What became of the requests of an asynchronous endpoint."""
    question, short = answer.question, answer.figures.minutes_short
    window, most = duration(answer.figures.minutes), question.max_wait or 0
    if not short:
        text = f"No request to {question.name} would have waited for longer than {counted(most)} in {window}."
    else:
        text = (
            f"Requests to {question.name} would have waited for longer than {counted(most)} in {counted(short)} of "
            f"{window}"
        )
        text += f"; {question.limits.max_short} are allowed." if answer.enough else "."
    if waiting.largest:
        place = "in" if question.load.begin is None else "on"
        text += f" The largest backlog is {waiting.largest:,.0f}, {place} {moment(answer, waiting.largest_at)}."
    if answer.figures.held_minutes:
        text += f" For {counted(answer.figures.held_minutes)} only the maximum stood in the way of more."
    if short and not wakes(question.setting):
        text += (
            " Nothing wakes it from zero for fewer requests than the target: no policy follows "
            "HasBacklogWithoutCapacity."
        )
    return [text]


def _shortage(answer: Rehearsal) -> list[str]:
    numbers, name = answer.figures, answer.question.name
    window = duration(numbers.minutes)
    if not numbers.minutes_short or numbers.worst is None:
        return [f"{name} would never have been short in {window}."]
    worst = numbers.worst
    instances = round(worst.capacity / answer.question.behaviour.capacity)
    on = f"on {units(answer, instances)} that {'carries' if instances == 1 else 'carry'}"
    place = "in" if answer.question.load.begin is None else "on"
    allowed = answer.question.limits.max_short
    text = (
        f"{name} would have been short for {counted(numbers.minutes_short)} in {window}, worst {place} "
        f"{moment(answer, worst.minute)} ({worst.load:,.0f} a minute {on} {worst.capacity:,.0f})."
    )
    if answer.enough:
        text = f"{text[:-1]}; {allowed} are allowed."
    if numbers.held_minutes:
        text += f" For {counted(numbers.held_minutes)} only the maximum stood in the way of more."
    return [text]


def _hours(answer: Rehearsal) -> list[str]:
    numbers, unit = answer.figures, _unit(answer)
    text = f"It would have used {numbers.instance_hours:,.1f} {unit}-hours"
    needed = numbers.needed_instance_hours
    if needed is not None:
        text += f"; {needed:,.1f} would do with every {unit} at the target"
    if answer.waiting is None:
        text += f". A fixed number that carries the peak takes {numbers.fixed_at_peak_hours:,.1f}"
    return [
        f"{text}. It would have scaled {numbers.changes_per_day:.1f} times a day, {numbers.reversals} times to and fro."
    ]


def _unit(answer: Rehearsal) -> str:
    return "copy" if answer.question.copies else "instance"


def _zone(answer: Rehearsal) -> list[str]:
    if answer.zone_minutes is None:
        return []
    return [
        f"With one of {answer.question.zones} zones lost, the fullest, {counted(answer.zone_minutes)} would bring more "
        "than the rest carries."
    ]


def _proposal(answer: Rehearsal) -> list[str]:
    proposal = answer.proposal
    if proposal is None:
        return []
    if isinstance(proposal, NoProposal):
        return [f"No better setting: {proposal.reason}."]
    minutes = answer.figures.minutes
    change = (proposal.instance_minutes / 60 - answer.figures.instance_hours) * HOURS_A_MONTH * 60 / minutes
    hours = f"{abs(change):,.0f} {_unit(answer)}-hours a month"
    cost = f"costs {hours} more" if change >= 0 else f"saves {hours}"
    what = " and ".join(changes(answer.question.setting, proposal))
    return [f"{what[0].upper()}{what[1:]} leaves {counted(proposal.minutes_short)} short and {cost}."]


def changes(present: Setting, proposal: Proposal) -> list[str]:
    """What a proposal changes, each in a few words: ``minimum 3 instead of 1``."""
    setting = proposal.setting
    before, after = tracked(present), tracked(setting)
    phrases = []
    for name in proposal.changed:
        if name == "minimum":
            phrases.append(f"minimum {setting.minimum} instead of {present.minimum}")
        elif name == "maximum":
            phrases.append(f"maximum {setting.maximum} instead of {present.maximum}")
        elif name == "target" and before and after:
            phrases.append(f"target {after.target:g} instead of {before.target:g}")
        elif name == "out_cooldown" and before and after:
            phrases.append(f"scale-out cooldown {after.out_cooldown} instead of {before.out_cooldown} seconds")
        elif name == "schedule":
            highest = max(action.minimum or 0 for action in setting.scheduled)
            phrases.append(f"a scheduled minimum of {highest} from an hour before the daily rise")
        elif name == "wake_up":
            phrases.append("a step policy that adds an instance as soon as a request waits for none")
    return phrases
