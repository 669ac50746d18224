"""What is accepted from outside, at most. ``docs/bounds.md`` is generated from this list.

A bound is far above what an account needs, and low enough that nothing beyond it can hold up or end the process.
"""

from typing import NamedTuple


class Bound(NamedTuple):
    """The most of something that is accepted: how many, of which unit, and of what."""

    most: int
    unit: str
    of: str

    def __str__(self) -> str:
        return f"{self.most:,} {self.unit}"


class TooLarge(ValueError):
    """Something from outside is beyond a bound; the text says which."""

    def __init__(self, bound: Bound, line: int = 1) -> None:
        super().__init__(f"it is too large; accepted are up to {bound} in {bound.of}")
        self.bound, self.line = bound, line


#: Levels of lists and mappings in one another, in everything that is read.
LEVELS = Bound(100, "levels", "JSON and YAML")
#: ``*name`` of YAML: a few of them can stand for millions of values.
ALIASES = Bound(1_000, "aliases", "a YAML file")

POLICY_BYTES = Bound(1_000_000, "bytes", "a policy file")
POLICY_VALUES = Bound(100_000, "values", "a policy file, aliases written out")
PARENTS = Bound(10, "policies", "a chain of `extends`")
EXEMPTIONS = Bound(10_000, "exemptions", "a policy")
CUSTOM_RULES = Bound(500, "custom rules", "a policy")
EXPRESSION_CHARACTERS = Bound(2_000, "characters", "an expression")
EXPRESSION_LEVELS = Bound(50, "levels", "an expression")
EXPRESSION_STEPS = Bound(100_000, "steps", "the evaluation of an expression on one resource")

TEMPLATE_BYTES = Bound(50_000_000, "bytes", "a template, a plan or a parameter file")
TEMPLATE_VALUES = Bound(500_000, "values", "a template, aliases and loops written out")
PLAN_VALUES = Bound(5_000_000, "values", "a Terraform plan")
STACKS = Bound(1_000, "stacks", "the nested stacks of one command")
EVALUATIONS = Bound(500_000, "evaluations", "the functions of one template")
TEXT_CHARACTERS = Bound(1_000_000, "characters", "a text that a template puts together")
PATTERN_SECONDS = Bound(2, "seconds", "the match of an AllowedPattern")

EVENT_BYTES = Bound(1_000_000, "bytes", "an event")
REPORT_BYTES = Bound(500_000_000, "bytes", "a report")
PRICE_FILE_BYTES = Bound(20_000_000, "bytes", "a price file")
BODY_BYTES = Bound(1_000_000, "bytes", "the body of a request")
BODY_ITEMS = Bound(1_000, "items", "a list in the body of a request")
SERIES_MINUTES = Bound(20_160, "minutes", "a series in the body of a request")
QUERY_CHARACTERS = Bound(2_000, "characters", "a query parameter")
CURSOR_CHARACTERS = Bound(4_000, "characters", "a cursor")

#: Every bound, in the order in which they stand here.
ALL: tuple[Bound, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Bound))
