"""The catalog with the cases of the oracles, as expressions."""

from __future__ import annotations

from typing import Any, cast

import hypostyle as hs
from oracles import ORACLES, Case

NAMES: list[str] = hs.kernels()["name"].to_list()
ROW_FUNCTIONS: set[str] = set(hs.kernels().filter(family="row")["name"])


def call(name: str, case: Case, over: str | None = "key") -> hs.KernelExpr:
    """The kernel's function with the arguments of a case."""
    keyed: dict[str, Any] = {} if over is None or name in ROW_FUNCTIONS else {"over": over}
    return cast("hs.KernelExpr", getattr(hs, name)(**case, **keyed))


IN_MEMORY_ONLY = {"bfill", "interpolate"}
"""Kernels that need later rows whatever their parameters."""

STREAMING = [name for name in NAMES if name not in IN_MEMORY_ONLY]


def expressions(name: str, *, over: str | None = "key", streams: bool = False) -> list[hs.KernelExpr]:
    """Every case of a kernel, named by its number; with `streams` those alone that can run on a stream."""
    late = name in IN_MEMORY_ONLY
    cases = [c for c in ORACLES[name].cases if not (streams and (late or c.get("center")))]
    return [call(name, case, over).alias(f"{name}_{number}") for number, case in enumerate(cases)]
