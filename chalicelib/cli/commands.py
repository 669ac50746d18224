"""The commands of the terminal and their options."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from chalicelib import __version__
from chalicelib.cli import show
from chalicelib.cli.explain import Explanation
from chalicelib.cli.progress import shown_progress
from chalicelib.cli.render import Channel, event_in, rendered
from chalicelib.cli.sessions import new_service
from chalicelib.errors import InvalidInput
from chalicelib.events import scope_of
from chalicelib.findings import Report, Severity
from chalicelib.formats import WRITERS
from chalicelib.policy import load_policy, unknown_rule
from chalicelib.scope import parse_resource

FINDINGS_CODE, BLIND_CODE = 3, 4

app = typer.Typer(
    help="Audits Amazon SageMaker for resilience and scaling. Reads only; changes nothing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
policy_app = typer.Typer(help="Policy files.", no_args_is_help=True)
app.add_typer(policy_app, name="policy")


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    MARKDOWN = "markdown"
    JUNIT = "junit"
    SARIF = "sarif"
    ASFF = "asff"


Profile = Annotated[str | None, typer.Option(help="AWS profile.")]
Region = Annotated[str | None, typer.Option(help="AWS region; default: that of the environment.")]
PolicyName = Annotated[str | None, typer.Option(help="Policy: a name in policies/ or a path.")]
Output = Annotated[Path | None, typer.Option(help="Write the result to this file instead of stdout.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Describe every endpoint config anew; remember none.")]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="No progress on stderr.")]


@app.command()
def audit(
    profile: Profile = None,
    region: Region = None,
    policy: PolicyName = None,
    resource: Annotated[list[str] | None, typer.Option(help="ARN of a resource to audit; repeat for more.")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Rule to judge by; repeat for more.")] = None,
    severity: Annotated[Severity, typer.Option(help="Show findings from this severity on.")] = Severity.INFO,
    format: Annotated[Format, typer.Option(help="How to show the report.")] = Format.TABLE,
    output: Output = None,
    fail_on: Annotated[Severity | None, typer.Option(help="Exit 3 when a finding is at least this severe.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 4 when something could not be read.")] = False,
    explain: Annotated[
        str | None, typer.Option(help="Print every rule's outcome for one resource (ARN or name), with its reason.")
    ] = None,
    render: Annotated[
        Channel | None, typer.Option(help="Show the notices that would be sent, as this channel would get them.")
    ] = None,
    no_cache: NoCache = False,
    no_progress: NoProgress = False,
) -> int:
    """Audit one account and region, or the resources named."""
    if explain is not None:
        if resource:
            raise InvalidInput("give either --explain or --resource", field="--explain")
        resource = [explain] if explain.startswith("arn:") else []
    witness = Explanation()
    with shown_progress(enabled=not no_progress) as progress:
        service = new_service(profile, region, policy, progress, remember=not no_cache)
        known = service.policy.rules  # a wrong policy or rule is told before anything is asked of AWS
        for id in rule or []:
            if id not in known:
                raise InvalidInput(unknown_rule(id, known), field="--rule")
        where, account = service.region, service.identity.account
        refs = [parse_resource(arn, account=account, region=where, field="--resource") for arn in resource or []]
        scope = service.scope(where, refs, rule or [])
        report = service.audit(scope, "cli", witness if explain else None)
    if explain is not None:
        about = witness.about(explain, scope)
        show.explained(about, service.policy, json=format is Format.JSON, to=output)
        return _exit_code(report, fail_on, strict)
    if render is not None:
        show.text(rendered(service.preview(report, scope), render), to=output)
        return _exit_code(report, fail_on, strict)
    kept = [one for one in report.findings if one.severity.rank >= severity.rank]
    report = report.model_copy(update={"findings": kept})
    if format is Format.TABLE:
        show.write(report, to=output)
    else:
        show.text(WRITERS[format.value](report), to=output)
    return _exit_code(report, fail_on, strict)


def _exit_code(report: Report, fail_on: Severity | None, strict: bool) -> int:
    worst = report.worst()
    if fail_on is not None and worst is not None and worst.rank >= fail_on.rank:
        return FINDINGS_CODE
    return BLIND_CODE if strict and report.blind_spots else 0


@app.command()
def replay(
    event: Annotated[Path, typer.Argument(help="File with an event as EventBridge delivers it.")],
    profile: Profile = None,
    policy: PolicyName = None,
    render: Annotated[Channel, typer.Option(help="How to show the notices.")] = Channel.EMAIL,
    output: Output = None,
) -> int:
    """Show what an event would audit, and the notices that it would send. Sends and remembers nothing."""
    given = event_in(event)
    scope = scope_of(given)
    service = new_service(profile, scope.region, policy)
    report, notices = service.replay(scope)
    named = ", ".join(f"{ref.kind} {ref.name}" for ref in scope.resources)
    print(f"audits {named} in account {scope.account}, {scope.region}: ", end="", file=sys.stderr)
    print(f"{len(report.findings)} findings, {len(notices)} notices", file=sys.stderr)
    show.text(rendered(notices, render), to=output)
    return 0


@app.command()
def rules(
    rule: Annotated[str | None, typer.Argument(help="Id of one rule; default: list all.")] = None,
    policy: PolicyName = None,
) -> None:
    """List the rules with the policy in force, or tell one of them in full."""
    loaded = load_policy(policy or "baseline")
    if rule is None:
        show.catalogue(loaded)
    elif rule in loaded.rules:
        show.rule(loaded.rules[rule].rule, loaded)
    else:
        raise InvalidInput(unknown_rule(rule, loaded.rules))


@policy_app.command("check")
def policy_check(file: Annotated[str, typer.Argument(help="Policy: a path, or a name in policies/.")]) -> None:
    """Check a policy file; say line, key and what would be accepted."""
    loaded = load_policy(file)
    print(f"{file}: good; {len(loaded.enabled())} of {len(loaded.rules)} rules enabled, digest {loaded.digest}")


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Where the JSON report goes.")] = Path("out/demo-report.json"),
    no_progress: NoProgress = False,
) -> None:
    """Audit a lifelike account on the embedded emulator, without AWS and without credentials."""
    from chalicelib.cli.demo import run_demo

    run_demo(output, progress_enabled=not no_progress)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=0, max=65535)] = 8000,
    profile: Profile = None,
    region: Region = None,
    policy: PolicyName = None,
    demo: Annotated[bool, typer.Option("--demo", help="Serve the demo account on the embedded emulator.")] = False,
) -> None:
    """Answer the HTTP routes on the loopback interface. IAM is not checked there."""
    from chalicelib.cli.serve import run_server

    run_server(port, profile=profile, region=region, policy=policy, demo=demo)


@app.callback(invoke_without_command=True)
def version(show_version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    """Audits Amazon SageMaker for resilience and scaling. Reads only; changes nothing."""
    if show_version:
        print(f"auditor {__version__}")
        raise typer.Exit


cli = typer.main.get_command(app)
