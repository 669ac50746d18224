"""What audits remember of each other, by account and region: endpoint configs, which cannot be changed, and answers
that seldom change, for a day."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from chalicelib.inventory.kinds.configs import EndpointConfig

Configs = Mapping[str, "EndpointConfig"]
Records = Sequence[Mapping[str, Any]]

#: For how long an answer that seldom changes is taken from memory.
KEPT = timedelta(days=1)


class Answer(NamedTuple):
    """Records as AWS answered them, which JSON can hold, and when that was."""

    read_at: datetime
    records: Records


class Memory(Protocol):
    """Where endpoint configs are remembered by name, and answers by their subject, for one account and region. No
    method raises."""

    def recall(self, account: str, region: str) -> Configs:
        """What is remembered; nothing when there is none or it cannot be read."""
        ...

    def keep(self, account: str, region: str, configs: Configs) -> None:
        """Takes the place of what was remembered."""
        ...

    def recall_answer(self, account: str, region: str, subject: str) -> Answer | None:
        """The answer that is remembered; None when there is none or it cannot be read."""
        ...

    def keep_answer(self, account: str, region: str, subject: str, answer: Answer) -> None:
        """Takes the place of the answer that was remembered."""
        ...


def of_the_day(
    memory: Memory, account: str, region: str, subject: str, now: datetime, read: Callable[[], Records]
) -> Records:
    """The records remembered under ``subject``, where they were read less than a day ago; else what ``read`` gives,
    which is remembered. Raises what ``read`` raises."""
    known = memory.recall_answer(account, region, subject)
    if known is not None and timedelta(0) <= now - known.read_at < KEPT:
        return known.records
    records = read()
    memory.keep_answer(account, region, subject, Answer(now, records))
    return records


@dataclass
class ProcessMemory:
    """What this process remembers, before what ``below`` does: a warm Lambda function asks nothing for it."""

    below: Memory | None = None
    _kept: dict[tuple[str, str], Configs] = field(default_factory=dict)
    #: Where buckets lie, by partition and name.
    regions: dict[tuple[str, str], str] = field(default_factory=dict)
    _answers: dict[tuple[str, str, str], Answer] = field(default_factory=dict)

    def recall(self, account: str, region: str) -> Configs:
        """What the process remembers, else what lies below."""
        key = account, region
        if key not in self._kept:
            self._kept[key] = self.below.recall(account, region) if self.below is not None else {}
        return self._kept[key]

    def keep(self, account: str, region: str, configs: Configs) -> None:
        """Remembers in both places; below only what is news there."""
        known = self._kept.get((account, region), {})
        self._kept[account, region] = dict(configs)
        if self.below is not None and _identities(known.values()) != _identities(configs.values()):
            self.below.keep(account, region, configs)

    def recall_answer(self, account: str, region: str, subject: str) -> Answer | None:
        """What the process remembers, else what lies below."""
        key = account, region, subject
        if key not in self._answers and self.below is not None:
            known = self.below.recall_answer(account, region, subject)
            if known is None:
                return None
            self._answers[key] = known
        return self._answers.get(key)

    def keep_answer(self, account: str, region: str, subject: str, answer: Answer) -> None:
        """Remembers in both places."""
        self._answers[account, region, subject] = answer
        if self.below is not None:
            self.below.keep_answer(account, region, subject, answer)


def _identities(configs: "Iterable[EndpointConfig]") -> set[tuple[str, Any]]:
    return {(config.arn, config.created) for config in configs}
