"""What AWS answers about the synthetic account: each operation from parameters to a result, with AWS's own page sizes.

Results are JSON as AWS sends it, encoded once and kept where the same page is asked for again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from benchmarks import minutes
from benchmarks.account import ACCOUNT, DAY, REGION, Account, Record
from chalicelib.kinds import DESCRIBED

Params = Mapping[str, Any]

#: Records a page, at most, by operation.
PAGE = {
    "Search": 100,
    "DescribeScalableTargets": 50,
    "DescribeScalingPolicies": 10,
    "DescribeScalingActivities": 50,
    "DescribeScheduledActions": 50,
    "DescribeAlarms": 100,
}
#: The same where the caller does not say how many, 10 for all others.
DEFAULT_PAGE = PAGE | {"DescribeAlarms": 50}


#: What is listed, by other tools too, and the account has none of.
_NOT_THERE = {
    **{f"{row.word}s": row.listed for row in DESCRIBED},
    "ProcessingJobs": "ProcessingJobSummaries",
    "Domains": "Domains",
    "ModelPackageGroups": "ModelPackageGroupSummaryList",
    "MonitoringSchedules": "MonitoringScheduleSummaries",
    "InferenceRecommendationsJobs": "InferenceRecommendationsJobs",
    "AIBenchmarkJobs": "AIBenchmarkJobs",
    "AlarmMuteRules": "AlarmMuteRuleSummaries",
}


class Refused(Exception):
    """An error answer: its code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Answers:
    """The operations of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._operations: dict[str, Callable[[Params], bytes]] = {
            **{f"List{key}": _empty(member) for key, member in _NOT_THERE.items()},
            "Search": self._search,
            "ListEndpoints": self._listing("Endpoints", account.endpoints, _summary_of("Endpoint")),
            "ListEndpointConfigs": self._listing("EndpointConfigs", account.configs, _summary_of("EndpointConfig")),
            "ListModels": self._listing("Models", account.models, _summary_of("Model")),
            "ListNotebookInstances": self._listing(
                "NotebookInstances", account.notebooks, _summary_of("NotebookInstance")
            ),
            "ListTrainingJobs": self._list_jobs,
            "DescribeEndpoint": self._describe("Endpoint", account.endpoints),
            "DescribeEndpointConfig": self._describe("EndpointConfig", account.configs),
            "DescribeModel": self._describe("Model", account.models),
            "DescribeNotebookInstance": self._describe("NotebookInstance", account.notebooks),
            "DescribeTrainingJob": self._describe_job,
            "ListTags": self._list_tags,
            "DescribeScalableTargets": self._scaling("ScalableTargets", account.targets),
            "DescribeScalingPolicies": self._scaling("ScalingPolicies", account.policies),
            "DescribeScalingActivities": self._scaling("ScalingActivities", account.activities),
            "DescribeScheduledActions": self._scaling("ScheduledActions", []),
            "DescribeAlarms": self._describe_alarms,
            "GetMetricData": self._metric_data,
            "GetMetricStatistics": self._metric_statistics,
            "ListServiceQuotas": lambda params: _page("ListServiceQuotas", params, "Quotas", account.quotas),
        }
        self._kept: dict[tuple[str, bytes], bytes] = {}

    def answer(self, operation: str, body: bytes) -> bytes:
        """The result of a JSON operation. Raises Refused for one that is unknown, or that AWS would refuse."""
        answer = self._operations.get(operation)
        if answer is None:
            raise Refused("UnknownOperationException", f"{operation} is not part of the synthetic account")
        key = operation, body
        if key not in self._kept:
            made = answer(json.loads(body or b"{}"))
            if operation == "Search" and b'"TrainingJob"' in body:
                return made  # thousands of large pages, each asked for once
            self._kept[key] = made
        return self._kept[key]

    # ---- SageMaker

    def _search(self, params: Params) -> bytes:
        resource = params["Resource"]
        if resource == "TrainingJob":
            return self._search_jobs(params)
        if resource == "Endpoint":
            results = [{"Endpoint": endpoint} for endpoint in self.account.endpoints.values()]
        elif resource == "Model":
            results = [
                {"Model": {"Model": model, "Endpoints": self._endpoints_of(name)}}
                for name, model in self.account.models.items()
            ]
        else:
            results = []
        filters = (params.get("SearchExpression") or {}).get("Filters") or []
        for condition in filters if results else ():
            if condition["Name"] not in ("ModelName", "EndpointName") or condition["Operator"] != "Equals":
                raise Refused("ValidationException", f"the synthetic account knows no filter {condition}")
            depth = 2 if resource == "Model" else 1
            results = [record for record in results if _in(record, condition["Name"], depth) == condition["Value"]]
        return _page("Search", params, "Results", results)

    def _endpoints_of(self, model: str) -> list[Record]:
        name = model.removesuffix("-model")
        if name not in self.account.endpoints:
            return []
        endpoint = self.account.endpoints[name]
        return [
            {
                key: endpoint[key]
                for key in ("EndpointName", "EndpointArn", "EndpointStatus", "CreationTime", "LastModifiedTime")
            }
        ]

    def _search_jobs(self, params: Params) -> bytes:
        first, end = 0, self.account.all_jobs
        if params.get("SortBy", "LastModifiedTime") != "LastModifiedTime" or params.get("SortOrder") == "Ascending":
            raise Refused("ValidationException", "the synthetic account sorts jobs by LastModifiedTime, newest first")
        for condition in (params.get("SearchExpression") or {}).get("Filters") or []:
            if condition["Name"] != "LastModifiedTime":
                raise Refused("ValidationException", f"the synthetic account knows no filter {condition}")
            moment = datetime.fromisoformat(condition["Value"]).timestamp()
            if condition["Operator"] in ("GreaterThanOrEqualTo", "GreaterThan"):
                end = min(end, self._jobs_from(moment))
            elif condition["Operator"] in ("LessThan", "LessThanOrEqualTo"):
                first = max(first, self._jobs_from(moment))
            else:
                raise Refused("ValidationException", f"the synthetic account knows no filter {condition}")
        start, stop, token = _slice("Search", params, range(first, end))
        return _encoded(
            {"Results": [{"TrainingJob": self.account.job(number)} for number in range(first + start, first + stop)]},
            token,
        )

    def _jobs_from(self, moment: float) -> int:
        """How many jobs changed at ``moment`` or later: they have the lowest numbers."""
        low, high = 0, self.account.all_jobs
        while low < high:
            middle = (low + high) // 2
            if self.account.modified(middle) >= moment:
                low = middle + 1
            else:
                high = middle
        return low

    def _list_jobs(self, params: Params) -> bytes:
        after = params.get("LastModifiedTimeAfter")
        numbers = range(self._jobs_from(float(after)) if after is not None else self.account.all_jobs)
        start, stop, token = _slice("ListTrainingJobs", params, numbers)
        keys = ("TrainingJobName", "TrainingJobArn", "CreationTime", "LastModifiedTime", "TrainingJobStatus")
        jobs = [self.account.job(number) for number in range(start, stop)]
        return _encoded({"TrainingJobSummaries": [{key: job[key] for key in keys} for job in jobs]}, token)

    def _describe_job(self, params: Params) -> bytes:
        name = params["TrainingJobName"]
        number = int(name.rsplit("-", 1)[1])
        if name != self.account.job_name(number) or number >= self.account.all_jobs:
            raise Refused("ValidationException", "Requested resource not found.")
        return _encoded({key: value for key, value in self.account.job(number).items() if key != "Tags"})

    def _describe(self, kind: str, of: Mapping[str, Record]) -> Callable[[Params], bytes]:
        def describe(params: Params) -> bytes:
            name = params[f"{kind}Name"]
            if name not in of:
                raise Refused("ValidationException", f'Could not find {kind.lower()} "{name}".')
            return _encoded({key: value for key, value in of[name].items() if key != "Tags"})

        return describe

    def _listing(
        self, key: str, of: Mapping[str, Record], summary: Callable[[Record], Record]
    ) -> Callable[[Params], bytes]:
        def listed(params: Params) -> bytes:
            records = sorted(of.values(), key=lambda record: -float(str(record["CreationTime"])))
            return _page(f"List{key}", params, key, [summary(record) for record in records])

        return listed

    def _list_tags(self, params: Params) -> bytes:
        kind, name = params["ResourceArn"].rsplit(":", 1)[1].split("/", 1)
        if kind == "training-job":
            return _encoded({"Tags": self.account.job(int(name.rsplit("-", 1)[1]))["Tags"]})
        held = {"endpoint": self.account.endpoints, "model": self.account.models}.get(kind, {})
        return _encoded({"Tags": held.get(name, {}).get("Tags", [])})

    # ---- Application Auto Scaling, CloudWatch

    def _scaling(self, key: str, of: Sequence[Record]) -> Callable[[Params], bytes]:
        def described(params: Params) -> bytes:
            if params.get("ServiceNamespace") != "sagemaker":
                return _encoded({key: []})
            wanted = set(params.get("ResourceIds") or ()) | {params.get("ResourceId")} - {None}
            records = [finding for finding in of if finding["ResourceId"] in wanted] if wanted else of
            return _page(f"Describe{key}", params, key, records)

        return described

    def _describe_alarms(self, params: Params) -> bytes:
        names = params.get("AlarmNames")
        alarms = self.account.alarms
        records = list(alarms.values()) if names is None else [alarms[name] for name in names if name in alarms]
        return _page("DescribeAlarms", params, "MetricAlarms", records)

    def _metric_data(self, params: Params) -> bytes:
        if len(params["MetricDataQueries"]) > 500:
            raise Refused("ValidationError", "The collection MetricDataQueries must not have a size greater than 500.")
        if params["MetricDataQueries"][0]["MetricStat"]["Period"] == 60:
            return self._minutes(params)
        days = _days(params["StartTime"], params["EndTime"])
        results = []
        for query in params["MetricDataQueries"]:
            value = self._value(query["MetricStat"]["Metric"])
            moments = days if value else []
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query["MetricStat"]["Metric"]["MetricName"],
                    "Timestamps": moments,
                    "Values": [value] * len(moments),
                    "StatusCode": "Complete",
                }
            )
        return _encoded({"MetricDataResults": results, "Messages": []})

    def _minutes(self, params: Params) -> bytes:
        """A page of series by minutes, in one piece: whoever asks for more datapoints than a page holds is refused."""
        begin, count = int(params["StartTime"]), int(params["EndTime"] - params["StartTime"]) // 60
        if count * len(params["MetricDataQueries"]) > 100_800:
            raise Refused("ValidationError", "the synthetic account has no second page of minutes")
        results = []
        for query in params["MetricDataQueries"]:
            values = self._by_minute(query["MetricStat"]["Metric"], count)
            times = minutes.moments(begin, count) if values != "[]" else "[]"
            results.append(f'{{"Id":"{query["Id"]}","StatusCode":"Complete","Timestamps":{times},"Values":{values}}}')
        return f'{{"MetricDataResults":[{",".join(results)}],"Messages":[]}}'.encode()

    def _by_minute(self, metric: Params, count: int) -> str:
        endpoint = next(dimension["Value"] for dimension in metric["Dimensions"] if dimension["Name"] == "EndpointName")
        if not self.account.calls_of(endpoint):
            return "[]"
        if metric["MetricName"] == "Invocations":
            return minutes.requests(int(endpoint.rsplit("-", 1)[1]) % minutes.SHAPES, count)
        return minutes.constant(minutes.SHARE if metric["MetricName"] == "InvocationsPerInstance" else 0.0, count)

    def _metric_statistics(self, params: Params) -> bytes:
        value = self._value(params)
        days = _days(params["StartTime"], params["EndTime"]) if value else []
        unit = {"Unit": "None"}
        points = [{"Timestamp": day, **{name: value for name in params["Statistics"]}, **unit} for day in days]
        return _encoded({"Label": params["MetricName"], "Datapoints": points})

    def _value(self, metric: Params) -> float:
        names = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
        if set(names) != {"EndpointName", "VariantName"}:
            return 0.0
        return self.account.calls_of(names["EndpointName"]) if metric["MetricName"] == "Invocations" else 75.0


def xml_answer(account: Account, operation: str, params: Mapping[str, str]) -> bytes:
    """The result of an operation in the query protocols of EC2, IAM and STS. Raises Refused for one that is unknown."""
    if operation == "GetCallerIdentity":
        result = (
            f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{ACCOUNT}:user/bench</Arn>"
            f"<UserId>AIDABENCH</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
            "</GetCallerIdentityResponse>"
        )
    elif operation == "DescribeSubnets":
        result = (
            f"<DescribeSubnetsResponse><subnetSet>{_subnets(account, params)}</subnetSet></DescribeSubnetsResponse>"
        )
    elif operation == "DescribeInstanceTypeOfferings":
        result = (
            "<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet>"
            f"{_offerings(account, params)}</instanceTypeOfferingSet></DescribeInstanceTypeOfferingsResponse>"
        )
    elif operation == "GetRole":
        name = params["RoleName"]
        result = (
            f"<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>{name}</RoleName><RoleId>AROABENCH</RoleId>"
            f"<Arn>arn:aws:iam::{ACCOUNT}:role/{name}</Arn><CreateDate>2024-01-01T00:00:00Z</CreateDate></Role>"
            "</GetRoleResult></GetRoleResponse>"
        )
    elif operation == "DescribeSecurityGroups":
        ids = [value for name, value in params.items() if name.startswith(("Filter.1.Value.", "GroupId."))]
        items = "".join(f"<item><groupId>{id}</groupId></item>" for id in ids)
        result = (
            f"<DescribeSecurityGroupsResponse><securityGroupInfo>{items}</securityGroupInfo>"
            "</DescribeSecurityGroupsResponse>"
        )
    elif operation == "DescribeRegions":
        result = (
            f"<DescribeRegionsResponse><regionInfo><item><regionName>{REGION}</regionName>"
            "<optInStatus>opt-in-not-required</optInStatus></item></regionInfo></DescribeRegionsResponse>"
        )
    else:
        raise Refused("InvalidAction", f"The action {operation} is not valid for this web service.")
    return b'<?xml version="1.0" encoding="UTF-8"?>' + result.encode()


def _subnets(account: Account, params: Mapping[str, str]) -> str:
    wanted = {value for name, value in params.items() if name.startswith(("Filter.1.Value.", "SubnetId."))}
    names = {"subnet-id": "SubnetId", "vpc-id": "VpcId"}
    member = names.get(params.get("Filter.1.Name", ""), "SubnetId")
    subnets = (subnet for subnet in account.subnets if not wanted or subnet[member] in wanted)
    spelled = {
        "SubnetId": "subnetId",
        "VpcId": "vpcId",
        "AvailabilityZone": "availabilityZone",
        "AvailabilityZoneId": "availabilityZoneId",
        "State": "state",
        "AvailableIpAddressCount": "availableIpAddressCount",
        "CidrBlock": "cidrBlock",
    }
    return "".join(
        "<item>" + "".join(f"<{tag}>{subnet[name]}</{tag}>" for name, tag in spelled.items()) + "</item>"
        for subnet in subnets
    )


def _offerings(account: Account, params: Mapping[str, str]) -> str:
    """Every type that is asked for, in every zone in which the account has a subnet."""
    types = [value for name, value in params.items() if name.startswith("Filter.1.Value.")]
    zones = sorted({subnet["AvailabilityZoneId"] for subnet in account.subnets})
    places = [(name, zone) for name in types for zone in zones]
    return "".join(
        f"<item><instanceType>{name}</instanceType><location>{zone}</location></item>" for name, zone in places
    )


def _empty(member: str) -> Callable[[Params], bytes]:
    return lambda _: _encoded({member: []})


def _summary_of(kind: str) -> Callable[[Record], Record]:
    keys = [f"{kind}{end}" for end in ("Name", "Arn", "Status")] + ["CreationTime", "LastModifiedTime", "InstanceType"]
    return lambda record: {key: record[key] for key in keys if key in record}


def _in(record: Record, name: str, depth: int) -> Any:
    for _ in range(depth):
        record = next(iter(record.values()))
    return record.get(name)


def _days(start: float, end: float) -> list[float]:
    first = int(start) // DAY * DAY
    return [float(day) for day in range(first, int(end), DAY)]


def _page(operation: str, params: Params, key: str, records: Sequence[Any]) -> bytes:
    start, stop, token = _slice(operation, params, records)
    return _encoded({key: list(records[start:stop])}, token)


def _slice(operation: str, params: Params, records: Sequence[Any]) -> tuple[int, int, str | None]:
    """Where this page begins and ends, and the token of the one after it."""
    most = PAGE.get(operation, 100)
    asked = params.get("MaxResults") or params.get("MaxRecords") or DEFAULT_PAGE.get(operation, 10)
    start = int(str(params.get("NextToken") or "page-0").removeprefix("page-"))
    stop = min(len(records), start + min(int(asked), most))
    return start, stop, f"page-{stop}" if stop < len(records) else None


def _encoded(result: Record, token: str | None = None) -> bytes:
    return json.dumps(result | ({"NextToken": token} if token else {}), separators=(",", ":")).encode()
