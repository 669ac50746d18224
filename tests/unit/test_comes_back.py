"""Would it come back? The answers follow from what rules said, and from nothing else."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from chalicelib.audit.comes_back import QUESTIONS, Verdicts
from chalicelib.audit.judge import Judge
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.quotas import ServiceQuota
from chalicelib.inventory.parts import Part
from chalicelib.inventory.uses import with_use
from chalicelib.notices.decide import health
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Answer, ComesBack, EndpointCapacity
from chalicelib.report.merging import report_of
from chalicelib.rules import RULES
from chalicelib.scope import Scope
from samples.builders import (
    ACCOUNT,
    NOW,
    REGION,
    SUBNET_A,
    SUBNET_B,
    Given,
    a_config,
    a_model,
    a_plan,
    a_quota,
    a_role_arn,
    a_security_group,
    a_subnet,
    a_target,
    a_variant,
    ago,
    an_endpoint,
    an_inventory,
    an_offering,
)

LOST, UPDATE, MAXIMUM = "lost_instance_replaced", "update_goes_through", "maximum_reached"
TYPE = "ml.m5.large"
#: Quotas with room for everything.
ROOM = [a_quota(TYPE, 100), a_quota(None, 100)]
OFFERED = an_offering(TYPE, "euw1-az1", "euw1-az2")
#: Every rule that bears on a question.
BEARING = sorted({bearing.rule for bearings in QUESTIONS.values() for bearing in bearings})


def answers(estate: Inventory, *off: str) -> dict[str, Answer]:
    """The answers about the endpoint ``churn``, by every rule that bears on one but those that are off."""
    verdicts = Verdicts()
    policy = load_policy("strict")
    rules = policy.enabled([id for id in BEARING if id not in off])
    judge = Judge(rules, Scope(ACCOUNT, REGION), witnesses=[verdicts])
    estate = with_use(estate, seen=True)
    for subject in estate.subjects:
        judge.judge(subject, estate)
    return dict(verdicts.of(estate, rules)["churn"])


def answer_words(estate: Inventory, *off: str) -> dict[str, str]:
    return {question: answer.answer for question, answer in answers(estate, *off).items()}


def an_account(*more: Given, model: Mapping[str, object] | None = None, **options: object) -> Inventory:
    """An endpoint of two instances of ml.m5.large with its config and model, under quotas that leave room."""
    quotas = [] if any(isinstance(fact, ServiceQuota) for fact in more) else ROOM
    image = {"PrimaryContainer": {"Image": "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.3"}}
    around = [an_endpoint(a_variant()), a_config(), a_model(**{**image, **(model or {})}), *quotas, *more]  # type: ignore[arg-type]
    return an_inventory(*around, **options)  # type: ignore[arg-type]


def test_an_endpoint_that_nothing_stands_in_the_way_of_comes_back() -> None:
    assert answer_words(an_account()) == {LOST: "yes", UPDATE: "yes", MAXIMUM: "yes"}


def test_an_endpoint_whose_model_was_deleted_would_not_come_back() -> None:
    estate = an_inventory(an_endpoint(), a_config(), *ROOM, gone=[(Part.MODELS, "churn-model")])
    for answer in answers(estate).values():
        assert answer.answer == "no"
        assert answer.reason.startswith("SageMaker endpoint that stands on something deleted")
        assert answer.rules[0] == "endpoint-dependency-missing"


def test_a_role_that_could_not_be_read_leaves_the_questions_open() -> None:
    role = a_role_arn()
    estate = an_account(model={"ExecutionRoleArn": role}, unread=[(Part.ROLES, role)])
    assert {answer.answer for answer in answers(estate).values()} == {"unknown"}
    assert answers(estate)[LOST].rules == ["endpoint-dependency-missing"]


@pytest.mark.parametrize("rule", sorted(set(BEARING) - {"endpoint-update-without-rollback"}))
def test_a_rule_that_is_off_leaves_its_questions_open_and_says_so(rule: str) -> None:
    by_question = answers(an_account(), rule)
    for question, bearings in QUESTIONS.items():
        concerned = rule in {bearing.rule for bearing in bearings}
        assert by_question[question].answer == ("unknown" if concerned else "yes")
        assert (f"not judged: {rule} is off" == by_question[question].reason) == concerned


def test_a_rule_that_policies_leave_off_leaves_nothing_open() -> None:
    assert answer_words(an_account(), "endpoint-update-without-rollback") == {
        LOST: "yes",
        UPDATE: "yes",
        MAXIMUM: "yes",
    }


def test_a_no_is_a_no_whatever_is_off() -> None:
    estate = an_inventory(an_endpoint(), a_config(), gone=[(Part.MODELS, "churn-model")])
    assert set(answer_words(estate, "autoscaling-max-above-quota", "endpoint-degraded").values()) == {"no"}


def test_a_maximum_beyond_the_quota_is_not_reached_and_the_endpoint_comes_back() -> None:
    variant = a_variant()
    estate = an_account(a_target(variant, maximum=9), a_quota(TYPE, 6), ROOM[1])
    assert answer_words(estate) == {LOST: "yes", UPDATE: "yes", MAXIMUM: "no"}


def test_a_quota_without_room_for_a_second_fleet_stops_an_update_alone() -> None:
    estate = an_account(a_target(a_variant(), maximum=3), a_quota(TYPE, 3), ROOM[1])
    assert answer_words(estate) == {LOST: "yes", UPDATE: "no", MAXIMUM: "yes"}


def test_addresses_are_short_of_what_the_evidence_says() -> None:
    nearly_full = [a_subnet("subnet-a", AvailableIpAddressCount=4), SUBNET_B.model_copy(update={"free_addresses": 4})]
    inside = {"VpcConfig": {"Subnets": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-1"]}}
    roomy = an_account(SUBNET_A, SUBNET_B, OFFERED, a_security_group(), model=inside)
    assert answer_words(roomy) == {LOST: "yes", UPDATE: "yes", MAXIMUM: "yes"}
    grows = a_target(a_variant(), maximum=20)
    short = an_account(*nearly_full, OFFERED, a_security_group(), grows, model=inside)
    assert answer_words(short) == {LOST: "yes", UPDATE: "yes", MAXIMUM: "no"}


RESERVED = {
    "CapacityReservationConfig": {
        "CapacityReservationPreference": "capacity-reservations-only",
        "MlReservationArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-plan/large",
    }
}


@pytest.mark.parametrize(
    ("blocks", "lost"),
    [
        ([(ago(days=9), ago(days=1)), (NOW + timedelta(days=1), NOW + timedelta(days=90))], "no"),
        ([(ago(days=9), NOW + timedelta(hours=3))], "no"),
        ([(ago(days=9), NOW + timedelta(days=3))], "yes"),
        ([(ago(days=9), NOW + timedelta(days=90))], "yes"),
    ],
)
def test_reserved_capacity_that_is_away_replaces_nothing(blocks: list[tuple[datetime, datetime]], lost: str) -> None:
    endpoint = an_endpoint(a_variant(settings=RESERVED))
    image = {"Image": "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.3"}
    estate = an_inventory(endpoint, a_config(), a_model(PrimaryContainer=image), *ROOM, a_plan(*blocks))
    assert answer_words(estate)[LOST] == lost


def test_plans_that_were_not_read_concern_those_alone_that_may_stand_on_one() -> None:
    assert answer_words(an_account(unread=[Part.PLANS]))[LOST] == "yes"


def test_an_endpoint_in_the_middle_of_a_change_is_answered_by_its_next_event() -> None:
    estate = an_inventory(an_endpoint(status="Updating"), a_config(), a_model(), *ROOM)
    assert answer_words(estate)[LOST] == "unknown"


def test_models_that_were_not_read_leave_open_what_their_rules_would_have_said() -> None:
    estate = an_inventory(an_endpoint(), a_config(), *ROOM, unread=[Part.MODELS])
    assert set(answer_words(estate).values()) == {"unknown"}


def test_every_rule_that_bears_on_a_question_is_in_the_catalogue() -> None:
    assert set(BEARING) <= set(RULES)


def test_the_health_of_the_auditor_says_how_many_would_not_come_back() -> None:
    def endpoint(name: str, lost: str) -> EndpointCapacity:
        yes = Answer(answer="yes", reason="")
        answer = Answer.model_validate({"answer": lost, "reason": ""})
        verdict = ComesBack(lost_instance_replaced=answer, update_goes_through=yes, maximum_reached=yes)
        place = {"account": ACCOUNT, "region": REGION, "arn": name, "status": "InService"}
        return EndpointCapacity(name=name, variants=[], comes_back=verdict, **place)

    endpoints = [endpoint("a", "no"), endpoint("b", "unknown"), endpoint("c", "yes"), endpoint("d", "no")]
    report = report_of(ACCOUNT, REGION, trigger="cli", started=NOW, policy=load_policy().used, endpoints=endpoints)
    assert health(report) == "0 resources, 0 rules, 0 blind spots, 2 endpoints would not come back"
    alone = report.model_copy(update={"endpoints": endpoints[:1]})
    assert health(alone).endswith("1 endpoint would not come back")
    assert "come back" not in health(report.model_copy(update={"endpoints": endpoints[1:3]}))
