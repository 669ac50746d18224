"""The e-mail: readable in both forms, safe against hostile names, self-contained, and within its size."""

import email as mail
import re
from binascii import b2a_qp
from datetime import timedelta, timezone
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.errors import InvalidInput
from chalicelib.notices.email import COLOURS, MESSAGE_BYTES, Attachment, EmailFailed, bodies, email, send
from chalicelib.notices.first_page import by_owner, most_important
from chalicelib.notices.notice import Change, Notice
from chalicelib.report.findings import BlindSpot, ExemptionNote, Fix, Severity
from samples.notices import ACCOUNT, NEW, NOW, REGION, RESOLVED, SAMPLES, a_finding, a_notice, a_resource
from tests.golden import assert_golden

SENDER, RECIPIENT = "Auditor <auditor@example.org>", "team@example.org"
ENDS = (SENDER, RECIPIENT)
HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "end of pre": "</pre><h1>forged</h1>",
    "template": "{{ 7*7 }}{% raw %}",
    "attribute": '" onmouseover="alert(1)" style=\'background:url(https://example.org/x)\'',
    "direction": "abc\u202etxt.exe\u2066\u200f",
    "header": "name\r\nBcc: victim@example.org\r\n\r\n<b>body</b>",
    "controls": "a\x00b\x07c\x1bd\x85e",
    "long": "x" * 10_000,
    "long words": "lorem " * 2_000,
}
#: Elements, attributes and headers that an e-mail may have here.
ELEMENTS = {
    *("html", "head", "meta", "title", "body", "div", "table", "tr", "td"),
    *("h1", "h2", "h3", "ol", "li", "p", "span", "strong", "pre", "a", "br"),
}
ATTRIBUTES = {
    *("align", "aria-hidden", "border", "cellpadding", "cellspacing", "charset", "content", "href"),
    *("lang", "name", "role", "style", "width"),
}
HEADERS = {"Subject", "From", "To", "Date", "Auto-Submitted", "References", "MIME-Version", "Content-Type"}
#: Gmail shows 102 kB of a message.
GMAIL_SHOWS = 90_000
VOID = {"meta", "br", "img", "link", "input"}


class Page(HTMLParser):
    """What a browser would make of the HTML: elements, attributes, and whether all that opens is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.elements: set[str] = set()
        self.text = ""
        self.unbalanced: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.unbalanced += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.unbalanced.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def html(notice: Notice) -> str:
    return bodies(notice)[1]


def text(notice: Notice) -> str:
    return bodies(notice)[0]


def message(notice: Notice, **changes: Any) -> EmailMessage:
    return email(notice, **{"sender": SENDER, "recipients": [RECIPIENT], **changes})


def received(sent: EmailMessage) -> EmailMessage:
    """The message as the other end reads it."""
    read = mail.message_from_bytes(sent.as_bytes(), policy=SMTP)
    assert isinstance(read, EmailMessage)
    return read


def a_hostile_notice(name: str, kind: str = "digest") -> Notice:
    """A notice in which everything that comes from the account or from a policy is hostile."""
    finding = a_finding(
        a_resource(name=name, console_url=f"https://example.org/{name}"),
        title=f"title {name}",
        summary=name,
        why=name,
        fix=Fix(text=name, commands=[f"aws sagemaker {name}"]),
        owner=name,
        references=[name, f"https://example.org/{name}"],
    )
    changes = [Change(change="new", finding=finding)]
    if kind == "digest":
        changes.append(Change(change="resolved", finding=finding.model_copy(update={"resolved_at": NOW})))
    spot = BlindSpot(account=ACCOUNT, region=REGION, operation=name, error=name, effect=[name], resource=name)
    note = ExemptionNote(rule=name, resource=name, reason=name, owner=name, state="unmatched", findings=0)
    return a_notice(*changes, kind=kind, complete=False, blind_spots=[spot], exemptions=[note])


def many(number: int, **changes: Any) -> Notice:
    findings = [a_finding(a_resource(name=f"endpoint-{index}/v"), **changes) for index in range(number)]
    return a_notice(*(Change(change="new", finding=finding) for finding in findings))


# ---- what it looks like


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_looks_as_reviewed(name: str) -> None:
    plain, rich = bodies(SAMPLES[name])
    assert_golden(f"email/{name}.txt", plain)
    assert_golden(f"email/{name}.html", rich)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_html_asks_nothing_of_the_outside_and_runs_nothing(name: str) -> None:
    page = Page(html(SAMPLES[name]))
    assert page.elements <= ELEMENTS
    assert page.unbalanced == []
    assert {attribute for _, attribute, _ in page.attributes} <= ATTRIBUTES
    assert all(link.startswith("https://") for link in page.values("href"))
    assert not [style for style in page.values("style") if "url(" in style or "@" in style or "position" in style]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_html_takes_the_reader_s_colours(name: str) -> None:
    rich = html(SAMPLES[name])
    assert '<meta name="color-scheme" content="light dark">' in rich
    for style in Page(rich).values("style"):
        # White stands on a background of its own only; everything else takes the reader's colour.
        for colour in re.findall(r"(?:^|;)color:([^;]+)", style):
            assert colour == "inherit" or (colour == "#ffffff" and "background:#" in style)


def contrast(first: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21, by WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(first), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
def test_white_can_be_read_on_every_badge(colour: str) -> None:
    assert contrast("#ffffff", colour) >= 4.5


def test_every_severity_has_a_colour_and_its_word_is_said() -> None:
    for severity in Severity:
        notice = a_notice(Change(change="new", finding=a_finding(severity=severity)))
        assert f"background:{COLOURS[severity.value]}" in html(notice)
        assert f">{severity.value.upper()}<" in html(notice)
        assert f"[{severity.value.upper()}]" in text(notice)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_text_keeps_to_72_columns_but_for_what_must_not_be_broken(name: str) -> None:
    long = [line for line in text(SAMPLES[name]).splitlines() if len(line) > 72]
    assert all(line.strip().startswith(("aws ", "https://", "The full report: https://")) for line in long)


def test_text_and_html_say_the_same_of_a_finding() -> None:
    finding = NEW.finding
    for body in (text(SAMPLES["finding-new"]), Page(html(SAMPLES["finding-new"])).text):
        flowing = " ".join(body.split())
        for said in (finding.title, finding.summary, finding.why, finding.fix.text, *finding.fix.commands):
            assert said in flowing
        assert "owner team-churn" in flowing and finding.id in flowing and finding.resource.name in flowing


def test_commands_stand_in_one_pre_each_on_its_line() -> None:
    (block,) = re.findall(r"<pre[^>]*>([^<]*)</pre>", html(SAMPLES["finding-new"]))
    assert block.split("\n") == NEW.finding.fix.commands


def test_a_snippet_keeps_its_lines() -> None:
    snippet = "VpcConfig:\n  Subnets:\n    - subnet-1"
    finding = a_finding(a_resource(), fix=Fix(text="Do.", snippets={"cloudformation": snippet}))
    notice = a_notice(Change(change="new", finding=finding))
    assert f">{snippet}</pre>" in html(notice)
    assert "  In CloudFormation:\n    VpcConfig:\n      Subnets:\n        - subnet-1\n" in text(notice)


def test_links_lead_to_the_console_the_references_and_the_report() -> None:
    links = Page(html(SAMPLES["digest-full"])).values("href")
    notice = SAMPLES["digest-full"]
    assert links[0] == notice.report_url
    for change in notice.told:
        assert change.finding.resource.console_url in links
        if change.change != "resolved":
            assert set(change.finding.references) <= set(links)


def test_a_link_that_is_none_of_the_web_is_no_link() -> None:
    finding = a_finding(a_resource(console_url="javascript:alert(1)"), references=["javascript:alert(2)", "data:x"])
    assert Page(html(a_notice(Change(change="new", finding=finding)))).values("href") == []
    assert Page(html(a_notice(report_url="javascript:alert(3)"))).values("href") == []


def test_a_digest_says_what_is_open_blind_exempt_and_that_it_is_alive() -> None:
    for body in bodies(SAMPLES["digest-full"]):
        flowing = " ".join(re.sub("<[^>]+>", " ", body).split())
        for said in (
            "3 high, 1,250 medium, 1 low",
            "4 exempt, 2 of rules that are only observed",
            "and 4,812 more",
            "sagemaker:DescribeModel",
            "Unknown: model-vpc-single-az",
            "Expired on 2026-11-21, its findings are told again",
            "Ends on 2026-12-01",
            "Covers nothing",
            "412 resources, 47 rules, 2 blind spots",
            "incomplete",
        ):
            assert said in flowing


def test_why_a_finding_is_told_now_is_said() -> None:
    for name, said in {
        "finding-worse": "It was high when it was told last.",
        "finding-back": "It is back after 12.5 days.",
        "finding-back-after-exemption": "Its exemption ended on 2026-11-21 (short jobs only, ml-platform).",
        "finding-reminder": "Open since 2026-11-15.",
        "resolved": "open from 2026-11-19 to 2026-11-22",
    }.items():
        assert said in text(SAMPLES[name])
        assert said in html(SAMPLES[name])


def test_a_finding_that_was_exempt_without_an_end_is_exempt_no_more() -> None:
    notice = a_notice(Change(change="back", finding=a_finding()))
    assert "It is exempt no more." in text(notice) and "It is exempt no more." in html(notice)


def test_a_clean_digest_still_says_that_the_auditor_was_there() -> None:
    for body in bodies(SAMPLES["digest-clean"]):
        assert "All clean" in body and "412 resources, 47 rules, 0 blind spots" in body


def test_an_incomplete_audit_is_never_called_clean() -> None:
    for body in bodies(a_notice(complete=False)):
        assert "All clean" not in body
        assert "Nothing found in what could be read" in body


def test_a_digest_of_resolved_findings_alone_has_nothing_new() -> None:
    for body in bodies(a_notice(RESOLVED, RESOLVED)):
        assert "Nothing new, 2 resolved" in body


def test_an_uncertain_finding_says_so() -> None:
    assert "medium confidence" in html(SAMPLES["digest-full"])
    assert "medium confidence" in text(SAMPLES["digest-full"])
    assert "confidence" not in html(SAMPLES["finding-new"])


# ---- hostile names


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["finding", "resolved", "digest"])
@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_change_neither_page_nor_headers(name: str, kind: str) -> None:
    notice = a_hostile_notice(name, kind)
    if kind == "resolved":
        notice = notice.model_copy(update={"told": [Change(change="resolved", finding=notice.only.finding)]})
    page, plain = Page(html(notice)), text(notice)
    assert page.elements <= ELEMENTS
    assert page.unbalanced == []
    assert {attribute for _, attribute, _ in page.attributes} <= ATTRIBUTES
    assert not [style for style in page.values("style") if "url(" in style]
    for body in (page.text, plain):
        assert all(line == "\n" or line.isprintable() or line == "\xa0" for line in body)
    read = received(message(notice))
    assert set(read.keys()) <= HEADERS
    assert read["Bcc"] is None
    assert read["To"] == RECIPIENT
    assert len(str(read["Subject"])) <= 99


def test_a_template_in_a_name_is_not_run() -> None:
    notice = a_hostile_notice("{{ 7*7 }}{{ 191*7 }}", "finding")
    for body in bodies(notice):
        assert "{{ 191*7 }}" in body
        assert "1337" not in body


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    name = HOSTILE["markup"]
    page = Page(html(a_hostile_notice(name, "finding")))
    assert page.text.count(name) >= 5


def test_a_long_text_is_cut_and_half_a_command_is_never_shown() -> None:
    notice = a_hostile_notice("x" * 10_000, "finding")
    for body in bodies(notice):
        assert len(body) < 60_000
        assert "x" * 2_001 not in body
        assert "The commands are too long for an e-mail" in body


@pytest.mark.parametrize(
    "address",
    [
        *("a@example.org\r\nBcc: b@example.org", "a@example.org\nX: y", "a@example.org b@example.org"),
        *("a@example.org;b@example.org", "nobody", "@example.org", "a@", "ä@example.org", ""),
    ],
)
def test_an_address_that_is_none_is_refused_by_the_name_of_its_setting(address: str) -> None:
    with pytest.raises(InvalidInput, match="AUDITOR_EMAIL_TO: accepted are e-mail addresses"):
        message(SAMPLES["finding-new"], recipients=[address])
    with pytest.raises(InvalidInput, match="AUDITOR_EMAIL_FROM: accepted"):
        message(SAMPLES["finding-new"], sender=address)


def test_one_sender_and_at_most_fifty_recipients_are_taken() -> None:
    with pytest.raises(InvalidInput, match="accepted is one e-mail address"):
        message(SAMPLES["finding-new"], sender="a@example.org, b@example.org")
    addresses = [f"r{number}@example.org" for number in range(51)]
    assert message(SAMPLES["finding-new"], recipients=addresses[:50])["To"].addresses[49].addr_spec == "r49@example.org"
    with pytest.raises(InvalidInput, match="at most 50"):
        message(SAMPLES["finding-new"], recipients=addresses)


# ---- the message


@pytest.mark.parametrize("name", SAMPLES)
def test_the_message_reads_back_as_text_with_an_html_alternative(name: str) -> None:
    notice = SAMPLES[name]
    read = received(message(notice))
    assert read.get_content_type() == "multipart/alternative"
    plain, rich = read.iter_parts()
    assert (plain.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    for part, wanted in zip((plain, rich), bodies(notice), strict=True):
        assert isinstance(part, EmailMessage)
        assert part.get_content().replace("\r\n", "\n") == wanted
    assert read["Subject"] == notice.subject
    assert read["From"] == SENDER
    assert read["Date"].datetime == notice.finished_at
    assert read["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_line_on_the_wire_is_short_ascii(name: str) -> None:
    lines = message(SAMPLES[name]).as_bytes().split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert all(line.isascii() and b"\n" not in line and b"\r" not in line for line in lines)


def test_several_recipients_with_names_are_read_from_one_list() -> None:
    read = received(message(SAMPLES["finding-new"], recipients=['"Doe, Jane" <jane@example.org>, ops@example.org']))
    assert [address.addr_spec for address in read["To"].addresses] == ["jane@example.org", "ops@example.org"]


def test_new_and_resolved_stand_in_one_thread() -> None:
    threads = {str(message(SAMPLES[name])["References"]) for name in ("finding-new", "finding-reminder", "resolved")}
    assert threads == {f"<{NEW.finding.id}@example.org>"}
    assert message(SAMPLES["digest-clean"])["References"] is None


# ---- size


def sent_bytes(notice: Notice) -> int:
    """The bytes of both forms as they leave."""
    return sum(len(b2a_qp(body.encode())) for body in bodies(notice))


@pytest.mark.thorough
@pytest.mark.parametrize("number", [0, 1, 99, 5000])
def test_a_message_of_any_number_of_findings_is_shown_whole_and_counts_the_rest(number: int) -> None:
    notice = (many(number) if number else a_notice()).model_copy(update={"report_url": "https://example.org/report"})
    assert sent_bytes(notice) <= GMAIL_SHOWS
    plain, rich = bodies(notice)
    named = rich.count("<h3 ")
    assert plain.count("\n[HIGH] ") == named
    assert named == number if number < 10 else 5 < named < number
    for body in (plain, rich):
        assert re.findall(r"and ([\d,]+) more", body) == ([f"{number - named:,}"] if number > named else [])
        assert "https://example.org/report" in body
    if number > 1:
        assert f"{number:,} findings to look at" in plain and f"{number:,} findings to look at" in rich


@pytest.mark.slow
@pytest.mark.thorough
def test_large_findings_are_named_less_often_and_still_counted() -> None:
    words = "lorem & ipsum " * 1_000
    notice = many(1000, summary=words, why=words, fix=Fix(text=words, commands=[f"aws {'x' * 2900}"] * 20))
    assert sent_bytes(notice) <= GMAIL_SHOWS
    plain, rich = bodies(notice)
    named = plain.count("\n[HIGH] ")
    assert 1 <= named < 100
    assert f"and {1000 - named:,} more" in plain
    assert rich.count("<h3 ") == named


def test_many_blind_spots_and_exemptions_are_counted() -> None:
    spot = BlindSpot(account=ACCOUNT, region=REGION, operation="a:B", error="x" * 5000, effect=["endpoint-idle"] * 500)
    note = ExemptionNote(rule="*", resource="r" * 5000, reason="because", state="unmatched", findings=0)
    notice = a_notice(complete=False, blind_spots=[spot] * 1021, exemptions=[note] * 25)
    for body in bodies(notice):
        assert "and 1,011 more" in body and "and 15 more" in body
    assert sent_bytes(notice) <= GMAIL_SHOWS


@pytest.mark.thorough
def test_what_is_of_many_bytes_is_cut_until_the_message_fits() -> None:
    name = "\U0001f525" * 300
    spot = BlindSpot(account=ACCOUNT, region=REGION, operation=name, error=name, resource=name, effect=[name])
    finding = a_finding(a_resource(name=name), title=name, owner=name)
    notice = many(50).model_copy(
        update={
            "blind_spots": [spot] * 50,
            "most_important": most_important([finding] * 10, {}),
            "by_owner": by_owner([finding]),
        }
    )
    assert sent_bytes(notice) <= GMAIL_SHOWS
    for body in bodies(notice):
        assert re.search(r"and \d\d more", body)


def test_what_matters_most_stands_before_the_details() -> None:
    for body in bodies(SAMPLES["digest-full"]):
        flowing = " ".join(re.sub("<head>.*</head>|<[^>]+>", "", body, flags=re.DOTALL).split()).lower()
        places = [
            flowing.index(said)
            for said in (
                "1 endpoint is down, 310 would not survive",
                "what matters most",
                "search: endpoint is not in service",
                "by owner",
                "nobody: 2 medium, 1 low",
                "what changed: 4,817 new, worse, back, told again, 1 resolved",
                "what the audit could not read",
                "exemptions to look at",
                "the container of variant blue did not answer",
            )
        ]
        assert places == sorted(places)


# ---- attachments


def test_an_attachment_travels_with_the_message() -> None:
    report = Attachment("report.html", b"<p>all of it</p>", "text/html")
    read = received(message(SAMPLES["digest-full"], attachments=[report]))
    assert read.get_content_type() == "multipart/mixed"
    (attached,) = read.iter_attachments()
    assert isinstance(attached, EmailMessage)
    assert attached.get_filename() == "report.html"
    assert attached.get_payload(decode=True) == report.content
    assert read.get_body(("html",)) is not None


def test_an_attachment_that_is_too_large_is_left_out_and_named() -> None:
    large = Attachment("report\r\nX-Forged: 1.html", b"x" * 9_000_000, "text/html")
    small = Attachment("small.csv", b"a,b", "text/csv")
    sent = message(SAMPLES["digest-full"], attachments=[large, small])
    assert len(sent.as_bytes()) < MESSAGE_BYTES
    read = received(sent)
    assert [attachment.get_filename() for attachment in read.iter_attachments()] == ["small.csv"]
    body = read.get_body(("plain",))
    assert body is not None
    assert "Too large to attach: report X-Forged: 1.html" in body.get_content()


@pytest.mark.thorough
def test_attachments_fill_the_message_and_no_more() -> None:
    attachments = [
        Attachment(f"part-{number}.bin", bytes(1_000_000), "application/octet-stream") for number in range(12)
    ]
    sent = message(SAMPLES["digest-clean"], attachments=attachments)
    kept = len(list(received(sent).iter_attachments()))
    assert 0 < kept < 12
    assert len(sent.as_bytes()) < MESSAGE_BYTES


def test_the_name_of_an_attachment_forges_no_header() -> None:
    report = Attachment('a"\r\nBcc: v@example.org', b"x", "text/plain")
    read = received(message(SAMPLES["digest-clean"], attachments=[report]))
    (attached,) = read.iter_attachments()
    assert read["Bcc"] is None and attached["Bcc"] is None


# ---- delivery


class Sender:
    """SES that keeps what it is given, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self._error = error

    def send_email(self, **arguments: Any) -> dict[str, str]:
        self.sent.append(arguments)
        if self._error is not None:
            raise self._error
        return {"MessageId": "m-1"}


def test_a_delivery_gives_the_id_of_the_message() -> None:
    client = Sender()
    attached = [Attachment("a.csv", b"1,2", "text/csv")]
    assert send(SAMPLES["finding-new"], *ENDS, client, attached) == "m-1"
    (sent,) = client.sent
    assert sent.keys() == {"Content"}
    read = mail.message_from_bytes(sent["Content"]["Raw"]["Data"], policy=SMTP)
    assert isinstance(read, EmailMessage)
    assert read["To"] == RECIPIENT
    assert [attachment.get_filename() for attachment in read.iter_attachments()] == ["a.csv"]


def test_what_ses_refuses_is_an_error_that_says_what_is_needed() -> None:
    refused = ClientError({"Error": {"Code": "MessageRejected", "Message": "Email address is not verified."}}, "X")
    with pytest.raises(EmailFailed, match=r"MessageRejected: Email address is not verified.*ses:SendRawEmail"):
        send(SAMPLES["finding-new"], *ENDS, Sender(refused))


def test_an_error_of_the_network_tells_no_addresses() -> None:
    away = EndpointConnectionError(endpoint_url="https://user:secret@proxy.example.org")
    with pytest.raises(EmailFailed) as raised:
        send(SAMPLES["finding-new"], *ENDS, Sender(away))
    assert "EndpointConnectionError" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_moments_are_told_in_utc_wherever_they_come_from() -> None:
    shifted = NOW.astimezone(timezone(timedelta(hours=9)))
    assert bodies(a_notice(NEW, finished_at=shifted)) == bodies(a_notice(NEW))
