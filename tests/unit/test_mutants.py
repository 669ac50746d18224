"""The instrument of `make mutants`: what it tries, with which tests, and what it passes over."""

from pathlib import Path

from tools.mutants import AREAS, ROOT, Mutant, accepted, sampled
from tools.quickest_first import ordered


def test_every_area_has_its_modules_and_tests() -> None:
    for area in AREAS:
        assert all(list(ROOT.glob(pattern)) for pattern in area.modules), area.name
        assert all((ROOT / path).exists() for path in area.tests), area.name


def test_what_is_passed_over_is_of_these_modules() -> None:
    tried = {str(Path(path).relative_to(ROOT)) for area in AREAS for p in area.modules for path in ROOT.glob(p)}
    assert {module for module, _, _ in accepted()} <= tried


def test_a_seed_draws_the_same_sample_again() -> None:
    names = [("web", f"m{number}") for number in range(100)]
    assert sampled(names, None, 1) == sorted(names)
    assert sampled(reversed(names), 10, 1) == sampled(names, 10, 1) != sampled(names, 10, 2)
    assert len(sampled(names, 10, 1)) == 10


def test_wording_is_the_letters_of_a_sentence_and_nothing_else() -> None:
    def wording(removed: str, added: str) -> bool:
        return Mutant("m", "f", "n", removed, added).wording

    assert wording('return "no such thing"', 'return "NO SUCH THING"')
    assert wording('return "no such thing"', 'return "XXno such thingXX"')
    assert not wording('return "state"', 'return "STATE"')
    assert not wording('SET("#since = :now")', 'SET("#SINCE = :NOW")')
    assert not wording('return call("a b", 1)', 'return call("a b", 2)')
    assert not wording('raise Unread("no time")', "raise Unread(None)")
    assert wording('where("pk = :pk AND sk > :sk")', 'where("pk = :pk and sk > :sk")')
    assert not wording('where("pk = :pk AND sk > :sk")', 'where("XXpk = :pk AND sk > :skXX")')
    assert not wording("return a and b", "return a or b")


def test_the_tests_of_the_quickest_module_come_first_and_its_quickest_before_the_others() -> None:
    seconds = {"a::slow": 3.0, "a::quick": 0.1, "b::one": 1.0, "b::two": 0.5}
    assert ordered(["a::quick", "b::one", "a::slow", "b::two"], seconds) == ["b::two", "b::one", "a::quick", "a::slow"]
    assert ordered(["b::one", "c::new"], seconds) == ["c::new", "b::one"]
