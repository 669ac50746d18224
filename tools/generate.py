"""Writes what is generated from the code; with ``--check`` only says what is out of date (exit 1)."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic.json_schema import models_json_schema

from app import app
from chalicelib.input.bounds import ALL
from chalicelib.money.price_file import PriceFile
from chalicelib.notices.bus import FINDING_TYPES, OTHER_TYPES, SOURCE, DigestDetail, FindingDetail
from chalicelib.report.findings import Report
from chalicelib.tables import DATA
from chalicelib.templating import TEMPLATES
from chalicelib.web.openapi import document
from tools.catalogue import examples, inventory_page, rules_page
from tools.infra import MEMBER_ROLE, member_role
from tools.labels import labels_file
from tools.member_events import MEMBER_EVENTS, member_events
from tools.partitions import partitions_table
from tools.permissions import FUNCTIONS, policy_document
from tools.policy_schema import policy_schema

ROOT = Path(__file__).resolve().parents[1]


def report_schema() -> str:
    """The JSON Schema of the report (draft 2020-12)."""
    schema = Report.model_json_schema(mode="serialization", by_alias=True)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "SageMaker audit report, schema version 1",
    }
    return json.dumps({**head, **{key: value for key, value in schema.items() if key != "title"}}, indent=2) + "\n"


def prices_schema() -> str:
    """The JSON Schema of a price file (draft 2020-12)."""
    schema = PriceFile.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Price file, schema version 1"}
    return json.dumps({**head, **{key: value for key, value in schema.items() if key != "title"}}, indent=2) + "\n"


def bus_schema() -> str:
    """The JSON Schema of the details of events on a bus (draft 2020-12), by their detail types."""
    _, schema = models_json_schema(
        [(FindingDetail, "serialization"), (DigestDetail, "serialization")], ref_template="#/$defs/{model}"
    )
    details = {detail_type: {"$ref": "#/$defs/FindingDetail"} for detail_type in FINDING_TYPES.values()}
    details |= {detail_type: {"$ref": "#/$defs/DigestDetail"} for detail_type in OTHER_TYPES.values()}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Details of events of the source {SOURCE}, by detail type, schema version 1",
        "type": "object",
        "properties": details,
        "additionalProperties": False,
    }
    return json.dumps({**head, "$defs": schema["$defs"]}, indent=2) + "\n"


def http_description() -> str:
    """The description of the HTTP face (OpenAPI 3.1)."""
    return json.dumps(document(app.routes), indent=2) + "\n"


def bounds_page() -> str:
    """What is accepted from outside, at most."""
    rows = "".join(f"| {bound.of} | {bound} |\n" for bound in ALL)
    return (
        "<!-- Generated from the code by `make generate`. -->\n# Bounds\n\n"
        "What is accepted from outside, at most. What is beyond a bound is refused in a sentence that names it: exit "
        "code 2 in the\nterminal, 400 over HTTP. A custom rule whose evaluation takes too many steps is unknown for "
        "that resource, and an\n`AllowedPattern` that takes too long is left to CloudFormation.\n\n"
        f"| in | at most |\n|---|---|\n{rows}"
    )


def generated() -> Iterator[tuple[Path, str]]:
    """Every generated file with the content that it should have."""
    yield ROOT / "docs" / "report.schema.json", report_schema()
    yield ROOT / "docs" / "policy.schema.json", policy_schema()
    yield ROOT / "docs" / "prices.schema.json", prices_schema()
    yield ROOT / "docs" / "bus.schema.json", bus_schema()
    yield ROOT / "docs" / "openapi.json", http_description()
    yield ROOT / "docs" / "bounds.md", bounds_page()
    yield ROOT / "docs" / "inventory.md", inventory_page()
    yield ROOT / "docs" / "rules.md", rules_page()
    yield TEMPLATES / "examples.json", examples()
    yield MEMBER_ROLE, member_role()
    yield MEMBER_EVENTS, member_events()
    yield ROOT / "emulator" / "expected.yaml", labels_file()
    yield DATA / "partitions.yaml", partitions_table()
    for function, statements in FUNCTIONS.items():
        yield ROOT / ".chalice" / f"policy-{function}.json", policy_document(statements)


def outdated() -> list[tuple[Path, str]]:
    """The generated files whose content is not what the code gives now."""
    return [(path, text) for path, text in generated() if not path.exists() or path.read_text(encoding="utf-8") != text]


def main(arguments: list[str]) -> int:
    """Exit code 1 with ``--check`` when something is out of date."""
    files = outdated()
    for path, text in files:
        name = path.relative_to(ROOT)
        if "--check" in arguments:
            print(f"{name} is out of date: run `make generate`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return 1 if files and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
