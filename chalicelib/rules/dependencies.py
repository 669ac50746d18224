"""What endpoints stand on: is all of it still there?"""

from datetime import timedelta

from chalicelib.inventory.dependencies import DEEP, SHALLOW, Dependency, dependencies_of
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.configs import plain
from chalicelib.inventory.kinds.dependencies import EncryptionKey
from chalicelib.inventory.kinds.endpoints import Endpoint
from chalicelib.inventory.parts import Part
from chalicelib.report.cause import Cause
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, passed
from chalicelib.rules.guards import serving
from chalicelib.rules.instances import TOPIC
from chalicelib.rules.registry import Params, rule

#: A key that will be deleted later than this can be kept in time.
SOON = timedelta(days=7)
_USABLE = frozenset({"enabled", "updating"})
_IN_WORDS = {True: "yes", False: "no", None: "unknown"}


class Depth(Params):
    deep: bool = False


def endpoint_in_service(endpoint: Endpoint, estate: Inventory) -> Outcome | None:
    """An endpoint that serves and is not in the middle of a change."""
    return serving(endpoint.status)


@rule(
    "endpoint-dependency-missing",
    topic=TOPIC,
    kinds=["endpoint"],
    severity=Severity.HIGH,
    params=Depth,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS, Part.ROLES, Part.SECURITY_GROUPS],
    reads_when={"deep": DEEP},
    guards=[endpoint_in_service],
)
def endpoint_dependency_missing(endpoint: Endpoint, estate: Inventory, params: Depth) -> Outcome:
    """Something that the endpoint needs to be patched, updated or replaced does not exist any more: its endpoint
    config, a model of one of its variants or inference components, an execution role or a security group; with
    ``deep`` also an image in the account's own registry, model data in Amazon S3, or the KMS key of the config, which
    may be disabled, too, or pending deletion (medium where that is more than seven days away)."""
    named = [needed for needed in dependencies_of(endpoint, estate) if params.deep or needed.part in SHALLOW]
    answers = {dependency: _stands(dependency, estate) for dependency in named}
    facts: Facts = {"dependencies": {dependency.words: _IN_WORDS[answer] for dependency, answer in answers.items()}}
    if missing := [dependency for dependency, answer in answers.items() if answer is False]:
        unusable = {
            dependency.words: reason for dependency in missing if (reason := _unusable(dependency, estate)) is not None
        }
        return failed(
            missing=[dependency.words for dependency in missing],
            unusable=unusable,
            severity=None if any(_urgent(dependency, estate) for dependency in missing) else Severity.MEDIUM,
            **facts,
        )
    for dependency in named:
        _know(dependency, estate)
    serving_variants = [variant for variant in endpoint.variants if not variant.shadow]
    if not serving_variants or any(variant.hosts_components for variant in serving_variants):
        estate.gaps.demand_each(Part.COMPONENTS)
    if untold := [dependency.words for dependency, answer in answers.items() if answer is None]:
        raise Unread(f"whether there still is the {', the '.join(untold)} was not read", cause=Cause.FAILED)
    return passed("everything that it needs is there", **facts)


def _stands(dependency: Dependency, estate: Inventory) -> bool | None:
    """True where it is there and can be used, False where it cannot, None where nobody knows."""
    if dependency.foreign:
        return None
    if dependency.part is not Part.KEYS:
        return estate.stands(dependency.part, dependency.name)
    key = _key(dependency, estate)
    if key is None:
        return False if estate.gaps.gone(Part.KEYS, dependency.name) else None
    state = plain(key.known("state") or "")
    return True if state in _USABLE else False if state in ("disabled", "pendingdeletion") else None


def _key(dependency: Dependency, estate: Inventory) -> EncryptionKey | None:
    return estate.standing.keys.get(dependency.name) if dependency.part is Part.KEYS else None


def _unusable(dependency: Dependency, estate: Inventory) -> str | None:
    """Why something that is there cannot be used; None for what is gone."""
    key = _key(dependency, estate)
    if key is None:
        return None
    if plain(key.state) == "disabled":
        return "disabled"
    return f"will be deleted on {key.deletion:%Y-%m-%d}" if key.deletion else "will be deleted"


def _urgent(dependency: Dependency, estate: Inventory) -> bool:
    """False only for a key that will not be deleted soon."""
    key = _key(dependency, estate)
    if key is None or plain(key.state) == "disabled":
        return True
    return key.deletion is not None and key.deletion - estate.now <= SOON


def _know(dependency: Dependency, estate: Inventory) -> None:
    """Raises Unread where nothing tells whether it is there."""
    if dependency.foreign:
        raise Unread(f"the {dependency.words} is another account's, which tells this one nothing")
    estate.gaps.demand(dependency.part, dependency.name)
    key = _key(dependency, estate)
    if key is not None and plain(key.state) not in _USABLE:
        raise Unread(f"the {dependency.words} is {key.state}: whether it can be used is not known")
