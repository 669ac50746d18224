"""Cursors: where the next page begins, as an opaque text that a caller hands back."""

import base64
import json
from collections.abc import Collection, Mapping
from typing import Any

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import CURSOR_CHARACTERS
from chalicelib.input.reading import read_json


def encoded(place: Mapping[str, str | int]) -> str:
    """The cursor of a place."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode()


def decoded(cursor: str, names: Collection[str]) -> dict[str, Any]:
    """The place in a cursor, which has these names. Raises InvalidInput for any other text."""
    try:
        place = read_json(base64.urlsafe_b64decode(cursor.encode())) if len(cursor) <= CURSOR_CHARACTERS.most else None
    except ValueError:  # TooLarge among them
        place = None
    if not isinstance(place, dict) or place.keys() != set(names):
        raise foreign_cursor()
    return place


def foreign_cursor() -> InvalidInput:
    """The refusal of a cursor that no page gave."""
    return InvalidInput(
        "the cursor is none that a page of this query gave; accepted is the cursor of the page before", field="cursor"
    )
