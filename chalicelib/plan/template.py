"""CloudFormation templates as stacks that are deployed together, and the resources that they declare."""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import STACKS
from chalicelib.plan import parameters
from chalicelib.plan.choices import transform_name
from chalicelib.plan.document import Document, document, too_large
from chalicelib.plan.exports import Exports
from chalicelib.plan.intrinsics import FALSE, NAMES, UNSURE, Evaluator
from chalicelib.plan.loops import LOOP, expanded
from chalicelib.plan.unknown import LATER, Declared, Template, Unknown
from chalicelib.scope import Scope

__all__ = ["declared", "document", "stacks"]

#: Resources that bring resources which the template does not show.
_STACK, _APPLICATION = "AWS::CloudFormation::Stack", "AWS::Serverless::Application"
_NESTED = {_STACK, _APPLICATION, "AWS::CloudFormation::StackSet"}
_NESTED |= {"AWS::ServiceCatalog::CloudFormationProvisionedProduct"}
#: Transforms that add nothing of what is judged.
_HARMLESS = ("AWS::Serverless-", "AWS::LanguageExtensions", "AWS::CodeDeployBlueGreen", "AWS::SecretsManager")
#: How deep nested stacks are followed.
_DEEPEST = 10


class Stack:
    """One template as it is deployed once. Raises InvalidInput for what is no template."""

    def __init__(self, made: Document, scope: Scope, written: Mapping[str, str], name: str) -> None:
        _check_sections(made)
        values = parameters.values(made.data.get("Parameters") or {}, written, made.source)
        self.name = name
        self.document = expanded(made, Evaluator(made.data, {}, scope, values, name).value)
        data = self.document.data
        every = data["Resources"]
        self.resources = {id: resource for id, resource in every.items() if not id.startswith("Fn::")}
        for id, resource in self.resources.items():
            _check(self.document, id, resource)
        self.evaluator = Evaluator(data, self.resources, scope, values, name)
        self.maybe = ""
        self.inner: dict[str, Stack] = {}

    def every(self) -> Iterator["Stack"]:
        """The stack with those nested in it."""
        yield self
        for inner in self.inner.values():
            yield from inner.every()

    def resource(self, id: str) -> Declared | None:
        """A resource with its values; None where its condition is false."""
        declared = self.resources[id]
        evaluator, maybe = self.evaluator, self.maybe
        if "Condition" in declared:
            state, why = evaluator.condition(declared["Condition"])
            if state == FALSE:
                return None
            maybe = maybe or (f"whether {id} is made is not known: {why}" if state == UNSURE else "")
        name, unnamed = evaluator.name(id)
        return Declared(
            type=declared["Type"],
            id=evaluator.own(id),
            properties=evaluator.value(declared.get("Properties") or {}),
            name=name,
            arn=str(evaluator.reference(id)),
            unnamed=unnamed,
            maybe=maybe,
            source=self.document.source,
            line=functools.partial(self.document.line, "Resources", id),
        )

    def names(self) -> set[tuple[str, str]]:
        """The type and name of each resource whose name is certain: no second one of an account can have it."""
        named = {(self.resources[id]["Type"], *self.evaluator.name(id)) for id in self.resources}
        return {(type, name) for type, name, unnamed in named if type in NAMES and not unnamed} - self._stand_ins()

    def _stand_ins(self) -> set[tuple[str, str]]:
        return {(resource["Type"], self.evaluator.own(id)) for id, resource in self.resources.items()}

    def more(self) -> str:
        """Why there may be resources that the template does not show, or an empty text."""
        data = self.document.data
        transforms = data.get("Transform") or []
        for transform in transforms if isinstance(transforms, list) else [transforms]:
            if not isinstance(transform, str) or not transform.startswith(_HARMLESS):
                return f"what {transform_name(transform)} adds is {LATER}"
        for section in (data, data["Resources"]):
            if "Fn::Transform" in section:
                return f"what {transform_name(section['Fn::Transform'])} adds is {LATER}"
        for id, resource in data["Resources"].items():
            if id.startswith(LOOP):
                return resource.reason if isinstance(resource, Unknown) else f"what {id} makes is {LATER}"
        for id, resource in self.resources.items():
            if resource["Type"] in _NESTED and id not in self.inner and not self._never(resource):
                return f"what the nested stack {id} makes is not read"
            if resource["Type"].endswith("::MODULE") and not self._never(resource):
                return f"what the module {id} ({resource['Type']}) makes is not read"
        return ""

    def _never(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" in resource and self.evaluator.condition(resource["Condition"])[0] == FALSE


def stacks(documents: Sequence[Document], scope: Scope, values: Mapping[str, str]) -> list[Stack]:
    """The stacks of these templates, each with those of them that it nests.

    Raises InvalidInput for what is no template, and for the value of a parameter that none of them has.
    """
    wanted = {name for made in documents for name in _parameter_names(made)}
    if strange := sorted(set(values) - wanted):
        accepted = ", ".join(sorted(wanted)) or "none, as there are no parameters"
        who = f"{documents[0].source} has no" if len(documents) == 1 else "none of the templates has a"
        raise InvalidInput(f"{who} parameter {strange[0]!r}; accepted are {accepted}", field="--parameter")
    named: Counter[str] = Counter()
    every: list[Stack] = []
    for made in documents:
        name = made.stack_name
        named[name] += 1
        own = {key: values[key] for key in _parameter_names(made) if key in values}
        every.append(Stack(made, scope, own, name if named[name] == 1 else f"{name}-{named[name]}"))
    nesting = _Nesting(documents, scope)
    for stack in every:
        nesting.nest(stack, (stack.document.source,))
    return [stack for index, stack in enumerate(every) if index not in nesting.inner] or every


def _parameter_names(made: Document) -> list[str]:
    section = made.data.get("Parameters") if isinstance(made.data, dict) else None
    return list(section) if isinstance(section, dict) else []


class _Nesting:
    """Puts each nested stack whose template is among the documents into the stack around it. ``inner`` are the places
    of the documents that are such templates."""

    def __init__(self, documents: Sequence[Document], scope: Scope) -> None:
        self._documents, self._scope, self._number = documents, scope, 0
        self.inner: set[int] = set()

    def nest(self, stack: Stack, around: tuple[str, ...]) -> None:
        """The nested stacks of a stack; ``around`` are the files of those that it is in, with its own."""
        for id, resource in stack.resources.items():
            file = _template_file(resource) if resource["Type"] in (_STACK, _APPLICATION) else ""
            places = [index for index, made in enumerate(self._documents) if file and made.file_name == file]
            if len(places) != 1 or self._documents[places[0]].source in around or len(around) > _DEEPEST:
                continue
            self.inner.add(places[0])
            state, why = stack.evaluator.condition(resource["Condition"]) if "Condition" in resource else ("", "")
            if state == FALSE:
                continue
            self._number += 1
            if self._number > STACKS.most:
                raise too_large(stack.document, STACKS, "Resources", id)
            made = self._documents[places[0]]
            nested = Stack(made, self._scope, {}, f"{stack.name}-{id}")
            handed = (resource.get("Properties") or {}).get("Parameters")
            nested.evaluator.outer = stack.evaluator
            nested.evaluator.handed = handed if isinstance(handed, dict) else {}
            nested.maybe = stack.maybe or (f"whether {id} is made is not known: {why}" if state == UNSURE else "")
            stack.inner[id] = nested
            stack.evaluator.nested[id] = nested.evaluator
            self.nest(nested, (*around, made.source))


def _template_file(resource: Mapping[str, Any]) -> str:
    """The name of the file of a nested stack's template, or an empty text: CDK tells it beside the URL."""
    properties, metadata = resource.get("Properties") or {}, resource.get("Metadata")
    url: Any = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None
    url = url or properties.get("TemplateURL") or properties.get("Location")
    if isinstance(url, dict) and len(url) == 1:
        ((function, inner),) = url.items()
        if function == "Fn::Sub":
            url = inner[0] if isinstance(inner, list) and inner else inner
        elif function == "Fn::Join" and isinstance(inner, list) and isinstance(inner[-1], list) and inner[-1]:
            url = inner[-1][-1]
    return url.split("?")[0].rsplit("/", 1)[-1] if isinstance(url, str) else ""


def together(roots: Sequence[Stack]) -> tuple[list[Declared], dict[str, str]]:
    """The resources of stacks that are deployed together, and why a file may bring more than these, by the file."""
    every = [stack for root in roots for stack in root.every()]
    ids = Counter(id for stack in every for id in stack.resources)
    shared = frozenset(id for id, number in ids.items() if number > 1)
    exports = Exports([stack.evaluator for stack in every])
    for stack in every:
        stack.evaluator.shared, stack.evaluator.exported = shared, exports.value
    resources = [resource for stack in every for id in stack.resources if (resource := stack.resource(id)) is not None]
    return resources, {stack.document.source: reason for stack in every if (reason := stack.more())}


def declared(made: Document, scope: Scope, values: Mapping[str, str]) -> Template:
    """The resources of one template, as far as its values can be known. Raises InvalidInput for what is no template."""
    resources, more = together(stacks([made], scope, values))
    return Template((made.source,), resources, more)


def _check_sections(made: Document) -> None:
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


def _check(made: Document, id: str, resource: Any) -> None:
    where = ("Resources", id)
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        raise made.wrong(f"the resource {id} must be a mapping with a Type", *where)
    properties = resource.get("Properties")
    if properties is not None and not isinstance(properties, dict):
        raise made.wrong(f"the Properties of {id} must be a mapping", *where, "Properties")
    if "Condition" in resource and not isinstance(resource["Condition"], str):
        raise made.wrong(f"the Condition of {id} must be the name of a condition", *where, "Condition")
