"""Reading a report back from the JSON that an audit wrote, in a file or in a bucket."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import REPORT_BYTES, TooLarge
from chalicelib.input.reading import bytes_of, read_bytes, read_json
from chalicelib.report.findings import SCHEMA_VERSION, Report

STDIN = "-"
_ACCEPTED = "accepted is a report as `auditor audit --format json` writes it"


def report_in(path: str | Path, *, session: Any = None, field: str = "") -> Report:
    """The report in a file, on stdin for ``-``, or at ``s3://BUCKET/KEY``, read with a session of boto3 (default: the
    credentials of the environment).

    Fields that this version does not know are left out: a later one may add some within a schema version. Raises
    InvalidInput for a file that cannot be read, is not JSON, not a report, or of a newer schema version.
    """
    name = "stdin" if str(path) == STDIN else str(path)
    if name.lower().endswith((".html", ".htm")):
        beside = name.rsplit(".", 1)[0]
        raise InvalidInput(f"{name} is a page; accepted is the JSON that it was made of, as {beside}.json", field=field)
    if name.startswith("s3://"):
        from chalicelib.storage import stored_text  # AWS's SDK comes with it

        return report_from(stored_text(name, session, most=REPORT_BYTES, field=field), name, field=field)
    return report_from(_text(path, name, field), name, field=field)


def _text(path: str | Path, name: str, field: str) -> str:
    try:
        stdin = str(path) == STDIN
        data = bytes_of(sys.stdin.buffer, REPORT_BYTES) if stdin else read_bytes(Path(path), REPORT_BYTES)
        return data.decode("utf-8-sig")
    except TooLarge as error:
        raise InvalidInput(f"{name}: {error}; {_ACCEPTED}", field=field) from None
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}; {_ACCEPTED}", field=field) from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{name} is not UTF-8 text; {_ACCEPTED}", field=field) from None


def report_from(text: str, name: str, *, field: str = "") -> Report:
    """The report that a text holds; ``name`` is what it is called in messages. Raises InvalidInput."""
    try:
        data = read_json(text)
    except TooLarge as error:
        raise InvalidInput(f"{name}: {error}; {_ACCEPTED}", field=field) from None
    except ValueError as error:
        where = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidInput(f"{name}{where} is not JSON; {_ACCEPTED}", field=field) from None
    if not isinstance(data, dict) or not {"audit_id", "findings", "blind_spots"} <= data.keys():
        raise InvalidInput(f"{name} is JSON, but not a report; {_ACCEPTED}", field=field)
    version = data.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise InvalidInput(
            f"{name}: schema version {version} is newer than this auditor reads ({SCHEMA_VERSION}); upgrade it",
            field=field,
        )
    try:
        return _known(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        message = f"{name} is not a report: {where}: {first['msg'][0].lower()}{first['msg'][1:]}; {_ACCEPTED}"
        raise InvalidInput(message, field=field) from None


def _known(data: dict[str, Any]) -> Report:
    """The report without the fields that this version does not know."""
    try:
        return Report.model_validate(data)
    except ValidationError as error:
        unknown = [problem["loc"] for problem in error.errors() if problem["type"] == "extra_forbidden"]
        if not unknown:
            raise
    for *above, last in unknown:
        holder: Any = data
        for step in above:
            holder = holder[step]
        del holder[last]
    return Report.model_validate(data)
