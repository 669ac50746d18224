"""Which algorithm a container image is, and what that algorithm can use.

The facts are data (``policies/data/algorithms.yaml`` and ``registries.yaml``, with their sources); this module only
reads them. An image is recognised by the account *and* the repository that AWS publishes it in, never by its name
alone: a private copy, a fork or a lookalike is an unknown algorithm, and nothing is guessed about it.
"""

import functools
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.tables import read_facts

Version = tuple[int, ...]

SCRIPT_MODE_HYPERPARAMETERS: Final = ("sagemaker_submit_directory", "sagemaker_program")

_ECR_IMAGE = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<domain>[^/]+)"
    r"/(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:.+))?"
)
_VERSION = re.compile(r"[0-9]{1,9}(?:[.-][0-9]{1,9})*(?=-|$)")


class Training(StrEnum):
    """What an algorithm trains on. ``gpu-only``: a job on CPUs fails by itself; ``gpu-optional``: worth a hint."""

    CPU_ONLY = "cpu-only"
    GPU_ONLY = "gpu-only"
    GPU_RECOMMENDED = "gpu-recommended"
    GPU_OPTIONAL = "gpu-optional"
    EITHER = "either"


class Inference(StrEnum):
    """What inference runs on best. ``cpu`` means required or advised; ``unstated``: AWS does not say."""

    CPU = "cpu"
    GPU = "gpu"
    EITHER = "either"
    UNSTATED = "unstated"


class Image(Struct, frozen=True):
    """A container image's URI, taken apart.

    ``account`` and ``region`` are None for anything but a private Amazon ECR registry; ``repository`` and ``tag`` are
    then read the way Docker reads them, as far as the string allows.
    """

    uri: str
    account: str | None = None
    region: str | None = None
    repository: str = ""
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, uri: str) -> "Image":
        """Any string as an image; never raises. China, GovCloud, isolated, FIPS and dual-stack hosts included."""
        return _parse(uri)

    @property
    def version(self) -> Version | None:
        """The numbers that the tag begins with: ``0.90-2-cpu-py3`` is (0, 90, 2); None for ``latest`` or no tag."""
        return _version(self.tag)

    @property
    def elastic_inference(self) -> bool:
        """Whether the image was made for Elastic Inference, which AWS has withdrawn."""
        return "-eia" in self.repository


class Algorithm(Struct, frozen=True):
    """A recognised algorithm, and its facts in the version and mode at hand. None means not known.

    ``single_gpu``: of several GPUs it uses one. ``cpu_cluster``: AWS names several CPU instances as a way to train it.
    ``script_mode``: the user's own code runs in the algorithm's image. Then ``checkpoints`` is up to that code, while
    what the image cannot do (use a GPU) it still cannot. ``training`` is None as well for an image that only serves.

    Follows the SageMaker developer guide, "Common information about built-in algorithms" and each algorithm's page.
    """

    key: str
    title: str
    version: Version | None
    training: Training | None
    single_machine: bool | None
    inference: Inference
    checkpoints: bool | None
    script_mode: bool
    single_gpu: bool | None = False
    cpu_cluster: bool = False

    @property
    def cpu_inference(self) -> bool:
        """Whether AWS advises CPU instances for inference, so that an accelerator is wasted."""
        return self.inference is Inference.CPU


def recognise(
    image_uri: str,
    *,
    hyperparameters: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Algorithm | None:
    """The algorithm that an image runs, or None where it is not AWS's own image: unknown, so judge nothing by it.

    ``hyperparameters`` and ``tags`` are those of the training job; None says that they were not read, and facts that
    depend on them are then None. Built-in algorithms in a Deep Learning Container are told by the job's JumpStart tag
    only. Their job always names a script, which is AWS's and does not count as script mode.
    """
    published = _published(image_uri)
    if published is None:
        return _jumpstart_algorithm(image_uri, tags) if tags else None
    algorithm, conditions = published
    for when in conditions:
        if hyperparameters is None:
            algorithm = replace(algorithm, **_unknown(when.facts))
        elif _plain(hyperparameters.get(when.hyperparameter)) == when.value:
            algorithm = replace(algorithm, **when.facts)
    if hyperparameters and any(name in hyperparameters for name in SCRIPT_MODE_HYPERPARAMETERS):
        algorithm = replace(algorithm, checkpoints=None, script_mode=True)
    return algorithm


@functools.lru_cache(maxsize=4096)
def may_be_jumpstart(image_uri: str) -> bool:
    """Whether the image is one of AWS's Deep Learning Containers, where only a tag tells the algorithm."""
    image = Image.parse(image_uri)
    return image.account is not None and _registries().deep_learning_containers.get(image.region or "") == image.account


@functools.lru_cache(maxsize=4096)
def reserves_memory(image_uri: str) -> str | None:
    """The server of language models in an image that takes most of the GPU memory at its start, or None."""
    image = Image.parse(image_uri)
    name = f"{image.repository}:{image.tag or ''}"
    return next((title for pattern, title in _reserving() if pattern.search(name)), None)


# ---- image URIs


@functools.lru_cache(maxsize=4096)
def _parse(uri: str) -> Image:
    match = _ECR_IMAGE.fullmatch(uri)
    if match and match["domain"] in _registries().domains:
        return Image(uri, match["account"], match["region"], match["repository"], match["tag"], match["digest"])
    host, slash, path = uri.partition("/")
    has_host = slash and ("." in host or ":" in host or host == "localhost")
    name, _, digest = (path if has_host else uri).partition("@")
    repository, _, tag = name.partition(":")
    return Image(uri, None, None, repository, tag or None, digest or None)


def _version(tag: str | None) -> Version | None:
    match = _VERSION.match(tag or "")
    return _numbers(match[0]) if match else None


def _numbers(version: str) -> Version:
    return tuple(int(number) for number in re.split("[.-]", version))


def _plain(value: str | None) -> str:
    # The SageMaker Python SDK writes hyperparameters as JSON for some containers, so a string may come in quotes.
    return str(value).strip().strip("\"'")


# ---- the tables


class _When(Struct, frozen=True):
    hyperparameter: str
    value: str
    facts: Mapping[str, Any]


class _Entry(Struct, frozen=True):
    algorithm: Algorithm
    registry: str = ""
    repositories: tuple[str, ...] = ()
    jumpstart: tuple[str, ...] = ()
    tag_versions: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[tuple[Version, Mapping[str, Any]], ...] = ()
    when: tuple[_When, ...] = ()

    def at(self, tag: str | None) -> Algorithm:
        """The algorithm in the version of a tag; without one, what differs between versions is None."""
        version = _version(self.tag_versions.get(tag or "", tag))
        algorithm = replace(self.algorithm, version=version)
        for below, facts in self.versions:
            if version is None:
                algorithm = replace(algorithm, **_unknown(facts))
            elif version < below:
                algorithm = replace(algorithm, **facts)
        return algorithm


class _Registries(Struct, frozen=True):
    domains: frozenset[str]
    groups: Mapping[str, Mapping[str, str]]
    deep_learning_containers: Mapping[str, str]


class _Algorithms(Struct, frozen=True):
    by_repository: Mapping[str, _Entry]
    by_jumpstart_prefix: Mapping[str, _Entry]
    jumpstart_tags: tuple[str, ...]


@functools.cache
def _registries() -> _Registries:
    data = read_facts("registries.yaml")
    return _Registries(frozenset(data["domains"]), data["groups"], data["deep_learning_containers"])


@functools.cache
def _algorithms() -> _Algorithms:
    data = read_facts("algorithms.yaml")
    entries = [_entry(entry) for entry in data["algorithms"]]
    return _Algorithms(
        by_repository={name: entry for entry in entries for name in entry.repositories},
        by_jumpstart_prefix={prefix: entry for entry in entries for prefix in entry.jumpstart},
        jumpstart_tags=tuple(data["jumpstart_tags"]),
    )


@functools.cache
def _reserving() -> tuple[tuple[re.Pattern[str], str], ...]:
    data = read_facts("reserving_images.yaml")
    return tuple((re.compile(entry["pattern"]), entry["title"]) for entry in data["images"])


def _entry(record: Mapping[str, Any]) -> _Entry:
    return _Entry(
        algorithm=Algorithm(
            key=record["key"],
            title=record["title"],
            version=None,
            script_mode=record.get("own_code", False),
            cpu_cluster=record.get("cpu_cluster", False),
            **_typed({name: record[name] for name in ("training", "single_machine", "inference", "checkpoints")}),
        ),
        registry=record.get("registry", ""),
        repositories=tuple(record.get("repositories", ())),
        jumpstart=tuple(record.get("jumpstart", ())),
        tag_versions=record.get("tag_versions", {}),
        versions=tuple(
            (_numbers(version["below"]), _typed(version, "below")) for version in record.get("versions", ())
        ),
        when=tuple(
            _When(when["hyperparameter"], when["is"], _typed(when, "hyperparameter", "is"))
            for when in record.get("when", ())
        ),
    )


def _typed(facts: Mapping[str, Any], *but: str) -> dict[str, Any]:
    """Facts as an Algorithm holds them; raises ValueError for a class that does not exist."""
    typed = {name: value for name, value in facts.items() if name not in but}
    if typed.get("training") is not None:
        typed["training"] = Training(typed["training"])
    if "inference" in typed:
        typed["inference"] = Inference(typed["inference"])
    return typed


def _unknown(facts: Mapping[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(facts)


# ---- recognition, remembered by image: an account has many jobs and few images


@functools.lru_cache(maxsize=4096)
def _published(image_uri: str) -> tuple[Algorithm, tuple[_When, ...]] | None:
    """The algorithm of an image in a repository of its own, and what its hyperparameters may change."""
    image = Image.parse(image_uri)
    entry = _algorithms().by_repository.get(image.repository)
    if entry is None or image.account is None:
        return None
    if _registries().groups[entry.registry].get(image.region or "") != image.account:
        return None
    return entry.at(image.tag), entry.when


def _jumpstart_algorithm(image_uri: str, tags: Mapping[str, str]) -> Algorithm | None:
    if not may_be_jumpstart(image_uri):
        return None
    algorithms = _algorithms()
    model_id = next((tags[key] for key in algorithms.jumpstart_tags if tags.get(key)), "")
    for prefix, entry in algorithms.by_jumpstart_prefix.items():
        if model_id.startswith(prefix):
            return entry.algorithm
    return None
