"""Whether the resources that somebody named are there: a report on a misspelt one has no finding, and looks clean."""

from collections.abc import Iterator

from chalicelib.errors import InvalidInput
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.parts import Part
from chalicelib.kinds import KINDS
from chalicelib.scope import Scope


class NoSuchResource(InvalidInput):
    """A resource that somebody names does not exist."""

    def __init__(self, name: str, field: str) -> None:
        accepted = "accepted are ARNs and names as AWS and the report show them"
        super().__init__(f"there is no resource {name!r}; {accepted}", field=field)


def check_there(scope: Scope, estate: Inventory) -> None:
    """Raises NoSuchResource for the first of the named resources of which AWS says that there is none."""
    for place in _missing(scope, estate):
        raise NoSuchResource(scope.arn(scope.resources[place]), field=f"resources.{place}")


def _missing(scope: Scope, estate: Inventory) -> Iterator[int]:
    for place, ref in enumerate(scope.resources):
        if ref.kind == "vpc":  # known by its subnets alone, which a list brings
            missing = ref.name not in estate.vpcs and estate.gaps.of(Part.SUBNETS) is None
        else:
            missing = estate.gaps.gone(Part(KINDS[ref.kind].part), ref.name)
        if missing:
            yield place
