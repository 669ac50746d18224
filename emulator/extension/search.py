"""Search over whole records: filters, nested filters, sub-expressions, sorting and pages, as SageMaker has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from emulator.extension.records import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    MODEL,
    TRAINING_JOB,
    TUNING_JOB,
    Kind,
    Record,
    only,
    shape_members,
    store_of,
    timestamp_members,
)
from emulator.extension.registry import NotHandled, epoch, invalid, operation, page

Request = dict[str, Any]
_DEFAULT_PAGE = 10
_MAXIMUM_PAGE = 100


@dataclass(frozen=True)
class Searchable:
    """A resource of Search: its kind and the shape of its records in botocore's model."""

    kind: Kind
    shape: str


_SEARCHABLE = {
    "TrainingJob": Searchable(TRAINING_JOB, "TrainingJob"),
    "Endpoint": Searchable(ENDPOINT, "Endpoint"),
    "Model": Searchable(MODEL, "Model"),
    "HyperParameterTuningJob": Searchable(TUNING_JOB, "HyperParameterTuningJobSearchEntity"),
}


@operation("sagemaker", "Search")
def search(backend: Any, request: Request) -> Request:
    resource = request["Resource"]
    searchable = _SEARCHABLE.get(resource)
    if searchable is None:
        raise NotHandled(resource)
    matches = _expression(request.get("SearchExpression") or {}, searchable)
    records = [record for record in store_of(backend, searchable.kind).values() if matches(record)]
    records.sort(key=_order(request.get("SortBy", "LastModifiedTime")), reverse=_descending(request))
    shown, token = page(records, request, default=_DEFAULT_PAGE, maximum=_MAXIMUM_PAGE)
    members = shape_members(searchable.shape)
    results = [{resource: {**only(record.fields, members), "Tags": record.tags}} for record in shown]
    if resource == "Model":
        results = _dashboard(backend, results)
    answer: Request = {"Results": results, "TotalHits": {"Value": len(records), "Relation": "EqualTo"}}
    if token:
        answer["NextToken"] = token
    return answer


def _dashboard(backend: Any, results: list[Request]) -> list[Request]:
    """Models come as the model dashboard has them: the model inside, with the endpoints that use it."""
    endpoints: dict[str, list[Request]] = {}
    configs = store_of(backend, ENDPOINT_CONFIG)
    members = shape_members("ModelDashboardEndpoint")
    for endpoint in store_of(backend, ENDPOINT).values():
        config = configs.get(endpoint.fields["EndpointConfigName"])
        variants = config.fields["ProductionVariants"] if config else []
        for name in {variant.get("ModelName") for variant in variants} - {None}:
            endpoints.setdefault(name, []).append(only(endpoint.fields, members))
    return [
        {"Model": {"Model": result["Model"], "Endpoints": endpoints.get(result["Model"]["ModelName"], [])}}
        for result in results
    ]


def _descending(request: Request) -> bool:
    return bool(request.get("SortOrder", "Descending") == "Descending")


def _order(path: str) -> Callable[[Record], Any]:
    def key(record: Record) -> Any:
        value = next(_values(record, path), None)
        if value is None and path == "LastModifiedTime":
            value = record.fields["CreationTime"]
        if isinstance(value, (int, float)):
            return (1, float(value), "", record.name)
        return (0 if value is None else 2, 0.0, str(value), record.name)

    return key


def _values(record: Record, path: str) -> Iterator[Any]:
    """All values under a dotted name; lists on the way give the values of all their elements."""
    if path.startswith("Tags."):
        key = path.removeprefix("Tags.")
        return (tag["Value"] for tag in record.tags if tag["Key"] == key)
    return _inside(record.fields, path)


def _inside(value: Any, path: str) -> Iterator[Any]:
    if isinstance(value, list):
        for element in value:
            yield from _inside(element, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, dict):
        if path in value:
            # The name of a hyperparameter may itself hold a dot.
            yield from _inside(value[path], "")
            return
        head, _, rest = path.partition(".")
        if head in value:
            yield from _inside(value[head], rest)


def _expression(expression: Request, searchable: Searchable) -> Callable[[Record], bool]:
    """A predicate for a search expression. Raises ValidationException for a property that the resource has not."""
    known = shape_members(searchable.shape)
    times = timestamp_members(searchable.shape)
    tests: list[Callable[[Record], bool]] = []
    for condition in expression.get("Filters") or []:
        name = condition["Name"]
        if name.partition(".")[0] not in known:
            raise invalid(f"Unknown property name: {name}")
        tests.append(_on_values(_condition(condition, name in times), name))
    for nested in expression.get("NestedFilters") or []:
        tests.append(_nested(nested))
    for inner in expression.get("SubExpressions") or []:
        tests.append(_expression(inner, searchable))
    if not tests:
        return lambda record: True
    combine = any if expression.get("Operator") == "Or" else all
    return lambda record: combine(test(record) for test in tests)


def _on_values(condition: Callable[[list[Any]], bool], path: str) -> Callable[[Record], bool]:
    return lambda record: condition(list(_values(record, path)))


def _nested(nested: Request) -> Callable[[Record], bool]:
    """One and the same element of a list has to meet all filters."""
    root = nested["NestedPropertyName"].partition(".")[0]
    conditions = [
        (_condition(condition, False), condition["Name"].removeprefix(f"{root}.")) for condition in nested["Filters"]
    ]

    def test(record: Record) -> bool:
        return any(
            all(condition(list(_inside(element, path))) for condition, path in conditions)
            for element in record.fields.get(root) or []
        )

    return test


def _condition(condition: Request, is_time: bool) -> Callable[[list[Any]], bool]:
    operator, wanted = condition.get("Operator", "Equals"), condition.get("Value")
    if operator == "Exists":
        return bool
    if operator == "NotExists":
        return lambda values: not values
    if wanted is None:
        raise invalid(f"Value is required for the operator {operator} on {condition['Name']}")
    if operator == "NotEquals":
        return lambda values: not any(_equal(value, wanted, is_time) for value in values)
    test = _OPERATORS.get(operator)
    if test is None:
        raise invalid(f"1 validation error detected: Value '{operator}' at 'operator' failed to satisfy constraint")
    return lambda values: any(test(value, wanted, is_time) for value in values)


def _equal(value: Any, wanted: str, is_time: bool) -> bool:
    if isinstance(value, bool):
        return wanted.lower() == str(value).lower()
    if isinstance(value, (int, float)):
        return float(value) == _number(wanted, is_time)
    return bool(value == wanted)


def _number(wanted: str, is_time: bool) -> float:
    try:
        return epoch(wanted) if is_time else float(wanted)
    except ValueError:
        raise invalid(f"Invalid value: {wanted}") from None


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, str, bool], bool]:
    def test(value: Any, wanted: str, is_time: bool) -> bool:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return compare(float(value), _number(wanted, is_time))
        try:
            # Hyperparameters are strings that often hold numbers.
            return compare(float(value), float(wanted))
        except (TypeError, ValueError):
            return compare(str(value), wanted)

    return test


_OPERATORS: dict[str, Callable[[Any, str, bool], bool]] = {
    "Equals": _equal,
    "Contains": lambda value, wanted, is_time: wanted.lower() in str(value).lower(),
    "In": lambda value, wanted, is_time: any(_equal(value, item.strip(), is_time) for item in wanted.split(",")),
    "GreaterThan": _compared(lambda value, wanted: value > wanted),
    "GreaterThanOrEqualTo": _compared(lambda value, wanted: value >= wanted),
    "LessThan": _compared(lambda value, wanted: value < wanted),
    "LessThanOrEqualTo": _compared(lambda value, wanted: value <= wanted),
}
