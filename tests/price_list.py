"""A server on loopback that answers ``GetProducts`` as AWS does: filtered by attribute, in pages, counted."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from chalicelib.inventory.aws import Aws, beside
from samples.price_records import items
from tests import loopback


@dataclass
class PriceListServer:
    """The records of a list. ``failure`` (status and error code) or ``raw`` (a body) is answered instead; ``page`` is
    the size of a page. ``asked`` holds the filters of each request, ``regions`` those that signed it."""

    records: list[dict[str, Any]] = field(default_factory=list)
    failure: tuple[int, str] | None = None
    raw: bytes | None = None
    page: int = 100
    asked: list[dict[str, Any]] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, request: Mapping[str, Any]) -> tuple[int, bytes]:
        """Status and body for a request."""
        filters = {entry["Field"]: entry["Value"] for entry in request.get("Filters", ())}
        assert request["ServiceCode"] == "AmazonSageMaker"
        assert all(entry["Type"] == "TERM_MATCH" for entry in request.get("Filters", ()))
        self.asked.append(filters)
        if self.failure is not None:
            status, code = self.failure
            return status, json.dumps({"__type": code, "message": "no"}).encode()
        if self.raw is not None:
            return 200, self.raw
        matching = [record for record in self.records if _matches(record, filters)]
        start = int(request.get("NextToken", 0))
        shown = matching[start : start + self.page]
        following = {"NextToken": str(start + self.page)} if start + self.page < len(matching) else {}
        return 200, json.dumps({"FormatVersion": "aws_v1", "PriceList": items(*shown), **following}).encode()

    def door(self, region: str) -> Aws:
        """A door to the server, as to AWS's in a region."""
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=region)
        return beside(session, region)


def _matches(record: dict[str, Any], filters: Mapping[str, str]) -> bool:
    """AWS matches what a product says of itself, and its family."""
    product = record["product"]
    attributes = {"productFamily": product["productFamily"], **product["attributes"]}
    return all(attributes.get(name) == value for name, value in filters.items())


@contextmanager
def serving(server: PriceListServer) -> Iterator[PriceListServer]:
    """The server on a free port of loopback."""

    class Handler(loopback.Quiet):
        def do_POST(self) -> None:
            server.regions.append(self.headers["Authorization"].split("/")[2])
            self.answer(*server.answer(json.loads(self.body())), {"Content-Type": "application/x-amz-json-1.1"})

    with loopback.serving(Handler) as server.url:
        yield server
