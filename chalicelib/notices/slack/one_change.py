"""A notice about one finding, as blocks."""

from collections.abc import Sequence

from chalicelib.notices.mrkdwn import code, escape, link, width, words
from chalicelib.notices.notice import Notice
from chalicelib.notices.reasons import change_note
from chalicelib.notices.slack.headline import headline
from chalicelib.notices.slack.pieces import (
    SECTION,
    Block,
    Room,
    blind_spots,
    code_block,
    context,
    exemptions,
    fields,
    foot,
    header,
    more_of,
    section,
)
from chalicelib.report.findings import Finding, Saving


def of_one(notice: Notice, room: Room) -> list[Block]:
    change = notice.only
    finding = change.finding
    about = f"*{link(finding.resource.console_url, finding.resource.name, min(room.text, 200))}*"
    note = words(change_note(change, notice), min(room.text, 300))
    made = [
        header(headline(notice)),
        section("\n".join(filter(None, [f"{about} · {words(finding.resource.kind, 40)}", note]))),
        section(("What was wrong: " if notice.kind == "resolved" else "") + (words(finding.summary, room.text) or "–")),
    ]
    if notice.kind != "resolved":
        made += _advice(finding, notice, room)
    made.append(fields(_facts(finding, room)))
    references = finding.references[: min(room.lines, 5)]
    if notice.kind != "resolved" and references:
        made.append(context(" · ".join(link(url, _page(url), 80) for url in references)))
    made += blind_spots(notice, room) + exemptions(notice, room)
    made += foot(notice, room)
    return made


def _advice(finding: Finding, notice: Notice, room: Room) -> list[Block]:
    made = []
    if finding.why:
        made.append(section(f"*Why*\n{words(finding.why, room.text)}"))
    if finding.fix.text:
        made.append(section(f"*Fix*\n{words(finding.fix.text, room.text)}"))
    blocks_of_code = _commands(finding.fix.commands, room.commands)
    made += [code_block(block) for block in blocks_of_code]
    if finding.fix.commands and not blocks_of_code:
        left = len(finding.fix.commands)
        made.append(context(more_of(left, notice, " command" if left == 1 else " commands")))
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
