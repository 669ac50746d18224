"""From options and environment to a service that audits."""

import boto3
from botocore.exceptions import BotoCoreError, ProfileNotFound

from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.inventory.reading import Progress, no_progress
from chalicelib.inventory.remembered import FileMemory, ProcessMemory, cache_folder
from chalicelib.service import Service
from chalicelib.settings import Settings


def new_service(
    profile: str | None = None,
    region: str | None = None,
    policy: str | None = None,
    progress: Progress = no_progress,
    *,
    remember: bool = True,
) -> Service:
    """The service for these options; what they leave out comes from the environment. ``remember``: endpoint configs
    are kept in the cache folder, and read from there."""
    settings = Settings.from_environment()
    if policy is not None:
        settings = settings.model_copy(update={"policy": policy})
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
    except ProfileNotFound:
        profiles = ", ".join(boto3.Session().available_profiles) or "none, as no profile is configured"
        raise InvalidInput(f"there is no AWS profile {profile!r}; accepted are {profiles}", field="--profile") from None
    except BotoCoreError as error:
        raise AccessFailed(f"the AWS configuration cannot be used: {error}") from None
    memory = FileMemory(cache_folder()) if remember else ProcessMemory()
    return Service(settings, session, progress, memory)
