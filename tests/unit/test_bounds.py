"""What comes from outside has bounds, and beyond one there is a sentence that says which: no crash, and no wait."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from chalicelib.cli import run
from chalicelib.errors import InvalidInput
from chalicelib.input import bounds
from chalicelib.input.bounds import ALIASES, EVALUATIONS, EXPRESSION_STEPS, LEVELS, POLICY_BYTES, Bound, TooLarge
from chalicelib.input.reading import bytes_of, count, read_bytes, read_json
from chalicelib.inventory.facts import Unread
from chalicelib.plan.exports import _fits
from chalicelib.plan.patterns import matches
from chalicelib.policy.policy import forget, load_policy
from chalicelib.rules.expressions import Expression
from samples.builders import an_endpoint

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[2]
DEEP = 50_000


def an_alias_bomb(levels: int) -> str:
    """YAML of a few hundred bytes that stands for ten to the power of ``levels`` values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join(lines) + "\n"


def a_rule(expression: str) -> str:
    return f"custom_rules:\n  - {{id: acme-x, kind: endpoint, title: t, fails_when: {json.dumps(expression)}}}\n"


TEXTS: Mapping[str, tuple[str, Bound]] = {
    "lists of JSON": ("[" * DEEP + "]" * DEEP, LEVELS),
    "mappings of JSON": ('{"Resources":' * DEEP + "1" + "}" * DEEP, LEVELS),
    "lists of YAML": ("a: " + "[" * DEEP, LEVELS),
    "blocks of YAML": ("- " * DEEP + "x", LEVELS),
    "a list in itself": ("a: &a [*a]\n", LEVELS),
    "many aliases": ("a: &a 1\nb: [" + "*a, " * (ALIASES.most + 1) + "]\n", ALIASES),
}
POLICIES: Mapping[str, tuple[str, Bound]] = {
    **TEXTS,
    "an alias bomb": (an_alias_bomb(9), bounds.POLICY_VALUES),
    "bytes": ("# " + "x" * POLICY_BYTES.most, POLICY_BYTES),
    "parentheses": (a_rule("(" * 3_000 + "name" + ")" * 3_000), bounds.EXPRESSION_CHARACTERS),
    "fewer parentheses": (a_rule("(" * 900 + "name" + ")" * 900), bounds.EXPRESSION_LEVELS),
    "negations": (a_rule("!" * 1_900 + "name"), bounds.EXPRESSION_LEVELS),
    "a chain": (a_rule(" | ".join(["[@]"] * 60)), bounds.EXPRESSION_LEVELS),
}
LOOPS = (
    "".join(f"Fn::ForEach::L{level}: [I{level}, [a, b, c, d, e, f, g, h, i, j], {{" for level in range(9)) + "}]" * 9
)
TEMPLATES: Mapping[str, tuple[str, Bound]] = {
    **TEXTS,
    "an alias bomb": (an_alias_bomb(9), bounds.TEMPLATE_VALUES),
    "loops that make nothing": ("Resources: {M: {Type: AWS::SNS::Topic}, " + LOOPS + "}", bounds.TEMPLATE_VALUES),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_hostile_policy_is_refused_in_a_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, bound = POLICIES[name]
    assert_refused(["policy", "check"], tmp_path, text, bound, capsys)


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_hostile_template_is_refused_in_a_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, bound = TEMPLATES[name]
    assert_refused(["plan"], tmp_path, text, bound, capsys)


def assert_refused(
    command: list[str], tmp_path: Path, text: str, bound: Bound, capsys: pytest.CaptureFixture[str]
) -> None:
    forget()
    path = tmp_path / "file.yaml"
    path.write_text(text)
    assert run([*command, str(path)]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert output.err.startswith(f"auditor: {path}:")
    assert f"it is too large; accepted are up to {bound}" in output.err


CONDITIONS = "".join(f"  C{n}: !Or [{{Condition: C{n - 1}}}, {{Condition: C{n - 1}}}]\n" for n in range(1, 60))
TWICE = "!Sub '${{M{n}.ModelName}}${{M{n}.ModelName}}'"
NAMES = "".join(
    f"  M{n}: {{Type: AWS::SageMaker::Model, Properties: {{ModelName: {TWICE.format(n=n - 1)}}}}}\n"
    for n in range(1, 60)
)
MODEL = "{Type: AWS::SageMaker::Model, Condition: C59, Properties: {ModelName: a}}"


@pytest.mark.parametrize(
    "text",
    [
        f"Conditions:\n  C0: !Equals [!Ref AWS::Region, x]\n{CONDITIONS}Resources:\n  M0: {MODEL}\n",
        f"Resources:\n  M0: {MODEL.replace('Condition: C59, ', '')}\n{NAMES}",
    ],
    ids=["conditions", "names"],
)
def test_references_that_double_at_each_step_end(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.plan.intrinsics.EVALUATIONS", EVALUATIONS._replace(most=20_000))
    path = tmp_path / "doubling.yaml"
    path.write_text(text)
    assert run(["plan", str(path)]) == 2
    assert "up to 20,000 evaluations" in capsys.readouterr().err


# ---- expressions


@pytest.mark.parametrize(
    "expression",
    [
        " | ".join(["variants[0:1]", *["[@, @][]"] * 22]),
        "to_string(" + " | ".join(["[@]", *["[@, @]"] * 40]) + ")",
        " | ".join(["name", *["join('', [@, @])"] * 30]),
    ],
    ids=["a list", "a text of lists", "a text"],
)
def test_an_expression_that_doubles_what_it_has_at_each_step_is_unknown_in_the_end(expression: str) -> None:
    facts = {"name": "churn" * 1_000, "variants": [{"name": "A"}]}
    with pytest.raises(Unread, match=re.escape(str(EXPRESSION_STEPS))):
        Expression(expression, "endpoint").value(facts, "rule:acme-x")


@pytest.mark.parametrize(
    ("kind", "expression", "nearest"),
    [
        ("endpoint", "!tag.owner", "did you mean 'tags'?"),
        ("endpoint", "variants[?curent_weight > `1`]", "did you mean 'current_weight'?"),
        ("endpoint", "variants[].configured.instance_typ", "did you mean 'instance_type'?"),
        ("endpoint", "variants.name", "it stands in a list, whose items are read by `[].name`"),
        ("endpoint", "max_by(variants, &curent_weight).name", "did you mean 'current_weight'?"),
        ("endpoint", "name.first", "what stands before it has no facts of its own"),
        ("endpoint", "variants[0] | nmae", "did you mean 'name'?"),
        ("endpoint", "[statu, name]", "did you mean 'status'?"),
        ("endpoint", "{a: statu}", "did you mean 'status'?"),
        ("endpoint", "variants[*].{a: nmae}", "did you mean 'name'?"),
        ("endpoint-variant", "configured.instance_type.x", "what stands before it has no facts of its own"),
        ("model", "pipeline[].imge", "did you mean 'image'?"),
        ("training-job", "max_runtime_second > `1`", "did you mean 'max_runtime_seconds'?"),
    ],
)
def test_a_path_that_names_no_known_fact_is_refused_with_the_nearest_name(
    kind: str, expression: str, nearest: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(nearest)):
        Expression(expression, kind)


@pytest.mark.parametrize(
    "expression",
    [
        "tags.owner",
        "tags.\"cost-centre\" == 'x'",
        "tags.* | [0]",
        "variants[].configured.instance_type",
        "variants[0:2][].name",
        "sort_by(variants, &name)[0].name",
        "length(variants[?current_weight > `0`]) > `1`",
        "kind == 'endpoint' && contains(name, 'a')",
        "not_null(status, 'x').anything",
        "variants[*].[name, current_weight][]",
        "@.name",
    ],
)
def test_a_path_of_known_facts_is_accepted(expression: str) -> None:
    facts = an_endpoint().with_tags({"owner": "ml", "cost-centre": "x"}).as_json()
    Expression(expression, "endpoint").value({**facts, "kind": "endpoint", "name": "churn"}, "rule:acme-x")


# ---- patterns of parameters


@pytest.mark.thorough
@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a)*x(b*)*"])
def test_a_pattern_that_takes_longer_than_its_seconds_is_left_to_cloudformation(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.plan.patterns.PATTERN_SECONDS", Bound(1, "seconds", "a match"))
    assert matches(pattern, "a" * 60 + "!")


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("[a-z]+", "churn", True),
        ("[a-z]+", "Churn", False),
        ("[a-z]+-[0-9]+", "churn-1", True),
        ("[a-z]+-[0-9]+", "churn-x", False),
        (r"(?=.*\d)(?=.*[a-z]).+", "a1", True),
        (r"(?=.*\d)(?=.*[a-z]).+", "ab", False),
        ("[é]+x*", "é", True),
        (r"\p{Alpha}+", "1", True),
        ("(", "x", True),
    ],
)
def test_a_pattern_accepts_what_it_matches(
    pattern: str, text: str, monkeypatch: pytest.MonkeyPatch, *, expected: bool
) -> None:
    monkeypatch.setattr("chalicelib.plan.patterns.PATTERN_SECONDS", Bound(60, "seconds", "a match"))
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    ("text", "parts", "expected"),
    [
        ("net-subnet", ["", "-subnet"], True),
        ("-subnet", ["", "-subnet"], False),
        ("a-b-c", ["a-", "-c"], True),
        ("a--c", ["a-", "-c"], False),
        ("xaya", ["", "a", ""], True),
        ("aba", ["a", "b", "a"], False),
        ("a1b2a", ["a", "b", "a"], True),
        ("a" * 50_000, ["", *["a"] * 100, "b"], False),
    ],
)
def test_the_name_of_an_export_with_unknown_parts_is_held_against_it_once(
    text: str, parts: list[str], *, expected: bool
) -> None:
    assert _fits(text, parts) is expected


# ---- reading


def test_no_more_than_the_bound_is_read_of_what_has_no_end() -> None:
    with Path("/dev/zero").open("rb") as endless, pytest.raises(TooLarge):
        bytes_of(endless, Bound(1_000, "bytes", "a file"))
    with pytest.raises(TooLarge):
        read_bytes(Path("/dev/zero"), Bound(1_000, "bytes", "a file"))


def test_values_and_levels_are_counted_to_the_last_that_is_accepted() -> None:
    levels = "[" * LEVELS.most + "]" * LEVELS.most
    assert count(read_json(levels)) == LEVELS.most
    with pytest.raises(TooLarge, match="100 levels"):
        read_json(f"[{levels}]")
    assert count([1, {"a": [2, 3]}]) == 6
    with pytest.raises(TooLarge):
        count([1, 2], Bound(2, "values", "a list"))


@pytest.mark.parametrize("content", ["[" * DEEP, '{"a":' * DEEP])
@pytest.mark.parametrize("command", ["replay", "diff"])
def test_an_event_or_a_report_nested_without_end_is_refused(
    command: str, content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file.json"
    path.write_text(content)
    assert run([command, str(path), *([str(path)] if command == "diff" else [])]) == 2
    assert str(LEVELS) in capsys.readouterr().err


def test_every_bound_is_documented() -> None:
    page = (ROOT / "docs" / "bounds.md").read_text(encoding="utf-8")
    assert len(bounds.ALL) >= 20
    for bound in bounds.ALL:
        assert f"| {bound.of} | {bound} |" in page


def test_a_policy_that_extends_without_end_is_refused(tmp_path: Path) -> None:
    forget()
    for number in range(bounds.PARENTS.most + 2):
        (tmp_path / f"p{number}.yaml").write_text(f"extends: p{number + 1}.yaml\n")
    with pytest.raises(InvalidInput, match="up to 10 policies"):
        load_policy(str(tmp_path / "p0.yaml"))


def test_a_chain_of_as_many_policies_as_are_accepted_loads(tmp_path: Path) -> None:
    forget()
    last = bounds.PARENTS.most - 1
    for number in range(last):
        (tmp_path / f"p{number}.yaml").write_text(f"extends: p{number + 1}.yaml\n")
    (tmp_path / f"p{last}.yaml").write_text("extends: none\nnotify_at: critical\n")
    assert load_policy(str(tmp_path / "p0.yaml")).notify_at.value == "critical"
    (tmp_path / "above.yaml").write_text("extends: p0.yaml\n")
    with pytest.raises(InvalidInput, match="up to 10 policies"):
        load_policy(str(tmp_path / "above.yaml"))


def test_exemptions_are_counted_with_those_of_the_policies_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget()
    monkeypatch.setattr("chalicelib.policy.policy.EXEMPTIONS", bounds.EXEMPTIONS._replace(most=2))
    entry = "{rule: endpoint-idle, resource: r, reason: r, owner: ml, expires: 2027-01-31}"
    (tmp_path / "team.yaml").write_text(f"exemptions: [{entry}]\n")
    own = tmp_path / "own.yaml"
    own.write_text(f"extends: team.yaml\nexemptions: [{entry}]\n")
    assert len(load_policy(str(own)).exemptions) == 2
    forget()
    own.write_text(f"extends: team.yaml\nexemptions: [{entry}, {entry}]\n")
    with pytest.raises(InvalidInput, match=r"own\.yaml:2: exemptions: with those .* up to 2 exemptions"):
        load_policy(str(own))
