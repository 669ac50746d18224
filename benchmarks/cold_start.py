"""Cold start of the packed app: CPU of fresh processes on one core, medians, as packed by chalice and made lean.

Prints a table: the interpreter alone, boto3, the import of the app, and the first event of an endpoint from start to
the publish to SNS, against the emulator without latency.
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

from emulator.account import build
from emulator.server import Emulator
from tools import package as packing

ROUNDS = 7
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")
PRELUDE = "import sys; sys.path[:0] = sys.argv[1:3]\n"
STEPS = {
    "interpreter": "pass",
    "import boto3": "import boto3",
    "import chalice, pydantic, boto3": "import boto3, chalice.app, pydantic",
    "import app": "import app",
    "event to publish": "import app, json; app.audit_on_sagemaker_event(json.loads(sys.argv[3]), None)",
}


def _cpu(code: str, folder: Path, runtime: Path, event: str, environment: dict[str, str]) -> float:
    """CPU milliseconds of one fresh process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", PRELUDE + code, str(folder), str(runtime), event],
        check=True,
        env=environment,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _runtime(folder: Path) -> Path:
    for name in RUNTIME:
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


def _sources_only(lean: Path, folder: Path) -> Path:
    """The package as chalice makes it: without bytecode, compiled templates and JSON."""
    with zipfile.ZipFile(lean) as archive:
        for member in archive.namelist():
            compiled = member.endswith(".pyc") or member.startswith("templates_compiled/")
            if not compiled and not (member.startswith("policies/") and member.endswith(".json")):
                archive.extract(member, folder)
    return folder


def main() -> None:
    """Packs, measures and prints."""
    with tempfile.TemporaryDirectory() as name, Emulator() as emulator:
        work = Path(name)
        packed = packing.package(work / "package")
        lean = work / "lean"
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(lean)
        plain = _sources_only(packed, work / "plain")
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
        print(f"{packed.stat().st_size:,} bytes packed; CPU milliseconds of a fresh process, median of {ROUNDS}")
        print(f"{'':34}{'lean':>8}{'sources':>10}")
        for step, code in STEPS.items():
            row = [
                statistics.median(_cpu(code, folder, runtime, event, environment) for _ in range(ROUNDS))
                for folder in (lean, plain)
            ]
            print(f"{step:34}{row[0]:8.0f}{row[1]:10.0f}")


if __name__ == "__main__":
    main()
