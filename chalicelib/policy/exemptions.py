"""Finding the exemptions of a finding among thousands, and refusing one that exempts everything."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase, translate

from chalicelib.policy.entries import ExemptionEntry

#: What a glob holds beside text, as :mod:`fnmatch` reads it.
_MAGIC = re.compile(r"[*?]+|\[!?\]?[^\]]*\]")
#: Characters of the pieces by which globs are found.
_PIECE = 3

#: Resources that no narrower glob than one over everything matches together: names, and the ARNs of each service.
_NAMES = ("a", "Z-9", "churn/AllTraffic", "q.7/variant_2/policy", "vpc-0f")
_KINDS = {
    "sagemaker": ("endpoint/a", "model/Z-9", "training-job/q7", "cluster/x0", "notebook-instance/n"),
    "ec2": ("vpc/vpc-0f", "vpc/vpc-1a"),
    "application-autoscaling": ("scalable-target/0a", "scalable-target/9z"),
    "autoscaling": ("scalingPolicy:0a:resource/sagemaker/endpoint/a", "scalingPolicy:9z:resource/sagemaker/q"),
}
_PLACES = (("eu-west-1", "123456789012"), ("us-gov-east-1", "998877665544"))


def _everywhere() -> Iterator[tuple[str, ...]]:
    yield _NAMES
    for partition in ("aws", "aws-cn", "aws-us-gov", "aws-iso"):
        for service, kinds in _KINDS.items():
            yield tuple(
                f"arn:{partition}:{service}:{region}:{account}:{kind}" for region, account in _PLACES for kind in kinds
            )


_EVERYWHERE = tuple(_everywhere())


def covers_everything(entry: ExemptionEntry, rules: Iterable[str]) -> bool:
    """True for an exemption from every one of these rules on every resource of a service, or of every name."""
    if not all(fnmatchcase(rule, entry.rule) for rule in rules):
        return False
    return any(all(fnmatchcase(subject, entry.resource) for subject in subjects) for subjects in _EVERYWHERE)


class ExemptionIndex:
    """The exemptions of a policy, found by what their globs hold of text.

    Whatever a glob matches holds all of its text, so that it need be held only against resources that have its rarest
    three letters: of thousands of exemptions a handful is compared with a resource.
    """

    def __init__(self, entries: Sequence[ExemptionEntry]) -> None:
        self._entries = entries
        self._exact: dict[tuple[bool, str], list[int]] = {}
        self._by_piece: dict[tuple[bool, str], list[int]] = {}
        self._short: list[int] = []
        self._patterns: dict[str, re.Pattern[str]] = {}
        globs = {number: _pieces(entry.resource) for number, entry in enumerate(entries) if _is_glob(entry.resource)}
        shared = Counter(piece for pieces in globs.values() for piece in pieces)
        for number, entry in enumerate(entries):
            if number not in globs:
                self._exact.setdefault((entry.over_arns, entry.resource), []).append(number)
            elif globs[number]:
                rarest = min(sorted(globs[number]), key=lambda piece: shared[piece])
                self._by_piece.setdefault((entry.over_arns, rarest), []).append(number)
            else:
                self._short.append(number)

    def candidates(self, arn: str, name: str, root: str = "") -> list[int]:
        """The places of the exemptions that may match a resource, in the order of the policy."""
        subjects = [(True, arn), (False, name), *([(True, root)] if root not in ("", arn) else [])]
        numbers = [*(number for subject in subjects for number in self._exact.get(subject, ())), *self._short]
        for over_arns, subject in subjects:
            for piece in _cut(subject) if self._by_piece else ():
                numbers += self._by_piece.get((over_arns, piece), ())
        return sorted(set(numbers))

    def covering(self, rule: str, arn: str, name: str, root: str = "") -> list[int]:
        """The places of the exemptions that cover a finding, whatever the date, in the order of the policy: on the
        resource, and on the endpoint or component to which it belongs, whose ARN is ``root``."""
        return [
            number
            for number in self.candidates(arn, name, root)
            if self._covers(self._entries[number], rule, {arn, root} - {""}, name)
        ]

    def _covers(self, entry: ExemptionEntry, rule: str, arns: set[str], name: str) -> bool:
        subjects = arns if entry.over_arns else {name}
        return self._matches(entry.rule, rule) and any(self._matches(entry.resource, subject) for subject in subjects)

    def _matches(self, glob: str, subject: str) -> bool:
        """As :func:`fnmatch.fnmatchcase`, whose own memory holds a few hundred globs only."""
        pattern = self._patterns.get(glob)
        if pattern is None:
            pattern = self._patterns[glob] = re.compile(translate(glob))
        return pattern.match(subject) is not None


def _is_glob(pattern: str) -> bool:
    return _MAGIC.search(pattern) is not None


def _pieces(glob: str) -> set[str]:
    return {piece for text in _MAGIC.split(glob) for piece in _cut(text)}


def _cut(text: str) -> set[str]:
    return {text[start : start + _PIECE] for start in range(len(text) - _PIECE + 1)}
