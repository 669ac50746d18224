"""An account of the emulator with a ledger and channels, and processes of the auditor that may come to harm in it.

Each invocation is a new process, which knows only what the table holds.
"""

import json
import logging
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3
import botocore.endpoint
from msgspec.structs import replace

from chalicelib.errors import AuditorError
from chalicelib.events import run_id
from chalicelib.ledger import table
from chalicelib.ledger.table import TABLE, Expression, ItemTable, utc_now
from chalicelib.notices.channels import Deliver
from chalicelib.notices.notice import Notice
from chalicelib.report.findings import Report
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests import once
from tests.chaos.answers import TableFault, faulty
from tests.direct import direct
from tests.service.test_audit import an_endpoint
from tests.unit.test_events import an_event

TABLE_NAME, NAME, SENDER = "auditor-ledger", "alone", "auditor@example.org"
BUS = "auditor-findings"
CHANGED = an_event("SageMaker Endpoint State Change", {"EndpointName": NAME, "EndpointStatus": "IN_SERVICE"})
OTHER_REGION = "us-east-1"
#: Lambda gives an event whose invocation died again after this time, and after twice as much; SQS a message.
RETRY, RECEIVED_MOST = timedelta(seconds=60), 3


class Death(BaseException):
    """The process ends; nothing catches it."""


@contextmanager
def emulated() -> Iterator[Emulator]:
    """An emulator for many worlds, one after another, without sockets; the environment points at it."""
    once.share()
    with (
        unlogged(),
        Emulator(Front()) as emulator,
        direct(emulator),
        mock.patch.dict(os.environ, emulator.environment()),
    ):
        yield emulator


@contextmanager
def unlogged() -> Iterator[None]:
    """What is logged of harm is no news here."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@dataclass(frozen=True, slots=True)
class Harm:
    """What happens to an invocation: the process dies before its call with the number ``dies_at``, or the table fails,
    at the call of one operation with the number ``at`` or (None) at all of them."""

    dies_at: int | None = None
    fault: TableFault | None = None
    operation: str = ""
    at: int | None = None


UNHARMED = Harm()


@dataclass
class World:
    """An account, and what its subscribers got: ``told`` by channel, finding and change, ``digests`` by channel and the
    id of their audit. The clock of the ledger moves when somebody waits. ``fleet``: a schedule begins a run of two
    regions, whose parts are messages of a queue."""

    emulator: Emulator
    channels: int
    fleet: bool = False
    late: timedelta = timedelta()
    deliveries: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    digests: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: The calls of the latest invocation, by operation of the table where they are of the table.
    calls: int = 0
    table_calls: Counter[str] = field(default_factory=Counter)
    #: How invocations without harm, or without an end of the auditor's own, came to an end.
    ended: list[str] = field(default_factory=list)
    failed: int = 0
    _harm: Harm = UNHARMED
    _messages: deque[dict[str, Any]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _call: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self.emulator.reset()
        self.emulator.client("dynamodb").create_table(TableName=TABLE_NAME, **TABLE)
        topic = self.emulator.client("sns").create_topic(Name="auditor-findings")["TopicArn"]
        settings: dict[str, Any] = {"topic_arn": topic, "table": TABLE_NAME}
        if self.channels > 1:
            settings |= {"security_hub": True, "email_from": SENDER, "email_to": SENDER, "bus": BUS}
            self.emulator.client("events").create_event_bus(Name=BUS)
            self.emulator.client("sesv2").create_email_identity(EmailIdentity=SENDER)
            self.emulator.client("securityhub").enable_security_hub()
        if self.fleet:
            self._sqs = self.emulator.client("sqs")
            self._queue = self._sqs.create_queue(QueueName="auditor-parts")["QueueUrl"]
            settings |= {"accounts": (ACCOUNT,), "regions": (REGION, OTHER_REGION), "queue_url": self._queue}
        self.settings = Settings(**settings)

    # ---- what happens in the account

    def endpoint(self) -> None:
        """An endpoint with findings, in service."""
        an_endpoint(self.emulator, NAME, count=1)

    def gone(self) -> None:
        """The endpoint is deleted."""
        self.emulator.client("sagemaker").delete_endpoint(EndpointName=NAME)

    # ---- processes

    def process(self) -> Service:
        """A new process of the auditor."""
        session = boto3.Session(region_name=REGION)
        session.events.register("before-call", self._before_call)
        service = Service(self.settings, session)
        http = service._dynamodb._endpoint.http_session
        service._dynamodb._endpoint.http_session = faulty(http, self._fault_now)
        ledger = service.ledger
        assert ledger is not None
        ledger.clock, ledger.sleep = self.now, self._sleep
        if self.fleet:
            service.fleet.runs.clock = self.now
        publisher = service.publisher
        recorded = {name: self._recorded(name, deliver) for name, deliver in publisher.channels.items()}
        service.__dict__["publisher"] = replace(publisher, channels=recorded)
        service.__dict__.pop("fleet", None)
        if self.fleet:
            service.fleet.runs.clock = self.now
        return service

    def run(self, trigger: "Trigger", harm: Harm = UNHARMED) -> bool:
        """One invocation in a new process, which comes to this harm. True when it came to its end, so that nobody gives
        its event again."""
        service = self.process()
        self.calls, self.table_calls, self._harm = 0, Counter(), harm
        try:
            with _unhurried():
                done = trigger(self, service)
        except Death:
            done = False
        except Exception as error:
            done = False
            if harm is UNHARMED or not isinstance(error, AuditorError):
                self.ended.append(f"{type(error).__name__}: {error}")
        finally:
            self._harm = UNHARMED
        self.failed += not done
        return done

    def now(self) -> datetime:
        """The clock of the ledger."""
        return utc_now() + self.late

    def _sleep(self, seconds: float) -> None:
        self.late += timedelta(seconds=seconds)

    def _before_call(self, model: Any, **_: Any) -> None:
        with self._lock:
            self.calls += 1
            self._call.operation, self._call.number = "", 0
            if model.service_model.service_name == "dynamodb":
                self.table_calls[model.name] += 1
                self._call.operation, self._call.number = model.name, self.table_calls[model.name]
            if self._harm.dies_at is not None and self.calls >= self._harm.dies_at:
                raise Death

    def _fault_now(self) -> TableFault | None:
        """What happens to the call of the table that is being made."""
        harm = self._harm
        hit = harm.operation == self._call.operation and harm.at in (None, self._call.number)
        return harm.fault if hit else None

    def _recorded(self, name: str, deliver: Deliver) -> Deliver:
        def delivered(notice: Notice, report: Report) -> None:
            deliver(notice, report)
            if notice.kind == "digest":
                self.digests[name, notice.audit_id] += 1
            for change in notice.told:
                self.deliveries[name, change.finding.id, change.change] += 1

        return delivered

    # ---- the queue of parts

    def messages(self) -> deque[dict[str, Any]]:
        """The parts that wait, as Lambda gets them."""
        while answer := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in answer:
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                self._messages.append({"messageId": message["MessageId"], "body": message["Body"], "received": 0})
        return self._messages

    def work(self, service: Service) -> bool:
        """A process gets the next part; one that it does not finish comes again, and the third time for the last."""
        waiting = self.messages()
        if not waiting:
            return True
        message = waiting.popleft()
        message["received"] += 1
        if message["received"] < RECEIVED_MOST:
            waiting.appendleft(message)
        attributes = {"ApproximateReceiveCount": str(message["received"])}
        record = {"messageId": message["messageId"], "body": message["body"], "attributes": attributes}
        failed = service.on_parts({"Records": [record]})["batchItemFailures"]
        if not failed and waiting and waiting[0] is message:
            waiting.popleft()
        return not failed

    # ---- what the ledger holds

    def debts(self) -> list[str]:
        """The findings that the ledger still owes to a channel, or of which it says that somebody is telling them."""
        return [item["sk"] for item in self.items() if "owed" in item or "claimed" in item]

    def items(self) -> list[Any]:
        """The findings of the ledger."""
        ledger = ItemTable(TABLE_NAME, self.emulator.client("dynamodb"))
        return list(ledger.query(Expression("pk = :pk", pk=f"{ACCOUNT}#{REGION}")))

    @property
    def channel_names(self) -> list[str]:
        """The channels that are switched on, in the order in which they are told."""
        return ["sns", "security-hub", "email", "bus"][: self.channels]


@contextmanager
def _unhurried() -> Iterator[None]:
    """Nobody waits before a call is made again."""
    clock = SimpleNamespace(sleep=lambda seconds: None)
    with mock.patch.object(botocore.endpoint, "time", clock), mock.patch.object(table, "CONFLICT_PAUSE", 0.0):
        yield


# ---- triggers: True when the event was worked to its end

Trigger = Callable[[World, Service], bool]


def on_event(world: World, service: Service) -> bool:
    """An event about the endpoint."""
    service.on_event(CHANGED)
    return True


def scheduled(day: int) -> dict[str, str]:
    """The event of the daily audit."""
    return {"id": f"schedule-{day}", "account": ACCOUNT, "region": REGION}


@cache
def on_schedule(day: int) -> Trigger:
    """The daily audit of a day."""

    def trigger(world: World, service: Service) -> bool:
        service.on_schedule(scheduled(day))
        return True

    return trigger


def on_request(world: World, service: Service) -> bool:
    """Somebody asks for an audit that is told."""
    from chalicelib.web import routes

    routes.post_audit(service, json.dumps({"notify": True}).encode())
    return True


def on_part(world: World, service: Service) -> bool:
    """The next part of a run."""
    return world.work(service)


def run_of(day: int) -> str:
    """The id of the audit of a day."""
    return str(run_id(scheduled(day)))
