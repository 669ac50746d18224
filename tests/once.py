"""What botocore makes anew for each session and each client, made once a process: half of the suite's CPU.

The folders of its models are looked through once, too. Nothing that is shared here depends on a session, and nobody
changes it. S3 is left out: botocore takes the bucket out of the paths of its model, where the emulator looks for it.
"""

from functools import cache
from typing import Any

from botocore.client import ClientCreator
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import ServiceModel

_FILES = JSONFileLoader()
_load_file, _load_service_model = JSONFileLoader.load_file, ClientCreator._load_service_model
_create_methods = ClientCreator._create_methods
CHANGED = "s3"
_models: dict[tuple[str, str | None], ServiceModel] = {}
_methods: dict[str, dict[str, Any]] = {}


@cache
def _parsed(path: str) -> Any:
    return _load_file(_FILES, path)


def _loaded(files: JSONFileLoader, path: str) -> Any:
    return _load_file(files, path) if "/s3/" in path else _parsed(path)


def _file(loader: JSONFileLoader, path: str) -> Any:
    return _load_file(loader, path) if f"/{CHANGED}/" in path else _parsed(path)


def _model(creator: ClientCreator, service: str, version: str | None = None) -> ServiceModel:
    if service == "s3":
        return _load_service_model(creator, service, version)
    key = service, version
    if service == CHANGED:
        return _load_service_model(creator, service, version)
    if key not in _models:
        _models[key] = _load_service_model(creator, service, version)
    return _models[key]


def _methods_of(creator: ClientCreator, model: ServiceModel) -> dict[str, Any]:
    if model.service_name not in _methods:
        _methods[model.service_name] = _create_methods(creator, model)
    return dict(_methods[model.service_name])


_list_services = Loader.list_available_services
_services: dict[tuple[str, ...], list[str]] = {}


def _available(loader: Loader, type_name: str) -> list[str]:
    key = (type_name, *loader.search_paths)
    if key not in _services:
        _services[key] = _list_services(loader, type_name)
    return _services[key]


def share() -> None:
    """Lets all sessions of this process share parsed files, service models, and the methods of clients."""
    JSONFileLoader.load_file = _loaded
    ClientCreator._load_service_model = _model
    ClientCreator._create_methods = _methods_of
    Loader.list_available_services = _available
