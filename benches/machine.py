"""What a time was taken on."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "hypostyle",
    "polars",
    "pandas",
    "numpy",
    "numba",
    "numexpr",
    "numbagg",
    "bottleneck",
    "statsmodels",
    "duckdb",
    "pyarrow",
)


def machine() -> dict[str, Any]:
    """The machine, the date, and the versions of all who took part."""
    return {
        "machine": {"cpu": processor(), "cores": os.cpu_count(), "system": platform.platform(terse=True)},
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": {"python": platform.python_version()} | {name: installed(name) for name in PACKAGES},
    }


def processor() -> str:
    """The model of the CPU, as Linux words it."""
    described = Path("/proc/cpuinfo")
    for line in described.read_text().splitlines() if described.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
