"""Small texts kept in Amazon S3, such as a policy."""

import re

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import InvalidInput

_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)")
MAX_BYTES = 1_000_000


def stored_text(address: str) -> str:
    """The UTF-8 text at ``s3://BUCKET/KEY``. Raises InvalidInput when it cannot be read, is no text, or too large."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise InvalidInput(f"{address!r} is no address of a file; accepted is s3://BUCKET/KEY", field="policy")
    try:
        answer = boto3.client("s3").get_object(Bucket=match["bucket"], Key=match["key"])
        if answer["ContentLength"] > MAX_BYTES:
            raise InvalidInput(f"{address} is larger than a megabyte, which no policy is", field="policy")
        text: str = answer["Body"].read().decode("utf-8")
    except ClientError as error:
        details = error.response.get("Error", {})
        raise InvalidInput(
            f"{address} cannot be read ({details.get('Code')}: {details.get('Message')}); needed is s3:GetObject on it",
            field="policy",
        ) from None
    except BotoCoreError as error:
        raise InvalidInput(f"{address} cannot be read: {error}", field="policy") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{address}:1: the file is not UTF-8 text", field="policy") from None
    return text
