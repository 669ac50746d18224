"""Which triggers exist. Each handler is one line into chalicelib; all of them end in the same audit."""

import logging
import os
from functools import cache
from typing import Any

import boto3
from chalice.app import Chalice, IAMAuthorizer, LambdaFunctionEvent, Rate, Response

from chalicelib import web
from chalicelib.service import Service
from chalicelib.settings import Settings

app = Chalice(app_name="sagemaker-auditor")
app.log.setLevel(logging.INFO)
logging.getLogger("chalicelib").setLevel(logging.INFO)

#: Where SageMaker's own events come from; emulators refuse sources that start with "aws.".
SAGEMAKER_SOURCE = os.environ.get("AUDITOR_SAGEMAKER_SOURCE", "aws.sagemaker")
SAGEMAKER_EVENTS = ["SageMaker Endpoint State Change", "SageMaker Training Job State Change"]
SCHEDULE = Rate(1, unit=Rate.DAYS)
IAM = IAMAuthorizer()


@cache
def service() -> Service:
    """One for the life of the process: clients, policy and identity are kept between invocations."""
    return Service(Settings.from_environment(), boto3.Session())


@app.schedule(SCHEDULE)
def audit_on_schedule(event: Any) -> dict[str, Any]:
    """Everything in the account, and one digest."""
    return service().on_schedule(event.to_dict())


@app.on_cw_event({"source": [SAGEMAKER_SOURCE], "detail-type": SAGEMAKER_EVENTS})
def audit_on_sagemaker_event(event: Any) -> dict[str, Any]:
    """The one resource that a native SageMaker event names."""
    return service().on_event(event.to_dict())


for _handler in (audit_on_schedule, audit_on_sagemaker_event):
    # Chalice's own event class raises KeyError for an absent key; ours says what is missing and drops the event.
    _handler.event_class = LambdaFunctionEvent


def _request() -> Any:
    return app.current_request


def _response(answer: web.Answer) -> Response:
    return Response(body=answer.body, status_code=answer.status, headers=dict(answer.headers))


@app.route("/audit", methods=["GET"], authorizer=IAM)
def get_audit() -> Response:
    """The findings as they are now."""
    return _response(web.guarded(lambda: web.get_audit(service(), _request().query_params)))


@app.route("/audit", methods=["POST"], authorizer=IAM)
def post_audit() -> Response:
    """An audit now."""
    return _response(web.guarded(lambda: web.post_audit(service(), _request().raw_body)))


@app.route("/health", methods=["GET"])
def health() -> Response:
    """Alive; says nothing about the account."""
    return _response(web.guarded(lambda: web.health(service())))
