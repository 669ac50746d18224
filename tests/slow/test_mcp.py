"""``auditor mcp`` as a process of its own, asked by the official client over stdin and stdout."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult, TextContent

from chalicelib.cli.agents.server import OFFERS
from emulator.account import EXPECTED, build
from emulator.front import Front
from emulator.server import Emulator
from emulator.wire import Call

pytestmark = pytest.mark.slow

SERVER = [sys.executable, "-m", "chalicelib.cli", "mcp"]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120


def arn_of(endpoint: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{endpoint}"


ARN = arn_of("warehouse-vision")


@pytest.fixture(scope="module")
def account() -> Iterator[Emulator]:
    """The emulator with the demo account, built once: nothing here changes it."""
    with Emulator(Front()) as emulator, pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        build(now=datetime.now(UTC))
        yield emulator


@pytest.fixture
def front(account: Emulator) -> Front:
    """The front of the account, which denies nothing yet."""
    assert account.front is not None
    account.front.clear()
    return account.front


@asynccontextmanager
async def connected(*options: str) -> AsyncIterator[Client]:
    """A client of a server over the demo account; it has seen the tools, so that it checks answers by their schemas."""
    parameters = StdioServerParameters(
        command=SERVER[0], args=[*SERVER[1:], *options], env=dict(os.environ), cwd=str(ROOT)
    )
    with anyio.fail_after(PATIENCE):
        async with Client(stdio_client(parameters)) as client:
            await client.list_tools()
            yield client


def content_of(result: CallToolResult) -> dict[str, Any]:
    """The answer of a call that went well, which its text repeats."""
    assert not result.is_error, result.content
    assert result.structured_content is not None
    assert json.loads(text_of(result)) == result.structured_content
    return dict(result.structured_content)


def text_of(result: CallToolResult) -> str:
    content = result.content[0]
    assert isinstance(content, TextContent)
    return content.text


def test_every_tool_says_what_it_takes_and_gives_and_that_it_only_reads() -> None:
    async def listed() -> None:
        async with connected() as client:
            tools = (await client.list_tools()).tools
            assert [tool.name for tool in tools] == [offer.name for offer in OFFERS]
            for tool in tools:
                assert tool.annotations is not None and tool.annotations.read_only_hint, tool.name
                assert tool.input_schema["additionalProperties"] is False, tool.name
                assert tool.output_schema is not None and tool.output_schema["type"] == "object", tool.name
                Draft202012Validator.check_schema(tool.input_schema)
                Draft202012Validator.check_schema(tool.output_schema)

    anyio.run(listed)


def test_an_audit_and_what_can_be_asked_after_it(front: Front) -> None:
    async def asked() -> None:
        async with connected() as client:
            audit = content_of(await client.call_tool("audit", {"severity": "high", "limit": 3}))
            assert len(audit["findings"]) == 3
            assert sum(audit["open"].values()) == sum(len(rules) for rules in EXPECTED.values())
            assert audit["findings_left_out"] == sum(audit["open"].values()) - 3
            first = audit["findings"][0]
            assert audit["headline"].endswith(".") and "endpoints" in audit["headline"]
            assert first["concern"] == "broken"
            whole = content_of(await client.call_tool("findings", {"audit_id": audit["audit_id"], "id": first["id"]}))
            assert [finding["title"] for finding in whole["findings"]] == [first["title"]]
            assert whole["findings"][0]["fix"]["text"]
            page = content_of(await client.call_tool("findings", {"rule": "endpoint-degraded", "limit": 1}))
            ids = [page["findings"][0]["id"]]
            while page["cursor"]:
                asked_on = {"rule": "endpoint-degraded", "limit": 1, "cursor": page["cursor"]}
                page = content_of(await client.call_tool("findings", asked_on))
                ids.append(page["findings"][0]["id"])
            expected = sum("endpoint-degraded" in rules for rules in EXPECTED.values())
            assert len(ids) == len(set(ids)) == expected

    anyio.run(asked)


def test_a_resource_is_explained_and_its_coming_back_told(front: Front) -> None:
    async def asked() -> None:
        async with connected() as client:
            explained = content_of(await client.call_tool("explain", {"resource": ARN}))
            failing = [outcome["rule"] for outcome in explained["outcomes"] if outcome["outcome"] == "fail"]
            assert "endpoint-stuck-in-transition" in failing
            assert explained["outcomes"][0]["outcome"] == "fail"
            coming = content_of(await client.call_tool("comes_back", {"endpoint": "warehouse-vision"}))
            assert [endpoint["arn"] for endpoint in coming["endpoints"]] == [ARN]
            assert coming["endpoints"][0]["comes_back"].keys() == explained["comes_back"].keys()
            every = content_of(await client.call_tool("comes_back", {"limit": 1}))
            answers = {answer["answer"] for answer in every["endpoints"][0]["comes_back"].values()}
            assert "no" in answers and every["endpoints_left_out"] > 0

    anyio.run(asked)


def test_a_series_is_rehearsed_a_template_judged_and_a_rule_told(tmp_path: Path, front: Front) -> None:
    template = tmp_path / "endpoint.json"
    config = {"ProductionVariants": [{"VariantName": "A", "ModelName": "m", "InitialInstanceCount": 1}]}
    config["ProductionVariants"][0]["InstanceType"] = "ml.m5.large"
    resources = {"Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": config}}
    resources["Endpoint"] = {
        "Type": "AWS::SageMaker::Endpoint",
        "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
    }
    template.write_text(json.dumps({"Resources": resources}))

    async def asked() -> None:
        async with connected() as client:
            series = [10.0] * 60 + [500.0] * 120
            wishes = {"series": series, "minimum": 1, "maximum": 2, "target": 50.0, "capacity": 60.0}
            rehearsed = content_of(await client.call_tool("rehearse", wishes))
            assert not rehearsed["enough"] and rehearsed["minutes_short"] > 100
            planned = content_of(await client.call_tool("plan", {"files": [str(template)]}))
            assert planned["resources"]["endpoint"] == 1 and planned["findings"]
            whole = content_of(await client.call_tool("findings", {"audit_id": planned["audit_id"], "limit": 1}))
            assert whole["findings"][0]["resource"]["declared"]["file"] == str(template)
            rule = content_of(await client.call_tool("rule", {"id": "endpoint-idle"}))
            assert rule["id"] == "endpoint-idle" and rule["parameters"]
        assert not front.history, "nothing of this needs AWS"

    anyio.run(asked)


def test_what_is_wrong_is_an_error_of_one_sentence(front: Front) -> None:
    front.deny("sts:GetCallerIdentity")
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "audit": ({"regoins": ["eu-west-1"]}, "unknown field 'regoins'; accepted are regions, all_regions"),
        "findings": ({"audit_id": "a-1"}, "the audit 'a-1' is not kept; accepted are none"),
        "explain": ({}, "field resource: Field required"),
        "comes_back": ({"endpoint": "churn"}, "GetCallerIdentity"),
        "rehearse": ({"max": 3}, "unknown field 'max'; accepted are endpoint, variant"),
        "plan": ({"files": ["/nowhere.yaml"]}, "/nowhere.yaml"),
        "rule": ({"id": "endpont-idle"}, "did you mean 'endpoint-idle'?"),
        "mend": ({}, "there is no tool 'mend'; accepted are audit, findings"),
    }

    async def asked() -> None:
        async with connected() as client:
            for name, (arguments, words) in wrong.items():
                result = await client.call_tool(name, arguments)
                assert result.is_error, name
                assert words in text_of(result), (name, text_of(result))
                assert "\n" not in text_of(result)

    anyio.run(asked)


def test_a_cancelled_call_asks_aws_nothing_more_and_the_next_is_answered(front: Front) -> None:
    begun, over = Event(), Event()

    def hold(call: Call) -> bool:
        begun.set()
        over.wait(PATIENCE)
        return False

    front.deny("sagemaker:*", hold)
    before: list[int] = []

    async def asked() -> None:
        async with connected() as client:
            async with anyio.create_task_group() as calls:
                calls.start_soon(client.call_tool, "audit", {})
                assert await anyio.to_thread.run_sync(begun.wait, PATIENCE)
                calls.cancel_scope.cancel()
            content_of(await client.call_tool("rule", {"id": "endpoint-idle"}))  # the server has heard of it by now
            await anyio.to_thread.run_sync(over.wait, 0.5)
            before.append(len(front.history))
            over.set()

    try:
        anyio.run(asked)  # ends when the server has ended, and with it what the call had begun
    finally:
        over.set()
    assert front.history[before[0] :] == []


def test_calls_at_once_are_answered_each_for_itself(front: Front) -> None:
    names = ("warehouse-vision", "insurance-quotes")

    async def asked() -> None:
        answers: dict[str, dict[str, Any]] = {}

        async def ask(client: Client, name: str) -> None:
            answers[name] = content_of(await client.call_tool("explain", {"resource": arn_of(name)}))

        async with connected() as client, anyio.create_task_group() as calls:
            for name in names:
                calls.start_soon(ask, client, name)
        for name in names:
            resources = {outcome["resource"].split("/")[0] for outcome in answers[name]["outcomes"]}
            assert resources == {name}

    anyio.run(asked)


def test_stdout_holds_the_protocol_alone(front: Front) -> None:
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    call = {"name": "audit", "arguments": {"resources": [ARN]}}
    messages: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
    ]
    with subprocess.Popen(
        SERVER, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("no JSON\n" + "".join(json.dumps(message) + "\n" for message in messages))
        process.stdin.flush()
        answers: list[dict[str, Any]] = []
        while not answers or answers[-1].get("id") != 2:
            answers.append(json.loads(process.stdout.readline()))
        rest, errors = process.communicate(timeout=PATIENCE)
    assert (rest, process.returncode) == ("", 0), errors
    assert "Traceback" not in errors
    assert {answer["jsonrpc"] for answer in answers} == {"2.0"}


def test_an_option_that_is_wrong_is_told_before_the_server_listens() -> None:
    ended = subprocess.run(
        [*SERVER, "--policy", "nope"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "accepted" in ended.stderr and len(ended.stderr.splitlines()) == 1
