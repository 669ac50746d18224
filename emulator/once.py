"""What moto works out anew with each call, though it never changes: worked out once."""

import functools

from cryptography.hazmat.primitives.asymmetric import rsa
from moto import backends
from moto.sns.models import Subscription


def install() -> None:
    """Has the folders of moto's services listed once, and one key sign what SNS sends to any subscription."""
    if isinstance(backends.list_of_moto_modules, functools.partial):
        return
    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = functools.partial(tuple, services)
    Subscription.private_key = _signing_key  # type: ignore[method-assign, assignment]


def _signing_key(_: Subscription) -> rsa.RSAPrivateKey:
    return _key()


@functools.cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
