"""What audits remember of each other: endpoint configs, which cannot be changed, by account and region."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from chalicelib.inventory.kinds.configs import EndpointConfig

Configs = Mapping[str, "EndpointConfig"]


class Memory(Protocol):
    """Where endpoint configs are remembered, by name, for one account and region. Neither method raises."""

    def recall(self, account: str, region: str) -> Configs:
        """What is remembered; nothing when there is none or it cannot be read."""
        ...

    def keep(self, account: str, region: str, configs: Configs) -> None:
        """Takes the place of what was remembered."""
        ...


@dataclass
class ProcessMemory:
    """What this process remembers, before what ``below`` does: a warm Lambda function asks nothing for it."""

    below: Memory | None = None
    _kept: dict[tuple[str, str], Configs] = field(default_factory=dict)

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


def _identities(configs: "Iterable[EndpointConfig]") -> set[tuple[str, Any]]:
    return {(config.arn, config.created) for config in configs}
