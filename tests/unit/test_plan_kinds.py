"""Templates of every kind that people write: what each must tell, what it must not, and what its blind spots name."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from chalicelib.cli import run
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Severity
from tests.unit.plan_cases import FIXTURES

pytestmark = pytest.mark.thorough

SINGLE, UNSCALED = "endpoint-single-instance", "variant-no-autoscaling"
Read = pytest.CaptureFixture[str]


class Kind(NamedTuple):
    """The files of a command below tests/fixtures/plan, its options, and what must come of it."""

    files: str
    options: tuple[str, ...] = ()
    must: tuple[tuple[str, str, str], ...] = ()
    never: tuple[tuple[str, str], ...] = ()
    blind: tuple[str, ...] = ()
    strict: int = 0


KINDS = [
    Kind(
        "kinds/loop-nested.yaml",
        must=((SINGLE, "ads-trial/all", "high"), (SINGLE, "search-eu-trial/all", "high")),
        never=((SINGLE, "ads-live/all"),),
    ),
    Kind("kinds/loop-nested.yaml", ("--parameter", "Teams=maps"), must=((SINGLE, "maps-trial/all", "high"),)),
    Kind("kinds/loop-over-a-parameter.yaml", blind=(SINGLE, UNSCALED, "model-vpc-single-az"), strict=4),
    Kind("kinds/loop-over-a-parameter.yaml", ("--parameter", "Teams=ads"), must=((SINGLE, "ads/all", "high"),)),
    Kind("kinds/loop-of-properties.yaml", must=((SINGLE, "ranker/all", "high"),)),
    Kind("kinds/nested-parent.yaml", blind=(SINGLE, UNSCALED), strict=4),
    Kind(
        "kinds/nested-parent.yaml kinds/nested-hosting.yaml kinds/nested-scaling.yaml",
        must=((SINGLE, "Endpoint/all", "high"),),
        never=((UNSCALED, "Endpoint/all"),),
    ),
    Kind(
        "kinds/nested-parent.yaml kinds/nested-hosting.yaml",
        must=((SINGLE, "Endpoint/all", "high"),),
        never=((UNSCALED, "Endpoint/all"),),
        blind=(UNSCALED,),
        strict=4,
    ),
    Kind(
        "kinds/nested-parent.yaml kinds/nested-scaling.yaml kinds/nested-hosting.yaml",
        ("--parameter", "Instances=2"),
        never=((SINGLE, "Endpoint/all"), (UNSCALED, "Endpoint/all")),
    ),
    Kind("kinds/export-hosting.yaml", must=((UNSCALED, "Serving/all", "medium"),)),
    Kind("kinds/export-hosting.yaml kinds/export-scaling.yaml", never=((UNSCALED, "export-hosting.Serving/all"),)),
    Kind(
        "kinds/same-name-live.yaml kinds/same-name-trial.yaml",
        must=((SINGLE, "ranker/all", "high"), (UNSCALED, "ranker/all", "medium")),
    ),
    Kind(
        "kinds/bounds.yaml",
        must=(
            (SINGLE, "ranker-AtMostOne/all", "high"),
            (SINGLE, "ranker-Only/all", "high"),
            (UNSCALED, "ranker-Instances/all", "medium"),
        ),
        never=((SINGLE, "ranker-AtLeastTwo/all"), (SINGLE, "ranker-Listed/all"), (SINGLE, "ranker-Instances/all")),
        blind=(SINGLE,),
        strict=4,
    ),
    *(
        Kind(
            "kinds/bounds.yaml",
            ("--parameters", f"kinds/{name}"),
            must=((SINGLE, f"{endpoint}-Instances/all", "high"),),
        )
        for name, endpoint in (
            ("values-pipeline.json", "ranker"),
            ("values-list.json", "ranker"),
            ("values-overrides.json", "rank-er"),
            ("values-plain.yaml", "ranker"),
        )
    ),
    Kind(
        "kinds/bounds.yaml",
        ("--parameters", "kinds/values-list.json", "--parameter", "Instances=2"),
        never=((SINGLE, "ranker-Instances/all"),),
    ),
    Kind("kinds/starts-single.yaml", must=((SINGLE, "ranker/all", "low"),)),
    Kind(
        "kinds/one-subnet.yaml",
        must=(("model-vpc-single-az", "One", "high"),),
        never=(("model-vpc-single-az", "Two"),),
        blind=("model-vpc-single-az",),
        strict=4,
    ),
    Kind(
        "kinds/variant-by-condition.yaml",
        must=((SINGLE, "ranker/all", "high"),),
        never=(("autoscaling-orphaned-target", "ranker/trial"),),
        blind=(SINGLE, UNSCALED, "instance-previous-generation", "autoscaling-no-headroom"),
        strict=4,
    ),
    Kind(
        "kinds/variants-by-condition.yaml",
        must=((SINGLE, "ranker/all", "high"), (UNSCALED, "counted/all", "medium"), (UNSCALED, "mapped/all", "medium")),
        never=((SINGLE, "counted/all"), (SINGLE, "mapped/all")),
        blind=(SINGLE, UNSCALED, "instance-previous-generation"),
        strict=4,
    ),
    Kind("kinds/model-by-import.yaml", must=((UNSCALED, "ranker/all", "medium"),)),
    Kind("assembly", must=((SINGLE, "ranker/all", "high"), (UNSCALED, "ranker/all", "medium"))),
    Kind(
        "assembly/tree.json assembly/Live.assets.json kinds/starts-single.yaml", must=((SINGLE, "ranker/all", "low"),)
    ),
]


@pytest.fixture(autouse=True)
def _in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AUDITOR_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(FIXTURES)


def report_of(files: str, *options: str, capsys: Read, code: int | None = None) -> dict[str, Any]:
    """The report of a command as JSON; its exit code must be ``code`` where one is given."""
    ended = run(["plan", *files.split(), *options, "--format", "json", "--policy", "strict"])
    output = capsys.readouterr()
    assert code is None or ended == code, output.err
    report: dict[str, Any] = json.loads(output.out)
    return report


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: " ".join([kind.files, *kind.options]))
def test_a_kind_of_template_is_told_what_is_certain_and_named_what_is_not(kind: Kind, capsys: Read) -> None:
    report = report_of(kind.files, *kind.options, capsys=capsys)
    severity_of = {
        (finding["rule"], finding["resource"]["name"]): finding["severity"] for finding in report["findings"]
    }
    assert {(*key, severity_of.get(key)) for key in ((rule, name) for rule, name, _ in kind.must)} == set(kind.must)
    assert not set(kind.never) & set(severity_of)
    named = {rule for spot in report["blind_spots"] if spot["operation"] == "plan:values" for rule in spot["effect"]}
    assert set(kind.blind) <= named
    if kind.strict:
        report_of(kind.files, *kind.options, "--strict", capsys=capsys, code=kind.strict)


@pytest.mark.parametrize(
    "text",
    [
        "Resources:\n  A: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: !ImportValue url}}\n",
        "Resources:\n  A: {Type: 'AWS::CloudFormation::StackSet'}\n",
        "Resources:\n  A: {Type: 'Mine::Hosting::Endpoint::MODULE'}\n",
        "Transform: [AWS::LanguageExtensions, Mine]\nResources:\n  A: {Type: 'AWS::S3::Bucket'}\n",
        "Transform: {Name: 'AWS::Include'}\nResources:\n  A: {Type: 'AWS::S3::Bucket'}\n",
        "Fn::Transform: {Name: 'AWS::Include'}\nResources:\n  A: {Type: 'AWS::S3::Bucket'}\n",
        "Resources:\n  Fn::Transform: {Name: 'AWS::Include'}\n",
        "Resources:\n  Fn::ForEach::A: [B, !Ref C, {'D${B}': {Type: 'AWS::S3::Bucket'}}]\n",
    ],
)
def test_what_a_template_hides_is_a_blind_spot_of_every_rule_that_a_template_concerns(
    text: str, tmp_path: Path, capsys: Read
) -> None:
    (tmp_path / "a.yaml").write_text(text)
    report = report_of(str(tmp_path / "a.yaml"), "--strict", capsys=capsys, code=4)
    (spot,) = report["blind_spots"]
    jobs = {"training-job", "tuning-job", "transform-job"}
    rules = load_policy("strict").enabled(frozenset())
    assert spot["effect"] == sorted(id for id, setting in rules.items() if not set(setting.rule.kinds) <= jobs)
    run(["plan", str(tmp_path / "a.yaml")])
    assert "nothing of SageMaker" not in capsys.readouterr().err


def test_properties_that_a_macro_fills_are_not_known_and_those_of_others_are(tmp_path: Path, capsys: Read) -> None:
    (tmp_path / "a.yaml").write_text(
        (FIXTURES / "kinds" / "loop-of-properties.yaml")
        .read_text()
        .replace("Fn::ForEach::Counts: [Kind, [Instance], {", "Fn::Transform: {Name: 'AWS::Include'} # {")
    )
    report = report_of(str(tmp_path / "a.yaml"), "--strict", capsys=capsys, code=4)
    assert SINGLE in {rule for spot in report["blind_spots"] for rule in spot["effect"]}


def test_the_files_of_the_cdk_are_skipped_with_a_word(capsys: Read) -> None:
    files = [str(file) for file in sorted(Path("assembly").glob("*.json"))]
    assert run(["plan", *files, "--fail-on", "high"]) == 3
    text = capsys.readouterr().err
    assert "assembly/Live.assets.json is skipped: it is the CDK's assets" in text
    assert "assembly/manifest.json is skipped: it is the manifest of the CDK" in text
    assert "nothing of SageMaker" not in text


def test_a_folder_without_a_manifest_is_read_file_by_file(tmp_path: Path, capsys: Read) -> None:
    for name in ("export-hosting.yaml", "export-scaling.yaml", "values-list.json"):
        shutil.copy(FIXTURES / "kinds" / name, tmp_path)
    (tmp_path / "notes.txt").write_text("no template")
    assert run(["plan", str(tmp_path), "--policy", "strict", "--fail-on", "info"]) == 0
    assert f"{tmp_path}/values-list.json is skipped: it is no template" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["kinds/bounds.yaml", "--parameter", "Instances=9"], "cannot be '9'; accepted is a number from 1 to 4"),
        (["kinds/bounds.yaml", "--parameter", "Instances=two"], "cannot be 'two'; accepted is a number"),
        (["kinds/bounds.yaml", "--parameter", "AtLeastTwo=1"], "accepted is a number of 2 or more"),
        (["kinds/bounds.yaml", "--parameter", "Name=Ranker"], "accepted is what matches [a-z-]+"),
        (["kinds/bounds.yaml", "--parameter", "Name=r"], "accepted is a text of a length from 3 to 10"),
        (["kinds/bounds.yaml", "--parameter", "Secret=hunter2"], "Secret cannot be the value given; accepted is"),
        (["kinds/bounds.yaml", "--parameter", "Subnets=a,d"], "cannot be 'a,d'; accepted are a, b, c"),
        (["kinds/same-name-live.yaml", "kinds/bounds.yaml", "--parameter", "Nam=x"], "none of the templates has a"),
        (
            ["kinds/bounds.yaml", "--parameters", "kinds/bounds.yaml"],
            "is neither JSON nor YAML; accepted are",
        ),
        (["kinds/bounds.yaml", "--parameters", "assembly/manifest.json"], "no value of the parameter artifacts"),
        (["kinds/bounds.yaml", "--parameters", "none.json"], "cannot be read: No such file"),
        (["assembly/tree.json"], "it is the CDK's tree of constructs; nothing is left to judge; accepted are"),
        (["kinds/values-list.json"], "neither a CloudFormation template"),
    ],
)
def test_what_is_not_accepted_is_told_with_what_is(options: list[str], said: str, capsys: Read) -> None:
    assert run(["plan", *options]) == 2
    text = capsys.readouterr().err
    assert said in text
    assert len(text.splitlines()) == 1


def test_a_folder_without_templates_is_told(tmp_path: Path, capsys: Read) -> None:
    assert run(["plan", str(tmp_path)]) == 2
    assert f"{tmp_path} holds no template; accepted are a CloudFormation template" in capsys.readouterr().err


def test_nested_stacks_end_where_they_go_round_and_where_there_are_too_many(tmp_path: Path, capsys: Read) -> None:
    def stacks(file: str, number: int = 1) -> str:
        nested = f"{{Type: 'AWS::CloudFormation::Stack', Properties: {{TemplateURL: {file}}}}}"
        return "Resources:\n" + "".join(f"  A{place}: {nested}\n" for place in range(number))

    (tmp_path / "a.yaml").write_text(stacks("b.yaml"))
    (tmp_path / "b.yaml").write_text(stacks("a.yaml"))
    report = report_of(str(tmp_path), "--strict", capsys=capsys, code=4)
    assert "the nested stack A0 makes is not read" in report["blind_spots"][0]["error"]
    for file, inner in (("a", "b"), ("b", "c"), ("c", "d")):
        (tmp_path / f"{file}.yaml").write_text(stacks(f"{inner}.yaml", 12))
    (tmp_path / "d.yaml").write_text("Resources:\n  A: {Type: 'AWS::S3::Bucket'}\n")
    assert run(["plan", str(tmp_path)]) == 2
    assert "accepted are up to 1,000 stacks in the nested stacks of one command" in capsys.readouterr().err


def test_a_file_that_is_named_twice_is_read_once(capsys: Read) -> None:
    report = report_of("kinds/loop-of-properties.yaml ./kinds/../kinds/loop-of-properties.yaml", capsys=capsys)
    assert [finding["resource"]["name"] for finding in report["findings"] if finding["rule"] == SINGLE] == [
        "ranker/all"
    ]


def test_two_plans_with_the_same_addresses_are_told_apart(tmp_path: Path, capsys: Read) -> None:
    plan = json.loads((FIXTURES / "terraform-plan.json").read_text())
    files = [tmp_path / "live.json", tmp_path / "trial.json"]
    for file in files:
        file.write_text(json.dumps(plan))
    alone = report_of(str(files[0]), capsys=capsys)["resources"]
    both = report_of(" ".join(map(str, files)), capsys=capsys)["resources"]
    assert both == {kind: 2 * number for kind, number in alone.items()}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["kinds/starts-single.yaml", "terraform-plan.json"])
def test_a_file_is_read_as_windows_writes_it(name: str, encoding: str, tmp_path: Path, capsys: Read) -> None:
    written = tmp_path / Path(name).name
    written.write_bytes((FIXTURES / name).read_text().replace("\n", "\r\n").encode(encoding))
    expected, findings = (report_of(str(file), capsys=capsys)["findings"] for file in (name, written))
    assert [(finding["rule"], finding["summary"]) for finding in findings] == [
        (finding["rule"], finding["summary"]) for finding in expected
    ]
    assert [finding["resource"]["declared"]["line"] for finding in findings] == [
        finding["resource"]["declared"]["line"] for finding in expected
    ]


def test_every_format_tells_the_line_of_the_loops_body(tmp_path: Path, capsys: Read) -> None:
    file = "kinds/loop-nested.yaml"
    line = 1 + (FIXTURES / file).read_text().splitlines().index("                - VariantName: all")
    for name in ("table", "json", "jsonl", "csv", "markdown", "junit", "sarif", "asff", "ocsf", "html"):
        assert run(["plan", file, "--rule", SINGLE, "--format", name, "--output", str(tmp_path / name)]) == 0
    for name in ("table", "csv", "markdown", "junit", "asff", "ocsf", "html"):
        assert f"{file}:{line}" in (tmp_path / name).read_text().replace("\\", "")
    (finding, _) = json.loads((tmp_path / "json").read_text())["findings"]
    assert finding["resource"]["declared"] == {"file": file, "line": line, "address": "Configadstrial"}
    rows = list(csv.DictReader(io.StringIO((tmp_path / "csv").read_text())))
    assert {row["declared_in"] for row in rows if row["status"] == "open"} == {f"{file}:{line}"}
    assert [row["summary"] for row in rows if row["status"] == "narrowed"] != []
    cases = ElementTree.parse(tmp_path / "junit").iter("testcase")
    assert [(case.get("file"), case.get("line")) for case in cases if case.find("failure") is not None] == [
        (file, str(line))
    ] * 2
    (place, _) = (
        result["locations"][0]["physicalLocation"]
        for result in json.loads((tmp_path / "sarif").read_text())["runs"][0]["results"]
    )
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == (file, line)


def test_the_table_tells_the_line_of_each_finding_of_an_endpoint(capsys: Read) -> None:
    assert run(["plan", "kinds/starts-single.yaml", "--policy", "strict"]) == 0
    words = capsys.readouterr().out.split("───")[0].split()
    places = [word for word in words if word.startswith(("autoscaling-", "endpoint-", "kinds/"))]
    assert places == [
        "autoscaling-target-without-policy",
        "kinds/starts-single.yaml:10",
        SINGLE,
        "kinds/starts-single.yaml:6",
    ]


def test_a_number_within_bounds_is_shown_as_such(capsys: Read) -> None:
    report = report_of("kinds/bounds.yaml", "--rule", UNSCALED, capsys=capsys)
    shown = {
        finding["resource"]["name"]: finding["evidence"]["desired_instance_count"] for finding in report["findings"]
    }
    assert shown["ranker-Instances/all"] == "1 to 4"
    assert shown["ranker-AtLeastTwo/all"] == "2 or more"
    assert shown["ranker-Only/all"] == 1
    assert all(Severity(finding["severity"]) is Severity.MEDIUM for finding in report["findings"])
