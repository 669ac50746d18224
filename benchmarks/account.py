"""A synthetic account of any size, the same for the same seed and moment, with known defects planted in a share of it.

Records are AWS's own JSON: what ``Search`` and the ``Describe…`` operations answer, timestamps as seconds since the
epoch. Nothing is kept of training jobs: each is made from its number when it is asked for, so that a million cost no
memory. Job 0 is the newest; numbers from ``Sizes.jobs`` on lie before the look-back window.
"""

import json
import random
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

Record = dict[str, Any]

ACCOUNT, REGION = "123456789012", "eu-west-1"
DAY = 86_400
WINDOW_DAYS = 30
#: Jobs before the window, as a share of those in it: a reader that forgets the filter is found out.
OLDER_JOBS = 0.1
XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
IMAGES = "685385470294.dkr.ecr.eu-west-1.amazonaws.com/image-classification:1"
FORESTS = "438346466558.dkr.ecr.eu-west-1.amazonaws.com/randomcutforest:1"
OWN = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/own/train:2026.1"
TYPES = ("ml.m5.xlarge", "ml.c5.xlarge", "ml.m6i.large", "ml.g5.xlarge")
ALL_INSTANCES = ("L-7A3DF611", "Number of instances across active endpoints")
INVOCATIONS = "SageMakerVariantInvocationsPerInstance"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the account is, and which share of its endpoints, policies and jobs has a defect.

    Every endpoint has one config, one variant and one model; the first ``targets`` have a scalable target, the first
    ``policies`` of these a scaling policy. Jobs are those of the last 30 days.
    """

    endpoints: int = 500
    jobs: int = 5_000
    targets: int = 500
    policies: int = 500
    unhealthy: float = 0.1
    unused_models: int = 0
    unused_configs: int = 0
    subnets: int = 60
    notebooks: int = 3
    quotas: int = 2_000
    seed: int = 7

    @classmethod
    def of(cls, endpoints: int, jobs: int, **rest: Any) -> "Sizes":
        """An account in which every endpoint scales."""
        return cls(endpoints, jobs, targets=endpoints, policies=endpoints, **rest)


@dataclass(frozen=True)
class Account:
    """The account as it is at ``now`` (seconds since the epoch)."""

    sizes: Sizes
    now: int
    planted: set[tuple[str, str]] = field(default_factory=set)
    """The defects among endpoints, targets and policies that a right audit must tell: rule and name of the resource."""

    @classmethod
    def from_json(cls, text: str) -> "Account":
        """The account that :meth:`to_json` described."""
        content = json.loads(text)
        return cls(Sizes(**content["sizes"]), content["now"])

    def to_json(self) -> str:
        """All that is needed to make the same account in another process."""
        return json.dumps({"sizes": asdict(self.sizes), "now": self.now})

    def arn(self, kind: str, name: str) -> str:
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"

    def _defect(self, kind: str, number: int, among: tuple[str, ...]) -> str:
        """One of these defects for an unhealthy thing, else an empty text."""
        dice = random.Random(f"{self.sizes.seed}/{kind}/{number}")
        return dice.choice(among) if dice.random() < self.sizes.unhealthy else ""

    # ---- hosting

    @cached_property
    def names(self) -> list[str]:
        """The names of the endpoints."""
        return [f"service-{number:05}" for number in range(self.sizes.endpoints)]

    @cached_property
    def endpoints(self) -> dict[str, Record]:
        """What ``DescribeEndpoint`` and ``Search`` answer, with tags."""
        return {name: self._endpoint(number, name) for number, name in enumerate(self.names)}

    def _hosting_defect(self, number: int) -> str:
        return self._defect(
            "endpoint",
            number,
            ("endpoint-single-instance", "endpoint-degraded", "endpoint-idle", "model-vpc-single-az"),
        )

    def _endpoint(self, number: int, name: str) -> Record:
        defect = self._hosting_defect(number)
        desired = 1 if defect == "endpoint-single-instance" else 2 + number % 3
        if defect == "endpoint-degraded":
            self.planted.add((defect, name))
        elif defect in ("endpoint-single-instance", "endpoint-idle"):
            self.planted.add((defect, f"{name}/main"))
        created = self.now - (20 + number % 300) * DAY
        return {
            "EndpointName": name,
            "EndpointArn": self.arn("endpoint", name),
            "EndpointConfigName": f"{name}-config",
            "EndpointStatus": "Failed" if defect == "endpoint-degraded" else "InService",
            "CreationTime": float(created),
            "LastModifiedTime": created + 900.5,
            "ProductionVariants": []
            if defect == "endpoint-degraded"
            else [
                {
                    "VariantName": "main",
                    "DeployedImages": [
                        {
                            "SpecifiedImage": XGBOOST,
                            "ResolvedImage": XGBOOST.split(":")[0] + "@sha256:" + "ab" * 32,
                            "ResolutionTime": created + 60.25,
                        }
                    ],
                    "CurrentWeight": 1.0,
                    "DesiredWeight": 1.0,
                    "CurrentInstanceCount": desired,
                    "DesiredInstanceCount": desired,
                }
            ],
            "Tags": [
                {"Key": "owner", "Value": f"team-{number % 12}"},
                {"Key": "load-tested", "Value": "yes"},
                {"Key": "stage", "Value": "prod"},
            ],
        }

    @cached_property
    def configs(self) -> dict[str, Record]:
        """What ``DescribeEndpointConfig`` answers."""
        used = [self._config(number, f"{name}-config", f"{name}-model") for number, name in enumerate(self.names)]
        spare = [
            self._config(number, f"unused-{number:05}-config", f"unused-{number:05}-model")
            for number in range(self.sizes.unused_configs)
        ]
        return {config["EndpointConfigName"]: config for config in used + spare}

    @cached_property
    def quotas(self) -> list[Record]:
        """What ``ListServiceQuotas`` answers: as many as SageMaker has, few of endpoints, none too small."""
        of_endpoints = [(f"L-{number:08}", f"{name} for endpoint usage") for number, name in enumerate(TYPES)]
        others = [(f"L-1{number:07}", f"quota {number} of SageMaker") for number in range(self.sizes.quotas)]
        named = [ALL_INSTANCES, *of_endpoints, *others][: self.sizes.quotas]
        return [
            {
                "QuotaCode": code,
                "QuotaName": name,
                "QuotaArn": f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:sagemaker/{code}",
                "Value": 1e6,
            }
            for code, name in named
        ]

    def _config(self, number: int, name: str, model: str) -> Record:
        return {
            "EndpointConfigName": name,
            "EndpointConfigArn": self.arn("endpoint-config", name),
            "ProductionVariants": [
                {
                    "VariantName": "main",
                    "ModelName": model,
                    "InitialInstanceCount": 2,
                    "InstanceType": TYPES[number % len(TYPES)],
                    "InitialVariantWeight": 1.0,
                }
            ],
            "DataCaptureConfig": {
                "EnableCapture": True,
                "InitialSamplingPercentage": 10,
                "DestinationS3Uri": f"s3://captured-{ACCOUNT}/{name}",
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            },
            "KmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
            "CreationTime": self.now - (20 + number % 300) * DAY - 600.125,
            "EnableNetworkIsolation": False,
        }

    @cached_property
    def models(self) -> dict[str, Record]:
        """What ``DescribeModel`` and ``Search`` answer, with tags."""
        used = [self._model(number, f"{name}-model") for number, name in enumerate(self.names)]
        spare = [self._model(-1 - number, f"unused-{number:05}-model") for number in range(self.sizes.unused_models)]
        return {model["ModelName"]: model for model in used + spare}

    def _model(self, number: int, name: str) -> Record:
        vpc = number % self._vpcs
        one_zone = number >= 0 and self._hosting_defect(number) == "model-vpc-single-az"
        if one_zone:
            self.planted.add(("model-vpc-single-az", name))
        return {
            "ModelName": name,
            "ModelArn": self.arn("model", name),
            "PrimaryContainer": {
                "Image": XGBOOST,
                "Mode": "SingleModel",
                "ModelDataUrl": f"s3://models-{ACCOUNT}/{name}/model.tar.gz",
                "Environment": {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_REGION": REGION},
            },
            "ExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/serving",
            "VpcConfig": {
                "SecurityGroupIds": ["sg-0123456789abcdef0"],
                "Subnets": [_subnet(vpc, 0), _subnet(vpc, 3) if one_zone else _subnet(vpc, 1)],
            },
            "CreationTime": self.now - (20 + number % 300) * DAY - 1200.75,
            "EnableNetworkIsolation": False,
            "Tags": [{"Key": "owner", "Value": f"team-{number % 12}"}],
        }

    @cached_property
    def notebooks(self) -> dict[str, Record]:
        """What ``DescribeNotebookInstance`` answers."""
        names = [f"notebook-{number}" for number in range(self.sizes.notebooks)]
        return {
            name: {
                "NotebookInstanceName": name,
                "NotebookInstanceArn": self.arn("notebook-instance", name),
                "NotebookInstanceStatus": "InService",
                "PlatformIdentifier": "notebook-al2023-v1",
                "InstanceType": "ml.t3.medium",
                "CreationTime": self.now - 40.0 * DAY,
                "LastModifiedTime": self.now - 40.0 * DAY,
            }
            for name in names
        }

    # ---- network

    @property
    def _vpcs(self) -> int:
        return max(1, self.sizes.subnets // 4)

    @cached_property
    def subnets(self) -> list[Record]:
        """What ``DescribeSubnets`` answers, four a VPC in three zones."""
        return [
            {
                "SubnetId": _subnet(vpc, place),
                "VpcId": f"vpc-{vpc:017x}",
                "AvailabilityZone": f"{REGION}{'abca'[place]}",
                "AvailabilityZoneId": f"euw1-az{(1, 2, 3, 1)[place]}",
                "State": "available",
                "AvailableIpAddressCount": 4_000,
                "CidrBlock": f"10.{vpc % 256}.{place * 16}.0/20",
            }
            for vpc in range(self._vpcs)
            for place in range(4)
        ]

    # ---- automatic scaling

    @cached_property
    def targets(self) -> list[Record]:
        """What ``DescribeScalableTargets`` answers."""
        return [self._target(number, name) for number, name in enumerate(self.names[: self.sizes.targets])]

    def _target(self, number: int, name: str) -> Record:
        suspended = bool(self._defect("target", number, ("autoscaling-suspended",)))
        if suspended and self.endpoints[name]["EndpointStatus"] == "InService":
            self.planted.add(("autoscaling-suspended", f"{name}/main"))
        return {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{name}/variant/main",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "MinCapacity": 2,
            "MaxCapacity": 8,
            "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
            "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
            "CreationTime": self.now - 19.0 * DAY,
            "SuspendedState": {
                "DynamicScalingInSuspended": False,
                "DynamicScalingOutSuspended": suspended,
                "ScheduledScalingSuspended": False,
            },
            "ScalableTargetARN": f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/{number:032x}",
        }

    @cached_property
    def policies(self) -> list[Record]:
        """What ``DescribeScalingPolicies`` answers."""
        return [self._policy(number, target) for number, target in enumerate(self.targets[: self.sizes.policies])]

    def _policy(self, number: int, target: Record) -> Record:
        resource = target["ResourceId"]
        name = resource.split("/")[1]
        defect = self._defect("policy", number, ("autoscaling-cooldown-inverted", "autoscaling-alarm-broken"))
        if defect and self.endpoints[name]["EndpointStatus"] == "InService":
            self.planted.add((defect, f"{name}/main/calls"))
        gone = "-gone" if defect == "autoscaling-alarm-broken" else ""
        alarms = [f"TargetTracking-{resource}-Alarm{way}-{number:08x}" for way in (f"High{gone}", "Low")]
        return {
            "PolicyARN": f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{number:08x}-0000-4000-8000-"
            f"000000000000:resource/sagemaker/{resource}:policyName/calls",
            "PolicyName": "calls",
            "ServiceNamespace": "sagemaker",
            "ResourceId": resource,
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 640.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": INVOCATIONS},
                "ScaleOutCooldown": 300 if defect == "autoscaling-cooldown-inverted" else 60,
                "ScaleInCooldown": 120 if defect == "autoscaling-cooldown-inverted" else 300,
                "DisableScaleIn": False,
            },
            "Alarms": [
                {"AlarmName": alarm, "AlarmARN": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}"}
                for alarm in alarms
            ],
            "CreationTime": self.now - 18.0 * DAY,
        }

    @cached_property
    def alarms(self) -> dict[str, Record]:
        """What ``DescribeAlarms`` answers; those with ``-gone-`` in their name do not exist."""
        return {
            alarm["AlarmName"]: {
                "AlarmName": alarm["AlarmName"],
                "AlarmArn": alarm["AlarmARN"],
                "ActionsEnabled": True,
                "AlarmActions": [policy["PolicyARN"]],
                "StateValue": "OK",
                "StateUpdatedTimestamp": self.now - 3.0 * DAY,
                "MetricName": "InvocationsPerInstance",
                "Namespace": "AWS/SageMaker",
                "Statistic": "Sum",
                "Dimensions": [
                    {"Name": "EndpointName", "Value": policy["ResourceId"].split("/")[1]},
                    {"Name": "VariantName", "Value": "main"},
                ],
                "Period": 60,
                "EvaluationPeriods": 3,
                "Threshold": 640.0,
                "ComparisonOperator": "GreaterThanThreshold",
            }
            for policy in self.policies
            for alarm in policy["Alarms"]
            if "-gone-" not in alarm["AlarmName"]
        }

    @cached_property
    def activities(self) -> list[Record]:
        """What ``DescribeScalingActivities`` answers, newest first: one for every fourth target today, others before
        the week that is rehearsed."""
        records = []
        for number, target in enumerate(self.targets):
            age = 3_600.0 + 60 * (number % 1_000) if number % 4 == 0 else 8.0 * DAY + number
            records.append(
                {
                    "ActivityId": f"{number:08x}-1111-4000-8000-000000000000",
                    "ServiceNamespace": "sagemaker",
                    "ResourceId": target["ResourceId"],
                    "ScalableDimension": target["ScalableDimension"],
                    "Description": "Setting desired instance count to 3.",
                    "Cause": "monitor alarm TargetTracking-High in state ALARM triggered policy calls",
                    "StartTime": self.now - age,
                    "EndTime": self.now - age + 240,
                    "StatusCode": "Successful",
                    "StatusMessage": "Successfully set desired instance count to 3.",
                }
            )
        return sorted(records, key=lambda record: -float(str(record["StartTime"])))

    def calls_of(self, endpoint: str) -> float:
        """Invocations of an endpoint on every day; 0.0 means that there are no datapoints."""
        number = int(endpoint.rsplit("-", 1)[1])
        return 0.0 if self._hosting_defect(number) == "endpoint-idle" else 1_000.0 + number

    # ---- training

    @property
    def all_jobs(self) -> int:
        """The number of jobs, those before the window included."""
        return self.sizes.jobs + int(self.sizes.jobs * OLDER_JOBS)

    def modified(self, number: int) -> float:
        """When a job last changed: evenly over the window, the newest first, none within an hour of its edge."""
        length = WINDOW_DAYS * DAY - 3_600
        if number < self.sizes.jobs:
            return self.now - length * (number + 0.5) / self.sizes.jobs
        return self.now - WINDOW_DAYS * DAY - 3_600.0 - 60 * (number - self.sizes.jobs)

    def job_name(self, number: int) -> str:
        return f"train-{number:07}"

    def job_defect(self, number: int) -> str:
        """The rule that a training job breaks, or an empty text."""
        return self._defect(
            "job", number, ("training-spot-no-checkpoint", "training-gpu-for-cpu-algorithm", "training-spot-no-savings")
        )

    def expected(self) -> set[tuple[str, str]]:
        """Every planted defect: what a right audit must tell, as rule and name of the resource."""
        assert self.endpoints and self.models and self.targets is not None and self.policies is not None
        return self.planted | self.planted_jobs()

    def planted_jobs(self) -> set[tuple[str, str]]:
        """The defects among the training jobs of the window."""
        defects = ((self.job_defect(number), self.job_name(number)) for number in range(self.sizes.jobs))
        return {defect for defect in defects if defect[0]}

    def job(self, number: int) -> Record:
        """What ``DescribeTrainingJob`` and ``Search`` answer: a record of the usual size, 6 to 8 kB as JSON."""
        name, ended = self.job_name(number), self.modified(number)
        defect = self.job_defect(number)
        spot = defect in ("training-spot-no-checkpoint", "training-spot-no-savings") or number % 2 == 0
        image = FORESTS if defect == "training-gpu-for-cpu-algorithm" else (XGBOOST, OWN)[number % 3 == 0]
        if defect == "training-gpu-for-cpu-algorithm":
            spot = False
        seconds = 1_800 + number % 900
        billable = seconds if defect == "training-spot-no-savings" else int(seconds * 0.35)
        started = ended - seconds - 1
        record: Record = {
            "TrainingJobName": name,
            "TrainingJobArn": self.arn("training-job", name),
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://out-{ACCOUNT}/{name}/output/model.tar.gz"},
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "HyperParameters": _HYPERPARAMETERS,
            "AlgorithmSpecification": {
                "TrainingImage": image,
                "TrainingInputMode": "File",
                "MetricDefinitions": _METRICS,
                "EnableSageMakerMetricsTimeSeries": False,
            },
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/training",
            "InputDataConfig": [_channel(name, channel) for channel in ("train", "validation", "test", "code")],
            "OutputDataConfig": {"S3OutputPath": f"s3://out-{ACCOUNT}/", "CompressionType": "GZIP"},
            "ResourceConfig": {
                "InstanceType": "ml.g5.xlarge" if defect == "training-gpu-for-cpu-algorithm" else "ml.m5.2xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 50,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 7_200, **({"MaxWaitTimeInSeconds": 18_000} if spot else {})},
            "CreationTime": started - 120.25,
            "TrainingStartTime": started,
            "TrainingEndTime": ended,
            "LastModifiedTime": ended,
            "SecondaryStatusTransitions": [
                {"Status": status, "StartTime": started + at, "EndTime": started + at + 60, "StatusMessage": message}
                for at, (status, message) in enumerate(_TRANSITIONS)
            ],
            "FinalMetricDataList": [
                {"MetricName": metric["Name"], "Value": 0.91, "Timestamp": ended} for metric in _METRICS
            ],
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": False,
            "EnableManagedSpotTraining": spot,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": billable if spot else seconds,
            "ProfilerConfig": {
                "S3OutputPath": f"s3://out-{ACCOUNT}/",
                "ProfilingIntervalInMilliseconds": 500,
                "DisableProfiler": False,
            },
            "Environment": {"STAGE": "prod", "RUN": name},
            "Tags": [{"Key": "owner", "Value": f"team-{number % 12}"}, {"Key": "project", "Value": "forecast"}],
        }
        if spot and defect != "training-spot-no-checkpoint":
            record["CheckpointConfig"] = {"S3Uri": f"s3://out-{ACCOUNT}/{name}/checkpoints"}
        if number % 5 == 0:
            vpc = number % self._vpcs
            record["VpcConfig"] = {
                "SecurityGroupIds": ["sg-0123456789abcdef0"],
                "Subnets": [_subnet(vpc, 0), _subnet(vpc, 1)],
            }
        return record


def _subnet(vpc: int, place: int) -> str:
    return f"subnet-{vpc:015x}{place:02x}"


def _channel(job: str, name: str) -> Record:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": f"s3://in-{ACCOUNT}/{job}/{name}/",
                "S3DataDistributionType": "FullyReplicated",
            }
        },
        "ContentType": "text/csv",
        "CompressionType": "None",
        "RecordWrapperType": "None",
    }


_HYPERPARAMETERS = {f"parameter_{number}": f"value-{number * 37 % 101}" for number in range(28)}
_METRICS = [
    {"Name": f"validation:metric-{number}", "Regex": f".*metric-{number}=([0-9\\.]+);.*"} for number in range(12)
]
_TRANSITIONS = (
    ("Starting", "Preparing the instances for training"),
    ("Downloading", "Downloading the training image"),
    ("Training", "Training image download completed. Training in progress."),
    ("Uploading", "Uploading generated training model"),
    ("Completed", "Training job completed"),
)
