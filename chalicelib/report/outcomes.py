"""How a rule answers for one resource: exactly one of four outcomes, with its reason and the facts it rests on."""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.report.severity import Severity


class Confidence(StrEnum):
    """How direct the evidence is. No datapoints is weaker than a datapoint that says zero."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Verdict(StrEnum):
    """A rule's answer for one resource."""

    FAIL = "fail"
    PASS = "pass"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"

    #: An enum's own hash is a Python function, and outcomes are counted by the hundred thousand.
    __hash__ = str.__hash__


class Outcome(Struct, frozen=True):
    """One rule's answer for one resource, with its reason and the facts that it read.

    ``severity`` and ``confidence`` are set only where they differ from the rule's own. ``lasting`` is False where the
    answer holds for the moment only: that resolves nothing. ``remembered`` asks the ledger to keep since when the
    resource has been seen so; the next audit finds that in ``Inventory.first_seen``.
    """

    verdict: Verdict
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity | None = None
    confidence: Confidence = Confidence.HIGH
    lasting: bool = True
    remembered: bool = False

    def passing(self) -> "Outcome":
        """The same answer for the moment only: it resolves nothing."""
        return replace(self, lasting=False)

    def seen(self) -> "Outcome":
        """The same answer, and what was seen is to be remembered."""
        return replace(self, remembered=True)


#: The facts that a rule read, in snake_case, ready for JSON.
Facts = dict[str, Any]


def failed(*, severity: Severity | None = None, confidence: Confidence = Confidence.HIGH, **evidence: Any) -> Outcome:
    """The condition holds. ``evidence`` are the facts that show it, in snake_case."""
    return Outcome(Verdict.FAIL, evidence=evidence, severity=severity, confidence=confidence)


def passed(reason: str = "", **evidence: Any) -> Outcome:
    """Everything needed was read, and the condition does not hold."""
    return Outcome(Verdict.PASS, reason, evidence)


def not_applicable(reason: str, **evidence: Any) -> Outcome:
    """The rule does not concern this resource."""
    return Outcome(Verdict.NOT_APPLICABLE, reason, evidence) if evidence else _without_facts(reason)


@lru_cache(maxsize=1_000)
def _without_facts(reason: str) -> Outcome:
    """The answer that thousands of jobs get from most rules: one for all of them."""
    return Outcome(Verdict.NOT_APPLICABLE, reason)


def not_now(reason: str, **evidence: Any) -> Outcome:
    """The rule does not concern this resource in the state that it is in; its next event brings it back."""
    return Outcome(Verdict.NOT_APPLICABLE, reason, evidence, lasting=False)


def unknown(reason: str, **evidence: Any) -> Outcome:
    """Something needed could not be read. Never a pass."""
    return Outcome(Verdict.UNKNOWN, reason, evidence)
