"""What goes into the zip: pinned by hash, listed, and asked about."""

import json
import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools import audit_requirements
from tools.audit_requirements import NotReached, problems
from tools.sbom import sbom
from tools.wheels import REQUIREMENTS, ROOT, WheelsFailed, fetch_wheels

pytestmark = pytest.mark.thorough


def pins(path: Path) -> dict[str, str]:
    """The versions that a requirements file pins, by package."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", path.read_text(), flags=re.MULTILINE))


def test_every_package_of_the_zip_is_pinned_with_hashes() -> None:
    for requirement in re.split(r"\n(?=\S)", REQUIREMENTS.read_text().strip()):
        assert re.match(r"[\w.-]+==\S+ ", requirement), requirement
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}", requirement), requirement


def test_the_pins_hold_what_is_asked_for_and_all_that_it_needs() -> None:
    asked = re.findall(r"^(\w[\w-]*)", (ROOT / "requirements.in").read_text(), flags=re.MULTILINE)
    names = {name.lower().replace("_", "-") for name in asked}
    assert names < pins(REQUIREMENTS).keys()
    assert {"pydantic-core", "markupsafe", "typing-extensions"} <= pins(REQUIREMENTS).keys()


def test_the_zip_holds_the_versions_that_the_tests_ran_with() -> None:
    tested = pins(ROOT / "requirements-dev.txt")
    assert {name: tested.get(name) for name in pins(REQUIREMENTS)} == pins(REQUIREMENTS)


def test_the_command_line_has_what_the_package_asks_for_in_the_versions_that_the_tests_ran_with() -> None:
    own = pins(ROOT / "requirements-cli.txt")
    tested = pins(ROOT / "requirements-dev.txt")
    assert {name: tested.get(name) for name in own} == own
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[^\w-]", name)[0].lower().replace("_", "-") for name in asked}
    assert names < own.keys()


@pytest.mark.thorough
def test_a_wheel_with_another_hash_is_refused(tmp_path: Path) -> None:
    forged = tmp_path / "requirements.txt"
    forged.write_text(f"typing-extensions==4.16.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(WheelsFailed):
        fetch_wheels(tmp_path / "wheels", "prod", forged)


def a_wheel(folder: Path, name: str, version: str, license: str) -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{license}\n"
        archive.writestr(f"{name}-{version}.dist-info/METADATA", metadata)
    return path


def test_the_bill_of_materials_is_valid_and_the_same_again(tmp_path: Path) -> None:
    wheels = [
        a_wheel(tmp_path, "first", "1.0", "License-Expression: MIT"),
        a_wheel(tmp_path, "second", "2.0", "License: terms of its own"),
        a_wheel(tmp_path, "third", "3.0", ""),
    ]
    document = sbom(wheels)
    assert document == sbom(reversed(wheels))
    components = {part["name"]: part for part in json.loads(document)["components"]}
    assert components.keys() == {"first", "second", "third", "chalice"}
    assert components["first"]["purl"] == "pkg:pypi/first@1.0"
    assert components["first"]["licenses"] == [{"license": {"id": "MIT"}}]
    assert len(components["first"]["hashes"][0]["content"]) == 64
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None


FLAWED: dict[str, Any] = {
    "name": "jinja2",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"]}, {"id": "PYSEC-2", "fix_versions": []}],
}


def test_a_vulnerability_and_an_unknown_package_are_problems() -> None:
    unknown = {"name": "invented", "skip_reason": "not found"}
    assert problems([FLAWED, unknown, {"name": "sound", "version": "1", "vulns": []}]) == [
        "jinja2 2.0: PYSEC-1, mended in 3.1.6",
        "jinja2 2.0: PYSEC-2, mended in no version yet",
        "invented: not checked: not found",
    ]


@pytest.mark.parametrize(
    ("answers", "code", "word"),
    [
        ([[{"name": "a", "version": "1", "vulns": []}]], 0, "no known vulnerability (pypi)"),
        ([NotReached("no network"), [{"name": "a", "version": "1", "vulns": []}]], 0, "no known vulnerability (osv)"),
        ([[FLAWED]], 1, "PYSEC-1"),
        ([NotReached("no network"), NotReached("no network")], 0, "NOT CHECKED: no database"),
    ],
)
def test_the_audit_fails_on_what_it_finds_and_says_when_it_cannot_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answers: list[Any], code: int, word: str
) -> None:
    waiting = iter(answers)

    def asked(database: str) -> Any:
        answer = next(waiting)
        if isinstance(answer, NotReached):
            raise answer
        return answer

    monkeypatch.setattr(audit_requirements, "asked", asked)
    assert audit_requirements.main() == code
    assert word in capsys.readouterr().out
