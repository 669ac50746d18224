"""What the parts of a run found, in the ledger's table: compressed, in pieces small enough for DynamoDB.

They are read part by part, so that a run of a thousand parts needs no more memory than its largest one. Of the report
of the whole run the head alone is kept: what does not grow with its findings.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from msgspec import Struct

from chalicelib.ledger.pieces import lines_of, pieces_of, whole
from chalicelib.ledger.table import Expression, Item, ItemTable, LedgerFailed
from chalicelib.report.findings import Finding, Report
from chalicelib.report.known import Resolution

#: Sorts behind every key of a part.
LAST = "~"


class RunPart(NamedTuple):
    """One account and region of a run; of a very large one the rules of one ``group`` only (``hosting``, ``jobs``)."""

    account: str
    region: str
    group: str = ""

    @property
    def key(self) -> str:
        """As text: ``account#region``, with ``/group`` where there is one."""
        return f"{self.account}#{self.region}" + (f"/{self.group}" if self.group else "")

    @classmethod
    def of(cls, key: str) -> "RunPart":
        """The part of a key."""
        account, where = key.split("#", 1)
        region, _, group = where.partition("/")
        return cls(account, region, group)


class Result(Struct, frozen=True):
    """What one part found: its report, what it says of findings known before, and who stands on which subnet."""

    report: Report
    judged: Resolution
    stands: Mapping[str, Iterable[str]]


class Head(Struct, frozen=True):
    """A report without what grows with the account, and how many findings it has."""

    report: Report
    findings: int


def head_of(report: Report) -> Head:
    """The head of a report. Of the calendar it holds what the policy says of all accounts."""
    lists: dict[str, Any] = {
        "findings": [],
        "blind_spots": [],
        "deferred": [],
        "endpoints": [],
        "calendar": [entry for entry in report.calendar if entry.account is None],
        "passes": None,
    }
    return Head(report.model_copy(update=lists), len(report.findings))


class Results(Struct, frozen=True):
    """The results in ``table``, which are kept until ``expires`` (seconds since the epoch). Every method raises
    LedgerFailed when the table cannot be used, or while another attempt at a part is writing what it found."""

    table: ItemTable
    expires: int

    def keep(self, id: str, part: RunPart, result: Result) -> None:
        """Keeps what a part found; a second time it takes the place of the first."""
        self._put(id, f"part#{part.key}#", _lines(result))

    def of_account(self, id: str, account: str) -> dict[RunPart, Result]:
        """What the parts of one account found, by part."""
        where = Expression("pk = :pk AND begins_with(sk, :part)", pk=partition_of_run(id), part=f"part#{account}#")
        return {RunPart.of(key): _result(id, key, items) for key, items in self._by_part(where)}

    def after(self, id: str, key: str = "") -> Iterator[tuple[RunPart, Result]]:
        """What the parts of a run found, one after the other in the order of their keys, from the part ``key`` on."""
        for part_key, items in self._by_part(_from(id, key)):
            yield RunPart.of(part_key), _result(id, part_key, items)

    def heads(self, id: str) -> Iterator[Head]:
        """The heads of the reports of a run's parts, one after the other."""
        for part_key, items in self._by_part(_from(id, "")):
            content = json.loads(next(_read(id, part_key, items)))
            head = head_of(Report.model_validate(content["report"]))
            yield Head(head.report, content.get("findings", head.findings))

    def keep_whole(self, id: str, head: Head) -> None:
        """Keeps the head of the report of a whole run."""
        content = {"report": head.report.model_dump(mode="json"), "findings": head.findings}
        self._put(id, "whole#", [json.dumps(content)])

    def whole(self, id: str) -> Head | None:
        """The head of the report of a whole run; None before the run is over."""
        where = Expression("pk = :pk AND begins_with(sk, :whole)", pk=partition_of_run(id), whole="whole#")
        items = list(self.table.query(where))
        if not items:
            return None
        content = json.loads(b"".join(_read(id, "", items)))
        return Head(Report.model_validate(content["report"]), content["findings"])

    def _put(self, id: str, prefix: str, lines: Iterable[str]) -> None:
        self.table.put_pieces(partition_of_run(id), prefix, pieces_of(lines), expires=self.expires)

    def _by_part(self, where: Expression) -> Iterator[tuple[str, list[Item]]]:
        for key, items in groupby(self.table.query(where), key=lambda item: _key_in(item["sk"])):
            yield key, list(items)


def partition_of_run(id: str) -> str:
    """The partition key of a run and of all that belongs to it."""
    return f"run#{id}"


def _from(id: str, key: str) -> Expression:
    """The pieces of the parts from this one on."""
    first, last = f"part#{key}#" if key else "part#", f"part#{LAST}"
    return Expression("pk = :pk AND sk BETWEEN :first AND :last", pk=partition_of_run(id), first=first, last=last)


def _key_in(sk: str) -> str:
    """The part's key in a sort key ``kind#account#region#0000``."""
    return sk.split("#", 1)[1].rsplit("#", 1)[0]


def _read(id: str, key: str, items: list[Item]) -> Iterator[bytes]:
    """The lines of its pieces; pieces left over from a longer one before are not looked at."""
    bodies = whole(items)
    if bodies is None:
        raise LedgerFailed(f"what the part {key} of the run {id} found is being written; the next try finds it")
    return lines_of(bodies)


def _lines(result: Result) -> Iterator[str]:
    """A result as lines of JSON: everything but the findings, and then each of these, with its part of the resource."""
    findings = result.report.findings
    content = {
        "report": result.report.model_copy(update={"findings": []}).model_dump(mode="json"),
        "findings": len(findings),
        "verdicts": dict(result.judged.verdicts),
        "gone": sorted(result.judged.gone),
        "standing": dict(result.judged.standing),
        "stands": {subnet: sorted(arns) for subnet, arns in result.stands.items()},
    }
    yield json.dumps(content)
    for finding in findings:
        yield f"[{json.dumps(finding.resource.part)},{finding.model_dump_json()}]"


def _result(id: str, key: str, items: list[Item]) -> Result:
    lines = _read(id, key, items)
    content = json.loads(next(lines))
    report = Report.model_validate(content["report"])
    # What was written before has its findings in the report, and their parts of the resource beside it.
    findings = [
        _with_part(finding, part) for finding, part in zip(report.findings, content.get("parts", ()), strict=True)
    ]
    findings += (_with_part(Finding.model_validate(body), part) for part, body in map(json.loads, lines))
    return Result(
        report.model_copy(update={"findings": findings}),
        Resolution(content["verdicts"], frozenset(content["gone"]), standing=content.get("standing", {})),
        content["stands"],
    )


def _with_part(finding: Finding, part: str) -> Finding:
    return finding.model_copy(update={"resource": finding.resource.model_copy(update={"part": part})})
