"""The permissions of each function: reading from the operations that the parts of the inventory declare, and writing
only to what is the auditor's own.

What is the auditor's own carries "auditor" in its name: topic, table, bucket, secret; and it lies in the same account.
The sender of mail is known to the stack alone, which lets the functions send by a policy of its own.
"""

import json
from collections.abc import Sequence
from typing import Any

from chalicelib.inventory.parts import NARROW_ONLY, OPERATIONS, SWEEP_ONLY, Part, action
from chalicelib.kinds import DESCRIBED
from chalicelib.notices.channels import CHANNELS, Permission

READS = frozenset(operation for operations in OPERATIONS.values() for operation in operations)
SWEEP_READS = READS - NARROW_ONLY
EVENT_READS = READS - SWEEP_ONLY
#: Of a member account parts of runs are read, and what its events name.
MEMBER_READS = READS

#: The kinds that neither serve nor scale.
_NOT_HOSTED = [row for row in DESCRIBED if row.passing or row.plain]
#: What no native event tells of is described for calls alone.
NATIVE_READS = EVENT_READS - {row.operations[-1] for row in _NOT_HOSTED if not row.events}
_SEARCH = "sagemaker:Search"  # an event asks it for models alone
HOSTING_READS = EVENT_READS - {operation for row in _NOT_HOSTED for operation in OPERATIONS[Part(row.part)]} - {_SEARCH}
API_CALL_READS = HOSTING_READS | {_SEARCH, *(row.operations[-1] for row in _NOT_HOSTED if row.calls)}

Statement = dict[str, Any]


def _allow(sid: str, actions: Sequence[str], *resources: str) -> Statement:
    resource = resources[0] if len(resources) == 1 else list(resources)
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}


#: What has such a name in another account is somebody else's.
IN_THE_ACCOUNT = {"Condition": {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}}


def _own(sid: str, actions: Sequence[str], *resources: str) -> Statement:
    return _allow(sid, actions, *resources) | IN_THE_ACCOUNT


def _read(actions: frozenset[str]) -> Statement:
    return _allow("ReadTheAccount", sorted({action(operation) for operation in actions}), "*")


def _log(function: str) -> Statement:
    """The function's own log, in the group that the stack makes for it."""
    group = f"arn:*:logs:*:*:log-group:/aws/lambda/auditor/{function.replace('_', '-')}"
    return _allow("WriteItsLog", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{group}:*")


def _ledger(*verbs: str) -> Statement:
    return _own(
        "KeepTheLedger",
        [*(f"dynamodb:{verb}Item" for verb in ("BatchGet", "Put", "Update", *verbs)), "dynamodb:Query"],
        "arn:*:dynamodb:*:*:table/*auditor*",
        "arn:*:dynamodb:*:*:table/*auditor*/index/*",
    )


REPORTS = _own("KeepReports", ["s3:PutObject"], "arn:*:s3:::*auditor*/*")
#: Also the policy, which may lie in a bucket of the organization.
KEPT = _allow("ReadReportsAndPolicies", ["s3:GetObject"], "arn:*:s3:::*auditor*/*")


def _channel(permission: Permission) -> Statement:
    statement = _own if permission.in_account else _allow
    return statement(permission.sid, permission.actions, *permission.resources)


SECRETS = [_channel(channel.permission) for channel in CHANNELS if channel.opened is None]
TOLD = [
    _channel(channel.permission)
    for channel in CHANNELS
    if channel.opened is not None and not channel.permission.in_stack
]
QUEUE = _own("QueueParts", ["sqs:SendMessage"], "arn:*:sqs:*:*:*auditor*")
#: What an event finds in the middle of a change is asked about again, and one of a member account is handed over.
AGAIN = _own("AskAgain", ["sqs:SendMessage"], "arn:*:sqs:*:*:auditor-parts")
WORK = _own(
    "WorkParts",
    ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
    "arn:*:sqs:*:*:*auditor*",
)
ORGANIZATION = _allow("ListTheOrganization", ["organizations:ListAccounts"], "*")
#: Parts of runs name the owners of accounts.
OWNERS = _allow("ReadTagsOfAccounts", ["organizations:ListTagsForResource"], "*")
MEMBERS = _allow("ReadMembers", ["sts:AssumeRole"], "arn:*:iam::*:role/*auditor*")
#: An event reads by queries and in batches alone.
TELLING_OF_EVENTS = [*TOLD, _ledger(), REPORTS, KEPT]
TELLING = [*TOLD, _ledger("Get"), REPORTS, KEPT]

#: The statements of each function's role. The HTTP face can audit everything.
FUNCTIONS: dict[str, list[Statement]] = {
    function: [*statements, _log(function)]
    for function, statements in {
        "audit_on_schedule": [_read(SWEEP_READS), *TELLING, QUEUE, ORGANIZATION],
        "audit_on_sagemaker_event": [_read(NATIVE_READS), *TELLING_OF_EVENTS, AGAIN],
        "audit_on_scaling_event": [_read(HOSTING_READS), *TELLING_OF_EVENTS, AGAIN],
        "audit_on_api_call": [_read(API_CALL_READS), *TELLING_OF_EVENTS, AGAIN],
        "audit_part": [_read(SWEEP_READS), *TELLING, WORK, AGAIN, MEMBERS, ORGANIZATION, OWNERS],
        "deliver_to_slack": [*SECRETS],
        "api_handler": [_read(READS), *TELLING, QUEUE, ORGANIZATION],
    }.items()
}


def policy_document(statements: Sequence[Statement]) -> str:
    """An IAM policy as JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2) + "\n"
