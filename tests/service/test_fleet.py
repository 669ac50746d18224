"""Runs over many accounts and regions: parts on a queue, idempotent, closed by the last, told once for each account."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from msgspec.structs import replace

from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.fleet.fleet import Fleet
from chalicelib.ledger.claims import Claim
from chalicelib.ledger.table import TABLE
from chalicelib.report.findings import Report
from chalicelib.scope import ResourceRef
from chalicelib.service import Service
from chalicelib.settings import Settings
from chalicelib.web.runs import get_run
from emulator import seed
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from emulator.standing import make_role
from tests.service.test_audit import an_endpoint
from tests.service.test_triggers import Subscriber

pytestmark = pytest.mark.usefixtures("direct_calls")

MEMBERS = ["222222222222", "333333333333"]
REGIONS = [REGION, "us-east-1"]


class Account:
    """The auditor's own account with its queue, and two members that have one endpoint each."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.subscriber = Subscriber(emulator)
        emulator.client("dynamodb").create_table(TableName="auditor-ledger", **TABLE)
        self.sqs = emulator.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="auditor-parts")["QueueUrl"]
        for number, account in enumerate([ACCOUNT, *MEMBERS]):
            self.endpoint_in(account, f"endpoint-{number}")

    def endpoint_in(self, account: str, name: str) -> None:
        if account == ACCOUNT:
            an_endpoint(self.emulator, name, count=1)
            return
        sagemaker = self.client_in(account, "sagemaker")
        role = f"arn:aws:iam::{account}:role/r"
        make_role(role)
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": "own:1"})
        variant = {"VariantName": "V", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def client_in(self, account: str, service: str) -> Any:
        """A client in the account of a member."""
        granted = self.emulator.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/setup", RoleSessionName="setup"
        )["Credentials"]
        return boto3.client(
            service,
            region_name=REGION,
            aws_access_key_id=granted["AccessKeyId"],
            aws_secret_access_key=granted["SecretAccessKey"],
            aws_session_token=granted["SessionToken"],
        )

    def service(self, **settings: Any) -> Service:
        defaults: dict[str, Any] = {
            "table": "auditor-ledger",
            "queue_url": self.queue,
            "topic_arn": self.subscriber.topic,
            "accounts": (ACCOUNT, *MEMBERS),
            "regions": tuple(REGIONS),
            "role_name": "sagemaker-auditor-member",
            "external_id": "a-secret",
        }
        return Service(Settings(**{**defaults, **settings}), boto3.Session(region_name=REGION))

    def queued(self) -> list[dict[str, Any]]:
        """The messages on the queue as Lambda gets them, all taken away."""
        records = []
        while messages := self.sqs.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                records.append(a_record(json.loads(message["Body"]), id=message["MessageId"]))
        return records

    def notices(self) -> list[dict[str, Any]]:
        return [json.loads(message["Message"]) for message in self.subscriber.received()]


def a_record(body: Any, *, id: str = "1", attempt: int = 1) -> dict[str, Any]:
    return {"messageId": id, "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": str(attempt)}}


def worked(service: Service, *records: dict[str, Any]) -> list[str]:
    """The ids of the messages that failed."""
    answers = [service.on_parts({"Records": [record]}) for record in records]
    return [failure["itemIdentifier"] for answer in answers for failure in answer["batchItemFailures"]]


def report_of(service: Service, run: str) -> Report:
    """What a run that is over has found, of which one page holds everything."""
    body = get_run(service, run).body
    assert body["cursor"] is None
    return Report.model_validate(body["report"])


@pytest.fixture
def account(emulator: Emulator) -> Account:
    return Account(emulator)


SCHEDULE = {"id": "e-1", "account": ACCOUNT, "region": REGION}


def test_a_run_covers_every_account_and_region_and_tells_each_account_once(account: Account) -> None:
    service = account.service()
    answer = service.on_schedule(SCHEDULE)
    assert answer["parts"] == 6
    records = account.queued()
    assert len(records) == 6
    assert worked(service, *records) == []
    digests = {body["account"]: body for body in account.notices()}
    assert digests.keys() == {ACCOUNT, *MEMBERS}
    for number, member in enumerate([ACCOUNT, *MEMBERS]):
        names = {entry["finding"]["resource"]["name"].split("/")[0] for entry in digests[member]["told"]}
        assert names == {f"endpoint-{number}"}
        assert digests[member]["region"] == ",".join(sorted(REGIONS))
        assert digests[member]["audit_id"] == answer["run"]
        assert {entry["finding"]["account"] for entry in digests[member]["told"]} == {member}
    run = service.fleet.runs.get(answer["run"])
    assert run is not None
    assert (run.state, run.done) == ("done", 6)
    report = report_of(service, run.id)
    assert report.resources["endpoint"] == 3
    assert report.complete


@pytest.mark.slow
def test_what_was_told_is_not_told_again_by_the_next_run(account: Account) -> None:
    service = account.service()
    service.on_schedule(SCHEDULE)
    worked(service, *account.queued())
    account.notices()
    service.on_schedule({**SCHEDULE, "id": "e-2"})
    worked(service, *account.queued())
    digests = account.notices()
    assert len(digests) == 3
    assert [body["told"] for body in digests] == [[], [], []]


def test_a_part_done_twice_and_a_schedule_delivered_twice_change_nothing(account: Account) -> None:
    service = account.service()
    first = service.on_schedule(SCHEDULE)
    records = account.queued()
    assert len(records) == 6
    assert service.on_schedule(SCHEDULE) == first
    records += account.queued()
    worked(service, records[0], records[0], *records[1:], *records)
    assert len(account.notices()) == 3


def test_an_account_that_lets_nobody_in_is_a_blind_spot_and_holds_up_nothing(account: Account, front: Front) -> None:
    front.deny("sts:AssumeRole", lambda call: MEMBERS[0] in str(call.params.get("RoleArn", "")))
    service = account.service()
    run_id = service.on_schedule(SCHEDULE)["run"]
    assert worked(service, *account.queued()) == []
    digests = {body["account"]: body for body in account.notices()}
    assert len(digests) == 3
    spots = digests[MEMBERS[0]]["blind_spots"]
    assert [(spot["operation"], spot["region"]) for spot in spots] == [
        ("sts:AssumeRole", region) for region in sorted(REGIONS)
    ]
    assert {spot["error"] for spot in spots} == {
        f"the role arn:aws:iam::{MEMBERS[0]}:role/sagemaker-auditor-member cannot be assumed (AccessDenied)"
    }
    assert digests[MEMBERS[0]]["complete"] is False
    assert digests[MEMBERS[1]]["complete"] is True
    run = service.fleet.runs.get(run_id)
    assert run is not None and run.state == "done"


def test_a_part_that_keeps_failing_ends_as_a_dead_letter_and_a_blind_spot(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = account.service(accounts=(ACCOUNT,))
    healthy = service.fleet.audit_part

    def poisoned(scope: Any, trigger: str, session: boto3.Session) -> Any:
        if scope.region == "us-east-1":
            raise MemoryError("too large")
        return healthy(scope, trigger, session)

    service.__dict__["fleet"] = replace(service.fleet, audit_part=poisoned)
    service.on_schedule(SCHEDULE)
    records = account.queued()
    bad = next(record for record in records if "us-east-1" in record["body"])
    assert worked(service, *[record for record in records if record is not bad]) == []
    for attempt in (1, 2):
        assert worked(service, {**bad, "attributes": {"ApproximateReceiveCount": str(attempt)}}) == [bad["messageId"]]
        assert account.notices() == []
    assert worked(service, {**bad, "attributes": {"ApproximateReceiveCount": "3"}}) == [bad["messageId"]]
    digest, notice = account.notices()
    assert [(spot["operation"], spot["error"]) for spot in digest["blind_spots"]] == [
        ("audit", "MemoryError: too large")
    ]
    assert digest["told"]
    assert (notice["kind"], [spot["error"] for spot in notice["blind_spots"]]) == (
        "run",
        [f"{ACCOUNT} in us-east-1: MemoryError: too large"],
    )
    assert worked(service, {**bad, "attributes": {"ApproximateReceiveCount": "4"}}) == []
    assert account.notices() == []
    run = get_run(service, json.loads(bad["body"])["run"]).body
    assert (run["state"], run["parts"]["failed"], run["parts"]["lost"]) == ("failed", [f"{ACCOUNT}#us-east-1"], [])
    assert [spot["error"] for spot in run["report"]["blind_spots"]] == ["MemoryError: too large"]


def test_a_digest_that_could_not_be_sent_is_sent_by_the_next_attempt(account: Account, front: Front) -> None:
    service = account.service(accounts=(ACCOUNT,), regions=(REGION,))
    run_id = service.on_schedule(SCHEDULE)["run"]
    (record,) = account.queued()
    front.fail("sns:Publish", 400, "InvalidParameter", times=1)
    assert worked(service, record) == [record["messageId"]]
    assert account.notices() == []
    assert worked(service, record) == []
    assert len(account.notices()) == 1
    run = service.fleet.runs.get(run_id)
    assert run is not None and run.state == "done"
    assert worked(service, record) == []
    assert account.notices() == []


def test_a_very_large_region_is_two_parts_with_the_same_outcomes(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = {"MaxRuntimeInSeconds": 7200, "MaxWaitTimeInSeconds": 14400}
    seed.training_job(ACCOUNT, REGION, "spot", EnableManagedSpotTraining=True, StoppingCondition=waiting)
    service = account.service(accounts=(ACCOUNT,), regions=(REGION,))
    whole_run = service.on_schedule(SCHEDULE)
    assert whole_run["parts"] == 1
    worked(service, *account.queued())
    (before,) = account.notices()
    whole = report_of(service, whole_run["run"])
    monkeypatch.setattr("chalicelib.fleet.fleet.SPLIT_ABOVE", 3)
    split_run = service.on_schedule({**SCHEDULE, "id": "e-2"})
    assert split_run["parts"] == 2
    records = account.queued()
    assert {json.loads(record["body"])["group"] for record in records} == {"hosting", "jobs"}
    assert worked(service, *records) == []
    (after,) = account.notices()
    assert (after["told"], after["region"], after["blind_spots"]) == ([], REGION, [])
    assert sum(after["still_open"].values()) == len(before["told"])
    split = report_of(service, split_run["run"])
    assert (split.rules, split.resources) == (whole.rules, whole.resources)
    assert {finding.id for finding in split.findings} == {finding.id for finding in whole.findings}


POLICY_OF_ONE_MEMBER = f"""
exemptions:
  - {{rule: "*", resource: "arn:aws:sagemaker:*:{MEMBERS[0]}:endpoint/endpoint-1", reason: a trial, owner: ml,
     expires: 2126-11-01}}
  - {{rule: "*", resource: "arn:aws:sagemaker:*:{MEMBERS[1]}:endpoint/gone", reason: it is gone, owner: ml,
     expires: 2126-11-01}}
"""


def test_e9_an_exemption_for_one_account_is_not_unmatched_in_the_digests_of_the_others(
    account: Account, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY_OF_ONE_MEMBER)
    service = account.service(policy=str(policy))
    service.on_schedule(SCHEDULE)
    assert worked(service, *account.queued()) == []
    said = {
        digest["account"]: [(note["state"], note["reason"]) for note in digest["exemptions"]]
        for digest in account.notices()
    }
    assert said == {ACCOUNT: [], MEMBERS[0]: [], MEMBERS[1]: [("unmatched", "it is gone")]}


def test_a_queue_that_refuses_is_asked_again_by_the_same_event(account: Account, front: Front) -> None:
    service = account.service()
    front.fail("sqs:SendMessageBatch", 400, "InvalidParameter", times=1)
    with pytest.raises(AccessFailed, match="the queue of the parts cannot be used"):
        service.on_schedule(SCHEDULE)
    assert account.queued() == []
    service.on_schedule(SCHEDULE)
    worked(service, *account.queued())
    assert len(account.notices()) == 3


def test_a_run_stays_open_while_somebody_else_sends_its_digest(account: Account) -> None:
    service = account.service(accounts=(ACCOUNT,), regions=(REGION,))
    run_id = service.on_schedule(SCHEDULE)["run"]
    (record,) = account.queued()
    ledger = service.ledger
    assert ledger is not None
    ledger.sleep = lambda _: None
    other = Claim(ledger)
    assert other.of_digest(ledger.digest(ACCOUNT, run_id, ["sns"]))
    assert worked(service, record) == [record["messageId"]]
    run = service.fleet.runs.get(run_id)
    assert run is not None and run.state == "running"
    assert account.notices() == []
    other.release()
    assert worked(service, record) == []
    assert len(account.notices()) == 1


def test_a_run_whose_last_part_never_comes_is_closed_by_the_next_schedule(account: Account) -> None:
    service = account.service(accounts=(ACCOUNT,))
    service.on_schedule(SCHEDULE)
    records = account.queued()
    worked(service, records[0])
    later = datetime.now(UTC) + timedelta(hours=7)
    service.fleet.runs.clock = lambda: later
    service.fleet.closing.close_stale()
    digest, notice = account.notices()
    assert [spot["error"] for spot in digest["blind_spots"]] == ["the part never came to its end"]
    assert notice["kind"] == "run"


def test_a_stranger_is_not_told_the_external_id(account: Account, front: Front) -> None:
    from chalicelib.web import routes

    account.emulator.client("organizations").create_organization(FeatureSet="ALL")
    service = account.service(accounts=("organization",), external_id="not-for-strangers")
    front.calls.clear()
    with pytest.raises(InvalidInput, match="999999999999 is not audited from here"):
        routes.post_audit(service, b'{"accounts": ["999999999999"], "notify": true}')
    assert front.calls["organizations:ListAccounts"] == 1
    assert not {call for call in front.calls if call.startswith(("sqs:", "sts:AssumeRole"))}


def test_an_organization_is_its_active_accounts(account: Account) -> None:
    organizations = account.emulator.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(AccountName="a", Email="a@example.org")["CreateAccountStatus"]["AccountId"]
    fleet: Fleet = account.service(accounts=("organization",)).fleet
    assert set(fleet._accounts()) == {ACCOUNT, made}


def test_the_account_owns_what_names_no_owner_and_is_asked_once_a_day(account: Account, front: Front) -> None:
    organizations = account.emulator.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    organizations.tag_resource(ResourceId=ACCOUNT, Tags=[{"Key": "Owner", "Value": "platform"}])
    service = account.service(accounts=("organization",))
    reports = [service.audit(service.scope(), "cli") for _ in range(2)]
    assert {finding.owner for report in reports for finding in report.findings} == {"platform"}
    assert front.calls["organizations:ListTagsForResource"] == 1
    again = account.service(accounts=("organization",))
    endpoint = ResourceRef("endpoint", "endpoint-0")
    assert {finding.owner for finding in again.audit(again.scope(resources=[endpoint]), "event").findings} == {
        "platform"
    }
    assert front.calls["organizations:ListTagsForResource"] == 1, "an event takes what is remembered"
    elsewhere = account.service()
    assert {finding.owner for finding in elsewhere.audit(elsewhere.scope(), "cli").findings} == {None}


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"role_name": None}, InvalidInput, "AUDITOR_ROLE_NAME"),
        ({"queue_url": None}, InvalidInput, "AUDITOR_QUEUE_URL"),
        ({"table": None}, InvalidInput, "AUDITOR_TABLE"),
        ({"accounts": ("organization",)}, AccessFailed, "organizations:ListAccounts"),
    ],
)
def test_what_is_missing_is_said(
    account: Account, front: Front, settings: dict[str, Any], error: type[Exception], says: str
) -> None:
    front.deny("organizations:*")
    with pytest.raises(error, match=says):
        account.service(**settings).on_schedule(SCHEDULE)
    items = account.emulator.client("dynamodb").scan(TableName="auditor-ledger")["Items"]
    assert items == []


@pytest.mark.parametrize(
    "body", [{}, {"kind": "tea"}, {"kind": "audit-part", "run": "a", "account": "1#2", "region": "r"}, [1], "text"]
)
def test_a_message_that_is_not_ours_is_dropped(account: Account, body: Any) -> None:
    assert worked(account.service(), a_record(body)) == []
    assert worked(account.service(), {"messageId": "1", "body": "{"}) == []


def test_a_part_of_a_run_that_nobody_knows_is_dropped(account: Account) -> None:
    body = {"kind": "audit-part", "run": "a-none", "account": ACCOUNT, "region": REGION}
    assert worked(account.service(), a_record(body)) == []
    assert account.notices() == []


Asked = Callable[[str, str, Any], tuple[int, Any, Any]]


def test_a_large_audit_over_http_is_a_run(account: Account) -> None:
    from chalicelib.web import routes

    service = account.service(accounts=())
    begun = routes.post_audit(
        service, b'{"regions": ["eu-west-1", "us-east-1"], "rules": ["endpoint-single-instance"]}'
    )
    assert begun.status == 202
    assert begun.headers["Location"] == f"/audit/runs/{begun.body['audit_id']}"
    waiting = get_run(service, begun.body["audit_id"])
    assert (waiting.status, waiting.body["state"]) == (200, "queued")
    assert waiting.body["parts"]["total"] == 2
    first, second = account.queued()
    worked(service, first)
    running = get_run(service, begun.body["audit_id"]).body
    assert (running["state"], running["parts"]["done"], running["report"]) == ("running", 1, None)
    worked(service, second)
    done = get_run(service, begun.body["audit_id"]).body
    assert done["state"] == "done"
    assert {finding["rule"] for finding in done["report"]["findings"]} == {"endpoint-single-instance"}
    assert account.notices() == []
    assert get_run(service, "a-none").status == 404
    with pytest.raises(InvalidInput, match="is not audited from here"):
        routes.post_audit(service, b'{"accounts": ["999999999999"]}')
