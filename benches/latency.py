"""How long one row takes with many keys in the state: from Python, and in Rust (`latency.rs`).

    python benches/latency.py            prints the table
    python benches/latency.py --write    and puts it into docs/live.md

Three kernels (rolling_mean over 20 rows, ewm_mean, cumsum_clip) by an integer key; every key has been seen 25 times.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

import hypostyle as hs
import report
from machine import machine

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "live.md"
SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
HOUR = 3_600_000
Times = dict[str, float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, and writes it where that is asked for."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--keys", type=int, default=100_000, help="keys in the state (100_000)")
    made.add_argument("--calls", type=int, default=1_000_000, help="calls of each kind (1_000_000)")
    made.add_argument("--write", action="store_true", help="put the table into docs/live.md")
    options = made.parse_args(arguments)
    given = shlex.join(["python", "benches/latency.py", *(sys.argv[1:] if arguments is None else arguments)])
    rust, rust_hour = in_rust()
    python, hour = in_python(options.keys, options.calls)
    lines = [
        *table(options, python, rust),
        "",
        *hours(hour, rust_hour),
        "",
        *report.header({"command": given, **machine()}),
    ]
    text = "\n".join(lines)
    print(text)
    if options.write:
        report.put(PAGE, "latency", text)
    return 0


def table(options: argparse.Namespace, python: dict[str, Times], rust: dict[str, Times]) -> Iterator[str]:
    yield f"Microseconds per one-row call: {options.calls:,} calls, {options.keys:,} keys in the state, three kernels."
    yield ""
    yield (
        "| | "
        + " | ".join(f"Python {share}" for share in SHARES)
        + " | "
        + " | ".join(f"Rust {s}" for s in SHARES)
        + " |"
    )
    yield "|---|" + "---:|" * (2 * len(SHARES))
    for call, ours in python.items():
        theirs = rust.get(call, {})
        cells = [f"{times[share]:.2f}" if share in times else "" for times in (ours, theirs) for share in SHARES]
        yield f"| `{call}` | " + " | ".join(cells) + " |"


def hours(python: str, rust: str | None) -> Iterator[str]:
    yield "One hour of rows at 1,000 per second, sent through `advance_row` as fast as it returns:"
    yield ""
    yield f"- Python: {python}"
    if rust:
        yield f"- Rust: {rust}"


def in_python(keys: int, calls: int) -> tuple[dict[str, Times], str]:
    """The percentiles of each kind of call, and an hour of rows."""
    stage = hs.Stage(
        [
            hs.rolling_mean("x", 20, over="key").alias("mean"),
            hs.ewm_mean("x", span=20, over="key").alias("ewm"),
            hs.cumsum_clip("x", 0, 100, over="key").alias("level"),
        ]
    )
    every = pl.DataFrame({"key": range(keys)}).with_columns(x=pl.col("key").cast(pl.Float64))
    for _ in range(25):
        stage.advance(every)
    rows = [{"key": at * 7919 % keys, "x": float(at % 97)} for at in range(keys)]
    frames = [pl.DataFrame(row) for row in rows[: min(keys, 20_000)]]
    kinds: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
        "advance": (stage.advance, frames),
        "advance_row": (stage.advance_row, rows),
        "peek": (stage.peek, frames),
        "peek_row": (stage.peek_row, rows),
    }
    gc.disable()
    found = {name: percentiles(call, given, calls) for name, (call, given) in kinds.items()}
    gc.enable()
    before, memory, begin = stage.state_bytes(), resident(), time.perf_counter()
    for at in range(HOUR):
        stage.advance_row(rows[at % keys])
    took = time.perf_counter() - begin
    grown = f"state {stage.state_bytes() - before:+,} bytes, process memory {(resident() - memory) / 1e6:+.1f} MB"
    return found, f"{took:.1f} s, {grown}"


def percentiles(call: Callable[[Any], Any], given: list[Any], calls: int) -> Times:
    times = []
    for at in range(calls):
        one = given[at % len(given)]
        begin = time.perf_counter_ns()
        call(one)
        times.append(time.perf_counter_ns() - begin)
    times.sort()
    return {name: times[int(len(times) * share)] / 1000 for name, share in SHARES.items()}


def resident() -> int:
    """The memory that this process holds, in bytes; 0 where the system doesn't tell."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if status.exists() else 0


def in_rust() -> tuple[dict[str, Times], str | None]:
    """The same in Rust, where cargo is at hand: what `cargo bench -p hypostyle --bench latency` prints."""
    if shutil.which("cargo") is None:
        return {}, None
    command = ["cargo", "bench", "-q", "-p", "hypostyle", "--bench", "latency"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = {}
    for call, times in re.findall(r"^(\w+): (p50 .*)$", done.stdout, re.MULTILINE):
        found[call] = {name: float(value) for name, value in re.findall(r"(p[\d.]+) ([\d.]+) us", times)}
    hour = re.search(
        r"^hour: \d+ rows in ([\d.]+) s, state (\d+) bytes before and (\d+) after", done.stdout, re.MULTILINE
    )
    return found, f"{hour[1]} s, state {int(hour[3]) - int(hour[2]):+,} bytes" if hour else None


if __name__ == "__main__":
    sys.exit(main())
