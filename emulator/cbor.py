"""CBOR for the Smithy RPC v2 protocol, which the CloudWatch client of botocore 1.44 speaks.

Only what that protocol uses: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from itertools import chain, repeat
from typing import Any

_BREAK = object()
_DOUBLE = 0xFB
_TIMESTAMP_TAG = 0xC1


class Timestamp(float):
    """Seconds since the epoch: a number in JSON, a tagged number in CBOR, as the AWS protocols have it."""


class Timestamps(list[float]):
    """Many timestamps, encoded in one go."""


class Doubles(list[float]):
    """Many floating-point numbers, encoded in one go."""


def decode(data: bytes) -> Any:
    """The value that `data` holds; timestamps come out as `Timestamp`. Raises ValueError for anything malformed."""
    try:
        return _Decoder(data).item()
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"malformed CBOR: {error}") from error


def encode(value: Any) -> bytes:
    """`value` as CBOR; members that are None are left out of maps, as AWS leaves out what is not set."""
    parts: list[bytes] = []
    _encode(value, parts)
    return b"".join(parts)


class _Decoder:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> bytes:
        start = self.position
        if start + count > len(self.data):
            raise ValueError("malformed CBOR: it ends too early")
        self.position += count
        return self.data[start : self.position]

    def length(self, info: int) -> int:
        if info < 24:
            return info
        return int.from_bytes(self.take(1 << (info - 24)), "big")

    def item(self) -> Any:
        initial = self.take(1)[0]
        major, info = initial >> 5, initial & 0x1F
        if major == 7:
            return self.simple(info)
        if info == 31:
            return self.indefinite(major)
        number = self.length(info)
        if major == 0:
            return number
        if major == 1:
            return -1 - number
        if major == 2:
            return self.take(number)
        if major == 3:
            return self.take(number).decode()
        if major == 4:
            return [self.item() for _ in range(number)]
        if major == 5:
            return {self.item(): self.item() for _ in range(number)}
        value = self.item()
        return Timestamp(value) if number == 1 else value

    def simple(self, info: int) -> Any:
        if info in (20, 21):
            return info == 21
        if info == 25:
            return struct.unpack(">e", self.take(2))[0]
        if info == 26:
            return struct.unpack(">f", self.take(4))[0]
        if info == 27:
            return struct.unpack(">d", self.take(8))[0]
        return _BREAK if info == 31 else None

    def indefinite(self, major: int) -> Any:
        items = []
        while (item := self.item()) is not _BREAK:
            items.append(item)
        if major == 4:
            return items
        if major == 5:
            return dict(zip(items[::2], items[1::2], strict=True))
        return (b"" if major == 2 else "").join(items)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * size):
            return bytes([major << 5 | info]) + number.to_bytes(size, "big")
    raise ValueError(f"{number} is too large for CBOR")


def _encode(value: Any, parts: list[bytes]) -> None:
    if value is None:
        parts.append(b"\xf6")
    elif isinstance(value, bool):
        parts.append(b"\xf5" if value else b"\xf4")
    elif isinstance(value, Timestamp):
        parts.append(struct.pack(">BBd", _TIMESTAMP_TAG, _DOUBLE, value))
    elif isinstance(value, int):
        parts.append(_head(0, value) if value >= 0 else _head(1, -1 - value))
    elif isinstance(value, float):
        parts.append(struct.pack(">Bd", _DOUBLE, value))
    elif isinstance(value, str):
        raw = value.encode()
        parts += (_head(3, len(raw)), raw)
    elif isinstance(value, Doubles):
        numbers = chain.from_iterable(zip(repeat(_DOUBLE), value))
        parts += (_head(4, len(value)), struct.pack(">" + "Bd" * len(value), *numbers))
    elif isinstance(value, Timestamps):
        numbers = chain.from_iterable(zip(repeat(_TIMESTAMP_TAG), repeat(_DOUBLE), value))
        parts += (_head(4, len(value)), struct.pack(">" + "BBd" * len(value), *numbers))
    elif isinstance(value, Mapping):
        members = [(key, member) for key, member in value.items() if member is not None]
        parts.append(_head(5, len(members)))
        for key, member in members:
            _encode(key, parts)
            _encode(member, parts)
    elif isinstance(value, (list, tuple)):
        parts.append(_head(4, len(value)))
        for member in value:
            _encode(member, parts)
    else:
        raise TypeError(f"cannot encode {type(value).__name__} as CBOR")
