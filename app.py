"""Which triggers exist. Each handler is one line into chalicelib; all of them end in the same audit."""

import gc
import logging
import os
from functools import cache
from typing import TYPE_CHECKING, Any

# pydantic looks for plugins in every package that is installed, and there are none for it here.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
gc.disable()  # imports leave no garbage, and the collector would walk over all of them again and again

import boto3  # noqa: E402
from chalice.app import Chalice, IAMAuthorizer, LambdaFunctionEvent, Rate, Response  # noqa: E402

from chalicelib import collect_seldom, events  # noqa: E402
from chalicelib.input.logs import keep_lines  # noqa: E402
from chalicelib.inventory.service_models import core_session  # noqa: E402
from chalicelib.notices.health import HEALTH_EVENT, SERVICE  # noqa: E402
from chalicelib.report import telemetry  # noqa: E402
from chalicelib.service import Service  # noqa: E402
from chalicelib.settings import Settings  # noqa: E402

if TYPE_CHECKING:
    from chalicelib.web.response import HttpResponse

#: The function of HTTP alone reads what answers requests, and does so while it starts.
if os.environ.get("_HANDLER") == "app.app":
    from chalicelib.web import routes, runs  # noqa: F401

#: In Lambda lines are JSON; Chalice takes the logger of its own name as it is.
lines = telemetry.to_cloudwatch() if "AWS_LAMBDA_FUNCTION_NAME" in os.environ else None

gc.freeze()
collect_seldom()
gc.enable()

keep_lines()
app = Chalice(app_name="sagemaker-auditor")
app.log.setLevel(logging.INFO)
logging.getLogger("chalicelib").setLevel(logging.INFO)

#: Where events come from, set when packing: emulators refuse sources that start with "aws.".
SAGEMAKER_SOURCE = os.environ.get("AUDITOR_SAGEMAKER_SOURCE", "aws.sagemaker")
SCALING_SOURCE = os.environ.get("AUDITOR_SCALING_SOURCE", "aws.application-autoscaling")
#: CloudTrail's events of Application Auto Scaling come under the source of EC2 Auto Scaling.
API_CALL_SOURCES = [SAGEMAKER_SOURCE, os.environ.get("AUDITOR_AUTOSCALING_SOURCE", "aws.autoscaling"), SCALING_SOURCE]
API_CALL_SOURCES += [os.environ.get("AUDITOR_EC2_SOURCE", "aws.ec2")]
API_CALL_SOURCES += [os.environ.get("AUDITOR_CLOUDWATCH_SOURCE", "aws.monitoring")]
API_CALLS = [*events.SAGEMAKER_CALLS, *events.SCALING_CALLS, *events.SUBNET_CALLS, *events.ALARM_CALLS]
SCHEDULE = Rate(1, unit=Rate.DAYS)
PARTS_QUEUE = "auditor-parts"
FINDINGS_TOPIC = os.environ.get("AUDITOR_TOPIC_ARN") or "auditor-findings"
IAM = IAMAuthorizer()


@cache
def service() -> Service:
    """One for the life of the process: clients, policy and identity are kept between invocations."""
    settings = Settings.from_environment()
    logging.getLogger("chalicelib").setLevel(settings.log_level)
    return Service(settings, boto3.Session(botocore_session=core_session()))


def within(event: Any) -> Service:
    """The service for one invocation by an event: it learns in which account it runs, and stops reading in time to tell
    what it has read."""
    ready = _within(event.context)
    ready.caller.function = str(getattr(event.context, "invoked_function_arn", "") or "")
    return ready


def _within(context: Any) -> Service:
    """Elsewhere than in Lambda, as behind `auditor serve`, nothing ends the process, whatever time the stand-in for a
    context claims that Chalice makes there."""
    ready = service()
    in_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
    ready.time_left = (lambda: context.get_remaining_time_in_millis() / 1000) if in_lambda else None
    return ready


def invoked() -> Service:
    """The service for the request that is being answered."""
    return _within(app.lambda_context)


@app.schedule(SCHEDULE)
def audit_on_schedule(event: Any) -> dict[str, Any]:
    """Everything in the account, and one digest."""
    return within(event).on_schedule(event.to_dict())


@app.on_cw_event(
    {
        "source": [SAGEMAKER_SOURCE, os.environ.get("AUDITOR_HEALTH_SOURCE", "aws.health")],
        "detail-type": [*events.NAMED_BY, HEALTH_EVENT],
        "detail": {"service": [{"exists": False}, SERVICE]},  # of what AWS Health says, that of SageMaker
    }
)
def audit_on_sagemaker_event(event: Any) -> dict[str, Any]:
    """The one resource that a native SageMaker event names, or what AWS Health says of SageMaker."""
    return within(event).on_event(event.to_dict())


@app.on_cw_event(
    {
        "source": [SCALING_SOURCE],
        "detail-type": [events.SCALING_ACTIVITY],
        "detail": {"serviceNamespace": ["sagemaker"]},
    }
)
def audit_on_scaling_event(event: Any) -> dict[str, Any]:
    """The variant or component that Application Auto Scaling has taken to its maximum."""
    return within(event).on_event(event.to_dict())


@app.on_cw_event(
    {
        "source": API_CALL_SOURCES,
        "detail-type": [events.API_CALL],
        "detail": {"eventName": API_CALLS, "errorCode": [{"exists": False}]},
    }
)
def audit_on_api_call(event: Any) -> dict[str, Any]:
    """What a call that no native event tells of has changed."""
    return within(event).on_event(event.to_dict())


@app.on_sqs_message(queue=PARTS_QUEUE, batch_size=1)
def audit_part(event: Any) -> dict[str, Any]:
    """One account and region of a run."""
    return within(event).on_parts(event.to_dict())


@app.on_sns_message(topic=FINDINGS_TOPIC)
def deliver_to_slack(event: Any) -> dict[str, Any]:
    """The notices of the topic, in Slack."""
    return within(event).on_notice(event.to_dict())


for _handler in (
    audit_on_schedule,
    audit_on_sagemaker_event,
    audit_on_scaling_event,
    audit_on_api_call,
    audit_part,
    deliver_to_slack,
):
    # Chalice's own event classes raise KeyError for an absent key; ours says what is missing and drops the event.
    _handler.event_class = LambdaFunctionEvent


def _request() -> Any:
    return app.current_request


def _response(answer: "HttpResponse") -> Response:
    return Response(body=answer.body, status_code=answer.status, headers=dict(answer.headers))


@app.middleware("all")
def request_in_every_line(event: Any, get_response: Any) -> Any:
    """Lines of one invocation are found together by its request id."""
    context = getattr(event, "lambda_context", None) or getattr(event, "context", None)
    if lines is not None:
        lines.append_keys(function_request_id=getattr(context, "aws_request_id", None))
    return get_response(event)


@app.middleware("http")
def contract_of_errors(event: Any, get_response: Any) -> Response:
    """What Chalice itself refuses (media types, methods) in the form that every other error has."""
    from chalicelib.web import routes

    answer = get_response(event)
    if isinstance(answer.body, dict) and answer.body.keys() == {"Code", "Message"}:
        answer.body = routes.refused_by_chalice(answer.status_code, answer.body["Message"]).body
    return answer  # type: ignore[no-any-return]  # chalice has no types


@app.route("/audit", methods=["GET"], authorizer=IAM)
def get_audit() -> Response:
    """The findings as they are now."""
    from chalicelib.web import routes

    request = _request()
    accept = request.headers.get("accept", "")
    return _response(routes.guarded(lambda: routes.get_audit(routes.ready(invoked), request.query_params, accept)))


@app.route("/audit", methods=["POST"], authorizer=IAM)
def post_audit() -> Response:
    """An audit now."""
    from chalicelib.web import routes

    return _response(routes.guarded(lambda: routes.post_audit(routes.ready(invoked), _request().raw_body)))


@app.route("/audit/runs/{audit_id}", methods=["GET"], authorizer=IAM)
def get_run(audit_id: str) -> Response:
    """How far a run has come and, when it is over, its report page by page."""
    from chalicelib.web import routes, runs

    return _response(routes.guarded(lambda: runs.get_run(routes.ready(invoked), audit_id, _request().query_params)))


@app.route("/calendar", methods=["GET"], authorizer=IAM)
def get_calendar() -> Response:
    """What ends, and when."""
    from chalicelib.web import routes
    from chalicelib.web.calendar import get_calendar as answer

    request = _request()
    accept = request.headers.get("accept", "")
    return _response(routes.guarded(lambda: answer(routes.ready(invoked), request.query_params, accept)))


@app.route("/rehearse", methods=["POST"], authorizer=IAM)
def post_rehearse() -> Response:
    """Traffic through a scaling policy: enough, too much, and what would have done."""
    from chalicelib.web import routes
    from chalicelib.web.rehearsal import post_rehearse as answer

    return _response(routes.guarded(lambda: answer(routes.ready(invoked), _request().raw_body)))


@app.route("/rules", methods=["GET"], authorizer=IAM)
def get_rules() -> Response:
    """The catalogue, with the policy in force."""
    from chalicelib.web import routes

    return _response(routes.guarded(lambda: routes.get_rules(routes.ready(invoked))))


@app.route("/rules/{id}", methods=["GET"], authorizer=IAM)
def get_rule(id: str) -> Response:
    """One rule of the catalogue, with the policy in force."""
    from chalicelib.web import routes

    return _response(routes.guarded(lambda: routes.get_rule(routes.ready(invoked), id)))


@app.route("/openapi.json", methods=["GET"], authorizer=IAM)
def get_openapi() -> Response:
    """The description of these routes."""
    from chalicelib.web import openapi, routes

    return _response(routes.guarded(lambda: routes.HttpResponse(200, openapi.document(app.routes))))


@app.route("/slack/actions", methods=["POST"], content_types=["application/x-www-form-urlencoded"])
def post_slack_action() -> Response:
    """What people answer in Slack, signed by Slack; off unless a signing secret is configured."""
    from chalicelib.web import routes, slack_answers

    request = _request()
    return _response(
        routes.guarded(
            lambda: slack_answers.post_action(routes.ready(invoked), request.raw_body, dict(request.headers))
        )
    )


@app.route("/health", methods=["GET"])
def health() -> Response:
    """Alive; says nothing about the account."""
    from chalicelib.web import routes

    return _response(routes.guarded(lambda: routes.health(routes.ready(invoked))))
