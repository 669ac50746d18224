"""CloudWatch's PromQL over HTTP: instant queries that count the hosts of endpoints, which is all that is asked here."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from emulator.extension.registry import AwsError, backend_of

_QUERY = re.compile(
    r'count by \((?P<by>[^)]*)\) \(count_over_time\((?P<metric>\w+)\{"(?P<label>[^"]+)"=~"(?P<wanted>.*)"\}'
)
_MOST = 500
Host = tuple[str, str, str, str]


def hosts_of(account: str, region: str) -> list[Host]:
    """The instances that detailed observability tells: endpoint, variant, zone and host id of each."""
    hosts: list[Host] = vars(backend_of("cloudwatch", account, region)).setdefault("_observed_hosts", [])
    return hosts


def answer(account: str, region: str, body: bytes) -> dict[str, Any]:
    """The answer to a form-encoded instant query, in Prometheus's form. Raises AwsError for one that is not known."""
    query = _QUERY.match(parse_qs(body.decode()).get("query", [""])[0])
    if query is None:
        raise AwsError("ValidationException", "the emulator knows no such query")
    wanted = query["wanted"].split("|")
    labels = ("aws.sagemaker.endpoint.name", "aws.sagemaker.variant.name", "@resource.cloud.availability_zone")
    series = [
        {"metric": dict(zip((*labels, "@resource.host.id"), host, strict=True)), "value": [0, "1"]}
        for host in hosts_of(account, region)
        if host[0] in wanted
    ]
    return {"status": "success", "data": {"resultType": "vector", "result": series[:_MOST]}}
