"""``auditor rehearse`` against an account: its policy, its own minutes, and what it has recorded of its scaling."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.cli import run
from emulator import seed
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_audit import an_endpoint
from tests.unit.rehearsal.synthetic import SyntheticAws, week

Read = pytest.CaptureFixture[str]
NAME = "orders"
VARIANT = {"EndpointName": NAME, "VariantName": "AllTraffic"}
RESOURCE = f"endpoint/{NAME}/variant/AllTraffic"
DAYS = 2

pytestmark = pytest.mark.usefixtures("direct_calls")


def following(target: float) -> dict[str, Any]:
    """Target tracking of the requests of a minute by instance."""
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    return {"TargetValue": target, "PredefinedMetricSpecification": metric}


def scaled(emulator: Emulator, target: float = 100.0, most: int = 30, **aws: Any) -> SyntheticAws:
    """The endpoint with two days of traffic and with the record of an AWS that tracked a target of 100; what stands in
    the policy now is ``target``."""
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    begin = end - timedelta(days=DAYS)
    lived = SyntheticAws(begin=begin, **aws)
    load = week(1, DAYS)
    lived.run(load)
    an_endpoint(emulator, NAME, count=lived.counts[-1], called=False)
    seed.scalable_target(ACCOUNT, REGION, RESOURCE, minimum=1, maximum=most, created=begin)
    seed.scaling_policy(
        ACCOUNT,
        REGION,
        "follow",
        RESOURCE,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=following(target),
        CreationTime=begin,
    )
    minutes = [begin + timedelta(minutes=minute) for minute in range(len(load))]
    seed.metric(ACCOUNT, REGION, "Invocations", VARIANT, zip(minutes, load, strict=True))
    shares = [(minute, 1 / count) for minute, count in zip(minutes, lived.counts, strict=True)]
    seed.metric(ACCOUNT, REGION, "InvocationsPerInstance", VARIANT, shares)
    for activity in lived.activities:
        assert activity.started is not None
        seed.scaling_activity(
            ACCOUNT,
            REGION,
            RESOURCE,
            started=activity.started,
            ended=activity.ended,
            cause=activity.cause or "",
            description=activity.description or "",
        )
    return lived


def answer(arguments: list[str], capsys: Read) -> dict[str, Any]:
    """The JSON of a rehearsal of the endpoint."""
    assert run(["rehearse", NAME, "--days", str(DAYS), *arguments, "--format", "json"]) == 0, capsys.readouterr().err
    rehearsal: dict[str, Any] = json.loads(capsys.readouterr().out)
    return rehearsal


def test_the_policy_and_its_own_traffic_are_rehearsed_and_the_record_explained(
    emulator: Emulator, capsys: Read
) -> None:
    lived = scaled(emulator)
    rehearsal = answer([], capsys)
    assert rehearsal["name"] == "orders/AllTraffic"
    assert rehearsal["window"]["minutes"] >= DAYS * 1440 - 2
    assert (rehearsal["setting"]["minimum"], rehearsal["setting"]["maximum"]) == (1, 30)
    words = next(note for note in rehearsal["basis"]["notes"] if note.startswith("the replay explains"))
    explained, recorded = (int(word) for word in words.split() if word.isdigit())
    assert len(lived.activities) - 2 <= recorded <= len(lived.activities), "one may lie in the minute that has passed"
    assert explained >= 0.95 * recorded > 20
    assert rehearsal["behaviour"]["warmup_minutes"] == 5
    assert rehearsal["basis"]["warmup"] == "5 minutes, measured: nine of ten recorded scale-outs took no longer"
    assert rehearsal["basis"]["setting"] == f"as Application Auto Scaling has it in {REGION}"


def test_commands_hold_the_whole_policy(emulator: Emulator, capsys: Read) -> None:
    scaled(emulator)
    rehearsal = answer(["--max-short", "0", "--capacity", "150"], capsys)
    assert rehearsal["minutes_short"] > 0
    commands = rehearsal["fix"]["commands"]
    assert commands[0].startswith(
        f"aws application-autoscaling register-scalable-target --service-namespace sagemaker --resource-id {RESOURCE} "
        "--scalable-dimension sagemaker:variant:DesiredInstanceCount --min-capacity "
    )
    if "target" in rehearsal["proposal"]["changed"]:
        assert '"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"' in commands[1]
        assert "--policy-name follow" in commands[1]


def test_a_replay_that_does_not_explain_the_record_proposes_nothing(emulator: Emulator, capsys: Read) -> None:
    scaled(emulator, target=40.0, most=60)
    rehearsal = answer(["--capacity", "20"], capsys)
    assert rehearsal["minutes_short"] > 15
    assert rehearsal["proposal"] is None
    assert "scaling steps that AWS recorded, too few to judge by it" in rehearsal["no_proposal"]


def test_a_load_that_an_instance_has_carried_is_its_capacity(emulator: Emulator, capsys: Read) -> None:
    scaled(emulator, maximum=3)
    rehearsal = answer([], capsys)
    assert rehearsal["behaviour"]["capacity_per_instance"] > 200, (
        "more than the target ÷ 0.5, as the days met three instances"
    )
    assert rehearsal["basis"]["capacity"].endswith(
        "measured: the 99th percentile of what an instance carried without failing"
    )
    minutes = [datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=number) for number in range(3000)]
    seed.metric(ACCOUNT, REGION, "Invocation5XXErrors", VARIANT, [(minute, 1.0) for minute in minutes])
    assert answer([], capsys)["basis"]["capacity"] == "200 a minute by instance, assumed: the target of 100 ÷ 0.5"


def test_a_file_takes_the_place_of_the_traffic(emulator: Emulator, capsys: Read, tmp_path: Any) -> None:
    scaled(emulator)
    file = tmp_path / "launch.csv"
    file.write_text("".join(f"{minute},{100 if minute < 10 else 5000}\n" for minute in range(60)))
    rehearsal = answer(["--series", str(file), "--capacity", "200"], capsys)
    assert (rehearsal["window"]["minutes"], rehearsal["basis"]["load"]) == (60, "launch.csv")
    assert rehearsal["minutes_short"] > 0


@pytest.mark.parametrize(
    "arguments, code, sentence",
    [
        (["missing"], 2, f"there is no endpoint missing in {REGION}"),
        ([NAME, "--variant", "other"], 2, "0 variants of orders with a scalable target are meant"),
        ([NAME, "--days", "15"], 2, "a window of 15 days; accepted is a number from 1 to 14"),
        ([NAME, "--days", "0"], 2, "a window of 0 days"),
    ],
)
def test_what_does_not_exist_is_told(
    arguments: list[str], code: int, sentence: str, emulator: Emulator, capsys: Read
) -> None:
    an_endpoint(emulator, NAME)
    assert run(["rehearse", *arguments]) == code
    assert sentence in capsys.readouterr().err


def test_a_variant_without_traffic_or_with_less_than_a_day_is_told(emulator: Emulator, capsys: Read) -> None:
    an_endpoint(emulator, NAME, called=False)
    seed.scalable_target(ACCOUNT, REGION, RESOURCE)
    assert run(["rehearse", NAME]) == 1
    assert "orders/AllTraffic cannot be rehearsed: no scaling policy" in capsys.readouterr().err
    seed.scaling_policy(
        ACCOUNT,
        REGION,
        "follow",
        RESOURCE,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=following(100),
    )
    assert run(["rehearse", NAME]) == 1
    assert "no datapoint in the window" in capsys.readouterr().err
    young = datetime.now(UTC) - timedelta(hours=5)
    seed.metric(ACCOUNT, REGION, "Invocations", VARIANT, [(young, 10.0)])
    assert run(["rehearse", NAME]) == 1
    assert "minutes are there; accepted is a day at least" in capsys.readouterr().err


@pytest.mark.parametrize("operation", ["cloudwatch:GetMetricData", "application-autoscaling:DescribeScalingPolicies"])
def test_a_read_that_is_denied_is_told(operation: str, emulator: Emulator, front: Front, capsys: Read) -> None:
    scaled(emulator)
    front.deny(operation)
    assert run(["rehearse", NAME]) == 1
    assert f"{operation} failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("cloudwatch:DescribeAlarms", "alarms are taken to ring as AWS makes them"),
        ("application-autoscaling:DescribeScalingActivities", "and the warm-up is assumed"),
    ],
)
def test_what_a_rehearsal_can_do_without_is_noted(
    operation: str, words: str, emulator: Emulator, front: Front, capsys: Read
) -> None:
    scaled(emulator)
    front.deny(operation)
    rehearsal = answer([], capsys)
    assert any(operation in note and words in note for note in rehearsal["basis"]["notes"])
    assert rehearsal["instance_hours"] > 0
