"""Checks that all who run a function agree, then times them in turns, on as many threads as the environment says.

Runs in a process of its own, as Polars and numba read their number of threads once: `functions.py` starts it with the
plan as JSON on the command line, and reads a line of JSON for each row of the report.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from function_oracle import ALONE, expected
from function_peers import Inputs, Peer, objects, peers, rolling_peers
from function_suite import ROW_SUITE, SCAN_SUITE
from inputs import Array
from measure import best, compare, script
from user_function_samples import Example, normal

# Functions with exp, log and the like, and those whose terms a peer sums up in another order; the others: all bits.
TOLERANCE = 1e-12
# Rows on which hypostyle is compared with Python.
CHECKED = 1_000
Result = dict[str, Any]


def main(plan: dict[str, Any]) -> None:
    gc.disable()
    gc.freeze()  # so that collecting between blocks of calls takes no time
    try:
        for part in plan["parts"]:
            for result in PARTS[part](plan):
                print(json.dumps({"part": part, **result}), flush=True)
    finally:
        gc.unfreeze()


def rows(plan: dict[str, Any]) -> Iterator[Result]:
    for count in plan["rows"]:
        for example in ROW_SUITE:
            yield measured(example, Inputs.of(example, count), plan)


def scans(plan: dict[str, Any]) -> Iterator[Result]:
    for count in plan["rows"]:
        for example in SCAN_SUITE:
            yield measured(example, Inputs.of(example, count), plan)


def keyed(plan: dict[str, Any]) -> Iterator[Result]:
    count = max(plan["rows"])
    for keys in plan["keys"]:
        for example in SCAN_SUITE:
            yield measured(example, Inputs.of(example, count, keys), plan)


def rolling(plan: dict[str, Any]) -> Iterator[Result]:
    for count in plan["rows"]:
        data = normal(100, 10).series("x", np.random.default_rng(0), count).to_frame()
        for window in plan["windows"]:
            named = f"decayed_sum {window}"
            yield {"name": named, "rows": count, **times(named, rolling_peers(data, window), plan, TOLERANCE)}


PARTS = {"rows": rows, "scans": scans, "keyed": keyed, "rolling": rolling, "threads": rows}


def measured(example: Example, data: Inputs, plan: dict[str, Any]) -> Result:
    """Return a row of the report."""
    everyone = peers(example, data)
    exact = not example.ulps
    keys = None if data.keys is None else data.frame["key"].head(CHECKED).to_list()
    told = expected(example.program(), data.frame.head(CHECKED).to_dict(as_series=False), keys)[ALONE]
    ours = everyone["hypostyle"]
    compare(example.name, "python", objects(told), ours.values(ours.run())[:CHECKED], 0 if exact else TOLERANCE)
    found = {"name": example.name, "rows": len(data.frame), "keys": data.keys, "columns": len(example.columns)}
    return found | times(example.name, everyone, plan, TOLERANCE)


def times(name: str, everyone: Mapping[str, Peer], plan: dict[str, Any], tolerance: float) -> Result:
    """Compare all results with hypostyle's, then return the nanoseconds per row of everyone."""
    ours = everyone["hypostyle"]
    expected_values: Array = ours.values(ours.run())
    print(f"  {name}, {ours.rows:,} rows", file=sys.stderr, flush=True)
    for who, peer in everyone.items():
        compare(name, who, peer.values(peer.run()), expected_values[: peer.rows], tolerance)
    seconds = best({who: peer.run for who, peer in everyone.items()}, plan["budget"])
    return {"ns_per_row": {who: took / everyone[who].rows * 1e9 for who, took in seconds.items()}}


if __name__ == "__main__":
    sys.exit(script(main, sys.argv[1:]))
