"""The demo: a trades CSV through `hypostyle run`, its result, its cost, and pandas' answer beside it.

    python data/demo.py                       # 5 million made-up trades
    python data/demo.py --rows 20_000_000
    python data/demo.py --file my.csv --pipeline my.toml
    python data/demo.py --file my.csv --column price --over symbol    # a pipeline is composed

Everything is checked, nothing is taken on trust: where pandas' answer differs on the slice, the demo fails.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

DATA = Path(__file__).resolve().parent
SLICE = 200_000
"""So many rows are given to pandas."""


def hypostyle() -> str:
    """The command of this environment."""
    command = Path(sys.executable).with_name("hypostyle")
    if not command.is_file():
        sys.exit(f"{command} is missing: install the package first (`make demo` does)")
    return str(command)


def trades(rows: int) -> Path:
    """The made-up trades, written anew where there are none or another number of them."""
    path, note = DATA / "trades.csv", DATA / "trades.rows"
    if not path.is_file() or not note.is_file() or note.read_text() != str(rows):
        print(f"Generating {rows:,} trades ...", flush=True)
        note.unlink(missing_ok=True)
        subprocess.run([sys.executable, DATA / "generate.py", "--rows", str(rows), "--out", path], check=True)
        note.write_text(str(rows))
    return path


def composed(column: str, over: str | None) -> str:
    """A pipeline over a user's own file."""
    lines = ["[[stage]]", *([f"over = {json.dumps(over)}"] if over else [])]
    for name, size in (("rolling_mean", "window"), ("rolling_std", "window"), ("ewm_mean", "span")):
        lines += ["[[stage.kernel]]", f'name = "{name}"', f"column = {json.dumps(column)}"]
        lines += [f"{size} = 20", f'alias = "{name}_20"']
    return "\n".join(lines) + "\n"


def run(pipeline: Path, source: Path, output: Path, *more: str) -> float:
    """Runs the pipeline and returns the seconds it took, start of the process included."""
    start = time.perf_counter()
    done = subprocess.run([hypostyle(), "run", pipeline, "--input", source, "--output", output, *more])
    if done.returncode:
        sys.exit(done.returncode)
    return time.perf_counter() - start


def pandas_answer(path: Path) -> pd.DataFrame:
    """What data/demo.toml says, in pandas: the CSV read, the same five columns computed."""
    frame = pd.read_csv(path, parse_dates=["ts"], nrows=SLICE)
    groups = frame.groupby("symbol", sort=False)
    price = groups["price"]
    frame["mean_20"] = price.transform(lambda x: x.rolling(20).mean())
    frame["std_20"] = price.transform(lambda x: x.rolling(20).std())
    timed = frame.set_index("ts").groupby("symbol", sort=False)["price"].rolling("5min").mean()
    # In groups of symbols now: the stable sort by symbol's first appearance gives each row its answer back.
    order = np.argsort(frame["symbol"].map({s: i for i, s in enumerate(frame["symbol"].unique())}), kind="stable")
    frame.loc[order, "mean_5m"] = timed.to_numpy()
    frame["ewm_20"] = price.transform(lambda x: x.ewm(span=20).mean())
    pause = groups["ts"].diff() > pd.Timedelta("30min")
    frame["session"] = pause.groupby(frame["symbol"], sort=False).cumsum()
    return frame


def compare(source: Path, output: Path) -> None:
    """Checks the result's first rows against pandas, then times both on the same slice."""
    start = time.perf_counter()
    expected = pandas_answer(source)
    pandas_seconds = time.perf_counter() - start
    rows = len(expected)
    found = pl.scan_parquet(output).head(rows).collect()
    for name in ("mean_20", "std_20", "mean_5m", "ewm_20", "session"):
        ours, theirs = (np.asarray(x, dtype=float) for x in (found[name], expected[name]))
        if not np.allclose(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True):
            row = int(np.flatnonzero(~np.isclose(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True))[0])
            sys.exit(f"{name} differs from pandas in row {row}: {ours[row]} here, {theirs[row]} there")
    print(f"\nThe first {rows:,} rows agree with pandas (rtol 1e-9) in all five columns.")
    with tempfile.TemporaryDirectory() as folder:
        slice_seconds = run(DATA / "demo.toml", source, Path(folder) / "slice.parquet", "--limit", str(rows), "--quiet")
    print(
        f"That slice, CSV to result, one run each: pandas {pandas_seconds:.2f} s, "
        f"hypostyle {slice_seconds:.2f} s with its start and its Parquet file: {pandas_seconds / slice_seconds:.1f}x."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs the demo pipeline and checks it against pandas.")
    parser.add_argument("--rows", type=int, default=5_000_000, help="how many trades to make up")
    parser.add_argument("--file", type=Path, help="a CSV of your own instead")
    parser.add_argument("--pipeline", type=Path, help="the pipeline for it")
    parser.add_argument("--column", help="the column of numbers, where a pipeline is to be composed")
    parser.add_argument("--over", help="the column of keys, where a pipeline is to be composed")
    given = parser.parse_args()

    if given.file is None:
        pipeline, source, output = DATA / "demo.toml", trades(given.rows), DATA / "features.parquet"
    else:
        source, output = given.file, DATA / f"{given.file.stem}.features.parquet"
        if given.pipeline is None and given.column is None:
            parser.error("--file needs --pipeline FILE, or --column NAME (and --over NAME) to compose one")
        pipeline = given.pipeline or DATA / f"{given.file.stem}.composed.toml"
        if given.pipeline is None:
            pipeline.write_text(composed(given.column, given.over))

    print(
        f"hypostyle run {pipeline.name}: {source.name} ({source.stat().st_size / 1e6:,.0f} MB) -> {output.name}",
        flush=True,
    )
    run(pipeline, source, output)
    with pl.Config(tbl_cols=12, tbl_width_chars=140, tbl_hide_dataframe_shape=True):
        print(f"\n{pl.scan_parquet(output).head(5).collect()}")
    if given.file is None:
        compare(source, output)


if __name__ == "__main__":
    main()
