"""How pytest runs the tests of a mutant: what is quick comes first, and an example that fails is not made smaller."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import Phase, settings

#: Where mutmut keeps what each test took, in seconds.
STATISTICS = Path("mutmut-stats.json")


def pytest_configure() -> None:
    """The same examples in every run, so that a mutant lives or dies by what the tests say."""
    settings.register_profile(
        "mutants", settings.get_profile("auditor"), derandomize=True, phases=[Phase.explicit, Phase.generate]
    )
    settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts them by what they took when mutmut watched them."""
    if STATISTICS.exists():
        places = ordered([item.nodeid for item in items], json.loads(STATISTICS.read_text())["duration_by_test"])
        items.sort(key=lambda item: places.index(item.nodeid))


def ordered(tests: Iterable[str], seconds: Mapping[str, float]) -> list[str]:
    """The tests module by module, as each module may have an emulator of its own, the quickest module first."""
    tests = list(tests)
    by_module: defaultdict[str, float] = defaultdict(float)
    for test in tests:
        by_module[_module(test)] += seconds.get(test, 0.0)
    return sorted(tests, key=lambda test: (by_module[_module(test)], _module(test), seconds.get(test, 0.0)))


def _module(test: str) -> str:
    return test.partition("::")[0]
