"""The JSON Schema of policy files, for editors, from the models that load them."""

import json
from typing import Any

from chalicelib.policy.entries import PolicyFile, RuleEntry
from chalicelib.policy.policy import shipped
from chalicelib.rules import RULES
from chalicelib.rules.parameters import meaning


def policy_schema() -> str:
    """The schema (draft 2020-12): every key, every rule, and for each rule its parameters with their defaults."""
    schema = PolicyFile.model_json_schema()
    definitions: dict[str, Any] = schema.pop("$defs", {})
    common = RuleEntry.model_json_schema()
    definitions |= common.pop("$defs", {})
    entries = {}
    for id, rule in RULES.items():
        params = rule.params.model_json_schema()
        definitions |= params.pop("$defs", {})
        for name, parameter in params.get("properties", {}).items():
            parameter["description"] = meaning(id, name)
        entries[id] = {
            "description": rule.condition,
            "type": ["object", "null"],
            "properties": {**common["properties"], **params.get("properties", {})},
            "additionalProperties": False,
        }
    own = {"type": ["object", "null"], "description": "How a rule of custom_rules is applied.", **_properties(common)}
    schema["properties"]["rules"] = {
        "description": "How rules are applied, by their ids; ids of custom_rules are accepted too.",
        "type": "object",
        "properties": entries,
        "additionalProperties": own,
    }
    schema["properties"]["extends"]["description"] = (
        f"The policy to start from: {', '.join(shipped())}, a path, an s3:// address, or none."
    )
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Policy of the SageMaker auditor"}
    body = {key: value for key, value in schema.items() if key not in ("title", "description")}
    return json.dumps({**head, **body, "$defs": dict(sorted(definitions.items()))}, indent=2) + "\n"


def _properties(common: dict[str, Any]) -> dict[str, Any]:
    return {"properties": common["properties"], "additionalProperties": False}
