"""The HTTP face over a ledger: whose findings, which of them, page by page, and runs by their id."""

import csv
import io
import json
from typing import Any

import boto3
import pytest

from chalicelib.errors import InvalidInput
from chalicelib.ledger.table import TABLE
from chalicelib.report.findings import Finding, Severity
from chalicelib.report.known import Known
from chalicelib.service import Service
from chalicelib.settings import Settings
from chalicelib.web import routes, runs
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_audit import an_endpoint
from tests.unit.test_notices import NOW, a_finding

pytestmark = pytest.mark.usefixtures("direct_calls")

OTHER = "222222222222"
NONE = "variant-no-autoscaling"


@pytest.fixture
def service(emulator: Emulator) -> Service:
    emulator.client("dynamodb").create_table(TableName="ledger", **TABLE)
    return Service(Settings(table="ledger"), boto3.Session(region_name=REGION))


def kept(service: Service, *findings: Finding) -> None:
    """The ledger holds these."""
    assert service.ledger is not None
    service.ledger.write([Known(finding) for finding in findings])


def listed(service: Service, accept: str = "", **query: str) -> Any:
    """The body of ``GET /audit``."""
    answer = routes.get_audit(service, query, accept)
    assert answer.status == 200
    return answer.body


def ids(body: Any) -> list[str]:
    return [finding["id"] for finding in body["findings"]]


# ---- whose findings, and which of them


def test_the_findings_are_those_of_the_account_asked_for(service: Service) -> None:
    kept(service, a_finding(1), a_finding(2, account=OTHER))
    own, other = listed(service), listed(service, account=OTHER)
    assert (own["account"], ids(own)) == (ACCOUNT, [a_finding(1).id])
    assert (other["account"], ids(other)) == (OTHER, [a_finding(2).id])
    assert listed(service, account="333333333333")["findings"] == []


def test_findings_of_a_rule_that_is_switched_off_are_listed_only_by_its_name(service: Service) -> None:
    off = next(id for id, setting in service.policy.rules.items() if not setting.enabled)
    kept(service, a_finding(1), a_finding(2, rule=off))
    assert ids(listed(service)) == [a_finding(1).id]
    assert ids(listed(service, rule=off)) == [a_finding(2).id]


def test_every_filter_narrows_and_is_said(service: Service) -> None:
    mild = a_finding(2, rule=NONE, severity=Severity.MEDIUM, topic="autoscaling", region="us-east-1")
    kept(service, a_finding(1), mild, a_finding(3, status="exempt"), a_finding(4, status="resolved", resolved_at=NOW))
    first, second = a_finding(1).id, mild.id
    assert ids(listed(service)) == [first, second]
    assert listed(service)["shown"] is None
    expected: dict[str, tuple[str, list[str], Any]] = {
        "severity": ("high", [first], "high"),
        "rule": (NONE, [second], None),
        "topic": ("autoscaling", [second], "autoscaling"),
        "region": ("us-east-1", [second], "us-east-1"),
        "resource": (mild.resource.name, [second], None),
        "status": ("exempt", [a_finding(3).id], "exempt"),
    }
    for name, (value, expected_ids, shown) in expected.items():
        body = listed(service, **{name: value})
        assert ids(body) == expected_ids, name
        assert body["shown"]["findings"] == len(expected_ids), name
        assert body["shown"]["left_out"] is None
        if shown is not None:
            assert body["shown"][name] == shown
    assert listed(service, rule=NONE)["shown"]["rules"] == [NONE]
    assert listed(service, resource="arn:2")["shown"]["resources"] == ["arn:2"]
    assert ids(listed(service, status="resolved")) == [a_finding(4).id]


@pytest.mark.parametrize(
    ("query", "name", "says"),
    [
        ({"rule": "endpoint-singel-instance"}, "rule", "did you mean 'endpoint-single-instance'"),
        ({"topic": "nothing"}, "topic", "accepted are "),
        ({"region": "eu-west-9"}, "region", "unknown region 'eu-west-9'"),
        ({"account": "1"}, "account", "query parameter account"),
        ({"limit": "0"}, "limit", "query parameter limit"),
        ({"limit": "501"}, "limit", "query parameter limit"),
        ({"cursor": "nonsense"}, "cursor", "accepted is the cursor of the page before"),
    ],
)
def test_a_query_that_means_nothing_names_its_field(
    service: Service, query: dict[str, str], name: str, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says) as refused:
        routes.get_audit(service, query)
    assert refused.value.field == name


def test_pages_follow_each_other_and_the_last_has_no_cursor(service: Service) -> None:
    kept(service, *(a_finding(number) for number in range(5)))
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    sizes = []
    while True:
        body = listed(service, **query)
        seen += ids(body)
        sizes.append(len(body["findings"]))
        if body["cursor"] is None:
            break
        query["cursor"] = body["cursor"]
    assert sizes == [2, 2, 1]
    assert sorted(seen) == sorted(a_finding(number).id for number in range(5))


def test_the_time_of_the_last_complete_audit_is_told(service: Service) -> None:
    assert service.ledger is not None
    assert listed(service)["last_audit"] is None
    assert routes.health(service).body["last_audit"] is None
    service.ledger.completed(ACCOUNT, NOW)
    moment = service.ledger.last_complete(ACCOUNT)
    assert moment is not None
    assert listed(service)["last_audit"] == moment == routes.health(service).body["last_audit"]
    assert listed(service, account=OTHER)["last_audit"] is None


# ---- other forms


def test_csv_holds_the_same_and_names_the_next_page_in_a_header(service: Service) -> None:
    kept(service, *(a_finding(number) for number in range(3)))
    answer = routes.get_audit(service, {"limit": "2"}, "text/csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.body.removeprefix("\ufeff"))))
    assert [row["id"] for row in rows] == ids(listed(service, limit="2"))
    last = routes.get_audit(service, {"cursor": answer.headers["X-Next-Cursor"]}, "text/csv")
    assert "X-Next-Cursor" not in last.headers


def test_the_page_asks_nothing_of_others_and_is_not_stored(service: Service) -> None:
    kept(service, a_finding(1))
    answer = routes.get_audit(service, None, "text/html")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert a_finding(1).resource.name in answer.body


def test_the_page_names_the_next_page_with_the_same_filters(service: Service) -> None:
    kept(service, *(a_finding(number) for number in range(3)))
    page = routes.get_audit(service, {"limit": "2", "severity": "high"}, "text/html").body
    cursor = listed(service, limit="2", severity="high")["cursor"]
    assert cursor in page
    assert "severity=high" in page
    assert "limit=500" in page


# ---- runs


def test_a_run_by_an_id_that_none_can_have_is_not_looked_for(service: Service, front: Front) -> None:
    front.calls.clear()
    for id in ("a" * 65, "a_b", "run#1", "", "a/b", "é"):
        answer = runs.get_run(service, id)
        assert (answer.status, answer.body["error"]["code"]) == (404, "not_found"), id
        assert answer.body["error"]["field"] == "audit_id"
    assert "dynamodb:GetItem" not in front.calls
    assert runs.get_run(service, "a" * 64).status == 404
    assert front.calls["dynamodb:GetItem"] == 1


def test_without_a_table_there_are_no_runs(service: Service, front: Front) -> None:
    bare = Service(Settings(), boto3.Session(region_name=REGION))
    assert runs.get_run(bare, "a-1").status == 404


def test_a_queue_without_a_table_begins_no_run(emulator: Emulator, front: Front) -> None:
    queue = emulator.client("sqs").create_queue(QueueName="parts")["QueueUrl"]
    bare = Service(Settings(queue_url=queue), boto3.Session(region_name=REGION))
    answer = routes.post_audit(bare, b"")
    assert answer.status == 200
    assert answer.body["trigger"] == "http"
    assert "sqs:SendMessageBatch" not in front.calls


def test_named_resources_are_audited_at_once_where_there_is_a_queue(emulator: Emulator, service: Service) -> None:
    queue = emulator.client("sqs").create_queue(QueueName="parts")["QueueUrl"]
    with_queue = Service(Settings(table="ledger", queue_url=queue), service.session)
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/nowhere"
    answer = routes.guarded(lambda: routes.post_audit(with_queue, json.dumps({"resources": [arn]}).encode()))
    assert (answer.status, answer.body["error"]["field"]) == (404, "resources.0")


def test_what_is_told_over_http_is_remembered(service: Service, emulator: Emulator) -> None:
    an_endpoint(emulator, "alone", count=1)
    answer = routes.post_audit(service, b'{"notify": true}')
    assert answer.status == 200
    assert set(ids(listed(service))) == {finding["id"] for finding in answer.body["findings"]}


def test_what_is_not_told_is_not_remembered(service: Service, emulator: Emulator) -> None:
    an_endpoint(emulator, "alone", count=1)
    assert routes.post_audit(service, b"{}").body["findings"]
    assert listed(service)["findings"] == []
