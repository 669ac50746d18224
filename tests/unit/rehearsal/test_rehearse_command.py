"""``auditor rehearse``, offline: a file of traffic against a policy that is given or declared."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from chalicelib.cli import run

Read = pytest.CaptureFixture[str]
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "plan"
POLICY = ["--target", "100", "--min", "1", "--max", "10", "--capacity", "200"]


def step(folder: Path, high: int = 350) -> str:
    """A file with row 2 of the worked cases: ten minutes of 100 and thirty of 350."""
    file = folder / "step.csv"
    file.write_text("minute,value\n" + "".join(f"{minute},{100 if minute < 10 else high}\n" for minute in range(40)))
    return str(file)


def answer(arguments: list[str], capsys: Read) -> dict[str, object]:
    """The JSON of a rehearsal."""
    assert run(["rehearse", *arguments, "--format", "json"]) == 0, capsys.readouterr().err
    rehearsal: dict[str, object] = json.loads(capsys.readouterr().out)
    return rehearsal


def test_the_table_says_it_in_sentences_draws_it_and_names_the_change(tmp_path: Path, capsys: Read) -> None:
    assert run(["rehearse", "churn", "--variant", "main", "--series", step(tmp_path), *POLICY, "--max-short", "0"]) == 0
    shown = capsys.readouterr().out
    assert (
        "churn/main would have been short for 8 minutes in 40 minutes, worst in minute 10 (350 a minute on 1 " in shown
    )
    assert "Target 90 instead of 100 leaves 0 minutes short and costs" in shown
    assert "short from minute 10 for 8 minutes, up to 350 a minute" in shown
    assert "200 a minute by instance, as given" in shown and "5 minutes, assumed" in shown
    assert "TargetValue: 90" in shown and "target_value       = 90" in shown
    load, capacity = (re.search(rf"{name} ([▁▂▃▄▅▆▇█]+)", shown) for name in ("load", "capacity"))
    assert load is not None and capacity is not None and len(load.group(1)) == len(capacity.group(1)) == 40


def test_json_holds_what_led_to_the_answer(tmp_path: Path, capsys: Read) -> None:
    rehearsal = answer(["--series", step(tmp_path), *POLICY, "--max-short", "0", "--lose-zone"], capsys)
    assert rehearsal["minutes_short"] == 8
    assert rehearsal["short"] == [{"minute": 10, "at": None, "minutes": 8, "peak": 350}]
    assert rehearsal["worst_minute"] == {"minute": 10, "at": None, "load": 350, "capacity": 200}
    assert rehearsal["decisions"] == [{"minute": 12, "before": 1, "after": 4, "why": "alarm high"}]
    assert rehearsal["minutes_short_without_a_zone"] == 18
    proposal = rehearsal["proposal"]
    assert isinstance(proposal, dict) and proposal["changed"] == ["target"]
    assert proposal["instance_hours"] == round(116 / 60, 2)


def test_enough_is_said_and_nothing_proposed(tmp_path: Path, capsys: Read) -> None:
    rehearsal = answer(["--series", step(tmp_path, high=150), *POLICY, "--min", "1"], capsys)
    assert (rehearsal["enough"], rehearsal["proposal"], rehearsal["fix"]) == (True, None, None)
    assert run(["rehearse", "--series", step(tmp_path, high=150), *POLICY]) == 0
    assert "Variant would never have been short in 40 minutes." in capsys.readouterr().out


def test_a_wasteful_minimum_is_told_with_a_smaller_one(tmp_path: Path, capsys: Read) -> None:
    file = tmp_path / "flat.csv"
    file.write_text("".join(f"{minute},150\n" for minute in range(600)))
    rehearsal = answer(["--series", str(file), *POLICY, "--min", "6"], capsys)
    assert (rehearsal["enough"], rehearsal["instance_hours"], rehearsal["needed_instance_hours"]) == (True, 60, 20)
    proposal = rehearsal["proposal"]
    assert isinstance(proposal, dict) and proposal["setting"]["minimum"] == 2


def test_more_traffic_and_a_longer_warm_up_are_tried(tmp_path: Path, capsys: Read) -> None:
    file = step(tmp_path)
    assert answer(["--series", file, *POLICY, "--warmup", "15"], capsys)["minutes_short"] == 18, "row 19"
    assert answer(["--series", file, *POLICY, "--traffic-multiplier", "2"], capsys)["minutes_short"] == 8, "700 on 7"
    assert answer(["--series", file, *POLICY, "--traffic-multiplier", "0.5"], capsys)["minutes_short"] == 0


def test_a_template_is_rehearsed_before_it_is_deployed(tmp_path: Path, capsys: Read) -> None:
    rehearsal = answer(["--series", step(tmp_path), "--template", str(FIXTURES / "resilient.yaml")], capsys)
    setting = rehearsal["setting"]
    assert isinstance(setting, dict)
    assert (setting["minimum"], setting["maximum"], setting["policies"][0]["target"]) == (2, 6, 450)
    basis = rehearsal["basis"]
    assert isinstance(basis, dict)
    assert basis["setting"] == "as resilient.yaml declares it"
    assert basis["capacity"] == "900 a minute by instance, assumed: the target of 450 ÷ 0.5"


def test_options_change_what_the_template_says(tmp_path: Path, capsys: Read) -> None:
    options = ["--template", str(FIXTURES / "resilient.yaml"), "--target", "100", "--min", "1", "--scale-out", "0"]
    rehearsal = answer(["--series", step(tmp_path), *options], capsys)
    setting, basis = rehearsal["setting"], rehearsal["basis"]
    assert isinstance(setting, dict) and isinstance(basis, dict)
    assert (setting["minimum"], setting["policies"][0]["target"]) == (1, 100)
    assert basis["setting"] == "as resilient.yaml declares it, with another minimum and target and out-cooldown"
    assert basis["capacity"].startswith("900 a minute"), "never derived from a target that is only wished for"


class Tags(HTMLParser):
    """The tags of a page, with what they point to."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.pointing: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.pointing += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "onload", "onclick", "style")]


def test_the_page_runs_no_script_asks_nothing_and_tells_the_chart_as_a_table(tmp_path: Path, capsys: Read) -> None:
    file = tmp_path / "page.html"
    name = "<script>alert(1)</script>"
    assert run(["rehearse", name, "--series", step(tmp_path), *POLICY, "--format", "html", "--output", str(file)]) == 0
    text = file.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert "script" not in tags.names and tags.pointing == []
    assert "svg" in tags.names and tags.names.count("table") == 3
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "default-src 'none'" in text.replace("&#39;", "'")
    assert '<td>minute 10</td><td class="number">8</td><td class="number">350</td>' in text


def test_the_table_goes_to_a_file_as_well(tmp_path: Path) -> None:
    file = tmp_path / "told.txt"
    assert run(["rehearse", "--series", step(tmp_path), *POLICY, "--output", str(file)]) == 0
    assert "would have been short for 8 minutes" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--target", "0"], "a target of 0; accepted is a number above 0"),
        (["--target", "-5"], "a target of -5; accepted is a number above 0"),
        (["--capacity", "0"], "a capacity of 0; accepted is a number above 0"),
        (["--traffic-multiplier", "0"], "a traffic multiplier of 0; accepted is a number above 0"),
        (["--traffic-multiplier", "nan"], "accepted is a number above 0"),
        (["--warmup", "1441"], "a warm-up of 1441; accepted is a number from 0 to 1,440"),
        (["--min", "9", "--max", "3"], "a minimum of 9 above the maximum of 3; accepted is one at or below it"),
        (["--min", "-1"], "a minimum of -1; accepted is a number from 0 to 10,000"),
        (["--scale-out", "-1"], "a scale-out cooldown of -1"),
        (["--scale-in", "90000"], "a scale-in cooldown of 90000"),
        (["--lose-zone", "--zones", "0"], "a number of zones of 0"),
        (["--max-short", "-1"], "a number of minutes that may be short of -1"),
    ],
)
def test_a_wrong_option_is_told_with_what_is_accepted(
    options: list[str], sentence: str, tmp_path: Path, capsys: Read
) -> None:
    assert run(["rehearse", "--series", step(tmp_path), *POLICY, *options]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, sentence",
    [
        ([], "what to rehearse is not said; accepted are an endpoint, or --series FILE"),
        (["--template", "{template}"], "which traffic is not said; accepted is --series FILE"),
        (["--series", "{step}"], "what to rehearse is not said; accepted are an endpoint, or --series FILE"),
        (["--series", "{step}", "--target", "100", "--max", "4"], "accepted is a capacity, as a load test tells it"),
        (["--series", "missing.csv", *POLICY], "missing.csv cannot be read: No such file"),
        (["--series", "{empty}", *POLICY], "the file holds no minute with a value"),
        (["--series", "{odd}", *POLICY], "line 2: 'two' is no number"),
        (["--series", "{below}", *POLICY], "datapoints of 2 minutes are negative, infinite or no numbers"),
        (["other", "--series", "{step}", "--template", "{template}"], "0 scalable targets of the template are meant"),
        (
            ["--series", "{step}", "--template", "{fragile}"],
            "scalable targets of the template are meant; accepted is one",
        ),
    ],
)
def test_what_cannot_be_rehearsed_is_told_in_a_sentence(
    options: list[str], sentence: str, tmp_path: Path, capsys: Read
) -> None:
    for name, text in (("empty", ""), ("odd", "0,1\n1,two\n"), ("below", "0,1\n1,-5\n")):
        (tmp_path / f"{name}.csv").write_text(text)
    places = {name: str(tmp_path / f"{name}.csv") for name in ("empty", "odd", "below")}
    places |= {"step": step(tmp_path), "template": str(FIXTURES / "resilient.yaml")}
    places |= {"fragile": str(FIXTURES / "kinds" / "one-subnet.yaml")}
    assert run(["rehearse", *(option.format(**places) for option in options)]) == 2
    assert sentence in capsys.readouterr().err


def test_traffic_of_zeros_is_enough_of_everything(tmp_path: Path, capsys: Read) -> None:
    file = tmp_path / "idle.csv"
    file.write_text("".join(f"{minute},0\n" for minute in range(60)))
    rehearsal = answer(["--series", str(file), *POLICY], capsys)
    assert (rehearsal["enough"], rehearsal["minutes_short"], rehearsal["proposal"]) == (True, 0, None)


def test_a_peak_beyond_all_counts_has_no_proposal(tmp_path: Path, capsys: Read) -> None:
    rehearsal = answer(["--series", step(tmp_path, high=41000), *POLICY], capsys)
    assert rehearsal["no_proposal"] == "peak of 41,000 a minute needs 205 instances of 200, and 100 are allowed"
    assert rehearsal["proposal"] is None


@pytest.mark.parametrize("columns", [80, 200])
def test_the_chart_is_as_wide_as_the_terminal(
    columns: int, tmp_path: Path, capsys: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    file = tmp_path / "long.csv"
    file.write_text("".join(f"{minute},{100 + minute % 50}\n" for minute in range(4000)))
    assert run(["rehearse", "--series", str(file), *POLICY]) == 0
    drawn = [
        line for line in capsys.readouterr().out.splitlines() if re.match(r" +(load|capacity|short) [▁▂▃▄▅▆▇█·]", line)
    ]
    assert len(drawn) == 3
    assert all(columns - 10 < len(line) <= columns for line in drawn)
