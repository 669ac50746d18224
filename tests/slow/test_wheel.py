"""The installed package claims no name but its own, and works beside any project of Chalice."""

import os
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import interruptible
from tools.generate import ROOT

#: Names that every project of Chalice has, or may have.
FOREIGN = {
    "app.py": "WHOSE = 'theirs'\n",
    "chalicelib/__init__.py": "WHOSE = 'theirs'\n",
    "chalicelib/cli.py": "raise SystemExit('the wrong chalicelib')\n",
    "emulator/__init__.py": "raise SystemExit('the wrong emulator')\n",
    "policies/baseline.yaml": "not: ours\n",
    "templates/report/page.html.j2": "theirs\n",
}
AUDITOR = "from sagemaker_auditor import main; main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without asking an index."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "-w", str(folder), str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the package."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another project of Chalice."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in FOREIGN.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


@pytest.fixture
def environment(site: Path, project: Path) -> dict[str, str]:
    """No credentials, and the other project before the package on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AUDITOR_", "PYTHON"))}
    return {**kept, "PYTHONPATH": f"{project}{os.pathsep}{site}", "PYTHONDONTWRITEBYTECODE": "1"}


def ran(project: Path, environment: dict[str, str], code: str, *arguments: str) -> str:
    """What Python prints for this code, run in the folder of the other project."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_claims_no_name_but_its_own(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"sagemaker_auditor"}
    for folder in ("chalicelib", "emulator", "policies", "templates"):
        held = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()}
        wanted = {f"sagemaker_auditor/{path}" for path in held if "__pycache__" not in path.parts}
        assert wanted - set(names) == set()
    assert "sagemaker_auditor/app.py" in names


def test_it_runs_where_another_project_has_the_same_names(
    project: Path, environment: dict[str, str], site: Path
) -> None:
    assert "endpoint-single-instance" in ran(project, environment, AUDITOR, "rules")
    printed = ran(project, environment, AUDITOR, "demo", "--output", str(project / "demo.json"))
    assert "To do first" in printed
    assert "claims-triage" in (project / "demo.html").read_text()
    code = f"{AUDITOR.replace('main()', 'import chalicelib')}"
    assert str(project) in ran(project, environment, f"{code}; print(chalicelib.__file__)")


def test_the_other_project_keeps_its_own(project: Path, environment: dict[str, str]) -> None:
    code = "import app, chalicelib; print(app.WHOSE, chalicelib.WHOSE)"
    assert ran(project, environment, code) == "theirs theirs\n"


@pytest.fixture
def served(project: Path, environment: dict[str, str]) -> Iterator[str]:
    """The address of ``auditor serve --demo``, started in the folder of the other project."""
    command = [sys.executable, "-c", AUDITOR, "serve", "--demo", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=project, env=environment, preexec_fn=interruptible, **pipes)  # type: ignore[call-overload]
    yield process.stdout.readline().split(" ")[0]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_it_serves_its_own_page_there(served: str) -> None:
    request = urllib.request.Request(served, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert "claims-triage" in answer.read().decode()
