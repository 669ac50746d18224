"""Reading what serves: endpoints with their variants, endpoint configs, models, inference components, notebooks."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from chalicelib.inventory.aws import CallFailed, moment
from chalicelib.inventory.estate import RecommendationJob
from chalicelib.inventory.models import (
    NOT_SERVING,
    Endpoint,
    EndpointConfig,
    InferenceComponent,
    Model,
    NotebookInstance,
    Variant,
    plain,
)
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reading import Reader
from chalicelib.inventory.remembered import Configs

log = logging.getLogger(__name__)

#: A page of the list of configs is worth its while from this many remembered configs on.
CONFIGS_A_PAGE = 20
#: Endpoints in these states serve nothing that can be judged, so their configs are not read.
_UNJUDGED = NOT_SERVING | {"deleting"}


def all_endpoints(reader: Reader) -> list[dict[str, Any]]:
    """Every endpoint of the region with its tags: by ``Search``, or else listed and described one by one."""
    try:
        records = [record for page in reader.search("Endpoint", []) for record in page if record]
        names = {record.get("EndpointName") for record in records}
        listed = [] if records else _listed_endpoints(reader)
        lacking = [str(record["EndpointName"]) for record in records if _lacks_counts(record)]
        lacking += [name for name in listed if name not in names]
        described = {one["EndpointName"]: one for one in _described(reader, lacking)}
        tags = {record.get("EndpointName"): record.get("Tags") for record in records}
        kept = [record for record in records if record.get("EndpointName") not in lacking]
        return kept + [{**one, "Tags": tags.get(name)} for name, one in described.items()]
    except CallFailed as failure:
        if failure.operation != "sagemaker:Search":
            raise
        reader.search_failed(failure)
    return _described(reader, _listed_endpoints(reader))


def _listed_endpoints(reader: Reader) -> list[str]:
    listed = reader.aws.listing("sagemaker", "ListEndpoints", "Endpoints", MaxResults=100)
    return [one["EndpointName"] for one in listed]


def _described(reader: Reader, names: Iterable[str]) -> list[dict[str, Any]]:
    return reader.describe_each(Part.ENDPOINTS, "DescribeEndpoint", "EndpointName", names)


def _lacks_counts(record: Mapping[str, Any]) -> bool:
    """True when a search record in service does not say what its variants run on."""
    if record.get("EndpointStatus") != "InService":
        return False
    keys = {"DesiredInstanceCount", "CurrentInstanceCount", "CurrentServerlessConfig", "DesiredServerlessConfig"}
    variants = record.get("ProductionVariants") or []
    return not variants or any(not keys & variant.keys() for variant in variants)


def configs_of(reader: Reader, endpoints: Iterable[Mapping[str, Any]]) -> dict[str, EndpointConfig]:
    """The endpoint configs behind endpoints that serve, each described once; in a sweep those that are remembered from
    the last one not again."""
    names = [
        one["EndpointConfigName"]
        for one in endpoints
        if plain(one.get("EndpointStatus", "")) not in _UNJUDGED and one.get("EndpointConfigName")
    ]
    if not names or not reader.scope.whole:
        return described_configs(reader, names)
    account, region = reader.scope.account, reader.scope.region
    remembered = reader.memory.recall(account, region)
    found = _still_there(reader, {name: remembered[name] for name in names if name in remembered})
    found |= described_configs(reader, [name for name in names if name not in found])
    reader.memory.keep(account, region, {name: one for name, one in found.items() if one.created is not None})
    return found


def _still_there(reader: Reader, remembered: Configs) -> dict[str, EndpointConfig]:
    """Those of the remembered configs that the list shows with the same ARN and creation time.

    The list is left when it takes more calls than a twentieth of the descriptions that it saves: its pages come one
    after the other, descriptions side by side.
    """
    moments = [one.created for one in remembered.values() if one.created is not None]
    if not moments:
        return {}
    pages = reader.aws.pages(
        "sagemaker",
        "ListEndpointConfigs",
        "EndpointConfigs",
        MaxResults=100,
        CreationTimeAfter=min(moments) - timedelta(seconds=1),
        CreationTimeBefore=max(moments) + timedelta(seconds=1),
    )
    found: dict[str, EndpointConfig] = {}
    try:
        for page in islice(pages, 1 + len(remembered) // CONFIGS_A_PAGE):
            for one in page:
                known = remembered.get(one["EndpointConfigName"])
                if known and known.arn == one["EndpointConfigArn"] and known.created == moment(one["CreationTime"]):
                    found[known.name] = known
            if len(found) == len(remembered):
                break
    except CallFailed as failure:
        log.info("remembered endpoint configs are described again: %s", failure)
    return found


def described_configs(reader: Reader, names: Iterable[str]) -> dict[str, EndpointConfig]:
    """The named endpoint configs that exist."""
    answers = reader.describe_each(Part.CONFIGS, "DescribeEndpointConfig", "EndpointConfigName", names)
    found = reader.typed(Part.CONFIGS, EndpointConfig, answers, "EndpointConfigName")
    return {one.name: one for one in found}


def unused_configs(reader: Reader, used: Iterable[str]) -> dict[str, EndpointConfig]:
    """The endpoint configs that no endpoint uses."""
    listed = reader.aws.listing("sagemaker", "ListEndpointConfigs", "EndpointConfigs", MaxResults=100)
    names = {one["EndpointConfigName"] for one in listed} - set(used)
    return described_configs(reader, sorted(names))


def all_models(reader: Reader) -> dict[str, Model]:
    """Every model of the region: by ``Search``, or else listed and described one by one."""
    try:
        records = [record for page in reader.search("Model", []) for record in page if record.get("ModelName")]
    except CallFailed as failure:
        reader.search_failed(failure)
        records = []
    if records:
        return {one.name: one for one in reader.typed(Part.MODELS, Model, records, "ModelName")}
    listed = reader.aws.listing("sagemaker", "ListModels", "Models", MaxResults=100)
    return described_models(reader, [one["ModelName"] for one in listed])


def described_models(reader: Reader, names: Iterable[str]) -> dict[str, Model]:
    """The named models that exist."""
    answers = reader.describe_each(Part.MODELS, "DescribeModel", "ModelName", names)
    return {one.name: one for one in reader.typed(Part.MODELS, Model, answers, "ModelName")}


def searched_model(reader: Reader, name: str) -> Model | None:
    """One model with the endpoints that use it, which only ``Search`` tells; None where it does not answer."""
    try:
        filters = [{"Name": "ModelName", "Operator": "Equals", "Value": name}]
        pages = reader.aws.pages(
            "sagemaker",
            "Search",
            "Results",
            Resource="Model",
            MaxResults=10,
            SearchExpression={"Filters": filters},
        )
        for page in pages:
            for record in page:
                dashboard = record.get("Model") or {}
                if (dashboard.get("Model") or {}).get("ModelName") == name and "Endpoints" in dashboard:
                    used = tuple(one["EndpointName"] for one in dashboard["Endpoints"] or ())
                    found = reader.typed(Part.MODELS, Model, [{**dashboard["Model"], "used_by": used}], "ModelName")
                    return found[0] if found else None
    except CallFailed as failure:
        reader.search_failed(failure)
    return None


def components(reader: Reader, **filters: str) -> dict[str, InferenceComponent]:
    """The inference components of the region, or those of one endpoint (``EndpointNameEquals``)."""
    listed = reader.aws.listing(
        "sagemaker", "ListInferenceComponents", "InferenceComponents", MaxResults=100, **filters
    )
    return described_components(reader, [one["InferenceComponentName"] for one in listed])


def described_components(reader: Reader, names: Iterable[str]) -> dict[str, InferenceComponent]:
    """The named inference components that exist."""
    answers = reader.describe_each(Part.COMPONENTS, "DescribeInferenceComponent", "InferenceComponentName", names)
    found = reader.typed(Part.COMPONENTS, InferenceComponent, answers)
    return {one.name: one for one in found}


def notebooks(reader: Reader) -> dict[str, NotebookInstance]:
    """Every notebook instance of the region."""
    listed = reader.aws.listing("sagemaker", "ListNotebookInstances", "NotebookInstances", MaxResults=100)
    return described_notebooks(reader, [one["NotebookInstanceName"] for one in listed])


def described_notebooks(reader: Reader, names: Iterable[str]) -> dict[str, NotebookInstance]:
    """The named notebook instances that exist."""
    answers = reader.describe_each(Part.NOTEBOOKS, "DescribeNotebookInstance", "NotebookInstanceName", names)
    found = reader.typed(Part.NOTEBOOKS, NotebookInstance, answers, "NotebookInstanceName")
    return {one.name: one for one in found}


def recommendation_jobs(reader: Reader, models: Sequence[str] | None) -> list[RecommendationJob]:
    """The Inference Recommender jobs that completed in the window, all of them or those of the named models."""
    after = reader.now - timedelta(days=reader.needs.recommendation_days)
    found: list[RecommendationJob] = []
    for named in [{}] if models is None else [{"ModelNameEquals": name} for name in models]:
        listed = reader.aws.listing(
            "sagemaker",
            "ListInferenceRecommendationsJobs",
            "InferenceRecommendationsJobs",
            StatusEquals="COMPLETED",
            LastModifiedTimeAfter=after,
            MaxResults=100,
            **named,
        )
        for one in listed:
            completed = one.get("CompletionTime")
            completed = moment(completed) if completed is not None else None
            found.append(RecommendationJob(one["JobName"], one.get("ModelName"), completed))
    return found


def assembled(
    reader: Reader, records: Iterable[Mapping[str, Any]], configs: Mapping[str, EndpointConfig]
) -> dict[str, Endpoint]:
    """Endpoints whose variants carry both how they run and how they were configured."""
    found = [one for record in records for one in _assembled(reader, record, configs)]
    return {endpoint.name: endpoint for endpoint in found}


def _assembled(reader: Reader, record: Mapping[str, Any], configs: Mapping[str, EndpointConfig]) -> list[Endpoint]:
    """The endpoint in a list of its own; none when its record cannot be understood."""
    read = reader.typed(Part.ENDPOINTS, Endpoint, [record], "EndpointName")
    if not read:
        return []
    endpoint = read[0]
    config = configs.get(endpoint.config_name or "")
    unread = reader.gaps.resources.get((Part.CONFIGS, endpoint.config_name or "")) or reader.gaps.parts.get(
        Part.CONFIGS, f"endpoint config {endpoint.config_name} was not read"
    )
    settings = {one.name: one for one in (*config.variants, *config.shadow_variants)} if config else {}
    told_async = True if record.get("AsyncInferenceConfig") else None
    pending = {
        one.get("VariantName"): one.get("AcceleratorType")
        for one in (record.get("PendingDeploymentSummary") or {}).get("ProductionVariants") or ()
    }

    def described(raw: Mapping[str, Any], *, shadow: bool) -> dict[str, Any]:
        return {
            **raw,
            "CurrentServerlessConfig": raw.get("CurrentServerlessConfig") or raw.get("DesiredServerlessConfig"),
            "endpoint_name": endpoint.name,
            "endpoint_arn": endpoint.arn,
            "endpoint_status": endpoint.status,
            "config_name": endpoint.config_name,
            "endpoint_created": endpoint.created,
            "endpoint_modified": endpoint.modified,
            "asynchronous": told_async if told_async is not None else (config.asynchronous if config else None),
            "shadow": shadow,
            "configured": settings.get(raw.get("VariantName", "")),
            "configured_unread": unread,
            "pending_accelerator_type": pending.get(raw.get("VariantName")),
            "tags": endpoint.tags,
        }

    raw = [described(one, shadow=False) for one in record.get("ProductionVariants") or ()]
    raw += [described(one, shadow=True) for one in record.get("ShadowProductionVariants") or ()]
    variants = reader.typed(Part.ENDPOINTS, Variant, raw, "endpoint_name")
    return [endpoint.model_copy(update={"variants": tuple(variants)})]
