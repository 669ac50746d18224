"""The stack that is deployed: what Chalice packs, with ``infra/`` merged into it."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chalice.awsclient import TypedAWSClient
from chalice.cli.factory import CLIFactory
from chalice.deploy.packager import LambdaDeploymentPackager
from chalice.package import PackageOptions, create_app_packager

import app
from chalicelib.fleet.fleet import LAST_ATTEMPT
from chalicelib.inventory.parts import action
from chalicelib.ledger.table import TABLE
from chalicelib.report.telemetry import DIMENSION, METRICS, NAMESPACE, SERVICE
from chalicelib.settings import PREFIX, Settings
from tests.unit.plan_cases import FIXTURES
from tools.destroy import RETAINED
from tools.infra import MEMBER_ROLE, ROLLOUT, ROOT, SLACK, STACK, load, member_role, merged, stack_template
from tools.member_events import MEMBER_EVENTS, member_events
from tools.permissions import EVENT_READS, FUNCTIONS, SWEEP_READS

Template = dict[str, Any]
#: Functions that AWS invokes asynchronously: what fails is tried again, and then kept.
ASYNCHRONOUS = {"AuditOnSchedule", "AuditOnSagemakerEvent", "AuditOnScalingEvent", "AuditOnApiCall", "DeliverToSlack"}


def packed_by_chalice(folder: Path, merge_template: Path | None = None) -> Path:
    """What ``chalice package`` writes, but for the zip, which takes a while and says nothing here."""
    zipped = folder / "nothing.zip"
    zipped.touch()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        patched.setattr(LambdaDeploymentPackager, "create_deployment_package", lambda *_, **__: str(zipped))
        factory = CLIFactory(str(ROOT))
        config = factory.create_config_obj(chalice_stage_name="prod")
        options = PackageOptions(TypedAWSClient(factory.create_botocore_session()))
        merged = str(merge_template) if merge_template else None
        packager = create_app_packager(config, options, "cloudformation", "json", merged)
        packager.package_app(config, str(folder / "out"), "prod")
    return folder / "out"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of Chalice alone."""
    folder = packed_by_chalice(tmp_path_factory.mktemp("packed"))
    template: Template = json.loads((folder / "sam.json").read_text())
    return template


def without_slack(packed: Template) -> Template:
    """The package without the Slack function, as it is made where no secret is named."""
    kept = {name: resource for name, resource in packed["Resources"].items() if not name.startswith("DeliverToSlack")}
    return {**packed, "Resources": kept}


@pytest.fixture(scope="module", params=[False, True], ids=["without-slack", "with-slack"])
def stack(request: pytest.FixtureRequest, packed: Template) -> Template:
    """The template that is deployed."""
    slack: bool = request.param
    return stack_template(packed if slack else without_slack(packed), slack=slack)


def functions(template: Template) -> dict[str, dict[str, Any]]:
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource["Properties"] for name, resource in template["Resources"].items() if resource.get("Type") == kind
    }


def values_of(document: Any, key: str) -> Iterator[Any]:
    """The values of a key wherever it occurs."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name == key:
                yield value
            yield from values_of(value, key)
    elif isinstance(document, list):
        for item in document:
            yield from values_of(item, key)


def translated(stack: Template, monkeypatch: pytest.MonkeyPatch) -> Template:
    """What SAM makes of the stack, by the code that CloudFormation runs."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    translator = pytest.importorskip("samtranslator.translator.translator")
    parser = pytest.importorskip("samtranslator.parser.parser")
    template = copy.deepcopy(stack)
    for function in functions(template).values():
        function["CodeUri"] = {"Bucket": "artifacts", "Key": "code.zip"}
    made: Template = translator.Translator({}, parser.Parser()).translate(template, parameter_values={})
    return made


def lint(template: Template) -> list[str]:
    api = pytest.importorskip("cfnlint.api")
    return [str(match) for match in api.lint(json.dumps(template))]


@pytest.mark.parametrize("name", ["fragile", "resilient"])
def test_the_sample_templates_of_the_plan_are_good_cloudformation(name: str) -> None:
    api = pytest.importorskip("cfnlint.api")
    matches = api.lint((FIXTURES / f"{name}.yaml").read_text(), regions=["eu-west-1"])
    assert [str(match) for match in matches if match.rule.id.startswith("E")] == []


# ---- it can be deployed


@pytest.mark.slow
def test_the_template_is_one_that_cloudformation_takes(stack: Template) -> None:
    """cfn-lint has SAM translate it first, and looks at what comes out."""
    assert lint(stack) == []


@pytest.mark.slow
def test_sam_makes_resources_of_it_that_cloudformation_takes(stack: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    template = translated(stack, monkeypatch)
    assert lint(template) == []
    stages = of_type(template, "AWS::ApiGateway::Stage")
    assert [stage["StageName"] for stage in stages.values()] == ["api"]
    rules = of_type(template, "AWS::Events::Rule")
    assert len(rules) == 4
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 6 * 3600


def test_chalice_merges_the_stack_as_the_deployment_does(packed: Template, tmp_path: Path) -> None:
    written = (packed_by_chalice(tmp_path, STACK) / "sam.yaml").read_text()
    assert yaml.safe_load(written) == merged(packed, (STACK,))


def test_merging_again_changes_nothing(stack: Template) -> None:
    assert stack_template(stack, slack="DeliverToSlack" in stack["Resources"]) == stack


def test_every_resource_that_is_patched_is_one_that_chalice_makes(packed: Template) -> None:
    for path in (STACK, SLACK):
        for name, resource in load(path)["Resources"].items():
            assert "Type" in resource or name in packed["Resources"]


def test_every_function_with_permissions_is_deployed(packed: Template) -> None:
    handlers = {function["Handler"].removeprefix("app.") for function in functions(packed).values()}
    assert {"api_handler" if handler == "app" else handler for handler in handlers} == FUNCTIONS.keys()


# ---- every function


def test_every_function_has_a_log_that_is_kept_for_a_while(stack: Template) -> None:
    for name, function in functions(stack).items():
        group = stack["Resources"][function["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_has_an_alarm(stack: Template, metric: str) -> None:
    watched = [
        alarm["Dimensions"][0]["Value"]["Ref"]
        for alarm in of_type(stack, "AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == metric
    ]
    assert sorted(watched) == sorted(functions(stack))


def test_every_setting_comes_from_the_stack(stack: Template) -> None:
    variables = set(stack["Globals"]["Function"]["Environment"]["Variables"])
    for function in functions(stack).values():
        variables |= set(function.get("Environment", {}).get("Variables", {}))
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert variables <= known
    slack = set() if "DeliverToSlack" in stack["Resources"] else {"AUDITOR_SLACK_SECRET"}
    assert known - variables == {"AUDITOR_TEMPLATES"} | slack


def test_the_defaults_of_the_stack_are_accepted_as_settings() -> None:
    template = merged(load(STACK), (ROLLOUT,))
    defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    environment = {
        name: defaults[value["Ref"]] for name, value in variables.items() if value.get("Ref") in template["Parameters"]
    }
    settings = Settings.from_environment(environment)
    assert settings.policy == "baseline"
    assert settings.security_hub is False


# ---- nothing is lost


def test_what_fails_is_tried_again_and_then_kept(stack: Template) -> None:
    for name, function in functions(stack).items():
        if name in ASYNCHRONOUS:
            config = function["EventInvokeConfig"]
            assert config["MaximumRetryAttempts"] == 2
            assert config["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}


def test_events_that_cannot_be_delivered_are_tried_again_and_then_kept(stack: Template) -> None:
    for function in functions(stack).values():
        for event in function.get("Events", {}).values():
            if event["Type"] in ("Schedule", "CloudWatchEvent"):
                assert event["Properties"]["RetryPolicy"]["MaximumRetryAttempts"] > 0
                assert event["Properties"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
            if event["Type"] == "SNS":
                kept = {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
                assert event["Properties"]["RedrivePolicy"] == kept


def test_functions_wait_for_the_permission_to_keep_what_failed(stack: Template) -> None:
    for name, function in functions(stack).items():
        if "EventInvokeConfig" in function:
            (policy,) = stack["Resources"][name]["DependsOn"]
            role = function["Role"]["Fn::GetAtt"][0]
            assert {"Ref": role} in stack["Resources"][policy]["Properties"]["Roles"]


def test_a_part_is_hidden_for_six_times_the_function_and_given_up_after_its_last_attempt(stack: Template) -> None:
    function = functions(stack)["AuditPart"]
    queue = stack["Resources"]["PartsQueue"]["Properties"]
    (source,) = function["Events"].values()
    assert source["Properties"]["Queue"] == {"Fn::Sub": "${PartsQueue.Arn}"}
    assert source["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["Properties"]["ScalingConfig"]["MaximumConcurrency"] == {"Ref": "PartsAtOnce"}
    assert queue["QueueName"] == app.PARTS_QUEUE
    assert queue["VisibilityTimeout"] == 6 * function["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == LAST_ATTEMPT
    assert stack["Resources"]["DeadLetters"]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_the_alarm_for_complete_audits_takes_26_hours_of_silence() -> None:
    alarm = {
        **load(STACK)["Resources"]["NoCompleteAudit"]["Properties"],
        **load(ROLLOUT)["Resources"]["NoCompleteAudit"]["Properties"],
    }
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3600, {"Ref": "SilentHours"})
    assert load(ROLLOUT)["Parameters"]["SilentHours"]["Default"] == 26
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]
    assert alarm["TreatMissingData"] == "breaching"


def test_the_metrics_that_alarms_and_dashboard_show_are_those_that_lines_embed() -> None:
    template = load(STACK)
    widgets = json.loads(template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]
    rows = [row for widget in widgets for row in widget["properties"].get("metrics", ()) if row[0] == NAMESPACE]
    assert {tuple(row[2:4]) for row in rows} == {(DIMENSION, SERVICE)}
    alarms = [
        alarm for alarm in of_type(template, "AWS::CloudWatch::Alarm").values() if alarm["Namespace"] == NAMESPACE
    ]
    assert [alarm["Dimensions"] for alarm in alarms] == [[{"Name": DIMENSION, "Value": SERVICE}] for _ in alarms]
    assert {row[1] for row in rows} | {alarm["MetricName"] for alarm in alarms} <= METRICS.keys()
    assert {alarm["MetricName"] for alarm in alarms} == {"CompleteAudits", "BrokenChannels", "RunsFailed"}


def test_one_failed_or_stuck_run_is_an_alarm_for_a_day() -> None:
    alarm = load(STACK)["Resources"]["RunFailed"]["Properties"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("RunsFailed", "Sum", 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert (alarm["Period"] * alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (24 * 3600, 1)
    assert alarm["TreatMissingData"] == "notBreaching"


def test_no_alarm_hangs_on_a_sentence() -> None:
    assert of_type(load(STACK), "AWS::Logs::MetricFilter") == {}


def test_concurrency_is_reserved_for_events_only_where_it_is_asked_for(stack: Template) -> None:
    assert stack["Parameters"]["EventsAtOnce"]["Default"] == 0  # a new account has ten, and none to reserve
    reserved = {name for name, function in functions(stack).items() if "ReservedConcurrentExecutions" in function}
    assert reserved == {"AuditOnSagemakerEvent", "AuditOnScalingEvent", "AuditOnApiCall"}


def test_alarms_tell_people_through_a_topic_that_lets_them(stack: Template) -> None:
    for name, alarm in of_type(stack, "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmsTopic"}], name
    key = stack["Resources"]["TopicKey"]["Properties"]["KeyPolicy"]
    services = {service for statement in key["Statement"] if (service := statement["Principal"].get("Service"))}
    assert services == {"cloudwatch.amazonaws.com"}
    for topic in of_type(stack, "AWS::SNS::Topic").values():
        own = {"Fn::GetAtt": ["TopicKey", "Arn"]}
        assert topic["KmsMasterKeyId"] == {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, own]}


def test_the_dashboard_shows_every_function_and_alarm() -> None:
    template = load(STACK)
    body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    shown = {alarm.strip("${}").removesuffix(".Arn") for alarm in widgets[0]["properties"]["alarms"]}
    assert shown == set(of_type(template, "AWS::CloudWatch::Alarm"))
    errors = next(widget for widget in widgets if widget["properties"]["title"] == "Errors")
    names = {row[3].strip("${}") for row in errors["properties"]["metrics"]}
    assert names == {name for name, resource in template["Resources"].items() if name + "Logs" in template["Resources"]}


# ---- what is remembered


def test_the_table_is_the_one_that_the_ledger_expects(stack: Template) -> None:
    table = stack["Resources"]["LedgerTable"]["Properties"]
    assert {key: table[key] for key in TABLE} == TABLE
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert isinstance(table["TableName"], str), "a table that outlived its stack is found again by a plain name alone"


def test_what_outlives_the_stack_is_what_destroy_names(stack: Template) -> None:
    kept = {resource["Type"] for resource in stack["Resources"].values() if resource.get("DeletionPolicy") == "Retain"}
    assert kept == RETAINED.keys()


def test_the_bucket_is_closed(stack: Template) -> None:
    bucket = stack["Resources"]["Reports"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert list(values_of(bucket, "SSEAlgorithm")) == ["aws:kms", "AES256"]
    assert stack["Resources"]["Reports"]["Condition"] == "HasReportsBucket"


# ---- permissions


def test_no_policy_has_a_wildcard_action(stack: Template) -> None:
    for template in (stack, load(MEMBER_ROLE)):
        actions = [
            name for value in values_of(template, "Action") for name in ([value] if isinstance(value, str) else value)
        ]
        assert actions
        assert [name for name in actions if "*" in name] == []


def test_what_the_roles_may_touch_carries_the_name(stack: Template) -> None:
    for kind, key in (
        ("AWS::SNS::Topic", "TopicName"),
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::DynamoDB::Table", "TableName"),
    ):
        for resource in of_type(stack, kind).values():
            assert "auditor" in resource[key]


def statements(function: str) -> list[dict[str, Any]]:
    """The statements of a function's own role."""
    return FUNCTIONS[function]


def test_each_function_writes_its_own_log_alone(stack: Template) -> None:
    for name, function in functions(stack).items():
        handler = function["Handler"].removeprefix("app.")
        group = stack["Resources"][function["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]["LogGroupName"]
        allowed = [
            statement["Resource"]
            for statement in statements("api_handler" if handler == "app" else handler)
            if any(action.startswith("logs:") for action in statement["Action"])
        ]
        assert allowed == [f"arn:*:logs:*:*:log-group:{group}:*"], name


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_what_is_written_lies_in_the_own_account(function: str) -> None:
    writing = {"sns:Publish", "sqs:SendMessage", "sqs:DeleteMessage", "s3:PutObject", "dynamodb:PutItem"}
    for statement in statements(function):
        if writing & set(statement["Action"]):
            assert statement["Condition"] == {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}


def test_mail_is_sent_as_the_configured_sender_alone(stack: Template) -> None:
    policy = stack["Resources"]["MailPolicy"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "EmailFrom"}}}
    assert all(role["Ref"] in stack["Resources"] for role in policy["Roles"])
    actions = {action for function in FUNCTIONS for statement in statements(function) for action in statement["Action"]}
    assert not [action for action in actions if action.startswith("ses:")]


def test_the_http_function_alone_reads_the_signing_secret_and_only_where_there_is_one(stack: Template) -> None:
    policy = stack["Resources"]["SlackAnswersPolicy"]
    assert policy["Condition"] == "HasSlackAnswers"
    assert policy["Properties"]["Roles"] == [{"Ref": "ApiHandlerRole"}]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert all("auditor" in resource["Fn::Sub"] for resource in statement["Resource"])


def test_the_webhook_of_teams_is_read_only_where_there_is_one(stack: Template) -> None:
    policy = stack["Resources"]["TeamsPolicy"]
    assert policy["Condition"] == "HasTeams"
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert all("auditor" in resource["Fn::Sub"] for resource in statement["Resource"])
    assert all(role["Ref"] in stack["Resources"] for role in policy["Properties"]["Roles"])


def test_events_are_put_on_the_configured_bus_alone(stack: Template) -> None:
    policy = stack["Resources"]["EventBusPolicy"]
    assert policy["Condition"] == "HasEventBus"
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"]["Fn::Sub"].endswith(":${AWS::Region}:${AWS::AccountId}:event-bus/${EventBus}")
    assert all(role["Ref"] in stack["Resources"] for role in policy["Properties"]["Roles"])
    actions = {action for function in FUNCTIONS for statement in statements(function) for action in statement["Action"]}
    assert not [action for action in actions if action.startswith("events:")]


@pytest.mark.parametrize(
    ("switch", "action"),
    [("Prices", "pricing:GetProducts"), ("Estimates", "cost-optimization-hub:ListRecommendations")],
)
def test_prices_and_estimates_are_read_only_where_they_are_on(stack: Template, switch: str, action: str) -> None:
    policy = stack["Resources"][f"{switch}Policy"]
    assert policy["Condition"] == f"Has{switch}"
    assert stack["Conditions"][f"Has{switch}"] == {"Fn::Equals": [{"Ref": switch}, "on"]}
    assert stack["Parameters"][switch]["Default"] == "off"
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", [action])
    assert all(role["Ref"] in stack["Resources"] for role in policy["Properties"]["Roles"])
    assert not [function for function in FUNCTIONS for grant in statements(function) if action in grant["Action"]]


def test_the_external_id_is_known_to_the_function_that_assumes_roles_alone(stack: Template) -> None:
    assert "AUDITOR_EXTERNAL_ID" not in stack["Globals"]["Function"]["Environment"]["Variables"]
    assert {name for name, function in functions(stack).items() if "AUDITOR_EXTERNAL_ID" in json.dumps(function)} == {
        "AuditPart"
    }
    assuming = [
        name for name in FUNCTIONS if any("sts:AssumeRole" in statement["Action"] for statement in statements(name))
    ]
    assert assuming == ["audit_part"]


@pytest.mark.parametrize("kind", ["AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Bucket"])
def test_nothing_is_reached_without_tls(stack: Template, kind: str) -> None:
    refusals = [
        json.dumps(statement["Resource"])
        for policy in stack["Resources"].values()
        if policy["Type"] in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    for name in of_type(stack, kind):
        assert any(f'"{name}"' in resource for resource in refusals), name


def test_services_are_let_in_for_the_own_account_alone(stack: Template) -> None:
    for name, resource in stack["Resources"].items():
        document = resource["Properties"].get("PolicyDocument") or resource["Properties"].get("KeyPolicy") or {}
        for statement in document.get("Statement", ()):
            if "Service" in (statement.get("Principal") or {}) and statement["Effect"] == "Allow":
                assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}, name


def test_the_role_of_member_accounts_is_the_generated_one() -> None:
    assert MEMBER_ROLE.read_text() == member_role(), "run `make generate`"
    assert lint(load(MEMBER_ROLE)) == []


def test_the_role_of_member_accounts_reads_what_parts_and_events_read_and_trusts_one_role() -> None:
    role = load(MEMBER_ROLE)["Resources"]["MemberRole"]["Properties"]
    (policy,) = role["Policies"]
    statement, of_doctor = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == sorted({action(operation) for operation in SWEEP_READS | EVENT_READS})
    assert of_doctor["Action"] == ["events:DescribeRule", "events:ListRuleNamesByTarget"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    equal = trust["Condition"]["StringEquals"]
    assert equal["sts:ExternalId"] == {"Ref": "ExternalId"}
    assert equal["aws:PrincipalOrgID"]["Fn::If"][:2] == ["HasOrganization", {"Ref": "OrganizationId"}]
    assert "aws:PrincipalArn" in trust["Condition"]["ArnLike"]


# ---- events of member accounts

EVENT_FUNCTIONS = ["AuditOnSagemakerEvent", "AuditOnScalingEvent", "AuditOnApiCall"]


def test_the_rules_of_member_accounts_are_the_generated_ones() -> None:
    assert MEMBER_EVENTS.read_text() == member_events(), "run `make generate`"
    assert lint(load(MEMBER_EVENTS)) == []


def test_member_accounts_send_what_the_functions_of_events_listen_to(stack: Template) -> None:
    sent = of_type(load(MEMBER_EVENTS), "AWS::Events::Rule")
    assert list(sent) == EVENT_FUNCTIONS
    for name in EVENT_FUNCTIONS:
        (event,) = functions(stack)[name]["Events"].values()
        taken, pattern = event["Properties"]["Pattern"], sent[name]["EventPattern"]
        assert set(pattern["source"]) == set(taken["source"]) - {"aws.health"}
        assert set(pattern["detail-type"]) == set(taken["detail-type"]) - {"AWS Health Event"}
        wanted = {key: value for key, value in taken.get("detail", {}).items() if key != "service"}
        assert pattern.get("detail", {}) == wanted  # of what is no AWS Health, whether there is a service is the same


def test_they_may_send_to_the_bus_of_the_auditor_and_nothing_else() -> None:
    template = load(MEMBER_EVENTS)
    bus = {"Fn::Sub": "arn:${AWS::Partition}:events:${AuditorRegion}:${AuditorAccount}:event-bus/default"}
    (policy,) = template["Resources"]["SendRole"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", bus)
    targets = [target for rule in of_type(template, "AWS::Events::Rule").values() for target in rule["Targets"]]
    assert {json.dumps(target["Arn"]) for target in targets} == {json.dumps(bus)}


def test_the_bus_takes_events_of_aws_alone_and_from_the_configured_accounts_alone(stack: Template) -> None:
    rules = of_type(load(MEMBER_EVENTS), "AWS::Events::Rule").values()
    sources = {source for rule in rules for source in rule["EventPattern"]["source"]}
    policies = {
        name: resource
        for name, resource in stack["Resources"].items()
        if resource["Type"] == "AWS::Events::EventBusPolicy"
    }
    assert len(policies) == 2
    for policy in policies.values():
        statement = policy["Properties"]["Statement"]
        assert statement["Action"] == "events:PutEvents"
        assert set(statement["Condition"]["ForAllValues:StringEquals"]["events:source"]) == sources
        assert all(source.startswith("aws.") for source in sources)
    everybody = policies["EventsOfTheOrganization"]
    assert everybody["Condition"] == "HasOrganization"
    belongs = {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}
    assert everybody["Properties"]["Statement"]["Condition"]["StringEquals"] == belongs
    listed = policies["EventsOfListedAccounts"]["Properties"]["Statement"]
    assert listed["Principal"] == {"AWS": {"Fn::Split": [",", {"Ref": "Accounts"}]}}


# ---- a browser that comes without a signature


GATEWAY = "x-amazon-apigateway-gateway-responses"


def test_who_comes_without_a_signature_is_told_in_html_what_to_do() -> None:
    answers = load(STACK)["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
    assert set(answers) == {"MISSING_AUTHENTICATION_TOKEN"}  # what is signed and refused is answered in JSON
    unsigned = answers["MISSING_AUTHENTICATION_TOKEN"]
    assert unsigned["StatusCode"] == 403
    assert unsigned["ResponseParameters"]["Headers"] == {"Content-Type": "'text/html; charset=utf-8'"}
    assert unsigned["ResponseTemplates"]["application/json"] == unsigned["ResponseTemplates"]["text/html"]
    html, _ = unsigned["ResponseTemplates"]["text/html"]["Fn::Sub"]
    assert html.startswith("<!DOCTYPE html>")
    for way in ("SigV4", "auditor serve", "${Kept}", "awscurl"):
        assert way in html
    # The gateway knows no escaping: nothing of a request may stand in the page.
    assert "$" not in re.sub(r"\$\{(Kept|AWS::Region)\}", "", html)


@pytest.mark.slow
def test_the_gateways_answer_is_deployed_with_the_api(stack: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in the body of the API, by which SAM knows that there is something to deploy anew."""
    (api,) = of_type(translated(stack, monkeypatch), "AWS::ApiGateway::RestApi").values()
    answer = api["Body"][GATEWAY]["MISSING_AUTHENTICATION_TOKEN"]
    assert set(answer["responseTemplates"]) == {"application/json", "text/html"}
    assert answer["responseParameters"] == {"gatewayresponse.header.Content-Type": "'text/html; charset=utf-8'"}


# ---- what an organization asks of all of it

#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
IN_RULES = {
    *("Fn::And", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::Not", "Fn::Or"),
    *("Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"),
}


def keys_of(document: Any) -> Iterator[str]:
    """Every key of every mapping within."""
    if isinstance(document, dict):
        yield from document
    for value in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from keys_of(value)


def test_rules_use_functions_that_rules_may_use(stack: Template) -> None:
    used = {key for key in keys_of(stack["Rules"]) if key.startswith("Fn::")}
    assert used <= IN_RULES


def test_every_role_has_the_boundary_and_what_key_and_subnets_need(stack: Template) -> None:
    roles = of_type(stack, "AWS::IAM::Role")
    assert len(roles) >= len(functions(stack))
    for name, role in roles.items():
        boundary = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
        assert role["PermissionsBoundary"] == boundary, name
        conditions = [policy["Fn::If"][0] for policy in role["Policies"] if "Fn::If" in policy]
        secrets = ["HasSecretsKey"] if "secretsmanager:GetSecretValue" in json.dumps(role) else []
        assert conditions == ["HasKey", "HasSubnets", *secrets], name


def test_the_keys_are_used_by_way_of_the_services_that_hold_the_data_alone(stack: Template) -> None:
    for role in of_type(stack, "AWS::IAM::Role").values():
        for policy in role["Policies"]:
            statements = (policy["Fn::If"][1] if "Fn::If" in policy else policy)["PolicyDocument"]["Statement"]
            for statement in statements:
                if {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"} & set(statement["Action"]):
                    assert statement["Condition"]["StringEquals"]["kms:ViaService"], statement
                    assert statement["Resource"] in ({"Ref": "KmsKeyArn"}, {"Ref": "SecretsKeyArn"})


def test_the_own_key_encrypts_all_that_is_kept(stack: Template) -> None:
    own = {"Ref": "KmsKeyArn"}
    for kind, key in (("AWS::Logs::LogGroup", "KmsKeyId"), ("AWS::SQS::Queue", "KmsMasterKeyId")):
        for name, resource in of_type(stack, kind).items():
            assert resource[key] == {"Fn::If": ["HasKey", own, {"Ref": "AWS::NoValue"}]}, name
    table = stack["Resources"]["LedgerTable"]["Properties"]["SSESpecification"]
    assert table["SSEEnabled"] is True and table["KMSMasterKeyId"]["Fn::If"][:2] == ["HasKey", own]
    assert stack["Globals"]["Function"]["KmsKeyArn"]["Fn::If"][:2] == ["HasKey", own]


def test_functions_that_audit_have_the_memory_that_is_asked_for(stack: Template) -> None:
    sizes = {name: function["MemorySize"] for name, function in functions(stack).items()}
    assert {name for name, size in sizes.items() if size != {"Ref": "MemorySize"}} <= {"DeliverToSlack"}


def test_code_of_a_function_in_a_vpc_makes_no_interface(stack: Template) -> None:
    (policy,) = {
        json.dumps(policy["Fn::If"][1]["PolicyDocument"])
        for role in of_type(stack, "AWS::IAM::Role").values()
        for policy in role["Policies"]
        if policy.get("Fn::If", [""])[0] == "HasSubnets"
    }
    allowed, looked, denied = json.loads(policy)["Statement"]
    assert denied["Effect"] == "Deny" and denied["Action"] == allowed["Action"]
    assert "lambda:SourceFunctionArn" in denied["Condition"]["ArnLike"]
    assert all(action.startswith("ec2:Describe") for action in looked["Action"])


# ---- documentation


def test_every_parameter_is_explained() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text()
    explained = set(re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE))
    assert explained == {name for path in (STACK, SLACK, ROLLOUT) for name in load(path)["Parameters"]}


def test_every_alarm_is_explained(stack: Template) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    for alarm in of_type(stack, "AWS::CloudWatch::Alarm").values():
        name = re.sub(r"^auditor-(errors|throttles)-.*", r"auditor-\1-…", alarm["AlarmName"])
        assert f"`{name}`" in page
