"""E-mail through Amazon SES: a notice as an HTML report with a plain-text twin, in one message.

The HTML uses inlined styles only and asks nothing of the outside: no images, fonts, style sheets or scripts. Text and
surfaces take the reader's own colours, so that it reads in light and in dark clients; severities carry theirs.
"""

import logging
from binascii import b2a_qp
from collections.abc import Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses
from functools import partial
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.notices.first_page import in_words
from chalicelib.notices.mrkdwn import counts
from chalicelib.notices.notice import WORDS, ChangeKind, Notice
from chalicelib.notices.reasons import exemption_sentence
from chalicelib.report.calendar import SOON_DAYS
from chalicelib.report.charts import lines
from chalicelib.report.findings import Report, Severity, utc_text
from chalicelib.templating import clean, render

log = logging.getLogger(__name__)

#: Findings that a message tells in full, and entries of each of its lists, from most to nothing: the first with which
#: it fits is taken, and the rest is counted.
DETAILS = (100, 80, 60, 45, 32, 24, 16, 12, 8, 5, 3, 2, 1, 0)
ROOMS = (*((named, 10) for named in DETAILS), (0, 5), (0, 2), (0, 0))
#: Bytes of text and HTML together, as they are sent: Gmail shows 102 kB of a message and hides what follows.
BODY_BYTES = 90_000
#: Bytes of a whole message, attachments included. SES refuses more than 10 MB unless it is asked for more.
MESSAGE_BYTES = 10_000_000
#: Base64 needs four characters for three bytes, and a line end for each 76 characters.
BASE64_GROWTH = 1.4
#: Addresses that SES takes in one message.
RECIPIENTS = 50
#: What the headers of a message need at most, with fifty long addresses.
HEADER_BYTES = 50_000
#: Columns of the chart of a rehearsal: a telephone shows it on one line.
CHART_COLUMNS = 42
#: The longest address that becomes a link: one that is signed holds the token of a role.
LINK = 4_000

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
HEADINGS: dict[ChangeKind, str] = {
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


class Email(Struct, frozen=True):
    """Letters from ``sender`` to ``recipients`` (AUDITOR_EMAIL_FROM, AUDITOR_EMAIL_TO); ``client`` is ``sesv2``."""

    sender: str
    recipients: str
    client: Any

    def deliver(self, notice: Notice, report: Report) -> None:
        """Sends the notice, a digest with the page of the report. Raises what :func:`send` raises."""
        send(notice, self.sender, self.recipients, self.client, _pages(notice, report))


def _pages(notice: Notice, report: Report) -> list[Attachment]:
    """The report page that travels with a digest."""
    if notice.kind != "digest" or notice.about:
        return []
    from chalicelib.report.formats.page import page

    name = f"sagemaker-audit-{notice.account}-{report.finished_at:%Y-%m-%d}.html"
    return [Attachment(name, page(report).encode(), "text/html")]


def send(notice: Notice, sender: str, recipients: str, client: Any, attachments: Sequence[Attachment] = ()) -> str:
    """Sends the notice to the addresses and gives SES's message id.

    ``client`` is boto3's ``sesv2``; the role needs ``ses:SendEmail`` and ``ses:SendRawEmail`` on the sender's identity.
    Raises InvalidInput for addresses that are none, and EmailFailed when SES does not take the message. Follows the
    operation SendEmail of Amazon SES v2 with Raw content.
    """
    message = email(notice, sender, [recipients], attachments)
    try:
        answer = client.send_email(Content={"Raw": {"Data": message.as_bytes()}})
    except ClientError as error:
        details = error.response.get("Error", {})
        raise EmailFailed(
            f"SES did not take the {notice.kind} from {sender} "
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
    if notice.single:
        # All that is told of one finding stands in one thread.
        message["References"] = f"<{notice.only.finding.id}@{source[0].domain}>"
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    for attachment in fitting:
        main, _, sub = attachment.content_type.partition("/")
        message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=_line(attachment.name))
    # Folded at 78 columns, a subject that is a little shorter would begin with an empty line.
    message.policy = SMTP.clone(max_line_length=998)
    return message


def bodies(notice: Notice, left_out: Sequence[str] = ()) -> tuple[str, str]:
    """Plain text at 72 columns and HTML, together at most BODY_BYTES: what does not fit is counted.

    ``left_out`` names the attachments that were too large. A notice that tells one change tells it whatever its size.
    """
    for named, listed in ROOMS:
        if notice.single and not named:
            break
        context = _context(notice, named, listed, left_out)
        text = render("notices/email.txt.j2", context) + "\n"
        html = render("notices/email.html.j2", context) + "\n"
        if _encoded(text, html) <= BODY_BYTES:
            break
    return text, html


def _encoded(*parts: str) -> int:
    """The bytes of the parts in quoted-printable."""
    return sum(len(b2a_qp(part.encode())) for part in parts)


def _context(notice: Notice, named: int, listed: int, left_out: Sequence[str]) -> dict[str, Any]:
    return {
        "notice": notice,
        "shown": notice.shortened(named),
        "listed": listed,
        "important": in_words,
        "counts": dict.fromkeys(WORDS, 0) | {kind: len(changes) for kind, changes in notice.changes},
        "single": notice.single,
        "left_out": [_line(name) for name in left_out],
        "colours": COLOURS,
        "words": WORDS,
        "headings": HEADINGS,
        "utc": utc_text,
        "ended": exemption_sentence,
        "linked": _linked,
        "counted": counts,
        "soon_days": SOON_DAYS,
        "charted": partial(lines, columns=CHART_COLUMNS),
    }


def _linked(url: str | None) -> bool:
    """True for an address that becomes a link: of the web, and not absurdly long."""
    return url is not None and url.startswith("https://") and len(url) <= LINK


def _line(text: str) -> str:
    return clean(" ".join(text.split()))


def _addresses(texts: Sequence[str], variable: str) -> tuple[Address, ...]:
    """The addresses in the texts, of which SES takes ASCII only. Raises InvalidInput."""
    accepted = "accepted are e-mail addresses separated by commas"
    if any(not text.isprintable() for text in texts):
        raise InvalidInput(f"{variable}: {accepted}, on one line", field=variable)
    try:
        addresses = tuple(Address(name, addr_spec=spec) for name, spec in getaddresses(list(texts)))
    except (ValueError, IndexError, MessageError):
        raise InvalidInput(f"{variable}: {accepted}", field=variable) from None
    # The parser is lenient: it reads "a@example.org b" as the address a@example.orgb, which nobody wrote.
    joined = ",".join(texts)
    written = [
        address
        for address in addresses
        if address.username and address.addr_spec.isascii() and address.addr_spec in joined
    ]
    if not addresses or written != list(addresses):
        raise InvalidInput(f"{variable}: {accepted}", field=variable)
    if len(addresses) > RECIPIENTS:
        raise InvalidInput(f"{variable}: {accepted}, at most {RECIPIENTS}", field=variable)
    return addresses


def _fitting(attachments: Sequence[Attachment], room: int) -> tuple[list[Attachment], list[str]]:
    """The attachments that fit into so many bytes, and the names of the others."""
    fitting: list[Attachment] = []
    left_out: list[str] = []
    for attachment in attachments:
        size = int(len(attachment.content) * BASE64_GROWTH)
        if size > room:
            log.warning("attachment %s of %d bytes is too large for e-mail and was left out", attachment.name, size)
            left_out.append(attachment.name)
            continue
        room -= size
        fitting.append(attachment)
    return fitting, left_out
