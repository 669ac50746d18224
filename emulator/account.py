"""A lifelike account: two months of an ordinary company on SageMaker, with its good and its bad habits.

For the demo, and for a test that the auditor finds each of its defects and nothing else. About half of its endpoints
and of its training jobs are well.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import yaml

from emulator import account_hosting, account_network, account_reserved, account_storage, account_training
from emulator.account_base import Account, settle_alarms

LABELS = Path(__file__).with_name("expected.yaml")


def _labels() -> dict[str, frozenset[str]]:
    labels: dict[str, list[str]] = yaml.safe_load(LABELS.read_text(encoding="utf-8"))
    return {resource: frozenset(rules) for resource, rules in labels.items()}


EXPECTED = _labels()
"""The rules that fire under the baseline policy, by kind and name of the resource; all other resources are silent."""


def build(account: str = "123456789012", region: str = "eu-west-1", *, now: datetime) -> None:
    """Seeds the account in the process of the emulator; everything is as old as it claims at `now`.

    Raises KeyError in a region for which AWS does not publish all of its built-in algorithms.
    """
    here = Account(account, region, now)
    account_network.make(here)
    account_storage.make(here)
    account_hosting.make(here)
    account_reserved.make(here)
    account_training.make(here)
    settle_alarms(here, here.ago(days=1))
