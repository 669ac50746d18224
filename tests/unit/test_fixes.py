"""What every template has: a title that stands alone, a way to see that the fix worked, words for a plan."""

import json
import re
import subprocess
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from chalicelib.audit import jq
from chalicelib.audit.findings import Failing, findings
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report.findings import Finding, Fix
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from chalicelib.scope import Scope
from chalicelib.templating import TEMPLATES, rule_title
from samples.cases.case import Case
from samples.cases.catalogue import CASES, cases_of_rule
from tests.each import check_each
from tools.evidence import finding_of

pytestmark = pytest.mark.thorough

#: What titles call a kind, where that is not its name.
NOUNS = {
    "endpoint-variant": "endpoint",
    "scalable-target": "automatic scaling",
    "tuning-job": "training job",
    "vpc": "VPC",
    "studio-app": "Studio app",
}
#: One title is for jobs of every kind, and one for what scales, whichever way.
ALSO = {
    "instance-previous-generation": ("endpoint, job or notebook instance",),
    "autoscaling-min-below-two": ("automatic scaling",),
    "autoscaling-no-headroom": ("automatic scaling",),
    "autoscaling-at-max": ("automatic scaling",),
}
TAKES_AWAY = re.compile(r"(deregister|delete)-")
WITHOUT_CHECKPOINTS = re.compile(r"stop-(training|hyper-parameter-tuning|transform|processing)-job")


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_title_names_its_kind_of_subject(rule: str) -> None:
    title = rule_title(rule)
    assert "SageMaker" in title
    nouns = {NOUNS.get(kind, kind.replace("-", " ")) for kind in RULES[rule].kinds}
    assert any(word in title for word in ALSO.get(rule, ())) or all(noun in title for noun in nouns), (title, nouns)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_template_says_how_to_see_that_the_fix_worked_and_what_a_plan_should_change(rule: str) -> None:
    text = (TEMPLATES / "findings" / f"{rule}.md.j2").read_text(encoding="utf-8")
    for block in ("verify", "worked", "plan"):
        assert f"{{% block {block} %}}" in text


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_fix_of_every_case_keeps_the_rules_of_fixes(rule: str) -> None:
    check_each(cases_of_rule(rule, Verdict.FAIL), keeps_the_rules_of_fixes, lambda case: case.id)


def keeps_the_rules_of_fixes(case: Case) -> None:
    fix = finding_of(case).fix
    *steps, verify = fix.commands
    assert steps
    assert fix.text.count("It worked when the last command") == 1
    assert not TAKES_AWAY.search(verify)
    assert re.search(r"\b(describe|list|get)-", verify)
    for command in fix.commands:
        assert "\n" not in command
        assert "None" not in command.split()
        assert not WITHOUT_CHECKPOINTS.search(command)
        assert "add-tags" not in command
    for at, command in enumerate(steps):
        if "update-endpoint " in command:
            assert "--retain-all-variant-properties" in command
        if TAKES_AWAY.search(command):
            assert any(" > " in earlier for earlier in steps[:at]), "saves first"
            assert re.search(r"\b(lost|deletes?|deregister)", fix.text), "says what is lost"


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_plan_never_speaks_of_commands(rule: str) -> None:
    check_each(cases_of_rule(rule, Verdict.FAIL), plan_speaks_of_no_command, lambda case: case.id)


def plan_speaks_of_no_command(case: Case) -> None:
    scope = Scope("000000000000", "eu-west-1")
    failing = [Failing(RULES[case.rule], case.subject, case.outcome())]
    now = datetime(2026, 11, 25, tzinfo=UTC)
    for language in ("cloudformation", "terraform"):
        (finding,) = findings(failing, load_policy(), scope, now, lambda _: {}, planned_in=language)
        assert finding.fix.commands == []
        assert set(finding.fix.snippets) <= {language}
        assert finding.fix.text
        for word in ("command", "aws ", "cannot be changed"):
            assert word not in finding.fix.text


def tagged(tags: dict[str, str], policy: Policy | None = None) -> Finding:
    case = cases_of_rule("endpoint-single-instance", Verdict.FAIL)[0]
    failing = [Failing(RULES[case.rule], case.subject, case.outcome())]
    scope, now = Scope("123456789012", "eu-west-1"), datetime(2026, 11, 25, tzinfo=UTC)
    (finding,) = findings(failing, policy or load_policy(), scope, now, lambda _: tags)
    return finding


def test_what_a_stack_manages_is_changed_there() -> None:
    fix = tagged({"aws:cloudformation:stack-name": "shop"}).fix
    assert fix.text.startswith("Managed by CloudFormation stack shop: change it there")
    assert "InitialInstanceCount: 2" in fix.snippets["cloudformation"]
    assert "initial_instance_count = 2" in fix.snippets["terraform"]
    assert fix.commands == tagged({}).fix.commands


@pytest.mark.parametrize("tags", [{"ManagedBy": "Terraform"}, {"managed-by": "terraform"}])
def test_what_terraform_manages_is_changed_there(tags: dict[str, str]) -> None:
    fix = tagged(tags).fix
    assert fix.text.startswith("Managed by Terraform: change it there")
    assert "initial_instance_count = 2" in fix.snippets["terraform"]


@pytest.mark.parametrize("tags", [{}, {"ManagedBy": "us"}, {"owner": "terraform"}])
def test_what_nothing_manages_has_commands_alone(tags: dict[str, str]) -> None:
    fix = tagged(tags).fix
    assert not fix.text.startswith("Managed")
    assert fix.snippets == {}


@pytest.mark.parametrize("kind", ["EndpointConfig", "Model"])
def test_a_copy_drops_what_aws_only_answers_and_nothing_else(kind: str) -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    answered = set(model.operation_model(f"Describe{kind}").output_shape.members)
    taken = set(model.operation_model(f"Create{kind}").input_shape.members)
    assert set(jq.ONLY_ANSWERED[kind]) == answered - taken
    assert taken - answered == {"Tags"}


def copied(kind: str, answer: dict[str, Any], change: str = ".") -> dict[str, Any]:
    """What jq makes of an answer of AWS."""
    tags = [{"Key": "owner", "Value": "search"}, {"Key": "aws:cloudformation:stack-name", "Value": "shop"}]
    arguments = ["jq", "--argjson", "tags", json.dumps([{"Tags": tags}]), jq.copied(kind, change)]
    done = subprocess.run(arguments, input=json.dumps(answer), capture_output=True, text=True, check=True)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def test_a_copy_keeps_everything_and_has_a_name_and_tags_of_its_own() -> None:
    config = {
        "EndpointConfigName": "n" * 63,
        "EndpointConfigArn": "arn",
        "CreationTime": 1.0,
        "KmsKeyId": "key",
        "ProductionVariants": [{"VariantName": "a", "InstanceType": "x"}, {"VariantName": "b", "InstanceType": "x"}],
    }
    made = copied("EndpointConfig", config, jq.variant("b", '.InstanceType = "y"'))
    assert re.fullmatch(r"n{48}-\d{14}", made.pop("EndpointConfigName"))
    assert made == {
        "KmsKeyId": "key",
        "Tags": [{"Key": "owner", "Value": "search"}],
        "ProductionVariants": [{"VariantName": "a", "InstanceType": "x"}, {"VariantName": "b", "InstanceType": "y"}],
    }


def test_a_copy_of_a_copy_has_one_time_in_its_name() -> None:
    made = copied("EndpointConfig", {"EndpointConfigName": "shop-20261125120000", "ProductionVariants": []})
    assert re.fullmatch(r"shop-\d{14}", made["EndpointConfigName"])


@pytest.mark.parametrize(("compression", "kept"), [("Gzip", "ModelDataUrl"), ("None", "ModelDataSource")])
def test_a_model_names_the_place_of_its_archive_once(compression: str, kept: str) -> None:
    source = {"S3DataSource": {"S3Uri": "s3://b/m", "S3DataType": "S3Object", "CompressionType": compression}}
    container = {"Image": "i", "ModelDataUrl": "s3://b/m", "ModelDataSource": source}
    made = copied("Model", {"ModelName": "m", "PrimaryContainer": container})
    assert made["PrimaryContainer"] == {"Image": "i", kept: container[kept]}
    assert "Containers" not in made


def test_a_variant_name_cannot_leave_its_filter() -> None:
    hostile = '") | halt_error | ("'
    assert copied("EndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": []}, jq.variant(hostile, "."))


MODEL_OF_COMPONENTS = "model-vpc-single-az: one zone under a model that inference components run"


def fix_of(id: str) -> Fix:
    """The fix of a case by its id."""
    return finding_of(next(case for case in CASES if case.id == id)).fix


def test_a_changed_model_reaches_the_inference_components_that_run_it() -> None:
    fix = fix_of(MODEL_OF_COMPONENTS)
    moved = [command for command in fix.commands if "update-inference-component " in command]
    assert len(moved) == 2 and "adapter-component-new.json" in moved[0] and "base-component-new.json" in moved[1]
    assert not any("update-endpoint " in command for command in fix.commands), "its config names no model"
    assert "Inference components that run it (adapter, base)" in fix.text


def test_a_changed_model_of_variants_moves_their_endpoint_alone() -> None:
    failing = cases_of_rule("model-vpc-single-az", Verdict.FAIL)
    of_models = (case for case in failing if case.subject.kind == "model")
    case = next(case for case in of_models if case.id != MODEL_OF_COMPONENTS and case.evidence.get("endpoints"))
    commands = finding_of(case).fix.commands
    assert any("update-endpoint " in command for command in commands)
    assert not any("update-inference-component" in command for command in commands)


def test_only_the_specification_that_names_the_old_model_gets_the_new_one() -> None:
    answer = {"InferenceComponentName": "c", "Specifications": [{"ModelName": "old"}, {"ModelName": "other"}]}
    names = ["--arg", "old", "old", "--arg", "new", "new"]
    arguments = ["jq", *names, jq.specification(jq.OTHER_MODEL)]
    done = subprocess.run(arguments, input=json.dumps(answer), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["Specifications"] == [{"ModelName": "new"}, {"ModelName": "other"}]


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("neither, of an asynchronous endpoint, which is scaled by its queue", "ApproximateBacklogSizePerInstance"),
        ("neither a policy nor a scheduled action", "SageMakerVariantInvocationsPerInstance"),
        ("a component's target", "SageMakerInferenceComponentInvocationsPerCopy"),
    ],
)
def test_a_policy_is_proposed_on_the_metric_that_the_target_publishes(name: str, metric: str) -> None:
    (command,) = [
        command
        for command in fix_of(f"autoscaling-target-without-policy: {name}").commands
        if "put-scaling-policy" in command
    ]
    assert metric in command
    assert ("EndpointName" in command) == (metric == "ApproximateBacklogSizePerInstance")
