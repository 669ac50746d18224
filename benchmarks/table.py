"""The table of a run: a figure a row, with its target, minimum, median and maximum."""

import os
import platform
import statistics
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Row:
    """One figure over the rounds. ``met`` is None where there is no target."""

    name: str
    values: list[float]
    target: str = ""
    met: bool | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def cells(self) -> tuple[str, ...]:
        """Name, target, minimum, median, maximum, and whether the target is met."""
        numbers = (min(self.values), self.median, max(self.values))
        return (self.name, self.target, *map(_number, numbers), {None: "", True: "met", False: "MISSED"}[self.met])


@dataclass
class Table:
    """Rows in the order in which they were measured, notes beside them, and sentences about what was left out."""

    rows: list[Row] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def row(self, name: str, values: list[float] | list[int], target: str = "", met: bool | None = None) -> None:
        """Adds a figure."""
        self.rows.append(Row(name, [float(value) for value in values], target, met))

    def text(self) -> str:
        """The table as people read it."""
        head = ("figure", "target", "min", "median", "max", "")
        lines = [head, *(row.cells() for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        left = (0, 1, 5)
        shown = [
            "  ".join(
                cell.ljust(width) if column in left else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        shown.insert(1, "-" * max(len(line) for line in shown))
        return "\n".join([*shown, *self.skipped])

    def as_json(self) -> dict[str, Any]:
        """Everything, with the machine that it was measured on."""
        return {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()},
            "figures": [
                {
                    "name": row.name,
                    "target": row.target or None,
                    "met": row.met,
                    "min": min(row.values),
                    "median": row.median,
                    "max": max(row.values),
                    "values": row.values,
                }
                for row in self.rows
            ],
            "notes": self.notes,
            "skipped": self.skipped,
        }


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
