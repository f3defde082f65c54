"""Measures user-defined functions, compiled: row functions, scans, by key, over windows, and the first result.

    python benches/functions.py --quick      a minute or two, to see that all results agree
    python benches/functions.py --write      the full run; writes benches/results/functions.* and the table in README.md

One thread, and row functions on all threads too.  A result that differs from CPython's, or a peer's that differs from
hypostyle's, stops the run.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compare import measured
from functions_report import markdown, write
from machine import machine
from process import alone

HERE = Path(__file__).resolve().parent
PARTS = ("rows", "scans", "keyed", "rolling", "threads", "first")
# The rows over which Python runs, for the report; `function_peers.py` cuts them.
SLICES = "20,000; apply 1,000; rolling_map 5,000"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts; the exit code is 1 if results differ."""
    options = parser().parse_args(arguments)
    if options.quick:
        options.rows, options.keys, options.starts, options.budget = [1_000, 20_000], [1, 1_000], 1, 0.01
    result: dict[str, Any] = {
        "command": shlex.join(["python", "benches/functions.py", *(sys.argv[1:] if arguments is None else arguments)]),
        "budget": options.budget,
        "starts": options.starts,
        "columns": "random columns, without nulls except where the function handles them",
        "slices": SLICES,
    }
    parts = [part for part in PARTS if part in options.only]
    plan = {name: getattr(options, name) for name in ("rows", "keys", "windows", "budget")}
    try:
        in_process = [part for part in parts if part not in ("first", "threads")]
        result["measured"] = list(measured({**plan, "parts": in_process}, 1, "functions_measure.py"))
        if "threads" in parts:
            threaded = {**plan, "rows": plan["rows"][1:], "parts": ["threads"]}
            result["measured"] += measured(threaded, os.cpu_count() or 1, "functions_measure.py")
        if "first" in parts:
            result["first"] = first_results(options.starts)
    except (subprocess.CalledProcessError, RuntimeError) as error:
        print(f"stopped: {error}; nothing is written", file=sys.stderr)
        return 1
    result |= machine()
    print(markdown(result))
    if options.write:
        write(result, HERE / "results", HERE / "README.md")
    return 0


def first_results(starts: int) -> list[dict[str, Any]]:
    """Return the median times of fresh processes, in turns; the first of each reads files from the disk."""
    everyone = [(name, who) for name in ("risk_score", "cusum") for who in ("hypostyle", "numba")]
    found: dict[tuple[str, str], list[dict[str, float]]] = {one: [] for one in everyone}
    os.environ["POLARS_MAX_THREADS"] = "1"
    for turn in range(starts + 1):
        for name, who in everyone:
            print(f"  first result: {name}, {who}", file=sys.stderr, flush=True)
            ran = alone([sys.executable, HERE / "functions_first.py", who, name], 120)
            if ran["status"] != "ok":
                raise RuntimeError(f"{name}, {who}: {ran['status']}")
            if turn:
                found[name, who].append({**json.loads(ran["printed"]), "process": ran["seconds"]})
    for name in dict.fromkeys(name for name, _ in everyone):
        sums = [found[name, who][0]["sum"] for who in ("hypostyle", "numba")]
        if abs(sums[0] - sums[1]) > 1e-9 * abs(sums[1]):
            raise RuntimeError(f"{name}: the first results differ: {sums}")
    return [{"name": name, "who": who, **medians(runs)} for (name, who), runs in found.items()]


def medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    return {
        "first": statistics.median(run["first"] for run in runs),
        "with_imports": statistics.median(run["import"] + run["first"] for run in runs),
        "process": statistics.median(run["process"] for run in runs),
    }


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rows, keys = [1_000, 100_000, 5_000_000], [1, 1_000, 100_000]
    made.add_argument("--rows", type=int, nargs="+", default=rows, help="rows (1_000 100_000 5_000_000)")
    made.add_argument("--keys", type=int, nargs="+", default=keys, help="keys of the keyed scans (1 1_000 100_000)")
    made.add_argument("--windows", type=int, nargs="+", default=[20], help="windows in rows (20)")
    made.add_argument("--budget", type=float, default=0.3, help="seconds for the calls behind each time (0.3)")
    made.add_argument("--starts", type=int, default=9, help="processes behind each first result (9)")
    made.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some parts alone")
    made.add_argument("--quick", action="store_true", help="few rows, few calls")
    made.add_argument("--write", action="store_true", help="write benches/results/functions.md and .json")
    return made


if __name__ == "__main__":
    sys.exit(main())
