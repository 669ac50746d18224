"""The deployed stack, step by step: each test goes on from where the one before has left it."""

import json
import time
from threading import Event

from emulator import seed
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.wire import Call
from tests.e2e.stack import Stack, changes_of, eventually
from tests.unit.test_page import Reader

REGIONS = ["eu-central-1", REGION, "us-east-1"]
MEMBERS = 11
SINGLE = "endpoint-single-instance"
EXTERNAL_ID = "known-to-both"


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"


def members(stack: Stack) -> list[str]:
    """The accounts of the organization but the auditor's own."""
    listed = stack.emulator.client("organizations").list_accounts()["Accounts"]
    return sorted(name["Id"] for name in listed if name["Id"] != ACCOUNT)


def test_an_event_leads_to_a_finding_once_and_to_a_resolved_notice(stack: Stack) -> None:
    stack.endpoint("alone")
    stack.event("alone")
    assert ("new", SINGLE, "alone/AllTraffic") in changes_of(eventually(stack.received, "the finding"))
    stack.event("alone")
    assert stack.silence() == []
    seed.endpoint(ACCOUNT, REGION, "alone", counts={"AllTraffic": (2, 2)})
    stack.event("alone")
    assert ("resolved", SINGLE, "alone/AllTraffic") in changes_of(eventually(stack.received, "the resolved notice"))
    assert stack.silence() == []


def test_without_an_action_in_its_role_a_function_is_refused(stack: Stack) -> None:
    stack.endpoint("untold")
    begun = time.time()
    with stack.without("audit_on_sagemaker_event", "sns:Publish"):
        stack.event("untold")
        eventually(lambda: "is not authorized to perform: sns:Publish" in stack.said(begun), "the refusal")
        assert stack.silence() == []
    stack.event("untold")
    assert ("new", SINGLE, "untold/AllTraffic") in changes_of(eventually(stack.received, "the finding"))


def test_the_schedule_leads_to_one_digest(stack: Stack) -> None:
    events = stack.client("events")
    (rule,) = [rule for rule in events.list_rules()["Rules"] if "ScheduleExpression" in rule]
    assert rule["ScheduleExpression"] == "rate(1 day)"
    try:
        events.put_rule(Name=rule["Name"], ScheduleExpression="rate(1 minute)")
        (digest,) = eventually(stack.received, "the digest")
    finally:
        events.put_rule(Name=rule["Name"], ScheduleExpression=rule["ScheduleExpression"])
    assert stack.silence() == []
    assert (digest["kind"], digest["account"], digest["region"]) == ("digest", ACCOUNT, REGION)
    assert digest["complete"] is True


def test_the_api_answers_the_signed_alone(stack: Stack) -> None:
    health = stack.http("GET", "/health", signed=False)
    assert (health.status, health.body["status"]) == (200, "ok")
    assert health.body["last_audit"] is not None
    assert stack.http("POST", "/audit", {}, signed=False).status == 403
    assert stack.http("GET", "/audit", signed=False).status == 403
    named = stack.http("POST", "/audit", {"resources": [arn("endpoint", "untold")]})
    assert named.status == 200
    assert SINGLE in {finding["rule"] for finding in named.body["findings"]}
    begun = stack.http("POST", "/audit", {"regions": REGIONS})
    assert begun.status == 202
    assert begun.body["parts"] == len(REGIONS)
    done = stack.done(begun.body["audit_id"])
    assert done["parts"] == {"total": len(REGIONS), "done": len(REGIONS), "open": [], "failed": [], "lost": []}
    assert done["report"]["complete"] is True
    assert sorted(done["report"]["regions"]) == REGIONS
    assert stack.received() == []
    listed = stack.http("GET", "/audit")
    assert SINGLE in {finding["rule"] for finding in listed.body["findings"]}
    page = stack.http("GET", "/audit", accept="text/html,*/*;q=0.8")
    assert page.status == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert SINGLE in {finding["rule"] for finding in Reader(page.body).data["findings"]}
    assert stack.http("GET", "/rules/endpoint-idle").body["id"] == "endpoint-idle"
    assert "/audit" in stack.http("GET", "/openapi.json").body["paths"]


def test_an_organization_of_twelve_accounts_in_three_regions(stack: Stack, front: Front) -> None:
    organizations = stack.emulator.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    for number in range(MEMBERS):
        organizations.create_account(AccountName=f"member-{number}", Email=f"member-{number}@example.org")
    denied, *others = members(stack)
    for account in others:
        stack.endpoint("remote", account, REGIONS[0])
    front.deny("sts:AssumeRole", lambda call: denied in call.params["RoleArn"])
    stack.deploy(Accounts="organization", Regions=",".join(REGIONS), ExternalId=EXTERNAL_ID)
    stack.client("lambda").invoke(
        FunctionName=stack.outputs["ScheduleFunctionName"], InvocationType="Event", Payload=json.dumps({"id": "daily"})
    )
    digests = {notice["account"]: notice for notice in stack.notices(MEMBERS + 1, "the digests")}
    assert digests.keys() == {ACCOUNT, denied, *others}
    (run,) = {digest["audit_id"] for digest in digests.values()}
    done = stack.done(run)
    assert done["parts"] == {"total": 36, "done": 36, "open": [], "failed": [], "lost": []}
    report = done["report"]
    spots = [spot for spot in report["blind_spots"] if spot["operation"] == "sts:AssumeRole"]
    assert sorted((spot["account"], spot["region"]) for spot in spots) == [(denied, region) for region in REGIONS]
    assert spots == report["blind_spots"]
    assert report["complete"] is False
    assert [account for account, digest in digests.items() if not digest["complete"]] == [denied]
    for account in others:
        assert ("new", SINGLE, "remote/AllTraffic") in changes_of([digests[account]])
    asked = [call for call in front.history if call.name == "sts:AssumeRole"]
    assert {call.params["ExternalId"] for call in asked} == {EXTERNAL_ID}
    assert stack.taken(stack.outputs["DeadLettersUrl"]) == []


def test_a_poisoned_part_becomes_a_dead_letter_and_a_blind_spot(stack: Stack, front: Front) -> None:
    poisoned, healthy, *_ = members(stack)
    front.fail("sts:AssumeRole", 400, "PackedPolicyTooLarge", when=lambda call: poisoned in call.params["RoleArn"])
    stack.visibility(5)
    # The function puts off a part that failed for minutes; without that, the queue gives it again when it is visible.
    with stack.without("audit_part", "sqs:ChangeMessageVisibility"):
        id = stack.audit(accounts=[poisoned, healthy], regions=[REGION], notify=True)
        done = stack.done(id)
        (letter,) = eventually(lambda: stack.taken(stack.outputs["DeadLettersUrl"]), "the dead letter")
    assert (done["state"], done["parts"]["done"], done["parts"]["failed"]) == ("failed", 2, [f"{poisoned}#{REGION}"])
    assert [(spot["account"], spot["operation"]) for spot in done["report"]["blind_spots"]] == [(poisoned, "audit")]
    assert json.loads(letter["Body"]) == {"kind": "audit-part", "run": id, "account": poisoned, "region": REGION}
    told_of = stack.notices(3, "the digests, and the run that failed")
    assert {poisoned, healthy} <= {notice["account"] for notice in told_of}


def held(front: Front, region: str) -> tuple[Event, Event]:
    """Holds the first call about endpoints in a region until it is asked for again; the events say that it came and
    that it came again."""
    came, again = Event(), Event()

    def hold(call: Call) -> bool:
        if call.region == region:
            if came.is_set():
                again.set()
            else:
                came.set()
                again.wait(120)
        return False

    front.deny("sagemaker:ListEndpoints", hold)
    return came, again


def test_a_part_that_times_out_is_done_again(stack: Stack, front: Front) -> None:
    stack.visibility(45)
    stack.configure("audit_part", Timeout=15)  # a part takes longer beside other work on the machine
    begun = time.time()
    try:
        came, again = held(front, "us-east-1")
        id = stack.audit(regions=REGIONS, notify=True)
        assert came.wait(60)
        (digest,) = stack.notices(1, "the digest")
        done = stack.done(id)
    finally:
        stack.configure("audit_part", Timeout=900)
    assert again.is_set()
    assert "Task timed out after 15" in stack.said(begun) + stack.ministack.log
    assert (digest["audit_id"], digest["complete"]) == (id, True)
    assert done["report"]["complete"] is True
    assert stack.taken(stack.outputs["DeadLettersUrl"]) == []


def test_a_part_whose_process_is_killed_is_done_again(stack: Stack, front: Front) -> None:
    stack.visibility(45)  # longer than a part takes beside other work on the machine
    came, again = held(front, "us-east-1")
    id = stack.audit(regions=REGIONS, notify=True)
    assert came.wait(60)
    assert stack.ministack.kill_workers(stack.function("audit_part")) > 0
    (digest,) = stack.notices(1, "the digest")
    assert again.is_set()
    done = stack.done(id)
    assert (digest["audit_id"], digest["complete"]) == (id, True)
    assert done["report"]["complete"] is True
    assert stack.taken(stack.outputs["DeadLettersUrl"]) == []


def test_nothing_else_was_denied(stack: Stack) -> None:
    refused = [line for line in stack.said().splitlines() if "is not authorized to perform" in line]
    actions = {line.partition("perform: ")[2].split()[0] for line in refused}
    assert actions <= {"sns:Publish", "sqs:ChangeMessageVisibility", "sts:AssumeRole"}
    assert all("SagemakerEventRole" in line for line in refused if "sns:Publish" in line)
