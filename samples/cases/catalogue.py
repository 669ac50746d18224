"""Every case of every topic: each module of ``chalicelib/rules`` that registers rules has a module of its name here."""

from importlib import import_module
from pathlib import Path

from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from samples.cases.case import Case

#: The modules that register rules, such as ``availability_zones``.
TOPICS = sorted({rule.judgement.__module__.rsplit(".", 1)[-1] for rule in RULES.values()})


def cases_of(topic: str) -> list[Case]:
    """The table of one topic; empty when nobody has written it yet."""
    if not (Path(__file__).parent / f"{topic}.py").is_file():
        return []
    cases: list[Case] = import_module(f"samples.cases.{topic}").CASES
    return cases


CASES = [case for topic in TOPICS for case in cases_of(topic)]
_BY_RULE = {rule: [case for case in CASES if case.rule == rule] for rule in RULES}


def cases_of_rule(rule: str, *verdicts: Verdict) -> list[Case]:
    """The cases of one rule, or those of them with one of these verdicts. Raises KeyError for no rule."""
    return [case for case in _BY_RULE[rule] if not verdicts or case.verdict in verdicts]
