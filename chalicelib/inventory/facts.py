"""What AWS answered, as frozen values named as AWS names the things.

One field for each fact that a rule or a person reads. Unknown fields are ignored, new enum values are plain strings,
and what an answer leaves out is None, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from chalicelib.inventory.parts import Part


class Unread(Exception):
    """A fact that a rule needs could not be read; the text says what stood in the way, ``operation`` which call."""

    def __init__(self, reason: str, operation: str = "incomplete answer") -> None:
        super().__init__(reason)
        self.operation = operation


def _tags(given: Any) -> Any:
    """Tags as a mapping, from AWS's list of ``{"Key", "Value"}`` or from a mapping."""
    if isinstance(given, list):
        return {tag["Key"]: tag.get("Value") or "" for tag in given if isinstance(tag, Mapping) and "Key" in tag}
    return given


Tags = Annotated[dict[str, str], BeforeValidator(_tags)]


class Fact(BaseModel):
    """Base of everything in the inventory. Nulls count as absent; ``kind`` names the resource kind in reports."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)
    kind: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _nulls_are_absent(cls, given: Any) -> Any:
        if isinstance(given, dict) and None in given.values():
            return {key: value for key, value in given.items() if value is not None}
        return given


class VpcConfig(Fact):
    """Where containers get their network interfaces."""

    security_group_ids: tuple[str, ...] = Field((), alias="SecurityGroupIds")
    subnets: tuple[str, ...] = Field((), alias="Subnets")


@dataclass(slots=True)
class Gaps:
    """What could not be read: whole parts, and single resources within a part, each with the reason.

    ``failed`` are those of the resources that are there, but whose description failed.
    """

    parts: dict[Part, str] = field(default_factory=dict)
    resources: dict[tuple[Part, str], str] = field(default_factory=dict)
    failed: set[tuple[Part, str]] = field(default_factory=set)

    def demand_each(self, part: Part) -> None:
        """Raise Unread when the part, or the description of any resource of it, could not be read."""
        self.demand(part)
        for failed, name in self.failed:
            if failed is part:
                self.demand(part, name)

    def demand(self, part: Part, name: str | None = None) -> None:
        """Raise Unread when the part, or the named resource of it, could not be read."""
        reason = self.parts.get(part) or (self.resources.get((part, name)) if name is not None else None)
        if reason is not None:
            raise Unread(reason, reason.split(" failed: ")[0] if " failed: " in reason else "not read")
