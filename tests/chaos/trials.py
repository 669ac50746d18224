"""The trials, in groups: deaths and faults of the table around one story, and odd answers in one kind of audit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from random import Random
from typing import TypeVar

from emulator.server import Emulator
from tests.chaos.answers import FAULTS
from tests.chaos.outcome import Outcome
from tests.chaos.stories import CHANNELS, STORIES, Story, Told, judged, lived
from tests.chaos.world import Harm, emulated, unlogged
from tests.faults import matrix

#: The stories in which a failing table is tried with several channels.
SEVERAL_CHANNELS = ("event, new", "sweep, resolved")
Some = TypeVar("Some")
Named = Iterator[tuple[str, Outcome]]


def drawn(choices: Sequence[Some], share: float, seed: str) -> list[Some]:
    """So large a share of them, at least one, drawn by a seed, in their order."""
    number = min(len(choices), max(1, ceil(share * len(choices))))
    return [choices[place] for place in sorted(Random(seed).sample(range(len(choices)), number))]


@dataclass(frozen=True, slots=True)
class Group:
    """Trials of one kind; ``name`` is what they have in common."""

    kind: str
    name: str

    def tried(self, share: float, seed: int) -> Named:
        """Draws a share of them and tries it. Gives each with its name."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Harmed(Group):
    """A story in which the invocation comes to harm, at every place at which it can."""

    story: Story
    channels: int

    def tried(self, share: float, seed: int) -> Named:
        with emulated() as emulator:
            sound = lived(emulator, self.story, self.channels)
            yield f"{self.name}, without harm", judged(self.story, sound, sound)
            harms = list(self._harms(sound.calls, sound.table_calls))
            for words, harm, lasting in drawn(harms, share, f"{seed} {self.kind} {self.name}"):
                yield f"{self.name}, {words}", self._outcome(emulator, harm, lasting, sound)

    def _outcome(self, emulator: Emulator, harm: Harm, lasting: bool, sound: Told) -> Outcome:
        return judged(self.story, lived(emulator, self.story, self.channels, harm, lasting=lasting), sound)

    def _harms(self, calls: int, table_calls: dict[str, int]) -> Iterator[tuple[str, Harm, bool]]:
        """Words for each harm, the harm, and whether it lasts."""
        raise NotImplementedError


class Deaths(Harmed):
    """The process dies before each of its calls."""

    __slots__ = ()

    def _harms(self, calls: int, table_calls: dict[str, int]) -> Iterator[tuple[str, Harm, bool]]:
        for number in range(1, calls + 1):
            yield f"death at call {number}", Harm(dies_at=number), False


class Outages(Harmed):
    """The table fails in every way at each of its calls, at all calls of an operation, and as long as it is tried."""

    __slots__ = ()

    def _harms(self, calls: int, table_calls: dict[str, int]) -> Iterator[tuple[str, Harm, bool]]:
        for operation, number in sorted(table_calls.items()):
            for fault in FAULTS:
                if not fault.fits(operation):
                    continue
                where = f"{operation} {fault.name}"
                for at in range(1, number + 1):
                    yield f"{where}, call {at}", Harm(fault=fault, operation=operation, at=at), False
                yield f"{where}, always", Harm(fault=fault, operation=operation), False
                yield f"{where}, as long as it is tried", Harm(fault=fault, operation=operation), True


@dataclass(frozen=True, slots=True)
class Answers(Group):
    """Odd answers of AWS at each operation of an audit (:mod:`tests.faults.matrix`)."""

    sweep: bool
    without_search: bool

    def tried(self, share: float, seed: int) -> Named:
        with unlogged():
            yield from self._tried(share, seed)

    def _tried(self, share: float, seed: int) -> Named:
        trials = [
            trial
            for trial in sorted(matrix.every_trial())
            if (trial.sweep, trial.without_search) == (self.sweep, self.without_search)
        ]
        for trial in drawn(trials, share, f"{seed} {self.name}"):
            yield f"{self.name}, {trial.operation}: {trial.fault}", matrix.run(trial)


def groups(share: float, seed: int) -> list[tuple[Group, float]]:
    """The groups to try, each with the share of it. Of a small share, stories are drawn as well as their trials, as the
    first trial of each is the dearest."""
    answers: list[Group] = [
        Answers("answers", "sweep", True, False),
        Answers("answers", "sweep without Search", True, True),
        Answers("answers", "event", False, False),
    ]
    pairs = [(story, channels) for story in STORIES for channels in CHANNELS]
    deaths: list[Group] = [Deaths("deaths", _name(*pair), *pair) for pair in pairs]
    # A story that nobody tells again says nothing new here: an outage that lasts is the same. More channels than one
    # are asked for where they come in first.
    outages: list[Group] = [
        Outages("outages", _name(story, channels), story, channels)
        for story, channels in pairs
        if story.again and channels == (4 if story.name in SEVERAL_CHANNELS else 1)
    ]
    within = sqrt(share)
    chosen = [(group, share) for group in answers]
    for harmed in (deaths, outages):
        chosen += [(group, within) for group in drawn(harmed, within, f"{seed} stories")]
    return chosen


def _name(story: Story, channels: int) -> str:
    return f"{story.name}, {channels} channel{'s' if channels > 1 else ''}"
