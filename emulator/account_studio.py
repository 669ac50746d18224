"""The Studio of the lifelike account: a domain that leaves idle shutdown to its users, and their apps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from emulator import seed
from emulator.account_base import Account

DOMAIN = "d-4kq8w2m7x1zc"
STOPS = {"JupyterLabAppSettings": {"AppLifecycleManagement": {"IdleSettings": {"LifecycleManagement": "ENABLED"}}}}


def make(account: Account) -> None:
    """Makes the domain, its users, their spaces and apps."""
    seed.studio_domain(account.id, account.region, DOMAIN, DefaultUserSettings={"ExecutionRole": account.role})
    for user, settings in (("lena", {}), ("omar", STOPS)):
        account.sagemaker("CreateUserProfile", DomainId=DOMAIN, UserProfileName=user, UserSettings=settings)
    last_week, now = account.ago(days=6), account.now
    _make_app(account, "lena-forecasts", "lena", "ml.g5.xlarge", last_week)  # nobody came back
    _make_app(account, "lena-today", "lena", "ml.t3.medium", account.ago(hours=2))
    _make_app(account, "omar-features", "omar", "ml.m5.xlarge", account.ago(hours=30))  # AWS waits longer
    server = {"UserProfileName": "lena", "AppType": "JupyterServer", "ResourceSpec": {"InstanceType": "system"}}
    account.sagemaker("CreateApp", DomainId=DOMAIN, AppName="default", **server)
    kernel = {"UserProfileName": "omar", "AppType": "KernelGateway", "ResourceSpec": {"InstanceType": "ml.t3.large"}}
    account.sagemaker("CreateApp", DomainId=DOMAIN, AppName="datascience-old", **kernel)
    seed.studio_app(
        account.id, account.region, f"{DOMAIN}/omar/kernelgateway/datascience-old", active=last_week, checked=now
    )


def _make_app(account: Account, space: str, owner: str, type: str, active: datetime) -> None:
    """A JupyterLab app in a private space, with its user's last activity."""
    named: dict[str, Any] = {"DomainId": DOMAIN, "SpaceName": space}
    account.sagemaker(
        "CreateSpace",
        **named,
        OwnershipSettings={"OwnerUserProfileName": owner},
        SpaceSharingSettings={"SharingType": "Private"},
        SpaceSettings={"AppType": "JupyterLab"},
    )
    account.sagemaker(
        "CreateApp", **named, AppType="JupyterLab", AppName="default", ResourceSpec={"InstanceType": type}
    )
    key = f"{DOMAIN}/{space}/jupyterlab/default"
    seed.studio_app(account.id, account.region, key, active=active, checked=account.now, created=account.ago(days=9))
