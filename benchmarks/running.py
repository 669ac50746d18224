"""Starting the synthetic account, and measured work against it."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.account import REGION, Account

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Running:
    """A served account: where its server listens, and the file that describes it."""

    url: str
    account: Account
    file: Path

    def control(self, **settings: Any) -> None:
        """Sets latency, rate, burst, fail; the counts begin anew."""
        request = urllib.request.Request(f"{self.url}/bench", json.dumps(settings).encode(), method="POST")
        urllib.request.urlopen(request).read()

    def counts(self) -> dict[str, Any]:
        """The counts: ``calls`` and ``refused`` by operation, ``cpu`` seconds of the server."""
        counts: dict[str, Any] = json.loads(urllib.request.urlopen(f"{self.url}/bench").read())
        return counts

    def environment(self) -> dict[str, str]:
        """Variables that point any AWS SDK at the account, and at nothing else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AUDITOR_"))}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def measure(
        self, work: str, keep: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """What :meth:`run` tells, with the server's counts."""
        self.control()
        return {**self.run(work, keep, environment), "served": self.counts()}

    def run(self, work: str, keep: Path | None = None, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What ``benchmarks.measured`` tells of one piece of work in a fresh process."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.measured", work, str(self.file), *([str(keep)] if keep else [])],
            cwd=ROOT,
            env={**self.environment(), "XDG_CACHE_HOME": str(self.file.parent / "cache"), **(environment or {})},
            stdout=subprocess.PIPE,
            check=True,
        )
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return figures


@contextmanager
def serving(account: Account, folder: Path, *, latency: float = 0.04) -> Iterator[Running]:
    """The account on a free port of the loopback interface, in a process of its own."""
    file = folder / f"account-{account.sizes.endpoints}-{account.sizes.jobs}.json"
    file.write_text(account.to_json(), encoding="utf-8")
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", str(file)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None and server.stdout is not None
    try:
        running = Running(server.stdout.readline().strip(), account, file)
        running.control(latency=latency)
        yield running
    finally:
        server.stdin.close()
        server.wait(timeout=10)
