"""What a rule is, and how one is registered: by decorator, with everything that is generated from it beside it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from msgspec import Struct
from pydantic import BaseModel, ConfigDict

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Missing
from chalicelib.inventory.metrics import METRICS
from chalicelib.inventory.parts import OPERATIONS, Part, action, closure
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Outcome, not_applicable


class Params(BaseModel):
    """A rule's parameters; the policy may set them. This base has none."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid", strict=False)

    @classmethod
    def by_default(cls) -> "Params":
        """Its defaults as validation gives them (20 is 20.0 where a fraction is meant), without the validator that
        pydantic builds for each class: all of them cost a cold start some 30 ms."""
        fractions: dict[str, Any] = {
            name: float(field.default) for name, field in cls.model_fields.items() if field.annotation is float
        }
        return cls.model_construct(**fractions)


class OwnWords(Struct, frozen=True):
    """What a rule without a template says: the same for every finding."""

    title: str
    why: str
    fix: str
    references: tuple[str, ...] = ()


class Window(Struct, frozen=True):
    """How far back a rule reads: ``of`` a metric (days), scaling activities (hours) or load tests (days), as its
    parameter ``param`` says; ``hours`` in each unit of the parameter, where activities are meant."""

    of: str
    param: str
    hours: int = 1


Judgement = Callable[[Any, Inventory, Any], Outcome]
#: A precondition that several rules share: the outcome that ends the judgement, or None to go on.
Guard = Callable[[Any, Inventory], Outcome | None]


class Rule(Struct, frozen=True):
    """A named judgement. ``reads`` are the parts of the inventory that it needs, ``metrics`` those of CloudWatch, each
    with its window; ``bounds`` are the windows of parts.

    ``spares`` are those of ``reads`` that it does without where they cannot be read: it is not unknown for them.
    ``reads_when`` adds parts that are read only when the named boolean parameter is true. ``merges_into`` names the
    rules, in order, whose finding on the same variant or component already tells this defect. ``enabled`` is the
    default of the baseline policy.
    ``concern`` says what its findings are about.
    ``words`` are those of a rule that has no template; ``needs_tags`` says that it looks at the resource's tags.
    """

    id: str
    topic: str
    kinds: tuple[str, ...]
    severity: Severity
    params: type[Params]
    reads: frozenset[Part]
    reads_when: Mapping[str, frozenset[Part]]
    metrics: tuple[Window, ...]
    guards: tuple[Guard, ...]
    merges_into: tuple[str, ...]
    enabled: bool
    judgement: Judgement
    words: OwnWords | None = None
    needs_tags: bool = False
    bounds: tuple[Window, ...] = ()
    spares: frozenset[Part] = frozenset()
    concern: Concern = Concern.WOULD_BREAK

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics that it reads."""
        return tuple(window.of for window in self.metrics)

    @property
    def condition(self) -> str:
        """The condition in words: the docstring of the judgement."""
        return " ".join((self.judgement.__doc__ or "").split())

    def parts(self, params: Params) -> frozenset[Part]:
        """The parts read under these parameters."""
        extra = {part for name, parts in self.reads_when.items() if getattr(params, name) for part in parts}
        return self.reads | extra

    def rests_on(self, params: Params) -> frozenset[Part]:
        """The parts without which it is unknown."""
        return self.parts(params) - self.spares

    @property
    def permissions(self) -> tuple[str, ...]:
        """The IAM actions that reading for this rule may need, sorted."""
        parts = closure(self.reads.union(*self.reads_when.values()))
        return tuple(sorted({action(operation) for part in parts for operation in OPERATIONS[part]}))

    def judge(self, subject: Any, estate: Inventory, params: Params) -> Outcome:
        """The outcome for one resource. Raises Unread when a fact that it needs was not read; what does not exist any
        more is knowledge, and the rule does not apply."""
        try:
            for guard in self.guards:
                if (outcome := guard(subject, estate)) is not None:
                    return outcome
            return self.judgement(subject, estate, params)
        except Missing as missing:
            return not_applicable(str(missing))


RULES: dict[str, Rule] = {}
#: The parts that are read no further back than a rule asks.
BOUNDED = frozenset({Part.ACTIVITIES, Part.RECOMMENDATIONS})


def rule(
    id: str,
    *,
    topic: str,
    kinds: Iterable[str],
    severity: Severity,
    reads: Iterable[Part | Window],
    params: type[Params] = Params,
    reads_when: Mapping[str, Part | tuple[Part, ...]] | None = None,
    metrics: Iterable[Window] = (),
    guards: Iterable[Guard] = (),
    merges_into: Iterable[str] = (),
    enabled: bool = True,
    spares: Iterable[Part] = (),
    concern: Concern = Concern.WOULD_BREAK,
) -> Callable[[Judgement], Judgement]:
    """Registers a judgement as a rule. Raises ValueError for an id that is taken, and for a window that no parameter
    holds or that is of nothing which has one."""
    entries, windows = tuple(reads), tuple(metrics)
    bounds = tuple(entry for entry in entries if isinstance(entry, Window))
    parts = {Part(entry.of) if isinstance(entry, Window) else entry for entry in entries}

    def register(judgement: Judgement) -> Judgement:
        if id in RULES:
            raise ValueError(f"the rule {id} is registered twice")
        for problem in _problems(params, parts, windows, bounds):
            raise ValueError(f"the rule {id} {problem}")
        RULES[id] = Rule(
            id=id,
            topic=topic,
            kinds=tuple(kinds),
            severity=severity,
            params=params,
            reads=frozenset(parts),
            reads_when={name: frozenset(_several(parts)) for name, parts in (reads_when or {}).items()},
            metrics=windows,
            guards=tuple(guards),
            merges_into=tuple(merges_into),
            enabled=enabled,
            judgement=judgement,
            bounds=bounds,
            spares=frozenset(spares),
            concern=concern,
        )
        return judgement

    return register


def _several(parts: Part | tuple[Part, ...]) -> tuple[Part, ...]:
    return (parts,) if isinstance(parts, Part) else parts


@cache
def _readers() -> dict[str, frozenset[str]]:
    """The rules that read what an operation brings, by the operation."""
    readers: dict[str, set[str]] = {}
    for id, rule in RULES.items():
        for part in rule.reads.union(*rule.reads_when.values()):
            for operation in OPERATIONS[part]:
                readers.setdefault(operation, set()).add(id)
    return {operation: frozenset(ids) for operation, ids in readers.items()}


def may_read(rule: str, operation: str) -> bool:
    """True where a rule may need what an operation (``sagemaker:ListModels``) brings. What a rule of somebody's own
    reads is not known here: it may be anything that is read at all."""
    readers = _readers()
    return rule in readers.get(operation, ()) or (rule not in RULES and operation in readers)


def _problems(
    params: type[Params], parts: set[Part], metrics: tuple[Window, ...], bounds: tuple[Window, ...]
) -> Iterator[str]:
    """What is wrong with the windows of a rule."""
    for window in (*metrics, *bounds):
        field = params.model_fields.get(window.param)
        if field is None or isinstance(field.default, bool) or not isinstance(field.default, int | float):
            yield f"has no number {window.param!r} among its parameters to hold the window of {window.of}"
    for window in metrics:
        if window.of not in METRICS:
            yield f"reads the unknown metric {window.of!r}; known are {', '.join(METRICS)}"
    for window in bounds:
        if window.of not in BOUNDED:
            yield f"bounds {window.of!r}; only {', '.join(sorted(BOUNDED))} can be"
    if bool(metrics) is not (Part.METRICS in parts):
        yield "must read the part of metrics where it names metrics, and only there"
    if Part.RECOMMENDATIONS in parts and Part.RECOMMENDATIONS not in {window.of for window in bounds}:
        yield f"must say which parameter holds the window of {Part.RECOMMENDATIONS}"
