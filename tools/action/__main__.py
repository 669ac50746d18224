"""``python -m tools.action``: the step of the Action, with inputs and the files of the runner in the environment."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chalicelib.input.marks import one_line
from tools.action.github import GitHub, GitHubFailed, bounded
from tools.action.inputs import SEVERITIES, BadInput, Inputs

AUDITOR = (sys.executable, "-P", "-m", "chalicelib.cli")
#: Bytes of a summary of a step, which GitHub refuses beyond a mebibyte.
SUMMARY = 1_000_000
FAILED, WRONG_USAGE, FINDINGS = 1, 2, 3


def main(environment: Mapping[str, str]) -> int:
    """The exit code of the step: that of the auditor; 3 also for what is new or worse than the baseline."""
    try:
        inputs = Inputs.of(environment)
    except BadInput as error:
        return _ended(str(error), WRONG_USAGE)
    folder = Path(inputs.output)
    code = _auditor(command(inputs), environment)
    if code in (FAILED, WRONG_USAGE) or not (folder / "report.json").is_file():
        return code or FAILED
    changed = folder / "changes.md"
    if inputs.baseline:
        severity = [f"--fail-on={inputs.fail_on}"] if inputs.fail_on else []
        comparing = ["diff", f"--output={changed}", "--format=markdown", *severity, "--", inputs.baseline]
        compared = _auditor([*comparing, str(folder / "report.json")], environment)
        if compared in (FAILED, WRONG_USAGE):
            return compared
        code = compared or code
    parts = [changed] if inputs.baseline else []
    text = "\n".join(part.read_text(encoding="utf-8") for part in [*parts, folder / "report.md"])
    _append(environment, "GITHUB_STEP_SUMMARY", bounded(text, SUMMARY // 4))
    outputs = _outputs(folder)
    if inputs.comment:
        outputs["comment-url"] = _commented(inputs, text, environment)
    _append(environment, "GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in outputs.items()))
    return code


def command(inputs: Inputs) -> list[str]:
    """The arguments of the auditor. Values never begin an argument: none can be taken for an option."""
    arguments = [inputs.mode, "--format=json,sarif,markdown", f"--output={inputs.output}/"]
    arguments += [f"--region={region}" for region in inputs.regions]
    arguments += [f"--parameter={parameter}" for parameter in inputs.parameters]
    arguments += [f"--policy={inputs.policy}"] if inputs.policy else []
    arguments += [f"--fail-on={inputs.fail_on}"] if inputs.fail_on and not inputs.baseline else []
    arguments += ["--strict"] if inputs.strict else []
    arguments += ["--no-progress"] if inputs.mode == "audit" else []
    return [*arguments, "--", *inputs.templates] if inputs.templates else arguments


def _auditor(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit code of the auditor; what it says goes to the log, where no line of it is a command to the runner."""
    own = {name: value for name, value in environment.items() if name != "INPUT_TOKEN"}
    ended = subprocess.run([*AUDITOR, *arguments], env=own, capture_output=True, text=True, check=False)
    said = [line for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    for line in said:
        print(f"| {one_line(line)}", flush=True)
    if ended.returncode in (FAILED, WRONG_USAGE):
        _annotate("error", said[-1] if said else f"the auditor ended with {ended.returncode}")
    return ended.returncode


def _outputs(folder: Path) -> dict[str, str]:
    """What later steps can use."""
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    severities = [finding["severity"] for finding in report["findings"] if finding["status"] == "open"]
    return {
        "report": str(folder / "report.json"),
        "sarif": str(folder / "report.sarif"),
        "findings": str(len(severities)),
        "worst": next((severity for severity in SEVERITIES if severity in severities), "none"),
    }


def _commented(inputs: Inputs, text: str, environment: Mapping[str, str]) -> str:
    """The address of the comment; empty where the run is of no pull request, or GitHub refuses, which fails no step."""
    number = pull_request(environment)
    if number is None:
        return ""
    marker = f"<!-- sagemaker-auditor: {inputs.name} -->"
    try:
        github = GitHub(
            environment.get("GITHUB_API_URL", "https://api.github.com"),
            environment.get("GITHUB_REPOSITORY", ""),
            inputs.token,
        )
        return github.keep_comment(number, marker, bounded(f"{marker}\n{text}"))
    except GitHubFailed as failed:
        needed = "; accepted is a job with `permissions: pull-requests: write`" if failed.status in (401, 403) else ""
        _annotate("warning", f"the comment is not written: {failed}{needed}")
        return ""


def pull_request(environment: Mapping[str, str]) -> int | None:
    """The number of the pull request that the run is about, or None."""
    try:
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        number = event["pull_request"]["number"]
    except (KeyError, TypeError, OSError, ValueError):
        return None
    return number if type(number) is int else None


def _append(environment: Mapping[str, str], name: str, text: str) -> None:
    """Adds to a file of the runner, where there is one."""
    if path := environment.get(name):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


def _annotate(level: str, sentence: str) -> None:
    """A command to the runner, which shows the sentence at the run."""
    escaped = one_line(sentence).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::{level} title=SageMaker auditor::{escaped}", flush=True)


def _ended(sentence: str, code: int) -> int:
    _annotate("error", sentence)
    return code


if __name__ == "__main__":
    sys.exit(main(os.environ))
