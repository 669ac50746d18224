"""What an organization asks of every role, function, log, queue and topic, laid over a template whoever declared them.

The parameters and conditions are those of ``infra/rollout.yaml``.
"""

import json
from collections.abc import Callable
from typing import Any

Resource = dict[str, Any]

NOTHING = {"Ref": "AWS::NoValue"}
#: The memory that Chalice packs for functions that audit; a function with another has it for a reason.
MEMORY = 1024
#: The policies of ``infra/rollout.yaml`` that go into every role, and the one that goes into those that read secrets.
OF_ALL_ROLES, OF_SECRETS = ("KeyPolicy", "VpcPolicy"), "SecretsKeyPolicy"
#: The parameter that goes with a policy which no role needs.
OF_NO_ROLE = {OF_SECRETS: "SecretsKeyArn"}
READS_SECRETS = ("secretsmanager:GetSecretValue", "ssm:GetParameter")


def _if(condition: str, value: Any, otherwise: Any = NOTHING) -> dict[str, Any]:
    return {"Fn::If": [condition, value, otherwise]}


def _role(properties: Resource) -> None:
    properties["PermissionsBoundary"] = _if("HasBoundary", {"Ref": "PermissionsBoundary"})


def _function(properties: Resource) -> None:
    if properties.get("MemorySize") == MEMORY:
        properties["MemorySize"] = {"Ref": "MemorySize"}


def _log(properties: Resource) -> None:
    properties["KmsKeyId"] = _if("HasKey", {"Ref": "KmsKeyArn"})


def _queue(properties: Resource) -> None:
    properties["SqsManagedSseEnabled"] = _if("HasKey", NOTHING, True)
    properties["KmsMasterKeyId"] = _if("HasKey", {"Ref": "KmsKeyArn"})


def _topic(properties: Resource) -> None:
    properties["KmsMasterKeyId"] = _if("HasKey", {"Ref": "KmsKeyArn"}, {"Fn::GetAtt": ["TopicKey", "Arn"]})


def _bucket(properties: Resource) -> None:
    own = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}}
    properties["BucketEncryption"] = {
        "ServerSideEncryptionConfiguration": [
            {
                "ServerSideEncryptionByDefault": _if("HasKey", own, {"SSEAlgorithm": "AES256"}),
                "BucketKeyEnabled": _if("HasKey", True),
            }
        ]
    }


_OVER: dict[str, Callable[[Resource], None]] = {
    "AWS::IAM::Role": _role,
    "AWS::Serverless::Function": _function,
    "AWS::Logs::LogGroup": _log,
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _topic,
    "AWS::S3::Bucket": _bucket,
}


def rolled_out(template: dict[str, Any]) -> dict[str, Any]:
    """The template with all of it, changed in place; a second time it stays as it is."""
    resources: dict[str, Resource] = template["Resources"]
    for resource in resources.values():
        over = _OVER.get(resource.get("Type", ""))
        if over is not None:
            over(resource.setdefault("Properties", {}))
    roles = [resource["Properties"] for resource in resources.values() if resource.get("Type") == "AWS::IAM::Role"]
    for name in (*OF_ALL_ROLES, OF_SECRETS):
        policy = resources.pop(name)
        document = {key: policy["Properties"][key] for key in ("PolicyName", "PolicyDocument")}
        within = _if(policy["Condition"], document)
        meant = [
            role for role in roles if name != OF_SECRETS or any(word in json.dumps(role) for word in READS_SECRETS)
        ]
        for role in meant:
            role["Policies"] = [*(kept for kept in role.get("Policies", []) if kept != within), within]
        if not meant:
            template["Conditions"].pop(policy["Condition"])
            template["Parameters"].pop(OF_NO_ROLE.get(name, ""), None)
    return template
