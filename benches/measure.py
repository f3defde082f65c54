"""Checks that all who take part in a row agree, then times them in turns.

Runs in a process of its own for each number of threads, since polars and rayon read theirs from the environment once:
`compare.py` starts it with the plan as JSON on the command line, and reads a line of JSON for each row of the report.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from inputs import Array, Inputs, inputs
from loops import SLICE, memory_copy, python_loop
from oracles import ORACLES
from peers import Peer, peers
from table import ROW_FUNCTIONS, Keys, Row, rows_of

T = TypeVar("T")
# `best` makes calls in this many blocks, and none of those that have taken this many times the budget.
BLOCKS, LONG = 5, 4


class MismatchError(Exception):
    """A peer answers otherwise."""


def main(plan: dict[str, Any]) -> None:
    gc.disable()
    for kind in cast("list[Keys]", ["none", "text", "integer"]):
        rows = list(rows_of(kind, plan["kernels"], plan["windows"]))
        if not rows:
            continue
        data = inputs(plan["rows"], plan["keys"], kind, plan["threads"])
        for row in rows:
            print(f"  {plan['threads']} thread(s): {row.name}", file=sys.stderr, flush=True)
            print(json.dumps(measure(row, data, plan)), flush=True)


def measure(row: Row, data: Inputs, plan: dict[str, Any]) -> dict[str, Any]:
    """One row of the report: the seconds of every run, by who ran."""
    everyone = peers(row, data, plan["peers"] and set(plan["peers"]))
    first = check(row, everyone, data)
    runs: dict[str, Callable[[], object]] = {name: peer.run for name, peer in everyone.items()}
    if row.kernel in ROW_FUNCTIONS:
        runs["memory copy"] = memory_copy(row.kernel, row.case, data.arrays)
        runs["python loop"] = python_loop(row.kernel, row.case, data.arrays)
    slow = {name: [took] for name, took in first.items() if took > plan["budget"] and not everyone[name].compiles}
    seconds = timed({name: run for name, run in runs.items() if name not in slow}, plan["repeat"], plan["budget"])
    seconds |= slow
    counted = {name: min(SLICE, len(data)) if name == "python loop" else len(data) for name in runs}
    return {
        "name": row.name,
        "kernel": row.kernel,
        "keys": row.keys,
        "window": row.window,
        "threads": plan["threads"],
        "seconds": seconds,
        "ns_per_row": {name: min(all_) / counted[name] * 1e9 for name, all_ in seconds.items()},
    }


def timed(runs: dict[str, Callable[[], object]], repeat: int, budget: float) -> dict[str, list[float]]:
    """Everyone in turns, `repeat` times; who has used up the budget (in seconds) sits out the later rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeat):
        for name, run in runs.items():
            if sum(seconds[name]) < budget:
                begin = time.perf_counter()
                answer = run()
                seconds[name].append(time.perf_counter() - begin)
                del answer
        gc.collect()
    return seconds


def best(runs: Mapping[T, Callable[[], object]], budget: float) -> dict[T, float]:
    """Return the seconds of the fastest call of each, over blocks of calls in turns.

    Short calls repeat until each has had `budget` seconds.  Long ones run once per block, or less often if they take
    several times the budget.
    """
    least = dict.fromkeys(runs, float("inf"))
    spent = dict.fromkeys(runs, 0.0)
    for block in range(1, BLOCKS + 1):
        for who, run in runs.items():
            calls = 0
            while spent[who] < budget * block / BLOCKS or (not calls and spent[who] < LONG * budget):
                begin = time.perf_counter()
                answer = run()
                took = time.perf_counter() - begin
                del answer
                least[who], spent[who], calls = min(least[who], took), spent[who] + took, calls + 1
            gc.collect()
    return least


def check(row: Row, everyone: dict[str, Peer], data: Inputs) -> dict[str, float]:
    """Raises where a peer's answer differs from hypostyle's; gives the seconds of the others' first runs.

    The first run compiles numba's functions, so only of those without it does it say anything.
    """
    ours = everyone["hypostyle"]
    expected = ours.values(ours.run())
    tolerance = tolerance_of(row)
    first: dict[str, float] = {}
    for name, peer in everyone.items():
        if name == "hypostyle":
            continue
        begin = time.perf_counter()
        answer = peer.run()
        first[name] = time.perf_counter() - begin
        compare(row.name, name, peer.values(answer), expected, tolerance, partial=peer.partial)
    return first


def tolerance_of(row: Row) -> float:
    """Zero if the parity tests require the same bits; else room for the rounding of running sums over tame values."""
    return min(ORACLES[row.kernel].tolerance, 1e-9)


def compare(row: str, who: str, found: Array, expected: Array, tolerance: float, *, partial: bool = False) -> None:
    """Raise if a result differs from hypostyle's; with `partial` only in rows where hypostyle has one."""
    if len(found) != len(expected):
        raise MismatchError(f"{row}: {who} gives {len(found)} rows, hypostyle {len(expected)}")
    scale = float(np.nanmax(np.abs(expected))) if not np.isnan(expected).all() else 1.0
    close = np.isclose(found, expected, rtol=tolerance, atol=tolerance * scale, equal_nan=True)
    if partial:
        close |= np.isnan(expected)
    if not close.all():
        at = int(np.argmin(close))
        msg = (
            f"{row}: {who} differs from hypostyle in {np.count_nonzero(~close)} of {len(expected)} rows, "
            f"first in row {at}: {found[at]!r}, hypostyle {expected[at]!r}"
        )
        raise MismatchError(msg)


def script(measuring: Callable[[dict[str, Any]], None], arguments: Sequence[str]) -> int:
    """Run the plan on the command line; the exit code is 1 if results differ."""
    try:
        measuring(json.loads(arguments[0]))
    except MismatchError as error:
        print(f"mismatch: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(script(main, sys.argv[1:]))
