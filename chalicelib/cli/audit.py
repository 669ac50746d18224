"""The command ``audit``: its options, what of the report is shown and written, and its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.cli import completion
from chalicelib.cli.options import (
    BLIND_CODE,
    FINDINGS_CODE,
    NOTICE_FORMS,
    PASSES_IN,
    NoProgress,
    PolicyName,
    PricesFrom,
    Profile,
    ReportFormat,
    Several,
    known_form,
)
from chalicelib.errors import InvalidInput
from chalicelib.input.marks import clean
from chalicelib.report.severity import Severity

if TYPE_CHECKING:
    from chalicelib.report.findings import Report
    from chalicelib.service import Service


def audit(
    profile: Profile = None,
    region: Annotated[
        Several,
        typer.Option(
            metavar="REGION",
            help="AWS region; repeat for more. Default: that of the environment.",
            autocompletion=completion.regions,
        ),
    ] = None,
    all_regions: Annotated[
        bool, typer.Option("--all-regions", help="Every region that the account has enabled.")
    ] = False,
    role: Annotated[
        str | None,
        typer.Option(metavar="ROLE", help="Role to assume: its ARN, or its name (also with --account and --org)."),
    ] = None,
    external_id: Annotated[str | None, typer.Option(metavar="ID", help="External id that the role asks for.")] = None,
    account: Annotated[
        Several, typer.Option(metavar="ACCOUNT", help="Account to audit, by the role of --role there; repeat for more.")
    ] = None,
    org: Annotated[
        bool, typer.Option("--org", help="Every active account of the organization, by the role of --role there.")
    ] = False,
    policy: PolicyName = None,
    resource: Annotated[
        Several, typer.Option(metavar="ARN", help="ARN of a resource to audit; repeat for more.")
    ] = None,
    rule: Annotated[
        Several,
        typer.Option(metavar="RULE", help="Rule to judge by; repeat for more.", autocompletion=completion.rule_ids),
    ] = None,
    severity: Annotated[Severity, typer.Option(help="Show findings from this severity on.")] = Severity.INFO,
    tag: Annotated[
        Several,
        typer.Option(
            metavar="KEY=VALUE",
            help="Show findings on resources with this tag: KEY=VALUE or KEY; repeat to ask for all of them. As much "
            "is read as without it.",
        ),
    ] = None,
    format: ReportFormat = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Write to this file, or into this folder as report.json, report.sarif, …"),
    ] = None,
    fail_on: Annotated[
        Severity | None, typer.Option(help="Exit 3 when a finding that is shown is at least this severe.")
    ] = None,
    fail_on_saving: Annotated[
        float | None,
        typer.Option(
            metavar="USD", min=0, help="Exit 3 when the findings shown could save this much a month; needs prices."
        ),
    ] = None,
    prices: PricesFrom = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 4 when something could not be read.")] = False,
    passes: Annotated[
        bool, typer.Option("--passes", help=f"List what was judged and passed, too: in {', '.join(PASSES_IN)}.")
    ] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="RESOURCE", help="Print every rule's outcome for one resource (ARN or name), with its reason."
        ),
    ] = None,
    render: Annotated[
        str | None,
        typer.Option(
            metavar=NOTICE_FORMS,
            callback=known_form,
            help="Show the notices that would be sent, as this channel would get them.",
        ),
    ] = None,
    no_rehearsal: Annotated[
        bool,
        typer.Option(
            "--no-rehearsal", help="Replay no traffic: the rules of rehearsals do not judge, and no minutes are read."
        ),
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Describe every endpoint config anew; remember none.")
    ] = False,
    no_progress: NoProgress = False,
) -> int:
    """Audit an account and region, many of them, or the resources named."""
    from chalicelib.cli import fixes, outputs, show
    from chalicelib.cli.explain import Explanation
    from chalicelib.cli.places import Asked, Survey, places, with_resources
    from chalicelib.cli.render import rendered
    from chalicelib.cli.sessions import new_service
    from chalicelib.notices.decide import preview
    from chalicelib.report.narrowing import narrowed

    formats = outputs.chosen_formats(format or ())
    tags = _tags(tag or ())
    if passes and (strange := [name for name in formats if name not in PASSES_IN]):
        raise InvalidInput(f"{strange[0]} lists no passes; accepted are {', '.join(PASSES_IN)}", field="--passes")
    if explain is not None and resource:
        raise InvalidInput("give either --explain or --resource", field="--explain")
    if (explain is not None or render is not None) and len(formats) > 1:
        raise InvalidInput("--explain and --render give one text; accepted is one --format", field="--format")
    service = new_service(
        profile,
        region[0] if region else None,
        policy,
        anywhere=all_regions,
        remember=not no_cache,
        prices=prices,
    )
    if fail_on_saving is not None and service.prices is None:
        raise InvalidInput(
            "--fail-on-saving needs prices; accepted are --prices and AUDITOR_PRICES=on", field="--fail-on-saving"
        )
    asked = Asked(region or (), all_regions, account or (), org, *_role(role, external_id, org, account, service))
    rules = _known_rules(rule or (), service)  # a wrong policy or rule is told before anything is asked of AWS
    if no_rehearsal:
        rules = _without_rehearsal(rules, service)
    files = outputs.planned(formats, output)
    named = resource or ([explain] if explain is not None and explain.startswith("arn:") else [])
    chosen = with_resources(places(asked, service, _tell), named)
    survey = Survey(service, rules, tags, progress=not no_progress, passes=passes)
    if explain is None and render is None:
        report = survey.all(chosen) if len(chosen) > 1 else survey.report_of(chosen[0])
        if not no_cache:
            fixes.remember(report)
        shown = narrowed(report, severity=severity)
        show.give(shown, files, fixes="" if no_cache else "auditor fix")
        return _exit_code(shown, fail_on, fail_on_saving, strict)
    if len(chosen) != 1:
        raise InvalidInput(
            f"--explain and --render look at one account and region, and {len(chosen)} are asked for", field="--region"
        )
    scope, to = survey.scope(chosen[0]), next(iter(files.values()))
    witness = Explanation() if explain is not None else None
    report = survey.report_of(chosen[0], witness)
    if witness is not None and explain is not None:
        show.explained(witness.about(explain, scope), service.policy, report, json=formats == ["json"], to=to)
    elif render is not None:
        show.text(rendered(preview(report, service.policy, whole=scope.whole), render), to=to)
    return _exit_code(report, fail_on, fail_on_saving, strict)


def _role(
    role: str | None, external_id: str | None, org: bool, account: Sequence[str] | None, service: Service
) -> tuple[str | None, str | None]:
    """The role and external id of the options; other accounts are entered by those of the environment by default."""
    if not org and not account:
        return role, external_id
    role = role or service.settings.role_name
    return role, external_id or (service.settings.external_id if role else None)


def _known_rules(ids: Sequence[str], service: Service) -> frozenset[str]:
    from chalicelib.policy.policy import unknown_rule

    known = service.policy.rules
    for id in ids:
        if id not in known:
            raise InvalidInput(unknown_rule(id, known), field="--rule")
    return frozenset(ids)


def _without_rehearsal(ids: frozenset[str], service: Service) -> frozenset[str]:
    """The rules asked for, or those of the policy, that replay no traffic."""
    from chalicelib.inventory.parts import Part

    enabled = service.policy.enabled(ids)
    kept = frozenset(id for id, setting in enabled.items() if Part.MINUTES not in setting.rule.reads)
    if not kept:
        raise InvalidInput(
            "without rehearsals none of these rules is left; accepted is another rule", field="--no-rehearsal"
        )
    return kept


def _tags(texts: Sequence[str]) -> dict[str, str | None]:
    """Keys with the value asked for, None where any will do."""
    tags: dict[str, str | None] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key:
            raise InvalidInput(f"{text!r} is no tag; accepted are KEY=VALUE and KEY", field="--tag")
        if equals and tags.get(key) not in (None, value):
            raise InvalidInput(f"no resource has two values of the tag {key!r}; accepted is one", field="--tag")
        tags[key] = value if equals else tags.get(key)
    return tags


def _tell(sentence: str) -> None:
    print(f"auditor: {clean(sentence)}", file=sys.stderr)


def _exit_code(report: Report, fail_on: Severity | None, fail_on_saving: float | None, strict: bool) -> int:
    worst = report.worst()
    if fail_on_saving is not None and report.money is not None:
        saving = report.money.totals.saving_usd
        if saving > 0 and saving >= fail_on_saving:
            return FINDINGS_CODE
    if fail_on is not None and worst is not None and worst.rank >= fail_on.rank:
        return FINDINGS_CODE
    return BLIND_CODE if strict and not report.complete else 0
