"""The labels of the demo account, ``emulator/expected.yaml``, from the cases that name its resources."""

from collections import defaultdict
from collections.abc import Iterable

from samples.cases.case import Case
from samples.cases.catalogue import CASES

HEAD = """\
# The labelled account: what `emulator/account*.py` builds, and every rule that must fire on it under the baseline
# policy. A resource that is not listed must be silent. It follows from the rule catalogue, not from what the auditor
# says: `make generate` writes it from the cases of the rules (`in_demo`, in samples/cases).
"""
SECTIONS = {
    "Networks": ("vpc",),
    "Endpoints and what belongs to them": (
        "endpoint",
        "endpoint-config",
        "endpoint-variant",
        "model",
        "inference-component",
        "scalable-target",
        "scaling-policy",
    ),
    "Jobs, notebook instances and apps of Studio": (
        "training-job",
        "tuning-job",
        "transform-job",
        "notebook-instance",
        "studio-app",
    ),
    "HyperPod clusters": ("cluster",),
    "Quotas and reserved capacity": ("service-quota", "training-plan"),
}
"""The kinds of resources in the order of the file, by its headings; any other stands at the end."""
OTHERS = "Other resources"


def labels(cases: Iterable[Case] = CASES) -> dict[str, frozenset[str]]:
    """The rules that are told of each resource (by kind and name), each alone."""
    rules: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        for place in case.in_demo:
            if not place.told_with:
                rules[place.resource].add(case.rule)
    return {resource: frozenset(ids) for resource, ids in rules.items()}


def _sections(resources: Iterable[str]) -> dict[str, Iterable[str]]:
    """The headings of the file, each with its kinds: those above, and one for whatever else there is."""
    others = {resource.split()[0] for resource in resources}.difference(*SECTIONS.values())
    return {**SECTIONS, **({OTHERS: sorted(others)} if others else {})}


def labels_file(cases: Iterable[Case] = CASES) -> str:
    """The content of the file: resources by kind and name, each under the remarks that its cases make."""
    cases = list(cases)
    rules = labels(cases)
    remarks: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        for place in case.in_demo:
            if place.remark:
                remarks[place.resource].append(place.remark)
    parts = [HEAD]
    for title, kinds in _sections(rules).items():
        parts.append(f"\n# {title}\n\n")
        for kind in kinds:
            for resource in sorted(resource for resource in rules if resource.split()[0] == kind):
                parts += [f"# {remark}\n" for remark in remarks[resource]]
                parts += [f"{resource}:\n", *(f"  - {rule}\n" for rule in sorted(rules[resource]))]
    return "".join(parts)
