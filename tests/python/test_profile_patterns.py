"""`hypostyle profile`: what is recognized, what replaces it, and that it is proven on the values at hand."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from hypostyle._profile.compare import compare
from hypostyle._profile.patterns.row_functions import has_engines
from hypostyle._profile.templates import every_template, kernel_for
from proofs import first, proven

ROWS = 600


def trades() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    price = np.round(50 + np.cumsum(rng.normal(0, 0.3, ROWS)), 2)
    price[::37] = np.nan
    return pd.DataFrame(
        {
            "symbol": rng.choice(list("ABCDE"), ROWS),
            "side": rng.choice(["buy", "sell"], ROWS),
            "price": price,
            "size": rng.integers(1, 500, ROWS),
        }
    )


@pytest.mark.parametrize(
    ("library", "template"),
    list(every_template()),
    ids=lambda value: ast.unparse(value.name) if hasattr(value, "name") else value,
)
def test_the_table_follows_from_the_catalog(library: str, template: Any) -> None:
    """Every counterpart is recognized, as the kernel that the catalog names for it."""

    def column(node: ast.AST) -> str | None:
        return node.id if isinstance(node, ast.Name) and node.id in "xywt" else None

    found = kernel_for(template.name, column, library, time="t")
    assert found is not None
    same = [t.kernel for _, t in every_template() if ast.dump(t.name) == ast.dump(template.name)]
    assert found.name in same


EQUAL = {
    "a loop with the key of the row before": (
        "g = f.sort_values('symbol', kind='stable').reset_index(drop=True)\nk = g['symbol'].values\n"
        "x = g['price'].values\nlast = ''\ntop = 0.0\nout = []\nfor i in range(len(g)):\n"
        "    if k[i] != last:\n        last = k[i]\n        top = x[i]\n    top = max(top, x[i])\n"
        "    out.append(top)\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with a row that is kept": (
        "x = f['price'].to_numpy()\nsince = np.zeros(len(x))\ntop = 0\nfor i in range(len(x)):\n"
        "    if x[i] >= x[top]:\n        top = i\n    since[i] = (i - top) * x[top]\nprint(since)",
        "@hs.loop since_loop (written below)",
    ),
    "a loop in a loop": (
        "x = f['price'].to_numpy()\nn = len(x)\nw = 7\nout = np.zeros(n)\nfor i in range(n):\n    s = 0.0\n"
        "    for j in range(max(0, i - w + 1), i + 1):\n        s += x[j] * x[j]\n"
        "    out[i] = s / (i + 1 - max(0, i - w + 1))\nprint(out)",
        'hs.rolling(window_of_line_5)("x", 7, min_samples=1)',
    ),
    "a loop in a loop that counts": (
        "x = f['price'].tolist()\nout = []\nfor i in range(len(x)):\n    n = 0\n"
        "    for j in range(max(0, i - 5), i):\n        if x[j] < x[i]:\n            n += 1\n"
        "    out.append(n)\nprint(out)",
        'hs.rolling(window_of_line_3)("x", 6, min_samples=1)',
    ),
    "a loop that looks back on windows": (
        "x = f['size'].to_numpy()\nheld = 0\nout = [0] * 20\nfor i in range(20, len(x)):\n    w = x[i - 20 : i]\n"
        "    if held == 0 and x[i] > w.mean() + w.std():\n        held = 1\n"
        "    elif held == 1 and x[i] < min(x[i - 10 : i]):\n        held = 0\n    out.append(held)\nprint(out)",
        "@hs.loop out_loop (written below) of hs.rolling(lambda window: window.mean() + window.std())"
        '("x", 20, min_samples=20), hs.rolling_min("x", 10, min_samples=10)',
    ),
    "a loop with a window and its row": (
        "x = f['size'].to_numpy(dtype=float)\nz = np.full(len(x), np.nan)\nfor i in range(30, len(x)):\n"
        "    w = x[i - 29 : i + 1]\n    z[i] = (x[i] - np.mean(w)) / np.std(w)\nprint(z)",
        'hs.rolling_zscore("x", 30, ddof=0, min_samples=30)',
    ),
    "a loop with correlations of slices": (
        "x = f['size'].to_numpy(dtype=float)\ny = x[::-1].copy()\nc = [np.nan] * 49\nfor i in range(49, len(x)):\n"
        "    c.append(np.corrcoef(x[i - 49 : i + 1], y[i - 49 : i + 1])[0, 1])\nprint(c)",
        'hs.rolling_corr("x", "y", 50, min_samples=50)',
    ),
    "a loop with slopes of slices": (
        "x = f['size'].to_numpy(dtype=float)\nat = np.arange(30)\nc = np.zeros(len(x))\nfor i in range(30, len(x)):\n"
        "    c[i] = np.polyfit(at, x[i - 30 : i], 1)[0]\nprint(c)",
        'hs.rolling_trend("x", 30, min_samples=30)',
    ),
    "a loop from the second value": (
        "x = f['size'].astype(float).tolist()\na = 2 / 21\nout = [x[0]]\nfor v in x[1:]:\n"
        "    out.append(a * v + (1 - a) * out[-1])\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with pauses in seconds": (
        "f['ts'] = pd.date_range('2024-01-02', periods=len(f), freq='7min')\nlast = {}\nn = {}\nout = []\n"
        "for r in f.itertuples():\n    s = r.symbol\n"
        "    if s not in last or (r.ts - last[s]).total_seconds() > 1800:\n        n[s] = n.get(s, -1) + 1\n"
        "    last[s] = r.ts\n    out.append(n[s])\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with a Timedelta": (
        "f['ts'] = pd.date_range('2024-01-02', periods=len(f), freq='7min')\nlast = None\nkept = []\n"
        "for _, r in f.iterrows():\n    if last is None or r['ts'] - last >= pd.Timedelta(minutes=30):\n"
        "        kept.append(True)\n        last = r['ts']\n    else:\n        kept.append(False)\nprint(kept)",
        "@hs.loop kept_loop (written below)",
    ),
    "a loop over groups with windows of time": (
        "f['ts'] = pd.date_range('2024-01-02', periods=len(f), freq='7min')\nout = []\n"
        "for _, g in f.groupby('symbol'):\n    g = g.set_index('ts')\n    g['v'] = g['size'].rolling('30min').sum()\n"
        "    g['m'] = g['size'].ewm(span=10).mean()\n    out.append(g.reset_index())\nd = pd.concat(out)\nprint(d)",
        'hs.rolling_sum("size", "30min", by="ts", over="symbol") and hs.ewm_mean("size", span=10, over="symbol")',
    ),
    "a function of all rows so far": (
        "f['a'] = f['size'].expanding(min_periods=5).apply(lambda w: w.max() - w.min(), raw=True)",
        'hs.rolling(lambda w: float(w.max() - w.min()))("size", 1_000_000_000, min_samples=5)',
    ),
    "a function of a row with a table": (
        "fees = {'buy': 0.001, 'sell': 0.0015}\nf['a'] = f.apply(lambda r: r['size'] * fees[r['side']], axis=1)",
        "@hs.jit function_of_columns (written below)",
    ),
    "a loop with a table": (
        "signs = {'buy': 1, 'sell': -1}\nheld = 0\nout = []\nfor r in f.itertuples():\n"
        "    held += signs.get(r.side, 0) * r.size\n    out.append(held)\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop that begins with what its array holds": (
        "x = f['size'].to_numpy()\nup = np.ones(len(x))\nup[5:] = 7\nfor i in range(1, len(x)):\n    if x[i] > 400:\n"
        "        up[i] = 1\n    elif x[i] < 100:\n        up[i] = -1\n    else:\n        up[i] = up[i - 1]\nprint(up)",
        "@hs.loop up_loop (written below)",
    ),
    "a function of a moment": (
        "f['ts'] = pd.date_range('2024-01-02', periods=len(f), freq='7min')\n"
        "f['a'] = f['ts'].apply(lambda t: 1 if t.hour * 60 + t.minute < 600 else 0)",
        "hs.jit(lambda t)(...)",
    ),
    "a function of windows of time": (
        "f['ts'] = pd.date_range('2024-01-02', periods=len(f), freq='7min')\ng = f.set_index('ts')\n"
        "g['a'] = g['size'].astype(float)\ng['b'] = g['a'].rolling('1h').apply(lambda w: w[-1] - w[0], raw=True)",
        'hs.rolling(lambda w: w[-1] - w[0])("a", "1h", by="ts", min_samples=1)',
    ),
    "a window of two pointers": (
        "t = np.cumsum(f['size'].to_numpy())\nx = f['size'].to_numpy(dtype=float)\nout = np.zeros(len(x))\nstart = 0\n"
        "total = 0.0\nfor i in range(len(x)):\n    total += x[i]\n    while t[start] < t[i] - 900:\n"
        "        total -= x[start]\n        start += 1\n    out[i] = total / (i - start + 1)\nprint(out)",
        '@hs.loop out_loop (written below) of hs.rolling_sum("x", "900i", by="t", closed="both"), '
        'hs.rolling_count("x", "900i", by="t", closed="both")',
    ),
    "two pointers that count": (
        "t = np.cumsum(f['size'].to_numpy()).tolist()\nn = []\nlo = 0\nfor i in range(len(t)):\n"
        "    while lo < i and t[i] - t[lo] >= 900:\n        lo += 1\n    n.append(i - lo + 1 > 5)\nprint(n)",
        '@hs.jit n_of_row (written below) of hs.rolling_count("x", "900i", by="t")',
    ),
    "a loop that keeps the row before": (
        "prev = None\nout = []\nfor _, row in f.iterrows():\n    if prev is None:\n        out.append(0.0)\n    else:\n"
        "        out.append((row['size'] - prev['size']) / prev['size'] + (prev['side'] == 'buy'))\n"
        "    prev = row\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with slices in a branch": (
        "r = f['size'].astype(float)\nm = r[::-1].reset_index(drop=True)\nb = []\nfor i in range(len(f)):\n"
        "    if i < 60:\n        b.append(np.nan)\n    else:\n        x = m.iloc[i - 59 : i + 1]\n"
        "        y = r.iloc[i - 59 : i + 1]\n"
        "        b.append(np.cov(x, y)[0, 1] / np.var(x, ddof=1))\nf['b'] = b\nprint(f)",
        '@hs.loop b_loop (written below) of hs.rolling_cov("x", "y", 60, min_samples=60), '
        'hs.rolling(lambda window: np.var(window, ddof=1))("x", 60, min_samples=60)',
    ),
    "a slope by position": (
        "f['a'] = f['size'].rolling(20).apply(lambda y: np.polyfit(np.arange(20), y, 1)[0], raw=True)",
        'hs.rolling_trend("size", 20, min_samples=20)',
    ),
    "a loop with rows of dictionaries": (
        "rows = []\na = 0.0\nfor _, r in f.iterrows():\n    a = 0.5 * a + r['price']\n"
        "    rows.append({'symbol': r['symbol'], 'mean': a, 'size': r['size']})\nd = pd.DataFrame(rows)\nprint(d)",
        "@hs.loop rows_loop (written below)",
    ),
    "a loop with some rows": (
        "rows = []\na = 0.0\nfor s, p in zip(f['symbol'], f['price']):\n    a = 0.5 * a + p\n    if a > p:\n"
        "        rows.append((s, a, 'above'))\n    elif a < 0.5 * p:\n"
        "        rows.append((s, p, 'below'))\nprint(rows)",
        "@hs.loop rows_loop (written below)",
    ),
    "a loop with words": (
        "state = 'flat'\nout = []\nfor p in f['price'].tolist():\n"
        "    if state == 'flat' and p > 50:\n        state = 'long'\n"
        "    elif p < 49:\n        state = 'flat'\n    out.append(state)\nprint(out, state)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop over dictionaries": (
        "rows = [{'k': k, 'v': str(v)} for k, v in zip(f['symbol'], f['price'])]\nsums = {}\nout = []\nfor r in rows:\n"
        "    v = float(r['v'])\n    sums[r['k']] = sums.get(r['k'], 0.0) + v\n    out.append(sums[r['k']])\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with a state of parts": (
        "s = {'n': 0, 'sum': 0.0}\nout = []\nfor p in f['price'].tolist():\n    s['n'] += 1\n    s['sum'] += p\n"
        "    out.append(s['sum'] / s['n'])\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with a state of parts for each key": (
        "state = {}\nout = []\nfor r in f.itertuples():\n    if r.symbol not in state:\n"
        "        state[r.symbol] = {'n': 0, 's': 0.0}\n"
        "    own = state[r.symbol]\n    own['n'] += 1\n    own['s'] += r.price\n"
        "    out.append(own['s'] / own['n'])\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with keys and numbers of rows": (
        "seen = {}\nout = []\nfor i, k in enumerate(f['symbol']):\n"
        "    out.append(i - seen[k] if k in seen else -1)\n    seen[k] = i\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with an object": (
        "class Mean:\n    def __init__(self):\n        self.value = None\n\n    def update(self, x):\n"
        "        self.value = x if self.value is None else 0.9 * self.value + 0.1 * x\n        return self.value\n\n"
        "m = Mean()\nout = []\nfor p in f['price'].tolist():\n    out.append(p - m.update(p))\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with a deque for each key": (
        "from collections import defaultdict, deque\nw = defaultdict(lambda: deque(maxlen=5))\nout = []\n"
        "for k, p in zip(f['symbol'], f['price']):\n    w[k].append(p)\n    out.append(max(w[k]))\nprint(out)",
        'hs.rolling_max("x", 5, min_samples=1, over="key")',
    ),
    "a generator": (
        "def smooth(x, a=0.1):\n    e = 0.0\n    for v in x:\n        e += a * (v - e)\n        yield e\n\n"
        "out = list(smooth(f['price'].tolist(), 0.3))\nprint(out)",
        "@hs.loop smooth_loop (written below)",
    ),
    "accumulate": (
        "from itertools import accumulate\nx = f['size'].tolist()\n"
        "out = list(accumulate(x, lambda a, b: max(a - 5, b)))\nprint(out)",
        "@hs.loop folded_in_line_3 (written below)",
    ),
    "reduce": (
        "from functools import reduce\nx = f['size'].tolist()\n"
        "out = reduce(lambda a, b: a * 0.5 + b, x, 1.0)\nprint(out)",
        "@hs.loop folded_in_line_3 (written below)",
    ),
    "words by row": (
        "def kind(r):\n    if r['size'] > 200 and r['side'] == 'buy':\n        return 'large'\n"
        "    if r['price'] > 50:\n"
        "        return 'dear'\n    return 'other'\n\nf['kind'] = f.apply(kind, axis=1)\nprint(f)",
        "apply(..., engine=hs.jit)",
    ),
    "words in a list": (
        "out = ['a' if p > s else 'b' for p, s in zip(f['price'], f['size'])]\nprint(out)",
        "@hs.jit word_of_line_1 (written below)",
    ),
    "a loop over the values of a key": (
        "f['m'] = np.nan\nfor k in f['symbol'].unique():\n    mask = f['symbol'] == k\n"
        "    f.loc[mask, 'm'] = f.loc[mask, 'price'].rolling(5).mean()\nprint(f)",
        'hs.rolling_mean("price", 5, over="symbol")',
    ),
    "a loop over the values of a key that is joined": (
        "parts = []\nfor k in f['symbol'].unique():\n    g = f[f['symbol'] == k].copy()\n"
        "    g['m'] = g['price'].rolling(5).max()\n"
        "    parts.append(g)\nout = pd.concat(parts)\nprint(out)",
        'hs.rolling_max("price", 5, over="symbol")',
    ),
    "a loop over groups of Polars": (
        "q = pl.DataFrame({'k': ['a', 'b', 'a', 'b', 'a'], 'x': [1.0, 2.0, 3.0, 4.0, 6.0]})\nparts = []\n"
        "for _, g in q.group_by('k'):\n"
        "    g = g.with_columns(pl.col('x').rolling_mean(2).alias('m'))\n    parts.append(g)\n"
        "out = pl.concat(parts)\nprint(out)",
        'hs.rolling_mean("x", 2, over="k")',
    ),
    "a list of partitions": (
        "q = pl.DataFrame({'k': ['a', 'b', 'a', 'b', 'a'], 'x': [1.0, 2.0, 3.0, 4.0, 6.0]})\n"
        "out = pl.concat([g.with_columns(m=pl.col('x').cum_max()) for g in q.partition_by('k')])\nprint(out)",
        'hs.cum_max("x", over="k")',
    ),
    "apply over groups": (
        "f['m'] = f.groupby('symbol')['price'].apply(lambda s: s.rolling(5).mean()).reset_index(level=0, drop=True)",
        'hs.rolling_mean("price", 5, over="symbol")',
    ),
    "apply with the index of pandas": (
        "m = f.groupby('symbol')['price'].apply(lambda s: s.rolling(5, min_periods=2).max())\nprint(m)",
        'hs.rolling_max("price", 5, min_samples=2, over="symbol")',
    ),
    "transform": (
        "f['z'] = f.groupby('symbol')['price'].transform(lambda s: (s - s.rolling(9).mean()) / s.rolling(9).std())",
        'hs.rolling_zscore("price", 9, over="symbol")',
    ),
    "arithmetic around kernels": (
        "f['z'] = f.groupby('symbol')['price'].transform(lambda s: s.rolling(3).mean() / s.rolling(9).mean() - 1)",
        'hs.rolling_mean("price", 3, over="symbol") and hs.rolling_mean("price", 9, over="symbol")',
    ),
    "a named function": (
        "def fast(p):\n    return p.ewm(span=7, adjust=False).mean()\n"
        "f['e'] = f.groupby('symbol')['price'].transform(fast)",
        'hs.ewm_mean("price", span=7, adjust=False, over="symbol")',
    ),
    "two keys": (
        "f['d'] = f.groupby(['symbol', 'side'])['price'].diff()",
        'hs.diff("price", over=["symbol", "side"])',
    ),
    "windows of groups": (
        "f['m'] = f.groupby('symbol')['price'].rolling(20, min_periods=1).median().droplevel(0)",
        'hs.rolling_median("price", 20, min_samples=1, over="symbol")',
    ),
    "two columns": (
        "f['c'] = f.groupby('symbol').apply(lambda g: g['price'].rolling(8).corr(g['size'])).droplevel(0)",
        'hs.rolling_corr("price", "size", 8, over="symbol")',
    ),
    "a function of a window": (
        "f['r'] = f['price'].rolling(6).apply(lambda w: w.max() - w.min(), raw=True)",
        'hs.rolling(lambda w: w.max() - w.min())("price", 6, min_samples=6)',
    ),
    "a function of a Series": (
        "f['r'] = f['price'].rolling(6).apply(lambda w: (w.iloc[-1] - w.mean()) / w.std())",
        'hs.rolling(lambda w: (w[-1] - w.mean()) / w.std(ddof=1))("price", 6, min_samples=6)',
    ),
    "a function of a row": (
        "f['v'] = f.apply(lambda r: r['price'] * r['size'] if r['side'] == 'buy' else 0.0, axis=1)",
        "apply(..., engine=hs.jit)",
    ),
    "a function of a row of numbers": (
        "f['v'] = f.apply(lambda r: r['price'] * r['size'] + 1, axis=1)",
        "apply(..., engine=hs.jit)",
    ),
    "a loop with strings": (
        "held = 0.0\nout = []\nfor row in f.itertuples():\n    if row.side == 'buy' and row.symbol in ('A', 'B'):\n"
        "        held += row.amount * 2.0\n    elif row.side != 'sell':\n        held -= 1.0\n"
        "    out.append(held)\nf['v'] = out",
        "@hs.loop out_loop (written below)",
    ),
    "a function of a value": ("f['v'] = f['size'].map(lambda n: n * 2 + 1)", "map(..., engine=hs.jit)"),
    "a comprehension": (
        "f['v'] = [p * s - 1.0 for p, s in zip(f['price'], f['size'])]",
        "hs.jit(lambda p, s)(...)",
    ),
    "a loop with state": (
        "level = 0.0\nout = []\nfor _, row in f.iterrows():\n"
        "    if row['price'] > 50:\n        level = level * 0.9 + row['size']\n"
        "        out.append(level)\n    else:\n        out.append(0.0)\nf['v'] = out",
        "@hs.loop out_loop (written below)",
    ),
    "a loop without state": (
        "out = []\nfor row in f.itertuples():\n    if row.amount > 100:\n        out.append(row.price * 2)\n    else:\n"
        "        out.append(row.price)\nstr(out)",
        "@hs.jit out_of_row (written below)",
    ),
    "cells": (
        "f['v'] = 0.0\nstop = 0.0\nfor i in range(len(f)):\n"
        "    if f.loc[i, 'size'] > 50:\n        stop = stop + f.loc[i, 'size']\n"
        "    f.loc[i, 'v'] = stop",
        "@hs.loop v_loop (written below)",
    ),
    "the row before": (
        "x = f['size'].to_numpy()\nout = np.zeros(len(x))\n"
        "for i in range(1, len(x)):\n    out[i] = 0.5 * out[i - 1] + x[i] - x[i - 1]\n"
        "f['v'] = out",
        "@hs.loop out_loop (written below)",
    ),
    "a total": (
        "total = 0.0\nfor a, b in zip(f['size'], f['size']):\n    total = total * 0.5 + a * b\nprint(total)",
        "@hs.loop total_loop (written below)",
    ),
    "a loop over groups": (
        "for s, g in f.groupby('symbol'):\n    m = g['price'].rolling(4).mean()\n"
        "    f.loc[g.index, 'm'] = m\n    f.loc[g.index, 'd'] = g['price'] - m",
        'hs.rolling_mean("price", 4, over="symbol")',
    ),
    "groups put together again": (
        "parts = []\nfor _, g in f.groupby('symbol'):\n    g = g.copy()\n    g['e'] = g['price'].ewm(span=5).mean()\n"
        "    g['s'] = g['size'].cumsum()\n    parts.append(g)\nf = pd.concat(parts)",
        'hs.ewm_mean("price", span=5, over="symbol") and hs.cum_sum("size", over="symbol")',
    ),
    "running sums over missing values": (
        "f['c'] = f.groupby('symbol')['price'].transform(lambda s: s.cumsum() / 2)",
        'hs.cum_sum("price", over="symbol")',
    ),
    "a result without a name": (
        "c = f.groupby('symbol').apply(lambda g: g['price'].rolling(8).cov(g['size']))\nprint(c)",
        'hs.rolling_cov("price", "size", 8, over="symbol")',
    ),
    "a function that adds columns": (
        "def add(g):\n    g['d'] = g['price'].diff()\n    return g\nh = f.groupby('symbol').apply(add)",
        'hs.diff("price", over="symbol")',
    ),
    "state per key": (
        "last = {}\nout = []\nfor row in f.itertuples():\n    before = last.get(row.symbol)\n"
        "    out.append(0.0 if before is None else row.price - before)\n    last[row.symbol] = row.price\nf['v'] = out",
        "@hs.loop out_loop (written below)",
    ),
    "while over an index": (
        "x = f['price'].to_numpy()\nlevel = 0.0\nout = []\ni = 0\nwhile i < len(x):\n"
        "    level = level * 0.9 + x[i]\n    out.append(level)\n    i += 1\nf['v'] = out",
        "@hs.loop out_loop (written below)",
    ),
    "while from the second row": (
        "x = f['size'].to_numpy()\nout = np.zeros(len(x))\nn = len(x)\ni = 1\nwhile i < n:\n"
        "    out[i] = out[i - 1] * 0.5 + x[i]\n    i = i + 1\nf['v'] = out",
        "@hs.loop out_loop (written below)",
    ),
    "vectorize": ("v = np.vectorize(lambda a, b: a * 2 + b)(f['price'], f['size'])", "hs.jit(lambda a, b)(...)"),
    "a function of an element": (
        "g = pl.DataFrame({'x': [1.0, None, 3.0]})\n"
        "h = g.with_columns(pl.col('x').map_elements(lambda v: v * 2 + 1, return_dtype=pl.Float64))",
        'hs.jit(lambda v: v * 2 + 1)("x")',
    ),
    "a function of a struct": (
        "g = pl.DataFrame({'x': [1.0, 2.0], 'y': [3, 4]})\n"
        "h = g.select(pl.struct('x', 'y').map_elements(lambda r: r['x'] * r['y'], return_dtype=pl.Float64).alias('v'))",
        'hs.jit(lambda x, y: x * y)("x", "y")',
    ),
    "rolling_map": (
        "g = pl.DataFrame({'x': [1.0, 2.0, 5.0, 3.0]})\n"
        "h = g.select(pl.col('x').rolling_map(lambda w: w.max() - w.min(), 2))",
        'hs.rolling(lambda w: w.max() - w.min())("x", 2, min_samples=2)',
    ),
    "over": (
        "g = pl.DataFrame({'k': ['a', 'b', 'a', 'a'], 'x': [1.0, 2.0, 5.0, 3.0]})\n"
        "h = g.select(pl.col('x').rolling_mean(2).over('k'))",
        'hs.rolling_mean("x", 2, over="k")',
    ),
    "arithmetic over a key": (
        "h = p.with_columns((pl.col('x') / pl.col('x').shift(1) - 1).over('k').alias('r'))",
        'pl.col("x") / hs.shift("x", 1, over="k") - 1',
    ),
    "a statistic of a key next to a kernel": (
        "h = p.select(((pl.col('x') - pl.col('x').mean()) / pl.col('x').rolling_std(3)).over(['k']).alias('r'))",
        '(pl.col("x") - pl.col("x").mean().over("k")) / hs.rolling_std("x", 3, over="k")',
    ),
    "map_batches with a kernel": (
        "h = p.with_columns(pl.col('x').map_batches(lambda s: s - s.rolling_mean(4)).alias('m'))",
        'pl.col("x") - hs.rolling_mean("x", 4)',
    ),
    "map_batches over a key": (
        "h = p.with_columns(pl.col('x').map_batches(lambda s: s.cum_max()).over('k').alias('m'))",
        'hs.cum_max("x", over="k")',
    ),
    "map_batches with a function of a value": (
        "h = p.with_columns(pl.col('x').map_batches(lambda s: pl.Series([v * 2 + 1 for v in s])).alias('m'))",
        'hs.jit(lambda v: v * 2 + 1)("x")',
    ),
    "map_batches with map": (
        "def f(v):\n    return v * 2 + 1\n"
        "h = p.with_columns(pl.col('x').map_batches(lambda s: pl.Series('x', list(map(f, s)))).alias('m'))",
        'hs.jit(f)("x")',
    ),
    "map_batches with map_elements": (
        "h = p.select(pl.col('x').map_batches(lambda s: s.map_elements(lambda v: v / 3, return_dtype=pl.Float64)))",
        'hs.jit(lambda v: v / 3)("x")',
    ),
    "map_groups": (
        "h = p.group_by('k').map_groups(lambda g: g.with_columns(pl.col('x').rolling_mean(3).alias('m')))",
        'hs.rolling_mean("x", 3, over="k")',
    ),
    "map_groups in order": (
        "def add(g):\n    return g.with_columns(d=g['x'] - g['x'].shift(1)).select('k', 'd')\n"
        "h = p.group_by('k', maintain_order=True).map_groups(add)",
        'hs.shift("x", 1, over="k")',
    ),
    "map_groups, sorted again": (
        "h = p.group_by('k').map_groups(lambda g: g.with_columns(pl.col('x').diff().alias('d'))).sort('i')",
        'hs.diff("x", over="k")',
    ),
    "lists of groups": (
        "h = p.group_by('k').agg(pl.col('x').rolling_mean(3), pl.col('i'))",
        'hs.rolling_mean("x", 3, over="k")',
    ),
    "lists of groups, exploded": (
        "h = p.group_by('k', maintain_order=True).agg(pl.col('i'), c=pl.col('x').cum_sum()).explode('i', 'c')",
        'hs.cum_sum("x", over="k")',
    ),
    "the last value of a group": (
        "h = p.group_by('k').agg(pl.col('x').ewm_mean(span=5).last())",
        'hs.ewm_mean("x", span=5, over="k")',
    ),
    "a function of several lines": (
        "def rsi(s, n=5):\n    delta = s.diff()\n    gain = delta.clip(lower=0).rolling(n).mean()\n"
        "    loss = (-delta.clip(upper=0)).rolling(n).mean()\n    return 100 - 100 / (1 + gain / loss)\n"
        "f['r'] = f.groupby('symbol')['price'].transform(lambda s: rsi(s, 4))",
        'hs.diff("price", over="symbol") and hs.rolling_mean("_2", 4, over="symbol") and '
        'hs.rolling_mean("_4", 4, over="symbol")',
    ),
    "a kernel of a kernel": (
        "v = f.groupby('symbol')['price'].transform(lambda s: s.diff().rolling(3).mean())",
        'hs.diff("price", over="symbol") and hs.rolling_mean("_1", 3, over="symbol")',
    ),
    "columns that read each other": (
        "def add(g):\n    g = g.copy()\n    g['a'] = g['price'].diff()\n    g['b'] = g['a'].rolling(3).max()\n"
        "    g['c'] = g['b'] - 2 * g['a'] + g['price'].mean()\n    return g\n"
        "h = f.groupby('symbol').apply(add)",
        'hs.diff("price", over="symbol") and hs.rolling_max("a", 3, over="symbol")',
    ),
    "groups that are sorted": (
        "def add(g):\n    g = g.sort_values('size', kind='stable')\n    return g.assign(d=g['price'].diff())\n"
        "h = f.groupby('symbol').apply(add)",
        'hs.diff("price", over="symbol")',
    ),
    "a window over what was computed for groups": (
        "v = f.groupby('symbol')['price'].shift(1).rolling(3).mean()\nprint(v)",
        'hs.shift("price", 1, over="symbol")',
    ),
    "a window of something computed": (
        "v = f['price'].diff().rolling(6).apply(lambda w: w.max() - w.min(), raw=True)",
        'hs.diff("price") and hs.rolling(lambda w: w.max() - w.min())("_1", 6, min_samples=6)',
    ),
    "arithmetic of a window": (
        "f['r'] = f['size'].rolling(6).apply(lambda w: np.mean(np.abs(w - w.mean())), raw=True)",
        'hs.rolling(window_of_line_1)("size", 6, min_samples=6)',
    ),
    "a part of a window": (
        "f['r'] = f['size'].rolling(6).apply(lambda w: w[w > w.mean()].sum() / len(w), raw=True)",
        'hs.rolling(window_of_line_1)("size", 6, min_samples=6)',
    ),
    "differences in a window": (
        "f['r'] = f['size'].rolling(6).apply(lambda w: np.std(np.diff(w)) + np.log(w[1:] / w[:-1]).std(), raw=True)",
        'hs.rolling(window_of_line_1)("size", 6, min_samples=6)',
    ),
    "weights": (
        "w = np.arange(1, 6)\nf['r'] = f['size'].rolling(5).apply(lambda x: np.dot(x, w) / w.sum(), raw=True)",
        'hs.rolling_fir_mean("size", 5, w, min_samples=5)',
    ),
    "a slope": (
        "def slope(y):\n    x = np.arange(len(y))\n    return np.polyfit(x, y, 1)[0]\n"
        "f['r'] = f['size'].rolling(5).apply(slope, raw=True)",
        'hs.rolling_trend("size", 5, min_samples=5)',
    ),
    "a deque": (
        "from collections import deque\nw = deque(maxlen=4)\nout = []\nfor v in f['size']:\n    w.append(v)\n"
        "    out.append(sum(w) / len(w))\nprint(out)",
        'hs.rolling_mean("x", 4, min_samples=1)',
    ),
    "a list that is cut off": (
        "w = []\nout = []\nfor v in f['size'].tolist():\n    w.append(v)\n    if len(w) > 4:\n        w.pop(0)\n"
        "    if len(w) == 4:\n        out.append(max(w))\n    else:\n        out.append(None)\nprint(out)",
        'hs.rolling_max("x", 4, min_samples=4)',
    ),
    "slices": (
        "x = f['size'].to_numpy()\nn = 5\nout = np.full(len(x), np.nan)\nfor i in range(n, len(x)):\n"
        "    out[i] = x[i - n : i].mean()\nprint(out)",
        'hs.rolling_mean("x", 5, min_samples=5)',
    ),
    "a list of slices": (
        "x = f['size'].tolist()\nout = [min(x[max(0, i - 2) : i + 1]) for i in range(len(x))]\nprint(out)",
        'hs.rolling_min("x", 3, min_samples=1)',
    ),
    "a loop with rows before": (
        "out = [0.0]\nfor i in range(1, len(f)):\n    before = f.iloc[i - 1]\n    row = f.iloc[i]\n"
        "    out.append(row['size'] - before['size'] * 2.0)\nf['m'] = out",
        "@hs.loop out_loop (written below)",
    ),
    "a loop that goes on": (
        "x = f['size'].tolist()\nout = []\nfor i, v in enumerate(x):\n    if i == 0:\n        out.append(0)\n"
        "        continue\n    if v > x[i - 1]:\n        out.append(1)\n        continue\n    out.append(-1)\n"
        "print(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with a matrix": (
        "m = f[['price', 'size']].to_numpy()\nout = np.zeros(len(m))\na = 0.0\nfor i in range(len(m)):\n"
        "    a = a * 0.5 + m[i, 1]\n    out[i] = a\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop that counts its keys": (
        "seen = {}\nout = []\nfor i in range(len(f)):\n    who = f['symbol'].iloc[i]\n    if who not in seen:\n"
        "        seen[who] = 0\n    seen[who] += 1\n    out.append(seen[who] <= 3)\nf['m'] = out",
        "@hs.loop out_loop (written below)",
    ),
    "a loop that changes its values": (
        "out = []\nlevel = 0.0\nfor v in f['size'].tolist():\n    if v > 400:\n        v = 400\n"
        "    level = level * 0.5 + v\n    out.append(level)\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "numbers of NumPy in a list": (
        "x = f['size'].to_numpy() * 1.0\nout = []\nlast = 0.0\nfor v in x:\n    last = 0.9 * last + v\n"
        "    out.append(last)\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop whose variable is read later": (
        "out = []\nfor v in f['size']:\n    half = v / 2\n    out.append(half)\nprint(out, half)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with a bar": (
        "def tqdm(rows, total):\n    return rows\nout = []\na = 0.0\nfor i, row in tqdm(f.iterrows(), total=len(f)):\n"
        "    a = max(a, row.price) * 0.99\n    out.append(a)\nprint(out, a)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with records": (
        "out = []\na = 0.0\nfor r in f.to_dict('records'):\n    a = 0.5 * a + r['size']\n    out.append(a)\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with picked columns": (
        "out = []\na = 0.0\nfor v, n in f[['price', 'size']].values:\n    a = 0.5 * a + v * n\n    out.append(a)\n"
        "print(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with labels": (
        "for i in f.index:\n    f.loc[i, 'd'] = f.loc[i, 'size'] * 2.0\nprint(f)",
        "@hs.loop d_loop (written below)",
    ),
    "a loop with tuples": (
        "rows = list(zip(f['symbol'], f['price'].tolist()))\nlast = {}\nout = []\nfor s, v in rows:\n"
        "    out.append(v - last.get(s, v))\n    last[s] = v\nprint(out)",
        "@hs.loop out_loop (written below)",
    ),
    "a loop with rows that are numbered": (
        "a = 0.0\nf['d'] = 0.0\nfor i, r in enumerate(f.itertuples()):\n    a = 0.5 * a + r.price\n"
        "    f.at[i, 'd'] = a\nprint(f)",
        "@hs.loop d_loop (written below)",
    ),
    "a list of rows": (
        "f['d'] = [r['price'] * 2 if r['size'] > 50 else 0.0 for _, r in f.iterrows()]",
        "@hs.jit values_of_line_1 (written below)",
    ),
    "a list of rows and those before": (
        "x = f['size'].tolist()\nd = [x[i] / x[i - 1] - 1 for i in range(1, len(x))]\nprint(d)",
        "@hs.loop values_of_line_2 (written below)",
    ),
    "a list of pairs": (
        "x = f['size'].to_numpy() * 1.0\nd = [b - a for a, b in zip(x, x[1:])]\nprint(d)",
        "@hs.loop values_of_line_2 (written below)",
    ),
    "a list of NumPy's numbers": (
        "x = f['size'].to_numpy() * 1.0\nd = [round(v, 1) for v in x]\nprint(d)",
        "hs.jit(lambda v)(...)",
    ),
    "map_elements of a struct, with statements": (
        "def g(r):\n    if r['i'] > 9:\n        return r['x'] * 0.1\n    return r['x']\n"
        "h = p.with_columns(pl.struct('i', 'x').map_elements(g, return_dtype=pl.Float64).alias('g'))",
        'g_of_columns("i", "x")',
    ),
    "map_rows": (
        "h = p.map_rows(lambda row: row[2] * 2.0 + row[0])",
        '@hs.jit: of_row_of_columns("i", "x")',
    ),
    "map_rows of a function that unpacks": (
        "def g(row):\n    i, k, x = row\n    if i > 30:\n        return x - 1.0\n    return x * i\n"
        "h = p.map_rows(g).rename({'map': 'g'})",
        '@hs.jit: g_of_columns("i", "x")',
    ),
    "rolling_map with NumPy": (
        "h = p.with_columns(pl.col('x').rolling_map(lambda s: np.std(s.to_numpy()), 5))",
        'hs.rolling(lambda s: np.std(s))("x", 5, min_samples=5)',
    ),
    "the last value before": (
        "found = []\nfor _, row in a.iterrows():\n    before = b[b['t'] <= row['t']]\n"
        "    if len(before):\n        found.append(before['v'].iloc[-1])\n    else:\n        found.append(np.nan)\n"
        "a['v'] = found",
        "pd.merge_asof",
    ),
    "the last value before, of a key": (
        "found = []\nfor k, t in zip(a['k'], a['t']):\n    before = b.loc[(b['k'] == k) & (b['s'] < t), 'v']\n"
        "    found.append(0.0 if before.empty else before.iloc[-1])\na['v'] = found",
        "pd.merge_asof",
    ),
    "the last value before, of rows in any order": (
        "c['v'] = c['t'].apply(lambda t: b[b['t'] <= t]['v'].values[-1] if (b['t'] <= t).any() else np.nan)",
        "pd.merge_asof",
    ),
    "the last value before, of rows": (
        "a['v'] = a.apply(lambda r: b[(b.k == r.k) & (r.t >= b.t)].iloc[-1]['v'] if len(b[b.t <= r.t][b.k == r.k]) "
        "else np.nan, axis=1)",
        "pd.merge_asof",
    ),
    "the last value before, in Polars": (
        "found = []\nfor row in x.iter_rows(named=True):\n    before = y.filter(pl.col('t') <= row['t'])\n"
        "    found.append(before['v'][-1] if len(before) else None)\nprint(found)",
        "join_asof",
    ),
}


def more_frames() -> dict[str, Any]:
    """Return frames of Polars, and such in which last values are looked up."""
    rng = np.random.default_rng(1)
    groups = pl.DataFrame({"i": range(60), "k": rng.choice(list("BAC"), 60), "x": rng.random(60)})
    rows = pd.DataFrame({"t": np.sort(rng.integers(0, 90, 40)), "k": rng.choice(list("AB"), 40)})
    values = pd.DataFrame({"t": np.sort(rng.integers(9, 80, 50)), "k": rng.choice(list("AB"), 50), "v": rng.random(50)})
    values["s"] = values["t"]
    mixed = values.sample(frac=1, random_state=0)
    return {
        "p": groups,
        "a": rows,
        "b": values,
        "c": rows.sample(frac=1, random_state=0),
        "d": mixed,
        "x": pl.DataFrame(rows.to_dict("list")),
        "y": pl.DataFrame(values.to_dict("list")),
    }


WITHOUT_ENGINES = {
    "apply(..., engine=hs.jit)": "@hs.jit function_of_columns (written below)",
    "map(..., engine=hs.jit)": "hs.jit(lambda n)(...)",
}
"""What replaces the same where `apply` and `map` of pandas take no engine."""


@pytest.mark.parametrize("name", EQUAL)
def test_it_is_replaced_and_equal(name: str, tmp_path: Path) -> None:
    code, use = EQUAL[name]
    use = use if has_engines() else WITHOUT_ENGINES.get(use, use)
    frame = trades()
    frame["amount"] = frame["size"]
    if name.startswith(("a loop", "while")) or name in ("cells", "state per key", "slices"):
        frame = frame.dropna().reset_index(drop=True)
    proof = first(code, tmp_path, f=frame, **more_frames())
    assert proof.state == "equal", (proof.use, proof.why, proof.definitions, proof.code)
    assert proof.use == use
    assert proof.rows


NOT_REPLACED = {
    "rows without a key": (
        "f['k'] = f['symbol'].where(f['size'] > 20)\n"
        "f['s'] = f.groupby('k')['size'].transform(lambda s: s.rolling(2).sum())",
        "differs",
    ),
    "a query": ("out = []\nfor s in f['symbol']:\n    out.append(database.execute(s))\nprint(out)", "none"),
    "strings": ("f['t'] = f['symbol'].map(lambda s: s.lower() if s > 'C' else s)", "refused"),
    "while, with a count that is read later": (
        "x = f['size'].to_numpy()\nout = []\ni = 0\nwhile i < len(x):\n    out.append(x[i] * 2)\n    i += 1\n"
        "print(out, i)",
        "differs",
    ),
    "a break": (
        "out = []\nfor p in f['size']:\n    if p > 490:\n        break\n    out.append(p + 1)\nprint(out)",
        "refused",
    ),
    "a random number": (
        "rng = np.random.default_rng(0)\nout = []\nfor p in f['size']:\n    out.append(p + rng.random())\nprint(out)",
        "refused",
    ),
    "map_batches of strings": (
        "h = p.with_columns(pl.col('k').map_batches(lambda s: pl.Series([v.lower() for v in s])).alias('m'))",
        "refused",
    ),
    "all columns of groups": (
        "h = p.group_by('k').agg(pl.all().exclude('x'), pl.col('x').cum_sum())",
        "differs",
    ),
    "groups that are sorted, beside a column that is not": (
        "h = f.groupby('symbol').apply(lambda g: g.sort_values('size', kind='stable').assign(d=g['price'].diff()))",
        "differs",
    ),
    "the last value of rows that are not sorted": (
        "found = []\nfor t in a['t']:\n    before = d[d['t'] <= t]\n"
        "    found.append(before['v'].iloc[-1] if len(before) else np.nan)\nprint(found)",
        "refused",
    ),
}


@pytest.mark.parametrize("name", NOT_REPLACED)
def test_what_would_not_be_equal_is_not_replaced(name: str, tmp_path: Path) -> None:
    code, state = NOT_REPLACED[name]

    class Database:
        def execute(self, text: str) -> str:
            raise AssertionError("a query must never be run again")

    found = proven(code, tmp_path, f=trades(), **more_frames(), database=Database())
    assert [proof.state for proof in found][-1:] == [state], found
    assert all(proof.state != "equal" for proof in found)
    assert found[-1].why
    assert all(proof.why for proof in found if proof.state != "none")  # else there was nothing to offer


def test_a_window_that_is_read_later_stays(tmp_path: Path) -> None:
    code = (
        "from collections import deque\nw = deque(maxlen=4)\nout = []\nfor v in f['size'].tolist():\n    w.append(v)\n"
        "    out.append(sum(w))\nprint(out, w)"
    )
    found = proven(code, tmp_path, f=trades())
    assert [proof.state for proof in found] == ["differs", "refused"]
    assert "w is read afterwards" in found[0].why


def test_values_of_the_script_are_left_as_they_are(tmp_path: Path) -> None:
    frame = trades()
    kept = frame.copy()
    numbers = [1.0]
    first("f['price'] = f.groupby('symbol')['price'].transform(lambda s: s.cumsum())", tmp_path, f=frame, n=numbers)
    pd.testing.assert_frame_equal(frame, kept)


@pytest.mark.parametrize(
    ("before", "after", "equal"),
    [
        ([1.0, math.nan], [1.0, math.nan], True),
        ([1.0, 2.0], [1.0, 2.0 + 4e-16], True),
        ([1.0, 2.0], [1.0, 2.001], False),
        ([1, 2], [1, 2.0], False),
        ([1.0], [1.0, 2.0], False),
        ([1.0, None], [1.0, math.nan], False),
        (["a"], ["b"], False),
        ([True], [1], False),
        ([(1, 2.0)], [(1, 2.0)], True),
        (pd.Series([1.0, 2.0]), pd.Series([1.0, 2.0], index=[1, 0]), False),
        (pd.Series([1.0], name="a"), pd.Series([1.0], name="b"), False),
        (pd.Series([1, 2]), pd.Series([1.0, 2.0]), False),
        (pd.DataFrame({"a": [1.0]}), pd.DataFrame({"a": [1.0]}), True),
        (pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": [1.0]}), False),
        (pl.Series([1.0, None]), pl.Series([1.0, math.nan]), False),
        (pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [1, 2]}), True),
        (np.array([1.0]), np.array([1.0], "f4"), False),
        (1e300, 1e300 * (1 + 1e-15), True),
        ({"a": 1}, {"a": 2}, False),
    ],
)
def test_comparison(before: Any, after: Any, equal: bool) -> None:
    found = compare(before, after)
    assert found.is_equal is equal, found.why
    assert equal or found.why
