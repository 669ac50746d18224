"""EC2: DescribeSubnets and DescribeVpcs page, where moto answers everything at once."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses.subnets import Subnets
from moto.ec2.responses.vpcs import VPCs

from emulator.extension.registry import AwsError, read_token, write_token

_SMALLEST_PAGE = 5
_LARGEST_PAGE = 1000


def _paged(original: Any, member: str) -> Any:
    def describe(self: Any) -> ActionResult:
        answer = dict(original(self).result)
        items = list(answer[member])
        size = self._get_param("MaxResults")
        size = _LARGEST_PAGE if size is None else int(size)
        if not _SMALLEST_PAGE <= size <= _LARGEST_PAGE:
            raise AwsError(
                "InvalidParameterValue",
                f"Value ( {size} ) for parameter maxResults is invalid. "
                f"Expecting a value between {_SMALLEST_PAGE} and {_LARGEST_PAGE}.",
            )
        start = read_token(self._get_param("NextToken"), "InvalidParameterValue") or 0
        answer[member] = items[start : start + size]
        if start + size < len(items):
            answer["NextToken"] = write_token(start + size)
        return ActionResult(answer)

    describe.__name__ = original.__name__
    return describe


def install() -> None:
    """Puts the paged operations in place of moto's."""
    Subnets.describe_subnets = _paged(Subnets.describe_subnets, "Subnets")  # type: ignore[method-assign]
    VPCs.describe_vpcs = _paged(VPCs.describe_vpcs, "Vpcs")  # type: ignore[method-assign]
