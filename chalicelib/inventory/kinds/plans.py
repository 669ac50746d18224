"""Training plans, the capacity that is reserved for a time: the facts."""

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from chalicelib.inventory.facts import Count, Stated, States, Tags, Time, at, states

#: Plans and blocks that give capacity, now or later.
LIVE = frozenset({"Pending", "Active", "Scheduled"})
_STATES = states("Pending", "Active", "Scheduled", "Expired", "Failed")


class ReservedCapacity(Stated):
    """One block of a training plan's capacity: ``ReservedCapacitySummaries[]``. It lies in one Availability Zone."""

    known_states: ClassVar[States] = {"status": _STATES}
    arn: str = at("ReservedCapacityArn", default="")
    status: str = at("Status", default="")
    instance_type: str | None = at("InstanceType")
    instances: Count | None = at("TotalInstanceCount")
    zone_id: str | None = at("AvailabilityZoneId")
    start: Time | None = at("StartTime")
    end: Time | None = at("EndTime")


class TrainingPlan(Stated):
    """``DescribeTrainingPlan``, with the training jobs in progress that run on it (None: nobody looked)."""

    kind: ClassVar[str] = "training-plan"
    essential: ClassVar[tuple[str, ...]] = ("Status",)
    known_states: ClassVar[States] = {"status": _STATES}
    name: str = at("TrainingPlanName", required=True)
    arn: str = at("TrainingPlanArn", default="")
    status: str = at("Status", default="")
    start: Time | None = at("StartTime")
    end: Time | None = at("EndTime")
    instances: Count | None = at("TotalInstanceCount")
    blocks: tuple[ReservedCapacity, ...] = at("ReservedCapacitySummaries", default=())
    running_jobs: tuple[str, ...] | None = Field(None, description="training jobs in progress with its ARN")
    tags: Tags | None = Field(None, description="not in its description")

    @property
    def live_blocks(self) -> list[ReservedCapacity]:
        """The blocks that give capacity, or did until now, by their start. Raises Unread for a state that is not
        known."""
        blocks = [block for block in self.blocks if block.status in LIVE and block.end is not None]
        return sorted(blocks, key=lambda block: str(block.start))

    @property
    def last_end(self) -> datetime | None:
        """When the last block ends; without blocks, when the plan does."""
        return max((block.end for block in self.live_blocks if block.end is not None), default=self.end)

    def gap_at(self, moment: datetime) -> datetime | None:
        """When capacity comes back, where the plan has begun and no block covers ``moment``; else None."""
        begun = [block for block in self.blocks if block.start is not None and block.start <= moment]
        covered = any(block.end is not None and block.end > moment for block in begun)
        later = [block.start for block in self.live_blocks if block.start is not None and block.start > moment]
        return min(later) if begun and later and not covered else None

    def holds(self, arn: str | None) -> bool:
        """True for the ARN of the plan or of one of its blocks."""
        return arn is not None and arn in {self.arn, *(block.arn for block in self.blocks)}
