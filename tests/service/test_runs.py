"""How runs end: each account is told as its last part comes back, what failed or is stuck once, nothing is lost by
deaths, and reports are read page by page."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from msgspec.structs import replace

from chalicelib.errors import InvalidInput
from chalicelib.service import Service
from chalicelib.settings import Settings
from chalicelib.web import pages, routes, runs
from chalicelib.web.runs import get_run
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_fleet import MEMBERS, REGIONS, SCHEDULE, Account, worked

pytestmark = pytest.mark.usefixtures("direct_calls")


class Death(BaseException):
    """The process ends; nothing catches it."""


@pytest.fixture
def account(emulator: Emulator) -> Account:
    return Account(emulator)


def hours_later(service: Service, hours: int) -> None:
    """Moves the clock of the runs."""
    service.runs.clock = lambda: datetime.now(UTC) + timedelta(hours=hours)


def attempt(record: dict[str, Any], number: int) -> dict[str, Any]:
    """The message as the queue gives it for the time with this number."""
    return {**record, "attributes": {"ApproximateReceiveCount": str(number)}}


def state_of(service: Service, run: str) -> Any:
    return get_run(service, run).body["state"]


# ---- telling


def test_an_account_is_told_as_soon_as_its_own_parts_are_back(account: Account) -> None:
    service = account.service()
    run = service.on_schedule(SCHEDULE)["run"]
    digests = []
    for record in sorted(account.queued(), key=lambda record: str(record["body"])):
        assert worked(service, record) == []
        digests.append([digest["account"] for digest in account.notices()])
    assert digests == [[], [ACCOUNT], [], [MEMBERS[0]], [], [MEMBERS[1]]]
    assert state_of(service, run) == "done"


def test_a_channel_that_fails_for_one_account_holds_up_no_other(account: Account, front: Front) -> None:
    service = account.service(regions=(REGION,))
    run = service.on_schedule(SCHEDULE)["run"]
    records = {json.loads(record["body"])["account"]: record for record in account.queued()}
    front.fail("sns:Publish", 400, "InvalidParameter", times=1)
    assert worked(service, records[ACCOUNT]) == [records[ACCOUNT]["messageId"]]
    assert worked(service, records[MEMBERS[0]]) == []
    assert [digest["account"] for digest in account.notices()] == [MEMBERS[0]]
    assert worked(service, records[MEMBERS[1]]) == []  # the last part tells whoever was not told
    assert [digest["account"] for digest in account.notices()] == [ACCOUNT, MEMBERS[1]]
    assert state_of(service, run) == "done"
    assert worked(service, *records.values()) == []
    assert account.notices() == []


@pytest.mark.slow
def test_wherever_the_process_dies_each_account_is_told_and_the_run_ends(account: Account) -> None:
    settings = account.service(accounts=(ACCOUNT, MEMBERS[0]), regions=(REGION,)).settings
    for run in ("a-first", "a-second"):  # the first has findings to tell, and remembers configs for the others
        whole = Mortal(settings)
        last = whole.all_but_the_last_part(account, run)
        assert worked(whole.service, last) == []
        account.notices()
    calls = len(whole.calls)
    # Most calls are those of reading, before there is anything to lose.
    for dies_at in sorted(random.Random(14).sample(range(calls * 2 // 3, calls), 6)):
        dying = Mortal(settings)
        run = f"a-{dies_at}"
        last = dying.all_but_the_last_part(account, run)
        dying.dies_at = dies_at
        with pytest.raises(Death):
            worked(dying.service, last)
        after = Service(settings, boto3.Session(region_name=REGION))
        _late(after)
        assert worked(after, attempt(last, 2)) == []
        counts = Counter(digest["account"] for digest in account.notices())
        assert counts.keys() == {ACCOUNT, MEMBERS[0]}, f"death at call {dies_at} of {calls}"
        assert max(counts.values()) <= 2, f"death at call {dies_at} of {calls}"
        assert state_of(after, run) == "done", f"death at call {dies_at} of {calls}"


class Mortal:
    """A process that dies before its call with the number ``dies_at``, counted from its last part on."""

    def __init__(self, settings: Settings) -> None:
        session = boto3.Session(region_name=REGION)
        session.events.register("before-call", self._before)
        self.service = Service(settings, session)
        self.calls: list[str] = []
        self.dies_at: int | None = None

    def all_but_the_last_part(self, account: Account, run: str) -> dict[str, Any]:
        """Begins a run and works its parts; gives the last one."""
        self.service.fleet.start("schedule", id=run)
        *others, last = sorted(account.queued(), key=lambda record: str(record["body"]))
        assert worked(self.service, *others) == []
        self.calls.clear()
        return last

    def _before(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)
        if self.dies_at is not None and len(self.calls) > self.dies_at:
            raise Death


def _late(service: Service) -> None:
    """Whoever comes next finds that the claims of the dead have run out."""
    assert service.ledger is not None
    service.ledger.clock = lambda: datetime.now(UTC) + timedelta(minutes=5)


# ---- failed and stuck


def test_a_part_that_dies_three_times_fails_the_run_and_holds_up_no_other_account(account: Account) -> None:
    service = account.service(accounts=(ACCOUNT, MEMBERS[0]), regions=(REGION,))
    healthy, tried = service.fleet.audit_part, []

    def deadly(scope: Any, trigger: str, session: boto3.Session) -> Any:
        if scope.account == ACCOUNT:
            tried.append(scope)
            raise Death
        return healthy(scope, trigger, session)

    service.__dict__["fleet"] = replace(service.fleet, audit_part=deadly)
    run = service.on_schedule(SCHEDULE)["run"]
    records = {json.loads(record["body"])["account"]: record for record in account.queued()}
    for number in (1, 2):
        with pytest.raises(Death):
            worked(service, attempt(records[ACCOUNT], number))
    assert worked(service, records[MEMBERS[0]]) == []
    assert [digest["account"] for digest in account.notices()] == [MEMBERS[0]]
    assert state_of(service, run) == "running"
    assert worked(service, attempt(records[ACCOUNT], 3)) == [records[ACCOUNT]["messageId"]]  # to the dead letters
    assert len(tried) == 2
    digest, notice = account.notices()
    assert [spot["error"] for spot in digest["blind_spots"]] == [
        "2 attempts died without a word: their time or their memory was not enough"
    ]
    assert notice["health"] == f"run {run} failed: 1 of 2 parts failed for good"
    assert [(spot["error"].partition(":")[0], spot["effect"]) for spot in notice["blind_spots"]] == [
        (f"{ACCOUNT} in {REGION}", [])
    ]
    assert {result.report.audit_id for result in service.runs.results.of_account(run, ACCOUNT).values()} == {run}
    assert state_of(service, run) == "failed"


def test_a_part_that_failed_aloud_twice_is_tried_a_third_time(account: Account) -> None:
    service = account.service(accounts=(ACCOUNT,), regions=(REGION,))
    healthy = service.fleet.audit_part
    failures = [MemoryError("too large"), MemoryError("too large")]

    def recovering(scope: Any, trigger: str, session: boto3.Session) -> Any:
        if failures:
            raise failures.pop()
        return healthy(scope, trigger, session)

    service.__dict__["fleet"] = replace(service.fleet, audit_part=recovering)
    run = service.on_schedule(SCHEDULE)["run"]
    (record,) = account.queued()
    ends = [worked(service, attempt(record, number)) for number in (1, 2, 3)]
    assert ends == [[record["messageId"]], [record["messageId"]], []]
    assert state_of(service, run) == "done"
    assert [notice["kind"] for notice in account.notices()] == ["digest"]


def test_a_run_whose_time_is_over_is_stuck_and_the_next_schedule_tells_it_once(account: Account) -> None:
    service = account.service(accounts=(ACCOUNT,))
    run = service.on_schedule(SCHEDULE)["run"]
    first, second = account.queued()
    worked(service, first)
    assert state_of(service, run) == "running"
    hours_later(service, 7)
    waiting = get_run(service, run).body
    assert (waiting["state"], len(waiting["parts"]["open"]), waiting["report"]) == ("stuck", 1, None)
    service.on_schedule({**SCHEDULE, "id": "e-2"})
    account.queued()
    notices = [(notice["kind"], notice["audit_id"]) for notice in account.notices()]
    assert notices == [("digest", run), ("run", run)]
    ended = get_run(service, run).body
    lost = [f"{ACCOUNT}#{json.loads(second['body'])['region']}"]
    assert (ended["state"], ended["parts"]["open"], ended["parts"]["lost"]) == ("stuck", [], lost)
    assert [spot["error"] for spot in ended["report"]["blind_spots"]] == ["the part never came to its end"]
    service.fleet.closing.close_stale()
    assert worked(service, second) == []
    assert account.notices() == []
    assert state_of(service, run) == "stuck"


def test_a_run_over_http_that_is_stuck_is_ended_by_a_schedule_without_accounts(account: Account) -> None:
    service = account.service(accounts=(), regions=(REGION,))
    run = routes.post_audit(service, b'{"regions": ["eu-west-1"]}').body["audit_id"]
    account.queued()
    hours_later(service, 7)
    service.on_schedule(SCHEDULE)
    ended = get_run(service, run).body
    assert (ended["state"], ended["parts"]["lost"]) == ("stuck", [f"{ACCOUNT}#{REGION}"])
    assert [notice["audit_id"] == run for notice in account.notices()] == [False]  # nobody wanted to be told of the run


def test_a_stale_run_that_cannot_be_told_fails_neither_the_schedule_nor_the_other_runs(
    account: Account, front: Front
) -> None:
    service = account.service(accounts=(ACCOUNT,), regions=(REGION,))
    runs = [service.on_schedule({**SCHEDULE, "id": f"e-{number}"})["run"] for number in (1, 2)]
    account.queued()
    hours_later(service, 7)
    front.fail("sns:Publish", 400, "InvalidParameter", times=1)
    third = service.on_schedule({**SCHEDULE, "id": "e-3"})["run"]
    states = {run: service.runs.get(run).closed for run in runs}  # type: ignore[union-attr]
    assert sorted(states.values()) == [False, True]
    notices = [(notice["kind"], notice["audit_id"]) for notice in account.notices()]
    (ended,) = [run for run, closed in states.items() if closed]
    assert notices == [("digest", ended), ("run", ended)]
    service.on_schedule({**SCHEDULE, "id": "e-3"})
    (waiting,) = set(runs) - {ended}
    assert [(notice["kind"], notice["audit_id"]) for notice in account.notices()] == [
        ("digest", waiting),
        ("run", waiting),
    ]
    assert {service.runs.get(run).closed for run in runs} == {True}  # type: ignore[union-attr]
    assert state_of(service, third) == "queued"


def test_a_schedule_goes_on_where_the_runs_cannot_be_read(account: Account, front: Front) -> None:
    front.fail("dynamodb:GetItem", 400, "ValidationException", when=lambda call: "runs" in str(call.params))
    service = account.service(accounts=(), regions=(REGION,), queue_url=None)
    assert service.on_schedule(SCHEDULE)["findings"] == 2


@pytest.mark.slow
def test_a_notice_of_a_run_names_the_first_parts_and_counts_the_rest(account: Account) -> None:
    accounts = [f"{300_000_000_000 + number}" for number in range(30)]
    service = account.service(accounts=tuple(accounts), regions=(REGION,))
    service.on_schedule(SCHEDULE)
    account.queued()
    hours_later(service, 7)
    service.fleet.closing.close_stale()
    notices = []
    while batch := account.notices():
        notices += [notice for notice in batch if notice["kind"] == "run"]
    assert len(notices) == 1
    assert (len(notices[0]["blind_spots"]), notices[0]["omitted_blind_spots"]) == (20, 10)
    assert notices[0]["health"].endswith("is stuck: 30 of 30 parts not back in 6 hours")


# ---- reading


def walked(service: Service, run: str, cursor: str | None = None) -> list[dict[str, Any]]:
    """The answers to a run, page after page."""
    answers = []
    while True:
        body = get_run(service, run, {"cursor": cursor} if cursor is not None else {}).body
        answers.append(body)
        cursor = body["cursor"]
        if cursor is None:
            return answers


@pytest.mark.slow
def test_a_large_report_of_a_run_comes_in_pages_that_together_hold_everything(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = account.service()
    run = service.on_schedule(SCHEDULE)["run"]
    worked(service, *account.queued())
    (whole,) = walked(service, run)
    frame = pages.size(service.fleet.closing.whole(service.runs.get(run)).report)  # type: ignore[arg-type]
    monkeypatch.setattr(pages, "REPORT_BYTES", frame + 3_000)
    report_pages = walked(service, run)
    assert len(report_pages) > 2
    assert max(len(json.dumps(json.dumps(page["report"]))) for page in report_pages) <= frame + 4_000
    number = len(whole["report"]["findings"])
    for field in ("findings", "blind_spots", "deferred", "endpoints", "exemptions"):
        held = [entry for page in report_pages for entry in page["report"][field]]
        assert sorted(map(json.dumps, held)) == sorted(map(json.dumps, whole["report"][field])), field
    for page in report_pages:
        assert (page["report"]["rules"], page["report"]["resources"]) == (
            whole["report"]["rules"],
            whole["report"]["resources"],
        )
        shown = page["report"]["shown"]
        assert (shown["findings"], shown["left_out"]) == (
            len(page["report"]["findings"]),
            number - len(page["report"]["findings"]),
        )


PLACES_OF_NO_PAGE: tuple[dict[str, Any], ...] = (
    {"run": "another", "part": "", "entry": 0},
    {"run": "", "part": f"{ACCOUNT}#{REGION}", "entry": 10_000},
    {"run": "", "part": f"{ACCOUNT}#eu-nowhere-1", "entry": 0},
    {"run": "", "part": "999999999999#eu-west-1", "entry": 1},
    {"run": "", "part": "part#", "entry": 0},
    {"run": "", "part": f"{ACCOUNT}#{REGION}", "entry": -1},
    {"run": "", "part": f"{ACCOUNT}#{REGION}", "entry": True},
    {"run": "", "part": 7, "entry": 0},
    {"run": "", "part": "", "entry": 5},
)


def test_a_cursor_that_no_page_of_the_run_gave_is_refused(account: Account) -> None:
    from chalicelib.ledger.cursors import encoded

    service = account.service(accounts=(ACCOUNT,), regions=(REGION,))
    run = service.on_schedule(SCHEDULE)["run"]
    with pytest.raises(InvalidInput, match="the cursor is none"):
        get_run(service, run, {"cursor": encoded({"run": run, "part": "", "entry": 0})})  # it is not over
    worked(service, *account.queued())
    for place in PLACES_OF_NO_PAGE:
        with pytest.raises(InvalidInput, match="the cursor is none"):
            get_run(service, run, {"cursor": encoded({**place, "run": place["run"] or run})})
    with pytest.raises(InvalidInput, match="the cursor is none"):
        get_run(service, run, {"cursor": "nonsense"})
    with pytest.raises(InvalidInput, match="unknown query parameter"):
        get_run(service, run, {"page": "2"})


def test_an_audit_that_is_too_large_for_an_answer_is_read_on_as_a_run(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = account.service(accounts=(), regions=(REGION,), queue_url=None)
    asked = json.dumps({"regions": REGIONS}).encode()
    whole = routes.post_audit(service, asked)
    assert whole.headers.keys() == {"Content-Type"}
    frame = pages.size(service.audit(service.scope(), "http")) // 2
    for module in (pages, runs):
        monkeypatch.setattr(module, "REPORT_BYTES", frame)
    first = routes.post_audit(service, asked)
    cursor, run = first.headers["X-Next-Cursor"], first.headers["Location"].removeprefix("/audit/runs/")
    assert first.body["audit_id"] == run
    assert json.loads(json.dumps(first.body)) == first.body
    bodies = [first.body, *(page["report"] for page in walked(service, run, cursor))]
    ids = [finding["id"] for body in bodies for finding in body["findings"]]
    assert sorted(ids) == sorted(finding["id"] for finding in whole.body["findings"])
    assert first.body["shown"]["left_out"] == len(ids) - len(first.body["findings"])
    assert state_of(service, run) == "done"


def test_an_audit_too_large_for_an_answer_says_what_it_leaves_out_where_nothing_can_be_kept(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = account.service(accounts=(), regions=(REGION,), queue_url=None, table=None)
    whole = routes.post_audit(service, b"")
    for module in (pages, runs):
        monkeypatch.setattr(module, "REPORT_BYTES", pages.size(service.audit(service.scope(), "http")) // 2)
    answer = routes.post_audit(service, b"")
    assert answer.headers.keys() == {"Content-Type"}
    assert answer.body["shown"]["left_out"] == len(whole.body["findings"]) - len(answer.body["findings"])
