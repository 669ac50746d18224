"""The age of what AWS gives no time for is unknown, and the reason says so."""

from datetime import timedelta

import pytest

from chalicelib.inventory.facts import Unread
from chalicelib.rules.guards import older_than, younger_than
from samples.builders import NOW, an_inventory

HOUR = timedelta(hours=1)


def test_an_age_is_compared_with_its_bound_exclusively() -> None:
    estate = an_inventory()
    assert not younger_than(NOW - HOUR, HOUR, estate)
    assert younger_than(NOW - HOUR + timedelta(seconds=1), HOUR, estate)
    assert not older_than(NOW - HOUR, HOUR, estate)
    assert older_than(NOW - HOUR - timedelta(seconds=1), HOUR, estate)


@pytest.mark.parametrize("compared", [younger_than, older_than])
def test_without_a_time_nobody_knows(compared: object) -> None:
    with pytest.raises(Unread, match="AWS gave no time for it"):
        compared(None, HOUR, an_inventory())  # type: ignore[operator]
