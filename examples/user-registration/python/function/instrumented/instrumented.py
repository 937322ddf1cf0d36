import os
import sys

import requests
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, EmailStr

ENDPOINT = os.environ.get("REGISTRATION_URL", "http://127.0.0.1:8099/2024/")

logger = Logger()
metrics = Metrics()
tracer = Tracer(patch_modules=["requests"])


class User(BaseModel):
    user_id: str
    first_name: str
    last_name: str
    email: EmailStr


@tracer.capture_method
def submit_user(endpoint: str, payload: User, context: LambdaContext) -> dict:
    """Pretends to register: fetches the page. A page that cannot be reached counts as 500."""
    tracer.put_annotation("user_id", payload.user_id)
    tracer.put_metadata("log", f"{context.log_group_name}/{context.log_stream_name}")
    tracer.put_metadata("request_id", context.aws_request_id)
    try:
        status_code = requests.get(endpoint, timeout=3).status_code
        metrics.add_metric(name="SuccessfulSubmission", unit=MetricUnit.Count, value=1)
        return {"status_code": status_code}
    except requests.RequestException:
        logger.exception("the registration page did not answer")
        metrics.add_metric(name="UnsuccessfulSubmission", unit=MetricUnit.Count, value=1)
        return {"status_code": 500}


# The parser is innermost, so that the tracer sees an event that is not a user.
@metrics.log_metrics
@logger.inject_lambda_context
@tracer.capture_lambda_handler
@event_parser(model=User)
def handler(event: User, context: LambdaContext) -> dict:
    """Registers the user of the event."""
    status_code = submit_user(ENDPOINT, event, context)["status_code"]
    if status_code != 200:
        logger.error(f"Could not add user {event.first_name} {event.last_name} ({event.user_id}): {status_code}")
        sys.exit(1)
    logger.info({"detail": "submit_user successful", **event.model_dump()})
    return {"status_code": status_code, **event.model_dump()}
