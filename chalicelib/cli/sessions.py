"""From options and environment to a service that audits."""

from pathlib import Path
from threading import Lock
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ProfileNotFound
from botocore.session import get_session

from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.inventory.cached import FileMemory, cache_folder
from chalicelib.inventory.reader import Progress, no_progress
from chalicelib.inventory.remembered import ProcessMemory
from chalicelib.inventory.service_models import core_session
from chalicelib.money.price_file import FilePrices, PriceFile
from chalicelib.service import Service
from chalicelib.settings import Settings

#: Where one asks for the regions of an account when nothing names one.
ANYWHERE = "us-east-1"
_making = Lock()


class SharedSession(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """A session for several threads: boto3's own makes its clients for one at a time only."""

    def client(self, *args: Any, **kwargs: Any) -> Any:
        """A client; made while no other is."""
        with _making:
            return super().client(*args, **kwargs)


def new_service(
    profile: str | None = None,
    region: str | None = None,
    policy: str | None = None,
    progress: Progress = no_progress,
    *,
    anywhere: bool = False,
    remember: bool = True,
    prices: str | None = None,
) -> Service:
    """The service for these options; what they leave out comes from the environment.

    ``anywhere``: a region need not be named. ``remember``: endpoint configs are kept in the cache folder, and read from
    there. ``prices`` is ``on``, ``off`` or a price file.
    """
    settings = Settings.from_environment()
    priced_by = price_file(prices) if prices not in (None, "on", "off") else None
    if prices in ("on", "off"):
        settings = settings.model_copy(update={"prices": prices == "on"})
    if policy is not None:
        settings = settings.model_copy(update={"policy": policy})
    memory = FileMemory(cache_folder()) if remember else ProcessMemory()
    session = new_session(profile, region, anywhere=anywhere)
    return Service(settings, session, progress, memory, priced_by=priced_by)


def price_file(path: str) -> FilePrices:
    """The prices of a file. Raises InvalidInput."""
    return FilePrices(PriceFile.read(path), Path(path).name)


def new_session(profile: str | None = None, region: str | None = None, *, anywhere: bool = False) -> SharedSession:
    """The AWS session for these options and AWS's own variables. Raises InvalidInput for a profile that does not
    exist."""
    try:
        session = SharedSession(region_name=region, botocore_session=core_session(profile))
        if anywhere and session.region_name is None:
            session = SharedSession(region_name=ANYWHERE, botocore_session=core_session(profile))
    except ProfileNotFound:
        core = get_session()
        field = "--profile" if profile else "AWS_PROFILE"
        asked = repr(profile) if profile else f"{core.get_config_variable('profile')!r}, which {field} names"
        profiles = ", ".join(core.available_profiles) or "none, as no profile is configured"
        raise InvalidInput(f"there is no AWS profile {asked}; accepted are {profiles}", field=field) from None
    except BotoCoreError as error:
        raise AccessFailed(f"the AWS configuration cannot be used: {error}") from None
    return session
