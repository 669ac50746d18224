"""What an instance type's name tells."""

import re
from pathlib import Path

import pytest
import yaml
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inventory.instances import InstanceType
from chalicelib.tables import DATA, read_facts

ENUMS = (
    "ProductionVariantInstanceType",
    "TrainingInstanceType",
    "TransformInstanceType",
    "InstanceType",
    "ClusterInstanceType",
)


def sagemaker_instance_types() -> list[str]:
    shapes = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    return sorted({name for enum in ENUMS for name in shapes[enum]["enum"]})


def test_a_name_is_taken_apart() -> None:
    g5 = InstanceType.parse("ml.g5.xlarge")
    assert (g5.name, g5.family, g5.size) == ("ml.g5.xlarge", "g5", "xlarge")


@pytest.mark.parametrize(
    ("name", "family", "size"),
    [
        ("ml.p6-b200.48xlarge", "p6-b200", "48xlarge"),
        ("ml.p6e-gb200.36xlarge", "p6e-gb200", "36xlarge"),
        ("ml.c7i-flex.large", "c7i-flex", "large"),
    ],
)
def test_a_family_may_have_a_dash(name: str, family: str, size: str) -> None:
    assert (InstanceType.parse(name).family, InstanceType.parse(name).size) == (family, size)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("ml.p2.xlarge", 1),
        ("ml.p2.8xlarge", 8),
        ("ml.p2.16xlarge", 16),
        ("ml.p3.2xlarge", 1),
        ("ml.p3.8xlarge", 4),
        ("ml.p3dn.24xlarge", 8),
        ("ml.p4d.24xlarge", 8),
        ("ml.p4de.24xlarge", 8),
        ("ml.p5.4xlarge", 1),
        ("ml.p5.48xlarge", 8),
        ("ml.p6-b200.48xlarge", 8),
        ("ml.p6e-gb200.36xlarge", 4),
        ("ml.g4dn.xlarge", 1),
        ("ml.g4dn.12xlarge", 4),
        ("ml.g4dn.16xlarge", 1),
        ("ml.g5.xlarge", 1),
        ("ml.g5.12xlarge", 4),
        ("ml.g5.24xlarge", 4),
        ("ml.g5.48xlarge", 8),
        ("ml.g6e.16xlarge", 1),
        ("ml.g7e.12xlarge", 2),
        ("ml.gr6.8xlarge", 1),
    ],
)
def test_a_gpu_instance_has_so_many_gpus(name: str, count: int) -> None:
    instance = InstanceType.parse(name)
    assert (instance.accelerated, instance.has_gpu, instance.gpu_count) == (True, True, count)


@pytest.mark.parametrize(
    "name",
    [
        "ml.inf1.xlarge",
        "ml.inf2.48xlarge",
        "ml.trn1.2xlarge",
        "ml.trn1n.32xlarge",
        "ml.trn2.3xlarge",
        "ml.dl1.24xlarge",
    ],
)
def test_an_accelerator_that_is_no_gpu_has_no_gpu_metrics(name: str) -> None:
    instance = InstanceType.parse(name)
    assert (instance.accelerated, instance.has_gpu, instance.gpu_count) == (True, False, None)


@pytest.mark.parametrize(
    "name",
    [
        "ml.c6g.xlarge",
        "ml.c6gn.large",
        "ml.m7g.xlarge",
        "ml.r8g.large",
        "ml.c7g.4xlarge",
        "ml.m6gd.large",
        "ml.geospatial.interactive",
    ],
)
def test_graviton_and_other_names_with_a_g_are_no_gpus(name: str) -> None:
    instance = InstanceType.parse(name)
    assert (instance.accelerated, instance.has_gpu, instance.gpu_count) == (False, False, None)


def test_a_newer_gpu_type_is_accelerated_with_an_unknown_number_of_gpus() -> None:
    instance = InstanceType.parse("ml.p9.48xlarge")
    assert (instance.accelerated, instance.has_gpu, instance.gpu_count) == (True, True, None)


@pytest.mark.parametrize(
    ("name", "burstable"),
    [("ml.t2.medium", True), ("ml.t3.xlarge", True), ("ml.m5.large", False), ("ml.trn1.2xlarge", False)],
)
def test_only_t_families_are_burstable(name: str, burstable: bool) -> None:
    assert InstanceType.parse(name).burstable is burstable


@pytest.mark.parametrize(
    "name",
    [
        "",
        "local",
        "local_gpu",
        "ml.foo",
        "ml.p3",
        "ml..",
        "p3.2xlarge",
        "ml.g5.xlarge.x",
        "ml.g5.xlarge\n",
        "system",
        "ML.G5.XLARGE",
    ],
)
def test_what_is_no_instance_type_has_no_family_and_nothing_inside(name: str) -> None:
    assert InstanceType.parse(name) == InstanceType(name)
    assert not InstanceType.parse(name).family


def test_an_unknown_family_has_nothing_inside() -> None:
    instance = InstanceType.parse("ml.new9x.gigantic")
    assert instance == InstanceType("ml.new9x.gigantic", family="new9x", size="gigantic")


def test_the_same_name_is_parsed_once() -> None:
    assert InstanceType.parse("ml.m5.large") is InstanceType.parse("ml.m5.large")


@given(st.text() | st.from_regex(r"ml\.[a-z0-9-]*\.?[a-z0-9]*"))
def test_no_name_raises(name: str) -> None:
    instance = InstanceType.parse(name)
    assert instance.name == name
    assert instance.accelerated or not instance.has_gpu
    assert instance.has_gpu or instance.gpu_count is None


def test_every_instance_type_of_sagemaker_is_understood() -> None:
    for name in sagemaker_instance_types():
        instance = InstanceType.parse(name)
        assert instance.family or name == "system"
        assert instance.accelerated == bool(re.match(r"ml\.(p|g|gr|inf|trn|dl)\d", name)), name
        assert (instance.gpu_count is not None) == instance.has_gpu, f"{name}: how many GPUs?"


def test_the_table_names_only_types_that_sagemaker_has() -> None:
    listed = {f"ml.{family}.{size}" for family, sizes in read_facts("instances.yaml")["gpus"].items() for size in sizes}
    assert listed <= set(sagemaker_instance_types())


@pytest.mark.parametrize("name", ["algorithms.yaml", "instances.yaml", "registries.yaml", "reserving_images.yaml"])
def test_every_file_of_facts_names_its_source_and_date(name: str) -> None:
    facts = read_facts(name)
    assert facts["source"]
    assert str(facts["date"]) >= "2026-01-01"


@pytest.mark.thorough
def test_both_yaml_loaders_read_the_same_facts() -> None:
    for path in Path(DATA).glob("*.yaml"):
        assert read_facts(path.name) == yaml.safe_load(path.read_text(encoding="utf-8"))
