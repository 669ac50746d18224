"""Times as answers have them."""

from datetime import UTC, datetime

import pytest

from chalicelib.inventory.answers import moment

SIX = datetime(2026, 11, 24, 6, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        SIX,
        SIX.timestamp(),
        str(SIX.timestamp()),
        "2026-11-24T06:00:00.500Z",
        "2026-11-24 06:00:00.500+00:00",
        "2026-11-24T06:00:00.500",
        "2026-11-24T07:00:00.500+01:00",
    ],
    ids=str,
)
def test_every_form_of_a_time_is_the_same_moment(value: float | str | datetime) -> None:
    assert moment(value) == SIX


@pytest.mark.parametrize("value", ["", "yesterday", "1.2.3"])
def test_anything_else_is_no_time(value: str) -> None:
    with pytest.raises(ValueError):
        moment(value)
