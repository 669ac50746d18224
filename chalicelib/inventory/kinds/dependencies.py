"""What endpoints stand on beside their configs and models: the facts, and how AWS is asked whether it is still there.

Execution roles, security groups, and, where a policy asks for them, encryption keys, container images in the account's
own registry and model data in Amazon S3. AWS says by an error of each operation that something is gone
(:data:`chalicelib.kinds.SAID_GONE_BY`); whatever else fails proves nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from msgspec import Struct, field

from chalicelib.inventory.answers import CallFailed, Gone, mappings, text, unreadable
from chalicelib.inventory.facts import Stated, States, Time, at, states
from chalicelib.inventory.images import Image
from chalicelib.inventory.kinds.network import FILTER_VALUES
from chalicelib.inventory.parts import OPERATIONS, Part
from chalicelib.inventory.reader import ODD, Reader

#: ``ecr:DescribeImages`` takes this many images of a repository.
IMAGES_A_CALL = 100
_S3 = "s3://"


class Present(NamedTuple):
    """Something of a part of which AWS has said that it is there."""

    part: Part
    name: str


class EncryptionKey(Stated):
    """``DescribeKey``, under the name by which an endpoint config knows the key: an id, an alias, or the ARN of one."""

    essential: ClassVar[tuple[str, ...]] = ("KeyState",)
    known_states: ClassVar[States] = {
        "state": states(
            "Creating",
            "Enabled",
            "Disabled",
            "PendingDeletion",
            "PendingImport",
            "PendingReplicaDeletion",
            "Unavailable",
            "Updating",
        )
    }
    name: str
    state: str = at("KeyState", default="")
    deletion: Time | None = at("DeletionDate")


class Standing(Struct, frozen=True):
    """What AWS was asked about and said to be there, of keys with their state. ``asked`` is False where nobody could
    ask, as with a template."""

    present: frozenset[Present] = frozenset()
    keys: Mapping[str, EncryptionKey] = field(default_factory=dict)
    asked: bool = True

    def holds(self, part: Part, name: str) -> bool:
        """True where AWS said that this thing of a part is there."""
        return Present(part, name) in self.present


def read(reader: Reader, wanted: Mapping[Part, Iterable[str]]) -> Standing:
    """Which of the things of these names are there. In an audit whose calls are bounded, what goes beyond is left to
    the next sweep."""
    present: set[Present] = set()
    present |= _each(reader, Part.ROLES, wanted, _role)
    present |= _security_groups(reader, wanted.get(Part.SECURITY_GROUPS, ()))
    present |= _each(reader, Part.MODEL_DATA, wanted, _model_data)
    present |= _images(reader, wanted.get(Part.REGISTRY_IMAGES, ()))
    names = reader.afforded(Part.KEYS, wanted.get(Part.KEYS, ()))
    keys = [key for key in reader.each(lambda name: _key(reader, name), names) if key is not None]
    return Standing(frozenset(present), {key.name: key for key in keys})


def _each(
    reader: Reader, part: Part, wanted: Mapping[Part, Iterable[str]], ask: Callable[[Reader, str], bool]
) -> set[Present]:
    """Those of the names of a part that are there, each asked for by a call of its own, side by side."""
    names = reader.afforded(part, wanted.get(part, ()))
    there = reader.each(lambda name: _asked(reader, part, name, lambda: ask(reader, name)), names)
    return {Present(part, name) for name, stands in zip(names, there, strict=True) if stands}


def _asked(reader: Reader, part: Part, name: str, ask: Callable[[], bool]) -> bool:
    """True where the answer shows the thing of this name. Notes that it is gone where AWS says so, else what failed."""
    operation = OPERATIONS[part][-1]
    try:
        if ask():
            return True
        failure = unreadable(operation, "the answer does not show what was asked for")
    except Gone as gone:
        reader.gone(gone, part, name)
        return False
    except CallFailed as failed:
        failure = failed
    except ODD as error:
        failure = unreadable(operation, f"its answer ({type(error).__name__})")
    reader.blind_to(failure, part, name)
    return False


def _role(reader: Reader, arn: str) -> bool:
    """A role is asked for by its name, whatever path stands before it in the ARN."""
    answer = reader.aws.call("iam", "GetRole", RoleName=arn.rsplit("/", 1)[-1])
    role = answer.get("Role")
    return text(role, "Arn") == arn


def _security_groups(reader: Reader, ids: Iterable[str]) -> set[Present]:
    """Security groups, many a call by a filter, which keeps still about those that are not there: each of these is
    asked for by its id, as only the error for it proves that it is gone."""
    part = Part.SECURITY_GROUPS
    wanted = sorted(set(ids))
    slices = [wanted[start : start + FILTER_VALUES] for start in range(0, len(wanted), FILTER_VALUES)]
    if not reader.affords(len(slices)):
        reader.left_to_sweep(part)
        return set()

    def filtered(some: list[str]) -> set[str]:
        filters = [{"Name": "group-id", "Values": some}]
        return {text(group, "GroupId") for group in _groups(reader, Filters=filters)}

    answers = reader.whole(part, lambda: reader.each(filtered, slices))
    if answers is None:
        return set()
    shown = {id for answer in answers for id in answer}.intersection(wanted)
    lacking = reader.afforded(part, [id for id in wanted if id not in shown])

    def named(id: str) -> bool:
        return _asked(
            reader, part, id, lambda: id in {text(group, "GroupId") for group in _groups(reader, GroupIds=[id])}
        )

    there = reader.each(named, lacking)
    shown |= {id for id, stands in zip(lacking, there, strict=True) if stands}
    return {Present(part, id) for id in shown}


def _groups(reader: Reader, **named: Any) -> list[Any]:
    return reader.aws.listing("ec2", "DescribeSecurityGroups", "SecurityGroups", **named)


def _key(reader: Reader, name: str) -> EncryptionKey | None:
    """A key with its state."""
    part, keys = Part.KEYS, list[EncryptionKey]()

    def ask() -> bool:
        metadata = reader.aws.call("kms", "DescribeKey", KeyId=name).get("KeyMetadata")
        keys.extend(reader.typed(part, EncryptionKey, [{**metadata, "name": name}] if metadata else (), "name"))
        return bool(keys)

    return keys[0] if _asked(reader, part, name, ask) else None


def _images(reader: Reader, uris: Iterable[str]) -> set[Present]:
    """Images of the account's own registry, all of a repository by one call. One that is not there fails it for all of
    them: then each is asked for by itself."""
    part = Part.REGISTRY_IMAGES
    names = reader.afforded(part, uris)
    by_repository: dict[str, list[str]] = {}
    for uri in names:
        by_repository.setdefault(Image.parse(uri).repository, []).append(uri)
    groups = [
        some[start : start + IMAGES_A_CALL]
        for some in by_repository.values()
        for start in range(0, len(some), IMAGES_A_CALL)
    ]

    def alone(uri: str) -> set[Present]:
        stands = _asked(reader, part, uri, lambda: _described(reader, [uri]))
        return {Present(part, uri)} if stands else set()

    def together(some: list[str]) -> set[Present] | None:
        """Those that are there; None where one of several is not."""
        if len(some) == 1:
            return alone(some[0])
        try:
            if _described(reader, some):
                return {Present(part, uri) for uri in some}
        except Gone:
            return None
        except CallFailed as failure:
            for uri in some:
                reader.blind_to(failure, part, uri)
        return set()

    answers = reader.each(together, groups)
    mixed = [uri for some, answer in zip(groups, answers, strict=True) if answer is None for uri in some]
    answers += reader.each(alone, reader.afforded(part, mixed))
    return {image for answer in answers for image in answer or ()}


def _described(reader: Reader, uris: list[str]) -> bool:
    """True where ECR describes these images of one repository. Raises Gone where one is not there."""
    images = [Image.parse(uri) for uri in uris]
    ids = [{"imageDigest": image.digest} if image.digest else {"imageTag": image.tag or "latest"} for image in images]
    answer = reader.aws.call(
        "ecr",
        "DescribeImages",
        registryId=reader.scope.account,
        repositoryName=images[0].repository,
        imageIds=ids,
    )
    return bool(mappings(answer.get("imageDetails")))


def _model_data(reader: Reader, uri: str) -> bool:
    """True where the object is there, or (of a prefix, which ends in a slash) any under it: the first key that begins
    so is asked for, which is the object itself where there is one. Raises Gone where the list shows none.

    The list alone needs no permission to read what customers keep. A bucket of another account is refused.
    """
    bucket, _, key = uri.removeprefix(_S3).partition("/")
    answer = reader.aws.call(
        "s3", "ListObjectsV2", Bucket=bucket, Prefix=key, MaxKeys=1, ExpectedBucketOwner=reader.scope.account
    )
    keys = [text(record, "Key") for record in mappings(answer.get("Contents"))]
    if keys and not all(keys):
        return False
    if any(object_key == key or (key.endswith("/") and object_key.startswith(key)) for object_key in keys):
        return True
    if keys or answer.get("KeyCount") == 0:
        raise Gone("s3:ListObjectsV2", "NoSuchKey", f"no object {uri}")
    return False
