"""What a resource runs on as an audit sees it, and what that costs less than before: the proof of a saving. Pure."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from chalicelib.inventory.facts import Fact, Missing, Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plain import NotebookInstance
from chalicelib.inventory.kinds.studio import StudioApp
from chalicelib.money.prices import MONTH_HOURS, Component, Price, Use
from chalicelib.report.findings import Finding
from chalicelib.report.realized import Realization
from chalicelib.report.savings import place_of

#: The type and the number of instances that a resource runs on.
Standing = Mapping[str, Any]


def standing_of(subject: Fact) -> Standing | None:
    """The instances that a resource stands on now; None where that is not told, or it has none of its own."""
    try:
        if isinstance(subject, Variant):
            types = subject.settings.instance_types
            return {"instance_type": types[0], "instance_count": subject.instance_count} if len(types) == 1 else None
        if isinstance(subject, NotebookInstance | StudioApp) and subject.instance_type:
            running = subject.status == "InService"
            return {"instance_type": subject.instance_type, "instance_count": int(running)}
    except (Unread, Missing):
        pass
    return None


def realization(
    finding: Finding, day: date, standing: Standing | None, *, gone: bool, price_of: Callable[[Use], Price | None]
) -> Realization | None:
    """What a resolved finding saved; None for one without a saving. Its amount by replay moves with the traffic, so
    that no count of instances at one moment proves it."""
    before = finding.evidence.get("money")
    if finding.saving is None or not isinstance(before, Mapping):
        return None
    seen, changed = _seen(before, {"instance_count": 0} if gone else standing, price_of)
    return Realization(
        id=finding.id,
        rule=finding.rule,
        account=finding.account,
        region=finding.region,
        kind=finding.resource.kind,
        name=finding.resource.name,
        place="/".join(place_of(finding)),
        day=day,
        estimated_usd=finding.saving.monthly_usd,
        seen_usd=None if seen is None else round(seen, 2),
        changed="deleted" if gone else changed,
    )


def _seen(
    before: Mapping[str, Any], now: Standing | None, price_of: Callable[[Use], Price | None]
) -> tuple[float | None, str]:
    """What the configuration costs less a month, and what changed in it, in words."""
    name, count, hourly = (before.get(key) for key in ("instance_type", "instance_count", "usd_per_hour"))
    if now is None or not isinstance(name, str) or not isinstance(count, int) or not isinstance(hourly, int | float):
        return None, "the configuration does not tell"
    if "window_hours" in before:
        return None, "how it scales"
    running, kind = now["instance_count"], now.get("instance_type", name)
    changes = [f"{name} to {kind}"] if kind != name else []
    changes += [f"{count} to {running} instances"] if running != count else []
    words = ", ".join(changes) or "nothing in the configuration"
    after: float | None = hourly
    if kind != name:
        price = price_of(Use(kind, Component(before["component"])))
        after = price.usd_per_hour if price is not None else None
    if running and after is None:
        return None, words
    return (count * hourly - running * (after or 0.0)) * MONTH_HOURS, words
