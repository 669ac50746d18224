"""How we say it: Jinja2 templates from ``templates/``, sandboxed, strict, and safe for the channel they are read in.

Templates give text, never JSON. In commands every value is quoted for the shell; in ``*.html.j2`` it is escaped for
HTML; everywhere control characters become visible marks, so that no name can forge a line.
"""

import json
import re
import shlex
import textwrap
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

from jinja2 import (
    BaseLoader,
    FileSystemLoader,
    ModuleLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    Undefined,
    pass_context,
)
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.input.marks import clean as clean

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
#: The folder beside ``templates`` in which a package holds them as Python.
COMPILED = "templates_compiled"

#: The languages in which a fix can name the properties to set: blocks of a finding's template.
Language = Literal["cloudformation", "terraform"]
LANGUAGES: Mapping[Language, str] = {"cloudformation": "CloudFormation", "terraform": "Terraform"}
SNIPPETS: tuple[Language, ...] = get_args(Language)

_SPACES = re.compile(r"\s+")
_FILENAME = re.compile("[^A-Za-z0-9._-]+")


class BrokenTemplate(AuditorError):
    """A template is missing or wrong."""


class FindingText(NamedTuple):
    """A finding in words. ``snippets``: the properties to set, by the language of the template (SNIPPETS)."""

    title: str
    summary: str
    why: str
    fix: str
    commands: list[str]
    references: list[str]
    snippets: Mapping[Language, str] = MappingProxyType({})


class _Wrapped(str):
    """Text that was put on several lines on purpose."""


def wrapped(value: Any, width: int = 72, indent: int = 0) -> str:
    """A value as plain text in lines of at most ``width`` columns, all but the first indented; words stay whole."""
    flat = clean(" ".join(str(value).split()))
    lines = textwrap.fill(flat, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    return _Wrapped(lines)


def lines(value: Any, indent: int = 0) -> str:
    """Text on the lines that it has, all but the first indented."""
    return _Wrapped(clean(str(value)).replace("\n", f"\n{' ' * indent}"))


def _plain(value: Any) -> Any:
    """One value on its way into plain text: on one line, unless it was wrapped."""
    if isinstance(value, _Wrapped):
        return value
    return clean(_SPACES.sub(" ", value)) if isinstance(value, str) else value


@pass_context  # which also keeps Jinja2 from working constants out, and escaping them, while it compiles
def _quoted(context: Context, value: Any) -> str | Undefined:
    """One value on its way into a command: quoted for a POSIX shell.

    Commands are rendered with autoescape, so that what a macro gives is Markup: a command already, every value in it
    quoted.
    """
    if isinstance(value, Undefined | Markup):
        return value
    return Markup(shlex.quote(str(_plain(str(value)))))


#: Values that a sentence names; the rest are counted.
LISTED = 20


def more(number: int) -> str:
    """What ends a list that goes on: ``and 1,230 more``."""
    return f"and {number:,} more"


def listed(values: Iterable[Any]) -> str:
    """Values in a sentence, of many the first: ``a, b, c``, or ``a, b, and 1,230 more``."""
    texts = [str(value) for value in values]
    left = len(texts) - LISTED
    return ", ".join(texts if left <= 0 else [*texts[:LISTED], more(left)])


def filename(value: Any) -> str:
    """A name of a resource as part of a file's name."""
    return _FILENAME.sub("-", str(value)).strip("-.") or "resource"


#: What templates have beside the filters of Jinja2.
FILTERS: Mapping[str, Callable[..., str]] = {
    "wrapped": wrapped,
    "lines": lines,
    "filename": filename,
    "listed": listed,
    "json": json.dumps,
}


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


def _html(name: str | None) -> bool:
    return name is not None and name.endswith((".html.j2", ".html"))


def _environment(
    finalize: Any, loader: BaseLoader | None = None, autoescape: bool | Callable[[str | None], bool] = _html
) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=loader or FileSystemLoader([*_own, TEMPLATES]),
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
def _texts() -> SandboxedEnvironment:
    return _environment(_plain, _compiled("texts"))


@cache
def _commands() -> SandboxedEnvironment:
    return _environment(_quoted, _compiled("commands"), autoescape=True)


def _compiled(name: str) -> BaseLoader | None:
    """The templates as Python, where the package was built with them and nobody has templates of their own."""
    folder = TEMPLATES.parent / COMPILED / name
    return ModuleLoader(folder) if folder.is_dir() and not _own else None


def compile_templates(folder: Path) -> None:
    """Writes all templates as Python into ``folder``, once for texts and once for commands."""
    for name, environment in (("texts", _environment(_plain)), ("commands", _environment(_quoted, autoescape=True))):
        environment.compile_templates(folder / name, zip=None, ignore_errors=False)


def _block(template: Template, block: str, context: Mapping[str, Any]) -> str:
    if block not in template.blocks:
        raise BrokenTemplate(f"templates/{template.name} lacks the block {block!r}")
    return "".join(template.blocks[block](template.new_context(dict(context)))).strip()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _without_blank_lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _flowing(text: str) -> str:
    return " ".join(text.split())


def _optional(template: Template, block: str, context: Mapping[str, Any]) -> str:
    return _block(template, block, context) if block in template.blocks else ""


def finding_text(rule: str, context: Mapping[str, Any], in_commands: Mapping[str, Any] | None = None) -> FindingText:
    """The words of a finding, from ``templates/findings/<rule>.md.j2``; ``in_commands`` takes the place of the context
    in commands.

    The command of the block ``verify`` is the last one, and the block ``worked``, which says what it shows then, ends
    the fix. Raises BrokenTemplate for a missing template, a missing block or an undefined name.
    """

    named = context if in_commands is None else in_commands

    def worded(text: Template, commands: Template) -> FindingText:
        return _shared(text, context)._replace(
            fix=_flowing(f"{_block(text, 'fix', context)} {_optional(text, 'worked', context)}"),
            commands=_lines(f"{_block(commands, 'commands', named)}\n{_optional(commands, 'verify', named)}"),
        )

    return _worded(rule, worded)


def plan_text(rule: str, context: Mapping[str, Any]) -> FindingText:
    """The words of a finding on a template that is not deployed: what to change in it, and no command."""

    def worded(text: Template, _: Template) -> FindingText:
        block = "plan" if "plan" in text.blocks else "fix"
        return _shared(text, context)._replace(fix=_flowing(_block(text, block, context)))

    return _worded(rule, worded)


def _worded(rule: str, worded: Callable[[Template, Template], FindingText]) -> FindingText:
    name = f"findings/{rule}.md.j2"
    try:
        return worded(_texts().get_template(name), _commands().get_template(name))
    except TemplateNotFound as error:
        raise BrokenTemplate(f"templates/{error.name} does not exist") from None
    except Exception as error:
        raise _broken(name, error) from error


def _shared(text: Template, context: Mapping[str, Any]) -> FindingText:
    """What a finding says wherever its resource was found, without the fix."""
    snippets = {language: _without_blank_lines(_optional(text, language, context)) for language in SNIPPETS}
    return FindingText(
        title=_flowing(_block(text, "title", context)),
        summary=_flowing(_block(text, "summary", context)),
        why=_flowing(_block(text, "why", context)),
        fix="",
        commands=[],
        references=_lines(_block(text, "references", context)),
        snippets={language: snippet for language, snippet in snippets.items() if snippet},
    )


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
