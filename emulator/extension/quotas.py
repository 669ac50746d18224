"""Service Quotas of SageMaker's endpoints, which moto does not know: one for each instance type, and one of all."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import botocore.session
from moto.utilities.utils import get_partition

from emulator.extension.registry import AwsError, operation, page

Request = dict[str, Any]
SERVICE = "servicequotas"
ALL_INSTANCES = "Number of instances across active endpoints"
_CODES = {ALL_INSTANCES: "L-7A3DF611", "ml.g5.xlarge for endpoint usage": "L-1928E07B"}
#: What an account may have of each quota until it asks for more.
APPLIED = 500.0
APPLIED_TO_ALL = 5000.0


@cache
def names() -> tuple[str, ...]:
    """The quotas by name: of the instance types that hosting knows, of training on some, and of all instances."""
    types = (
        botocore.session.get_session().get_service_model("sagemaker").shape_for("ProductionVariantInstanceType").enum
    )
    return (
        *(f"{name} for endpoint usage" for name in types),
        *(f"{name} for training job usage" for name in types if name.startswith("ml.m5")),
        ALL_INSTANCES,
    )


def values_of(backend: Any) -> dict[str, float]:
    """The values that differ from the applied ones of a new account, by the quota's name."""
    store: dict[str, float] = vars(backend).setdefault("_service_quotas", {})
    return store


def code_of(name: str) -> str:
    return _CODES.get(name) or f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"


def _quota(backend: Any, name: str) -> Request:
    region, account, code = backend.region_name, backend.account_id, code_of(name)
    return {
        "ServiceCode": "sagemaker",
        "ServiceName": "Amazon SageMaker",
        "QuotaArn": f"arn:{get_partition(region)}:servicequotas:{region}:{account}:sagemaker/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": values_of(backend).get(name, APPLIED_TO_ALL if name == ALL_INSTANCES else APPLIED),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }


def _of_sagemaker(request: Request) -> None:
    if request["ServiceCode"] != "sagemaker":
        raise AwsError(
            "NoSuchResourceException", f"The request failed because {request['ServiceCode']} does not exist."
        )


@operation(SERVICE, "ListServiceQuotas")
def list_service_quotas(backend: Any, request: Request) -> Request:
    _of_sagemaker(request)
    shown, token = page(names(), request, 100, 100, invalid_token="InvalidPaginationTokenException")
    return {"Quotas": [_quota(backend, name) for name in shown], **({"NextToken": token} if token else {})}


@operation(SERVICE, "GetServiceQuota")
def get_service_quota(backend: Any, request: Request) -> Request:
    return {"Quota": _quota(backend, _named(request))}


@operation(SERVICE, "RequestServiceQuotaIncrease")
def request_service_quota_increase(backend: Any, request: Request) -> Request:
    """Granted at once, which takes AWS minutes to days."""
    name, code = _named(request), request["QuotaCode"]
    values_of(backend)[name] = float(request["DesiredValue"])
    asked = {"Id": code_of(name), "ServiceCode": "sagemaker", "QuotaCode": code, "QuotaName": name}
    return {"RequestedQuota": {**asked, "DesiredValue": values_of(backend)[name], "Status": "APPROVED"}}


def _named(request: Request) -> str:
    _of_sagemaker(request)
    for name in names():
        if code_of(name) == request["QuotaCode"]:
            return name
    raise AwsError("NoSuchResourceException", f"The request failed because {request['QuotaCode']} does not exist.")
