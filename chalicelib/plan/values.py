"""Values that nobody can know before deployment, and the resources that a template declares."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.templating import Language

#: The operation of a blind spot that a value of the template causes, and of the one that no template can avoid.
VALUES, DEPLOYMENT = "plan:values", "plan:deployment"
LATER = "not known before deployment"
#: Reasons that no template can do anything about.
UNTOLD = f"it is {LATER}"
ALARMS_LATER = f"which alarms act on it is {LATER}"
TAGS_LATER = f"which tags the stack adds is {LATER}"
USERS_LATER = f"no endpoint of the template is certain to use it, and which other does is {LATER}"
NEVER_IN_A_TEMPLATE = frozenset({UNTOLD, ALARMS_LATER, TAGS_LATER, USERS_LATER})


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that cannot be told, and why. Two with the same ``symbol`` are the same text, whatever it will be.

    ``optional``: it may be that there will be no value at all.
    """

    reason: str
    symbol: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource of a template, in CloudFormation's words. ``name`` and ``arn`` are what others refer to it by.

    ``maybe`` says why it may not be made; ``unnamed`` that its real name is not known. ``line`` is that of the
    template, 0 where there is none.
    """

    type: str
    id: str
    properties: Any
    name: str
    arn: str = ""
    unnamed: bool = False
    maybe: str = ""
    line: int = 0


def no_line(*path: str | int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Template:
    """What a file declares. ``open`` says why there may be more resources than these; ``line`` where a path stands;
    ``language`` is the one that its authors write."""

    source: str
    resources: Sequence[Declared]
    open: str = ""
    line: Callable[..., int] = no_line
    language: Language = "cloudformation"

    def of(self, type: str) -> list[Declared]:
        """The resources of one type."""
        return [one for one in self.resources if one.type == type]


def where(template: Template, one: Declared) -> str:
    """Where a resource stands, for messages."""
    return f"{template.source}:{one.line}: {one.id}" if one.line else f"{template.source}: {one.id}"


def at(value: Any, *path: str) -> Any:
    """What stands at the path; None where nothing does, the Unknown on the way where there is one."""
    for key in path:
        if isinstance(value, Unknown):
            return value
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def lack(value: Any) -> Unknown | None:
    """The first unknown value anywhere within."""
    if isinstance(value, Unknown):
        return value
    inner: Sequence[Any] = ()
    if isinstance(value, Mapping):
        inner = list(value.values())
    elif isinstance(value, list | tuple):
        inner = value
    return next((found for one in inner if (found := lack(one)) is not None), None)
