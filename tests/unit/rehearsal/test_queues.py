"""``auditor rehearse`` of asynchronous endpoints and inference components, offline; and what their minutes come to."""

from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.cli import run
from chalicelib.inventory.traffic import number_of
from chalicelib.rehearsal.proposals import Limits, NoProposal, Proposal
from chalicelib.rehearsal.queue import WAKE_UP, replay_queue, wakes
from chalicelib.rehearsal.queue_proposals import cheapest_queue
from chalicelib.rehearsal.queued import arrivals, rate
from chalicelib.rehearsal.record import recorded_counts, recorded_steps
from chalicelib.rehearsal.settings import Behaviour, Setting, tracking
from tests.unit.rehearsal.loads import load
from tests.unit.rehearsal.synthetic import BEGIN
from tests.unit.rehearsal.test_record import activity
from tests.unit.rehearsal.test_rehearse_command import answer

Read = pytest.CaptureFixture[str]
TEN = Behaviour(capacity=10)
SLEEPER = ["--asynchronous", "--target", "5", "--max", "5", "--capacity", "10", "--max-short", "0"]
HOSTING = """
Resources:
  Config:
    Type: AWS::SageMaker::EndpointConfig
    Properties:
      EndpointConfigName: scans
      ProductionVariants:
        - {VariantName: main, ModelName: scans, InstanceType: ml.m5.large, InitialInstanceCount: 1}
      AsyncInferenceConfig: {OutputConfig: {S3OutputPath: "s3://results/"}}
  Endpoint:
    Type: AWS::SageMaker::Endpoint
    Properties: {EndpointName: scans, EndpointConfigName: !GetAtt Config.EndpointConfigName}
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: sagemaker
      ResourceId: endpoint/scans/variant/main
      ScalableDimension: sagemaker:variant:DesiredInstanceCount
      MinCapacity: 0
      MaxCapacity: 5
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: backlog
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 5
        CustomizedMetricSpecification:
          Namespace: AWS/SageMaker
          MetricName: ApproximateBacklogSizePerInstance
          Statistic: Average
          Dimensions: [{Name: EndpointName, Value: scans}]
"""
COMPONENT = """
Resources:
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: sagemaker
      ResourceId: inference-component/ranker
      ScalableDimension: sagemaker:inference-component:DesiredCopyCount
      MinCapacity: 1
      MaxCapacity: 10
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: follow
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 100
        PredefinedMetricSpecification: {PredefinedMetricType: SageMakerInferenceComponentInvocationsPerCopy}
"""


def few(folder: Path) -> str:
    """Four requests in the first minute of an hour: fewer than the target of five."""
    file = folder / "few.csv"
    file.write_text("".join(f"{minute},{4 if minute == 0 else 0}\n" for minute in range(60)))
    return str(file)


def test_a_queue_that_nothing_wakes_is_told_with_what_would(tmp_path: Path, capsys: Read) -> None:
    rehearsal = answer(["--series", few(tmp_path), *SLEEPER], capsys)
    assert rehearsal["minutes_short"] == 44, "the request of minute 0 has waited longer than 15 minutes from 16 on"
    assert (rehearsal["max_wait_minutes"], rehearsal["unit"]) == (15, "instance")
    assert rehearsal["largest_backlog"] == {"minute": 0, "at": None, "requests": 4}
    assert rehearsal["worst_minute"] is None and rehearsal["needed_instance_hours"] is None
    proposal, fix = rehearsal["proposal"], rehearsal["fix"]
    assert isinstance(proposal, dict) and isinstance(fix, dict)
    assert (proposal["changed"], proposal["minutes_short"]) == (["wake_up"], 0)
    assert "AdjustmentType: ChangeInCapacity" in fix["cloudformation"]
    assert 'adjustment_type         = "ChangeInCapacity"' in fix["terraform"]
    assert fix["commands"] == []
    summary = " ".join(rehearsal["summary"]) if isinstance(rehearsal["summary"], list) else ""
    assert "would have waited for longer than 15 minutes in 44 minutes of 1 hour. The largest backlog is 4" in summary
    assert "Nothing wakes it from zero for fewer requests than the target" in summary
    assert "A step policy that adds an instance as soon as a request waits for none leaves 0 minutes short" in summary


def test_with_a_policy_that_wakes_it_nobody_waits(tmp_path: Path, capsys: Read) -> None:
    rehearsal = answer(["--series", few(tmp_path), *SLEEPER, "--wake-up"], capsys)
    assert (rehearsal["minutes_short"], rehearsal["enough"], rehearsal["proposal"]) == (0, True, None)
    assert rehearsal["decisions"] == [
        {"minute": 0, "before": 0, "after": 1, "why": "alarm high"},
        {"minute": 14, "before": 1, "after": 0, "why": "alarm low"},
    ]


def test_a_shorter_wait_is_short_sooner(tmp_path: Path, capsys: Read) -> None:
    rehearsal = answer(["--series", few(tmp_path), *SLEEPER, "--wake-up", "--max-wait", "3"], capsys)
    assert rehearsal["short"] == [{"minute": 4, "at": None, "minutes": 2, "peak": 0}], "it serves from minute 6 on"


def test_a_template_of_an_asynchronous_endpoint_is_rehearsed(tmp_path: Path, capsys: Read) -> None:
    (tmp_path / "scans.yaml").write_text(HOSTING)
    options = ["--series", few(tmp_path), "--template", str(tmp_path / "scans.yaml"), "--capacity", "10"]
    rehearsal = answer([*options, "--max-short", "0"], capsys)
    assert (rehearsal["name"], rehearsal["minutes_short"]) == ("scans/main", 44)
    assert answer([*options, "--wake-up"], capsys)["minutes_short"] == 0
    assert run(["rehearse", *options[:4]]) == 2
    assert "what an instance carries in a minute is not known" in capsys.readouterr().err


def test_a_template_of_a_component_is_rehearsed_by_copies(tmp_path: Path, capsys: Read) -> None:
    (tmp_path / "ranker.yaml").write_text(COMPONENT)
    file = tmp_path / "step.csv"
    file.write_text("".join(f"{minute},{100 if minute < 10 else 350}\n" for minute in range(40)))
    options = ["--series", str(file), "--template", str(tmp_path / "ranker.yaml"), "--max-short", "0"]
    rehearsal = answer([*options, "--component", "ranker"], capsys)
    assert (rehearsal["name"], rehearsal["unit"], rehearsal["minutes_short"]) == ("ranker", "copy", 8)
    summary = " ".join(rehearsal["summary"]) if isinstance(rehearsal["summary"], list) else ""
    assert "350 a minute on 1 copy that carries 200" in summary
    assert "copy-hours" in summary and "instance" not in summary
    basis = rehearsal["basis"]
    assert isinstance(basis, dict)
    assert basis["capacity"] == "200 a minute by copy, assumed: the target of 100 ÷ 0.5"
    assert run(["rehearse", *options, "--component", "other"]) == 2
    assert "0 scalable targets of the template are meant" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--lose-zone"], "what the loss of a zone does to a queue is not rehearsed"),
        (["--max-wait", "-1"], "a number of minutes that a request may wait of -1; accepted is a number from 0 to"),
    ],
)
def test_what_a_queue_does_not_know_is_refused(options: list[str], sentence: str, tmp_path: Path, capsys: Read) -> None:
    assert run(["rehearse", "--series", few(tmp_path), *SLEEPER, *options]) == 2
    assert sentence in capsys.readouterr().err


def test_only_a_queue_wakes(tmp_path: Path, capsys: Read) -> None:
    options = ["--target", "100", "--max", "5", "--capacity", "200", "--wake-up"]
    assert run(["rehearse", "--series", few(tmp_path), *options]) == 2
    assert "only an asynchronous endpoint wakes by its queue" in capsys.readouterr().err


def test_its_page_tells_the_backlog(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run(["rehearse", "--series", few(tmp_path), *SLEEPER, "--format", "html", "--output", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "Largest backlog" in text and "Mean shortfall" not in text and "fixed number" not in text


def test_the_cheapest_setting_of_a_queue_carries_a_tenth_more() -> None:
    # Thirty a minute on one instance that does ten; five are the most: 160 wait, and none longer than 6 minutes.
    rush = load("30×10 0×30")
    present = Setting(1, 5, (tracking(5),))
    assert replay_queue(rush, present, TEN, max_wait=15).replay.minutes_short == 0
    strict = cheapest_queue(rush, present, TEN, Limits(0), max_wait=3)
    assert isinstance(strict, Proposal)
    assert strict.setting.minimum > 1 and strict.minutes_short == 0
    more = [value * 1.1 for value in rush]
    assert replay_queue(more, strict.setting, TEN, max_wait=3).replay.minutes_short == 0
    assert isinstance(cheapest_queue(rush, Setting(1, 1, ()), Behaviour(0.1), Limits(0), max_wait=3), NoProposal)


def test_it_wakes_where_it_never_sleeps_or_a_policy_follows_the_queue() -> None:
    assert wakes(Setting(1, 5, (tracking(5),)))
    assert not wakes(Setting(0, 5, (tracking(5),)))
    assert wakes(Setting(0, 5, (tracking(5), WAKE_UP)))


MOMENTS = [number_of(BEGIN) + minute for minute in range(20)]


def test_what_came_is_what_was_processed_and_by_how_much_the_backlog_grew() -> None:
    backlog = {MOMENTS[0]: 0.0, MOMENTS[1]: 5.0, MOMENTS[3]: 2.0, MOMENTS[4]: 0.0}
    processed = {MOMENTS[1]: 1.0, MOMENTS[2]: 3.0, MOMENTS[3]: 4.0}
    assert arrivals(processed, backlog) == {
        MOMENTS[0]: 0,
        MOMENTS[1]: 6,
        MOMENTS[2]: 3,
        MOMENTS[3]: 1,
        MOMENTS[4]: 0,  # two have expired
    }


def test_how_fast_an_instance_is_shows_while_requests_wait() -> None:
    backlog = dict.fromkeys(MOMENTS, 50.0)
    processed = {moment: 10.0 + number for number, moment in enumerate(MOMENTS)}
    counts = dict.fromkeys(MOMENTS, 2.0)
    assert rate(processed, backlog, counts) == 14.5, "of nineteen, the 19th: (10 + 19) ÷ 2"
    assert rate(processed, dict.fromkeys(MOMENTS[:5], 50.0), counts) is None, "four minutes say too little"
    assert rate(processed, backlog, {}) is None


def test_copies_of_the_past_are_told_by_the_steps() -> None:
    steps = recorded_steps([activity(2, 1, 3), activity(5, 4, 8), activity(12, 2, 13)])
    counts = recorded_counts(steps, BEGIN, BEGIN + timedelta(minutes=16), current=2)
    assert [counts.get(moment) for moment in MOMENTS[:16]] == [None] * 3 + [1.0] * 5 + [4.0] * 4 + [2.0] * 4
    assert set(recorded_counts([], BEGIN, BEGIN + timedelta(minutes=3), current=2).values()) == {2.0}
    assert recorded_counts([], BEGIN, BEGIN + timedelta(minutes=3), current=None) == {}
