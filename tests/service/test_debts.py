"""What an event still owes a channel is found by the ids of what was known when its audit began, asked for once."""

from typing import Any

import boto3
import pytest

from chalicelib.ledger.table import TABLE
from chalicelib.notices.publisher import NotDelivered
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator.front import Front
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_audit import an_endpoint
from tests.service.test_events import endpoint_event
from tests.service.test_triggers import Subscriber

pytestmark = pytest.mark.usefixtures("direct_calls")


@pytest.fixture
def subscriber(emulator: Emulator) -> Subscriber:
    return Subscriber(emulator)


@pytest.fixture
def service(emulator: Emulator, subscriber: Subscriber) -> Service:
    emulator.client("dynamodb").create_table(TableName="ledger", **TABLE)
    an_endpoint(emulator, "churn", count=1)
    return Service(Settings(table="ledger", topic_arn=subscriber.topic), boto3.Session(region_name=REGION))


def subjects(subscriber: Subscriber) -> list[str]:
    return [notice["Subject"] for notice in subscriber.received()]


def asked(front: Front) -> list[dict[str, Any]]:
    return [call.params for call in front.history if call.name == "dynamodb:Query"]


def test_that_an_endpoint_is_gone_is_told_by_the_attempt_that_reaches_the_channel(
    service: Service, emulator: Emulator, subscriber: Subscriber, front: Front
) -> None:
    event = endpoint_event("churn")
    service.on_event(event)
    number = len(subjects(subscriber))
    emulator.client("sagemaker").delete_endpoint(EndpointName="churn")
    front.deny("sns:Publish")
    with pytest.raises(NotDelivered):
        service.on_event(event)
    front.clear()
    service.on_event(event)  # by now the finding is resolved, and the endpoint is no more
    assert len(subjects(subscriber)) == number > 0
    service.on_event(event)
    assert subjects(subscriber) == []


def test_an_event_asks_the_index_of_resources_once(service: Service, front: Front) -> None:
    for _ in range(2):
        front.history.clear()
        service.on_event(endpoint_event("churn"))
        assert len([query for query in asked(front) if query.get("IndexName") == "by-resource"]) == 1
        assert len(asked(front)) == 3
