"""The recurrences as numba loops that a skilled user writes by hand, for values without nulls."""

from __future__ import annotations

import numpy as np
from numba import njit

Array = np.ndarray


@njit()
def ewm_var(x: Array, alpha: float) -> Array:
    """The sums of pandas' `ewmcov`."""
    out = np.empty(len(x))
    mean, cov, sum_wt, sum_wt2, old_wt = x[0], 0.0, 1.0, 1.0, 1.0
    out[0] = np.nan
    fade = 1.0 - alpha
    for i in range(1, len(x)):
        sum_wt *= fade
        sum_wt2 *= fade * fade
        old_wt *= fade
        old_mean = mean
        mean = (old_wt * old_mean + x[i]) / (old_wt + 1.0)
        cov = (old_wt * (cov + (old_mean - mean) * (old_mean - mean)) + (x[i] - mean) * (x[i] - mean)) / (old_wt + 1.0)
        sum_wt += 1.0
        sum_wt2 += 1.0
        old_wt += 1.0
        numerator = sum_wt * sum_wt
        out[i] = numerator / (numerator - sum_wt2) * cov
    return out


@njit()
def ewm_corr(x: Array, y: Array, alpha: float) -> Array:
    out = np.empty(len(x))
    mx, my, vx, vy, cov, old_wt = x[0], y[0], 0.0, 0.0, 0.0, 1.0
    out[0] = np.nan
    fade = 1.0 - alpha
    for i in range(1, len(x)):
        old_wt *= fade
        total = old_wt + 1.0
        ox, oy = mx, my
        mx = (old_wt * ox + x[i]) / total
        my = (old_wt * oy + y[i]) / total
        vx = (old_wt * (vx + (ox - mx) * (ox - mx)) + (x[i] - mx) * (x[i] - mx)) / total
        vy = (old_wt * (vy + (oy - my) * (oy - my)) + (y[i] - my) * (y[i] - my)) / total
        cov = (old_wt * (cov + (ox - mx) * (oy - my)) + (x[i] - mx) * (y[i] - my)) / total
        old_wt = total
        out[i] = cov / np.sqrt(vx * vy)
    return out


@njit()
def shift(x: Array, n: int) -> Array:
    out = np.empty(len(x))
    out[:n] = np.nan
    for i in range(n, len(x)):
        out[i] = x[i - n]
    return out


@njit()
def diff(x: Array, n: int) -> Array:
    out = np.empty(len(x))
    out[:n] = np.nan
    for i in range(n, len(x)):
        out[i] = x[i] - x[i - n]
    return out


@njit()
def pct_change(x: Array, n: int) -> Array:
    out = np.empty(len(x))
    out[:n] = np.nan
    for i in range(n, len(x)):
        out[i] = (x[i] - x[i - n]) / x[i - n]
    return out


@njit()
def cum_sum(x: Array) -> Array:
    out = np.empty(len(x))
    total = 0.0
    for i in range(len(x)):
        total += x[i]
        out[i] = total
    return out


@njit()
def cum_max(x: Array) -> Array:
    out = np.empty(len(x))
    most = x[0]
    for i in range(len(x)):
        most = max(most, x[i])
        out[i] = most
    return out


@njit()
def cumsum_clip(x: Array, lower: float, upper: float) -> Array:
    out = np.empty(len(x))
    total = 0.0
    for i in range(len(x)):
        total = min(max(total + x[i], lower), upper)
        out[i] = total
    return out


@njit()
def affine_scan(a: Array, b: Array) -> Array:
    out = np.empty(len(a))
    y = 0.0
    for i in range(len(a)):
        y = a[i] * y + b[i]
        out[i] = y
    return out


@njit()
def ema(x: Array, n: int) -> Array:
    out = np.full(len(x), np.nan)
    y = np.mean(x[:n])
    out[n - 1] = y
    k = 2.0 / (n + 1.0)
    for i in range(n, len(x)):
        y = (x[i] - y) * k + y
        out[i] = y
    return out


@njit()
def rsi(x: Array, n: int) -> Array:
    out = np.full(len(x), np.nan)
    gain = loss = 0.0
    for i in range(1, n + 1):
        step = x[i] - x[i - 1]
        gain += max(step, 0.0)
        loss += max(-step, 0.0)
    gain /= n
    loss /= n
    out[n] = 100.0 * gain / (gain + loss)
    for i in range(n + 1, len(x)):
        step = x[i] - x[i - 1]
        gain = (gain * (n - 1) + max(step, 0.0)) / n
        loss = (loss * (n - 1) + max(-step, 0.0)) / n
        out[i] = 100.0 * gain / (gain + loss)
    return out


@njit()
def cusum(x: Array, drift: float, threshold: float) -> tuple[Array, Array, Array]:
    highs, lows, hits = np.empty(len(x)), np.empty(len(x)), np.empty(len(x), dtype=np.bool_)
    high = low = 0.0
    hit = False
    for i in range(len(x)):
        if hit:
            high = low = 0.0
        high = max(0.0, high + x[i] - drift)
        low = max(0.0, low - x[i] - drift)
        hit = high > threshold or low > threshold
        highs[i], lows[i], hits[i] = high, low, hit
    return highs, lows, hits


@njit()
def ffill(x: Array) -> Array:
    out = np.empty(len(x))
    last = np.nan
    for i in range(len(x)):
        if not np.isnan(x[i]):
            last = x[i]
        out[i] = last
    return out


@njit()
def bfill(x: Array) -> Array:
    out = np.empty(len(x))
    later = np.nan
    for i in range(len(x) - 1, -1, -1):
        if not np.isnan(x[i]):
            later = x[i]
        out[i] = later
    return out


@njit()
def interpolate(x: Array) -> Array:
    out = x.copy()
    last = -1
    for i in range(len(x)):
        if np.isnan(x[i]):
            continue
        for j in range(last + 1, i):
            if last >= 0:
                out[j] = x[last] + (x[i] - x[last]) * ((j - last) / (i - last))
        last = i
    return out


@njit()
def latch(x: Array, on: float, off: float) -> Array:
    out = np.empty(len(x), dtype=np.bool_)
    held = False
    for i in range(len(x)):
        if x[i] >= on:
            held = True
        elif x[i] <= off:
            held = False
        out[i] = held
    return out


@njit()
def drawdown(x: Array) -> tuple[Array, Array, Array, Array]:
    downs, worsts, peaks = np.empty(len(x)), np.empty(len(x)), np.empty(len(x))
    under = np.empty(len(x), dtype=np.int64)
    peak, worst, rows = x[0], 0.0, 0
    for i in range(len(x)):
        rows = 0 if x[i] >= peak else rows + 1
        peak = max(peak, x[i])
        down = x[i] / peak - 1.0
        worst = min(worst, down)
        downs[i], worsts[i], under[i], peaks[i] = down, worst, rows, peak
    return downs, worsts, under, peaks


@njit()
def cumsum_reset(x: Array, flag: Array) -> Array:
    out = np.empty(len(x))
    total = 0.0
    for i in range(len(x)):
        if flag[i]:
            total = 0.0
        total += x[i]
        out[i] = total
    return out


@njit()
def biquad(x: Array, b: Array, a: Array) -> Array:
    out = np.empty(len(x))
    z0 = z1 = 0.0
    for i in range(len(x)):
        y = b[0] * x[i] + z0
        z0 = b[1] * x[i] + z1 - a[1] * y
        z1 = b[2] * x[i] - a[2] * y
        out[i] = y
    return out


# By key, with the state of each key in an array: the keys are numbers from 0.


@njit()
def shift_by_key(x: Array, keys: Array, count: int) -> Array:
    out, last = np.empty(len(x)), np.full(count, np.nan)
    for i in range(len(x)):
        out[i] = last[keys[i]]
        last[keys[i]] = x[i]
    return out


@njit()
def cum_sum_by_key(x: Array, keys: Array, count: int) -> Array:
    out, totals = np.empty(len(x)), np.zeros(count)
    for i in range(len(x)):
        totals[keys[i]] += x[i]
        out[i] = totals[keys[i]]
    return out


@njit()
def ewm_mean_by_key(x: Array, keys: Array, count: int, alpha: float) -> Array:
    out, sums, weights = np.empty(len(x)), np.zeros(count), np.zeros(count)
    fade = 1.0 - alpha
    for i in range(len(x)):
        key = keys[i]
        sums[key] = sums[key] * fade + x[i]
        weights[key] = weights[key] * fade + 1.0
        out[i] = sums[key] / weights[key]
    return out


@njit()
def ewm_var_by_key(x: Array, keys: Array, count: int, alpha: float) -> Array:
    out, seen = np.empty(len(x)), np.zeros(count, dtype=np.bool_)
    means, covs = np.zeros(count), np.zeros(count)
    totals, squares = np.zeros(count), np.zeros(count)
    fade = 1.0 - alpha
    for i in range(len(x)):
        key = keys[i]
        if not seen[key]:
            seen[key], means[key], totals[key], squares[key], out[i] = True, x[i], 1.0, 1.0, np.nan
            continue
        before = totals[key] * fade
        old, total = means[key], before + 1.0
        mean = (before * old + x[i]) / total
        cov = (before * (covs[key] + (old - mean) * (old - mean)) + (x[i] - mean) * (x[i] - mean)) / total
        square = squares[key] * fade * fade + 1.0
        means[key], covs[key], totals[key], squares[key] = mean, cov, total, square
        out[i] = total * total / (total * total - square) * cov
    return out


@njit()
def ffill_by_key(x: Array, keys: Array, count: int) -> Array:
    out, last = np.empty(len(x)), np.full(count, np.nan)
    for i in range(len(x)):
        if not np.isnan(x[i]):
            last[keys[i]] = x[i]
        out[i] = last[keys[i]]
    return out


@njit()
def bfill_by_key(x: Array, keys: Array, count: int) -> Array:
    out, later = np.empty(len(x)), np.full(count, np.nan)
    for i in range(len(x) - 1, -1, -1):
        if not np.isnan(x[i]):
            later[keys[i]] = x[i]
        out[i] = later[keys[i]]
    return out


@njit()
def cumsum_reset_by_key(x: Array, flag: Array, keys: Array, count: int) -> Array:
    out, totals = np.empty(len(x)), np.zeros(count)
    for i in range(len(x)):
        total = x[i] if flag[i] else totals[keys[i]] + x[i]
        out[i] = totals[keys[i]] = total
    return out


@njit()
def cusum_by_key(x: Array, keys: Array, count: int, drift: float, threshold: float) -> tuple[Array, Array, Array]:
    highs, lows, hits = np.empty(len(x)), np.empty(len(x)), np.empty(len(x), dtype=np.bool_)
    high, low, hit = np.zeros(count), np.zeros(count), np.zeros(count, dtype=np.bool_)
    for i in range(len(x)):
        key = keys[i]
        if hit[key]:
            high[key] = low[key] = 0.0
        high[key] = max(0.0, high[key] + x[i] - drift)
        low[key] = max(0.0, low[key] - x[i] - drift)
        hit[key] = high[key] > threshold or low[key] > threshold
        highs[i], lows[i], hits[i] = high[key], low[key], hit[key]
    return highs, lows, hits


@njit()
def streak_by_key(flag: Array, keys: Array, count: int) -> Array:
    out, last, rows = (
        np.empty(len(flag), dtype=np.int64),
        np.zeros(count, dtype=np.bool_),
        np.zeros(count, dtype=np.int64),
    )
    for i in range(len(flag)):
        key = keys[i]
        rows[key] = rows[key] + 1 if rows[key] > 0 and flag[i] == last[key] else 1
        last[key] = flag[i]
        out[i] = rows[key]
    return out
