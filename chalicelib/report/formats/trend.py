"""The trend as a stacked area of open findings by severity: its shapes, to be drawn as SVG. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.report.posture import Point
from chalicelib.report.severity import Severity

WIDTH, HEIGHT = 640.0, 120.0


class Layer(NamedTuple):
    """One severity: the area that it fills, as an SVG path."""

    severity: Severity
    path: str


class Trend(NamedTuple):
    """The layers from the worst, at the bottom, upward; the scale's upper end; what it shows in words."""

    layers: list[Layer]
    most: int
    says: str


def stacked(points: Sequence[Point]) -> Trend | None:
    """The trend of two sweeps or more, oldest first; None with fewer."""
    if len(points) < 2:
        return None
    totals = [sum(point.open.values()) for point in points]
    most = max(*totals, 1)
    begin, end = points[0].at, points[-1].at
    span = (end - begin).total_seconds() or 1.0
    across = [WIDTH * (point.at - begin).total_seconds() / span for point in points]
    below = [0] * len(points)
    layers: list[Layer] = []
    for severity in reversed(Severity):
        above = [base + point.open.get(severity, 0) for base, point in zip(below, points, strict=True)]
        if above != below:
            edge = [f"{x:.1f} {_down(count, most)}" for x, count in zip(across, above, strict=True)]
            back = [f"{x:.1f} {_down(count, most)}" for x, count in zip(across, below, strict=True)]
            layers.append(Layer(severity, f"M{'L'.join([*edge, *reversed(back)])}Z"))
        below = above
    says = f"Open findings from {begin:%Y-%m-%d} ({totals[0]:,}) to {end:%Y-%m-%d} ({totals[-1]:,}), at most {most:,}"
    return Trend(layers, most, says)


def _down(count: int, most: int) -> str:
    return f"{HEIGHT * (1 - count / most):.1f}"
