"""What tells that somebody has tested under load what scales by invocations."""

from collections.abc import Iterable

from chalicelib.inventory import uses
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds import load_tests
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


def read_load_tests(reader: Reader, estate: Inventory, scaled: Iterable[Variant], keep: int) -> None:
    """Inference Recommender jobs, and the tags of endpoints that came without: either tells of a load test."""
    runs = {target.resource_id: uses.models_of(target)[:1] for target in scaled}
    names = {name for models in runs.values() for name in models}
    only = None if reader.scope.whole else sorted(names)
    jobs = reader.whole(Part.RECOMMENDATIONS, lambda: load_tests.recommendation_jobs(reader, only, keep))
    estate.recommendations = jobs or []
    if Part.BENCHMARKS in reader.needs and reader.scope.whole:
        estate.benchmarks = reader.whole(Part.BENCHMARKS, lambda: load_tests.benchmark_jobs(reader))
    tested = {job.model_name for job in estate.recommendations} - {None}
    untested = [target for target in scaled if not tested.intersection(runs[target.resource_id])]
    for name in {target.endpoint_name for target in untested}:
        endpoint = estate.endpoints[name]
        if endpoint.tags is None:
            tagged = endpoint.with_tags(reader.tags(endpoint.arn))
            estate.endpoints = {**estate.endpoints, name: tagged}
