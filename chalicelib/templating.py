"""How we say it: Jinja2 templates from ``templates/``, sandboxed, strict, and safe for the channel they are read in.

Templates give text, never JSON. In ``commands`` every value is quoted for the shell; in ``*.html.j2`` it is escaped for
HTML; everywhere control characters are taken out, so that no name can forge a line.
"""

import re
import shlex
import textwrap
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import (
    BaseLoader,
    FileSystemLoader,
    ModuleLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    Undefined,
)
from jinja2.sandbox import SandboxedEnvironment

from chalicelib.errors import AuditorError, InvalidInput

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
#: The folder beside ``templates`` in which a package holds them as Python.
COMPILED = "templates_compiled"

_SPACES = re.compile(r"\s+")
#: C0 and C1 controls but for newline and tab, and the marks that turn the direction of text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class BrokenTemplate(AuditorError):
    """A template is missing or wrong."""


class FindingText(NamedTuple):
    """A finding in words."""

    title: str
    summary: str
    why: str
    fix: str
    commands: list[str]
    references: list[str]


def clean(text: str) -> str:
    """The text without control characters and direction marks."""
    return _CONTROLS.sub("", text)


class _Wrapped(str):
    """Text that was put on several lines on purpose."""


def wrapped(value: Any, width: int = 72, indent: int = 0) -> str:
    """A value as plain text in lines of at most ``width`` columns, all but the first indented; words stay whole."""
    flat = clean(" ".join(str(value).split()))
    lines = textwrap.fill(flat, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    return _Wrapped(lines)


def _plain(value: Any) -> Any:
    """One value on its way into plain text: on one line, unless it was wrapped."""
    if isinstance(value, _Wrapped):
        return value
    return clean(_SPACES.sub(" ", value)) if isinstance(value, str) else value


def _quoted(value: Any) -> str | Undefined:
    """One value on its way into a command: quoted for a POSIX shell."""
    return value if isinstance(value, Undefined) else shlex.quote(str(_plain(str(value))))


def use_templates(folder: str | None) -> None:
    """Puts a folder of somebody's own before the shipped templates: a file of the same name there is used instead.

    Raises InvalidInput when there is no such folder.
    """
    if folder is not None and not Path(folder).is_dir():
        raise InvalidInput(f"there is no folder {folder!r} of templates; accepted is a folder", field="templates")
    if folder is None and not _own:
        return  # what is compiled stays good
    _own[:] = [] if folder is None else [Path(folder)]
    _texts.cache_clear()
    _commands.cache_clear()


_own: list[Path] = []


def _environment(finalize: Any, loader: BaseLoader | None = None) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=loader or FileSystemLoader([*_own, TEMPLATES]),
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        autoescape=lambda name: bool(name) and name.endswith((".html.j2", ".html")),
    )
    environment.filters["wrapped"] = wrapped
    return environment


@cache
def _texts() -> SandboxedEnvironment:
    return _environment(_plain, _compiled("texts"))


@cache
def _commands() -> SandboxedEnvironment:
    return _environment(_quoted, _compiled("commands"))


def _compiled(name: str) -> BaseLoader | None:
    """The templates as Python, where the package was built with them and nobody has templates of their own."""
    folder = TEMPLATES.parent / COMPILED / name
    return ModuleLoader(folder) if folder.is_dir() and not _own else None


def compile_templates(folder: Path) -> None:
    """Writes all templates as Python into ``folder``, once for texts and once for commands."""
    for name, finalize in (("texts", _plain), ("commands", _quoted)):
        _environment(finalize).compile_templates(folder / name, zip=None, ignore_errors=False)


def _block(template: Template, block: str, context: Mapping[str, Any]) -> str:
    if block not in template.blocks:
        raise BrokenTemplate(f"templates/{template.name} lacks the block {block!r}")
    return "".join(template.blocks[block](template.new_context(dict(context)))).strip()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _flowing(text: str) -> str:
    return " ".join(text.split())


def finding_text(rule: str, context: Mapping[str, Any]) -> FindingText:
    """The words of a finding, from ``templates/findings/<rule>.md.j2``.

    Raises BrokenTemplate for a missing template, a missing block or an undefined name.
    """
    name = f"findings/{rule}.md.j2"
    try:
        text, commands = _texts().get_template(name), _commands().get_template(name)
        return FindingText(
            title=_flowing(_block(text, "title", context)),
            summary=_flowing(_block(text, "summary", context)),
            why=_flowing(_block(text, "why", context)),
            fix=_flowing(_block(text, "fix", context)),
            commands=_lines(_block(commands, "commands", context)),
            references=_lines(_block(text, "references", context)),
        )
    except TemplateNotFound as error:
        raise BrokenTemplate(f"templates/{error.name} does not exist") from None
    except Exception as error:
        raise _broken(name, error) from error


def rule_title(rule: str) -> str:
    """The title that all findings of a rule share."""
    return _flowing(_block(_texts().get_template(f"findings/{rule}.md.j2"), "title", {}))


def rule_references(rule: str) -> list[str]:
    """The references that all findings of a rule share."""
    return _lines(_block(_texts().get_template(f"findings/{rule}.md.j2"), "references", {}))


def render(name: str, context: Mapping[str, Any]) -> str:
    """A whole template, such as ``notices/digest.txt.j2``."""
    try:
        return _texts().get_template(name).render(context)
    except TemplateNotFound as error:
        raise BrokenTemplate(f"templates/{error.name} does not exist") from None
    except Exception as error:
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> BrokenTemplate:
    if isinstance(error, BrokenTemplate):
        return error
    return BrokenTemplate(f"templates/{name} cannot be rendered: {type(error).__name__}: {error}")
