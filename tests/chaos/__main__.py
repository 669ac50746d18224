"""``python -m tests.chaos``: tries all of it, or a share drawn by a seed; ends with one line of figures."""

import argparse
import multiprocessing
import sys
from collections.abc import Iterator

from tests.chaos.outcome import Outcome, line
from tests.chaos.trials import groups
from tests.chaos.work import Work, tried

KINDS = ("answers", "deaths", "outages")


def main() -> int:
    """0 when everything held."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="how much of it, from 0 to 1 (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind of trials")
    parser.add_argument("--story", default="", help="only groups with this in their name")
    options = parser.parse_args()
    if not 0 < options.share <= 1:
        parser.error(f"--share {options.share}; accepted is a number above 0, at most 1")
    works = [
        Work(group.kind, group.name, options.share, options.seed)
        for group, _ in groups(options.share, options.seed)
        if group.kind in (options.kind or KINDS) and options.story in group.name
    ]
    outcomes: list[Outcome] = []
    for work, named in _worked(works, options.jobs):
        for name, outcome in named:
            outcomes.append(outcome)
            for reason in outcome.reasons:
                print(f"{work.kind}: {name}: {reason}")
        if options.share == 1:
            print(f"{work.kind}, {work.name}: {line(outcome for _, outcome in named)}", flush=True)
    print(f"chaos: {line(outcomes)}")
    return 1 if any(outcomes) else 0


def _worked(works: list[Work], jobs: int) -> Iterator[tuple[Work, list[tuple[str, Outcome]]]]:
    if jobs == 1:
        yield from map(tried, works)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(tried, works)


if __name__ == "__main__":
    sys.exit(main())
