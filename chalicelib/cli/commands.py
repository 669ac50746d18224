"""The commands of the terminal and their options. Each imports what it uses when it runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from chalicelib import __version__
from chalicelib.cli import completion
from chalicelib.cli.audit import audit
from chalicelib.cli.mcp import mcp
from chalicelib.cli.options import (
    FINDINGS_CODE,
    NOTICE_FORMS,
    CalendarFormat,
    DiffFormat,
    DoctorFormat,
    NoProgress,
    Output,
    PolicyName,
    Profile,
    Region,
    ReportFormat,
    RulesFormat,
    Several,
    known_form,
)
from chalicelib.cli.plan import plan
from chalicelib.cli.rehearse import rehearse
from chalicelib.errors import InvalidInput
from chalicelib.input.marks import clean
from chalicelib.report.severity import Severity

app = typer.Typer(
    help="Audits Amazon SageMaker for resilience and scaling. Reads only; changes nothing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
policy_app = typer.Typer(help="Policy files.", no_args_is_help=True)
app.add_typer(policy_app, name="policy")

app.command()(audit)


@app.command()
def replay(
    event: Annotated[Path, typer.Argument(help="File with an event as EventBridge delivers it.")],
    profile: Profile = None,
    policy: PolicyName = None,
    render: Annotated[
        str, typer.Option(metavar=NOTICE_FORMS, callback=known_form, help="How to show the notices.")
    ] = "email",
    output: Output = None,
) -> int:
    """Show what an event would audit, and the notices that it would send. Sends and remembers nothing."""
    from chalicelib.cli import show
    from chalicelib.cli.render import event_in, rendered
    from chalicelib.cli.sessions import new_service
    from chalicelib.events import scope_of

    payload = event_in(event)
    scope = scope_of(payload)
    service = new_service(profile, scope.region, policy)
    report, notices = service.replay(scope)
    named = ", ".join(f"{ref.kind} {ref.name}" for ref in scope.resources)
    print(f"audits {clean(named)} in account {scope.account}, {scope.region}: ", end="", file=sys.stderr)
    print(f"{len(report.findings)} findings, {len(notices)} notices", file=sys.stderr)
    show.text(rendered(notices, render), to=output)
    return 0


@app.command()
def rules(
    rule: Annotated[
        str | None, typer.Argument(help="Id of one rule; default: list all.", autocompletion=completion.rule_ids)
    ] = None,
    policy: PolicyName = None,
    topic: Annotated[str | None, typer.Option(metavar="TOPIC", help="The rules of one topic.")] = None,
    format: Annotated[RulesFormat, typer.Option(help="How to show them.")] = RulesFormat.TABLE,
    output: Output = None,
) -> None:
    """List the rules with the policy in force, or tell one of them in full: why, fix, references."""
    from chalicelib.cli.catalogue import run_rules
    from chalicelib.policy.policy import load_policy

    if rule is not None and topic is not None:
        raise InvalidInput("give either a rule or --topic", field="--topic")
    run_rules(rule, load_policy(policy or "baseline"), topic=topic, format=format, to=output)


@policy_app.command("check")
def policy_check(file: Annotated[str, typer.Argument(help="Policy: a path, or a name in policies/.")]) -> None:
    """Check a policy file; say line, key and what would be accepted."""
    from chalicelib.policy.policy import load_policy

    loaded = load_policy(file)
    print(f"{clean(file)}: good; {len(loaded.enabled())} of {len(loaded.rules)} rules enabled, digest {loaded.digest}")


@app.command()
def doctor(
    profile: Profile = None,
    region: Region = None,
    policy: PolicyName = None,
    format: Annotated[DoctorFormat, typer.Option(help="How to show it.")] = DoctorFormat.TABLE,
    event: Annotated[bool, typer.Option("--event", help="Try what the audit of a named resource needs.")] = False,
    org: Annotated[
        bool, typer.Option("--org", help="Look at every account of the organization, by the role of --role there.")
    ] = False,
    account: Annotated[
        Several, typer.Option(metavar="ACCOUNT", help="Look at this account, by the role of --role; repeat for more.")
    ] = None,
    role: Annotated[str | None, typer.Option(metavar="ROLE", help="With --org: the name of the role there.")] = None,
    external_id: Annotated[str | None, typer.Option(metavar="ID", help="External id that the role asks for.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 4 when a permission is missing.")] = False,
    output: Output = None,
) -> int:
    """Check credentials, region, settings, policy and each permission; say what is blind without. Changes nothing."""
    from chalicelib.cli.doctor import BLIND, exit_code, run_doctor

    if org or account:
        from chalicelib.cli.members import run_members

        if event:
            raise InvalidInput(
                "--event looks at one account; accepted with --org and --account is neither", field="--event"
            )
        organization = run_members(
            profile=profile,
            region=region,
            policy=policy,
            role=role,
            external_id=external_id,
            accounts=tuple(account or ()),
            format=format,
            to=output,
        )
        return BLIND if strict and not organization.ready else 0
    if role or external_id:
        raise InvalidInput("--role goes with --org and --account; accepted without them is a profile", field="--role")

    diagnosis = run_doctor(profile=profile, region=region, policy=policy, format=format, event=event, to=output)
    return exit_code(diagnosis, strict=strict)


@app.command("show")
def show_report(
    report: Annotated[
        str, typer.Argument(help="A report as JSON: a file, s3://BUCKET/KEY, or - for stdin.", metavar="REPORT")
    ],
    format: ReportFormat = None,
    severity: Annotated[Severity, typer.Option(help="Show findings from this severity on.")] = Severity.INFO,
    output: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Write to this file, or into this folder as report.json, report.sarif, …"),
    ] = None,
    profile: Profile = None,
) -> None:
    """Show a report that was kept, in any format. Audits nothing."""
    from chalicelib.cli.kept import run_show

    run_show(report, formats=format or (), output=output, severity=severity, profile=profile)


@app.command()
def fix(
    asked: Annotated[
        str,
        typer.Argument(
            metavar="FINDING-OR-RESOURCE",
            help="Id of a finding, name or ARN of a resource, or a rule, as the report shows it.",
        ),
    ],
    report: Annotated[
        str | None,
        typer.Option(metavar="REPORT", help="A JSON file, s3://BUCKET/KEY, or - for stdin. Default: the last audit's."),
    ] = None,
    profile: Profile = None,
    output: Output = None,
) -> None:
    """Tell how to fix a finding: text, commands, snippets for templates. Changes nothing."""
    from chalicelib.cli.fixes import run_fix

    run_fix(asked, report=report, profile=profile, to=output)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="The report before: a JSON file, or - for stdin.")],
    new: Annotated[str, typer.Argument(help="The report now: a JSON file, or - for stdin.")],
    format: Annotated[DiffFormat, typer.Option(help="How to show it.")] = DiffFormat.TABLE,
    fail_on: Annotated[
        Severity | None, typer.Option(help="Exit 3 when a new or worse finding is at least this severe.")
    ] = None,
    output: Output = None,
) -> int:
    """Tell what is new, worse, better, resolved or no longer seen between two reports."""
    from chalicelib.cli.diff import alarms, run_diff

    return FINDINGS_CODE if alarms(run_diff(old, new, format=format, to=output), fail_on) else 0


@app.command()
def calendar(
    profile: Profile = None,
    region: Annotated[
        Several, typer.Option(metavar="REGION", help="AWS region; repeat for more.", autocompletion=completion.regions)
    ] = None,
    policy: PolicyName = None,
    report: Annotated[
        str | None, typer.Option(metavar="FILE", help="Take it from this report (JSON, or - for stdin); ask nothing.")
    ] = None,
    format: Annotated[CalendarFormat, typer.Option(help="How to show it.")] = CalendarFormat.TABLE,
    output: Output = None,
    no_progress: NoProgress = False,
) -> None:
    """List what ends, and when: reservations, platforms, exemptions."""
    from chalicelib.cli.calendar import run_calendar

    if report is not None and (profile or region or policy):
        raise InvalidInput("a report asks nothing of AWS; accepted is --report alone", field="--report")
    run_calendar(
        report=report,
        profile=profile,
        regions=region or (),
        policy=policy,
        format=format,
        to=output,
        progress=not no_progress,
    )


@app.command()
def prices(
    region: Annotated[
        list[str],
        typer.Option(
            metavar="REGION", help="Region whose prices to read; repeat for more.", autocompletion=completion.regions
        ),
    ],
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a price file, as --prices FILE reads it.")
    ] = None,
    profile: Profile = None,
) -> None:
    """Read the AWS Price List of SageMaker instances (needs pricing:GetProducts), as a price file."""
    from chalicelib.cli.prices import run_prices

    run_prices(regions=region, to=save, profile=profile)


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Where the JSON report goes; the page goes beside it.")] = Path(
        "out/demo-report.json"
    ),
    policy: PolicyName = None,
    no_progress: NoProgress = False,
) -> None:
    """Audit a lifelike account on the embedded emulator, without AWS and without credentials."""
    from chalicelib.cli.demo import run_demo

    run_demo(output, policy=policy or "baseline", progress_enabled=not no_progress)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=0, max=65535)] = 8000,
    profile: Profile = None,
    region: Region = None,
    policy: PolicyName = None,
    demo: Annotated[bool, typer.Option("--demo", help="Serve the demo account on the embedded emulator.")] = False,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="With --demo: sweep first and keep a ledger, as a deployed stack does.")
    ] = False,
) -> None:
    """Answer the HTTP routes on the loopback interface. IAM is not checked there."""
    from chalicelib.cli.serve import run_server

    run_server(port, profile=profile, region=region, policy=policy, demo=demo, ledger=ledger)


@app.command("completion")
def completion_script(
    context: typer.Context, shell: Annotated[completion.Shell, typer.Argument(help="The shell to complete in.")]
) -> None:
    """Print the script that lets a shell complete commands, options, rules and formats."""
    completion.script(context, shell)


app.command()(plan)
app.command()(mcp)
app.command()(rehearse)


@app.callback(invoke_without_command=True)
def version(show_version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    """Audits Amazon SageMaker for resilience and scaling. Reads only; changes nothing."""
    if show_version:
        print(f"auditor {__version__}")
        raise typer.Exit


completion.prepare()
cli = typer.main.get_command(app)
