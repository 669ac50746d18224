"""What people wait for beside an audit: ``GET /audit`` from the ledger, and the report page."""

import importlib
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.account import ACCOUNT, REGION, Account, Sizes
from benchmarks.judging import known_of
from benchmarks.naive import Gathered
from benchmarks.running import ROOT, Running
from benchmarks.table import Table
from chalicelib.audit.auditor import Auditor
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.table import TABLE
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Report
from chalicelib.report.known import Known
from chalicelib.scope import Scope

FINDINGS = 5_000


def report_of(account: Account) -> Report:
    """The audit of the account from memory, without a server."""
    auditor = Auditor(Gathered(known_of(account)), load_policy("baseline"))
    return auditor.audit(Scope(ACCOUNT, REGION), "http")


def rows(table: Table, folder: Path, rounds: int) -> None:
    """Adds the figures of both faces."""
    sizes = replace(Sizes.of(2_500, 5_000), unhealthy=0.6)
    report = report_of(Account(sizes, int(time.time())))
    _http(table, folder, report, rounds)
    _page(table, report, rounds)


def _http(table: Table, folder: Path, report: Report, rounds: int) -> None:
    """A page of 500 findings out of a ledger of 1,000, in a process of its own."""
    account = Account(Sizes.of(1, 1), int(time.time()))
    file = folder / "http.json"
    file.write_text(account.to_json(), encoding="utf-8")
    from emulator.server import Emulator  # it would count as memory of whoever is measured

    with Emulator() as emulator:
        client = emulator.client("dynamodb")
        client.create_table(TableName="auditor-bench", **TABLE)
        Ledger("auditor-bench", client).write([Known(finding, None, None) for finding in report.findings[:1_000]])
        running = Running(emulator.url, account, file)
        environment = {**emulator.environment(), "AUDITOR_TABLE": "auditor-bench"}
        measurements = [running.run("http", environment=environment) for _ in range(rounds)]
    first, second = (
        [1000 * change["first"] for change in measurements],
        [1000 * change["second"] for change in measurements],
    )
    table.row("CPU ms, GET /audit, first of a process, with clients", first)
    table.row("CPU ms, GET /audit, 500 findings", second, "< 150", max(second) < 150)


def _page(table: Table, report: Report, rounds: int) -> None:
    if not (ROOT / "chalicelib" / "report" / "formats" / "page.py").is_file():
        table.skipped.append("The report page is not measured: there is no page yet.")
        return
    page = importlib.import_module("chalicelib.report.formats.page").page
    findings = report.findings[:FINDINGS]
    large = report.model_copy(update={"findings": findings})
    took = []
    for _ in range(rounds + 1):
        start = time.process_time()
        page(large)
        took.append(1000 * (time.process_time() - start))
    table.row("CPU ms, report page, first, with templates from source", took[:1])
    later = took[1:]
    table.row(f"CPU ms, report page, {len(findings):,} findings", later, "< 300", max(later) < 300)
