"""CloudFormation templates: intrinsics, conditions, zones, names, and what each rule makes of them."""

from typing import Any

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.plan.template import document
from chalicelib.policy.policy import load_policy
from chalicelib.report.formats.sarif import sarif
from chalicelib.report.outcomes import Verdict
from tests.unit.plan_cases import FIXTURES, SOUND, changed, judgement, verdicts

pytestmark = pytest.mark.thorough

FAIL, PASS, UNKNOWN, NONE = Verdict.FAIL, Verdict.PASS, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
VARIANT = "Config.Properties.ProductionVariants.0"
AZ_B = "SubnetB.Properties.AvailabilityZone"
TIED = ("Target", "Policy")
REF: dict[str, Any] = {"Ref": "Nowhere"}


def zone(index: int, region: Any = "") -> dict[str, Any]:
    return {"Fn::Select": [index, {"Fn::GetAZs": region}]}


#: A rule, the name of a resource, a verdict, and the changes to the sound template that bring it.
CASES: list[tuple[str, str, Verdict, list[tuple[str, Any]]]] = [
    ("endpoint-single-instance", "churn/AllTraffic", PASS, []),
    ("endpoint-single-instance", "churn/AllTraffic", FAIL, [(f"{VARIANT}.InitialInstanceCount", 1)]),
    ("endpoint-single-instance", "churn/AllTraffic", FAIL, [(f"{VARIANT}.InitialInstanceCount", "1")]),
    ("endpoint-single-instance", "churn/AllTraffic", UNKNOWN, [(f"{VARIANT}.InitialInstanceCount", REF)]),
    (
        "endpoint-single-instance",
        "churn/AllTraffic",
        FAIL,
        [(f"{VARIANT}.InitialInstanceCount", 1), (f"{VARIANT}.InstanceType", REF)],
    ),
    ("endpoint-single-instance", "churn/AllTraffic", NONE, [(f"{VARIANT}.ServerlessConfig", {"MaxConcurrency": REF})]),
    ("endpoint-config-single-instance", "churn-config", NONE, [(f"{VARIANT}.InitialInstanceCount", 1)]),
    (
        "endpoint-config-single-instance",
        "churn-config",
        FAIL,
        [(f"{VARIANT}.InitialInstanceCount", 1), ("Endpoint", None)],
    ),
    ("variant-no-autoscaling", "churn/AllTraffic", PASS, []),
    ("variant-no-autoscaling", "churn/AllTraffic", FAIL, [("Target", None)]),
    ("variant-no-autoscaling", "churn/AllTraffic", FAIL, [("Target", None), (f"{VARIANT}.InitialInstanceCount", REF)]),
    ("variant-no-autoscaling", "churn/AllTraffic", UNKNOWN, [("Target.Properties.ResourceId", REF)]),
    (
        "variant-no-autoscaling",
        "churn/AllTraffic",
        UNKNOWN,
        [("Target", None), ("Nested", {"Type": "AWS::CloudFormation::Stack", "Properties": {}})],
    ),
    ("autoscaling-orphaned-target", "endpoint/other/variant/AllTraffic", UNKNOWN, []),
    ("autoscaling-orphaned-target", "endpoint/churn/variant/Typo", FAIL, []),
    ("autoscaling-no-headroom", "endpoint/churn/variant/AllTraffic", FAIL, [("Target.Properties.MaxCapacity", 2)]),
    ("autoscaling-no-headroom", "endpoint/churn/variant/AllTraffic", UNKNOWN, [("Target.Properties.MaxCapacity", REF)]),
    ("autoscaling-min-below-two", "endpoint/churn/variant/AllTraffic", FAIL, [("Target.Properties.MinCapacity", 1)]),
    (
        "autoscaling-suspended",
        "endpoint/churn/variant/AllTraffic",
        FAIL,
        [("Target.Properties.SuspendedState", {"DynamicScalingOutSuspended": True})],
    ),
    (
        "autoscaling-target-without-policy",
        "endpoint/churn/variant/AllTraffic",
        FAIL,
        [("Policy", None), ("Target.Properties.ScheduledActions", []), ("Target.Properties.MaxCapacity", REF)],
    ),
    ("autoscaling-alarm-broken", "endpoint/churn/variant/AllTraffic/invocations", UNKNOWN, []),
    ("autoscaling-alarm-broken", "endpoint/queue/variant/AllTraffic/wake-up", PASS, []),
    (
        "autoscaling-alarm-broken",
        "endpoint/queue/variant/AllTraffic/wake-up",
        FAIL,
        [("WakeUpAlarm.Properties.ActionsEnabled", "false")],
    ),
    (
        "autoscaling-zero-without-wakeup",
        "endpoint/queue/variant/AllTraffic",
        FAIL,
        [("WakeUpAlarm.Properties.MetricName", "Invocations")],
    ),
    ("model-vpc-single-az", "churn-model", PASS, []),
    ("model-vpc-single-az", "churn-model", FAIL, [(AZ_B, "eu-west-1a")]),
    ("model-vpc-single-az", "churn-model", UNKNOWN, [(AZ_B, REF)]),
    ("model-vpc-single-az", "churn-model", UNKNOWN, [(AZ_B, None)]),
    ("model-vpc-single-az", "churn-model", UNKNOWN, [(AZ_B, zone(0))]),
    ("model-vpc-single-az", "churn-model", UNKNOWN, [("Model.Properties.VpcConfig.Subnets.1", "subnet-0a1b2c3d")]),
    ("model-vpc-single-az", "churn-model", PASS, [("SubnetA.Properties.AvailabilityZone", zone(0)), (AZ_B, zone(1))]),
    (
        "model-vpc-single-az",
        "churn-model",
        FAIL,
        [("SubnetA.Properties.AvailabilityZone", zone(1)), (AZ_B, zone(1, {"Ref": "AWS::Region"}))],
    ),
    ("model-vpc-single-az", "churn-model", UNKNOWN, [(AZ_B, "eu-west-1-lax-1a")]),
    ("model-vpc-single-az", "churn-model", PASS, [("Model.Properties.VpcConfig.Subnets.2", REF)]),
    ("model-vpc-subnet-missing", "churn-model", UNKNOWN, [("Model.Properties.VpcConfig.Subnets.1", "subnet-0a1b2c3d")]),
    ("vpc-single-az", "Vpc", FAIL, [("SubnetB", None), ("Model.Properties.VpcConfig.Subnets.1", None)]),
    ("vpc-single-az", "Vpc", UNKNOWN, [("SubnetB.Properties.VpcId", REF)]),
    ("endpoint-gpu-unneeded-by-algorithm", "churn/AllTraffic", FAIL, [(f"{VARIANT}.InstanceType", "ml.g5.xlarge")]),
    ("endpoint-idle", "churn/AllTraffic", UNKNOWN, []),
    ("endpoint-degraded", "churn", UNKNOWN, []),
    ("endpoint-dependency-missing", "churn", PASS, []),
    ("endpoint-dependency-missing", "churn", UNKNOWN, [(f"{VARIANT}.ModelName", "elsewhere")]),
    ("endpoint-dependency-missing", "churn", UNKNOWN, [("Endpoint.Properties.EndpointConfigName", "elsewhere")]),
    ("inference-component-single-copy", "llm/chat", FAIL, [("Component.Properties.RuntimeConfig.CopyCount", 1)]),
    ("notebook-elastic-inference-retired", "lab", FAIL, [("Notebook.Properties.AcceleratorTypes", ["ml.eia2.medium"])]),
]


@pytest.mark.parametrize(("rule", "name", "verdict", "changes"), CASES)
def test_a_rule_judges_a_template(rule: str, name: str, verdict: Verdict, changes: list[tuple[str, Any]]) -> None:
    extra: list[tuple[str, Any]] = []
    if rule == "autoscaling-orphaned-target":
        extra = [("Target.Properties.ResourceId", name)]
    if ("Model.Properties.VpcConfig.Subnets.2", REF) in changes:
        subnets = [*SOUND["Resources"]["Model"]["Properties"]["VpcConfig"]["Subnets"], REF]
        changes = [("Model.Properties.VpcConfig.Subnets", subnets)]
    assert verdicts(judgement(changed(*changes, *extra)))[rule, name] is verdict


def value_of(expression: str, head: str = "") -> Verdict:
    """What endpoint-single-instance says of one instance (fail), several (pass) or an unknown number (unknown)."""
    text = f"""
Parameters:
  One: {{Type: Number, Default: 1}}
  Given: {{Type: String, AllowedValues: ["1", "2"]}}
  List: {{Type: CommaDelimitedList, Default: "1, 2"}}
  Stored: {{Type: "AWS::SSM::Parameter::Value<String>", Default: /count}}
Mappings:
  Sizes: {{prod: {{count: 2}}, test: {{count: 1}}}}
Conditions:
  Sure: !Equals [a, a]
  Never: !Not [!Condition Sure]
  Odd: !Equals [!Ref Given, "1"]
  OddOrSure: !Or [!Condition Odd, !Condition Sure]
  OddAndNever: !And [!Condition Odd, !Condition Never]
  Home: !Equals [!Ref AWS::AccountId, "000000000000"]
  Circle: !Condition Circle
{head}
Resources:
  Config:
    Type: AWS::SageMaker::EndpointConfig
    Properties:
      ProductionVariants:
        - VariantName: V
          InitialInstanceCount: {expression}
          InstanceType: ml.m5.large
          ModelName: m
  Endpoint:
    Type: AWS::SageMaker::Endpoint
    Properties:
      EndpointConfigName: !GetAtt Config.EndpointConfigName
"""
    return verdicts(judgement(text))["endpoint-single-instance", "Endpoint/V"]


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("!Ref One", FAIL),
        ("!Ref Given", UNKNOWN),
        ("!Ref Stored", UNKNOWN),
        ("!Ref Missing", UNKNOWN),
        ("!Select [1, !Ref List]", PASS),
        ('!Select ["0", !Ref List]', FAIL),
        ("!Select [7, !Ref List]", UNKNOWN),
        ('!Select [1, !Split ["-", "a-3"]]', PASS),
        ("!FindInMap [Sizes, prod, count]", PASS),
        ("!FindInMap [Sizes, !Ref Given, count]", UNKNOWN),
        ("!FindInMap [Sizes, none, count]", UNKNOWN),
        ("!FindInMap [Sizes, none, count, {DefaultValue: 1}]", FAIL),
        ("!If [Sure, 1, 2]", FAIL),
        ("!If [Never, 1, 2]", PASS),
        ("!If [Odd, 1, 2]", UNKNOWN),
        ("!If [Odd, 1, 1]", FAIL),
        ("!If [OddOrSure, 1, 2]", FAIL),
        ("!If [OddAndNever, 1, 2]", PASS),
        ("!If [Home, 1, 2]", UNKNOWN),
        ("!If [Circle, 1, 2]", UNKNOWN),
        ("!If [Undefined, 1, 2]", UNKNOWN),
        ('!Sub "${One}"', FAIL),
        ('!Sub ["${N}", {N: !Ref One}]', FAIL),
        ('!Join ["", [!Ref One, 0]]', PASS),
        ("!ImportValue count", UNKNOWN),
        ("!GetAtt Other.Count", UNKNOWN),
        ('"{{resolve:ssm:/count}}"', UNKNOWN),
        ("!Select wrong", UNKNOWN),
        ("!Join 1", UNKNOWN),
        ("!Cidr [1, 2, 3]", UNKNOWN),
        ("!Transform {Name: AWS::Include}", UNKNOWN),
    ],
)
def test_an_intrinsic_function_is_resolved_or_unknown(expression: str, verdict: Verdict) -> None:
    assert value_of(expression) is verdict


def test_no_value_takes_an_accelerator_away() -> None:
    def accelerator(condition: str) -> Verdict:
        change = (f"{VARIANT}.AcceleratorType", {"Fn::If": [condition, "ml.eia2.medium", {"Ref": "AWS::NoValue"}]})
        conditions = {"Sure": {"Fn::Equals": ["a", "a"]}, "Odd": {"Fn::Equals": [REF, "a"]}}
        conditions["Never"] = {"Fn::Not": [{"Condition": "Sure"}]}
        plan = judgement({**changed(change), "Conditions": conditions})
        return verdicts(plan)["endpoint-elastic-inference-retired", "churn/AllTraffic"]

    assert [accelerator(condition) for condition in ("Sure", "Never", "Odd")] == [FAIL, PASS, UNKNOWN]


def test_a_target_is_tied_to_the_endpoint_of_the_template_by_attribute_by_arn_and_by_the_same_unknown_name() -> None:
    by_attribute = {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/AllTraffic"}
    by_arn = {
        "Fn::Join": [
            "/",
            ["endpoint", {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "Endpoint"}]}]}, "variant", "AllTraffic"],
        ]
    }
    by_text = {"Fn::Sub": "endpoint/${Nowhere}-churn/variant/AllTraffic"}
    name = ("Endpoint.Properties.EndpointName", {"Fn::Sub": "${Nowhere}-churn"})
    for written in (by_attribute, by_arn, by_text):
        outcomes = verdicts(judgement(changed(("Target.Properties.ResourceId", written), name)))
        assert outcomes["variant-no-autoscaling", "${Nowhere}-churn/AllTraffic"] is PASS


def test_a_metric_may_be_that_of_an_endpoint_whose_name_is_not_known() -> None:
    named = ("Endpoint.Properties.EndpointName", REF)
    tied = [(f"{name}.Properties.ResourceId", {"Fn::Sub": "endpoint/${Nowhere}/variant/AllTraffic"}) for name in TIED]
    outcomes = verdicts(judgement(changed(named, *tied)))
    assert outcomes["autoscaling-metric-mismatch", "endpoint/${Nowhere}/variant/AllTraffic/invocations"] is UNKNOWN
    outcomes = verdicts(judgement(changed(named, tied[0], ("Target.Properties.ScheduledActions", []))))
    assert outcomes["autoscaling-target-without-policy", "endpoint/${Nowhere}/variant/AllTraffic"] is UNKNOWN


def test_a_resource_whose_condition_is_false_is_left_out_and_one_that_may_be_made_is_unknown() -> None:
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}, "Odd": {"Fn::Equals": [REF, "a"]}}
    lone_instance = (f"{VARIANT}.InitialInstanceCount", 1)
    left_out = judgement({**changed(lone_instance, ("Endpoint.Condition", "Never")), "Conditions": conditions})
    assert ("endpoint-single-instance", "churn/AllTraffic") not in verdicts(left_out)
    maybe = judgement({**changed(lone_instance, ("Endpoint.Condition", "Odd")), "Conditions": conditions})
    assert verdicts(maybe)["endpoint-single-instance", "churn/AllTraffic"] is UNKNOWN


def test_a_parameter_can_be_given_and_must_exist_and_be_allowed() -> None:
    template = {
        **changed((f"{VARIANT}.InitialInstanceCount", {"Ref": "Count"})),
        "Parameters": {"Count": {"Type": "Number", "AllowedValues": [1, 2]}},
    }
    assert verdicts(judgement(template, {"Count": "1"}))["endpoint-single-instance", "churn/AllTraffic"] is FAIL
    with pytest.raises(InvalidInput, match="no parameter 'Cuont'; accepted are Count"):
        judgement(template, {"Cuont": "1"})
    with pytest.raises(InvalidInput, match="cannot be '3'; accepted are 1, 2"):
        judgement(template, {"Count": "3"})


def test_custom_rules_see_what_is_known_and_are_unknown_for_the_rest(tmp_path: Any) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        "custom_rules:\n"
        "  - {id: own-type, kind: endpoint-variant, title: t,\n"
        "     fails_when: \"configured.instance_type != 'ml.m5.large'\"}\n"
        "  - {id: own-tag, kind: model, title: t, fails_when: '!tags.owner'}\n"
        "  - {id: own-status, kind: endpoint, title: t, fails_when: \"status == 'InService'\"}\n"
    )
    policy = load_policy(str(file))
    known = verdicts(judgement(changed(("Model.Properties.Tags", [{"Key": "owner", "Value": "me"}])), policy=policy))
    assert known["own-type", "churn/AllTraffic"] is PASS
    assert known["own-tag", "churn-model"] is PASS
    assert known["own-status", "churn"] is UNKNOWN
    unknown = verdicts(judgement(changed((f"{VARIANT}.InstanceType", REF)), policy=policy))
    assert unknown["own-type", "churn/AllTraffic"] is UNKNOWN
    assert unknown["own-tag", "churn-model"] is UNKNOWN  # tags of the stack go to its resources, too


def test_a_resource_is_exempt_by_its_tag_in_the_template() -> None:
    exempt = {"auditor:exempt": "endpoint-single-instance", "auditor:exempt-until": "2026-12-01", "owner": "ml"}
    tags = [{"Key": key, "Value": value} for key, value in exempt.items()]
    plan = judgement(changed((f"{VARIANT}.InitialInstanceCount", 1), ("Endpoint.Properties.Tags", tags)))
    result = next(finding for finding in plan.report.findings if finding.rule == "endpoint-single-instance")
    assert (result.status, result.owner) == ("exempt", "ml")


def test_one_blind_spot_tells_what_no_template_can_and_one_each_value_that_is_missing() -> None:
    sound = judgement(SOUND).report
    assert [spot.operation for spot in sound.blind_spots] == ["plan:deployment"]
    assert sound.complete
    lacking = judgement(changed((f"{VARIANT}.InitialInstanceCount", REF))).report
    assert [spot.operation for spot in lacking.blind_spots] == ["plan:deployment", "plan:values"]
    assert lacking.blind_spots[1].error.startswith("the parameter Nowhere has no value (--parameter Nowhere=…) (")
    assert not lacking.complete


def test_findings_name_no_command_and_no_console_page_and_evidence_says_what_is_not_known() -> None:
    plan = judgement(changed((f"{VARIANT}.InitialInstanceCount", 1), (f"{VARIANT}.InstanceType", REF)))
    result = next(finding for finding in plan.report.findings if finding.rule == "endpoint-single-instance")
    assert (result.fix.commands, result.resource.console_url) == ([], None)
    assert result.evidence["instance_type"] == "(not known before deployment)"
    assert result.resource.arn == "arn:aws:sagemaker:eu-west-1:000000000000:endpoint/churn"
    assert plan.report.model_validate_json(plan.report.model_dump_json())


def test_sarif_points_to_the_line_of_the_variant_and_of_the_model() -> None:
    import json

    text = (FIXTURES / "fragile.yaml").read_text()
    plan = judgement(text)
    results = json.loads(sarif(plan.report))["runs"][0]["results"]
    places = {result["ruleId"]: result["locations"][0]["physicalLocation"] for result in results}
    line = places["endpoint-single-instance"]["region"]["startLine"]
    assert places["endpoint-single-instance"]["artifactLocation"]["uri"] == "template.yaml"
    assert "VariantName" in text.splitlines()[line - 1]
    assert text.splitlines()[places["model-vpc-single-az"]["region"]["startLine"] - 1].strip() == "Model:"


def test_the_fragile_sample_fails_and_the_resilient_one_does_not() -> None:
    baseline = load_policy("baseline")
    fragile = judgement((FIXTURES / "fragile.yaml").read_text(), policy=baseline).report
    assert {finding.rule for finding in fragile.findings} == {
        "endpoint-single-instance",
        "model-vpc-single-az",
        "variant-no-autoscaling",
        "vpc-single-az",
    }
    assert judgement((FIXTURES / "resilient.yaml").read_text(), policy=baseline).report.findings == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", r"template.yaml:2: this is neither JSON nor YAML"),
        ("- a\n- b\n", "neither a CloudFormation template"),
        ("just text", "neither a CloudFormation template"),
        ("", "neither a CloudFormation template"),
        ("Resources: []", "neither a CloudFormation template"),
        ("Resources:\n  A: 1\n", "template.yaml:2: the resource A must be a mapping with a Type"),
        (
            "Resources:\n  A:\n    Type: X\n    Properties: [1]\n",
            "template.yaml:4: the Properties of A must be a mapping",
        ),
        ("Resources:\n  A: {Type: X}\n  A: {Type: X}\n", "template.yaml:3: the key A stands twice"),
        ("Parameters: 1\nResources:\n  A: {Type: X}\n", "Parameters must be a mapping"),
        ("Resources: &a\n  A: {Type: X, Properties: *a}\n", "too large|nested"),
        ("Resources:\n  A: {<<: {Type: X}}\n", "merge keys"),
        (
            "Resources:\n  A:\n    Type: AWS::SageMaker::EndpointConfig\n    Properties:\n"
            "      ProductionVariants: [{VariantName: V, InitialInstanceCount: many}]\n",
            "template.yaml:2: A: InitialInstanceCount: input should be a valid integer",
        ),
        (
            "Resources:\n  A:\n    Type: AWS::SageMaker::EndpointConfig\n    Properties:\n"
            "      ProductionVariants: {VariantName: V}\n",
            "A: ProductionVariants must be a list",
        ),
    ],
)
def test_what_is_no_template_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        judgement(text)


@pytest.mark.slow
@pytest.mark.thorough
def test_a_small_file_cannot_become_a_huge_one() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(InvalidInput, match="too large"):
        document("bomb.yaml", "\n".join(lines))
