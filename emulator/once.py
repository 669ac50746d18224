"""What moto works out anew with each call, though it never changes: worked out once."""

import functools

from cryptography.hazmat.primitives.asymmetric import rsa
from moto import backends
from moto.core import responses
from moto.kms import models as kms
from moto.sns.models import Subscription


def install() -> None:
    """Has the folders of moto's services and the methods of its classes listed once, and one key be that
    of all subscriptions of SNS, and one that of all keys of KMS: nobody asks who signed."""
    if isinstance(backends.list_of_moto_modules, functools.partial):
        return
    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = functools.partial(tuple, services)
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)  # type: ignore[attr-defined]
    responses.camelcase_to_underscores = functools.cache(responses.camelcase_to_underscores)  # type: ignore[attr-defined]
    kms.generate_private_key = functools.cache(kms.generate_private_key)  # type: ignore[attr-defined]
    Subscription.private_key = _signing_key  # type: ignore[method-assign, assignment]


def _signing_key(_: Subscription) -> rsa.RSAPrivateKey:
    return _key()


@functools.cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
