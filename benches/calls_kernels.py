"""Kernels alone on one thread, beside libraries over arrays.

Runs in a process of its own, as Polars and numba read their number of threads once: `calls.py` starts it with the plan
as JSON on the command line, and reads a line of JSON for each row of the report.
"""

from __future__ import annotations

import gc
import json
import sys
from functools import partial
from typing import Any

import polars as pl

import hypostyle as hs
from hypostyle import _native
from inputs import Inputs, inputs
from measure import best, check, script
from peers import Peer, floats, peers
from table import Row, rows_of

WINDOW = 20
KERNELS = [*(f"rolling_{name}" for name in ("mean", "sum", "var", "std", "min", "max")), "ewm_mean"]
PEERS = {"polars", "pandas", "numbagg", "bottleneck"}


def main(plan: dict[str, Any]) -> None:
    gc.disable()
    for count in plan["rows"]:
        data = inputs(count, 1, "none", 1)
        for row in rows_of("none", KERNELS, [WINDOW]):
            print(f"  {count:,} rows, 1 thread: {row.name}", file=sys.stderr, flush=True)
            everyone = peers(row, data, PEERS) | {"hypostyle": alone(row, data)}
            check(row, everyone, data)
            seconds = best({name: peer.run for name, peer in everyone.items()}, plan["budget"])
            times = {name: took / count * 1e9 for name, took in seconds.items()}
            print(json.dumps({"name": row.name, "rows": count, "ns_per_row": times}), flush=True)


def alone(row: Row, data: Inputs) -> Peer:
    """Return the call of the compiled function, without Polars' query or the making of an expression."""
    spec = getattr(hs, row.kernel)(**row.case)._kernel
    run = partial(_native.evaluate, data.polars.select(spec.columns), [spec.json], 1)
    return Peer(run, lambda batch: floats(pl.DataFrame(batch)))


if __name__ == "__main__":
    sys.exit(script(main, sys.argv[1:]))
