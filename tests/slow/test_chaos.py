"""The instrument of `make chaos`: what is lost, told or resolved falsely, and what ends an audit, is counted."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.ledger.claims import Claim
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.table import LedgerFailed
from chalicelib.notices import publisher
from emulator.server import Emulator
from tests.chaos.answers import FAULTS
from tests.chaos.outcome import Outcome, line
from tests.chaos.stories import STORIES, Story, judged, lived
from tests.chaos.trials import Deaths, drawn, groups
from tests.chaos.world import UNHARMED, Harm, emulated

pytestmark = pytest.mark.slow

STORY = {story.name: story for story in STORIES}
THROTTLED = next(fault for fault in FAULTS if fault.name == "throttled")


@pytest.fixture(scope="module")
def ground() -> Iterator[Emulator]:
    with emulated() as emulator:
        yield emulator


def outcome(ground: Emulator, story: Story, harm: Harm = UNHARMED) -> Outcome:
    """What becomes of a story under harm, held against the story without any."""
    return judged(story, lived(ground, story, 1, harm), lived(ground, story, 1))


def test_a_death_and_a_throttled_table_lose_nothing(ground: Emulator) -> None:
    assert not outcome(ground, STORY["event, new"], Harm(dies_at=3))
    assert not outcome(ground, STORY["event, new"], Harm(fault=THROTTLED, operation="PutItem"))


@pytest.mark.parametrize("name", ["the condition failed", "malformed", "truncated", "done, then silence"])
def test_a_note_of_what_was_told_outlives_one_answer_that_goes_wrong(ground: Emulator, name: str) -> None:
    fault = next(fault for fault in FAULTS if fault.name == name)
    assert not outcome(ground, STORY["event, new"], Harm(fault=fault, operation="PutItem", at=2))


def test_what_nobody_tells_is_a_silent_loss(ground: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "owings", lambda *arguments: {})
    became = outcome(ground, STORY["event, new"])
    assert became.silent == ["nothing was told at all"]
    assert not became.words


def test_what_is_told_twice_without_need_is_a_false_word(ground: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Claim, "taken", lambda *arguments: None)
    became = outcome(ground, STORY["event, new"])
    assert became.words
    assert "sns heard 2 times" in became.words[0]
    assert became.silent[0].startswith("the ledger is not settled")


def test_what_resolves_though_it_is_said_to_be_there_is_falsely_resolved(ground: Emulator) -> None:
    became = outcome(ground, replace(STORY["event, resolved"], change="new"))
    assert "is resolved" in became.resolved[0]


def test_what_stays_open_though_it_is_gone_is_a_silent_loss(ground: Emulator) -> None:
    became = outcome(ground, replace(STORY["sweep, known"], change="resolved"))
    assert any(reason.startswith("open in the ledger, though gone") for reason in became.silent)


@pytest.mark.parametrize("error", [RuntimeError("odd"), LedgerFailed("broken")])
def test_an_audit_that_ends_without_harm_is_counted(
    ground: Emulator, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def raising(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(Ledger, "known", raising)
    assert f"{type(error).__name__}: {error}" in outcome(ground, STORY["event, new"]).ended


def test_the_line_counts_trials_and_not_reasons() -> None:
    outcomes = [Outcome(), Outcome(words=["a", "b"]), Outcome(ended=["c"], silent=["d"]), Outcome(resolved=["e"])]
    assert line(outcomes) == "tried 4, ended 1, false words 1, falsely resolved 1, silent losses 1"
    assert line([]) == "tried 0, ended 0, false words 0, falsely resolved 0, silent losses 0"


def test_a_seed_draws_the_same_share_again_and_the_whole_is_everything() -> None:
    numbers = list(range(200))
    assert drawn(numbers, 1, "seed") == numbers
    assert drawn(numbers, 0.1, "seed") == drawn(numbers, 0.1, "seed") != drawn(numbers, 0.1, "another")
    assert len(drawn(numbers, 0.1, "seed")) == 20
    whole = groups(1, 1)
    assert {group.story for group, _ in whole if isinstance(group, Deaths)} == set(STORIES)
    assert {share for _, share in whole} == {1}
