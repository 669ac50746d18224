"""Loads as they are written on paper: ``100×10 350×30`` is ten minutes of 100 and thirty of 350; ``–`` is a gap."""

import math
from array import array
from collections.abc import Iterable


def load(written: str) -> "array[float]":
    """The load of every minute."""
    values = array("d")
    for piece in written.split():
        value, _, minutes = piece.partition("×")
        values.extend([math.nan if value == "–" else float(value)] * int(minutes or 1))
    return values


def runs(counts: Iterable[int]) -> str:
    """Counts of minutes, written in the same way."""
    written: list[list[int]] = []
    for count in counts:
        if written and written[-1][0] == count:
            written[-1][1] += 1
        else:
            written.append([count, 1])
    return " ".join(f"{count}×{minutes}" for count, minutes in written)
