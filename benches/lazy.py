"""The memory of kernels over a LazyFrame, Parquet to Parquet: as a stage, as a struct, and as expressions of Polars.

    python benches/lazy.py            prints the table
    python benches/lazy.py --write    and puts it into docs/python.md

Three kernels by key (those of `keyed.py`); each way runs in a process of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import report
from keyed_jobs import ZSTD, batches, expressions, peak
from machine import machine
from process import alone

PAGE = Path(__file__).resolve().parent.parent / "docs" / "python.md"
KEYS = 1000


def stage(frame: Any, kernels: Sequence[Any]) -> Any:
    return frame.hs.with_columns(kernels)


def expressions_of_polars(frame: Any, kernels: Sequence[Any]) -> Any:
    return frame.with_columns(kernels)


def struct_of_frame(frame: Any, kernels: Sequence[Any]) -> Any:
    import hypostyle as hs

    return frame.with_columns(s=hs.struct(kernels)).unnest("s")


def struct_of_expressions(frame: Any, kernels: Sequence[Any]) -> Any:
    import hypostyle as hs

    return frame.with_columns(hs.struct(kernels).struct.unnest())


WAYS: dict[str, Callable[[Any, Sequence[Any]], Any]] = {
    "lf.hs.with_columns(kernels)": stage,
    "lf.with_columns(kernels)": expressions_of_polars,
    'lf.with_columns(s=hs.struct(kernels)).unnest("s")': struct_of_frame,
    "lf.with_columns(hs.struct(kernels).struct.unnest())": struct_of_expressions,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, and writes it where that is asked for; with `--run` it is the process of one way."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=5_000_000, help="rows of the file (5_000_000)")
    made.add_argument("--write", action="store_true", help="put the table into docs/python.md")
    made.add_argument("--run", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    options = made.parse_args(arguments)
    if options.run:
        print(run(WAYS[options.run[0]], Path(options.run[1])))
        return 0
    text = "\n".join(table(options.rows))
    print(text)
    if options.write:
        report.put(PAGE, "lazy", text)
    return 0


def run(way: Callable[[Any, Sequence[Any]], Any], source: Path) -> int:
    """One way from Parquet to Parquet: the peak memory in bytes."""
    import polars as pl

    way(pl.scan_parquet(source), expressions()).sink_parquet(source.with_suffix(".out"), **ZSTD)
    return peak()


def table(rows: int) -> Iterator[str]:
    """The lines of the table."""
    on = machine()
    yield f"{rows:,} rows, {KEYS:,} keys, three kernels, Parquet to Parquet; on {on['machine']['cpu']}"
    yield f"({on['machine']['cores']} cores), polars {on['versions']['polars']}, {on['date'][:10]}."
    yield ""
    yield "| | peak memory |"
    yield "|---|---:|"
    with TemporaryDirectory() as folder:
        source = Path(folder) / "in.parquet"
        written(source, rows)
        for name in WAYS:
            ran = alone([sys.executable, __file__, "--run", name, source], timeout=3600)
            shown = f"{int(ran['printed']) / 1e9:.2f} GB" if ran["status"] == "ok" else ran["status"]
            yield f"| `{name}` | {shown} |"


def written(path: Path, rows: int) -> None:
    """Write the input, batch by batch."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema({"key": pa.int64(), "x": pa.float64()})
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as file:
        for key, x in batches(rows, KEYS):
            file.write_table(pa.table({"key": key, "x": pa.array(x, from_pandas=True)}, schema))


if __name__ == "__main__":
    sys.exit(main())
