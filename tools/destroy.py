"""Removes the auditor's stack: ``python -m tools.destroy --stage prod --yes``.

What people may still want to read stays: the table of findings and the bucket of reports. The bucket to which the code
was uploaded is not touched.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.deploy import (
    STACK,
    DeployFailed,
    NotReady,
    Place,
    Say,
    Sleep,
    events,
    existing,
    place,
    say_to_stderr,
    session_of,
    stages,
    wait,
)

#: What the template retains, and how it is removed by hand.
RETAINED = {
    "AWS::DynamoDB::Table": (
        "table",
        "to remove it: aws dynamodb update-table --region {region} --table-name {name} "
        "--no-deletion-protection-enabled && aws dynamodb delete-table --region {region} --table-name {name}",
    ),
    "AWS::S3::Bucket": (
        "bucket",
        "to remove it, empty it with all versions, then: aws s3api delete-bucket --region {region} --bucket {name}",
    ),
}


def retained(where: Place) -> list[str]:
    """What stays when the stack goes, each with the command that removes it."""
    pages = where.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=where.stack)
    kept = []
    for page in pages:
        for summary in page["StackResourceSummaries"]:
            if summary["ResourceType"] in RETAINED and summary.get("PhysicalResourceId"):
                kind, command = RETAINED[summary["ResourceType"]]
                name = summary["PhysicalResourceId"]
                kept.append(f"the {kind} {name} stays; {command.format(name=name, region=where.region)}")
    return kept


def destroy(session: Any, stage: str, stack: str | None, *, yes: bool, say: Say, sleep: Sleep = time.sleep) -> None:
    """Deletes the stack. Raises NotReady with nothing changed, also without ``yes``, and DeployFailed."""
    where = place(session, stage, stack)
    record = existing(where)
    if record is None:
        raise NotReady(f"there is no stack {where.stack} in {where.region} of account {where.account}")
    kept = retained(where)
    if not yes:
        for line in kept:
            say(line)
        raise NotReady(
            f"--yes deletes the stack {where.stack} in {where.region} of account {where.account}, with its functions, "
            "topics, queues and alarms"
        )
    say(f"deleting the stack {where.stack} in {where.region}")
    cloudformation = where.client("cloudformation")
    seen = {event["EventId"] for event in events(cloudformation, record["StackId"])}
    cloudformation.delete_stack(StackName=record["StackId"])
    wait(where, record["StackId"], seen, say, sleep)
    for line in kept:
        say(line)


def main(arguments: Sequence[str] | None = None, session: Any = None) -> int:
    """Exit codes: 0 removed, 1 it failed on the way, 2 nothing was changed."""
    parser = argparse.ArgumentParser(prog="python -m tools.destroy", description="Removes the auditor's stack.")
    parser.add_argument("--stage", required=True, choices=stages())
    parser.add_argument("--region")
    parser.add_argument("--profile")
    parser.add_argument("--stack", help=f"the stack's name (default: {STACK}, for dev {STACK}-dev)")
    parser.add_argument("--yes", action="store_true", help="do it; without it only what would stay is told")
    options = parser.parse_args(arguments)
    try:
        used = session or session_of(options.region, options.profile)
        destroy(used, options.stage, options.stack, yes=options.yes, say=say_to_stderr)
    except NotReady as problem:
        print(f"not removed: {problem}", file=sys.stderr)
        return 2
    except (DeployFailed, ClientError, BotoCoreError) as failed:
        print(f"failed: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
