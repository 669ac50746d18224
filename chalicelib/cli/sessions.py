"""From options and environment to a service that audits."""

import boto3
from botocore.exceptions import BotoCoreError, ProfileNotFound

from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.inventory.reading import Progress, no_progress
from chalicelib.service import Service
from chalicelib.settings import Settings


def new_service(
    profile: str | None = None,
    region: str | None = None,
    policy: str | None = None,
    progress: Progress = no_progress,
) -> Service:
    """The service for these options; what they leave out comes from the environment."""
    settings = Settings.from_environment()
    if policy is not None:
        settings = settings.model_copy(update={"policy": policy})
    return Service(settings, new_session(profile, region), progress)


def new_session(profile: str | None = None, region: str | None = None) -> boto3.Session:
    """The AWS session for these options. Raises InvalidInput for a profile that does not exist."""
    try:
        return boto3.Session(profile_name=profile, region_name=region)
    except ProfileNotFound:
        profiles = ", ".join(boto3.Session().available_profiles) or "none, as no profile is configured"
        raise InvalidInput(f"there is no AWS profile {profile!r}; accepted are {profiles}", field="--profile") from None
    except BotoCoreError as error:
        raise AccessFailed(f"the AWS configuration cannot be used: {error}") from None
