"""What a report says beside its findings: of exemptions, and of what passed."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Note(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


#: Of an exemption: it ended, it ends within 14 days, it covers nothing, it has no owner or no end, a tag exempts, a tag
#: asks for what the policy does not grant.
ExemptionState = Literal["expired", "expiring", "unmatched", "open", "in-force", "refused"]


class ExemptionNote(_Note):
    """An exemption that somebody should look at; ``findings`` is how many it covers now.

    Of the policy: ``open``: it has no owner or no end. ``expired``: its findings are told again. ``expiring``: it ends
    within 14 days. ``unmatched``: it covers nothing. Of a tag or an answer in Slack (``source``), which are always
    listed, also ``in-force``; of a tag ``refused``: it exempts nothing, and ``reason`` says why. ``by``: who answered.
    """

    rule: str
    resource: str
    reason: str
    owner: str | None = None
    expires: date | None = None
    source: Literal["policy", "tag", "slack"] = "policy"
    by: str | None = Field(default=None, exclude_if=lambda person: person is None)
    state: ExemptionState
    findings: int

    @property
    def words(self) -> str:
        """What the state means, as a part of a sentence."""
        ends = f"ends on {self.expires}" if self.expires else "has no end"
        return {
            "expired": f"expired on {self.expires}, its findings are told again",
            "expiring": ends,
            "unmatched": "covers nothing",
            "open": ends if self.owner else f"{ends}, and nobody owns it",
            "in-force": f"exempt by {self._by}, {ends}",
            "refused": "asked for by a tag and not granted",
        }[self.state]

    @property
    def _by(self) -> str:
        """By what it exempts, where that is not the policy."""
        return "a tag" if self.source == "tag" else f"{self.by or 'somebody'} in Slack"

    @property
    def says(self) -> str:
        """The state in words, with what it covers and whether it stands in a tag."""
        said = self.source != "policy" and self.state in ("expired", "expiring", "open")
        tagged = f" (by {self._by})" if said else ""
        findings = f"{self.findings:,} finding{'' if self.findings == 1 else 's'}"
        covers = f", covers {findings}" if self.state in ("expiring", "open", "in-force") else ""
        return f"{self.words}{tagged}{covers}"


class Passed(_Note):
    """A resource that a rule judged and that passed, with the reason where it has one."""

    rule: str
    account: str
    region: str
    kind: str
    name: str
    arn: str
    reason: str = ""
