"""A run of many parts, and one large digest: seconds, calls and memory of whoever tells, ends and reads it.

Parts are audited in other processes long before: here each hands over a report that is there already, so that what is
measured is the run itself. Table, queue and topic are an emulator's, whose time is most of the seconds.
"""

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from msgspec.structs import replace

from benchmarks.account import ACCOUNT, REGION, Account, Sizes
from benchmarks.faces import report_of
from benchmarks.running import Running
from benchmarks.table import Table
from chalicelib.fleet.fleet import Fleet
from chalicelib.ledger.table import TABLE
from chalicelib.notices.publisher import Audited
from chalicelib.report.findings import Finding, Report, finding_id
from chalicelib.report.merging import report_id
from chalicelib.scope import Scope
from chalicelib.service import Service
from chalicelib.settings import Settings
from chalicelib.web.runs import get_run

Told = dict[str, Any]

#: A run of an organization: accounts × regions.
ACCOUNTS = 250
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2")
#: Endpoints of a part, of which some three in ten have a defect.
ENDPOINTS = 10
#: Findings of the large digest.
FINDINGS = 10_000
RUN, LARGE_RUN = "a-many-parts", "a-many-findings"
#: The limits that the figures are held against: half a function of 1 GB, and the answer of a function.
MEMORY_MB, ANSWER_MB = 512, 6


def accounts() -> list[str]:
    """The ids of the accounts of a run."""
    return [f"{200_000_000_000 + number}" for number in range(ACCOUNTS)]


# ---- in processes of their own


def fleet_of(read: Callable[[], Report]) -> tuple[Service, Fleet, Counter[str]]:
    """The service, its fleet, of which each part hands over the report that is read then, and the calls to AWS so
    far."""
    session = boto3.Session(region_name=REGION)
    calls: Counter[str] = Counter()
    session.events.register(
        "before-call", lambda model, **_: calls.update([f"{model.service_model.service_name}:{model.name}"])
    )
    service = Service(Settings.from_environment(), session)

    def audit_part(scope: Scope, trigger: str, session: boto3.Session) -> Audited:
        return Audited(moved(read(), scope), scope)

    service.__dict__["fleet"] = replace(service.fleet, audit_part=audit_part)
    return service, service.fleet, calls


def moved(report: Report, scope: Scope) -> Report:
    """The report as one of another account and region."""
    place = {"accounts": [scope.account], "regions": [scope.region]}
    findings = [_moved(finding, scope) for finding in report.findings]
    return report.model_copy(update={**place, "audit_id": report_id(), "trigger": "schedule", "findings": findings})


def _moved(finding: Finding, scope: Scope) -> Finding:
    if (finding.account, finding.region) == (scope.account, scope.region):
        return finding
    text = finding.model_dump_json().replace(REGION, scope.region).replace(ACCOUNT, scope.account)
    there = Finding.model_validate_json(text)
    resource = there.resource.model_copy(update={"part": finding.resource.part})
    id = finding_id(finding.rule, resource.arn, resource.part)
    return there.model_copy(update={"id": id, "resource": resource})


def _write_large(report: Report, file: Path) -> None:
    """Writes a report with very many findings, a line for each of these."""
    large = _with_many_findings(report)
    lines = [large.model_copy(update={"findings": []}), *large.findings]
    file.write_text("\n".join(line.model_dump_json() for line in lines), encoding="utf-8")


def _read_large(file: Path) -> Report:
    """The report in such a file, read line by line: what takes its memory is the report alone."""
    with file.open(encoding="utf-8") as lines:
        report = Report.model_validate_json(next(lines))
        return report.model_copy(update={"findings": [Finding.model_validate_json(line) for line in lines]})


def _with_many_findings(report: Report) -> Report:
    """The report with its findings again and again, each time on other resources."""
    copies = [
        _on_another(finding, number)
        for number in range(FINDINGS // len(report.findings) + 1)
        for finding in report.findings
    ]
    return report.model_copy(update={"findings": copies[:FINDINGS]})


def _on_another(finding: Finding, number: int) -> Finding:
    resource = finding.resource
    another = resource.model_copy(update={"name": f"{number}-{resource.name}", "arn": f"{resource.arn}-{number}"})
    id = finding_id(finding.rule, another.arn, another.part)
    return finding.model_copy(update={"id": id, "resource": another})


def a_message(run: str, account: str, region: str) -> Told:
    """The event in which the queue hands over a part."""
    body = {"kind": "audit-part", "run": run, "account": account, "region": region}
    record = {"messageId": region, "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": "1"}}
    return {"Records": [record]}


def parts() -> list[tuple[str, str]]:
    """The parts of the run in the order in which they come: account after account."""
    return [(account, region) for account in accounts() for region in REGIONS]


def begin(account: Account, keep: Path | None) -> Told:
    """Begins the run, and works all parts but the last."""
    report = report_of(account)
    _, fleet, calls = fleet_of(lambda: report)
    start = time.perf_counter()
    fleet.start("schedule", accounts=accounts(), regions=REGIONS, id=RUN)
    started, starting = time.perf_counter() - start, sum(calls.values())
    for part in parts()[:-1]:
        answer = fleet.work(a_message(RUN, *part))
        assert not answer["batchItemFailures"], part
    return {"started": started, "starting": starting, "calls": dict(calls), "findings": len(report.findings)}


def end(account: Account, keep: Path | None) -> Told:
    """Works the last part, which ends the run."""
    _, fleet, calls = fleet_of(lambda: report_of(account))
    answer = fleet.work(a_message(RUN, *parts()[-1]))
    run = fleet.runs.get(RUN)
    assert not answer["batchItemFailures"] and run is not None and run.state == "done"
    return {"calls": dict(calls)}


def large(account: Account, keep: Path | None) -> Told:
    """A run of one part with very many findings, all new; and one more, which knows them all."""
    assert keep is not None
    _, fleet, calls = fleet_of(lambda: _read_large(keep))
    seconds = []
    for run in (LARGE_RUN, f"{LARGE_RUN}-again"):
        start = time.perf_counter()
        fleet.start("schedule", accounts=[ACCOUNT], regions=[REGION], id=run)
        answer = fleet.work(a_message(run, ACCOUNT, REGION))
        assert not answer["batchItemFailures"]
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "calls": dict(calls)}


def read(account: Account, keep: Path | None) -> Told:
    """``GET /audit/runs/{id}``, page after page, of both runs."""
    service, _, calls = fleet_of(lambda: report_of(account))
    figures: Told = {}
    for run in (RUN, LARGE_RUN):
        sizes, findings, start = [], 0, time.perf_counter()
        for body in _pages(service, run):
            sizes.append(len(json.dumps(json.dumps(body))))
            findings += len(body["report"]["findings"])
        figures[run] = {
            "pages": len(sizes),
            "largest": max(sizes),
            "findings": findings,
            "seconds": time.perf_counter() - start,
        }
    return {**figures, "calls": dict(calls)}


def _pages(service: Service, run: str) -> Iterator[Told]:
    cursor = None
    while True:
        body = get_run(service, run, {"cursor": cursor} if cursor else None).body
        yield body
        cursor = body.get("cursor")
        if cursor is None:
            return


# ---- the figures


def rows(table: Table, folder: Path) -> None:
    """Adds the figures of a run of a thousand parts, and of one of very many findings in one part."""
    from emulator.server import Emulator  # it would count as memory of whoever is measured

    account = Account(dataclasses.replace(Sizes.of(ENDPOINTS, 50), unhealthy=0.3), int(time.time()))
    file = folder / "runs.json"
    file.write_text(account.to_json(), encoding="utf-8")
    big = folder / "large.json"
    _write_large(report_of(account), big)
    with Emulator() as emulator:
        emulator.client("dynamodb").create_table(TableName="auditor-bench", **TABLE)
        topic = emulator.client("sns").create_topic(Name="auditor-bench")["TopicArn"]
        queue = emulator.client("sqs").create_queue(QueueName="auditor-bench")["QueueUrl"]
        running = Running(emulator.url, account, file)
        environment = {
            **emulator.environment(),
            "AUDITOR_TABLE": "auditor-bench",
            "AUDITOR_TOPIC_ARN": topic,
            "AUDITOR_QUEUE_URL": queue,
            "AUDITOR_ACCOUNTS": ",".join(accounts()),
            "AUDITOR_ROLE_NAME": "auditor-member",
        }
        began = running.run("run-begin", environment=environment)
        ended = running.run("run-end", environment=environment)
        digest = running.run("run-large", big, environment)
        pages = running.run("run-read", environment=environment)
    table.notes["a run"] = {"begin": began, "end": ended, "large": digest, "read": pages}
    number, findings = len(parts()), began["findings"]
    table.row(f"seconds, {number:,} parts begun", [began["started"]])
    table.row(f"calls, {number:,} parts begun", [began["starting"]])
    table.row(f"seconds, {number:,} parts of {findings} findings worked", [began["wall"]])
    table.row("calls a part", [sum(began["calls"].values()) / number])
    table.row("peak MB, whoever works them", [began["peak_mb"]], f"< {MEMORY_MB}", began["peak_mb"] < MEMORY_MB)
    table.row("seconds, the last part, which ends the run", [ended["wall"]])
    table.row("calls, the last part", [sum(ended["calls"].values())])
    table.row("peak MB, whoever ends it", [ended["peak_mb"]], f"< {MEMORY_MB}", ended["peak_mb"] < MEMORY_MB)
    table.row(f"seconds, a digest of {FINDINGS:,} new findings, and the next", digest["seconds"])
    table.row("calls, both", [sum(digest["calls"].values())])
    table.row("peak MB, both", [digest["peak_mb"]], f"< {MEMORY_MB}", digest["peak_mb"] < MEMORY_MB)
    for run, what in ((RUN, f"run of {number:,} parts"), (LARGE_RUN, f"run of {FINDINGS:,} findings in one")):
        most = pages[run]["largest"] / 1e6
        table.row(f"pages, GET of a {what}", [pages[run]["pages"]])
        table.row("seconds, all of them", [pages[run]["seconds"]])
        table.row("MB, the largest", [most], f"< {ANSWER_MB}", most < ANSWER_MB)
    table.row("peak MB, whoever reads them", [pages["peak_mb"]], f"< {MEMORY_MB}", pages["peak_mb"] < MEMORY_MB)


WORK: dict[str, Callable[[Account, Path | None], Told]] = {
    "run-begin": begin,
    "run-end": end,
    "run-large": large,
    "run-read": read,
}
