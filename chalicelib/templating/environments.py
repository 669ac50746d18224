"""The environments of Jinja2 in which templates become text and commands."""

import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, FileSystemLoader, ModuleLoader, StrictUndefined, Undefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from chalicelib.templating import COMPILED, FILTERS, LANGUAGES, TEMPLATES, plain


@pass_context  # which also keeps Jinja2 from working constants out, and escaping them, while it compiles
def _quoted(context: Context, value: Any) -> str | Undefined:
    """One value on its way into a command: quoted for a POSIX shell.

    Commands are rendered with autoescape, so that what a macro gives is Markup: a command already, every value in it
    quoted.
    """
    if isinstance(value, Undefined | Markup):
        return value
    return Markup(shlex.quote(str(plain(str(value)))))


def _html(name: str | None) -> bool:
    return name is not None and name.endswith((".html.j2", ".html"))


def _environment(
    finalize: Any, loader: BaseLoader, autoescape: bool | Callable[[str | None], bool] = _html
) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        autoescape=autoescape,
    )
    environment.filters.update(FILTERS)
    environment.globals["languages"] = LANGUAGES
    return environment


@cache
def texts(*own: Path) -> SandboxedEnvironment:
    """What renders texts; a file in the folders of somebody's ``own`` is used in the place of one of the same name."""
    return _environment(plain, _loader("texts", own))


@cache
def commands(*own: Path) -> SandboxedEnvironment:
    """The same for commands."""
    return _environment(_quoted, _loader("commands", own), autoescape=True)


def _loader(name: str, own: tuple[Path, ...]) -> BaseLoader:
    """The templates as Python, where the package was built with them and nobody has templates of their own."""
    folder = TEMPLATES.parent / COMPILED / name
    return ModuleLoader(folder) if folder.is_dir() and not own else FileSystemLoader([*own, TEMPLATES])


def compile_templates(folder: Path) -> None:
    """Writes all templates as Python into ``folder``, once for texts and once for commands."""
    source = FileSystemLoader(TEMPLATES)
    for name, environment in (
        ("texts", _environment(plain, source)),
        ("commands", _environment(_quoted, source, autoescape=True)),
    ):
        environment.compile_templates(folder / name, zip=None, ignore_errors=False)
