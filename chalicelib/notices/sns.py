"""To the findings topic: text for people, JSON for programs. A large digest takes several messages.

JSON is built here, in code; templates give text only. Limits follow
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct
from pydantic import BaseModel

from chalicelib.errors import AuditorError
from chalicelib.notices.chat import chat
from chalicelib.notices.first_page import in_words
from chalicelib.notices.mrkdwn import counts
from chalicelib.notices.notice import WORDS, Notice
from chalicelib.notices.reasons import exemption_sentence
from chalicelib.report.calendar import SOON_DAYS
from chalicelib.report.charts import lines
from chalicelib.report.findings import Report
from chalicelib.templating import render

#: A message with its attributes may hold 262,144 bytes; the rest is left for attributes.
MESSAGE_BYTES = 250_000
#: The text for people, which stands twice in a message.
TEXT_BYTES = 40_000
#: The JSON for programs in a message of its own: a queue gets it within an envelope, and may hold no more than 262,144
#: bytes with that.
PART_BYTES = 200_000
#: Findings that the text of a digest names one by one; the rest are counted.
NAMED_IN_TEXT = 40
#: Entries of each list of the text.
LISTED = 20
#: What a notice holds in lists, and how many of each come first.
HELD, SHOWN = ("told", "blind_spots", "exemptions", "calendar"), 20
#: Bytes for the numbers of a part, and for the counts by severity.
COUNTS = 400
#: Columns of the chart of a rehearsal.
CHART_COLUMNS = 56
#: Seconds between the messages of a digest: SNS suspends e-mail subscriptions that get more than ten in a second.
PAUSE = 0.15


class PublishFailed(AuditorError):
    """SNS did not take the message; nothing was told to people, and the next attempt will tell it."""


class Topic(Struct, frozen=True):
    """The findings topic (AUDITOR_TOPIC_ARN); ``client`` is boto3's ``sns`` in the topic's region."""

    arn: str
    client: Any

    def deliver(self, notice: Notice, report: Report) -> None:
        """Publishes the notice. Raises PublishFailed."""
        publish(notice, self.arn, self.client)


def publish(notice: Notice, topic_arn: str, client: Any, sleep: Callable[[float], None] = time.sleep) -> str:
    """Publishes the notice and gives SNS's id of the message that people read. Raises PublishFailed when the topic does
    not take it.

    The further parts of a digest leave first: where one fails, people have been told nothing yet, and read the digest
    once when it is tried again.
    """
    bodies = messages(notice)
    for number in range(len(bodies), 0, -1):
        try:
            answer = client.publish(
                TopicArn=topic_arn,
                Subject=notice.subject,
                MessageStructure="json",
                Message=bodies[number - 1],
                MessageAttributes=attributes(notice, number),
            )
        except (ClientError, BotoCoreError) as error:
            raise PublishFailed(f"the topic {topic_arn} did not take the {notice.kind}: {error}") from error
        if number > 1:
            sleep(PAUSE)
    return str(answer["MessageId"])


def attributes(notice: Notice, part: int = 1) -> dict[str, dict[str, str]]:
    """What subscribers filter by, the same on all parts of a digest but for ``part``. Where an attribute has several
    values it is a list (``String.Array``), of which a filter policy matches any."""
    values = {
        "severity": [notice.severity.value],
        "new_severity": [notice.new_severity.value if notice.new_severity else "none"],
        "rule": [notice.rule],
        "status": notice.status,
        "account": notice.account.split(","),
        "region": notice.region.split(","),
        "part": [str(part)],
    }
    return {name: _attribute(members) for name, members in values.items()}


def _attribute(values: Sequence[str]) -> dict[str, str]:
    if len(values) == 1:
        return {"DataType": "String", "StringValue": values[0]}
    return {"DataType": "String.Array", "StringValue": json.dumps(values)}


# ---- messages


class _Entry(NamedTuple):
    """One thing that a part holds: the field of the notice, and the bytes that it takes within a message."""

    field: str
    content: BaseModel
    size: int


def message(notice: Notice) -> str:
    """The message that people read, which is the first part for programs too."""
    return messages(notice)[0]


def messages(notice: Notice) -> list[str]:
    """The JSON messages of a notice, each with a string for each protocol. The first holds the text for people and, for
    programs, as much as fits; the others hold the rest for programs, so that all of it arrives."""
    plain = _fitting_text(notice)
    for_people = {"default": plain, "email": plain, "https": json.dumps(chat(notice), ensure_ascii=False)}
    rest = _size(_holding(notice, []).model_dump_json()) + COUNTS
    # The first part stands twice, for queues and for functions; a single change stands twice within each.
    copies = 4 if notice.single else 2
    first = (MESSAGE_BYTES - sum(map(_size, for_people.values())) - 2 * rest) // copies
    parts = list(_parts(_entries(notice), first, PART_BYTES - rest))
    bodies = []
    for number, entries in enumerate(parts, 1):
        machine = _machine(notice, entries, number, len(parts))
        if number == 1:
            body = {**for_people, "sqs": machine, "lambda": machine}
        else:
            text = f"Part {number} of {len(parts)} of a digest, for programs: {notice.subject}"
            body = {"default": machine, "email": text, "email-json": text, "sms": text}
        bodies.append(json.dumps(body, ensure_ascii=False))
    return bodies


def _entries(notice: Notice) -> Iterator[_Entry]:
    """Everything that a notice holds, in the order in which the parts hold it: first what people are shown."""
    held: dict[str, Sequence[BaseModel]] = {field: getattr(notice, field) for field in HELD}
    for first in (True, False):
        for field, contents in held.items():
            for content in contents[:SHOWN] if first else contents[SHOWN:]:
                yield _Entry(field, content, _size(content.model_dump_json()) + 1)


def _parts(entries: Iterator[_Entry], first: int, further: int) -> Iterator[list[_Entry]]:
    """The entries in parts: the first of so many bytes, then others of so many."""
    part: list[_Entry] = []
    room = first
    for entry in entries:
        if entry.size > room and part:
            yield part
            part, room = [], further
        part.append(entry)
        room -= entry.size
    yield part


def _holding(notice: Notice, entries: Sequence[_Entry]) -> Notice:
    """The notice with these entries alone."""
    held = {field: [entry.content for entry in entries if entry.field == field] for field in HELD}
    left = {field: len(getattr(notice, field)) - len(held[field]) for field in HELD}
    omitted = notice.omitted + left["told"]
    counted = {
        "omitted": omitted,
        "omitted_blind_spots": notice.omitted_blind_spots + left["blind_spots"],
        "omitted_exemptions": notice.omitted_exemptions + left["exemptions"],
        "omitted_calendar": notice.omitted_calendar + left["calendar"],
        "totals": notice.by_severity if omitted else notice.totals,
    }
    return notice.model_copy(update={**held, **counted})


def _machine(notice: Notice, entries: Sequence[_Entry], number: int, parts: int) -> str:
    """One part of the notice for programs, as JSON. What does not fit beside a single change follows as a digest."""
    kind = notice.kind if number == 1 else "digest"
    part = _holding(notice, entries).model_copy(update={"kind": kind, "part": number, "parts": parts})
    return json.dumps(part.machine(), separators=(",", ":"), ensure_ascii=False)


def _size(text: str) -> int:
    """The bytes that a text takes as a string of a JSON message."""
    return len(json.dumps(text, ensure_ascii=False).encode())


# ---- texts


def _fitting_text(notice: Notice) -> str:
    """The text with as many findings as fit, at most forty, and shorter lists where that is not enough; the rest is
    counted."""
    named, listed = min(len(notice.told), NAMED_IN_TEXT), LISTED
    while True:
        plain = text(notice, named, listed)
        if _size(plain) <= TEXT_BYTES or (named, listed) == (0, 0) or (notice.single and named <= 1):
            return plain
        named, listed = named * 2 // 3, listed if named else listed // 2


def text(notice: Notice, named: int = NAMED_IN_TEXT, listed: int = LISTED) -> str:
    """The notice as plain text that reads well at 72 columns, with so many findings, and entries of each list."""
    name = "finding" if notice.single else "digest"
    context = {
        "notice": notice,
        "shown": notice.shortened(named),
        "listed": listed,
        "important": in_words,
        "counted": counts,
        "words": WORDS,
        "ended": exemption_sentence,
        "soon_days": SOON_DAYS,
        "charted": partial(lines, columns=CHART_COLUMNS),
    }
    rendered = render(f"notices/{name}.txt.j2", context)
    return re.sub(r"\n{3,}", "\n\n", rendered)
