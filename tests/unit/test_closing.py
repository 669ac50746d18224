"""How a run ends, with the runs in memory: who is told what and when, what is kept, what a failure leaves undone."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.fleet.closing import Closing
from chalicelib.ledger.results import Head, Result, RunPart, head_of
from chalicelib.ledger.runs import Run
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Report
from chalicelib.report.known import Resolution
from tests.unit.test_notices import NOW, a_finding, a_report
from tests.unit.test_telemetry import lines_of

FIRST, SECOND = "111111111111", "222222222222"
WEST, EAST, OTHER = RunPart(FIRST, "eu-west-1"), RunPart(FIRST, "us-east-1"), RunPart(SECOND, "eu-west-1")
POLICY = load_policy()


def report_of(part: RunPart, **differences: Any) -> Report:
    finding = a_finding(account=part.account, region=part.region)
    return a_report(finding, accounts=[part.account], regions=[part.region], **differences)


class Book:
    """The runs in memory: one, and what is kept of it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.parts = {
            part: Result(report_of(part), Resolution(), {part.region: ["arn"]}) for part in (WEST, EAST, OTHER)
        }
        self.kept: dict[str, Head] = {}
        self.sizes: dict[tuple[str, str], int] = {}
        self.noted: set[str] = set()
        self.closed: dict[str, str] = {}
        self.others: list[Run] = []
        self.results = self

    def get(self, id: str) -> Run | None:
        return self.run if id == self.run.id else None

    def keep(self, id: str, part: RunPart, result: Result) -> None:
        assert id == self.run.id
        self.parts[part] = result

    def finish(self, id: str, part: RunPart, outcome: str) -> Run:
        assert (id, outcome) == (self.run.id, "lost")
        self.run = replace(self.run, open=self.run.open - {part}, lost=self.run.lost | {part})
        return self.run

    def of_account(self, id: str, account: str) -> dict[RunPart, Result]:
        assert id == self.run.id
        return {part: result for part, result in self.parts.items() if part.account == account}

    def after(self, id: str, key: str = "") -> Iterator[tuple[RunPart, Result]]:
        assert id == self.run.id
        return ((part, result) for part, result in sorted(self.parts.items()) if part.key >= key)

    def heads(self, id: str) -> Iterator[Head]:
        return (head_of(result.report) for _, result in self.after(id))

    def keep_whole(self, id: str, head: Head) -> None:
        self.kept[id] = head

    def whole(self, id: str) -> Head | None:
        return self.kept.get(id)

    def informed_accounts(self, id: str) -> set[str]:
        assert id == self.run.id
        return self.noted

    def note_informed(self, id: str, account: str) -> None:
        assert id == self.run.id
        self.noted = self.noted | {account}

    def grown(self, account: str, region: str, resources: int) -> None:
        self.sizes[account, region] = resources

    def close(self, id: str, state: str) -> None:
        self.closed[id] = state

    def stale(self) -> list[Run]:
        return [*self.others, self.run]


class Publisher:
    """Remembers whom it told; what it sends to ``refusing`` fails."""

    def __init__(self, *refusing: str) -> None:
        self.refusing = refusing
        self.swept: list[tuple[list[Any], Report]] = []
        self.notices: list[Any] = []

    def sweep(self, audited: list[Any], report: Report) -> None:
        if report.accounts[0] in self.refusing:
            raise ConnectionError(f"{report.accounts[0]} refuses")
        self.swept.append((audited, report))

    def run(self, notice: Any, report: Report) -> None:
        self.notices.append(notice)


def a_run(*open: RunPart, **differences: Any) -> Run:
    run = Run("a-7", "running", "schedule", 3, frozenset(open), (FIRST, SECOND), "2026-11-22T06:00:00Z")
    return replace(run, **differences)


def closing(run: Run, *refusing: str) -> tuple[Closing, Book, Publisher]:
    book, publisher = Book(run), Publisher(*refusing)
    runs: Any = book
    sending: Any = publisher
    return Closing(runs, sending, POLICY, "999999999999", "eu-central-1", lambda: NOW), book, publisher


def accounts_of(publisher: Publisher) -> list[str]:
    return [report.accounts[0] for _, report in publisher.swept]


@pytest.mark.parametrize(
    ("run", "account", "heard", "closed"),
    [
        (a_run(OTHER), FIRST, [FIRST], False),
        (a_run(OTHER), SECOND, [], False),
        (a_run(EAST, OTHER), FIRST, [], False),
        (a_run(OTHER, notify=False), FIRST, [], False),
        (a_run(), SECOND, [FIRST, SECOND], True),
        (a_run(notify=False), SECOND, [], True),
        (a_run(closed=True), SECOND, [], False),
        (a_run(OTHER, closed=True), FIRST, [], False),
    ],
)
def test_an_account_is_told_with_its_last_part_and_the_run_ends_with_the_last_of_all(
    run: Run, account: str, heard: list[str], closed: bool
) -> None:
    ends, book, publisher = closing(run)
    ends.came_back(run, account)
    assert accounts_of(publisher) == heard
    assert book.noted == set(heard)
    assert book.closed == ({"a-7": "done"} if closed else {})
    assert publisher.notices == []


def test_a_digest_is_of_the_parts_of_its_account_and_of_the_rules_of_the_run() -> None:
    run = a_run(OTHER, rules=("endpoint-single-instance", "endpoint-idle"))
    ends, book, publisher = closing(run)
    ends.came_back(run, FIRST)
    ((audited, report),) = publisher.swept
    assert [(part.scope.account, part.scope.region, part.scope.partition) for part in audited] == [
        (FIRST, "eu-west-1", "aws"),
        (FIRST, "us-east-1", "aws"),
    ]
    assert {part.scope.rules for part in audited} == {frozenset(run.rules)}
    assert [part.stands for part in audited] == [{"eu-west-1": ["arn"]}, {"us-east-1": ["arn"]}]
    assert [part.report for part in audited] == [book.parts[WEST].report, book.parts[EAST].report]
    assert (report.audit_id, report.accounts, report.regions) == ("a-7", [FIRST], ["eu-west-1", "us-east-1"])
    assert report.scope.rules == ["endpoint-idle", "endpoint-single-instance"]
    assert len(report.findings) == 2
    assert book.sizes == {(FIRST, "eu-west-1"): 412, (FIRST, "us-east-1"): 412}


def test_of_a_region_in_two_parts_the_larger_number_is_its_size() -> None:
    run = a_run(OTHER)
    ends, book, _ = closing(run)
    hosting, jobs = (RunPart(FIRST, "eu-west-1", group) for group in ("hosting", "jobs"))
    sizes = {hosting: {"endpoint": 3, "model": 4}, jobs: {"endpoint": 3}, EAST: {}}
    book.parts = {part: Result(report_of(part, resources=size), Resolution(), {}) for part, size in sizes.items()}
    ends.came_back(run, FIRST)
    assert book.sizes == {(FIRST, "eu-west-1"): 7}


def test_what_is_kept_of_the_whole_run_is_its_head(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "chalicelib")
    run = a_run(rules=("endpoint-idle",))
    ends, book, publisher = closing(run)
    assert ends.whole(run).findings == 3
    ends.close(run)
    head = book.kept["a-7"]
    assert (head.findings, head.report.findings, head.report.audit_id) == (3, [], "a-7")
    assert (head.report.accounts, head.report.scope.rules) == ([FIRST, SECOND], ["endpoint-idle"])
    assert ends.whole(run) is head
    (line,) = [line for line in lines_of(caplog) if line["kind"] == "run"]
    assert [line[name] for name in ("run", "state", "parts", "failed", "lost")] == ["a-7", "done", 3, 0, 0]
    assert publisher.notices == []


def test_parts_that_never_came_are_lost_and_told_of_once_more(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "chalicelib")
    ends, book, publisher = closing(a_run(EAST, OTHER))
    ends.close(book.run)
    assert (book.run.lost, book.closed) == (frozenset({EAST, OTHER}), {"a-7": "stuck"})
    for part in (EAST, OTHER):
        (spot,) = book.parts[part].report.blind_spots
        assert (spot.operation, spot.error) == ("audit", "the part never came to its end")
        assert (book.parts[part].report.audit_id, book.parts[part].report.started_at) == ("a-7", NOW)
    assert accounts_of(publisher) == [FIRST, SECOND]
    (notice,) = publisher.notices
    assert notice.health == "run a-7 is stuck: 2 of 3 parts not back in 6 hours"
    assert [(spot.error, spot.effect) for spot in notice.blind_spots] == [
        (f"{part.account} in {part.region}: the part never came to its end", []) for part in (EAST, OTHER)
    ]
    assert (notice.account, notice.region) == ("999999999999", "eu-central-1")
    (line,) = [line for line in lines_of(caplog) if line["kind"] == "run"]
    assert [line[name] for name in ("state", "parts", "failed", "lost")] == ["stuck", 3, 0, 2]


@pytest.mark.parametrize(
    ("run", "state", "sentence"),
    [
        (a_run(failed=frozenset({WEST})), "failed", "run a-7 failed: 1 of 3 parts failed for good"),
        (
            a_run(failed=frozenset({WEST}), lost=frozenset({EAST})),
            "stuck",
            "run a-7 is stuck: 1 of 3 parts not back in 6 hours",
        ),
        (a_run(failed=frozenset({WEST}), notify=False), "failed", None),
    ],
)
def test_parts_that_were_not_read_are_told_of_where_somebody_wants_to_know(
    run: Run, state: str, sentence: str | None
) -> None:
    ends, book, publisher = closing(run)
    ends.close(run)
    assert book.closed == {"a-7": state}
    assert [notice.health for notice in publisher.notices] == ([sentence] if sentence else [])


def test_an_account_that_refuses_its_digest_holds_up_the_end_and_not_the_others() -> None:
    ends, book, publisher = closing(a_run(), FIRST)
    with pytest.raises(ConnectionError, match=f"{FIRST} refuses"):
        ends.close(book.run)
    assert (accounts_of(publisher), book.noted, book.closed, book.kept) == ([SECOND], {SECOND}, {}, {})
    publisher.refusing = ()
    ends.close(book.run)
    assert (accounts_of(publisher), book.closed) == ([SECOND, FIRST], {"a-7": "done"})


def test_of_several_that_refuse_the_first_is_raised() -> None:
    ends, book, publisher = closing(a_run(), FIRST, SECOND)
    with pytest.raises(ConnectionError, match=f"{FIRST} refuses"):
        ends.close(book.run)
    assert publisher.swept == []


def test_a_stale_run_that_cannot_be_ended_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    ends, book, _ = closing(a_run(OTHER))
    book.others = [replace(a_run(WEST), id="a-6")]  # of which nothing is kept
    ends.close_stale()
    assert book.closed == {"a-7": "stuck"}
    assert "run a-6 is not ended" in caplog.text
    assert "run a-7 is ended with 1 parts that never came" in caplog.text


@pytest.mark.parametrize("group", ["hosting", "jobs"])
def test_each_rule_is_asked_in_one_group(group: str) -> None:
    ends, _, _ = closing(a_run())
    part, enabled = RunPart(FIRST, "eu-west-1", group), frozenset(POLICY.enabled())
    rules = ends.rules(a_run(), part)
    assert rules < enabled and rules
    assert ("training-cpu-for-gpu-algorithm" in rules) is (group == "jobs")
    assert ("endpoint-single-instance" in rules) is (group == "hosting")
    other = ends.rules(a_run(), part._replace(group="jobs" if group == "hosting" else "hosting"))
    assert (rules | other, rules & other) == (enabled, frozenset())
    assert ends.rules(a_run(rules=("endpoint-single-instance",)), part) == (
        {"endpoint-single-instance"} if group == "hosting" else frozenset()
    )
    assert ends.rules(a_run(), WEST) == frozenset()


def test_a_part_that_was_not_read_leaves_every_rule_in_force_unknown() -> None:
    ends, _, _ = closing(a_run())
    result = ends.unread(a_run(trigger="http"), WEST, "sts:AssumeRole", "no role")
    report = result.report
    assert (report.audit_id, report.trigger) == ("a-7", "http")
    assert (report.accounts, report.regions, report.complete) == ([FIRST], ["eu-west-1"], False)
    assert (set(report.rules), report.policy) == (set(POLICY.enabled()), POLICY.used)
    assert (result.judged, result.stands) == (Resolution(), {})
    assert head_of(report).findings == 0
