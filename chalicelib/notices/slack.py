"""Notices in Slack, through an incoming webhook: from the findings topic to the channel.

A lost alert is a fault: what Slack cannot show in blocks goes out as plain text, and what cannot go out at all raises
SlackFailed, so that Lambda tries again and the dead-letter queue keeps the notice. The webhook's address is a secret:
it stands in no log record and in no exception.

Limits and markup follow https://docs.slack.dev/reference/block-kit/ and
https://docs.slack.dev/messaging/formatting-message-text/.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.parse import quote, urlsplit
from weakref import WeakKeyDictionary

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from slack_sdk.webhook import WebhookClient, WebhookResponse

from chalicelib.errors import AuditorError
from chalicelib.findings import BlindSpot, ExemptionNote, Finding, Saving, Severity
from chalicelib.notices.notice import WORDS, Notice, Told
from chalicelib.settings import Settings
from chalicelib.texts import clean, render

log = logging.getLogger(__name__)

Block = dict[str, Any]
Sleep = Callable[[float], None]

#: Characters of a header and of a section; fields of a section, which may be 2,000 characters long each.
HEADER, SECTION, FIELDS = 150, 3_000, 10
#: Slack refuses a message near 13,000 characters (https://github.com/slackapi/bolt-js/issues/2509).
MESSAGE = 12_000
#: A plain text may be longer, but is cut by Slack without a word.
PLAIN = 3_500
#: A longer link is left out, and what it would have led to is named all the same.
LINK = 500

EMOJI = {
    Severity.CRITICAL: ":red_circle:",
    Severity.HIGH: ":large_orange_circle:",
    Severity.MEDIUM: ":large_yellow_circle:",
    Severity.LOW: ":large_blue_circle:",
    Severity.INFO: ":white_circle:",
}
COLOURS = {
    Severity.CRITICAL: "#b3001e",
    Severity.HIGH: "#e8590c",
    Severity.MEDIUM: "#f2b705",
    Severity.LOW: "#3b82c4",
    Severity.INFO: "#8a8f98",
}
WELL, WELL_COLOUR = ":white_check_mark:", "#2e9e5b"
BLIND, QUIET = ":warning:", ":white_circle:"


class SlackFailed(AuditorError):
    """A notice did not reach Slack, or the webhook's address cannot be had. Never holds the address."""

    def __init__(self, message: str, *, address_refused: bool = False) -> None:
        super().__init__(message)
        #: Slack no longer knows the address: it was revoked or replaced.
        self.address_refused = address_refused


# ---- words, made safe for mrkdwn


def escape(text: str) -> str:
    """The text with exactly the three characters replaced that Slack reads as markup, ``&`` first."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def width(text: str) -> int:
    """How long Slack counts a text, in UTF-16 units, the widest of the counts in use."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shortened(text: str, limit: int) -> str:
    """The text escaped, cut so that it takes at most ``limit`` characters, with an ellipsis where it was cut.

    The cut comes before the escaping, so that no entity is cut in half.

    >>> shortened("a<b>c", 9)
    'a&lt;b…'
    """
    start = text[: limit + 1]  # what comes after cannot fit
    escaped = escape(start)
    if width(escaped) <= limit:
        return escaped
    kept: list[str] = []
    left = limit - 1
    for one in start:
        piece = escape(one)
        left -= width(piece)
        if left < 0:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + "…" if limit > 0 else ""


def _unticked(text: str) -> str:
    """Without backticks, which would open or close code: a look-alike that no shell knows stands for them."""
    return text.replace("`", "ˋ")


def words(text: str, limit: int) -> str:
    """An untrusted text on one line, escaped, without control characters, of at most ``limit`` characters."""
    return shortened(_unticked(clean(" ".join(text.split()))), limit)


def code(text: str, limit: int) -> str:
    """An untrusted text as code within a line, or a dash when nothing is left of it."""
    inner = words(text, limit - 2)
    return f"`{inner}`" if inner else "–"


def link(url: str | None, label: str, limit: int) -> str:
    """A link with an untrusted label; the label alone where there is no http(s) address, or one too long."""
    target = _target(url)
    if target is None:
        return words(label, limit) or "–"
    return f"<{target}|{words(label, limit) or 'link'}>"


#: What may stand in an address as it is; the rest, above all the signs that would end a link, is percent-encoded.
_IN_ADDRESSES = "%/:=&?~#+!$,;'@()*[]"


def _target(url: str | None) -> str | None:
    if url is None or not url.startswith(("https://", "http://")):
        return None
    target = escape(quote(clean("".join(url.split())), safe=_IN_ADDRESSES))
    return target if width(target) <= LINK else None


def number_of(number: int, word: str) -> str:
    """A count in words: ``1 finding``, ``4,812 findings``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def lasted(span: timedelta) -> str:
    """A span of time to the largest unit: ``3 days``, ``5 hours``, ``less than a minute``."""
    seconds = span.total_seconds()
    for word, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return number_of(int(seconds // length), word)
    return "less than a minute"


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {severity}" for severity, number in numbers.items() if number)


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
        made = _of_one(notice, room) if notice.kind in ("finding", "resolved") else _of_many(notice, room)
        if made is not None and len(json.dumps(_message(notice, made))) <= MESSAGE:
            break
    assert made is not None  # the last rooms have no summaries
    return made


def _message(notice: Notice, made: list[Block]) -> Block:
    return {
        "text": _announced(notice),
        "blocks": made[:1],
        "attachments": [{"color": _colour(notice), "blocks": made[1:]}],
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
    return _section(f"```\n{escape(_unticked(clean(text)))}\n```")


def _more(number: int, notice: Notice, what: str = "") -> str:
    """``and 4,812 more``, with a link to the report where there is one."""
    words_of_it = f"and {number:,} more{what}"
    where = link(notice.report_url, "the report", 20) if _target(notice.report_url) else ""
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
    told = notice.only
    finding = told.finding
    about = f"*{link(finding.resource.console_url, finding.resource.name, min(room.text, 200))}*"
    note = words(change_note(told, notice), min(room.text, 300))
    made = [
        _header(_headline(notice)),
        _section("\n".join(filter(None, [f"{about} · {words(finding.resource.kind, 40)}", note]))),
        _section(("" if notice.kind == "finding" else "What was wrong: ") + (words(finding.summary, room.text) or "–")),
    ]
    if notice.kind == "finding":
        made += _advice(finding, notice, room)
    made.append(_fields(_facts(finding, room)))
    references = finding.references[: min(room.lines, 5)]
    if notice.kind == "finding" and references:
        made.append(_context(" · ".join(link(one, _page(one), 80) for one in references)))
    made += _blind_spots(notice, room) + _exemptions(notice, room)
    made.append(_foot(notice, room))
    return made


def _advice(finding: Finding, notice: Notice, room: Room) -> list[Block]:
    made = []
    if finding.why:
        made.append(_section(f"*Why*\n{words(finding.why, room.text)}"))
    if finding.fix.text:
        made.append(_section(f"*Fix*\n{words(finding.fix.text, room.text)}"))
    blocks_of_code, left = _commands(finding.fix.commands, room.commands)
    made += [_code_block(block) for block in blocks_of_code]
    if left:
        what = " command" if left == 1 else " commands"
        made.append(_context(_more(left, notice, what)))
    return made


def _commands(commands: Sequence[str], limit: int) -> tuple[list[str], int]:
    """The commands in blocks of code, and how many were left out.

    A command is shown whole or not at all, as half a command does something else; those after it need it done.
    """
    room_in_block = SECTION - len("```\n\n```")
    packed: list[str] = []
    used = 0
    for place, command in enumerate(commands):
        size = width(escape(command)) + 1
        used += size
        if used > limit or size > room_in_block:
            return packed, len(commands) - place
        if packed and width(escape(packed[-1])) + size <= room_in_block:
            packed[-1] += f"\n{command}"
        else:
            packed.append(command)
    return packed, 0


def _facts(finding: Finding, room: Room) -> list[tuple[str, str]]:
    limit = min(room.text, 200)
    return [
        ("Account", words(finding.account, min(limit, 60)) or "–"),
        ("Region", words(finding.region, min(limit, 60))),
        ("Rule", code(finding.rule, min(limit, 100))),
        ("Owner", words(finding.owner or "", limit)),
        ("Confidence", "" if finding.confidence == "high" else finding.confidence.value),
        ("Saving", words(_saving(finding.saving), limit)),
    ]


def _saving(saving: Saving | None) -> str:
    return f"{saving.monthly_usd:,.2f} USD a month: {saving.basis}" if saving else ""


def _page(url: str) -> str:
    """What to call a page: the last part of its address without the extension."""
    last = url.split("?")[0].split("#")[0].rstrip("/").rpartition("/")[2]
    return last.removesuffix(".html") or url


def change_note(told: Told, notice: Notice) -> str:
    """Why a finding is told now, in words; empty for a new one."""
    finding = told.finding
    if told.change == "worse":
        return f"was {told.before.value}, is {finding.severity.value}" if told.before else ""
    if told.change == "back":
        ended = finding.exemption
        if ended is not None:
            when = f" on {ended.expires}" if ended.expires else ""
            owner = f", {ended.owner}" if ended.owner else ""
            return f"its exemption ended{when} ({ended.reason}{owner})"
        return "" if told.away_days is None else f"back after {lasted(timedelta(days=told.away_days))}"
    if told.change == "reminder":
        since = finding.first_seen
        return f"open since {since:%Y-%m-%d}, for {lasted(notice.finished_at - since)}"
    if told.change == "resolved":
        ended_at = finding.resolved_at or notice.finished_at
        return f"was open for {lasted(ended_at - finding.first_seen)}"
    return ""


# ---- many changes


def _of_many(notice: Notice, room: Room) -> list[Block] | None:
    """The blocks of a digest; None where summaries would take the place of whole findings."""
    groups = notice.changes
    if room.summary and any(len(several) > room.lines for _, several in groups):
        return None
    made = [_header(_headline(notice)), _fields(_overview(notice, room))]
    if not groups and not notice.omitted:
        made.append(_section(_nothing_told(notice)))
    for change, several in groups:
        lines = [_line(told, notice, room) for told in several[: room.lines]]
        made += _listed(f"*{WORDS[change]}* ({len(several):,})", lines, len(several), notice)
    if notice.omitted:
        what = " change" if notice.omitted == 1 else " changes"
        made.append(_section(_more(notice.omitted, notice, what)))
    made += _blind_spots(notice, room) + _exemptions(notice, room)
    made.append(_foot(notice, room))
    return made


def _overview(notice: Notice, room: Room) -> list[tuple[str, str]]:
    limit = min(room.text, 200)
    return [
        ("Account", words(notice.account, limit) or "–"),
        ("Region", words(notice.region, limit) or "–"),
        ("Told now", words(_told(notice), limit)),
        ("Told before, still open", words(_counts(notice.still_open), limit)),
        ("Exempt", f"{notice.exempt:,}" if notice.exempt else ""),
        ("Only observed", f"{notice.observed:,}" if notice.observed else ""),
    ]


def _told(notice: Notice) -> str:
    """How many changes are told, by severity; empty without any. Totals count what was left out as well."""
    if notice.totals is None:
        resolved, left = sum(1 for one in notice.told if one.change == "resolved"), notice.omitted
    else:
        resolved, left = len(notice.told) + notice.omitted - sum(notice.totals.values()), 0
    counts = ", ".join(filter(None, [_counts(notice.by_severity), f"{resolved:,} resolved" if resolved > 0 else ""]))
    if not left:
        return counts
    return f"{counts} and {left:,} more" if counts else number_of(left, "change")


def _nothing_told(notice: Notice) -> str:
    if sum(notice.still_open.values()):
        return f"Nothing new. Told before and still open: {words(_counts(notice.still_open), 200)}."
    if not notice.complete:
        return "Nothing found, but the audit could not see everything."
    return "All clean: nothing is open at or above the severity that is told."


def _line(told: Told, notice: Notice, room: Room) -> str:
    finding = told.finding
    emoji = WELL if told.change == "resolved" else EMOJI[finding.severity]
    note = words(change_note(told, notice), 120)
    limit = 100 if room.lines > 2 else 60
    about = link(finding.resource.console_url, finding.resource.name, limit)
    line = f"• {emoji} {about}: {words(finding.title, limit)}" + (f" · {note}" if note else "")
    summary = words(finding.summary, room.summary) if room.summary and told.change != "resolved" else ""
    return f"{line}\n      {summary}" if summary else line


def _blind_spots(notice: Notice, room: Room) -> list[Block]:
    spots = notice.blind_spots
    if not spots:
        return []
    lines = [_spot(spot, notice, room) for spot in spots[: min(room.lines, 8)]]
    return _listed(f"{BLIND} *Blind spots* ({len(spots):,})", lines, len(spots), notice)


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


def _exemptions(notice: Notice, room: Room) -> list[Block]:
    notes = notice.exemptions
    if not notes:
        return []
    lines = [_exemption(note, room) for note in notes[: min(room.lines, 8)]]
    return _listed(f"*Exemptions to look at* ({len(notes):,})", lines, len(notes), notice)


def _exemption(note: ExemptionNote, room: Room) -> str:
    what = {
        "expired": f"expired on {note.expires}, its findings are told again",
        "expiring": f"ends on {note.expires}, covers {number_of(note.findings, 'finding')}",
        "unmatched": "covers nothing",
    }[note.state]
    why = ", ".join(filter(None, [words(note.reason, min(room.text, 120)), words(note.owner or "", 60)]))
    return f"• {code(note.rule, 80)} on {code(note.resource, 120)}: {what}" + (f" · {why}" if why else "")


def _foot(notice: Notice, room: Room) -> Block:
    report = link(notice.report_url, "the whole report", 20) if _target(notice.report_url) else ""
    audit = code(notice.audit_id, 60)
    return _context(" · ".join(filter(None, [words(notice.health, min(room.text, 200)), f"audit {audit}", report])))


# ---- what stands above the blocks, and in their place


def _headline(notice: Notice) -> str:
    """One line that says what happened, with the emoji of its severity, as long as a header may be."""
    start, news = _news(notice)
    return start + words(news, HEADER - width(start))


def _news(notice: Notice) -> tuple[str, str]:
    """The start of the headline, which is ours, and the rest of it, which is not."""
    if notice.kind in ("finding", "resolved"):
        told = notice.only
        if told.change == "resolved":
            return f"{WELL} {WORDS[told.change]} · ", told.finding.title
        severity = told.finding.severity
        return f"{EMOJI[severity]} {WORDS[told.change]} · {severity.value} · ", told.finding.title
    return f"{_mood(notice)} SageMaker audit: ", _told(notice) or _quiet(notice)


def _quiet(notice: Notice) -> str:
    if sum(notice.still_open.values()):
        return "nothing new"
    return "all clean" if notice.complete else "nothing found, with blind spots"


def _tells_of_open_ones(notice: Notice) -> bool:
    uncounted = notice.omitted > 0 and notice.totals is None
    return notice.status == "open" or uncounted or sum(notice.by_severity.values()) > 0


def _mood(notice: Notice) -> str:
    if _tells_of_open_ones(notice):
        return EMOJI[notice.severity]
    if not notice.complete:
        return BLIND
    return QUIET if sum(notice.still_open.values()) else WELL


def _colour(notice: Notice) -> str:
    if _tells_of_open_ones(notice):
        return COLOURS[notice.severity]
    well = notice.complete and not sum(notice.still_open.values())
    return WELL_COLOUR if well or notice.kind == "resolved" else COLOURS[Severity.INFO]


def _announced(notice: Notice) -> str:
    """What a notification shows, where blocks cannot be seen."""
    if notice.kind in ("finding", "resolved"):
        finding = notice.only.finding
        return f"{_headline(notice)}: {words(finding.resource.name, 100)} ({words(finding.region, 40)})"
    return f"{_headline(notice)} ({words(notice.account, 60)} {words(notice.region, 60)})"


def plain(notice: Notice) -> Block:
    """The message without blocks, for when Slack refuses them: the same news as text, at most 3,500 characters."""
    one = notice.only if notice.kind in ("finding", "resolved") else None
    urls = [one.finding.resource.console_url if one else None, notice.report_url]
    links = "".join(f"\n<{target}>" for target in map(_target, urls) if target)
    room = PLAIN - width(links)
    commands = one.finding.fix.commands if one else []
    text = _plain_text(notice, commands, 0)
    if width(escape(text)) > room:  # it will be cut, and half a command does something else
        text = _plain_text(notice, [], len(commands))
    # Unparsed: Slack makes no links of addresses and no mentions of names by itself.
    settings = {"mrkdwn": False, "parse": "none", "unfurl_links": False, "unfurl_media": False}
    return {"text": shortened(text, room) + links, **settings}


def _plain_text(notice: Notice, commands: Sequence[str], commands_left: int) -> str:
    one = notice.only if notice.kind in ("finding", "resolved") else None
    text = render(
        "notices/slack/plain.txt.j2",
        {
            "notice": notice,
            "headline": "".join(_news(notice)),
            "note": change_note(one, notice) if one else "",
            "commands": commands,
            "commands_left": commands_left,
            "groups": [(WORDS[change], several) for change, several in notice.changes],
            "named": 5,
            "still_open": _counts(notice.still_open),
        },
    )
    return _unticked(clean(text))


# ---- the address of the webhook


class _Known(NamedTuple):
    url: str
    until: float


#: How long an address is kept, in seconds: a replaced secret is in use five minutes later.
KEPT = 300.0
_known: WeakKeyDictionary[boto3.Session, dict[str, _Known]] = WeakKeyDictionary()

_AWS = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
_ACCEPTED_NAMES = (
    "accepted for AUDITOR_SLACK_SECRET are the name or ARN of a secret in Secrets Manager, or ssm: followed by the "
    "name of a parameter in SSM Parameter Store, such as ssm:/auditor/slack"
)
_ACCEPTED_VALUES = (
    "accepted is an https address such as https://hooks.slack.com/services/…, as it is or as JSON with the key url or "
    "webhook_url"
)


def webhook_url(secret_name: str, session: boto3.Session, now: Callable[[], float] = time.monotonic) -> str:
    """The address of the webhook, kept for five minutes in this process.

    ``secret_name`` is the name or ARN of a secret in Secrets Manager, or ``ssm:`` with the name or ARN of a parameter
    in SSM Parameter Store. An ARN is read in its own region. ``now`` gives seconds that only grow.

    Raises SlackFailed, without the address, when there is no such secret, it cannot be read or holds something else.
    """
    kept = _known.setdefault(session, {})
    if secret_name in kept and now() < kept[secret_name].until:
        return kept[secret_name].url
    place = _place(secret_name)
    url = _address_in(_value(place, session))
    if url is None:
        raise SlackFailed(f"{place.called} holds no address of a webhook; {_ACCEPTED_VALUES}")
    kept[secret_name] = _Known(url, now() + KEPT)
    return url


def forget(secret_name: str, session: boto3.Session) -> None:
    """Has the address read anew the next time."""
    _known.get(session, {}).pop(secret_name, None)


class _Place(NamedTuple):
    """Where a secret lies."""

    service: str
    name: str

    @property
    def called(self) -> str:
        if self.service == "ssm":
            return f"the parameter {self.name} of SSM Parameter Store"
        return f"the secret {self.name} of Secrets Manager"

    @property
    def region(self) -> str | None:
        parts = self.name.split(":")
        return parts[3] if len(parts) > 5 and parts[0] == "arn" else None


def _place(secret_name: str) -> _Place:
    # The address itself where its secret's name belongs would otherwise be repeated in the message.
    if not re.fullmatch(r"[A-Za-z0-9/_+=.@:-]{1,2048}", secret_name) or re.search(r"(?i)//|slack\.com", secret_name):
        raise SlackFailed(f"AUDITOR_SLACK_SECRET names no secret; {_ACCEPTED_NAMES}")
    if secret_name.startswith("ssm:"):
        return _Place("ssm", secret_name.removeprefix("ssm:"))
    return _Place("secretsmanager", secret_name)


def _value(place: _Place, session: boto3.Session) -> str:
    try:
        client = session.client(place.service, region_name=place.region, config=_AWS)
        if place.service == "ssm":
            return str(client.get_parameter(Name=place.name, WithDecryption=True)["Parameter"]["Value"])
        return str(client.get_secret_value(SecretId=place.name).get("SecretString", ""))
    except ClientError as error:
        problem = str(error.response.get("Error", {}).get("Code", "unknown"))
    except BotoCoreError as error:
        problem = type(error).__name__
    if problem in ("ResourceNotFoundException", "ParameterNotFound"):
        raise SlackFailed(f"{place.called} does not exist; {_ACCEPTED_NAMES}")
    action = "ssm:GetParameter" if place.service == "ssm" else "secretsmanager:GetSecretValue"
    raise SlackFailed(
        f"{place.called} cannot be read ({problem}); needed are {action} and, for a key of one's own, kms:Decrypt"
    )


def _address_in(value: str) -> str | None:
    """The address that a secret holds, or None."""
    found: Any = value.strip()
    if found.startswith("{"):
        try:
            held = json.loads(found)
        except ValueError:
            return None
        found = held.get("url") or held.get("webhook_url")
    return found.strip() if isinstance(found, str) and _usable(found.strip()) else None


def _usable(url: str) -> bool:
    """Whether the address is one of https, or of a stand-in on this machine."""
    if not re.fullmatch(r"[\x21-\x7e]+", url):
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises ValueError for what is no port
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1")


# ---- delivery

#: Seconds for one request; tries for one message; seconds spent in all on waiting as Slack asks for.
TIMEOUT, TRIES, PATIENCE = 10, 4, 20.0

#: slack_sdk writes the address into its log.
_SILENT = logging.Logger("slack_sdk", level=logging.CRITICAL + 1)


@dataclass
class _Sender:
    """Sends to one address, and waits where Slack asks for it, within a total."""

    url: str
    timeout: int
    sleep: Sleep
    patience: float = PATIENCE

    def send(self, body: Block) -> WebhookResponse:
        """The last answer to the message. Raises SlackFailed when there is none, or Slack asks for too much time."""
        for attempt in range(1, TRIES + 1):
            answer = self._posted(body)
            if answer.status_code != 429 or attempt == TRIES:
                break
            pause = _pause(answer.headers)
            if pause > self.patience:
                raise SlackFailed(f"Slack asks to wait {pause:g} seconds (rate limit), longer than one delivery may")
            self.patience -= pause
            self.sleep(pause)
        return answer

    def _posted(self, body: Block) -> WebhookResponse:
        client = WebhookClient(self.url, timeout=self.timeout, logger=_SILENT, retry_handlers=[])
        try:
            return client.send_dict(body)
        except Exception as error:
            # Whatever it is, its text may hold the address, so that only its kind is told.
            reason = error.reason if isinstance(error, URLError) else error
            problem = type(reason).__name__
        raise SlackFailed(f"Slack cannot be reached ({problem})")


def deliver(notice: Notice, url: str, *, timeout: int = TIMEOUT, sleep: Sleep = time.sleep) -> None:
    """Posts one notice to the webhook.

    A rate limit is waited for, ``sleep`` given seconds, 20 in all; a message whose blocks are refused is sent again as
    plain text. ``timeout`` is in seconds for one request.

    Raises SlackFailed, without the address, when the notice did not reach Slack.
    """
    sender = _Sender(url, timeout, sleep)
    answer = sender.send(payload(notice))
    if answer.status_code == 400 and re.search(r"block|attachment|payload|too_long|no_text", answer.body):
        log.warning("Slack refused the blocks of audit %s (%s); sent as text", _logged(notice.audit_id), _said(answer))
        answer = sender.send(plain(notice))
    if not _taken(answer):
        refused = answer.status_code in (403, 404, 410)
        advice = "; the webhook was revoked or replaced: put its new address into the secret" if refused else ""
        raise SlackFailed(f"Slack did not take the notice ({_said(answer)}){advice}", address_refused=refused)


def _pause(headers: Mapping[str, Any]) -> float:
    """The seconds that Slack asks to wait; one where it does not say it in seconds."""
    asked = {name.lower(): str(value) for name, value in headers.items()}.get("retry-after", "")
    return float(asked) if re.fullmatch(r"\d{1,9}", asked) else 1.0


def _taken(answer: WebhookResponse) -> bool:
    """Whether the message was taken. A web page is none of Slack's answers: the request was sent elsewhere."""
    page = answer.body.lstrip().startswith("<")
    return 200 <= answer.status_code < 300 and not page


def _said(answer: WebhookResponse) -> str:
    """The status with Slack's word for it; any other text may repeat the address."""
    word = answer.body.strip()
    return f"{answer.status_code} {word}" if re.fullmatch(r"[a-z_]{1,40}", word) else str(answer.status_code)


def deliver_event(
    event: Mapping[str, Any],
    settings: Settings,
    session: boto3.Session,
    *,
    timeout: int = TIMEOUT,
    sleep: Sleep = time.sleep,
) -> dict[str, int]:
    """Delivers the notices of an event from SNS, and answers how many were delivered and dropped.

    A record that is no notice is logged with its message id and dropped, as it would fail for ever. Raises SlackFailed
    when a notice did not reach Slack, after all the others were tried; SNS sends one record in an event.
    """
    notices, dropped = _notices(event)
    delivered, failure = 0, None
    for notice in notices:
        try:
            _deliver_by(settings, session, notice, timeout, sleep)
            delivered += 1
        except SlackFailed as error:
            failure = error
    if failure is not None:
        raise failure
    return {"delivered": delivered, "dropped": dropped}


def _deliver_by(settings: Settings, session: boto3.Session, notice: Notice, timeout: int, sleep: Sleep) -> None:
    secret = settings.slack_secret
    if secret is None:
        raise SlackFailed(f"AUDITOR_SLACK_SECRET is not set; {_ACCEPTED_NAMES}")
    try:
        deliver(notice, webhook_url(secret, session), timeout=timeout, sleep=sleep)
    except SlackFailed as error:
        if error.address_refused:
            forget(secret, session)
        raise


def _notices(event: Mapping[str, Any]) -> tuple[list[Notice], int]:
    """The notices in an event, and how many of its records are none."""
    records = event.get("Records")
    notices, dropped = [], 0
    for record in records if isinstance(records, list) else [event]:
        notice = _notice_in(record)
        if notice is None:
            dropped += 1
        else:
            notices.append(notice)
    return notices, dropped


def _notice_in(record: Any) -> Notice | None:
    envelope = record.get("Sns") if isinstance(record, Mapping) else None
    sent = envelope if isinstance(envelope, Mapping) else {}
    try:
        notice = Notice.model_validate_json(str(sent.get("Message", "")))
    except ValidationError:
        notice = None
    if notice is None or (notice.kind in ("finding", "resolved") and not notice.told):
        log.warning("message %s dropped: it is no notice", _logged(str(sent.get("MessageId"))))
        return None
    return notice


def _logged(text: str) -> str:
    """An id on its way into the log: on one line."""
    return clean(" ".join(text.split()))[:100]
