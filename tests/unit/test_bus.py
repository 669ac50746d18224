"""Events on a bus: what they hold, how many go at once, and what becomes of those that are refused."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

import app as handlers
from chalicelib.notices.bus import (
    ENTRIES,
    FINDING_TYPES,
    OTHER_TYPES,
    REQUEST_BYTES,
    SOURCE,
    Bus,
    BusFailed,
    entries,
    requests,
    size,
)
from chalicelib.notices.decide import preview
from chalicelib.notices.notice import Change
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import BlindSpot
from samples.notices import NEW, RESOLVED, SAMPLES, WORSE, a_notice
from tests.unit.test_notices import a_finding, a_report
from tools.generate import bus_schema

SCHEMA = json.loads(bus_schema())


class Events:
    """EventBridge, which takes what ``refuses`` does not refuse; ``missing``: there is no such bus."""

    def __init__(self, refuses: Callable[[dict[str, Any], int], str] = lambda entry, call: "", error: str = "") -> None:
        self.taken: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self.looked_up = 0
        self._refuses, self._error = refuses, error

    def describe_event_bus(self, Name: str) -> dict[str, str]:
        self.looked_up += 1
        if self._error:
            raise ClientError({"Error": {"Code": self._error, "Message": "no"}}, "DescribeEventBus")
        return {"Name": Name}

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        results = []
        for entry in Entries:
            if code := self._refuses(entry, len(self.calls)):
                results.append({"ErrorCode": code, "ErrorMessage": "slow down"})
            else:
                self.taken.append(entry)
                results.append({"EventId": "e"})
        self.calls.append(len(Entries))
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}


def delivered(client: Events, notice: Any) -> list[float]:
    pauses: list[float] = []
    Bus("findings", client, pauses.append).deliver(notice, a_report())
    return pauses


def types(client: Events) -> list[str]:
    return [entry["DetailType"].removeprefix("SageMaker Auditor ") for entry in client.taken]


@pytest.mark.thorough
@pytest.mark.parametrize("name", SAMPLES)
def test_every_event_is_as_the_schema_says(name: str) -> None:
    for entry in entries(SAMPLES[name], "findings"):
        instance = {entry["DetailType"]: json.loads(entry["Detail"])}
        jsonschema.validate(instance, SCHEMA, jsonschema.Draft202012Validator)
        assert (entry["Source"], entry["EventBusName"]) == (SOURCE, "findings")
        assert size(entry) < 256_000


def test_each_change_has_its_type_and_a_digest_has_its_own() -> None:
    client = Events()
    delivered(client, a_notice(NEW, WORSE, RESOLVED))
    assert types(client) == ["Finding Opened", "Finding Updated", "Finding Resolved", "Digest"]
    client = Events()
    for name in ("digest-resource", "run", "health"):
        delivered(client, SAMPLES[name])
    assert types(client) == ["Finding Opened"] * 2 + ["Run Failed", "Finding Opened"]
    assert {*FINDING_TYPES.values(), *OTHER_TYPES.values()} == set(SCHEMA["properties"])


def test_the_bus_is_looked_up_once() -> None:
    client = Events()
    bus = Bus("findings", client)
    for _ in range(3):
        bus.deliver(a_notice(NEW), a_report())
    assert (client.looked_up, len(client.taken)) == (1, 3)


@pytest.mark.slow
def test_an_account_of_any_size_goes_in_requests_within_the_limits() -> None:
    spots = [
        BlindSpot(account="1", region="r", operation=f"s:D{each}", error="é" * 2000, effect=["rule-" * 20] * 200)
        for each in range(200)
    ]
    findings = [a_finding(each, why="Because. " * 600) for each in range(300)]
    report = a_report(*findings, blind_spots=spots, complete=False)
    (digest,) = preview(report, load_policy(), whole=True)
    made = list(requests(entries(digest, "findings")))
    assert all(len(request) <= ENTRIES and sum(map(size, request)) <= REQUEST_BYTES for request in made)
    assert [len(request) for request in made][:3] == [10, 10, 10]
    assert sum(map(len, made)) == len(findings) + 1


def refusing(code: str, times: int) -> Callable[[dict[str, Any], int], str]:
    """Refuses the second of three findings so many times."""
    return lambda entry, call: code if "endpoint-1/" in entry["Detail"] and call < times else ""


def three() -> Any:
    return a_notice(*(Change(change="new", finding=a_finding(each)) for each in range(3)), kind="digest", about="x")


def test_what_is_refused_for_the_moment_is_put_again_alone() -> None:
    client = Events(refusing("ThrottlingException", 2))
    pauses = delivered(client, three())
    assert client.calls == [3, 1, 1]
    assert len(client.taken) == 3
    assert pauses == sorted(pauses) and len(pauses) == 2


@pytest.mark.parametrize(("code", "calls"), [("ThrottlingException", 4), ("MalformedDetail", 1)])
def test_what_is_refused_for_good_is_told(code: str, calls: int) -> None:
    client = Events(refusing(code, 99))
    with pytest.raises(BusFailed, match=rf"the event bus findings did not take 1 of its events \({code}: slow down\)"):
        delivered(client, three())
    assert len(client.calls) == calls


def test_a_bus_that_does_not_exist_is_told_in_one_sentence_and_gets_nothing() -> None:
    client = Events(error="ResourceNotFoundException")
    with pytest.raises(BusFailed, match=r"^there is no event bus findings; AUDITOR_BUS names one"):
        delivered(client, SAMPLES["finding-new"])
    assert client.calls == []


def test_a_bus_that_may_not_be_looked_up_is_used() -> None:
    client = Events(error="AccessDeniedException")
    delivered(client, SAMPLES["finding-new"])
    assert types(client) == ["Finding Opened"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "X"), "needed is events:PutEvents"),
        (EndpointConnectionError(endpoint_url="https://user:secret@proxy"), "could not be asked: EndpointConnection"),
    ],
)
def test_a_call_that_fails_is_a_sentence(error: Exception, says: str) -> None:
    class Failing(Events):
        def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
            raise error

    with pytest.raises(BusFailed, match=says) as raised:
        delivered(Failing(), SAMPLES["finding-new"])
    assert "secret" not in str(raised.value)


def test_a_link_that_opens_without_signing_in_stays_out_of_events() -> None:
    notice = SAMPLES["digest-full"]
    assert all(json.loads(entry["Detail"])["report_url"] == notice.report_url for entry in entries(notice, "b"))
    signed = notice.model_copy(update={"report_note": "Whoever has this link reads the report."})
    assert all(json.loads(entry["Detail"])["report_url"] is None for entry in entries(signed, "b"))


def test_no_rule_of_the_auditor_listens_to_its_own_events() -> None:
    patterns = [getattr(handler, "event_pattern", None) for handler in handlers.app.event_sources]
    listened = {source for pattern in patterns if pattern for source in pattern["source"]}
    assert "aws.sagemaker" in listened
    assert SOURCE not in listened
