"""What an audit costs, in one table and in ``out/bench.json``. Ratios are those of one run on one machine.

    python -m benchmarks [--rounds 5] [--endpoints 500] [--jobs 5000] [--latency 0.04] [--full] [--only PART …]

Every audit's findings are compared with those of the slow way and with the defects that were planted; a difference ends
the run with exit code 1. A missed target does not: it is shown as missed. ``--full`` runs the slow way at full latency,
which takes minutes; without it the loop runs at no latency, and its calls × latency are added, as none overlap.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import bursts, cold_start, faces, judging, rehearsing, runs
from benchmarks.account import Account, Sizes
from benchmarks.reference import unavoidable
from benchmarks.running import ROOT, Running, serving
from benchmarks.table import Row, Table

RATE, BURST = 20.0, 40.0


class Wrong(Exception):
    """Two ways to the same knowledge found different things."""


@dataclass
class Bench:
    """One run: the options, the table, and what the findings must be."""

    options: argparse.Namespace
    folder: Path
    table: Table = field(default_factory=Table)
    digests: dict[tuple[int, int], str] = field(default_factory=dict)

    def account(self, endpoints: int, jobs: int, unhealthy: float = 0.1) -> Account:
        return Account(Sizes.of(endpoints, jobs, unhealthy=unhealthy), int(time.time()))

    def checked(self, account: Account, figures: dict[str, Any], what: str, *, blind: bool = False) -> dict[str, Any]:
        """What was told, when it tells the planted defects and the same as every other way. Raises Wrong."""
        if figures["blind"] and not blind:
            raise Wrong(f"{what} has blind spots: {figures['blind'][:3]}")
        findings = {(rule, name) for rule, name in figures["told"]}
        if missing := account.expected() - findings:
            raise Wrong(f"{what} does not tell {len(missing)} planted defects: {sorted(missing)[:3]}")
        digest = self.digests.setdefault((account.sizes.endpoints, account.sizes.jobs), figures["digest"])
        if figures["digest"] != digest:
            raise Wrong(f"{what} found other things than the way before it")
        return figures

    # ---- the parts

    def audits(self) -> None:
        """Calls and time of audit and reference, cold and warm, in turn; then the slow way."""
        sizes = self.account(self.options.endpoints, self.options.jobs).sizes
        with serving(Account(sizes, int(time.time())), self.folder, latency=self.options.latency) as running:
            rounds: dict[str, list[dict[str, Any]]] = {"cold": [], "warm": [], "limit": [], "limit warm": []}
            for _ in range(self.options.rounds):
                shutil.rmtree(self.folder / "cache", ignore_errors=True)
                rounds["cold"].append(self.checked(running.account, running.measure("audit"), "the cold audit"))
                rounds["limit"].append(running.measure("reference"))
                rounds["warm"].append(self.checked(running.account, running.measure("audit"), "the warm audit"))
                rounds["limit warm"].append(running.measure("reference", environment={"BENCH_REMEMBERED": "1"}))
            self._rows_of_audits(sizes, rounds)
            self._other_policies(running)
            self._slow(running, rounds)

    def _rows_of_audits(self, sizes: Sizes, rounds: dict[str, list[dict[str, Any]]]) -> None:
        row = self.table.row
        for kind, limit, remembered in (("cold", "limit", False), ("warm", "limit warm", True)):
            least = unavoidable(sizes, remembered=remembered)
            calls = [_calls(figures) for figures in rounds[kind]]
            row(
                f"calls, {kind}",
                calls,
                f"≤ {1.1 * least + 25:.0f} (1.1 × {least} + 25)",
                max(calls) <= 1.1 * least + 25,
            )
            walls, walls_limit = _each(rounds[kind], "wall"), _each(rounds[limit], "wall")
            ratios = [ours / theirs for ours, theirs in zip(walls, walls_limit, strict=True)]
            row(f"seconds, {kind}", walls)
            row(f"seconds, {kind}, reference", walls_limit)
            row(f"seconds, {kind}, ÷ reference", ratios, "≤ 1", _median(ratios) <= 1)
            row(f"CPU seconds, {kind}", _each(rounds[kind], "cpu"))
            row(f"CPU seconds, {kind}, reference", _each(rounds[limit], "cpu"))
            row(f"peak MB, {kind}", _each(rounds[kind], "peak_mb"))
        self.table.notes["calls by operation, cold"] = rounds["cold"][0]["served"]["calls"]
        self.table.notes["calls by operation, warm"] = rounds["warm"][0]["served"]["calls"]

    def _other_policies(self, running: Running) -> None:
        """What the policies ask for beyond the default one, cold; what the account has no answer for is counted."""
        for policy in ("resilience", "cost"):
            figures = running.measure("audit", environment={**_NO_CACHE, "AUDITOR_POLICY": policy})
            self.table.row(f"calls, cold, {policy}", [_calls(figures)])
            self.table.row(f"seconds, cold, {policy}", [figures["wall"]])
            self.table.row(f"blind spots, {policy}", [len(figures["blind"])])
            self.table.notes[f"calls by operation, {policy}"] = figures["served"]["calls"]

    def _slow(self, running: Running, rounds: dict[str, list[dict[str, Any]]]) -> None:
        latency = self.options.latency if self.options.full else 0.0
        running.control(latency=latency)
        figures = self.checked(running.account, running.measure("naive"), "the slow way")
        calls = _calls(figures)
        wall = figures["wall"] + (0.0 if self.options.full else calls * self.options.latency)
        how = "measured" if self.options.full else f"{figures['wall']:.1f} s without latency + calls × latency"
        self.table.row("calls, slow way", [calls])
        self.table.row(f"seconds, slow way ({how})", [wall])
        ratio = wall / _median(_each(rounds["cold"], "wall"))
        self.table.row("slow way ÷ cold audit", [ratio], "≥ 20", ratio >= 20)
        self.table.row("peak MB, slow way", [figures["peak_mb"]])

    def throttled(self) -> None:
        """20 calls a second and a burst of 40 for each operation."""
        account = self.account(self.options.endpoints, self.options.jobs)
        with serving(account, self.folder, latency=self.options.latency) as running:
            plain = self.checked(account, running.measure("audit", environment=_NO_CACHE), "the audit")
            running.control(rate=RATE, burst=BURST)
            figures = self.checked(account, running.measure("audit", environment=_NO_CACHE), "the throttled audit")
        busiest = max(plain["served"]["calls"].values())
        allowed = 1.3 * busiest / RATE
        self.table.row(
            "seconds, throttled",
            [figures["wall"]],
            f"≤ {allowed:.1f} (1.3 × {busiest} ÷ 20)",
            figures["wall"] <= allowed,
        )
        self.table.row("calls refused, throttled", [sum(figures["served"]["refused"].values())])
        more = figures["unknown"] - plain["unknown"]  # policies whose alarms are gone cannot be rehearsed in either
        self.table.row("more outcomes unknown, throttled", [more], "0", more == 0)

    def memory(self) -> None:
        """Peak memory with few and with many healthy jobs, each in a fresh process."""
        peaks = {}
        for jobs in (10_000, 100_000):
            with serving(self.account(20, jobs, unhealthy=0), self.folder, latency=0) as running:
                figures = running.measure("audit", environment=_NO_CACHE)
                peaks[jobs] = figures["peak_mb"]
                self.table.row(f"CPU seconds, {jobs:,} jobs", [figures["cpu"]])
        most, growth = peaks[100_000], peaks[100_000] - peaks[10_000]
        self.table.row("peak MB, 100,000 healthy jobs", [most], "< 200", most < 200)
        self.table.row("MB more than with 10,000", [growth], "< 5", growth < 5)

    def judging(self) -> None:
        """Outcomes a second without any reading."""
        rate, _ = judging.rate(self.account(self.options.endpoints, self.options.jobs))
        self.table.row("outcomes a second, one core", [rate], "≥ 100,000", rate >= 100_000)

    def rehearsal(self) -> None:
        """Replays of automatic scaling, and the search for a setting that would have been enough."""
        rehearsing.rows(self.table)

    def rehearsed(self) -> None:
        """A sweep that rehearses every variant beside the one that rehearses none, in turn."""
        with serving(
            self.account(self.options.endpoints, self.options.jobs), self.folder, latency=self.options.latency
        ) as running:
            rounds: dict[str, list[dict[str, Any]]] = {"audit": [], "rehearsed": []}
            for _ in range(self.options.rounds):
                for work, measured in rounds.items():
                    measured.append(running.measure(work, environment=_NO_CACHE))
        for work, name in (("audit", "without rehearsals"), ("rehearsed", "with rehearsals")):
            self.table.row(f"calls, {name}", [_calls(figures) for figures in rounds[work]])
            for key, words in (("wall", "seconds"), ("cpu", "CPU seconds"), ("peak_mb", "peak MB")):
                self.table.row(f"{words}, {name}", _each(rounds[work], key))
        self.table.notes["calls by operation, with rehearsals"] = rounds["rehearsed"][0]["served"]["calls"]

    def events(self) -> None:
        """Calls of the audits that events ask for."""
        with serving(self.account(300, 200), self.folder, latency=self.options.latency) as running:
            for kind, most in (("endpoint", 16), ("job", 4)):
                calls = sum(running.measure(kind)["calls"].values())
                self.table.row(f"calls, event of one {kind}", [calls], f"≤ {most}", calls <= most)

    def bursts(self) -> None:
        """What telling adds to many events at once."""
        bursts.rows(self.table, self.folder, self.options.latency)

    def runs(self) -> None:
        """What a run of many parts takes, and a digest of very many findings."""
        runs.rows(self.table, self.folder)

    def faces(self) -> None:
        """CPU of ``GET /audit`` from the ledger, and of the report page."""
        faces.rows(self.table, self.folder, self.options.rounds)

    def cold(self) -> None:
        """Cold start of the packed handlers."""
        cold_start.rows(self.table)

    def growth(self) -> None:
        """How the cost grows with endpoints and jobs, at no latency: calls and CPU."""
        for endpoints, jobs in ((100, 1_000), (1_000, 10_000), (2_000, 50_000)):
            account = self.account(endpoints, jobs)
            with serving(account, self.folder, latency=0) as running:
                figures = self.checked(account, running.measure("audit", environment=_NO_CACHE), "the audit")
            self.table.row(f"calls, {endpoints:,} endpoints and {jobs:,} jobs", [_calls(figures)])
            self.table.row(f"CPU seconds, {endpoints:,} endpoints and {jobs:,} jobs", [figures["cpu"]])
            self.table.row(f"peak MB, {endpoints:,} endpoints and {jobs:,} jobs", [figures["peak_mb"]])


_NO_CACHE = {"XDG_CACHE_HOME": "/dev/null"}
PARTS: dict[str, Callable[[Bench], None]] = {
    "audits": Bench.audits,
    "throttled": Bench.throttled,
    "memory": Bench.memory,
    "judging": Bench.judging,
    "rehearsal": Bench.rehearsal,
    "rehearsed": Bench.rehearsed,
    "events": Bench.events,
    "bursts": Bench.bursts,
    "runs": Bench.runs,
    "faces": Bench.faces,
    "cold": Bench.cold,
    "growth": Bench.growth,
}


def _calls(figures: dict[str, Any]) -> int:
    return sum(figures["served"]["calls"].values())


def _each(rounds: list[dict[str, Any]], key: str) -> list[float]:
    return [float(figures[key]) for figures in rounds]


def _median(values: list[float]) -> float:
    return Row("", values).median


def options_of(arguments: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks", description="What an audit costs.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the timed audits")
    parser.add_argument("--endpoints", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=5_000, help="training jobs in the look-back window")
    parser.add_argument("--latency", type=float, default=0.04, help="seconds a call")
    parser.add_argument("--full", action="store_true", help="run the slow way at full latency (minutes)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to run")
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "bench.json")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Measures, prints and writes; 1 when two ways disagree."""
    options = options_of(arguments)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(options, Path(name))
        try:
            for part in options.only:
                print(f"… {part}", file=sys.stderr, flush=True)
                PARTS[part](bench)
        except Wrong as wrong:
            print(f"bench: {wrong}", file=sys.stderr)
            return 1
    print(bench.table.text())
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(bench.table.as_json(), indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
