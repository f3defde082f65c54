"""Who else computes a kernel, and the arguments that it is tried with; `oracles.py` has the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import polars as pl

from reference import Arrays, Case


@dataclass(frozen=True)
class Oracle:
    """Who else computes a kernel."""

    cases: list[Case]
    pandas: Callable[[pd.DataFrame, Case], Any]
    polars: Callable[[Case], pl.Expr] | None = None
    numbagg: Callable[[Arrays, Case], Any] | None = None
    bottleneck: Callable[[Arrays, Case], Any] | None = None
    duckdb: Callable[[Case], str] | None = None
    # The largest error relative to the largest input that is put down to the others' rounding; 0 means the same bits.
    tolerance: float = 0.0
    # The arguments of the benchmark's rows except the window, if not those of the first case.
    bench: Case | None = None
    # Whether a result costs a pass over its window: too slow for long ones.
    passes: bool = False

    @property
    def timed(self) -> Case:
        """The arguments of the benchmark's rows, without those that say where a window begins and ends."""
        placed = ("window", "by", "min_samples", "closed", "center")
        return self.bench or {name: value for name, value in self.cases[0].items() if name not in placed}
