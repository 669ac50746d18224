"""What messages in Slack are made of: blocks within their limits, and what every message ends with.

Limits follow https://docs.slack.dev/reference/block-kit/.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chalicelib.notices.mrkdwn import REPORT_LINK, code, escape, link, target_of, unticked, width, words
from chalicelib.notices.notice import Notice
from chalicelib.notices.slack.headline import BLIND
from chalicelib.report.findings import BlindSpot, ExemptionNote
from chalicelib.templating import clean

Block = dict[str, Any]

#: Characters of a section; fields of a section, which may be 2,000 characters long each.
SECTION, FIELDS = 3_000, 10


class Room(NamedTuple):
    """How much is told: lines in a list, characters of a summary in a list, of a long text, of all commands."""

    lines: int
    summary: int
    text: int
    commands: int


def mrkdwn(text: str) -> Block:
    # Verbatim: Slack makes no links of addresses and no mentions of names by itself.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}}


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text) for text in texts if text]}


def fields(pairs: Iterable[tuple[str, str]]) -> Block:
    shown = [(label, text) for label, text in pairs if text]
    return {"type": "section", "fields": [mrkdwn(f"*{label}*\n{text}") for label, text in shown[:FIELDS]]}


def code_block(text: str) -> Block:
    return section(f"```\n{escape(unticked(clean(text)))}\n```")


def more_of(number: int, notice: Notice, what: str = "") -> str:
    """``and 4,812 more``, with a link to the report where there is one."""
    words_of_it = f"and {number:,} more{what}"
    where = link(notice.report_url, "the report", 20) if target_of(notice.report_url) else ""
    return f"{words_of_it} in {where}" if where else words_of_it


def listed(heading: str, lines: Sequence[str], total: int, notice: Notice) -> list[Block]:
    """A list under a heading, in as many sections as it takes; of ``total`` entries, those without a line are
    counted."""
    left = total - len(lines)
    texts = [heading]
    for line in [*lines, *([more_of(left, notice)] if left and lines else [])]:
        if width(texts[-1]) + 1 + width(line) <= SECTION:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return [section(text) for text in texts]


def blind_spots(notice: Notice, room: Room) -> list[Block]:
    spots = notice.blind_spots
    if not spots:
        return []
    lines = [_spot(spot, notice, room) for spot in spots[: min(room.lines, 8)]]
    number = len(spots) + notice.omitted_blind_spots
    return listed(f"{BLIND} *Blind spots* ({number:,})", lines, number, notice)


def _spot(spot: BlindSpot, notice: Notice, room: Room) -> str:
    limit = min(room.text, 150)
    place = "" if (spot.account, spot.region) == (notice.account, notice.region) else f"{spot.account} {spot.region}"
    about = ", ".join(filter(None, [words(place, 60), code(spot.resource, 120) if spot.resource else ""]))
    line = f"• {code(spot.operation, 100)}{f' ({about})' if about else ''}: {words(spot.error, limit)}"
    if not spot.effect:
        return line
    rules = [words(rule, 60) for rule in spot.effect[:4]]
    more = len(spot.effect) - len(rules)
    return f"{line}\n      unknown: {', '.join(rules)}" + (f" and {more:,} more" if more else "")


def exemptions(notice: Notice, room: Room) -> list[Block]:
    notes = notice.exemptions
    if not notes:
        return []
    lines = [_exemption(note, room) for note in notes[: min(room.lines, 8)]]
    number = len(notes) + notice.omitted_exemptions
    return listed(f"*Exemptions to look at* ({number:,})", lines, number, notice)


def _exemption(note: ExemptionNote, room: Room) -> str:
    why = ", ".join(filter(None, [words(note.reason, min(room.text, 120)), words(note.owner or "", 60)]))
    return f"• {code(note.rule, 80)} on {code(note.resource, 120)}: {note.says}" + (f" · {why}" if why else "")


def foot(notice: Notice, room: Room) -> list[Block]:
    report = link(notice.report_url, "the whole report", 20) if target_of(notice.report_url) else ""
    audit, limit = code(notice.audit_id, 60), min(room.text, 200)
    says = [words(notice.health, limit), words(notice.savings, limit), f"audit {audit}", report]
    made = [context(" · ".join(filter(None, says)))]
    if notice.report_note:  # a link that is signed is longer, and people must know who can open it
        signed = link(notice.report_url, "The whole report", 20, REPORT_LINK)
        made.append(section(f"{signed}: {words(notice.report_note, 700)}"))
    return made
