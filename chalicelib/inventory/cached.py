"""Endpoint configs remembered from audit to audit: they cannot be changed, so that describing one once is enough.

A name proves nothing, as a config can be deleted and made again under it. What is remembered holds only for the same
ARN *and* creation time, and ``ListEndpointConfigs`` tells both of a hundred configs in one call. Tags can change, and
are never remembered. A memory that is missing, foreign or broken costs calls and never an audit.
"""

import json
import logging
import os
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chalicelib import __version__
from chalicelib.inventory.kinds.configs import EndpointConfig, InstancePool, VariantSettings
from chalicelib.inventory.remembered import Configs

log = logging.getLogger(__name__)

_FIELDS = ",".join(name for model in (EndpointConfig, VariantSettings, InstancePool) for name in model.model_fields)
_CHANGING = {"tags", "in_use"}
#: What is remembered holds for one version of the program and the fields that it reads.
FORMAT = f"{__version__} {zlib.crc32(_FIELDS.encode()):08x}"


def packed(configs: Configs) -> bytes:
    """Configs as compressed JSON, in the format of this version."""
    records = [config.model_dump(mode="json", exclude=_CHANGING, exclude_defaults=True) for config in configs.values()]
    return zlib.compress(json.dumps({"format": FORMAT, "configs": records}, separators=(",", ":")).encode(), 6)


def unpacked(blob: bytes) -> dict[str, EndpointConfig]:
    """The configs in a blob; none when it was made by another version. Raises ValueError for anything else."""
    try:
        stored = json.loads(zlib.decompress(blob))
        if stored["format"] != FORMAT:
            return {}
        configs = [EndpointConfig.model_validate(record) for record in stored["configs"]]
    except (zlib.error, KeyError, TypeError) as error:
        raise ValueError(f"not a memory of endpoint configs: {error}") from error
    return {config.name: config for config in configs}


@dataclass(frozen=True, slots=True)
class FileMemory:
    """A file for each account and region in ``folder``, which only its owner can read."""

    folder: Path

    def recall(self, account: str, region: str) -> Configs:
        """What the file holds."""
        try:
            return unpacked(self._file(account, region).read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.info("nothing is remembered: %s", error)
            return {}

    def keep(self, account: str, region: str, configs: Configs) -> None:
        """Writes the file whole or not at all."""
        file = self._file(account, region)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.folder, prefix=f".{file.name}.")
            with os.fdopen(handle, "wb") as written:
                written.write(packed(configs))
            Path(draft).replace(file)
        except OSError as error:
            log.info("nothing is remembered in %s: %s", self.folder, error)

    def _file(self, account: str, region: str) -> Path:
        return self.folder / f"endpoint-configs-{account}-{region}.z"


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where a person's programs keep what can be made again: ``$XDG_CACHE_HOME``, else ``~/.cache``."""
    home = (os.environ if environment is None else environment).get("XDG_CACHE_HOME", "")
    base = Path(home) if os.path.isabs(home) else Path("~/.cache").expanduser()
    return base / "sagemaker-auditor"
