"""CloudFormation templates, JSON or YAML: their text, their lines, and the resources that they declare."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from chalicelib.errors import InvalidInput
from chalicelib.plan.intrinsics import FALSE, UNSURE, Evaluator
from chalicelib.plan.unknown import LATER, Declared, Template
from chalicelib.scope import Scope

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_NODES, MAX_DEPTH = 500_000, 100
#: Tags of YAML that stand for an intrinsic function without ``Fn::``.
_BARE = {"Ref", "Condition"}
#: Resources that bring resources which the template does not show.
_NESTED = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application")
#: Transforms that add nothing of what is judged.
_HARMLESS = {"AWS::Serverless-2016-10-31", "AWS::LanguageExtensions", "AWS::CodeDeployBlueGreen", "AWS::SecretsManager"}

Path = tuple[str | int, ...]


@dataclass
class Document:
    """Parsed YAML or JSON with short-form intrinsics written out, and the line of each path."""

    source: str
    data: Any
    lines: dict[Path, int]

    def line(self, *path: str | int) -> int:
        """The line of the deepest part of the path that exists, from 1."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def wrong(self, message: str, *path: str | int) -> InvalidInput:
        return InvalidInput(f"{self.source}:{self.line(*path)}: {message}", field="TEMPLATE")


def document(source: str, text: str) -> Document:
    """The document in a text. Raises InvalidInput with the line for what cannot be read."""
    made = Document(source, None, {})
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        made.data = _Built(made, loader).of(node, ()) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context
        raise _no_template(source, mark.line + 1 if mark else 1, str(problem)) from None
    except yaml.YAMLError as error:
        raise _no_template(source, 1, str(error).splitlines()[0]) from None
    except ValueError as error:
        raise _no_template(source, 1, str(error)) from None
    except RecursionError:
        raise _no_template(source, 1, "it is nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()
    return made


def _no_template(source: str, line: int, problem: str) -> InvalidInput:
    return InvalidInput(
        f"{source}:{line}: this is neither JSON nor YAML ({problem}); accepted are a CloudFormation template and the "
        "JSON of a Terraform plan",
        field="TEMPLATE",
    )


class _Built:
    """Nodes of YAML as plain data; counts them, as aliases can make a small file into a huge one."""

    def __init__(self, made: Document, loader: Any) -> None:
        self._made, self._loader, self._count = made, loader, 0

    def of(self, node: Any, path: Path) -> Any:
        self._count += 1
        self._made.lines.setdefault(path, node.start_mark.line + 1)
        if self._count > MAX_NODES or len(path) > MAX_DEPTH:
            raise self._made.wrong(f"too large: accepted are {MAX_NODES:,} values, {MAX_DEPTH} levels deep", *path)
        tag = node.tag
        if tag.startswith("!") and len(tag) > 1:
            return self._intrinsic(node, tag[1:], path)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._loader.construct_object(node, deep=True)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._made.wrong("a key must be text", *path)
            key = key_node.value
            place = (*path, key)
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise self._made.wrong("CloudFormation reads no merge keys (<<); write the keys out", *path)
            if key in built:
                self._made.lines[place] = key_node.start_mark.line + 1
                raise self._made.wrong(f"the key {key} stands twice; keep one of them", *place)
            self._made.lines[place] = key_node.start_mark.line + 1
            built[key] = self.of(value_node, place)
        return built

    def _intrinsic(self, node: Any, name: str, path: Path) -> dict[str, Any]:
        key = name if name in _BARE else f"Fn::{name}"
        if isinstance(node, yaml.ScalarNode):
            return {key: node.value}
        node.tag = "tag:yaml.org,2002:map" if isinstance(node, yaml.MappingNode) else "tag:yaml.org,2002:seq"
        built = self.of(node, (*path, key))
        node.tag = f"!{name}"
        return {key: built}


def declared(made: Document, scope: Scope, parameters: Mapping[str, str]) -> Template:
    """The resources of a CloudFormation template, as far as its values can be known.

    Raises InvalidInput for what is no template, with the logical id of a malformed resource.
    """
    data = made.data
    resources = data.get("Resources") if isinstance(data, dict) else None
    if not isinstance(resources, dict) or not resources:
        raise made.wrong(
            "this is neither a CloudFormation template, which has a mapping Resources, nor the JSON of a Terraform "
            "plan, which has planned_values; accepted are both",
        )
    for section in ("Parameters", "Mappings", "Conditions"):
        if not isinstance(data.get(section) or {}, dict):
            raise made.wrong(f"{section} must be a mapping", section)
    loops = [id for id in resources if id.startswith("Fn::")]
    for id, resource in resources.items():
        if id not in loops:
            _check(made, id, resource)
    plain = {id: one for id, one in resources.items() if id not in loops}
    evaluator = Evaluator(data, plain, scope, parameters, made.source)
    found = []
    for id, resource in plain.items():
        state, why = evaluator.condition(resource["Condition"]) if "Condition" in resource else ("", "")
        if state == FALSE:
            continue
        properties = evaluator.value(resource.get("Properties") or {})
        name, unnamed = evaluator.name(id)
        found.append(
            Declared(
                type=resource["Type"],
                id=id,
                properties=properties,
                name=name,
                arn=str(evaluator.reference(id)),
                unnamed=unnamed,
                maybe=f"whether {id} is made is not known: {why}" if state == UNSURE else "",
                line=made.line("Resources", id),
            )
        )
    return Template(made.source, found, _more(data, plain, loops), made.line)


def _check(made: Document, id: str, resource: Any) -> None:
    where = ("Resources", id)
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        raise made.wrong(f"the resource {id} must be a mapping with a Type", *where)
    properties = resource.get("Properties")
    if properties is not None and not isinstance(properties, dict):
        raise made.wrong(f"the Properties of {id} must be a mapping", *where, "Properties")
    if "Condition" in resource and not isinstance(resource["Condition"], str):
        raise made.wrong(f"the Condition of {id} must be the name of a condition", *where, "Condition")


def _more(data: Mapping[str, Any], resources: Mapping[str, Any], loops: list[str]) -> str:
    """Why there may be resources that the template does not show, or an empty text."""
    transforms = data.get("Transform") or []
    for one in transforms if isinstance(transforms, list) else [transforms]:
        if not isinstance(one, str) or one not in _HARMLESS:
            return f"what the transform {one if isinstance(one, str) else 'in it'} adds is {LATER}"
    if loops:
        return f"what {loops[0]} makes is not read"
    nested = [id for id, one in resources.items() if one["Type"] in _NESTED or one["Type"].endswith("::MODULE")]
    return f"what the nested stack {nested[0]} makes is not read" if nested else ""
