"""Would it come back? Three questions about each endpoint, answered by what rules said: nothing is judged anew.

:data:`QUESTIONS` holds the rules that bear on each. One that fails says no; else one that is unknown, or holds for the
moment only, leaves the question open, and so does one that is switched off; else the answer is yes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from chalicelib.inventory.crowding import grouped
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import EndpointConfig, VariantSettings
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.plans import TrainingPlan
from chalicelib.inventory.kinds.quotas import ServiceQuota
from chalicelib.policy.policy import RuleSetting
from chalicelib.report.findings import Answer, ComesBack
from chalicelib.report.outcomes import Outcome, Verdict
from chalicelib.rules import Rule
from chalicelib.templating import rule_title

Evidence = Mapping[str, Any]
#: Whether a failing rule's evidence says no to a question about an endpoint of this name.
SaysNo = Callable[[Evidence, str], bool]


def _always(evidence: Evidence, endpoint: str) -> bool:
    return True


def _short_of(*words: str) -> SaysNo:
    """Addresses are short of one of these needs, as evidence names them."""

    def says_no(evidence: Evidence, endpoint: str) -> bool:
        short = " ".join(evidence.get("short_of", ()))
        return any(word in short for word in words)

    return says_no


def _reaches_beyond(evidence: Evidence, endpoint: str) -> bool:
    return bool(evidence.get("exceeded"))


def _update_beyond(evidence: Evidence, endpoint: str) -> bool:
    """What runs, and the second fleet of this endpoint, are more than the quota."""
    variants = evidence.get("variants", {})
    fleet = sum(counts["update"] for name, counts in variants.items() if name.split("/")[0] == endpoint)
    return bool(fleet) and evidence["running"] + fleet > evidence["quota"]


def _runs_beyond(evidence: Evidence, endpoint: str) -> bool:
    return bool(evidence["running"] > evidence["quota"])


def _capacity_away(evidence: Evidence, endpoint: str) -> bool:
    """The reserved capacity has a gap now, or is over within a day."""
    return evidence.get("capacity_back") is not None or evidence.get("days_left") == 0


class Bearing(Struct, frozen=True):
    """A rule that bears on a question: failing it says no, or only where its evidence does. One that is not ``needed``
    leaves nothing open where the policy has it off."""

    rule: str
    says_no: SaysNo = _always
    needed: bool = True


Question = Literal["lost_instance_replaced", "update_goes_through", "maximum_reached"]

#: Which rules bear on each question.
QUESTIONS: Mapping[Question, tuple[Bearing, ...]] = {
    "lost_instance_replaced": (
        Bearing("endpoint-dependency-missing"),
        Bearing("endpoint-degraded"),
        Bearing("model-vpc-subnet-missing"),
        Bearing("model-vpc-low-free-ips", _short_of("Availability Zone")),
        Bearing("model-vpc-az-without-instance-type"),
        Bearing("autoscaling-max-above-quota", _runs_beyond),
        Bearing("reservation-ends", _capacity_away),
    ),
    "update_goes_through": (
        Bearing("endpoint-dependency-missing"),
        Bearing("model-vpc-subnet-missing"),
        Bearing("model-vpc-low-free-ips", _short_of("update")),
        Bearing("autoscaling-max-above-quota", _update_beyond),
        Bearing("endpoint-update-without-rollback", needed=False),  # off in the baseline
    ),
    "maximum_reached": (
        Bearing("endpoint-dependency-missing"),
        Bearing("model-vpc-subnet-missing"),
        Bearing("model-vpc-low-free-ips", _short_of("growth")),
        Bearing("autoscaling-max-above-quota", _reaches_beyond),
        Bearing("inference-component-host-fixed"),
        Bearing("reservation-too-small"),
        Bearing("reservation-ends", _capacity_away),
    ),
}
#: All rules that bear on a question.
BEARING_RULES = frozenset(bearing.rule for bearings in QUESTIONS.values() for bearing in bearings)
_NEEDED = frozenset(bearing.rule for bearings in QUESTIONS.values() for bearing in bearings if bearing.needed)


@dataclass
class Verdicts:
    """The witness of an audit: keeps the outcomes of the rules that bear on a question."""

    _heard: list[tuple[Rule, Fact, Outcome]] = field(default_factory=list)

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        if rule.id in BEARING_RULES:
            self._heard.append((rule, subject, outcome))

    def of(self, estate: Inventory, rules: Mapping[str, RuleSetting]) -> dict[str, ComesBack]:
        """The answers about each endpoint by its name. ``rules`` are those that judged."""
        outcomes: dict[str, dict[str, list[Outcome]]] = {name: {} for name in estate.endpoints}
        on_config = grouped(estate.endpoints.values(), lambda endpoint: endpoint.config_name)
        for rule, subject, outcome in self._heard:
            for name in _concerned(subject, estate, on_config):
                if name in outcomes:
                    outcomes[name].setdefault(rule.id, []).append(outcome)
        off = {id: f"not judged: {id} is off" for id in _NEEDED - rules.keys()}
        unread = {
            id: reason for id in BEARING_RULES & rules.keys() if (reason := _unread(rules[id], estate)) is not None
        }
        return {
            name: ComesBack(
                **{
                    question: _answer(name, bearings, of_endpoint, off | _hiding(unread, estate.endpoints[name]))
                    for question, bearings in QUESTIONS.items()
                }
            )
            for name, of_endpoint in outcomes.items()
        }


def _concerned(subject: Fact, estate: Inventory, on_config: Mapping[str | None, Sequence[Endpoint]]) -> Iterable[str]:
    """The names of the endpoints that an outcome on a resource is about; ``on_config`` are those on each config."""
    if isinstance(subject, Endpoint):
        return (subject.name,)
    if isinstance(subject, Variant | InferenceComponent):
        return (subject.endpoint_name,)
    if isinstance(subject, Model):
        return subject.used_by or ()
    if isinstance(subject, EndpointConfig):
        return [endpoint.name for endpoint in on_config.get(subject.name, ())]
    if isinstance(subject, TrainingPlan):
        return {variant.endpoint_name for variant in estate.variants.values() if subject.holds(_reservation(variant))}
    if isinstance(subject, ServiceQuota):
        return {variant.endpoint_name for variant in estate.variants.values() if _counts(variant, subject)}
    return ()


def _counts(variant: Variant, quota: ServiceQuota) -> bool:
    """False only for a variant that is known to take nothing of a quota."""
    configured = variant.known("configured")
    if configured is None:
        return True
    types = configured.instance_types
    return bool(types) if quota.instance_type is None else quota.instance_type in types


def _reservation(variant: Variant) -> str | None:
    """The reservation on which a variant is known to stand."""
    configured: VariantSettings | None = variant.known("configured")
    return configured.reservation_arn if configured is not None else None


def _hiding(unread: Mapping[str, str], endpoint: Endpoint) -> dict[str, str]:
    """Of what was not read, that which may concern an endpoint: of reservations only where it may stand on one."""
    reserved = any(variant.known("configured") is None or _reservation(variant) for variant in endpoint.variants)
    return {id: reason for id, reason in unread.items() if reserved or id != "reservation-ends"}


def _unread(setting: RuleSetting, estate: Inventory) -> str | None:
    """Why a rule may have judged less than there is, or None."""
    for part in sorted(setting.rule.parts(setting.params)):
        if (unread := estate.gaps.hidden(part)) is not None:
            return str(unread)
    return None


def _answer(
    endpoint: str,
    bearings: Sequence[Bearing],
    outcomes: Mapping[str, list[Outcome]],
    unseen: Mapping[str, str],
) -> Answer:
    against = [bearing.rule for bearing in bearings if _says_no(bearing, outcomes.get(bearing.rule, ()), endpoint)]
    if against:
        return Answer(answer="no", reason="; ".join(rule_title(id) for id in against), rules=against)
    for bearing in bearings:
        if (reason := _open(outcomes.get(bearing.rule, []), unseen.get(bearing.rule))) is not None:
            return Answer(answer="unknown", reason=reason, rules=[bearing.rule])
    return Answer(answer="yes", reason="nothing that was judged stands in its way", rules=[])


def _says_no(bearing: Bearing, outcomes: Iterable[Outcome], endpoint: str) -> bool:
    failed = (outcome for outcome in outcomes if outcome.verdict is Verdict.FAIL)
    return any(bearing.says_no(outcome.evidence, endpoint) for outcome in failed)


def _open(outcomes: list[Outcome], unseen: str | None) -> str | None:
    """Why a rule leaves a question open, or None: it is unknown or answers for the moment only, or nothing of the
    endpoint was judged while something stayed unread."""
    for outcome in outcomes:
        if outcome.verdict is Verdict.UNKNOWN or (outcome.verdict is Verdict.NOT_APPLICABLE and not outcome.lasting):
            return outcome.reason
    return unseen if not outcomes else None
