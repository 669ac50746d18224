"""``auditor prices``, and what the doctor says of prices."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from chalicelib.cli import run
from chalicelib.doctor.doctor import Diagnosis, diagnose
from chalicelib.money.price_file import FilePrices, PriceFile
from chalicelib.money.prices import Component, Use
from emulator.front import Front
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from samples.price_records import MISLEADING, a_record
from tests.price_list import PriceListServer, serving

USE = Use("ml.m5.xlarge", Component.HOSTING)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with Emulator(Front()) as emulator:
        yield emulator.environment()


@pytest.fixture
def server(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PriceListServer]:
    with serving(PriceListServer([*MISLEADING.values(), a_record(region=REGION)])) as made:
        for name, value in {**environment, "AWS_ENDPOINT_URL_PRICING": made.url}.items():
            monkeypatch.setenv(name, value)
        yield made


def test_what_aws_tells_is_saved_as_a_price_file(
    server: PriceListServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.records += [a_record(component="Notebook", region="us-east-1"), a_record("ml.c5.xlarge", region=REGION)]
    path = tmp_path / "prices.json"
    assert run(["prices", "--save", str(path), "--region", REGION, "--region", "us-east-1"]) == 0
    assert f"prices of {REGION}, us-east-1 are in {path}" in capsys.readouterr().err
    saved = FilePrices(PriceFile.read(str(path)), path.name)
    assert saved.market(REGION, [USE]).price(*USE).usd_per_hour == 0.23
    assert saved.market("us-east-1", [Use("ml.m5.xlarge", Component.NOTEBOOK)]).notes == ()
    assert {filters["regionCode"] for filters in server.asked} == {REGION, "us-east-1"}
    assert {filters["component"] for filters in server.asked} == {component.value for component in Component}


def test_without_a_file_the_prices_are_shown(server: PriceListServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prices", "--region", REGION]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {row["instance_type"]: row["per_hour"] for row in shown["prices"] if row["component"] == "Hosting"} == {
        "ml.m5.2xlarge": 0.11,
        "ml.m5.xlarge": 0.23,
    }


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["--region", "nowhere-1"], 2)])
def test_a_region_is_needed_that_exists(server: PriceListServer, arguments: list[str], code: int) -> None:
    assert run(["prices", *arguments]) == code
    assert server.asked == []


def test_prices_that_are_refused_write_nothing(
    server: PriceListServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.failure = (400, "AccessDeniedException")
    assert run(["prices", "--save", str(tmp_path / "prices.json"), "--region", REGION]) == 1
    assert "pricing:GetProducts: AccessDeniedException" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# ---- the doctor


def diagnosed(environment: dict[str, str], region: str = REGION) -> Diagnosis:
    session = boto3.Session(region_name=region)
    return diagnose(session, environment, datetime.now(UTC))


def test_the_doctor_asks_for_prices_only_where_they_are_on(server: PriceListServer) -> None:
    assert not [entry for entry in diagnosed({}).permissions if entry.operation.startswith("pricing:")]
    assert server.asked == []
    (permission,) = [entry for entry in diagnosed({"AUDITOR_PRICES": "on"}).permissions if "pricing" in entry.operation]
    assert (permission.operation, permission.state, permission.effect) == ("pricing:GetProducts", "allowed", [])
    assert server.regions == ["us-east-1"]


def test_the_doctor_tells_that_prices_are_denied(server: PriceListServer) -> None:
    server.failure = (400, "AccessDeniedException")
    diagnosis = diagnosed({"AUDITOR_PRICES": "on"})
    (permission,) = [entry for entry in diagnosis.permissions if "pricing" in entry.operation]
    assert (permission.state, permission.note) == ("denied", "Without it savings are told without amounts.")
    assert diagnosis.policy_to_add is not None
    assert "pricing:GetProducts" in diagnosis.policy_to_add["Statement"][0]["Action"]
