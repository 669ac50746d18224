"""Which algorithm an image is, and what the algorithm can use."""

from collections import Counter
from typing import Any

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inventory.images import Algorithm, Image, Inference, Training, may_be_jumpstart, recognise
from chalicelib.tables import read_facts

ACCOUNTS = {  # us-east-1
    "A": "811284229777",
    "B": "382416733822",
    "C": "522234722520",
    "D": "766337827248",
    "E": "683313688378",
}
GROUPS = {
    "A": ["blazingtext", "image-classification", "object-detection", "semantic-segmentation", "seq2seq", "xgboost"],
    "B": [
        "factorization-machines",
        "ipinsights",
        "kmeans",
        "knn",
        "linear-learner",
        "ntm",
        "object2vec",
        "pca",
        "randomcutforest",
    ],
    "C": ["forecasting-deepar"],
    "D": ["lda"],
    "E": ["sagemaker-xgboost", "sagemaker-scikit-learn", "sagemaker-sparkml-serving"],
}
BUILT_IN = {name: ACCOUNTS[group] for group, names in GROUPS.items() for name in names}
DEEP_LEARNING_CONTAINER = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:1.9.0-cpu-py38"
DIGEST = "sha256:" + "0" * 64


def an_image(
    repository: str, tag: str = "1", account: str = "", region: str = "us-east-1", domain: str = "amazonaws.com"
) -> str:
    return f"{account or BUILT_IN[repository]}.dkr.ecr.{region}.{domain}/{repository}:{tag}"


def xgboost(tag: str, **arguments: Any) -> Algorithm:
    return known(f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost{tag}", **arguments)


def known(uri: str, **arguments: Any) -> Algorithm:
    algorithm = recognise(uri, **arguments)
    assert algorithm is not None
    return algorithm


def built_ins() -> dict[str, Algorithm]:
    """Every algorithm with an image of its own, in its latest version and without special hyperparameters."""
    tags = {"sagemaker-xgboost": "3.0-5", "sagemaker-scikit-learn": "1.4-2-cpu-py3", "sagemaker-sparkml-serving": "3.3"}
    return {name: known(an_image(name, tags.get(name, "1")), hyperparameters={}) for name in BUILT_IN}


# ---- image URIs


@pytest.mark.parametrize(
    ("host", "account", "region"),
    [
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com", "382416733822", "us-east-1"),
        ("450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn", "450853457545", "cn-north-1"),
        ("414596584902.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "414596584902", "us-gov-west-1"),
        ("490574956308.dkr.ecr.us-iso-east-1.c2s.ic.gov", "490574956308", "us-iso-east-1"),
        ("765400339828.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "765400339828", "us-isob-east-1"),
        ("108575199400.dkr.ecr.us-isof-east-1.csp.hci.ic.gov", "108575199400", "us-isof-east-1"),
        ("382416733822.dkr-ecr.us-east-1.on.aws", "382416733822", "us-east-1"),
    ],
)
def test_an_image_in_amazon_ecr_is_taken_apart(host: str, account: str, region: str) -> None:
    image = Image.parse(f"{host}/team/churn:2.1-cpu")
    assert (image.account, image.region, image.repository, image.tag) == (account, region, "team/churn", "2.1-cpu")


def test_an_image_may_have_no_tag() -> None:
    assert Image.parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn") == Image(
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn", "123456789012", "eu-west-1", "churn"
    )


def test_a_digest_may_stand_in_for_the_tag_or_beside_it() -> None:
    base = "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans"
    assert (Image.parse(f"{base}@{DIGEST}").tag, Image.parse(f"{base}@{DIGEST}").digest) == (None, DIGEST)
    assert (Image.parse(f"{base}:1@{DIGEST}").tag, Image.parse(f"{base}:1@{DIGEST}").digest) == ("1", DIGEST)


@pytest.mark.parametrize(
    ("uri", "repository", "tag"),
    [
        ("", "", None),
        ("ubuntu", "ubuntu", None),
        ("library/ubuntu:24.04", "library/ubuntu", "24.04"),
        ("localhost:5000/kmeans:1", "kmeans", "1"),
        (
            "public.ecr.aws/sagemaker/sagemaker-distribution:latest-cpu",
            "sagemaker/sagemaker-distribution",
            "latest-cpu",
        ),
        ("registry.example.com/team/model@sha256:abc", "team/model", None),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com.evil.example/kmeans:1", "kmeans", "1"),
        ("38241673382.dkr.ecr.us-east-1.amazonaws.com/kmeans:1", "kmeans", "1"),
    ],
)
def test_any_other_image_has_no_account_and_a_repository_as_far_as_one_can_tell(
    uri: str, repository: str, tag: str | None
) -> None:
    image = Image.parse(uri)
    assert (image.account, image.region, image.repository, image.tag) == (None, None, repository, tag)


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("1", (1,)),
        ("1.2-1", (1, 2, 1)),
        ("1.20-1", (1, 20, 1)),
        ("0.90-2-cpu-py3", (0, 90, 2)),
        ("0.23-1-cpu-py3", (0, 23, 1)),
        ("1.7-1", (1, 7, 1)),
        ("latest", None),
        ("v1", None),
        ("1x", None),
        ("9" * 5000, None),
    ],
)
def test_the_version_is_what_the_tag_begins_with(tag: str, version: tuple[int, ...] | None) -> None:
    assert Image.parse(f"382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:{tag}").version == version


@pytest.mark.parametrize(
    ("repository", "made_for_it"),
    [
        ("tensorflow-inference-eia", True),
        ("sagemaker-tensorflow-serving-eia", True),
        ("mxnet-inference-eia", True),
        ("tensorflow-inference", False),
        ("team/teiasoup", False),
    ],
)
def test_an_elastic_inference_image_is_known_by_its_repository(repository: str, made_for_it: bool) -> None:
    uri = f"763104351884.dkr.ecr.us-east-1.amazonaws.com/{repository}:2.3.0-cpu"
    assert Image.parse(uri).elastic_inference is made_for_it


@given(st.text())
def test_no_uri_raises(uri: str) -> None:
    assert Image.parse(uri).uri == uri
    assert recognise(uri, hyperparameters={"mode": uri}, tags={"sm-jumpstart-id": uri}) is None


@given(
    repository=st.sampled_from(sorted(BUILT_IN)),
    rest=st.text(),
    hyperparameters=st.none() | st.dictionaries(st.text() | st.sampled_from(["mode", "sagemaker_program"]), st.text()),
    tags=st.none() | st.dictionaries(st.text() | st.just("sm-jumpstart-id"), st.text()),
)
def test_no_tag_hyperparameter_or_resource_tag_raises(
    repository: str, rest: str, hyperparameters: dict[str, str] | None, tags: dict[str, str] | None
) -> None:
    recognise(an_image(repository, rest), hyperparameters=hyperparameters, tags=tags)
    recognise(DEEP_LEARNING_CONTAINER + rest, hyperparameters=hyperparameters, tags=tags)


# ---- who publishes an image


@pytest.mark.parametrize("repository", sorted(BUILT_IN))
def test_a_built_in_is_recognised_by_account_and_repository(repository: str) -> None:
    assert known(an_image(repository)).key == repository


@pytest.mark.parametrize("repository", sorted(BUILT_IN))
def test_a_private_copy_under_the_same_name_is_unknown(repository: str) -> None:
    assert recognise(an_image(repository, account="123456789012")) is None


@pytest.mark.parametrize(
    "uri",
    [
        "382416733822.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1",  # the account of another region
        "811284229777.dkr.ecr.us-east-1.amazonaws.com/kmeans:1",  # the account of another group
        "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans-copy:1",
        "382416733822.dkr.ecr.us-east-1.amazonaws.com/team/kmeans:1",
        "382416733822.dkr.ecr.us-east-1.amazonaws.com/KMeans:1",
        "382416733822.dkr.ecr.us-east-1.amazonaws.com.evil.example/kmeans:1",
        "382416733822.dkr.ecr.xx-north-9.amazonaws.com/kmeans:1",
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
        "811284229777.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "455444449433.dkr.ecr.af-south-1.amazonaws.com/lda:1",  # LDA is not offered there
        DEEP_LEARNING_CONTAINER,
        "kmeans:1",
    ],
)
def test_a_lookalike_is_unknown(uri: str) -> None:
    assert recognise(uri, hyperparameters={}, tags={}) is None


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("351501993468.dkr.ecr.ap-northeast-1.amazonaws.com/pca:1", "pca"),
        ("258307448986.dkr.ecr.ap-northeast-1.amazonaws.com/lda:1", "lda"),
        ("495149712605.dkr.ecr.eu-central-1.amazonaws.com/forecasting-deepar:1", "forecasting-deepar"),
        ("685385470294.dkr.ecr.eu-west-1.amazonaws.com/seq2seq:1", "seq2seq"),
        ("141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3", "sagemaker-scikit-learn"),
        ("898809789911.dkr.ecr.il-central-1.amazonaws.com/sagemaker-xgboost:1.7-1", "sagemaker-xgboost"),
        ("390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/blazingtext:1", "blazingtext"),
        ("451049120500.dkr.ecr.cn-northwest-1.amazonaws.com.cn/sagemaker-xgboost:1.7-1", "sagemaker-xgboost"),
        ("226302683700.dkr.ecr-fips.us-gov-west-1.amazonaws.com/lda:1", "lda"),
        ("237065988967.dkr.ecr.us-gov-east-1.amazonaws.com/ntm:1", "ntm"),
        ("833128469047.dkr.ecr.us-iso-east-1.c2s.ic.gov/sagemaker-xgboost:1.2-1", "sagemaker-xgboost"),
        ("281123927165.dkr.ecr.us-isob-east-1.sc2s.sgov.gov/sagemaker-xgboost:1.2-1", "sagemaker-xgboost"),
        ("124985052026.dkr.ecr.us-isof-south-1.csp.hci.ic.gov/knn:1", "knn"),
    ],
)
def test_each_region_and_partition_has_its_own_accounts(uri: str, key: str) -> None:
    assert known(uri).key == key


def test_the_registry_tables_are_whole() -> None:
    groups = read_facts("registries.yaml")["groups"]
    assert {group: len(accounts) for group, accounts in groups.items()} == {"A": 37, "B": 37, "C": 37, "D": 16, "E": 37}


def test_accounts_are_strings_of_twelve_digits_and_regions_are_regions() -> None:
    data = read_facts("registries.yaml")
    regions = {region for part in Loader().load_data("partitions")["partitions"] for region in part["regions"]}
    for accounts in (*data["groups"].values(), data["deep_learning_containers"]):
        assert set(accounts) <= regions
        assert all(
            isinstance(account, str) and len(account) == 12 and account.isdigit() for account in accounts.values()
        )


def test_every_partition_has_its_domain() -> None:
    partitions = Loader().load_data("partitions")["partitions"]
    assert {partition["outputs"]["dnsSuffix"] for partition in partitions} <= set(
        read_facts("registries.yaml")["domains"]
    )


# ---- what algorithms can use


def test_the_algorithms_that_train_on_cpus_only() -> None:
    assert {name for name, algorithm in built_ins().items() if algorithm.training is Training.CPU_ONLY} == {
        "lda",
        "randomcutforest",
        "sagemaker-scikit-learn",
        "xgboost",
    }
    assert xgboost(":1.0-1").training is Training.CPU_ONLY


def test_the_algorithms_that_need_a_gpu_to_train() -> None:
    assert {name for name, algorithm in built_ins().items() if algorithm.training is Training.GPU_ONLY} == {
        "image-classification",
        "object-detection",
        "semantic-segmentation",
        "seq2seq",
    }


def test_the_algorithms_for_which_a_gpu_is_recommended() -> None:
    assert {name for name, algorithm in built_ins().items() if algorithm.training is Training.GPU_RECOMMENDED} == {
        "ipinsights",
        "ntm",
        "blazingtext",
    }


def test_the_algorithms_for_which_a_gpu_is_worth_a_hint() -> None:
    assert {name for name, algorithm in built_ins().items() if algorithm.training is Training.GPU_OPTIONAL} == {
        "object2vec",
        "forecasting-deepar",
    }


def test_the_algorithms_that_use_one_machine() -> None:
    assert {name for name, algorithm in built_ins().items() if algorithm.single_machine} == {
        "lda",
        "object2vec",
        "semantic-segmentation",
        "seq2seq",
        "blazingtext",
    }


def test_the_algorithms_whose_inference_belongs_on_cpus() -> None:
    assert {name for name, algorithm in built_ins().items() if algorithm.cpu_inference} == {
        "forecasting-deepar",
        "randomcutforest",
        "lda",
        "ipinsights",
        "ntm",
        "factorization-machines",
        "sagemaker-scikit-learn",
        "sagemaker-sparkml-serving",
    }


def test_the_algorithms_that_checkpoint() -> None:
    assert {name for name, algorithm in built_ins().items() if algorithm.checkpoints} == {
        "image-classification",
        "object-detection",
        "semantic-segmentation",
        "sagemaker-xgboost",
    }


def test_the_algorithms_whose_checkpoints_are_not_known() -> None:
    assert {name for name, algorithm in built_ins().items() if algorithm.checkpoints is None} == {
        "sagemaker-scikit-learn",
        "sagemaker-sparkml-serving",
    }


def test_where_the_pages_disagree_on_k_means_nothing_is_said() -> None:
    assert known(an_image("kmeans")).single_machine is None


def test_seq2seq_is_never_called_a_cpu_algorithm() -> None:
    assert known(an_image("seq2seq")).inference is Inference.UNSTATED


def test_object2vec_serves_on_gpus() -> None:
    assert known(an_image("object2vec")).inference is Inference.GPU


def test_sparkml_serving_does_not_train() -> None:
    assert known(an_image("sagemaker-sparkml-serving", "3.3")).training is None


# ---- versions


@pytest.mark.parametrize("tag", ["1", "latest"])
def test_the_first_xgboost_is_version_0_72_on_cpus_without_checkpoints(tag: str) -> None:
    algorithm = known(an_image("xgboost", tag))
    assert (algorithm.version, algorithm.training, algorithm.checkpoints) == ((0, 72), Training.CPU_ONLY, False)


@pytest.mark.parametrize(
    ("tag", "training"),
    [
        ("0.90-1-cpu-py3", Training.CPU_ONLY),
        ("0.90-2-cpu-py3", Training.CPU_ONLY),
        ("1.0-1-cpu-py3", Training.CPU_ONLY),
        ("1.0-1", Training.CPU_ONLY),
        ("1.2", Training.EITHER),
        ("1.2-1", Training.EITHER),
        ("1.2-2", Training.EITHER),
        ("1.7-1", Training.EITHER),
        ("1.20-1", Training.EITHER),
        ("3.0-5", Training.EITHER),
    ],
)
def test_xgboost_trains_on_gpus_from_1_2_1(tag: str, training: Training) -> None:
    assert xgboost(f":{tag}").training is training


@pytest.mark.parametrize(
    ("tag", "checkpoints"),
    [("0.72-1", False), ("0.90-1", True), ("0.90-2-cpu-py3", True), ("1.0-1", True), ("1.7-1", True)],
)
def test_xgboost_checkpoints_from_0_90_1(tag: str, checkpoints: bool) -> None:
    assert xgboost(f":{tag}").checkpoints is checkpoints


@pytest.mark.parametrize("tag", ["", f"@{DIGEST}", ":latest", ":my-own"])
def test_without_a_version_what_depends_on_it_is_unknown(tag: str) -> None:
    algorithm = xgboost(tag)
    assert (algorithm.version, algorithm.training, algorithm.checkpoints) == (None, None, None)
    assert (algorithm.single_machine, algorithm.inference) == (False, Inference.EITHER)


def test_what_does_not_depend_on_the_version_is_known_by_digest_too() -> None:
    algorithm = known(f"766337827248.dkr.ecr.us-east-1.amazonaws.com/lda@{DIGEST}")
    assert (algorithm.version, algorithm.training, algorithm.single_machine) == (None, Training.CPU_ONLY, True)


# ---- hyperparameters


@pytest.mark.parametrize("mode", ["supervised", '"supervised"'])
def test_blazingtext_in_supervised_mode_is_as_well_off_on_one_cpu_machine(mode: str) -> None:
    algorithm = known(an_image("blazingtext"), hyperparameters={"mode": mode})
    assert (algorithm.training, algorithm.single_machine) == (Training.EITHER, True)


@pytest.mark.parametrize(
    ("tag", "single"),
    [
        (":1.0-1-cpu-py3", True),
        (":1.2-1", True),
        (":1.3-1", True),
        (":1.4-1", True),
        (":1.5-1", False),
        (":1.7-1", False),
        (":3.0-5", False),
        (":latest", None),
    ],
)
def test_xgboost_uses_several_gpus_from_1_5_on(tag: str, single: bool | None) -> None:
    assert xgboost(tag).single_gpu is single


@pytest.mark.parametrize("mode", ["cbow", "skipgram"])
def test_blazingtext_uses_one_machine_and_is_better_on_a_gpu(mode: str) -> None:
    algorithm = known(an_image("blazingtext"), hyperparameters={"mode": mode})
    assert (algorithm.training, algorithm.single_machine) == (Training.GPU_RECOMMENDED, True)


@pytest.mark.parametrize("mode", ["batch_skipgram", '"batch_skipgram"'])
def test_blazingtext_in_batch_skipgram_mode_is_distributed_and_needs_no_gpu(mode: str) -> None:
    algorithm = known(an_image("blazingtext"), hyperparameters={"mode": mode})
    assert (algorithm.training, algorithm.single_machine) == (Training.EITHER, False)


def test_without_hyperparameters_the_mode_of_blazingtext_is_unknown() -> None:
    algorithm = known(an_image("blazingtext"))
    assert (algorithm.training, algorithm.single_machine, algorithm.inference) == (None, None, Inference.EITHER)


@pytest.mark.parametrize("name", ["sagemaker_submit_directory", "sagemaker_program"])
def test_in_script_mode_checkpoints_are_up_to_the_user(name: str) -> None:
    algorithm = xgboost(":1.7-1", hyperparameters={name: '"train.py"'})
    assert (algorithm.script_mode, algorithm.checkpoints, algorithm.training) == (True, None, Training.EITHER)


def test_script_mode_does_not_give_an_old_xgboost_a_gpu() -> None:
    algorithm = xgboost(":1.0-1-cpu-py3", hyperparameters={"sagemaker_program": "train.py"})
    assert (algorithm.script_mode, algorithm.training) == (True, Training.CPU_ONLY)


@pytest.mark.parametrize("hyperparameters", [None, {}, {"sagemaker_program": "train.py"}])
def test_scikit_learn_is_always_the_users_code_and_never_on_a_gpu(hyperparameters: dict[str, str] | None) -> None:
    algorithm = known(an_image("sagemaker-scikit-learn", "0.23-1-cpu-py3"), hyperparameters=hyperparameters)
    assert (algorithm.script_mode, algorithm.checkpoints, algorithm.training) == (True, None, Training.CPU_ONLY)


def test_other_hyperparameters_change_nothing() -> None:
    assert xgboost(":1.7-1", hyperparameters={"max_depth": "5"}) == xgboost(":1.7-1")


# ---- JumpStart


@pytest.mark.parametrize(
    ("model_id", "key", "training", "single_machine"),
    [
        ("catboost-classification-model", "catboost", Training.CPU_ONLY, True),
        ("catboost-regression-model", "catboost", Training.CPU_ONLY, True),
        ("lightgbm-classification-model", "lightgbm", Training.CPU_ONLY, False),
        ("lightgbm-regression-model", "lightgbm", Training.CPU_ONLY, False),
        ("autogluon-classification-ensemble", "autogluon-tabular", Training.EITHER, True),
        ("autogluon-regression-ensemble", "autogluon-tabular", Training.EITHER, True),
        ("pytorch-tabtransformerclassification-model", "tabtransformer", Training.EITHER, True),
        ("pytorch-tabtransformerregression-model", "tabtransformer", Training.EITHER, True),
        ("tensorflow-ic-efficientnet-b0-classification-1", "image-classification-tensorflow", Training.EITHER, True),
        ("tensorflow-od1-ssd-resnet50-v1-fpn", "object-detection-tensorflow", Training.GPU_RECOMMENDED, True),
        ("tensorflow-tc-bert-en-cased-L-12-H-768-A-12-2", "text-classification-tensorflow", Training.EITHER, True),
    ],
)
def test_a_jumpstart_algorithm_is_told_by_the_model_id(
    model_id: str, key: str, training: Training, single_machine: bool
) -> None:
    algorithm = known(DEEP_LEARNING_CONTAINER, tags={"sagemaker-sdk:jumpstart-model-id": model_id})
    assert (algorithm.key, algorithm.training, algorithm.single_machine) == (key, training, single_machine)
    assert (algorithm.version, algorithm.checkpoints, algorithm.cpu_inference) == (None, None, False)


@pytest.mark.parametrize(
    "tag", ["sagemaker-sdk:jumpstart-model-id", "sm-jumpstart-id", "sagemaker-studio:jumpstart-model-id"]
)
def test_each_tag_of_jumpstart_counts(tag: str) -> None:
    assert known(DEEP_LEARNING_CONTAINER, tags={tag: "lightgbm-regression-model"}).key == "lightgbm"


@pytest.mark.parametrize(
    "model_id",
    [
        "",
        "pytorch-ic-resnet18",
        "autogluon-forecasting-chronos-t5-small",
        "tensorflow-icembedding-bit-m-r50x1",
        "my-lightgbm-model",
    ],
)
def test_other_jumpstart_models_are_unknown(model_id: str) -> None:
    assert recognise(DEEP_LEARNING_CONTAINER, tags={"sm-jumpstart-id": model_id}) is None


def test_the_script_of_a_jumpstart_algorithm_is_not_the_users() -> None:
    hyperparameters = {"sagemaker_submit_directory": "s3://jumpstart-cache-prod-us-east-1/source.tar.gz"}
    algorithm = known(
        DEEP_LEARNING_CONTAINER, hyperparameters=hyperparameters, tags={"sm-jumpstart-id": "catboost-regression-model"}
    )
    assert (algorithm.script_mode, algorithm.training) == (False, Training.CPU_ONLY)


@pytest.mark.parametrize(
    "uri",
    [
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:1.9.0-cpu-py38",
        "763104351884.dkr.ecr.af-south-1.amazonaws.com/pytorch-training:1.9.0-cpu-py38",
        "pytorch-training:1.9.0",
    ],
)
def test_a_jumpstart_tag_on_another_image_proves_nothing(uri: str) -> None:
    assert recognise(uri, tags={"sm-jumpstart-id": "catboost-regression-model"}) is None
    assert not may_be_jumpstart(uri)


@pytest.mark.parametrize(
    "uri",
    [
        DEEP_LEARNING_CONTAINER,
        "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/pytorch-training:2.1.0-gpu-py310",
        "094389454867.dkr.ecr.us-isob-east-1.sc2s.sgov.gov/autogluon-training:1.0.0-cpu-py310",
        "303241398832.dkr.ecr.us-isof-east-1.csp.hci.ic.gov/pytorch-training:2.3.0-cpu-py311",
        "454834333376.dkr.ecr.us-isof-south-1.csp.hci.ic.gov/pytorch-training:2.3.0-cpu-py311",
        "371248457586.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk/pytorch-training:2.3.0-cpu-py311",
        "204133271717.dkr.ecr.eusc-de-east-1.amazonaws.eu/pytorch-training:2.3.0-cpu-py311",
        "124382933778.dkr.ecr.me-west-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311",
    ],
)
def test_a_deep_learning_container_may_be_jumpstart(uri: str) -> None:
    assert may_be_jumpstart(uri)


def test_the_tags_do_not_matter_to_an_image_of_its_own() -> None:
    assert known(an_image("lda"), tags={"sm-jumpstart-id": "catboost-regression-model"}).key == "lda"


# ---- the whole


def test_an_entry_has_either_repositories_or_jumpstart_ids() -> None:
    for entry in read_facts("algorithms.yaml")["algorithms"]:
        assert ("repositories" in entry) != ("jumpstart" in entry), entry["key"]
        assert ("registry" in entry) == ("repositories" in entry), entry["key"]


def test_keys_and_repositories_are_unique() -> None:
    entries = read_facts("algorithms.yaml")["algorithms"]
    keys = [entry["key"] for entry in entries]
    names = [name for entry in entries for name in (*entry.get("repositories", ()), *entry.get("jumpstart", ()))]
    assert len(keys) == len(set(keys))
    assert len(names) == len(set(names))


def test_an_image_is_looked_up_once_however_many_jobs_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account has a hundred thousand jobs and few images."""
    parsed: Counter[str] = Counter()

    def counting(uri: str) -> Image:
        parsed[uri] += 1
        return parse(uri)

    parse = Image.parse
    monkeypatch.setattr(Image, "parse", counting)
    images = [an_image(name, tag="looked-up-once") for name in BUILT_IN]
    for turn in range(10 * len(images)):
        recognise(images[turn % len(images)], hyperparameters={"mode": f"turn-{turn}"}, tags={})
    assert parsed == dict.fromkeys(images, 1)
