"""Deliberate errors in the code (mutants), one at a time, and whether a test of the code notices: ``make mutants``.

mutmut makes the errors and runs, for each, the tests that reach the function; here stand which modules are tried, and
with which quick tests. A sample is drawn by a seed. What was tried is remembered under ``out/mutants`` until the
function changes, so that an interrupted run goes on where it ended; ``--again`` tries those anew that no test noticed.
``docs/mutants.yaml`` holds the errors that no test can notice, as they make no difference, each with its reason.

mutmut leaves alone what is decorated (properties, class methods), the bodies of classes, and the top of modules. The
letters of a sentence are for people: errors that change nothing else are counted apart.
"""

import argparse
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.quickest_first import STATISTICS

ROOT = Path(__file__).parents[1]
WORK = ROOT / "out" / "mutants"
ACCEPTED = ROOT / "docs" / "mutants.yaml"
#: What lies beside the code and is needed by tests; the tests themselves are copied anyway.
NEEDED = ("app.py", "emulator", "infra", "policies", "samples", "templates", "tools", "docs", "pyproject.toml")
#: What is written to the log is not tried.
NOT_TRIED = (r"^\s*log\.\w+\(",)
LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
#: Names and values in an expression of DynamoDB, which is no sentence; and its keywords, of which case does not matter.
PLACEHOLDER = re.compile(r"[:#]\w")
KEYWORD = re.compile(r"\b(?:add|and|between|delete|in|not|or|remove|set)\b", re.IGNORECASE)

#: What mutmut says of an error that no test noticed, and of one that was not tried to the end.
LIVED = {"survived", "no tests", "suspicious"}
UNTRIED = {"not checked", "check was interrupted by user", "skipped"}
#: The share of the errors that tests are to notice.
GOAL = 0.9


@dataclass(frozen=True)
class Area:
    """Modules that are tried together, and the quick tests that cover them."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


AREAS = (
    Area(
        "ledger",
        ("chalicelib/ledger/*.py",),
        (
            "tests/unit/test_channels.py",
            "tests/unit/test_marks.py",
            "tests/unit/test_table.py",
            "tests/service/test_again.py",
            "tests/service/test_fleet.py",
            "tests/service/test_history.py",
            "tests/service/test_ledger.py",
            "tests/service/test_marks.py",
            "tests/service/test_parts_again.py",
            "tests/service/test_remembered.py",
            "tests/service/test_sightings.py",
            "tests/service/test_table.py",
            "tests/service/test_telling.py",
        ),
    ),
    Area(
        "resolution",
        ("chalicelib/audit/resolution.py",),
        (
            "tests/unit/test_gone.py",
            "tests/unit/test_proof.py",
            "tests/unit/test_resolutions.py",
        ),
    ),
    Area(
        "decide",
        ("chalicelib/notices/decide.py",),
        (
            "tests/unit/test_comes_back.py",
            "tests/unit/test_decide.py",
            "tests/unit/test_exemptions_told.py",
            "tests/unit/test_notices.py",
            "tests/unit/test_sns_golden.py",
        ),
    ),
    Area(
        "web",
        ("chalicelib/web/*.py",),
        (
            "tests/unit/test_pages.py",
            "tests/unit/test_requests.py",
            "tests/unit/test_routes.py",
            "tests/http/test_calendar.py",
            "tests/slow/test_description.py",
            "tests/http/test_http.py",
            "tests/http/test_ledger_over_http.py",
            "tests/http/test_rehearse.py",
            "tests/http/test_sizes.py",
            "tests/service/test_history.py",
            "tests/service/test_runs.py",
        ),
    ),
    Area(
        "fleet",
        ("chalicelib/fleet/*.py",),
        (
            "tests/unit/test_accounts.py",
            "tests/unit/test_asked.py",
            "tests/unit/test_closing.py",
            "tests/unit/test_fleet.py",
            "tests/service/test_again.py",
            "tests/service/test_fleet.py",
            "tests/service/test_members.py",
            "tests/service/test_parts_again.py",
            "tests/service/test_runs.py",
            "tests/service/test_whose.py",
        ),
    ),
    Area(
        "policy",
        ("chalicelib/policy/*.py",),
        (
            "tests/unit/test_bounds.py",
            "tests/unit/test_policy.py",
            "tests/unit/test_exemptions.py",
            "tests/unit/test_exemptions_told.py",
            "tests/unit/test_custom_rules.py",
            "tests/unit/test_shipped_policies.py",
            "tests/service/test_policies.py",
        ),
    ),
    Area("guards", ("chalicelib/rules/guards.py",), ("tests/unit/rules", "tests/unit/test_proof.py")),
)

CONFIG = """[mutmut]
source_paths=
    chalicelib
only_mutate=
    {modules}
pytest_add_cli_args_test_selection=
    {tests}
pytest_add_cli_args=
    -p
    no:cacheprovider
    -p
    no:anyio
    -p
    tools.quickest_first
    --tb=no
timeout_multiplier=4
timeout_constant=10
also_copy=
    {needed}
do_not_mutate_patterns=
    {not_tried}
track_dependencies=false
use_git_change_detection=false
"""


@dataclass(frozen=True, order=True)
class Mutant:
    """One error: mutmut's name for it, the module and function, and the lines that it takes away and puts in."""

    module: str
    function: str
    name: str
    removed: str = ""
    added: str = ""

    @property
    def wording(self) -> bool:
        """True where nothing but the letters of a sentence is another."""
        if _letters(self.removed) != _letters(self.added):
            return False
        if PLACEHOLDER.search(self.added) and _keywords_aside(self.removed) == _keywords_aside(self.added):
            return True
        texts = set(LITERAL.findall(self.added)) - set(LITERAL.findall(self.removed))
        return bool(texts) and all(" " in text and not PLACEHOLDER.search(text) for text in texts)


# ---- one area


@contextmanager
def workspace(area: Area) -> Iterator[None]:
    """The folder in which mutmut works on an area, with its configuration, as the current one."""
    folder = WORK / area.name
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("chalicelib", "tests", *NEEDED):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(ROOT / name)
    lines = {"modules": area.modules, "tests": area.tests, "needed": NEEDED, "not_tried": NOT_TRIED}
    config = CONFIG.format(**{name: "\n    ".join(texts) for name, texts in lines.items()})
    (folder / "setup.cfg").write_text(config)
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def names_of(area: Area) -> list[str]:
    """mutmut's names of everything that can be tried in an area."""
    from mutmut.configuration import reset_config
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.file_utils import walk_mutatable_files
    from mutmut.utils.format_utils import get_mutant_name

    with workspace(area):
        reset_config()
        return sorted(
            get_mutant_name(path, function)
            for path in walk_mutatable_files()
            for function in mutate_file_contents(str(path), path.read_text()).mutant_names
        )


def results(area: Area, names: Iterable[str]) -> dict[str, str]:
    """What became of each: killed, survived, timeout, no tests …; "not checked" before it was tried."""
    from mutmut.configuration import reset_config
    from mutmut.mutation.data import SourceFileMutationData
    from mutmut.stats import status_by_exit_code
    from mutmut.utils.file_utils import walk_mutatable_files

    codes: dict[str, Any] = {}
    with workspace(area):
        reset_config()
        for path in walk_mutatable_files():
            data = SourceFileMutationData(path=path)
            data.load()
            codes |= data.exit_code_by_key
    return {name: status_by_exit_code[codes.get(name)] for name in names}


def attempt(area: Area, names: Sequence[str], jobs: int, *, anew: bool = False) -> None:
    """Tries these; the results stay in the workspace. ``anew``: which test reaches what is found out once more, as the
    tests may have changed. Raises CalledProcessError when they fail as they are."""
    with workspace(area):
        if anew:
            Path("mutants", STATISTICS).unlink(missing_ok=True)
        command = [str(Path(sys.executable).parent / "mutmut"), "run", "--max-children", str(jobs), *names]
        with Path("log.txt").open("w") as log:
            subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)


def described(area: Area, names: Iterable[str]) -> list[Mutant]:
    """The mutants with these names, each with the lines that it changes."""
    from mutmut.configuration import reset_config
    from mutmut.mutation.diff_apply import find_mutant, get_diff_for_mutant
    from mutmut.utils.format_utils import orig_function_and_class_names_from_key

    mutants = []
    with workspace(area):
        reset_config()
        for name in names:
            path = find_mutant(name).path
            function, class_name = orig_function_and_class_names_from_key(name)
            lines = get_diff_for_mutant(name, path=path).splitlines()[2:]
            removed, added = (
                " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in ("-", "+")
            )
            qualified = f"{class_name}.{function}" if class_name else function
            mutants.append(Mutant(str(path), qualified, name, removed, added))
    return sorted(mutants)


# ---- all of them


def sampled(names: Iterable[tuple[str, str]], number: int | None, seed: int) -> list[tuple[str, str]]:
    """So many of them, drawn by the seed; all where no number is asked for."""
    ordered = sorted(names)
    return ordered if number is None or number >= len(ordered) else sorted(random.Random(seed).sample(ordered, number))


def accepted() -> set[tuple[str, str, str]]:
    """The errors that make no difference: module, function, and the lines put in."""
    entries = yaml.safe_load(ACCEPTED.read_text()) or []
    assert all(entry["why"] for entry in entries), "every accepted mutant has its reason"
    return {(entry["module"], entry["function"], entry["becomes"]) for entry in entries}


def main() -> int:
    """Tries a sample, prints what no test noticed, and figures by module. 1 when less than nine in ten are killed."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--sample", type=int, metavar="NUMBER", help="so many, drawn by the seed (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--area", choices=[area.name for area in AREAS], action="append", help="only this one")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--again", action="store_true", help="try those anew that no test noticed before")
    options = parser.parse_args()
    areas = [area for area in AREAS if area.name in (options.area or [area.name])]
    names = [(area.name, name) for area in areas for name in names_of(area)]
    drawn = sampled(names, options.sample, options.seed)
    passed_over = accepted()
    figures: dict[str, Counter[str]] = {}
    for area in areas:
        chosen = [name for where, name in drawn if where == area.name]
        before = results(area, chosen)
        if waiting := [name for name in chosen if before[name] in (UNTRIED | LIVED if options.again else UNTRIED)]:
            attempt(area, waiting, options.jobs, anew=options.again)
        after = results(area, chosen)
        if forgotten := [name for name in chosen if after[name] in UNTRIED]:  # as the area has other tests than before
            attempt(area, forgotten, options.jobs)
            after = results(area, chosen)
        for mutant in described(area, chosen):
            became = _became(mutant, after[mutant.name], passed_over)
            figures.setdefault(_module(mutant.name), Counter())[became] += 1
            if became == "survived":
                print(f"{after[mutant.name]}: {mutant.module} {mutant.function} ({mutant.name})")
                print(f"  - {mutant.removed}\n  + {mutant.added}", flush=True)
    total = sum(figures.values(), Counter[str]())
    for module, numbers in sorted(figures.items()):
        print(f"{module:32} {_line(numbers)}")
    print(f"{f'mutants, seed {options.seed}':32} {_line(total)}")
    return 0 if _rate(total) >= GOAL else 1


def _became(mutant: Mutant, status: str, passed_over: set[tuple[str, str, str]]) -> str:
    if mutant.wording:
        return "wording"
    if status not in LIVED | UNTRIED:
        return "killed"
    return "equivalent" if (mutant.module, mutant.function, mutant.added) in passed_over else "survived"


def _letters(text: str) -> str:
    return text.replace("XX", "").casefold()


def _keywords_aside(text: str) -> str:
    return KEYWORD.sub(lambda keyword: keyword[0].casefold(), text)


def _module(name: str) -> str:
    return name.partition(".x")[0]


def _rate(numbers: Counter[str]) -> float:
    tried = numbers["killed"] + numbers["survived"]
    return numbers["killed"] / tried if tried else 1.0


def _line(numbers: Counter[str]) -> str:
    return (
        f"{numbers['killed']:5} killed, {numbers['survived']:4} survived, {_rate(numbers):6.1%} "
        f"(besides: {numbers['equivalent']} that make no difference, {numbers['wording']} of wording)"
    )


if __name__ == "__main__":
    sys.exit(main())
