"""What the terminal says of fixes: the first one, how the others are told, and which finding is meant."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.text import Text

from chalicelib.cli import fixes, run
from chalicelib.cli.fixes import finding_lines, matching, remember
from chalicelib.cli.table import Table
from chalicelib.cli.wrapping import wrapped
from chalicelib.errors import InvalidInput
from chalicelib.report.findings import Finding, Fix, Resource, Severity
from tests.unit.test_notices import a_finding, a_report

Captured = pytest.CaptureFixture[str]
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn"
SNIPPET = "InitialInstanceCount: 2"


def on_churn(number: int = 1, **differences: Any) -> Finding:
    resource = Resource(kind="endpoint-variant", arn=ARN, name="churn/AllTraffic")
    fix = Fix(text="Run two.", commands=["aws one", "aws two"], snippets={"cloudformation": SNIPPET})
    return a_finding(
        number, **{"resource": resource, "fix": fix, "references": ["https://docs.example"], **differences}
    )


REPORT = a_report(
    on_churn(1, severity=Severity.CRITICAL),
    on_churn(2, rule="endpoint-idle", fix=Fix(text="Ask.", commands=["aws x"] * 9)),
    a_finding(3, name="ranking"),
    on_churn(4, status="exempt"),
)


def summary(report: object = REPORT, fixes: str = "auditor fix", width: int = 100) -> str:
    return "".join(f"{line.plain}\n" for line in Table(report, width, fixes).summary())  # type: ignore[arg-type]


def test_the_summary_shows_the_first_fix_and_says_where_the_others_are() -> None:
    text = summary()
    first = text[text.index("To do first") :]
    assert "critical  endpoint-single-instance  churn/AllTraffic\n  Run two.\n    aws one\n    aws two\n" in first
    assert "every other fix: auditor fix FINDING-OR-RESOURCE" in first


def test_a_fix_of_many_commands_is_told_by_its_id() -> None:
    text = summary(a_report(REPORT.findings[1]))
    assert f"its 9 commands: auditor fix {REPORT.findings[1].id}\n" in text
    assert "aws x" not in text
    assert "every other" not in text


def test_where_no_report_is_kept_no_command_is_named() -> None:
    assert "auditor fix" not in summary(fixes="")
    assert "To do first" not in summary(a_report())


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        (f"f-{1:020x}", [1]),
        (ARN, [1, 2]),
        ("churn/AllTraffic", [1, 2]),
        ("churn", [1, 2]),
        ("ranking", [3]),
        ("endpoint-idle", [2]),
        ("endpoint-single-instance", [1, 3]),
        ("f-0000", [1, 2, 3]),
    ],
)
def test_a_finding_is_named_by_its_id_its_resource_or_its_rule(asked: str, numbers: list[int]) -> None:
    assert [int(finding.id.removeprefix("f-"), 16) for finding in matching(REPORT, asked)] == numbers


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("rank", "near is ranking"),
        ("chrun/AllTraffic", "near is churn/AllTraffic"),
        ("endpoint-idel", "near is endpoint-idle"),
        ("zzz", "accepted are ids, names, ARNs and rules"),
        ("f-0", "accepted are ids, names, ARNs and rules"),
    ],
)
def test_where_nothing_matches_one_sentence_names_what_is_near(asked: str, near: str) -> None:
    with pytest.raises(InvalidInput, match=near):
        matching(REPORT, asked)


def test_an_exempt_finding_is_not_meant() -> None:
    with pytest.raises(InvalidInput, match="the report has no open finding"):
        matching(a_report(on_churn(4, status="exempt")), "churn")


def test_text_commands_snippets_and_references_are_told_whole() -> None:
    finding = on_churn(1, why="Because " * 40, fix=Fix(text="Run two.", commands=["aws " + "x" * 200], snippets={}))
    lines = [line.plain for line in finding_lines(finding, 60)]
    assert "  aws " + "x" * 200 in lines  # a command that is broken cannot be pasted
    assert all(len(line) <= 60 for line in lines if line.startswith("Because"))
    text = "\n".join(line.plain for line in finding_lines(on_churn(1), 80))
    for part in ("In CloudFormation\n  InitialInstanceCount: 2", "References\n  https://docs.example", "Fix\nRun two."):
        assert part in text


def test_the_last_audit_is_remembered_for_its_user_alone(capsys: Captured) -> None:
    assert run(["fix", "churn"]) == 2
    assert "no audit is remembered here" in capsys.readouterr().err
    remember(REPORT)
    assert fixes._last_file().stat().st_mode & 0o777 == 0o600
    assert run(["fix", "ranking"]) == 0
    output = capsys.readouterr()
    assert "Raise it." in output.out
    assert "from the audit of 123456789012 in eu-west-1 at 2026-11-22T06:00:00Z" in output.err


def test_a_report_is_named_and_the_fix_written_to_a_file(tmp_path: Path, capsys: Captured) -> None:
    kept, fix = tmp_path / "report.json", tmp_path / "fix.txt"
    kept.write_text(REPORT.model_dump_json())
    assert run(["fix", "churn", "--report", str(kept), "--output", str(fix)]) == 0
    assert capsys.readouterr().err == f"auditor: wrote {fix} (txt, {fix.stat().st_size:,} bytes)\n"
    assert "aws two" in fix.read_text()


# ---- an empty place, rules, and words that stay whole


def test_an_empty_region_asks_whether_it_is_the_right_one() -> None:
    text = " ".join(summary(a_report(resources={"endpoint": 0})).split())
    assert "Nothing of SageMaker is in eu-west-1 of account 123456789012. Is it the right one? --region NAME" in text
    assert "Is it the right one?" not in summary(a_report())
    assert "Is it the right one?" not in summary(a_report(resources={}, complete=False))


def test_a_rule_is_told_with_why_fix_and_references(capsys: Captured) -> None:
    assert run(["rules", "endpoint-single-instance"]) == 0
    text = capsys.readouterr().out
    for title in ("A finding, for example", "Why", "Fix", "Commands of the example", "References"):
        assert f"\n{title}\n" in text
    assert "https://docs.aws.amazon.com/" in text


def test_rules_are_listed_by_topic_and_format(capsys: Captured, tmp_path: Path) -> None:
    assert run(["rules", "--topic", "clusters", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {rule["topic"] for rule in listed} == {"clusters"}
    assert run(["rules", "endpoint-idle", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "endpoint-idle"
    assert run(["rules", "--topic", "clusters", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.count("\n| cluster-") == len(listed)
    assert run(["rules", "--topic", "clouds"]) == 2
    assert "there is no topic 'clouds'; accepted are autoscaling, " in capsys.readouterr().err
    assert run(["rules", "endpoint-idle", "--topic", "clusters"]) == 2


@pytest.mark.thorough
@pytest.mark.parametrize("columns", ["40", "60", "80", "140"])
def test_ids_of_rules_stay_whole(columns: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert run(["rules"]) == 0
    printed = capsys.readouterr().out
    assert run(["rules", "--format", "json"]) == 0
    ids = [rule["id"] for rule in json.loads(capsys.readouterr().out)]
    assert [id for id in ids if id not in printed] == []


@pytest.mark.parametrize("width", [12, 17, 24, 40, 100])
def test_words_stay_whole_and_names_break_after_a_hyphen(width: int) -> None:
    text = "read endpoint-dependency-missing of モデルモデルモデル and " + "x" * 30
    lines = [line.plain for line in wrapped(Text(text), width)]
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert max(cell_len(line) for line in lines) <= width
    broken = [line for line in lines if line.rstrip("-").endswith(("endpoint", "dependency"))]
    assert all(line.endswith("-") for line in broken)
    assert (broken == []) is (width >= 40)


def test_styles_and_empty_texts_are_kept() -> None:
    assert [line.plain for line in wrapped(Text(""), 10)] == [""]
    (line,) = wrapped(Text.assemble(("red", "red"), " rest"), 20)
    assert [span.style for span in line.spans] == ["red"]
