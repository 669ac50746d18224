"""The demo: the embedded emulator with a lifelike account, the real audit over HTTP, and how to go on."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

import boto3

from chalicelib.cli import show
from chalicelib.cli.outputs import check, save_all
from chalicelib.cli.progress import shown_progress
from chalicelib.cli.sessions import price_file
from chalicelib.errors import AuditorError
from chalicelib.report.formats.writers import WRITERS
from chalicelib.service import Service
from chalicelib.settings import Settings

#: Prices that are made up, and say so.
SAMPLE_PRICES = Path(__file__).resolve().parents[2] / "emulator" / "prices.json"
ACCOUNT, REGION = "123456789012", "eu-west-1"


@contextmanager
def demo_account() -> Iterator[boto3.Session]:
    """The demo account on a free loopback port; the process talks to it and to nothing else meanwhile."""
    try:
        from emulator.account import build
        from emulator.server import Emulator
    except ImportError as error:
        raise AuditorError(
            f"the demo needs more than is installed ({error}): accepted are `make demo` in a checkout, and an "
            "installation with the extra demo, as pipx install '.[demo]'"
        ) from None
    before = dict(os.environ)
    with Emulator() as emulator:
        for name in [variable for variable in os.environ if variable.startswith(("AWS_", "AUDITOR_"))]:
            del os.environ[name]
        os.environ |= {
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_ACCESS_KEY_ID": "demo",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        try:
            build(ACCOUNT, REGION, now=datetime.now(UTC))
            yield boto3.Session(region_name=REGION)
        finally:
            os.environ.clear()
            os.environ.update(before)


def run_demo(output: Path, *, policy: str, progress_enabled: bool) -> None:
    """Audits the demo account, shows the table, writes the report as JSON and as a page, and says how to go on."""
    page = output.with_suffix(".html")
    for file in (output, page):
        check(file)
    with demo_account() as session, shown_progress(enabled=progress_enabled) as progress:
        service = Service(Settings(policy=policy), session, progress, priced_by=price_file(str(SAMPLE_PRICES)))
        report = service.audit(service.scope(), "cli")
    show.write(report, to=None)
    save_all({output: WRITERS["json"](report), page: WRITERS["html"](report)}, {output: "json", page: "html"})
    print(f"\nThe page:  {page.resolve().as_uri()}\n\nNext:")
    worst = report.open_findings()[:1]
    for command, means in _next(output, worst[0].resource.name if worst else "ENDPOINT"):
        print(f"  {command}\n      {means}")


def _next(output: Path, resource: str) -> Iterator[tuple[str, str]]:
    """Three commands to go on with, and what each does."""
    auditor = _own_command()
    yield f"{auditor} fix {quote(resource)} --report {quote(str(output))}", "how to end what is worst"
    yield f"{auditor} serve --demo --ledger", "the page and the HTTP routes in a browser, until Ctrl-C"
    yield f"{auditor} doctor", "with your own credentials: what an audit of your account may read"


def _own_command() -> str:
    """How this program was called: by its path from here, or by its name where the shell finds it."""
    called = Path(sys.argv[0])
    if called.name != "auditor" or shutil.which("auditor") == str(called):
        return "auditor"
    here = Path.cwd()
    return quote(str(called.relative_to(here) if called.is_relative_to(here) else called))
