"""Which best practices of AWS's Well-Architected Framework a rule stands for: ``policies/data/well_architected.yaml``,
with its sources."""

import functools
from collections.abc import Mapping

from chalicelib.tables import read_facts


@functools.cache
def titles() -> Mapping[str, str]:
    """What each best practice asks, by its identifier (``MLREL05-BP01``)."""
    practices: dict[str, str] = read_facts("well_architected.yaml")["practices"]
    return practices


@functools.cache
def practices_by_rule() -> Mapping[str, list[str]]:
    """The identifiers that each rule stands for, the closest first; a rule that stands for none is not in it."""
    practices: dict[str, list[str]] = read_facts("well_architected.yaml")["rules"]
    return practices


def best_practices(rule: str) -> list[str]:
    """The identifiers for one rule; none for a rule of a policy's own."""
    return list(practices_by_rule().get(rule, ()))
