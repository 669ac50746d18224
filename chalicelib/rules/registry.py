"""What a rule is, and how one is registered: by decorator, with everything that is generated from it beside it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.parts import OPERATIONS, Part, closure
from chalicelib.report.findings import Outcome, Severity


class Params(BaseModel):
    """A rule's parameters; the policy may set them. This base has none."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid", strict=False)


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What a rule without a template says: the same for every finding."""

    title: str
    why: str
    fix: str
    references: tuple[str, ...] = ()


Judgement = Callable[[Any, Inventory, Any], Outcome]
#: A precondition that several rules share: the outcome that ends the judgement, or None to go on.
Guard = Callable[[Any, Inventory], Outcome | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A named judgement. ``reads`` are the parts of the inventory that it needs, ``metrics`` those of CloudWatch.

    ``reads_when`` adds parts that are read only when the named boolean parameter is true. ``merges_into`` names the
    rule whose finding on the same variant already tells this defect. ``enabled`` is the default of the baseline policy.
    ``words`` are those of a rule that has no template; ``needs_tags`` says that it looks at the resource's tags.
    """

    id: str
    topic: str
    kinds: tuple[str, ...]
    severity: Severity
    params: type[Params]
    reads: frozenset[Part]
    reads_when: Mapping[str, Part]
    metrics: tuple[str, ...]
    guards: tuple[Guard, ...]
    merges_into: str | None
    enabled: bool
    judgement: Judgement
    words: OwnWords | None = None
    needs_tags: bool = False

    @property
    def condition(self) -> str:
        """The condition in words: the docstring of the judgement."""
        return " ".join((self.judgement.__doc__ or "").split())

    def parts(self, params: Params) -> frozenset[Part]:
        """The parts read under these parameters."""
        extra = {part for name, part in self.reads_when.items() if getattr(params, name)}
        return self.reads | extra

    @property
    def permissions(self) -> tuple[str, ...]:
        """The IAM actions that reading for this rule may need, sorted."""
        parts = closure(self.reads | frozenset(self.reads_when.values()))
        actions = {operation for part in parts for operation in OPERATIONS[part]}
        return tuple(sorted(actions))

    def judge(self, subject: Any, estate: Inventory, params: Params) -> Outcome:
        """The outcome for one resource. Raises Unread when a fact that it needs was not read."""
        for guard in self.guards:
            if (outcome := guard(subject, estate)) is not None:
                return outcome
        return self.judgement(subject, estate, params)


RULES: dict[str, Rule] = {}


def rule(
    id: str,
    *,
    topic: str,
    kinds: Iterable[str],
    severity: Severity,
    reads: Iterable[Part],
    params: type[Params] = Params,
    reads_when: Mapping[str, Part] | None = None,
    metrics: Iterable[str] = (),
    guards: Iterable[Guard] = (),
    merges_into: str | None = None,
    enabled: bool = True,
) -> Callable[[Judgement], Judgement]:
    """Registers a judgement as a rule. Raises ValueError for an id that is taken."""

    def register(judgement: Judgement) -> Judgement:
        if id in RULES:
            raise ValueError(f"the rule {id} is registered twice")
        RULES[id] = Rule(
            id=id,
            topic=topic,
            kinds=tuple(kinds),
            severity=severity,
            params=params,
            reads=frozenset(reads),
            reads_when=dict(reads_when or {}),
            metrics=tuple(metrics),
            guards=tuple(guards),
            merges_into=merges_into,
            enabled=enabled,
            judgement=judgement,
        )
        return judgement

    return register
