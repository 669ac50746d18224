"""What endpoints stand on."""

from datetime import timedelta

from chalicelib.inventory.kinds.dependencies import Present
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
    ACCOUNT,
    NOW,
    OWN_IMAGE,
    REGION,
    SUBNET_A,
    a_component,
    a_config,
    a_host_of_components,
    a_key,
    a_model,
    a_role,
    a_role_arn,
    a_security_group,
    a_serverless_variant,
    a_variant,
    an_endpoint,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instances import IN_TRANSITION, NOT_SERVING

DEPENDENCY = "endpoint-dependency-missing"
DEEP = {"deep": True}
ROLE = a_role_arn()
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
FOREIGN_KEY = f"arn:aws:kms:{REGION}:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DATA = "s3://churn-models/churn/model.tar.gz"
IMAGE, MODEL_DATA = Present(Part.REGISTRY_IMAGES, OWN_IMAGE), Present(Part.MODEL_DATA, DATA)
CONTAINER = {"Image": OWN_IMAGE, "ModelDataUrl": DATA}
#: A component with an image and an artifact of its own, beside those of its model.
OF_ITS_OWN = {"Container": {"Image": f"{OWN_IMAGE}-edge", "ArtifactUrl": "s3://churn-models/edge.tar.gz"}}
WITH_KEY = a_config(KmsKeyId=KEY)
A_WEEK = NOW + timedelta(days=7)

ENDPOINT_DEPENDENCY_MISSING: list[Case] = [
    # hashicorp/terraform-provider-aws#40048: the endpoint config of a serving endpoint was deleted.
    fails(
        DEPENDENCY,
        "the endpoint config was deleted",
        an_endpoint(a_variant(config_read=False)),
        severity=Severity.HIGH,
        gone=[(Part.CONFIGS, "churn-config")],
        evidence={
            "missing": ["endpoint config churn-config"],
            "dependencies": {"endpoint config churn-config": "no"},
        },
    ),
    # ministryofjustice/analytical-platform#10195: the model of a serving endpoint was deleted, AWS could not patch it.
    fails(
        DEPENDENCY,
        "a model was deleted",
        an_endpoint(),
        a_config(),
        severity=Severity.HIGH,
        gone=[(Part.MODELS, "churn-model")],
        evidence={
            "missing": ["model churn-model"],
            "dependencies": {"endpoint config churn-config": "yes", "model churn-model": "no"},
        },
        in_demo=[InDemo("endpoint loan-terms", remark="Its model was deleted.")],
    ),
    fails(
        DEPENDENCY,
        "the model that an instance pool serves was deleted",
        an_endpoint(
            a_variant(settings={"InstancePools": [{"InstanceType": "ml.g5.xlarge", "ModelNameOverride": "s"}]})
        ),
        a_config(),
        a_model(),
        severity=Severity.HIGH,
        gone=[(Part.MODELS, "s")],
        evidence={"missing": ["model s"]},
    ),
    fails(
        DEPENDENCY,
        "the model of an inference component was deleted",
        an_endpoint(a_host_of_components()),
        a_config(),
        a_component(model="gone-model"),
        severity=Severity.HIGH,
        gone=[(Part.MODELS, "gone-model")],
        evidence={"missing": ["model gone-model"]},
    ),
    fails(
        DEPENDENCY,
        "the model of a serverless variant was deleted",
        an_endpoint(a_serverless_variant()),
        a_config(),
        severity=Severity.HIGH,
        gone=[(Part.MODELS, "churn-model")],
    ),
    fails(
        DEPENDENCY,
        "one model was deleted and another could not be read",
        an_endpoint(a_variant("A"), a_variant("B", model="denied-model")),
        a_config(),
        severity=Severity.HIGH,
        gone=[(Part.MODELS, "churn-model")],
        unread=[(Part.MODELS, "denied-model")],
        evidence={
            "missing": ["model churn-model"],
            "dependencies": {
                "endpoint config churn-config": "yes",
                "model churn-model": "no",
                "model denied-model": "unknown",
            },
        },
    ),
    fails(
        DEPENDENCY,
        "the execution role of the model was deleted",
        an_endpoint(),
        a_config(),
        a_model(ExecutionRoleArn=ROLE),
        severity=Severity.HIGH,
        gone=[(Part.ROLES, ROLE)],
        evidence={
            "missing": ["execution role hosting"],
            "unusable": {},
            "dependencies": {
                "endpoint config churn-config": "yes",
                "model churn-model": "yes",
                "execution role hosting": "no",
            },
        },
        in_demo=[InDemo("endpoint parcel-sizes", remark="Its execution role was deleted.")],
    ),
    fails(
        DEPENDENCY,
        "the execution role of the config, which components run by, was deleted",
        an_endpoint(a_host_of_components()),
        a_config(ExecutionRoleArn=ROLE),
        a_component(),
        a_model(),
        severity=Severity.HIGH,
        gone=[(Part.ROLES, ROLE)],
        evidence={"missing": ["execution role hosting"]},
    ),
    fails(
        DEPENDENCY,
        "the security group of the model was deleted, and its role could not be read",
        an_endpoint(),
        a_config(),
        a_model(subnets=["subnet-a"], ExecutionRoleArn=ROLE),
        SUBNET_A,
        severity=Severity.HIGH,
        gone=[(Part.SECURITY_GROUPS, "sg-1")],
        unread=[(Part.ROLES, ROLE)],
        evidence={
            "missing": ["security group sg-1"],
            "dependencies": {
                "endpoint config churn-config": "yes",
                "model churn-model": "yes",
                "execution role hosting": "unknown",
                "security group sg-1": "no",
            },
        },
    ),
    fails(
        DEPENDENCY,
        "the security group of the config was deleted",
        an_endpoint(),
        a_config(subnets=["subnet-a"]),
        a_model(),
        SUBNET_A,
        severity=Severity.HIGH,
        gone=[(Part.SECURITY_GROUPS, "sg-1")],
    ),
    fails(
        DEPENDENCY,
        "the KMS key of the config was deleted",
        an_endpoint(),
        WITH_KEY,
        a_model(),
        IMAGE,
        severity=Severity.HIGH,
        params=DEEP,
        gone=[(Part.KEYS, KEY)],
        evidence={"missing": [f"KMS key {KEY}"], "unusable": {}},
    ),
    fails(
        DEPENDENCY,
        "the KMS key of the config is disabled",
        an_endpoint(),
        WITH_KEY,
        a_model(),
        a_key(KEY, state="Disabled"),
        severity=Severity.HIGH,
        params=DEEP,
        evidence={"missing": [f"KMS key {KEY}"], "unusable": {f"KMS key {KEY}": "disabled"}},
    ),
    fails(
        DEPENDENCY,
        "the KMS key of the config will be deleted in seven days",
        an_endpoint(),
        WITH_KEY,
        a_model(),
        a_key(KEY, state="PendingDeletion", deletion=A_WEEK),
        severity=Severity.HIGH,
        params=DEEP,
        evidence={"unusable": {f"KMS key {KEY}": "will be deleted on 2026-11-29"}},
    ),
    fails(
        DEPENDENCY,
        "the KMS key of the config will be deleted in more than seven days",
        an_endpoint(),
        WITH_KEY,
        a_model(),
        a_key(KEY, state="PendingDeletion", deletion=A_WEEK + timedelta(seconds=1)),
        severity=Severity.MEDIUM,
        params=DEEP,
    ),
    fails(
        DEPENDENCY,
        "the KMS key of the config will be deleted, and AWS did not tell when",
        an_endpoint(),
        WITH_KEY,
        a_model(),
        a_key(KEY, state="PendingDeletion"),
        severity=Severity.MEDIUM,
        params=DEEP,
        evidence={"unusable": {f"KMS key {KEY}": "will be deleted"}},
    ),
    fails(
        DEPENDENCY,
        "a key that will be deleted much later, and a role that is gone",
        an_endpoint(),
        WITH_KEY,
        a_model(ExecutionRoleArn=ROLE),
        a_key(KEY, state="PendingDeletion", deletion=A_WEEK + timedelta(days=20)),
        severity=Severity.HIGH,
        params=DEEP,
        gone=[(Part.ROLES, ROLE)],
    ),
    fails(
        DEPENDENCY,
        "the image was deleted from the account's registry",
        an_endpoint(),
        a_config(),
        a_model(),
        severity=Severity.HIGH,
        params=DEEP,
        gone=[(Part.REGISTRY_IMAGES, OWN_IMAGE)],
        evidence={"missing": [f"image {OWN_IMAGE}"]},
    ),
    fails(
        DEPENDENCY,
        "the model data was deleted",
        an_endpoint(),
        a_config(),
        a_model(PrimaryContainer=CONTAINER),
        IMAGE,
        severity=Severity.HIGH,
        params=DEEP,
        gone=[(Part.MODEL_DATA, DATA)],
        evidence={"missing": [f"model data {DATA}"]},
    ),
    fails(
        DEPENDENCY,
        "the artifact of an inference component was deleted",
        an_endpoint(a_host_of_components()),
        a_config(),
        a_component(specification=OF_ITS_OWN),
        a_model(),
        severity=Severity.HIGH,
        params=DEEP,
        gone=[(Part.MODEL_DATA, "s3://churn-models/edge.tar.gz")],
    ),
    passes(
        DEPENDENCY,
        "everything is there, and the key usable",
        an_endpoint(),
        WITH_KEY,
        a_model(subnets=["subnet-a"], ExecutionRoleArn=ROLE, PrimaryContainer=CONTAINER),
        SUBNET_A,
        a_role(),
        a_security_group(),
        a_key(KEY),
        IMAGE,
        MODEL_DATA,
        params=DEEP,
        evidence={
            "dependencies": {
                "endpoint config churn-config": "yes",
                "model churn-model": "yes",
                f"KMS key {KEY}": "yes",
                "execution role hosting": "yes",
                "security group sg-1": "yes",
                f"image {OWN_IMAGE}": "yes",
                f"model data {DATA}": "yes",
            }
        },
    ),
    passes(
        DEPENDENCY,
        "nobody wants to know of image and data, which are gone",
        an_endpoint(),
        a_config(),
        a_model(PrimaryContainer=CONTAINER),
        gone=[(Part.MODEL_DATA, DATA), (Part.REGISTRY_IMAGES, OWN_IMAGE)],
    ),
    passes(
        DEPENDENCY,
        "a container of many models loads them when they are called for",
        an_endpoint(),
        a_config(),
        a_model(PrimaryContainer={"Image": OWN_IMAGE, "ModelDataUrl": "s3://churn-models/all/", "Mode": "MultiModel"}),
        IMAGE,
        params=DEEP,
    ),
    passes(
        DEPENDENCY,
        "an image of another registry is asked of nobody",
        an_endpoint(),
        a_config(),
        a_model("763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.3"),
        params=DEEP,
    ),
    passes(DEPENDENCY, "config and model are there", an_endpoint(), a_config(), a_model()),
    passes(
        DEPENDENCY,
        "config, components and their models are there",
        an_endpoint(a_host_of_components()),
        a_config(),
        a_component(),
        a_model(),
    ),
    *[
        does_not_apply(DEPENDENCY, f"an endpoint that is {status}", an_endpoint(status=status))
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(
        DEPENDENCY, "the model could not be read", an_endpoint(), a_config(), unread=[(Part.MODELS, "churn-model")]
    ),
    is_unknown(DEPENDENCY, "no model could be read", an_endpoint(), a_config(), unread=[Part.MODELS]),
    is_unknown(DEPENDENCY, "nobody asked for the model", an_endpoint(), a_config()),
    is_unknown(
        DEPENDENCY,
        "the components of a host could not be read",
        an_endpoint(a_host_of_components()),
        a_config(),
        unread=[Part.COMPONENTS],
    ),
    is_unknown(
        DEPENDENCY,
        "the execution role could not be read",
        an_endpoint(),
        a_config(),
        a_model(ExecutionRoleArn=ROLE),
        unread=[(Part.ROLES, ROLE)],
    ),
    is_unknown(
        DEPENDENCY,
        "the execution role is another account's",
        an_endpoint(),
        a_config(),
        a_model(ExecutionRoleArn=a_role_arn(account="222222222222")),
    ),
    is_unknown(
        DEPENDENCY,
        "no security group could be read",
        an_endpoint(),
        a_config(),
        a_model(subnets=["subnet-a"]),
        SUBNET_A,
        unread=[Part.SECURITY_GROUPS],
    ),
    is_unknown(
        DEPENDENCY,
        "the KMS key is another account's",
        an_endpoint(),
        a_config(KmsKeyId=FOREIGN_KEY),
        a_model(),
        IMAGE,
        params=DEEP,
    ),
    *[
        is_unknown(
            DEPENDENCY,
            f"the KMS key is {state}",
            an_endpoint(),
            WITH_KEY,
            a_model(),
            a_key(KEY, state=state),
            IMAGE,
            params=DEEP,
        )
        for state in ("Unavailable", "PendingImport", "SomethingNew")
    ],
    is_unknown(
        DEPENDENCY,
        "the bucket of the model data refuses to tell",
        an_endpoint(),
        a_config(),
        a_model(PrimaryContainer=CONTAINER),
        IMAGE,
        params=DEEP,
        unread=[(Part.MODEL_DATA, DATA)],
    ),
]

CASES = ENDPOINT_DEPENDENCY_MISSING
