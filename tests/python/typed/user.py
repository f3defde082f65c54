"""A user's file, as type checkers see it: nothing in it is an error.  It is never run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from typing_extensions import assert_type

import hypostyle as hs

frame = pl.DataFrame({"symbol": ["a", "b"], "price": [1.0, 5.0]})

# Functions, and methods of a column.
mean = hs.rolling_mean("price", 20, over="symbol")
assert_type(mean, hs.KernelExpr)
assert_type(mean.alias("m20"), hs.KernelExpr)
assert_type(hs.col("price").rolling_mean(20, over=["symbol"], closed="left"), hs.KernelExpr)
assert_type(hs.col(pl.col("price") * 2).ewm_mean(span=3).alias("e"), hs.KernelExpr)
assert_type(hs.rolling_ols("y", ["a", "b"], 50, fields=["coefficients"]), hs.KernelExpr)
assert_type(hs.struct(mean, last=hs.expanding_last("price")), pl.Expr)

# Frames: each call returns the type that it was given.
assert_type(hs.with_columns(frame, mean, pl.col("price") * 2, [mean], n=pl.lit(1)), pl.DataFrame)
assert_type(hs.with_columns(frame.lazy(), mean, m=mean), pl.LazyFrame)
assert_type(hs.with_columns(pd.DataFrame({"price": [1.0]}), [mean]), pd.DataFrame)
assert_type(frame.with_columns(mean), pl.DataFrame)

# LazyFrames.
lf = hs.lazy(frame.lazy()).with_columns(mean.alias("m"), high=hs.col("price").expanding_max(), progress=True)
assert_type(lf, pl.LazyFrame)
assert_type(hs.lazy(lf).with_columns(state=hs.Stage(mean), save_state="next.state", progress=print), pl.LazyFrame)
assert_type(hs.explain(lf), str)

# Stages.
stage = hs.Stage([mean, hs.expanding_max("price", over="symbol").alias("high")], time_column="ts")
assert_type(stage.advance(frame), pl.DataFrame)
assert_type(stage.peek(pd.DataFrame({"price": [1.0]})), pd.DataFrame)
assert_type(stage.advance_row({"symbol": "a", "price": 1.0}), dict[str, Any])
assert_type(stage.kernels, list[hs.KernelExpr])
assert_type(hs.explain(stage), str)

# Pipelines.
pipeline = hs.Pipeline.from_file("pipeline.toml")
summary = pipeline.run(progress=True)
assert_type(pipeline.run(progress=lambda progress: print(progress.rows_written)).rows_read, int)
assert_type(hs.explain(pipeline), str)


# Functions of a row: columns give an expression, a Series a Series, numbers what the function returns.
@hs.jit
def ratio(a: float, b: float = 1.0) -> float | None:
    return a / b if b > 0 else None


assert_type(ratio("a", "b"), hs.KernelExpr)
assert_type(ratio("a", 2.0, over="symbol").alias("r"), hs.KernelExpr)
assert_type(ratio(pl.col("a"), b="b"), hs.KernelExpr)
assert_type(ratio(frame["price"], 2), pl.Series)
assert_type(ratio(3.0, 2.0), float | None)
numbers_of_numpy = ratio(np.array([1.0]), 2.0)
numbers_of_pandas = ratio(pd.Series([1.0]), over=pd.Series(["a"]))
column_second = ratio(1.0, "b")
by_name = ratio(a="a", b="b")
assert_type(hs.explain(ratio), str)
assert_type(ratio.ir(a="int"), str)


@hs.jit(errors="raise", outputs=["low", "high"])
def band(x: float, width: float) -> tuple[float, float]:
    return x - width, x + width


assert_type(band("x", 2.0), hs.KernelExpr)
assert_type(band(1.0, 2.0), tuple[float, float])
assert_type(hs.jit("lambda x: x + 1")("x"), hs.KernelExpr)
assert_type(hs.jit(lambda x: x + 1)("x"), hs.KernelExpr)


# Functions with a state.
@hs.scan(total=0.0)
def clipped(state: Any, x: float, high: float = 4.0) -> tuple[Any, float]:
    total = min(state.total + x, high)
    return hs.state(total=total), total


assert_type(clipped("x", over="symbol"), hs.KernelExpr)
assert_type(clipped("x", high=2.0), hs.KernelExpr)
assert_type(clipped(frame["price"]), pl.Series)


# Loops over arrays.
@hs.loop
def smooth(x: np.ndarray, alpha: float = 0.1) -> np.ndarray:
    out = np.empty(len(x))
    level = 0.0
    for i in range(len(x)):
        level += alpha * (x[i] - level)
        out[i] = level
    return out


@hs.loop(errors="raise")
def total(x: Sequence[float]) -> Sequence[float]:
    return x


assert_type(smooth("x", 0.2), hs.KernelExpr)
assert_type(smooth(np.zeros(3), 0.2), np.ndarray)
assert_type(total("x"), hs.KernelExpr)


# Statistics of a window.
@hs.rolling
def spread(window: np.ndarray, factor: float = 1.0) -> float:
    return float(factor * (window.max() - window.min()))


assert_type(spread("x", 20, over="symbol", factor=2.0), hs.KernelExpr)
assert_type(spread("x", "5m", by="ts"), hs.KernelExpr)
assert_type(spread(np.array([1.0, 2.0])), float)
assert_type(hs.Stage([spread("x", 3), clipped("x")]).n_rows, int)
