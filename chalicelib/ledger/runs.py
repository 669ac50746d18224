"""The state of runs over many accounts and regions, in the ledger's table.

One item for each run holds its open parts as a set: taking a part out is idempotent, so that a part done twice changes
nothing, and whoever takes out the last one closes the run. What a part found lies beside it, compressed and in pieces
small enough for DynamoDB, until the run is closed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.ledger.history import joined, pieces
from chalicelib.ledger.ledger import LedgerFailed
from chalicelib.report.findings import Judged, Report, utc_text

KEPT_DAYS = 30
#: A run older than this is closed, and its open parts are blind spots.
STALE_HOURS = 6
CLAIM_MINUTES = 10


class Part(NamedTuple):
    """One account and region of a run; of a very large one the rules of one ``group`` only (``hosting``, ``jobs``)."""

    account: str
    region: str
    group: str = ""

    @property
    def key(self) -> str:
        return f"{self.account}#{self.region}" + (f"/{self.group}" if self.group else "")

    @classmethod
    def of(cls, key: str) -> "Part":
        account, where = key.split("#", 1)
        region, _, group = where.partition("/")
        return cls(account, region, group)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is now. ``state``: queued, running, done, failed; ``notify``: whether its digests are sent."""

    id: str
    state: str
    trigger: str
    parts: int
    open: frozenset[Part]
    started_at: str
    notify: bool = True
    rules: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """How many parts are done."""
        return self.parts - len(self.open)


@dataclass(frozen=True, slots=True)
class Result:
    """What one part found: its report, what it says of findings known before, and who stands on which subnet."""

    report: Report
    judged: Judged
    stands: Mapping[str, Iterable[str]]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Runs:
    """The runs in ``table``. Every method raises LedgerFailed when the table cannot be used."""

    table: str
    client: Any
    clock: Callable[[], datetime] = utc_now

    def start(
        self, id: str, parts: Iterable[Part], trigger: str, *, notify: bool = True, rules: Iterable[str] = ()
    ) -> bool:
        """Begins a run; False when it has been begun already, as an event delivered twice does."""
        keys = sorted(part.key for part in parts)
        item = {
            "pk": {"S": f"run#{id}"},
            "sk": {"S": "run"},
            "state": {"S": "queued"},
            "trigger": {"S": trigger},
            "number": {"N": str(len(keys))},
            "open": {"SS": keys},
            "accounts": {"SS": sorted({Part.of(key).account for key in keys})},
            "started": {"S": utc_text(self.clock())},
            "notify": {"BOOL": notify},
            "rules": {"S": ",".join(sorted(rules))},
            "expires": {"N": self._expiry()},
        }
        try:
            self.client.put_item(TableName=self.table, Item=item, ConditionExpression="attribute_not_exists(pk)")
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise self._failed(error) from error
        except BotoCoreError as error:
            raise self._failed(error) from error
        self._call(
            "update_item",
            Key={"pk": {"S": "runs"}, "sk": {"S": "open"}},
            UpdateExpression="ADD ids :id",
            ExpressionAttributeValues={":id": {"SS": [id]}},
        )
        return True

    def get(self, id: str) -> Run | None:
        """The run with this id, or None."""
        item = self._call("get_item", Key={"pk": {"S": f"run#{id}"}, "sk": {"S": "run"}}, ConsistentRead=True).get(
            "Item"
        )
        return _run(id, item) if item else None

    def keep(self, id: str, part: Part, result: Result) -> None:
        """Keeps what a part found; a second time it takes the place of the first."""
        told = {
            "report": result.report.model_dump(mode="json"),
            "parts": [one.resource.part for one in result.report.findings],
            "verdicts": dict(result.judged.verdicts),
            "gone": sorted(result.judged.gone),
            "stands": {subnet: sorted(arns) for subnet, arns in result.stands.items()},
        }
        several = pieces(told)
        for number, piece in enumerate(several):
            self._call(
                "put_item",
                Item={
                    "pk": {"S": f"run#{id}"},
                    "sk": {"S": f"part#{part.key}#{number:04}"},
                    "pieces": {"N": str(len(several))},
                    "body": {"S": piece},
                    "expires": {"N": self._expiry()},
                },
            )

    def results(self, id: str, account: str) -> dict[Part, Result]:
        """What the parts of one account found, by part."""
        found: dict[str, list[tuple[str, int, str]]] = {}
        start: Any = None
        while True:
            following = {"ExclusiveStartKey": start} if start else {}
            answer = self._call(
                "query",
                KeyConditionExpression="pk = :pk AND begins_with(sk, :part)",
                ExpressionAttributeValues={":pk": {"S": f"run#{id}"}, ":part": {"S": f"part#{account}#"}},
                ConsistentRead=True,
                **following,
            )
            for item in answer["Items"]:
                _, owner, region, number = item["sk"]["S"].split("#")
                piece = (number, int(item["pieces"]["N"]), item["body"]["S"])
                found.setdefault(f"{owner}#{region}", []).append(piece)
            start = answer.get("LastEvaluatedKey")
            if start is None:
                return {Part.of(key): _unpacked(several) for key, several in found.items()}

    def finish(self, id: str, part: Part) -> Run | None:
        """Takes a part out of the open ones. Gives the run, or None when there is no such run."""
        try:
            answer = self.client.update_item(
                TableName=self.table,
                Key={"pk": {"S": f"run#{id}"}, "sk": {"S": "run"}},
                UpdateExpression="DELETE #open :part SET #state = if_not_exists(closed, :running)",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeNames={"#open": "open", "#state": "state"},
                ExpressionAttributeValues={":part": {"SS": [part.key]}, ":running": {"S": "running"}},
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise self._failed(error) from error
        except BotoCoreError as error:
            raise self._failed(error) from error
        return _run(id, answer["Attributes"])

    def close(self, id: str, state: str = "done") -> None:
        """Marks a run as done or failed. A run closed twice stays as it is."""
        self._call(
            "update_item",
            Key={"pk": {"S": f"run#{id}"}, "sk": {"S": "run"}},
            UpdateExpression="SET #state = :state, closed = :state, finished = :now",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":state": {"S": state}, ":now": {"S": utc_text(self.clock())}},
        )
        self._call(
            "update_item",
            Key={"pk": {"S": "runs"}, "sk": {"S": "open"}},
            UpdateExpression="DELETE ids :id",
            ExpressionAttributeValues={":id": {"SS": [id]}},
        )

    def accounts(self, id: str) -> list[str]:
        """The accounts of a run."""
        item = self._call("get_item", Key={"pk": {"S": f"run#{id}"}, "sk": {"S": "run"}}).get("Item", {})
        return sorted(item.get("accounts", {}).get("SS", ()))

    def claim_digest(self, id: str, account: str) -> bool:
        """True for the one who may send the digest of an account for a run: the first, or another one ten minutes
        later when it was not sent."""
        now = self.clock()
        item = {
            "pk": {"S": f"run#{id}"},
            "sk": {"S": f"digest#{account}"},
            "sent": {"BOOL": False},
            "claimed": {"S": utc_text(now)},
            "expires": {"N": self._expiry()},
        }
        try:
            self.client.put_item(
                TableName=self.table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk) OR (sent = :no AND claimed < :before)",
                ExpressionAttributeValues={
                    ":no": {"BOOL": False},
                    ":before": {"S": utc_text(now - timedelta(minutes=CLAIM_MINUTES))},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise self._failed(error) from error
        except BotoCoreError as error:
            raise self._failed(error) from error
        return True

    def digest_was_sent(self, id: str, account: str) -> bool:
        """True when the digest of an account has left for a run."""
        key = {"pk": {"S": f"run#{id}"}, "sk": {"S": f"digest#{account}"}}
        item = self._call("get_item", Key=key, ConsistentRead=True).get("Item", {})
        return bool(item.get("sent", {}).get("BOOL"))

    def digest_sent(self, id: str, account: str) -> None:
        """Notes that the digest of an account was sent for a run."""
        self._call(
            "update_item",
            Key={"pk": {"S": f"run#{id}"}, "sk": {"S": f"digest#{account}"}},
            UpdateExpression="SET sent = :yes",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )

    def release_digest(self, id: str, account: str) -> None:
        """Lets the next attempt send the digest."""
        self._call("delete_item", Key={"pk": {"S": f"run#{id}"}, "sk": {"S": f"digest#{account}"}})

    def grown(self, account: str, region: str, resources: int) -> None:
        """Remembers how many resources an account and region had at its last audit."""
        self._call(
            "put_item",
            Item={
                "pk": {"S": "sizes"},
                "sk": {"S": f"{account}#{region}"},
                "resources": {"N": str(resources)},
                "expires": {"N": self._expiry()},
            },
        )

    def size(self, account: str, region: str) -> int:
        """How many resources an account and region had at its last audit; 0 before the first."""
        item = self._call("get_item", Key={"pk": {"S": "sizes"}, "sk": {"S": f"{account}#{region}"}}).get("Item", {})
        return int(item.get("resources", {}).get("N", 0))

    def stale(self) -> list[Run]:
        """Open runs that began more than six hours ago: their last parts will not come any more."""
        item = self._call("get_item", Key={"pk": {"S": "runs"}, "sk": {"S": "open"}}).get("Item", {})
        before = utc_text(self.clock() - timedelta(hours=STALE_HOURS))
        runs = [self.get(id) for id in item.get("ids", {}).get("SS", ())]
        return [run for run in runs if run is not None and run.started_at < before]

    def _expiry(self) -> str:
        return str(int((self.clock() + timedelta(days=KEPT_DAYS)).timestamp()))

    def _call(self, operation: str, **asked: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(TableName=self.table, **asked)
        except (ClientError, BotoCoreError) as error:
            raise self._failed(error) from error
        return answer

    def _failed(self, error: Exception) -> LedgerFailed:
        return LedgerFailed(f"the table {self.table} cannot be used: {error}; AUDITOR_TABLE names it")


def _run(id: str, item: Mapping[str, Any]) -> Run:
    return Run(
        id=id,
        state=item["state"]["S"],
        trigger=item["trigger"]["S"],
        parts=int(item["number"]["N"]),
        open=frozenset(Part.of(key) for key in item.get("open", {}).get("SS", ())),
        started_at=item["started"]["S"],
        notify=item["notify"]["BOOL"],
        rules=tuple(rule for rule in item["rules"]["S"].split(",") if rule),
    )


def _unpacked(pieces: list[tuple[str, int, str]]) -> Result:
    """The result from its pieces; pieces left over from a longer one before are not looked at."""
    ordered = sorted(pieces)
    number = ordered[0][1]
    told = joined([body for _, _, body in ordered[:number]])
    report = Report.model_validate(told["report"])
    findings = [
        one.model_copy(update={"resource": one.resource.model_copy(update={"part": part})})
        for one, part in zip(report.findings, told["parts"], strict=True)
    ]
    return Result(
        report.model_copy(update={"findings": findings}),
        Judged(told["verdicts"], frozenset(told["gone"])),
        told["stands"],
    )
