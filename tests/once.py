"""What botocore makes anew for each session, client and call, made once a process: half of the suite's CPU.

Nothing that is shared here depends on a session, and nobody changes it. S3 is left out: botocore takes the bucket out
of the paths of its model, where the emulator looks for it.
"""

from functools import cache
from typing import Any

from botocore import hooks, useragent
from botocore.client import ClientCreator
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import ServiceModel

CHANGED = "s3"

_FILES = JSONFileLoader()
_load_file, _load_service_model = JSONFileLoader.load_file, ClientCreator._load_service_model
_create_methods, _list_services = ClientCreator._create_methods, Loader.list_available_services
_alias_event_name = hooks.EventAliaser._alias_event_name

_models: dict[tuple[str, str | None], ServiceModel] = {}
_methods: dict[str, dict[str, Any]] = {}
_services: dict[tuple[str, ...], list[str]] = {}
_aliases: dict[str, str] = {}


@cache
def _parsed(path: str) -> Any:
    return _load_file(_FILES, path)


def _file(files: JSONFileLoader, path: str) -> Any:
    return _load_file(files, path) if f"/{CHANGED}/" in path else _parsed(path)


def _model(creator: ClientCreator, service: str, version: str | None = None) -> ServiceModel:
    if service == CHANGED:
        return _load_service_model(creator, service, version)
    key = service, version
    if key not in _models:
        _models[key] = _load_service_model(creator, service, version)
    return _models[key]


def _methods_of(creator: ClientCreator, model: ServiceModel) -> dict[str, Any]:
    if model.service_name not in _methods:
        _methods[model.service_name] = _create_methods(creator, model)
    return dict(_methods[model.service_name])


def _available(loader: Loader, type_name: str) -> list[str]:
    key = (type_name, *loader.search_paths)
    if key not in _services:
        _services[key] = _list_services(loader, type_name)
    return _services[key]


def _aliased(aliaser: hooks.EventAliaser, name: str) -> str:
    """The name of an event by the aliases of botocore, which all sessions share."""
    if name not in _aliases:
        _aliases[name] = _alias_event_name(aliaser, name)
    return _aliases[name]


def share() -> None:
    """Lets all sessions of this process share parsed files, service models, the methods of clients and names."""
    JSONFileLoader.load_file = _file
    ClientCreator._load_service_model = _model
    ClientCreator._create_methods = _methods_of
    Loader.list_available_services = _available
    hooks.EventAliaser._alias_event_name = _aliased
    hooks.accepts_kwargs = cache(hooks.accepts_kwargs)
    useragent.sanitize_user_agent_string_component = cache(useragent.sanitize_user_agent_string_component)
