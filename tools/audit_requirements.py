"""Asks a database of known vulnerabilities about what the zip pins (``pip-audit``).

A package that the database does not know fails like one with a vulnerability: it was not checked. Without any database
this says so, and does not fail.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.wheels import REQUIREMENTS

#: The databases that pip-audit can ask, in the order in which they are tried.
DATABASES = ("pypi", "osv")

Dependency = dict[str, Any]


class NotReached(Exception):
    """A database gave no answer; the text says how."""


def asked(database: str, requirements: Path = REQUIREMENTS) -> list[Dependency]:
    """What a database knows of each pinned package. Raises NotReached when it knows of none."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", database, "--format", "json"]
    command += ["--progress-spinner", "off", "--disable-pip", "--require-hashes", "--requirement", str(requirements)]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    try:
        dependencies: list[Dependency] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise NotReached(reason[:120]) from None
    if all("skip_reason" in dependency for dependency in dependencies):
        raise NotReached("it knows none of the packages")
    return dependencies


def problems(dependencies: list[Dependency]) -> list[str]:
    """A line for each known vulnerability, and for each package that was not checked."""
    lines = []
    for dependency in dependencies:
        name = f"{dependency['name']} {dependency.get('version', '')}".strip()
        if "skip_reason" in dependency:
            lines.append(f"{name}: not checked: {dependency['skip_reason']}")
        for vulnerability in dependency.get("vulns", ()):
            mended = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            lines.append(f"{name}: {vulnerability['id']}, mended in {mended}")
    return lines


def main() -> int:
    """Exit code 1 with a known vulnerability, or a package that the database does not know."""
    silent = []
    for database in DATABASES:
        try:
            dependencies = asked(database)
        except NotReached as reason:
            silent.append(f"{database}: {reason}")
            continue
        vulnerabilities = problems(dependencies)
        print("\n".join(vulnerabilities) or f"{len(dependencies)} packages, no known vulnerability ({database})")
        return 1 if vulnerabilities else 0
    print(f"NOT CHECKED: no database of vulnerabilities answers ({'; '.join(silent)})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
