"""The files and folders of one command: what each holds, what is skipped, and what is deployed together."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import Struct

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import PLAN_VALUES, TooLarge
from chalicelib.input.reading import read_json
from chalicelib.plan import template, terraform
from chalicelib.plan.document import Document, document
from chalicelib.plan.intrinsics import NAMES
from chalicelib.plan.text import text_of
from chalicelib.plan.unknown import Template
from chalicelib.scope import Scope

_ACCEPTED = (
    "accepted are a CloudFormation template (JSON or YAML), the JSON of `terraform show -json PLANFILE`, and a folder "
    "of such files"
)
_SUFFIXES = {".json", ".yaml", ".yml", ".template"}
_MANIFEST = "manifest.json"
#: The keys of a state, as `terraform show -json` writes it and as it is stored.
_STATE = ({"terraform_version", "values"}, {"lineage", "serial"})
_ASSET = re.compile(r"asset\.[0-9a-f]{16,}\..*|[0-9a-f]{64}\.json")
#: Files of the CDK that are no templates, by the keys that they have.
_CDK = {"artifacts": "the manifest of the CDK", "tree": "the CDK's tree of constructs", "files": "the CDK's assets"}


class Chosen(Struct, frozen=True):
    """A file of the command. ``listed``: its folder holds it, so that it may be of no concern."""

    file: Path
    environment: str = ""
    listed: bool = False


@dataclass
class Declarations:
    """What the files hold: templates, each of files that are deployed together, and words on the files skipped."""

    templates: list[Template]
    skipped: list[str]


@dataclass
class _Unit:
    """Files that are deployed together in any case, with the names that no other may have beside them."""

    environment: str
    names: set[tuple[str, str]]
    stack: template.Stack | None = None
    plan: Template | None = None
    sources: list[str] = field(default_factory=list)

    def excludes(self, other: "_Unit") -> bool:
        """True where both cannot be in one account and region."""
        return self.environment != other.environment or bool(self.names & other.names)


def declared_in(paths: Sequence[Path], scope: Scope, values: Mapping[str, str]) -> Declarations:
    """What files and folders declare.

    Raises InvalidInput for what is neither a template nor the JSON of a plan, for a folder without any, and for a value
    of a parameter that no template has.
    """
    skipped: list[str] = []
    documents: list[tuple[str, Document]] = []
    plans: list[tuple[str, str, Mapping[str, Any]]] = []
    # A file that is named twice, or is in a folder as well, is read as it is named first.
    every: dict[Path, Chosen] = {}
    for chosen in (chosen for path in paths for chosen in _chosen(path)):
        every.setdefault(chosen.file.resolve(), chosen)
    for chosen in every.values():
        source = str(chosen.file)
        text = text_of(chosen.file, "TEMPLATE", _ACCEPTED)
        data = _json(chosen.file, text)
        if terraform.is_plan(data):
            plans.append((source, chosen.environment, data))
        elif word := _of_no_concern(chosen, data):
            skipped.append(f"{source} is skipped: it is {word}")
        else:
            _no_other_terraform(chosen.file, text, data)
            made = document(source, text)
            if chosen.listed and not (isinstance(made.data, dict) and isinstance(made.data.get("Resources"), dict)):
                skipped.append(f"{source} is skipped: it is no template")
            else:
                documents.append((chosen.environment, made))
    if not documents and not plans:
        raise InvalidInput("; ".join([*skipped, f"nothing is left to judge; {_ACCEPTED}"]), field="TEMPLATE")
    if values and not documents:
        raise InvalidInput("a Terraform plan takes no --parameter; give variables to `terraform plan`")
    return Declarations(_templates(_units(documents, plans, scope, values)), skipped)


# ---- files and folders


def _chosen(path: Path) -> Iterator[Chosen]:
    if not path.is_dir():
        yield Chosen(path)
        return
    listed = list(_assembly(path) if (path / _MANIFEST).is_file() else _folder(path))
    if not listed:
        raise InvalidInput(f"{path} holds no template; {_ACCEPTED}", field="TEMPLATE")
    yield from listed


def _folder(path: Path) -> Iterator[Chosen]:
    for file in sorted(path.iterdir()):
        if file.suffix in _SUFFIXES and file.is_file() and not file.name.endswith(".tf.json"):
            yield Chosen(file, listed=True)


def _assembly(path: Path) -> Iterator[Chosen]:
    """The templates of a cloud assembly, as its manifest names them, with those nested in them and its stages."""
    manifest = _json(path / _MANIFEST, text_of(path / _MANIFEST, "TEMPLATE", _ACCEPTED))
    artifacts = manifest.get("artifacts") if isinstance(manifest, dict) else None
    if not isinstance(artifacts, dict):
        yield from _folder(path)
        return
    for artifact in artifacts.values():
        properties = artifact.get("properties") if isinstance(artifact, dict) else None
        if not isinstance(properties, dict):
            continue
        if artifact.get("type") == "aws:cloudformation:stack" and isinstance(properties.get("templateFile"), str):
            file = path / properties["templateFile"]
            yield Chosen(file, str(artifact.get("environment", "")))
            yield from (
                Chosen(nested, str(artifact.get("environment", "")))
                for nested in sorted(path.glob("*.nested.template.json"))
                if nested.name.startswith(file.name.split(".")[0])
            )
        elif artifact.get("type") == "cdk:cloud-assembly" and isinstance(properties.get("directoryName"), str):
            yield from _assembly(path / properties["directoryName"])


def _of_no_concern(chosen: Chosen, data: Any) -> str:
    """What a file is that belongs to a template and is none, or an empty text."""
    if _ASSET.fullmatch(chosen.file.name) and not (isinstance(data, dict) and isinstance(data.get("Resources"), dict)):
        return "an asset of the CDK"
    if isinstance(data, dict) and "version" in data and "Resources" not in data:
        return next((word for key, word in _CDK.items() if isinstance(data.get(key), dict)), "")
    return ""


def _json(file: Path, text: str) -> Any:
    """The JSON of a text, None for any other. Raises InvalidInput beyond the bounds."""
    try:
        return read_json(text, PLAN_VALUES) if text.lstrip().startswith("{") else None
    except TooLarge as error:
        raise InvalidInput(f"{file}:1: {error}", field="TEMPLATE") from None
    except ValueError:
        return None


def _no_other_terraform(file: Path, text: str, data: Any) -> None:
    """Raises InvalidInput for what Terraform writes beside plans."""
    what, accepted = "", "a plan: `terraform show -json PLANFILE`"
    if file.suffix == ".tf" or file.name.endswith(".tf.json"):
        what = "Terraform configuration"
        accepted = "its plan: `terraform plan -out=plan.bin && terraform show -json plan.bin`"
    elif isinstance(data, dict) and (
        {"terraform_version", "values"} <= set(data) or {"lineage", "serial"} <= set(data)
    ):
        what = "a Terraform state"
    elif text.startswith('{"@level"'):
        what = "the log of `terraform plan -json`"
    if what:
        raise InvalidInput(f"{file} is {what}; accepted is {accepted}", field="TEMPLATE")


# ---- what is deployed together


def _units(
    documents: Sequence[tuple[str, Document]],
    plans: Sequence[tuple[str, str, Mapping[str, Any]]],
    scope: Scope,
    values: Mapping[str, str],
) -> list[_Unit]:
    units: list[_Unit] = []
    environments = {made.source: environment for environment, made in documents}
    if documents:
        for stack in template.stacks([made for _, made in documents], scope, values):
            names = {name for inner in stack.every() for name in inner.names()}
            sources = [inner.document.source for inner in stack.every() if not inner.inner]
            units.append(_Unit(environments[stack.document.source], names, stack=stack, sources=sources))
    addresses: set[str] = set()
    for source, environment, data in plans:
        plan = terraform.declared(source, data, scope)
        if addresses & {resource.id for resource in plan.resources}:
            plan = terraform.declared(source, data, scope, f"{Path(source).name.split('.')[0]}:")
        addresses |= {resource.id for resource in plan.resources}
        names = {(resource.type, resource.name) for resource in plan.resources if resource.type in NAMES}
        units.append(_Unit(environment, names, plan=plan, sources=[source]))
    return units


def _templates(units: Sequence[_Unit]) -> list[Template]:
    """A template for each set of units that can be in one account and region; those that exclude none are in all."""
    groups: list[list[_Unit]] = []
    free = [unit for unit in units if not any(unit.excludes(other) for other in units if other is not unit)]
    for unit in units:
        if any(unit is other for other in free):
            continue
        group = next((group for group in groups if not any(unit.excludes(other) for other in group)), None)
        if group is None:
            groups.append([unit])
        else:
            group.append(unit)
    return [_merged([*group, *free]) for group in groups or [[]]]


def _merged(units: Sequence[_Unit]) -> Template:
    resources, more = template.together([unit.stack for unit in units if unit.stack is not None])
    for unit in units:
        if unit.plan is not None:
            resources += unit.plan.resources
    sources = [source for unit in units for source in unit.sources]
    plans = frozenset(source for unit in units if unit.plan is not None for source in unit.sources)
    return Template(tuple(sources), resources, more, plans)
