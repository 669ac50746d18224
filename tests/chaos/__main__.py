"""``python -m tests.chaos``: tries all of it, or a share drawn by a seed; ends with one line of figures."""

import argparse
import multiprocessing
import sys
from collections.abc import Iterator

from tests.chaos.outcome import Outcome, line
from tests.chaos.trials import Group, groups

KINDS = ("answers", "deaths", "outages")


def tried(work: tuple[Group, float, int]) -> tuple[Group, list[tuple[str, Outcome]]]:
    """A share of a group, in a process of its own."""
    group, share, seed = work
    return group, list(group.tried(share, seed))


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
        (group, share, options.seed)
        for group, share in groups(options.share, options.seed)
        if group.kind in (options.kind or KINDS) and options.story in group.name
    ]
    outcomes: list[Outcome] = []
    for group, named in _worked(works, options.jobs):
        for name, outcome in named:
            outcomes.append(outcome)
            for reason in outcome.reasons:
                print(f"{group.kind}: {name}: {reason}")
        if options.share == 1:
            print(f"{group.kind}, {group.name}: {line(outcome for _, outcome in named)}", flush=True)
    print(f"chaos: {line(outcomes)}")
    return 1 if any(outcomes) else 0


def _worked(works: list[tuple[Group, float, int]], jobs: int) -> Iterator[tuple[Group, list[tuple[str, Outcome]]]]:
    if jobs == 1:
        yield from map(tried, works)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(tried, works)


if __name__ == "__main__":
    sys.exit(main())
