"""One publish to the findings topic for all protocols: text for people, JSON for programs, within SNS's limits.

JSON is built here, in code; templates give text only.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import AuditorError
from chalicelib.notices.notice import WORDS, Notice
from chalicelib.report.findings import Finding, Report
from chalicelib.templating import clean, render

#: A message with its attributes may hold 262,144 bytes; the rest is left for attributes and JSON escapes.
MESSAGE_BYTES = 250_000
#: Findings that the text of a digest names one by one; the rest are counted.
NAMED_IN_TEXT = 40
#: Limits of Amazon Q Developer in chat applications.
CHAT_TITLE, CHAT_DESCRIPTION, CHAT_STEP, CHAT_KEYWORD = 250, 8_000, 350, 75
NAMED_IN_CHAT = 20


class PublishFailed(AuditorError):
    """SNS did not take the message; nothing was told, and the next attempt will tell it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """The findings topic (AUDITOR_TOPIC_ARN); ``client`` is boto3's ``sns`` in the topic's region."""

    arn: str
    client: Any

    def deliver(self, notice: Notice, report: Report) -> None:
        """Publishes the notice. Raises PublishFailed."""
        publish(notice, self.arn, self.client)


def publish(notice: Notice, topic_arn: str, client: Any) -> str:
    """Publishes the notice and gives SNS's message id. Raises PublishFailed when the topic does not take it."""
    try:
        answer = client.publish(
            TopicArn=topic_arn,
            Subject=notice.subject,
            MessageStructure="json",
            Message=message(notice),
            MessageAttributes=attributes(notice),
        )
    except (ClientError, BotoCoreError) as error:
        raise PublishFailed(f"the topic {topic_arn} did not take the {notice.kind}: {error}") from error
    return str(answer["MessageId"])


def attributes(notice: Notice) -> dict[str, dict[str, str]]:
    """The five attributes that subscribers filter by."""
    values = {
        "severity": notice.severity.value,
        "rule": notice.rule,
        "status": notice.status,
        "account": notice.account,
        "region": notice.region,
    }
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def message(notice: Notice) -> str:
    """The JSON message with one string for each protocol. A digest too large for SNS is shortened until it fits, and
    says how many findings it leaves out."""
    named = len(notice.told)
    while True:
        shortened = notice.shortened(named)
        plain = text(notice.shortened(min(named, NAMED_IN_TEXT)))
        machine = json.dumps(shortened.machine(), separators=(",", ":"), ensure_ascii=False)
        body = {
            "default": plain,
            "email": plain,
            "https": json.dumps(chat(notice), ensure_ascii=False),
            "sqs": machine,
            "lambda": machine,
        }
        encoded = json.dumps(body, ensure_ascii=False)
        if len(encoded.encode()) <= MESSAGE_BYTES:
            return encoded
        if named == 0:
            notice = notice.model_copy(update={"blind_spots": [], "exemptions": []})
        named = named * 2 // 3


def text(notice: Notice) -> str:
    """The notice as plain text that reads well at 72 columns."""
    name = "digest" if notice.kind in ("digest", "health") else "finding"
    return re.sub(r"\n{3,}", "\n\n", render(f"notices/{name}.txt.j2", {"notice": notice, "words": WORDS}))


def chat(notice: Notice) -> dict[str, Any]:
    """The notice as a custom notification of Amazon Q Developer in chat applications (schema version 1.0).

    The thread of a finding is its id, so that new, still open and resolved stand under each other.
    """
    single = notice.kind in ("finding", "resolved")
    content: dict[str, Any] = {"textType": "client-markdown", "title": notice.subject[:CHAT_TITLE]}
    if single:
        finding = notice.only.finding
        lines = [_plain(finding.summary), "", _plain(finding.why)]
        steps = _steps(finding) if notice.kind == "finding" else []
        content["description"] = "\n".join(lines)[:CHAT_DESCRIPTION]
        if steps:
            content["nextSteps"] = [_plain(step)[:CHAT_STEP] for step in steps]
        content["keywords"] = [finding.rule[:CHAT_KEYWORD], finding.severity.value]
        related = [finding.resource.arn] if finding.resource.arn else []
    else:
        lines = [notice.health]
        for kind, changes in notice.changes:
            lines += ["", f"*{WORDS[kind]}*"]
            lines += [_in_chat(change.finding) for change in changes[:NAMED_IN_CHAT]]
            if len(changes) > NAMED_IN_CHAT:
                lines.append(f"and {len(changes) - NAMED_IN_CHAT:,} more")
        content["description"] = "\n".join(lines)[:CHAT_DESCRIPTION]
        related = []
    return {
        "version": "1.0",
        "source": "custom",
        "id": notice.only.finding.id if single else notice.audit_id,
        "content": content,
        "metadata": {
            "threadId": notice.only.finding.id if single else notice.audit_id,
            "summary": notice.subject,
            "eventType": notice.kind,
            "relatedResources": related,
            "additionalContext": {"account": notice.account, "region": notice.region},
        },
    }


def _steps(finding: Finding) -> list[str]:
    """The fix and its commands; none of these where one is longer than a step may be, as each needs the others."""
    commands = finding.fix.commands
    if any(len(_plain(command)) > CHAT_STEP for command in commands):
        commands = ["The commands are too long for a chat; the report has them."]
    return [finding.fix.text, *commands]


def _in_chat(finding: Finding) -> str:
    return f"[{finding.severity.value}] {_plain(finding.resource.name)}: {_plain(finding.title)}"


def _plain(text: str) -> str:
    return clean(" ".join(text.split()))
