"""What an endpoint names and cannot be patched, replaced or updated without."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact, VpcConfig
from chalicelib.inventory.images import Image
from chalicelib.inventory.kinds import dependencies
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Endpoint
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader
from chalicelib.inventory.uses import models_of

#: Asked for by themselves, and only where a policy wants to know them.
SHALLOW = frozenset({Part.CONFIGS, Part.MODELS, Part.ROLES, Part.SECURITY_GROUPS})
DEEP = (Part.KEYS, Part.REGISTRY_IMAGES, Part.MODEL_DATA)
_WORDS = {
    Part.CONFIGS: "endpoint config",
    Part.MODELS: "model",
    Part.ROLES: "execution role",
    Part.SECURITY_GROUPS: "security group",
    Part.KEYS: "KMS key",
    Part.REGISTRY_IMAGES: "image",
    Part.MODEL_DATA: "model data",
}
#: A container that loads its models when they are called for: nothing need be there yet.
_LOADS_LATER = "MultiModel"


class Dependency(NamedTuple):
    """Something that an endpoint names: the part that tells of it, and its name there. ``foreign``: it is another
    account's, which tells this one nothing."""

    part: Part
    name: str
    foreign: bool = False

    @property
    def words(self) -> str:
        """What people call it."""
        name = self.name.rsplit("/", 1)[-1] if self.part is Part.ROLES else self.name
        return f"{_WORDS[self.part]} {name}"


def dependencies_of(endpoint: Endpoint, estate: Inventory) -> list[Dependency]:
    """Everything that an endpoint names, each once; of a template only what it may hold itself. What stands behind a
    model that is not there, or was not read, is named nowhere else."""
    components = [component for component in estate.components.values() if component.endpoint_name == endpoint.name]
    models = [name for variant in endpoint.variants for name in models_of(variant)]
    models += [part.model_name for component in components for part in component.specifications if part.model_name]
    named = [Dependency(Part.CONFIGS, endpoint.config_name)] if endpoint.config_name else []
    named += [Dependency(Part.MODELS, name) for name in models]
    if not estate.standing.asked:
        return list(dict.fromkeys(named))
    named += _behind_config(endpoint, estate)
    for name in dict.fromkeys(models):
        if (model := estate.models.get(name)) is not None:
            named += _behind_model(model, estate)
    for component in components:
        named += _behind_component(component, estate)
    return list(dict.fromkeys(named))


def _behind_config(endpoint: Endpoint, estate: Inventory) -> Iterator[Dependency]:
    config = estate.configs.get(endpoint.config_name or "")
    if config is None:
        return
    yield from _role(config.known("execution_role_arn"), estate)
    yield from _groups(config)
    if key := config.known("kms_key_id"):
        yield Dependency(Part.KEYS, key, foreign=_account(key) not in ("", estate.account))


def _behind_model(model: Model, estate: Inventory) -> Iterator[Dependency]:
    yield from _role(model.known("execution_role_arn"), estate)
    yield from _groups(model)
    containers = model.containers
    yield from _images((container.image for container in containers), estate)
    yield from _data(container.model_data for container in containers if container.mode != _LOADS_LATER)


def _behind_component(component: InferenceComponent, estate: Inventory) -> Iterator[Dependency]:
    yield from _images((part.image for part in component.specifications), estate)
    yield from _data(part.artifact for part in component.specifications)


def _role(arn: str | None, estate: Inventory) -> Iterator[Dependency]:
    if arn:
        yield Dependency(Part.ROLES, arn, foreign=_account(arn) != estate.account)


def _groups(stands: Fact) -> Iterator[Dependency]:
    vpc_config: VpcConfig | None = stands.known("vpc_config")
    yield from (Dependency(Part.SECURITY_GROUPS, id) for id in (vpc_config.security_group_ids if vpc_config else ()))


def _images(uris: Iterable[str | None], estate: Inventory) -> Iterator[Dependency]:
    """Those in the account's own registry: others keep theirs, AWS above all."""
    for uri in uris:
        image = Image.parse(uri or "")
        if uri and (image.account, image.region) == (estate.account, estate.region):
            yield Dependency(Part.REGISTRY_IMAGES, uri)


def _data(uris: Iterable[str | None]) -> Iterator[Dependency]:
    yield from (Dependency(Part.MODEL_DATA, uri) for uri in uris if uri and uri.startswith("s3://"))


def _account(arn: str) -> str:
    """The account in an ARN; empty for what is none."""
    return arn.split(":")[4] if arn.startswith("arn:") and arn.count(":") >= 5 else ""


def read(reader: Reader, estate: Inventory) -> dependencies.Standing:
    """What the endpoints in service stand on and is still there, as far as the policy wants to know."""
    wanted: dict[Part, dict[str, None]] = {}
    for endpoint in estate.endpoints.values():
        if endpoint.known("status") is None or not endpoint.settled:
            continue
        for dependency in dependencies_of(endpoint, estate):
            if dependency.part in reader.needs and not dependency.foreign:
                wanted.setdefault(dependency.part, {})[dependency.name] = None
    return dependencies.read(reader, wanted)
