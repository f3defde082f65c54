"""The functions of the benchmark, and how each peer says them: numexpr, Polars, and where numba needs its own form.

The functions themselves are those of `tests/python/user_functions.py`, which the tests run too.  numba compiles them as
they are, except for those that handle None, for which NaN stands in its arrays, and those with a state.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from polars import col

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "python"))

from user_function_samples import Example
from user_functions import ROWS, SCANS


@dataclass(frozen=True)
class Forms:
    """What peers run instead of the function.  `None`: the peer cannot say it."""

    numexpr: str | None = None
    polars: Callable[[], pl.Expr] | None = None
    # For a scan: the fields, then the row; returns the next fields and the result.
    numba: Callable[..., Any] | None = None


# numba's forms.


def sign(x: float) -> int:
    return (x > 0) - (x < 0)


def ratio(part: float, total: float) -> float:
    return part / total if total != 0 else math.nan


def log_return(price: float, previous: float) -> float:
    return math.log(price / previous) if previous > 0 else math.nan


def mid(bid: float, ask: float, last: float) -> float:
    return last if math.isnan(bid) or math.isnan(ask) else (bid + ask) / 2


def cusum(up: float, down: float, x: float) -> tuple[tuple[float, float], bool]:
    up = max(0.0, up + x - 0.5)
    down = max(0.0, down - x - 0.5)
    alarm = up > 5 or down > 5
    if alarm:
        up = down = 0.0
    return (up, down), alarm


def latch(on: bool, x: float) -> tuple[tuple[bool], bool]:
    on = x > -1.0 if on else x > 1.0
    return (on,), on


def balance(total: float, amount: float) -> tuple[tuple[float], float]:
    total = min(max(total + amount, 0.0), 100.0)
    return (total,), total


def smoothed(level: float, x: float) -> tuple[tuple[float], float]:
    level = x if math.isnan(level) else level + 0.1 * (x - level)
    return (level,), level


def drawdown(peak: float, price: float) -> tuple[tuple[float], float]:
    peak = max(peak, price)
    return (peak,), price / peak - 1


def token_bucket(tokens: float, since: float, time: float, cost: float) -> tuple[tuple[float, float], bool]:
    tokens = min(10.0, tokens + (time - since) * 0.5)
    allowed = tokens >= cost
    if allowed:
        tokens -= cost
    return (tokens, time), allowed


# Polars' forms that do not fit on a line.


def polars_sign() -> pl.Expr:
    return (col("x") > 0).cast(pl.Int64).fill_null(0) - (col("x") < 0).cast(pl.Int64).fill_null(0)


def polars_fee() -> pl.Expr:
    amount = col("amount")
    low = pl.max_horizontal(amount * 0.01, 1.5)
    middle, high = 10 + (amount - 1_000) * 0.005, 55 + (amount - 10_000) * 0.001
    return pl.when(amount <= 1_000).then(low).when(amount <= 10_000).then(middle).otherwise(high)


def polars_body_class() -> pl.Expr:
    bmi = col("weight") / (col("height") * col("height"))
    return pl.when(bmi < 18.5).then(0).when(bmi < 25).then(1).when(bmi < 30).then(2).otherwise(3)


def polars_mid() -> pl.Expr:
    return pl.coalesce((col("bid") + col("ask")) / 2, col("last"))


def polars_median() -> pl.Expr:
    low, high = pl.min_horizontal("a", "b"), pl.max_horizontal("a", "b")
    return pl.max_horizontal(low, pl.min_horizontal(high, "c"))


def polars_invoice() -> pl.Expr:
    total = col("quantity") * col("price")
    total = pl.when(col("quantity") >= 50).then(total * 0.9).otherwise(total)
    return pl.when(col("member") & (total > 100)).then(total - 5).otherwise(total)


def polars_haversine() -> pl.Expr:
    p1, p2 = col("lat1").radians(), col("lat2").radians()
    half_p, half_l = (p2 - p1) / 2, (col("lon2") - col("lon1")).radians() / 2
    return 2 * 6371.0 * (half_p.sin() ** 2 + p1.cos() * p2.cos() * half_l.sin() ** 2).sqrt().arcsin()


def polars_days() -> pl.Expr:
    d1 = pl.when(col("d1") == 31).then(30).otherwise(col("d1"))
    d2 = pl.when((col("d2") == 31) & (d1 == 30)).then(30).otherwise(col("d2"))
    return 360 * (col("y2") - col("y1")) + 30 * (col("m2") - col("m1")) + (d2 - d1)


def polars_risk() -> pl.Expr:
    weight, notional, f1, f2, f3, f4 = map(col, ("weight", "notional", "f1", "f2", "f3", "f4"))
    exposure = weight * f1 + weight * f2 + weight * f3 + weight * f4 + f1 * f2 + f3 * f4
    return pl.when(notional > 0).then(exposure / notional).otherwise(-exposure)


def polars_scorecard() -> pl.Expr:
    income = col("income")
    score = 600 + pl.when(col("age") >= 30).then(25).otherwise(-10)
    score += pl.when(income > 50_000).then(40).when(income > 25_000).then(15).otherwise(0)
    score -= (100 * col("debt") / income).cast(pl.Int64)
    score -= 35 * pl.min_horizontal("late", 4)
    score += pl.min_horizontal("years", 20) * 3
    score += pl.when("owner").then(10).otherwise(0)
    score -= 2 * col("open_lines") + 8 * col("inquiries")
    return score.clip(300, 850)


def polars_polynomial() -> pl.Expr:
    y, x = pl.lit(0.5), col("x")
    for c in (-1.25, 3.0, 0.125, -2.0):
        y = y * x + c
    return y


def polars_collatz() -> pl.Expr:
    return pl.when(col("n") % 2 == 0).then(col("n") // 2).otherwise(3 * col("n") + 1)


def polars_ratio() -> pl.Expr:
    return pl.when(col("total") != 0).then(col("part") / col("total"))


def polars_log_return() -> pl.Expr:
    return pl.when(col("previous") > 0).then((col("price") / col("previous")).log())


BMI = "weight / (height * height)"
EXPOSURE = "(weight * f1 + weight * f2 + weight * f3 + weight * f4 + f1 * f2 + f3 * f4)"
TOTAL = "(quantity * price * where(quantity >= 50, 0.9, 1.0))"
DAY1 = "where(d1 == 31, 30, d1)"
RADIANS = math.pi / 180
HAVERSINE = f"sin((lat2 - lat1) * {RADIANS} / 2) ** 2 + cos(lat1 * {RADIANS}) * cos(lat2 * {RADIANS})"
HAVERSINE += f" * sin((lon2 - lon1) * {RADIANS} / 2) ** 2"

FORMS: dict[str, Forms] = {
    "energy": Forms("x ** 2 + sqrt(abs(x))", lambda: col("x") ** 2 + col("x").abs().sqrt()),
    "logistic": Forms("1 / (1 + exp(-x))", lambda: 1 / (1 + (-col("x")).exp())),
    "winsorise": Forms("where(x > 1.5, 1.5, where(x < -1.5, -1.5, x))", lambda: col("x").clip(-1.5, 1.5)),
    "polynomial": Forms("(((0.5 * x - 1.25) * x + 3.0) * x + 0.125) * x - 2.0", polars_polynomial),
    "sign": Forms("where(x > 0, 1, where(x < 0, -1, 0))", polars_sign, sign),
    "tiered_fee": Forms(
        "where(amount <= 1000, where(amount * 0.01 > 1.5, amount * 0.01, 1.5),"
        " where(amount <= 10000, 10 + (amount - 1000) * 0.005, 55 + (amount - 10000) * 0.001))",
        polars_fee,
    ),
    "collatz": Forms("where(n % 2 == 0, n >> 1, 3 * n + 1)", polars_collatz),
    "ratio": Forms("where(total != 0, part / total, nan)", polars_ratio, ratio),
    "decayed": Forms("value * exp(-age / 30.0)", lambda: col("value") * (-col("age") / 30.0).exp()),
    "log_return": Forms("where(previous > 0, log(price / previous), nan)", polars_log_return, log_return),
    "body_class": Forms(f"where({BMI} < 18.5, 0, where({BMI} < 25, 1, where({BMI} < 30, 2, 3)))", polars_body_class),
    "future_value": Forms(),
    "mid": Forms("where((bid != bid) | (ask != ask), last, (bid + ask) / 2)", polars_mid, mid),
    "median_of_three": Forms("maximum(minimum(a, b), minimum(maximum(a, b), c))", polars_median),
    "invoice": Forms(f"where(member & ({TOTAL} > 100), {TOTAL} - 5, {TOTAL})", polars_invoice),
    "haversine": Forms(f"2 * 6371.0 * arcsin(sqrt({HAVERSINE}))", polars_haversine),
    "black_scholes": Forms(),
    "days_30_360": Forms(
        f"360 * (y2 - y1) + 30 * (m2 - m1) + where((d2 == 31) & ({DAY1} == 30), 30, d2) - {DAY1}", polars_days
    ),
    "risk_score": Forms(f"where(notional > 0, {EXPOSURE} / notional, -{EXPOSURE})", polars_risk),
    "scorecard": Forms(None, polars_scorecard),
    "cusum": Forms(numba=cusum),
    "latch": Forms(numba=latch),
    "balance": Forms(numba=balance),
    "smoothed": Forms(None, lambda: col("x").ewm_mean(alpha=0.1, adjust=False), smoothed),
    "drawdown": Forms(None, lambda: col("price") / col("price").cum_max() - 1, drawdown),
    "token_bucket": Forms(numba=token_bucket),
}
ROW_SUITE: list[Example] = [example for example in ROWS if example.name in FORMS]
SCAN_SUITE: list[Example] = [example for example in SCANS if example.name in FORMS]
SUITE = {example.name: example for example in (*ROW_SUITE, *SCAN_SUITE)}
