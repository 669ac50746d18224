"""How many examples a property is tried with: an eighth in the suite that every change passes, all in ``make slow``."""

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

Value = TypeVar("Value")

ALL = bool(os.environ.get("AUDITOR_ALL_EXAMPLES"))
SHARE = 8


def number(full: int) -> int:
    """``full``, or the eighth of it (at least one) that the quick suite takes."""
    return full if ALL else max(1, full // SHARE)


def examples(full: int) -> settings:
    """Hypothesis' settings for a property that is worth ``full`` examples."""
    return settings(max_examples=number(full))


def sampled(values: Sequence[Value]) -> Sequence[Value]:
    """All of the values, or every eighth of them, the first among them."""
    return values if ALL else values[::SHARE]
