"""How long `advance` takes on one row with many keys in the state: from Python, and in Rust (`latency.rs`)."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


def python_latency(keys: int, calls: int) -> dict[str, float]:
    """Microseconds at the percentiles, for a Polars frame of one row and the three kernels of `latency.rs`."""
    import gc

    import polars as pl

    import hypostyle as hs

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
    frames = [pl.DataFrame({"key": [at * 7919 % keys], "x": [float(at % 97)]}) for at in range(calls)]
    times = []
    gc.disable()
    for frame in frames:
        begin = time.perf_counter_ns()
        stage.advance(frame)
        times.append(time.perf_counter_ns() - begin)
    gc.enable()
    times.sort()
    found = {name: times[int(len(times) * share)] / 1000 for name, share in SHARES.items()}
    return {**found, "calls": float(calls), "keys": float(keys), "state bytes a key": stage.state_bytes() / keys}


def rust_latency() -> dict[str, float] | None:
    """The same in Rust, where cargo is at hand: what `cargo bench -p hypostyle --bench latency` prints."""
    if shutil.which("cargo") is None:
        return None
    command = ["cargo", "bench", "-q", "-p", "hypostyle", "--bench", "latency"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return parse(done.stdout) if done.returncode == 0 else None


def parse(printed: str) -> dict[str, float] | None:
    """The percentiles in the output of `latency.rs`."""
    found = {name: float(value) for name, value in re.findall(r"(p[\d.]+) ([\d.]+) us", printed)}
    return {name: found[name] for name in SHARES} if found.keys() >= SHARES.keys() else None
