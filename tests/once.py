"""What botocore makes anew for each session, client and call, made once a process: half of the suite's CPU. And what
jinja makes of the templates, made once for all processes.

Nothing that is shared here depends on a session, and nobody changes it. S3 is left out: botocore takes the bucket out
of the paths of its model, where the emulator looks for it.
"""

from functools import cache
from pathlib import Path
from typing import Any

from botocore import hooks, useragent
from botocore.client import ClientCreator
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import ServiceModel
from jinja2 import BaseLoader, FileSystemBytecodeCache, __version__
from jinja2.sandbox import SandboxedEnvironment

from chalicelib.templating import environments

CHANGED = "s3"
#: Where the templates are kept as bytecode: ignored by git as all of this folder, and made anew when it is gone.
BYTECODE = Path(__file__).resolve().parents[1] / ".pytest_cache" / f"jinja-{__version__}"

_FILES = JSONFileLoader()
_load_file, _load_service_model = JSONFileLoader.load_file, ClientCreator._load_service_model
_create_methods, _list_services = ClientCreator._create_methods, Loader.list_available_services
_alias_event_name = hooks.EventAliaser._alias_event_name
_environment = environments._environment

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


def _remembering(finalize: Any, loader: BaseLoader, **settings: Any) -> SandboxedEnvironment:
    """An environment whose templates are compiled once; each kind of environment compiles them in its own way."""
    environment = _environment(finalize, loader, **settings)
    environment.bytecode_cache = FileSystemBytecodeCache(str(BYTECODE), f"{finalize.__name__}-%s")
    return environment


def share() -> None:
    """Lets all sessions of this process share parsed files, service models, the methods of clients and names, and all
    processes the compiled templates."""
    BYTECODE.mkdir(parents=True, exist_ok=True)
    setattr(environments, "_environment", _remembering)  # noqa: B010 - mypy keeps functions from being replaced
    JSONFileLoader.load_file = _file
    ClientCreator._load_service_model = _model
    ClientCreator._create_methods = _methods_of
    Loader.list_available_services = _available
    hooks.EventAliaser._alias_event_name = _aliased
    hooks.accepts_kwargs = cache(hooks.accepts_kwargs)
    useragent.sanitize_user_agent_string_component = cache(useragent.sanitize_user_agent_string_component)
