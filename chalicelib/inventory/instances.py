"""What an ML instance type is: family, size, accelerator, GPUs, CPU credits.

The facts are data (``policies/data/instances.yaml``, with their source); this module only reads them.
"""

import functools
import re
from collections.abc import Mapping

from msgspec import Struct

from chalicelib.tables import read_facts

_NAME = re.compile(r"ml\.([a-z0-9-]+)\.([a-z0-9-]+)")
_MULTIPLE = re.compile(r"(\d+)xlarge")


class _Facts(Struct, frozen=True):
    accelerated: re.Pattern[str]
    accelerated_without_gpu: re.Pattern[str]
    burstable: frozenset[str]
    gpus: Mapping[str, Mapping[str, int]]
    efa: Mapping[str, frozenset[str]]
    cpus: Mapping[str, int]
    cpus_of_family: Mapping[str, Mapping[str, int]]
    smallest: Mapping[str, str]


@functools.cache
def _facts() -> _Facts:
    facts = read_facts("instances.yaml")
    return _Facts(
        accelerated=re.compile(facts["accelerated"]),
        accelerated_without_gpu=re.compile(facts["accelerated_without_gpu"]),
        burstable=frozenset(facts["burstable"]),
        gpus=facts["gpus"],
        cpus=facts["cpus"]["of_size"],
        cpus_of_family=facts["cpus"]["of_family"],
        smallest={family: size for size, families in facts["smallest"].items() for family in families},
        efa={family: frozenset(sizes) for family, sizes in facts["efa"].items()},
    )


class InstanceType(Struct, frozen=True):
    """An instance type as SageMaker names it, and what it has inside.

    ``accelerated`` covers GPUs as well as Inferentia, Trainium and Gaudi; ``has_gpu`` GPUs alone, the only ones with
    GPUUtilization and GPUMemoryUtilization. ``gpu_count`` is None where there is no GPU *and* where the number is
    not known yet (a type newer than the table): ``has_gpu`` tells the two apart. A name that is no ML instance type has
    an empty family and size, and nothing inside. ``has_efa``: several of them speak over an Elastic Fabric Adapter,
    which does not cross Availability Zones. ``cpu_count`` (vCPUs) and ``smallest`` (whether SageMaker hosts on no
    smaller size of the family) are told of CPU types, and None where they are not known.

    >>> InstanceType.parse("ml.g5.12xlarge").gpu_count
    4
    """

    name: str
    family: str = ""
    size: str = ""
    accelerated: bool = False
    has_gpu: bool = False
    gpu_count: int | None = None
    burstable: bool = False
    has_efa: bool = False
    cpu_count: int | None = None
    smallest: bool | None = None

    @classmethod
    def parse(cls, name: str) -> "InstanceType":
        """The type of that name, for example ``ml.p6-b200.48xlarge``; never raises, whatever the name."""
        return _parse(name)


@functools.lru_cache(maxsize=1024)
def _parse(name: str) -> InstanceType:
    match = _NAME.fullmatch(name)
    if not match:
        return InstanceType(name)
    family, size = match.groups()
    facts = _facts()
    accelerated = bool(facts.accelerated.match(name))
    return InstanceType(
        name=name,
        family=family,
        size=size,
        accelerated=accelerated,
        has_gpu=accelerated and not facts.accelerated_without_gpu.match(name),
        gpu_count=facts.gpus.get(family, {}).get(size),
        burstable=family in facts.burstable,
        cpu_count=None if accelerated else _cpus(family, size, facts),
        smallest=None if accelerated or family not in facts.smallest else facts.smallest[family] == size,
        has_efa=size in facts.efa.get(family, frozenset()),
    )


def _cpus(family: str, size: str, facts: _Facts) -> int | None:
    """The vCPUs of a CPU type; None for a size that has no number."""
    known = facts.cpus_of_family.get(family, {}).get(size) or facts.cpus.get(size)
    multiple = _MULTIPLE.fullmatch(size)
    return known or (4 * int(multiple[1]) if multiple else None)
