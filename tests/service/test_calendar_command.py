"""``auditor calendar``, through its options."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from chalicelib.cli import run
from emulator.server import Emulator

ENDS = datetime.now(UTC).date() + timedelta(days=9)


@pytest.fixture
def policy(emulator: Emulator, tmp_path: Path) -> str:
    file = tmp_path / "own.yaml"
    exemption = f"{{rule: endpoint-idle, resource: churn, reason: a trial, owner: ml, expires: {ENDS}}}"
    file.write_text(f"extends: baseline\nexemptions:\n  - {exemption}\n")
    return str(file)


def test_the_table_names_day_words_and_owner(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calendar", "--policy", policy]) == 0
    assert f"{ENDS}  The exemption of churn from endpoint-idle ends · ml" in capsys.readouterr().out


def test_json_and_ics_hold_the_same_days(policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calendar", "--policy", policy, "--format", "json"]) == 0
    listed = [date.fromisoformat(entry["day"]) for entry in json.loads(capsys.readouterr().out)]
    file = tmp_path / "ends.ics"
    assert run(["calendar", "--policy", policy, "--format", "ics", "--output", str(file)]) == 0
    events = icalendar.Calendar.from_ical(file.read_text()).walk("VEVENT")
    assert [event.decoded("DTSTART") for event in events] == listed == [ENDS]


def test_a_stored_report_is_asked_in_the_place_of_aws(
    policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    assert run(["audit", "--policy", policy, "--format", "json", "--output", str(report)]) == 0
    assert run(["calendar", "--report", str(report)]) == 0
    assert f"{ENDS}  The exemption" in capsys.readouterr().out


def test_a_calendar_without_an_end_says_so(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calendar"]) == 0
    assert capsys.readouterr().out == "Nothing that is known ends.\n"


def test_a_report_and_a_region_contradict_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calendar", "--report", "x.json", "--region", "eu-west-1"]) == 2
    assert "--report alone" in capsys.readouterr().err
