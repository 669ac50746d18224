"""What training reads and writes in Amazon S3: checkpoints that do not come, buckets in another region."""

from datetime import timedelta

from pydantic import PositiveFloat

from chalicelib.inventory.buckets import MOST_PAGES, OBJECTS_A_PAGE, Checkpoints, bucket_of, region_by_name
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.configs import plain
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import OPERATIONS, Part
from chalicelib.report.cause import Cause
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.guards import own_training_job
from chalicelib.rules.registry import Params, rule
from chalicelib.rules.spot_training import TOPIC


class Written(Params):
    min_hours: PositiveFloat = 2
    max_age_hours: PositiveFloat = 3


@rule(
    "training-checkpoint-not-written",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.MEDIUM,
    params=Written,
    reads=[Part.TRAINING_JOBS, Part.CHECKPOINTS],
    guards=[own_training_job],
    enabled=False,
)
def training_checkpoint_not_written(job: TrainingJob, estate: Inventory, params: Written) -> Outcome:
    """A job in progress has run for longer than ``min_hours``, and under its checkpoint path no object is newer than
    the start of training, or the newest one is older than ``max_age_hours`` (high on spot instances)."""
    if plain(job.status) != "inprogress":
        return not_applicable(f"{job.status or 'not'}, not in progress")
    if not job.checkpoint_s3_uri:
        return not_applicable("has no checkpoint path")
    if job.started is None:
        return passed("it has not begun to run")
    if plain(job.secondary_status) != "training":
        return not_applicable(f"it is {job.secondary_status or 'in progress'}, not training").passing()
    ran = job.ran_by(estate.now)
    if ran is None:
        raise Unread("AWS gave no status transitions, which tell how long it has run between interruptions")
    if ran <= params.min_hours * 3_600:
        return passed(f"has run for less than {params.min_hours:g} hours")
    checkpoints = _checkpoints_under(job.checkpoint_s3_uri, estate)
    newest = checkpoints.newest
    facts: Facts = {
        "checkpoint_s3_uri": job.checkpoint_s3_uri,
        "newest": f"{newest:%Y-%m-%d %H:%M} UTC" if newest else None,
        "objects": checkpoints.objects,
        "started": f"{job.started:%Y-%m-%d %H:%M} UTC",
        "run_hours": round(ran / 3_600, 1),
        "max_age_hours": params.max_age_hours,
        "instance_type": ", ".join(job.instance_types) or None,
        "instance_count": job.instances,
        "spot": job.spot,
    }
    since_start = newest is not None and newest > job.started
    if newest is not None and since_start and estate.now - newest <= timedelta(hours=params.max_age_hours):
        return passed(f"its newest checkpoint is of {facts['newest']}", **facts)
    if not checkpoints.whole:
        raise Unread(f"more than {MOST_PAGES * OBJECTS_A_PAGE:,} objects lie under {job.checkpoint_s3_uri}")
    return failed(severity=Severity.HIGH if job.spot else None, **facts, since_start=since_start)


def _checkpoints_under(uri: str, estate: Inventory) -> Checkpoints:
    """What was written under a checkpoint path. Raises Unread where it was not read."""
    estate.gaps.demand(Part.CHECKPOINTS, uri)
    if uri not in estate.storage.checkpoints:
        raise Unread(f"the objects under {uri} were not read", OPERATIONS[Part.CHECKPOINTS][0], cause=Cause.FAILED)
    return estate.storage.checkpoints[uri]


@rule(
    "training-data-in-other-region",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.LOW,
    concern=Concern.COSTS,
    reads=[Part.TRAINING_JOBS, Part.BUCKETS],
    guards=[own_training_job],
    enabled=False,
)
def training_data_in_other_region(job: TrainingJob, estate: Inventory, params: Params) -> Outcome:
    """The bucket of an input, of the output or of the checkpoints lies in another region than the job."""
    buckets = {what: bucket for what, uri in job.s3_uris.items() if (bucket := bucket_of(uri))}
    if not buckets:
        return not_applicable("names no bucket")
    elsewhere: dict[str, str] = {}
    doubt: Unread | None = None
    for what, bucket in buckets.items():
        try:
            region = _region_of(bucket, estate)
        except Unread as unread:
            doubt = unread
            continue
        if region and region != estate.region:
            elsewhere[what] = f"{bucket} in {region}"
    if elsewhere:
        return failed(elsewhere=elsewhere, job_region=estate.region, checkpoints_elsewhere="checkpoints" in elsewhere)
    if doubt is not None:
        raise doubt
    return passed("every bucket lies in its region, as far as it is there", buckets=sorted(set(buckets.values())))


def _region_of(bucket: str, estate: Inventory) -> str:
    """Where a bucket lies, empty where it is gone or needs no question. Raises Unread where nothing told."""
    named = region_by_name(bucket)
    if named is not None:
        return named
    estate.gaps.demand(Part.BUCKETS, bucket)
    if bucket not in estate.storage.regions:
        raise Unread(f"the region of {bucket} was not read", OPERATIONS[Part.BUCKETS][0], cause=Cause.FAILED)
    return estate.storage.regions[bucket]
