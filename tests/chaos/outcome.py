"""What became of a trial, and the line of figures of many."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """``ended``: how an audit came to an end that is none; ``words``: what was told falsely, or too often;
    ``resolved``: what was resolved falsely; ``silent``: what was lost without a word."""

    ended: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.ended or self.words or self.resolved or self.silent)

    @property
    def reasons(self) -> list[str]:
        """Everything that did not hold."""
        return [*self.ended, *self.words, *self.resolved, *self.silent]


def line(outcomes: Iterable[Outcome]) -> str:
    """The figures in one line: trials, and in how many of them something did not hold."""
    became = list(outcomes)
    return (
        f"tried {len(became)}, ended {sum(bool(outcome.ended) for outcome in became)}, "
        f"false words {sum(bool(outcome.words) for outcome in became)}, "
        f"falsely resolved {sum(bool(outcome.resolved) for outcome in became)}, "
        f"silent losses {sum(bool(outcome.silent) for outcome in became)}"
    )
