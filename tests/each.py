"""One check for many cases in one test: starting a test costs more than asking a case."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Case = TypeVar("Case")


def check_each(cases: Iterable[Case], check: Callable[[Case], None], name: Callable[[Case], str] = str) -> None:
    """Checks every case, also after one that failed; raises ExceptionGroup with each failure under its case's name.

    Raises AssertionError when there is no case: it would be a test that cannot fail.
    """
    cases = list(cases)
    assert cases, "there is no case"
    failures: list[Exception] = []
    for case in cases:
        try:
            check(case)
        except Exception as failure:
            failure.add_note(f"in the case: {name(case)}")
            failures.append(failure)
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {len(cases)} cases failed", failures)
