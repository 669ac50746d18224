"""The demo account in money: on, off and under bad prices."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import boto3
import pytest

from chalicelib.cli import run
from chalicelib.cli.sessions import price_file
from chalicelib.money.prices import Component
from chalicelib.notices.decide import preview
from chalicelib.report.findings import Report
from chalicelib.report.formats.comma_separated import comma_separated
from chalicelib.report.formats.page import page
from chalicelib.scope import parse_resource
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator.account import build
from emulator.front import Front
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from samples.price_records import a_record
from tests.direct import direct
from tests.price_list import PriceListServer, serving

pytestmark = pytest.mark.slow


PRICES = Path(__file__).resolve().parents[2] / "emulator" / "prices.json"
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    """The demo account, built once: nothing here changes it."""
    front = Front()
    with Emulator(front) as emulator, direct(emulator), pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        build(now=datetime.now(UTC))
        yield front


def service(*, prices: bool = False, file: Path | None = None) -> Service:
    priced_by = price_file(str(file)) if file is not None else None
    return Service(Settings(policy="strict", prices=prices), boto3.Session(region_name=REGION), priced_by=priced_by)


def audited(made: Service) -> Report:
    return made.audit(made.scope(), "cli")


@pytest.fixture(scope="module")
def priced_report(front: Front) -> Report:
    """The demo account by its price file."""
    return audited(service(file=PRICES))


@pytest.fixture(scope="module")
def silent(front: Front) -> Report:
    """The demo account without prices."""
    return audited(service())


@pytest.fixture
def server(front: Front, monkeypatch: pytest.MonkeyPatch) -> Iterator[PriceListServer]:
    with serving(
        PriceListServer([a_record(component=component.value, region=REGION) for component in Component])
    ) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", made.url)
        yield made


def judged(report: Report) -> list[tuple[str, str, str, bool]]:
    """What an audit says beside money, but for the seconds that went by."""
    return [
        (finding.id, finding.severity.value, finding.confidence.value, finding.saving is None and not finding.cost_usd)
        for finding in report.findings
    ]


# ---- off


def test_off_there_is_not_one_call_and_not_one_word_more(
    front: Front, server: PriceListServer, silent: Report, priced_report: Report
) -> None:
    front.clear()
    report = audited(service())
    assert server.asked == []
    assert not [call for call in front.history if call.service in ("pricing", "cost-optimization-hub")]
    assert report.api_calls == silent.api_calls == priced_report.api_calls
    text = report.model_dump_json()
    assert '"money"' not in text
    assert "cost_usd" not in text
    assert all(finding.saving is None for finding in report.findings)


def test_on_there_are_calls_for_prices_alone_and_the_judgement_is_the_same(
    server: PriceListServer, silent: Report
) -> None:
    report = audited(service(prices=True))
    assert {
        name: report.api_calls[name] for name in report.api_calls.keys() - {"pricing:GetProducts"}
    } == silent.api_calls
    assert report.api_calls["pricing:GetProducts"] == len(server.asked) > 0
    # What costs stands in the order of what it saves.
    assert sorted(entry[:3] for entry in judged(report)) == sorted(entry[:3] for entry in judged(silent))
    assert report.money is not None
    assert report.money.totals.saving_usd > 0


def test_the_next_audit_of_the_week_asks_nothing(server: PriceListServer) -> None:
    made = service(prices=True)
    audited(made)
    server.asked.clear()
    assert "pricing:GetProducts" not in audited(made).api_calls
    assert server.asked == []


def test_an_event_tells_money_with_few_calls(server: PriceListServer) -> None:
    made = service(prices=True)
    endpoint = f"arn:aws:sagemaker:{REGION}:{made.caller.account}:endpoint/returns-forecast"
    resource = parse_resource(endpoint, account=made.caller.account, region=REGION)
    report = made.audit(made.scope(resources=[resource]), "event")
    assert report.money is not None
    assert report.money.spot == []
    assert [finding.saving for finding in report.findings if finding.rule == "endpoint-idle"] != [None]
    assert len(server.asked) <= 2


# ---- on


def test_the_demo_account_in_money(priced_report: Report) -> None:
    assert priced_report.money is not None
    totals = priced_report.money.totals
    saving = {finding.rule: finding for finding in priced_report.findings if finding.saving}
    assert {"endpoint-idle", "endpoint-gpu-underutilized", "endpoint-cpu-oversized", "endpoint-mostly-unused"} <= set(
        saving
    )
    assert {"training-spot-not-used", "training-warm-pool-unused", "training-stuck", "notebook-never-stops"} <= set(
        saving
    )
    assert {"studio-app-idle", "instance-previous-generation"} <= set(saving)
    idle = next(
        finding
        for finding in priced_report.findings
        if finding.rule == "endpoint-idle" and finding.resource.name.startswith("returns")
    )
    assert idle.saving is not None
    assert idle.saving.monthly_usd == 335.80
    assert idle.evidence["money"]["monthly_cost_usd"] == 335.80
    assert totals.places < sum(1 for finding in priced_report.findings if finding.saving)
    assert priced_report.money.sample
    assert priced_report.money.sources == ["price file prices.json, 2026-11-20"]
    assert {month.instance_type for month in priced_report.money.spot} > {"ml.g5.48xlarge"}
    assert sum(month.interruptions for month in priced_report.money.spot) == 4


def test_the_column_that_adds_up_is_the_total(priced_report: Report) -> None:
    assert priced_report.money is not None
    rows = list(csv.DictReader(StringIO(comma_separated(priced_report.findings))))
    column = sum(float(row["saving_counted_usd"]) for row in rows if row["saving_counted_usd"])
    assert round(column, 2) == priced_report.money.totals.saving_usd
    assert any(row["cost_monthly_usd"] for row in rows)


def test_page_and_digest_tell_the_totals(priced_report: Report) -> None:
    made = service(file=PRICES)
    (notice,) = preview(priced_report, made.policy, whole=True)
    assert notice.savings.startswith("$")
    assert "a month (USD) in" in notice.savings
    assert "resilience missing costs $" in notice.savings
    assert notice.savings.endswith("(sample prices)")
    assert notice.money is not None
    assert priced_report.money is not None
    assert notice.machine()["money"]["saving_usd"] == priced_report.money.totals.saving_usd
    html = page(priced_report)
    assert notice.savings in html
    assert "Sample prices" in html
    assert "What spot training saved" in html


# ---- bad prices: the audit is unharmed


@pytest.mark.parametrize(
    ("failure", "raw"),
    [
        ((400, "AccessDeniedException"), None),
        ((500, "InternalErrorException"), None),
        (None, b"{"),
        (None, b'{"PriceList": []}'),
    ],
    ids=["denied", "failing", "malformed", "empty"],
)
def test_prices_that_do_not_come_leave_the_audit_as_it_was(
    server: PriceListServer,
    monkeypatch: pytest.MonkeyPatch,
    silent: Report,
    failure: tuple[int, str] | None,
    raw: bytes | None,
) -> None:
    monkeypatch.setattr("chalicelib.inventory.aws.time.sleep", lambda _: None)
    server.failure, server.raw = failure, raw
    report = audited(service(prices=True))
    assert report.money is not None
    assert len(report.money.notes) == 1
    assert report.money.totals.places == 0
    assert report.complete == silent.complete
    assert report.blind_spots == silent.blind_spots
    assert judged(report) == judged(silent)


# ---- the terminal


def test_a_price_file_is_read_before_anything_is_asked(front: Front, tmp_path: Path, capsys: Captured) -> None:
    front.clear()
    (tmp_path / "prices.json").write_text("{")
    assert run(["audit", "--prices", str(tmp_path / "prices.json")]) == 2
    assert "is no price file" in capsys.readouterr().err
    assert front.history == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--fail-on-saving", "1000"], 3), (["--fail-on-saving", "1000000"], 0), (["--fail-on-saving", "0"], 3)],
)
def test_a_saving_can_fail_a_pipeline(front: Front, capsys: Captured, arguments: list[str], code: int) -> None:
    command = ["audit", "--no-progress", "--no-cache", "--policy", "strict", "--rule", "endpoint-idle"]
    assert run([*command, "--prices", str(PRICES), *arguments]) == code
    shown = capsys.readouterr().out
    assert "a month (USD) in" in shown
    assert "sample prices" in shown
    assert "saves $335.80 a month" in " ".join(shown.split())


def test_a_saving_needs_prices(front: Front, capsys: Captured) -> None:
    assert run(["audit", "--fail-on-saving", "10"]) == 2
    assert "--fail-on-saving needs prices" in capsys.readouterr().err


def test_prices_may_stand_alone(server: PriceListServer, capsys: Captured) -> None:
    command = ["audit", "--prices", "--no-progress", "--no-cache", "--format", "json", "--rule", "endpoint-idle"]
    assert run(command) == 0
    assert json.loads(capsys.readouterr().out)["money"]["sources"] == ["AWS Price List"]
    assert server.asked


def test_the_environment_can_be_overruled(
    server: PriceListServer, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("AUDITOR_PRICES", "on")
    command = ["audit", "--no-progress", "--no-cache", "--format", "json", "--rule", "endpoint-idle", "--prices", "off"]
    assert run(command) == 0
    assert "money" not in json.loads(capsys.readouterr().out)
    assert server.asked == []
