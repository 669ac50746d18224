"""The text of a file as people's tools write it: UTF-8, or UTF-16 as PowerShell's ``>`` does."""

import json
from pathlib import Path

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import TEMPLATE_BYTES, TooLarge
from chalicelib.input.reading import read_bytes


def text_of(file: Path, field: str, accepted: str) -> str:
    """The text of a file, by its byte order mark where it has one. Raises InvalidInput for what is no text."""
    try:
        raw = read_bytes(file, TEMPLATE_BYTES)
    except TooLarge as error:
        raise InvalidInput(f"{file}: {error}", field=field) from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}; {accepted}", field=field) from None
    if raw.startswith(b"PK\x03\x04"):
        raise InvalidInput(
            f"{file} is a binary file, perhaps a saved Terraform plan; make JSON of it with "
            f"`terraform show -json {file}`",
            field=field,
        )
    try:
        # UTF-16 without a mark is known by its zero bytes, as the first character of what is read here is ASCII.
        text = raw.decode(json.detect_encoding(raw))
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is not UTF-8 text, nor UTF-16; {accepted}", field=field) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n")
