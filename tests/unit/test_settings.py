"""Settings: validated once, every error at once."""

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.settings import Settings


def test_an_empty_environment_has_working_defaults() -> None:
    settings = Settings.from_environment({})
    assert (settings.policy, settings.lookback_days, settings.regions, settings.topic_arn) == ("baseline", 30, (), None)


def test_lists_are_split_at_commas_and_switches_read_in_words() -> None:
    settings = Settings.from_environment(
        {"AUDITOR_REGIONS": "eu-west-1, us-east-1,", "AUDITOR_SECURITY_HUB": "on", "AUDITOR_PRICES": "off"}
    )
    assert (settings.regions, settings.security_hub, settings.prices) == (("eu-west-1", "us-east-1"), True, False)


def test_every_error_is_told_at_once_with_what_would_be_accepted() -> None:
    with pytest.raises(InvalidInput) as caught:
        Settings.from_environment(
            {
                "AUDITOR_TOPIC_ARN": "findings",
                "AUDITOR_LOOKBACK_DAYS": "soon",
                "AUDITOR_ACCOUNTS": "12,abc",
                "AUDITOR_SECURITY_HUB": "maybe",
            }
        )
    message = str(caught.value)
    for part in ("AUDITOR_TOPIC_ARN: accepted is the ARN", "AUDITOR_LOOKBACK_DAYS", "12-digit", "on and off"):
        assert part in message


def test_the_external_id_is_not_shown() -> None:
    assert "hush" not in repr(Settings.from_environment({"AUDITOR_EXTERNAL_ID": "hush"}))
