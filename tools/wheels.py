"""The wheels that go into the zip: those that ``requirements.txt`` pins, each by its hash.

Chalice asks for wheels of Lambda's platform by name and version alone, whose hashes pip then does not check. So all
that it may take is fetched and checked before, and it is shown nothing else.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements.txt"
#: Lambda's names for what it runs on, and those of wheels.
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


class WheelsFailed(Exception):
    """A wheel cannot be had, or is not the one that is pinned; the text is pip's."""


def fetch_wheels(folder: Path, stage: str, requirements: Path = REQUIREMENTS) -> list[Path]:
    """Fetches into ``folder`` what the requirements pin, for Lambda and for this machine, by which Chalice finds its
    way; gives the wheels for Lambda. Raises WheelsFailed."""
    platform = f"manylinux2014_{MACHINES[_architecture(stage)]}"
    _download(folder, requirements, "--only-binary=:all:", "--implementation=cp", f"--platform={platform}")
    wheels = sorted(folder.glob("*.whl"))
    _download(folder, requirements)
    return wheels


def from_wheels_alone(folder: Path) -> dict[str, str]:
    """The environment in which pip takes what is in the folder, and asks no index."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}


def _architecture(stage: str) -> str:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    return str(config["stages"].get(stage, {}).get("lambda_architecture", "x86_64"))


def _download(folder: Path, requirements: Path, *options: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps", *options]
    command += ["--requirement", str(requirements), "--dest", str(folder)]
    done = subprocess.run(command, text=True, capture_output=True, check=False, env=dict(os.environ))
    if done.returncode:
        raise WheelsFailed(f"the pinned wheels cannot be had:\n{done.stdout}{done.stderr}")
