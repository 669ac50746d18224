"""The zip for Lambda: what is in it, and that it works in a bare interpreter with only boto3 beside it."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from emulator.server import Emulator
from tests.events import payload
from tests.service.test_audit import an_endpoint
from tools.lean import imported, unreachable
from tools.package import ROOT, package
from tools.service_models import operations

#: What Lambda's own runtime brings.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")
INVOKE = """
import json, sys
sys.path[:0] = sys.argv[1:3]
import app
outside = [name for name, module in sys.modules.items()
           if (getattr(module, "__file__", None) or "").find("site-packages") >= 0]
answer = getattr(app, sys.argv[3])(json.loads(sys.argv[4]), None)
print(json.dumps({"answer": answer, "outside": outside, "home": app.__file__}))
"""


TOPIC = "arn:aws:sns:eu-west-1:123456789012:auditor-findings"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AUDITOR_TOPIC_ARN", TOPIC)
        environment.setenv("AUDITOR_SLACK_SECRET", "auditor/slack")
        yield package(tmp_path_factory.mktemp("package") / "out")


@pytest.fixture(scope="module")
def for_graviton(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same sources, packed a second time and for another machine."""
    return package(tmp_path_factory.mktemp("graviton") / "out", "prod-arm64")


@pytest.fixture(scope="module")
def unpacked(packed: Path) -> Path:
    folder = packed.parent / "unpacked"
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds boto3 and what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


Invoke = Callable[[str, dict[str, Any]], Any]


@pytest.fixture
def invoke(unpacked: Path, runtime: Path, emulator: Emulator, tmp_path: Path) -> Invoke:
    """Calls a packed handler in a fresh interpreter that sees the zip and boto3 only."""

    def call(function: str, event: dict[str, Any]) -> Any:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", INVOKE, str(unpacked), str(runtime), function, json.dumps(event)],
            cwd=tmp_path,
            env={**emulator.environment(), "PATH": os.environ["PATH"]},
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout.splitlines()[-1])
        assert result["outside"] == []
        assert Path(result["home"]).parent == unpacked
        return result["answer"]

    return call


def test_the_zip_holds_policies_templates_and_tables(packed: Path) -> None:
    names = set(zipfile.ZipFile(packed).namelist())
    for folder in ("policies", "templates"):
        files = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert files
        assert files <= names


def members(zipped: Path) -> dict[str, tuple[Any, ...]]:
    """All that makes the bytes of a zip, in the order of its files: name, time, attributes and content of each."""
    with zipfile.ZipFile(zipped) as archive:
        return {
            file.filename: (file.date_time, file.external_attr, file.create_system, file.extra, archive.read(file))
            for file in archive.infolist()
        }


def of_a_machine(name: str) -> bool:
    """Whether a file is made for one kind of machine: an extension, or what its wheel says of itself."""
    return name.endswith((".so", ".dist-info/WHEEL")) or ".dist-info/sboms/" in name


def test_the_same_sources_give_the_same_bytes(packed: Path, for_graviton: Path) -> None:
    """Two packings, the second for another machine: but for the machine's own files they are equal to the byte."""
    first, second = (
        [(name, rest) for name, rest in members(zipped).items() if not of_a_machine(name)]
        for zipped in (packed, for_graviton)
    )
    assert [name for name, _ in first] == [name for name, _ in second]
    assert [left[0] for left, right in zip(first, second, strict=True) if left != right] == []


def test_it_packs_for_graviton_too(for_graviton: Path) -> None:
    names = zipfile.ZipFile(for_graviton).namelist()
    assert {name.split("-311-")[1].split("-")[0] for name in names if "-311-" in name} == {"aarch64"}
    resources = json.loads((for_graviton.parent / "sam.json").read_text())["Resources"].values()
    functions = [resource for resource in resources if resource["Type"] == "AWS::Serverless::Function"]
    assert {tuple(function["Properties"]["Architectures"]) for function in functions} == {("arm64",)}


def test_a_bill_of_materials_lies_beside_the_zip(packed: Path) -> None:
    document = json.loads((packed.parent / "sbom.cdx.json").read_text())
    listed = {part["name"]: part["version"] for part in document["components"]}
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    held = {name.split(".dist-info/")[0] for name in zipfile.ZipFile(packed).namelist() if ".dist-info/" in name}
    in_zip = {tuple(name.rsplit("-", 1)) for name in held}
    assert {(name.replace("-", "_").lower(), version) for name, version in listed.items() if name != "chalice"} == {
        (name.replace("-", "_").lower(), version) for name, version in in_zip
    }


def test_everything_is_compiled(packed: Path) -> None:
    names = set(zipfile.ZipFile(packed).namelist())
    sources = {name for name in names if name.endswith(".py")}
    compiled = {
        name.replace("__pycache__/", "").split(".cpython-")[0] + ".py" for name in names if name.endswith(".pyc")
    }
    assert sources == compiled
    assert "templates_compiled/texts" in {name.rsplit("/", 1)[0] for name in names}
    assert {"policies/baseline.json", "policies/data/algorithms.json"} <= names
    assert {f"service_models/{service}" for service in operations()} <= {name.rsplit("/", 2)[0] for name in names}
    assert not [name for name in names if name.startswith("pydantic/v1/")]


IMPORT = """
import importlib, json, sys
sys.path[:0] = sys.argv[1:3]
import app
for name in sys.argv[3:]:
    importlib.import_module(name)
print(json.dumps(app.__file__))
"""


def test_the_zip_holds_what_the_handlers_reach_and_nothing_else(unpacked: Path, runtime: Path) -> None:
    assert unreachable(unpacked) == []
    held = {str(path.relative_to(unpacked)) for path in (unpacked / "chalicelib").rglob("*.py")}
    ours = {str(path.relative_to(ROOT)) for path in (ROOT / "chalicelib").rglob("*.py")}
    for folder in ("cli", "doctor", "plan"):
        assert not [name for name in held if name.startswith(f"chalicelib/{folder}/")], folder
    for module in ("report/difference", "report/file", "report/formats/sarif", "report/formats/writers"):
        assert f"chalicelib/{module}.py" in ours - held
    modules = [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in sorted(held)]
    command = [sys.executable, "-I", "-S", "-c", IMPORT, str(unpacked), str(runtime), *modules]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == str(unpacked / "app.py")


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import a.b", {"a.b"}),
        ("def late():\n    from a import b", {"a", "a.b"}),
        ("if TYPE_CHECKING:\n    import a\nelse:\n    import b", {"b"}),
        ("if ready:\n    import a", {"a"}),
    ],
)
def test_what_a_source_imports_is_read_wherever_it_stands(source: str, modules: set[str]) -> None:
    assert imported(source) == modules


def test_each_function_has_its_own_role_and_name(packed: Path) -> None:
    resources = json.loads((packed.parent / "sam.json").read_text())["Resources"]
    functions = {
        name: resource for name, resource in resources.items() if resource["Type"] == "AWS::Serverless::Function"
    }
    assert functions.keys() == {
        "AuditOnSchedule",
        "AuditOnSagemakerEvent",
        "AuditOnScalingEvent",
        "AuditOnApiCall",
        "AuditPart",
        "DeliverToSlack",
        "APIHandler",
    }
    roles = {json.dumps(function["Properties"]["Role"]) for function in functions.values()}
    assert len(roles) == len(functions)
    for function in functions.values():
        assert function["Properties"]["Environment"]["Variables"]["AUDITOR_TOPIC_ARN"] == TOPIC


def test_the_packed_schedule_handler_audits_the_account(invoke: Invoke, emulator: Emulator) -> None:
    an_endpoint(emulator, "alone", count=1)
    an_endpoint(emulator, "pair")
    answer = invoke("audit_on_schedule", payload("schedule"))
    assert answer["complete"] is True
    assert answer["findings"] >= 1


def test_the_packed_event_handler_audits_the_endpoint_named(invoke: Invoke, emulator: Emulator) -> None:
    an_endpoint(emulator, "alone", count=1)
    an_endpoint(emulator, "other", count=1)
    swept = invoke("audit_on_schedule", payload("schedule"))
    answer = invoke("audit_on_sagemaker_event", payload("endpoint-in-service"))
    assert answer["complete"] is True
    assert 1 <= answer["findings"] < swept["findings"]


@pytest.mark.parametrize(
    ("path", "holds"), [("/openapi.json", '"openapi":"3.1.0"'), ("/rules", '"id":"endpoint-idle"')]
)
def test_the_packed_api_describes_itself(invoke: Invoke, path: str, holds: str) -> None:
    context = {"httpMethod": "GET", "resourcePath": path, "identity": {}}
    event: dict[str, Any] = {
        "requestContext": context,
        "path": path,
        "headers": {},
        "multiValueQueryStringParameters": None,
    }
    event |= {"pathParameters": None, "stageVariables": None, "body": None, "isBase64Encoded": False}
    answer = invoke("app", event)
    assert answer["statusCode"] == 200
    assert holds in answer["body"]
