"""How we say it: Jinja2 templates from ``templates/``, sandboxed, strict, and safe for the channel they are read in.

Templates give text, never JSON. In commands every value is quoted for the shell; in ``*.html.j2`` it is escaped for
HTML; everywhere control characters become visible marks, so that no name can forge a line. Jinja2 itself is imported
with the first text (``environments``): most events find nothing to say.
"""

import json
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.input.marks import clean as clean

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
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


def plain(value: Any) -> Any:
    """One value on its way into plain text: on one line, unless it was wrapped."""
    if isinstance(value, _Wrapped):
        return value
    return clean(_SPACES.sub(" ", value)) if isinstance(value, str) else value


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
    _own[:] = [] if folder is None else [Path(folder)]


#: The folder of somebody's own, if any.
_own: list[Path] = []


def _texts(name: str) -> "Template":
    """A template for text."""
    from chalicelib.templating.environments import texts

    return texts(*_own).get_template(name)


def _commands(name: str) -> "Template":
    """A template for commands, in which every value is quoted."""
    from chalicelib.templating.environments import commands

    return commands(*_own).get_template(name)


def _block(template: "Template", block: str, context: Mapping[str, Any]) -> str:
    if block not in template.blocks:
        raise BrokenTemplate(f"templates/{template.name} lacks the block {block!r}")
    return "".join(template.blocks[block](template.new_context(dict(context)))).strip()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _without_blank_lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _flowing(text: str) -> str:
    return " ".join(text.split())


def _optional(template: "Template", block: str, context: Mapping[str, Any]) -> str:
    return _block(template, block, context) if block in template.blocks else ""


def finding_text(rule: str, context: Mapping[str, Any], in_commands: Mapping[str, Any] | None = None) -> FindingText:
    """The words of a finding, from ``templates/findings/<rule>.md.j2``; ``in_commands`` takes the place of the context
    in commands.

    The command of the block ``verify`` is the last one, and the block ``worked``, which says what it shows then, ends
    the fix. Raises BrokenTemplate for a missing template, a missing block or an undefined name.
    """

    named = context if in_commands is None else in_commands

    def worded(text: "Template", commands: "Template") -> FindingText:
        return _shared(text, context)._replace(
            fix=_flowing(f"{_block(text, 'fix', context)} {_optional(text, 'worked', context)}"),
            commands=_lines(f"{_block(commands, 'commands', named)}\n{_optional(commands, 'verify', named)}"),
        )

    return _worded(rule, worded)


def plan_text(rule: str, context: Mapping[str, Any]) -> FindingText:
    """The words of a finding on a template that is not deployed: what to change in it, and no command."""

    def worded(text: "Template", _: "Template") -> FindingText:
        block = "plan" if "plan" in text.blocks else "fix"
        return _shared(text, context)._replace(fix=_flowing(_block(text, block, context)))

    return _worded(rule, worded)


def _worded(rule: str, worded: Callable[["Template", "Template"], FindingText]) -> FindingText:
    name = f"findings/{rule}.md.j2"
    try:
        return worded(_texts(name), _commands(name))
    except Exception as error:
        raise _broken(name, error) from error


def _shared(text: "Template", context: Mapping[str, Any]) -> FindingText:
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
    return _flowing(_block(_texts(f"findings/{rule}.md.j2"), "title", {}))


def rule_references(rule: str) -> list[str]:
    """The references that all findings of a rule share."""
    return _lines(_block(_texts(f"findings/{rule}.md.j2"), "references", {}))


def render(name: str, context: Mapping[str, Any]) -> str:
    """A whole template, such as ``notices/digest.txt.j2``."""
    try:
        return _texts(name).render(context)
    except Exception as error:
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> BrokenTemplate:
    from jinja2 import TemplateNotFound

    if isinstance(error, BrokenTemplate):
        return error
    if isinstance(error, TemplateNotFound):
        return BrokenTemplate(f"templates/{error.name} does not exist")
    return BrokenTemplate(f"templates/{name} cannot be rendered: {type(error).__name__}: {error}")
