"""What must hold for any input: more resilience never adds a finding, noise changes nothing, nothing crashes."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.audit.findings import findings
from chalicelib.audit.judge import Judge
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact
from chalicelib.policy.policy import load_policy
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from chalicelib.scope import Scope
from samples.builders import (
    ACCOUNT,
    DEEP_LEARNING_CONTAINER,
    LDA,
    NOW,
    OWN_IMAGE,
    REGION,
    SUBNET_A,
    SUBNET_A2,
    SUBNET_B,
    XGBOOST,
    a_config,
    a_model,
    a_notebook,
    a_policy,
    a_subnet,
    a_target,
    a_training_job,
    a_variant,
    a_vpc,
    an_endpoint,
    an_inventory,
)
from tests.examples import examples

pytestmark = pytest.mark.thorough

SCOPE = Scope(ACCOUNT, REGION)
EVERY_RULE = {id: replace(setting, enabled=True) for id, setting in load_policy("strict").rules.items()}
THIRD_ZONE = a_subnet("subnet-c", zone="euw1-az3", zone_name="eu-west-1c")
IMAGES = st.sampled_from([OWN_IMAGE, LDA, XGBOOST, DEEP_LEARNING_CONTAINER, None])
TYPES = st.sampled_from(["ml.m5.large", "ml.g5.xlarge", "ml.p3.2xlarge", "ml.t2.medium", "ml.new9.huge", "odd", None])

ZONES = {id for id, rule in RULES.items() if rule.topic == "availability-zones"}
#: Rules that a checkpoint is an answer to.
CHECKPOINTS = {"training-spot-no-checkpoint", "training-spot-cannot-checkpoint"}
#: Rules that a higher count is an answer to.
COUNTS = {"endpoint-single-instance", "autoscaling-min-below-two", "endpoint-config-single-instance"}


def judged(subjects: Iterable[Fact], estate: Inventory) -> Judge:
    judge = Judge(EVERY_RULE, SCOPE)
    for subject in subjects:
        judge.judge(subject, estate)
    return judge


def failing(subjects: Iterable[Fact], estate: Inventory, among: set[str]) -> set[tuple[str, str]]:
    judge = judged(subjects, estate)
    return {(failure.rule.id, failure.subject.name) for failure in judge.failing if failure.rule.id in among}  # type: ignore[attr-defined]


@given(
    count=st.integers(0, 6),
    more=st.integers(0, 6),
    minimum=st.integers(1, 6),
    weight=st.sampled_from([None, 0.0, 0.5, 1.0]),
    asynchronous=st.booleans(),
    initial=st.integers(1, 4),
)
def test_raising_a_count_never_adds_a_finding_about_counts(
    count: int, more: int, minimum: int, weight: float | None, asynchronous: bool, initial: int
) -> None:
    def failures(extra: int) -> set[tuple[str, str]]:
        variant = a_variant(count=count + extra, weight=weight, asynchronous=asynchronous)
        target = a_target(variant, minimum=minimum + extra, maximum=20)
        config = a_config(initial + extra, name="new")
        facts = [variant, target, config]
        return failing(facts, an_inventory(*facts), COUNTS)

    # From zero to one is not "raising": a variant at zero is not judged at all.
    if count:
        assert failures(more) <= failures(0)


@given(
    subnets=st.lists(st.sampled_from([SUBNET_A, SUBNET_A2, SUBNET_B]), min_size=1, unique_by=lambda subnet: subnet.id)
)
def test_adding_a_zone_never_adds_a_finding_about_zones(subnets: list[Any]) -> None:
    def failures(*more: Any) -> set[tuple[str, str]]:
        ids = [subnet.id for subnet in (*subnets, *more)]
        model = a_model(subnets=ids)
        vpc = a_vpc(*subnets, *more)
        job = a_training_job(spot=True, VpcConfig={"Subnets": ids, "SecurityGroupIds": ["sg-1"]})
        facts = [model, vpc, job, a_config(2, subnets=ids, in_use=True), a_variant()]
        return failing(facts, an_inventory(*facts), ZONES)

    assert failures(THIRD_ZONE) <= failures()


@given(
    image=IMAGES, spot=st.booleans(), runtime=st.sampled_from([None, 100, 901, 90_000]), interruptions=st.integers(0, 3)
)
def test_adding_a_checkpoint_never_adds_a_finding(
    image: str | None, spot: bool, runtime: int | None, interruptions: int
) -> None:
    def failures(checkpoint: str | None) -> set[tuple[str, str]]:
        job = a_training_job(
            image=image, spot=spot, max_runtime=runtime, interruptions=interruptions, checkpoint=checkpoint
        )
        return failing([job], an_inventory(job), set(RULES))

    assert failures("s3://bucket/checkpoints") <= failures(None)


@given(st.permutations(range(7)))
def test_the_order_of_resources_changes_nothing(order: list[int]) -> None:
    alone, pair = a_variant("alone", count=1), a_variant("pair", endpoint="other")
    facts: list[Any] = [
        alone,
        pair,
        a_target(alone, minimum=1),
        a_target(pair, minimum=2, maximum=2),
        a_policy(pair),
        a_model(subnets=["subnet-a"]),
        SUBNET_A,
    ]

    def summaries(estate: Inventory) -> list[tuple[str, str]]:
        judge = judged(estate.subjects, estate)
        judge.merge()
        result = findings(judge.failing, load_policy("strict"), SCOPE, NOW, lambda _: {})
        return [(finding.id, finding.summary) for finding in result]

    assert summaries(an_inventory(*(facts[place] for place in order))) == summaries(an_inventory(*facts))


NOISE = st.dictionaries(
    st.from_regex(r"[A-Z][A-Za-z]{3,12}Unheard", fullmatch=True),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=4),
    max_size=4,
)


@given(noise=NOISE)
def test_fields_that_nobody_knows_change_nothing(noise: dict[str, Any]) -> None:
    def verdicts(extra: dict[str, Any]) -> dict[str, Any]:
        variant = a_variant(count=1, running=extra, settings=extra)
        facts = [variant, a_model(**extra), a_training_job(spot=True, **extra), a_notebook(**extra)]
        return judged(facts, an_inventory(*facts)).counts

    assert verdicts(noise) == verdicts({})


@examples(300)
@given(
    status=st.sampled_from(["InService", "Updating", "IN_SERVICE", "Hibernating", "Failed", ""]),
    count=st.none() | st.integers(0, 3),
    instance_type=TYPES,
    missing=st.sets(
        st.sampled_from(["DesiredInstanceCount", "CurrentInstanceCount", "DesiredWeight", "CurrentWeight"])
    ),
    config_read=st.booleans(),
    image=IMAGES,
    job_status=st.sampled_from(["Completed", "InProgress", "Paused", ""]),
    empty=st.sampled_from([None, [], {}]),
)
def test_new_values_missing_fields_and_nulls_are_judged_or_unknown(
    status: str,
    count: int | None,
    instance_type: str | None,
    missing: set[str],
    config_read: bool,
    image: str | None,
    job_status: str,
    empty: Any,
) -> None:
    variant = a_variant(
        status=status,
        count=count,
        instance_type=instance_type,
        running=dict.fromkeys(missing),
        config_read=config_read,
        settings={"ManagedInstanceScaling": empty or None, "InstancePools": []},
    )
    facts: list[Any] = [
        variant,
        an_endpoint(variant),
        a_model(image, Containers=[] if image else None),
        a_target(variant, minimum=count, maximum=None),
        a_policy(variant, Alarms=[]),
        a_training_job(image=image, instance_type=instance_type, status=job_status, seconds=None, Tags=[]),
        a_notebook(instance_type=instance_type, AcceleratorTypes=[]),
    ]
    judge = judged(facts, an_inventory(*facts))
    faults = [reason for operation, reason, *_ in judge.unread if operation.startswith("rule:")]
    assert faults == []
    assert sum(counts.total() for counts in judge.counts.values()) > 20
    assert all(isinstance(verdict, Verdict) for counts in judge.counts.values() for verdict in counts)
