"""The demo: the embedded emulator with a lifelike account, the real audit over HTTP, and the notice as received."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from chalicelib.cli import show
from chalicelib.cli.outputs import save
from chalicelib.cli.progress import shown_progress
from chalicelib.cli.sessions import price_file
from chalicelib.errors import AuditorError
from chalicelib.notices.publisher import Audited
from chalicelib.service import Service
from chalicelib.settings import Settings

#: Prices that are made up, and say so.
SAMPLE_PRICES = Path(__file__).resolve().parents[2] / "emulator" / "prices.json"
ACCOUNT, REGION, TOPIC = "123456789012", "eu-west-1", "auditor-findings"


@contextmanager
def demo_account() -> Iterator[boto3.Session]:
    """The demo account on a free loopback port; the process talks to it and to nothing else meanwhile."""
    try:
        from emulator.account import build
        from emulator.server import Emulator
    except ImportError as error:
        raise AuditorError(
            f"the demo needs the development requirements, which `make setup` installs ({error})"
        ) from None
    before = dict(os.environ)
    with Emulator() as emulator:
        for name in [variable for variable in os.environ if variable.startswith(("AWS_", "AUDITOR_"))]:
            del os.environ[name]
        os.environ |= {
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_ACCESS_KEY_ID": "demo",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        try:
            build(ACCOUNT, REGION, now=datetime.now(UTC))
            yield boto3.Session(region_name=REGION)
        finally:
            os.environ.clear()
            os.environ.update(before)


def run_demo(output: Path, *, policy: str, progress_enabled: bool) -> None:
    """Audits the demo account, shows the table, writes the report, and shows the notice that a subscriber got."""
    with demo_account() as session:
        topic, queue = _subscribed(session)
        with shown_progress(enabled=progress_enabled) as progress:
            settings = Settings(topic_arn=topic, policy=policy)
            service = Service(settings, session, progress, priced_by=price_file(str(SAMPLE_PRICES)))
            scope = service.scope()
            report = service.audit(scope, "cli")
        show.write(report, to=None)
        save(output, report.model_dump_json(indent=2) + "\n")
        service.publisher.sweep([Audited(report, scope)], report)
        received = session.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"][0]
    print(f"\nThe JSON report is in {output}.")
    _show_notice(json.loads(received["Body"]))


def _subscribed(session: boto3.Session) -> tuple[str, str]:
    sns, sqs = session.client("sns"), session.client("sqs")
    topic: str = sns.create_topic(Name=TOPIC)["TopicArn"]
    queue: str = sqs.create_queue(QueueName="auditor-subscriber")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, queue


def _show_notice(envelope: dict[str, Any]) -> None:
    """The SNS message as its SQS subscriber received it: the envelope, and the start of the machine form in it."""
    attributes = {name: attribute["Value"] for name, attribute in envelope.get("MessageAttributes", {}).items()}
    body = json.loads(envelope["Message"])
    first = body["told"][0] if body["told"] else None
    print("\nThe notice as a subscriber of the topic received it:")
    print(f"  Subject     {envelope.get('Subject')}")
    print(f"  Attributes  {json.dumps(attributes)}")
    shown = {key: body[key] for key in ("kind", "audit_id", "severity", "by_severity", "health", "complete")}
    print(f"  Message     {json.dumps(shown)}")
    print(f"              with {len(body['told'])} findings told ({body['omitted']} more left out), the first:")
    if first is not None:
        print("\n".join(f"    {line}" for line in json.dumps(first, indent=2).splitlines()))
