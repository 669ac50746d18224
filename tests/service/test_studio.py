"""Apps of SageMaker Studio: which are read, under which settings they stand, and what a failed call leaves unknown."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.inventory.absence import Lacking
from chalicelib.inventory.aws import Aws
from chalicelib.inventory.collect import Reading
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Needs
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Report
from chalicelib.scope import Scope
from emulator import seed
from emulator.account import build
from emulator.account_studio import DOMAIN
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator

RULE = "studio-app-idle"
OTHER = "platform-end-of-life"
LIST = "sagemaker:ListApps"
#: The two apps of the demo account that nobody uses.
FORECASTS, KERNEL = f"{DOMAIN}/lena-forecasts/JupyterLab/default", f"{DOMAIN}/omar/KernelGateway/datascience-old"


def switched(switch: str, app: str = "JupyterLab") -> dict[str, Any]:
    """Settings of a domain or user in which idle shutdown is ENABLED or DISABLED."""
    return {f"{app}AppSettings": {"AppLifecycleManagement": {"IdleSettings": {"LifecycleManagement": switch}}}}


def audited(emulator: Emulator, *rules: str) -> Report:
    """The account audited by this rule, or these."""
    auditor = Auditor(Aws(emulator.session(), REGION), load_policy("strict"))
    return auditor.audit(Scope(ACCOUNT, REGION, rules=frozenset(rules or (RULE,))), "cli")


def names(report: Report, rule: str = RULE) -> list[str]:
    """The apps that a rule fails on."""
    return sorted(finding.resource.name for finding in report.findings if finding.rule == rule)


@pytest.fixture
def demo(emulator: Emulator) -> Iterator[Emulator]:
    build(now=datetime.now(UTC))
    yield emulator


@pytest.fixture
def front(emulator: Emulator) -> Front:
    assert emulator.front is not None
    return emulator.front


def test_the_apps_that_nobody_uses_are_found(demo: Emulator) -> None:
    report = audited(demo)
    assert names(report) == [FORECASTS, KERNEL]
    assert {finding.resource.name: finding.severity for finding in report.findings} == {
        FORECASTS: "medium",
        KERNEL: "low",
    }
    assert {finding.resource.arn.partition(":app/")[2] for finding in report.findings} == {
        f"{DOMAIN}/lena-forecasts/jupyterlab/default",
        f"{DOMAIN}/omar/kernelgateway/datascience-old",
    }
    assert report.blind_spots == []


def test_only_apps_in_service_that_are_paid_for_are_described_and_each_setting_once(demo: Emulator) -> None:
    demo.client("sagemaker").delete_app(
        DomainId=DOMAIN, SpaceName="lena-today", AppType="JupyterLab", AppName="default"
    )
    calls = audited(demo).api_calls
    assert (calls[LIST], calls["sagemaker:DescribeApp"]) == (1, 3)  # neither the deleted one nor AWS's own
    assert calls["sagemaker:DescribeDomain"] == 1
    assert calls["sagemaker:DescribeSpace"] == 2
    assert calls["sagemaker:DescribeUserProfile"] == 2


@pytest.mark.slow
def test_a_policy_without_the_rule_asks_nothing(demo: Emulator) -> None:
    calls = Auditor(Aws(demo.session(), REGION), load_policy()).audit(Scope(ACCOUNT, REGION), "cli").api_calls
    assert not {LIST, "sagemaker:DescribeApp", "sagemaker:DescribeDomain"} & set(calls)


# ---- settings


def an_app(
    emulator: Emulator,
    *,
    domain: dict[str, Any] | None = None,
    shared: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    sharing: str = "Private",
    type: str = "JupyterLab",
) -> Report:
    """The audit of an app that was left a week ago, under settings of its domain, its shared spaces and its user."""
    seed.studio_domain(ACCOUNT, REGION, "d-1", DefaultUserSettings=domain or {}, DefaultSpaceSettings=shared or {})
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_user_profile(DomainId="d-1", UserProfileName="ada", UserSettings=user or {})
    sagemaker.create_space(
        DomainId="d-1",
        SpaceName="research",
        OwnershipSettings={"OwnerUserProfileName": "ada"},
        SpaceSharingSettings={"SharingType": sharing},
        SpaceSettings=a_time_to_wait(type),
    )
    sagemaker.create_app(DomainId="d-1", SpaceName="research", AppType=type, AppName="default")
    active = datetime.now(UTC) - timedelta(days=7)
    seed.studio_app(
        ACCOUNT,
        REGION,
        f"d-1/research/{type.lower()}/default",
        active=active,
        ResourceSpec={"InstanceType": "ml.t3.medium"},
    )
    return audited(emulator)


def a_time_to_wait(type: str) -> dict[str, Any]:
    """The settings of a space: they hold a time to wait, and switch nothing on."""
    return {f"{type}AppSettings": {"AppLifecycleManagement": {"IdleSettings": {"IdleTimeoutInMinutes": 60}}}}


@pytest.mark.parametrize(
    ("settings", "outcome"),
    [
        ({}, "fail"),
        ({"domain": switched("ENABLED")}, "pass"),
        ({"domain": switched("DISABLED")}, "fail"),
        ({"user": switched("ENABLED")}, "pass"),
        ({"domain": switched("DISABLED"), "user": switched("ENABLED")}, "pass"),
        ({"domain": switched("ENABLED"), "user": switched("DISABLED")}, "fail"),
        ({"domain": switched("ENABLED", "CodeEditor")}, "fail"),
        ({"domain": switched("ENABLED", "CodeEditor"), "type": "CodeEditor"}, "pass"),
        ({"shared": switched("ENABLED")}, "fail"),
        ({"shared": switched("ENABLED"), "sharing": "Shared"}, "pass"),
        ({"user": switched("ENABLED"), "sharing": "Shared"}, "fail"),
        ({"domain": switched("ENABLED"), "sharing": "Shared"}, "unknown"),
        ({"domain": switched("ENABLED"), "shared": switched("DISABLED"), "sharing": "Shared"}, "fail"),
        ({"domain": switched("SOMETIMES")}, "unknown"),
    ],
)
def test_the_settings_that_hold(emulator: Emulator, settings: dict[str, Any], outcome: str) -> None:
    counts = an_app(emulator, **settings).rules[RULE]
    assert {verdict: number for verdict, number in counts.model_dump().items() if number} == {outcome: 1}


# ---- what could not be read


def test_a_denied_list_is_a_blind_spot_of_the_rule_alone(demo: Emulator, front: Front) -> None:
    front.deny(LIST)
    report = audited(demo, RULE, OTHER)
    assert names(report) == [] and names(report, OTHER)
    assert [(spot.operation, spot.effect) for spot in report.blind_spots] == [(LIST, [RULE])]


def test_without_a_description_nothing_is_found(demo: Emulator, front: Front) -> None:
    front.deny("sagemaker:DescribeApp")
    report = audited(demo, RULE, OTHER)
    assert names(report) == [] and names(report, OTHER)
    assert {(spot.operation, *spot.effect) for spot in report.blind_spots} == {("sagemaker:DescribeApp", RULE)}


@pytest.mark.parametrize("operation", ["DescribeDomain", "DescribeUserProfile", "DescribeSpace"])
def test_settings_that_cannot_be_read_leave_apps_unknown_that_they_decide(
    demo: Emulator, front: Front, operation: str
) -> None:
    front.deny(f"sagemaker:{operation}")
    report = audited(demo, RULE, OTHER)
    assert names(report) == [KERNEL] and names(report, OTHER)
    assert report.rules[RULE].unknown
    assert {(spot.operation, *spot.effect) for spot in report.blind_spots} == {(f"sagemaker:{operation}", RULE)}


def test_a_user_whose_own_settings_decide_needs_no_domain(demo: Emulator, front: Front) -> None:
    front.deny("sagemaker:DescribeDomain")
    counts = audited(demo).rules[RULE]
    assert (counts.passed, counts.unknown) == (2, 1)  # of lena's two apps the one that she uses, and omar's


def test_pages_without_an_end_are_left(demo: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.inventory.kinds.studio.MOST_PAGES", 0)
    report = audited(demo)
    (spot,) = report.blind_spots
    assert (spot.operation, spot.effect, names(report)) == (LIST, [RULE], [])
    assert "more than 0 pages (0 apps) are not read" in spot.error


def test_of_more_apps_than_anybody_waits_for_the_rest_is_a_blind_spot(
    demo: Emulator, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.inventory.kinds.studio.MOST_RUNNING", 1)
    front.calls.clear()
    report = audited(demo)
    assert front.calls["sagemaker:DescribeApp"] == 1
    assert not report.complete
    assert {(spot.operation, *spot.effect) for spot in report.blind_spots} == {("sagemaker:DescribeApp", RULE)}
    assert [spot.error for spot in report.blind_spots] == ["TooManyToDescribe"]


# ---- gone


def gone(emulator: Emulator, *apps: str) -> set[str]:
    """Those of these apps of which AWS says that they are not there."""
    scope = Scope(ACCOUNT, REGION)
    with Reading(Aws(emulator.session(), REGION), scope, Needs.of([Part.STUDIO_APPS]), datetime.now(UTC)) as reading:
        list(reading.training_jobs())
        reading.inventory()
        return {lacking.name for lacking in reading.gone(Lacking("studio-app", app, f"arn:{app}") for app in apps)}


def test_an_app_that_was_deleted_is_gone(demo: Emulator, front: Front) -> None:
    assert gone(demo, FORECASTS, KERNEL) == set()
    sagemaker = demo.client("sagemaker")
    sagemaker.delete_app(DomainId=DOMAIN, SpaceName="lena-forecasts", AppType="JupyterLab", AppName="default")
    never = f"{DOMAIN}/nobody/JupyterLab/default"
    assert gone(demo, FORECASTS, KERNEL, never, "no name of an app") == {FORECASTS, never}
    assert names(audited(demo)) == [KERNEL]
    front.deny("sagemaker:DescribeApp")
    assert gone(demo, FORECASTS) == set()
