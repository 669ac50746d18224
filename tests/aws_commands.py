"""Checks the AWS commands that people are told to paste, against the service models of botocore.

A command names a service, an operation (or a waiter) and options; every option must be a parameter of the operation,
every required parameter must be there, enumerated values must be among those of the model, and the shorthand of a
structure may only name its members.
"""

import re
import shlex
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name

#: Options of the command-line tool itself, each with one value.
TOOL_OPTIONS = frozenset({"--region", "--query", "--output", "--profile", "--max-items", "--page-size"})
REDIRECT = ">"
#: A word in capitals stands for something that only the reader knows.
PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+|CIDR|BUCKET|ROLE")


class WrongCommand(AssertionError):
    """A command that AWS would refuse; the text says why."""


@cache
def _client(service: str) -> Any:
    session = botocore.session.get_session()
    if service not in session.get_available_services():
        raise WrongCommand(f"no service {service}")
    return session.create_client(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


def _kebab(name: str) -> str:
    return str(xform_name(name, "-"))


def check(command: str) -> None:
    """Raises WrongCommand, with the reason, for a command that the service models do not know."""
    try:
        words = shlex.split(command, comments=False)
    except ValueError as error:
        raise WrongCommand(f"{command}: {error}") from None
    try:
        _check(words)
    except WrongCommand as wrong:
        raise WrongCommand(f"{command}: {wrong}") from None


def _check(words: list[str]) -> None:
    if len(words) < 3 or words[0] != "aws":
        raise WrongCommand("a command is: aws SERVICE OPERATION --option value …")
    service, operation, *rest = words[1:]
    if REDIRECT in rest:
        at = rest.index(REDIRECT)
        if len(rest) != at + 2:
            raise WrongCommand("a redirection names one file, at the end")
        rest = rest[:at]
    client = _client(service)
    required_region = [word for word in rest if word == "--region"]
    if len(required_region) != 1:
        raise WrongCommand("a command names its region once")
    if operation == "wait":
        waiter, *rest = rest
        if waiter.replace("-", "_") not in client.waiter_names:
            raise WrongCommand(f"no waiter {waiter}")
        model_waiter = client.get_waiter(waiter.replace("-", "_"))
        name = model_waiter.config.operation
    else:
        names = {_kebab(one): one for one in client.meta.service_model.operation_names}
        if operation not in names:
            raise WrongCommand(f"{service} has no operation {operation}")
        name = names[operation]
    shape = client.meta.service_model.operation_model(name).input_shape
    members = {_kebab(one): (one, sub) for one, sub in (shape.members if shape else {}).items()}
    given = _options(rest, members)
    missing = [one for one in (shape.required_members if shape else []) if _kebab(one) not in given]
    if missing:
        raise WrongCommand(f"lacks {', '.join('--' + _kebab(one) for one in missing)}")


def _options(words: list[str], members: dict[str, tuple[str, Any]]) -> set[str]:
    given: set[str] = set()
    at = 0
    while at < len(words):
        option = words[at]
        values = []
        at += 1
        while at < len(words) and not words[at].startswith("--"):
            values.append(words[at])
            at += 1
        if option in TOOL_OPTIONS:
            if len(values) != 1:
                raise WrongCommand(f"{option} takes one value")
            continue
        name = option.removeprefix("--")
        if name.startswith("no-") and name not in members:
            name = name.removeprefix("no-")
        if not option.startswith("--") or name not in members:
            raise WrongCommand(f"no option {option}")
        if name in given:
            raise WrongCommand(f"{option} is given twice")
        given.add(name)
        _values(option, members[name][1], values)
    return given


def _values(option: str, shape: Any, values: list[str]) -> None:
    if shape.type_name == "boolean":
        if values:
            raise WrongCommand(f"{option} takes no value")
        return
    if not values:
        raise WrongCommand(f"{option} lacks its value")
    if len(values) > 1 and shape.type_name != "list":
        raise WrongCommand(f"{option} takes one value")
    for value in values:
        _value(option, shape.member if shape.type_name == "list" else shape, value)


def _value(option: str, shape: Any, value: str) -> None:
    if value.startswith("file://") or PLACEHOLDER.fullmatch(value):
        return
    if shape.type_name in ("integer", "long"):
        if not re.fullmatch(r"-?\d+", value):
            raise WrongCommand(f"{option} takes a whole number, not {value}")
    elif shape.type_name in ("float", "double"):
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            raise WrongCommand(f"{option} takes a number, not {value}")
    elif shape.type_name == "string":
        if getattr(shape, "enum", None) and value not in shape.enum:
            raise WrongCommand(f"{option} does not take {value}")
    elif shape.type_name == "structure":
        parsed, end = _structure(value, 0)
        if end != len(value):
            raise WrongCommand(f"{option}: {value!r} is not KEY=VALUE,KEY=VALUE")
        _members(option, shape, parsed)


def _members(option: str, shape: Any, parsed: dict[str, list[Any]]) -> None:
    for key, values in parsed.items():
        if key not in shape.members:
            raise WrongCommand(f"{option} has no member {key}")
        member = shape.members[key]
        if len(values) > 1 and member.type_name != "list":
            raise WrongCommand(f"{option}: {key} takes one value")
        inner = member.member if member.type_name == "list" else member
        for value in values:
            if isinstance(value, dict):
                _members(f"{option} {key}", inner, value)
            elif inner.type_name == "boolean":
                if value not in ("true", "false"):
                    raise WrongCommand(f"{option}: {key} is true or false")
            elif inner.type_name != "structure":
                _value(f"{option} {key}", inner, value)
            else:
                raise WrongCommand(f"{option}: {key} is a structure")
    for key in shape.required_members:
        if key not in parsed:
            raise WrongCommand(f"{option} lacks {key}")


def _list(text: str, at: int) -> tuple[list[Any], int]:
    """The structures of ``[{A=1},{A=2}]`` from behind the bracket on, and where it ends."""
    listed: list[Any] = []
    while text[at : at + 1] == "{":
        inner, at = _structure(text, at + 1)
        listed.append(inner)
        at += 2 if text[at : at + 2] == "}," else 1
    if text[at : at + 1] != "]":
        raise WrongCommand(f"{text!r} lacks a closing bracket")
    return listed, at + 1


def _structure(text: str, at: int) -> tuple[dict[str, list[Any]], int]:
    """``A=1,B=x,y,C={D=2}`` from ``at`` on: each key with its values, and where it ends."""
    found: dict[str, list[Any]] = {}
    while True:
        key = re.compile(r"([A-Za-z]+)=").match(text, at)
        if key is None:
            raise WrongCommand(f"{text!r} has no KEY= at {at}")
        at = key.end()
        values: list[Any] = []
        while True:
            if text[at : at + 1] == "{":
                inner, at = _structure(text, at + 1)
                if text[at : at + 1] != "}":
                    raise WrongCommand(f"{text!r} lacks a closing brace")
                at += 1
                values.append(inner)
            elif text[at : at + 1] == "[":
                listed, at = _list(text, at + 1)
                values += listed
            else:
                end = re.compile(r"[^,}]*").match(text, at)
                assert end is not None
                values.append(end.group())
                at = end.end()
            if text[at : at + 1] == "," and not re.compile(r",[A-Za-z]+=").match(text, at):
                at += 1
                continue
            break
        found[key.group(1)] = values
        if text[at : at + 1] == ",":
            at += 1
            continue
        return found, at
