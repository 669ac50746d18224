"""One measured piece of work in a fresh process, told as one line of JSON.

    python -m benchmarks.measured WORK ACCOUNT.json [FINDINGS.json]

Time and CPU begin after the imports and hold the making of clients; a Lambda that is warm pays neither again.
"""

import hashlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from benchmarks import bursts, naive, reference, runs
from benchmarks.account import ACCOUNT, REGION, Account
from chalicelib import collect_seldom
from chalicelib.audit.auditor import Auditor
from chalicelib.cli.sessions import new_service
from chalicelib.inventory.parts import Part
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report.findings import Report
from chalicelib.scope import ResourceRef, Scope
from chalicelib.service import Service
from chalicelib.settings import Settings
from chalicelib.web.routes import get_audit

Told = dict[str, Any]


def told_of(report: Report, keep: Path | None) -> Told:
    """What matters of a report: counts, blind spots, and the findings as a digest (whole in the file ``keep``)."""
    findings = [
        finding.model_dump(mode="json", exclude={"first_seen", "last_seen"})
        for finding in sorted(report.findings, key=lambda finding: finding.id)
    ]
    text = json.dumps({"findings": findings, "rules": {id: rule.model_dump() for id, rule in report.rules.items()}})
    if keep is not None:
        keep.write_text(text, encoding="utf-8")
    return {
        "findings": len(findings),
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "told": sorted({(finding.rule, finding.resource.name) for finding in report.findings}),
        "blind": [f"{spot.operation}: {spot.error}" for spot in report.blind_spots],
        "calls": report.api_calls,
        "outcomes": sum(sum(rule.model_dump().values()) for rule in report.rules.values()),
        "unknown": sum(rule.unknown for rule in report.rules.values()),
    }


def audit(account: Account, keep: Path | None) -> Told:
    """The audit as the terminal makes it, without the rehearsals, which read some 25 times as much as all the rest."""
    service = new_service(region=REGION)
    return told_of(service.audit(service.scope(rules=others(service.policy)), "cli"), keep)


def others(policy: Policy) -> list[str]:
    """The rules in force but those of rehearsals."""
    return [id for id, own in policy.enabled().items() if Part.MINUTES not in own.rule.reads]


def rehearsed(account: Account, keep: Path | None) -> Told:
    """The audit as the terminal makes it, rehearsals and all."""
    service = new_service(region=REGION)
    return told_of(service.audit(service.scope(), "cli"), keep)


def limit(account: Account, keep: Path | None) -> Told:
    """The reference, cold or with what is remembered."""
    warm = os.environ.get("BENCH_REMEMBERED") == "1"
    return {"records": reference.read(boto3.Session(region_name=REGION), account.sizes, remembered=warm)}


def slow(account: Account, keep: Path | None) -> Told:
    """The plain loop. What it gathered is judged after the clock has stopped."""
    known = naive.gather(boto3.Session(region_name=REGION))
    return {"known": known}


def narrow(kind: str, name: str) -> Told:
    """The audit of one resource, as an event asks for it."""
    service = new_service(region=REGION, remember=False)
    return told_of(service.audit(service.scope(resources=[ResourceRef(kind, name)]), "event"), None)


def endpoint(account: Account, keep: Path | None) -> Told:
    """The audit of an endpoint that runs on one instance."""
    planted = account.expected()
    name = next(name for rule, name in sorted(planted) if rule == "endpoint-single-instance")
    return narrow("endpoint", name.split("/")[0])


def job(account: Account, keep: Path | None) -> Told:
    """The audit of a training job that stands in a VPC."""
    return narrow("training-job", account.job_name(0))


def http(account: Account, keep: Path | None) -> Told:
    """``GET /audit`` from the ledger: the first request of a process, with its clients, and the one after it."""
    service = Service(Settings.from_environment(), boto3.Session(region_name=REGION))
    took = []
    for _ in range(2):
        start = time.process_time()
        answer = get_audit(service, {})
        assert answer.status == 200, answer.body
        took.append(time.process_time() - start)
    return {"first": took[0], "second": took[1], "findings": len(answer.body["findings"])}


WORK: dict[str, Callable[[Account, Path | None], Told]] = {
    "audit": audit,
    "rehearsed": rehearsed,
    "reference": limit,
    "naive": slow,
    "endpoint": endpoint,
    "job": job,
    "http": http,
    "burst": bursts.burst,
    **runs.WORK,
}


def peak_mb() -> float:
    """The most memory that the process has had. Linux counts in ``ru_maxrss`` what the parent had, too."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(arguments: list[str]) -> None:
    """Does the work named, and prints what it took."""
    account = Account.from_json(Path(arguments[1]).read_text(encoding="utf-8"))
    keep = Path(arguments[2]) if len(arguments) > 2 else None
    collect_seldom()
    wall, cpu = time.perf_counter(), time.process_time()
    figures = WORK[arguments[0]](account, keep)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if (known := figures.pop("known", None)) is not None:
        policy = load_policy("baseline")
        scope = Scope(ACCOUNT, REGION, rules=frozenset(others(policy)))
        figures |= told_of(Auditor(naive.Gathered(known), policy).audit(scope, "cli"), keep)
    print(json.dumps({"wall": wall, "cpu": cpu, "peak_mb": peak_mb(), **figures}))


if __name__ == "__main__":
    main(sys.argv[1:])
