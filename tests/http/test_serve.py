"""``auditor serve`` as a process of its own: the routes over a real socket, and an end without a trace."""

import http.client
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.cli import run
from emulator.account import EXPECTED
from tests.conftest import interruptible

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The base URL of a server over the demo account; it ends by an interrupt, without a traceback."""
    process = subprocess.Popen(
        [sys.executable, "-m", "chalicelib.cli", "serve", "--demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("http://127.0.0.1:"), line
    yield line.split("/ ")[0]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def got(url: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_health_answers(served: str) -> None:
    status, health = got(f"{served}/health")
    assert status == 200
    assert health["status"] == "ok"


def test_the_report_of_the_account_is_answered(served: str) -> None:
    status, report = got(f"{served}/audit")
    assert status == 200
    assert len(report["findings"]) == sum(len(rules) for rules in EXPECTED.values())


def test_requests_at_once_do_not_mix(served: str) -> None:
    paths = ["/rules/endpoint-idle", "/rules/nope", "/health", "/rules/vpc-single-az"] * 10
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda path: got(served + path)[1], paths))
    for path, answer in zip(paths, answers, strict=True):
        text = answer.get("id") or answer.get("status") or answer["error"]["message"]
        assert {"/rules/nope": "nope", "/health": "ok"}.get(path, path.split("/")[-1]) in text, path


def sent(url: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    """The answer to a request with these headers and no others, ``_`` in a name for ``-``."""
    host, port = url.removeprefix("http://").split("/")[0].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.putrequest(method, "/" + url.split("/", 3)[3], skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    with connection.getresponse() as answer:
        return answer.status, json.load(answer)


def own(served: str, name: str = "127.0.0.1") -> str:
    return f"{name}:{served.rsplit(':', 1)[1]}"


FOREIGN: dict[str, dict[str, str]] = {
    "no host": {"Host": ""},
    "a name that points here": {"Host": "evil.example:{port}"},
    "without the port": {"Host": "127.0.0.1"},
    "another port": {"Host": "127.0.0.1:1"},
    "a name that begins alike": {"Host": "localhost.evil.example:{port}"},
    "another origin": {"Host": "127.0.0.1:{port}", "Origin": "https://evil.example"},
    "no origin at all": {"Host": "127.0.0.1:{port}", "Origin": "null"},
    "another port of this machine": {"Host": "127.0.0.1:{port}", "Origin": "http://127.0.0.1:1"},
    "a page elsewhere": {"Host": "localhost:{port}", "Sec_Fetch_Site": "cross-site"},
    "a page of this machine": {"Host": "localhost:{port}", "Sec_Fetch_Site": "same-site"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize(("method", "path"), [("GET", "/health"), ("GET", "/audit"), ("POST", "/audit")])
def test_what_a_page_from_elsewhere_sends_is_refused(
    served: str, method: str, path: str, headers: dict[str, str]
) -> None:
    port = served.rsplit(":", 1)[1]
    filled = {name: value.format(port=port) for name, value in headers.items()}
    status, answer = sent(served + path, method, **filled)
    assert (status, answer["error"]["code"]) == (403, "foreign_origin")


def browsed(url: str, **headers: str) -> tuple[int, str, str]:
    """Status, media type and text of the answer to a browser."""
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", **headers}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=accept), timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def test_the_page_is_at_the_root_with_an_icon(served: str) -> None:
    status, kind, page = browsed(f"{served}/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert "churn-prediction" in page
    status, kind, icon = browsed(f"{served}/favicon.ico")
    assert (status, kind, icon[:4]) == (200, "image/svg+xml", "<svg")
    assert got(f"{served}/?rule=nope") == got(f"{served}/audit?rule=nope")


def test_a_browser_that_is_refused_is_told_what_to_do_in_html(served: str) -> None:
    status, kind, page = browsed(f"{served}/", **{"Sec-Fetch-Site": "cross-site"})
    assert (status, kind) == (403, "text/html; charset=utf-8")
    assert f"Type <code>{served}/</code> into the address bar" in page


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST"])
@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_a_page_of_its_own_is_answered(served: str, name: str, site: str) -> None:
    host = own(served, name)
    assert sent(f"{served}/health", Host=host, Origin=f"http://{host}", Sec_Fetch_Site=site)[0] == 200


def test_a_ledger_goes_with_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--ledger"]) == 2
    assert "--ledger goes with --demo" in capsys.readouterr().err


def test_a_mistake_is_told_as_json(served: str) -> None:
    status, body = got(f"{served}/audit", {"resource": []})
    assert status == 400
    assert body["error"]["field"] == "resource"


def test_a_port_that_is_taken_is_a_sentence(served: str, capsys: pytest.CaptureFixture[str]) -> None:
    port = served.rsplit(":", 1)[1]
    assert run(["serve", "--demo", "--port", port]) == 2
    assert f"port {port} cannot be used" in capsys.readouterr().err
