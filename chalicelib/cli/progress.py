"""Progress on stderr, by stage, and only when a person is watching."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from chalicelib.inventory.reading import Progress, no_progress


@contextmanager
def shown_progress(*, enabled: bool) -> Iterator[Progress]:
    """A progress function for the auditor; it shows nothing when disabled or when stderr is not a terminal."""
    console = Console(stderr=True)
    if not enabled or not console.is_terminal:
        yield no_progress
        return
    columns = (SpinnerColumn(), TextColumn("{task.description:<22}"), BarColumn(24), MofNCompleteColumn())
    tasks: dict[str, TaskID] = {}
    lock = Lock()
    with Bars(*columns, console=console, transient=True) as bars:

        def show(stage: str, done: int, total: int | None) -> None:
            with lock:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(stage, total=total)
                bars.update(tasks[stage], completed=done, total=total)

        yield show
