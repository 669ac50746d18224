"""One publish to the findings topic for all protocols: text for people, JSON for programs, within SNS's limits.

JSON is built here, in code; templates give text only.
"""

import json
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import AuditorError
from chalicelib.notices.digest import NAMED_FINDINGS, Digest

#: A message with its attributes may hold 262,144 bytes; the rest is left for attributes and JSON escapes.
MESSAGE_BYTES = 250_000
CHAT_TITLE, CHAT_DESCRIPTION = 250, 8_000


class PublishFailed(AuditorError):
    """SNS did not take the message; nothing was told, and the next attempt will tell it."""


def publish(digest: Digest, topic_arn: str, client: Any = None) -> str:
    """Publishes the digest and gives SNS's message id. Raises PublishFailed when the topic does not take it."""
    sns = client or boto3.client("sns", region_name=topic_arn.split(":")[3])
    try:
        answer = sns.publish(
            TopicArn=topic_arn,
            Subject=digest.subject,
            MessageStructure="json",
            Message=message(digest),
            MessageAttributes=attributes(digest),
        )
    except (ClientError, BotoCoreError) as error:
        raise PublishFailed(f"the topic {topic_arn} did not take the digest: {error}") from error
    return str(answer["MessageId"])


def attributes(digest: Digest) -> dict[str, dict[str, str]]:
    """The five attributes that subscribers filter by."""
    values = {
        "severity": digest.severity,
        "rule": "digest",
        "status": "open" if digest.told else "clean",
        "account": digest.account,
        "region": digest.region,
    }
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def message(digest: Digest) -> str:
    """The JSON message with one string for each protocol, shortened until it fits."""
    named = max(NAMED_FINDINGS, len(digest.told))
    while True:
        text = digest.text(min(named, NAMED_FINDINGS))
        machine = json.dumps(digest.machine(named), separators=(",", ":"), ensure_ascii=False)
        body = {
            "default": text,
            "email": text,
            "https": json.dumps(chat(digest), ensure_ascii=False),
            "sqs": machine,
            "lambda": machine,
        }
        encoded = json.dumps(body, ensure_ascii=False)
        if len(encoded.encode()) <= MESSAGE_BYTES or named == 0:
            return encoded
        named = named * 2 // 3


def chat(digest: Digest) -> dict[str, Any]:
    """The digest as a custom notification of Amazon Q Developer in chat applications (schema version 1.0)."""
    worst = [f"*[{one.severity.value}]* {one.title}: `{one.resource.name}`" for one in digest.told[:20]]
    more = len(digest.told) - len(worst)
    lines = [digest.health, *worst, *([f"and {more:,} more"] if more > 0 else [])]
    return {
        "version": "1.0",
        "source": "custom",
        "id": digest.report.audit_id,
        "content": {
            "textType": "client-markdown",
            "title": digest.subject[:CHAT_TITLE],
            "description": "\n".join(lines)[:CHAT_DESCRIPTION],
        },
        "metadata": {"threadId": digest.report.audit_id, "summary": digest.subject, "eventType": "digest"},
    }
