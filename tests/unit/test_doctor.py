"""What the doctor makes of AWS's answers and of the environment."""

import pytest

from chalicelib.doctor.doctor import Diagnosis, Permission, judged, policy_to_add, settings_checks
from chalicelib.inventory.answers import CallFailed

OPERATION = "sagemaker:ListModels"
REFUSED = "User: arn:aws:sts::123456789012:assumed-role/a/b is not authorized to perform: sagemaker:ListModels"


def denied(message: str, code: str = "AccessDeniedException") -> Permission:
    return judged(OPERATION, CallFailed(OPERATION, code, message), named=False)


@pytest.mark.parametrize(
    ("message", "denied_by", "explicit", "reason"),
    [
        (
            f"{REFUSED} on resource: * because no identity-based policy allows the sagemaker:ListModels action",
            "identity-based policy",
            False,
            "no identity-based policy allows it",
        ),
        (
            f"{REFUSED} because no permissions boundary allows the sagemaker:ListModels action",
            "permissions boundary",
            False,
            "no permissions boundary allows it",
        ),
        (
            f"{REFUSED} because no session policy allows the sagemaker:ListModels action",
            "session policy",
            False,
            "no session policy allows it",
        ),
        (
            f"{REFUSED} on resource: * with an explicit deny in a service control policy",
            "service control policy",
            True,
            "an explicit deny in a service control policy",
        ),
        (
            f"{REFUSED} with an explicit deny in an identity-based policy: arn:aws:iam::123456789012:policy/no",
            "identity-based policy",
            True,
            "an explicit deny in an identity-based policy (arn:aws:iam::123456789012:policy/no)",
        ),
        (
            f"{REFUSED} with an explicit deny in a VPC endpoint policy",
            "vpc endpoint policy",
            True,
            "an explicit deny in a vpc endpoint policy",
        ),
        (
            "You are not authorized to perform this operation. " + REFUSED + " because no identity-based policy allows "
            "the ec2:DescribeSubnets action. Encoded authorization failure message: 7Kx0",
            "identity-based policy",
            False,
            "no identity-based policy allows it",
        ),
        ("You are not authorized to perform this operation.", None, False, "AWS does not say which policy denies it"),
    ],
)
def test_where_a_denial_comes_from_is_read_from_what_aws_says(
    message: str, denied_by: str | None, explicit: bool, reason: str
) -> None:
    denial = denied(message)
    assert (denial.state, denial.denied_by, denial.explicit, denial.reason) == ("denied", denied_by, explicit, reason)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("DryRunOperation", "allowed"),
        ("UnauthorizedOperation", "denied"),
        ("AccessDenied", "denied"),
        ("ThrottlingException", "unclear"),
        ("EndpointConnectionError", "unclear"),
        ("ExpiredTokenException", "unclear"),
        ("ValidationException", "unclear"),
    ],
)
def test_an_answer_is_allowed_denied_or_unclear(code: str, state: str) -> None:
    assert denied("whatever it says", code).state == state


def test_a_long_message_is_cut() -> None:
    assert len(denied("word " * 200, "InternalFailure").reason) <= 200


def test_only_what_a_statement_can_allow_is_in_the_policy() -> None:
    permissions = [
        Permission(operation="a:Allowed", state="allowed"),
        Permission(operation="b:Unclear", state="unclear"),
        Permission(operation="d:Denied", state="denied"),
        Permission(operation="c:Denied", state="denied"),
        Permission(operation="e:Forbidden", state="denied", explicit=True),
    ]
    policy = policy_to_add(permissions)
    assert policy is not None
    assert policy["Version"] == "2012-10-17"
    assert [statement["Action"] for statement in policy["Statement"]] == [["c:Denied", "d:Denied"]]
    assert policy_to_add(permissions[-1:]) is None


def test_what_is_unclear_is_missing_too() -> None:
    unclear = Permission(operation=OPERATION, state="unclear")
    assert Diagnosis(audit="sweep", checks=[], permissions=[unclear]).missing == [unclear]


@pytest.mark.parametrize(
    ("name", "value", "state", "says"),
    [
        ("AUDITOR_TABLE", "auditor-ledger", "ok", "auditor-ledger"),
        ("AUDITOR_EXTERNAL_ID", "hush", "ok", "not shown"),
        ("AUDITOR_TOPIC", "hush", "note", "did you mean AUDITOR_TOPIC_ARN?"),
        ("AUDITOR_DEBUG", "1", "ok", "1"),
        ("AUDITOR_TABLE", "", "ok", "is empty"),
    ],
)
def test_each_setting_is_shown_without_what_is_secret(name: str, value: str, state: str, says: str) -> None:
    (check,) = settings_checks({name: value, "AWS_SECRET_ACCESS_KEY": "hush"})
    assert (check.subject, check.state) == (name, state)
    assert says in check.text
    assert "hush" not in check.text


def test_wrong_settings_are_told_all_at_once() -> None:
    checks = settings_checks({"AUDITOR_LOOKBACK_DAYS": "many", "AUDITOR_SECURITY_HUB": "perhaps"})
    (wrong,) = [check for check in checks if check.state == "wrong"]
    assert "AUDITOR_LOOKBACK_DAYS" in wrong.text
    assert "accepted are on and off" in wrong.text


def test_the_address_of_a_webhook_in_place_of_its_secret_is_wrong_and_not_shown() -> None:
    checks = settings_checks({"AUDITOR_SLACK_SECRET": "https://hooks.slack.com/services/T0/B0/hush"})
    assert [check.state for check in checks] == ["ok", "wrong"]
    assert not [check for check in checks if "hush" in check.text]


def test_a_folder_of_templates_that_is_not_there_is_wrong() -> None:
    checks = settings_checks({"AUDITOR_TEMPLATES": "/nowhere/at/all"})
    assert [check.state for check in checks] == ["ok", "wrong"]
