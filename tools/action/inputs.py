"""The inputs of the Action, as the runner hands them over: ``INPUT_<NAME>`` in the environment, always texts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

Mode = Literal["plan", "audit"]
MODES: dict[str, Mode] = {"plan": "plan", "audit": "audit"}
SEVERITIES = ("critical", "high", "medium", "low", "info")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_NAME = re.compile(r"[A-Za-z0-9 ._-]{1,60}")
_PARAMETER = re.compile(r"[A-Za-z0-9]+=.*", re.DOTALL)


class BadInput(Exception):
    """An input is wrong; the text says which, and what is accepted."""


@dataclass(frozen=True)
class Inputs:
    """What the workflow asks for. ``baseline`` is the JSON report to compare with; ``name`` tells apart the comments of
    several steps; ``output`` is the folder that the files go to."""

    mode: Mode
    templates: tuple[str, ...]
    parameters: tuple[str, ...]
    regions: tuple[str, ...]
    policy: str
    fail_on: str
    strict: bool
    baseline: str
    comment: bool
    name: str
    output: str
    token: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Inputs":
        """The inputs of a step. Raises BadInput."""

        def text(name: str, default: str = "") -> str:
            return environment.get(f"INPUT_{name.upper()}", "").strip() or default

        def flag(name: str) -> bool:
            value = text(name, "false")
            if value not in ("true", "false"):
                raise BadInput(f"{_written(name)} {value[:40]!r} is neither; accepted are true and false")
            return value == "true"

        mode = MODES.get(text("mode"))
        if mode is None:
            raise BadInput(f"mode {text('mode')[:40]!r} is unknown; accepted are {' and '.join(MODES)}")
        inputs = cls(
            mode=mode,
            templates=_lines(text("templates")),
            parameters=_lines(text("parameters")),
            regions=tuple(text("regions").replace(",", " ").split()),
            policy=text("policy"),
            fail_on=text("fail_on"),
            strict=flag("strict"),
            baseline=text("baseline"),
            comment=flag("comment"),
            name=text("name", "default"),
            output=text("output", "sagemaker-auditor"),
            token=text("token"),
        )
        inputs._check()
        return inputs

    def _check(self) -> None:
        if self.mode == "plan" and not self.templates:
            raise BadInput("mode plan needs templates; accepted are paths of templates, plans or folders, one a line")
        if self.mode == "audit" and (self.templates or self.parameters):
            raise BadInput("templates and parameters go with mode plan; accepted with mode audit is neither")
        if self.mode == "plan" and len(self.regions) > 1:
            raise BadInput(f"{len(self.regions)} regions; accepted with mode plan is one")
        for region in self.regions:
            if not _REGION.fullmatch(region):
                raise BadInput(f"regions: {region[:40]!r} is no region; accepted are names as eu-west-1")
        for parameter in self.parameters:
            if not _PARAMETER.fullmatch(parameter):
                raise BadInput(f"parameters: {parameter[:40]!r} is no parameter; accepted is Name=Value, one a line")
        if self.fail_on and self.fail_on not in SEVERITIES:
            raise BadInput(f"fail-on {self.fail_on[:40]!r} is no severity; accepted are {', '.join(SEVERITIES)}")
        if not _NAME.fullmatch(self.name):
            raise BadInput(f"name {self.name[:40]!r}; accepted are up to 60 letters, digits, spaces, '.', '_' and '-'")
        folder = PurePosixPath(self.output)
        if folder.is_absolute() or ".." in folder.parts or "\n" in self.output:
            raise BadInput(f"output {self.output[:80]!r} lies elsewhere; accepted is a folder within the workspace")
        if self.comment and not self.token:
            raise BadInput("comment needs token; accepted is ${{ github.token }}, or comment: false")


def _written(name: str) -> str:
    """An input as the workflow writes it."""
    return name.replace("_", "-")


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
