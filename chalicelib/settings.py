"""The environment, validated once: every error at once, in words that say what would be accepted."""

import os
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, ValidationError

from chalicelib.errors import InvalidInput

PREFIX = "AUDITOR_"


def _listed(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _switch(value: Any) -> Any:
    if isinstance(value, str):
        lowered = value.strip().lower()
        if lowered in ("on", "true", "1", "yes"):
            return True
        if lowered in ("off", "false", "0", "no", ""):
            return False
        raise ValueError("accepted are on and off")
    return value


def _matching(pattern: str, accepted: str) -> AfterValidator:
    def check(value: str | None) -> str | None:
        if value is not None and not re.fullmatch(pattern, value):
            raise ValueError(f"accepted is {accepted}")
        return value

    return AfterValidator(check)


def _choice(**choices: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value not in choices:
            raise ValueError("accepted are " + " and ".join(f"{name} ({words})" for name, words in choices.items()))
        return value

    return check


def _accounts(accounts: tuple[str, ...]) -> tuple[str, ...]:
    if accounts != ("organization",) and not all(re.fullmatch(r"\d{12}", account) for account in accounts):
        raise ValueError("accepted are 12-digit account ids separated by commas, or the word organization")
    return accounts


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Switch = Annotated[bool, BeforeValidator(_switch)]
TopicArn = Annotated[
    str | None,
    _matching(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+", "the ARN of an SNS topic"),
]


class Settings(BaseModel):
    """What the environment says, by the names of contracts.md without their prefix."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    policy: str = "baseline"
    topic_arn: TopicArn = None
    table: str | None = None
    queue_url: str | None = None
    regions: Listed = ()
    accounts: Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_accounts)] = ()
    role_name: str | None = None
    external_id: str | None = Field(None, repr=False)
    lookback_days: PositiveInt = 30
    recheck_minutes: Annotated[int, Field(ge=0, le=15)] = 10
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    slack_secret: str | None = None
    slack_signing_secret: str | None = None
    teams_secret: str | None = None
    email_from: str | None = None
    email_to: str | None = None
    security_hub: Switch = False
    bus: Annotated[
        str | None,
        _matching(
            r"[A-Za-z0-9._/-]{1,256}|arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[A-Za-z0-9._/-]{1,256}",
            "the name or the ARN of an event bus",
        ),
    ] = None
    prices: Switch = False
    estimates: Switch = False
    templates: str | None = None
    bucket: str | None = None
    report_links: Annotated[
        Literal["console", "presigned"],
        BeforeValidator(_choice(console="the page in AWS's console", presigned="a link that opens without signing in")),
    ] = "console"
    url: Annotated[str | None, _matching(r"https?://\S+", "the base URL of the API, such as https://…/api")] = None

    @property
    def of_organization(self) -> bool:
        """Whether the accounts are those of the organization."""
        return self.accounts == ("organization",)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """The settings of the process. Raises InvalidInput that names every wrong variable."""
        variables = os.environ if environment is None else environment
        values = {
            name: variables[PREFIX + name.upper()] for name in cls.model_fields if variables.get(PREFIX + name.upper())
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = "; ".join(
                f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
                for problem in error.errors()
            )
            raise InvalidInput(f"the environment is wrong: {problems}", field="environment") from None
