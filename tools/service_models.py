"""What botocore reads of the services that the functions ask: their models with these operations alone,
and where in the world all of them are, for the package.

``chalicelib.inventory.service_models`` has botocore look there first; what is not there, it takes from its own data.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session

from chalicelib.inventory.aws import boto3_name
from chalicelib.inventory.parts import OPERATIONS

KIND = "service-2"
#: botocore's own handlers change the model of S3.
WHOLE = frozenset({"s3"})
#: What the other doors ask: ledger, notices, fleet, secrets, money.
BESIDE = {
    "cost-optimization-hub": ["ListRecommendations"],
    "dynamodb": ["BatchGetItem", "GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"],
    "events": ["DescribeEventBus", "PutEvents"],
    "organizations": ["ListAccounts", "ListTagsForResource"],
    "pricing": ["GetProducts"],
    "secretsmanager": ["GetSecretValue"],
    "securityhub": ["BatchImportFindings"],
    "sesv2": ["SendEmail"],
    "sns": ["Publish"],
    "sqs": ["ChangeMessageVisibility", "SendMessage", "SendMessageBatch"],
    "ssm": ["GetParameter"],
    "sts": ["AssumeRole", "GetCallerIdentity"],
}


def operations() -> dict[str, list[str]]:
    """The operations that the functions ask of what is not read whole, by the name of the service in boto3."""
    by_service = {service: set(names) for service, names in BESIDE.items()}
    for listed in OPERATIONS.values():
        for service, name in (operation.split(":") for operation in listed):
            if service not in WHOLE:
                by_service.setdefault(boto3_name(service), set()).add(name)
    return {service: sorted(names) for service, names in sorted(by_service.items())}


def write_models(folder: Path) -> None:
    """Writes ``SERVICE/VERSION/service-2.json`` for each of these services, as botocore lays out its data."""
    loader = botocore.session.Session().get_component("data_loader")
    for service, names in operations().items():
        place = folder / service / loader.determine_latest_version(service, KIND)
        place.mkdir(parents=True)
        model = narrowed(loader.load_service_model(service, KIND), names)
        (place / f"{KIND}.json").write_text(json.dumps(model, separators=(",", ":")), encoding="utf-8")


def write_addresses(folder: Path) -> None:
    """Writes ``endpoints.json``: every region, and the services that the functions speak to."""
    loader = botocore.session.Session().get_component("data_loader")
    services = WHOLE | operations().keys()
    prefixes = {loader.load_service_model(service, KIND)["metadata"]["endpointPrefix"] for service in services}
    everything = loader.load_data("endpoints")
    partitions = [
        {**partition, "services": {name: place for name, place in partition["services"].items() if name in prefixes}}
        for partition in everything["partitions"]
    ]
    addresses = {**everything, "partitions": partitions}
    (folder / "endpoints.json").write_text(json.dumps(addresses, separators=(",", ":")), encoding="utf-8")


def narrowed(model: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """A service's model with these operations, the shapes that they need, and no documentation. Raises KeyError for an
    operation that the service does not have."""
    kept = {name: model["operations"][name] for name in names}
    shapes: dict[str, Any] = {}
    waiting = list(_named_in(kept))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            waiting += _named_in(shapes[name])
    bare: dict[str, Any] = _undocumented({**model, "operations": kept, "shapes": dict(sorted(shapes.items()))})
    return bare


def _named_in(part: Any) -> Iterator[str]:
    """The shapes that a part of a model refers to."""
    if isinstance(part, Mapping):
        if isinstance(name := part.get("shape"), str):
            yield name
        part = list(part.values())
    if isinstance(part, list):
        for entry in part:
            yield from _named_in(entry)


def _undocumented(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {
            name: _undocumented(value)
            for name, value in part.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_undocumented(entry) for entry in part] if isinstance(part, list) else part
