"""What endpoints stand on is asked for grouped and by name, and only AWS's own word for it makes something gone."""

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.inventory.allowance import BoundedDoor
from chalicelib.inventory.answers import CallFailed, Gone
from chalicelib.inventory.kinds import dependencies
from chalicelib.inventory.kinds.dependencies import Standing
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Needs, Reader
from chalicelib.kinds import SAID_GONE_BY, says_gone
from chalicelib.scope import Scope
from tests.accounts.door import State, StateDoor
from tests.accounts.shapes import ACCOUNT, NOW

ROLE = f"arn:aws:iam::{ACCOUNT}:role/hosting"
REGISTRY = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
IMAGE, OTHER_TAG, OTHER = f"{REGISTRY}/churn:1", f"{REGISTRY}/churn:2", f"{REGISTRY}/fraud@sha256:{'0' * 64}"
DATA, PREFIX = "s3://models/churn/model.tar.gz", "s3://models/churn/"


class Door(StateDoor):
    """A door that gives the answers, or raises the failures, that a test names by operation."""

    def __init__(self, replies: Mapping[str, Any] | None = None, absent: frozenset[str] = frozenset()) -> None:
        super().__init__(State(absent=absent), "eu-west-1")
        self.replies = dict(replies or {})
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.asked.append((operation, parameters))
        answer = self.replies.get(operation)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer) if answer is not None else super().call(service, operation, **parameters)


def read(door: Door, part: Part, *names: str, bound: int | None = None) -> tuple[Standing, Reader]:
    """What is there of these, and the reader with what it could not read."""
    bounded = BoundedDoor(door, bound) if bound is not None else None
    reader = Reader(door, Scope(ACCOUNT, "eu-west-1"), Needs.of([part]), NOW, bound=bounded)
    try:
        return dependencies.read(reader, {part: names}), reader
    finally:
        reader.close()


def names_of(standing: Standing) -> set[str]:
    return {present.name for present in standing.present}


@pytest.mark.parametrize(
    ("part", "name", "absent"),
    [
        (Part.ROLES, ROLE, "hosting"),
        (Part.SECURITY_GROUPS, "sg-1", "sg-1"),
        (Part.REGISTRY_IMAGES, IMAGE, "churn"),
        (Part.MODEL_DATA, DATA, "models"),
    ],
)
def test_it_is_there_or_gone(part: Part, name: str, absent: str) -> None:
    standing, reader = read(Door(), part, name)
    assert (names_of(standing), list(reader.gaps)) == ({name}, [])
    standing, reader = read(Door(absent=frozenset({absent})), part, name)
    assert names_of(standing) == set()
    assert reader.gaps.gone(part, name)


@pytest.mark.parametrize(
    ("part", "operation", "name"),
    [
        (Part.ROLES, "GetRole", ROLE),
        (Part.KEYS, "DescribeKey", "alias/models"),
        (Part.REGISTRY_IMAGES, "DescribeImages", IMAGE),
        (Part.MODEL_DATA, "ListObjectsV2", DATA),
    ],
)
@pytest.mark.parametrize(
    "answer",
    [CallFailed("service:Operation", "AccessDenied", "no"), CallFailed("service:Operation", "Throttling", ""), {}],
)
def test_whatever_else_is_answered_proves_nothing(part: Part, operation: str, name: str, answer: Any) -> None:
    standing, reader = read(Door({operation: answer}), part, name)
    assert (names_of(standing), standing.keys) == (set(), {})
    assert reader.gaps.hides(part, name)


def test_a_role_that_only_shares_its_name_is_not_the_role() -> None:
    standing, reader = read(Door(), Part.ROLES, f"arn:aws:iam::{ACCOUNT}:role/service-role/hosting")
    assert names_of(standing) == set()
    assert reader.gaps.hides(Part.ROLES, f"arn:aws:iam::{ACCOUNT}:role/service-role/hosting")


def test_security_groups_are_filtered_many_a_call_and_those_that_lack_are_asked_for_by_id() -> None:
    ids = [f"sg-{number}" for number in range(250)]
    door = Door(absent=frozenset({"sg-7"}))
    standing, reader = read(door, Part.SECURITY_GROUPS, *ids)
    assert names_of(standing) == {*ids} - {"sg-7"}
    assert [sorted(parameters) for _, parameters in door.asked] == [["Filters"], ["Filters"], ["GroupIds"]]
    assert reader.gaps.gone(Part.SECURITY_GROUPS, "sg-7")


def test_a_security_group_that_the_filter_kept_still_about_is_not_gone_for_that() -> None:
    door = Door({"DescribeSecurityGroups": {"SecurityGroups": []}})
    _, reader = read(door, Part.SECURITY_GROUPS, "sg-1")
    assert not reader.gaps.gone(Part.SECURITY_GROUPS, "sg-1")
    assert reader.gaps.hides(Part.SECURITY_GROUPS, "sg-1")


def test_security_groups_that_are_denied_are_unread_as_a_whole() -> None:
    door = Door({"DescribeSecurityGroups": CallFailed("ec2:DescribeSecurityGroups", "UnauthorizedOperation", "")})
    _, reader = read(door, Part.SECURITY_GROUPS, "sg-1", "sg-2")
    assert reader.gaps.of(Part.SECURITY_GROUPS) is not None
    assert len(door.asked) == 1


def test_the_images_of_a_repository_are_described_by_one_call() -> None:
    door = Door()
    standing, _ = read(door, Part.REGISTRY_IMAGES, IMAGE, OTHER_TAG, OTHER)
    assert names_of(standing) == {IMAGE, OTHER_TAG, OTHER}
    asked = {parameters["repositoryName"]: parameters["imageIds"] for _, parameters in door.asked}
    assert asked == {"churn": [{"imageTag": "1"}, {"imageTag": "2"}], "fraud": [{"imageDigest": f"sha256:{'0' * 64}"}]}


def test_of_images_one_of_which_is_gone_each_is_asked_for_alone() -> None:
    class OneIsGone(Door):
        def _DescribeImages(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
            if {"imageTag": "2"} in parameters["imageIds"]:
                raise Gone("ecr:DescribeImages", "ImageNotFoundException", "2 is not there")
            return super()._DescribeImages(parameters)

    door = OneIsGone()
    standing, reader = read(door, Part.REGISTRY_IMAGES, IMAGE, OTHER_TAG)
    assert names_of(standing) == {IMAGE}
    assert reader.gaps.gone(Part.REGISTRY_IMAGES, OTHER_TAG)
    assert not reader.gaps.gone(Part.REGISTRY_IMAGES, IMAGE)


@pytest.mark.parametrize(
    ("uri", "contents", "there"),
    [
        (DATA, [{"Key": "churn/model.tar.gz"}], True),
        (DATA, [{"Key": "churn/model.tar.gz.old"}], False),
        (DATA, [], False),
        (PREFIX, [{"Key": "churn/weights/1"}], True),
        (PREFIX, [], False),
    ],
)
def test_model_data_is_there_by_its_own_key_or_any_under_a_prefix(uri: str, contents: list[Any], there: bool) -> None:
    door = Door({"ListObjectsV2": {"Contents": contents, "KeyCount": len(contents)}})
    standing, reader = read(door, Part.MODEL_DATA, uri)
    assert (uri in names_of(standing), reader.gaps.gone(Part.MODEL_DATA, uri)) == (there, not there)
    (_, asked) = door.asked[0]
    assert (asked["Bucket"], asked["MaxKeys"], asked["ExpectedBucketOwner"]) == ("models", 1, ACCOUNT)


def test_a_key_tells_its_state() -> None:
    metadata = {"KeyState": "PendingDeletion", "DeletionDate": NOW.timestamp()}
    standing, _ = read(Door({"DescribeKey": {"KeyMetadata": metadata}}), Part.KEYS, "alias/models")
    key = standing.keys["alias/models"]
    assert (key.state, key.deletion) == ("PendingDeletion", NOW)


@pytest.mark.parametrize("part", [Part.ROLES, Part.SECURITY_GROUPS, Part.KEYS, Part.REGISTRY_IMAGES, Part.MODEL_DATA])
def test_what_no_call_is_left_for_is_left_to_the_next_sweep(part: Part) -> None:
    name = DATA if part is Part.MODEL_DATA else IMAGE if part is Part.REGISTRY_IMAGES else "sg-1"
    door = Door()
    standing, reader = read(door, part, name, bound=1)  # which is reserved
    assert (door.asked, names_of(standing)) == ([], set())
    assert [failure.deferred for failure in reader.gaps] == [True]


@pytest.mark.parametrize("operation", sorted(SAID_GONE_BY))
def test_the_error_of_another_operation_says_nothing(operation: str) -> None:
    others = {code for other, codes in SAID_GONE_BY.items() if other != operation for code in codes}
    own = set(SAID_GONE_BY[operation])
    assert all(says_gone(operation, code, "", {}) for code in own)
    assert not any(says_gone(operation, code, "", {}) for code in others - own)
    assert not says_gone(operation, "AccessDenied", "does not exist", {})
