"""What the parameters of rules mean, in words: ``policies/data/parameters.yaml``."""

import functools
from collections.abc import Mapping

from chalicelib.tables import read_facts


@functools.cache
def parameter_words() -> Mapping[str, str]:
    """What a parameter means, by its name, or by ``rule.name`` where it means something else in that rule."""
    words: dict[str, str] = read_facts("parameters.yaml")
    return words


def meaning(rule: str, parameter: str) -> str | None:
    """What a parameter of a rule means; None for what nobody has described, as those of a policy's own rules."""
    words = parameter_words()
    return words.get(f"{rule}.{parameter}", words.get(parameter))
