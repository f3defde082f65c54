"""Functions as users write them, with sample columns: for the tests, the fuzzer and the benchmark.

`ROWS` are functions of one row, `SCANS` functions of a state and a row.  Random programs (`functions_at_random.py`)
cover the language; these show that what people want to run does run.
"""

# ruff: noqa: RET505, SIM108
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from typing import Any

import hypostyle
from user_function_samples import Example, choice, flags, normal, uniform, whole

hs: Any = hypostyle


# Functions of one row.


def energy(x):
    return x**2 + math.sqrt(abs(x))


def logistic(x):
    return 1 / (1 + math.exp(-x))


def winsorise(x):
    return min(max(x, -1.5), 1.5)


def polynomial(x):
    y = 0.0
    for c in (0.5, -1.25, 3.0, 0.125, -2.0):
        y = y * x + c
    return y


def sign(x):
    if x is None:
        return 0
    return (x > 0) - (x < 0)


def tiered_fee(amount):
    if amount <= 1_000:
        return max(amount * 0.01, 1.5)
    if amount <= 10_000:
        return 10 + (amount - 1_000) * 0.005
    return 55 + (amount - 10_000) * 0.001


def collatz(n):
    return n // 2 if n % 2 == 0 else 3 * n + 1


def checksum(n):
    n = (n ^ (n >> 7)) & 0xFFFF
    return (n * 31 + 17) % 97


def ratio(part, total):
    if part is None or not total:
        return None
    return part / total


def decayed(value, age):
    return value * math.exp(-age / 30.0)


def log_return(price, previous):
    if previous is None or previous <= 0:
        return None
    return math.log(price / previous)


def body_class(weight, height):
    bmi = weight / (height * height)
    if bmi < 18.5:
        return 0
    elif bmi < 25:
        return 1
    elif bmi < 30:
        return 2
    return 3


def future_value(balance, rate):
    for _ in range(12):
        balance += balance * rate / 12
        if balance > 1_000_000:
            break
    return balance


def mid(bid, ask, last):
    if bid is None or ask is None:
        return last
    return (bid + ask) / 2


def median_of_three(a, b, c):
    return max(min(a, b), min(max(a, b), c))


def invoice(quantity, price, member):
    total = quantity * price
    if quantity >= 50:
        total *= 0.9
    return total - 5 if member and total > 100 else total


def haversine(lat1, lon1, lat2, lon2):
    p1, p2 = math.radians(lat1), math.radians(lat2)
    dp, dl = p2 - p1, math.radians(lon2 - lon1)
    a = math.sin(dp / 2) ** 2 + math.cos(p1) * math.cos(p2) * math.sin(dl / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(a))


def normal_cdf(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def black_scholes(spot, strike, years, rate, volatility):
    if years <= 0:
        return max(spot - strike, 0.0)
    spread = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + (rate + volatility**2 / 2) * years) / spread
    d2 = d1 - spread
    return spot * normal_cdf(d1) - strike * math.exp(-rate * years) * normal_cdf(d2)


def days_30_360(y1, m1, d1, y2, m2, d2):
    if d1 == 31:
        d1 = 30
    if d2 == 31 and d1 == 30:
        d2 = 30
    return 360 * (y2 - y1) + 30 * (m2 - m1) + (d2 - d1)


def risk_score(weight, notional, f1, f2, f3, f4):
    exposure = weight * f1 + weight * f2 + weight * f3 + weight * f4 + f1 * f2 + f3 * f4
    return exposure / notional if notional > 0 else -exposure


def scorecard(age, income, debt, late, years, open_lines, owner, inquiries):
    score = 600
    score += 25 if age >= 30 else -10
    score += 40 if income > 50_000 else 15 if income > 25_000 else 0
    score -= int(100 * debt / income)
    score -= 35 * min(late, 4)
    score += min(years, 20) * 3
    score += 10 if owner else 0
    return max(300, min(850, score - 2 * open_lines - 8 * inquiries))


# Functions of a state and a row.


def cusum(state, x):
    up = max(0.0, state.up + x - 0.5)
    down = max(0.0, state.down - x - 0.5)
    alarm = up > 5 or down > 5
    if alarm:
        up = down = 0.0
    return hs.state(up=up, down=down), alarm


def latch(state, x):
    on = x > 1.0 if not state.on else x > -1.0
    return hs.state(on=on), on


def balance(state, amount):
    total = min(max(state.total + amount, 0.0), 100.0)
    return hs.state(total=total), total


def smoothed(state, x):
    level = x if state.level is None else state.level + 0.1 * (x - state.level)
    return hs.state(level=level), level


def drawdown(state, price):
    peak = max(state.peak, price)
    return hs.state(peak=peak), price / peak - 1


def token_bucket(state, time, cost):
    tokens = min(10.0, state.tokens + (time - state.time) * 0.5)
    allowed = tokens >= cost
    if allowed:
        tokens -= cost
    return hs.state(tokens=tokens, time=time), allowed


def true_range(state, high, low, close):
    if state.close is None:
        span = high - low
    else:
        span = max(high - low, abs(high - state.close), abs(low - state.close))
    average = span if state.average is None else (13 * state.average + span) / 14
    return hs.state(close=close, average=average), average


def streak(state, x):
    if x > 0:
        length = max(state.length, 0) + 1
    elif x < 0:
        length = min(state.length, 0) - 1
    else:
        length = 0
    return hs.state(length=length), length


MONTH, DAY, YEAR = whole(1, 12), whole(1, 31), whole(1990, 2030)
ROWS = [
    Example(energy, [normal(0, 10)], "float"),
    # A last bit of exp, log or erf depends on libm, and the operations after it may double it, or more.
    Example(logistic, [normal(0, 4)], "float", ulps=4),
    Example(winsorise, [normal(0, 1)], "float"),
    Example(polynomial, [uniform(-2, 2)], "float"),
    Example(sign, [normal(0, 1, nulls=0.1)], "int"),
    Example(tiered_fee, [uniform(0, 20_000)], "float"),
    Example(collatz, [whole(1, 10**9)], "int"),
    Example(checksum, [whole(0, 2**40)], "int"),
    Example(ratio, [uniform(0, 50, nulls=0.1), choice(0.0, 10.0, 20.0, 40.0)], "float"),
    Example(decayed, [uniform(0, 100), uniform(0, 365)], "float", ulps=4),
    Example(log_return, [uniform(50, 150), uniform(50, 150, nulls=0.1)], "float", ulps=4),
    Example(body_class, [uniform(45, 130), uniform(1.5, 2.0)], "int"),
    Example(future_value, [uniform(0, 1_050_000), uniform(0.01, 0.08)], "float"),
    Example(mid, [uniform(99, 100, nulls=0.1), uniform(100, 101, nulls=0.1), uniform(99, 101)], "float"),
    Example(median_of_three, [normal(0, 1), normal(0, 1), normal(0, 1)], "float"),
    Example(invoice, [whole(1, 100), uniform(0.5, 20), flags(0.3)], "float"),
    Example(haversine, [uniform(-60, 60), uniform(-180, 180), uniform(-60, 60), uniform(-180, 180)], "float", ulps=64),
    Example(
        black_scholes,
        [uniform(95, 105), uniform(95, 105), uniform(0.5, 2), uniform(0, 0.05), uniform(0.2, 0.5)],
        "float",
        ulps=4096,
    ),
    Example(days_30_360, [YEAR, MONTH, DAY, YEAR, MONTH, DAY], "int"),
    Example(risk_score, [normal(1, 0.1), uniform(-1, 20), *[normal(0, 1)] * 4], "float"),
    Example(
        scorecard,
        [
            *(whole(18, 80), uniform(10_000, 120_000), uniform(0, 60_000), whole(0, 8)),
            *(whole(0, 40), whole(0, 12), flags(0.4), whole(0, 6)),
        ],
        "int",
    ),
]
SCANS = [
    Example(cusum, [normal(0.3, 1)], "bool", state={"up": 0.0, "down": 0.0}),
    Example(latch, [normal(0, 1)], "bool", state={"on": False}),
    Example(balance, [normal(0, 10)], "float", state={"total": 0.0}),
    Example(smoothed, [normal(100, 10)], "float", state={"level": None}),
    Example(drawdown, [uniform(50, 150)], "float", state={"peak": 0.0}),
    Example(token_bucket, [uniform(1, 1.5, rising=True), uniform(0, 2)], "bool", state={"tokens": 10.0, "time": 0.0}),
    Example(
        true_range,
        [uniform(101, 103), uniform(97, 99), uniform(98, 102)],
        "float",
        state={"close": None, "average": None},
    ),
    Example(streak, [choice(-1.0, 0.0, 1.0, 1.0)], "int", state={"length": 0}),
]
