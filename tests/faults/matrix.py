"""Every fault of AWS's answers at every operation that an audit makes, one at a time, and what became of the audit.

An audit under a fault must come to its end, tell nothing new and nothing resolved, and have a blind spot for every
finding that it lost. ``run`` tries one; ``every_trial`` are all of them.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from unittest import mock

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from msgspec.structs import replace

from chalicelib.audit.auditor import Auditor
from chalicelib.audit.resolution import Resolutions
from chalicelib.inventory import aws, pacing
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report.findings import Finding, Report
from chalicelib.report.known import Known
from chalicelib.report.outcomes import Verdict
from chalicelib.scope import ResourceRef, Scope
from tests.accounts.shapes import ACCOUNT, NOW
from tests.chaos.outcome import Outcome
from tests.faults.account import REGION, account
from tests.faults.wire import Answers, Change, Reply, Wire, laid, untouched

SWEEP = Scope(ACCOUNT, REGION)
EVENT = Scope(ACCOUNT, REGION, resources=(ResourceRef("endpoint", "busy"),))


@dataclass(frozen=True)
class Fault:
    """One way in which an answer is odd: in its records, or in its bytes.

    ``lists_only``: in a description a null list is AWS's way of saying that there is none. ``json_only``: in XML a list
    is the items in it, whatever text stands between them.
    """

    name: str
    answer: Change = untouched
    body: Change = untouched
    lists_only: bool = False
    json_only: bool = False

    def fits(self, operation: str) -> bool:
        """True where the fault makes a difference at an operation."""
        name = operation.partition(":")[2]
        if self.name.startswith("metrics:"):
            return name == "GetMetricData"
        if self.lists_only:
            return name.endswith("s") or name == "Search"
        return not (self.json_only and operation.startswith("ec2:"))


# ---- the bytes of an answer


def _body(content: bytes, status: int = 200) -> Change:
    def change(reply: Reply) -> None:
        reply.body, reply.status = content, status

    return change


def _cut(reply: Reply) -> None:
    reply.body = reply.body[: len(reply.body) // 2]


def _raising(error: Exception) -> Change:
    def change(reply: Reply) -> None:
        raise error

    return change


def _refused(code: str, status: int = 400) -> Change:
    def change(reply: Reply) -> None:
        reply.answer, reply.status = {"__type": code, "message": "no"}, status

    return change


PAGE = b"<html><body><h1>Service unavailable</h1></body></html>"
URL = "https://aws/"
BYTES = [
    Fault("truncated", body=_cut),
    Fault("HTML with 200", body=_body(PAGE)),
    Fault("HTML with 503", body=_body(PAGE, 503)),
    Fault("HTML with 403", body=_body(PAGE, 403)),
    Fault("not UTF-8", body=_body(b"\xff\xfe\x00{")),
    Fault("empty body", body=_body(b"")),
    Fault("null", body=_body(b"null")),
    Fault("a list", body=_body(b"[]")),
    Fault("a text", body=_body(b'"text"')),
    Fault("an empty object", answer=lambda reply: reply.answer.clear()),
    Fault("nested without end", body=_body(b'{"a":' * 100_000)),
    Fault("NaN", body=_body(b'{"Results": NaN}')),
    Fault("denied", answer=_refused("AccessDeniedException")),
    Fault("denied in other words", answer=_refused("UnauthorizedOperation", 403)),
    Fault("expired token", answer=_refused("ExpiredTokenException")),
    Fault("throttled for good", answer=_refused("ThrottlingException")),
    Fault("internal failure", answer=_refused("InternalFailure", 500)),
    Fault("an unknown code", answer=_refused("SomethingNewException")),
    Fault("a ValidationException", answer=_refused("ValidationException")),
    Fault("connection reset", body=_raising(ConnectionClosedError(endpoint_url=URL))),
    Fault("timeout", body=_raising(ReadTimeoutError(endpoint_url=URL))),
]


# ---- the records of an answer


def _lists(change: Callable[[list[Any]], Any]) -> Change:
    """Changes the lists at the top of an answer, or the answer itself where it has none of records."""

    def changed(reply: Reply) -> None:
        for key, value in list(reply.answer.items()):
            if isinstance(value, list):
                reply.answer[key] = change(value)

    return changed


def _records(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Changes every record: those in the lists of an answer, or the description that it is."""

    def changed(reply: Reply) -> None:
        if reply.status != 200:
            return
        lists = {key: value for key, value in reply.answer.items() if isinstance(value, list)}
        if any(key.endswith(("Name", "Arn")) for key in reply.answer):
            reply.answer = _deep(change, reply.answer)
            return
        for key, records in lists.items():
            reply.answer[key] = [_deep(change, record) for record in records]

    return changed


def _deep(change: Callable[[dict[str, Any]], Any], record: Any) -> Any:
    """The change made to a record, or to the record that lies in it alone, as in a result of ``Search``."""
    inner = [key for key, value in record.items() if isinstance(value, dict)] if isinstance(record, dict) else []
    if isinstance(record, dict) and inner and len(record) == 1:
        return {inner[0]: _deep(change, record[inner[0]])}
    return change(dict(record)) if isinstance(record, dict) else record


def _each(change: Callable[[str, Any], Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A change of every value of a record, however deep."""

    def changed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: changed(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [changed(inner, key) for inner in value]
        return change(key, value)

    return lambda record: dict(changed(record))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(form: Callable[[Any], Any]) -> Change:
    return _records(_each(lambda key, value: form(value) if _is_number(value) else value))


def _moments(form: Callable[[datetime], Any]) -> Change:
    return _records(_each(lambda key, value: form(value) if isinstance(value, datetime) else value))


def _states(key: str, value: Any) -> Any:
    return "NeverHeardOf" if key.endswith(("Status", "StatusCode", "StateValue")) and isinstance(value, str) else value


def _token(token: Callable[[int], str]) -> Change:
    def change(reply: Reply) -> None:
        reply.answer["NextToken"] = token(reply.page)

    return change


def _names_alone(record: dict[str, Any]) -> dict[str, Any]:
    kept = ("Name", "Arn", "ARN", "ResourceId", "SubnetId", "Id")
    return {key: value if key.endswith(kept) else None for key, value in record.items()}


def _surplus(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "FieldOfTheFuture": {"Status": ["Failed"]}, "NewCount": -1}


RECORDS = [
    Fault("null lists", answer=_lists(lambda records: None), lists_only=True),
    Fault("texts for lists", answer=_lists(lambda records: "none"), json_only=True),
    Fault("objects for lists", answer=_lists(lambda records: {"member": records})),
    Fault("null records", answer=_lists(lambda records: [None for _ in records])),
    Fault("texts for records", answer=_lists(lambda records: ["text" for _ in records])),
    Fault("numbers for records", answer=_lists(lambda records: [7 for _ in records])),
    Fault("lists for records", answer=_lists(lambda records: [[] for _ in records])),
    Fault("empty records", answer=_records(lambda record: {})),
    Fault("a null record more", answer=_lists(lambda records: [*records, None])),
    Fault("nothing but names", answer=_records(_names_alone)),
    Fault("surplus fields", answer=_records(_surplus)),
    Fault("objects for texts", answer=_records(_each(lambda k, value: {"a": 1} if isinstance(value, str) else value))),
    Fault("numbers as texts", answer=_numbers(str)),
    Fault("words for numbers", answer=_numbers(lambda value: "many")),
    Fault("negative numbers", answer=_numbers(lambda value: -1 - abs(value))),
    Fault("truths for numbers", answer=_numbers(lambda value: True)),
    Fault("huge numbers", answer=_numbers(lambda value: 10**400 if isinstance(value, int) else math.inf)),
    Fault("words for times", answer=_moments(lambda moment: "yesterday")),
    Fault("negative times", answer=_moments(lambda moment: -moment.timestamp())),
    Fault("times in milliseconds", answer=_moments(lambda moment: moment.timestamp() * 1000)),
    Fault("times without a zone", answer=_moments(lambda moment: moment.replace(tzinfo=None).isoformat())),
    Fault("unknown states", answer=_records(_each(_states))),
    Fault("one token for ever", answer=_token(lambda page: "again")),
    Fault("two tokens in turn", answer=_token(lambda page: "odd" if page % 2 else "even")),
    Fault("ever new tokens", answer=_token(str)),
    Fault("a number for a token", answer=lambda reply: reply.answer.update(NextToken=1)),
]


def _status(code: str | None, *, empty: bool = True) -> Change:
    def change(result: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {"Timestamps": [], "Values": []} if empty else {}
        return {**result, **values, "StatusCode": code}

    return _records(change)


METRICS = [
    Fault("metrics: InternalError", answer=_status("InternalError")),
    Fault("metrics: Forbidden", answer=_status("Forbidden")),
    Fault("metrics: PartialData", answer=_status("PartialData", empty=False)),
    Fault("metrics: no status", answer=_status(None)),
    Fault("metrics: fewer values than times", answer=_records(lambda result: {**result, "Values": [1.0]})),
    Fault("metrics: no result", answer=lambda reply: reply.answer.update(MetricDataResults=[])),
]

FAULTS = {fault.name: fault for fault in (*BYTES, *RECORDS, *METRICS)}


# ---- trials


@dataclass(frozen=True, order=True)
class Trial:
    """A fault at an operation, in a sweep or in the audit of an event."""

    operation: str
    fault: str
    sweep: bool = True
    without_search: bool = False


@cache
def every_rule() -> Policy:
    """The strict policy with every rule switched on."""
    policy = load_policy("strict")
    return replace(policy, rules={id: replace(setting, enabled=True) for id, setting in policy.rules.items()})


def audited(wire: Wire, scope: Scope, known: Mapping[str, Known]) -> tuple[Report, Resolutions]:
    """The account audited over a wire, nobody waiting for anything."""
    resolutions = Resolutions(scope, frozenset(every_rule().enabled(())), known)
    with (
        mock.patch.object(aws, "backoff", lambda attempt: 0.0),
        mock.patch.object(pacing, "PATIENCE_SECONDS", 0.0),
        mock.patch.object(aws, "MOST_PAGES", 12),
    ):
        report = Auditor(laid(wire), every_rule(), clock=lambda: NOW).audit(scope, "cli", resolutions=resolutions)
    return report, resolutions


@cache
def sound(sweep: bool, without_search: bool) -> tuple[dict[str, Finding], tuple[str, ...]]:
    """The findings without a fault, and the operations that were called."""
    report, _ = audited(Wire(_answers(without_search)), SWEEP if sweep else EVENT, {})
    assert {spot.operation for spot in report.blind_spots if spot.cause.value != "not_told"} <= {"sagemaker:Search"}
    return {finding.id: finding for finding in report.findings}, tuple(report.api_calls)


def _answers(without_search: bool) -> Answers:
    return Answers(account(), REGION, denied=("sagemaker:Search",) if without_search else ())


def every_trial() -> Iterator[Trial]:
    """All faults at all operations, in sweeps with and without ``Search`` and in the audit of an event."""
    for sweep, without_search in ((True, False), (True, True), (False, False)):
        for operation in sound(sweep, without_search)[1]:
            for fault in FAULTS.values():
                if fault.fits(operation):
                    yield Trial(operation, fault.name, sweep, without_search)


def run(trial: Trial) -> Outcome:
    """One trial, held against the audit without a fault."""
    before, _ = sound(trial.sweep, trial.without_search)
    known = {id: Known(finding) for id, finding in before.items()}
    fault, scope = FAULTS[trial.fault], SWEEP if trial.sweep else EVENT
    wire = Wire(_answers(trial.without_search), trial.operation, fault.answer, fault.body)
    try:
        report, resolutions = audited(wire, scope, known)
    except Exception as error:
        return Outcome(ended=[f"{type(error).__name__}: {error}"])
    resolution = resolutions.resolution
    after = {finding.id for finding in report.findings}
    over = {id for id, verdict in resolution.verdicts.items() if verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)}
    blind = {rule for spot in report.blind_spots for rule in spot.effect}
    reasons = {spot.operation for spot in report.blind_spots}
    lost = before.keys() - after
    # What another finding had taken in stands alone where that cannot be judged: it is true all the same.
    merged = {
        (rule, finding.resource.name) for finding in before.values() for rule in finding.evidence.get("merged", ())
    }
    new_findings = [finding for finding in report.findings if finding.id not in before]
    return Outcome(
        words=[_words(finding) for finding in new_findings if (finding.rule, finding.resource.name) not in merged],
        resolved=sorted(_words(before[id]) for id in before.keys() & (over | resolution.gone) - after),
        silent=sorted(
            _words(before[id]) for id in lost if before[id].rule not in blind and trial.operation not in reasons
        ),
    )


def _words(finding: Finding) -> str:
    return f"{finding.rule} {finding.resource.name}"
