"""What a report says beside its findings: of exemptions, and of what passed."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Note(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


#: Of an exemption: it ended, it ends within 14 days, it covers nothing, it has no owner or no end, a tag exempts, a tag
#: asks for what the policy does not grant.
ExemptionState = Literal["expired", "expiring", "unmatched", "open", "in_force", "refused"]


class ExemptionNote(_Note):
    """An exemption that somebody should look at; ``findings`` is how many it covers now.

    Of the policy: ``open``: it has no owner or no end. ``expired``: its findings are told again. ``expiring``: it ends
    within 14 days. ``unmatched``: it covers nothing. Of a tag (``source``), which is always listed, also ``in_force``,
    and ``refused``: it exempts nothing, and ``reason`` says why.
    """

    rule: str
    resource: str
    reason: str
    owner: str | None = None
    expires: date | None = None
    source: Literal["policy", "tag"] = "policy"
    state: ExemptionState
    findings: int

    @property
    def says(self) -> str:
        """The state in words."""
        by = " (by tag)" if self.source == "tag" else ""
        on = f" on {self.expires}" if self.expires else ""
        covers = f"covers {self.findings:,} finding{'' if self.findings == 1 else 's'}"
        ends = f"until {self.expires}" if self.expires else "without an end"
        return {
            "expired": f"expired{on}{by}, its findings are told again",
            "expiring": f"ends{on}{by}, {covers}",
            "unmatched": f"covers nothing{by}",
            "open": f"{covers}{by}, {ends}" + ("" if self.owner else ", and nobody owns it"),
            "in_force": f"{covers}{by}, {ends}",
            "refused": "asked for by tag and not granted",
        }[self.state]


class Passed(_Note):
    """A resource that a rule judged and that passed, with the reason where it has one."""

    rule: str
    account: str
    region: str
    kind: str
    name: str
    arn: str
    reason: str = ""
