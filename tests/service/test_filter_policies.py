"""Which messages a subscription gets: the filter policies of docs/notices.md, each on a queue of its own."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.notices import sns
from chalicelib.notices.notice import Change, Notice
from chalicelib.report.findings import Severity
from emulator.server import Emulator
from samples.notices import ACCOUNT, DEGRADED, NEW, REGION, REMINDER, RESOLVED, a_finding, a_notice, a_resource

PAGE = Path(__file__).parents[2] / "docs" / "notices.md"
SECTION = PAGE.read_text().partition("## Which messages a subscription gets")[2].partition("\n## ")[0]
DOCUMENTED = [json.loads(block) for block in re.findall(r"```json\n(.+?)```", SECTION, re.DOTALL)]


def many(number: int) -> list[Change]:
    """So many new findings that a digest of them takes several messages."""
    return [
        Change(change="new", finding=a_finding(a_resource(name=f"e{index}/v"), severity=Severity.MEDIUM))
        for index in range(number)
    ]


NOTICES: dict[str, Notice] = {
    "new high": a_notice(NEW),
    "new critical degraded": a_notice(Change(change="new", finding=DEGRADED)),
    "still open high": a_notice(REMINDER),
    "resolved": a_notice(RESOLVED),
    "clean": a_notice(),
    "incomplete": a_notice(complete=False),
    "nothing new, critical open": a_notice(still_open={"critical": 1}, severity=Severity.CRITICAL),
    "medium in seven regions": a_notice(
        *many(2), region="eu-west-1,eu-west-2,eu-west-3,eu-central-1,eu-north-1,us-east-1,us-west-2"
    ),
    "medium elsewhere": a_notice(*many(2), region="ap-northeast-1"),
    "large": a_notice(*many(250)),
}
PARTS = len(sns.messages(NOTICES["large"]))
EVERYTHING = {name: 1 for name in NOTICES} | {"large": PARTS}


def without(*names: str) -> dict[str, int]:
    return {name: number for name, number in EVERYTHING.items() if name not in names}


#: The policies of the page and how many messages of each notice pass.
PASSING: list[tuple[dict[str, Any], dict[str, int]]] = [
    ({"part": ["1"]}, dict.fromkeys(NOTICES, 1)),
    (
        {"new_severity": ["critical", "high"], "part": ["1"]},
        {"new high": 1, "new critical degraded": 1},
    ),
    (
        {"region": ["eu-west-1", "eu-central-1"], "status": ["open"], "part": ["1"]},
        dict.fromkeys(
            (
                "new high",
                "new critical degraded",
                "still open high",
                "nothing new, critical open",
                "medium in seven regions",
                "large",
            ),
            1,
        ),
    ),
    ({"rule": ["endpoint-degraded", "digest"]}, without("new high", "still open high", "resolved")),
    ({"status": [{"anything-but": ["clean"]}]}, without("clean")),
]


def test_every_policy_of_the_page_is_tried() -> None:
    assert [policy for policy, _ in PASSING] == DOCUMENTED
    assert PARTS > 2


@pytest.mark.parametrize(("policy", "passing"), PASSING, ids=lambda value: json.dumps(value)[:60])
def test_a_documented_filter_policy_lets_through_what_the_page_says(
    policy: dict[str, Any], passing: dict[str, int], emulator: Emulator
) -> None:
    topics, queues = emulator.client("sns"), emulator.client("sqs")
    topic = topics.create_topic(Name="auditor-findings")["TopicArn"]
    queue = queues.create_queue(QueueName="filtered")["QueueUrl"]
    topics.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:filtered",
        Attributes={"FilterPolicy": json.dumps(policy)},
    )
    received: dict[str, int] = {}
    for name, notice in NOTICES.items():
        sns.publish(notice, topic, topics, sleep=lambda seconds: None)
        while messages := queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            received[name] = received.get(name, 0) + len(messages)
            for message in messages:
                queues.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert received == passing


def test_all_that_a_large_digest_tells_arrives_at_a_queue(emulator: Emulator) -> None:
    topics, queues = emulator.client("sns"), emulator.client("sqs")
    topic = topics.create_topic(Name="auditor-findings")["TopicArn"]
    queue = queues.create_queue(QueueName="all")["QueueUrl"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:all")
    notice = NOTICES["large"]
    sns.publish(notice, topic, topics, sleep=lambda seconds: None)
    ids: list[str] = []
    while messages := queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            part = Notice.model_validate_json(json.loads(message["Body"])["Message"])
            ids += [change.finding.id for change in part.told]
            queues.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert sorted(ids) == sorted(change.finding.id for change in notice.told)
