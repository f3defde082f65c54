"""Mistakes of users: each line with the word MISTAKE must be an error for type checkers.  It is never run."""

from typing import Any

import polars as pl

import hypostyle as hs

frame = pl.DataFrame({"price": [1.0]})
mean = hs.rolling_mean("price", 20)

hs.rolling_mean("price")  # MISTAKE: no window
hs.rolling_mean("price", 20, closed="rigth")  # MISTAKE: an unknown choice
hs.col("price").rolling_men(20)  # MISTAKE: an unknown kernel
hs.col("price").rolling_mean(20, min_sample=3)  # MISTAKE: an unknown parameter
hs.col(3)  # MISTAKE: not a column
hs.lazy(frame)  # MISTAKE: not lazy
hs.lazy(frame.lazy()).with_columns(pl.col("price") * 2)  # MISTAKE: not a kernel
hs.lazy(frame.lazy()).with_columns(mean, save="next.state")  # MISTAKE: the parameter is save_state
hs.with_columns(frame.lazy(), pl.col("price") * 2)  # MISTAKE: not a kernel
hs.Stage(pl.col("price"))  # MISTAKE: not a kernel
hs.Stage(mean, time="ts")  # MISTAKE: the parameter is time_column
hs.explain(3)  # MISTAKE: nothing to explain


@hs.jit
def ratio(a: float, b: float) -> float:
    return a / b


@hs.scan(total=0.0)
def clipped(state: Any, x: float) -> tuple[Any, float]:
    return hs.state(total=x), x


@hs.rolling
def spread(window: Any) -> float:
    return 1.0


ratio([1.0], [2.0])  # MISTAKE: lists are not columns
ratio("a", "b").rolling_mean("c")  # MISTAKE: an expression has no window of a column
ratio(1.0, 2.0).alias("r")  # MISTAKE: a number has no name
ratio("a", "b", over=3)  # MISTAKE: not a key column
clipped({"x": 1.0})  # MISTAKE: a row is not a column
number: float = spread("x", 3)  # MISTAKE: an expression is not a number
spread("x", 3, closed="rigth")  # MISTAKE: an unknown choice
