"""What is remembered of endpoint configs, and what a broken or foreign memory does: nothing."""

import stat
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.inventory.cached import FileMemory, cache_folder, packed, unpacked
from chalicelib.inventory.collect import Reading
from chalicelib.inventory.kinds.configs import EndpointConfig
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Needs
from chalicelib.inventory.remembered import Answer, ProcessMemory, of_the_day
from chalicelib.scope import Scope
from tests.accounts.door import StateDoor
from tests.accounts.shapes import NOW
from tests.faults.account import account

ACCOUNT, REGION = "123456789012", "eu-west-1"
CONFIG = EndpointConfig.model_validate(
    {
        "EndpointConfigName": "churn",
        "EndpointConfigArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint-config/churn",
        "CreationTime": 1_760_000_000.125,
        "ProductionVariants": [
            {"VariantName": "a", "ModelName": "m", "InitialInstanceCount": 2, "InstanceType": "ml.g5.xlarge"},
            {"VariantName": "b", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 2048}},
            {"VariantName": "c", "InstancePools": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.c5.large"}]},
        ],
        "ShadowProductionVariants": [
            {"VariantName": "s", "ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 1}}
        ],
        "AsyncInferenceConfig": {"OutputConfig": {}},
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]},
        "Tags": [{"Key": "owner", "Value": "ann"}],
    }
)


def test_a_config_comes_back_as_it_was_but_for_what_can_change() -> None:
    back = unpacked(packed({"churn": CONFIG.model_copy(update={"in_use": True})}))
    assert back == {"churn": CONFIG.model_copy(update={"tags": None})}
    assert back["churn"].created == datetime(2025, 10, 9, 8, 53, 20, 125_000, tzinfo=UTC)


def test_another_version_remembers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    blob = packed({"churn": CONFIG})
    monkeypatch.setattr("chalicelib.inventory.cached.FORMAT", "another")
    assert unpacked(blob) == {}


def test_a_file_is_its_owners_alone_and_none_is_left_half_written(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "sagemaker-auditor"
    FileMemory(folder).keep(ACCOUNT, REGION, {"churn": CONFIG})
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert FileMemory(folder).recall(ACCOUNT, REGION).keys() == {"churn"}
    assert FileMemory(folder).recall(ACCOUNT, "us-east-1") == {}


@pytest.mark.parametrize("content", [b"", b"not compressed", b"\x78\x9c\x03\x00\x00\x00\x00\x01"])
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    memory = FileMemory(tmp_path)
    memory.keep(ACCOUNT, REGION, {"churn": CONFIG})
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert memory.recall(ACCOUNT, REGION) == {}


def test_a_place_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    memory = FileMemory(tmp_path / "file" / "folder")
    memory.keep(ACCOUNT, REGION, {"churn": CONFIG})
    assert memory.recall(ACCOUNT, REGION) == {}


@dataclass
class Counted:
    """A memory that counts what is asked of it."""

    held: Mapping[str, EndpointConfig] = field(default_factory=dict)
    answer: Answer | None = None
    recalled: int = 0
    kept: int = 0

    def recall(self, account: str, region: str) -> Mapping[str, EndpointConfig]:
        self.recalled += 1
        return self.held

    def keep(self, account: str, region: str, configs: Mapping[str, EndpointConfig]) -> None:
        self.kept += 1
        self.held = configs

    def recall_answer(self, account: str, region: str, subject: str) -> Answer | None:
        self.recalled += 1
        return self.answer

    def keep_answer(self, account: str, region: str, subject: str, answer: Answer) -> None:
        self.kept += 1
        self.answer = answer


def test_a_process_asks_below_once_and_tells_it_only_news() -> None:
    below = Counted({"churn": CONFIG})
    memory = ProcessMemory(below)
    for _ in range(3):
        assert memory.recall(ACCOUNT, REGION) == {"churn": CONFIG}
        memory.keep(ACCOUNT, REGION, {"churn": CONFIG})
    assert (below.recalled, below.kept) == (1, 0)
    memory.keep(ACCOUNT, REGION, {})
    assert (below.kept, below.held) == (1, {})


QUOTAS = Answer(NOW, [{"QuotaName": "ml.g5.xlarge for endpoint usage", "Value": 5.0}])


def test_an_answer_comes_back_as_it_was(tmp_path: Path) -> None:
    memory = FileMemory(tmp_path)
    assert memory.recall_answer(ACCOUNT, REGION, "service-quotas") is None
    memory.keep_answer(ACCOUNT, REGION, "service-quotas", QUOTAS)
    assert memory.recall_answer(ACCOUNT, REGION, "service-quotas") == QUOTAS
    assert memory.recall_answer(ACCOUNT, "us-east-1", "service-quotas") is None


@pytest.mark.parametrize("content", [b"", b"not compressed", zlib.compress(b"{}"), zlib.compress(b"[1]")])
def test_a_broken_answer_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    memory = FileMemory(tmp_path)
    memory.keep_answer(ACCOUNT, REGION, "service-quotas", QUOTAS)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert memory.recall_answer(ACCOUNT, REGION, "service-quotas") is None


@pytest.mark.parametrize(
    ("age", "read"),
    [
        (timedelta(0), False),
        (timedelta(days=1, seconds=-1), False),
        (timedelta(days=1), True),
        (timedelta(seconds=-1), True),  # a clock that went back
    ],
)
def test_an_answer_is_taken_from_memory_for_a_day(age: timedelta, read: bool) -> None:
    below = Counted(answer=QUOTAS)
    asked: list[str] = []

    def ask() -> list[dict[str, str]]:
        asked.append("AWS")
        return [{"QuotaName": "new"}]

    records = of_the_day(ProcessMemory(below), ACCOUNT, REGION, "service-quotas", NOW + age, ask)
    assert (records != QUOTAS.records, asked == ["AWS"], below.kept == 1) == (read, read, read)


def test_a_process_asks_below_for_an_answer_once() -> None:
    below = Counted(answer=QUOTAS)
    memory = ProcessMemory(below)
    assert [memory.recall_answer(ACCOUNT, REGION, "service-quotas") for _ in range(3)] == [QUOTAS] * 3
    assert below.recalled == 1


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_CACHE_HOME": "/var/tmp/cache"}, "/var/tmp/cache/sagemaker-auditor"),
        ({"XDG_CACHE_HOME": "relative"}, "~/.cache/sagemaker-auditor"),
        ({}, "~/.cache/sagemaker-auditor"),
    ],
)
def test_the_cache_folder_is_where_the_desktop_says(environment: dict[str, str], folder: str) -> None:
    assert cache_folder(environment) == Path(folder).expanduser()


def test_a_config_made_again_under_its_name_is_described_again() -> None:
    """The name and the ARN are the same: its creation time alone tells that what is remembered is another one."""
    state, memory = account(), ProcessMemory()

    def types() -> set[tuple[str, ...]]:
        needs = Needs.of({Part.CONFIGS})
        with Reading(StateDoor(state, REGION), Scope(ACCOUNT, REGION), needs, NOW, memory=memory) as reading:
            list(reading.training_jobs())
            return {variant.instance_types for variant in reading.inventory().configs["busy"].variants}

    assert types() == {("ml.m5.large",)}
    made_again = next(config for config in state.configs if config["EndpointConfigName"] == "busy")
    made_again["ProductionVariants"][0]["InstanceType"] = "ml.c5.large"
    assert types() == {("ml.m5.large",)}, "it is remembered"
    made_again["CreationTime"] += timedelta(hours=1)
    assert types() == {("ml.c5.large",)}
