"""Chromium, and servers on loopback for it to look at. ``AUDITOR_CHROMIUM`` names another browser."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from chalicelib.report.findings import Finding, Fix, Report, Resource, Severity
from chalicelib.report.formats.page import page, policy
from chalicelib.report.outcomes import Confidence
from tests.conftest import interruptible
from tests.loopback import Quiet, serving
from tests.unit.test_notices import a_report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. A machine without it fails, as nothing would be shown."""
    executable = os.environ.get("AUDITOR_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert executable, "Chromium was not found; accepted is chromium or google-chrome on the PATH"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Seen:
    """What a tab did: its errors, and every address that it asked for."""

    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


NewTab = Callable[..., Page]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def new_tab(browser: Browser, seen: Seen) -> Iterator[NewTab]:
    """Opens tabs. After the test none of them may have told an error or asked anything of another origin."""
    contexts: list[BrowserContext] = []

    def opened(address: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: seen.errors.append(str(error)))
        tab.on("request", lambda request: seen.asked.append(request.url))
        tab.goto(address)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert seen.errors == []
    origins = {"/".join(address.split("/")[:3]) for address in seen.asked}
    assert len(origins) <= 1, origins


@pytest.fixture(scope="session", params=["audited now", "from the ledger"])
def served(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the page of the demo account, as ``auditor serve`` answers it: of an audit, and of the ledger."""
    options = ["--ledger"] if request.param == "from the ledger" else []
    process = subprocess.Popen(
        [sys.executable, "-m", "chalicelib.cli", "serve", "--demo", *options, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("http://127.0.0.1:"), line
    yield line.split(" ")[0]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


class Site:
    """A server of pages and JSON, by path, with the header of the real one."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[str, str]] = {}
        site = self

        class Handler(Quiet):
            def do_GET(self) -> None:
                wants = "json" if "json" in self.headers.get("Accept", "") else "html"
                kind, body = site.answers.get(f"{wants} {self.path}", ("text/plain", ""))
                headers = {"Content-Type": kind, "Content-Security-Policy": policy(framed=True)}
                self.answer(200 if body else 404, body, headers)

        self.handler = Handler
        self.address = ""
        self.show("/favicon.ico", " ")

    def show(self, path: str, html: str) -> str:
        """Answers ``path`` with this page; gives its address."""
        self.answers[f"html {path}"] = ("text/html; charset=utf-8", html)
        return self.address + path

    def tell(self, path: str, body: Any) -> None:
        """Answers ``path`` with JSON."""
        self.answers[f"json {path}"] = ("application/json", json.dumps(body))


@pytest.fixture
def site() -> Iterator[Site]:
    """An empty site."""
    site = Site()
    with serving(site.handler) as site.address:
        yield site


RULES = ("endpoint-single-instance", "variant-no-autoscaling", "endpoint-idle", "model-vpc-single-az")


def many(number: int, start: int = 0) -> list[Finding]:
    """So many different findings of four rules, in two accounts and three regions."""
    now = datetime(2026, 11, 24, 6, tzinfo=UTC)
    findings = []
    for index in range(start, start + number):
        name = f"endpoint-{index // 2:05}"
        region = ("eu-west-1", "us-east-1", "ap-southeast-2")[index % 3]
        account = ("123456789012", "210987654321")[index // 2 % 2]
        findings.append(
            Finding(
                id=f"f-{index:020x}",
                rule=RULES[index % 4],
                topic=("instances", "autoscaling", "instance-fit", "availability-zones")[index % 4],
                title=f"What is wrong by {RULES[index % 4]}",
                severity=(Severity.HIGH, Severity.MEDIUM, Severity.LOW)[index % 3],
                confidence=Confidence.HIGH,
                account=account,
                region=region,
                resource=Resource(
                    kind="endpoint", arn=f"arn:aws:sagemaker:{region}:{account}:endpoint/{name}", name=name
                ),
                summary=f"{name} serves all its traffic from 1 ml.m5.large instance, {index}.",
                why="A single instance is lost with its zone.",
                fix=Fix(text="Run two.", commands=[f"aws sagemaker describe-endpoint --endpoint-name {name}"]),
                evidence={"desired_instance_count": 1, "instance_type": "ml.m5.large", "min_instances": 2},
                references=["https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-best-practices.html"],
                owner=f"team-{index % 7}",
                first_seen=now - timedelta(days=index % 90),
                last_seen=now,
            )
        )
    return findings


def a_page(findings: list[Finding], **differences: Any) -> str:
    """The page of these findings."""
    report: Report = a_report(*findings, **differences)
    return page(report)
