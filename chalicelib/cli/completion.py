"""What the shell completes: commands and options by typer's own machinery, and the values of ours."""

import os
from collections.abc import Callable, Iterable
from enum import StrEnum

import typer
from typer import completion

#: The variable with which the shell's script asks for completions.
ASKING = "_AUDITOR_COMPLETE"


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


Completer = Callable[[str], list[str]]


def _completer(candidates: Callable[[], Iterable[str]]) -> Completer:
    """Offers those of the candidates that begin with the word so far."""
    return lambda incomplete: [candidate for candidate in candidates() if candidate.startswith(incomplete)]


def _profiles() -> list[str]:
    from chalicelib.cli.sessions import SharedSession

    return list(SharedSession().available_profiles)


def _regions() -> list[str]:
    from chalicelib.cli.sessions import SharedSession

    return list(SharedSession().get_available_regions("sagemaker"))


def _rule_ids() -> Iterable[str]:
    from chalicelib.rules import RULES

    return RULES


def _formats() -> list[str]:
    from chalicelib.cli.outputs import formats

    return formats()


def _policies() -> Iterable[str]:
    from chalicelib.policy.policy import shipped

    return shipped()


rule_ids = _completer(_rule_ids)
format_names = _completer(_formats)
profiles = _completer(_profiles)
regions = _completer(_regions)
policies = _completer(_policies)


def prepare() -> None:
    """Lets typer answer a shell that asks for completions; nothing happens when none does."""
    if ASKING in os.environ:
        completion.get_completion_inspect_parameters()


def script(context: typer.Context, shell: Shell) -> None:
    """Prints the script that a shell reads to complete ``auditor``, and ends."""
    completion.get_completion_inspect_parameters()
    completion.show_callback(context, None, shell.value)  # type: ignore[arg-type]  # its parameter is not looked at
