"""Reading a report back: what this version does not know is left out, and what is no report is told in a sentence."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidInput
from chalicelib.report.file import report_from, report_in
from chalicelib.report.findings import BlindSpot, RuleCounts
from tests.unit.test_notices import a_finding, a_report

SPOT = BlindSpot(account="1", region="r", operation="o", error="e", effect=["endpoint-idle"])
REPORT = a_report(a_finding(), blind_spots=[SPOT], rules={"endpoint-idle": RuleCounts(passed=2, unknown=1)})


def plain() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(REPORT.model_dump_json())
    return content


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(REPORT.model_dump_json(indent=2))
    assert report_in(path) == REPORT
    path.write_bytes(b"\xef\xbb\xbf" + REPORT.model_dump_json().encode())
    assert report_in(str(path)) == REPORT


def test_a_dash_is_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(REPORT.model_dump_json().encode())))
    assert report_in("-") == REPORT


def test_fields_of_a_later_version_are_left_out() -> None:
    content = plain()
    for holder in (content, content["findings"][0], content["findings"][0]["resource"], content["blind_spots"][0]):
        holder["posture"] = {"score": 3}
    content["rules"]["endpoint-idle"]["weighed"] = 7
    assert report_from(json.dumps(content), "report.json") == REPORT


def changed(**fields: Any) -> str:
    return json.dumps({**plain(), **fields})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "report.json:1 is not JSON"),
        ("{\n\n", "report.json:3 is not JSON"),
        ("[" * 100_000, "report.json: it is too large"),
        ("[]", "not a report"),
        ("{}", "not a report"),
        ('{"audit_id": 1}', "not a report"),
        (REPORT.findings[0].model_dump_json(), "not a report"),
        (changed(schema_version=2), "schema version 2 is newer than this auditor reads (1); upgrade it"),
        (changed(schema_version=0), "schema_version: input should be 1"),
        (changed(findings=3), "findings: input should be a valid list"),
        (changed(started_at="then"), "started_at"),
        (changed(rules={"a": {"pass": "x", "new": 1}}), "rules.a.pass"),
        (json.dumps({key: value for key, value in plain().items() if key != "rules"}), "rules: field required"),
    ],
)
def test_what_is_no_report_is_told_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as error:
        report_from(text, "report.json")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "says"), [(None, "No such file"), (b"\xff\xfe{}", "is not UTF-8 text"), ("folder", "Is a directory")]
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: Any, says: str) -> None:
    path = tmp_path / "report.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.mkdir()
    with pytest.raises(InvalidInput, match=says):
        report_in(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.mark.thorough
@given(key=st.sampled_from(sorted(plain())), value=JSON)
def test_any_value_in_any_field_is_read_or_refused(key: str, value: Any) -> None:
    try:
        report_from(changed(**{key: value}), "report.json")
    except InvalidInput as error:
        assert "report.json" in str(error)
