"""Training plans: reserved capacity, which is bought by offerings; a seed makes a plan as it stands."""

from __future__ import annotations

from typing import Any

from emulator.extension.records import TRAINING_PLAN, find, now
from emulator.extension.registry import epoch, invalid, operation

Request = dict[str, Any]
_OFFERING, _EXTENSION_HOURS = "tpeo-", 30 * 24


@operation("sagemaker", "DescribeTrainingPlan")
def describe_training_plan(backend: Any, request: Request) -> Request:
    return find(backend, TRAINING_PLAN, request["TrainingPlanName"].rsplit("/", 1)[-1]).described()


@operation("sagemaker", "SearchTrainingPlanOfferings")
def search_training_plan_offerings(backend: Any, request: Request) -> Request:
    """One extension by thirty days of the plan that is named; nothing to buy otherwise."""
    if "TrainingPlanArn" not in request:
        return {"TrainingPlanOfferings": []}
    plan = find(backend, TRAINING_PLAN, request["TrainingPlanArn"].rsplit("/", 1)[-1])
    end = epoch(plan.fields["EndTime"])
    offering = {
        "TrainingPlanExtensionOfferingId": f"{_OFFERING}{plan.name}",
        "StartDate": end,
        "EndDate": end + _EXTENSION_HOURS * 3600,
        "DurationHours": _EXTENSION_HOURS,
    }
    return {"TrainingPlanOfferings": [], "TrainingPlanExtensionOfferings": [offering]}


@operation("sagemaker", "ExtendTrainingPlan")
def extend_training_plan(backend: Any, request: Request) -> Request:
    """The plan and its last block last thirty days longer."""
    offering = request["TrainingPlanExtensionOfferingId"]
    if not offering.startswith(_OFFERING):
        raise invalid(f"The offering {offering} does not exist.")
    plan = find(backend, TRAINING_PLAN, offering.removeprefix(_OFFERING))
    blocks = plan.fields.get("ReservedCapacitySummaries", [])
    for record in (plan.fields, *blocks[-1:]):
        record["EndTime"] = epoch(record["EndTime"]) + _EXTENSION_HOURS * 3600
    extension = {"TrainingPlanExtensionOfferingId": offering, "ExtendedAt": now(), "Status": "Active"}
    return {"TrainingPlanExtensions": [extension]}
