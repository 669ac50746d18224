"""A notice as Slack shows it: blocks within their limits, and plain text for when Slack refuses them.

Limits follow https://docs.slack.dev/reference/block-kit/.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chalicelib.notices.mrkdwn import (
    REPORT_LINK,
    code,
    counts,
    escape,
    link,
    shortened,
    target_of,
    unticked,
    width,
    words,
)
from chalicelib.notices.notice import WORDS, Change, Notice
from chalicelib.notices.reasons import change_note
from chalicelib.notices.slack.headline import (
    BLIND,
    EMOJI,
    WELL,
    announced,
    colour_of,
    headline,
    news,
    tally,
)
from chalicelib.report.calendar import SOON_DAYS
from chalicelib.report.findings import BlindSpot, ExemptionNote, Finding, Saving
from chalicelib.templating import clean, render

Block = dict[str, Any]

#: Characters of a section; fields of a section, which may be 2,000 characters long each.
SECTION, FIELDS = 3_000, 10
#: Slack refuses a message near 13,000 characters (https://github.com/slackapi/bolt-js/issues/2509).
MESSAGE = 12_000
#: A plain text may be longer, but is cut by Slack without a word.
PLAIN = 3_500

# ---- blocks


class Room(NamedTuple):
    """How much is told: lines in a list, characters of a summary in a list, of a long text, of all commands."""

    lines: int
    summary: int
    text: int
    commands: int


#: From everything to almost nothing; the first with which the message fits is taken.
ROOMS = (
    Room(lines=12, summary=300, text=2_500, commands=6_000),
    Room(lines=40, summary=0, text=1_500, commands=5_000),
    Room(lines=30, summary=0, text=1_200, commands=4_000),
    Room(lines=22, summary=0, text=900, commands=3_000),
    Room(lines=16, summary=0, text=600, commands=3_000),
    Room(lines=12, summary=0, text=450, commands=2_000),
    Room(lines=8, summary=0, text=300, commands=2_000),
    Room(lines=5, summary=0, text=200, commands=1_000),
    Room(lines=3, summary=0, text=150, commands=1_000),
    Room(lines=2, summary=0, text=100, commands=0),
    Room(lines=1, summary=0, text=80, commands=0),
    Room(lines=0, summary=0, text=40, commands=0),
)


def payload(notice: Notice) -> Block:
    """The message as the webhook takes it: ``text`` for notifications, the header, and a coloured bar with the rest.

    Its JSON is at most 12,000 characters long; no text and no number of blocks exceeds what Slack takes.
    """
    return _message(notice, blocks(notice))


def blocks(notice: Notice) -> list[Block]:
    """The blocks of a notice, the header first, with as much in them as the message has room for.

    They are fewer than 20, though Slack takes 50: with more in an attachment it has refused messages
    (https://github.com/slackapi/bolt-python/issues/914).
    """
    for room in ROOMS:
        made = _of_one(notice, room) if notice.single else _of_many(notice, room)
        if made is not None and len(json.dumps(_message(notice, made))) <= MESSAGE:
            break
    assert made is not None  # the last rooms have no summaries
    return made


def _message(notice: Notice, made: list[Block]) -> Block:
    return {
        "text": announced(notice),
        "blocks": made[:1],
        "attachments": [{"color": colour_of(notice), "blocks": made[1:]}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _mrkdwn(text: str) -> Block:
    # Verbatim: Slack makes no links of addresses and no mentions of names by itself.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}}


def _context(*texts: str) -> Block:
    return {"type": "context", "elements": [_mrkdwn(text) for text in texts if text]}


def _fields(pairs: Iterable[tuple[str, str]]) -> Block:
    shown = [(label, text) for label, text in pairs if text]
    return {"type": "section", "fields": [_mrkdwn(f"*{label}*\n{text}") for label, text in shown[:FIELDS]]}


def _code_block(text: str) -> Block:
    return _section(f"```\n{escape(unticked(clean(text)))}\n```")


def _more(number: int, notice: Notice, what: str = "") -> str:
    """``and 4,812 more``, with a link to the report where there is one."""
    words_of_it = f"and {number:,} more{what}"
    where = link(notice.report_url, "the report", 20) if target_of(notice.report_url) else ""
    return f"{words_of_it} in {where}" if where else words_of_it


def _listed(heading: str, lines: Sequence[str], total: int, notice: Notice) -> list[Block]:
    """A list under a heading, in as many sections as it takes; of ``total`` entries, those without a line are
    counted."""
    left = total - len(lines)
    texts = [heading]
    for line in [*lines, *([_more(left, notice)] if left and lines else [])]:
        if width(texts[-1]) + 1 + width(line) <= SECTION:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return [_section(text) for text in texts]


# ---- one change


def _of_one(notice: Notice, room: Room) -> list[Block]:
    change = notice.only
    finding = change.finding
    about = f"*{link(finding.resource.console_url, finding.resource.name, min(room.text, 200))}*"
    note = words(change_note(change, notice), min(room.text, 300))
    made = [
        _header(headline(notice)),
        _section("\n".join(filter(None, [f"{about} · {words(finding.resource.kind, 40)}", note]))),
        _section(
            ("What was wrong: " if notice.kind == "resolved" else "") + (words(finding.summary, room.text) or "–")
        ),
    ]
    if notice.kind != "resolved":
        made += _advice(finding, notice, room)
    made.append(_fields(_facts(finding, room)))
    references = finding.references[: min(room.lines, 5)]
    if notice.kind != "resolved" and references:
        made.append(_context(" · ".join(link(url, _page(url), 80) for url in references)))
    made += _blind_spots(notice, room) + _exemptions(notice, room)
    made += _foot(notice, room)
    return made


def _advice(finding: Finding, notice: Notice, room: Room) -> list[Block]:
    made = []
    if finding.why:
        made.append(_section(f"*Why*\n{words(finding.why, room.text)}"))
    if finding.fix.text:
        made.append(_section(f"*Fix*\n{words(finding.fix.text, room.text)}"))
    blocks_of_code = _commands(finding.fix.commands, room.commands)
    made += [_code_block(block) for block in blocks_of_code]
    if finding.fix.commands and not blocks_of_code:
        left = len(finding.fix.commands)
        made.append(_context(_more(left, notice, " command" if left == 1 else " commands")))
    return made


def _commands(commands: Sequence[str], limit: int) -> list[str]:
    """The commands in blocks of code; nothing where not all of them fit, as each needs those before it and after it."""
    room_in_block = SECTION - len("```\n\n```")
    sizes = [width(escape(command)) + 1 for command in commands]
    if sum(sizes) > limit or any(size > room_in_block for size in sizes):
        return []
    packed: list[str] = []
    for command, size in zip(commands, sizes, strict=True):
        if packed and width(escape(packed[-1])) + size <= room_in_block:
            packed[-1] += f"\n{command}"
        else:
            packed.append(command)
    return packed


def _facts(finding: Finding, room: Room) -> list[tuple[str, str]]:
    limit = min(room.text, 200)
    return [
        ("Account", words(finding.account, min(limit, 60)) or "–"),
        ("Region", words(finding.region, min(limit, 60))),
        ("Rule", code(finding.rule, min(limit, 100))),
        ("Owner", words(finding.owner or "", limit)),
        ("Confidence", "" if finding.confidence == "high" else finding.confidence.value),
        ("Saving", words(_saving(finding.saving), limit)),
        ("Costs", f"{finding.cost_usd:,.2f} USD a month more" if finding.cost_usd else ""),
    ]


def _saving(saving: Saving | None) -> str:
    return f"{saving.monthly_usd:,.2f} USD a month: {saving.basis}" if saving else ""


def _page(url: str) -> str:
    """What to call a page: the last part of its address without the extension."""
    last = url.split("?")[0].split("#")[0].rstrip("/").rpartition("/")[2]
    return last.removesuffix(".html") or url


# ---- many changes


def _of_many(notice: Notice, room: Room) -> list[Block] | None:
    """The blocks of a digest; None where summaries would take the place of whole findings."""
    groups = notice.changes
    if room.summary and any(len(changes) > room.lines for _, changes in groups):
        return None
    made = [_header(headline(notice)), _fields(_overview(notice, room))]
    if not groups and not notice.omitted:
        made.append(_section(_nothing_told(notice)))
    for kind, changes in groups:
        lines = [_line(change, notice, room) for change in changes[: room.lines]]
        made += _listed(f"*{WORDS[kind]}* ({len(changes):,})", lines, len(changes), notice)
    if notice.omitted:
        what = " change" if notice.omitted == 1 else " changes"
        made.append(_section(_more(notice.omitted, notice, what)))
    made += _blind_spots(notice, room) + _calendar(notice, room) + _exemptions(notice, room)
    made += _foot(notice, room)
    return made


def _overview(notice: Notice, room: Room) -> list[tuple[str, str]]:
    limit = min(room.text, 200)
    return [
        ("Account", words(notice.account, limit) or "–"),
        ("Region", words(notice.region, limit) or "–"),
        ("Told now", words(tally(notice), limit)),
        ("Told before, still open", words(counts(notice.still_open), limit)),
        ("Exempt", f"{notice.exempt:,}" if notice.exempt else ""),
        ("Only observed", f"{notice.observed:,}" if notice.observed else ""),
    ]


def _nothing_told(notice: Notice) -> str:
    if notice.kind == "run":
        return words(notice.health, 300)
    if sum(notice.still_open.values()):
        return f"Nothing new. Told before and still open: {words(counts(notice.still_open), 200)}."
    if not notice.complete:
        return "Nothing found, but the audit could not see everything."
    return "All clean: nothing is open at or above the severity that is told."


def _line(change: Change, notice: Notice, room: Room) -> str:
    finding = change.finding
    emoji = WELL if change.change == "resolved" else EMOJI[finding.severity]
    note = words(change_note(change, notice), 120)
    limit = 100 if room.lines > 2 else 60
    about = link(finding.resource.console_url, finding.resource.name, limit)
    line = f"• {emoji} {about}: {words(finding.title, limit)}" + (f" · {note}" if note else "")
    summary = words(finding.summary, room.summary) if room.summary and change.change != "resolved" else ""
    return f"{line}\n      {summary}" if summary else line


def _blind_spots(notice: Notice, room: Room) -> list[Block]:
    spots = notice.blind_spots
    if not spots:
        return []
    lines = [_spot(spot, notice, room) for spot in spots[: min(room.lines, 8)]]
    number = len(spots) + notice.omitted_blind_spots
    return _listed(f"{BLIND} *Blind spots* ({number:,})", lines, number, notice)


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


def _calendar(notice: Notice, room: Room) -> list[Block]:
    entries = notice.calendar
    if not entries:
        return []
    lines = [f"• {entry.day}: {words(entry.says, min(room.text, 200))}" for entry in entries[: min(room.lines, 8)]]
    number = len(entries) + notice.omitted_calendar
    return _listed(f"*The next {SOON_DAYS} days* ({number:,})", lines, number, notice)


def _exemptions(notice: Notice, room: Room) -> list[Block]:
    notes = notice.exemptions
    if not notes:
        return []
    lines = [_exemption(note, room) for note in notes[: min(room.lines, 8)]]
    number = len(notes) + notice.omitted_exemptions
    return _listed(f"*Exemptions to look at* ({number:,})", lines, number, notice)


def _exemption(note: ExemptionNote, room: Room) -> str:
    why = ", ".join(filter(None, [words(note.reason, min(room.text, 120)), words(note.owner or "", 60)]))
    return f"• {code(note.rule, 80)} on {code(note.resource, 120)}: {note.says}" + (f" · {why}" if why else "")


def _foot(notice: Notice, room: Room) -> list[Block]:
    report = link(notice.report_url, "the whole report", 20) if target_of(notice.report_url) else ""
    audit, limit = code(notice.audit_id, 60), min(room.text, 200)
    says = [words(notice.health, limit), words(notice.savings, limit), f"audit {audit}", report]
    foot = [_context(" · ".join(filter(None, says)))]
    if notice.report_note:  # a link that is signed is longer, and people must know who can open it
        signed = link(notice.report_url, "The whole report", 20, REPORT_LINK)
        foot.append(_section(f"{signed}: {words(notice.report_note, 700)}"))
    return foot


# ---- what stands in the place of the blocks


def plain(notice: Notice) -> Block:
    """The message without blocks, for when Slack refuses them: the same news as text, at most 3,500 characters."""
    change = _single(notice)
    urls = [change.finding.resource.console_url if change else None, notice.report_url]
    links = "".join(f"\n<{target}>" for target in map(target_of, urls) if target)
    room = PLAIN - width(links)
    commands = change.finding.fix.commands if change else []
    text = _plain_text(notice, commands, 0)
    if width(escape(text)) > room:  # it will be cut, and half a command does something else
        text = _plain_text(notice, [], len(commands))
    # Unparsed: Slack makes no links of addresses and no mentions of names by itself.
    settings = {"mrkdwn": False, "parse": "none", "unfurl_links": False, "unfurl_media": False}
    return {"text": shortened(text, room) + links, **settings}


def _plain_text(notice: Notice, commands: Sequence[str], commands_left: int) -> str:
    change = _single(notice)
    text = render(
        "notices/slack/plain.txt.j2",
        {
            "notice": notice,
            "headline": "".join(news(notice)),
            "note": change_note(change, notice) if change else "",
            "commands": commands,
            "commands_left": commands_left,
            "groups": [(WORDS[kind], changes) for kind, changes in notice.changes],
            "named": 5,
            "still_open": counts(notice.still_open),
        },
    )
    return unticked(clean(text))


def _single(notice: Notice) -> Change | None:
    """The change of a notice about one; None for a digest."""
    return notice.only if notice.single else None
