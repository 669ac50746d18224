"""A rehearsal as JSON, and as a page of its own."""

import base64
import hashlib
from typing import Any

from chalicelib import __version__
from chalicelib.rehearsal.book import Replay
from chalicelib.rehearsal.chart import chart
from chalicelib.rehearsal.fix import Fix, fix
from chalicelib.rehearsal.proposals import NoProposal, Proposal
from chalicelib.rehearsal.rehearsal import Rehearsal
from chalicelib.rehearsal.settings import Setting, TargetTracking
from chalicelib.rehearsal.words import moment, sentences
from chalicelib.report.charts import drawing
from chalicelib.templating import TEMPLATES, render

#: Stretches of minutes short that a page or a table lists; the rest are counted.
LISTED = 50
#: The size of a chart, in its own units.
WIDTH, HEIGHT = 960, 240


def as_json(answer: Rehearsal) -> dict[str, Any]:
    """The rehearsal with everything that led to it."""
    question, numbers = answer.question, answer.figures
    worst = numbers.worst
    return {
        "name": question.name,
        "summary": sentences(answer),
        "enough": answer.enough,
        "unit": "copy" if question.copies else "instance",
        "window": {
            "begin": question.load.begin.isoformat() if question.load.begin else None,
            "minutes": numbers.minutes,
            "gap_minutes": numbers.gap_minutes,
            "unsound_datapoints": question.load.unsound,
        },
        "setting": _setting(question.setting),
        "behaviour": {
            "capacity_per_instance": question.behaviour.capacity,
            "warmup_minutes": question.behaviour.warmup,
            "removal_minutes": question.behaviour.removal,
        },
        "basis": {
            "load": question.basis.load,
            "setting": question.basis.setting,
            "capacity": question.basis.capacity,
            "warmup": question.basis.warmup,
            "notes": list(question.basis.notes),
        },
        "minutes_short": numbers.minutes_short,
        "longest_short_minutes": numbers.longest_short_minutes,
        "worst_minute": worst and {**_moment(answer, worst.minute), "load": worst.load, "capacity": worst.capacity},
        "mean_shortfall_percent": round(numbers.mean_shortfall_percent, 1),
        "minutes_held_at_maximum": numbers.held_minutes,
        "instance_hours": round(numbers.instance_hours, 2),
        "needed_instance_hours": numbers.needed_instance_hours and round(numbers.needed_instance_hours, 2),
        "fixed_at_peak_hours": round(numbers.fixed_at_peak_hours, 2),
        "changes_per_day": round(numbers.changes_per_day, 2),
        "reversals": numbers.reversals,
        "minutes_short_without_a_zone": answer.zone_minutes,
        "max_wait_minutes": question.max_wait,
        "largest_backlog": answer.waiting
        and {**_moment(answer, answer.waiting.largest_at), "requests": answer.waiting.largest},
        "short": _short(answer, answer.replay),
        "decisions": [decision._asdict() for decision in answer.replay.decisions],
        "proposal": _proposal(answer.proposal) if isinstance(answer.proposal, Proposal) else None,
        "no_proposal": answer.proposal.reason if isinstance(answer.proposal, NoProposal) else None,
        "fix": _fix(fix(answer)),
    }


def _setting(setting: Setting) -> dict[str, Any]:
    return {
        "minimum": setting.minimum,
        "maximum": setting.maximum,
        "policies": [
            {
                "type": "TargetTracking",
                "target": policy.target,
                "scale_out_cooldown": policy.out_cooldown,
                "scale_in_cooldown": policy.in_cooldown,
                "scale_in_disabled": policy.low is None,
            }
            if isinstance(policy, TargetTracking)
            else {"type": "StepScaling", "threshold": policy.alarm.threshold, "cooldown": policy.cooldown}
            for policy in setting.policies
        ],
        "scheduled": [action.minute for action in setting.scheduled],
    }


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "changed": list(proposal.changed),
        "setting": _setting(proposal.setting),
        "minutes_short": proposal.minutes_short,
        "instance_hours": round(proposal.instance_minutes / 60, 2),
    }


def _fix(mended: Fix | None) -> dict[str, Any] | None:
    if mended is None:
        return None
    return {
        "commands": list(mended.commands),
        "cloudformation": mended.cloudformation,
        "terraform": mended.terraform,
    }


def _short(answer: Rehearsal, replayed: Replay) -> list[dict[str, Any]]:
    load = answer.question.load.values
    return [
        {
            **_moment(answer, stretch.begin),
            "minutes": stretch.minutes,
            "peak": max((value for value in load[stretch.begin : stretch.end] if value == value), default=0.0),
        }
        for stretch in replayed.short
    ]


def _moment(answer: Rehearsal, minute: int) -> dict[str, Any]:
    at = answer.question.load.at(minute)
    return {"minute": minute, "at": at and at.isoformat()}


def page(answer: Rehearsal) -> str:
    """The rehearsal as a page that asks nothing of the outside and runs no script."""
    style = (TEMPLATES / "rehearsal" / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    stretches = _short(answer, answer.replay)
    html = render(
        "rehearsal/page.html.j2",
        {
            "name": answer.question.name,
            "sentences": sentences(answer),
            "enough": answer.enough,
            "drawn": drawing(chart(answer), WIDTH, HEIGHT),
            "figures": answer.figures,
            "unit": "Copy" if answer.question.copies else "Instance",
            "backlog": answer.waiting.largest if answer.waiting else None,
            "setting": answer.question.setting,
            "behaviour": answer.question.behaviour,
            "basis": answer.question.basis,
            "short": [{**stretch, "words": moment(answer, stretch["minute"])} for stretch in stretches[:LISTED]],
            "left": len(stretches) - LISTED,
            "proposed": isinstance(answer.proposal, Proposal),
            "fix": fix(answer),
            "version": __version__,
            "policy": f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        },
    )
    before, _, after = html.partition("<!--style-->")
    return f"{before}<style>{style}</style>{after}"
