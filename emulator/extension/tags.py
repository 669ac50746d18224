"""Tags of all SageMaker resources that the extension keeps: a second value for a key replaces the first."""

from __future__ import annotations

from typing import Any

from emulator.extension.records import KINDS, Record, find
from emulator.extension.registry import NotHandled, operation, page

Request = dict[str, Any]
_PAGE = 100
_KIND_BY_ARN_TYPE = {kind.arn_type: kind for kind in KINDS}


def _tagged(backend: Any, arn: str) -> Record:
    arn_type, _, name = arn.split(":", 5)[-1].partition("/")
    kind = _KIND_BY_ARN_TYPE.get(arn_type)
    if kind is None:
        raise NotHandled(arn)
    return find(backend, kind, name if kind.arn_is_name else arn)


@operation("sagemaker", "ListTags")
def list_tags(backend: Any, request: Request) -> Request:
    record = _tagged(backend, request["ResourceArn"])
    tags, token = page(record.tags, request, default=_PAGE, maximum=_PAGE)
    return {"Tags": tags, **({"NextToken": token} if token else {})}


@operation("sagemaker", "AddTags")
def add_tags(backend: Any, request: Request) -> Request:
    record = _tagged(backend, request["ResourceArn"])
    tags = {tag["Key"]: tag["Value"] for tag in [*record.tags, *request["Tags"]]}
    record.tags = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"Tags": record.tags}


@operation("sagemaker", "DeleteTags")
def delete_tags(backend: Any, request: Request) -> None:
    record = _tagged(backend, request["ResourceArn"])
    record.tags = [tag for tag in record.tags if tag["Key"] not in request["TagKeys"]]
