"""``auditor diff`` as a person uses it, on reports of real audits."""

import csv
import io
import json
from pathlib import Path

import pytest

from chalicelib.cli import run
from chalicelib.report.findings import Report
from emulator.front import Front
from emulator.server import Emulator
from tests.conftest import NewService
from tests.service.test_audit import an_endpoint

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def audits(emulator: Emulator, front: Front, new_service: NewService, tmp_path: Path) -> tuple[str, str, str]:
    """Three reports: of one endpoint alone; of it and another; and blind to its metrics, with the first repaired."""
    service = new_service()

    def kept(name: str) -> str:
        path = tmp_path / f"{name}.json"
        path.write_text(service.audit(service.scope(), "cli").model_dump_json())
        return str(path)

    an_endpoint(emulator, "alone", count=1)
    first = kept("first")
    an_endpoint(emulator, "second", count=1, called=False)
    an_endpoint(emulator, "third", count=1)
    second = kept("second")
    weights = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    emulator.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="alone", DesiredWeightsAndCapacities=weights
    )
    front.deny("cloudwatch:GetMetricData")
    return first, second, kept("third")


def ids(path: str, rule: str) -> set[str]:
    report = Report.model_validate_json(Path(path).read_text())
    return {finding.id for finding in report.findings if finding.rule == rule}


def test_new_resolved_and_not_seen(audits: tuple[str, str, str], capsys: Captured) -> None:
    first, second, third = audits
    assert run(["diff", first, second, "--format", "json"]) == 0
    differences = json.loads(capsys.readouterr().out)
    assert {finding["finding"]["resource"]["name"].split("/")[0] for finding in differences["new"]} == {
        "second",
        "third",
    }
    assert (differences["resolved"], differences["not_seen"]) == ([], [])

    assert run(["diff", second, third, "--format", "json"]) == 0
    differences = json.loads(capsys.readouterr().out)
    assert {finding["finding"]["id"] for finding in differences["not_seen"]} == ids(second, "endpoint-idle")
    assert "endpoint-single-instance" in {finding["finding"]["rule"] for finding in differences["resolved"]}
    assert "endpoint-idle" not in {finding["finding"]["rule"] for finding in differences["resolved"]}
    assert [spot["operation"] for spot in differences["blind_spots_appeared"]] == ["cloudwatch:GetMetricData"]


@pytest.mark.parametrize(("level", "code"), [("high", 3), ("critical", 0)])
def test_a_build_fails_by_what_is_new(audits: tuple[str, str, str], level: str, code: int) -> None:
    first, second, _ = audits
    assert run(["diff", first, second, "--fail-on", level]) == code
    assert run(["diff", second, first, "--fail-on", level]) == 0


def test_the_table_fits_the_terminal(
    audits: tuple[str, str, str], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, second, third = audits
    assert run(["diff", second, third]) == 0
    output = capsys.readouterr().out
    assert max(map(len, output.splitlines())) <= 80
    assert "Unknown, as cloudwatch:GetMetricData could not be read." in output
    assert "New blind spot: cloudwatch:GetMetricData" in output


def test_markdown_has_a_row_for_each_change(audits: tuple[str, str, str], capsys: Captured) -> None:
    first, second, _ = audits
    assert run(["diff", first, second, "--format", "json"]) == 0
    number = len(json.loads(capsys.readouterr().out)["new"])
    assert run(["diff", first, second, "--format", "markdown"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| New")]
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter="|"))
    assert [len(row) for row in rows] == [7] * number


def test_it_is_written_whole_to_a_file(audits: tuple[str, str, str], capsys: Captured, tmp_path: Path) -> None:
    first, second, _ = audits
    for format in ("table", "json", "markdown"):
        path = tmp_path / "out" / format
        assert run(["diff", first, second, "--format", format, "--output", str(path)]) == 0
        assert "second" in path.read_text()
    assert capsys.readouterr().out == ""


def test_a_mistake_is_one_clear_sentence(capsys: Captured, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    for content, says in (
        ("{", "is not JSON"),
        ("{}", "not a report"),
        ('{"audit_id": "", "findings": [], "blind_spots": [], "schema_version": 2}', "upgrade it"),
    ):
        wrong.write_text(content)
        arguments = [str(wrong), str(wrong)]
        assert run(["diff", *arguments]) == 2
        output = capsys.readouterr()
        assert (output.out, output.err.count("\n")) == ("", 1)
        assert says in output.err
    assert run(["diff", "-", "-"]) == 2
    assert "only one of the two" in capsys.readouterr().err
