"""A notice about many findings, as blocks: what matters most first, then what changed."""

from chalicelib.notices.mrkdwn import counts, link, words
from chalicelib.notices.notice import WORDS, Change, Notice
from chalicelib.notices.reasons import change_note
from chalicelib.notices.slack.headline import EMOJI, WELL, headline, tally
from chalicelib.notices.slack.pieces import (
    Block,
    Room,
    blind_spots,
    exemptions,
    fields,
    foot,
    header,
    listed,
    more_of,
    section,
)
from chalicelib.report.calendar import SOON_DAYS
from chalicelib.templating import more

#: Owners that the overview names.
OWNERS = 5


def of_many(notice: Notice, room: Room) -> list[Block] | None:
    """The blocks of a digest; None where summaries would take the place of whole findings."""
    groups = notice.changes
    if room.summary and any(len(changes) > room.lines for _, changes in groups):
        return None
    made = [header(headline(notice)), *([section(words(notice.headline, 500))] if notice.headline else [])]
    made += [fields(_overview(notice, room)), *_most_important(notice, room)]
    if not groups and not notice.omitted:
        made.append(section(_nothing_told(notice)))
    for kind, changes in groups:
        lines = [_line(change, notice, room) for change in changes[: room.lines]]
        made += listed(f"*{WORDS[kind]}* ({len(changes):,})", lines, len(changes), notice)
    if notice.omitted:
        what = " change" if notice.omitted == 1 else " changes"
        made.append(section(more_of(notice.omitted, notice, what)))
    made += blind_spots(notice, room) + _calendar(notice, room) + exemptions(notice, room)
    made += foot(notice, room)
    return made


def _overview(notice: Notice, room: Room) -> list[tuple[str, str]]:
    limit = min(room.text, 200)
    return [
        ("Account", words(notice.account, limit) or "–"),
        ("Region", words(notice.region, limit) or "–"),
        ("Told now", words(tally(notice), limit)),
        ("Told before, still open", words(counts(notice.still_open), limit)),
        ("Changed", words(notice.changed, limit) if notice.headline or notice.most_important else ""),
        ("By owner", words(_owners(notice), limit)),
        ("Exempt", f"{notice.exempt:,}" if notice.exempt else ""),
        ("Only observed", f"{notice.observed:,}" if notice.observed else ""),
    ]


def _owners(notice: Notice) -> str:
    """``team-a: 2, team-b: 1, and 3 more``: the owners of what is open."""
    named = [f"{count.owner or 'nobody'}: {count.findings:,}" for count in notice.by_owner[:OWNERS]]
    left = len(notice.by_owner) - len(named) + notice.omitted_owners
    return ", ".join([*named, *([more(left)] if left else [])])


def _most_important(notice: Notice, room: Room) -> list[Block]:
    items = notice.most_important[: room.lines]
    if not items:
        return []
    limit = 100 if room.lines > 2 else 60
    lines = [
        f"{number}. {EMOJI[item.severity]} {link(item.console_url, item.name, limit)}: {words(item.title, limit)}"
        f" · {words(item.owner or 'no owner', 60)}"
        for number, item in enumerate(items, 1)
    ]
    return listed(f"*What matters most* ({len(items)} of {notice.open_in_all:,} open)", lines, len(lines), notice)


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


def _calendar(notice: Notice, room: Room) -> list[Block]:
    entries = notice.calendar
    if not entries:
        return []
    lines = [f"• {entry.day}: {words(entry.says, min(room.text, 200))}" for entry in entries[: min(room.lines, 8)]]
    number = len(entries) + notice.omitted_calendar
    return listed(f"*The next {SOON_DAYS} days* ({number:,})", lines, number, notice)
