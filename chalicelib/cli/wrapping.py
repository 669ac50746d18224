"""Text in lines of a width: words stay whole, and a word that is wider than a line is broken after its hyphens."""

import re
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells
from rich.text import Text

#: A word with the spaces behind it; the part of a name up to a sign after which it may go on in the next line.
_WORDS, _PARTS = re.compile(r"\S*\s*"), re.compile(r"[^-/._:,]*[-/._:,]*\s*")


def wrapped(text: Text, width: int) -> list[Text]:
    """The text in lines of at most ``width`` columns, with its styles; at least one line."""
    lines: list[Text] = []
    for paragraph in text.split("\n", allow_blank=True):
        lines += paragraph.divide(list(_breaks(paragraph.plain, width)))
    for line in lines:
        line.rstrip()
    return lines or [Text()]


def _breaks(text: str, width: int) -> Iterator[int]:
    """Where new lines begin: the offsets in the text, rising."""
    start, used = 0, 0
    for piece in _pieces(text, width):
        if used and used + cell_len(piece.rstrip()) > width:
            yield start
            used = 0
        start += len(piece)
        used += cell_len(piece)


def _pieces(text: str, width: int) -> Iterator[str]:
    """What stays together on a line: words, of those that are too wide their parts, of these what fits."""
    for word in _WORDS.findall(text):
        if cell_len(word.rstrip()) <= width:
            yield word
            continue
        for part in _PARTS.findall(word):
            yield from [part] if cell_len(part.rstrip()) <= width else chop_cells(part, width)
