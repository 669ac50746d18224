"""Buttons under findings in Slack, and the dialog that asks who stands for an exemption, why, and until when.

Limits follow https://docs.slack.dev/reference/block-kit/ and https://docs.slack.dev/surfaces/modals/.
"""

import json
import re
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.notices.mrkdwn import words
from chalicelib.notices.notice import Notice
from chalicelib.notices.slack.pieces import Block, section
from chalicelib.report.findings import AWS_HEALTH, Finding

WHY, SNOOZE, EXEMPT = "auditor_why", "auditor_snooze", "auditor_exempt"
#: The callback of the dialog, and its inputs.
DIALOG, OWNER, REASON, UNTIL = "auditor_exempt_dialog", "owner", "reason", "until"
#: Findings of a message that have buttons, and days of a snooze.
ANSWERABLE, SNOOZE_DAYS = 4, 7
#: Characters of the inputs.
OWNER_LENGTH, REASON_LENGTH = 120, 500
_ID, _ACCOUNT, _REGION = re.compile(r"f-[0-9a-f]{20}"), re.compile(r"\d{12}"), re.compile(r"[a-z]{2}[a-z0-9-]{3,30}")


class Asked(Struct, frozen=True):
    """The finding that a button is about."""

    account: str
    region: str
    id: str

    @property
    def value(self) -> str:
        """As a button carries it."""
        return json.dumps([self.account, self.region, self.id])

    @classmethod
    def of(cls, value: Any) -> "Asked | None":
        """What a button carried; None for anything else."""
        try:
            account, region, id = json.loads(value)
        except (TypeError, ValueError):
            return None
        checked = ((_ACCOUNT, account), (_REGION, region), (_ID, id))
        if not all(isinstance(text, str) and pattern.fullmatch(text) for pattern, text in checked):
            return None
        return cls(account, region, id)


def buttons(notice: Notice) -> list[Block]:
    """The buttons of a notice about one resource, for each of its findings that is open; none for a sweep's digest."""
    if not notice.single and not notice.about:
        return []
    findings = [change.finding for change in notice.told if change.change != "resolved"]
    answerable = [finding for finding in findings if finding.rule != AWS_HEALTH][:ANSWERABLE]
    if notice.single:
        return [_actions(finding) for finding in answerable]
    made: list[Block] = []
    for finding in answerable:
        made += [section(f"*{words(finding.resource.name, 100)}*: {words(finding.title, 150)}"), _actions(finding)]
    return made


def _actions(finding: Finding) -> Block:
    value = Asked(finding.account, finding.region, finding.id).value
    labels = {WHY: "Why", SNOOZE: f"Snooze {SNOOZE_DAYS} days", EXEMPT: "Exempt until…"}
    return {
        "type": "actions",
        "block_id": f"auditor-{finding.id}",
        "elements": [
            {"type": "button", "action_id": action, "text": _plain(label), "value": value}
            for action, label in labels.items()
        ],
    }


def dialog(asked: Asked, finding: Finding, response_url: str, today: date, max_days: int) -> Block:
    """The dialog of *Exempt until…*, with the finding's owner and a month from today filled in."""
    initial = today + timedelta(days=min(30, max_days))
    return {
        "type": "modal",
        "callback_id": DIALOG,
        "private_metadata": json.dumps({"asked": asked.value, "response_url": response_url}),
        "title": _plain("Exempt a finding"),
        "submit": _plain("Exempt"),
        "close": _plain("Cancel"),
        "blocks": [
            section(f"*{words(finding.resource.name, 200)}*: {words(finding.title, 300)}"),
            _input(OWNER, "Who stands for it", _text(OWNER_LENGTH, (finding.owner or "")[:OWNER_LENGTH])),
            _input(REASON, "Why", {**_text(REASON_LENGTH), "multiline": True}),
            _input(
                UNTIL,
                f"Until which day (at most {max_days} days ahead)",
                {"type": "datepicker", "action_id": UNTIL, "initial_date": initial.isoformat()},
            ),
        ],
    }


def _input(name: str, label: str, element: Block) -> Block:
    return {
        "type": "input",
        "block_id": name,
        "label": _plain(label),
        "element": {**element, "action_id": name},
    }


def _text(length: int, initial: str = "") -> Block:
    filled = {"initial_value": initial} if initial else {}
    return {"type": "plain_text_input", "min_length": 1, "max_length": length, **filled}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
