"""Which inference components run a model, and which endpoints serve it by them alone."""

from chalicelib.inventory.uses import with_use
from samples.builders import a_component, a_host_of_components, a_model, a_variant, an_inventory


def test_a_model_knows_the_components_that_run_it() -> None:
    estate = with_use(an_inventory(a_model(), a_component(), a_host_of_components()), seen=True)
    assert estate.models["churn-model"].components == ("churn-component",)
    assert estate.models["churn-model"].hosts == ("churn",)


def test_an_endpoint_whose_config_names_the_model_is_no_mere_host() -> None:
    estate = with_use(an_inventory(a_model(), a_component(), a_variant()), seen=True)
    assert estate.models["churn-model"].components == ("churn-component",)
    assert estate.models["churn-model"].hosts == ()


def test_a_model_of_variants_has_no_components() -> None:
    estate = with_use(an_inventory(a_model(), a_variant()), seen=True)
    assert (estate.models["churn-model"].components, estate.models["churn-model"].hosts) == ((), ())
