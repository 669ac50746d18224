"""What an audit for an event left to the next sweep, in words."""

from collections.abc import Iterable

from chalicelib.audit.findings import tagged_arn
from chalicelib.audit.judge import Judge
from chalicelib.inventory.failures import Failure
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Deferral
from chalicelib.scope import Scope


def untold(deferred: Iterable[Failure]) -> set[str]:
    """The ARNs of resources whose tags, which may exempt them, are left to the next sweep: it tells their findings."""
    return {failure.resource or "" for failure in deferred if failure.part is Part.TAGS}


def deferrals(deferred: Iterable[Failure], judge: Judge, scope: Scope) -> list[Deferral]:
    """Each part once, with the resources of it that were left (none named: the whole part), and the rules that read it:
    they could not judge everything. Tags left are those of what failed: the rules whose findings are not told."""
    deferred = list(deferred)
    arns = untold(deferred)
    unsaid = {failed.rule.id for failed in judge.failing if tagged_arn(failed.subject, scope) in arns}
    resources: dict[tuple[Part, str], list[str]] = {}
    for failure in deferred:
        if failure.part is not None:
            resources.setdefault((failure.part, failure.reason), []).append(failure.resource or "")
    effects = {
        part: {id for id, setting in judge.rules.items() if part in setting.rule.parts(setting.params)}
        for part, _ in resources
    }
    if Part.TAGS in effects:
        effects[Part.TAGS] |= unsaid
    return [
        Deferral(
            account=scope.account,
            region=scope.region,
            part=part,
            resources=[] if "" in names else sorted(set(names)),
            reason=reason,
            effect=sorted(effects[part]),
        )
        for (part, reason), names in sorted(resources.items())
    ]
