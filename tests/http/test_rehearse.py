"""``POST /rehearse``: the inputs of the command, bounded, and the same answer."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client

import app as handlers
from emulator import seed
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.http.test_http import asked
from tests.service.test_audit import an_endpoint
from tests.service.test_rehearse import NAME, RESOURCE, scaled

#: Row 2 of the worked cases: ten minutes of 100 and thirty of 350.
SERIES = [100.0] * 10 + [350.0] * 30
POLICY = {"target": 100.0, "minimum": 1, "maximum": 10, "capacity": 200.0, "max_short": 0}


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


def rehearsed(client: Client, body: Any) -> tuple[int, Any]:
    """Status and answer."""
    return asked(client, "POST", "/rehearse", body)


def test_a_series_is_rehearsed_without_asking_aws(client: Client, front: Front) -> None:
    front.calls.clear()
    status, body = rehearsed(client, {"series": SERIES, **POLICY, "zones": 2})
    assert status == 200
    assert (body["minutes_short"], body["minutes_short_without_a_zone"], body["enough"]) == (8, 18, False)
    assert body["proposal"]["changed"] == ["target"]
    assert body["decisions"] == [{"minute": 12, "before": 1, "after": 4, "why": "alarm high"}]
    assert not [call for call in front.calls if not call.startswith("sts:")]


def test_a_series_may_have_gaps_and_a_beginning(client: Client) -> None:
    status, body = rehearsed(client, {"series": [100.0, None, *SERIES], "begin": "2026-03-02T08:00:00", **POLICY})
    assert status == 200
    assert body["window"] == {
        "begin": "2026-03-02T08:00:00+00:00",
        "minutes": 42,
        "gap_minutes": 1,
        "unsound_datapoints": 0,
    }
    assert body["worst_minute"]["at"] == "2026-03-02T08:12:00+00:00"


def test_an_endpoint_is_rehearsed_with_its_own_policy_and_traffic(client: Client, emulator: Emulator) -> None:
    scaled(emulator)
    status, body = rehearsed(client, {"endpoint": NAME, "days": 2, "traffic_multiplier": 2})
    assert status == 200, body
    assert body["name"] == "orders/AllTraffic"
    assert body["basis"]["setting"] == f"as Application Auto Scaling has it in {REGION}"
    assert any(note.startswith("the replay explains") for note in body["basis"]["notes"])


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "endpoint", "neither an endpoint nor a series"),
        ({"series": SERIES}, "target", "the policy is not known"),
        ({"series": SERIES, "target": 100.0, "maximum": 4}, "capacity", "accepted is a capacity"),
        ({"series": SERIES, **POLICY, "minimum": 20}, "minimum", "above the maximum"),
        ({"series": SERIES, **POLICY, "target": 0}, "target", "greater than or equal to 0.000001"),
        ({"series": [-1.0], **POLICY}, "series", "greater than or equal to 0"),
        ({"series": [1.0] * 20_161, **POLICY}, "series", "at most 20160"),
        ({"series": SERIES, **POLICY, "begin": 0}, "begin", "accepted is a time as 2026-03-02T08:00:00Z"),
        ({"series": SERIES, **POLICY, "begin": "soon"}, "begin", "accepted is a time as 2026-03-02T08:00:00Z"),
        ({"series": SERIES, **POLICY, "colour": "red"}, "colour", "unknown field 'colour'"),
        ({"endpoint": "missing"}, "endpoint", "there is no endpoint missing"),
        ({"endpoint": NAME, "days": 15}, "days", "less than or equal to 14"),
        ({"endpoint": NAME, "region": "nowhere"}, "region", "unknown region"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_accepted(
    client: Client, emulator: Emulator, body: dict[str, Any], field: str, words: str
) -> None:
    status, answer = rehearsed(client, body)
    assert status == 400
    assert field in (answer["error"]["field"] or "")
    assert words in answer["error"]["message"]


def test_what_cannot_be_rehearsed_says_why(client: Client, emulator: Emulator) -> None:
    an_endpoint(emulator, NAME)
    seed.scalable_target(ACCOUNT, REGION, RESOURCE)
    status, body = rehearsed(client, {"endpoint": NAME})
    assert status == 400
    assert body["error"]["code"] == "unrehearsable"
    assert body["error"]["message"] == "orders/AllTraffic cannot be rehearsed: no scaling policy"


def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.http.post("/rehearse", body=b"[", headers=headers)
    assert answer.status_code == 400
    assert json.loads(answer.body)["error"]["code"] == "bad_json"
