"""What an audit is about: one account and region, whole or narrowed to named resources."""

import functools
import re
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct, field

from chalicelib.errors import InvalidInput
from chalicelib.kinds import KINDS
from chalicelib.tables import read_facts

ARN = re.compile(
    r"^arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>\d{12}|):(?P<rest>.+)$"
)

#: The consoles that can be reached from the internet; the isolated partitions have none that is published.
_CONSOLES = {
    "aws": "https://{region}.console.aws.amazon.com",
    "aws-cn": "https://{region}.console.amazonaws.cn",
    "aws-us-gov": "https://{region}.console.amazonaws-us-gov.com",
    "aws-eusc": "https://{region}.console.amazonaws-eusc.eu",
}

#: How the ARN of a resource goes on after the account, and the kind that it is of in reports.
KINDS_BY_ARN = {row.arn: row.name for row in KINDS.values() if row.arn}


@functools.cache
def _partitions() -> list[dict[str, Any]]:
    partitions: list[dict[str, Any]] = read_facts("partitions.yaml")["partitions"]
    return partitions


def partition_of(region: str) -> str:
    """The partition that a region lies in: AWS's own list tells, its patterns for a region that is newer than the list,
    and ``aws`` for a name that fits none."""
    for partition in _partitions():
        if region in partition["regions"]:
            return str(partition["id"])
    for partition in _partitions():
        if re.match(partition["region_pattern"], region):
            return str(partition["id"])
    return "aws"


def dns_suffix_of(partition: str) -> str:
    """What the host names of AWS's services end in there, such as ``amazonaws.com``, as in an unknown one."""
    return next((str(known["dns_suffix"]) for known in _partitions() if known["id"] == partition), "amazonaws.com")


def console_of(partition: str, region: str) -> str | None:
    """The address of AWS's console for a region, without a path; None where no console is published."""
    host = _CONSOLES.get(partition)
    return None if host is None else host.format(region=region)


class ResourceRef(Struct, frozen=True):
    """A resource named by kind and name, as in ``endpoint`` ``churn``; by its ARN where that does not end in a name."""

    kind: str
    name: str


class Scope(Struct, frozen=True):
    """One account and region. ``resources`` narrows it; empty means everything there.

    ``rules`` narrows the judgement to these ids. ``hints`` carries what an event already tells and no API repeats
    (``scaled-to-max`` with the resource id of the scalable target).
    """

    account: str
    region: str
    partition: str = "aws"
    resources: tuple[ResourceRef, ...] = ()
    rules: frozenset[str] = frozenset()
    hints: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    @property
    def whole(self) -> bool:
        """True when everything in the account and region is audited (a sweep)."""
        return not self.resources

    def arn(self, ref: ResourceRef) -> str:
        """The ARN of a resource of this scope."""
        kind = KINDS[ref.kind]
        if not kind.arn_is_name:
            return ref.name
        return f"arn:{self.partition}:{kind.service}:{self.region}:{self.account}:{kind.arn}/{ref.name}"


def may_lie_in(resource: str, account: str, region: str) -> bool:
    """False for the ARN, or the glob over ARNs, that names another account or region than these."""
    parts = resource.split(":")
    if not resource.startswith("arn:") or len(parts) < 6:
        return True
    return fnmatchcase(region, parts[3]) and fnmatchcase(account, parts[4])


def parse_resource(arn: str, *, account: str, region: str, field: str = "", owner: str = "") -> ResourceRef:
    """The resource that an ARN names, if it lies in ``account`` and ``region``.

    Raises InvalidInput for anything else, saying which ARNs would be accepted; ``owner`` is what the account is called
    there, where its number is nobody's business.
    """
    whose = owner or f"account {account}"
    accepted = f"accepted are ARNs of {whose} in {region} of these kinds: {', '.join(sorted(KINDS_BY_ARN))}"
    match = ARN.match(arn)
    if match is None or "/" not in match["rest"]:
        raise InvalidInput(f"{arn!r} is not the ARN of a resource that can be audited; {accepted}", field=field)
    if match["account"] != account or match["region"] != region:
        raise InvalidInput(f"{arn!r} lies in another account or region; {accepted}", field=field)
    prefix, name = match["rest"].split("/", 1)
    kind = KINDS.get(KINDS_BY_ARN.get(prefix, ""))
    if kind is None or match["service"] != kind.service or "/" in name:
        raise InvalidInput(f"{arn!r} is of a kind that is not audited; {accepted}", field=field)
    return ResourceRef(kind.name, name if kind.arn_is_name else arn)


#: How the ARN of a scaling policy names what it scales; a policy's own name may hold any sign.
_SCALED = re.compile(r":resource/sagemaker/(?P<id>[^:]+):policyName/")


def scaled_id(name: str, arn: str, *, policy: bool) -> str:
    """The resource id of what a target or policy scales, by its name in reports (``endpoint/variant`` or the component,
    for a policy its own name behind that) and its ARN, which tells it of a policy.

    >>> scaled_id("churn/AllTraffic", "", policy=False)
    'endpoint/churn/variant/AllTraffic'
    """
    if policy and (match := _SCALED.search(arn)) is not None:
        return match["id"]
    owner = name.split("/")[:-1] if policy else name.split("/")
    return f"endpoint/{owner[0]}/variant/{owner[1]}" if len(owner) == 2 else f"inference-component/{owner[0]}"
