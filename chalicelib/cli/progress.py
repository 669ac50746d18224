"""Progress on stderr, by stage, and only when a person is watching."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from chalicelib.inventory.reader import Progress, no_progress


@contextmanager
def _bars(*, enabled: bool) -> Iterator[Bars | None]:
    """The bars, or None when disabled, or when stderr is no terminal that can move its cursor."""
    console = Console(stderr=True)
    if not enabled or not sys.stderr.isatty() or console.is_dumb_terminal:
        yield None
        return
    bar = BarColumn(24 if console.width >= 100 else 12)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), bar, MofNCompleteColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        yield bars


@contextmanager
def shown_progress(*, enabled: bool) -> Iterator[Progress]:
    """A progress function for one audit: a bar for each stage. It shows nothing when nobody is watching."""
    with _bars(enabled=enabled) as bars:
        if bars is None:
            yield no_progress
            return
        tasks: dict[str, TaskID] = {}
        lock = Lock()

        def show(stage: str, done: int, total: int | None) -> None:
            with lock:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(f"{stage:<22}", total=total)
                bars.update(tasks[stage], completed=done, total=total)

        yield show


#: Takes the name of a part that begins; gives its progress function, and what to call when it is done.
Watch = Callable[[str], tuple[Progress, Callable[[], None]]]


@contextmanager
def shown_parts(total: int, *, enabled: bool) -> Iterator[Watch]:
    """For many audits side by side: one bar for all, and one for the stage of each that is under way."""
    with _bars(enabled=enabled) as bars:
        if bars is None:
            yield lambda name: (no_progress, lambda: None)
            return
        width = 50 if bars.console.width >= 80 else 30
        overall = bars.add_task(f"{'accounts and regions':<{width}}", total=total)

        def begun(name: str) -> tuple[Progress, Callable[[], None]]:
            own = bars.add_task(f"{name:<{width}}", total=None)

            def show(stage: str, done: int, total: int | None) -> None:
                bars.update(own, description=f"{f'{name}  {stage}':<{width}}"[:width], completed=done, total=total)

            def finished() -> None:
                bars.remove_task(own)
                bars.advance(overall)

            return show, finished

        yield begun
