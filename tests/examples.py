"""How many examples a property is tried with: a quarter in the suite that every change passes, all in ``make slow``."""

import os

from hypothesis import settings

ALL = bool(os.environ.get("AUDITOR_ALL_EXAMPLES"))
SHARE = 4


def number(full: int) -> int:
    """``full``, or the quarter of it (at least one) that the quick suite takes."""
    return full if ALL else max(1, full // SHARE)


def examples(full: int) -> settings:
    """Hypothesis' settings for a property that is worth ``full`` examples."""
    return settings(max_examples=number(full))
