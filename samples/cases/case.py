"""One row of a rule's table: a resource, what surrounds it, and how the rule must answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact, Unread
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence, Outcome, Verdict, unknown
from chalicelib.rules import RULES
from samples.builders import Given, Unreadable, an_inventory

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class InDemo:
    """A resource of the demo account in the state of a case, so that the case's rule must fire for it.

    ``resource`` is kind and name, as in ``endpoint-variant churn/AllTraffic``. ``remark`` says what surprises about its
    labels. ``told_with`` names the rule of the same thing whose finding takes this one in: it is not told alone then.
    """

    resource: str
    remark: str = ""
    told_with: str = ""


@dataclass(frozen=True)
class Case:
    """What a rule must answer for one resource.

    ``severity`` is the final one of a failing case: the outcome's, else the rule's own. ``evidence`` must be part of
    the outcome's. ``boundary`` names the parameter at whose threshold the case stands: on it, or next to it.
    ``in_demo`` names what must be found in the demo account for the case's rule, as severe and as sure as the case;
    ``emulator/expected.yaml`` is written from it.
    """

    rule: str
    name: str
    subject: Fact
    inventory: Inventory
    verdict: Verdict
    params: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    confidence: Confidence | None = None
    boundary: str = ""
    in_demo: Sequence[InDemo] = ()

    @property
    def id(self) -> str:
        return f"{self.rule}: {self.name}"

    def outcome(self) -> Outcome:
        """What the rule answers, found out once."""
        return self._outcome

    @cached_property
    def _outcome(self) -> Outcome:
        return judged(self.rule, self.subject, self.inventory, self.params)


def judged(rule: str, subject: Fact, inventory: Inventory, params: Mapping[str, Any] = NOTHING) -> Outcome:
    """A rule's answer with these parameters, the others by default. A fault of the rule is raised, not swallowed."""
    registered = RULES[rule]
    assert subject.kind in registered.kinds, f"{rule} does not judge a {subject.kind}"
    try:
        return registered.judge(subject, inventory, registered.params(**params))
    except Unread as unread:
        return unknown(str(unread))


def fails(
    rule: str,
    name: str,
    subject: Fact,
    *around: Given,
    severity: Severity,
    confidence: Confidence = Confidence.HIGH,
    evidence: Mapping[str, Any] = NOTHING,
    params: Mapping[str, Any] = NOTHING,
    boundary: str = "",
    in_demo: Sequence[InDemo] = (),
    **inventory: Any,
) -> Case:
    """A case whose condition holds: subject, what surrounds it, and how bad it is."""
    return Case(
        rule=rule,
        name=name,
        subject=subject,
        inventory=an_inventory(subject, *around, **inventory),
        verdict=Verdict.FAIL,
        params=params,
        severity=severity,
        evidence=evidence,
        confidence=confidence,
        boundary=boundary,
        in_demo=in_demo,
    )


def _other(verdict: Verdict, rule: str, name: str, subject: Fact, around: Iterable[Given], **rest: Any) -> Case:
    fields = {key: rest.pop(key) for key in ("params", "evidence", "boundary") if key in rest}
    return Case(rule, name, subject, an_inventory(subject, *around, **rest), verdict, **fields)


def passes(rule: str, name: str, subject: Fact, *around: Given, **rest: Any) -> Case:
    """A case where everything was read and the condition does not hold."""
    return _other(Verdict.PASS, rule, name, subject, around, **rest)


def does_not_apply(rule: str, name: str, subject: Fact, *around: Given, **rest: Any) -> Case:
    """A case that the rule does not concern."""
    return _other(Verdict.NOT_APPLICABLE, rule, name, subject, around, **rest)


def is_unknown(
    rule: str, name: str, subject: Fact, *around: Given, unread: Iterable[Unreadable] = (), **rest: Any
) -> Case:
    """A case where something needed could not be read."""
    return _other(Verdict.UNKNOWN, rule, name, subject, around, unread=unread, **rest)
