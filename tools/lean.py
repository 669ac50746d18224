"""Makes a packed zip start fast and come out the same to the byte: pruned, compiled, with fixed times and order.

What no handler can reach is left out: the command line and what only it uses. Chalice ships sources alone. Lambda
cannot keep what it compiles, so that every cold start would compile them anew: the bytecode is put in (unchecked, so
that no source is read), policies and tables become JSON, templates become Python, and the models of AWS's services are
cut to what is asked of them, and so are the addresses of services.
"""

import ast
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from chalicelib.inventory.service_models import PACKED
from chalicelib.templating import COMPILED
from chalicelib.templating.environments import compile_templates
from tools.service_models import write_addresses, write_models

#: Parts of packages that the auditor never imports in Lambda.
PRUNED = (
    "pydantic/v1/",
    "slack_sdk/rtm/",
    "slack_sdk/rtm_v2/",
    "slack_sdk/socket_mode/",
    "slack_sdk/scim/",
    *(
        f"aws_lambda_powertools/{unused}/"
        for unused in (
            "event_handler",
            "utilities/auth_alpha",
            "utilities/batch",
            "utilities/circuit_breaker",
            "utilities/data_classes",
            "utilities/data_masking",
            "utilities/feature_flags",
            "utilities/idempotency",
            "utilities/kafka",
            "utilities/parameters",
            "utilities/parser",
            "utilities/streaming",
            "utilities/validation",
        )
    ),
)
PRUNED_ENDINGS = (".dist-info/RECORD", ".pyi", "/py.typed", ".pyc")
FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def lean(packed: Path) -> None:
    """Rewrites the zip in place."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(packed) as archive:
            for member in archive.namelist():
                if not member.startswith(PRUNED) and not member.endswith(PRUNED_ENDINGS):
                    archive.extract(member, folder)
        for file in unreachable(folder):
            file.unlink()
        _facts_as_json(folder)
        compile_templates(folder / COMPILED)
        write_models(folder / PACKED.name)
        write_addresses(folder / PACKED.name)
        _compile(folder)
        _zip(folder, packed)


def unreachable(folder: Path) -> list[Path]:
    """The modules of ``chalicelib`` that ``app.py`` does not import, however far and however late it does so."""
    reached: set[Path] = set()
    waiting = [folder / "app.py"]
    while waiting:
        file = waiting.pop()
        if file in reached:
            continue
        reached.add(file)
        for module in imported(file.read_text(encoding="utf-8")):
            waiting += _files_of(module, folder)
    return sorted(set((folder / "chalicelib").rglob("*.py")) - reached)


def imported(source: str) -> set[str]:
    """Every module that a source imports when it runs, wherever in it; what only type checkers import is none."""
    modules: set[str] = set()
    for node in _run(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return modules


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, but for the body of ``if TYPE_CHECKING``."""
    yield node
    typing_only = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    children = node.orelse if isinstance(node, ast.If) and typing_only else ast.iter_child_nodes(node)
    for child in children:
        yield from _run(child)


def _files_of(module: str, folder: Path) -> list[Path]:
    """The file of a module of ours, and those of the packages around it; none for anything else."""
    parts = module.split(".")
    if parts[0] != "chalicelib":
        return []
    places = [folder.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    files = [*(place / "__init__.py" for place in places), places[-1].with_suffix(".py")]
    return [file for file in files if file.is_file()]


def _facts_as_json(folder: Path) -> None:
    """Beside each YAML file the same as JSON, which is read a hundred times as fast."""
    for file in sorted((folder / "policies").rglob("*.yaml")):
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.with_suffix(".json").write_text(json.dumps(data, default=str, separators=(",", ":")), encoding="utf-8")


def _compile(folder: Path) -> None:
    """Bytecode for every module, in a process of its own: the same input gives the same bytes."""
    command = "import compileall, py_compile, sys; sys.exit(not compileall.compile_dir(sys.argv[1], quiet=1, stripdir="
    command += "sys.argv[1], prependdir='/var/task', invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH))"
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run([sys.executable, "-S", "-c", command, str(folder)], check=True, env=environment)


def _zip(folder: Path, packed: Path) -> None:
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(str(file.relative_to(folder)), FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if file.suffix == ".so" else 0o644) << 16
            archive.writestr(entry, file.read_bytes())
