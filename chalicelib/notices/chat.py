"""A notice as a custom notification of Amazon Q Developer in chat applications (schema version 1.0).

Slack and Microsoft Teams show its texts as their own markdown, so that names from the account are made inert: no
mention, link or code of theirs works. JSON is built here, in code.
"""

import re
from typing import Any

from chalicelib.notices.first_page import Important
from chalicelib.notices.mrkdwn import counts, escape, number_of, shortened, target_of, unticked
from chalicelib.notices.notice import WORDS, Change, Notice
from chalicelib.notices.reasons import change_note
from chalicelib.report.calendar import SOON_DAYS
from chalicelib.report.findings import Finding
from chalicelib.templating import clean, more

#: Limits of the service in characters.
CHAT_TITLE, CHAT_DESCRIPTION, CHAT_STEP, CHAT_KEYWORD = 250, 8_000, 350, 75
NAMED_IN_CHAT = 20
#: What chats turn into links and mentions by themselves, and the links of Markdown: a space without width takes each
#: apart.
_ACTIVE = re.compile(r"(?i)(?<=[a-z]):(?=//)|(?<=mailto):|(?<=www)\.|@|\](?=[(\[])")
_APART = "\u200b"


def chat(notice: Notice) -> dict[str, Any]:
    """The notification. The thread of a finding is its id, so that new, still open and resolved stand under each
    other."""
    single = notice.single
    lines = _of_one(notice) if single else _of_many(notice)
    while lines and not lines[-1]:
        lines.pop()
    content: dict[str, Any] = {
        "textType": "client-markdown",
        "title": inert(notice.subject, CHAT_TITLE),
        "description": _fitting(lines),
    }
    related = []
    if single:
        finding = notice.only.finding
        if notice.kind != "resolved":
            content["nextSteps"] = _steps(finding)
        content["keywords"] = [inert(finding.rule, CHAT_KEYWORD), finding.severity.value]
        related = [inert(finding.resource.arn, 2_000)] if finding.resource.arn else []
    return {
        "version": "1.0",
        "source": "custom",
        "id": notice.only.finding.id if single else notice.audit_id,
        "content": content,
        "metadata": {
            "threadId": notice.only.finding.id if single else notice.audit_id,
            "summary": inert(notice.subject, CHAT_TITLE),
            "eventType": notice.kind,
            "relatedResources": related,
            "additionalContext": {"account": inert(notice.account, 500), "region": inert(notice.region, 500)},
        },
    }


def inert(text: str, limit: int) -> str:
    """An untrusted text on one line that a chat shows as it is, of at most ``limit`` characters."""
    plain = unticked(clean(" ".join(text.split())))
    return shortened(_ACTIVE.sub(lambda sign: f"{sign.group()}{_APART}", plain), limit)


def _of_one(notice: Notice) -> list[str]:
    finding = notice.only.finding
    note = change_note(notice.only, notice)
    parts = [note[:1].upper() + note[1:], finding.summary, finding.why]
    return [*(line for text in parts if text for line in (inert(text, 2_500), "")), *_report(notice)]


def _report(notice: Notice) -> list[str]:
    """The address of the report, which chats make a link of; none where it is longer than they show."""
    target = target_of(notice.report_url)
    return [f"The whole report: {target}"] if target else []


def _of_many(notice: Notice) -> list[str]:
    lines = [inert(text, 500) for text in (notice.headline, notice.health, notice.savings) if text]
    lines += _report(notice)
    if notice.most_important:
        lines += ["", f"*What matters most* ({len(notice.most_important)} of {notice.open_in_all:,} open)"]
        lines += [inert(f"{place}. {_short(item)}", 300) for place, item in enumerate(notice.most_important, 1)]
    for kind, changes in notice.changes:
        lines += ["", f"*{WORDS[kind]}*", *(_line(change, notice) for change in changes[:NAMED_IN_CHAT])]
        if len(changes) > NAMED_IN_CHAT:
            lines.append(more(len(changes) - NAMED_IN_CHAT))
    if notice.omitted:
        lines += ["", more(notice.omitted)]
    if sum(notice.still_open.values()):
        lines += ["", f"Told before, still open: {counts(notice.still_open)}"]
    if notice.calendar:
        lines += ["", f"{number_of(len(notice.calendar), 'end')} in the next {SOON_DAYS} days"]
    if notice.exemptions:
        lines += ["", f"{number_of(len(notice.exemptions), 'exemption')} to look at"]
    return lines


def _short(item: Important) -> str:
    return f"[{item.severity.value}] {item.name}: {item.title} · {item.owner or 'no owner'}"


def _line(change: Change, notice: Notice) -> str:
    finding, note = change.finding, change_note(change, notice)
    about = f"[{finding.severity.value}] {inert(finding.resource.name, 120)}: {inert(finding.title, 120)}"
    return f"{about} · {inert(note, 150)}" if note else about


def _fitting(lines: list[str]) -> str:
    """The lines that fit into a description, and how many do not."""
    room, kept = CHAT_DESCRIPTION - 40, 0
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept += 1
    left = len(lines) - kept
    return "\n".join([*lines[:kept], *([f"{more(left)} line{'' if left == 1 else 's'}"] if left else [])])


def _steps(finding: Finding) -> list[str]:
    """The fix and its commands; none of these where one is too long for a step, as each needs the others, or has
    anything in it that a chat would not show as it is."""
    commands = [clean(" ".join(command.split())) for command in finding.fix.commands]
    shown = [escape(command) for command in commands]
    if any(len(command) > CHAT_STEP for command in shown) or any(map(_is_active, commands)):
        shown = ["The commands do not fit into a chat; the report has them."]
    return [inert(finding.fix.text, CHAT_STEP), *shown] if finding.fix.text else shown


def _is_active(command: str) -> bool:
    """True for a command in which a chat would see code, a link or a mention."""
    return "`" in command or _ACTIVE.search(command.replace("file://", "").replace("s3://", "")) is not None
