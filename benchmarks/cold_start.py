"""Cold start of the packed app: CPU of fresh processes on one core, medians, as packed by chalice and made lean.

Beside the app stands a bare handler, Chalice with two pydantic models and boto3, packed the same way. The first event
of an endpoint, from start to the publish to SNS, runs against the emulator without latency, and is taken apart: import,
making clients, calls, judging, rendering.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from benchmarks.table import Table
from emulator.account import build
from emulator.server import Emulator
from tools import package as packing

ROUNDS = 7
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")
PRELUDE = "import sys; sys.path[:0] = sys.argv[1:3]\n"
#: What Lambda hands to a handler beside the event, as far as the app looks at it.
FUNCTION = "type('C', (), {'invoked_function_arn': 'arn:aws:lambda:eu-west-1:123456789012:function:audit'})()"
EVENT = f"import app, json; app.audit_on_sagemaker_event(json.loads(sys.argv[3]), {FUNCTION})"
STEPS = {
    "interpreter": "pass",
    "import boto3": "import boto3",
    "import a bare handler": "import bare",
    "import app": "import app",
    "event to publish": EVENT,
}
#: The handler that nobody can do without: two routes and models of their requests.
BARE = """
import boto3
from chalice.app import Chalice, IAMAuthorizer, Rate, Response
from pydantic import BaseModel, Field


class Query(BaseModel):
    account: str | None = None
    limit: int = Field(100, ge=1, le=500)


class Body(BaseModel):
    resources: list[str] = []
    notify: bool = False


app = Chalice(app_name="bare")


@app.route("/audit", methods=["GET"], authorizer=IAMAuthorizer())
def get_audit():
    return Response(Query.model_validate(app.current_request.query_params or {}).model_dump())


@app.route("/audit", methods=["POST"], authorizer=IAMAuthorizer())
def post_audit():
    return Response(Body.model_validate_json(app.current_request.raw_body).model_dump())


@app.schedule(Rate(1, unit=Rate.DAYS))
def sweep(event):
    return {}
"""
#: Takes one event apart: CPU of the thread of each stage, and that of the process for calls, whose threads are many.
BREAKDOWN = """
import functools, json, time
spent = {}
def timed(stage, work):
    @functools.wraps(work)
    def inner(*given, **named):
        start = time.process_time()
        try:
            return work(*given, **named)
        finally:
            spent[stage] = spent.get(stage, 0.0) + time.process_time() - start
    return inner
start = time.process_time()
import app
spent["import"] = time.process_time() - start
import boto3
from chalicelib import service
from chalicelib.audit import auditor, judge
from chalicelib.notices import publisher
boto3.Session.client = timed("clients", boto3.Session.client)
service.load_policy = timed("policy", service.load_policy)
auditor.Reading.training_jobs = timed("reading", lambda self, of=auditor.Reading.training_jobs: iter(list(of(self))))
auditor.Reading.inventory = timed("reading", auditor.Reading.inventory)
judge.Judge.judge = timed("judging", judge.Judge.judge)
auditor.findings = timed("words", auditor.findings)
publisher.Publisher.event = timed("telling", publisher.Publisher.event)
start = time.process_time()
app.audit_on_sagemaker_event(json.loads(sys.argv[3]), FUNCTION)
spent["whole event"] = time.process_time() - start
print(json.dumps(spent))
""".replace("FUNCTION", FUNCTION)


def _run(code: str, folder: Path, runtime: Path, event: str, environment: dict[str, str]) -> tuple[float, str]:
    """CPU milliseconds of one fresh process, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", PRELUDE + code, str(folder), str(runtime), event],
        check=True,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), done.stdout


def _runtime(folder: Path) -> Path:
    for name in RUNTIME:
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


def _unpacked(packed: Path, folder: Path) -> Path:
    """The package as Lambda unpacks it, with the bare handler beside the app, compiled as the app is."""
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    (folder / "bare.py").write_text(BARE, encoding="utf-8")
    compile_one = "import py_compile as p; p.compile(sys.argv[1] + '/bare.py', "
    compile_one += "invalidation_mode=p.PycInvalidationMode.UNCHECKED_HASH)"
    subprocess.run([sys.executable, "-I", "-S", "-c", "import sys\n" + compile_one, str(folder)], check=True)
    return folder


def measure() -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """CPU milliseconds of each step, and of each stage of the first event, over the rounds."""
    with tempfile.TemporaryDirectory() as name, Emulator() as emulator:
        work = Path(name)
        folder = _unpacked(packing.package(work / "package"), work / "lean")
        runtime = work / "runtime"
        runtime.mkdir()
        _runtime(runtime)
        build(now=datetime.now(UTC))
        topic = emulator.client("sns").create_topic(Name="auditor-findings")["TopicArn"]
        environment = {**emulator.environment(), "AUDITOR_TOPIC_ARN": topic, "PATH": os.environ["PATH"]}
        event = json.dumps(
            {
                "id": "1",
                "account": "123456789012",
                "region": "eu-west-1",
                "source": "aws.sagemaker",
                "detail-type": "SageMaker Endpoint State Change",
                "detail": {"EndpointName": "warehouse-slots", "EndpointStatus": "IN_SERVICE"},
            }
        )
        steps: dict[str, list[float]] = {step: [] for step in STEPS}
        stages: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            for step, code in STEPS.items():
                steps[step].append(_run(code, folder, runtime, event, environment)[0])
            breakdown = json.loads(_run(BREAKDOWN, folder, runtime, event, environment)[1].splitlines()[-1])
            for stage, seconds in breakdown.items():
                stages.setdefault(stage, []).append(1000 * seconds)
        return steps, stages


def rows(table: Table) -> None:
    """Adds the figures of a cold start."""
    steps, stages = measure()
    for step, values in steps.items():
        met = statistics.median(values) <= 600 if step == "event to publish" else None
        table.row(f"CPU ms, cold, {step}", values, "≤ 600" if met is not None else "", met)
    ratios = [app / bare for app, bare in zip(steps["import app"], steps["import a bare handler"], strict=True)]
    table.row("import app ÷ bare handler", ratios, "≤ 1.3", statistics.median(ratios) <= 1.3)
    for stage, values in stages.items():
        table.row(f"CPU ms, first event, {stage}", values)


if __name__ == "__main__":
    alone = Table()
    rows(alone)
    print(alone.text())
