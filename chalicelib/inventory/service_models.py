"""Where botocore finds the models of AWS's services: in the package, cut to what audits ask, then in its own data.

botocore parses a service's model anew in every cold start, and a file of all services' addresses. SageMaker's model
describes 425 operations in two megabytes, the other file 300 services; ``tools.service_models`` packs what is asked.
"""

import os
from functools import cached_property
from pathlib import Path

from botocore.loaders import Loader
from botocore.session import Session, get_session

#: Where the package holds them; a checkout has none.
PACKED = Path(__file__).resolve().parents[2] / "service_models"


class ServiceModels(Loader):  # type: ignore[misc]  # botocore has no types
    """botocore's data with those of the package before it."""

    def list_available_services(self, type_name: str) -> list[str]:
        """The names of all services. botocore would look into four hundred folders for files of a type before it reads
        those of one service; whether this has some shows when they are read."""
        return self._services

    def is_builtin_path(self, path: str) -> bool:
        """True for botocore's data, and for those that were cut from them: addresses of anybody else's would take the
        place of its rules of endpoints."""
        return bool(super().is_builtin_path(path)) or Path(path).is_relative_to(PACKED)

    @cached_property
    def _services(self) -> list[str]:
        places = [path for path in self.search_paths if os.path.isdir(path)]
        return sorted({entry.name for path in places for entry in os.scandir(path) if entry.is_dir()})


def core_session(profile: str | None = None) -> Session:
    """A session of botocore's for boto3 that reads the models so; folders in ``AWS_DATA_PATH`` come first, as ever.

    Raises botocore's ProfileNotFound.
    """
    core = get_session()
    if profile is not None:
        core.set_config_variable("profile", profile)
    configured: str = core.get_config_variable("data_path") or ""
    named = [os.path.expanduser(path) for path in configured.split(os.pathsep) if path]
    core.register_component("data_loader", ServiceModels(extra_search_paths=[*named, str(PACKED)]))
    return core
