"""Measures recurrences by key, on all threads, against numba loops with an array of states, polars and pandas.

    python benches/recurrence_keys.py        prints the table that recurrences.py adds to its page

The keys are numbers from 0 in random order, so that the loops need no look-up; beside, the same loops with
`pandas.factorize`, which finds such numbers for keys of any kind.  pandas is `groupby` with its own method, or `apply`
where it has none.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

import hypostyle as hs
import recurrence_loops as loops
from measure import best
from recurrences import ALPHA, Ways, compare

NAMES = ["hypostyle", "numba loop", "factorize, numba loop", "polars", "pandas"]


def main() -> None:
    """Prints the table."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=5_000_000)
    made.add_argument("--keys", type=int, default=5_000)
    made.add_argument("--budget", type=float, default=1.0, help="seconds for the calls behind each time (1.0)")
    options = made.parse_args()
    gc.freeze()
    print("\n".join(table(options.rows, options.keys, options.budget)))


def table(count: int, keys: int, budget: float) -> Iterator[str]:
    """The times of the kernels over so many rows of so many keys."""
    threads = pl.thread_pool_size()
    yield from ["", f"## {count:,} rows of {keys:,} keys, {threads} threads", ""]
    yield f"| | {' | '.join(NAMES)} | {' | '.join(f'ratio to {name}' for name in NAMES[1:])} |"
    yield "|---|" + "---:|" * (2 * len(NAMES) - 1)
    for kernel, ways in kernels(count, keys).items():
        compare(kernel, ways)
        times = {way: took / count * 1e9 for way, took in best(ways, budget).items()}
        cells = [f"{times[name]:.2f}" if name in times else "" for name in NAMES]
        ratios = [f"{times[name] / times['hypostyle']:.2f}" if name in times else "" for name in NAMES[1:]]
        yield f"| {kernel} | {' | '.join(cells)} | {' | '.join(ratios)} |"


def kernels(count: int, keys: int) -> dict[str, Ways]:
    """For each kernel, who computes it."""
    random = np.random.default_rng(7)
    x, flag, key = random.normal(size=count), random.random(count) < 0.01, random.integers(0, keys, count)
    gaps = np.where(random.random(count) < 0.3, np.nan, x)
    columns = {"x": x, "flag": flag, "key": key, "gaps": gaps}
    frame, pandas = pl.DataFrame(columns).with_columns(pl.col("gaps").fill_nan(None)), pd.DataFrame(columns)
    groups = pandas.groupby("key")

    def ours(kernel: Any) -> Callable[[], pl.DataFrame]:
        return lambda: frame.select(kernel)

    def theirs(expression: pl.Expr) -> Callable[[], pl.DataFrame]:
        return lambda: frame.select(expression.over("key"))

    def found() -> np.ndarray:
        return pd.factorize(key)[0]

    def in_order(results: Any) -> Any:
        """The results of groups that have the key before the row in their index."""
        return results.droplevel(0).sort_index()

    return {
        "shift(1)": {
            "hypostyle": ours(hs.shift("x", over="key")),
            "numba loop": lambda: loops.shift_by_key(x, key, keys),
            "factorize, numba loop": lambda: loops.shift_by_key(x, found(), keys),
            "polars": theirs(pl.col("x").shift(1)),
            "pandas": lambda: groups["x"].shift(1),
        },
        "cum_sum": {
            "hypostyle": ours(hs.cum_sum("x", over="key")),
            "numba loop": lambda: loops.cum_sum_by_key(x, key, keys),
            "factorize, numba loop": lambda: loops.cum_sum_by_key(x, found(), keys),
            "polars": theirs(pl.col("x").cum_sum()),
            "pandas": lambda: groups["x"].cumsum(),
        },
        "ewm_mean": {
            "hypostyle": ours(hs.ewm_mean("x", alpha=ALPHA, over="key")),
            "numba loop": lambda: loops.ewm_mean_by_key(x, key, keys, ALPHA),
            "factorize, numba loop": lambda: loops.ewm_mean_by_key(x, found(), keys, ALPHA),
            "polars": theirs(pl.col("x").ewm_mean(alpha=ALPHA)),
            "pandas": lambda: in_order(groups["x"].ewm(alpha=ALPHA).mean()),
        },
        "ewm_var": {
            "hypostyle": ours(hs.ewm_var("x", alpha=ALPHA, over="key")),
            "numba loop": lambda: loops.ewm_var_by_key(x, key, keys, ALPHA),
            "factorize, numba loop": lambda: loops.ewm_var_by_key(x, found(), keys, ALPHA),
            "polars": theirs(pl.col("x").ewm_var(alpha=ALPHA)),
            "pandas": lambda: in_order(groups["x"].ewm(alpha=ALPHA).var()),
        },
        "cumsum_reset": {
            "hypostyle": ours(hs.cumsum_reset("x", reset="flag", over="key")),
            "numba loop": lambda: loops.cumsum_reset_by_key(x, flag, key, keys),
            "factorize, numba loop": lambda: loops.cumsum_reset_by_key(x, flag, found(), keys),
            "pandas": lambda: in_order(
                groups[["x", "flag"]].apply(lambda group: group["x"].groupby(group["flag"].cumsum()).cumsum())
            ),
        },
        "cusum": {
            "hypostyle": ours(hs.cusum("x", 0.5, 5.0, over="key")),
            "numba loop": lambda: loops.cusum_by_key(x, key, keys, 0.5, 5.0),
            "factorize, numba loop": lambda: loops.cusum_by_key(x, found(), keys, 0.5, 5.0),
        },
        "ffill": {
            "hypostyle": ours(hs.ffill("gaps", over="key")),
            "numba loop": lambda: loops.ffill_by_key(gaps, key, keys),
            "factorize, numba loop": lambda: loops.ffill_by_key(gaps, found(), keys),
            "polars": theirs(pl.col("gaps").forward_fill()),
            "pandas": lambda: groups["gaps"].ffill(),
        },
        "bfill": {
            "hypostyle": ours(hs.bfill("gaps", over="key")),
            "numba loop": lambda: loops.bfill_by_key(gaps, key, keys),
            "factorize, numba loop": lambda: loops.bfill_by_key(gaps, found(), keys),
            "polars": theirs(pl.col("gaps").backward_fill()),
            "pandas": lambda: groups["gaps"].bfill(),
        },
        "interpolate": {
            "hypostyle": ours(hs.interpolate("gaps", over="key")),
            "polars": theirs(pl.col("gaps").interpolate()),
        },
        "streak": {
            "hypostyle": ours(hs.streak("flag", over="key")),
            "numba loop": lambda: loops.streak_by_key(flag, key, keys),
            "factorize, numba loop": lambda: loops.streak_by_key(flag, found(), keys),
            "pandas": lambda: in_order(
                groups["flag"].apply(lambda one: one.groupby((one != one.shift()).cumsum()).cumcount() + 1)
            ),
        },
    }


if __name__ == "__main__":
    main()
