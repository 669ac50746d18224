"""What the endpoints of the lifelike account stand on beside their network.

The execution role, a KMS key, the images of the account's own registry, and the model data in Amazon S3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
    storage = _storage(account)
    if _bucket(account) not in storage.buckets:
        storage.create_bucket(_bucket(account), account.region)


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


def _push(registry: ECRBackend, repository: str, tag: str) -> None:
    if repository not in registry.repositories:
        registry.create_repository(repository, None, {}, {}, "MUTABLE", [])
    if not any(tag in image.image_tags for image in registry.repositories[repository].images):
        registry.put_image(repository, _MANIFEST, tag)


def _storage(account: Account) -> S3Backend:
    return s3_backends[account.id][get_partition(account.region)]


def _bucket(account: Account) -> str:
    return f"models-{account.id}"
