"""What is known of findings from audits before: pure data between the ledger, the audit and the notices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from chalicelib.report.findings import ChangeKind, Finding, Severity
from chalicelib.report.outcomes import Verdict


class Known(Struct, frozen=True):
    """A finding as the ledger knows it. ``last_told`` is None until there was something to tell of it.

    ``owed`` is what its channels have not taken yet: the change that each is to hear. Until ``claimed_until`` somebody
    is telling it. ``version`` is that of the item which was read: it is written only in that one's place.
    """

    finding: Finding
    last_told: datetime | None = None
    severity_told: Severity | None = None
    owed: Mapping[str, ChangeKind] = field(default_factory=dict)
    claimed_until: datetime | None = None
    version: str | None = None

    @property
    def judged_at(self) -> datetime:
        """When it was last seen, or found resolved."""
        return self.finding.resolved_at or self.finding.last_seen


class Resolution(Struct, frozen=True):
    """What an audit proves about findings that it did not report (:mod:`chalicelib.audit.resolution`).

    ``verdicts``: by the finding's id, the outcome of a rule for a resource that was really judged. ``gone``: ids of
    findings whose resource is proven to be no more. ``settled``: the ARNs of named resources that were read or are
    gone: nothing is the matter with them now, but for what the rules ``undecided`` look for. ``standing``: what the
    resource of a finding with a saving runs on now, by the finding's id.
    """

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()
    standing: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
