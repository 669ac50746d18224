"""The kinds of resources that rules judge, and the model of each."""

from chalicelib.inventory.facts import Fact
from chalicelib.rules.fact_paths import models

KINDS: dict[str, type[Fact]] = models()
