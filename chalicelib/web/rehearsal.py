"""``POST /rehearse``: traffic through a scaling policy, with the inputs of ``auditor rehearse``."""

import math
from array import array
from datetime import UTC, datetime

from chalicelib.errors import InvalidInput
from chalicelib.inventory.aws import Aws
from chalicelib.rehearsal.account import question_of
from chalicelib.rehearsal.document import as_json
from chalicelib.rehearsal.questions import Wishes, question
from chalicelib.rehearsal.rehearsal import Question, rehearse
from chalicelib.rehearsal.series import Load
from chalicelib.rehearsal.terms import Unrehearsable
from chalicelib.service import Service
from chalicelib.web.answers import RehearsalAnswer
from chalicelib.web.requests import RehearsalBody, rehearsal_body_of
from chalicelib.web.response import HttpResponse

#: The name of traffic that came with the request.
GIVEN = "the series of the request"


def post_rehearse(service: Service, raw: bytes) -> HttpResponse:
    """The rehearsal that the body asks for. Raises InvalidInput."""
    return HttpResponse(200, rehearsed(service, rehearsal_body_of(raw)).model_dump(mode="json"))


def rehearsed(service: Service, body: RehearsalBody) -> RehearsalAnswer:
    """What would have happened to the traffic. Raises InvalidInput, also for what cannot be rehearsed."""
    try:
        answer = rehearse(_question(service, body))
    except Unrehearsable as problem:
        raise InvalidInput(str(problem), code="unrehearsable") from None
    return RehearsalAnswer.model_validate(as_json(answer))


def _question(service: Service, body: RehearsalBody) -> Question:
    wishes = Wishes(
        body.minimum,
        body.maximum,
        body.target,
        body.scale_out_cooldown,
        body.scale_in_cooldown,
        body.warmup,
        body.capacity,
        body.traffic_multiplier,
        body.zones,
        body.max_short,
        max_wait=body.max_wait,
        wake_up=body.wake_up,
        queued=body.asynchronous,
    )
    load = _load(body)
    if body.endpoint is None:
        if load is None:
            raise InvalidInput("neither an endpoint nor a series; accepted is one of them, or both", field="endpoint")
        return question("Variant", load, GIVEN, wishes, None)
    scope = service.scope(body.region)
    named_load = None if load is None else (load, GIVEN)
    aws = Aws(service.session, scope.region)
    now = datetime.now(UTC)
    return question_of(aws, scope, body.endpoint, body.variant, body.days, wishes, now, named_load, body.component)


def _load(body: RehearsalBody) -> Load | None:
    if not body.series:
        return None
    begin = body.begin
    if begin is not None:
        begin = (begin if begin.tzinfo else begin.replace(tzinfo=UTC)).astimezone(UTC).replace(second=0, microsecond=0)
    values = array("d", (math.nan if value is None else value for value in body.series))
    return Load(values, begin, asked=len(values))
