"""``auditor plan``: judges what will be deployed. Needs no credentials and asks nothing of AWS."""

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.cli.options import FINDINGS_CODE, ReportFormat
from chalicelib.errors import InvalidInput
from chalicelib.input.marks import clean
from chalicelib.report.severity import Severity

if TYPE_CHECKING:
    from chalicelib.plan.judged import Judged

UNKNOWN_CODE = 4
#: The region of a report where neither option nor environment names one.
REGION = "us-east-1"


def plan(
    template: Annotated[
        list[Path],
        typer.Argument(
            help="CloudFormation templates, the JSON of Terraform plans, or folders of them, judged together.",
            show_default=False,
        ),
    ],
    parameter: Annotated[
        list[str] | None, typer.Option(help="Value of a template's parameter, as Name=Value; repeat for more.")
    ] = None,
    parameters: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="File with values of parameters; --parameter goes first. Repeat for more."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region of the deployment; default: that of the environment.")
    ] = None,
    policy: Annotated[str | None, typer.Option(help="Policy: a name in policies/ or a path.")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Rule to judge by; repeat for more.")] = None,
    severity: Annotated[Severity, typer.Option(help="Show findings from this severity on.")] = Severity.INFO,
    format: ReportFormat = None,
    output: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write the result to this file or folder instead of stdout.")
    ] = None,
    fail_on: Annotated[Severity | None, typer.Option(help="Exit 3 when a finding is at least this severe.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 4 when a value of the template is not known.")] = False,
) -> int:
    """Judge CloudFormation templates or Terraform plans before they are deployed, without asking AWS."""
    from chalicelib.cli import outputs, show
    from chalicelib.plan.parameters import in_file
    from chalicelib.report.formats.writers import WRITERS
    from chalicelib.report.narrowing import narrowed

    files = outputs.planned(outputs.chosen_formats(format or ()), output)
    values: dict[str, str] = {}
    for file in parameters or []:
        values |= in_file(file)
    answer, skipped = judged_plan(template, values | _parameters(parameter or []), region, policy, rule or [])
    for word in skipped:
        print(f"auditor: {clean(word)}", file=sys.stderr)
    report = narrowed(answer.report, severity=severity)
    show.give(report, files, writers=WRITERS)
    for source in answer.empty:
        print(f"auditor: {clean(source)}: nothing of SageMaker is in it", file=sys.stderr)
    worst = report.worst()
    if fail_on is not None and worst is not None and worst.rank >= fail_on.rank:
        return FINDINGS_CODE
    return UNKNOWN_CODE if strict and not report.complete else 0


def judged_plan(
    files: Sequence[Path], values: Mapping[str, str], region: str | None, policy: str | None, rules: Sequence[str]
) -> "tuple[Judged, list[str]]":
    """What these files declare as a report, and a sentence on each file that is none of ours.

    ``values`` are those of the templates' parameters; region and policy default to those of the environment. Raises
    InvalidInput for what cannot be judged, a policy that does not load and a rule that does not exist.
    """
    from chalicelib.plan.files import declared_in
    from chalicelib.plan.judged import ACCOUNT, judged
    from chalicelib.policy.policy import load_policy, unknown_rule
    from chalicelib.scope import Scope, partition_of
    from chalicelib.settings import Settings

    where = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    in_force = load_policy(policy or Settings.from_environment().policy)
    for id in rules:
        if id not in in_force.rules:
            raise InvalidInput(unknown_rule(id, in_force.rules), field="--rule")
    scope = Scope(ACCOUNT, where, partition_of(where), rules=frozenset(rules))
    declarations = declared_in(files, scope, values)
    return judged(declarations.templates, in_force, scope, datetime.now(UTC)), list(declarations.skipped)


def _parameters(written: list[str]) -> dict[str, str]:
    """``Name=Value`` pairs. Raises InvalidInput for anything else, and for a name given twice."""
    pairs: dict[str, str] = {}
    for text in written:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise InvalidInput(f"{text!r} is no parameter; accepted is Name=Value", field="--parameter")
        if name in pairs:
            raise InvalidInput(f"the parameter {name} is given twice; accepted is one value", field="--parameter")
        pairs[name] = value
    return pairs
