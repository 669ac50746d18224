"""``auditor doctor``: what was looked at, what is missing, what stays blind without it, and the policy to add."""

import os
import textwrap
from datetime import UTC, datetime
from functools import partial
from json import dumps
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chalicelib.cli import show
from chalicelib.cli.options import DoctorFormat
from chalicelib.cli.sessions import new_session
from chalicelib.doctor.doctor import Diagnosis, Permission, diagnose
from chalicelib.templating import clean

FAILED, WRONG_USAGE, BLIND = 1, 2, 4

TITLES = {
    "settings": "Settings",
    "policy": "Policy",
    "region": "Region",
    "credentials": "Credentials",
    "deployed": "For the deployed stack (no audit needs it)",
}
STYLES = {
    "ok": "green",
    "allowed": "green",
    "note": "yellow",
    "wrong": "bold red",
    "denied": "bold red",
    "unclear": "magenta",
}
#: Columns that a line takes at most, those before its text, and those that subjects are aligned to.
PROSE, MARGIN, SUBJECT = 100, 12, 26


def run_doctor(
    *, profile: str | None, region: str | None, policy: str | None, format: DoctorFormat, event: bool, to: Path | None
) -> Diagnosis:
    """Looks, and shows what was found on stdout or in a file."""
    session = new_session(profile, region)
    diagnosis = diagnose(session, os.environ, datetime.now(UTC), policy=policy, event=event)
    if format is DoctorFormat.JSON:
        show.text(as_json(diagnosis), to=to)
    else:
        show.prose(partial(_print, diagnosis), to=to, width=PROSE)
    return diagnosis


def exit_code(diagnosis: Diagnosis, *, strict: bool) -> int:
    """1 without credentials, 2 where settings, policy or region are wrong, 4 with ``strict`` and blind spots."""
    if diagnosis.wrong("settings", "policy", "region"):
        return WRONG_USAGE
    if diagnosis.wrong("credentials"):
        return FAILED
    return BLIND if strict and diagnosis.missing else 0


def as_json(diagnosis: Diagnosis) -> str:
    """The diagnosis as JSON; ``ready`` where an audit would see everything."""
    ready = not diagnosis.missing and not diagnosis.wrong("settings", "policy", "region", "credentials")
    return dumps({"ready": ready, **diagnosis.model_dump(mode="json")}, indent=2) + "\n"


def _print(diagnosis: Diagnosis, console: Console) -> None:
    """Everything that was looked at, topic by topic, then what to do."""
    for topic in ("credentials", "region", "settings", "policy"):
        _checks(console, diagnosis, topic)
    _permissions(console, diagnosis)
    _checks(console, diagnosis, "deployed")
    _advice(console, diagnosis)
    for line in textwrap.wrap(summary(diagnosis), _width(console)):
        console.print(Text(line), soft_wrap=True)


def summary(diagnosis: Diagnosis) -> str:
    """One line: what is missing, and what that leaves blind."""
    if not diagnosis.permissions:
        return "Nothing can be audited before what is wrong above is put right."
    denied = sum(1 for permission in diagnosis.permissions if permission.state == "denied")
    unclear = len(diagnosis.missing) - denied
    if not diagnosis.missing:
        return f"All {len(diagnosis.permissions)} permissions are there: {diagnosis.rules} rules can see everything."
    parts = [f"{len(diagnosis.permissions) - denied - unclear} of {len(diagnosis.permissions)} permissions are there"]
    parts += [f"{denied} denied"] if denied else []
    parts += [f"{unclear} could not be told"] if unclear else []
    return f"{', '.join(parts)}; {len(diagnosis.blind)} of {diagnosis.rules} rules may be unknown."


def _checks(console: Console, diagnosis: Diagnosis, topic: str) -> None:
    checks = [check for check in diagnosis.checks if check.topic == topic]
    if not checks and topic != "settings":
        return
    console.print(Text(TITLES[topic], "bold"))
    if not checks:
        state_line(console, "ok", "none is set, the defaults hold")
    widest = max((len(check.subject) for check in checks), default=0)
    for check in checks:
        state_line(console, check.state, f"{check.subject:<{min(widest, SUBJECT)}}  {check.text}")
    console.print()


def _permissions(console: Console, diagnosis: Diagnosis) -> None:
    what = "a sweep" if diagnosis.audit == "sweep" else "the audit of a named resource"
    console.print(Text(f"Permissions for {what}, each tried by one harmless request", "bold"))
    if not diagnosis.permissions:
        state_line(console, "unclear", "not tried, as something above is wrong")
    for permission in diagnosis.permissions:
        state_line(console, permission.state, permission.operation)
        if permission.state != "allowed":
            for sentence in _because(permission):
                state_line(console, "", sentence)
    console.print()


def _because(permission: Permission) -> list[str]:
    """Why a permission is missing and what is blind without it, in sentences."""
    sentences = [f"{permission.reason[:1].upper()}{permission.reason[1:].removesuffix('.')}."]
    if permission.state == "denied" and permission.named:
        sentences.append("Denied for a made-up name: a policy limited to certain names may still allow yours.")
    if permission.note:
        sentences.append(permission.note)
    if permission.effect:
        sentences.append(f"May be unknown: {', '.join(permission.effect)}.")
    return sentences


def _advice(console: Console, diagnosis: Diagnosis) -> None:
    for permission in diagnosis.permissions:
        if permission.explicit:
            state_line(
                console,
                "denied",
                f"{permission.operation}: no statement lifts {permission.reason}; the deny itself has to go.",
            )
    if any(permission.explicit for permission in diagnosis.permissions):
        console.print()
    if diagnosis.policy_to_add is None:
        return
    console.print(Text("To allow what is missing, add this policy to the role or user:", "bold"))
    console.print(Text(dumps(diagnosis.policy_to_add, indent=2)), soft_wrap=True)
    places = {
        permission.denied_by for permission in diagnosis.permissions if permission.denied_by and not permission.explicit
    }
    for place in sorted(place for place in places if not place.startswith("identity")):
        state_line(console, "note", f"the {place} has to allow it too")
    console.print()


def state_line(console: Console, state: str, text: str) -> None:
    """A line under its state; what does not fit goes on below, under the text."""
    room = max(MARGIN + 20, min(console.width, PROSE)) - MARGIN
    lines = textwrap.wrap(clean(text), room, break_long_words=False, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        word = state if number == 0 else ""
        shown = Text.assemble("  ", (f"{word:<{MARGIN - 2}}", STYLES.get(state, "")), line)
        console.print(shown, soft_wrap=True)


def _width(console: Console) -> int:
    return min(console.width, PROSE)
