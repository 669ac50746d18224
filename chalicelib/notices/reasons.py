"""Why a finding is told now, in a few words, for every channel."""

from datetime import timedelta

from chalicelib.notices.mrkdwn import lasted
from chalicelib.notices.notice import Change, Notice


def change_note(change: Change, notice: Notice) -> str:
    """Why a finding is told now, in words; empty for a new one that was never exempt."""
    finding = change.finding
    if change.change == "worse":
        return f"was {change.before.value}, is {finding.severity.value}" if change.before else ""
    if change.change in ("new", "back"):
        away = f"back after {lasted(timedelta(days=change.away_days))}" if change.away_days is not None else ""
        return ", ".join(filter(None, (away, exemption_ended(change))))
    if change.change == "reminder":
        since = finding.first_seen
        return f"open since {since:%Y-%m-%d}, for {lasted(notice.finished_at - since)}"
    if change.change == "resolved":
        ended_at = finding.resolved_at or notice.finished_at
        return f"was open for {lasted(ended_at - finding.first_seen)}"
    return ""


def exemption_ended(change: Change) -> str:
    """That an exemption is over, with its reason and who stood for it; empty where there was none.

    A finding that is back, and was not resolved in between, was exempt by something that is gone.
    """
    exemption = change.finding.exemption
    if change.change not in ("new", "back"):
        return ""
    if exemption is None:
        return "exempt no more" if change.change == "back" and change.away_days is None else ""
    when = f" on {exemption.expires}" if exemption.expires else ""
    owner = f", {exemption.owner}" if exemption.owner else ""
    return f"its exemption ended{when} ({exemption.reason}{owner})"


def exemption_sentence(change: Change) -> str:
    """The same as a sentence."""
    words = exemption_ended(change)
    return f"It is {words}." if words == "exempt no more" else f"{words[:1].upper()}{words[1:]}." if words else ""
