"""The kinds of resources: a row for each, from which follows all that a kind is called, how it is read, and what its
absence proves.

The ground floor: nothing here knows what a resource holds. A kind that is read by its list and its descriptions alone
(``plain``) needs no more than its row, its part (:mod:`chalicelib.inventory.parts`) and its facts
(:mod:`chalicelib.inventory.kinds.plain`).
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Kind(Struct, frozen=True):
    """One kind of resource.

    ``name`` is that of reports. ``part`` names the part of the inventory that brings it, ``reads`` all parts that a
    rule about it needs (by default its own). ``word`` is SageMaker's: it makes the operations ``List…s`` and
    ``Describe…`` and the parameter ``…Name``; empty for what is described with something else. ``listed`` is the member
    of the list's answer. ``arn`` is how its ARN goes on after the account; empty without one of its own.
    ``arn_is_name``: the ARN ends in the name; else in an id that AWS chooses, and the description takes name or ARN.

    ``console`` is its page there. ``events`` are the words of its native events (``SageMaker … State Change``),
    ``calls`` CloudTrail's names of the calls that bring an audit.

    ``searched``: read by ``Search``, too. ``whole``: a sweep reads every one, so that one which it lacks is gone.
    ``passing``: jobs, which end by themselves and are listed only since the look-back window began. ``plain``: read by
    list and descriptions alone. ``lists_named``: its list is also asked for what a named resource holds.
    ``declared``: a template may hold it, under ``AWS::SageMaker::`` and its word. ``judged``: rules may judge it.
    ``counted``: it counts among the resources of an audit; what only bounds them does not.
    ``missing`` is how the message of a ValidationException begins by which its description says that there is none of
    this name; empty where only the error ``ResourceNotFound`` says so.
    """

    name: str
    part: str
    reads: tuple[str, ...] = ()
    word: str = ""
    listed: str = ""
    arn: str = ""
    service: str = "sagemaker"
    arn_is_name: bool = True
    console: str = ""
    events: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    searched: bool = False
    whole: bool = False
    passing: bool = False
    plain: bool = False
    lists_named: bool = False
    declared: bool = False
    judged: bool = True
    counted: bool = True
    missing: str = ""

    @property
    def list_operation(self) -> str:
        return f"List{self.word}s"

    @property
    def describe_operation(self) -> str:
        return f"Describe{self.word}"

    @property
    def name_field(self) -> str:
        """The parameter that names one to its description, and the field of its name in answers."""
        return f"{self.word}Name"

    @property
    def event_field(self) -> str:
        """The field of a native event that names one: the ARN, where that does not follow from the name."""
        return self.name_field if self.arn_is_name else f"{self.word}Arn"

    @property
    def request_field(self) -> str:
        """The same in CloudTrail's request parameters, which begin with a small letter."""
        return self.name_field[:1].lower() + self.name_field[1:]

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that read it, behind their IAM prefix; the description comes last."""
        search = ("sagemaker:Search",) if self.searched else ()
        return (*search, f"sagemaker:{self.list_operation}", f"sagemaker:{self.describe_operation}")


_ROWS = (
    Kind(
        "endpoint",
        "endpoints",
        reads=("endpoints", "endpoint-configs"),
        word="Endpoint",
        declared=True,
        listed="Endpoints",
        arn="endpoint",
        console="/endpoints/{name}",
        events=("Endpoint", "Endpoint Deployment"),
        calls=("CreateEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "DeleteEndpoint"),
        searched=True,
        whole=True,
        missing='Could not find endpoint "',
    ),
    Kind("endpoint-variant", "endpoints", reads=("endpoints", "endpoint-configs"), whole=True),
    Kind(
        "endpoint-config",
        "endpoint-configs",
        reads=("endpoints", "endpoint-configs", "unused-endpoint-configs"),
        word="EndpointConfig",
        declared=True,
        listed="EndpointConfigs",
        arn="endpoint-config",
        console="/endpointConfig/{name}",
        events=("Endpoint Config",),
        calls=("CreateEndpointConfig", "DeleteEndpointConfig"),
        missing="Could not find endpoint configuration",
    ),
    Kind(
        "model",
        "models",
        reads=("endpoints", "endpoint-configs", "inference-components", "models"),
        word="Model",
        declared=True,
        listed="Models",
        arn="model",
        console="/models/{name}",
        events=("Model",),
        calls=("CreateModel", "DeleteModel"),
        searched=True,
        whole=True,
        missing="Could not find model",
    ),
    Kind(
        "inference-component",
        "inference-components",
        reads=("endpoints", "inference-components"),
        word="InferenceComponent",
        declared=True,
        listed="InferenceComponents",
        arn="inference-component",
        calls=(
            "CreateInferenceComponent",
            "UpdateInferenceComponent",
            "UpdateInferenceComponentRuntimeConfig",
            "DeleteInferenceComponent",
        ),
        whole=True,
        lists_named=True,
        missing="Could not find inference component",
    ),
    Kind("scalable-target", "scalable-targets", whole=True),
    Kind("scaling-policy", "scaling-policies", whole=True),
    Kind(
        "vpc",
        "subnets",
        reads=("endpoints", "endpoint-configs", "models", "training-jobs", "subnets"),
        arn="vpc",
        service="ec2",
        console="VpcDetails:VpcId={name}",
        whole=True,
    ),
    Kind("subnet", "subnets", arn="subnet", service="ec2", judged=False),
    Kind(
        "training-job",
        "training-jobs",
        word="TrainingJob",
        listed="TrainingJobSummaries",
        arn="training-job",
        console="/jobs/{name}",
        events=("Training Job",),
        calls=("CreateTrainingJob",),
        searched=True,
        passing=True,
        missing="Requested resource not found",
    ),
    Kind(
        "tuning-job",
        "tuning-jobs",
        word="HyperParameterTuningJob",
        listed="HyperParameterTuningJobSummaries",
        arn="hyper-parameter-tuning-job",
        console="/hyper-tuning-jobs/{name}",
        events=("HyperParameter Tuning Job",),
        searched=True,
        passing=True,
    ),
    Kind(
        "transform-job",
        "transform-jobs",
        word="TransformJob",
        listed="TransformJobSummaries",
        arn="transform-job",
        console="/transform-jobs/{name}",
        events=("Transform Job",),
        passing=True,
        plain=True,
        missing="Could not find requested job with name",
    ),
    Kind(
        "notebook-instance",
        "notebook-instances",
        word="NotebookInstance",
        declared=True,
        listed="NotebookInstances",
        arn="notebook-instance",
        console="/notebook-instances/{name}",
        events=("Notebook Instance",),
        calls=("CreateNotebookInstance", "UpdateNotebookInstance", "DeleteNotebookInstance"),
        whole=True,
        plain=True,
        missing="RecordNotFound",
    ),
    Kind(
        "cluster",
        "clusters",
        word="Cluster",
        listed="ClusterSummaries",
        arn="cluster",
        arn_is_name=False,
        console="/cluster-management/{name}",
        events=("HyperPod Cluster",),
        whole=True,
        plain=True,
    ),
    Kind("studio-app", "studio-apps", whole=True),
    Kind(
        "training-plan",
        "training-plans",
        word="TrainingPlan",
        listed="TrainingPlanSummaries",
        arn="training-plan",
        calls=("CreateTrainingPlan",),
        whole=True,
        plain=True,
    ),
    Kind("service-quota", "service-quotas", whole=True, counted=False),
)

#: Every kind, by its name.
KINDS = {row.name: row for row in _ROWS}
#: The kinds that SageMaker describes by themselves.
DESCRIBED = tuple(row for row in _ROWS if row.word)
#: Those that are read by their list and descriptions alone.
PLAIN = tuple(row for row in _ROWS if row.plain)
_BY_DESCRIPTION = {f"sagemaker:{row.describe_operation}": row for row in DESCRIBED}
#: The errors by which operations say that a resource is not there, where their model has one for it: of all operations
#: of a service, and of single ones.
NOT_FOUND = {"sagemaker": "ResourceNotFound", "cloudwatch": "ResourceNotFoundException"}
SAID_GONE_BY = {
    "iam:GetRole": ("NoSuchEntity", "NoSuchEntityException"),
    "ec2:DescribeSecurityGroups": ("InvalidGroup.NotFound",),
    "kms:DescribeKey": ("NotFoundException",),
    "ecr:DescribeImages": ("ImageNotFoundException", "RepositoryNotFoundException"),
    "s3:ListObjectsV2": ("NoSuchBucket",),
    "s3:HeadBucket": ("404", "NoSuchBucket"),
}


#: Operations that ask for a resource by its name or ARN.
_NAMES_ONE = re.compile(r"Describe|Get|ListTags$|ListTrainingJobsFor")


def says_gone(operation: str, code: str, message: str, parameters: Mapping[str, Any]) -> bool:
    """True where an error of an operation (``sagemaker:DescribeEndpoint``) says that the resource which its parameters
    name is not there. A list is never gone, nor what names another resource.

    A ValidationException says many things: only the message that the operation gives for an absent resource counts
    (the forms are those by which AWS's own controllers for Kubernetes tell a 404). ``ListTags`` takes the ARN of any
    kind, and answers in that kind's form.
    """
    if operation in SAID_GONE_BY:
        return code in SAID_GONE_BY[operation]
    if not _NAMES_ONE.match(operation.partition(":")[2]):
        return False
    if code == NOT_FOUND.get(operation.partition(":")[0]):
        return True
    # What was not found stands in the message by its ARN, in which names are in small letters.
    named = [value.lower() for value in parameters.values() if isinstance(value, str)]
    if '"' in message and not any(name in message.lower() for name in named):
        return False
    row = _BY_DESCRIPTION.get(operation)
    rows = DESCRIBED if operation == "sagemaker:ListTags" else (row,) if row is not None else ()
    return code == "ValidationException" and any(row.missing and message.startswith(row.missing) for row in rows)


#: Jobs: what failed in one that has ended is no open defect for long.
PASSING = frozenset(row.name for row in _ROWS if row.passing)
