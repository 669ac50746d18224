"""What holds for many rules: the states and kinds of resources that they do not concern."""

from datetime import datetime, timedelta

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import IN_TRANSITION, NOT_SERVING, plain
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plain import TransformJob
from chalicelib.inventory.kinds.scaling import PROVISIONED_DIMENSION, ScalableTarget, ScalingPolicy
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.report.outcomes import Outcome, not_applicable, not_now


def serving(status: str) -> Outcome | None:
    """An endpoint in transition is judged by its next event, one that does not serve only by ``endpoint-degraded``."""
    if plain(status) in IN_TRANSITION:
        return not_now(f"the endpoint is {status}; endpoint-stuck-in-transition tells it where that lasts")
    if plain(status) in NOT_SERVING:
        return not_now(f"the endpoint is {status}; endpoint-degraded tells it")
    return None


def variant_in_service(variant: Variant, estate: Inventory) -> Outcome | None:
    """A production variant that takes part in serving: no shadow, no endpoint in transition."""
    if variant.shadow:
        return not_applicable("a shadow variant serves no caller")
    return serving(variant.endpoint_status)


def variant_with_instances(variant: Variant, estate: Inventory) -> Outcome | None:
    """A production variant in service that has instances of its own."""
    if (outcome := variant_in_service(variant, estate)) is not None:
        return outcome
    return not_applicable("a serverless variant has no instances") if variant.serverless else None


def component_in_service(component: InferenceComponent, estate: Inventory) -> Outcome | None:
    """A component that serves by itself; an adapter rides on the copies of its base component."""
    if component.base_component:
        return not_applicable("an adapter is served by the copies of its base component")
    if plain(component.status) == "failed":
        return not_now("the inference component is Failed; inference-component-degraded tells it")
    if plain(component.status) not in ("inservice", ""):
        return not_now(f"the inference component is {component.status}")
    endpoint = estate.endpoints.get(component.endpoint_name)
    if endpoint is None:
        estate.gaps.demand(Part.ENDPOINTS, component.endpoint_name)
        return None
    return serving(endpoint.status)


def scaled(subject: ScalableTarget | ScalingPolicy, estate: Inventory) -> Outcome | None:
    """A target or policy whose variant or component exists and is in service."""
    what = estate.scaled_by(subject)
    if what is None:
        endpoint = estate.endpoints.get(subject.resource_id.removeprefix("endpoint/").split("/")[0])
        if endpoint is not None and not (endpoint.settled and endpoint.variants):
            return not_now(f"the endpoint is {endpoint.status} and does not name it")
        return not_applicable("what it scales does not exist; autoscaling-orphaned-target tells it")
    if not isinstance(what, Variant):
        return component_in_service(what, estate)
    if subject.dimension != PROVISIONED_DIMENSION:
        return variant_with_instances(what, estate)
    if (outcome := variant_in_service(what, estate)) is not None:
        return outcome
    return None if what.serverless else not_applicable("a variant with instances has no provisioned concurrency")


def own_training_job(job: TrainingJob, estate: Inventory) -> Outcome | None:
    """A training job that somebody started: no child of a tuning job, of AutoML or of Ground Truth."""
    if job.tuning_job_arn:
        return not_applicable("a child of a tuning job is told with the tuning job")
    return own_job(job, estate)


def own_job(job: TrainingJob | TransformJob, estate: Inventory) -> Outcome | None:
    """A job that AWS did not start on somebody's behalf (AutoML, Ground Truth)."""
    if job.auto_ml_job_arn or job.labeling_job_arn:
        return not_applicable("AutoML and Ground Truth choose how their own jobs run")
    return None


def younger_than(moment: datetime | None, age: timedelta, estate: Inventory) -> bool:
    """True when ``moment`` is less than ``age`` ago. Raises Unread when AWS told no time."""
    if moment is None:
        raise Unread("AWS gave no time for it")
    return estate.now - moment < age


def older_than(moment: datetime | None, age: timedelta, estate: Inventory) -> bool:
    """True when ``moment`` is more than ``age`` ago. Raises Unread when AWS told no time."""
    if moment is None:
        raise Unread("AWS gave no time for it")
    return estate.now - moment > age


def deployed(variant: Variant, estate: Inventory, age: timedelta) -> datetime | None:
    """When the deployment began: the later of the creation of the endpoint and of the config that runs, and of its last
    change where nothing scales the endpoint, as every step of scaling counts as a change of all of it. A change more
    than ``age`` ago is not asked about, and a config that is younger than the last change was made again under its
    name: it moved nothing."""
    modified, config_created = variant.endpoint_modified, variant.config_created
    if config_created is not None and modified is not None and config_created > modified:
        config_created = None
    moments = [moment for moment in (variant.endpoint_created, config_created) if moment]
    if modified is not None and estate.now - modified <= age and not _endpoint_scales(variant, estate):
        moments.append(modified)
    return max(moments, default=None)


def _endpoint_scales(variant: Variant, estate: Inventory) -> bool:
    """Whether something changes the instance count of the variant or of one beside it."""
    return any(scales(beside, estate) for beside in estate.variants_beside(variant))


def scales(variant: Variant, estate: Inventory) -> bool:
    """Whether something changes the variant's instance count: a scalable target, with its policies and schedules, or
    managed instance scaling, which works without a model of the variant's own only. Raises Unread where unread."""
    managed = variant.hosts_components and variant.managed_scaling is not None
    return managed or estate.target_of(variant) is not None


def held_by_schedule(scaled: Variant | InferenceComponent, count: int, estate: Inventory) -> bool | None:
    """True where a live scheduled action keeps a variant or component at ``count`` or below, for the time being; None
    where its target or schedules could not be read: how many run is known all the same. Raises Unread where they are
    left to the next sweep, which will tell."""
    try:
        return estate.held_by_schedule(scaled, count)
    except Unread as unread:
        if unread.failure is not None and unread.failure.deferred:
            raise
        return None
