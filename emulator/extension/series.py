"""Metric datapoints by series, so that a query costs what it returns, not what is stored."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

SeriesKey = tuple[str, str, frozenset[tuple[str, str]]]

_TIME, _SUM, _COUNT, _MINIMUM, _MAXIMUM = range(5)
Point = tuple[float, float, float, float, float]
"""Time, sum, sample count, minimum and maximum."""


@dataclass
class Series:
    """The datapoints of one metric with one set of dimensions."""

    unit: str | None = None
    _points: list[Point] = field(default_factory=list)
    _sorted: bool = True
    _buckets: dict[int, list[Point]] = field(default_factory=dict)

    def add(self, points: Iterable[Point]) -> None:
        self._points.extend(points)
        self._sorted = False
        self._buckets.clear()

    def points(self) -> list[Point]:
        if not self._sorted:
            self._points.sort()
            self._sorted = True
        return self._points

    def _bucketed(self, period: int) -> list[Point]:
        """One point for each period that has data, at the start of the period; periods begin at multiples of it."""
        if period not in self._buckets:
            self._buckets[period] = _merge(self.points(), period)
        return self._buckets[period]

    def statistic(
        self, name: str, period: int, start: float, end: float, unit: str | None = None
    ) -> tuple[list[float], list[float]]:
        """Timestamps and values, oldest first, of the datapoints from `start` until before `end` (epoch seconds).

        Periods without data are left out. Raises ValueError for a statistic that CloudWatch has not.
        """
        if unit is not None and self.unit is not None and unit != self.unit:
            return [], []
        if name.startswith("p"):
            return self._percentile(float(name[1:]), period, start, end)
        if start % period == 0 and end % period == 0:
            buckets = self._bucketed(period)
            buckets = buckets[bisect_left(buckets, (start,)) : bisect_left(buckets, (end,))]
        else:
            buckets = _merge(self._between(start, end), period)
        return [bucket[_TIME] for bucket in buckets], _values(name, buckets)

    def _between(self, start: float, end: float) -> list[Point]:
        points = self.points()
        return points[bisect_left(points, (start,)) : bisect_left(points, (end,))]

    def _percentile(self, percent: float, period: int, start: float, end: float) -> tuple[list[float], list[float]]:
        if not 0 <= percent <= 100:
            raise ValueError(f"p{percent} is no percentile")
        samples: dict[float, list[tuple[float, float]]] = {}
        for point in self._between(start, end):
            moment = point[_TIME] // period * period
            samples.setdefault(moment, []).append((point[_SUM] / point[_COUNT], point[_COUNT]))
        moments = sorted(samples)
        return moments, [_weighted_percentile(sorted(samples[moment]), percent) for moment in moments]


def _merge(points: list[Point], period: int) -> list[Point]:
    moments = [point[_TIME] for point in points]
    if len(set(moments)) == len(moments) and not any(moment % period for moment in moments):
        return points  # those of minutes, asked for by minutes
    merged: list[Point] = []
    first = 0
    while first < len(points):
        bucket = points[first][_TIME] // period * period
        end = bisect_left(points, (bucket + period,), first)
        _, totals, counts, minima, maxima = zip(*points[first:end], strict=True)
        merged.append((bucket, sum(totals), sum(counts), min(minima), max(maxima)))
        first = end
    return merged


def _values(name: str, buckets: list[Point]) -> list[float]:
    if name == "Average":
        return [bucket[_SUM] / bucket[_COUNT] for bucket in buckets]
    columns = {"Sum": _SUM, "SampleCount": _COUNT, "Minimum": _MINIMUM, "Maximum": _MAXIMUM}
    if name not in columns:
        raise ValueError(f"{name} is no statistic")
    column = columns[name]
    return [bucket[column] for bucket in buckets]


def _weighted_percentile(samples: list[tuple[float, float]], percent: float) -> float:
    """The value at a rank, linear between neighbours."""
    total = sum(count for _, count in samples)
    rank = (total - 1) * percent / 100
    lower, upper = _at(samples, math.floor(rank)), _at(samples, math.ceil(rank))
    return lower + (upper - lower) * (rank - math.floor(rank))


def _at(samples: list[tuple[float, float]], index: float) -> float:
    seen = 0.0
    for value, count in samples:
        seen += count
        if index < seen:
            return value
    return samples[-1][0]
