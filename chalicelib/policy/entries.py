"""The keys of a policy file, as models."""

from collections.abc import Mapping
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, field_validator

from chalicelib.input.bounds import CUSTOM_RULES, EXEMPTIONS
from chalicelib.report.findings import Severity
from chalicelib.rules.custom import READS

DEFAULT = "baseline"

Mode = Literal["notify", "observe"]
Text = Annotated[str, Field(min_length=1)]


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, datetime) else value


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class SeverityByTag(_Entry):
    """Findings on resources whose ``tag`` has one of ``values`` are shifted by ``shift`` steps (−1: milder)."""

    tag: Text
    values: Annotated[tuple[str, ...], Field(min_length=1)]
    shift: Annotated[int, Field(ge=-4, le=4)]


class TerraformTag(_Entry):
    """Terraform manages a resource whose ``tag`` has one of ``values``, whatever their case."""

    tag: Text
    values: Annotated[tuple[str, ...], Field(min_length=1)]

    def on(self, tags: Mapping[str, str]) -> bool:
        """True when a resource with these tags carries it."""
        return tags.get(self.tag, "").lower() in {value.lower() for value in self.values}


class ExemptionEntry(_Entry):
    """Findings of ``rule`` (id or glob) on ``resource`` (a glob over ARNs, or over names) are not told until expiry.

    ``owner`` and ``expires`` may be left out only where the policy says ``allow_open_exemptions: true``.
    """

    rule: Text = "*"
    resource: Text
    reason: Text
    owner: Text | None = None
    expires: Annotated[date | None, BeforeValidator(_day)] = None

    @property
    def over_arns(self) -> bool:
        """True where ``resource`` is held against ARNs; else it is held against names."""
        return self.resource.startswith("arn:")

    @property
    def lacking(self) -> str:
        """What it lacks of an owner and a day on which it ends, in words; empty where it has both."""
        return " and ".join(name for name, value in (("owner", self.owner), ("expires", self.expires)) if value is None)

    def covers(self, rule: str, arn: str, name: str) -> bool:
        """True when rule and resource match, whatever the date."""
        return fnmatchcase(rule, self.rule) and fnmatchcase(arn if self.over_arns else name, self.resource)

    def expired(self, today: date) -> bool:
        """True after the day named in ``expires``."""
        return self.expires is not None and today > self.expires


class TagExemptions(_Entry):
    """Whether the tags ``auditor:exempt`` of a resource exempt its findings, and how far ahead their end may lie."""

    enabled: bool = True
    max_days: Annotated[int, Field(ge=1, le=3650, description="The latest end that counts, in days from today.")] = 90


#: What is in force where no policy says anything.
TAGS_EXEMPT = TagExemptions.model_construct()


class CustomRule(_Entry):
    """A rule of the policy's own: ``fails_when`` is JMESPath over the JSON of a resource of this ``kind``."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)+$", max_length=80)]
    kind: Annotated[Text, Field(json_schema_extra={"enum": list(READS)})]
    title: Text
    fails_when: Text
    severity: Severity = Severity.MEDIUM
    mode: Mode = "notify"
    why: Text = "Your own policy asks for it."
    fix: str = ""
    references: tuple[Text, ...] = ()

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        if kind not in READS:
            raise ValueError(f"accepted are {', '.join(READS)}")
        return kind


class PolicyFile(BaseModel):
    """The keys of a policy file."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    extends: Text | None = DEFAULT
    notify_at: Severity | None = None
    remind_after_days: PositiveInt | None = None
    rules: dict[str, dict[str, Any] | None] = {}
    severity_by_tag: tuple[SeverityByTag, ...] | None = None
    terraform_tags: tuple[TerraformTag, ...] | None = None
    owner_tags: Annotated[
        tuple[Text, ...] | None,
        Field(
            min_length=1,
            max_length=20,
            description="The tags that name who owns a resource, whatever the case of the key; the first of these that "
            "a resource has counts.",
        ),
    ] = None
    exemptions: Annotated[tuple[ExemptionEntry, ...], Field(max_length=EXEMPTIONS.most)] = ()
    allow_open_exemptions: Annotated[
        bool | None, Field(description="Whether exemptions may lack an owner or an end; these are listed first.")
    ] = None
    tag_exemptions: TagExemptions | None = None
    custom_rules: Annotated[tuple[CustomRule, ...], Field(max_length=CUSTOM_RULES.most)] = ()


class RuleEntry(_Entry):
    """What every rule's entry may say. In a file that extends nothing, naming a rule enables it."""

    enabled: bool | None = None
    severity: Severity | None = None
    mode: Mode | None = None


#: The models of the entries of a list, or of a mapping, by its key in the file.
ENTRIES: Mapping[str, type[BaseModel]] = {
    "severity_by_tag": SeverityByTag,
    "terraform_tags": TerraformTag,
    "exemptions": ExemptionEntry,
    "tag_exemptions": TagExemptions,
    "custom_rules": CustomRule,
}
