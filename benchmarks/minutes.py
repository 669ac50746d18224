"""What ``GetMetricData`` answers for every minute: traffic with days, weekends, noise and surges, as text made once, so
that the server's share of the cores stays small."""

import json
from collections.abc import Sequence
from functools import cache

from benchmarks.rehearsing import traffic
from chalicelib.inventory.traffic import MOST_DAYS

#: Different traffics; the first two are more than the instances carry at times: a tenth of them is searched for.
SHAPES, TOO_MUCH = 20, 2
#: Two instances serve throughout.
SHARE = 0.5


@cache
def moments(begin: int, minutes: int) -> str:
    """The beginnings of so many minutes, as AWS's JSON has them."""
    return json.dumps([float(begin + 60 * minute) for minute in range(minutes)], separators=(",", ":"))


@cache
def requests(shape: int, minutes: int) -> str:
    """The requests of each minute of one of the shapes."""
    factor = 4.0 if shape < TOO_MUCH else 1.0
    return _written([round(value * factor) for value in traffic(MOST_DAYS, shape)[:minutes]])


@cache
def constant(value: float, minutes: int) -> str:
    """The same value in each minute."""
    return _written([value] * minutes)


def _written(values: Sequence[float]) -> str:
    return json.dumps([float(value) for value in values], separators=(",", ":"))
