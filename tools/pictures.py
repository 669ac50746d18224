"""The pictures of the documentation, made anew from the demo account by headless Chromium: the report page, the
terminal, the digest as an e-mail, a rehearsal.

``python -m tools.pictures [FOLDER]``; the folder is ``docs/images`` where none is named.
"""

import io
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from benchmarks.rehearsing import traffic
from chalicelib.cli.demo import demo_account
from chalicelib.notices.email import bodies
from chalicelib.rehearsal import document
from chalicelib.rehearsal.questions import Wishes, question
from chalicelib.rehearsal.rehearsal import rehearse
from chalicelib.rehearsal.series import Load
from chalicelib.report.formats.page import page
from chalicelib.service import Service
from chalicelib.settings import Settings
from samples.notices import SAMPLES

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images"
#: Bytes that a picture in the documentation may have.
MAX_BYTES = 300_000
#: Columns of the terminal in the picture, and the lines of the output's beginning and end.
COLUMNS, BEGINNING, END = 120, 22, 16
TERMINAL = """<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; background: #292929; color: #c5c8c6; }
pre { margin: 16px 20px; font: 14px/1.35 "DejaVu Sans Mono", Menlo, Consolas, monospace; width: max-content; }
</style><pre>{code}</pre>"""


class PictureFailed(Exception):
    """There is no picture, and the text says why."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. Raises PictureFailed without one."""
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        raise PictureFailed("Chromium was not found; accepted is chromium or google-chrome on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


def picture(
    browser: Browser,
    html: str,
    target: Path,
    *,
    width: int,
    height: int | None,
    dark: bool = False,
    click: str = "",
    part: str = "",
) -> None:
    """Writes the top ``height`` pixels of a page as PNG, or all of it with None, after clicks on the selectors that
    ``click`` names; where ``part`` selects one, that part of the page alone."""
    size = ViewportSize(width=width, height=height or 200)
    context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light")
    tab = context.new_page()
    tab.set_content(html)
    for selector in filter(None, click.split("|")):
        tab.locator(selector).first.click()
    if part:
        tab.locator(part).screenshot(path=str(target))
    else:
        tab.screenshot(path=str(target), full_page=height is None)
    context.close()
    written = target.stat().st_size
    print(f"wrote {target}: {written:,} bytes")
    if written > MAX_BYTES:
        raise PictureFailed(f"{target.name} has {written:,} bytes; accepted are {MAX_BYTES:,}")


def report_page() -> str:
    """The page of the demo account."""
    with demo_account() as session:
        service = Service(Settings(), session)
        return page(service.audit(service.scope(), "cli"))


def terminal() -> str:
    """The beginning and the end of an audit of the demo account, as a page."""
    shown = _in_a_terminal([sys.executable, "-m", "chalicelib.cli", "demo", "--no-progress"])
    lines = shown.split("The page:")[0].rstrip().splitlines()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    shown_lines = ["$ auditor audit", *lines[:BEGINNING], "…", "", *lines[-END:]]
    console.print(Text.from_ansi("\n".join(shown_lines)))
    return console.export_html(
        theme=SVG_EXPORT_THEME, inline_styles=True, code_format=TERMINAL.replace("{ ", "{{ ").replace(" }", " }}")
    )


def _in_a_terminal(command: list[str]) -> str:
    """What a command writes to a terminal, with its colours."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    held = b""
    try:
        while read := os.read(ours, 65536):
            held += read
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    if process.wait():
        raise PictureFailed(f"{' '.join(command)} failed")
    return held.decode().replace("\r\n", "\n")


def rehearsal_page() -> str:
    """The page of a rehearsal of a week whose surges are too fast for the policy."""
    wishes = Wishes(minimum=1, maximum=20, target=100, capacity=200, zones=2)
    load = Load(traffic(7, seed=1), datetime(2026, 3, 2, tzinfo=UTC))
    return document.page(rehearse(question("churn/AllTraffic", load, "week.csv", wishes, None)))


def main(arguments: list[str]) -> int:
    """Writes the pictures; exit code 1 when that fails."""
    folder = Path(arguments[0]) if arguments else TARGET
    folder.mkdir(parents=True, exist_ok=True)
    mail = bodies(SAMPLES["digest-full"])[1]
    report = report_page()
    opened = ".group > summary|.finding > summary"
    try:
        with chromium() as browser:
            picture(browser, report, folder / "report.png", width=1200, height=1000)
            picture(browser, report, folder / "report-dark.png", width=1200, height=1000, dark=True)
            picture(browser, report, folder / "report-360.png", width=360, height=1200, click=opened)
            picture(browser, terminal(), folder / "terminal.png", width=1060, height=None)
            picture(browser, mail, folder / "mail-360.png", width=360, height=1600)
            picture(browser, mail, folder / "mail-800.png", width=800, height=1400)
            rehearsal = rehearsal_page()
            picture(browser, rehearsal, folder / "rehearsal.png", width=1280, height=1000)
            picture(browser, rehearsal, folder / "rehearsal-360.png", width=360, height=1000, dark=True)
            picture(browser, report, folder / "rehearsals.png", width=1280, height=None, part="#rehearsals")
            picture(
                browser, report, folder / "rehearsals-360.png", width=360, height=None, dark=True, part="#rehearsals"
            )
    except PictureFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
