"""Generated files are those that the code gives, and permissions only read."""

import json
from pathlib import Path

import botocore.session
import jsonschema
import pytest

from chalicelib.inventory.aws import boto3_name
from tools.generate import ROOT, outdated
from tools.permissions import FUNCTIONS

pytestmark = pytest.mark.thorough

READING = ("Describe", "List", "Get", "Search")


def test_generated_files_are_up_to_date() -> None:
    assert [str(path.relative_to(ROOT)) for path, _ in outdated()] == [], "run `make generate`"


def test_the_schema_of_the_report_is_a_json_schema() -> None:
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_only_reads_the_account(function: str) -> None:
    document = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())
    for statement in document["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        writing = {action for action in statement["Action"] if not action.split(":")[1].startswith(READING)}
        if statement["Resource"] == "*":
            assert writing == set()
        services = {action.split(":")[0] for action in writing}
        assert not services & {"sagemaker", "ec2", "application-autoscaling", "cloudwatch", "iam", "organizations"}


def test_the_permissions_name_operations_that_exist() -> None:
    session = botocore.session.get_session()
    own = {"dynamodb", "s3", "ses", "logs"}  # actions there are not named as operations are
    actions = {action for function in FUNCTIONS.values() for statement in function for action in statement["Action"]}
    names = {name for name in actions if name.split(":")[0] not in own}
    for service in {name.split(":")[0] for name in names}:
        operations = session.get_service_model(boto3_name(service)).operation_names
        assert {name.split(":")[1] for name in names if name.startswith(f"{service}:")} <= set(operations)


@pytest.mark.parametrize("stage", ["dev", "prod", "prod-arm64"])
def test_each_stage_names_the_policy_of_each_function(stage: str) -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    functions = config["stages"][stage]["lambda_functions"]
    assert functions.keys() == FUNCTIONS.keys()
    for function, settings in functions.items():
        assert settings["iam_policy_file"] == f"policy-{function}.json"
        assert Path(ROOT / ".chalice" / settings["iam_policy_file"]).exists()
