"""Apps of SageMaker Studio: the facts, whether AWS shuts them down when idle, and how both are read."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any, ClassVar, Self, TypeVar

from pydantic import Field, model_validator

from chalicelib.inventory.answers import ENDLESS, CallFailed, Gone, unreadable
from chalicelib.inventory.facts import Fact, Stated, States, Tags, Time, Unread, at, filled, states
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader

#: Pages of a hundred apps, at most.
MOST_PAGES = 200
#: So many apps in service are described; nobody waits for the descriptions of ten thousand.
MOST_RUNNING, TOO_MANY = 1_000, "TooManyToDescribe"
#: What AWS runs its own apps on, which nobody pays for by the hour.
SYSTEM = "system"
#: The types of apps that AWS shuts down when they are idle, where the settings say so.
STOPPABLE = frozenset({"JupyterLab", "CodeEditor"})
_LIST, _DESCRIBE = "ListApps", "DescribeApp"
_SWITCHED = "AppLifecycleManagement.IdleSettings.LifecycleManagement"
_ON, _OFF = "ENABLED", "DISABLED"

F = TypeVar("F", bound=Fact)


class StudioApp(Stated):
    """``DescribeApp``; of an app that is not in service, or is AWS's own, what ``ListApps`` tells."""

    kind: ClassVar[str] = "studio-app"
    essential: ClassVar[tuple[str, ...]] = ("Status",)
    known_states: ClassVar[States] = {"status": states("Deleted", "Deleting", "Failed", "InService", "Pending")}
    arn: str = at("AppArn", default="")
    domain_id: str = at("DomainId", required=True)
    user_profile: str | None = at("UserProfileName", convert=filled)
    space: str | None = at("SpaceName", convert=filled)
    type: str = at("AppType", required=True)
    app_name: str = at("AppName", required=True)
    status: str = at("Status", default="")
    instance_type: str | None = at("ResourceSpec.InstanceType")
    image_version: str | None = at("ResourceSpec.SageMakerImageVersionAlias", convert=filled)
    lifecycle_config: str | None = at("BuiltInLifecycleConfigArn", "ResourceSpec.LifecycleConfigArn", convert=filled)
    last_activity: Time | None = at("LastUserActivityTimestamp")
    created: Time | None = at("CreationTime")
    tags: Tags | None = at("Tags")
    #: True where the settings of its space's owner, of its user profile or of its domain let AWS shut it down.
    idle_shutdown: bool = Field(False, description=f"{_SWITCHED} of its domain or user profile")
    #: An app's own name is mostly ``default``.
    name: str = Field("", description="DomainId, SpaceName or UserProfileName, AppType and AppName")

    @model_validator(mode="after")
    def _named_by_its_place(self) -> Self:
        self.__dict__["name"] = "/".join((self.domain_id, self.owner, self.type, self.app_name))
        return self

    @property
    def owner(self) -> str:
        """The space or the user profile that it runs for."""
        return self.space or self.user_profile or ""

    @property
    def described_by(self) -> dict[str, str]:
        """The parameters that name it to ``DescribeApp``."""
        owner = {"SpaceName": self.space} if self.space else {"UserProfileName": self.user_profile or ""}
        return {"DomainId": self.domain_id, "AppType": self.type, "AppName": self.app_name, **owner}


class Switches(Fact):
    """Whether idle shutdown is on, by type of app, as one level of settings says; None where it says nothing."""

    jupyter_lab: str | None = at(f"JupyterLabAppSettings.{_SWITCHED}")
    code_editor: str | None = at(f"CodeEditorAppSettings.{_SWITCHED}")

    def of(self, type: str) -> bool | None:
        """The switch of a type of app. Raises Unread for what is neither on nor off."""
        switch = self.jupyter_lab if type == "JupyterLab" else self.code_editor
        if switch not in (_ON, _OFF, None):
            raise Unread(f"the idle shutdown of {type} apps is {switch}, which is not known to this version")
        return None if switch is None else switch == _ON


class Domain(Fact):
    """``DescribeDomain``: what holds for private spaces and what for shared ones."""

    private: Switches = at("DefaultUserSettings", default=Switches.model_construct())
    shared: Switches = at("DefaultSpaceSettings", default=Switches.model_construct())


class UserProfile(Fact):
    """``DescribeUserProfile``."""

    switches: Switches = at("UserSettings", default=Switches.model_construct())


class Space(Fact):
    """``DescribeSpace``. Its own idle settings are a time to wait: they switch nothing on."""

    owner: str | None = at("OwnershipSettings.OwnerUserProfileName", convert=filled)
    sharing: str | None = at("SpaceSharingSettings.SharingType")


def studio_apps(reader: Reader) -> dict[str, Fact]:
    """The apps by name, those of AWS and those that are not in service as their list has them. Raises CallFailed."""
    listed = [app for app in _listed(reader) if app.known("status") != "Deleted"]
    running = [app for app in listed if app.known("status") == "InService" and app.instance_type != SYSTEM]
    for app in running[MOST_RUNNING:]:
        words = f"more than {MOST_RUNNING:,} apps in service are not described"
        reader.blind_to(CallFailed(f"sagemaker:{_DESCRIBE}", TOO_MANY, words), Part.STUDIO_APPS, app.name)
    described = [app for app in reader.each(partial(_described, reader), running[:MOST_RUNNING]) if app is not None]
    if Part.STUDIO_SETTINGS in reader.needs:
        described = _with_idle_shutdown(reader, described)
    names = {app.name for app in running}
    apps = [*(app for app in listed if app.name not in names), *described]
    return {app.name: app for app in apps if app.known("status") != "Deleted"}


def _listed(reader: Reader) -> Iterable[StudioApp]:
    """What the list tells of each app, with the ARN that follows: AWS writes the type in small letters there."""
    scope, part = reader.scope, Part.STUDIO_APPS
    for number, page in enumerate(islice(reader.aws.pages("sagemaker", _LIST, "Apps", MaxResults=100), MOST_PAGES + 1)):
        if number == MOST_PAGES:
            most = MOST_PAGES * 100
            raise CallFailed(f"sagemaker:{_LIST}", ENDLESS, f"more than {MOST_PAGES} pages ({most} apps) are not read")
        for app in reader.typed(part, StudioApp, page):
            if not app.owner:
                reader.record_unread(part, "neither UserProfileName nor SpaceName", operation=f"sagemaker:{_LIST}")
                continue
            path = "/".join((app.domain_id, app.owner, app.type.lower(), app.app_name))
            arn = f"arn:{scope.partition}:sagemaker:{scope.region}:{scope.account}:app/{path}"
            yield app.model_copy(update={"arn": app.arn or arn})


def _described(reader: Reader, app: StudioApp) -> StudioApp | None:
    """The whole app; None where it is gone or its description failed."""
    part = Part.STUDIO_APPS
    answer = _asked(reader, part, app.name, _DESCRIBE, app.described_by)
    if answer is None:
        return None
    # What it was asked for by stands in the answer, too; the name is that under which it is noted as unread.
    apps = reader.typed(part, StudioApp, [{**app.described_by, **answer, "Name": app.name}], "Name")
    return apps[0].model_copy(update={"arn": apps[0].arn or app.arn}) if apps else None


def _asked(
    reader: Reader, part: Part, name: str, operation: str, parameters: Mapping[str, str]
) -> Mapping[str, Any] | None:
    """One description, or None: noted under ``name`` as unread when the call failed, as gone when AWS says so."""
    try:
        return reader.aws.call("sagemaker", operation, **parameters)
    except Gone as gone:
        reader.gone(gone, part, name)
    except CallFailed as failure:
        reader.blind_to(failure, part, name)
    return None


def gone_app(reader: Reader, name: str) -> bool:
    """True where AWS says that there is no app of this name (:attr:`StudioApp.name`), or that it was deleted.

    The name does not tell whether a space or a user profile owns it: AWS is asked for both, unless the first answer
    shows that it is there. Raises CallFailed when a call fails, ValueError for what is no such name.
    """
    domain, owner, type, app_name = name.split("/")
    app = {"DomainId": domain, "AppType": type, "AppName": app_name}
    for parameter in ("SpaceName", "UserProfileName"):
        try:
            answer = reader.aws.call("sagemaker", _DESCRIBE, **app, **{parameter: owner})
        except Gone:
            continue
        return bool(answer["Status"] == "Deleted")
    return True


# ---- idle shutdown


class _Settings:
    """The settings that the apps in service stand under, each read once, by the parameters that name them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._read: dict[tuple[str, ...], Fact | Unread] = {}

    def read(self, operation: str, model: type[Fact], fields: tuple[str, ...], keys: Iterable[tuple[str, ...]]) -> None:
        """Reads what is named by ``fields``, side by side."""
        wanted = sorted(set(keys))
        ask = partial(self._setting, operation, model, fields)
        self._read |= {(operation, *key): fact for key, fact in zip(wanted, self.reader.each(ask, wanted), strict=True)}

    def _setting(
        self, operation: str, model: Callable[..., Fact], fields: tuple[str, ...], key: tuple[str, ...]
    ) -> Fact | Unread:
        part, name = Part.STUDIO_SETTINGS, "/".join((*(field for field in fields[1:]), *key))
        answer = _asked(self.reader, part, name, operation, dict(zip(fields, key, strict=True)))
        if answer is not None:
            try:
                return model(**answer)
            except (ValueError, TypeError):
                self.reader.blind_to(unreadable(f"sagemaker:{operation}", "a record cannot be understood"), part, name)
        failure = self.reader.gaps.of(part, name)
        return failure.unread if failure is not None else Unread(f"{operation} told nothing of {name}")

    def of(self, model: type[F], operation: str, *key: str) -> F:
        """What was read. Raises Unread where it was not."""
        fact = self._read[operation, *key]
        if isinstance(fact, Unread):
            raise fact.again()
        assert isinstance(fact, model)
        return fact

    def space_of(self, app: StudioApp) -> Space | None:
        """The space that an app runs in, None for an app of a user profile."""
        return self.of(Space, "DescribeSpace", app.domain_id, app.space) if app.space else None

    def on(self, app: StudioApp) -> bool:
        """Whether AWS shuts the app down when it is idle. Raises Unread where that was not told.

        The user profile goes before the domain. A shared space belongs to nobody: what its domain says of shared spaces
        holds there, and whether what it says of users does AWS tells in two ways.
        """
        space = self.space_of(app)
        if space is not None and space.sharing == "Shared":
            domain = self.of(Domain, "DescribeDomain", app.domain_id)
            switch = domain.shared.of(app.type)
            if switch is None and domain.private.of(app.type):
                raise Unread(f"whether the idle shutdown of {app.type} apps holds in a shared space is not told")
            return bool(switch)
        owner = space.owner if space is not None else app.user_profile
        if owner is None:
            raise Unread(f"DescribeSpace told no owner of the space {app.space}")
        switch = self.of(UserProfile, "DescribeUserProfile", app.domain_id, owner).switches.of(app.type)
        if switch is None:
            switch = self.of(Domain, "DescribeDomain", app.domain_id).private.of(app.type)
        return bool(switch)


def _with_idle_shutdown(reader: Reader, apps: list[StudioApp]) -> list[StudioApp]:
    """The apps with what their settings say: a call for each space, user profile and domain of apps that AWS may shut
    down."""
    settings = _Settings(reader)
    asked = [app for app in apps if app.type in STOPPABLE]
    settings.read("DescribeDomain", Domain, ("DomainId",), ((app.domain_id,) for app in asked))
    spaces = ((app.domain_id, app.space) for app in asked if app.space)
    settings.read("DescribeSpace", Space, ("DomainId", "SpaceName"), spaces)
    owners = ((app.domain_id, owner) for app in asked if (owner := _owner(settings, app)))
    settings.read("DescribeUserProfile", UserProfile, ("DomainId", "UserProfileName"), owners)
    return [_switched(settings, app) if app.type in STOPPABLE else app for app in apps]


def _owner(settings: _Settings, app: StudioApp) -> str | None:
    """The user profile whose settings hold for an app; None where none does, or that was not told."""
    try:
        space = settings.space_of(app)
    except Unread:
        return None
    if space is None:
        return app.user_profile
    return None if space.sharing == "Shared" else space.owner


def _switched(settings: _Settings, app: StudioApp) -> StudioApp:
    try:
        return app.model_copy(update={"idle_shutdown": settings.on(app)})
    except Unread as unread:
        return app.with_unknown({"idle_shutdown": unread})
