"""The kinds of resources that rules judge, and the model of each."""

from collections.abc import Iterator

from chalicelib.inventory import estate  # noqa: F401 - imports the facts of every kind
from chalicelib.inventory.facts import Fact
from chalicelib.kinds import KINDS as ROWS


def _models(base: type[Fact]) -> Iterator[type[Fact]]:
    for model in base.__subclasses__():
        yield model
        yield from _models(model)


_BY_KIND = {model.kind: model for model in _models(Fact) if model.kind in ROWS and "kind" in vars(model)}

KINDS: dict[str, type[Fact]] = {row.name: _BY_KIND[row.name] for row in ROWS.values() if row.judged}
