"""In which Availability Zones the instances of variants run, as detailed observability tells: facts and reading."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import Field

from chalicelib.inventory.answers import CallFailed, mappings, text, unreadable
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds.endpoints import Endpoint
from chalicelib.inventory.parts import OPERATIONS, Part
from chalicelib.inventory.reader import Reader
from chalicelib.tables import read_facts

#: How far back instances are looked for: a policy's window is never longer.
WINDOW_MINUTES = 60
#: Instances of the endpoints in one query, at most: some are replaced within the window, and an answer has a bound.
INSTANCES_A_QUERY = 300
_OPERATION = OPERATIONS[Part.PLACEMENTS][-1]


class Placement(Fact):
    """The instances of a variant within the last ``WINDOW_MINUTES``, by the Availability Zone that the label tells."""

    hosts: Mapping[str, tuple[str, ...]] = Field({}, description="host ids by Availability Zone")

    @property
    def zones(self) -> tuple[str, ...]:
        return tuple(sorted(self.hosts))

    @property
    def count(self) -> int:
        """How many distinct instances were seen."""
        return len({host for hosts in self.hosts.values() for host in hosts})


@functools.cache
def _metric() -> Mapping[str, Any]:
    return read_facts("observability.yaml")


def observed(endpoints: Iterable[Endpoint], reader: Reader) -> dict[str, Placement]:
    """The placement of each variant of these endpoints by its resource id; those of which nothing came are absent.
    Where a query fails, what others told stays known."""
    batches = _batches(list(endpoints))
    answers = reader.each(partial(_asked, reader), batches)
    return {id: placement for answer in answers for id, placement in answer.items()}


def _batches(endpoints: Sequence[Endpoint]) -> list[list[str]]:
    """The names of endpoints in groups that have few enough instances together."""
    batches: list[list[str]] = []
    size = INSTANCES_A_QUERY
    for endpoint in endpoints:
        counts = (
            variant.desired_instance_count or variant.current_instance_count or 0 for variant in endpoint.variants
        )
        number = max(1, sum(counts))
        if size + number > INSTANCES_A_QUERY:
            batches.append([])
            size = 0
        batches[-1].append(endpoint.name)
        size += number
    return batches


def query_of(names: Sequence[str]) -> str:
    """The PromQL expression that gives a series for each instance of these endpoints within the window. Names hold
    letters, digits and hyphens alone."""
    labels = _metric()["labels"]
    by = ", ".join(f'"{label}"' for label in labels.values())
    metric = f'{_metric()["metric"]}{{"{labels["endpoint"]}"=~"{"|".join(names)}"}}'
    return f"count by ({by}) (count_over_time({metric}[{WINDOW_MINUTES}m]))"


def _asked(reader: Reader, names: Sequence[str]) -> dict[str, Placement]:
    try:
        return _placements(reader.aws.query(query_of(names), reader.now))
    except CallFailed as failure:
        reader.blind_to(failure, Part.PLACEMENTS)
    return {}


def _placements(answer: Mapping[str, Any]) -> dict[str, Placement]:
    """What an answer in Prometheus's form says, by resource id. Raises CallFailed for any other, and for one that may
    be cut off."""
    data = answer.get("data")
    series = data.get("result") if isinstance(data, Mapping) else None
    if text(answer, "status") != "success" or not isinstance(series, list) or len(mappings(series)) < len(series):
        raise unreadable(_OPERATION, "the answer to the PromQL query is none of Prometheus's")
    if len(series) >= _metric()["most_series"]:
        raise unreadable(_OPERATION, f"the answer to the PromQL query has {len(series)} series and may be cut off")
    labels = _metric()["labels"]
    zones_of: dict[str, dict[str, set[str]]] = {}
    for record in mappings(series):
        metric = record.get("metric")
        endpoint, variant, host, zone = (text(metric, labels[key]) for key in ("endpoint", "variant", "host", "zone"))
        if not (endpoint and variant and host and zone):
            raise unreadable(_OPERATION, "the series of the PromQL query have other labels than documented")
        zones_of.setdefault(f"endpoint/{endpoint}/variant/{variant}", {}).setdefault(zone, set()).add(host)
    return {
        id: Placement(hosts={zone: tuple(sorted(hosts)) for zone, hosts in sorted(zones.items())})
        for id, zones in zones_of.items()
    }
