"""E-mail through SES, and the message as SES received it."""

import email as mail
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from moto.ses.models import ses_backends

from chalicelib.notices.email import Attachment, EmailFailed, bodies, send
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT, DEFAULT_REGION, Emulator
from samples.notices import SAMPLES
from tests.conftest import NewService
from tests.service.test_audit import an_endpoint
from tests.unit.test_page import Reader

SENDER = "Auditor <auditor@example.org>"
ENDS = (SENDER, '"Doe, Jane" <jane@example.org>, ops@example.org')


@pytest.fixture
def verified(emulator: Emulator) -> Emulator:
    """The emulator, with a sender that SES lets send."""
    emulator.client("ses").verify_email_identity(EmailAddress="auditor@example.org")
    return emulator


def inbox() -> list[EmailMessage]:
    """What SES received."""
    held = ses_backends[DEFAULT_ACCOUNT][DEFAULT_REGION].sent_messages
    read = [mail.message_from_string(message.raw_data, policy=SMTP) for message in held]
    return [message for message in read if isinstance(message, EmailMessage)]


def body_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_kind_of_notice_arrives_in_both_forms(verified: Emulator, name: str) -> None:
    notice = SAMPLES[name]
    assert send(notice, *ENDS, verified.client("sesv2"))
    (message,) = inbox()
    assert (body_of(message, "plain"), body_of(message, "html")) == bodies(notice)
    assert message["Subject"] == notice.subject
    assert [address.addr_spec for address in message["To"].addresses] == ["jane@example.org", "ops@example.org"]


def test_an_attachment_arrives_whole(verified: Emulator) -> None:
    content = bytes(range(256)) * 100
    send(
        SAMPLES["digest-full"],
        *ENDS,
        verified.client("sesv2"),
        [Attachment("report.bin", content, "application/octet-stream")],
    )
    (message,) = inbox()
    (attached,) = message.iter_attachments()
    assert attached.get_payload(decode=True) == content


def test_a_sender_that_is_not_verified_is_an_error(emulator: Emulator) -> None:
    with pytest.raises(EmailFailed, match=r"MessageRejected.*a verified sender"):
        send(SAMPLES["finding-new"], *ENDS, emulator.client("sesv2"))
    assert inbox() == []


def test_a_denied_call_is_an_error_and_can_be_repeated(verified: Emulator, front: Front) -> None:
    front.deny("ses:*")
    with pytest.raises(EmailFailed, match="ses:SendEmail and ses:SendRawEmail"):
        send(SAMPLES["finding-new"], *ENDS, verified.client("sesv2"))
    assert inbox() == []
    front.clear()
    assert send(SAMPLES["finding-new"], *ENDS, verified.client("sesv2"))
    assert len(inbox()) == 1


def test_a_digest_carries_the_report_page(verified: Emulator, new_service: NewService) -> None:
    an_endpoint(verified, "alone", count=1)
    new_service(email_from=SENDER, email_to="ops@example.org").on_schedule({})
    (message,) = inbox()
    (attached,) = message.iter_attachments()
    assert attached.get_content_type() == "text/html"
    assert str(attached.get_filename()).startswith(f"sagemaker-audit-{DEFAULT_ACCOUNT}-")
    page = Reader(attached.get_content())
    assert "alone/AllTraffic" in {finding["resource"]["name"] for finding in page.data["findings"]}
