"""One rehearsal: a load, a setting, what would have happened, and the smallest change that would have done."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.rehearsal.book import Replay
from chalicelib.rehearsal.figures import Figures, figures, overloaded_without_a_zone
from chalicelib.rehearsal.proposals import Limits, NoProposal, Proposal, cheapest, tracked
from chalicelib.rehearsal.queue import Waiting, replay_queue
from chalicelib.rehearsal.queue_proposals import cheapest_queue
from chalicelib.rehearsal.replay import replay
from chalicelib.rehearsal.series import Load
from chalicelib.rehearsal.settings import Behaviour, Setting


class Basis(Struct, frozen=True):
    """Where the numbers of a rehearsal come from, each in words: measured, read or assumed."""

    load: str
    setting: str
    capacity: str
    warmup: str
    notes: tuple[str, ...] = ()


class Question(Struct, frozen=True):
    """What is to be rehearsed. ``start`` is how many instances there were at first, if known; ``zones`` over how many
    zones the instances are spread, where the loss of one is asked about; ``others`` are the series beside the load
    that policies follow; a ``doubt`` is why the replay does not judge, and proposes nothing; ``resource_id``,
    ``policy_name`` and ``region`` name what commands would change. ``max_wait`` are the minutes that a request of an
    asynchronous endpoint may wait, None where requests are answered at once; ``copies`` says that copies of an
    inference component are counted instead of instances."""

    name: str
    load: Load
    setting: Setting
    behaviour: Behaviour
    basis: Basis
    limits: Limits
    start: int | None = None
    others: tuple[Sequence[float], ...] = ()
    doubt: str = ""
    zones: int | None = None
    max_wait: int | None = None
    copies: bool = False
    resource_id: str | None = None
    policy_name: str | None = None
    region: str | None = None


class Rehearsal(Struct, frozen=True):
    """The answer. ``proposal`` is None where nothing is to be mended; ``proposed`` is its replay; ``zone_minutes`` are
    those that would be short with the fullest zone lost; ``waiting`` is what came of a queue."""

    question: Question
    replay: Replay
    figures: Figures
    zone_minutes: int | None = None
    proposal: Proposal | NoProposal | None = None
    proposed: Replay | None = None
    waiting: Waiting | None = None

    @property
    def enough(self) -> bool:
        """True where no more minutes are short than may be."""
        return self.figures.minutes_short <= self.question.limits.max_short

    @property
    def excessive(self) -> bool:
        """True where far more was used than needed."""
        needed = self.figures.needed_instance_hours
        return needed is not None and self.figures.instance_hours > self.question.limits.max_excess * needed


def rehearse(question: Question) -> Rehearsal:
    """Replays the load, and looks for a better setting where it is short, or where far too much is used."""
    if question.max_wait is not None:
        return _rehearse_queue(question, question.max_wait)
    load, setting, behaviour = question.load.values, question.setting, question.behaviour
    loads = [load, *question.others]
    result = replay(loads, setting, behaviour, question.start)
    policy = tracked(setting)
    numbers = figures(load, result, behaviour, policy.target if policy else None, question.limits.lowest)
    zones = question.zones
    lost = None if zones is None else overloaded_without_a_zone(load, result, behaviour, zones)
    answer = Rehearsal(question, result, numbers, lost)
    if answer.enough and not answer.excessive:
        return answer
    if question.doubt:
        return replace(answer, proposal=NoProposal(question.doubt))
    # What is too much now would still be there at first, whatever the minimum of the proposal.
    start = result.desired[0].instances if answer.enough else question.start
    proposal = cheapest(loads, setting, behaviour, question.limits, start, downward=answer.enough)
    if isinstance(proposal, NoProposal):
        return replace(answer, proposal=proposal)
    if not proposal.changed:
        return answer
    return replace(answer, proposal=proposal, proposed=replay(loads, proposal.setting, behaviour, start))


def _rehearse_queue(question: Question, max_wait: int) -> Rehearsal:
    """The same of requests that wait. A queue is never judged to be served by too many: what it needs is what its
    requests may wait."""
    load, setting, behaviour = question.load.values, question.setting, question.behaviour
    waiting = replay_queue(load, setting, behaviour, max_wait, question.start)
    numbers = figures(load, waiting.replay, behaviour, None, question.limits.lowest)
    # In which minute more came than was done says nothing of who waited too long.
    numbers = replace(numbers, worst=None, mean_shortfall_percent=0.0)
    answer = Rehearsal(question, waiting.replay, numbers, waiting=waiting)
    if answer.enough:
        return answer
    if question.doubt:
        return replace(answer, proposal=NoProposal(question.doubt))
    proposal = cheapest_queue(load, setting, behaviour, question.limits, max_wait, question.start)
    if isinstance(proposal, NoProposal):
        return replace(answer, proposal=proposal)
    proposed = replay_queue(load, proposal.setting, behaviour, max_wait, question.start).replay
    return replace(answer, proposal=proposal, proposed=proposed)
