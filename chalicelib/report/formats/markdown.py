"""The report as Markdown for a comment on a pull request: counts, a table, and fixes folded away. Pure."""

import re
from collections.abc import Sequence

from chalicelib.report.findings import BlindSpot, Finding, Report, Severity
from chalicelib.report.left import left_in_words
from chalicelib.templating import clean

#: What a comment on GitHub may hold in characters, what is kept free for headings and sentences, and how much of one
#: text and how many accounts or regions are shown.
COMMENT, MARGIN, LONGEST, NAMED = 65_536, 1_000, 500, 5
#: A space without width; and the signs that Markdown reads as entities, with such a space behind those that mention.
NO_WIDTH = "\u200b"
MARKUP = str.maketrans(
    {sign: f"&#{ord(sign)};" for sign in "&<>`*_[]|\\~"} | {sign: f"&#{ord(sign)};{NO_WIDTH}" for sign in "@#"}
)
#: Where GitHub and GitLab begin a link without any markup: a scheme before two slashes, ``www.``, and the schemes that
#: need no slashes. A space without width behind it, before the slashes or the dot, keeps it text.
ADDRESS = re.compile(r":(?=//)|www(?=\.)|(?:mailto|xmpp):", re.IGNORECASE)


def markdown(report: Report) -> str:
    """A summary for a pull request: counts, a table, and the fix of each finding folded away.

    At most :data:`COMMENT` characters: what does not fit is counted in a sentence, the mildest findings first.
    """
    findings = report.open_findings()
    counts = {severity: sum(finding.severity is severity for finding in findings) for severity in reversed(Severity)}
    numbers = ", ".join(f"{number} {severity.value}" for severity, number in counts.items() if number) or "none"
    places = f"{_some(report.accounts, 'accounts')} in {_some(report.regions, 'regions')}"
    head = (
        f"## SageMaker audit of {places}\n\nFindings: {numbers}. {sum(report.resources.values())} resources, "
        f"{len(report.rules)} rules, {len(report.blind_spots)} blind spots.\n"
    )
    if report.shown is not None:
        head += f"\n**{flat(_short(report.shown.words))}**\n"
    room = COMMENT - len(head) - MARGIN
    spots, room = _fitting([_blind_spot(spot) for spot in report.blind_spots], room, room // 8)
    rows, room = _fitting([_row(finding) for finding in findings], room, room // 2)
    fixes, room = _fitting([_fix(finding) for finding in findings], room, room)
    text = head
    if findings:
        text += "\n| severity | resource | finding |\n|---|---|---|\n" + "".join(rows)
        text += _left_out(len(findings) - len(rows), "findings")
        text += "\n<details><summary>Fixes</summary>\n\n" + "".join(fixes)
        text += _left_out(len(findings) - len(fixes), "fixes") + "</details>\n"
    left = left_in_words(report.deferred)
    text += "".join(spots) + _left_out(len(report.blind_spots) - len(spots), "blind spots")
    return text + (f"\n{left}\n" if left else "")


def _fitting(blocks: Sequence[str], room: int, share: int) -> tuple[list[str], int]:
    """The first blocks that fit into their share of the room, and the room that is left."""
    kept: list[str] = []
    for block in blocks:
        if len(block) > share:
            break
        kept.append(block)
        share -= len(block)
        room -= len(block)
    return kept, room


def _left_out(number: int, what: str) -> str:
    return f"\n{number} {what} are left out here: the JSON of the report holds them all.\n" if number else ""


def _some(names: Sequence[str], what: str) -> str:
    """The names, or how many there are of them."""
    return ", ".join(flat(name) for name in names) if len(names) <= NAMED else f"{len(names)} {what}"


def _row(finding: Finding) -> str:
    place = f" ({finding.resource.declared})" if finding.resource.declared else ""
    resource = table_cell(_short(finding.resource.name + place))
    cells = (finding.severity.value, resource, table_cell(_short(finding.summary)))
    return f"| {' | '.join(cells)} |\n"


#: What Markdown calls the languages of snippets.
HIGHLIGHTED = {"cloudformation": "yaml", "terraform": "hcl"}


def _fix(finding: Finding) -> str:
    lines = [f"**{flat(_short(finding.resource.name))}** ({finding.rule}): {flat(finding.fix.text)}", ""]
    if finding.fix.commands:
        lines += ["```", *(_command(command) for command in finding.fix.commands), "```", ""]
    for language, snippet in finding.fix.snippets.items():
        lines += [f"```{HIGHLIGHTED[language]}", clean(snippet).replace("```", "'''"), "```", ""]
    return "\n".join(lines) + "\n"


def _blind_spot(spot: BlindSpot) -> str:
    sentence = f"{flat(spot.operation)}: {flat(_short(spot.error))}"
    return f"\nBlind spot: {sentence} ({len(spot.effect)} rules unknown)\n"


def _short(text: str) -> str:
    """The text, cut after :data:`LONGEST` characters."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def flat(text: str) -> str:
    """Text on one line that Markdown shows as it is: no markup, no HTML, no link or image, no mention of a person or an
    issue."""
    return ADDRESS.sub(f"\\g<0>{NO_WIDTH}", clean(" ".join(text.split()))).translate(MARKUP)


def table_cell(text: str) -> str:
    """Any text as one cell of a Markdown table, without markup of its own."""
    return flat(text)


def _command(text: str) -> str:
    """A command on one line of a fenced block, which it cannot close."""
    return clean(" ".join(text.split())).replace("```", "'''")
