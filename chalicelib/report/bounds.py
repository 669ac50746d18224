"""How large a finding may be: evidence ends in a count, texts in an ellipsis, so that it fits every channel and table.

A notice for SNS holds a finding up to four times within 256 KB, an item of DynamoDB 400 KB, a finding of Security Hub
240 KB: what stays below :data:`FINDING_BYTES` fits them all. Pure.
"""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from chalicelib.report.calendar import CalendarEntry
from chalicelib.report.findings import BlindSpot, ExemptionNote, Finding
from chalicelib.templating import LISTED, more

#: Characters of a text in evidence; of lists and mappings it holds the first :data:`LISTED` entries.
TEXT = 1_000
#: Entries and characters of evidence, and the part of its texts, where a finding would otherwise be too large.
TIGHTER = ((10, 300, 2), (5, 120, 4), (2, 60, 10))
#: How deep a fact goes.
DEPTH = 6
#: Facts of a finding: rules state fewer than that.
FACTS = 60
#: Characters of a finding's commands, and how many entries of a list they name, the first of these with which they fit.
COMMANDS, NAMED = 9_000, (LISTED, 10, 5, 2, 1)
#: Bytes of a finding as JSON within the JSON of a message, where each quote is escaped once more.
FINDING_BYTES = 24_000
#: Characters of a finding's texts where it would otherwise be too large.
LONGEST = {"title": 300, "summary": 1_500, "why": 1_500, "owner": 300}
FIX, REASON = 1_500, 500
#: Rules that a blind spot names.
EFFECTS = 100
REFERENCES, REFERENCE = 10, 500
TOO_LONG = "The commands are too long to be told."
#: The key under which a mapping counts what it leaves out.
REST = "…"


def bounded(value: Any, entries: int = LISTED, characters: int = TEXT, depth: int = DEPTH) -> Any:
    """A fact as evidence holds it: the first ``entries`` of a list and how many more there are, and so within them."""
    if isinstance(value, str):
        left = len(value) - characters
        return value if left <= 0 else f"{value[:characters]}… {more(left)} characters"
    if depth == 0 and isinstance(value, Mapping | list | tuple | set | frozenset):
        return REST
    if isinstance(value, Mapping):
        kept = {
            name[:TEXT] if isinstance(name, str) else name: bounded(inner, entries, characters, depth - 1)
            for name, inner in islice(value.items(), entries)
        }
        return kept if len(value) <= entries else {**kept, REST: more(len(value) - entries)}
    if isinstance(value, list | tuple | set | frozenset):
        first = [bounded(inner, entries, characters, depth - 1) for inner in islice(value, entries)]
        return first if len(value) <= entries else [*first, more(len(value) - entries)]
    return value


def evidence(facts: Mapping[str, Any], entries: int = LISTED, characters: int = TEXT) -> dict[str, Any]:
    """The facts of a finding, each within its bound."""
    kept = {name: bounded(value, entries, characters) for name, value in islice(facts.items(), FACTS)}
    return kept if len(facts) <= FACTS else {**kept, REST: more(len(facts) - FACTS)}


def first_entries(facts: Mapping[str, Any], entries: int) -> tuple[dict[str, Any], list[str]]:
    """The facts with the first ``entries`` of each list and mapping alone, for commands, in which a count is no name;
    and which of them are shorter for it: ``the first 5 of 6,000 endpoints``."""
    shortened = {name: _first(value, entries) for name, value in facts.items()}
    cut = [name for name, value in facts.items() if shortened[name] is not value]
    return shortened, [f"the first {entries:,} of {len(facts[name]):,} {name.replace('_', ' ')}" for name in cut]


def _first(value: Any, entries: int) -> Any:
    if isinstance(value, list | tuple) and len(value) > entries:
        return value[:entries]
    if isinstance(value, Mapping) and len(value) > entries:
        return dict(islice(value.items(), entries))
    return value


def size(finding: Finding) -> int:
    """The bytes of a finding within a message."""
    return len(json.dumps(finding.model_dump_json(), ensure_ascii=False).encode())


def narrowed(finding: Finding) -> Finding:
    """The finding, at most :data:`FINDING_BYTES` large: one that is larger loses its chart, has its texts cut, then its
    commands left out, then its evidence cut shorter, as far as it takes. What it is about stays whole."""
    if size(finding) <= FINDING_BYTES:
        return finding
    finding = _with_short_texts(finding.model_copy(update={"chart": None}), 1)
    if size(finding) > FINDING_BYTES and (finding.fix.commands or finding.fix.snippets):
        text = f"{finding.fix.text} {TOO_LONG}".strip()
        fix = finding.fix.model_copy(update={"commands": [], "snippets": {}, "text": text})
        finding = finding.model_copy(update={"fix": fix})
    for entries, characters, part in TIGHTER:
        if size(finding) <= FINDING_BYTES:
            return finding
        facts = evidence(finding.evidence, entries, characters)
        finding = _with_short_texts(finding.model_copy(update={"evidence": facts}), part)
    if size(finding) > FINDING_BYTES:
        finding = finding.model_copy(update={"evidence": {REST: more(len(finding.evidence))}})
    return finding


def _with_short_texts(finding: Finding, part: int) -> Finding:
    """Every text cut to a part of its bound, the evidence within its own."""
    texts = {
        name: _cut(text, LONGEST[name] // part) for name in LONGEST if (text := getattr(finding, name)) is not None
    }
    exemption = finding.exemption
    if exemption is not None:
        owner = _cut(exemption.owner, REASON // part) if exemption.owner else None
        exemption = exemption.model_copy(update={"reason": _cut(exemption.reason, REASON // part), "owner": owner})
    return finding.model_copy(
        update={
            **texts,
            "fix": finding.fix.model_copy(update={"text": _cut(finding.fix.text, FIX // part)}),
            "references": [url for url in finding.references if len(url) <= REFERENCE][: REFERENCES // part],
            "evidence": evidence(finding.evidence),
            "exemption": exemption,
        }
    )


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def short_spot(spot: BlindSpot) -> BlindSpot:
    """A blind spot as notices hold it: its texts cut, the rules beyond the first hundred counted."""
    left = len(spot.effect) - EFFECTS
    return spot.model_copy(
        update={
            "operation": _cut(spot.operation, REASON),
            "error": _cut(spot.error, TEXT),
            "resource": None if spot.resource is None else _cut(spot.resource, TEXT),
            "effect": spot.effect if left <= 0 else [*spot.effect[:EFFECTS], more(left)],
        }
    )


def short_entry(entry: CalendarEntry) -> CalendarEntry:
    """An entry of the calendar as notices hold it, its texts cut."""
    owner = None if entry.owner is None else _cut(entry.owner, REASON)
    texts = {name: _cut(getattr(entry, name), REASON) for name in ("resource", "says")}
    return entry.model_copy(update={**texts, "owner": owner})


def short_note(note: ExemptionNote) -> ExemptionNote:
    """A note on an exemption as notices hold it, its texts cut."""
    owner = None if note.owner is None else _cut(note.owner, REASON)
    texts = {name: _cut(getattr(note, name), REASON) for name in ("rule", "resource", "reason")}
    return note.model_copy(update={**texts, "owner": owner})
