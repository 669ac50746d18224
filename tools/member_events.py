"""``infra/member-events.yaml``: the rules that send what happens in a member account, or in another region, to the bus
of the auditor. They match what the functions of events listen to, so they are generated from it."""

import json
from collections.abc import Iterator
from typing import Any

from app import app
from chalicelib.notices.health import HEALTH_EVENT
from tools.infra import ROOT

MEMBER_EVENTS = ROOT / "infra" / "member-events.yaml"

_HEAD = """\
# Generated from the functions of events; `make generate` writes it anew.
#
# Sends what happens to SageMaker here to the bus of the auditor, where it is audited with the member role
# (member-role.yaml). Deploy it to each member account, in each region whose events are wanted, and in the auditor's own
# account in the regions where the auditor does not run: not in the auditor's own region, whose bus has them already.

AWSTemplateFormatVersion: "2010-09-09"
Description: Sends SageMaker's events to the auditor of another account or region. Changes nothing.

Parameters:
  AuditorAccount:
    Type: String
    AllowedPattern: ^\\d{12}$
    ConstraintDescription: accepted is a 12-digit account id
    Description: The account in which the auditor runs.
  AuditorRegion:
    Type: String
    AllowedPattern: ^[a-z]{2,4}(-[a-z]+)+-\\d+$
    ConstraintDescription: accepted is a region, as eu-west-1
    Description: The region in which the auditor runs.

Resources:
  SendRole:
    Type: AWS::IAM::Role
    Properties:
      Description: Lets EventBridge send SageMaker's events to the auditor
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: EventBridgeAlone
            Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sts:AssumeRole
            Condition:
              StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}
      Policies:
        - PolicyName: send
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Sid: SendToTheAuditor
                Effect: Allow
                Action: events:PutEvents
                Resource: !Sub "arn:${AWS::Partition}:events:${AuditorRegion}:${AuditorAccount}:event-bus/default"
"""

_RULE = """
  NAME:
    Type: AWS::Events::Rule
    Properties:
      Description: DESCRIPTION
      EventPattern: PATTERN
      Targets:
        - Id: auditor
          Arn: !Sub "arn:${AWS::Partition}:events:${AuditorRegion}:${AuditorAccount}:event-bus/default"
          RoleArn: !GetAtt SendRole.Arn
"""


def member_events() -> str:
    """The template: a role, and a rule for each function of events."""
    rules = (
        _RULE.replace("NAME", name.title().replace("_", ""))
        .replace("DESCRIPTION", f"What {name} audits")
        .replace("PATTERN", json.dumps(pattern))
        for name, pattern in patterns()
    )
    return _HEAD + "".join(rules)


def patterns() -> Iterator[tuple[str, dict[str, Any]]]:
    """The functions of events, and what they listen to, but for AWS Health, of which each account tells its own."""
    for source in app.event_sources:
        pattern = getattr(source, "event_pattern", None)
        if pattern is not None:
            types = [name for name in pattern["detail-type"] if name != HEALTH_EVENT]
            sources = [name for name in pattern["source"] if name != "aws.health"]
            detail = {} if "service" in pattern.get("detail", {}) else {"detail": pattern["detail"]}
            yield source.name, {"source": sources, "detail-type": types, **detail}
