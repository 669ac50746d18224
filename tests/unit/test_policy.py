"""Policies: what is loaded, what is inherited, and what a wrong file says."""

import re
from datetime import date
from pathlib import Path

import pytest

from chalicelib.cli import run
from chalicelib.errors import InvalidInput
from chalicelib.policy.entries import ExemptionEntry
from chalicelib.policy.policy import forget, load_policy
from chalicelib.report.findings import Severity
from chalicelib.rules import RULES


@pytest.fixture(autouse=True)
def _fresh() -> None:
    forget()


def written(tmp_path: Path, text: str, name: str = "own.yaml") -> str:
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_the_baseline_names_every_rule_with_the_defaults_of_the_code() -> None:
    policy = load_policy("baseline")
    assert set(policy.rules) == set(RULES)
    for id, setting in policy.rules.items():
        assert setting.enabled == RULES[id].enabled, id
        assert setting.params == RULES[id].params(), id


def test_a_policy_without_extends_rests_on_the_baseline(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, "rules:\n  endpoint-gpu-underutilized: {severity: high, gpu_percent: 15}\n"))
    changed = policy.rules["endpoint-gpu-underutilized"]
    assert (changed.severity, changed.params.model_dump()["gpu_percent"]) == (Severity.HIGH, 15)
    assert changed.params.model_dump()["memory_percent"] == 30
    assert policy.rules["endpoint-idle"].enabled


def test_a_policy_that_extends_none_enables_only_what_it_names(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, "extends: none\nrules:\n  endpoint-idle: {}\n"))
    assert set(policy.enabled()) == {"endpoint-idle"}


def test_an_empty_extends_is_none(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, "extends:\nrules:\n  endpoint-idle: {}\n"))
    assert set(policy.enabled()) == {"endpoint-idle"}


def test_a_policy_extends_another_beside_it(tmp_path: Path) -> None:
    written(tmp_path, "notify_at: high\nrules:\n  endpoint-idle: {enabled: false}\n", "team.yaml")
    policy = load_policy(written(tmp_path, "extends: team.yaml\nrules:\n  endpoint-idle: {window_days: 3}\n"))
    assert policy.notify_at is Severity.HIGH
    assert not policy.rules["endpoint-idle"].enabled
    assert policy.rules["endpoint-idle"].params.model_dump()["window_days"] == 3
    assert policy.used.name == str(tmp_path / "own.yaml")


def test_the_digest_changes_with_the_content_and_not_with_the_name(tmp_path: Path) -> None:
    same = load_policy(written(tmp_path, "extends: baseline\n"))
    other = load_policy(written(tmp_path, "notify_at: low\n", "other.yaml"))
    assert same.digest == load_policy("baseline").digest
    assert other.digest != same.digest


BROKEN = {path.stem: path for path in sorted((Path(__file__).parents[1] / "fixtures" / "broken-policies").iterdir())}
#: Their complaint is of the file as a whole, or of what YAML makes of it.
AT_NO_KEY = {"not-a-mapping", "not-yaml", "tab", "impossible-date"}


def promised(path: Path) -> tuple[int, str]:
    """The line and the words that the first line of a broken policy promises of the complaint."""
    match = re.fullmatch(r"# line (\d+): (.+)", path.read_text(encoding="utf-8").splitlines()[0])
    assert match is not None, path
    return int(match[1]), match[2]


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_policy_says_where_and_what_would_be_accepted(name: str) -> None:
    line, says = promised(BROKEN[name])
    with pytest.raises(InvalidInput) as caught:
        load_policy(str(BROKEN[name]))
    message = str(caught.value)
    assert says in message
    if name != "extends-nothing-there":
        assert (caught.value.field == "") is (name in AT_NO_KEY)
        place = "" if name in AT_NO_KEY else f"{caught.value.field}: "
        assert message.startswith(f"{BROKEN[name]}:{line}: {place}"), message


@pytest.mark.parametrize("name", BROKEN)
def test_checking_a_wrong_policy_ends_with_2_and_one_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "check", str(BROKEN[name])]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == 1
    assert promised(BROKEN[name])[1] in output.err


def test_every_wrong_policy_gets_a_message_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    messages = set()
    for path in BROKEN.values():
        run(["policy", "check", str(path)])
        messages.add(capsys.readouterr().err.replace(str(path), ""))
    assert len(BROKEN) >= 20
    assert len(messages) == len(BROKEN)


def test_a_policy_that_extends_itself_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "extends: own.yaml\n")
    with pytest.raises(InvalidInput, match="extends itself"):
        load_policy(path)


@pytest.mark.parametrize("reference", ["nothing-here", "/no/such/file.yaml", "."])
def test_a_policy_that_is_not_there_names_those_that_are(reference: str) -> None:
    with pytest.raises(InvalidInput, match="baseline") as caught:
        load_policy(reference)
    assert caught.value.field == "policy"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("notify_at: 2026-01-01", '"2026-01-01"'),
        (f"remind_after_days: {'x' * 58}", f'"{"x" * 58}"'),
        (f"remind_after_days: {'x' * 59}", f'"{"x" * 56}…'),
    ],
)
def test_a_wrong_value_is_shown_and_a_long_one_shortened(tmp_path: Path, text: str, shown: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_policy(written(tmp_path, text))
    assert str(caught.value).endswith(f"; it is {shown}")


def test_a_parameter_that_is_not_there_names_all_that_a_rule_takes(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="accepted are enabled, severity, mode, window_days"):
        load_policy(written(tmp_path, "rules:\n  endpoint-idle: {days: 3}\n"))


def test_a_packed_policy_is_read_in_place_of_its_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.policy.policy.POLICIES", tmp_path)
    written(tmp_path, "extends: none\nnotify_at: low\n", "shipped.yaml")
    assert load_policy("shipped").notify_at is Severity.LOW
    forget()
    written(tmp_path, '{"extends": "none", "notify_at": "high"}', "shipped.json")
    assert load_policy("shipped").notify_at is Severity.HIGH
    forget()
    written(tmp_path, '{"extends": "none", "rules": {"no-such-rule": {}}}', "shipped.json")
    with pytest.raises(InvalidInput, match=r"^policies/shipped\.yaml:1: rules\.no-such-rule: unknown rule"):
        load_policy("shipped")


def test_terraform_manages_what_has_one_of_the_values_whatever_their_case(tmp_path: Path) -> None:
    text = "terraform_tags:\n  - {tag: made-by, values: [Terraform, OpenTofu]}\n"
    policy = load_policy(written(tmp_path, text))
    assert policy.managed_by_terraform({"made-by": "TERRAFORM"})
    assert policy.managed_by_terraform({"made-by": "opentofu"})
    assert not policy.managed_by_terraform({"made-by": "hand"})
    assert not policy.managed_by_terraform({"Made-By": "Terraform"})


def test_who_names_no_owner_has_that_of_the_account(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, "owner_tags: [Team, owner]\n")).in_account({"OWNER": "platform"})
    assert policy.responsible({"team": "search"}) == "search"
    assert policy.responsible({"stage": "prod"}) == "platform"
    assert policy.owner({"stage": "prod"}) is None, "an exemption needs an owner of its own"
    assert policy.in_account({}).responsible({}) == "platform"
    assert load_policy().responsible({}) is None
    assert policy.digest == load_policy(written(tmp_path, "owner_tags: [Team, owner]\n")).digest


def test_the_first_of_the_owner_tags_that_a_resource_has_names_its_owner(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, "owner_tags: [Team, cost-center]\n"))
    assert policy.owner({"cost-center": "42", "team": "search", "owner": "jane"}) == "search"
    assert policy.owner({"Cost-Center": "42", "team": " "}) == "42"
    assert policy.owner({"owner": "jane"}) is None
    assert load_policy().owner({"Owner": "jane", "team": "search"}) == "jane"
    assert load_policy(written(tmp_path, "extends: own.yaml\n", "child.yaml")).owner_tags == ("Team", "cost-center")
    with pytest.raises(InvalidInput, match="owner_tags"):
        load_policy(written(tmp_path, "owner_tags: []\n", "empty.yaml"))


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_bytes(b"\xff\xfe\x00rules")
    with pytest.raises(InvalidInput, match=r"own\.yaml:1: .*(UTF-8|not YAML)"):
        load_policy(str(tmp_path / "own.yaml"))


def test_an_exemption_matches_by_globs_over_rule_and_arn_until_its_day_has_passed() -> None:
    entry = ExemptionEntry(
        rule="endpoint-*", resource="arn:aws:sagemaker:*:*:endpoint/dev-*", reason="dev", expires=date(2027, 1, 31)
    )
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/dev-a"
    assert entry.covers("endpoint-idle", arn, "dev-a/V")
    assert not entry.covers("vpc-single-az", arn, "dev-a/V")
    assert not entry.covers("endpoint-idle", arn.replace("dev-", "prod-"), "prod-a/V")
    assert not entry.expired(date(2027, 1, 31))
    assert entry.expired(date(2027, 2, 1))


def test_severity_comes_from_the_policy_then_the_outcome_then_the_rule_and_tags_shift_it(tmp_path: Path) -> None:
    text = "rules:\n  endpoint-idle: {severity: high}\nseverity_by_tag:\n  - {tag: env, values: [dev], shift: -1}\n"
    policy = load_policy(written(tmp_path, text))
    assert policy.severity("endpoint-idle", Severity.LOW, {}) is Severity.HIGH
    assert policy.severity("endpoint-idle", None, {"env": "dev"}) is Severity.MEDIUM
    assert policy.severity("endpoint-degraded", Severity.MEDIUM, {}) is Severity.MEDIUM
    assert policy.severity("endpoint-degraded", None, {"env": "prod"}) is Severity.HIGH


COVERS = "exemptions:\n  - {rule: endpoint-idle, resource: 'dev-*', reason: dev, owner: ml, expires: 2027-01-31}\n"
CUSTOM = "custom_rules:\n  - {id: acme-check, kind: endpoint, title: Check, fails_when: CONDITION}\n"


def test_a_policy_keeps_the_exemptions_of_the_one_that_it_extends(tmp_path: Path) -> None:
    written(tmp_path, COVERS, "team.yaml")
    own = COVERS.replace("dev-*", "test-*")
    policy = load_policy(written(tmp_path, f"extends: team.yaml\n{own}"))
    assert [entry.resource for entry in policy.exemptions] == ["dev-*", "test-*"]
    assert load_policy(written(tmp_path, "extends: own.yaml\n", "third.yaml")).exemptions == policy.exemptions


CHANGES = {
    "an exemption": (COVERS, COVERS.replace("dev-*", "test-*")),
    "the reason of an exemption": (COVERS, COVERS.replace("reason: dev", "reason: test")),
    "the end of an exemption": (COVERS, COVERS.replace("01-31", "02-28")),
    "no exemption": (COVERS, "extends: baseline\n"),
    "a condition of its own": (CUSTOM.replace("CONDITION", "name"), CUSTOM.replace("CONDITION", "created")),
    "whether tags exempt": ("tag_exemptions: {enabled: false}\n", "tag_exemptions: {enabled: true}\n"),
    "how long tags exempt": ("tag_exemptions: {max_days: 30}\n", "tag_exemptions: {max_days: 31}\n"),
    "whether exemptions may be open": ("allow_open_exemptions: true\n", "allow_open_exemptions: false\n"),
}


@pytest.mark.parametrize(("text", "other"), CHANGES.values(), ids=CHANGES)
def test_the_digest_changes_with_whatever_changes_what_is_told(tmp_path: Path, text: str, other: str) -> None:
    before = load_policy(written(tmp_path, text, "before.yaml")).digest
    assert before != load_policy(written(tmp_path, other, "after.yaml")).digest


OPEN = "exemptions: [{rule: endpoint-idle, resource: 'dev-*', reason: dev}]\n"


@pytest.mark.parametrize(
    ("above", "own", "accepted"),
    [
        ("notify_at: low", "allow_open_exemptions: true", True),
        ("allow_open_exemptions: true", "notify_at: low", True),
        ("allow_open_exemptions: true", "allow_open_exemptions: false", False),
        ("notify_at: low", "notify_at: low", False),
    ],
)
def test_exemptions_may_be_open_where_the_policy_or_else_the_one_above_says_so(
    tmp_path: Path, above: str, own: str, *, accepted: bool
) -> None:
    written(tmp_path, f"{above}\n", "team.yaml")
    path = written(tmp_path, f"extends: team.yaml\n{own}\n{OPEN}")
    if accepted:
        assert load_policy(path).exemptions[0].lacking == "owner and expires"
        return
    with pytest.raises(InvalidInput, match="lacks owner and expires"):
        load_policy(path)


@pytest.mark.parametrize(
    ("rule", "resource", "refused"),
    [
        ("*", "*", True),
        ("*", "**", True),
        ("*-*", "?*", True),
        ("[a-z]*", "[!~]*", True),
        ("*", "arn:*", True),
        ("*", "arn:aws:sagemaker:*", True),
        ("*", "arn:aws-cn:*:*:*:*", True),
        ("*", "arn:aws:*:*:123456789012:*", False),
        ("*", "arn:aws:sagemaker:*:*:endpoint/*", False),
        ("*", "dev-*", False),
        ("endpoint-idle", "*", False),
    ],
)
def test_an_exemption_of_every_rule_on_everything_is_refused(
    tmp_path: Path, rule: str, resource: str, *, refused: bool
) -> None:
    text = f"exemptions: [{{rule: '{rule}', resource: '{resource}', reason: r, owner: o, expires: 2027-01-31}}]\n"
    if not refused:
        assert len(load_policy(written(tmp_path, text)).exemptions) == 1
        return
    with pytest.raises(InvalidInput, match="it exempts everything"):
        load_policy(written(tmp_path, text))


def test_a_misspelt_rule_is_answered_with_the_one_that_was_meant_and_another_with_the_sentence_alone(
    tmp_path: Path,
) -> None:
    for rule, ending in [("endpoint-idel", "did you mean 'endpoint-idle'?"), ("qqqq", "unknown rule 'qqqq'; accepted")]:
        file = tmp_path / "own.yaml"
        file.write_text(f"extends: baseline\nrules:\n  {rule}: {{enabled: true}}\n")
        with pytest.raises(InvalidInput) as raised:
            load_policy(str(file))
        assert ending in str(raised.value)


def test_a_policy_that_is_nested_too_deep_is_refused_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "deep.yaml"
    file.write_text("extends: baseline\nrules:\n  endpoint-idle: " + "[" * 300 + "]" * 300 + "\n")
    with pytest.raises(InvalidInput, match=r"deep\.yaml:3"):
        load_policy(str(file))
