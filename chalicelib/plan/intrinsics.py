"""The intrinsic functions, parameters and conditions of CloudFormation, as far as they can be known before deployment.

Follows the intrinsic function reference of the CloudFormation user guide. What cannot be told is an
:class:`~chalicelib.plan.unknown.Unknown` with its reason; a function that is written wrong is one, too.
"""

import json
import re
from collections.abc import Callable, Mapping, Set
from typing import Any

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import EVALUATIONS, TEXT_CHARACTERS, TooLarge
from chalicelib.kinds import DESCRIBED
from chalicelib.plan import parameters
from chalicelib.plan.choices import NO_VALUE, NoValue, Zones, choices_of, hidden, one_of
from chalicelib.plan.loops import LOOP
from chalicelib.plan.parameters import as_text
from chalicelib.plan.unknown import LATER, Unknown, lack
from chalicelib.scope import Scope, dns_suffix_of

TRUE, FALSE, UNSURE = "true", "false", "unsure"

#: The property that names a resource, which is an attribute of it as well, and the kind in its ARN.
NAMES = {f"AWS::SageMaker::{row.word}": (row.name_field, row.arn) for row in DESCRIBED if row.declared}
TARGET, POLICY = "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"
ALARM, SUBNET, VPC = "AWS::CloudWatch::Alarm", "AWS::EC2::Subnet", "AWS::EC2::VPC"
#: Types whose reference is an id that AWS makes up: their logical id stands for it.
_STAND_INS = (SUBNET, VPC, "AWS::EC2::SecurityGroup")
_OWN_IDS = {"SubnetId", "VpcId", "GroupId"}

_PLACE = re.compile(r"\$\{([^!}][^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:")
_LONGEST = 200
#: What a function takes beside its values, in evaluations, and how many characters are put together for one.
FUNCTION, CHARACTERS = 5, 1_000
_OUTPUTS = "Outputs."


def _why(what: str, symbol: str = "") -> Unknown:
    return Unknown(f"{what} is {LATER}", symbol)


class Evaluator:
    """Evaluates the values of one template as one stack of it is deployed.

    ``parameters`` are values, ``handed`` what the stack around it hands to a nested one, to be evaluated there.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        resources: Mapping[str, Any],
        scope: Scope,
        parameters: Mapping[str, Any],
        name: str,
    ) -> None:
        self._resources, self._scope = resources, scope
        self._mappings = data.get("Mappings") or {}
        self._conditions = data.get("Conditions") or {}
        self._declared = data.get("Parameters") or {}
        outputs = data.get("Outputs")
        self.outputs: Mapping[str, Any] = outputs if isinstance(outputs, dict) else {}
        self._parameters = parameters
        self._name = name
        self.outer: Evaluator | None = None
        self.handed: Mapping[str, Any] = {}
        #: The nested stacks by logical id, the exports of all stacks deployed together, and those of the logical ids
        #: that another of the stacks has as well.
        self.nested: dict[str, Evaluator] = {}
        self.exported: Callable[[str], Any] = lambda name: None
        self.shared: Set[str] = frozenset()
        self._pseudo: dict[str, Any] = {
            "AWS::Region": scope.region,
            "AWS::Partition": scope.partition,
            "AWS::URLSuffix": dns_suffix_of(scope.partition),
            "AWS::NoValue": NO_VALUE,
            "AWS::NotificationARNs": _why("AWS::NotificationARNs"),
        }
        #: What only deployment tells, with a text that stands for it wherever nothing is decided by it.
        self._stand_ins = {
            "AWS::AccountId": scope.account,
            "AWS::StackName": name,
            "AWS::StackId": f"arn:{scope.partition}:cloudformation:{scope.region}:{scope.account}:stack/{name}/0",
        }
        self._open: set[str] = set()
        self._evaluations = 0
        self._deciding = False

    def own(self, id: str) -> str:
        """A logical id, with the stack's name before it where another stack has the same."""
        return f"{self._name}.{id}" if id in self.shared else id

    # ---- values

    def value(self, node: Any) -> Any:
        """A node with its intrinsics evaluated; ``AWS::NoValue`` takes keys and items away."""
        value = self._value(node)
        return None if value is NO_VALUE else value

    def _count(self, number: int = 1) -> None:
        """Counts evaluations: references make a value that is used twice a thousand times in ten steps."""
        self._evaluations += number
        if self._evaluations > EVALUATIONS.most:
            raise InvalidInput(f"the stack {self._name}: {TooLarge(EVALUATIONS)}", field="TEMPLATE")

    def _value(self, node: Any) -> Any:
        self._count()
        if isinstance(node, dict):
            if len(node) == 1:
                ((key, inner),) = node.items()
                if key == "Ref" or (key.startswith("Fn::") and not key.startswith(LOOP)):
                    return self._function(key, inner)
            if (unseen := hidden(node)) is not None:
                return unseen
            evaluated = {key: self._value(inner) for key, inner in node.items()}
            return {key: value for key, value in evaluated.items() if value is not NO_VALUE}
        if isinstance(node, list):
            return [value for item in node if (value := self._value(item)) is not NO_VALUE]
        if isinstance(node, str) and _DYNAMIC.search(node):
            return _why(f"the dynamic reference {node[:_LONGEST]}", node)
        return node

    def _function(self, key: str, inner: Any) -> Any:
        function: Callable[[Any], Any] | None = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::If": self._if,
            "Fn::GetAZs": self._zones,
            "Fn::ImportValue": self._import,
            "Fn::Length": self._length,
            "Fn::ToJsonString": self._to_json,
        }.get(key)
        if function is None:
            return Unknown(f"what {key} gives is {LATER}", optional=True)
        self._count(FUNCTION)
        try:
            return function(inner)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError):
            return Unknown(f"{key} cannot be resolved as it is written", optional=True)

    def _ref(self, name: Any) -> Any:
        if isinstance(name, dict):
            name = self._value(name)
            if isinstance(name, Unknown):
                return name
        if name in self._stand_ins:
            return _why(name) if self._deciding else self._stand_ins[name]
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.handed and self.outer is not None:
            return self._handed(name)
        if name in self._parameters:
            return self._parameters[name]
        if name in self._resources:
            return self.reference(name)
        return Unknown(f"{name} is neither a parameter nor a resource of the template", f"${{{name}}}")

    def _handed(self, name: str) -> Any:
        """The value of a nested stack's parameter, from the stack around it."""
        key = f"handed {name}"
        if key in self._open or self.outer is None:
            return Unknown(f"the parameter {name} refers to itself")
        self._open.add(key)
        try:
            handed = self.outer.value(self.handed[name])
        finally:
            self._open.discard(key)
        if handed is None:
            return self._parameters.get(name)
        return parameters.value(name, self._declared.get(name), handed, self._name)

    def output(self, name: str) -> Any:
        """An output of the stack; None where it has none of that name."""
        key = f"output {name}"
        output = self.outputs.get(name)
        if key in self._open or not isinstance(output, dict):
            return None
        self._open.add(key)
        try:
            return self.value(output.get("Value"))
        finally:
            self._open.discard(key)

    def reference(self, id: str) -> Any:
        """What ``Ref`` gives for a resource: for SageMaker's its ARN, for a scalable target its three-part id."""
        type = self._resources[id].get("Type")
        if type in NAMES:
            return f"{self._stem('sagemaker')}:{NAMES[type][1]}/{self.name(id)[0]}"
        if type == POLICY:
            return f"{self._stem('autoscaling')}:scalingPolicy:{self.own(id)}"
        if type == TARGET:
            parts = [
                self._property(id, property) for property in ("ResourceId", "ScalableDimension", "ServiceNamespace")
            ]
            return self._text(parts, "|")
        if type in _STAND_INS:
            return self.own(id)
        return _why(f"the id of {id}", f"${{{self.own(id)}}}")

    def _stem(self, service: str) -> str:
        return f"arn:{self._scope.partition}:{service}:{self._scope.region}:{self._scope.account}"

    def name(self, id: str) -> tuple[str, bool]:
        """The name of a resource, and whether another may be its real one: without any its logical id stands for it."""
        resource = self._resources[id]
        named = NAMES.get(resource.get("Type"))
        name = self._property(id, named[0]) if named else None
        if isinstance(name, Unknown):
            return name.symbol or self.own(id), True
        return (self.own(id) if name in (None, "") else str(name)), False

    def _property(self, id: str, name: str) -> Any:
        """The value of a resource's property; a circle of references is unknown."""
        key = f"{id}.{name}"
        if key in self._open:
            return Unknown(f"{key} refers to itself")
        self._open.add(key)
        try:
            properties = self._resources[id].get("Properties") or {}
            return self.value(properties.get(name)) if isinstance(properties, dict) else None
        finally:
            self._open.discard(key)

    def _get_att(self, inner: Any) -> Any:
        id, attribute = inner.split(".", 1) if isinstance(inner, str) else (self._value(part) for part in inner[:2])
        for part in (id, attribute):
            if isinstance(part, Unknown):
                return part
        whole = f"{id}.{attribute}"
        if attribute.startswith(_OUTPUTS) and id in self.nested:
            output = self.nested[id].output(attribute.removeprefix(_OUTPUTS))
            return _why(whole, f"${{{self.own(id)}.{attribute}}}") if output is None else output
        if id in self._resources:
            type = self._resources[id].get("Type")
            if type in NAMES and attribute == NAMES[type][0]:
                return self.name(id)[0]
            if attribute.endswith("Arn") and (type in NAMES or type == POLICY):
                return self.reference(id)
            if type in _STAND_INS and attribute in _OWN_IDS and not (type == SUBNET and attribute == "VpcId"):
                return self.own(id)
            if type in (SUBNET, *NAMES) and (value := self._property(id, attribute)) is not None:
                return value
        return _why(whole, f"${{{self.own(id)}.{attribute}}}")

    def _sub(self, inner: Any) -> Any:
        text, own = (inner, {}) if isinstance(inner, str) else (inner[0], inner[1])
        if _DYNAMIC.search(text):
            return _why(f"the dynamic reference {text[:_LONGEST]}", text)
        parts: list[Any] = []
        end = 0
        for match in _PLACE.finditer(text):
            name = match[1].strip()
            parts.append(text[end : match.start()].replace("${!", "${"))
            if name in own:
                parts.append(self._value(own[name]))
            else:
                parts.append(self._get_att(name) if "." in name else self._ref(name))
            end = match.end()
        return self._text([*parts, text[end:].replace("${!", "${")], "")

    def _join(self, inner: Any) -> Any:
        separator, items = inner
        items = self._value(items)
        return items if isinstance(items, Unknown) else self._text(items, separator)

    def _text(self, parts: list[Any], separator: str) -> Any:
        """The parts as one text; with an unknown part an unknown text, whose symbol shows what is known of it."""
        lacking = [part for part in parts if isinstance(part, Unknown)]
        if any(isinstance(part, dict | list | NoValue) or part is None for part in parts):
            return Unknown("a text cannot be put together from what is no text")
        shown = [part.symbol if isinstance(part, Unknown) else as_text(part) for part in parts]
        length = sum(map(len, shown)) + len(separator) * len(shown)
        if length > TEXT_CHARACTERS.most:
            raise InvalidInput(f"the stack {self._name}: {TooLarge(TEXT_CHARACTERS)}", field="TEMPLATE")
        self._count(length // CHARACTERS)
        if not lacking:
            return separator.join(shown)
        certain = all(part.symbol for part in lacking)
        return Unknown(lacking[0].reason, separator.join(shown) if certain else "")

    def _select(self, inner: Any) -> Any:
        index, items = self._value(inner[0]), self._value(inner[1])
        for argument in (index, items):
            if isinstance(argument, Unknown):
                return (
                    argument
                    if argument is index
                    else Unknown(argument.reason, f"{argument.symbol}[{index}]" if argument.symbol else "")
                )
        if isinstance(items, Zones):
            return f"zone {int(index)} of {items.region}"
        if int(index) < 0:
            raise IndexError(index)
        return items[int(index)]

    def _split(self, inner: Any) -> Any:
        text = self._value(inner[1])
        return text if isinstance(text, Unknown) else str(text).split(inner[0])

    def _find_in_map(self, inner: Any) -> Any:
        keys = [self._value(key) for key in inner[:3]]
        default = inner[3].get("DefaultValue", NO_VALUE) if len(inner) > 3 else NO_VALUE
        unknown = [key for key in keys if isinstance(key, Unknown)]
        if not unknown:
            return self._mapped(keys, default)
        if len(unknown) > 1 or not unknown[0].choices:
            return Unknown(unknown[0].reason)
        places = [[choice if key is unknown[0] else key for key in keys] for choice in unknown[0].choices]
        return one_of([self._mapped(place, default) for place in places], unknown[0].reason)

    def _mapped(self, keys: list[Any], default: Any) -> Any:
        level: Any = self._mappings
        for key in keys:
            level = level.get(as_text(key)) if isinstance(level, dict) else None
        if level is not None:
            return level
        if default is not NO_VALUE:
            return self._value(default)
        return Unknown(f"Mappings have no {'.'.join(as_text(key) for key in keys)}")

    def _if(self, inner: Any) -> Any:
        condition, yes, no = inner
        state, why = self.condition(condition)
        if state == UNSURE:
            return one_of([self._value(yes), self._value(no)], why)
        return self._value(yes if state == TRUE else no)

    def _zones(self, inner: Any) -> Any:
        region = self._value(inner)
        return region if isinstance(region, Unknown) else Zones(str(region or self._scope.region))

    def _import(self, inner: Any) -> Any:
        name = self._value(inner)
        shown = name.symbol if isinstance(name, Unknown) else str(name)
        if (value := self.exported(shown)) is not None:
            return value
        return _why(f"the exported value {shown}", f"${{import {shown}}}" if shown else "")

    def _length(self, inner: Any) -> Any:
        items = self._value(inner)
        return items if isinstance(items, Unknown) else len(items)

    def _to_json(self, inner: Any) -> Any:
        value = self._value(inner)
        lacking = lack(value)
        return Unknown(lacking.reason) if lacking else json.dumps(value, separators=(",", ":"))

    # ---- conditions

    def condition(self, name: str) -> tuple[str, str]:
        """``true``, ``false`` or ``unsure`` for a named condition, and why it is unsure."""
        if name not in self._conditions:
            return UNSURE, f"the condition {name} is not in the template"
        key = f"Conditions.{name}"
        if key in self._open:
            return UNSURE, f"the condition {name} refers to itself"
        self._open.add(key)
        before, self._deciding = self._deciding, True
        try:
            return self._holds(self._conditions[name])
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError):
            return UNSURE, f"the condition {name} cannot be resolved as it is written"
        finally:
            self._deciding = before
            self._open.discard(key)

    def _holds(self, node: Any) -> tuple[str, str]:
        self._count()
        ((key, inner),) = node.items()
        if key == "Condition":
            return self.condition(inner)
        if key == "Fn::Equals":
            left, right = (self._value(side) for side in inner)
            texts = choices_of(left), choices_of(right)
            if all(texts) and not texts[0] & texts[1]:
                return FALSE, ""
            for side in (left, right):
                if isinstance(side, Unknown):
                    return UNSURE, side.reason
            return (TRUE if as_text(left) == as_text(right) else FALSE), ""
        if key == "Fn::Not":
            state, why = self._holds(inner[0])
            return {TRUE: FALSE, FALSE: TRUE, UNSURE: UNSURE}[state], why
        if key in ("Fn::And", "Fn::Or"):
            decided = FALSE if key == "Fn::And" else TRUE
            states = [self._holds(condition) for condition in inner]
            if any(state == decided for state, _ in states):
                return decided, ""
            return next((state for state in states if state[0] == UNSURE), (TRUE if key == "Fn::And" else FALSE, ""))
        return UNSURE, f"{key} is {LATER}"
