"""What a finding is about, in the order in which people want to hear of it: a word that costs nothing to import."""

from enum import StrEnum


class Concern(StrEnum):
    """Something is ``broken`` now, ``would_break`` when an instance, a zone or a quota goes or load comes, only
    ``costs`` money, or is a matter of ``style``. ``rank`` grows from the first to the last."""

    BROKEN = "broken"
    WOULD_BREAK = "would_break"
    COSTS = "costs"
    STYLE = "style"

    @property
    def rank(self) -> int:
        return list(Concern).index(self)
