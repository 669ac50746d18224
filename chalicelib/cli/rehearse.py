"""``auditor rehearse``: replays a load through a scaling policy before it matters."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.cli.options import Output, Profile, Region, RehearsalFormat
from chalicelib.errors import InvalidInput

if TYPE_CHECKING:
    from rich.console import Console

    from chalicelib.inventory.estate import Inventory
    from chalicelib.inventory.kinds.scaling import ScalableTarget
    from chalicelib.rehearsal.questions import Known, Wishes
    from chalicelib.rehearsal.rehearsal import Question, Rehearsal
    from chalicelib.rehearsal.series import Load

#: The names of an endpoint, its variant and its inference component, as far as they are told.
Named = tuple[str | None, str | None, str | None]
#: The region that a template is read for where nothing names one.
REGION = "us-east-1"
#: Stretches of minutes short that the table lists.
LISTED = 20
#: Columns of the names beside the chart, and the fewest of the chart itself.
LABEL, LEAST_COLUMNS = 10, 40
#: The largest file of a series that is read: two years of minutes.
SERIES_BYTES = 100_000_000


def rehearse(
    endpoint: Annotated[
        str | None, typer.Argument(help="Endpoint; default: what the template scales.", show_default=False)
    ] = None,
    variant: Annotated[str | None, typer.Option(help="Its variant; default: the only one that scales.")] = None,
    component: Annotated[str | None, typer.Option(help="An inference component of the endpoint.")] = None,
    days: Annotated[int, typer.Option(help="Days of the variant's own traffic, 14 at most.")] = 7,
    series: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV of minute and requests: a year, a plan, a launch.")
    ] = None,
    template: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Take the policy from this template or Terraform plan; repeat for more."),
    ] = None,
    minimum: Annotated[int | None, typer.Option("--min", help="Minimum of instances.")] = None,
    maximum: Annotated[int | None, typer.Option("--max", help="Maximum of instances.")] = None,
    target: Annotated[float | None, typer.Option(help="Target: requests a minute by instance, or its backlog.")] = None,
    scale_in: Annotated[int | None, typer.Option(metavar="SECONDS", help="Cooldown of scale-in.")] = None,
    scale_out: Annotated[int | None, typer.Option(metavar="SECONDS", help="Cooldown of scale-out.")] = None,
    warmup: Annotated[
        int | None, typer.Option(metavar="MINUTES", help="From a decision until new instances serve.")
    ] = None,
    capacity: Annotated[float | None, typer.Option(help="What an instance carries in a minute.")] = None,
    traffic_multiplier: Annotated[float, typer.Option(help="So many times the traffic.")] = 1.0,
    lose_zone: Annotated[bool, typer.Option("--lose-zone", help="Tell what the loss of a zone would do.")] = False,
    zones: Annotated[int, typer.Option(help="Zones over which the instances are spread, for --lose-zone.")] = 2,
    max_short: Annotated[int, typer.Option(metavar="MINUTES", help="Minutes that may be short.")] = 15,
    asynchronous: Annotated[
        bool, typer.Option("--asynchronous", help="What the options tell is an asynchronous endpoint.")
    ] = False,
    max_wait: Annotated[
        int, typer.Option(metavar="MINUTES", help="Minutes that a request of an asynchronous endpoint may wait.")
    ] = 15,
    wake_up: Annotated[
        bool, typer.Option("--wake-up", help="With a policy that wakes an asynchronous endpoint for its first request.")
    ] = False,
    format: Annotated[RehearsalFormat, typer.Option(help="How to show it.")] = RehearsalFormat.TABLE,
    output: Output = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Replay traffic through a scaling policy: was there enough, was it too much, and what would have done?"""
    from chalicelib.cli import show
    from chalicelib.rehearsal import rehearsal
    from chalicelib.rehearsal.document import as_json, page
    from chalicelib.rehearsal.questions import Wishes

    wishes = Wishes(
        minimum,
        maximum,
        target,
        scale_out,
        scale_in,
        warmup,
        capacity,
        traffic_multiplier,
        zones if lose_zone else None,
        max_short,
        max_wait=max_wait,
        wake_up=wake_up,
        queued=asynchronous,
    )
    wishes.check()
    load = _load(series) if series is not None else None
    if template or (load is not None and target is not None and maximum is not None):
        asked = _offline(load, series, template, (endpoint, variant, component), wishes)
    elif endpoint is None:
        raise InvalidInput(
            "what to rehearse is not said; accepted are an endpoint, or --series FILE with --template FILE or with "
            "--target and --max",
            field="ENDPOINT",
        )
    else:
        asked = _of_account((endpoint, variant, component), days, wishes, load, series, profile, region)
    answer = rehearsal.rehearse(asked)
    if format is RehearsalFormat.JSON:
        show.text(json.dumps(as_json(answer), indent=2) + "\n", to=output)
    elif format is RehearsalFormat.HTML:
        show.text(page(answer), to=output)
    else:
        show.prose(partial(_print, answer), to=output)


def _offline(
    load: "Load | None",
    series: Path | None,
    templates: Sequence[Path] | None,
    named: "Named",
    wishes: "Wishes",
) -> "Question":
    """The question about a policy that is given or declared, and about traffic of a file. Asks nothing of AWS."""
    from chalicelib.rehearsal.questions import question

    if load is None or series is None:
        raise InvalidInput("which traffic is not said; accepted is --series FILE", field="--series")
    name, known = _known(templates, named, load) if templates else (_name(named), None)
    return question(name, load, series.name, wishes, known)


def _of_account(
    named: tuple[str, str | None, str | None],
    days: int,
    wishes: "Wishes",
    load: "Load | None",
    series: Path | None,
    profile: str | None,
    region: str | None,
) -> "Question":
    """The question about a policy as AWS has it, and about the variant's own traffic or that of a file."""
    from chalicelib.cli.sessions import new_service
    from chalicelib.inventory.aws import Aws
    from chalicelib.rehearsal.account import question_of

    service = new_service(profile, region)
    scope = service.scope()
    named_load = (load, series.name) if load is not None and series is not None else None
    aws = Aws(service.session, scope.region)
    endpoint, variant, component = named
    return question_of(aws, scope, endpoint, variant, days, wishes, datetime.now(UTC), named_load, component)


def _name(named: "Named") -> str:
    return "/".join(part for part in named if part) or "Variant"


def _load(series: Path) -> "Load":
    """The load of a file. Raises InvalidInput."""
    from chalicelib.rehearsal.questions import load_of

    try:
        if series.stat().st_size > SERIES_BYTES:
            raise InvalidInput(f"{series} is larger than {SERIES_BYTES:,} bytes", field="--series")
        with series.open(encoding="utf-8", errors="replace", newline="") as lines:
            return load_of(lines, str(series))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInput(f"{series} cannot be read: {reason}", field="--series") from None


def _known(templates: Sequence[Path], named: "Named", load: "Load") -> tuple[str, "Known"]:
    """What templates declare of the scaling of a variant, and its name. Raises InvalidInput."""
    from chalicelib.inventory.facts import Unread
    from chalicelib.plan.estate import Builder
    from chalicelib.plan.files import declared_in
    from chalicelib.plan.judged import ACCOUNT
    from chalicelib.scope import Scope, partition_of

    where = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    scope = Scope(ACCOUNT, where, partition_of(where))
    now = datetime.now(UTC)
    estates = [Builder(file, scope, now).inventory() for file in declared_in(templates, scope, {}).templates]
    pairs: list[tuple[Inventory, ScalableTarget]] = [(estate, aim) for estate in estates for aim in estate.targets]
    chosen = [(estate, aim) for estate, aim in pairs if _meant(aim, named)]
    if len(chosen) != 1:
        names = ", ".join(aim.name for _, aim in pairs) or "none"
        raise InvalidInput(
            f"{len(chosen)} scalable targets of the template are meant; accepted is one of: {names}", field="ENDPOINT"
        )
    estate, aim = chosen[0]
    try:
        return aim.name, _read(estate, aim, load, templates)
    except Unread as unread:
        raise InvalidInput(f"the template leaves open what the rehearsal needs: {unread}", field="--template") from None


def _meant(aim: "ScalableTarget", named: "Named") -> bool:
    """Whether a target is that of the endpoint, variant or component that is named; of a component a template tells
    nothing but its own name."""
    endpoint, variant, component = named
    if component is not None or aim.scales_copies:
        return aim.scales_copies and variant is None and component in (None, aim.name)
    return (endpoint is None or aim.name.split("/")[0] == endpoint) and variant in (None, aim.name.split("/")[-1])


def _read(estate: "Inventory", aim: "ScalableTarget", load: "Load", templates: Sequence[Path]) -> "Known":
    from chalicelib.inventory.facts import Unread
    from chalicelib.inventory.kinds.endpoints import Variant
    from chalicelib.rehearsal.policies import Unreplayable, replayable
    from chalicelib.rehearsal.questions import Known

    try:
        scaled = estate.scaled_by(aim)
    except Unread:
        scaled = None  # the endpoint is declared elsewhere: what it is decides nothing here
    queued = isinstance(scaled, Variant) and bool(scaled.known("asynchronous"))
    policies = estate.policies_of(aim)
    names = {alarm.name for policy in policies for alarm in policy.known("alarms") or ()}
    answer = replayable(
        aim,
        policies,
        {name: estate.alarm(name) for name in names},
        estate.schedules_of(aim),
        load.begin,
        load.minutes,
        asynchronous=queued,
    )
    if isinstance(answer, Unreplayable):
        raise InvalidInput(f"{aim.name} cannot be rehearsed: {answer.reason}", field="--template")
    files = " and ".join(path.name for path in templates)
    return Known(answer, f"as {files} declares it", queued=queued, copies=aim.scales_copies)


def _print(answer: "Rehearsal", console: "Console") -> None:
    from rich.text import Text

    from chalicelib.rehearsal.chart import chart
    from chalicelib.rehearsal.fix import fix
    from chalicelib.rehearsal.words import counted, moment, sentences
    from chalicelib.report.charts import MOST_BUCKETS, axis, lines
    from chalicelib.templating import clean

    for number, sentence in enumerate(sentences(answer)):
        console.print(Text(clean(sentence), "bold" if number == 0 else ""), soft_wrap=True)
    console.print()
    columns = min(MOST_BUCKETS, max(LEAST_COLUMNS, console.width - LABEL))
    picture = chart(answer, columns)
    for name, _, blocks in lines(picture, columns, monospaced=True):
        console.print(Text.assemble((f"{name:>9} ", "dim"), blocks), soft_wrap=True)
    console.print(Text(" " * LABEL + axis(picture, columns), "dim"), soft_wrap=True)
    console.print()
    stretches = answer.replay.short
    load = answer.question.load.values
    for stretch in stretches[:LISTED]:
        peak = max((value for value in load[stretch.begin : stretch.end] if value == value), default=0.0)
        line = f"short from {moment(answer, stretch.begin)} for {counted(stretch.minutes)}, up to {peak:,.0f} a minute"
        console.print(Text(line), soft_wrap=True)
    if len(stretches) > LISTED:
        console.print(Text(f"and {len(stretches) - LISTED} more stretches"), soft_wrap=True)
    basis = answer.question.basis
    for name, text in (
        ("load", basis.load),
        ("policy", basis.setting),
        ("capacity", basis.capacity),
        ("warm-up", basis.warmup),
    ):
        console.print(Text.assemble((f"{name:>9} ", "dim"), clean(text)), soft_wrap=True)
    for note in basis.notes:
        console.print(Text.assemble((f"{'note':>9} ", "dim"), clean(note)), soft_wrap=True)
    mended = fix(answer)
    if mended is not None:
        console.print()
        for text in mended.commands or (mended.cloudformation, mended.terraform):
            console.print(Text(text), soft_wrap=True)
