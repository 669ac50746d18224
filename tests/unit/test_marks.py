"""Names that try to steer a terminal or forge text: shown as marks, and inert in every format."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cli.table import Table
from chalicelib.input.logs import keep_lines
from chalicelib.input.marks import clean, escaped, one_line
from chalicelib.report.findings import Report
from chalicelib.report.formats.markdown import markdown
from chalicelib.report.formats.writers import WRITERS
from tests.unit.test_notices import a_finding, a_report

STEERING = {
    "red": "\x1b[31mred",
    "title of the window": "\x1b]0;owned\x07",
    "a link": "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "C1": "\x9b31mred",
    "delete": "\x7f\x7f",
    "back": "\x08\x08good",
    "right to left": "\u202egood\u202c",
    "isolate": "\u2066x\u2069",
    "mark": "\u200f\u200e\u061c",
    "line": "good\u2028bad\u2029",
    "tags": "\U000e0041\U000e007f",
    "return": "x\x1bbad\rgood",
    "nothing": "\x00",
}
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x9b31m", "⟨U+009B⟩31m"),
        ("a\x7f", "a␡"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_what_would_steer_becomes_a_visible_mark(text: str, shown: str) -> None:
    assert clean(text) == shown
    assert one_line(text) == shown.replace("\n", "␊")


@given(st.text())
def test_a_cleaned_text_has_nothing_left_to_clean(text: str) -> None:
    assert UNSAFE.search(clean(text)) is None
    assert clean(clean(text)) == clean(text)
    assert "\n" not in one_line(text)


@given(st.text())
def test_escaped_json_holds_the_same_values(text: str) -> None:
    written = escaped(json.dumps({text: [text]}, ensure_ascii=False))
    assert UNSAFE.search(written) is None
    assert json.loads(written) == {text: [text]}


def a_hostile_report(name: str) -> Report:
    return a_report(a_finding(1, name=name, summary=name, owner=name, why=name))


@pytest.mark.parametrize("name", STEERING.values(), ids=STEERING)
@pytest.mark.parametrize("format", WRITERS)
def test_no_format_hands_on_what_steers_a_terminal(format: str, name: str) -> None:
    written = WRITERS[format](a_hostile_report(name)).replace("\r\n", "\n")
    assert UNSAFE.search(written) is None


@pytest.mark.parametrize("name", STEERING.values(), ids=STEERING)
def test_the_table_shows_marks(name: str) -> None:
    lines = "".join(line.plain for line in Table(a_hostile_report(name), 120).lines())
    assert UNSAFE.search(lines) is None
    assert "⟨U+" in lines or any(0x2400 <= ord(sign) <= 0x2421 for sign in lines)


# ---- Markdown: no address, image, mention or issue of a name becomes a link

ADDRESSES = [
    "https://evil.example/x",
    "HTTP://EVIL.example",
    "ftp://evil.example",
    "www.evil.example",
    "WWW.evil.example",
    "_www.evil.example",
    "mailto:a@evil.example",
    "xmpp:a@evil.example",
    "a@evil.example",
    "![x](https://evil.example/x.png)",
    "[x](https://evil.example)",
    "<https://evil.example>",
    "<img src=https://evil.example>",
    "@everyone",
    "#1",
]
#: What GitHub makes a link, an image or a mention of.
LIVE = re.compile(
    r"[a-z][a-z0-9+.-]*://|(?<![a-z0-9])www\.|(?:mailto|xmpp):[^\s\u200b]|[\w.+-]+@[\w-]+|@\w|#\d|\]\(|<[a-z/!]",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_in_a_name_stays_text_in_markdown(name: str) -> None:
    assert LIVE.search(name)
    for text in markdown(a_hostile_report(name)).splitlines():
        if text.startswith(("| high", "**")):
            assert LIVE.search(re.sub(r"&#\d+;", "", text)) is None, text


# ---- logs


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    before, stream = logging.getLogRecordFactory(), io.StringIO()
    handler = logging.StreamHandler(stream)
    log = logging.getLogger("chalicelib.marks")
    log.addHandler(handler)
    keep_lines()
    yield stream
    logging.setLogRecordFactory(before)
    log.removeHandler(handler)


def test_a_name_forges_no_line_of_the_log(logged: io.StringIO) -> None:
    logging.getLogger("chalicelib.marks").warning("event dropped: %s", "x\nevent kept: \x1b[2K\u202e")
    assert logged.getvalue() == "event dropped: x␊event kept: ␛[2K⟨U+202E⟩\n"
