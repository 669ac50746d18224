"""Which variants have instances of which type: asked for each of hundreds of quotas, found out once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Self

from chalicelib.inventory.facts import Unread, plain
from chalicelib.inventory.failures import Failures
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.parts import Part


class TypesInUse(NamedTuple):
    """The variants with instances, all of them and by each type that they may take; ``doubts``: why nobody knows of
    others. Those of an endpoint that is being deleted take nothing any more."""

    everywhere: Sequence[Variant]
    by_type: Mapping[str, Sequence[Variant]]
    doubts: Sequence[Unread]

    @classmethod
    def of(cls, variants: Iterable[Variant], gaps: Failures) -> Self:
        """Those of these variants; ``gaps`` hold what else there may be."""
        everywhere: list[Variant] = []
        by_type: dict[str, list[Variant]] = {}
        doubts = [unread for part in (Part.ENDPOINTS, Part.CONFIGS) if (unread := gaps.hidden(part)) is not None]
        for variant in variants:
            if plain(variant.shown("endpoint_status")) == "deleting":
                continue
            try:
                types = () if variant.serverless else variant.settings.instance_types
            except Unread as unread:
                doubts.append(unread)
                continue
            if types:
                everywhere.append(variant)
            for instance_type in set(types):
                by_type.setdefault(instance_type, []).append(variant)
        return cls(everywhere, by_type, doubts)

    def on(self, instance_type: str | None) -> Sequence[Variant]:
        """The variants that may take a type; None: all that have instances."""
        return self.everywhere if instance_type is None else self.by_type.get(instance_type, ())
