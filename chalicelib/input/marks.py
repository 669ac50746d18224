"""Text of others as it can be shown: what would steer a terminal, turn the direction of text or forge a line becomes a
visible mark.

No name of AWS holds such a character, so that a mark shows that somebody tried.
"""

import re

#: C0 and C1 controls but for tab and newline, DEL, the marks that turn the direction of text, the separators that some
#: readers take for a new line, and the tags, which are invisible.
_UNSAFE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb"
    "\U000e0000-\U000e007f"
)
_CONTROLS = re.compile(f"[{_UNSAFE}]")
_CONTROLS_AND_BREAKS = re.compile(f"[{_UNSAFE}\n]")
#: Unicode's pictures of the C0 controls (ESC as ␛), of DEL, and of a newline.
_PICTURES, _DEL = 0x2400, "\u2421"


def clean(text: str) -> str:
    """The text with a visible mark for each control character and direction mark: ``␛``, ``⟨U+202E⟩``.

    Tabs and newlines stay.
    """
    return _CONTROLS.sub(_mark, text)


def one_line(text: str) -> str:
    """The same, with a mark for each newline as well: for logs, where a line is a record."""
    return _CONTROLS_AND_BREAKS.sub(_mark, text)


def escaped(json_text: str) -> str:
    """JSON with the same characters written as ``\\uXXXX``: the same values, and nothing that a terminal obeys."""
    return _CONTROLS.sub(_escape, json_text)


def _mark(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x20:
        return chr(_PICTURES + number)
    return _DEL if number == 0x7F else f"⟨U+{number:04X}⟩"


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
