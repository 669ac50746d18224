"""What AWS answered, as frozen values named as AWS names the things.

One field for each fact that a rule or a person reads. Unknown fields are ignored, new enum values are plain strings,
and what an answer leaves out is None, never 0.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


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
