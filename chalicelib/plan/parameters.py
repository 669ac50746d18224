"""The parameters of a CloudFormation template: values from files and options, checked, and what is known without."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import TEMPLATE_VALUES, TooLarge
from chalicelib.input.reading import UNREADABLE, check_yaml, count
from chalicelib.plan.patterns import matches
from chalicelib.plan.text import text_of
from chalicelib.plan.unknown import LATER, Unknown

_FORMS = (
    'accepted are {"Parameters": {"Name": "value"}}, a list of {"ParameterKey": "Name", "ParameterValue": "value"} '
    'or of "Name=value", and a mapping of names to values'
)
_KEY, _VALUE = "ParameterKey", "ParameterValue"
_SCALAR = (str, int, float)


def as_text(value: Any) -> str:
    """A value of a template as CloudFormation writes it in a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# ---- files


def in_file(file: Path) -> dict[str, str]:
    """The values in a parameter file, JSON or YAML, in any form that people keep.

    Raises InvalidInput for anything else, naming the forms.
    """
    text = text_of(file, "--parameters", _FORMS)
    try:
        check_yaml(text, yaml.SafeLoader)
        if any(str(getattr(event, "tag", None) or "").startswith("!") for event in yaml.parse(text, yaml.SafeLoader)):
            raise yaml.YAMLError("a template is no parameter file")
        data = yaml.safe_load(text)
        count(data, TEMPLATE_VALUES)
    except TooLarge as error:
        raise InvalidInput(f"{file}: {error}", field="--parameters") from None
    except (yaml.YAMLError, RecursionError, *UNREADABLE):
        raise InvalidInput(f"{file} is neither JSON nor YAML; {_FORMS}", field="--parameters") from None
    values: dict[str, str] = {}
    for name, value in _entries(file, data):
        if name in values:
            raise InvalidInput(f"{file}: the parameter {name} is given twice", field="--parameters")
        values[name] = value
    return values


def _entries(file: Path, data: Any) -> list[tuple[str, str]]:
    if isinstance(data, Mapping) and isinstance(data.get("Parameters"), Mapping | list):
        data = data["Parameters"]
    if isinstance(data, Mapping) and "Resources" not in data:
        return [(str(name), _written(file, str(name), value)) for name, value in data.items()]
    if isinstance(data, list):
        pairs = [_pair(file, entry) for entry in data]
        return [pair for pair in pairs if pair is not None]
    raise InvalidInput(f"{file} is no parameter file; {_FORMS}", field="--parameters")


def _pair(file: Path, entry: Any) -> tuple[str, str] | None:
    """One entry of a list; None where the value of the last deployment is to stay."""
    if isinstance(entry, str) and "=" in entry:
        name, _, value = entry.partition("=")
        return name, value
    if not isinstance(entry, Mapping) or not isinstance(entry.get(_KEY), str):
        raise InvalidInput(f"{file} is no parameter file; {_FORMS}", field="--parameters")
    if _VALUE not in entry and entry.get("UsePreviousValue"):
        return None
    return entry[_KEY], _written(file, entry[_KEY], entry.get(_VALUE))


def _written(file: Path, name: str, value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, _SCALAR) for item in value):
        return ",".join(as_text(item) for item in value)
    if not isinstance(value, _SCALAR):
        accepted = "accepted is a text, a number or a list of them"
        raise InvalidInput(f"{file}: this is no value of the parameter {name}; {accepted}", field="--parameters")
    return as_text(value)


# ---- values


def values(declared: Mapping[str, Any], written: Mapping[str, str], source: str) -> dict[str, Any]:
    """The value of each parameter: given, else its default, else unknown within its bounds.

    Raises InvalidInput for a value that the template does not accept.
    """
    return {name: value(name, parameter, written.get(name), source) for name, parameter in declared.items()}


def value(name: str, declared: Any, written: Any, source: str) -> Any:
    """The value of one parameter; ``written`` is None, a text, or what a stack hands to its nested stack."""
    declared = declared if isinstance(declared, Mapping) else {}
    type = str(declared.get("Type", "String"))
    symbol = f"${{{name}}}"
    if type.startswith("AWS::SSM::Parameter::Value"):
        return Unknown(f"the value of the SSM parameter behind {name} is {LATER}", symbol)
    if isinstance(written, str):
        _check(name, declared, written, source)
    written = declared.get("Default") if written is None else written
    if written is None:
        return _unknown(name, declared, symbol)
    if isinstance(written, Unknown | list):
        return written
    if type == "CommaDelimitedList" or type.startswith("List<"):
        return [item.strip() for item in as_text(written).split(",")]
    return written


def _unknown(name: str, declared: Mapping[str, Any], symbol: str) -> Any:
    reason = f"the parameter {name} has no value (--parameter {name}=…)"
    if str(declared.get("Type", "String")) not in ("String", "Number"):
        return Unknown(reason, symbol)
    allowed = declared.get("AllowedValues")
    choices = tuple(as_text(item) for item in allowed) if isinstance(allowed, list) else ()
    if len(set(choices)) == 1:
        return choices[0]
    numbers = [number for choice in choices if (number := _number(choice)) is not None]
    if choices and len(numbers) == len(choices):
        return Unknown(reason, symbol, least=min(numbers), most=max(numbers), choices=choices)
    least, most = _number(declared.get("MinValue")), _number(declared.get("MaxValue"))
    if least is not None and least == most:
        return int(least) if least.is_integer() else least
    return Unknown(reason, symbol, least=least, most=most, choices=choices)


def _number(value: Any) -> float | None:
    try:
        number = float("nan" if value is None or isinstance(value, bool) else value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _check(name: str, declared: Mapping[str, Any], text: str, source: str) -> None:
    """Raises InvalidInput where a given value breaks a rule of the parameter. A secret is not repeated."""
    type = str(declared.get("Type", "String"))
    listed = type == "CommaDelimitedList" or type.startswith("List<")
    shown = "the value given" if as_text(declared.get("NoEcho", False)) == "true" else repr(text)
    for item in [part.strip() for part in text.split(",")] if listed else [text]:
        if (accepted := _broken(declared, item, numeric="Number" in type)) is not None:
            description = str(declared.get("ConstraintDescription") or "")
            because = f" ({description})" if description else ""
            raise InvalidInput(
                f"{source}: the parameter {name} cannot be {shown}; {accepted}{because}", field="--parameter"
            )


def _broken(declared: Mapping[str, Any], text: str, *, numeric: bool) -> str | None:
    """What is accepted in the place of a value, or None for one that is accepted."""
    allowed = declared.get("AllowedValues")
    if isinstance(allowed, list) and text not in [as_text(item) for item in allowed]:
        return f"accepted are {', '.join(as_text(item) for item in allowed)}"
    number = _number(text)
    if numeric and number is None:
        return "accepted is a number"
    least, most = _number(declared.get("MinValue")), _number(declared.get("MaxValue"))
    if numeric and number is not None and not _within(number, least, most):
        return f"accepted is a number {_limits(declared.get('MinValue'), declared.get('MaxValue'))}"
    shortest, longest = _number(declared.get("MinLength")), _number(declared.get("MaxLength"))
    if not _within(len(text), shortest, longest):
        return f"accepted is a text of a length {_limits(declared.get('MinLength'), declared.get('MaxLength'))}"
    pattern = declared.get("AllowedPattern")
    if isinstance(pattern, str) and not matches(pattern, text):
        return f"accepted is what matches {pattern}"
    return None


def _within(number: float, least: float | None, most: float | None) -> bool:
    return (least is None or number >= least) and (most is None or number <= most)


def _limits(least: Any, most: Any) -> str:
    if least is None or most is None:
        return f"of {least} or more" if most is None else f"of {most} or less"
    return f"from {least} to {most}"
