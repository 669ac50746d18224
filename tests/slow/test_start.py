"""The command starts with what it needs, and with nothing more."""

import subprocess
import sys

import pytest

from chalicelib import __version__
from chalicelib.cli.options import NOTICE_FORMS, REPORT_FORMATS
from chalicelib.cli.outputs import formats
from chalicelib.cli.render import FORMS

pytestmark = pytest.mark.slow

SDK = {"boto3", "botocore"}
LOADED = """
import sys
from chalicelib.cli import run
code = run(sys.argv[1:])
print(code, *sys.modules, file=sys.stderr)
"""


def started(*arguments: str) -> tuple[str, set[str]]:
    """What a command line prints in a fresh interpreter, and the modules that it has loaded by then."""
    done = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True)
    code, *modules = done.stderr.split()
    assert code == "0", done.stderr
    return done.stdout, set(modules)


def test_the_version_is_told_without_loading_anything() -> None:
    printed, loaded = started("--version")
    assert printed == f"auditor {__version__}\n"
    assert not loaded & {*SDK, "jinja2", "pydantic", "rich", "typer", "yaml"}


@pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"], ["doctor", "--help"]], ids=" ".join)
def test_help_needs_neither_rules_nor_the_sdk(arguments: list[str]) -> None:
    printed, loaded = started(*arguments)
    assert "Usage: auditor" in printed
    assert not loaded & {*SDK, "jinja2", "chalicelib.rules", "chalicelib.report.findings", "chalicelib.service"}


@pytest.mark.parametrize(
    "arguments",
    [["rules"], ["policy", "check", "baseline"], ["plan", "tests/fixtures/plan/resilient.yaml"]],
    ids=lambda arguments: arguments[0],
)
def test_what_asks_nothing_of_aws_loads_no_sdk(arguments: list[str]) -> None:
    _, loaded = started(*arguments)
    assert not loaded & {*SDK, "chalicelib.service", "chalicelib.inventory.aws"}


def test_the_formats_that_help_names_are_those_that_are_accepted() -> None:
    assert list(REPORT_FORMATS) == formats()
    assert NOTICE_FORMS == FORMS
