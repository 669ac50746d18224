"""How pytest runs the tests of a mutant: the quick ones first, the slow ones not at all, and no example is shrunk."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import Phase, settings

#: Where mutmut keeps what each test took, in seconds.
STATISTICS = Path("mutmut-stats.json")
#: A test that takes longer, in seconds, is left out, unless there is no other.
PATIENCE = 2.0


def pytest_configure() -> None:
    """The same examples in every run, so that a mutant lives or dies by what the tests say."""
    settings.register_profile(
        "mutants", settings.get_profile("auditor"), derandomize=True, phases=[Phase.explicit, Phase.generate]
    )
    settings.load_profile("mutants")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sorts them by what they took when mutmut watched them. Where they are only listed, all of them are."""
    if config.option.collectonly or not STATISTICS.exists():
        return
    seconds = json.loads(STATISTICS.read_text())["duration_by_test"]
    places = {test: place for place, test in enumerate(ordered([item.nodeid for item in items], seconds))}
    quick = [item for item in items if seconds.get(item.nodeid, 0.0) <= PATIENCE]
    items[:] = sorted(quick or items, key=lambda item: places[item.nodeid])


def ordered(tests: Iterable[str], seconds: Mapping[str, float]) -> list[str]:
    """The tests module by module, as each module may have an emulator of its own, the quickest module first."""
    tests = list(tests)
    by_module: defaultdict[str, float] = defaultdict(float)
    for test in tests:
        by_module[_module(test)] += seconds.get(test, 0.0)
    return sorted(tests, key=lambda test: (by_module[_module(test)], _module(test), seconds.get(test, 0.0)))


def _module(test: str) -> str:
    return test.partition("::")[0]
