"""The house stands as it was drawn: who may import whom, and how large a file may grow."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from tools.lean import imported

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(path for path in (ROOT / "chalicelib").rglob("*.py") if path != ROOT / "chalicelib" / "__init__.py")

SHIPPED = [*CODE, ROOT / "app.py"]

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
    ("chalicelib.rehearsal", "chalicelib.ledger", "chalicelib.money"),
    ("chalicelib.inventory",),
    ("chalicelib.report", "chalicelib.events"),
    (
        "chalicelib.scope",
        "chalicelib.settings",
        "chalicelib.templating",
        "chalicelib.storage",
        "chalicelib.tables",
        "chalicelib.kinds",
        "chalicelib.errors",
    ),
    ("chalicelib.input",),
)
#: Where AWS's SDK may be spoken: reading an account is the inventory's door alone.
SPEAKS_TO_AWS = (
    "chalicelib.cli.demo",
    "chalicelib.cli.sessions",
    "chalicelib.doctor",
    "chalicelib.fleet.accounts",
    "chalicelib.fleet.queue",
    "chalicelib.inventory.aws",
    "chalicelib.inventory.service_models",
    "chalicelib.ledger.table",
    "chalicelib.notices",
    "chalicelib.storage",
)
#: The SDK, and what stands in for AWS in tests and demos.
SDK, EMULATORS = ("boto3", "botocore"), ("emulator", "moto")
#: What shows the product at work, and what tests it.
SAMPLES, TESTS = ("samples",), ("tests",)
#: What runs without a test: shipped, or started by the makefile.
TESTLESS = ("app.py", "benchmarks", "chalicelib", "emulator", "samples", "tools")
#: DynamoDB's words for the type of a value.
DYNAMODB_TYPES = {"S", "N", "B", "SS", "NS", "BS", "BOOL", "M", "L", "NULL"}
LINES = 400
#: Files that stand loose beside the rooms.
LOOSE = 8


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def every_import(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it and for whomever."""
    modules = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return modules


def floor_of(module: str) -> int:
    """The number of the floor on which a module stands, counted from the top."""
    return next((number for number, rooms in enumerate(FLOORS) if within(module, rooms)), len(FLOORS))


def within(module: str, rooms: Iterable[str]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def test_every_module_stands_on_a_floor() -> None:
    assert [module_of(path) for path in SHIPPED if floor_of(module_of(path)) == len(FLOORS)] == []


def test_a_module_imports_from_its_own_floor_and_below() -> None:
    upward = {
        (module_of(path), name)
        for path in SHIPPED
        for name in every_import(path)
        if within(name, ("app", "chalicelib")) and name != "chalicelib" and floor_of(name) < floor_of(module_of(path))
    }
    assert upward == set()


def test_only_few_modules_speak_to_aws() -> None:
    speaking = {module_of(path) for path in CODE if any(within(name, SDK) for name in imported(path.read_text()))}
    assert {module for module in speaking if not within(module, SPEAKS_TO_AWS)} == set()
    assert {room for room in SPEAKS_TO_AWS if not any(within(module, [room]) for module in speaking)} == set()


def test_a_rehearsal_asks_aws_by_one_module() -> None:
    doors = [f"chalicelib.inventory.{name}" for name in ("aws", "collect", "reader", "minutes")]
    asking = {module_of(path) for path in CODE if any(within(name, doors) for name in every_import(path))}
    assert {module for module in asking if within(module, ["chalicelib.rehearsal"])} == {"chalicelib.rehearsal.account"}


def raw_shapes(path: Path) -> list[int]:
    """The lines on which a file spells a value as DynamoDB does: ``{"S": …}``."""
    return [
        node.lineno
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Dict)
        and len(node.keys) == 1
        and isinstance(node.keys[0], ast.Constant)
        and node.keys[0].value in DYNAMODB_TYPES
    ]


def test_only_the_table_knows_how_dynamodb_spells_a_value() -> None:
    spelling = {module_of(path): lines for path in CODE if (lines := raw_shapes(path))}
    assert {module: lines for module, lines in spelling.items() if module != "chalicelib.ledger.table"} == {}


def test_a_raw_shape_is_seen_however_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('key = {\n    "sk": {\n        "S": name,\n    },\n}\nplain = {"S": 1, "N": 2}\nother = {"s": 1}\n')
    assert raw_shapes(path) == [2]


def test_the_auditor_does_not_know_that_it_may_talk_to_an_emulator() -> None:
    knowing = {module_of(path) for path in CODE if any(within(name, EMULATORS) for name in every_import(path))}
    assert knowing == {"chalicelib.cli.demo"}


@pytest.mark.parametrize("folder", TESTLESS)
def test_nothing_but_tests_imports_a_test(folder: str) -> None:
    paths = [ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py"))
    assert paths
    assert {
        str(path.relative_to(ROOT)) for path in paths if any(within(name, TESTS) for name in every_import(path))
    } == set()


def test_what_is_shipped_imports_no_sample() -> None:
    shipped = [*SHIPPED, *sorted((ROOT / "emulator").rglob("*.py"))]
    assert {module_of(path) for path in shipped if any(within(name, SAMPLES) for name in every_import(path))} == set()


def test_few_files_stand_loose_beside_the_rooms() -> None:
    loose = [path.name for path in (ROOT / "chalicelib").glob("*.py") if path.name != "__init__.py"]
    assert len(loose) <= LOOSE, loose


def test_a_file_has_one_subject() -> None:
    lengths = {module_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert {module: lines for module, lines in lengths.items() if lines > LINES} == {}
