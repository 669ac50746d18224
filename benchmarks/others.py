"""The tools that people would otherwise take, against the same account, side by side with the audit.

    python -m benchmarks.others [--endpoints 500] [--jobs 5000] [--latency 0.04]

Prowler and Cloud Custodian come from the package index into environments of their own under ``out/others``. A tool that
cannot be installed or run is left out with a sentence. They answer other questions than the audit (Prowler: security
checks of SageMaker; Custodian: the five filters below), so that time and calls are compared, not findings.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.account import REGION, Account, Sizes
from benchmarks.running import ROOT, Running, serving

PLACE = ROOT / "out" / "others"
#: What of the audit's questions Custodian's filters can ask of SageMaker.
POLICY = {
    "policies": [
        {"name": "endpoints", "resource": "aws.sagemaker-endpoint", "filters": [{"EndpointStatus": "Failed"}]},
        {
            "name": "single-instance",
            "resource": "aws.sagemaker-endpoint-config",
            "filters": [{"type": "value", "key": "ProductionVariants[0].InitialInstanceCount", "op": "lt", "value": 2}],
        },
        {"name": "models", "resource": "aws.sagemaker-model"},
        {"name": "notebooks", "resource": "aws.sagemaker-notebook"},
        {
            "name": "spot-without-checkpoint",
            "resource": "aws.sagemaker-job",
            "query": [{"StatusEquals": "Completed"}],
            "filters": [{"EnableManagedSpotTraining": True}, {"CheckpointConfig": "absent"}],
        },
    ]
}


class Unusable(Exception):
    """A tool that cannot be installed or run; the text says why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool by its name on the package index, and how it is run. Exit codes in ``fine`` are no failure."""

    name: str
    package: str
    program: str
    fine: tuple[int, ...]

    def command(self, folder: Path) -> list[str]:
        program = str(PLACE / self.package / "bin" / self.program)
        if self.package == "c7n":
            policy = folder / "policy.json"
            policy.write_text(json.dumps(POLICY), encoding="utf-8")
            return [program, "run", "-s", str(folder / "custodian"), "--cache", "", "-r", REGION, str(policy)]
        where = ["--region", REGION, "--output-directory", str(folder / "prowler")]
        return [program, "aws", "--service", "sagemaker", *where, "-M", "csv", "--no-banner", "--only-logs"]


TOOLS = (Tool("Prowler", "prowler", "prowler", (0, 3)), Tool("Cloud Custodian", "c7n", "custodian", (0,)))


def installed(tool: Tool) -> str:
    """The version of the tool in its environment, which is made when it is not there. Raises Unusable."""
    folder = PLACE / tool.package
    python = folder / "bin" / "python"
    try:
        if not (folder / "bin" / tool.program).exists():
            venv.create(folder, with_pip=True, clear=True)
            command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", tool.package]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=900)
        tell = f"import importlib.metadata as m; print(m.version({tool.package!r}))"
        return subprocess.run([str(python), "-c", tell], check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise Unusable(f"{tool.name} is left out: it cannot be installed ({said[-1] if said else error})") from None


def run(tool: Tool, running: Running, folder: Path) -> dict[str, Any]:
    """Seconds, calls, refused and unknown ones, and peak memory of one run. Raises Unusable."""
    running.control()
    log = folder / f"{tool.package}.log"
    begun = time.perf_counter()
    with log.open("wb") as output:
        environment = {**running.environment(), "HOME": str(folder), "NO_COLOR": "1"}
        try:
            process = subprocess.Popen(tool.command(folder), env=environment, stdout=output, stderr=output, cwd=folder)
        except OSError as error:
            raise Unusable(f"{tool.name} is left out: it cannot be started ({error.strerror})") from None
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in tool.fine:
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise Unusable(f"{tool.name} is left out: it ended with exit code {code} ({said[-1] if said else 'silent'})")
    calls = running.counts()["calls"]
    return {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
        "calls": sum(calls.values()),
        "by_operation": calls,
    }


def ours(running: Running) -> dict[str, Any]:
    """The audit, from the start of the process to its end; the second one remembers."""
    begun = time.perf_counter()
    figures = running.measure("audit")
    calls = figures["served"]["calls"]
    wall = time.perf_counter() - begun
    return {"wall": wall, "cpu": figures["cpu"], "peak_mb": figures["peak_mb"], "calls": sum(calls.values())}


def main(arguments: list[str]) -> int:
    """Measures every tool that can be had, prints the table, writes ``out/others.json``."""
    parser = argparse.ArgumentParser("python -m benchmarks.others", description="The audit beside other tools.")
    parser.add_argument("--endpoints", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=5_000)
    parser.add_argument("--latency", type=float, default=0.04)
    options = parser.parse_args(arguments)
    account = Account(Sizes.of(options.endpoints, options.jobs), int(time.time()))
    rows: dict[str, dict[str, Any]] = {}
    sentences = []
    with tempfile.TemporaryDirectory() as name, serving(account, Path(name), latency=options.latency) as running:
        rows["this audit, cold"] = ours(running)
        rows["this audit, warm"] = ours(running)
        for tool in TOOLS:
            print(f"… {tool.name}", file=sys.stderr, flush=True)
            try:
                version = installed(tool)
                rows[f"{tool.name} {version}"] = run(tool, running, Path(name))
            except Unusable as unusable:
                sentences.append(str(unusable))
    print(f"{'':28}{'calls':>8}{'seconds':>10}{'CPU s':>8}{'peak MB':>9}")
    for title, row in rows.items():
        print(f"{title:28}{row['calls']:8,}{row['wall']:10.1f}{row['cpu']:8.1f}{row['peak_mb']:9.0f}")
    print("\n".join(sentences))
    file = ROOT / "out" / "others.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"tools": rows, "left out": sentences}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
