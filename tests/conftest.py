"""What the tests share: an emulator for each module, and a service that audits it."""

from __future__ import annotations

import gc
import re
import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from chalicelib import collect_seldom
from tests import once

if TYPE_CHECKING:  # what only the emulator needs takes seconds to import, and the pure tests are to be quick
    from chalicelib.service import Service
    from emulator.front import Front
    from emulator.server import Emulator

# A busy machine makes no example wrong: none has a deadline, and no health check looks at the clock.
settings.register_profile("auditor", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("auditor")
once.share()
collect_seldom()

#: A module whose tests are thorough one and all.
WHOLLY_THOROUGH = re.compile(r"^pytestmark = pytest\.mark\.thorough\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """``make quick`` does not even import the modules that it leaves out."""
    left_out = "not thorough" in config.option.markexpr and collection_path.suffix == ".py"
    return True if left_out and WHOLLY_THOROUGH.search(collection_path.read_text(encoding="utf-8")) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A property is thorough: it takes many examples."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.thorough)


def pytest_collection_finish() -> None:
    """The collector leaves alone what the imports have brought."""
    gc.freeze()


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders that are not there yet, one for each test: most tests need none, and there are thousands."""
    folder = tmp_path_factory.mktemp("caches")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def cache_folder(caches: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own: nothing is remembered from test to test."""
    cache = next(caches)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return cache / "sagemaker-auditor"


@pytest.fixture(scope="module")
def running_emulator() -> Iterator[Emulator]:
    """One emulator for the tests of a module."""
    from emulator.front import Front
    from emulator.server import Emulator

    with Emulator(Front()) as emulator:
        yield emulator


@pytest.fixture
def direct_calls(running_emulator: Emulator) -> Iterator[None]:
    """What this process asks of the emulator goes there without sockets."""
    from tests.direct import direct

    with direct(running_emulator):
        yield


@pytest.fixture
def emulator(running_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator, empty, and the environment pointing at it."""
    running_emulator.reset()
    assert running_emulator.front is not None
    running_emulator.front.clear()
    for name, value in running_emulator.environment().items():
        monkeypatch.setenv(name, value)
    return running_emulator


@pytest.fixture
def front(emulator: Emulator) -> Front:
    """The front of the emulator: counts, denies, delays."""
    assert emulator.front is not None
    return emulator.front


def interruptible() -> None:
    """For a child process: takes interrupts again where whoever runs the tests ignores them, as a shell does for what
    it runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


NewService = Callable[..., "Service"]


@pytest.fixture
def new_service(emulator: Emulator) -> NewService:
    """Makes services whose clients talk to the emulator."""
    import boto3

    from chalicelib.service import Service
    from chalicelib.settings import Settings
    from emulator.server import DEFAULT_REGION

    return lambda **settings: Service(Settings(**settings), boto3.Session(region_name=DEFAULT_REGION))
