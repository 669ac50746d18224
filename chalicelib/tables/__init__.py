"""The tables of facts about AWS in ``policies/data``: each with its source, each read when first asked."""

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "policies" / "data"


def read_facts(name: str) -> dict[str, Any]:
    """One file of facts, such as ``instances.yaml``; raises OSError or yaml.YAMLError on a broken installation."""
    packed = (DATA / name).with_suffix(".json")
    if packed.is_file():
        facts: dict[str, Any] = json.loads(packed.read_text(encoding="utf-8"))
        return facts
    import yaml  # packed facts are JSON: a function never needs it

    # libyaml parses about ten times as fast, which is felt in a cold start, but is not in every build of PyYAML.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with (DATA / name).open(encoding="utf-8") as file:
        facts = yaml.load(file, Loader=loader)
    return facts
