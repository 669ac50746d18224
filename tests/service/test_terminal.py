"""The command line as a process of its own: in tmux at two widths, interrupted, cut off by its reader, completed."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from chalicelib.rules import RULES
from emulator.account import build
from emulator.front import Front
from emulator.server import Emulator
from emulator.wire import Call
from tests.conftest import interruptible
from tests.golden import assert_golden

pytestmark = pytest.mark.slow

AUDITOR = [sys.executable, "-m", "chalicelib.cli"]
ROOT = Path(__file__).resolve().parents[2]
#: What differs from one audit to the next.
PASSING = re.compile(r"[\d,]+ calls · [\d.]+ s")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")
PATIENCE = 60


@pytest.fixture(scope="module")
def account() -> Iterator[Emulator]:
    """The emulator with the demo account, built once: nothing here changes it."""
    with Emulator(Front()) as emulator, pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        build(now=datetime.now(UTC))
        yield emulator


@pytest.fixture
def front(account: Emulator) -> Front:
    """The front of the account, which denies nothing yet."""
    assert account.front is not None
    account.front.clear()
    return account.front


@pytest.fixture
def demo(account: Emulator, front: Front) -> Emulator:
    return account


def started(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*AUDITOR, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=interruptible,
    )


@pytest.fixture
def held(front: Front) -> Iterator[Event]:
    """Set as soon as a search is under way; searches are answered when the test is over."""
    begun, over = Event(), Event()

    def hold(_: Call) -> bool:
        begun.set()
        return not over.wait(2 * PATIENCE)

    front.deny("sagemaker:Search", hold)
    yield begun
    over.set()


# ---- tmux


class Tmux:
    """A terminal of its own server, of a width and height."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self.socket = str(folder / "tmux")
        self._run("-f", os.devnull, "new-session", "-d", "-x", str(width), "-y", str(height), "bash --norc --noprofile")
        self._run("set-option", "-g", "status", "off")
        self.type("PS1='$ '; clear")

    def _run(self, *arguments: str) -> str:
        command = ["tmux", "-S", self.socket, *arguments]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        environment = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES", "TMUX")}
        return subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment).stdout

    def type(self, line: str) -> None:
        self._run("send-keys", line, "Enter")

    def press(self, key: str) -> None:
        self._run("send-keys", key)

    def screen(self, *options: str) -> str:
        """What can be seen."""
        return self._run("capture-pane", "-p", *options)

    def until(self, pattern: str) -> str:
        """The screen as soon as the pattern can be seen on it."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, screen := self.screen(), re.MULTILINE):
            assert time.monotonic() < deadline, f"never seen: {pattern}\n{screen}"
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        self._run("kill-server")


@pytest.fixture(params=[80, 200], ids="{} columns".format)
def tmux(request: pytest.FixtureRequest, demo: Emulator, tmp_path: Path) -> Iterator[tuple[Tmux, int]]:
    """A terminal in which ``auditor`` talks to the demo account."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    terminal = Tmux(tmp_path, request.param, 48)
    yield terminal, request.param
    terminal.close()


def command(*arguments: str) -> str:
    """A line for the shell that ends with the exit code on a line of its own."""
    return f'clear; {shlex.join([*AUDITOR, *arguments])}; echo "exit $?"'


def test_an_audit_in_a_terminal(tmux: tuple[Tmux, int]) -> None:
    terminal, width = tmux
    terminal.type(command("audit", "--fail-on", "high"))
    screen = terminal.until(r"^exit 3\n\$")  # the shell is ready again
    assert max(len(line) for line in screen.splitlines()) <= width
    steady = MOMENT.sub("YYYY-MM-DD hh:mm UTC", PASSING.sub("… calls · … s", screen))
    assert_golden(f"terminal/audit-{width}.txt", steady)
    coloured = terminal.screen("-e")
    assert re.search(r"\x1b\[[0-9;]*31[0-9;]*mhigh", coloured)
    assert "⠋" not in screen


@pytest.mark.parametrize("regions", [["eu-west-1"], ["eu-west-1", "us-east-1"]], ids=["one region", "two regions"])
def test_progress_is_shown_by_stage_and_goes_away(tmux: tuple[Tmux, int], held: Event, regions: list[str]) -> None:
    terminal, width = tmux
    terminal.type(command("audit", *(f"--region={region}" for region in regions)))
    assert held.wait(PATIENCE)
    screen = terminal.until(r"accounts and regions +━+ +0/2" if len(regions) > 1 else r"━ +\d+/\d+")
    assert max(len(line) for line in screen.splitlines()) <= width
    terminal.press("C-c")
    screen = terminal.until(r"^exit 130$")
    assert screen.splitlines()[:2] == ["auditor: interrupted", "exit 130"]


# ---- endings


def test_a_reader_that_goes_away_ends_the_output_and_not_the_verdict(demo: Emulator) -> None:
    for format in ("table", "json"):
        auditor = shlex.join([*AUDITOR, "audit", "--fail-on", "high", "--format", format])
        script = f"{auditor} | head -1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.stdout.splitlines()[-1] == "3"


def test_an_interrupt_does_not_wait_for_calls_under_way_and_writes_nothing(
    demo: Emulator, held: Event, tmp_path: Path
) -> None:
    process = started("audit", "--format", "json,csv", "--output", f"{tmp_path}/out/")
    assert held.wait(PATIENCE)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=PATIENCE) == ("", "auditor: interrupted\n")
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_the_audit_of_many_regions(demo: Emulator, held: Event) -> None:
    process = started("audit", "--region", "eu-west-1", "--region", "us-east-1")
    assert held.wait(PATIENCE)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=PATIENCE) == ("", "auditor: interrupted\n")
    assert process.returncode == 130


@pytest.mark.parametrize(
    "environment", [{}, {"TERM": "dumb"}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}]
)
def test_a_pipe_gets_no_colour_and_no_progress(demo: Emulator, environment: dict[str, str]) -> None:
    process = started("audit", "--rule", "endpoint-single-instance", **environment)
    out, error = process.communicate(timeout=PATIENCE)
    assert error == ""
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", out)
    assert "FORCE_COLOR" in environment or "\x1b" not in out


def test_an_encoding_that_lacks_a_sign_is_no_fault(demo: Emulator) -> None:
    process = started("audit", "--rule", "endpoint-single-instance", PYTHONIOENCODING="ascii")
    out, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, error) == (0, "")
    assert "5 findings on 5 resources" in out


# ---- completion


def completed(tmp_path: Path, *words: str) -> list[str]:
    """What bash would offer for the last word."""
    auditor = tmp_path / "auditor"
    auditor.write_text(f'#!/bin/sh\nexec {shlex.join(AUDITOR)} "$@"\n')
    auditor.chmod(0o755)
    script = f"""
        PATH={shlex.quote(str(tmp_path))}:$PATH
        source <(auditor completion bash)
        COMP_WORDS=(auditor {shlex.join(words)}); COMP_CWORD={len(words)}
        $(complete -p auditor | sed 's/.*-F \\([^ ]*\\).*/\\1/') auditor
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["audit", "--rule", "endpoint-"], [id for id in RULES if id.startswith("endpoint-")]),
        (["rules", "vpc"], [id for id in RULES if id.startswith("vpc")]),
        (["audit", "--format", "js"], ["json", "jsonl"]),
        (["audit", "--all"], ["--all-regions"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["pol"], ["policy"]),
    ],
)
def test_bash_completes_commands_options_rules_and_formats(
    tmp_path: Path, words: list[str], offered: list[str]
) -> None:
    assert completed(tmp_path, *words) == offered
