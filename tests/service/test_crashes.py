"""Deaths between two calls of AWS, a part of those that ``python -m tests.crashes`` tries."""

from emulator.server import Emulator
from tests.crashes import drawn


def test_nothing_is_lost_and_nothing_told_more_than_twice_wherever_the_process_dies(emulator: Emulator) -> None:
    faults = {(story.name, *rest): faults for (story, *rest), faults in drawn(emulator, seed=14, number=3)}
    assert len(faults) == 6
    assert {name: found for name, found in faults.items() if found} == {}
