"""AWS's wire in this process: botocore's own clients, whose requests are answered from an account in memory.

Between the answer and the client a fault may change the records, or the bytes. Nothing leaves the process.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from io import BytesIO
from threading import local
from typing import Any
from xml.sax.saxutils import escape

import boto3
from botocore.awsrequest import AWSResponse

from chalicelib.inventory.answers import CallFailed, Gone
from chalicelib.inventory.aws import Aws
from emulator import cbor
from tests.accounts.door import Record, StateDoor
from tests.accounts.shapes import service
from tests.faults.account import REGION


class Answers(StateDoor):
    """The account's answers, with those about kinds of which it has none."""

    def _ListClusters(self, parameters: Mapping[str, Any]) -> Record:
        return {"ClusterSummaries": [{"ClusterName": "pod", "ClusterStatus": "InService"}]}

    def _DescribeCluster(self, parameters: Mapping[str, Any]) -> Record:
        arn = f"arn:aws:sagemaker:{REGION}:123456789012:cluster/abcdefghijkl"
        return {
            "ClusterName": "pod",
            "ClusterArn": arn,
            "ClusterStatus": "InService",
            "NodeRecovery": "None",
            "InstanceGroups": [],
            "CreationTime": 1_700_000_000,
        }

    def _ListAIBenchmarkJobs(self, parameters: Mapping[str, Any]) -> Record:
        return {"AIBenchmarkJobs": []}

    def _ListAlarmMuteRules(self, parameters: Mapping[str, Any]) -> Record:
        return {"AlarmMuteRuleSummaries": []}


@dataclass
class Reply:
    """An answer on its way: the parsed ``answer``, which a fault may change, and the ``body`` that it becomes."""

    answer: Record
    status: int = 200
    body: bytes = b""
    page: int = 0


#: Changes a reply before its answer is written, or after; one that raises is a connection that broke.
Change = Callable[[Reply], None]


def untouched(reply: Reply) -> None:
    """No fault."""


@dataclass
class Wire:
    """Who answers now, and what is changed at which operation (``service:Operation``)."""

    answers: Answers
    operation: str = ""
    answer_fault: Change = untouched
    body_fault: Change = untouched
    pages: dict[str, int] = field(default_factory=dict)

    def respond(self, service_name: str, operation: str, protocol: str, parameters: Record) -> AWSResponse:
        """The response to one request."""
        name = f"{service_name}:{operation}"
        model = service(service_name).operation_model(operation)
        parameters.pop("NextToken", None)
        try:
            reply = Reply(self.answers.call(service_name, operation, **parameters))
        except CallFailed as failure:
            code, message = failure.code, failure.message
            if isinstance(failure, Gone):
                code, message = _gone(operation, parameters)
            reply = Reply({"__type": code, "message": message}, status=400)
        reply.page = self.pages[name] = self.pages.get(name, 0) + 1
        if name == self.operation:
            self.answer_fault(reply)
        reply.body = _written(reply, protocol, model)
        if name == self.operation:
            self.body_fault(reply)
        headers = {"smithy-protocol": "rpc-v2-cbor", "x-amzn-RequestId": "1", "content-length": str(len(reply.body))}
        return AWSResponse("https://aws/", reply.status, headers, _Raw(reply.body))


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


_now = local()


class _Session:
    """Makes botocore's clients, whose requests the wire that is laid now answers."""

    wire: Wire

    def client(self, name: str, **options: Any) -> Any:
        client = boto3.Session("test", "test", region_name=REGION).client(name, **options)
        protocol = client.meta.service_model.resolved_protocol

        def noted(params: Record, **_: Any) -> None:
            _now.parameters = dict(params)

        def sent(event_name: str, **_: Any) -> AWSResponse:
            return self.wire.respond(name, event_name.rsplit(".", 1)[1], protocol, _now.parameters)

        client.meta.events.register("provide-client-params", noted)
        client.meta.events.register("before-send", sent)
        return client


_SESSION = _Session()


@cache
def _door() -> Aws:
    return Aws(_SESSION, REGION)


def laid(wire: Wire) -> Aws:
    """The auditor's own door, at the end of this wire; one at a time, as making clients takes seconds."""
    _SESSION.wire = wire
    return _door()


#: How SageMaker says in a ValidationException that there is no such resource.
_GONE = {
    "DescribeEndpoint": 'Could not find endpoint "{name}".',
    "DescribeEndpointConfig": 'Could not find endpoint configuration "{name}".',
    "DescribeModel": 'Could not find model "{name}".',
    "DescribeInferenceComponent": 'Could not find inference component "{name}".',
    "DescribeTrainingJob": "Requested resource not found.",
    "DescribeTransformJob": "Could not find requested job with name: {name}",
    "DescribeNotebookInstance": "RecordNotFound",
}


def _gone(operation: str, parameters: Mapping[str, Any]) -> tuple[str, str]:
    name = next(iter(parameters.values()), "")
    if operation in _GONE:
        return "ValidationException", _GONE[operation].format(name=name)
    return "ResourceNotFound", f"{name} not found."


# ---- how each protocol writes an answer


def _written(reply: Reply, protocol: str, model: Any) -> bytes:
    if protocol == "json":
        return json.dumps(reply.answer, default=_seconds).encode()
    if protocol == "smithy-rpc-v2-cbor":
        return cbor.encode(_stamped(reply.answer))
    if reply.status >= 300:
        error = f"<Error><Code>{reply.answer['__type']}</Code><Message>no</Message></Error>"
        return f"<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>".encode()
    return f"<Answer>{_xml(reply.answer, model.output_shape)}</Answer>".encode()


def _seconds(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"no JSON: {value!r}")


def _stamped(value: Any) -> Any:
    if isinstance(value, datetime):
        return cbor.Timestamp(value.timestamp())
    if isinstance(value, Mapping):
        return {key: _stamped(inner) for key, inner in value.items()}
    return [_stamped(inner) for inner in value] if isinstance(value, list) else value


def _xml(value: Any, shape: Any) -> str:
    if isinstance(value, Mapping):
        members = shape.members if shape is not None and shape.type_name == "structure" else {}
        return "".join(_element(key, inner, members.get(key)) for key, inner in value.items() if inner is not None)
    if isinstance(value, list):
        member = shape.member if shape is not None and shape.type_name == "list" else None
        return "".join(f"<item>{_xml(inner, member)}</item>" for inner in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def _element(key: str, value: Any, shape: Any) -> str:
    name = shape.serialization.get("name", key) if shape is not None else key
    return f"<{name}>{_xml(value, shape)}</{name}>"
