"""What would be sent, shown offline: `auditor replay` and `auditor audit --render`, and templates of one's own."""

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.cli import run
from chalicelib.templating import BrokenTemplate, finding_text, use_templates
from emulator.front import Front
from emulator.server import Emulator
from tests.events import FOLDER
from tests.service.test_audit import an_endpoint

Captured = pytest.CaptureFixture[str]
EVENT = str(FOLDER / "endpoint-in-service.json")


@pytest.fixture
def account(emulator: Emulator) -> Emulator:
    an_endpoint(emulator, "alone", count=1)
    return emulator


def shown(capsys: Captured, *arguments: str) -> str:
    assert run(list(arguments)) == 0
    return capsys.readouterr().out


def test_replay_shows_what_an_event_would_send_and_sends_nothing(
    account: Emulator, front: Front, capsys: Captured
) -> None:
    text = shown(capsys, "replay", EVENT)
    assert "Subject: [New high] alone/AllTraffic: SageMaker endpoint variant on one instance" in text
    assert "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name alone" in text
    assert not [name for name in front.calls if name.startswith(("sns:", "dynamodb:", "ses"))]


@pytest.mark.parametrize(
    ("channel", "looks"),
    [
        ("chat", lambda items: items[0]["source"] == "custom"),
        ("slack", lambda items: items[0]["attachments"]),
        ("security-hub", lambda items: items[0]["SchemaVersion"] == "2018-10-08"),
    ],
)
def test_channels_of_json_are_lists_of_json(account: Emulator, capsys: Captured, channel: str, looks: Any) -> None:
    assert looks(json.loads(shown(capsys, "replay", EVENT, "--render", channel)))
    assert looks(json.loads(shown(capsys, "audit", "--render", channel)))


def test_the_html_mail_of_an_audit(account: Emulator, capsys: Captured, tmp_path: Path) -> None:
    file = tmp_path / "mail.html"
    assert shown(capsys, "audit", "--render", "html", "--output", str(file)) == ""
    assert "alone/AllTraffic" in file.read_text()
    assert file.read_text().lstrip().lower().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), ("{", "is not JSON"), ("[]", "no JSON object"), ('{"account": "1"}', "region")],
)
def test_a_wrong_event_file_is_a_sentence(
    account: Emulator, capsys: Captured, tmp_path: Path, content: str | None, says: str
) -> None:
    file = tmp_path / "event.json"
    if content is not None:
        file.write_text(content)
    assert run(["replay", str(file)]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1


def test_a_template_of_ones_own_takes_the_place_of_the_shipped_one(
    account: Emulator, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / "finding.txt.j2").write_text("OURS {{ notice.only.finding.rule }}")
    monkeypatch.setenv("AUDITOR_TEMPLATES", str(tmp_path))
    try:
        text = shown(capsys, "replay", EVENT)
        assert "OURS endpoint-single-instance" in text
        (tmp_path / "notices" / "finding.txt.j2").write_text("{{ nobody.knows }}")
        assert run(["replay", EVENT]) == 1
        assert "notices/finding.txt.j2 cannot be rendered" in capsys.readouterr().err
        monkeypatch.setenv("AUDITOR_TEMPLATES", str(tmp_path / "nowhere"))
        assert run(["replay", EVENT]) == 2
        assert "accepted is a folder" in capsys.readouterr().err
    finally:
        use_templates(None)


def test_a_template_runs_in_a_sandbox(tmp_path: Path) -> None:
    (tmp_path / "findings").mkdir()
    evil = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    blocks = "".join(
        f"{{% block {name} %}}{evil}{{% endblock %}}"
        for name in ("title", "summary", "why", "fix", "commands", "references")
    )
    (tmp_path / "findings" / "endpoint-idle.md.j2").write_text(blocks)
    try:
        use_templates(str(tmp_path))
        with pytest.raises(BrokenTemplate, match="SecurityError"):
            finding_text("endpoint-idle", {})
    finally:
        use_templates(None)
