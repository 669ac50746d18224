"""Whether resources are gone: AWS is asked for each by its name.

That a resource is lacking in what was read is no proof: a page of ``Search`` lags, a list is narrowed, and nothing
lists what nobody uses. Proof is the answer to a question about this one resource: the error by which its description
says that there is none (:func:`chalicelib.kinds.says_gone`), an endpoint in service without the variant, or the whole
answer of ``DescribeScalableTargets``, ``DescribeScalingPolicies`` or ``DescribeSubnets`` about this resource id or VPC
without it. Whatever fails or cannot be understood proves nothing.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from chalicelib.inventory.answers import CallFailed, Gone
from chalicelib.inventory.kinds.configs import plain
from chalicelib.inventory.kinds.studio import gone_app
from chalicelib.inventory.parts import OPERATIONS, Part
from chalicelib.inventory.reader import Reader
from chalicelib.kinds import DESCRIBED, KINDS, PASSING
from chalicelib.scope import scaled_id

log = logging.getLogger(__name__)

#: Questions that a sweep asks, and those that the audit of named resources does: a call each.
ASKED_BY_A_SWEEP, ASKED_BY_NAME = 200, 4

_SCALING = "application-autoscaling"


class Lacking(NamedTuple):
    """A resource of which something is known, and which was not among what was read."""

    kind: str
    name: str
    arn: str
    part: str = ""


class Question(NamedTuple):
    """What AWS is asked about by one call: a described resource, the targets or policies of a resource id, a VPC."""

    about: str
    name: str


def gone(reader: Reader, lacking: Iterable[Lacking]) -> frozenset[Lacking]:
    """Those of these resources of which AWS says that they are not there.

    A part that could not be read as a whole is not asked about, nor a resource whose description has failed in this
    audit, nor a job that is not asked for anyway: none is ever deleted. Questions beyond the bound are left to the next
    sweep, which begins with others.
    """
    questions: dict[Question, list[Lacking]] = {}
    for resource in lacking:
        if (question := _question(resource)) is not None and _open(reader, question):
            questions.setdefault(question, []).append(resource)
    asked = _bounded(reader, sorted(questions))
    answers = reader.each(lambda question: _answer(reader, question, questions[question]), asked)
    return frozenset(resource for answer in answers for resource in answer)


def _question(resource: Lacking) -> Question | None:
    """The question whose answer tells whether a resource is there; None where there is none to ask."""
    kind, name = resource.kind, resource.name
    if kind == "endpoint-variant":
        return Question("endpoint", name.split("/")[0])
    if kind in ("scalable-target", "scaling-policy"):
        return Question(kind, scaled_id(name, resource.arn, policy=kind == "scaling-policy"))
    if kind not in _ASK:
        return None
    return Question(kind, name if KINDS[kind].arn_is_name else resource.arn)


def _part(question: Question) -> Part:
    return Part(KINDS[question.about].part)


def _open(reader: Reader, question: Question) -> bool:
    """True for a question that may be asked now."""
    part, gaps = _part(question), reader.gaps
    if gaps.of(part) is not None or gaps.hides(part, question.name):
        return False
    return question.about not in PASSING or gaps.gone(part, question.name)


def _bounded(reader: Reader, questions: list[Question]) -> list[Question]:
    """As many questions as one audit asks; which ones changes from day to day, so that each has its turn."""
    most = ASKED_BY_A_SWEEP if reader.scope.whole else ASKED_BY_NAME
    if len(questions) <= most:
        return questions
    log.info("%s questions about resources that were not read are left to the next sweep", len(questions) - most)
    first = reader.now.toordinal() * most % len(questions)
    return [*questions[first:], *questions[:first]][:most]


def _answer(reader: Reader, question: Question, asked: list[Lacking]) -> list[Lacking]:
    """Those of the resources asked about that AWS says are not there; none where it does not answer."""
    part = _part(question)
    if reader.gaps.gone(part, question.name):
        return asked
    try:
        return list(_ASK[question.about](reader, question.name, asked))
    except Gone:
        return asked
    except CallFailed as failure:
        reader.blind_to(failure, part, question.name)
    except (AttributeError, KeyError, TypeError, ValueError):
        unreadable = CallFailed(OPERATIONS[part][-1], "UnreadableAnswer", "an answer cannot be understood")
        reader.blind_to(unreadable, part, question.name)
    return []


# ---- each gives those of the resources asked about that an answer proves gone; raises Gone where all are


def _described(kind: str, reader: Reader, name: str, asked: list[Lacking]) -> Iterator[Lacking]:
    """None, as what is described is there."""
    row = KINDS[kind]
    reader.aws.call("sagemaker", row.describe_operation, **{row.name_field: name})
    return iter(())


def _endpoint(reader: Reader, name: str, asked: list[Lacking]) -> Iterator[Lacking]:
    """The variants that the endpoint lacks, where it is in service: in any other state it may not show all."""
    endpoint = reader.aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    if plain(endpoint["EndpointStatus"]) != "inservice":
        return
    variants = [*endpoint["ProductionVariants"], *(endpoint.get("ShadowProductionVariants") or ())]
    names = {variant["VariantName"] for variant in variants}
    yield from (resource for resource in asked if resource.part and resource.part not in names)


def _target(reader: Reader, resource_id: str, asked: list[Lacking]) -> Iterator[Lacking]:
    targets = _all(reader, _SCALING, "DescribeScalableTargets", "ScalableTargets", ResourceIds=[resource_id])
    arns = {target.get("ScalableTargetARN") for target in targets}
    yield from (target for target in asked if not {target.arn, None} & arns)


def _policy(reader: Reader, resource_id: str, asked: list[Lacking]) -> Iterator[Lacking]:
    policies = _all(reader, _SCALING, "DescribeScalingPolicies", "ScalingPolicies", ResourceId=resource_id)
    arns = {policy["PolicyARN"] for policy in policies}
    yield from (policy for policy in asked if policy.arn not in arns)


def _vpc(reader: Reader, id: str, asked: list[Lacking]) -> Iterator[Lacking]:
    """A VPC without any subnet: nothing can stand there."""
    subnets = _all(reader, "ec2", "DescribeSubnets", "Subnets", Filters=[{"Name": "vpc-id", "Values": [id]}])
    return iter(() if subnets else asked)


def _app(reader: Reader, name: str, asked: list[Lacking]) -> Iterator[Lacking]:
    return iter(asked if gone_app(reader, name) else ())


def _all(reader: Reader, service: str, operation: str, key: str, **named: Any) -> list[dict[str, Any]]:
    """The list in an answer of one page. Raises KeyError where there is none, ValueError where there is more of it."""
    namespace = {"ServiceNamespace": "sagemaker"} if service == _SCALING else {}
    answer = reader.aws.call(service, operation, **namespace, **named)
    if answer.get("NextToken"):
        raise ValueError(f"{operation} has more than one page for one resource")
    return list(answer[key])


_Ask = Callable[[Reader, str, list[Lacking]], Iterator[Lacking]]
_ASK: dict[str, _Ask] = {
    **{row.name: partial(_described, row.name) for row in DESCRIBED},
    "endpoint": _endpoint,
    "scalable-target": _target,
    "scaling-policy": _policy,
    "vpc": _vpc,
    "studio-app": _app,
}
