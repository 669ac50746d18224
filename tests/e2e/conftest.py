"""One deployed stack for the whole suite, and the time of each step at its end."""

import os
import shutil
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import boto3
import pytest

from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.e2e.stack import BUCKET, SOURCES, Ministack, Stack, ministack_python
from tools.package import package

STEPS: list[tuple[str, float]] = []


@pytest.fixture(scope="session")
def front() -> Front:
    """The front of the emulator: denies, fails, delays."""
    return Front()


@pytest.fixture(scope="session")
def stack(front: Front, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The packed stack, deployed."""
    folder = tmp_path_factory.mktemp("e2e")
    ministack_python()
    begun = time.monotonic()
    with (
        pytest.MonkeyPatch.context() as environment,
        Emulator(front) as emulator,
        Ministack(emulator, folder).running() as ministack,
    ):
        for name in [name for name in os.environ if name.startswith(("AWS_", "AUDITOR_"))]:
            environment.delenv(name)
        for name, value in {**ministack.environment, **SOURCES}.items():
            environment.setenv(name, value)
        environment.setenv("AWS_CONFIG_FILE", os.devnull)
        environment.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        STEPS.append(("two emulators started", time.monotonic() - begun))
        begun = time.monotonic()
        packed = package(folder / "packed")
        STEPS.append(("packed for Lambda", time.monotonic() - begun))

        def pack(target: Path, stage: str) -> Path:
            shutil.copytree(packed.parent, target, dirs_exist_ok=True)
            return target / packed.name

        # The account's root: ministack takes an account's id as its access key.
        session = boto3.Session(ACCOUNT, "secret", region_name=REGION)
        begun = time.monotonic()
        stack = Stack(ministack, session, folder, pack)
        stack.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        stack.deploy()
        STEPS.append(("deployed with CloudFormation", time.monotonic() - begun))
        stack.subscribe()
        yield stack


@pytest.fixture(autouse=True)
def unhindered(stack: Stack, front: Front) -> Iterator[None]:
    """Each step begins with an emulator that refuses nothing, and with nothing left to read."""
    front.clear()
    stack.received()
    stack.taken(stack.outputs["DeadLettersUrl"])
    yield
    front.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Puts what the functions and ministack have said beside a failure."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(stack, Stack):
        report.sections.append(("logs of the functions", stack.said(call.start)[-20_000:]))
        report.sections.append(("ministack", stack.ministack.log[-5_000:]))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keeps the time of each step."""
    if report.when == "call":
        name = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        STEPS.append((name if report.passed else f"{name} ({report.outcome})", report.duration))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells how long each step took."""
    terminalreporter.section("time of each step")
    for name, seconds in STEPS:
        terminalreporter.write_line(f"{seconds:7.1f} s  {name}")
    terminalreporter.write_line(f"{sum(seconds for _, seconds in STEPS):7.1f} s  in all")
