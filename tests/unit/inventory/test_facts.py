"""Fields that say where AWS writes them."""

from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.inventory.facts import Fact, Present, at, many, source_of
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import VariantSettings
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob


class Part(Fact):
    size: int | None = at("Size.Value")


class Thing(Fact):
    name: str = at("ThingName", required=True)
    count: int | None = at("Other.Count", "Config.Count")
    keep: int = at("Config.Keep.Seconds", default=0)
    codes: tuple[str, ...] = at("Reasons[].Code", default=())
    parts: tuple[Part, ...] = at("Parts", "Part", default=(), convert=many)
    guarded: Present = at("Config.Guard", default=False)


def a_thing(**record: Any) -> Thing:
    return Thing.model_validate({"ThingName": "a", **record})


@pytest.mark.parametrize(
    ("record", "count"),
    [
        ({}, None),
        ({"Config": {"Count": 2}}, 2),
        ({"Other": {"Count": 0}, "Config": {"Count": 2}}, 0),
        ({"Other": {"Count": None}, "Config": {"Count": 2}}, 2),
        ({"Other": {}, "Config": {"Count": 2}}, 2),
        ({"Other": None, "Config": None}, None),
        ({"Other": "text"}, None),
    ],
)
def test_the_first_path_that_is_there_wins(record: dict[str, Any], count: int | None) -> None:
    assert a_thing(**record).count == count


def test_nulls_on_the_way_leave_the_default() -> None:
    assert a_thing(Config={"Keep": {"Seconds": None}}).keep == 0
    assert a_thing(Config={"Keep": None, "Guard": None}) == a_thing()


def test_a_path_through_a_list_gives_what_its_items_have() -> None:
    assert a_thing(Reasons=[{"Code": "a"}, {}, {"Code": None}, {"Code": "b"}]).codes == ("a", "b")
    assert a_thing(codes=("a", "b")).codes == ("a", "b")


def test_lists_and_single_things_are_facts_of_their_own() -> None:
    assert a_thing(Part={"Size": {"Value": 1}}).parts == (Part(size=1),)
    assert a_thing(Parts=[], Part={"Size": {"Value": 1}}).parts == (Part(size=1),)
    assert a_thing(Parts=[{"Size": {"Value": 1}}, {}]).parts == (Part(size=1), Part())


def test_presence_is_told_by_anything_that_is_not_empty() -> None:
    assert a_thing(Config={"Guard": {"Mode": "On"}}).guarded
    assert not a_thing(Config={"Guard": {}}).guarded


def test_a_record_without_a_required_field_is_not_understood() -> None:
    with pytest.raises(ValidationError):
        Thing.model_validate({"Config": {}})


def test_the_paths_can_be_read_from_the_model() -> None:
    source = source_of(Thing.model_fields["count"])
    assert source is not None
    assert (str(source), source.usual) == ("Other.Count, else Config.Count", "Config.Count")


def test_a_component_keeps_every_specification() -> None:
    component = InferenceComponent.model_validate(
        {
            "InferenceComponentName": "c",
            "Specifications": [
                {"InstanceType": "ml.g5.xlarge", "ModelName": "a"},
                {
                    "InstanceType": "ml.g6.xlarge",
                    "Container": {"DeployedImage": {"SpecifiedImage": "b:1"}},
                    "SchedulingConfig": {"AvailabilityZoneBalance": {"EnforcementMode": "PERMISSIVE"}},
                },
            ],
        }
    )
    specifications = [
        (specification.instance_type, specification.model_name, specification.image, specification.az_balance)
        for specification in component.specifications
    ]
    assert specifications == [("ml.g5.xlarge", "a", None, False), ("ml.g6.xlarge", None, "b:1", True)]
    assert (component.model_name, component.image, component.az_balance) == ("a", None, False)


def test_a_component_with_one_specification() -> None:
    component = InferenceComponent.model_validate(
        {"InferenceComponentName": "c", "Specification": {"Container": {"Image": "b:1"}}}
    )
    assert component.image == "b:1"
    assert [specification.image for specification in component.specifications] == ["b:1"]


def test_instance_pools_keep_the_model_that_they_serve_instead() -> None:
    settings = VariantSettings.model_validate(
        {
            "VariantName": "v",
            "InstancePools": [
                {"InstanceType": "ml.g5.xlarge", "ModelNameOverride": "small"},
                {"InstanceType": "ml.g6.xlarge"},
            ],
        }
    )
    assert [pool.model_name_override for pool in settings.instance_pools] == ["small", None]
    assert settings.instance_types == ("ml.g5.xlarge", "ml.g6.xlarge")


def test_what_was_selected_goes_before_what_was_asked() -> None:
    job = TrainingJob.model_validate(
        {
            "TrainingJobName": "j",
            "ResourceConfig": {"SelectedInstanceType": "ml.p5.48xlarge", "InstanceType": "ml.p4d.24xlarge"},
        }
    )
    assert job.instance_type == "ml.p5.48xlarge"


def test_a_tuning_definition_says_its_instances_in_either_of_two_places() -> None:
    for key in ("ResourceConfig", "HyperParameterTuningResourceConfig"):
        job = TuningJob.model_validate(
            {
                "HyperParameterTuningJobName": "t",
                "TrainingJobDefinition": {key: {"InstanceType": "ml.m5.large", "InstanceCount": 2}},
            }
        )
        assert [(definition.instance_type, definition.instances) for definition in job.definitions] == [
            ("ml.m5.large", 2)
        ]
