"""From ``policies/*.yaml`` to a validated policy: which rules apply, how strictly, and what is exempt.

A file that does not load stops the audit with its name, the line and what would be accepted.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, ValidationError

from chalicelib.errors import InvalidInput
from chalicelib.findings import Severity
from chalicelib.lines import Place, WithLines
from chalicelib.rules import RULES, Params

POLICIES = Path(__file__).resolve().parents[1] / "policies"
DEFAULT = "baseline"

Mode = Literal["notify", "observe"]
Text = Annotated[str, Field(min_length=1)]


def _day(given: Any) -> Any:
    return given.date() if isinstance(given, datetime) else given


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SeverityByTag(_Entry):
    """Findings on resources whose ``tag`` has one of ``values`` are shifted by ``shift`` steps (−1: milder)."""

    tag: Text
    values: Annotated[tuple[str, ...], Field(min_length=1)]
    shift: Annotated[int, Field(ge=-4, le=4)]


class ExemptionEntry(_Entry):
    """Findings of ``rule`` (id or glob) on ``resource`` (a glob over ARNs, or over names) are not told until expiry."""

    rule: Text = "*"
    resource: Text
    reason: Text
    owner: str | None = None
    expires: Annotated[date | None, BeforeValidator(_day)] = None

    def covers(self, rule: str, arn: str, name: str) -> bool:
        """True when rule and resource match, whatever the date."""
        subject = arn if self.resource.startswith("arn:") else name
        return fnmatchcase(rule, self.rule) and (self.resource == "*" or fnmatchcase(subject, self.resource))

    def expired(self, today: date) -> bool:
        """True after the day named in ``expires``."""
        return self.expires is not None and today > self.expires


class _File(BaseModel):
    """The keys of a policy file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    extends: Text | None = DEFAULT
    notify_at: Severity | None = None
    remind_after_days: PositiveInt | None = None
    rules: dict[str, dict[str, Any] | None] = {}
    severity_by_tag: tuple[SeverityByTag, ...] | None = None
    exemptions: tuple[ExemptionEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """How one rule is applied."""

    enabled: bool
    params: Params
    severity: Severity | None = None
    mode: Mode = "notify"


@dataclass(frozen=True, slots=True)
class Policy:
    """A validated policy. ``digest`` changes with any change of what it holds."""

    name: str
    notify_at: Severity
    remind_after_days: int
    rules: Mapping[str, RuleSetting]
    severity_by_tag: tuple[SeverityByTag, ...] = ()
    exemptions: tuple[ExemptionEntry, ...] = ()

    @property
    def digest(self) -> str:
        content = {
            "notify_at": self.notify_at,
            "remind_after_days": self.remind_after_days,
            "rules": {
                id: [one.enabled, one.severity, one.mode, one.params.model_dump(mode="json")]
                for id, one in self.rules.items()
            },
            "severity_by_tag": [one.model_dump(mode="json") for one in self.severity_by_tag],
            "exemptions": [one.model_dump(mode="json") for one in self.exemptions],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]

    def enabled(self, only: Iterable[str] = ()) -> dict[str, RuleSetting]:
        """The rules to judge by: those enabled, or of ``only`` all (naming a rule asks for it)."""
        wanted = frozenset(only)
        return {id: one for id, one in self.rules.items() if (id in wanted if wanted else one.enabled)}

    def severity(self, rule: str, judged: Severity | None, tags: Mapping[str, str]) -> Severity:
        """The severity of a finding: the policy's, else the outcome's, else the rule's own; then shifted by tag."""
        severity = self.rules[rule].severity or judged or RULES[rule].severity
        for shift in self.severity_by_tag:
            if tags.get(shift.tag) in shift.values:
                severity = severity.shifted(shift.shift)
        return severity


def shipped() -> list[str]:
    """The names of the policies that come with the product."""
    return sorted(path.stem for path in POLICIES.glob("*.yaml"))


@cache
def load_policy(reference: str = DEFAULT) -> Policy:
    """The policy of a name in ``policies/`` or of a path. Raises InvalidInput with file, line and what is accepted."""
    return _resolved(reference, ())


def unknown_rule(id: str) -> str:
    """The sentence for a rule id that does not exist."""
    return f"unknown rule {id!r};{_close(id, RULES)} accepted are the ids that `auditor rules` lists"


def _close(given: str, accepted: Iterable[str]) -> str:
    matches = difflib.get_close_matches(given, list(accepted), n=1)
    return f" did you mean {matches[0]!r}?" if matches else ""


def _resolved(reference: str, above: tuple[str, ...]) -> Policy:
    if reference in above:
        raise InvalidInput(f"the policy {reference} extends itself: {' → '.join((*above, reference))}")
    file = _opened(reference)
    content = _validated(file)
    if content.extends in (None, "none"):
        base = Policy(
            name=reference,
            notify_at=Severity.MEDIUM,
            remind_after_days=7,
            rules={id: RuleSetting(False, rule.params()) for id, rule in RULES.items()},
        )
    else:
        parent = str(content.extends)
        beside = Path(reference).parent / parent
        if parent not in shipped() and not Path(parent).is_absolute() and beside.is_file():
            parent = str(beside)
        base = _resolved(parent, (*above, reference))
    rules = dict(base.rules)
    alone = base.name == reference
    for id, entry in content.rules.items():
        inherited = replace(rules[id], enabled=True) if alone else rules[id]
        rules[id] = _setting(file, id, entry or {}, inherited)
    return replace(
        base,
        name=reference,
        notify_at=content.notify_at or base.notify_at,
        remind_after_days=content.remind_after_days or base.remind_after_days,
        rules=rules,
        severity_by_tag=base.severity_by_tag if content.severity_by_tag is None else content.severity_by_tag,
        exemptions=(*base.exemptions, *content.exemptions),
    )


def _opened(reference: str) -> WithLines:
    if reference in shipped():
        return WithLines.read(POLICIES / f"{reference}.yaml", f"policies/{reference}.yaml")
    path = Path(reference)
    if not path.is_file():
        raise InvalidInput(
            f"there is no policy {reference!r};{_close(reference, shipped())} accepted are "
            f"{', '.join(shipped())}, or the path of a YAML file",
            field="policy",
        )
    return WithLines.read(path, reference)


def _validated(file: WithLines) -> _File:
    if not isinstance(file.data, dict):
        raise file.wrong((), f"a policy is a mapping; accepted keys are {', '.join(_File.model_fields)}")
    for id in file.data.get("rules") or {} if isinstance(file.data.get("rules"), dict) else {}:
        if id not in RULES:
            raise file.wrong(("rules", id), unknown_rule(id))
    given = {key: value for key, value in file.data.items() if value is not None or key == "extends"}
    try:
        content = _File.model_validate(given)
    except ValidationError as error:
        raise _explained(file, error, (), _File) from None
    for index, exemption in enumerate(content.exemptions):
        if not any(fnmatchcase(id, exemption.rule) for id in RULES):
            raise file.wrong(("exemptions", index, "rule"), unknown_rule(exemption.rule) + ", and globs over them")
    return content


def _setting(file: WithLines, id: str, entry: Mapping[str, Any], base: RuleSetting) -> RuleSetting:
    rule = RULES[id]
    place: Place = ("rules", id)
    own = {key: entry[key] for key in ("enabled", "severity", "mode") if key in entry}
    params = {key: value for key, value in entry.items() if key not in own}
    accepted = ["enabled", "severity", "mode", *rule.params.model_fields]
    for key in params:
        if key not in rule.params.model_fields:
            raise file.wrong(
                (*place, key),
                f"{id} has no parameter {key!r};{_close(key, accepted)} accepted are {', '.join(accepted)}",
            )
    try:
        common = _Common.model_validate(own)
        chosen = rule.params.model_validate({**base.params.model_dump(), **params})
    except ValidationError as error:
        raise _explained(file, error, place, rule.params) from None
    return RuleSetting(
        enabled=base.enabled if common.enabled is None else common.enabled,
        params=chosen,
        severity=common.severity or base.severity,
        mode=common.mode or base.mode,
    )


class _Common(_Entry):
    """What every rule's entry may say. In a file that extends nothing, naming a rule enables it."""

    enabled: bool | None = None
    severity: Severity | None = None
    mode: Mode | None = None


def _explained(file: WithLines, error: ValidationError, above: Place, model: type[BaseModel]) -> InvalidInput:
    """The first of pydantic's complaints as a sentence with its line."""
    first = error.errors()[0]
    place: Place = (*above, *first["loc"])
    if first["type"] == "extra_forbidden":
        accepted = list(model.model_fields)
        if len(first["loc"]) > 1:
            accepted = list((SeverityByTag if first["loc"][0] == "severity_by_tag" else ExemptionEntry).model_fields)
        key = str(first["loc"][-1])
        return file.wrong(place, f"unknown key {key!r};{_close(key, accepted)} accepted are {', '.join(accepted)}")
    if first["type"] == "missing":
        return file.wrong(place, "the key is missing; give it a value")
    message = first["msg"].removeprefix("Value error, ")
    return file.wrong(place, f"{message[0].lower()}{message[1:]}; it is {_shown(first['input'])}")


def _shown(given: Any) -> str:
    shown = json.dumps(given, default=str)
    return shown if len(shown) <= 60 else shown[:57] + "…"
