"""The minutes of the variants whose policies are replayed: read in pages, and reduced to what is left of them at once.

A week of minutes of five hundred variants takes gigabytes; what a rehearsal leaves of a variant takes a few kilobytes.
So a page's variants are reduced where the page was read, and only as many pages are held as calls are under way.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from chalicelib.inventory import uses
from chalicelib.inventory.answers import CallFailed, moment, text, unreadable
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.metrics import OPERATION
from chalicelib.inventory.parts import Part
from chalicelib.inventory.traffic import MinuteMetric, Minutes, number_of

if TYPE_CHECKING:
    from chalicelib.inventory.aws import Aws
    from chalicelib.inventory.estate import Inventory
    from chalicelib.inventory.reader import Reader

#: Datapoints that a page of ``GetMetricData`` holds: ten series of a week.
A_PAGE = 100_800
#: Pages that are read and reduced side by side: each takes some 20 MB.
PAGES_HELD = 4


#: A variant or a component, by its endpoint's name and its own.
Place = tuple[str, str]


class Reduction(Protocol):
    """What becomes of the minutes of a variant as soon as they are read; ``days`` is how far back they go."""

    @property
    def days(self) -> int: ...

    def wanted(self, variant: Variant, estate: "Inventory") -> Sequence[MinuteMetric]:
        """The metrics that this takes; none for a variant that is not rehearsed. May raise Unread."""

    def reduced(self, variant: Variant, estate: "Inventory", minutes: Mapping[MinuteMetric, Minutes]) -> Any:
        """What is kept of the minutes."""


class Asked(NamedTuple):
    """A variant, and the metrics of it that are wanted."""

    variant: Variant
    metrics: Sequence[MinuteMetric]


def read_minutes(reader: "Reader", estate: "Inventory", keep: int) -> None:
    """Fills ``estate.rehearsals`` for the variants that can be replayed, ``keep`` calls being left for what follows. A
    variant whose minutes do not come stays unread, and no other; without the permission none is asked about."""
    reduction = reader.needs.reduction
    if Part.MINUTES in reader.needs and reduction is not None:
        kept = reader.whole(Part.MINUTES, lambda: _kept(reader, estate, reduction, keep))
        estate.rehearsals = dict(kept or ())


def _kept(reader: "Reader", estate: "Inventory", reduction: Reduction, keep: int) -> list[tuple[str, Any]]:
    asked = {asked.variant.resource_id: asked for asked in _asked(estate, reduction)}
    affordable = reader.afforded(Part.MINUTES, asked, keep=keep)
    end = reader.now.replace(second=0, microsecond=0)
    begin = end - timedelta(days=reduction.days)

    def read(page: Sequence[Asked]) -> list[tuple[str, Any]]:
        wanted = {(each.variant.endpoint_name, each.variant.name): each.metrics for each in page}
        try:
            answers = minutes_of_variants(reader.aws, wanted, begin, end)
        except CallFailed as failure:
            if failure.denied:
                raise
            for each in page:
                reader.blind_to(failure, Part.MINUTES, each.variant.resource_id)
            return []
        reduced = []
        for variant, _ in page:
            minutes = answers[variant.endpoint_name, variant.name]
            if isinstance(minutes, CallFailed):
                reader.blind_to(minutes, Part.MINUTES, variant.resource_id)
            else:
                reduced.append((variant.resource_id, reduction.reduced(variant, estate, minutes)))
        return reduced

    most = max(1, A_PAGE // (reduction.days * 1440))
    with ThreadPoolExecutor(PAGES_HELD, thread_name_prefix="minutes") as pool:
        pages = list(pool.map(read, _pages((asked[id] for id in affordable), most)))
    return [kept for page in pages for kept in page]


def _asked(estate: "Inventory", reduction: Reduction) -> Iterator[Asked]:
    """The variants that are rehearsed. Of others the rule says why not, as it asks the same questions."""
    for variant in uses.variants(estate):
        try:
            metrics = reduction.wanted(variant, estate)
        except Unread:
            continue
        if metrics:
            yield Asked(variant, metrics)


def _pages(asked: Iterable[Asked], most: int) -> Iterator[list[Asked]]:
    """Groups of variants with at most so many series, in their order; a variant is never split."""
    page: list[Asked] = []
    series = 0
    for each in asked:
        if page and series + len(each.metrics) > most:
            yield page
            page, series = [], 0
        page.append(each)
        series += len(each.metrics)
    if page:
        yield page


def minutes_of_variant(
    aws: "Aws", endpoint: str, variant: str, wanted: Sequence[MinuteMetric], begin: datetime, end: datetime
) -> dict[MinuteMetric, Minutes]:
    """The values of each metric by the beginning of their minute. Raises CallFailed where CloudWatch does not give all
    of them."""
    answer = minutes_of_variants(aws, {(endpoint, variant): wanted}, begin, end)[endpoint, variant]
    if isinstance(answer, CallFailed):
        raise answer
    return answer


def minutes_of_variants(
    aws: "Aws", wanted: Mapping[Place, Sequence[MinuteMetric]], begin: datetime, end: datetime
) -> dict[Place, dict[MinuteMetric, Minutes] | CallFailed]:
    """The values of the metrics of each variant, read together; a failure for one whose CloudWatch does not give all.
    Raises CallFailed where the call fails."""
    series = [(place, metric) for place, metrics in wanted.items() for metric in metrics]
    by_id = {f"m{number}": key for number, key in enumerate(series)}
    pages = aws.pages(
        "cloudwatch",
        "GetMetricData",
        "MetricDataResults",
        MetricDataQueries=[_query(id, metric, _dimensions(place, metric)) for id, (place, metric) in by_id.items()],
        StartTime=begin,
        EndTime=end,
        ScanBy="TimestampAscending",
    )
    values: dict[tuple[Place, MinuteMetric], Minutes] = {key: {} for key in series}
    statuses = dict.fromkeys(series, "")
    for result in (result for page in pages for result in page):
        key = by_id.get(text(result, "Id"))
        if key is not None:
            statuses[key] = text(result, "StatusCode")
            values[key] |= _points(result)
    answers: dict[Place, dict[MinuteMetric, Minutes] | CallFailed] = {}
    for place, metrics in wanted.items():
        lacking = next((metric for metric in metrics if statuses[place, metric] != "Complete"), None)
        if lacking is None:
            answers[place] = {metric: values[place, metric] for metric in metrics}
        else:
            status = statuses[place, lacking] or "Incomplete"
            answers[place] = CallFailed(OPERATION, status, f"CloudWatch has not given all of {lacking.name}")
    return answers


def _dimensions(place: Place, metric: MinuteMetric) -> list[dict[str, str]]:
    endpoint, variant = place
    if metric.whose == "component":
        return [{"Name": "InferenceComponentName", "Value": variant}]
    if metric.whose == "endpoint":
        return [{"Name": "EndpointName", "Value": endpoint}]
    return [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]


def _points(result: Mapping[str, Any]) -> Minutes:
    try:
        return dict(zip(_numbers(result["Timestamps"]), map(float, result["Values"]), strict=True))
    except (LookupError, OverflowError, TypeError, ValueError) as error:
        raise unreadable(OPERATION, f"datapoints cannot be understood ({type(error).__name__})") from None


def _numbers(starts: Sequence[Any]) -> list[int]:
    """The numbers of minutes. Seconds since 1970, as AWS tells them, are not made times first: there are millions of
    them in a sweep. Those before AWS lie before any window."""
    if {*map(type, starts)} <= {float, int}:
        return [int(start // 60) for start in starts]
    return [number_of(moment(start)) for start in starts]


def _query(id: str, metric: MinuteMetric, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "Id": id,
        "MetricStat": {
            "Metric": {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions},
            "Period": 60,
            "Stat": metric.statistic,
        },
        "ReturnData": True,
    }
