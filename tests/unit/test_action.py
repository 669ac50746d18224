"""The GitHub Action: its inputs, and its script against a local server that plays GitHub's API."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.loopback import Quiet, serving
from tools.action.__main__ import command, main
from tools.action.github import COMMENT, GitHub, GitHubFailed, bounded
from tools.action.inputs import BadInput, Inputs

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
REPOSITORY, TOKEN = "acme/shop", "token-of-the-run"
TEMPLATE = """
Resources:
  Model: {Type: AWS::SageMaker::Model, Properties: {ExecutionRoleArn: "arn:aws:iam::123456789012:role/r"}}
  Config:
    Type: AWS::SageMaker::EndpointConfig
    Properties:
      ProductionVariants:
        - {VariantName: A, ModelName: !GetAtt Model.ModelName, InitialInstanceCount: COUNT, InstanceType: ml.m5.large}
  Endpoint:
    Type: AWS::SageMaker::Endpoint
    Properties: {EndpointConfigName: !GetAtt Config.EndpointConfigName}
"""


@dataclass
class Answer:
    """What the server answers in place of GitHub: a status, a body, headers."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Played:
    """GitHub as far as comments go; ``answers`` are given first, one a request."""

    url: str = ""
    login: str | None = None
    comments: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def add(self, body: str, *, login: str = "github-actions[bot]", type: str = "Bot") -> None:
        number = len(self.comments) + 1
        user = {"login": login, "type": type}
        self.comments.append({"id": number, "body": body, "user": user, "html_url": f"{self.url}/c/{number}"})

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        self.requests.append((method, path))
        if self.answers:
            return self.answers.pop(0)
        if path == "/user":
            return Answer(403) if self.login is None else self._json({"login": self.login})
        if len(body.get("body", "")) > COMMENT:
            return Answer(422, b'{"message": "Validation Failed"}')
        if method == "GET":
            page = int(path.rsplit("=", 1)[1])
            return self._json(self.comments[(page - 1) * 100 : page * 100])
        if method == "POST":
            self.add(body["body"], login=self.login or "github-actions[bot]", type="User" if self.login else "Bot")
            return self._json(self.comments[-1], 201)
        comment = self.comments[int(path.rsplit("/", 1)[1]) - 1]
        comment["body"] = body["body"]
        return self._json(comment)

    @staticmethod
    def _json(content: Any, status: int = 200) -> Answer:
        return Answer(status, json.dumps(content).encode())


@pytest.fixture
def github() -> Iterator[Played]:
    played = Played()

    class Handler(Quiet):
        def _serve(self) -> None:
            assert self.headers["Authorization"] == f"Bearer {TOKEN}"
            answer = played.answer(self.command, self.path, json.loads(self.body() or b"{}"))
            self.answer(answer.status, answer.body, answer.headers)

        do_GET = do_POST = do_PATCH = _serve

    with serving(Handler) as played.url:
        yield played


def client(github: Played, slept: list[float] | None = None) -> GitHub:
    return GitHub(github.url, REPOSITORY, TOKEN, sleep=(slept if slept is not None else []).append)


# ---- inputs


def inputs(**values: str) -> Inputs:
    return Inputs.of({f"INPUT_{name.upper()}": value for name, value in values.items()})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "mode '' is unknown; accepted are plan and audit"),
        ({"mode": "mend"}, "mode 'mend' is unknown; accepted are plan and audit"),
        ({"mode": "plan"}, "mode plan needs templates; accepted are"),
        ({"mode": "audit", "templates": "a.yaml"}, "templates and parameters go with mode plan"),
        ({"mode": "audit", "strict": "yes"}, "strict 'yes' is neither; accepted are true and false"),
        ({"mode": "audit", "fail_on": "bad"}, "fail-on 'bad' is no severity; accepted are critical, high"),
        ({"mode": "audit", "regions": "Frankfurt"}, "'Frankfurt' is no region; accepted are names as eu-west-1"),
        ({"mode": "plan", "templates": "a", "regions": "eu-west-1 eu-west-3"}, "2 regions; accepted with mode plan"),
        ({"mode": "plan", "templates": "a", "parameters": "Count"}, "'Count' is no parameter; accepted is Name=Value"),
        ({"mode": "audit", "output": "../out"}, "lies elsewhere; accepted is a folder within the workspace"),
        ({"mode": "audit", "output": "/etc"}, "lies elsewhere"),
        ({"mode": "audit", "name": "a-->b"}, "name 'a-->b'; accepted are up to 60 letters"),
        ({"mode": "audit", "comment": "true"}, "comment needs token; accepted is"),
    ],
)
def test_an_input_that_is_wrong_is_refused(values: dict[str, str], words: str) -> None:
    with pytest.raises(BadInput) as refused:
        inputs(**values)
    assert words in str(refused.value)


def test_inputs_become_arguments_none_of_which_can_be_an_option_of_another() -> None:
    asked = inputs(
        mode="plan", templates="--policy=x\n b.yaml", parameters="Count=--help", regions="eu-west-1", fail_on="high"
    )
    arguments = command(asked)
    assert arguments[-3:] == ["--", "--policy=x", "b.yaml"]
    assert "--parameter=Count=--help" in arguments and "--fail-on=high" in arguments
    assert "--fail-on=high" not in command(inputs(mode="audit", fail_on="high", baseline="old.json"))


def test_the_action_hands_over_each_input_and_pins_what_it_uses() -> None:
    steps = ACTION["runs"]["steps"]
    step = next(step for step in steps if step.get("id") == "auditor")
    handed = {name.removeprefix("INPUT_").lower().replace("_", "-") for name in step["env"] if name != "PYTHONPATH"}
    assert handed == ACTION["inputs"].keys() - {"upload-sarif"}
    for used in [step["uses"] for step in steps if "uses" in step]:
        assert len(used.split("@")[1]) == 40, f"{used} can be moved to other code"
    assert not [step for step in steps if "${{" in step.get("run", "")], "an expression in a script runs what it holds"


def test_the_documentation_uses_inputs_that_there_are_and_explains_each() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8").split("## GitHub")[1].split("## GitLab")[0]
    (workflow,) = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    own = [step["with"] for step in steps if step["uses"].startswith("OWNER/sagemaker-auditor@")]
    assert len(own) == 3
    for step_inputs in own:
        assert step_inputs.keys() <= ACTION["inputs"].keys()
        inputs(**{"token": TOKEN, **{name.replace("-", "_"): value for name, value in step_inputs.items()}})
    rows = [name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall("`([a-z-]+)`", row)]
    assert sorted(rows) == sorted(ACTION["inputs"])


# ---- the comment


def test_a_comment_is_written_once_and_then_kept_up_to_date(github: Played) -> None:
    github.add("<!-- m --> another's", login="mallory", type="User")
    for _ in range(130):
        github.add("a bot of another subject")
    address = client(github).keep_comment(7, "<!-- m -->", "<!-- m --> first")
    assert github.comments[-1]["body"] == "<!-- m --> first" and address.endswith("/132")
    client(github).keep_comment(7, "<!-- m -->", "<!-- m --> second")
    assert [comment["body"] for comment in github.comments if "m -->" in comment["body"]] == [
        "<!-- m --> another's",
        "<!-- m --> second",
    ]


def test_with_a_token_of_a_person_the_comment_of_that_person_counts(github: Played) -> None:
    github.login = "robin"
    github.add("<!-- m --> a bot's")
    for body in ("<!-- m --> first", "<!-- m --> second"):
        client(github).keep_comment(7, "<!-- m -->", body)
    assert [comment["body"] for comment in github.comments] == ["<!-- m --> a bot's", "<!-- m --> second"]


def test_what_github_puts_off_is_asked_again(github: Played) -> None:
    github.login, slept = "robin", list[float]()
    github.answers = [
        Answer(429, headers={"Retry-After": "3"}),
        Answer(502, b"<html>"),
        Answer(403, headers={"Retry-After": "900"}),
    ]
    client(github, slept).keep_comment(7, "<!-- m -->", "<!-- m -->")
    assert len(github.comments) == 1 and slept == [3.0, 4.0, 60.0]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([Answer(502)] * 4, "GitHub answers GET /user with 502"),
        ([Answer(200, b"<html>no</html>")], "with something that is no JSON"),
        ([Answer(403), Answer(404, b'{"message": "Not Found"}')], "with 404 (Not Found)"),
        ([Answer(403), Answer(200, b'{"a": 1}')], "list of comments is none"),
        ([Answer(302, headers={"Location": "http://127.0.0.1:9/elsewhere"})], "GET /user with 302"),
    ],
)
def test_what_github_refuses_is_one_sentence(github: Played, answers: list[Answer], words: str) -> None:
    github.answers = list(answers)
    with pytest.raises(GitHubFailed) as failed:
        client(github).keep_comment(7, "<!-- m -->", "text")
    assert words in str(failed.value) and not github.comments


def test_a_token_is_never_sent_in_the_clear() -> None:
    with pytest.raises(GitHubFailed, match="accepted is an https address"):
        GitHub("http://api.example.org", REPOSITORY, TOKEN)


def test_a_long_text_is_cut_at_a_line_with_nothing_left_open() -> None:
    text = "head\n<details><summary>Fixes</summary>\n\n```\n" + "aws sagemaker update-endpoint …\n" * 4_000
    cut = bounded(text)
    assert len(cut) <= COMMENT and cut.count("```") == 2 and cut.count("</details>") == 1
    assert "The rest does not fit" in cut and cut.startswith("head\n")
    assert bounded("short") == "short"


# ---- the step


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a template, which is the folder that the step runs in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yaml").write_text(TEMPLATE.replace("COUNT", "1"))
    (tmp_path / "two.yaml").write_text(TEMPLATE.replace("COUNT", "2"))
    return tmp_path


def runner(workspace: Path, github: Played | None = None, **values: str) -> dict[str, str]:
    """The environment of a step of a pull request."""
    (workspace / "event.json").write_text('{"pull_request": {"number": 7}}')
    variables = {f"INPUT_{name.upper()}": value for name, value in {"token": TOKEN, **values}.items()}
    files = {f"GITHUB_{name}": str(workspace / name.lower()) for name in ("OUTPUT", "STEP_SUMMARY")}
    address = {"GITHUB_API_URL": github.url} if github is not None else {}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    event = {"GITHUB_EVENT_PATH": str(workspace / "event.json"), "GITHUB_REPOSITORY": REPOSITORY}
    return {**kept, **event, **files, **address, **variables, "PYTHONPATH": str(ROOT)}


def outputs(workspace: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (workspace / "output").read_text().splitlines())


@pytest.mark.slow
def test_a_plan_is_commented_on_and_compared_with_its_baseline(
    workspace: Path, github: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(runner(workspace, github, mode="plan", templates="two.yaml", output="base")) == 0
    asked = {"mode": "plan", "templates": "one.yaml", "comment": "true", "fail_on": "high"}
    assert main(runner(workspace, github, **asked, baseline="base/report.json")) == 3
    (comment,) = github.comments
    assert comment["body"].startswith("<!-- sagemaker-auditor: default -->\n## SageMaker audit: what changed")
    assert "endpoint-single-instance" in comment["body"] and TOKEN not in capsys.readouterr().out
    result = outputs(workspace)
    assert (result["worst"], result["comment-url"]) == ("high", comment["html_url"])
    log = json.loads(Path(result["sarif"]).read_text())
    assert all("security" in rule["properties"]["tags"] for rule in log["runs"][0]["tool"]["driver"]["rules"])
    assert main(runner(workspace, github, **{**asked, "templates": "two.yaml"}, baseline="base/report.json")) == 0
    assert len(github.comments) == 1 and "endpoint-single-instance" not in github.comments[0]["body"].split("Fixes")[0]
    assert "what changed" in (workspace / "step_summary").read_text()


@pytest.mark.slow
def test_a_comment_that_is_refused_fails_nothing_and_says_which_permission_it_needs(
    workspace: Path, github: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    github.answers = [Answer(403), Answer(403, b'{"message": "Resource not accessible by integration"}')]
    assert main(runner(workspace, github, mode="plan", templates="one.yaml", comment="true")) == 0
    (warning,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    assert warning.startswith("::warning") and "accepted is a job with `permissions: pull-requests: write`" in warning
    assert outputs(workspace)["comment-url"] == ""


@pytest.mark.slow
def test_the_step_runs_as_the_runner_runs_it_and_nothing_of_the_workspace_is_imported(
    workspace: Path, github: Played
) -> None:
    (workspace / "chalicelib").mkdir()
    (workspace / "chalicelib" / "__init__.py").write_text("raise SystemExit('the code of a stranger ran')")
    (workspace / "json.py").write_text("raise SystemExit('the code of a stranger ran')")
    temporary = workspace / "runner"
    temporary.mkdir()
    (temporary / "sagemaker-auditor").symlink_to(Path(sys.executable).parents[1])
    step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "auditor")
    environment = runner(workspace, github, mode="plan", templates="one.yaml\nnowhere.yaml", comment="true")
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={**environment, "RUNNER_TEMP": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2, ended.stdout + ended.stderr
    (error,) = [line for line in ended.stdout.splitlines() if line.startswith("::error")]
    assert "nowhere.yaml" in error and "stranger" not in ended.stdout + ended.stderr
