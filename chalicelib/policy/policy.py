"""From ``policies/*.yaml`` to a validated policy: which rules apply, how strictly, and what is exempt.

A file that does not load stops the audit with its name, the line and what would be accepted.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import BaseModel, ValidationError

from chalicelib.errors import InvalidInput, nearest
from chalicelib.input.bounds import EXEMPTIONS, PARENTS, Bound, TooLarge
from chalicelib.policy.document import Place, WithLines
from chalicelib.policy.entries import (
    DEFAULT,
    ENTRIES,
    TAGS_EXEMPT,
    CustomRule,
    ExemptionEntry,
    Mode,
    PolicyFile,
    RuleEntry,
    SeverityByTag,
    TagExemptions,
    TerraformTag,
)
from chalicelib.policy.exemptions import ExemptionIndex, covers_everything
from chalicelib.report.findings import Exemption, PolicyUsed, RuleInForce, Severity
from chalicelib.rules import RULES, Params, Rule
from chalicelib.rules.custom import custom_rule
from chalicelib.rules.registry import OwnWords

if TYPE_CHECKING:
    import boto3

POLICIES = Path(__file__).resolve().parents[2] / "policies"


class RuleSetting(Struct, frozen=True):
    """How one rule is applied."""

    rule: Rule
    enabled: bool
    params: Params
    severity: Severity | None = None
    mode: Mode = "notify"

    @property
    def in_force(self) -> RuleInForce:
        """The severity and topic under which the rule counts."""
        return RuleInForce(severity=self.severity or self.rule.severity, topic=self.rule.topic)


class Policy(Struct, frozen=True, dict=True):
    """A validated policy. ``digest`` changes with any change of what it holds."""

    name: str
    notify_at: Severity
    remind_after_days: int
    rules: Mapping[str, RuleSetting]
    severity_by_tag: tuple[SeverityByTag, ...] = ()
    terraform_tags: tuple[TerraformTag, ...] = ()
    owner_tags: tuple[str, ...] = ("owner",)
    exemptions: tuple[ExemptionEntry, ...] = ()
    allow_open_exemptions: bool = False
    tag_exemptions: TagExemptions = TAGS_EXEMPT
    #: What people answered in Slack, by the finding's id: of the ledger, and no part of the digest.
    answers: Mapping[str, Exemption] = field(default_factory=dict)
    #: What Organizations says of the account that is audited, no part of the digest either.
    account_tags: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def index(self) -> ExemptionIndex:
        """The exemptions, by what they may be of."""
        return ExemptionIndex(self.exemptions)

    def with_answers(self, answers: Mapping[str, Exemption]) -> "Policy":
        """The same with these answers; the policy itself where there are none."""
        return replace(self, answers=answers) if answers else self

    def in_account(self, tags: Mapping[str, str]) -> "Policy":
        """The same for an account with these tags; the policy itself where there are none."""
        return replace(self, account_tags=tags) if tags else self

    @property
    def used(self) -> PolicyUsed:
        """The policy as reports name it."""
        return PolicyUsed(name=self.name, digest=self.digest)

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change with anything by which findings differ."""
        content = {
            "notify_at": self.notify_at,
            "remind_after_days": self.remind_after_days,
            "rules": {
                id: [rule.enabled, rule.severity, rule.mode, dict(rule.params), rule.rule.condition]
                for id, rule in self.rules.items()
            },
            "severity_by_tag": [dict(entry) for entry in self.severity_by_tag],
            "owner_tags": list(self.owner_tags),
            "terraform_tags": [dict(entry) for entry in self.terraform_tags],
            "exemptions": [entry.model_dump(mode="json") for entry in self.exemptions],
            "allow_open_exemptions": self.allow_open_exemptions,
            "tag_exemptions": dict(self.tag_exemptions),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]

    def enabled(self, only: Iterable[str] = ()) -> dict[str, RuleSetting]:
        """The rules to judge by: those enabled, or of ``only`` all (naming a rule asks for it)."""
        wanted = frozenset(only)
        return {id: setting for id, setting in self.rules.items() if (id in wanted if wanted else setting.enabled)}

    def severity(self, rule: str, judged: Severity | None, tags: Mapping[str, str]) -> Severity:
        """The severity of a finding: the policy's, else the outcome's, else the rule's own; then shifted by tag."""
        setting = self.rules[rule]
        severity = setting.severity or judged or setting.rule.severity
        for shift in self.severity_by_tag:
            if tags.get(shift.tag) in shift.values:
                severity = severity.shifted(shift.shift)
        return severity

    def managed_by_terraform(self, tags: Mapping[str, str]) -> bool:
        """True when the tags of a resource say that Terraform manages it."""
        return any(entry.on(tags) for entry in self.terraform_tags)

    def owner(self, tags: Mapping[str, str]) -> str | None:
        """Who owns a resource with these tags: the value of the first of ``owner_tags`` that is there and not empty,
        whatever the case of the key; None without one."""
        values = {key.lower(): value for key, value in tags.items() if value.strip()}
        return next((values[tag.lower()] for tag in self.owner_tags if tag.lower() in values), None)

    def responsible(self, tags: Mapping[str, str]) -> str | None:
        """Who is to act on a resource with these tags: its owner, else that of its account."""
        return self.owner(tags) or self.owner(self.account_tags)


def shipped() -> list[str]:
    """The names of the policies that come with the product."""
    return sorted(path.stem for path in POLICIES.glob("*.yaml"))


class _Kept(NamedTuple):
    policy: Policy
    until: float


#: How long a policy that lies in S3 is kept, in seconds: a changed one is in force five minutes later.
KEPT = 300.0
_of_files: dict[str, Policy] = {}
_of_s3: WeakKeyDictionary["boto3.Session", dict[str, _Kept]] = WeakKeyDictionary()


def load_policy(
    reference: str = DEFAULT, session: "boto3.Session | None" = None, now: Callable[[], float] = time.monotonic
) -> Policy:
    """The policy of a name in ``policies/``, of a path, or of an address in S3, read with ``session``'s credentials
    (the default ones without a session). ``now`` gives seconds that only grow.

    Files are read once a process; what lies in S3 is kept for five minutes. Raises InvalidInput with file, line and
    what is accepted.
    """
    if reference in _of_files:
        return _of_files[reference]
    kept = _of_s3.setdefault(session, {}) if session is not None else {}
    if reference in kept and now() < kept[reference].until:
        return kept[reference].policy
    reader = _Reader(session)
    policy = _resolved(reference, (), reader)
    if reader.asked_s3:
        kept[reference] = _Kept(policy, now() + KEPT)
    else:
        _of_files[reference] = policy
    return policy


def forget() -> None:
    """Has every policy read anew the next time."""
    _of_files.clear()
    _of_s3.clear()


class _Reader:
    """Opens policy files, and knows whether one of them lay in S3."""

    def __init__(self, session: "boto3.Session | None") -> None:
        self._session = session
        self.asked_s3 = False

    def opened(self, reference: str) -> WithLines:
        """The file of a reference. Raises InvalidInput."""
        if not reference.startswith("s3://"):
            return _opened(reference)
        self.asked_s3 = True
        from chalicelib.storage import stored_text  # AWS's SDK comes with it

        return WithLines(reference, stored_text(reference, self._session))


def unknown_rule(id: str, known: Iterable[str] = RULES) -> str:
    """The sentence for a rule id that does not exist."""
    return f"unknown rule {id!r};{_close(id, known)} accepted are the ids that `auditor rules` lists"


def _close(name: str, accepted: Iterable[str]) -> str:
    near = nearest(name, accepted)
    return f" did you mean {near!r}?" if near else ""


def _resolved(reference: str, above: tuple[str, ...], reader: _Reader) -> Policy:
    if reference in above:
        raise InvalidInput(f"the policy {reference} extends itself: {' → '.join((*above, reference))}")
    if len(above) >= PARENTS.most:
        raise InvalidInput(f"{reference}: {TooLarge(PARENTS)}")
    file = reader.opened(reference)
    content = _parsed(file)
    if content.extends in (None, "none"):
        base = Policy(
            name=reference,
            notify_at=Severity.MEDIUM,
            remind_after_days=7,
            rules={id: RuleSetting(rule, False, rule.params.by_default()) for id, rule in RULES.items()},
        )
    else:
        parent = str(content.extends)
        beside = Path(reference).parent / parent
        if reference.startswith("s3://") and parent not in shipped() and "://" not in parent:
            parent = f"{reference.rsplit('/', 1)[0]}/{parent}"
        if parent not in shipped() and not Path(parent).is_absolute() and beside.is_file():
            parent = str(beside)
        base = _resolved(parent, (*above, reference), reader)
    rules = dict(base.rules)
    alone = base.name == reference
    for index, custom in enumerate(content.custom_rules):
        rules[custom.id] = _custom(file, ("custom_rules", index), custom, rules)
    allowed = base.allow_open_exemptions if content.allow_open_exemptions is None else content.allow_open_exemptions
    for index, exemption in enumerate(content.exemptions):
        _check_exemption(file, ("exemptions", index), exemption, rules, allow_open=allowed)
    for id, entry in content.rules.items():
        if id not in rules:
            raise file.wrong(("rules", id), unknown_rule(id, rules))
        inherited = replace(rules[id], enabled=True) if alone else rules[id]
        rules[id] = _setting(file, id, entry or {}, inherited)
    return replace(
        base,
        name=reference,
        notify_at=content.notify_at or base.notify_at,
        remind_after_days=content.remind_after_days or base.remind_after_days,
        rules=rules,
        severity_by_tag=base.severity_by_tag if content.severity_by_tag is None else content.severity_by_tag,
        owner_tags=content.owner_tags or base.owner_tags,
        terraform_tags=base.terraform_tags if content.terraform_tags is None else content.terraform_tags,
        exemptions=_bounded(file, EXEMPTIONS, (*base.exemptions, *content.exemptions)),
        allow_open_exemptions=allowed,
        tag_exemptions=content.tag_exemptions or base.tag_exemptions,
    )


def _check_exemption(
    file: WithLines, place: Place, exemption: ExemptionEntry, rules: Mapping[str, RuleSetting], *, allow_open: bool
) -> None:
    """Raises InvalidInput for an exemption that matches no rule, that nobody stands for, or that covers everything."""
    if not any(fnmatchcase(id, exemption.rule) for id in rules):
        complaint = f"{unknown_rule(exemption.rule, rules)}, and globs over them"
        raise file.wrong((*place, "rule"), complaint)
    if covers_everything(exemption, rules):
        raise file.wrong(
            (*place, "resource"), "it exempts everything; accepted is one that names a rule or some of the resources"
        )
    if exemption.lacking and not allow_open:
        raise file.wrong(
            place,
            f"the exemption lacks {exemption.lacking}; accepted are those with owner and expires, and all of them "
            "where the policy says allow_open_exemptions: true",
        )


def _bounded(file: WithLines, bound: Bound, entries: tuple[ExemptionEntry, ...]) -> tuple[ExemptionEntry, ...]:
    if len(entries) > bound.most:
        raise file.wrong(("exemptions",), f"with those of the policies that it extends {TooLarge(bound)}")
    return entries


def _opened(reference: str) -> WithLines:
    if reference in shipped():
        packed = POLICIES / f"{reference}.json"
        if packed.is_file():
            return WithLines.of(f"policies/{reference}.yaml", json.loads(packed.read_text(encoding="utf-8")))
        return WithLines.read(POLICIES / f"{reference}.yaml", f"policies/{reference}.yaml")
    path = Path(reference)
    if not path.is_file():
        raise InvalidInput(
            f"there is no policy {reference!r};{_close(reference, shipped())} accepted are "
            f"{', '.join(shipped())}, the path of a YAML file, or s3://BUCKET/KEY",
            field="policy",
        )
    return WithLines.read(path, reference)


def _parsed(file: WithLines) -> PolicyFile:
    if not isinstance(file.data, dict):
        raise file.wrong((), f"a policy is a mapping; accepted keys are {', '.join(PolicyFile.model_fields)}")
    data = {key: value for key, value in file.data.items() if value is not None or key == "extends"}
    try:
        return PolicyFile.model_validate(data)
    except ValidationError as error:
        raise _explained(file, error, (), PolicyFile) from None


def _custom(file: WithLines, place: Place, entry: CustomRule, taken: Mapping[str, RuleSetting]) -> RuleSetting:
    if entry.id in taken:
        raise file.wrong((*place, "id"), f"the id {entry.id!r} is taken; accepted is one that no other rule has")
    words = OwnWords(entry.title, entry.why, entry.fix, entry.references)
    try:
        rule = custom_rule(entry.id, entry.kind, entry.severity, words, entry.fails_when)
    except ValueError as error:
        raise file.wrong((*place, "fails_when"), str(error)) from None
    return RuleSetting(rule, True, rule.params(), mode=entry.mode)


def _setting(file: WithLines, id: str, entry: Mapping[str, Any], base: RuleSetting) -> RuleSetting:
    rule = base.rule
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
        common = RuleEntry.model_validate(own)
        chosen = base.params if unchanged(params, base.params) else _validated(params, base.params)
    except ValidationError as error:
        raise _explained(file, error, place, rule.params) from None
    return RuleSetting(
        rule=rule,
        enabled=base.enabled if common.enabled is None else common.enabled,
        params=chosen,
        severity=common.severity or base.severity,
        mode=common.mode or base.mode,
    )


def unchanged(params: Mapping[str, Any], before: Params) -> bool:
    """True where each of these values is the one that is in force already, as most of the baseline's are: what nobody
    changes needs no validator (see ``Params.by_default``)."""
    return all(_same(value, getattr(before, name)) for name, value in params.items())


def _same(value: Any, before: Any) -> bool:
    """True where validation would make ``before`` of a value as YAML has it."""
    if isinstance(before, tuple):
        return isinstance(value, list) and len(value) == len(before) and all(map(_same, value, before))
    types: set[type] = (
        {int, float} if isinstance(before, float) else {str} if isinstance(before, str) else {type(before)}
    )
    return type(value) in types and bool(value == before)


def _validated(params: Mapping[str, Any], before: Params) -> Params:
    return before.model_validate({**before.model_dump(), **params})


def _explained(file: WithLines, error: ValidationError, above: Place, model: type[BaseModel]) -> InvalidInput:
    """The first of pydantic's complaints as a sentence with its line."""
    first = error.errors()[0]
    place: Place = (*above, *first["loc"])
    if first["type"] == "extra_forbidden":
        accepted = list(model.model_fields)
        if len(first["loc"]) > 1:
            accepted = list(ENTRIES[str(first["loc"][0])].model_fields)
        key = str(first["loc"][-1])
        return file.wrong(place, f"unknown key {key!r};{_close(key, accepted)} accepted are {', '.join(accepted)}")
    if first["type"] == "missing":
        return file.wrong(place, "the key is missing; give it a value")
    message = first["msg"].removeprefix("Value error, ")
    return file.wrong(place, f"{message[0].lower()}{message[1:]}; it is {_shown(first['input'])}")


def _shown(value: Any) -> str:
    shown = json.dumps(value, default=str)
    return shown if len(shown) <= 60 else shown[:57] + "…"
