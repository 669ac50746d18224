"""``auditor show``: a report that was kept, in any format, from a file or a bucket."""

import json
from pathlib import Path

import pytest

from chalicelib.cli import run
from emulator.front import Front
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.unit.test_notices import a_finding, a_report

ADDRESS = "s3://auditor-reports/reports/a.json"
Captured = pytest.CaptureFixture[str]
REPORT = a_report(a_finding(1))


@pytest.fixture
def bucket(emulator: Emulator) -> Emulator:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="auditor-reports", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="auditor-reports", Key="reports/a.json", Body=REPORT.model_dump_json().encode())
    return emulator


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(REPORT.model_dump_json())
    return path


def test_a_report_in_a_bucket_is_shown_in_any_format(bucket: Emulator, capsys: Captured, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert run(["show", ADDRESS, "--format", "html", "--output", str(page)]) == 0
    assert "endpoint-1/AllTraffic" in page.read_text()
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == f"auditor: wrote {page} (html, {page.stat().st_size:,} bytes)\n"
    assert run(["show", ADDRESS, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == REPORT.model_dump(mode="json")


def test_what_a_report_holds_is_shown_as_its_audit_showed_it(file: Path, capsys: Captured) -> None:
    assert run(["show", str(file)]) == 0
    assert "endpoint-single-instance" in capsys.readouterr().out
    assert run(["show", str(file), "--severity", "critical"]) == 0
    assert "endpoint-single-instance" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("s3://auditor-reports/reports/none.json", "NoSuchKey"),
        ("s3://auditor-nowhere/reports/a.json", "NoSuchBucket"),
        ("s3://auditor-reports", "accepted is s3://BUCKET/KEY"),
    ],
)
def test_an_object_that_is_not_there_is_one_sentence(
    bucket: Emulator, capsys: Captured, address: str, reason: str
) -> None:
    assert run(["show", address]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line


def test_an_object_that_may_not_be_read_says_what_is_needed(bucket: Emulator, front: Front, capsys: Captured) -> None:
    front.deny("s3:GetObject")
    assert run(["show", ADDRESS]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "needed is s3:GetObject on it" in line


def test_a_report_of_a_newer_schema_is_refused(file: Path, capsys: Captured) -> None:
    file.write_text(json.dumps({**REPORT.model_dump(mode="json"), "schema_version": 2}))
    assert run(["show", str(file)]) == 2
    expected = f"auditor: {file}: schema version 2 is newer than this auditor reads (1); upgrade it\n"
    assert capsys.readouterr().err == expected


def test_a_page_is_refused_with_the_name_of_what_is_beside_it(capsys: Captured) -> None:
    assert run(["show", "s3://auditor-reports/reports/a.html"]) == 2
    assert "accepted is the JSON that it was made of, as s3://auditor-reports/reports/a.json" in capsys.readouterr().err


def test_other_commands_read_reports_in_buckets_too(bucket: Emulator, file: Path, capsys: Captured) -> None:
    assert run(["diff", ADDRESS, str(file), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["still-open"] == 1
