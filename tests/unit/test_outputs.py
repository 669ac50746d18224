"""Where results go: formats, files and folders, whole or not at all."""

import os
from pathlib import Path

import pytest

from chalicelib.cli import outputs
from chalicelib.errors import InvalidInput
from chalicelib.report.formats.writers import SUFFIXES, WRITERS


@pytest.mark.parametrize(
    ("values", "chosen"),
    [
        ([], ["table"]),
        (["json"], ["json"]),
        (["json", "sarif", "json"], ["json", "sarif"]),
        (["json, sarif", "csv"], ["json", "sarif", "csv"]),
    ],
)
def test_formats_are_named_one_by_one_or_between_commas(values: list[str], chosen: list[str]) -> None:
    assert outputs.chosen_formats(values) == chosen


def test_an_unknown_format_names_those_that_are_accepted() -> None:
    with pytest.raises(InvalidInput, match="unknown format 'yaml'; accepted are table, json"):
        outputs.chosen_formats(["json,yaml"])


def test_every_writer_is_a_format_with_a_suffix_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WRITERS, "stone", lambda report: "carved")
    files = outputs.planned(outputs.formats(), f"{tmp_path}/")
    assert len(set(files.values())) == len(WRITERS) + 1
    assert {files["stone"], files["table"], files["junit"]} == {
        tmp_path / f"report.{suffix}" for suffix in ("stone", "txt", SUFFIXES["junit"])
    }


def test_one_format_goes_into_a_file_or_into_a_folder(tmp_path: Path) -> None:
    assert outputs.planned(["json"], None) == {"json": None}
    assert outputs.planned(["json"], str(tmp_path / "a.json")) == {"json": tmp_path / "a.json"}
    assert outputs.planned(["json"], f"{tmp_path}/new/") == {"json": tmp_path / "new" / "report.json"}
    assert outputs.planned(["asff"], str(tmp_path)) == {"asff": tmp_path / "report.asff.json"}
    assert list(tmp_path.iterdir()) == []


def test_several_formats_need_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="several formats need --output DIR"):
        outputs.planned(["json", "csv"], None)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidInput, match="cannot be written"):
        outputs.planned(["json", "csv"], str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("output", ["/proc/nope/report.json", "/proc/nope/", "/dev/null/x", ""])
def test_a_place_that_cannot_be_written_is_told(output: str) -> None:
    with pytest.raises(InvalidInput, match="accepted is"):
        outputs.planned(["json"], output)


def test_all_files_are_written_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tmp_path / "a.json"
    first.write_text("before")
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(InvalidInput, match=r"b\.csv cannot be written"):
        outputs.save_all({first: "after", tmp_path / "b.csv": "after"})
    assert first.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.csv"]


def test_an_interrupt_while_writing_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def interrupted(handle: int, *_: object, **__: object) -> None:
        os.close(handle)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fdopen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        outputs.save(tmp_path / "a.json", "text")
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_followed_and_a_device_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("before")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    outputs.save(tmp_path / "link", "after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "after"
    outputs.check(Path(os.devnull))
    outputs.save(Path(os.devnull), "after")
    assert not Path(os.devnull).is_file()
