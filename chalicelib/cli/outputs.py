"""Where results go: the formats asked for, the files that they fill, and how these are written whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from chalicelib.errors import InvalidInput
from chalicelib.input.marks import clean
from chalicelib.report.formats.writers import SUFFIXES, WRITERS

TABLE = "table"


def formats() -> list[str]:
    """The formats that are accepted, the one for people first."""
    return [TABLE, *WRITERS]


def chosen_formats(wanted: Sequence[str]) -> list[str]:
    """The formats in these words, each once; a word may hold several between commas. Default: the table.

    Raises InvalidInput for one that does not exist.
    """
    names = [name.strip() for word in wanted for name in word.split(",") if name.strip()]
    for name in names:
        if name not in formats():
            raise InvalidInput(f"unknown format {name!r}; accepted are {', '.join(formats())}", field="--format")
    return list(dict.fromkeys(names)) or [TABLE]


def planned(chosen: Sequence[str], output: str | None) -> dict[str, Path | None]:
    """The file of each format; None is stdout. Several formats go into a folder, one into a file or a folder.

    Raises InvalidInput when a place cannot be written.
    """
    if output is None:
        if len(chosen) > 1:
            raise InvalidInput(
                "several formats need --output DIR; accepted without it is one --format", field="--output"
            )
        return {chosen[0]: None}
    if not output:
        raise InvalidInput("--output is empty; accepted is a file or a folder", field="--output")
    place = Path(output)
    into = len(chosen) > 1 or output.endswith(("/", os.sep)) or place.is_dir()
    files: dict[str, Path | None] = {
        format: place / f"report.{_suffix(format)}" if into else place for format in chosen
    }
    for file in files.values():
        check(file)
    return files


def _suffix(name: str) -> str:
    return "txt" if name == TABLE else SUFFIXES.get(name, name)


def check(file: Path | None) -> None:
    """Raises InvalidInput when a file cannot be written; leaves nothing behind."""
    if file is None or _is_device(file):
        return
    made = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()]
    try:
        _unlink(_draft(file, ""))
    except OSError as error:
        raise _unwritable(file, error) from None
    finally:
        with suppress(OSError):
            for folder in made:
                folder.rmdir()


def save(file: Path, text: str, format: str = "") -> None:
    """Writes a file whole or not at all, and says so. Raises InvalidInput when the place cannot be written."""
    save_all({file: text}, {file: format})


def save_all(texts: Mapping[Path, str], formats: Mapping[Path, str] = MappingProxyType({})) -> None:
    """Writes all of these files or none: first drafts beside them, then each draft takes its place. Says on stderr what
    was written: path, format and bytes.

    Raises InvalidInput when a place cannot be written.
    """
    drafts: dict[Path, Path] = {}
    file = Path()
    try:
        for file, text in texts.items():
            if _is_device(file):
                file.write_text(text, encoding="utf-8")
            else:
                drafts[file] = _draft(file, text)
        for file in list(drafts):
            drafts[file].replace(file.resolve())
            del drafts[file]
    except OSError as error:
        raise _unwritable(file, error) from None
    finally:
        for draft in drafts.values():
            _unlink(draft)
    for file in texts:
        if not _is_device(file):
            format = formats.get(file) or file.suffix.removeprefix(".") or "text"
            print(f"auditor: wrote {clean(str(file))} ({format}, {file.stat().st_size:,} bytes)", file=sys.stderr)


def _draft(file: Path, text: str) -> Path:
    if file.is_dir():
        raise IsADirectoryError(21, "it is a folder")
    target = file.resolve()  # what a link points to is written, not the link
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as draft:
            draft.write(text)
    except BaseException:
        _unlink(Path(name))
        raise
    return Path(name)


def _is_device(file: Path) -> bool:
    """True for a pipe or a terminal such as /dev/stdout, which is written and never replaced."""
    return file.exists() and not file.is_file() and not file.is_dir()


def _unlink(draft: Path) -> None:
    draft.unlink(missing_ok=True)


def _unwritable(file: Path, error: OSError) -> InvalidInput:
    reason = error.strerror or type(error).__name__
    return InvalidInput(
        f"{file} cannot be written: {reason}; accepted is a place that can be written", field="--output"
    )
