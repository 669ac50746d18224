"""What ``infra/`` holds: the stack around the packed functions, and the role that member accounts give the auditor.

``python -m tools.infra`` writes ``infra/member-role.yaml``, whose permissions are the operations by which the function
``audit_part`` reads an account as a part of a run, and what events of it name.
"""

import copy
import pickle
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from chalice.package import TemplateDeepMerger, YAMLTemplateSerializer

from chalicelib.inventory.parts import action
from tools.permissions import MEMBER_READS
from tools.rollout import rolled_out

ROOT = Path(__file__).resolve().parents[1]
STACK = ROOT / "infra" / "stack.yaml"
SLACK = ROOT / "infra" / "slack.yaml"
ROLLOUT = ROOT / "infra" / "rollout.yaml"
MEMBER_ROLE = ROOT / "infra" / "member-role.yaml"

Template = dict[str, Any]

_MEMBER_ROLE = """\
# Generated from the permissions of the function audit_part; `make generate` writes it anew.
#
# The role that lets the auditor of another account read this one. Deploy it to each member account, in one region:
# roles are global.

AWSTemplateFormatVersion: "2010-09-09"
Description: Lets the SageMaker auditor of another account read this one. Changes nothing.

Parameters:
  AuditorAccount:
    Type: String
    AllowedPattern: ^\\d{12}$
    ConstraintDescription: accepted is a 12-digit account id
    Description: The account in which the auditor runs.
  AuditorRole:
    Type: String
    Default: sagemaker-auditor-AuditPartRole-*
    AllowedPattern: ^[\\w+=,.@-]*auditor[\\w+=,.@*-]*$
    ConstraintDescription: accepted is the name of a role that has "auditor" in it; a star stands for any characters
    Description: The role of the function audit_part there (output AuditPartRoleArn of its stack, behind the slash).
  OrganizationId:
    Type: String
    Default: ""
    AllowedPattern: ^(|o-[a-z0-9]{10,32})$
    ConstraintDescription: accepted is the id of an organization, as o-abcdefghij
    Description: The organization of both accounts; nobody from outside it is then let in. Empty for no such check.
  ExternalId:
    Type: String
    NoEcho: true
    AllowedPattern: ^[\\w+=,.@:/-]{2,1224}$
    ConstraintDescription: accepted are 2 to 1224 letters, digits and +=,.@:/-
    Description: The external id that the auditor's stack was given.
  RoleName:
    Type: String
    Default: auditor-member
    AllowedPattern: ^[\\w+=,.@-]*auditor[\\w+=,.@-]*$
    ConstraintDescription: accepted is a name that has "auditor" in it, as the auditor may assume no other role
    Description: The name of this role, as the auditor's stack was given it.

Conditions:
  HasOrganization: !Not [!Equals [!Ref OrganizationId, ""]]

Resources:
  MemberRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref RoleName
      Description: Lets the SageMaker auditor read this account
      MaxSessionDuration: 3600
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: TheAuditorAlone
            Effect: Allow
            Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AuditorAccount}:root"}
            Action: sts:AssumeRole
            Condition:
              ArnLike: {aws:PrincipalArn: !Sub "arn:${AWS::Partition}:iam::${AuditorAccount}:role/${AuditorRole}"}
              StringEquals:
                sts:ExternalId: !Ref ExternalId
                aws:PrincipalOrgID: !If [HasOrganization, !Ref OrganizationId, !Ref AWS::NoValue]
      Policies:
        - PolicyName: read
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Sid: ReadTheAccount
                Effect: Allow
                Action:
ACTIONS
                Resource: "*"
              - Sid: ShowWhichEventsAreSent  # to the doctor alone: no audit asks for it
                Effect: Allow
                Action: [events:DescribeRule, events:ListRuleNamesByTarget]
                Resource: "*"

Outputs:
  RoleArn:
    Description: The role that the auditor assumes
    Value: !GetAtt MemberRole.Arn
"""


def load(path: Path) -> Template:
    """A template in YAML, with the short forms of CloudFormation's functions written out."""
    loaded: Template = pickle.loads(_parsed(path.read_text(encoding="utf-8"), str(path)))
    return loaded


@cache
def _parsed(text: str, name: str) -> bytes:
    """A template, pickled: its reader takes a fifth of a second, and whoever loads it changes it."""
    return pickle.dumps(YAMLTemplateSerializer().load_template(text, name))


def stack_template(packed: Mapping[str, Any], *, slack: bool) -> Template:
    """The template that Chalice packed with ``infra/`` merged into it, and what is asked of all roles, functions, logs,
    queues and topics laid over it; a second time, it stays as it is.

    Dicts merge, lists and scalars are replaced, as with ``chalice package --merge-template``. ``slack``: whether the
    Slack function is in the package.
    """
    return rolled_out(merged(packed, (STACK, SLACK, ROLLOUT) if slack else (STACK, ROLLOUT)))


def merged(packed: Mapping[str, Any], paths: Sequence[Path]) -> Template:
    """A template with those of ``infra/`` merged into it, one after the other."""
    template = copy.deepcopy(dict(packed))
    for path in paths:
        template = TemplateDeepMerger().merge(load(path), template)
    return template


def member_role() -> str:
    """The template of the role in member accounts: whoever assumes it, ``audit_part``, reads parts of runs there, and
    what events name."""
    actions = "\n".join(f"                  - {action}" for action in member_reads())
    return _MEMBER_ROLE.replace("ACTIONS", actions)


def member_reads() -> list[str]:
    """The actions by which a member account is read."""
    return sorted({action(operation) for operation in MEMBER_READS})


def main() -> int:
    """Writes the template of the role in member accounts."""
    MEMBER_ROLE.write_text(member_role(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
