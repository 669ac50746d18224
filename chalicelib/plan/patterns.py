"""Matching the ``AllowedPattern`` of a template, which anybody may have written, within seconds."""

import re
import subprocess
import sys

from chalicelib.input.bounds import PATTERN_SECONDS

#: Prints 1 where the text on stdin matches the pattern that is the only argument, else 0.
_MATCHER = "import re, sys; print(int(re.fullmatch(sys.argv[1], sys.stdin.read()) is not None))"
#: What repeats a part of a pattern.
_REPEATS = re.compile(r"[*+?{]")


def matches(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern, which is Java's: one that Python cannot read, or that takes longer than
    :data:`PATTERN_SECONDS`, is left to CloudFormation.

    Where a group repeats, or two parts do, the time can grow beyond all measure with the text, and Python's matcher
    cannot be stopped: a process of its own can.
    """
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return True
    repeats = len(_REPEATS.findall(pattern))
    if repeats == 0 or (repeats == 1 and "(" not in pattern):
        return compiled.fullmatch(text) is not None
    command = [sys.executable, "-I", "-S", "-c", _MATCHER, pattern]
    try:
        answer = subprocess.run(
            command, input=text, capture_output=True, encoding="utf-8", timeout=PATTERN_SECONDS.most
        )
    except (
        subprocess.TimeoutExpired,
        OSError,
        ValueError,
    ):  # ValueError: a text or pattern that no process can be told
        return True
    return answer.stdout.strip() != "0"
