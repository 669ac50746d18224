"""Many events at once: what telling adds to the time of their audits."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3

from benchmarks.account import ACCOUNT, REGION, Account, Sizes
from benchmarks.running import serving
from benchmarks.table import Table
from chalicelib.ledger.table import TABLE
from chalicelib.scope import ResourceRef, Scope
from chalicelib.service import Service
from chalicelib.settings import Settings

EVENTS, AT_ONCE = 150, 48


def events_of(account: Account) -> list[dict[str, Any]]:
    """An event for each endpoint."""
    return [
        {
            "id": f"burst-{number}",
            "account": ACCOUNT,
            "region": REGION,
            "source": "aws.sagemaker",
            "detail-type": "SageMaker Endpoint State Change",
            "detail": {"EndpointName": name, "EndpointStatus": "IN_SERVICE"},
        }
        for number, name in enumerate(account.names[:EVENTS])
    ]


def burst(account: Account, keep: Path | None) -> dict[str, Any]:
    """Seconds of the audits alone and of the events that audit and tell the same, with threads for functions; errors,
    and how often a change was told more than once."""
    service = Service(Settings.from_environment(), boto3.Session(region_name=REGION))
    events = events_of(account)
    scopes = [Scope(ACCOUNT, REGION, resources=(ResourceRef("endpoint", name),)) for name in account.names[:EVENTS]]
    counts: Counter[tuple[str, str]] = Counter()
    for name, deliver in service.publisher.channels.items():

        def counted(notice: Any, report: Any, deliver: Any = deliver) -> None:
            deliver(notice, report)
            counts.update((change.finding.id, change.change) for change in notice.told)

        service.publisher.channels[name] = counted  # type: ignore[index]
    service.audited(scopes[0], "event")  # the clients are made
    audits, _ = _side_by_side(lambda scope: service.audited(scope, "event"), scopes)
    whole, errors = _side_by_side(service.on_event, events)
    return {
        "audits": audits,
        "events": whole,
        "errors": errors,
        "told": len(counts),
        "twice": sum(1 for times in counts.values() if times > 1),
    }


def _side_by_side(work: Callable[[Any], object], subjects: Sequence[Any]) -> tuple[float, int]:
    """The seconds that all of them take, and how many end with an error."""
    start = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = [pool.submit(work, subject) for subject in subjects]
    return time.perf_counter() - start, sum(1 for end in ends if end.exception() is not None)


def rows(table: Table, folder: Path, latency: float) -> None:
    """Adds the figures of a burst; reads have the latency, the ledger and the topic are an emulator's."""
    from emulator.server import Emulator  # it would count as memory of whoever is measured

    account = Account(Sizes.of(EVENTS, 1, unhealthy=0.6), int(time.time()))
    with Emulator() as emulator, serving(account, folder, latency=latency) as running:
        emulator.client("dynamodb").create_table(TableName="auditor-bench", **TABLE)
        topic = emulator.client("sns").create_topic(Name="auditor-bench")["TopicArn"]
        environment = {
            "AWS_ENDPOINT_URL_DYNAMODB": emulator.url,
            "AWS_ENDPOINT_URL_SNS": emulator.url,
            "AUDITOR_TABLE": "auditor-bench",
            "AUDITOR_TOPIC_ARN": topic,
        }
        figures = running.run("burst", environment=environment)
    table.notes["a burst"] = json.loads(json.dumps(figures))
    table.row(f"seconds, audits of {EVENTS} endpoints, {AT_ONCE} at once", [figures["audits"]])
    ratio = figures["events"] / figures["audits"]
    table.row(f"{EVENTS} events that tell {figures['told']} changes ÷ their audits", [ratio], "< 2", ratio < 2)
    table.row("errors of the events", [figures["errors"]], "0", figures["errors"] == 0)
    table.row("changes told more than once", [figures["twice"]], "0", figures["twice"] == 0)
