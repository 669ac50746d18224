"""To Microsoft Teams, by the webhook of a workflow: a notice as an Adaptive Card.

A card is at most 28 kB large. The webhook's address is a secret: it stands in no log and in no exception. Follows
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook and
https://adaptivecards.io/explorer/.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from chalicelib.errors import AuditorError
from chalicelib.notices.chat import inert
from chalicelib.notices.first_page import in_words
from chalicelib.notices.mrkdwn import counts
from chalicelib.notices.notice import WORDS, Change, Notice
from chalicelib.notices.reasons import change_note
from chalicelib.notices.secrets import secret_of, webhook_in
from chalicelib.report.findings import Finding, Report, Severity
from chalicelib.templating import more

SETTING = "AUDITOR_TEAMS_SECRET"
#: Bytes of a message, and changes that a card names, from most to nothing: the first with which it fits.
MESSAGE_BYTES, NAMED = 27_000, (20, 12, 8, 5, 3, 1, 0)
#: Seconds for a request, tries of a message, and seconds spent in all on waiting where Teams asks for it.
TIMEOUT, TRIES, PATIENCE = 8, 3, 20.0
#: How long an address is kept in a process, in seconds.
KEPT = 300.0
#: The colours of a text in an Adaptive Card.
COLOURS = {Severity.CRITICAL: "Attention", Severity.HIGH: "Attention", Severity.MEDIUM: "Warning"}
ACCEPTED = "accepted is the https address of a workflow's webhook, as it is or as JSON with the key url or webhook_url"

Element = dict[str, Any]


class TeamsFailed(AuditorError):
    """A notice did not reach Teams, or the webhook's address cannot be had. Never holds the address."""


# ---- the card


def message(notice: Notice) -> Element:
    """The message as the webhook takes it, at most 27 kB of JSON."""
    for named in NAMED:
        made = _message(notice, named)
        if _size(made) <= MESSAGE_BYTES:
            break
    return made


def _size(made: Element) -> int:
    return len(json.dumps(made).encode())


def _message(notice: Notice, named: int) -> Element:
    body = [_text(notice.subject, weight="Bolder", size="Medium", color=COLOURS.get(notice.severity, "Default"))]
    body += _of_one(notice) if notice.single else _of_many(notice, named)
    if notice.report_note:
        body.append(_text(notice.report_note, isSubtle=True, limit=700))
    card: Element = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    if actions := list(_actions(notice)):
        card["actions"] = actions
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _text(text: str, limit: int = 500, **style: Any) -> Element:
    """A text from outside, on one line, without a link or markup of its own."""
    return {"type": "TextBlock", "text": inert(text, limit) or "–", "wrap": True, **style}


def _facts(*pairs: tuple[str, str]) -> Element:
    facts = [{"title": title, "value": inert(value, 300)} for title, value in pairs if value]
    return {"type": "FactSet", "facts": facts}


def _of_one(notice: Notice) -> list[Element]:
    change, finding = notice.only, notice.only.finding
    body = [_facts(*_about(finding), ("Now", change_note(change, notice))), _text(finding.summary, 1_500)]
    if change.change != "resolved":
        body += [_text(f"Why: {finding.why}", 1_500)] if finding.why else []
        body += [_text(f"Fix: {finding.fix.text}", 1_500)] if finding.fix.text else []
    return body


def _about(finding: Finding) -> Iterator[tuple[str, str]]:
    yield "Resource", f"{finding.resource.kind} {finding.resource.name}"
    yield "Account", f"{finding.account} in {finding.region}"
    yield "Rule", finding.rule
    yield "Owner", finding.owner or ""
    yield "Saving", f"{finding.saving.monthly_usd:,.0f} USD a month" if finding.saving else ""


def _of_many(notice: Notice, named: int) -> list[Element]:
    body = [_text(notice.headline)] if notice.headline else []
    owners = ", ".join(f"{count.owner or 'nobody'}: {count.findings:,}" for count in notice.by_owner[:5])
    blind = len(notice.blind_spots) + notice.omitted_blind_spots
    exemptions = len(notice.exemptions) + notice.omitted_exemptions
    body.append(
        _facts(
            ("Account", f"{notice.account} in {notice.region}"),
            ("Changed", notice.changed),
            ("Still open", counts(notice.still_open)),
            ("By owner", owners),
            ("Blind spots", f"{blind:,}" if blind else ""),
            ("Exemptions to look at", f"{exemptions:,}" if exemptions else ""),
        )
    )
    if notice.most_important:
        body.append(_heading(f"What matters most ({len(notice.most_important)} of {notice.open_in_all:,} open)"))
        body += [
            _text(f"{place}. {item.severity.value}: {item.name}: {item.title} ({in_words(item)})", 300, spacing="Small")
            for place, item in enumerate(notice.most_important[: max(named, 1)], 1)
        ]
    for kind, changes in notice.changes:
        body.append(_heading(f"{WORDS[kind]} ({len(changes):,})"))
        body += [_text(_line(change, notice), 300, spacing="Small") for change in changes[:named]]
        if len(changes) > named:
            body.append(_text(more(len(changes) - named), spacing="Small"))
    if notice.omitted:
        body.append(_text(more(notice.omitted)))
    body.append(_text(" · ".join(filter(None, (notice.health, notice.savings))), isSubtle=True))
    return body


def _heading(text: str) -> Element:
    return _text(text, weight="Bolder", spacing="Medium")


def _line(change: Change, notice: Notice) -> str:
    finding, note = change.finding, change_note(change, notice)
    line = f"{finding.severity.value}: {finding.resource.name}: {finding.title}"
    return f"{line} ({note})" if note else line


def _actions(notice: Notice) -> Iterator[Element]:
    console = notice.only.finding.resource.console_url if notice.single else None
    for title, url in (("Open the report", notice.report_url), ("Open in the console", console)):
        if url is not None and url.startswith("https://") and len(url) <= 4_000:
            yield {"type": "Action.OpenUrl", "title": title, "url": url}


# ---- delivery


class _Answer(NamedTuple):
    status: int
    pause: str
    body: str


class _NoRedirect(HTTPRedirectHandler):
    """What is sent goes to the address in the secret, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Teams:
    """The webhook whose address the secret ``name`` holds (AUDITOR_TEAMS_SECRET), read when it is needed and kept for
    five minutes."""

    name: str
    session: Any
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _url: str = ""
    _until: float = 0.0

    def deliver(self, notice: Notice, report: Report) -> None:
        """Posts the notice; of a digest in parts the first. Waits where Teams asks for it (429), 20 seconds in all.

        Raises TeamsFailed, without the address, when the notice did not reach Teams.
        """
        body, patience = json.dumps(message(notice)).encode(), PATIENCE
        for attempt in range(1, TRIES + 1):
            answer = self._posted(body)
            if answer.status != 429 or attempt == TRIES:
                break
            pause = float(answer.pause) if re.fullmatch(r"\d{1,9}", answer.pause) else 1.0
            if pause > patience:
                raise TeamsFailed(f"Teams asks to wait {pause:g} seconds (rate limit), longer than one delivery may")
            patience -= pause
            self.sleep(pause)
        if answer.status in (401, 403, 404, 410):
            self._until = 0.0  # a new address may be in the secret by now
            raise TeamsFailed(
                f"Teams did not take the notice ({answer.status}); the workflow was removed or switched off: put the "
                "address of its webhook into the secret"
            )
        if not 200 <= answer.status < 300:
            raise TeamsFailed(f"Teams did not take the notice ({answer.status})")
        if answer.body.lstrip().startswith("<"):
            raise TeamsFailed("a web page answered in the place of Teams; the secret holds no workflow's webhook")

    def _posted(self, body: bytes) -> _Answer:
        request = Request(self._address(), body, {"Content-Type": "application/json"})  # https, see below
        try:
            with build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
                return _Answer(answer.status, "", answer.read(1_000).decode("utf-8", "replace"))
        except HTTPError as error:
            with error:
                return _Answer(error.code, error.headers.get("Retry-After", ""), "")
        except (OSError, HTTPException, ValueError) as error:
            # Whatever it is, its text may hold the address, so that only its kind is told.
            problem = type(getattr(error, "reason", error)).__name__
        raise TeamsFailed(f"Teams cannot be reached ({problem})")

    def _address(self) -> str:
        if self.now() < self._until:
            return self._url
        secret = secret_of(self.name, SETTING, TeamsFailed)
        url = webhook_in(secret.value(self.session))
        if url is None:
            raise TeamsFailed(f"{secret.called} holds no address of a webhook; {ACCEPTED}")
        self._url, self._until = url, self.now() + KEPT
        return url
