"""The routes with a service in memory: what they ask of it, and what they make of its answers."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.ledger.history import Past
from chalicelib.ledger.ledger import Page, Query
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Severity
from chalicelib.report.shown import Shown
from chalicelib.scope import Scope
from chalicelib.web import routes, runs
from chalicelib.web.requests import MAX_LIMIT, AuditBody
from tests.unit.test_notices import a_finding, a_report

OWN, OTHER = "123456789012", "222222222222"


class Ledger:
    """Answers every question with one page, and remembers what it was asked."""

    def __init__(self, cursor: str | None = None) -> None:
        self.page = Page([a_finding(1), a_finding(2)], cursor)
        self.asked: list[tuple[Query, int, str | None]] = []

    def listed(self, query: Query, limit: int, cursor: str | None) -> Page:
        self.asked.append((query, limit, cursor))
        return self.page

    def last_complete(self, account: str) -> str:
        return f"the last of {account}"


class Caller(SimpleNamespace):
    """The own account in one of two regions."""

    def known_region(self, region: str) -> str:
        if region not in ("eu-west-1", "us-east-1"):
            raise InvalidInput(f"unknown region {region!r}", field="region")
        return region


def a_service(*, ledger: Ledger | None = None, past: Past | None = None, **settings: Any) -> Any:
    configured = {"accounts": (), "table": "t", "queue_url": None, **settings}
    started: list[dict[str, Any]] = []

    def start(trigger: str, **asked: Any) -> Any:
        started.append({"trigger": trigger, **asked})
        return SimpleNamespace(id="a-9", state="queued", parts=4)

    return SimpleNamespace(
        policy=load_policy(),
        caller=Caller(identity=SimpleNamespace(account=OWN), region="eu-west-1"),
        ledger=ledger,
        savings=None,
        history=SimpleNamespace(of=lambda account: past) if past is not None else None,
        settings=SimpleNamespace(**configured),
        fleet=SimpleNamespace(start=start),
        started=started,
    )


# ---- the page of the ledger


def shown_page(
    monkeypatch: pytest.MonkeyPatch, query: dict[str, str], *, cursor: str | None = None, past: Past | None = None
) -> tuple[Any, dict[str, Any], Ledger]:
    """The report of which the page is made, what else it shows, and the ledger."""
    made: list[tuple[Any, dict[str, Any]]] = []

    def page(report: Any, **more: Any) -> str:
        made.append((report, more))
        return "<html>"

    monkeypatch.setattr(routes, "page", page)
    ledger = Ledger(cursor)
    answer = routes.get_audit(a_service(ledger=ledger, past=past), query, "text/html")
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, "<html>", "text/html; charset=utf-8")
    ((report, more),) = made
    return report, more, ledger


SWEPT = Past(
    (a_report(regions=["eu-west-1"]), a_report(regions=["us-east-1"])),
    {"a-rule": Counter({Severity.HIGH: 3})},
    exempt=2,
)


def test_before_the_first_sweep_the_page_is_an_empty_frame_of_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    report, more, ledger = shown_page(monkeypatch, {"account": OTHER}, past=Past())
    assert (report.accounts, report.regions, report.scope.accounts) == ([OTHER], ["eu-west-1"], [OTHER])
    assert (report.audit_id, report.trigger, report.policy) == ("none", "http", load_policy().used)
    assert report.findings == ledger.page.findings
    assert more == {"trend": (), "counted": None, "exempt": None, "more": None, "realized": None}


def test_the_page_shows_what_the_ledger_holds_with_the_counts_of_the_last_sweeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report, more, ledger = shown_page(monkeypatch, {}, past=SWEPT)
    assert (report.regions, report.findings, report.shown) == (["eu-west-1", "us-east-1"], ledger.page.findings, None)
    assert (more["counted"], more["exempt"], more["more"]) == (None, 2, None)


@pytest.mark.parametrize(
    ("query", "next_query", "counted"),
    [
        ({}, f"limit={MAX_LIMIT}", True),
        ({"limit": "7"}, f"limit={MAX_LIMIT}", True),
        ({"account": OTHER}, f"limit={MAX_LIMIT}&account={OTHER}", True),
        ({"severity": "high"}, f"limit={MAX_LIMIT}&severity=high", False),
        ({"account": OTHER, "region": "us-east-1"}, f"limit={MAX_LIMIT}&account={OTHER}&region=us-east-1", False),
        ({"cursor": "c-0"}, f"limit={MAX_LIMIT}", False),
    ],
)
def test_the_first_page_of_everything_has_the_counts_of_all(
    monkeypatch: pytest.MonkeyPatch, query: dict[str, str], next_query: str, counted: bool
) -> None:
    _, more, _ = shown_page(monkeypatch, query, cursor="c-1", past=SWEPT)
    assert (more["more"].query, more["more"].cursor) == (next_query, "c-1")
    assert more["counted"] == (SWEPT.counted if counted else None)


# ---- what the ledger is asked


def test_a_query_is_handed_on_and_what_it_leaves_out_is_said() -> None:
    ledger = Ledger("c-2")
    query = {
        "account": OTHER,
        "region": "us-east-1",
        "severity": "high",
        "rule": "endpoint-idle",
        "topic": "cost",
        "status": "resolved",
        "resource": "churn",
        "limit": "7",
        "cursor": "c-1",
    }
    topics = {setting.rule.topic for setting in load_policy().rules.values()}
    query["topic"] = min(topics)
    answer = routes.get_audit(a_service(ledger=ledger), query)
    ((asked, limit, cursor),) = ledger.asked
    assert (limit, cursor) == (7, "c-1")
    assert (asked.account, asked.region, asked.severity) == (OTHER, "us-east-1", Severity.HIGH)
    assert (asked.rule, asked.topic, asked.status, asked.resource) == (
        "endpoint-idle",
        query["topic"],
        "resolved",
        "churn",
    )
    assert asked.rules == set(load_policy().enabled()) | {"endpoint-idle"}
    body = answer.body
    assert (body["account"], body["last_audit"], body["cursor"]) == (OTHER, f"the last of {OTHER}", "c-2")
    assert Shown.model_validate(body["shown"]) == Shown(
        severity=Severity.HIGH,
        status="resolved",
        topic=query["topic"],
        region="us-east-1",
        rules=["endpoint-idle"],
        resources=["churn"],
        findings=2,
        left_out=None,
    )


def test_without_a_query_all_that_is_open_in_the_own_account_is_asked_for() -> None:
    ledger = Ledger()
    body = routes.get_audit(a_service(ledger=ledger), None).body
    ((asked, limit, cursor),) = ledger.asked
    assert (asked.account, asked.region, asked.severity, asked.status) == (OWN, None, Severity.INFO, "open")
    assert (asked.rules, limit, cursor) == (frozenset(load_policy().enabled()), MAX_LIMIT, None)
    assert (body["account"], body["shown"], len(body["findings"])) == (OWN, None, 2)


def test_a_rule_that_the_policy_switches_off_is_listed_by_its_name() -> None:
    off = min(set(load_policy().rules) - set(load_policy().enabled()))
    ledger = Ledger()
    routes.get_audit(a_service(ledger=ledger), {"rule": off})
    assert ledger.asked[0][0].rules == set(load_policy().enabled()) | {off}


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ({"rule": "endpoint-idel"}, "rule", "did you mean 'endpoint-idle'"),
        ({"topic": "weather"}, "topic", "unknown topic 'weather'; accepted are "),
        ({"region": "nowhere-1"}, "region", "unknown region"),
    ],
)
def test_a_query_for_what_does_not_exist_names_its_field(query: dict[str, str], field: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as error:
        routes.get_audit(a_service(ledger=Ledger()), query)
    assert error.value.field == field


@pytest.mark.parametrize("cursor", [None, "c-1"])
def test_the_next_page_of_a_table_is_named_in_a_header(cursor: str | None) -> None:
    answer = routes.get_audit(a_service(ledger=Ledger(cursor)), None, "text/csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers.get("X-Next-Cursor") == cursor
    assert len(answer.body.splitlines()) == 3


# ---- an audit now


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("text/html", "text/html; charset=utf-8"), ("text/csv", "text/csv; charset=utf-8"), ("", "application/json")],
)
def test_without_a_ledger_an_audit_is_answered_in_the_form_that_is_preferred(accept: str, kind: str) -> None:
    service = a_service()
    service.scope = lambda region, rules: Scope(OWN, region or "eu-west-1", rules=frozenset(rules))
    service.audit = lambda scope, trigger, witness: a_report(a_finding(1), trigger=trigger)
    answer = routes.get_audit(service, None, accept)
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    assert a_finding(1).resource.name in (answer.body if isinstance(answer.body, str) else str(answer.body["findings"]))


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        (
            b'{"resources": ["a"], "regions": ["eu-west-1", "us-east-1"]}',
            "regions",
            "^resources are named in one region",
        ),
        (b'{"resources": ["a"], "regions": ["nowhere-1"]}', "region", "unknown region"),
        (b'{"accounts": ["222222222222"]}', "accounts", "only the auditor's own account"),
        (b'{"resources": [' + b'"a", ' * 20 + b'"a"]}', "resources", "^21 resources; accepted are up to 20"),
        (b'{"resources": ["arn:aws:sagemaker:us-east-1:123456789012:endpoint/a"]}', "resources.0", "us-east-1"),
    ],
)
def test_an_audit_of_what_cannot_be_named_together_is_refused(body: bytes, field: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as error:
        routes.post_audit(a_service(), body)
    assert error.value.field == field


# ---- a run, health, rules


@pytest.mark.parametrize(
    ("body", "accounts", "regions"),
    [
        ({}, [OWN], []),
        ({"accounts": [OTHER, OTHER]}, [OTHER], []),
        (
            {"accounts": [OTHER, OWN], "regions": ["us-east-1", "us-east-1", "eu-west-1"]},
            [OTHER, OWN],
            ["us-east-1", "eu-west-1"],
        ),
    ],
)
def test_a_run_over_http_is_begun_with_what_the_body_names_once(
    body: dict[str, Any], accounts: list[str], regions: list[str]
) -> None:
    service = a_service(accounts=(OTHER,))
    answer = runs.queued(service, AuditBody(**body, rules=["endpoint-idle"], notify=True))
    (started,) = service.started
    assert (started["trigger"], started["accounts"], started["regions"]) == ("http", accounts, regions)
    assert (started["rules"], started["notify"]) == (["endpoint-idle"], True)
    assert (answer.status, answer.body) == (202, {"audit_id": "a-9", "state": "queued", "parts": 4})
    assert answer.headers == {"Content-Type": "application/json", "Location": "/audit/runs/a-9"}


@pytest.mark.parametrize(
    ("settings", "body", "field", "says"),
    [
        ({}, {"rules": ["endpoint-idel"]}, "rules", "did you mean 'endpoint-idle'"),
        ({}, {"regions": ["nowhere-1"]}, "region", "unknown region"),
        ({}, {"accounts": [OTHER]}, "accounts", f"^'{OTHER}' is not audited from here"),
        (
            {"accounts": (OTHER,)},
            {"accounts": [OTHER, "3" * 12]},
            "accounts",
            "^'333333333333' is not audited from here",
        ),
        (
            {"accounts": ("organization",)},
            {"accounts": ["12"]},
            "accounts",
            "^'12' is no account; accepted are ids of 12",
        ),
        ({"accounts": ("organization",)}, {"accounts": [OTHER, "x" * 12]}, "accounts", "^'x+' is no account"),
    ],
)
def test_a_run_over_http_of_what_is_not_audited_is_refused(
    settings: dict[str, Any], body: dict[str, Any], field: str, says: str
) -> None:
    service = a_service(**settings)
    with pytest.raises(InvalidInput, match=says) as error:
        runs.queued(service, AuditBody(**body))
    assert (error.value.field, service.started) == (field, [])


def test_health_tells_the_version_the_policy_and_the_last_audit() -> None:
    policy = load_policy().digest
    assert routes.health(a_service(ledger=Ledger())).body["last_audit"] == f"the last of {OWN}"
    answer = routes.health(a_service())
    assert (answer.status, answer.body["policy"], answer.body["last_audit"]) == (200, policy, None)


@pytest.mark.thorough
def test_a_rule_is_answered_and_one_that_is_not_there_is_404() -> None:
    answer = routes.get_rule(a_service(), "endpoint-idle")
    assert (answer.status, answer.body["id"], answer.body["custom"]) == (200, "endpoint-idle", False)
    everything = routes.get_rules(a_service())
    assert (everything.status, len(everything.body["rules"])) == (200, len(load_policy().rules))
    assert answer.body in everything.body["rules"]
    missing = routes.get_rule(a_service(), "endpoint-idel")
    assert (missing.status, missing.body["error"]["code"], missing.body["error"]["field"]) == (404, "not_found", "id")
    assert "did you mean 'endpoint-idle'" in missing.body["error"]["message"]
