"""The permissions of each function, from the operations that the parts of the inventory declare."""

import json

from chalicelib.inventory.parts import OPERATIONS, SWEEP_ONLY

READS = frozenset(operation for operations in OPERATIONS.values() for operation in operations)
#: Reading for each function; the HTTP face can audit everything.
FUNCTIONS = {
    "audit_on_schedule": READS,
    "audit_on_sagemaker_event": READS - SWEEP_ONLY,
    "api_handler": READS,
}
TOPIC = "arn:*:sns:*:*:*auditor*"


def policy_document(reads: frozenset[str]) -> str:
    """An IAM policy as JSON: read the account, publish to the auditor's topic, write the function's own log."""
    statements = [
        {"Sid": "ReadTheAccount", "Effect": "Allow", "Action": sorted(reads), "Resource": "*"},
        {"Sid": "TellTheTopic", "Effect": "Allow", "Action": ["sns:Publish"], "Resource": TOPIC},
        {
            "Sid": "WriteItsLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:*:logs:*:*:*",
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n"
