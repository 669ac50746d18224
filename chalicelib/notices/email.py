"""E-mail through Amazon SES: a notice as an HTML report with a plain-text twin, in one message.

The HTML uses inlined styles only and asks nothing of the outside: no images, fonts, style sheets or scripts. Text and
surfaces take the reader's own colours, so that it reads in light and in dark clients; severities carry theirs.
"""

import logging
from binascii import b2a_qp
from collections.abc import Mapping, Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.notices.notice import WORDS, Change, Notice
from chalicelib.report.findings import Severity, utc_text
from chalicelib.settings import Settings
from chalicelib.templating import clean, render

log = logging.getLogger(__name__)

#: Findings that a message tells in full; the rest are counted.
NAMED = 100
#: Bytes of text and HTML together, as they are sent; fewer findings are told in full above that.
BODY_BYTES = 480_000
#: Bytes of a whole message, attachments included. SES refuses more than 10 MB unless it is asked for more.
MESSAGE_BYTES = 10_000_000
#: Base64 needs four characters for three bytes, and a line end for each 76 characters.
BASE64_GROWTH = 1.4
#: Addresses that SES takes in one message.
RECIPIENTS = 50
#: What the headers of a message need at most, with fifty long addresses.
HEADER_BYTES = 50_000
#: The longest address that becomes a link.
LINK = 2_000

#: White reads on each of them (WCAG AA), and each reads on white and on black.
COLOURS: dict[str, str] = {
    Severity.CRITICAL.value: "#b4123f",
    Severity.HIGH.value: "#c2410c",
    Severity.MEDIUM.value: "#946200",
    Severity.LOW.value: "#2563eb",
    Severity.INFO.value: "#5b6472",
    "resolved": "#15803d",
}

#: What one change is called above its finding.
HEADINGS: dict[Change, str] = {
    "new": "New finding",
    "worse": "A finding got worse",
    "back": "A finding is back",
    "reminder": "A finding is still open",
    "resolved": "A finding is resolved",
}


class EmailFailed(AuditorError):
    """SES did not take the message; nothing was told by e-mail, and the next attempt will tell it."""


class Attachment(NamedTuple):
    """A file that travels with the message; ``content_type`` such as ``text/html``."""

    name: str
    content: bytes
    content_type: str


def deliver(notice: Notice, settings: Settings, client: Any, attachments: Sequence[Attachment] = ()) -> str | None:
    """Sends the notice to AUDITOR_EMAIL_TO and gives SES's message id, or None where no addresses are set.

    ``client`` is boto3's ``sesv2``; the role needs ``ses:SendEmail`` and ``ses:SendRawEmail`` on the sender's identity.
    Raises InvalidInput for addresses that are none, and EmailFailed when SES does not take the message. Follows the
    operation SendEmail of Amazon SES v2 with Raw content.
    """
    if not settings.email_from or not settings.email_to:
        return None
    message = email(notice, settings.email_from, [settings.email_to], attachments)
    try:
        answer = client.send_email(Content={"Raw": {"Data": message.as_bytes()}})
    except ClientError as error:
        details = error.response.get("Error", {})
        raise EmailFailed(
            f"SES did not take the {notice.kind} from {settings.email_from} "
            f"({details.get('Code')}: {clean(str(details.get('Message')))}); needed are a verified sender and the "
            "permissions ses:SendEmail and ses:SendRawEmail"
        ) from error
    except BotoCoreError as error:  # its text may hold the message or a proxy's address
        raise EmailFailed(f"SES could not be asked to send the {notice.kind}: {type(error).__name__}") from error
    return str(answer["MessageId"])


def email(
    notice: Notice, sender: str, recipients: Sequence[str], attachments: Sequence[Attachment] = ()
) -> EmailMessage:
    """The notice as a message of the alternatives ``text/plain`` and ``text/html``, below 10 MB.

    ``sender`` and each of ``recipients`` are addresses, or lists of addresses with commas between them
    (``Auditor <auditor@example.org>``). Attachments that do not fit are left out, and the message says so. Raises
    InvalidInput for addresses that are none. Headers follow RFC 5322 and, against automatic answers, RFC 3834.
    """
    source = _addresses([sender], "AUDITOR_EMAIL_FROM")
    if len(source) != 1:
        raise InvalidInput("AUDITOR_EMAIL_FROM: accepted is one e-mail address", field="AUDITOR_EMAIL_FROM")
    text, html = bodies(notice)
    fitting, left_out = _fitting(attachments, MESSAGE_BYTES - HEADER_BYTES - _encoded(text, html))
    if left_out:
        text, html = bodies(notice, left_out)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = notice.subject
    message["From"] = source
    message["To"] = _addresses(recipients, "AUDITOR_EMAIL_TO")
    message["Date"] = notice.finished_at
    message["Auto-Submitted"] = "auto-generated"
    if notice.kind in ("finding", "resolved"):
        # All that is told of one finding stands in one thread.
        message["References"] = f"<{notice.only.finding.id}@{source[0].domain}>"
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    for one in fitting:
        main, _, sub = one.content_type.partition("/")
        message.add_attachment(one.content, maintype=main, subtype=sub, filename=_line(one.name))
    # Folded at 78 columns, a subject that is a little shorter would begin with an empty line.
    message.policy = SMTP.clone(max_line_length=998)
    return message


def bodies(notice: Notice, left_out: Sequence[str] = ()) -> tuple[str, str]:
    """Plain text at 72 columns and HTML, together at most BODY_BYTES: what does not fit is counted.

    ``left_out`` names the attachments that were too large.
    """
    named = NAMED
    while True:
        context = _context(notice, named, left_out)
        text = render("notices/email.txt.j2", context) + "\n"
        html = render("notices/email.html.j2", context) + "\n"
        if _encoded(text, html) <= BODY_BYTES or named == 1:
            return text, html
        named = named * 4 // 5


def _encoded(*parts: str) -> int:
    """The bytes of the parts in quoted-printable."""
    return sum(len(b2a_qp(part.encode())) for part in parts)


def _context(notice: Notice, named: int, left_out: Sequence[str]) -> dict[str, Any]:
    return {
        "notice": notice,
        "shown": notice.shortened(named),
        "counts": dict.fromkeys(WORDS, 0) | {change: len(several) for change, several in notice.changes},
        "single": notice.kind in ("finding", "resolved"),
        "left_out": [_line(name) for name in left_out],
        "colours": COLOURS,
        "words": WORDS,
        "headings": HEADINGS,
        "utc": utc_text,
        "linked": _linked,
        "counted": _counted,
    }


def _linked(url: str | None) -> bool:
    """True for an address that becomes a link: of the web, and not absurdly long."""
    return url is not None and url.startswith("https://") and len(url) <= LINK


def _counted(numbers: Mapping[str, int]) -> str:
    """Numbers in words: ``3 high, 1,250 medium``."""
    return ", ".join(f"{number:,} {word}" for word, number in numbers.items())


def _line(text: str) -> str:
    return clean(" ".join(text.split()))


def _addresses(given: Sequence[str], variable: str) -> tuple[Address, ...]:
    """The addresses in the texts given, of which SES takes ASCII only. Raises InvalidInput."""
    accepted = "accepted are e-mail addresses separated by commas"
    if any(not text.isprintable() for text in given):
        raise InvalidInput(f"{variable}: {accepted}, on one line", field=variable)
    try:
        found = tuple(Address(name, addr_spec=spec) for name, spec in getaddresses(list(given)))
    except (ValueError, IndexError, MessageError):
        raise InvalidInput(f"{variable}: {accepted}", field=variable) from None
    # The parser is lenient: it reads "a@example.org b" as the address a@example.orgb, which nobody wrote.
    written = [one for one in found if one.username and one.addr_spec.isascii() and one.addr_spec in ",".join(given)]
    if not found or written != list(found):
        raise InvalidInput(f"{variable}: {accepted}", field=variable)
    if len(found) > RECIPIENTS:
        raise InvalidInput(f"{variable}: {accepted}, at most {RECIPIENTS}", field=variable)
    return found


def _fitting(attachments: Sequence[Attachment], room: int) -> tuple[list[Attachment], list[str]]:
    """The attachments that fit into so many bytes, and the names of the others."""
    fitting: list[Attachment] = []
    left_out: list[str] = []
    for one in attachments:
        size = int(len(one.content) * BASE64_GROWTH)
        if size > room:
            log.warning("attachment %s of %d bytes is too large for e-mail and was left out", one.name, size)
            left_out.append(one.name)
            continue
        room -= size
        fitting.append(one)
    return fitting, left_out
