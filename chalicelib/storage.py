"""Small texts kept in Amazon S3, such as a policy."""

import re
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.input.bounds import POLICY_BYTES, TooLarge
from chalicelib.input.reading import bytes_of

_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)")
#: A bucket that does not answer holds up no notice.
STORE_CONFIG = Config(connect_timeout=2, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2})


class StoreFailed(AuditorError):
    """A report could not be stored."""


def store_text(session: Any, bucket: str, key: str, text: str) -> str:
    """Stores JSON text, encrypted by S3, and gives its ``s3://`` address. Raises StoreFailed."""
    try:
        session.client("s3", config=STORE_CONFIG).put_object(
            Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json", ServerSideEncryption="AES256"
        )
    except (ClientError, BotoCoreError) as error:
        raise StoreFailed(f"the report cannot be stored in {bucket}: {error}") from error
    return f"s3://{bucket}/{key}"


def stored_text(address: str, session: Any = None) -> str:
    """The UTF-8 text at ``s3://BUCKET/KEY``, read with a session of boto3, or with the default credentials.

    Raises InvalidInput when it cannot be read, is no text, or too large.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise InvalidInput(f"{address!r} is no address of a file; accepted is s3://BUCKET/KEY", field="policy")
    client = (session or boto3).client("s3", config=STORE_CONFIG)
    try:
        answer = client.get_object(Bucket=match["bucket"], Key=match["key"])
        text = bytes_of(answer["Body"], POLICY_BYTES).decode("utf-8-sig")
    except ClientError as error:
        details = error.response.get("Error", {})
        raise InvalidInput(
            f"{address} cannot be read ({details.get('Code')}: {details.get('Message')}); needed is s3:GetObject on it",
            field="policy",
        ) from None
    except BotoCoreError as error:
        raise InvalidInput(f"{address} cannot be read: {error}", field="policy") from None
    except TooLarge as error:
        raise InvalidInput(f"{address}: {error}", field="policy") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{address}:1: the file is not UTF-8 text", field="policy") from None
    return text
