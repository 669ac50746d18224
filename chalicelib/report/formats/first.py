"""What to do first: of the resources with open findings the first few, in the order of every report. Pure."""

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from chalicelib.report.findings import Finding, root_arn
from chalicelib.report.order import ordered

#: How many things are told to be done first.
FIRST = 5


class Action(NamedTuple):
    """One thing to do: the first finding of a resource, what it says of ``name``, and how many others are open on the
    resource."""

    finding: Finding
    others: int

    @property
    def name(self) -> str:
        return self.finding.resource.name

    @property
    def says(self) -> str:
        """The summary without the name that stands before it."""
        return self.finding.summary.removeprefix(f"{self.name} ")

    @property
    def console(self) -> str | None:
        """Where the resource can be opened."""
        url = self.finding.resource.console_url
        return url if url is not None and web(url) else None


def web(link: str) -> bool:
    """True for an address that a page may link to."""
    return urlsplit(link).scheme in ("https", "http")


def actions(findings: Iterable[Finding], most: int = FIRST) -> list[Action]:
    """The first ``most`` resources with open findings; of an endpoint, what belongs to it is told with it."""
    resources: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in ordered(findings):
        if finding.status == "open":
            about = root_arn(finding) or finding.resource.name
            resources.setdefault((finding.account, finding.region, about), []).append(finding)
    return [Action(group[0], len(group) - 1) for group in list(resources.values())[:most]]
