"""What does not fit into one item: JSON and lines of text, compressed, in pieces."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chalicelib.ledger.table import Item

#: DynamoDB takes 400 kB an item; base64 and the other attributes need room.
PIECE = 250_000


def pieces(content: Any) -> list[str]:
    """JSON, compressed, in pieces that fit into an item."""
    return pieces_of([json.dumps(content, separators=(",", ":"))])


def joined(bodies: Iterable[str]) -> Any:
    """The JSON of which these are the pieces, in their order."""
    return json.loads(b"".join(lines_of(bodies)))


def pieces_of(lines: Iterable[str]) -> list[str]:
    """Lines of text, compressed, in pieces that fit into an item: one line at a time is in memory."""
    packer = zlib.compressobj(6)
    packed = bytearray()
    for number, line in enumerate(lines):
        packed += packer.compress(f"\n{line}".encode() if number else line.encode())
    packed += packer.flush()
    size = PIECE // 4 * 3  # four characters stand for three bytes
    return [base64.b64encode(packed[start : start + size]).decode() for start in range(0, len(packed), size)]


def lines_of(bodies: Iterable[str]) -> Iterator[bytes]:
    """The lines of which these are the pieces, in their order: one piece at a time is unpacked."""
    unpacker = zlib.decompressobj()
    rest = b""
    for body in bodies:
        *lines, rest = (rest + unpacker.decompress(base64.b64decode(body))).split(b"\n")
        yield from lines
    yield rest + unpacker.flush()


def whole(items: Sequence[Item], writing: str | None = None) -> list[Any] | None:
    """The bodies of the pieces of one writing, in their order; None while some are lacking, or are of another writing
    by the attribute ``writing``."""
    first = items[0]
    current = items[: first["pieces"]]
    if len(current) < first["pieces"]:
        return None
    if writing is not None and any(item[writing] != first[writing] for item in current):
        return None
    return [item["body"] for item in current]
