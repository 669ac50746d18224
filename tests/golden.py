"""Golden files: rendered messages as they should be, under ``tests/golden``, read by people in reviews."""

import difflib
import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"

#: Set to 1, the golden files are written anew instead of compared.
RENEW = "AUDITOR_RENEW_GOLDEN"


def assert_golden(path: str | Path, text: str) -> None:
    """Compares the text with the golden file; a relative path is meant under ``tests/golden``.

    With AUDITOR_RENEW_GOLDEN=1 the file is written anew. Raises AssertionError with a diff when they differ, or when
    there is no such file.
    """
    file = FOLDER / path
    wanted = text if text.endswith("\n") else text + "\n"
    if os.environ.get(RENEW) == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(wanted, encoding="utf-8", newline="\n")
        return
    assert file.exists(), f"{file} does not exist; {RENEW}=1 writes it"
    golden = file.read_bytes().decode("utf-8")
    if golden == wanted:
        return
    difference = difflib.unified_diff(golden.splitlines(), wanted.splitlines(), "golden", "rendered", lineterm="")
    raise AssertionError(f"{file.name} differs; {RENEW}=1 writes it anew\n" + "\n".join(difference))
