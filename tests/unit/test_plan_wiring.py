"""What Terraform's resources refer to: names known after apply only, locals, modules, ``count``, ``for_each``."""

from typing import Any

import pytest

from chalicelib.plan.judged import Judged, judged
from chalicelib.plan.terraform import declared
from chalicelib.report.outcomes import Verdict
from tests.unit.plan_cases import EVERY_RULE, NOW, SCOPE, verdicts

FAIL, PASS, UNKNOWN = Verdict.FAIL, Verdict.PASS, Verdict.UNKNOWN
SINGLE, UNSCALED, OLD = "endpoint-single-instance", "variant-no-autoscaling", "instance-previous-generation"
ENDPOINT, CONFIG = "aws_sagemaker_endpoint", "aws_sagemaker_endpoint_configuration"
MODEL, TARGET, POLICY = "aws_sagemaker_model", "aws_appautoscaling_target", "aws_appautoscaling_policy"
COMPONENT = "aws_sagemaker_inference_component"
Written = dict[str, Any]


def refers(*references: str) -> Written:
    """An expression, as a plan has it: nothing but the references, each with its stem."""
    stems = [reference.rsplit(".", 1)[0] for reference in references if reference.count(".") > 1]
    return {"references": [*references, *(stem for stem in stems if stem not in references)]}


def resource(address: str, values: Written, unknown: Written, expressions: Written, **more: Any) -> Written:
    """A resource with its values, what is known after apply only, and how it is configured."""
    type = address.split(".")[-2]
    return {
        "address": address,
        "type": type,
        "values": values,
        "unknown": unknown,
        "expressions": expressions,
        "more": more,
    }


def config(address: str, count: int = 1, name: Written | None = None, variants: tuple[str, ...] = ("all",)) -> Written:
    written = [
        {"variant_name": variant, "initial_instance_count": count, "instance_type": "ml.p3.2xlarge"}
        for variant in variants
    ]
    unknown: Written = {"name": True, "production_variants": [{"model_name": True}] * len(variants)}
    expressions: Written = {
        "production_variants": [{"model_name": refers("aws_sagemaker_model.m.name")}] * len(variants)
    }
    return resource(address, {"production_variants": written}, unknown, expressions | ({"name": name} if name else {}))


def endpoint(address: str, wanted: Written | None, **more: Any) -> Written:
    expressions = {"endpoint_config_name": wanted} if wanted else {}
    return resource(address, {}, {"name": True, "endpoint_config_name": True}, expressions, **more)


def target(address: str, wanted: Written | None, dimension: str = "variant:DesiredInstanceCount") -> Written:
    values = {
        "service_namespace": "sagemaker",
        "scalable_dimension": f"sagemaker:{dimension}",
        "min_capacity": 1,
        "max_capacity": 4,
    }
    return resource(address, values, {"resource_id": True}, {"resource_id": wanted} if wanted else {})


def plan(*resources: Written, calls: Written | None = None) -> Written:
    """The plan of these resources. ``calls`` are the module calls of the root without their resources."""
    root: Written = {"resources": [], "child_modules": []}
    configuration: Written = {"resources": [], "module_calls": calls or {}}
    children: dict[str, Written] = {}
    changes = []
    for written_resource in resources:
        shown = {
            "address": written_resource["address"],
            "mode": "managed",
            "type": written_resource["type"],
            "values": written_resource["values"],
        }
        *module, _type, name = written_resource["address"].split(".")
        written = {
            "address": f"{written_resource['type']}.{name.split('[')[0]}",
            "expressions": written_resource["expressions"],
            **written_resource["more"],
        }
        if module:
            children.setdefault(".".join(module), {"resources": []})["resources"].append(shown)
            call = configuration["module_calls"].setdefault(module[1].split("[")[0], {})
            call.setdefault("module", {}).setdefault("resources", []).append(written)
        else:
            root["resources"].append(shown)
            configuration["resources"].append(written)
        changes.append(
            {"address": written_resource["address"], "change": {"after_unknown": written_resource["unknown"]}}
        )
    root["child_modules"] = [{"address": address, **child} for address, child in children.items()]
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": root},
        "resource_changes": changes,
        "configuration": {"root_module": configuration},
    }


def judgement(*resources: Written, calls: Written | None = None) -> Judged:
    return judged([declared("plan.json", plan(*resources, calls=calls), SCOPE)], EVERY_RULE, SCOPE, NOW)


def of_name(type: str) -> Written:
    return refers(f"{type}.x.name")


def test_a_target_is_tied_to_an_endpoint_without_a_name_and_its_policy_through_it() -> None:
    policy = resource(
        f"{POLICY}.x",
        {"policy_type": "TargetTrackingScaling", "scalable_dimension": "sagemaker:variant:DesiredInstanceCount"},
        {"resource_id": True},
        {"resource_id": refers(f"{TARGET}.x.resource_id")},
    )
    result = judgement(
        config(f"{CONFIG}.x"),
        endpoint(f"{ENDPOINT}.x", of_name(CONFIG)),
        target(f"{TARGET}.x", of_name(ENDPOINT)),
        policy,
    )
    assert verdicts(result)[UNSCALED, f"{ENDPOINT}.x/all"] is PASS
    assert verdicts(result)["autoscaling-target-without-policy", f"endpoint/{ENDPOINT}.x/variant/all"] is PASS
    assert verdicts(result)[SINGLE, f"{ENDPOINT}.x/all"] is FAIL
    (finding,) = [finding for finding in result.report.findings if finding.rule == SINGLE]
    assert str(finding.resource.declared) == f"plan.json: {CONFIG}.x"


def test_a_target_of_one_of_two_variants_is_tied_to_the_one_that_it_names_and_else_doubted_for_both() -> None:
    base = config(f"{CONFIG}.x", variants=("a", "b")), endpoint(f"{ENDPOINT}.x", of_name(CONFIG))
    named = refers(f"{ENDPOINT}.x.name", f"{CONFIG}.x.production_variants[1].variant_name")
    outcomes = verdicts(judgement(*base, target(f"{TARGET}.x", named)))
    assert [outcomes[UNSCALED, f"{ENDPOINT}.x/{name}"] for name in "ab"] == [FAIL, PASS]
    other = config(f"{CONFIG}.y"), endpoint(f"{ENDPOINT}.y", refers(f"{CONFIG}.y.name"))
    outcomes = verdicts(judgement(*base, *other, target(f"{TARGET}.x", of_name(ENDPOINT))))
    assert [outcomes[UNSCALED, f"{ENDPOINT}.{name}"] for name in ("x/a", "x/b", "y/all")] == [UNKNOWN, UNKNOWN, FAIL]


@pytest.mark.parametrize(
    "wanted",
    [
        refers("local.chosen.name"),
        None,  # as in a dynamic block, of which a plan holds no expressions
        refers("var.create", f"{CONFIG}.x[0].name"),
        refers("random_string.tail.result"),
    ],
)
def test_a_name_that_can_be_that_of_one_config_alone_is_its_name(wanted: Written | None) -> None:
    outcomes = verdicts(judgement(config(f"{CONFIG}.x[0]"), endpoint(f"{ENDPOINT}.x", wanted)))
    assert outcomes[OLD, f"{ENDPOINT}.x/all"] is FAIL
    assert outcomes[SINGLE, f"{ENDPOINT}.x/all"] is FAIL


def test_of_two_configs_it_is_the_one_whose_name_is_written_alike_and_else_unknown() -> None:
    written = refers("random_string.tail.result")
    alike = config(f"{CONFIG}.x", name=written), config(f"{CONFIG}.y", name=refers("random_string.other.result"))
    outcomes = verdicts(judgement(*alike, endpoint(f"{ENDPOINT}.x", written)))
    assert outcomes[SINGLE, f"{ENDPOINT}.x/all"] is FAIL
    outcomes = verdicts(judgement(*alike, endpoint(f"{ENDPOINT}.x", refers("local.chosen"))))
    assert (SINGLE, f"{ENDPOINT}.x/all") not in outcomes
    assert outcomes["endpoint-degraded", f"{ENDPOINT}.x"] is UNKNOWN


@pytest.mark.parametrize("keys", [('"a"', '"b"'), ("0", "1")])
def test_count_and_for_each_tie_those_of_the_same_key(keys: tuple[str, str]) -> None:
    key = "each.key" if keys[0].startswith('"') else "count.index"
    resources = [
        *(config(f"{CONFIG}.x[{instance}]", count=number) for number, instance in enumerate(keys, start=1)),
        *(endpoint(f"{ENDPOINT}.x[{instance}]", refers(f"{CONFIG}.x", key)) for instance in keys),
        target(f"{TARGET}.x[{keys[1]}]", refers(f"{ENDPOINT}.x", key)),
    ]
    outcomes = verdicts(judgement(*resources))
    assert [outcomes[SINGLE, f"{ENDPOINT}.x[{key}]/all"] for key in keys] == [FAIL, PASS]
    assert [outcomes[UNSCALED, f"{ENDPOINT}.x[{key}]/all"] for key in keys] == [FAIL, PASS]


def test_for_each_over_other_resources_ties_to_them() -> None:
    repeated = {"for_each_expression": {"references": [f"{CONFIG}.x"]}}
    resources = [
        *(config(f'{CONFIG}.x["{key}"]', count=number) for number, key in enumerate("ab", start=1)),
        *(endpoint(f'{ENDPOINT}.x["{key}"]', refers("each.value.name"), **repeated) for key in "ab"),
    ]
    outcomes = verdicts(judgement(*resources))
    assert [outcomes[SINGLE, f'{ENDPOINT}.x["{key}"]/all'] for key in "ab"] == [FAIL, PASS]


def test_modules_are_tied_through_their_inputs_and_outputs() -> None:
    calls = {
        "hosting": {"module": {"outputs": {"endpoint": {"expression": of_name(ENDPOINT)}}}},
        "scaling": {"expressions": {"endpoint": refers("module.hosting.endpoint")}},
    }
    resources = [
        config("module.hosting.aws_sagemaker_endpoint_configuration.x"),
        endpoint("module.hosting.aws_sagemaker_endpoint.x", of_name(CONFIG)),
        target("module.scaling.aws_appautoscaling_target.x", {"references": ["var.endpoint"]}),
        endpoint(f"{ENDPOINT}.y", refers("local.none")),
    ]
    outcomes = verdicts(judgement(*resources, calls=calls))
    name = "module.hosting.aws_sagemaker_endpoint.x/all"
    assert (outcomes[SINGLE, name], outcomes[UNSCALED, name]) == (FAIL, PASS)


def test_the_instances_of_a_module_are_tied_within_themselves() -> None:
    resources = [
        *(config(f'module.hosting["{key}"].{CONFIG}.x[0]', count=number) for number, key in enumerate("ab", start=1)),
        *(endpoint(f'module.hosting["{key}"].{ENDPOINT}.x', refers(f"{CONFIG}.x[0].name")) for key in "ab"),
        target(f'module.hosting["b"].{TARGET}.x', of_name(ENDPOINT)),
    ]
    outcomes = verdicts(judgement(*resources))
    names = [f'module.hosting["{key}"].{ENDPOINT}.x/all' for key in "ab"]
    assert [outcomes[SINGLE, name] for name in names] == [FAIL, PASS]
    assert [outcomes[UNSCALED, name] for name in names] == [FAIL, PASS]


def test_a_name_that_may_be_that_of_either_of_two_resources_is_not_known() -> None:
    either = refers("var.new", f"{CONFIG}.x.name", f"{CONFIG}.y.name")
    outcomes = verdicts(judgement(config(f"{CONFIG}.x"), config(f"{CONFIG}.y"), endpoint(f"{ENDPOINT}.x", either)))
    assert (SINGLE, f"{ENDPOINT}.x/all") not in outcomes
    assert outcomes[SINGLE, f"{ENDPOINT}.x"] is UNKNOWN


def test_a_component_and_its_target_are_tied() -> None:
    hosts = config(f"{CONFIG}.x")
    hosts["unknown"] = {"name": True}
    component = resource(
        f"{COMPONENT}.x",
        {
            "variant_name": "all",
            "runtime_config": [{"copy_count": 1}],
            "specification": [{"container": [{"image": "i"}]}],
        },
        {"name": True, "endpoint_name": True},
        {"endpoint_name": of_name(ENDPOINT)},
    )
    scaled = target(f"{TARGET}.x", of_name(COMPONENT), "inference-component:DesiredCopyCount")
    outcomes = verdicts(judgement(hosts, endpoint(f"{ENDPOINT}.x", of_name(CONFIG)), component, scaled))
    assert outcomes["inference-component-single-copy", f"{ENDPOINT}.x/{COMPONENT}.x"] is FAIL
    assert outcomes[UNSCALED, f"{ENDPOINT}.x/{COMPONENT}.x"] is PASS


def test_references_in_a_circle_end() -> None:
    calls = {
        "a": {
            "expressions": {"x": refers("module.a.x")},
            "module": {"outputs": {"x": {"expression": {"references": ["var.x"]}}}},
        }
    }
    inner = endpoint("module.a.aws_sagemaker_endpoint.x", {"references": ["var.x"]})
    outcomes = verdicts(judgement(inner, config(f"{CONFIG}.x"), config(f"{CONFIG}.y"), calls=calls))
    assert outcomes["endpoint-degraded", "module.a.aws_sagemaker_endpoint.x"] is UNKNOWN
