"""Traps that an auditor of SageMaker may fall into, one by one: what looks like a defect and is none.

Each test judges everything in an inventory by every registered rule, and beside the trap a twin without it, so that the
silence is the trap's doing.
"""

from collections.abc import Iterable
from typing import Any

import pytest

from chalicelib.audit.judge import Judge
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import PROVISIONED_DIMENSION
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.policy.policy import RuleSetting
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence, Outcome, Verdict
from chalicelib.rules import RULES
from chalicelib.scope import Scope
from samples.builders import (
    ACCOUNT,
    AN_HOUR_AGO,
    COPIED_LDA,
    LDA,
    LOCAL_SUBNET,
    OUTPOST_SUBNET,
    REGION,
    STEM,
    SUBNET_A,
    SUBNET_B,
    WAVELENGTH_SUBNET,
    Given,
    a_component,
    a_definition,
    a_host_of_components,
    a_model,
    a_pipeline,
    a_policy,
    a_schedule,
    a_series,
    a_serverless_variant,
    a_step_policy,
    a_subnet,
    a_target,
    a_training_job,
    a_transform_job,
    a_tuning_job,
    a_variant,
    a_vpc,
    ago,
    an_alarm,
    an_endpoint,
    an_inventory,
    following,
    managed_scaling,
)
from samples.cases.case import judged

CALLS = a_series("Invocations", {1: 500.0})
#: Left aside: of alarms these accounts have none but those of scaling.
ASIDE = {"endpoint-without-alarms"}
IN_TRANSITION = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def outcomes(subject: Fact, inventory: Inventory) -> dict[str, Outcome]:
    """What every rule of the subject's kind answers, by default parameters."""
    ids = [id for id, rule in sorted(RULES.items()) if subject.kind in rule.kinds]
    assert ids, f"no rule judges a {subject.kind}"
    return {id: judged(id, subject, inventory) for id in ids}


def failing(inventory: Inventory, *jobs: TrainingJob) -> set[str]:
    """The rules that fail on anything in the inventory, or on these training jobs."""
    return {
        id
        for subject in [*inventory.subjects, *jobs]
        if any(subject.kind in rule.kinds for rule in RULES.values())
        for id, outcome in outcomes(subject, inventory).items()
        if outcome.verdict is Verdict.FAIL and id not in ASIDE
    }


def verdicts(subject: Fact, inventory: Inventory) -> set[Verdict]:
    """Every answer that rules give of the subject."""
    return {outcome.verdict for outcome in outcomes(subject, inventory).values()}


def the_worst_variant(**variant: Any) -> Variant:
    """A variant of which about everything can be said that can be said of a variant."""
    settings = {"AcceleratorType": "ml.eia2.medium", **variant.pop("settings", {})}
    return a_variant(**{"count": 1, "instance_type": "ml.p3.2xlarge", "settings": settings, **variant})


def about_it(variant: Variant) -> tuple[Given, ...]:
    """A model that needs no GPU, and a target that can never scale."""
    return a_model(LDA), a_target(variant, minimum=1, maximum=1, suspended=["DynamicScalingInSuspended"])


#: What is to be said of the worst variant and of what is about it.
ALL_OF_IT = {
    "endpoint-single-instance",
    "endpoint-idle",
    "endpoint-gpu-unneeded-by-algorithm",
    "endpoint-elastic-inference-retired",
    "instance-previous-generation",
    "autoscaling-target-without-policy",
    "autoscaling-min-below-two",
    "autoscaling-no-headroom",
    "autoscaling-suspended",
}


def well_scaled(scaled: Variant) -> tuple[Given, ...]:
    """A target with a policy, so that nothing is to be said of its scaling."""
    return a_target(scaled), a_policy(scaled), an_alarm("by-load-high"), an_alarm("by-load-low")


# ---- variants


def test_of_the_worst_variant_everything_is_told() -> None:
    worst = the_worst_variant()
    assert failing(an_inventory(worst, *about_it(worst))) >= ALL_OF_IT
    assert failing(an_inventory(worst, a_model(LDA))) >= {"variant-no-autoscaling"}


def test_a_healthy_variant_causes_no_finding() -> None:
    healthy = a_variant()
    assert failing(an_inventory(healthy, a_model(), CALLS, *well_scaled(healthy))) == set()


def test_a_serverless_variant_causes_no_finding() -> None:
    serverless = a_serverless_variant()
    assert failing(an_inventory(serverless, a_model(LDA))) == set()


def test_provisioned_concurrency_that_scales_causes_no_finding() -> None:
    serverless = a_serverless_variant(settings={"ServerlessConfig": {"MaxConcurrency": 9, "ProvisionedConcurrency": 2}})
    utilization = {"PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"}
    scaling = a_target(serverless, minimum=1, ScalableDimension=PROVISIONED_DIMENSION)
    policy = a_policy(
        serverless,
        tracking={"PredefinedMetricSpecification": utilization},
        ScalableDimension=PROVISIONED_DIMENSION,
    )
    alarms = an_alarm("by-load-high"), an_alarm("by-load-low")
    assert failing(an_inventory(serverless, a_model(LDA), scaling, policy, *alarms)) == set()


def test_a_serverless_variant_has_no_missing_counts() -> None:
    serverless = a_serverless_variant()
    assert Verdict.UNKNOWN not in verdicts(serverless, an_inventory(serverless, a_model(LDA)))
    unread = an_inventory(a_serverless_variant(), unread=[Part.TARGETS, Part.METRICS])
    assert Verdict.UNKNOWN not in verdicts(serverless, unread)


def test_a_shadow_variant_causes_no_finding() -> None:
    shadow = the_worst_variant(shadow=True)
    inventory = an_inventory(shadow, *about_it(shadow))
    assert failing(inventory) == set()
    assert verdicts(shadow, inventory) == {Verdict.NOT_APPLICABLE}


def test_a_shadow_variant_silences_no_other_variant_of_its_endpoint() -> None:
    shadow, worst = the_worst_variant(name="shadow", shadow=True), the_worst_variant()
    assert failing(an_inventory(shadow, worst, *about_it(worst))) >= ALL_OF_IT


def test_an_asynchronous_endpoint_at_zero_causes_no_finding() -> None:
    asleep = a_variant(count=0, asynchronous=True)
    backlog = following("ApproximateBacklogSizePerInstance", EndpointName="churn")
    scaling = (
        a_target(asleep, minimum=0),
        a_policy(asleep, tracking=backlog),
        a_step_policy(asleep),
        an_alarm("backlog"),
    )
    alarms = an_alarm("by-load-high"), an_alarm("by-load-low")
    assert failing(an_inventory(asleep, a_model(), *scaling, *alarms)) == set()


def test_an_asynchronous_endpoint_on_one_instance_is_of_low_severity_and_its_minimum_is_its_own_affair() -> None:
    awake = a_variant(count=1, asynchronous=True)
    inventory = an_inventory(awake, a_model(), CALLS, a_target(awake, minimum=1), a_policy(awake))
    assert "autoscaling-min-below-two" not in failing(inventory)
    assert outcomes(awake, inventory)["endpoint-single-instance"].severity is Severity.LOW


def test_a_variant_scaled_to_zero_is_neither_single_nor_idle() -> None:
    asleep, awake = a_variant(count=0), a_variant(count=1)
    rules = {"endpoint-single-instance", "endpoint-idle"}
    assert failing(an_inventory(asleep, a_model())) & rules == set()
    assert failing(an_inventory(awake, a_model())) & rules == rules


def test_a_variant_of_weight_zero_is_no_single_point_of_failure() -> None:
    resting, working = a_variant(count=1, weight=0), a_variant(count=1)
    assert failing(an_inventory(resting, a_model(), CALLS, *well_scaled(resting))) == set()
    assert failing(an_inventory(working, a_model(), CALLS, *well_scaled(working))) == {"endpoint-single-instance"}


def test_the_instances_that_run_count_and_not_those_that_were_configured() -> None:
    grown = a_variant(count=3, settings={"InitialInstanceCount": 1})
    shrunk = a_variant(count=1, settings={"InitialInstanceCount": 3})
    assert failing(an_inventory(grown, a_model(), CALLS, *well_scaled(grown))) == set()
    assert failing(an_inventory(shrunk, a_model(), CALLS, *well_scaled(shrunk))) == {"endpoint-single-instance"}


# ---- states of the endpoint


@pytest.mark.parametrize("status", IN_TRANSITION)
def test_an_endpoint_in_the_middle_of_a_change_causes_no_finding(status: str) -> None:
    worst = the_worst_variant(status=status, running={"CurrentInstanceCount": 0}, modified=AN_HOUR_AGO)
    inventory = an_inventory(worst, *about_it(worst), hints=[("scaled-to-max", worst.resource_id)])
    assert failing(inventory) == set()
    assert verdicts(worst, inventory) == {Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize("status", IN_TRANSITION)
def test_a_component_on_an_endpoint_in_the_middle_of_a_change_causes_no_finding(status: str) -> None:
    component, host = a_component(copies=1), a_host_of_components(count=1, status=status, modified=AN_HOUR_AGO)
    target = a_target(component, minimum=1, maximum=1)
    assert failing(an_inventory(component, host, a_model())) == set()
    assert failing(an_inventory(component, host, a_model(), target)) == set()


@pytest.mark.parametrize("status", ["Failed", "OutOfService"])
def test_an_endpoint_that_does_not_serve_is_told_by_endpoint_degraded_alone(status: str) -> None:
    worst = the_worst_variant(status=status)
    inventory = an_inventory(worst, *about_it(worst))
    assert failing(inventory) == {"endpoint-degraded"}
    assert verdicts(worst, inventory) == {Verdict.NOT_APPLICABLE}


def test_an_endpoint_whose_update_was_rolled_back_in_vain_still_serves_and_is_judged() -> None:
    worst = the_worst_variant(status="UpdateRollbackFailed")
    assert failing(an_inventory(worst, *about_it(worst))) >= ALL_OF_IT | {"endpoint-degraded"}


@pytest.mark.parametrize("status", ["UPDATING", "SYSTEM_UPDATING", "ROLLING_BACK"])
def test_a_state_is_understood_in_the_spelling_of_events(status: str) -> None:
    worst = the_worst_variant(status=status, modified=AN_HOUR_AGO)
    assert failing(an_inventory(worst, *about_it(worst))) == set()


def test_a_new_endpoint_is_given_time_to_be_scaled_and_called() -> None:
    new = a_variant(created=ago(minutes=30), modified=ago(minutes=10))
    old = a_variant()
    assert failing(an_inventory(new, a_model())) == set()
    assert failing(an_inventory(old, a_model())) == {"endpoint-idle", "variant-no-autoscaling"}


# ---- inference components


def test_a_variant_that_hosts_components_is_told_on_its_components() -> None:
    host, component = a_host_of_components(running=managed_scaling(2)), a_component()
    bare = a_host_of_components()
    assert outcomes(bare, an_inventory(bare, component))["variant-no-autoscaling"].verdict is Verdict.NOT_APPLICABLE
    assert outcomes(bare, an_inventory(bare, component))["endpoint-idle"].verdict is Verdict.NOT_APPLICABLE
    inventory = an_inventory(host, component, a_model(), CALLS)
    assert failing(inventory) == {"variant-no-autoscaling"}
    assert outcomes(component, inventory)["variant-no-autoscaling"].verdict is Verdict.FAIL


def test_a_variant_and_a_component_that_scale_cause_no_finding() -> None:
    host, component = a_host_of_components(running=managed_scaling(2)), a_component()
    per_copy = {"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"}
    target = a_target(component)
    policy = a_policy(component, tracking={"PredefinedMetricSpecification": per_copy})
    alarms = an_alarm("by-load-high"), an_alarm("by-load-low")
    assert failing(an_inventory(host, component, a_model(), CALLS, target, policy, *alarms)) == set()


def test_a_component_with_a_base_component_rides_on_its_copies() -> None:
    adapter, alone = a_component("adapter", copies=1, base="churn-component"), a_component("adapter", copies=1)
    assert verdicts(adapter, an_inventory(adapter, a_host_of_components())) == {Verdict.NOT_APPLICABLE}
    assert failing(an_inventory(alone)) >= {"variant-no-autoscaling"}


def test_managed_instance_scaling_of_a_variant_with_a_model_is_no_automatic_scaling() -> None:
    managed, still = a_variant(running=managed_scaling(2)), a_variant(running=managed_scaling(2, status="DISABLED"))
    for variant in (managed, still):
        assert failing(an_inventory(variant, a_model(), CALLS)) == {"variant-no-autoscaling"}


def test_a_night_schedule_is_told_the_same_by_day_and_by_night() -> None:
    night, day = a_schedule(minimum=1, name="night"), a_schedule(minimum=2, name="day")
    alarms = an_alarm("by-load-high"), an_alarm("by-load-low")
    answers = set()
    for minimum in (2, 1):
        target = a_target(minimum=minimum)
        inventory = an_inventory(a_variant(), a_model(), CALLS, target, a_policy(), *alarms, night, day)
        answers.add(frozenset(failing(inventory)))
    assert answers == {frozenset({"autoscaling-min-below-two"})}


# ---- instance types and images


@pytest.mark.parametrize(
    "instance_type", ["ml.c6g.xlarge", "ml.c7g.xlarge", "ml.m6g.large", "ml.m7g.large", "ml.r8g.xlarge"]
)
def test_graviton_is_no_gpu(instance_type: str) -> None:
    graviton, gpu = a_variant(instance_type=instance_type), a_variant(instance_type="ml.g5.xlarge")
    assert failing(an_inventory(graviton, a_model(LDA), CALLS, *well_scaled(graviton))) == set()
    assert failing(an_inventory(gpu, a_model(LDA), CALLS, *well_scaled(gpu))) == {"endpoint-gpu-unneeded-by-algorithm"}
    on_graviton = a_training_job(image=LDA, instance_type=instance_type)
    on_gpu = a_training_job(image=LDA, instance_type="ml.g5.xlarge")
    assert failing(an_inventory(), on_graviton) == set()
    assert failing(an_inventory(), on_gpu) >= {"training-gpu-for-cpu-algorithm"}


def test_a_private_copy_of_a_built_in_image_is_an_unknown_algorithm() -> None:
    gpu = a_variant(instance_type="ml.g5.xlarge")
    scaled = well_scaled(gpu)
    assert failing(an_inventory(gpu, a_model(COPIED_LDA), CALLS, *scaled)) == set()
    assert failing(an_inventory(gpu, a_model(LDA), CALLS, *scaled)) == {"endpoint-gpu-unneeded-by-algorithm"}
    copied, published = (a_training_job(image=image, instance_type="ml.g5.xlarge") for image in (COPIED_LDA, LDA))
    assert failing(an_inventory(), copied) == set()
    assert failing(an_inventory(), published) >= {"training-gpu-for-cpu-algorithm"}
    on_spot = a_training_job(image=COPIED_LDA, spot=True, checkpoint="s3://churn/checkpoints/")
    assert failing(an_inventory(), on_spot) == set()


def test_an_image_published_in_another_region_is_an_unknown_algorithm() -> None:
    elsewhere = LDA.replace(REGION, "us-east-1")
    job = a_training_job(image=elsewhere, instance_type="ml.g5.xlarge")
    assert "training-gpu-for-cpu-algorithm" not in failing(an_inventory(), job)


def test_containers_that_are_called_one_by_one_are_no_pipeline() -> None:
    assert failing(an_inventory(a_pipeline(16, mode="Direct"))) == set()
    assert failing(an_inventory(a_pipeline(16))) == {"pipeline-container-count"}


def test_missing_datapoints_of_gpus_are_unknown_and_not_zero() -> None:
    gpu = a_variant(instance_type="ml.g5.xlarge")
    without = an_inventory(gpu, a_model(), CALLS)
    zero = an_inventory(
        gpu, a_model(), CALLS, a_series("GPUUtilization", {1: 0.0}), a_series("GPUMemoryUtilization", {1: 0.0})
    )
    assert outcomes(gpu, without)["endpoint-gpu-underutilized"].verdict is Verdict.UNKNOWN
    assert outcomes(gpu, zero)["endpoint-gpu-underutilized"].verdict is Verdict.FAIL


def test_missing_datapoints_of_calls_are_idle_with_less_confidence_than_zeros() -> None:
    variant = a_variant()
    silent = outcomes(variant, an_inventory(variant, a_model()))["endpoint-idle"]
    zero = outcomes(variant, an_inventory(variant, a_model(), a_series("Invocations", {1: 0.0})))["endpoint-idle"]
    assert (silent.verdict, silent.confidence) == (Verdict.FAIL, Confidence.MEDIUM)
    assert (zero.verdict, zero.confidence) == (Verdict.FAIL, Confidence.HIGH)


# ---- training


#: A training job of which much is to be said: on old GPUs that its algorithm cannot use, on demand, for hours.
BAD_JOB: dict[str, Any] = {"image": LDA, "instance_type": "ml.p3.2xlarge", "seconds": 3_600, "instances": 8}
BAD_SPOT_JOB: dict[str, Any] = {"instance_type": "ml.p3.2xlarge", "spot": True, "interruptions": 5}
ON_DEMAND = {"instance-previous-generation", "training-gpu-for-cpu-algorithm", "training-spot-not-used"}
ON_SPOT = {"instance-previous-generation", "training-spot-no-checkpoint", "training-spot-interrupted"}


def test_of_a_bad_training_job_everything_is_told() -> None:
    assert failing(an_inventory(), a_training_job(**BAD_JOB)) >= ON_DEMAND
    assert failing(an_inventory(), a_training_job(**BAD_SPOT_JOB)) >= ON_SPOT


@pytest.mark.parametrize("job", [BAD_JOB, BAD_SPOT_JOB], ids=["on demand", "spot"])
def test_the_children_of_a_tuning_job_are_told_with_it(job: dict[str, Any]) -> None:
    child = a_training_job(**job, TuningJobArn=f"{STEM}:hyper-parameter-tuning-job/churn-tuning")
    assert failing(an_inventory(), child) == set()
    assert verdicts(child, an_inventory()) == {Verdict.NOT_APPLICABLE}


def test_a_tuning_job_is_told_once_for_its_children() -> None:
    on_demand = a_tuning_job(a_definition(instance_type="ml.p3.2xlarge"), hours=10)
    on_spot = a_tuning_job(a_definition(spot=True))
    assert failing(an_inventory(on_demand)) == {"instance-previous-generation", "training-spot-not-used"}
    assert failing(an_inventory(on_spot)) == {"training-spot-no-checkpoint"}


@pytest.mark.parametrize("job", [BAD_JOB, BAD_SPOT_JOB], ids=["on demand", "spot"])
@pytest.mark.parametrize("started_by", ["AutoMLJobArn", "LabelingJobArn"])
def test_jobs_that_aws_started_on_somebodys_behalf_are_left_alone(job: dict[str, Any], started_by: str) -> None:
    theirs = a_training_job(**{**job, started_by: f"{STEM}:job/churn"})
    assert failing(an_inventory(), theirs) == set()
    assert verdicts(theirs, an_inventory()) == {Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize("started_by", ["AutoMLJobArn", "LabelingJobArn"])
def test_transform_jobs_that_aws_started_on_somebodys_behalf_are_left_alone(started_by: str) -> None:
    own = a_transform_job(instance_type="ml.p3.2xlarge")
    theirs = a_transform_job(instance_type="ml.p3.2xlarge", **{started_by: f"{STEM}:job/churn"})
    rules = {"endpoint-gpu-unneeded-by-algorithm", "instance-previous-generation"}
    assert failing(an_inventory(own, a_model(LDA))) >= rules
    assert failing(an_inventory(theirs, a_model(LDA))) == set()


@pytest.mark.parametrize(
    "described",
    [
        {"resources": {"KeepAlivePeriodInSeconds": 600}},
        {
            "instance_type": None,
            "instances": None,
            "resources": {
                "InstancePreferences": [{"InstanceType": "ml.m5.xlarge"}, {"InstanceType": "ml.m6i.xlarge"}],
                "SelectedInstanceType": "ml.m5.xlarge",
                "SelectedInstanceCount": 1,
            },
        },
        {"resources": {"TrainingPlanArn": f"{STEM}:training-plan/p5"}},
        {"instance_type": None, "instances": None, "ServerlessJobConfig": {"JobType": "FineTuning"}},
    ],
    ids=["a warm pool", "instance preferences", "a training plan", "a serverless job"],
)
def test_what_cannot_run_on_spot_instances_is_not_advised_to(described: dict[str, Any]) -> None:
    kept, free = a_training_job(seconds=36_000, **described), a_training_job(seconds=36_000)
    assert failing(an_inventory(), kept) == set()
    assert Verdict.UNKNOWN not in verdicts(kept, an_inventory())
    assert failing(an_inventory(), free) == {"training-spot-not-used"}


def test_a_spot_job_shows_its_saving_once_it_is_known() -> None:
    finished = a_training_job(spot=True, seconds=3_600, billable=1_200)
    running = a_training_job(spot=True, seconds=None, status="InProgress")
    shown = [judged("training-spot-no-checkpoint", job, an_inventory()).evidence for job in (finished, running)]
    assert shown[0]["saving_percent"] == 66.7
    assert "saving_percent" not in shown[1]


# ---- network


@pytest.mark.parametrize(
    "subnet", [LOCAL_SUBNET, WAVELENGTH_SUBNET, OUTPOST_SUBNET], ids=["Local Zone", "Wavelength Zone", "Outpost"]
)
def test_a_subnet_outside_the_availability_zones_does_not_count(subnet: Any) -> None:
    rules = {"model-vpc-single-az", "vpc-single-az"}
    beside = an_inventory(a_model(subnets=["subnet-a", subnet.id]), a_vpc(SUBNET_A, subnet))
    apart = an_inventory(a_model(subnets=["subnet-a", "subnet-b"]), a_vpc(SUBNET_A, SUBNET_B, subnet))
    assert failing(beside) >= rules
    assert failing(apart) == set()


def test_availability_zones_are_compared_by_id() -> None:
    renamed = a_subnet("subnet-x", zone="euw1-az1", zone_name="eu-west-1b")
    inventory = an_inventory(a_model(subnets=["subnet-a", "subnet-x"]), a_vpc(SUBNET_A, renamed))
    assert failing(inventory) >= {"model-vpc-single-az", "vpc-single-az"}


def test_the_subnets_of_the_model_count_and_not_those_of_its_vpc() -> None:
    inventory = an_inventory(a_model(subnets=["subnet-a"]), a_vpc(SUBNET_A, SUBNET_B))
    assert failing(inventory) == {"model-vpc-single-az"}


def test_a_model_is_told_once_with_the_endpoints_that_use_it() -> None:
    model = a_model(subnets=["subnet-a"], used_by=["churn", "fraud"])
    variants = a_variant(endpoint="churn"), a_variant(endpoint="fraud")
    inventory = an_inventory(model, SUBNET_A, *variants)
    failed = [subject for subject in inventory.subjects if _fails("model-vpc-single-az", subject, inventory)]
    assert failed == [model]
    assert judged("model-vpc-single-az", model, inventory).evidence["endpoints"] == ["churn", "fraud"]


def _fails(rule: str, subject: Fact, inventory: Inventory) -> bool:
    return subject.kind in RULES[rule].kinds and judged(rule, subject, inventory).verdict is Verdict.FAIL


# ---- what could not be read


def test_access_denied_is_never_no_automatic_scaling() -> None:
    variant, component = a_variant(), a_component()
    for subject in (variant, component):
        seen, denied = an_inventory(subject), an_inventory(subject, unread=[Part.TARGETS])
        assert outcomes(subject, seen)["variant-no-autoscaling"].verdict is Verdict.FAIL
        assert outcomes(subject, denied)["variant-no-autoscaling"].verdict is Verdict.UNKNOWN


def test_access_denied_to_policies_is_never_a_target_without_one() -> None:
    variant, target = a_variant(), a_target(a_variant())
    id = "autoscaling-target-without-policy"
    assert judged(id, target, an_inventory(variant, target)).verdict is Verdict.FAIL
    for part in (Part.POLICIES, Part.SCHEDULES, Part.ENDPOINTS):
        assert judged(id, target, an_inventory(*_but(part, variant), target, unread=[part])).verdict is Verdict.UNKNOWN


def _but(part: Part, variant: Variant) -> Iterable[Variant]:
    return () if part is Part.ENDPOINTS else (variant,)


def test_access_denied_to_subnets_is_never_a_subnet_that_is_gone() -> None:
    model = a_model(subnets=["subnet-a", "subnet-b"])
    assert "model-vpc-subnet-missing" in failing(an_inventory(model))
    denied = an_inventory(model, unread=[Part.SUBNETS])
    assert failing(denied) == set()
    assert outcomes(model, denied)["model-vpc-subnet-missing"].verdict is Verdict.UNKNOWN


def test_access_denied_to_metrics_is_never_idle() -> None:
    variant = a_variant()
    denied = an_inventory(variant, a_model(), *well_scaled(variant), unread=[Part.METRICS])
    assert failing(denied) == set()
    assert outcomes(variant, denied)["endpoint-idle"].verdict is Verdict.UNKNOWN
    assert "endpoint-idle" in failing(an_inventory(variant, a_model(), *well_scaled(variant)))


def test_a_config_that_could_not_be_read_leaves_rules_unknown() -> None:
    seen, unseen = the_worst_variant(), the_worst_variant(config_read=False)
    assert failing(an_inventory(seen, a_model(LDA))) >= {"endpoint-single-instance", "endpoint-idle"}
    assert failing(an_inventory(unseen, a_model(LDA), unread=[(Part.CONFIGS, "churn-config")])) == set()


# ---- one defect, one finding


def _merged(*facts: Given) -> list[str]:
    judge = Judge({id: RuleSetting(rule, True, rule.params()) for id, rule in RULES.items()}, Scope(ACCOUNT, REGION))
    called = [a_series("Invocations", {1: 500.0}, variant=name) for name in ("AllTraffic", "A", "B")]
    inventory = an_inventory(*facts, *called)
    for subject in inventory.subjects:
        judge.judge(subject, inventory)
    judge.merge()
    rules = {"endpoint-single-instance", "autoscaling-min-below-two"}
    return sorted(failure.rule.id for failure in judge.failing if failure.rule.id in rules)


def test_a_minimum_of_one_is_told_with_the_single_instance_that_it_led_to() -> None:
    single, double = a_variant(count=1), a_variant(count=2)
    assert _merged(single, a_target(single, minimum=1)) == ["endpoint-single-instance"]
    assert _merged(double, a_target(double, minimum=1)) == ["autoscaling-min-below-two"]


def test_a_managed_minimum_of_one_is_told_with_the_single_instance_that_it_led_to() -> None:
    single = a_host_of_components(count=1, running=managed_scaling(1))
    double = a_host_of_components(count=2, running=managed_scaling(1))
    assert _merged(single, a_component()) == ["endpoint-single-instance"]
    assert _merged(double, a_component()) == ["autoscaling-min-below-two"]


def test_a_minimum_of_one_is_told_by_itself_where_another_variant_runs_on_one_instance() -> None:
    single, double = a_variant("A", count=1), a_variant("B", count=2)
    rules = _merged(an_endpoint(single, double), a_target(double, minimum=1))
    assert rules == ["autoscaling-min-below-two", "endpoint-single-instance"]
