"""Numbers of which no more than bounds are known, as of a parameter with a MinValue: they decide what bounds decide."""

from typing import Any, Self

from chalicelib.inventory.facts import Unread


class Between(int):
    """A whole number from ``least`` to ``most`` (None: no limit), as an integer its greatest, else its least.

    A comparison that the bounds leave open raises Unread with the reason, and so does all arithmetic.
    """

    least: int
    most: int | None
    unread: Unread

    def __new__(cls, least: int, most: int | None, unread: Unread) -> Self:
        number = super().__new__(cls, least if most is None else most)
        number.least, number.most, number.unread = least, most, unread
        return number

    def _certain(self, holds: bool, fails: bool) -> bool:
        if holds or fails:
            return holds
        raise Unread(str(self.unread), self.unread.operation, self.unread.shown)

    def __lt__(self, other: int) -> bool:
        least, most = ends(other)
        return self._certain(_below(self.most, least), most is not None and self.least >= most)

    def __le__(self, other: int) -> bool:
        least, most = ends(other)
        holds = self.most is not None and self.most <= least
        return self._certain(holds, most is not None and self.least > most)

    def __gt__(self, other: int) -> bool:
        return not self.__le__(other)

    def __ge__(self, other: int) -> bool:
        return not self.__lt__(other)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int):
            return False
        least, most = ends(other)
        return self._certain(self is other, _below(self.most, least) or _below(most, self.least))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.least, self.most))

    def __bool__(self) -> bool:
        return self != 0

    def __str__(self) -> str:
        if self.most is None:
            return f"{self.least} or more"
        return f"{self.least} to {self.most}" if self.least else f"at most {self.most}"

    __repr__ = __str__

    def __format__(self, _: str) -> str:
        return str(self)


def _arithmetic(self: Between, *_: Any) -> Any:
    return self._certain(False, False)


class InWords(int):
    """A number within bounds as texts show it: as an integer it compares like any other."""

    words: str

    def __new__(cls, number: Between) -> Self:
        shown = super().__new__(cls, int(number))
        shown.words = str(number)
        return shown

    def __str__(self) -> str:
        return self.words


_OPERATIONS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "divmod")
for _name in (*_OPERATIONS, *(f"r{name}" for name in _OPERATIONS), "neg", "abs", "round"):
    setattr(Between, f"__{_name}__", _arithmetic)


def ends(number: int) -> tuple[int, int | None]:
    """The least and the greatest that a number can be."""
    return (number.least, number.most) if isinstance(number, Between) else (number, number)


def _below(most: int | None, least: int) -> bool:
    return most is not None and most < least


def greater(first: int | Unread | None, second: int | Unread | None) -> int | Unread | None:
    """The greater of two counts of which either may be unknown, or unknown within bounds."""
    unread = next((count for count in (first, second) if isinstance(count, Unread)), None)
    known = [ends(count) for count in (first, second) if isinstance(count, int)]
    if not known:
        return unread
    reasons = [count.unread for count in (first, second) if isinstance(count, Between)]
    reason = unread or (reasons[0] if reasons else Unread(""))
    least = max(pair[0] for pair in known)
    limits = [pair[1] for pair in known]
    most = None if unread or None in limits else max(limit for limit in limits if limit is not None)
    return bounded(least, most, reason)


def bounded(least: int, most: int | None, unread: Unread) -> int:
    """The number itself where the bounds leave one only."""
    return least if most == least else Between(least, most, unread)
