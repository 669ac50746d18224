"""What is remembered from audit to audit. Endpoint configs cannot be changed, so that describing one once is enough.

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
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from chalicelib import __version__
from chalicelib.inventory.kinds.configs import EndpointConfig, InstancePool, VariantSettings
from chalicelib.inventory.remembered import Answer, Configs

log = logging.getLogger(__name__)

_FIELDS = ",".join(name for model in (EndpointConfig, VariantSettings, InstancePool) for name in model.model_fields)
_CHANGING = {"tags", "in_use"}
_CONFIGS = "endpoint-configs"
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


def packed_answer(answer: Answer) -> bytes:
    """An answer as compressed JSON."""
    stored = {"read_at": answer.read_at.isoformat(), "records": list(answer.records)}
    return zlib.compress(json.dumps(stored, separators=(",", ":")).encode(), 6)


def unpacked_answer(blob: bytes) -> Answer:
    """The answer in a blob. Raises ValueError for anything else."""
    try:
        stored = json.loads(zlib.decompress(blob))
        answer = Answer(datetime.fromisoformat(stored["read_at"]), stored["records"])
    except (zlib.error, KeyError, TypeError) as error:
        raise ValueError(f"not a remembered answer: {error}") from error
    if answer.read_at.tzinfo is None or not isinstance(answer.records, list):
        raise ValueError("not a remembered answer")
    return answer


class FileMemory(Struct, frozen=True):
    """Files for each account and region in ``folder``, which only its owner can read."""

    folder: Path

    def recall(self, account: str, region: str) -> Configs:
        """What the file holds."""
        try:
            return unpacked(self._file(account, region, _CONFIGS).read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.info("nothing is remembered: %s", error)
            return {}

    def keep(self, account: str, region: str, configs: Configs) -> None:
        """Writes the file whole or not at all."""
        self._write(self._file(account, region, _CONFIGS), packed(configs))

    def recall_answer(self, account: str, region: str, subject: str) -> Answer | None:
        """What the subject's file holds."""
        try:
            return unpacked_answer(self._file(account, region, subject).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.info("nothing is remembered of %s: %s", subject, error)
            return None

    def keep_answer(self, account: str, region: str, subject: str, answer: Answer) -> None:
        """Writes the subject's file whole or not at all."""
        self._write(self._file(account, region, subject), packed_answer(answer))

    def _write(self, file: Path, blob: bytes) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.folder, prefix=f".{file.name}.")
            with os.fdopen(handle, "wb") as written:
                written.write(blob)
            Path(draft).replace(file)
        except OSError as error:
            log.info("nothing is remembered in %s: %s", self.folder, error)

    def _file(self, account: str, region: str, subject: str) -> Path:
        return self.folder / f"{subject}-{account}-{region}.z"


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where a person's programs keep what can be made again: ``$XDG_CACHE_HOME``, else ``~/.cache``."""
    home = (os.environ if environment is None else environment).get("XDG_CACHE_HOME", "")
    base = Path(home) if os.path.isabs(home) else Path("~/.cache").expanduser()
    return base / "sagemaker-auditor"
