"""The terminal face: ``auditor``. Results go to stdout, progress and errors to stderr.

Exit codes: 0 done; 1 the tool failed; 2 wrong usage; 3 findings at or above ``--fail-on``; 4 blind spots with
``--strict``.
"""

import os
import sys
from io import TextIOWrapper

from chalicelib import __version__, collect_seldom
from chalicelib.errors import AuditorError, InvalidInput

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


def main() -> None:
    """Runs the command line and ends the process with its exit code; once interrupted, without waiting for calls."""
    collect_seldom()
    code = run(sys.argv[1:])
    if code == INTERRUPTED:
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of a command line. Every failure is one sentence on stderr, never a traceback."""
    if arguments == ["--version"]:  # asked by installers and pipelines: no reason to load an option parser
        print(f"auditor {__version__}")
        return 0
    try:
        from chalicelib.cli.commands import cli
        from chalicelib.cli.options import with_values
        from chalicelib.input.logs import keep_lines

        keep_lines()
        _write_what_can_be()
        outcome = cli(with_values(arguments), prog_name="auditor", standalone_mode=False)
        sys.stdout.flush()
    except InvalidInput as error:
        return _ended(str(error), WRONG_USAGE)
    except AuditorError as error:
        return _ended(str(error), FAILED)
    except KeyboardInterrupt:
        return _ended("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # the last line of defence: a person gets a sentence
        return _other(error)
    if outcome == INTERRUPTED:  # typer takes an interrupt for itself, and says nothing
        return _ended("interrupted", INTERRUPTED)
    return outcome if isinstance(outcome, int) else 0


def _write_what_can_be() -> None:
    """Signs that the encoding of the terminal lacks become a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _other(error: Exception) -> int:
    """Usage errors of the option parser, and faults of our own (with their trace when AUDITOR_DEBUG is set)."""
    explain = getattr(error, "format_message", None)
    if explain is not None:
        return _ended(explain(), getattr(error, "exit_code", WRONG_USAGE))
    if type(error).__name__ == "Abort":
        return _ended("interrupted", INTERRUPTED)
    if os.environ.get("AUDITOR_DEBUG"):
        raise error
    return _ended(f"unexpected fault: {type(error).__name__}: {error} (AUDITOR_DEBUG=1 shows where)", FAILED)


def _ended(sentence: str, code: int) -> int:
    from chalicelib.input.marks import clean  # whoever asks for the version alone waits for nothing

    print(f"auditor: {clean(sentence)}", file=sys.stderr)
    return code
