"""How bad a finding is: a word that options of the terminal share, and that costs nothing to import."""

from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is. ``rank`` grows with it: info 0 … critical 4."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def shifted(self, steps: int) -> "Severity":
        """The severity ``steps`` above (or, negative, below) this one, held within the scale."""
        scale = list(Severity)
        return scale[max(0, min(len(scale) - 1, self.rank + steps))]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
