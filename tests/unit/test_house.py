"""The house stands as it was drawn: who may import whom, and how large a file may grow."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted((ROOT / "chalicelib").rglob("*.py"))

#: From top to bottom: a module may import from its own floor and from those below.
FLOORS = (
    ("chalicelib.cli",),
    ("app",),
    ("chalicelib.web", "chalicelib.doctor"),
    ("chalicelib.service",),
    ("chalicelib.fleet",),
    ("chalicelib.notices", "chalicelib.plan"),
    ("chalicelib.audit",),
    ("chalicelib.policy",),
    ("chalicelib.rules",),
    ("chalicelib.rehearsal", "chalicelib.ledger"),
    ("chalicelib.inventory",),
    ("chalicelib.report", "chalicelib.events"),
    (
        "chalicelib.scope",
        "chalicelib.settings",
        "chalicelib.templating",
        "chalicelib.storage",
        "chalicelib.kinds",
        "chalicelib.errors",
    ),
)
#: Where AWS's SDK may be spoken: reading is the inventory's alone.
SPEAKS_TO_AWS = {
    "chalicelib.cli.demo",
    "chalicelib.cli.sessions",
    "chalicelib.doctor.doctor",
    "chalicelib.fleet.accounts",
    "chalicelib.fleet.fleet",
    "chalicelib.inventory.aws",
    "chalicelib.ledger.configs",
    "chalicelib.ledger.history",
    "chalicelib.ledger.ledger",
    "chalicelib.ledger.runs",
    "chalicelib.notices.email",
    "chalicelib.notices.security_hub",
    "chalicelib.notices.slack.delivery",
    "chalicelib.notices.sns",
    "chalicelib.service",
    "chalicelib.storage",
}


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def floor_of(module: str) -> int:
    for number, rooms in enumerate(FLOORS):
        if any(module == room or module.startswith(f"{room}.") for room in rooms):
            return number
    return len(FLOORS)


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_from_its_own_floor_and_below(path: Path) -> None:
    own = floor_of(module_of(path))
    above = {name for name in imported(path) if name.startswith("chalicelib.") and floor_of(name) < own}
    assert above == set()


def test_only_few_modules_speak_to_aws() -> None:
    speaking = {module_of(path) for path in CODE if imported(path) & {"boto3", "botocore"} or _from_botocore(path)}
    assert speaking <= SPEAKS_TO_AWS


def _from_botocore(path: Path) -> bool:
    return any(name.startswith(("boto3.", "botocore.")) for name in imported(path))


def test_the_auditor_does_not_know_that_it_may_talk_to_an_emulator() -> None:
    knowing = {
        module_of(path) for path in CODE if any(name.startswith(("emulator", "moto")) for name in imported(path))
    }
    assert knowing == {"chalicelib.cli.demo"}


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_one_subject(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 460
