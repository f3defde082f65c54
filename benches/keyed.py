"""Measures kernels over keys: from Parquet to Parquet beside what people use today, and against the number of keys.

    python benches/keyed.py --rows 2_000_000 --key-rows 2_000_000     a few minutes, to see that everyone agrees
    python benches/keyed.py --write                                   the real thing; writes benches/results/keyed.*

The kernels are rolling_mean over 20 rows, ewm_mean and cumsum_clip over a column of cents with 1% nulls.  Everyone runs
in a process of their own (`keyed_jobs.py`) and on all cores that they can use.  A contender whose answers over a small
file differ from hypostyle's stops the run; answers over the large file are compared too, and the table says how.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from keyed_jobs import (
    BATCH,
    CONTENDERS,
    PEERS,
    THREE,
    ZSTD,
    batches,
    over_expressions,
    over_file,
    over_keys,
)
from keyed_report import markdown, write
from machine import machine

if TYPE_CHECKING:
    import polars as pl

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "keys.md"
COPIES = ("copy", "copy-output")
CHECK_ROWS, CHECK_KEYS = 200_000, 1_000
COUNTS = [10**power for power in range(8)]
TOLERANCE = 1e-9
Result = dict[str, Any]


class MismatchError(Exception):
    """A contender answers otherwise, or not at all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs both parts; the exit code is 1 where a contender's answers over the small file differ."""
    options = parser().parse_args(arguments)
    if options.job:
        print(json.dumps(job(options)))
        return 0
    given = shlex.join(["python", "benches/keyed.py", *(sys.argv[1:] if arguments is None else arguments)])
    settings = {name: getattr(options, name) for name in ("rows", "keys", "slow_rows", "timeout", "key_rows")}
    found: Result = {"command": given, "settings": settings}
    try:
        if options.only in (None, "files"):
            found["files"] = files(options)
        if options.only in (None, "keys"):
            found["keys"] = [by_keys(count, options) for count in options.key_counts]
        if options.only in (None, "expressions"):
            found["expressions"] = expressions(options)
    except MismatchError as error:
        print(f"stopped: {error}; nothing is written", file=sys.stderr)
        return 1
    result = {**found, **machine()}
    print(markdown(result))
    if options.write:
        write(result, HERE / "results", PAGE)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=100_000_000, help="rows of the file (100_000_000)")
    made.add_argument("--keys", type=int, default=100_000, help="keys of the file (100_000)")
    made.add_argument("--slow-rows", type=int, default=5_000_000, help="rows for slow contenders (5_000_000)")
    made.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, metavar="PEER", help=", ".join(PEERS))
    made.add_argument("--timeout", type=float, default=900.0, help="seconds until a contender is ended (900)")
    made.add_argument("--folder", type=Path, help="where files go, and inputs stay for the next run")
    made.add_argument("--only", choices=("files", "keys", "expressions"), help="one part alone")
    made.add_argument("--key-rows", type=int, default=20_000_000, help="rows by number of keys; twice at 10M (20M)")
    made.add_argument("--key-counts", type=int, nargs="+", default=COUNTS, metavar="KEYS", help="1 10 ... 10_000_000")
    made.add_argument("--write", action="store_true", help="write benches/results/keyed.md, .json and the charts")
    made.add_argument("--job", help=argparse.SUPPRESS)
    made.add_argument("--input", type=Path, help=argparse.SUPPRESS)
    made.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    return made


def job(options: argparse.Namespace) -> Result:
    """What runs in a process of its own: over a file where there is one, else over keys in memory."""
    if options.input is not None:
        return over_file(options.job, options.input, options.output)
    if options.job == "expressions":
        return over_expressions(options.rows, options.keys)
    return over_keys(options.job, options.rows, options.keys)


def alone(arguments: Sequence[str | int | Path], timeout: float) -> Result:
    """A job's report, with its `status`: "ok", or how it ended instead."""
    command = [sys.executable, str(HERE / "keyed.py"), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"status": f"> {timeout:,.0f} s"}
    finally:
        os.sync()  # what one has written must not slow the next
    if done.returncode == 0:
        return {"status": "ok", **json.loads(done.stdout)}
    last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    short = done.returncode == -signal.SIGKILL or "memory" in last.lower()
    return {"status": "out of memory" if short else f"failed: {last}"}


def files(options: argparse.Namespace) -> list[Result]:
    """The contenders from Parquet to Parquet, hypostyle first."""
    names = [name for name in CONTENDERS if name in options.peers or name in (*COPIES, *ours(options.peers))]
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        check(names, folder, options.timeout)
        found = []
        for name in names:
            rows = min(options.slow_rows, options.rows) if CONTENDERS[name].slow else options.rows
            # What the files alone cost: the input read and written, and the five columns that come out.
            output = name == "copy-output"
            source = target(folder, "hypostyle") if output else input_file(folder, rows, options.keys)
            found.append(over(name, source, rows, folder, options.timeout))
        target(folder, "hypostyle").unlink(missing_ok=True)
    return found


def ours(peers: Sequence[str]) -> list[str]:
    """Hypostyle with all kernels, and with just those of the peers that have fewer."""
    wanted = {CONTENDERS[name].kernels for name in peers} | {THREE}
    return [name for name in CONTENDERS if name.startswith("hypostyle") and CONTENDERS[name].kernels in wanted]


def input_file(folder: Path, rows: int, keys: int) -> Path:
    """The rows as Parquet: written batch by batch, once in a folder."""
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / f"keyed-{rows}-{keys}.parquet"
    if path.exists():
        return path
    print(f"  writing {rows:,} rows", file=sys.stderr, flush=True)
    unfinished, schema = path.with_suffix(".part"), pa.schema([("key", pa.int64()), ("x", pa.float64())])
    with parquet.ParquetWriter(unfinished, schema, **ZSTD) as file:
        for key, x in batches(rows, keys):
            columns = [pa.array(key), pa.array(x, from_pandas=True)]
            file.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=BATCH)
    unfinished.rename(path)
    os.sync()
    return path


def target(folder: Path, name: str) -> Path:
    return folder / f"keyed-output-{name}.parquet"


def check(names: Sequence[str], folder: Path, timeout: float) -> None:
    """Raises where a contender's answers over a small file differ from hypostyle's."""
    source = input_file(folder, CHECK_ROWS, CHECK_KEYS)
    for name in dict.fromkeys(("hypostyle", *names)):
        print(f"  checking {name}", file=sys.stderr, flush=True)
        ran = alone(["--job", name, "--input", source, "--output", target(folder, name)], timeout)
        if ran["status"] != "ok":
            raise MismatchError(f"{name}: {ran['status']}")
        differs = difference(name, folder, CHECK_ROWS)
        if differs:
            raise MismatchError(differs)
    for name in names:
        target(folder, name).unlink()
    source.unlink()


def over(name: str, source: Path, rows: int, folder: Path, timeout: float) -> Result:
    """One row of the table: how long, how much memory, and whether the answers are hypostyle's."""
    print(f"  {name}", file=sys.stderr, flush=True)
    contender, output = CONTENDERS[name], target(folder, name)
    ran = alone(["--job", name, "--input", source, "--output", output], timeout)
    found = {"name": name, "label": contender.label, "kernels": contender.kernels, "rows": rows, **ran}
    if ran["status"] == "ok":
        found["rows_per_second"] = rows / ran["seconds"]
        if name != "hypostyle" and target(folder, "hypostyle").exists():
            found["compared"] = "sums" if contender.shuffled else "every row"
            found["difference"] = (sums_differ if contender.shuffled else difference)(name, folder, rows)
    if name != "hypostyle" or ran["status"] != "ok":
        output.unlink(missing_ok=True)
    shutil.rmtree(f"{output}.spill", ignore_errors=True)
    return found


def difference(name: str, folder: Path, rows: int) -> str | None:
    """The first of so many rows where a contender differs from hypostyle, which may have more of them."""
    import polars as pl

    theirs, right = (pl.scan_parquet(target(folder, one)) for one in (name, "hypostyle"))
    if CONTENDERS[name].shuffled:
        theirs = theirs.sort("n")
    count = theirs.select(pl.len()).collect().item()
    if count != rows:
        return f"{name} gives {count:,} rows of {rows:,}"
    for start in range(0, rows, BATCH):
        found, expected = (frame.slice(start, min(BATCH, rows - start)).collect() for frame in (theirs, right))
        for column in ("key", "x", *CONTENDERS[name].kernels):
            at = first_difference(found[column], expected[column])
            if at is not None:
                values = f"{found[column][at]!r}, hypostyle {expected[column][at]!r}"
                return f"{name} differs from hypostyle in column {column}, row {start + at}: {values}"
    return None


def first_difference(found: pl.Series, expected: pl.Series) -> int | None:
    """The first row where one is null and the other isn't, or further away than 1e-9 of the largest value."""
    size: Any = expected.abs().max() or 0
    # A NaN is above every number.
    far = ((found - expected).abs() > TOLERANCE * size).fill_null(value=False)
    wrong = ((found.is_null() != expected.is_null()) | far).arg_true()
    return int(wrong[0]) if len(wrong) else None


def sums_differ(name: str, folder: Path, rows: int) -> str | None:
    """Where rows come in another order: their number, and for each column its nulls and sums that tell rows apart."""
    import polars as pl

    figures, x = [pl.len().alias("rows")], pl.col("x")
    for column in map(pl.col, ("x", *CONTENDERS[name].kernels)):
        figures += [column.null_count().name.suffix(" nulls"), column.sum().name.suffix(" sum")]
        figures += [(column**2).sum().name.suffix(" squares"), (column * x).sum().name.suffix(" products with x")]
    frames = (pl.scan_parquet(target(folder, one)).select(figures) for one in (name, "hypostyle"))
    found, expected = (frame.collect(engine="streaming").row(0, named=True) for frame in frames)
    if found["rows"] != rows:
        return f"{name} gives {found['rows']:,} rows of {rows:,}"
    for figure, value in expected.items():
        # Sums of either sign may come close to 0: their rounding is that of the squares.
        size = expected["x squares"] if figure.endswith(("sum", "x")) else value
        if not abs(found[figure] - value) <= TOLERANCE * size:  # nor is a NaN
            return f"{name} differs from hypostyle in {figure}: {found[figure]!r}, hypostyle {value!r}"
    return None


def by_keys(count: int, options: argparse.Namespace) -> Result:
    """Hypostyle's stage and Polars' `.over` over so many keys in memory."""
    rows = options.key_rows * (2 if count >= COUNTS[-1] else 1)
    found: Result = {"keys": count, "rows": rows}
    for name in ("hypostyle", "polars"):
        print(f"  {count:,} keys, {name}", file=sys.stderr, flush=True)
        ran = alone(["--job", name, "--rows", rows, "--keys", count], options.timeout)
        if ran["status"] == "ok":
            ran["rows_per_second"] = rows / ran["seconds"]
        found[name] = ran
    if all(found[name]["status"] == "ok" for name in ("hypostyle", "polars")):
        found["difference"] = totals_differ(found["polars"]["answers"], found["hypostyle"]["answers"])
    return found


def expressions(options: argparse.Namespace) -> list[Result]:
    """Several kernels in Polars' `with_columns`: one by one, as a struct, and past the plugin."""
    rows, found = min(options.key_rows, 5_000_000), []
    for count in (100, 5_000, 100_000):
        print(f"  {count:,} keys, expressions", file=sys.stderr, flush=True)
        ran = alone(["--job", "expressions", "--rows", rows, "--keys", count], options.timeout)
        found += [{"keys": count, "rows": rows, **way} for way in ran.get("ways", [])]
    return found


def totals_differ(found: dict[str, float], expected: dict[str, float]) -> str | None:
    for figure, value in expected.items():
        size = expected[figure.replace(" sum", " size")]
        if not abs(found[figure] - value) <= TOLERANCE * size:  # nor is a NaN
            return f"polars differs from hypostyle in {figure}: {found[figure]!r}, hypostyle {value!r}"
    return None


if __name__ == "__main__":
    sys.exit(main())
