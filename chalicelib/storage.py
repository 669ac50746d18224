"""Texts kept in Amazon S3: policies, and whole reports as JSON and as a page."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.input.bounds import POLICY_BYTES, Bound, TooLarge
from chalicelib.input.reading import bytes_of
from chalicelib.scope import console_of, partition_of

_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)")
#: A bucket that does not answer holds up no notice.
STORE_CONFIG = Config(connect_timeout=2, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2})
#: A link is signed by version 4, as buckets under a key of KMS and newer regions ask for.
SIGN_CONFIG = Config(signature_version="s3v4")
#: Nothing between the bucket and its reader keeps a report; the reader's browser asks whether it is still the same.
CACHE_CONTROL = "private, no-cache"
JSON, HTML = "application/json", "text/html; charset=utf-8"


class StoreFailed(AuditorError):
    """A report could not be stored."""


class Signed(Struct, frozen=True):
    """A link that opens an object without signing in, and until when it does at the latest.

    ``certain``: whether it ends then. Keys of a role end a link when they end, and do not always tell when.
    """

    url: str
    until: datetime
    certain: bool


def store_text(session: Any, bucket: str, key: str, text: str, kind: str = JSON) -> str:
    """Stores a text of this media type and gives its ``s3://`` address. Raises StoreFailed.

    Nothing is said of encryption: S3 encrypts whatever it stores, with the key that the bucket names, if it names one.
    """
    try:
        session.client("s3", config=STORE_CONFIG).put_object(
            Bucket=bucket,
            Key=key,
            Body=text.encode(),
            ContentType=kind,
            CacheControl=CACHE_CONTROL,
        )
    except (ClientError, BotoCoreError) as error:
        raise StoreFailed(f"the report cannot be stored in {bucket}: {error}") from error
    return f"s3://{bucket}/{key}"


def console_page(bucket: str, key: str, region: str) -> str | None:
    """The page of an object in AWS's console, where whoever may read it opens it; None where no console is known."""
    console = console_of(partition_of(region), region)
    if console is None:
        return None
    return f"{console}/s3/object/{bucket}?region={region}&prefix={quote(key, safe='')}"


def signed(session: Any, bucket: str, key: str, lasting: timedelta, now: datetime | None = None) -> Signed:
    """A link that opens the object for whoever has it, signed with the session's keys. Asks nothing of AWS.

    Raises StoreFailed without keys.
    """
    now = now or datetime.now(UTC)
    try:
        keys = session.get_credentials()
        frozen = keys.get_frozen_credentials() if keys is not None else None
        url: str = session.client("s3", config=SIGN_CONFIG).generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=int(lasting.total_seconds())
        )
    except (ClientError, BotoCoreError) as error:
        raise StoreFailed(f"no link to the report can be signed: {type(error).__name__}") from error
    end: datetime | None = getattr(keys, "_expiry_time", None)  # keys that are fetched know their end
    until = now + lasting if end is None else min(end, now + lasting)
    return Signed(url, until, certain=end is not None or not getattr(frozen, "token", None))


def stored_text(address: str, session: Any = None, *, most: Bound = POLICY_BYTES, field: str = "policy") -> str:
    """The UTF-8 text at ``s3://BUCKET/KEY``, at most ``most`` large, read with a session of boto3, or with the default
    credentials.

    Raises InvalidInput, which names ``field``, when it cannot be read, is no text, or too large.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise InvalidInput(f"{address!r} is no address of a file; accepted is s3://BUCKET/KEY", field=field)
    try:
        client = (session or boto3).client("s3", config=STORE_CONFIG)
        answer = client.get_object(Bucket=match["bucket"], Key=match["key"])
        text = bytes_of(answer["Body"], most).decode("utf-8-sig")
    except ClientError as error:
        details = error.response.get("Error", {})
        raise InvalidInput(
            f"{address} cannot be read ({details.get('Code')}: {details.get('Message')}); needed is s3:GetObject on it",
            field=field,
        ) from None
    except BotoCoreError as error:
        raise InvalidInput(f"{address} cannot be read: {error}", field=field) from None
    except TooLarge as error:
        raise InvalidInput(f"{address}: {error}", field=field) from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{address}:1: the file is not UTF-8 text", field=field) from None
    return text
