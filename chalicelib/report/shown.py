"""What a narrowed report shows, and how much it leaves out, in every format: less to read is not less to fix."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from chalicelib.report.severity import Severity


class Shown(BaseModel):
    """How a report is narrowed; a report that shows everything has none.

    ``severity`` is the mildest that is shown; ``status``, ``topic``, ``region``, ``rules``, ``tags`` (``KEY=VALUE`` or
    ``KEY``) and ``resources`` are the only ones, where they are set. ``findings`` are listed, ``left_out`` were found
    and are not (None: nobody counted them). ``rules_left_out`` are rules of the policy that did not judge. Resources
    that are not among ``resources`` were not looked at, if ``only_named`` is true; else what was found on them is left
    out.
    """

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    severity: Severity | None = None
    status: str | None = None
    topic: str | None = None
    region: str | None = None
    rules: list[str] = []
    tags: list[str] = []
    resources: list[str] = []
    only_named: bool = False
    findings: int = 0
    left_out: int | None = 0
    rules_left_out: int = 0

    @property
    def words(self) -> str:
        """What is shown and what is left out, in two sentences."""
        parts = [f"from {self.severity.value} on"] if self.severity is not None else []
        parts += [f"that are {self.status}"] if self.status else []
        parts += [f"on {self.topic}"] if self.topic else []
        parts += [f"in {self.region}"] if self.region else []
        parts += [f"with the tag {tag}" for tag in self.tags]
        parts += [f"by {_named(self.rules, 'rule')}"] if self.rules else []
        parts += [f"on {_named(self.resources, 'resource')}"] if self.resources else []
        return f"Shown are findings {' and '.join(parts) or 'in part'}. {self._left_out()}"

    def _left_out(self) -> str:
        remainder = "others are left out" if self.left_out is None else f"{_number(self.left_out, 'finding')} left out"
        parts = [remainder]
        if self.rules_left_out:
            parts.append(f"{_number(self.rules_left_out, 'rule')} not judged")
        if self.only_named:
            parts.append("other resources not looked at")
        sentence = ", ".join(parts)
        return f"{sentence[:1].upper()}{sentence[1:]}."


def together(parts: Sequence[Shown | None], listed: int) -> Shown | None:
    """How a report of several regions is narrowed, by the parts of it; ``listed`` are its findings."""
    shown = [part for part in parts if part is not None]
    if not shown:
        return None
    counted = [part.left_out for part in shown]
    return shown[0].model_copy(
        update={
            "resources": list(dict.fromkeys(resource for part in shown for resource in part.resources)),
            "findings": listed,
            "left_out": None if None in counted else sum(number or 0 for number in counted),
            "rules_left_out": max(part.rules_left_out for part in shown),
        }
    )


def _named(names: Sequence[str], what: str) -> str:
    return f"the {what} {names[0]}" if len(names) == 1 else f"{len(names)} {what}s"


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
