"""Compares hypostyle's speed with that of its peers, on the same rows, in one run, in turns.

    python benches/compare.py --quick            a few seconds a kernel, to see that everyone agrees
    python benches/compare.py --write            the real thing; writes benches/results and the tables in the READMEs

Each number of threads is a process of its own (`measure.py`).  A peer whose answer differs stops the comparison.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import report
from machine import machine
from table import KERNELS, Window

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
PEERS = ("polars", "pandas", "numbagg", "bottleneck", "duckdb", "polars-ds", "ta-lib", "numpy", "numba, by hand")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the comparison; the exit code is 1 where a peer's answer differs."""
    options = parser().parse_args(arguments)
    if options.quick:
        options.rows, options.keys, options.repeat = min(options.rows, 100_000), min(options.keys, 100), 2
    rows: list[dict[str, Any]] = []
    try:
        for threads in dict.fromkeys(options.threads):
            rows.extend(measured(plan_of(options, threads), threads))
    except subprocess.CalledProcessError as error:
        print(f"stopped: {error}; nothing is written", file=sys.stderr)
        return 1
    result = {
        "command": shlex.join(["python", "benches/compare.py", *(sys.argv[1:] if arguments is None else arguments)]),
        "settings": {
            name: getattr(options, name) for name in ("rows", "keys", "windows", "repeat", "threads", "budget")
        },
        **machine(),
        "rows": rows,
    }
    print(report.markdown(result))
    if options.write:
        readmes: dict[Path, Sequence[str] | None] = {}
        if options.output == RESULTS:
            readmes = {ROOT / "README.md": report.README_ROWS, HERE / "README.md": None}
        report.write(result, options.output, readmes)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=5_000_000, help="rows of the frame (5_000_000)")
    made.add_argument("--keys", type=int, default=5_000, help="keys of the keyed rows (5_000)")
    made.add_argument(
        "--windows", type=window, nargs="+", default=[20, 1000, "60s"], help="rows or durations (20 1000 60s)"
    )
    made.add_argument("--repeat", type=int, default=5, help="runs of each, of which the best counts (5)")
    made.add_argument("--threads", type=threads_of, nargs="+", default=[1, cores()], help="numbers, or all (1 all)")
    made.add_argument(
        "--kernels", nargs="+", choices=KERNELS, default=KERNELS, metavar="KERNEL", help="all unless given"
    )
    made.add_argument("--peers", nargs="+", choices=PEERS, metavar="PEER", help=f"all unless given: {', '.join(PEERS)}")
    made.add_argument(
        "--budget", type=float, default=10.0, help="seconds in a row after which a peer runs no more (10)"
    )
    made.add_argument("--quick", action="store_true", help="100_000 rows, 100 keys, two runs")
    made.add_argument("--write", action="store_true", help="write the results, the chart and the README's tables")
    made.add_argument(
        "--output", type=Path, default=RESULTS, help="where to instead of benches/results; the READMEs stay"
    )
    return made


def window(text: str) -> Window:
    return int(text) if text.isdigit() else text


def threads_of(text: str) -> int:
    return cores() if text == "all" else int(text)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def plan_of(options: argparse.Namespace, threads: int) -> dict[str, Any]:
    names = ("rows", "keys", "windows", "repeat", "kernels", "peers", "budget")
    return {name: getattr(options, name) for name in names} | {"threads": threads}


def measured(plan: dict[str, Any], threads: int, program: str = "measure.py") -> Iterator[dict[str, Any]]:
    """What a process of `program` reports, line by line; the number of threads is set before it imports anything."""
    names = ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
    path = os.pathsep.join(filter(None, [str(ROOT / "tests" / "python"), os.environ.get("PYTHONPATH")]))
    environment = os.environ | dict.fromkeys(names, str(threads)) | {"PYTHONPATH": path}
    command = [sys.executable, str(HERE / program), json.dumps(plan)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is not None:
            yield from map(json.loads, process.stdout)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, program)


if __name__ == "__main__":
    sys.exit(main())
