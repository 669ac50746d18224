"""What the endpoints of the lifelike account stand on beside their network.

The execution role, a KMS key, the images of the account's own registry, and the model data in Amazon S3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from moto.ecr.models import ECRBackend, ecr_backends
from moto.kms.models import kms_backends
from moto.s3.models import S3Backend, s3_backends
from moto.utilities.utils import get_partition

from emulator.account_base import Account
from emulator.standing import make_role

KEY_ALIAS = "alias/model-storage"
_MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}'
_DATA = b"model"


def make(account: Account) -> None:
    """Makes the role, the key and the bucket."""
    make_role(account.role)
    keys = kms_backends[account.id][account.region]
    key = keys.create_key("", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "Volumes of endpoints", None)
    keys.create_alias(key.id, KEY_ALIAS)
    make_bucket(account, _bucket(account))


def keep(account: Account, containers: Iterable[Mapping[str, str]]) -> None:
    """Keeps the image of each container, where it is of the account's own registry, and its model data."""
    registry = ecr_backends[account.id][account.region]
    for container in containers:
        host, _, image = container["Image"].partition("/")
        if host.startswith(account.id):
            _push(registry, *image.split(":"))
        keep_data(account, container["ModelDataUrl"])


def keep_data(account: Account, uri: str) -> None:
    """Keeps something under a URI of the account's bucket."""
    _, _, key = uri.removeprefix("s3://").partition("/")
    _storage(account).put_object(_bucket(account), key, _DATA)


def make_bucket(account: Account, name: str, region: str | None = None) -> None:
    """Makes a bucket, by default in the region of the account."""
    storage = _storage(account)
    if name not in storage.buckets:
        storage.create_bucket(name, region or account.region)


def keep_object(account: Account, uri: str, *, written: datetime) -> None:
    """Keeps an object that was written then."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    _storage(account).put_object(bucket, key, _DATA).last_modified = written.replace(tzinfo=None)


def _push(registry: ECRBackend, repository: str, tag: str) -> None:
    if repository not in registry.repositories:
        registry.create_repository(repository, None, {}, {}, "MUTABLE", [])
    if not any(tag in image.image_tags for image in registry.repositories[repository].images):
        registry.put_image(repository, _MANIFEST, tag)


def _storage(account: Account) -> S3Backend:
    return s3_backends[account.id][get_partition(account.region)]


def _bucket(account: Account) -> str:
    return f"models-{account.id}"
