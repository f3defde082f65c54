"""Right values where floats end: integers beyond 2^53, extreme scales, infinities, empty windows, ends of 64 bits."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import polars as pl
import pytest

import hypostyle as hs

BIG = 2**53
NS = 1_700_000_000_000_000_000


def column(kernel: Any, **columns: Any) -> list[Any]:
    """The results in one frame, after a look that a stage has the same row by row."""
    frame = pl.DataFrame(columns)
    whole = frame.select(kernel.alias("result"))["result"]
    stage = hs.Stage(kernel.alias("result"))
    rows = pl.concat([stage.advance(frame[row : row + 1]) for row in range(len(frame))])["result"]
    assert rows.equals(whole)
    return whole.to_list()


def floats(results: list[Any]) -> list[float]:
    """The results, NaN where there is none."""
    return [math.nan if x is None else x for x in results]


def last(kernel: Any, **columns: Any) -> Any:
    return column(kernel, **columns)[-1]


def test_orders_compare_integers() -> None:
    assert column(hs.rolling_rank("x", 2), x=[BIG, BIG + 1]) == [None, 2.0]
    assert column(hs.expanding_rank("x", method="dense"), x=[BIG, BIG + 1, BIG]) == [1.0, 2.0, 1.0]
    assert column(hs.rolling_range("x", 2), x=[BIG + 1, BIG]) == [None, 1.0]
    assert last(hs.rolling_range("x", 2), x=[-(2**63), 2**63 - 1]) == 2.0**64
    assert last(hs.rolling_nunique("x", 3), x=[BIG, BIG + 1, BIG + 2]) == 3
    assert last(hs.rolling_mode("x", 3), x=[BIG, BIG + 1, BIG + 1]) == BIG + 1
    assert last(hs.rolling_entropy("x", 2, base=2), x=[BIG, BIG + 1]) == 1.0
    assert last(hs.rolling_spearman("x", "y", 3), x=[NS, NS + 1, NS + 2], y=[1.0, 2.0, 3.0]) == 1.0
    assert last(hs.rolling_top_n("x", "order", 1, 2), x=[1.0, 2.0], order=[NS, NS + 1]) == 2.0
    assert last(hs.rolling_rank("x", 2), x=pl.Series([2**64 - 2, 2**64 - 1], dtype=pl.UInt64)) == 2.0


def test_orders_take_times() -> None:
    times = pl.Series([NS, NS + 1, NS], dtype=pl.Datetime("ns"))
    assert column(hs.rolling_rank("t", 2, min_samples=1), t=times) == [1.0, 2.0, 1.0]
    assert column(hs.expanding_nunique("t"), t=times) == [1, 2, 2]
    assert column(hs.expanding_mode("t"), t=times) == [times[0]] * 3


@pytest.mark.parametrize("base", [BIG, 100 * BIG, NS, 2**63 - 10, -(2**63), 0])
def test_differences_of_integers_are_exact(base: int) -> None:
    steps = [0, 3, 1, 7, 2]
    xs, other = [base + step for step in steps], [2.0, 1.0, 4.0, 3.0, 9.0]
    small = [float(step) for step in steps]
    for kernel in (
        hs.rolling_var("x", 4),
        hs.rolling_std("x", 3),
        hs.rolling_sem("x", 4),
        hs.rolling_skew("x", 4),
        hs.rolling_kurt("x", 5),
        hs.rolling_zscore("x", 3),
        hs.rolling_iqr("x", 4),
        hs.rolling_mad("x", 3),
        hs.rolling_robust_zscore("x", 3),
        hs.rolling_hampel("x", 3),
        hs.rolling_trend("x", 4),
        hs.rolling_cov("x", "y", 4),
        hs.rolling_corr("x", "y", 4),
        hs.rolling_corr("y", "x", 4),
        hs.rolling_autocorr("x", 3),
        hs.rolling_coskew("x", "y", 4),
        hs.rolling_cokurt("y", "x", 4),
        hs.rolling_beta("x", "y", 4),
        hs.rolling_r2("y", "x", 4),
        hs.expanding_var("x"),
        hs.expanding_corr("x", "y"),
    ):
        assert column(kernel, x=xs, y=other) == column(kernel, x=small, y=other), kernel


@pytest.mark.parametrize("scale", [1e153, 1e154, 1e300, 1e-110, 1e-160, 1e-250, 1e-300])
def test_scales_change_nothing_but_the_exponent(scale: float) -> None:
    ordinary, ys = np.array([1.0, 2.0, 4.0, 8.0, 3.0]), [1.0, 3.0, 2.0, 5.0, 8.0]
    xs = (ordinary * scale).tolist()
    for kernel in (
        hs.rolling_corr("x", "y", 4),
        hs.rolling_r2("y", "x", 4),
        hs.rolling_zscore("x", 4),
        hs.rolling_skew("x", 3),
        hs.rolling_kurt("x", 4),
        hs.rolling_partial_corr("x", "y", "z", 4),
        hs.rolling_weighted_corr("x", "y", "z", 4),
        hs.rolling_coskew("x", "y", 4),
        hs.expanding_corr("x", "y"),
        hs.expanding_zscore("x"),
        hs.expanding_skew("x"),
        hs.rolling_corr("x", "y", "4i", by="t"),
    ):
        more = {"y": ys, "z": [1.0, 2.0, 1.0, 3.0, 1.0], "t": [0, 1, 2, 3, 4]}
        found, expected = column(kernel, x=xs, **more), column(kernel, x=ordinary.tolist(), **more)
        assert floats(found) == pytest.approx(floats(expected), rel=1e-13, nan_ok=True), kernel
    for kernel in (hs.rolling_std("x", 4), hs.expanding_std("x"), hs.rolling_sem("x", 3)):
        found, expected = column(kernel, x=xs), column(kernel, x=ordinary.tolist())
        unscaled = [x and x / scale for x in found]
        assert floats(unscaled) == pytest.approx(floats(expected), rel=1e-13, nan_ok=True), kernel


def test_scales_may_change_within_a_column() -> None:
    xs = [0.0, 1e-200, 3e-200, 1e-300, 1.0, 2.0, 1e200, 3e200, 1e-200, 5.0, 6.0, 8.0]
    found = column(hs.expanding_std("x"), x=xs)
    assert found[2] == pytest.approx(np.std([0.0, 1.0, 3.0], ddof=1) * 1e-200, rel=1e-13)
    assert found[5] == pytest.approx(np.std([0.0, 0.0, 0.0, 0.0, 1.0, 2.0], ddof=1), rel=1e-13)
    assert found[7] == pytest.approx(np.std([0.0] * 6 + [1.0, 3.0], ddof=1) * 1e200, rel=1e-13)
    rolling = column(hs.rolling_var("x", 3), x=xs)
    assert rolling[-1] == pytest.approx(7 / 3, rel=1e-15)
    assert rolling[7] == math.inf


def test_a_result_too_large_is_infinite() -> None:
    assert last(hs.rolling_var("x", 2), x=[1e200, -1e200]) == math.inf
    assert last(hs.rolling_cov("x", "y", 2), x=[1e200, -1e200], y=[1e200, -1e200]) == math.inf
    assert last(hs.expanding_var("x"), x=[1e200, -1e200]) == math.inf


def test_infinities_make_a_covariance_nan() -> None:
    assert math.isnan(last(hs.rolling_cov("x", "y", 3), x=[1.0, math.inf, 2.0], y=[1.0, 3.0, 2.0]))


def test_quantiles_stay_between_their_values() -> None:
    assert last(hs.rolling_quantile("x", 0.25, 2), x=[-math.inf, 1.0]) == -math.inf
    assert last(hs.rolling_quantile("x", 0.25, 2), x=[1.0, math.inf]) == math.inf
    assert last(hs.rolling_quantile("x", 0.5, 2), x=[-1.7e308, 1.7e308]) == 0.0
    assert last(hs.rolling_quantile("x", 0.25, 2), x=[-1e308, 1e308]) == -5e307
    assert last(hs.rolling_iqr("x", 2), x=[-1e308, 1e308]) == 1e308


def test_equal_values_do_not_vary() -> None:
    constant = [-1e16 - 2] * 4
    assert last(hs.rolling_fir_var("x", 4, weights="hann"), x=constant) == 0.0
    assert last(hs.rolling_top_n("x", "x", 3, 4, statistic="std"), x=[0.1] * 4) == 0.0


def test_windows_from_a_column_at_the_edges() -> None:
    count = hs.rolling_count("x", {"length": "n"}, closed="both")
    assert column(count, x=[1.0, 2.0, 3.0, 4.0], n=[1, 0, -1, 2]) == [1, 0, 0, 3]
    total = hs.rolling_sum("x", {"length": "n"}, by="t", min_samples=0)
    assert column(total, x=[3.0], n=[1], t=[-(2**63)]) == [3.0]
    assert column(total, x=[1.0, 3.0], n=[1, 0], t=[2**63 - 2, 2**63 - 1]) == [1.0, 0.0]


def test_a_stage_lets_a_window_go_back_where_no_row_was_dropped() -> None:
    total = hs.rolling_sum("x", {"length": "n"})
    assert column(total, x=[1.0, 2.0, 4.0], n=[1, 3, 9]) == [1.0, 3.0, 7.0]
    start = hs.rolling_sum("x", {"start": "s"})
    assert column(start, x=[1.0, 2.0, 4.0], s=[-1, -5, -3]) == [1.0, 3.0, 7.0]
    stage = hs.Stage(total.alias("sum"))
    stage.advance(pl.DataFrame({"x": [1.0, 2.0], "n": [1, 1]}))
    with pytest.raises(ValueError, match="window start decreases"):
        stage.advance(pl.DataFrame({"x": [4.0], "n": [3]}))
    assert stage.advance(pl.DataFrame({"x": [4.0], "n": [2]}))["sum"].to_list() == [6.0]


@pytest.mark.parametrize("closed", ["right", "both", "left", "neither"])
def test_a_window_of_time_may_start_before_the_first_row(closed: str) -> None:
    times, lengths = [0, 10, 20], [1, 20, 500]
    frame = pl.DataFrame({"k": ["a"] * 3, "x": [1.0, 2.0, 4.0], "t": times, "n": lengths})
    frame = frame.with_columns(s=pl.col("t") - pl.col("n"))
    for window in ({"length": "n"}, {"start": "s"}):
        for over in (None, "k"):
            total = hs.rolling_sum("x", window, by="t", closed=closed, min_samples=0, over=over).alias("sum")
            whole = frame.select(total)["sum"].to_list()
            assert hs.Stage(total).advance(frame)["sum"].to_list() == whole
            rows = hs.Stage(total)
            rows.set_schema(frame.schema)
            assert [rows.advance_row(row)["sum"] for row in frame.to_dicts()] == whole
            assert frame.lazy().hs.with_columns(total).collect()["sum"].to_list() == whole


def test_a_window_that_holds_its_start_may_start_at_the_first_row() -> None:
    total = hs.rolling_sum("x", {"length": "n"}, closed="both").alias("sum")
    frame = pl.DataFrame({"x": [1.0, 2.0, 4.0], "n": [1, 1, 2]})
    assert hs.Stage(total).advance(frame)["sum"].to_list() == [1.0, 3.0, 7.0]
    stage = hs.Stage(total)
    stage.advance(frame)
    assert stage.advance(pl.DataFrame({"x": [8.0], "n": [9]}))["sum"].to_list() == [15.0]
    stage.advance(pl.DataFrame({"x": [16.0], "n": [1]}))
    with pytest.raises(ValueError, match="window start decreases"):
        stage.advance(pl.DataFrame({"x": [32.0], "n": [3]}))


def test_windows_of_one_column_with_other_ends_keep_the_rows_of_both() -> None:
    ends = ("right", "both")
    for kinds in (ends, ends[::-1]):
        sums = [hs.rolling_sum("x", {"start": "s"}, closed=closed, min_samples=0).alias(closed) for closed in kinds]
        stage = hs.Stage(sums)
        out = stage.advance(pl.DataFrame({"x": [1.0, 2.0], "s": [0, 1]}))
        assert (out["right"].to_list(), out["both"].to_list()) == ([0.0, 0.0], [1.0, 2.0])
        with pytest.raises(ValueError, match="window start decreases"):
            stage.advance(pl.DataFrame({"x": [4.0], "s": [0]}))


def test_equal_floats_are_one_key() -> None:
    for keys in ([{"a": math.nan}, {"a": -math.nan}], [[0.0], [-0.0]], [math.nan, -math.nan]):
        assert column(hs.expanding_sum("x", over="k"), k=keys, x=[1.0, 2.0]) == [1.0, 3.0]


def test_first_comes_first() -> None:
    assert column(hs.expanding_rank("x", method="first"), x=[2.0, 1.0, 2.0, 1.0]) == [1.0, 1.0, 3.0, 2.0]
    assert column(hs.rolling_nunique("x", 2, min_samples=0), x=[None, None, 1.0]) == [0, 0, 1]


def test_ranks_of_f32_count_beyond_2_to_the_24() -> None:
    frame = pl.DataFrame({"x": pl.Series([0.5, 0.5], dtype=pl.Float32)})
    assert frame.select(hs.expanding_rank("x", method="max"))["x"].dtype == pl.Float64


def test_equal_values_cost_no_more() -> None:
    random = np.random.default_rng(0)
    normal = random.normal(size=100_000)
    ties = np.where(random.random(100_000) < 0.9, 0.0, normal)
    for kernel in (hs.expanding_rank("x"), hs.expanding_trimmed_mean("x"), hs.rolling_rank("x", 50_000, closed="left")):
        took = []
        for values in (normal, ties):
            frame, begin = pl.DataFrame({"x": values}), time.perf_counter()
            frame.select(kernel)
            took.append(time.perf_counter() - begin)
        assert took[1] < 5 * took[0] + 0.1, kernel


def test_row_functions_take_numbers_and_columns() -> None:
    weights, notionals = [0.1, 0.7, -3.0], [3.0, 0.3, 7.0]
    factors = [0.1, 0.2, 0.3]

    def loop(weight: float, notional: float, row: list[float]) -> float:
        total = 0.0
        for factor in row:
            total += weight * factor
        return total / notional

    scores = column(hs.risk_score("w", "n", factors), w=weights, n=notionals)
    assert scores == [loop(w, n, factors) for w, n in zip(weights, notionals, strict=True)]
    mixed = column(hs.risk_score(2, "n", ["w", 0.25, "n", 1]), w=weights, n=notionals)
    assert mixed == [loop(2.0, n, [w, 0.25, n, 1.0]) for w, n in zip(weights, notionals, strict=True)]
    long = [0.01 * at for at in range(1, 40)]
    assert column(hs.risk_score("w", 4.0, long), w=weights) == [loop(w, 4.0, long) for w in weights]
    dots = column(hs.row_dot(["w", 3, "n", "w"], [0.5, "n", 2, "w"]), w=weights, n=notionals)
    assert dots == [((0.0 + 0.5 * w) + n * 3) + 2 * n + w * w for w, n in zip(weights, notionals, strict=True)]
    assert column(hs.risk_score("w", "n", 0.5), w=[1.0, None], n=[2.0, 2.0]) == [0.25, None]
    assert math.copysign(1.0, last(hs.risk_score("w", 1.0, [-1.0]), w=[0.0])) == 1.0
    for kernel in (hs.risk_score, hs.row_dot):
        with pytest.raises(ValueError, match="names no column"):
            kernel(*((1, 2, [3]) if kernel is hs.risk_score else ([1], [2])))
    with pytest.raises(ValueError, match="is empty"):
        hs.risk_score("w", "n", [])


def test_floats_of_a_specification_keep_their_bits() -> None:
    frame = pl.DataFrame({"x": [0.0]})
    for initial in np.random.default_rng(3).random(200).tolist():
        kernel = hs.cumsum_clip("x", -math.inf, math.inf, initial=initial)
        assert frame.select(kernel)["x"][0] == initial
    constant = hs.jit(lambda x: x + 0.9901541646340137)
    assert frame.select(constant("x"))["x"][0] == 0.9901541646340137


def test_functions_of_rows_are_the_same_on_several_threads() -> None:
    random = np.random.default_rng(4)
    rows = 100_003
    frame = pl.DataFrame({"x": random.normal(size=rows), "i": random.integers(-9, 9, rows)}).with_columns(
        pl.when(pl.col("i") != 3).then("x").alias("holes")
    )
    functions = [
        hs.jit(lambda x, i: x * 2 + i if x > 0 else None),
        hs.jit(lambda holes, i: math.exp(holes) / i),
        hs.jit(lambda holes, i: 1.0 if holes is None else holes + i),
        hs.jit(lambda x, i: (x > 0.5, i // 2)),
    ]
    for function, names in zip(functions, [("x", "i"), ("holes", "i"), ("holes", "i"), ("x", "i")], strict=True):
        kernel = function(*names).alias("r")
        one, several = (hs.Stage(kernel, threads=threads).advance(frame) for threads in (1, 4))
        assert several["r"].equals(one["r"], null_equal=True)
        assert one["r"].head(1_000).equals(frame.head(1_000).select(kernel)["r"])
