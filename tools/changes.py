"""What a change set would do to a stack, told without doing it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

WORDS = {"Add": "add", "Modify": "change", "Remove": "remove", "Import": "take in", "Dynamic": "change, perhaps"}


class Where(Protocol):
    """Where a stack is."""

    @property
    def stack(self) -> str:
        """Its name."""

    def client(self, service: str) -> Any:
        """A client in its region."""


def preview(where: Where, named: Mapping[str, str], say: Callable[[str], None]) -> dict[str, str]:
    """What the change set would do, by resource; afterwards it is gone, and so is the stack that was made for it alone.

    ``named``: the names of the change set and of its stack. Nothing is executed.
    """
    cloudformation = where.client("cloudformation")
    try:
        changes = list(_changes(cloudformation, named))
    finally:
        cloudformation.delete_change_set(**named)
        status = cloudformation.describe_stacks(StackName=where.stack)["Stacks"][0]["StackStatus"]
        if status == "REVIEW_IN_PROGRESS":  # it holds no resource, and never did
            cloudformation.delete_stack(StackName=where.stack)
    counts = Counter(WORDS.get(change["Action"], change["Action"]) for change in changes)
    replaced = sum(change.get("Replacement") == "True" for change in changes)
    numbers = ", ".join(f"{number} to {word}" for word, number in sorted(counts.items())) or "nothing to change"
    say(f"{numbers}, {replaced} of them by replacement; nothing was executed, and the change set is gone")
    return {change["LogicalResourceId"]: sentence_of(change) for change in changes}


def _changes(cloudformation: Any, named: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    following: dict[str, str] = {}
    while True:
        page = cloudformation.describe_change_set(**named, **following)
        yield from (change["ResourceChange"] for change in page.get("Changes", ()) if "ResourceChange" in change)
        if not page.get("NextToken"):
            return
        following = {"NextToken": page["NextToken"]}


def sentence_of(change: Mapping[str, Any]) -> str:
    """What happens to a resource: the action, its type, and of a change the properties and whether it is replaced."""
    words = [WORDS.get(change["Action"], change["Action"]), change["ResourceType"]]
    targets = [detail.get("Target", {}) for detail in change.get("Details", ())]
    names = sorted({target.get("Name") or target.get("Attribute", "") for target in targets} - {""})
    if names:
        words.append(f"({', '.join(names)})")
    if change.get("Replacement") == "True":
        words.append("by REPLACEMENT")
    elif change.get("Replacement") == "Conditional":
        words.append("perhaps by replacement")
    return " ".join(words)
