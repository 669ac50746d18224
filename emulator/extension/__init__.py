"""What moto leaves out or does otherwise than AWS, added to moto's own backends and responses."""

from __future__ import annotations

from importlib import import_module
from threading import Lock

_MODULES = (
    "models",
    "endpoints",
    "components",
    "training",
    "tuning",
    "transforms",
    "notebooks",
    "clusters",
    "plans",
    "recommendations",
    "benchmarks",
    "listing",
    "tags",
    "search",
    "autoscaling",
    "cloudwatch",
    "mutes",
    "quotas",
    "trail",
)
_lock = Lock()
_installed = False


def install() -> None:
    """Adds the extension to moto in this process. Further calls do nothing."""
    global _installed
    with _lock:
        if _installed:
            return
        for module in _MODULES:
            import_module(f"{__name__}.{module}")
        for module in ("registry", "cloudwatch", "dynamodb", "ec2"):
            import_module(f"{__name__}.{module}").install()
        _installed = True
