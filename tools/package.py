"""Packs the app for Lambda with ``chalice package``, and checks what no exit code tells.

Chalice keeps a cache that overlooks renamed and empty files, and prints a warning for a wheel that it could not get:
the cache is removed, the warning is an error, and the zip is looked into. What bytecode lies about it ships, too, which
``tools.lean`` takes out again.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from chalicelib.errors import InvalidInput
from chalicelib.settings import Settings
from tools.infra import stack_template
from tools.lean import lean
from tools.sbom import sbom
from tools.wheels import WheelsFailed, fetch_wheels, from_wheels_alone

ROOT = Path(__file__).resolve().parents[1]
MAX_UNPACKED = 60_000_000
#: The one function that assumes roles in other accounts, and what it alone is told.
ASSUMES_ROLES, EXTERNAL_ID = "AuditPart", "AUDITOR_EXTERNAL_ID"
SKIPPED_WHEEL = "Could not install dependencies"


class PackageFailed(Exception):
    """The package is not fit to be deployed; the text says why."""


def package(target: Path, stage: str = "prod") -> Path:
    """Packs the app into ``target`` (``deployment.zip``, ``sam.json``, and ``sbom.cdx.json``, which lists what the zip
    is made of), and gives the path of the zip.

    Raises PackageFailed, and InvalidInput for wrong settings in the environment.
    """
    shutil.rmtree(ROOT / ".chalice" / "deployments", ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            wheels = fetch_wheels(folder, stage)
        except WheelsFailed as failed:
            raise PackageFailed(str(failed)) from None
        _chalice_package(target, stage, folder)
        materials = sbom(wheels)
    packed = target / "deployment.zip"
    problems = list(_problems(packed))
    if problems:
        raise PackageFailed("\n".join(problems))
    lean(packed)
    _configure(target / "sam.json")
    (target / "sbom.cdx.json").write_text(materials, encoding="utf-8")
    return packed


def _chalice_package(target: Path, stage: str, wheels: Path) -> None:
    """Lets Chalice pack, from these wheels alone."""
    environment = {
        **os.environ,
        **from_wheels_alone(wheels),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
    }
    done = subprocess.run(
        [str(Path(sys.executable).with_name("chalice")), "package", "--stage", stage, str(target)],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    printed = done.stdout + done.stderr
    if done.returncode:
        raise PackageFailed(f"chalice package failed:\n{printed}")
    if SKIPPED_WHEEL in printed:
        raise PackageFailed(f"a dependency has no fitting wheel:\n{printed}")


def _configure(template: Path) -> None:
    """Gives every function the ``AUDITOR_`` variables that are set while packing; takes the Slack function out where
    no secret is named; puts in what Chalice cannot say (``infra/``)."""
    settings = {name: value for name, value in os.environ.items() if name.startswith("AUDITOR_")}
    Settings.from_environment(settings)
    stack = json.loads(template.read_text(encoding="utf-8"))
    if "AUDITOR_SLACK_SECRET" not in settings:
        for name in [resource for resource in stack["Resources"] if resource.startswith("DeliverToSlack")]:
            del stack["Resources"][name]
    stack = stack_template(stack, slack="AUDITOR_SLACK_SECRET" in settings)
    shared = {name: value for name, value in settings.items() if name != EXTERNAL_ID}
    for name, resource in stack["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            variables = resource["Properties"].setdefault("Environment", {}).setdefault("Variables", {})
            variables |= settings if name == ASSUMES_ROLES else shared
    template.write_text(json.dumps(stack, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _problems(packed: Path) -> list[str]:
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
        size = sum(entry.file_size for entry in archive.infolist())
    wanted = {
        str(path.relative_to(ROOT))
        for folder in ("policies", "templates", "chalicelib")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    problems = [f"the zip lacks {name}" for name in sorted((wanted | {"app.py"}) - names)]
    for module in ("boto3", "botocore", "moto", "emulator", "samples", "tests"):
        if any(name.startswith(f"{module}/") for name in names):
            problems.append(f"the zip holds {module}, which Lambda does not need")
    for module in (
        "pydantic",
        "pydantic_core",
        "jinja2",
        "msgspec",
        "yaml",
        "slack_sdk",
        "aws_lambda_powertools",
        "chalice",
    ):
        if not any(name.startswith(f"{module}/") for name in names):
            problems.append(f"the zip lacks the package {module}")
    if size > MAX_UNPACKED:
        problems.append(f"the zip unpacks to {size:,} bytes; accepted are {MAX_UNPACKED:,}")
    return problems


def main(arguments: list[str]) -> int:
    """Packs into the folder named, for the stage named (default: prod)."""
    if len(arguments) not in (1, 2):
        print("usage: python -m tools.package FOLDER [STAGE]", file=sys.stderr)
        return 2
    try:
        packed = package(Path(arguments[0]), *arguments[1:])
    except (PackageFailed, InvalidInput) as failed:
        print(failed, file=sys.stderr)
        return 1
    with zipfile.ZipFile(packed) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    print(f"{packed}: {packed.stat().st_size:,} bytes, {unpacked:,} unpacked")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
