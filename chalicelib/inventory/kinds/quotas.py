"""Service quotas of the instances under endpoints: the facts, and how they are read."""

import functools
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, ClassVar

from chalicelib.inventory.answers import ENDLESS, CallFailed, text
from chalicelib.inventory.facts import Amount, Fact, Unread, at
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader
from chalicelib.inventory.remembered import Records, of_the_day
from chalicelib.tables import read_facts

#: Pages of a hundred quotas, at most: SageMaker has some two thousand.
MOST_PAGES = 60
_SERVICE, _LIST = "servicequotas", "ListServiceQuotas"
_FIELDS = ("QuotaName", "QuotaArn", "QuotaCode", "Value", "ErrorReason")


@functools.cache
def _names() -> Mapping[str, Any]:
    return read_facts("quotas.yaml")


def quota_name(instance_type: str) -> str:
    """What Service Quotas calls the quota of a type (``ml.g5.xlarge``) under endpoints."""
    return str(_names()["of_type"]).format(type=instance_type)


def _type_in(name: str) -> str | None:
    """The type whose quota has this name."""
    before, _, after = str(_names()["of_type"]).partition("{type}")
    if not (name.startswith(before) and name.endswith(after)):
        return None
    return name.removeprefix(before).removesuffix(after)


class ServiceQuota(Fact):
    """``ListServiceQuotas``: how many instances endpoints may have at once in the account and region, as applied."""

    kind: ClassVar[str] = "service-quota"
    name: str = at("QuotaName", required=True)
    arn: str = at("QuotaArn", default="")
    code: str = at("QuotaCode", default="")
    value: Amount | None = at("Value")
    error: str | None = at("ErrorReason.ErrorMessage", "ErrorReason.ErrorCode")

    @property
    def instance_type(self) -> str | None:
        """The type that it bounds; None for that of all instances together."""
        return _type_in(self.name)

    @property
    def applied(self) -> float:
        """The number of instances. Raises Unread where it was not told."""
        if self.value is None:
            raise Unread(f"ListServiceQuotas gave no value of {self.name}" + (f": {self.error}" if self.error else ""))
        return self.value


def _of_endpoints(record: Any) -> bool:
    all_together = text(record, "QuotaCode") == _names()["of_all"]["code"]
    return all_together or _type_in(text(record, "QuotaName")) is not None


def endpoint_quotas(reader: Reader) -> dict[str, Fact]:
    """The applied quotas of the instances under endpoints by name, read once a day. Raises CallFailed."""
    scope = reader.scope
    records = of_the_day(
        reader.memory, scope.account, scope.region, Part.QUOTAS, reader.now, functools.partial(_listed, reader)
    )
    return {quota.name: quota for quota in reader.typed(Part.QUOTAS, ServiceQuota, records, "QuotaName")}


def _listed(reader: Reader) -> Records:
    pages = reader.aws.pages(_SERVICE, _LIST, "Quotas", ServiceCode="sagemaker", MaxResults=100)
    records: list[Mapping[str, Any]] = []
    for number, page in enumerate(islice(pages, MOST_PAGES + 1)):
        if number == MOST_PAGES:
            raise CallFailed(f"{_SERVICE}:{_LIST}", ENDLESS, f"more than {MOST_PAGES} pages are not read")
        if not all(text(record, "QuotaName") for record in page):
            reader.record_unread(Part.QUOTAS, "no QuotaName")
        of_endpoints = (record for record in page if _of_endpoints(record))
        records += [{field: record[field] for field in _FIELDS if field in record} for record in of_endpoints]
    return records


def with_unlisted(quotas: Mapping[str, Fact], instance_types: Iterable[str]) -> dict[str, Fact]:
    """The quotas together with those that bound these types, and all instances, and that the list does not hold: of
    these nothing but the name is known."""
    names = {quota_name(instance_type) for instance_type in instance_types}
    if names and not any(quota.instance_type is None for quota in quotas.values() if isinstance(quota, ServiceQuota)):
        names.add(_names()["of_all"]["name"])
    return {**quotas, **{name: _unlisted(name) for name in sorted(names - quotas.keys())}}


def _unlisted(name: str) -> ServiceQuota:
    unread = Unread(f"ListServiceQuotas does not list {name}")
    return ServiceQuota(QuotaName=name).with_unknown({"value": unread, "code": unread})
