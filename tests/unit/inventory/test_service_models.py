"""Where botocore finds the models of services, and what the package holds of them."""

import ast
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.session import Session

from chalicelib.inventory import service_models
from chalicelib.inventory.parts import OPERATIONS
from chalicelib.inventory.service_models import core_session
from tools.infra import STACK, load
from tools.lean import unreachable
from tools.permissions import FUNCTIONS
from tools.service_models import BESIDE, WHOLE, narrowed, operations, write_addresses, write_models

ROOT = Path(__file__).parents[3]
#: Granted to the function for Lambda, which asks the queue in its place.
BY_LAMBDA = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
MODEL: dict[str, Any] = {
    "metadata": {"serviceId": "Rooms"},
    "documentation": "<p>Rooms</p>",
    "operations": {
        "ListRooms": {"input": {"shape": "Empty"}, "output": {"shape": "Rooms"}, "errors": [{"shape": "Away"}]},
        "DeleteRoom": {"input": {"shape": "Room"}},
    },
    "shapes": {
        "Empty": {"type": "structure", "members": {}},
        "Away": {"type": "structure", "members": {}, "exception": True, "documentation": "<p>Away.</p>"},
        "Rooms": {"type": "structure", "members": {"Rooms": {"shape": "RoomList", "documentation": "<p>All.</p>"}}},
        "RoomList": {"type": "list", "member": {"shape": "Named"}},
        "Named": {"type": "structure", "members": {"documentation": {"shape": "Text"}, "inner": {"shape": "Named"}}},
        "Room": {"type": "structure", "members": {"Id": {"shape": "Text"}}},
        "Text": {"type": "string"},
        "Unused": {"type": "string"},
    },
}


def test_a_model_keeps_the_operations_that_are_asked_and_the_shapes_of_these() -> None:
    model = narrowed(MODEL, ["ListRooms"])
    assert list(model["operations"]) == ["ListRooms"]
    assert set(model["shapes"]) == {"Empty", "Away", "Rooms", "RoomList", "Named", "Text"}
    assert model["metadata"] == MODEL["metadata"]
    assert "<p>" not in json.dumps(model)
    assert set(model["shapes"]["Named"]["members"]) == {"documentation", "inner"}, "a member may have any name"


def test_an_operation_that_no_service_has_is_an_error() -> None:
    with pytest.raises(KeyError, match="ListDoors"):
        narrowed(MODEL, ["ListDoors"])


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models as the package holds them."""
    folder = tmp_path / "service_models"
    write_models(folder)
    write_addresses(folder)
    monkeypatch.setattr(service_models, "PACKED", folder)
    return folder


def session() -> boto3.Session:
    return boto3.Session("key", "secret", region_name="eu-west-1", botocore_session=core_session())


@pytest.mark.thorough
def test_clients_know_what_the_inventory_asks_and_no_more(packed: Path) -> None:
    loader = core_session().get_component("data_loader")
    known = {service: loader.load_service_model(service, "service-2")["operations"] for service in operations()}
    assert {service: sorted(names) for service, names in known.items()} == operations()
    asked = {operation.split(":")[1] for listed in OPERATIONS.values() for operation in listed}
    of_s3 = {"HeadBucket", "ListObjectsV2"}
    read = {name for service, names in known.items() for name in names if service not in BESIDE}
    assert asked == of_s3 | read
    assert sum(path.stat().st_size for path in packed.rglob("*.json")) < 800_000


def test_what_the_functions_may_ask_of_these_services_is_in_the_package() -> None:
    held = {"service-quotas": "servicequotas"}
    packed = {f"{held.get(service, service)}:{name}" for service, names in operations().items() for name in names}
    services = {operation.split(":")[0] for operation in packed}
    statements = [statement for function in FUNCTIONS.values() for statement in function]
    granted = {action for statement in statements for action in statement["Action"] if action.split(":")[0] in services}
    assert granted
    assert granted - BY_LAMBDA <= packed


def test_the_package_knows_every_service_that_the_functions_name() -> None:
    """Those of the inventory are named by their operations, others by their clients, or by what the stack grants."""
    left_out = set(unreachable(ROOT))
    packed = [path for path in (ROOT / "chalicelib").rglob("*.py") if path not in left_out]
    named = {
        str(node.args[0].value)
        for path in packed
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "client"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    policies = [part for part in load(STACK)["Resources"].values() if part.get("Type") == "AWS::IAM::Policy"]
    statements = [statement for policy in policies for statement in policy["Properties"]["PolicyDocument"]["Statement"]]
    listed = [statement["Action"] for statement in statements]
    actions = [action for some in listed for action in ([some] if isinstance(some, str) else some)]
    granted = {action.split(":")[0] for action in actions} - {"ses"}
    assert {"sns", "dynamodb", "s3", "sesv2"} <= named
    assert {"pricing", "cost-optimization-hub"} <= granted
    assert named | granted <= WHOLE | operations().keys()


@pytest.mark.thorough
def test_a_service_is_where_botocore_has_it(packed: Path) -> None:
    def addresses(core: Session) -> dict[str, Any]:
        resolver, loader = core._get_internal_component("endpoint_resolver"), core.get_component("data_loader")
        assert resolver.uses_builtin_data
        prefixes = {
            loader.load_service_model(service, "service-2")["metadata"]["endpointPrefix"]
            for service in WHOLE | operations().keys()
        }
        places = {
            (prefix, partition, region): resolver.construct_endpoint(prefix, region, partition)
            for partition in core.get_available_partitions()
            for region in [*core.get_available_regions("ec2", partition), "eu-nowhere-1"]
            for prefix in prefixes
        }
        return {"places": places, "regions": core.get_available_regions("sagemaker")}

    cut = addresses(core_session())
    assert len(cut["places"]) > 500
    assert cut == addresses(Session())
    assert (packed / "endpoints.json").stat().st_size < 150_000


@pytest.mark.thorough
def test_what_the_package_does_not_hold_comes_from_botocore(packed: Path) -> None:
    here = session()
    assert "PutObject" in here.client("s3").meta.service_model.operation_names
    assert here.client("sts").meta.endpoint_url.startswith("https://sts.")
    assert here.get_available_regions("sagemaker")
    with pytest.raises(UnknownServiceError, match="sagemakr"):
        here.client("sagemakr")


def test_folders_that_the_environment_names_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "rooms" / "2026-11-26"
    place.mkdir(parents=True)
    (place / "service-2.json").write_text(json.dumps(MODEL), encoding="utf-8")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    loader = core_session().get_component("data_loader")
    assert loader.load_service_model("rooms", "service-2")["metadata"] == {"serviceId": "Rooms"}
    assert {"rooms", "sagemaker"} <= set(loader.list_available_services("service-2"))
