"""Secrets that lie in Secrets Manager or in Parameter Store: named by a setting, and never part of a message."""

import json
import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import AuditorError

_AWS = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


class Secret(NamedTuple):
    """A secret's place. ``setting`` is the variable that names it, ``failed`` the error of whoever needs it."""

    service: str
    name: str
    setting: str
    failed: type[AuditorError]

    @property
    def called(self) -> str:
        """The secret in words."""
        if self.service == "ssm":
            return f"the parameter {self.name} of SSM Parameter Store"
        return f"the secret {self.name} of Secrets Manager"

    @property
    def region(self) -> str | None:
        """The region of an ARN; None for a name."""
        parts = self.name.split(":")
        return parts[3] if len(parts) > 5 and parts[0] == "arn" else None

    def value(self, session: Any) -> str:
        """What the secret holds. An ARN is read in its own region. Raises ``failed``, without the value."""
        try:
            client = session.client(self.service, region_name=self.region, config=_AWS)
            if self.service == "ssm":
                return str(client.get_parameter(Name=self.name, WithDecryption=True)["Parameter"]["Value"])
            return str(client.get_secret_value(SecretId=self.name).get("SecretString", ""))
        except ClientError as error:
            problem = str(error.response.get("Error", {}).get("Code", "unknown"))
        except BotoCoreError as error:
            problem = type(error).__name__
        if problem in ("ResourceNotFoundException", "ParameterNotFound"):
            raise self.failed(f"{self.called} does not exist; {accepted_names(self.setting)}")
        action = "ssm:GetParameter" if self.service == "ssm" else "secretsmanager:GetSecretValue"
        raise self.failed(
            f"{self.called} cannot be read ({problem}); needed are {action} and, for a key of one's own, kms:Decrypt"
        )


def accepted_names(setting: str) -> str:
    """What a setting that names a secret may hold, in words."""
    return (
        f"accepted for {setting} are the name or ARN of a secret in Secrets Manager, or ssm: followed by the name of a "
        "parameter in SSM Parameter Store, such as ssm:/auditor/slack"
    )


def secret_of(name: str, setting: str, failed: type[AuditorError]) -> Secret:
    """The secret that a setting names: the name or ARN of one in Secrets Manager, or ``ssm:`` with a parameter's.

    Raises ``failed`` for what names none: the value itself in its place would otherwise be repeated in a message.
    """
    if not re.fullmatch(r"[A-Za-z0-9/_+=.@:-]{1,2048}", name) or re.search(r"(?i)//|slack\.com", name):
        raise failed(f"{setting} names no secret; {accepted_names(setting)}")
    if name.startswith("ssm:"):
        return Secret("ssm", name.removeprefix("ssm:"), setting, failed)
    return Secret("secretsmanager", name, setting, failed)


def webhook_in(value: str) -> str | None:
    """The address of a webhook that a secret holds, as it is or as JSON with the key ``url`` or ``webhook_url``; None
    for anything but https, or a stand-in on this machine."""
    address: Any = value.strip()
    if address.startswith("{"):
        try:
            held = json.loads(address)
        except ValueError:
            return None
        address = held.get("url") or held.get("webhook_url")
    return address.strip() if isinstance(address, str) and _leads_out(address.strip()) else None


def _leads_out(url: str) -> bool:
    if not re.fullmatch(r"[\x21-\x7e]{1,4000}", url):
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises ValueError for what is no port
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1")
