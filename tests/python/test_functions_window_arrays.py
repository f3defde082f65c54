"""`hs.rolling`: array expressions over the window give what NumPy and Python give of each window."""

# ruff: noqa: B905, RUF007, RET505, SIM108
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

import hypostyle

hs: Any = hypostyle

NAN, INF = math.nan, math.inf

# Ties, zeros and both signs; then what spoils a mean.
PLAIN = [
    1.0,
    2.5,
    -3.0,
    4.0,
    0.0,
    4.0,
    4.0,
    -1.25,
    0.5,
    0.0,
    0.0,
    7.0,
    -2.0,
    -2.0,
    3.5,
    9.0,
    8.0,
    8.5,
    -6.0,
    1.0,
    2.0,
    2.0,
    5.5,
    0.25,
]
SPOILED = [1.0, NAN, 3.0, -2.0, 0.0, INF, 1.0, 2.0, 3.0, 2.0, -INF, 0.0, NAN, NAN, NAN, 4.0, 4.0, -0.0, 5.0, 2.0, 1.5]
PRICES = [10.0, 10.5, 10.25, 11.0, 11.0, 9.5, 9.75, 12.0, 12.5, 12.25, 11.75, 13.0, 13.5, 14.25, 13.0, 12.0, 12.0, 15.0]
SIZES = (1, 2, 3, 4, 5, 8, 13, 20)

WEIGHTS = (0.5, 0.3, 0.2)
LAG = 2


def expected(function: Any, window: np.ndarray[Any, Any]) -> Any:
    """Return what the function gives of one window; None where it raises."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = function(window)
    except (ArithmeticError, ValueError, IndexError, TypeError, np.linalg.LinAlgError):
        return None
    return found.item() if isinstance(found, np.generic) else found


def assert_same(got: Any, want: Any, where: str) -> None:
    if isinstance(want, tuple):
        for one, other in zip(got.values(), want, strict=True):
            assert_same(one, other.item() if isinstance(other, np.generic) else other, where)
    elif want is None or got is None:
        assert got is want, f"{where}: {got}, not {want}"
    elif isinstance(want, float) and math.isnan(want):
        assert math.isnan(got), f"{where}: {got}, not NaN"
    else:
        assert got == pytest.approx(want, rel=1e-9, abs=1e-12), where


def check(function: Any, values: list[float], sizes: tuple[int, ...] = SIZES) -> None:
    """Compare a compiled function with Python over windows of a column."""
    compiled = hs.rolling(function)
    frame = pl.DataFrame({"x": values})
    seen = set()
    for size in sizes:
        got = frame.select(compiled("x", size, min_samples=1).alias("y"))["y"].to_list()
        for row, value in enumerate(got):
            window = np.array(values[max(0, row + 1 - size) : row + 1])
            want = expected(function, window)
            seen.add(repr(want))
            assert_same(value, want, f"size {size}, row {row}, {window.tolist()}")
    assert len(seen) > 1, "the function tells no windows apart"


# As people write them


def mean_return(w):
    return np.mean(w[1:] / w[:-1] - 1)


def volatility(w):
    returns = np.diff(np.log(w))
    return returns.std(ddof=1) * np.sqrt(252)


def downside(w, target=0.0):
    below = np.minimum(w - target, 0.0)
    return np.sqrt(np.mean(below**2))


def downside_of_mask(w):
    losses = w[w < 0]
    return np.sqrt(np.mean(np.square(losses))) if len(losses) > 0 else 0.0


def hit_rate(w):
    return np.mean(w > 0)


def hit_rate_of_differences(w):
    return (np.diff(w) > 0).sum() / (len(w) - 1)


def slope(w):
    x = np.arange(len(w))
    return np.polyfit(x, w, 1)[0]


def line(w):
    if len(w) < 2:
        return None
    slope, intercept = np.polyfit(np.arange(len(w)), w, 1)
    return slope * len(w) + intercept


def slope_by_hand(w):
    n = len(w)
    if n < 2:
        return np.nan
    x = np.arange(n)
    xm = x.mean()
    return ((x - xm) * (w - w.mean())).sum() / ((x - xm) ** 2).sum()


def weighted(w):
    weights = np.arange(1, len(w) + 1)
    return np.dot(w, weights) / weights.sum()


def average(w):
    return np.average(w, weights=np.arange(1, len(w) + 1))


def faded(w):
    weights = 0.9 ** np.arange(len(w))[::-1]
    return np.sum(w * weights) / np.sum(weights)


def crossings(w):
    return np.sum(np.sign(w[1:]) != np.sign(w[:-1]))


def crossings_by_product(w):
    return ((w[:-1] * w[1:]) < 0).sum()


def longest_streak(w):
    best = current = 0
    for v in w:
        if v > 0:
            current += 1
            best = max(best, current)
        else:
            current = 0
    return best


def sharpe(w):
    r = np.diff(w) / w[:-1]
    if len(r) < 2 or r.std() == 0:
        return np.nan
    return r.mean() / r.std(ddof=1) * np.sqrt(252)


def max_drawdown(w):
    peak = w[0]
    worst = 0.0
    for price in w:
        if price > peak:
            peak = price
        worst = min(worst, price / peak - 1)
    return worst


def max_drawdown_accumulated(w):
    peaks = np.maximum.accumulate(w)
    return ((w - peaks) / peaks).min()


def drawdown_of_returns(w):
    growth = np.cumprod(1 + w / 100)
    return np.min(growth / np.maximum.accumulate(growth) - 1)


def autocorrelation(w):
    d = w - w.mean()
    return (d[1:] * d[:-1]).sum() / (d * d).sum()


def autocorrelation_of_lag(w, k=3):
    m = np.mean(w)
    return np.sum((w[k:] - m) * (w[:-k] - m)) / np.sum((w - m) ** 2)


def autocorrelation_by_corrcoef(w):
    if len(w) < 3:
        return None
    return np.corrcoef(w[:-1], w[1:])[0, 1]


def covariance(w):
    return np.cov(w[:-LAG], w[LAG:])[0, 1]


def energy(w):
    return np.sum(np.abs(w) ** 2)


def root_mean_square(w):
    return np.sqrt(np.mean(w**2))


def share_above_mean(w):
    return (w > w.mean()).mean()


def rsi(w):
    d = np.diff(w)
    up = d[d > 0].sum()
    down = -d[d < 0].sum()
    if up + down == 0:
        return 50.0
    return 100 * up / (up + down)


def rsi_of_means(w):
    deltas = np.diff(w)
    gain = np.where(deltas > 0, deltas, 0).mean()
    loss = np.where(deltas < 0, -deltas, 0).mean()
    return 100 - 100 / (1 + gain / loss)


def entropy(w):
    p = np.abs(w) / np.sum(np.abs(w))
    p = p[p > 0]
    return -(p * np.log(p)).sum()


def skewness(w):
    d = w - np.mean(w)
    s = np.std(w)
    return np.mean(d**3) / s**3 if s > 1e-9 else 0.0


def zscore(w):
    return (w[-1] - w[:-1].mean()) / w[:-1].std(ddof=1)


def momentum(w):
    return w[-3:].mean() - w[:3].mean()


def halves(w):
    h = len(w) // 2
    return w[h:].mean() - w[:h].mean()


def middle(w):
    return w[len(w) // 2]


def third(w):
    return w[2] - w[-2]


def turning_points(w):
    n = 0
    for i in range(1, len(w) - 1):
        if w[i] > w[i - 1] and w[i] > w[i + 1]:
            n += 1
    return n


def ups(w):
    n = 0
    for i in range(1, len(w)):
        if w[i] <= w[i - 1]:
            continue
        n += 1
    return n


def steps_ahead(w):
    total = 0.0
    for i in range(len(w) - 1):
        total += abs(w[i + 1] - w[i])
    return total


def wrapped(w):
    total = 0.0
    for i in range(len(w)):
        total += w[i] * w[i - 1]
    return total


def last_position(w):
    where = -1
    for i, v in enumerate(w):
        if v > 3:
            where = i
    return where


def first_position(w):
    for i, v in enumerate(w, start=1):
        if v < 0:
            return i
    return 0


def pairs(w):
    n = 0
    for a, b in zip(w[:-1], w[1:]):
        if a * b < 0:
            n += 1
    return n


def neighbors(w):
    best = 0.0
    for i, (a, b) in enumerate(zip(w, w[1:])):
        if b - a > best:
            best = (b - a) * (i + 1)
    return best


def pairwise_steps(w):
    return sum(abs(b - a) for a, b in pairwise(w)) + max((b - a for a, b in pairwise(w)), default=0.0)


def zipped_strictly(w):
    total = 0.0
    for i, a, b in zip(range(1, len(w)), w[:-1], w[1:], strict=True):
        total += i * (b - a)
    return total


def differences(w):
    up, down = 0.0, 0.0
    for d in np.diff(w):
        if d > 0:
            up += d
        else:
            down -= d
    return up - 2 * down


def recent(w):
    total = 0.0
    for v in w[-3:]:
        total = 0.5 * total + v
    return total


def weights_by_zip(w):
    return sum(a * b for a, b in zip(w, WEIGHTS))


def weights_of_tuple(w, weights=(0.2, 0.3, 0.5)):
    if len(w) != 3:
        return None
    return np.dot(w, weights)


def weights_of_last(w):
    weights = np.array([0.25, 0.75])
    return (w[-2:] * weights).sum() / weights.sum() if len(w) >= 2 else w[0]


def positive_sum(w):
    return sum(v * v for v in w if v > 0)


def lists(w):
    gains = [v for v in w if v > 0]
    losses = [-v for v in w if v < 0]
    if not gains or not losses:
        return 0.0
    return (sum(gains) / len(gains)) / (sum(losses) / len(losses))


def bounds(w):
    return max(abs(v) for v in w) - min(v * 2 for v in w)


def over_the_mean(w):
    m = w.mean()
    return len([v for v in w if v > m]) / len(w)


def quotient_in_branch(w):
    if len(w) > 4:
        if w.std() > 0:
            return np.mean(((w - w.mean()) / w.std()) ** 4)
        return -1.0
    elif len(w) > 2:
        total = 0.0
        for v in w:
            total += v
        return total
    else:
        return 0.5


def logs_when_positive(w):
    return sum(math.log(v) for v in w) if min(w) > 0 else -1.0


def log_or_none(w):
    ok = all(v > 0 for v in w) and sum(math.log(v) for v in w) > 1
    return 1 if ok else 0


def largest_of_mask(w):
    return max(w[w > 1]) if (w > 1).any() else 0.0


def rebound(w):
    w = np.asarray(w)
    w = w[w != 0]
    return w.mean() + len(w)


def pairs_of_results(w):
    up = np.sum(w > 0)
    return up, np.max(np.abs(w)), len(w)


def positions(w):
    return np.argmax(w) - w.argmin()


def outliers(w):
    return np.sum(np.abs(w - w.mean()) > 1.5 * w.std())


def hurst_like(w):
    y = np.cumsum(w - w.mean())
    return (y.max() - y.min()) / w.std()


def second_differences(w):
    return np.abs(w[2:] - 2 * w[1:-1] + w[:-2]).sum()


def every_other(w):
    total = 0.0
    for i in range(len(w)):
        if i % 2 == 0:
            total += w[i]
    return total


def stop_at_zero(w):
    n = 0
    for i in range(1, len(w)):
        if w[i] == 0:
            break
        n += i
    return n


def both_conditions(w):
    return ((w > 0) & (w < 4) | ~(w >= -1)).sum()


def clipped(w):
    return np.clip(w, -1, 2).sum() + w.clip(0, 3).mean()


def mean_of_squares_at(w):
    return (w @ w) / len(w) + np.linalg.norm(w)


def spacing(w):
    return np.dot(np.linspace(0, 1, len(w)), w)


def contains(w):
    return 4.0 in w


def window_statistics_beside(w):
    n = 0
    for v in w:
        if v > w.mean() + 0.5 * w.std(ddof=1):
            n += 1
    return n + w.max() - w.min() + w.sum() + np.ptp(w) + w.var()


def even_and_odd(w):
    return np.sum(w * (np.arange(len(w)) % 2)) / (1 + np.arange(len(w)) // 2).sum()


def count_zeros(w):
    return np.count_nonzero(w == 0) + np.count_nonzero(w)


FUNCTIONS: list[Any] = [
    mean_return, downside, downside_of_mask, hit_rate, hit_rate_of_differences, slope, line, slope_by_hand, weighted,
    average, faded, crossings, crossings_by_product, longest_streak, autocorrelation, autocorrelation_of_lag,
    autocorrelation_by_corrcoef, covariance, energy, root_mean_square, share_above_mean, rsi, rsi_of_means, entropy,
    skewness, zscore, momentum, halves, middle, third, turning_points, ups, steps_ahead, wrapped, last_position,
    first_position, pairwise_steps, zipped_strictly, pairs, neighbors, differences, recent, weights_by_zip,
    weights_of_tuple, weights_of_last, positive_sum, lists, bounds, over_the_mean, quotient_in_branch,
    logs_when_positive, log_or_none, largest_of_mask, rebound, pairs_of_results, positions, outliers, hurst_like,
    second_differences, every_other, stop_at_zero,
    both_conditions, clipped, mean_of_squares_at, spacing, contains, window_statistics_beside, even_and_odd,
    count_zeros, drawdown_of_returns,
]  # fmt: skip

OF_PRICES: list[Any] = [volatility, sharpe, max_drawdown, max_drawdown_accumulated, mean_return, rsi, line]

# One expression each.
REDUCTIONS: list[Any] = [
    lambda w: np.sum(w * 2),
    lambda w: np.mean(w - 1),
    lambda w: np.prod(1 + w / 10),
    lambda w: np.max(w * -1),
    lambda w: np.amin(w[1:]),
    lambda w: (w * 2).max(),
    lambda w: np.any(w > 8),
    lambda w: np.all(w > -3),
    lambda w: any(w),
    lambda w: all(w),
    lambda w: any(v > 8 for v in w),
    lambda w: all(v > -3 for v in w),
    lambda w: np.std(w[2:]),
    lambda w: np.var(w * 2, ddof=1),
    lambda w: np.ptp(w[1:]),
    lambda w: (w * -1).argmax(),
    lambda w: np.argmin(w[2:]),
    lambda w: np.count_nonzero(w > 0),
    lambda w: len(w[w > 0]),
    lambda w: w[1:].size,
    lambda w: w[w > 2].size + len(w[3:]),
    lambda w: np.nansum(w),
    lambda w: np.nanmean(w),
    lambda w: np.nanmax(w),
    lambda w: np.nanmin(w[1:]),
    lambda w: np.nanstd(w),
    lambda w: np.isnan(w).sum() + np.isfinite(w[1:]).sum(),
    lambda w: max(w),
    lambda w: min(w),
    lambda w: max(w[1:]),
    lambda w: max(w[w > 4], default=-1.0),
    lambda w: sum(w[1:]),
    lambda w: sum(w) + sum(v for v in w if v > 2) / 2,
    lambda w: w[1:].sum() / w[:-1].sum(),
    lambda w: (w > 0).sum() / (w < 0).sum(),
    lambda w: w[w > 0].mean() / w[w < 0].mean(),
    lambda w: w[w > 1][0],
    lambda w: w[w > 1][-1],
    lambda w: w[3],
    lambda w: w[-4],
    lambda w: w[int(len(w) / 3)],
    lambda w: np.sqrt(w).sum(),
    lambda w: np.log(w).max(),
    lambda w: np.where(w > 0, w, 0).sum(),
    lambda w: np.maximum(w, 1).prod() % 7,
    lambda w: np.sum(np.sign(w)),
    lambda w: np.sum(w % 3) + np.sum(w // 2),
    lambda w: np.sum(1 / w),
    lambda w: np.mean(w[1:-1]),
    lambda w: np.average(w),
    lambda w: np.linalg.norm(w - w.mean()),
    lambda w: np.corrcoef(np.arange(len(w)), w)[0, 1],
    lambda w: np.cov(w, np.arange(len(w)))[1, 0],
    lambda w: np.polyfit(np.arange(len(w)), w, 1)[1],
    lambda w: np.polyfit(np.arange(len(w)) + 1, w, deg=1)[0],
    lambda w: np.sum(w[::1] * range(len(w))),
    lambda w: np.sum(np.ones(len(w)) * w),
    lambda w: w[2:].mean() if len(w) > 2 else w.mean(),
    lambda w: w.sum() if len(w) < 4 else (w * w).sum(),
]

KERNELS: list[Any] = [
    lambda w: w.mean() / w.std(),
    lambda w: np.median(w) - np.quantile(w, 0.25) + len(w),
    lambda w: w[0] - w[-1] if w.max() > 2 else sum(w),
]


@pytest.mark.parametrize("function", FUNCTIONS + REDUCTIONS, ids=lambda f: f.__name__)
def test_windows_of_plain_values(function: Any) -> None:
    check(function, PLAIN)


@pytest.mark.parametrize("function", OF_PRICES, ids=lambda f: f.__name__)
def test_windows_of_prices(function: Any) -> None:
    check(function, PRICES)


@pytest.mark.parametrize("function", [*FUNCTIONS, *REDUCTIONS, max_drawdown, volatility], ids=lambda f: f.__name__)
def test_windows_with_nan_and_infinity(function: Any) -> None:
    check(function, SPOILED, (1, 2, 3, 5, 8))


@pytest.mark.parametrize("function", KERNELS)
def test_a_function_without_a_loop_stays_with_the_kernels(function: Any) -> None:
    assert '"each"' not in hs.rolling(function).program.json


def test_python_and_numpy_differ_on_nan() -> None:
    frame = pl.DataFrame({"x": [1.0, NAN, 3.0]})

    def largest(function: Any) -> float:
        found: float = frame.select(hs.rolling(function)("x", 3))["x"][-1]
        return found

    assert largest(lambda w: max(w)) == 3.0
    assert largest(lambda w: min(w)) == 1.0
    assert math.isnan(largest(lambda w: np.max(w * 1)))


def test_of_numbers_of_python_a_division_by_zero_is_an_error() -> None:
    def numpy(w):
        return (w > 0).sum() / (w < 0).sum()

    def python(w):
        return len(w[w > 0]) / len(w[w < 0])

    def floats(w):
        above = 0.0
        for v in w:
            if v > 1:
                above += 1.0
        return 1.0 / above

    frame = pl.DataFrame({"x": [1.0, 2.0]})
    assert frame.select(hs.rolling(numpy)("x", 2))["x"].to_list() == [INF, INF]
    assert frame.select(hs.rolling(python)("x", 2))["x"].to_list() == [None, None]
    assert frame.select(hs.rolling(floats)("x", 2))["x"].to_list() == [None, 1.0]
    with pytest.raises(pl.exceptions.ComputeError, match="row 0: the function 'python' raises in Python"):
        frame.select(hs.rolling(python, errors="raise")("x", 2))
    assert frame.select(hs.rolling(numpy, errors="raise")("x", 2))["x"].to_list() == [INF, INF]


@pytest.mark.parametrize("lag", [1, 2, 4])
def test_a_parameter_in_a_slice_is_a_constant_of_the_call(lag: int) -> None:
    compiled = hs.rolling(autocorrelation_of_lag)
    got = pl.DataFrame({"x": PLAIN}).select(compiled("x", 6, k=lag))["x"].to_list()
    for row, value in enumerate(got):
        window = np.array(PLAIN[max(0, row - 5) : row + 1])
        assert_same(value, expected(lambda w: autocorrelation_of_lag(w, lag), window), f"row {row}")


def test_keys_and_live_rows() -> None:
    frame = pl.DataFrame({"x": PLAIN, "key": ["a", "b", "b"] * 8})
    call = hs.rolling(share_above_mean)("x", 4, over="key").alias("y")
    want = frame.select(call)["y"].to_list()
    stage = hs.Stage(call)
    assert [value for row in range(24) for value in stage.advance(frame[row : row + 1])["y"]] == want
    rows = [i for i in range(24) if i % 3 == 0][-4:]
    assert want[21] == share_above_mean(np.array([PLAIN[i] for i in rows]))


def median_beside(w):
    return np.sum(w > np.median(w))


def pairs_of_all(w):
    n = 0
    for a in w:
        for b in w:
            n += a > b
    return n


def sum_in_loop(w):
    n = 0.0
    for v in w:
        n += np.sum(w - v)
    return n


def beyond(w):
    n = 0.0
    for i in range(len(w)):
        n += w[i + 1]
    return n


def wraps(w):
    n = 0.0
    for i in range(len(w)):
        n += w[i - 2]
    return n


def in_place(w):
    d = w - 1
    d -= d.mean()
    return d.sum()


def item_set(w):
    w[0] = 1.0
    return w.sum()


def backwards(w):
    for v in reversed(w):
        if v > 0:
            return v
    return 0.0


def two_arrays(w):
    if len(w) > 2:
        d = w[1:]
    else:
        d = w
    return d.sum()


@pytest.mark.parametrize(
    ("function", "message", "at"),
    [
        (
            median_beside, r"np.median\(w\) is not known beside a loop .* hs.rolling\(lambda w: np.median\(w\)\)",
            "np.median(w)",
        ),
        (pairs_of_all, "cannot stand in another loop", "for b in w:"),
        (sum_in_loop, "depends on v, which changes in a loop around it", "w - v"),
        (beyond, "beyond the window; end the range earlier", "for i in range(len(w)):"),
        (wraps, "begin the range at 2", "w[i - 2]"),
        (in_place, "an array is not changed in place", "d -= d.mean()"),
        (item_set, "an array is not changed in place", "w[0] = 1.0"),
        (backwards, "gone through from its first value to its last", "reversed(w)"),
        (two_arrays, "d is one of several arrays here", "d = w[1:]"),
        (lambda w: sorted(w)[0], r"np.median\(window\) and np.quantile\(window, q\) are known", "sorted(w)"),
        (lambda w: w - 1, "this is an array, where a number is needed; known of arrays are sum", "w - 1"),
        (lambda w: np.sum(w[1:] * w), "no common length, or different masks", "w[1:] * w"),
        (lambda w: np.sum(w[w > 0] * w[w < 0]), "no common length, or different masks", "w[w > 0] * w[w < 0]"),
        (lambda w: np.median(np.diff(w)), "np.median is known of the whole window only", "np.median(np.diff(w))"),
        (lambda w: np.polyfit(range(len(w)), w, 2)[0], r"np.polyfit\(x, y, 1\)", "np.polyfit(range(len(w)), w, 2)"),
        (lambda w: np.corrcoef(w[1:], w[:-1]).sum(), r"np.corrcoef\(x, y\)\[0, 1\]", "np.corrcoef(w[1:], w[:-1])"),
        (lambda w: math.log(w[1:]) + 1, "math.log takes one number, not an array", "math.log(w[1:])"),
        (
            lambda w: np.fft.fft(w * 1)[0], "np.fft.fft of an array is not known; known of arrays are",
            "np.fft.fft(w * 1)",
        ),
        (lambda w: w[::2].sum(), "a step of a slice is not compiled", "w[::2]"),
        (lambda w: (0 < w < 1).sum(), r"write \(low < x\) & \(x < high\)", "0 < w < 1"),
        (
            lambda w: np.mean((1.0, 2.0)), "np.mean is compiled of the window, and of arrays made of it",
            "np.mean((1.0, 2.0))",
        ),
        (lambda w: max(w, key=abs), "max of an array is compiled without these arguments", "max(w, key=abs)"),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_works_and_where(function: Any, message: str, at: str) -> None:
    with pytest.raises(hypostyle.UnsupportedError, match=message) as error:
        hs.rolling(function)
    text, start, end = error.value.text or "", error.value.offset or 1, error.value.end_offset or 0
    assert text[start - 1 : end - 1].rstrip() == at
