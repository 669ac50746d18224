"""Domains, user profiles, spaces and apps of SageMaker Studio, of which moto knows domains alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.extension.records import APP, Record, arn_of, now, only, output_members, shape_members, store_of
from emulator.extension.registry import AwsError, NotHandled, invalid, operation, page

Request = dict[str, Any]
_PAGE, _MOST = 10, 100


def _missing(what: str) -> AwsError:
    return AwsError("ResourceNotFound", f"{what} does not exist.")


def _settings(backend: Any, operation: str) -> dict[tuple[str, ...], Request]:
    """What an operation describes, by what names it."""
    everything: dict[str, dict[tuple[str, ...], Request]] = vars(backend).setdefault("_studio_settings", {})
    return everything.setdefault(operation, {})


def _described(backend: Any, operation: str, *key: str) -> Request:
    described = _settings(backend, operation).get(key)
    if described is None:
        raise _missing("/".join(key))
    return described


def add_domain(backend: Any, domain_id: str, **fields: Any) -> None:
    """A domain with the id that AWS would choose."""
    described = {"DomainId": domain_id, "DomainName": domain_id, "Status": "InService", "CreationTime": now()}
    _settings(backend, "DescribeDomain")[(domain_id,)] = {**described, **fields}


@operation("sagemaker", "DescribeDomain")
def describe_domain(backend: Any, request: Request) -> Request:
    """One that was made by moto's own ``CreateDomain`` is described by moto."""
    if request["DomainId"] in backend.domains:
        raise NotHandled(request["DomainId"])
    return _described(backend, "DescribeDomain", request["DomainId"])


@operation("sagemaker", "CreateUserProfile")
def create_user_profile(backend: Any, request: Request) -> Request:
    return _create(backend, request, "UserProfile", "user-profile")


@operation("sagemaker", "CreateSpace")
def create_space(backend: Any, request: Request) -> Request:
    return _create(backend, request, "Space", "space")


def _create(backend: Any, request: Request, word: str, arn_type: str) -> Request:
    domain, name = request["DomainId"], request[f"{word}Name"]
    _described(backend, "DescribeDomain", domain)
    arn = f"arn:aws:sagemaker:{backend.region_name}:{backend.account_id}:{arn_type}/{domain}/{name}"
    members = output_members(f"Describe{word}")
    described = {**only(request, members), f"{word}Arn": arn, "Status": "InService", "CreationTime": now()}
    _settings(backend, f"Describe{word}")[domain, name] = described
    return {f"{word}Arn": arn}


@operation("sagemaker", "DescribeUserProfile")
def describe_user_profile(backend: Any, request: Request) -> Request:
    return _described(backend, "DescribeUserProfile", request["DomainId"], request["UserProfileName"])


@operation("sagemaker", "DescribeSpace")
def describe_space(backend: Any, request: Request) -> Request:
    return _described(backend, "DescribeSpace", request["DomainId"], request["SpaceName"])


def app_key(request: Mapping[str, Any]) -> str:
    """What an app's ARN ends in: domain, space or user profile, type in small letters, name."""
    owner = request.get("SpaceName") or request.get("UserProfileName")
    if not owner:
        raise invalid("Either UserProfileName or SpaceName must be set.")
    return f"{request['DomainId']}/{owner}/{request['AppType'].lower()}/{request['AppName']}"


@operation("sagemaker", "CreateApp")
def create_app(backend: Any, request: Request) -> Request:
    """The app is in service at once, and its user active."""
    key = app_key(request)
    store = store_of(backend, APP)
    if key in store and store[key].fields["Status"] != "Deleted":
        raise AwsError("ResourceInUse", f"App {key} already exists.")
    word = "Space" if request.get("SpaceName") else "UserProfile"
    _described(backend, f"Describe{word}", request["DomainId"], request[f"{word}Name"])
    moment = now()
    times = dict.fromkeys(("CreationTime", "LastUserActivityTimestamp", "LastHealthCheckTimestamp"), moment)
    fields = only(request, output_members(APP.describe))
    arn = arn_of(backend, APP, key)
    store[key] = Record(APP, {**fields, **times, "AppArn": arn, "Status": "InService"}, request.get("Tags"))
    return {"AppArn": arn}


def _app(backend: Any, request: Request) -> Record:
    """The app of that name, of the space or user profile that the request names."""
    record = store_of(backend, APP).get(app_key(request))
    owner = "SpaceName" if request.get("SpaceName") else "UserProfileName"
    if record is None or record.fields.get(owner) != request[owner]:
        raise _missing(f"App {app_key(request)}")
    return record


@operation("sagemaker", "DescribeApp")
def describe_app(backend: Any, request: Request) -> Request:
    return _app(backend, request).described()


@operation("sagemaker", "DeleteApp")
def delete_app(backend: Any, request: Request) -> None:
    """The app is deleted at once; AWS lists it for a day."""
    _app(backend, request).fields["Status"] = "Deleted"


@operation("sagemaker", "ListApps")
def list_apps(backend: Any, request: Request) -> Request:
    equals = {"DomainId": "DomainIdEquals", "UserProfileName": "UserProfileNameEquals", "SpaceName": "SpaceNameEquals"}
    wanted = {member: request[asked] for member, asked in equals.items() if asked in request}
    records = [
        record
        for record in store_of(backend, APP).values()
        if all(record.fields.get(member) == value for member, value in wanted.items())
    ]
    records.sort(key=lambda record: float(record.fields["CreationTime"]))
    shown, token = page(records, request, default=_PAGE, maximum=_MOST)
    members = shape_members("AppDetails")
    return {"Apps": [only(record.fields, members) for record in shown], **({"NextToken": token} if token else {})}
