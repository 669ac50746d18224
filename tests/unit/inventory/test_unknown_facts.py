"""Facts of which not all is known."""

import jmespath
import pytest

from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.configs import InstancePool, VariantSettings

REASON = Unread("the parameter Count has no value", "plan:values", "(not known before deployment)")
LATER = Unread("it is not known before deployment", "plan:deployment")


def settings() -> VariantSettings:
    pool = InstancePool(instance_type="ml.m5.large").with_unknown({"model_name_override": LATER})
    whole = VariantSettings(name="v", model_name="m", initial_weight=1.0, instance_pools=(pool,))
    return whole.with_unknown({"initial_instance_count": REASON}, {"initial_weight": LATER})


def test_reading_an_unknown_field_says_why() -> None:
    with pytest.raises(Unread, match="the parameter Count has no value") as raised:
        _ = settings().initial_instance_count
    assert raised.value.operation == "plan:values"


def test_what_is_known_or_assumed_is_read_as_ever() -> None:
    assert (settings().model_name, settings().initial_weight) == ("m", 1.0)
    assert settings().known("initial_instance_count") is None
    assert set(settings().unknown) == {"initial_instance_count", "initial_weight"}


def test_a_name_that_is_no_field_is_an_error() -> None:
    with pytest.raises(AttributeError):
        _ = settings().no_such_field  # type: ignore[attr-defined]


def test_evidence_shows_words_only_for_what_is_certain_to_be_there() -> None:
    assert settings().shown("initial_instance_count") == "(not known before deployment)"
    with pytest.raises(Unread):
        settings().instance_pools[0].shown("model_name_override")


def test_a_copy_knows_no_more() -> None:
    copied = settings().model_copy(update={"model_name": "other"})
    with pytest.raises(Unread):
        _ = copied.initial_instance_count


def test_with_only_leaves_nothing_else() -> None:
    bare = settings().with_only(LATER, "name")
    assert bare.name == "v"
    with pytest.raises(Unread):
        _ = bare.model_name


@pytest.mark.parametrize(
    "expression", ["initial_instance_count", "initial_weight", "instance_pools[0].model_name_override", "*"]
)
def test_an_expression_over_what_is_not_known_is_told_so(expression: str) -> None:
    with pytest.raises(Unread):
        jmespath.search(expression, settings().as_json())


def test_an_expression_over_what_is_known_has_its_value() -> None:
    assert jmespath.search("[model_name, instance_pools[].instance_type]", settings().as_json()) == [
        "m",
        ["ml.m5.large"],
    ]
