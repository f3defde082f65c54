"""The errors of results on hard data, measured against exact rational arithmetic.

    python benches/accuracy.py            prints the table
    python benches/accuracy.py --write    also writes it to docs/accuracy.md

The error of a row is relative to the exact result, or absolute if that is 0.  Each cell is the largest error over every
tenth full window.  `inf` means that some result is null or not finite although the exact one is finite.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import bottleneck
import numbagg
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

import hypostyle as hs
from machine import machine

Array = npt.NDArray[np.float64]
Exact = Callable[..., "Fraction | None"]
Rationals = Sequence[Fraction]
Peers = dict[str, Callable[..., Any]]
ROWS, WINDOW = 3_000, 50
PAGE = Path(__file__).resolve().parent.parent / "docs" / "accuracy.md"


def hard_data() -> dict[str, Array]:
    random = np.random.default_rng(3)
    noise = random.normal(size=ROWS)
    spikes = noise.copy()
    spikes[::211] = 1e16
    return {
        "standard normal": noise,
        "occasional 1e16": spikes,
        "spread 1e-3 around 1e9": 1e9 + noise / 1e3,
        "constant 0.1": np.full(ROWS, 0.1),
        "constant 0.1 after 1e8": np.where(np.arange(ROWS) < 500, 1e8 * noise, 0.1),
        "denormals": np.round(noise * 100) * 5e-324,
        "alternating +-1e10": np.where(np.arange(ROWS) % 2 == 0, 1e10, -1e10) + noise,
    }


def total(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0))


def mean(values: Sequence[Fraction]) -> Fraction:
    return total(values) / len(values)


def central(values: Sequence[Fraction], power: int) -> Fraction:
    center = mean(values)
    powers: list[Fraction] = [Fraction((x - center) ** power) for x in values]
    return total(powers)


def root(x: Fraction) -> Fraction:
    """The square root to hundreds of digits."""
    scale = 10**1000
    return Fraction(math.isqrt(int(x * scale * scale)), scale)


def variance(values: Sequence[Fraction]) -> Fraction:
    return central(values, 2) / (len(values) - 1)


def skewness(values: Sequence[Fraction]) -> Fraction | None:
    n, squares = len(values), central(values, 2)
    if squares == 0:
        return None
    return n * root(Fraction(n - 1)) / (n - 2) * central(values, 3) / (squares * root(squares))


def kurtosis(values: Sequence[Fraction]) -> Fraction | None:
    n, squares = len(values), central(values, 2)
    if squares == 0:
        return None
    ratio = n * (n + 1) * central(values, 4) / (squares * squares) - 3 * (n - 1)
    return Fraction(n - 1, (n - 2) * (n - 3)) * ratio


def coproduct(x: Rationals, y: Rationals) -> Fraction:
    centers = mean(x), mean(y)
    return total([(a - centers[0]) * (b - centers[1]) for a, b in zip(x, y, strict=True)])


def covariance(x: Rationals, y: Rationals) -> Fraction:
    return coproduct(x, y) / (len(x) - 1)


def correlation(x: Rationals, y: Rationals) -> Fraction | None:
    squares = central(x, 2) * central(y, 2)
    return None if squares == 0 else coproduct(x, y) / root(squares)


def slope(y: Rationals, x: Rationals) -> Fraction | None:
    squares = central(x, 2)
    return None if squares == 0 else coproduct(x, y) / squares


def slope_of_two(y: Rationals, x: Rationals, z: Rationals) -> Fraction | None:
    """The coefficient of x in the regression of y on x, z and a constant."""
    between = coproduct(x, z)
    determinant = central(x, 2) * central(z, 2) - between * between
    if determinant == 0:
        return None
    return (coproduct(x, y) * central(z, 2) - coproduct(z, y) * between) / determinant


def trend(y: Rationals) -> Fraction:
    slope = coproduct([Fraction(i) for i in range(len(y))], y) * 12 / (len(y) * (len(y) ** 2 - 1))
    return Fraction(slope)


def polars_pair(function: Callable[..., pl.Expr]) -> Callable[[Array, Array], pl.Series]:
    def answer(x: Array, y: Array) -> pl.Series:
        return pl.DataFrame({"x": x, "y": y}).select(function("x", "y", window_size=WINDOW)).to_series()

    return answer


def statsmodels_slope(y: Array, x: Array, z: Array) -> Array:
    from statsmodels.api import add_constant
    from statsmodels.regression.rolling import RollingOLS

    fit = RollingOLS(y, add_constant(np.column_stack([x, z]), has_constant="add"), window=WINDOW).fit(params_only=True)
    return np.asarray(fit.params)[:, 1]


STATISTICS: dict[str, tuple[Exact, Peers]] = {
    "sum": (
        total,
        {
            "pandas": lambda x: pd.Series(x).rolling(WINDOW).sum(),
            "polars": lambda x: pl.Series(x).rolling_sum(WINDOW),
            "bottleneck": lambda x: bottleneck.move_sum(x, WINDOW),
            "numbagg": lambda x: numbagg.move_sum(x, window=WINDOW, min_count=WINDOW),
        },
    ),
    "mean": (
        mean,
        {
            "pandas": lambda x: pd.Series(x).rolling(WINDOW).mean(),
            "polars": lambda x: pl.Series(x).rolling_mean(WINDOW),
            "bottleneck": lambda x: bottleneck.move_mean(x, WINDOW),
            "numbagg": lambda x: numbagg.move_mean(x, window=WINDOW, min_count=WINDOW),
        },
    ),
    "var": (
        variance,
        {
            "pandas": lambda x: pd.Series(x).rolling(WINDOW).var(),
            "polars": lambda x: pl.Series(x).rolling_var(WINDOW),
            "bottleneck": lambda x: bottleneck.move_var(x, WINDOW, ddof=1),
            "numbagg": lambda x: numbagg.move_var(x, window=WINDOW, min_count=WINDOW),
        },
    ),
    "skew": (
        skewness,
        {
            "pandas": lambda x: pd.Series(x).rolling(WINDOW).skew(),
            "polars": lambda x: pl.Series(x).rolling_skew(WINDOW, bias=False),
        },
    ),
    "kurt": (
        kurtosis,
        {
            "pandas": lambda x: pd.Series(x).rolling(WINDOW).kurt(),
            "polars": lambda x: pl.Series(x).rolling_kurtosis(WINDOW, bias=False),
        },
    ),
    "trend": (trend, {}),
    "cov": (
        covariance,
        {
            "pandas": lambda x, y: pd.Series(x).rolling(WINDOW).cov(pd.Series(y)),
            "polars": polars_pair(pl.rolling_cov),
            "numbagg": lambda x, y: numbagg.move_cov(x, y, window=WINDOW, min_count=WINDOW),
        },
    ),
    "corr": (
        correlation,
        {
            "pandas": lambda x, y: pd.Series(x).rolling(WINDOW).corr(pd.Series(y)),
            "polars": polars_pair(pl.rolling_corr),
            "numbagg": lambda x, y: numbagg.move_corr(x, y, window=WINDOW, min_count=WINDOW),
        },
    ),
    "beta": (slope, {}),
    "ols": (slope_of_two, {"statsmodels": statsmodels_slope}),
}
CORRECT_NULL = "null, correct"
WRONG_VALUE = "not null, undefined"
PEERS = ["pandas", "polars", "bottleneck", "numbagg", "statsmodels"]


def columns_of(exact: Exact, values: Array) -> list[Array]:
    """As many columns as the statistic takes; the others are noisy multiples of the first."""
    random = np.random.default_rng(5)
    count = exact.__code__.co_argcount
    with np.errstate(under="ignore"):
        others = [values * (0.5 + at) + random.normal(size=ROWS) * np.std(values[-200:]) for at in range(count - 1)]
    return [values, *others]


def hypostyle(statistic: str, columns: list[Array]) -> Array:
    kernel: Any = getattr(hs, f"rolling_{statistic}")
    frame = pl.DataFrame(dict(zip("abc", columns, strict=False)))
    if statistic == "ols":
        answers = frame.select(kernel("a", ["b", "c"], WINDOW, fields=["coefficients"])).unnest("a")
        return answers["b"].to_numpy()
    return frame.select(kernel(*frame.columns, WINDOW)).to_series().to_numpy()


def truth(exact: Exact, columns: list[Array]) -> list[Fraction | None]:
    """The exact results of every tenth full window."""
    rational = [[Fraction(float(x)) for x in column] for column in columns]
    return [exact(*(column[end - WINDOW : end] for column in rational)) for end in range(WINDOW, ROWS + 1, 10)]


def worst(found: Array, expected: list[Fraction | None]) -> float | None:
    """The largest error; `None` if the statistic is undefined in every window."""
    errors = []
    for x, exact in zip(found[WINDOW - 1 :: 10], expected, strict=True):
        if exact is None:
            continue
        if not math.isfinite(x):
            return math.inf
        difference = abs(Fraction(float(x)) - exact)
        errors.append(float(difference / abs(exact)) if exact else float(difference))
    return max(errors) if errors else None


def invented(found: Array, expected: list[Fraction | None]) -> bool:
    """Whether some result is a number although the statistic is undefined."""
    return any(e is None and not math.isnan(x) for x, e in zip(found[WINDOW - 1 :: 10], expected, strict=True))


def cell(found: Array, expected: list[Fraction | None]) -> str:
    error = worst(found, expected)
    if error is None:
        return WRONG_VALUE if invented(found, expected) else CORRECT_NULL
    text = "exact" if error == 0 else f"{error:.0e}"
    return f"{text}; {WRONG_VALUE}" if invented(found, expected) else text


def table() -> list[str]:
    lines = [f"| | data | hypostyle | {' | '.join(PEERS)} |", "|---|---|" + "---:|" * (len(PEERS) + 1)]
    for statistic, (exact, peers) in STATISTICS.items():
        for name, values in hard_data().items():
            columns = columns_of(exact, values)
            expected = truth(exact, columns)
            cells = [cell(hypostyle(statistic, columns), expected)]
            with np.errstate(all="ignore"):
                for peer in PEERS:
                    answer = peers[peer](*columns) if peer in peers else None
                    cells.append("" if answer is None else cell(np.ravel(np.asarray(answer, dtype="f8")), expected))
            lines.append(f"| {statistic} | {name} | {' | '.join(cells)} |")
    return lines


def page() -> str:
    on = machine()
    return "\n".join(
        [
            "# Accuracy on hard data",
            "",
            f"Each cell is the largest relative error over windows of {WINDOW} rows, measured against exact rational",
            "arithmetic. If the exact result is 0, the error is absolute. Every tenth window is checked.",
            "",
            "| cell | meaning |",
            "|---|---|",
            "| `exact` | no error |",
            f"| `{CORRECT_NULL}` | the statistic is undefined, and the result is null or NaN |",
            f"| `{WRONG_VALUE}` | the statistic is undefined, but the result is a number |",
            "| `inf` | the statistic is defined, but some result is null, NaN or infinite |",
            "| empty | not compared |",
            "",
            "`ols` is the first slope of a regression on two predictors. In its windows of a constant after 1e8 the",
            "predictors are collinear except for rounding. Hypostyle returns null there, which counts as `inf`.",
            "",
            f"- date: {on['date']}",
            "- versions: " + ", ".join(f"{name} {number}" for name, number in on["versions"].items()),
            "- command: `python benches/accuracy.py --write`",
            "",
            *table(),
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} too")
    options = parser.parse_args()
    text = page()
    print(text)
    if options.write:
        PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
