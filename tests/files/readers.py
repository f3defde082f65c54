"""Check that what Hypostyle writes is read by other tools with the values that stood in the input.

    .tools/bin/python tests/files/readers.py target/debug/hypostyle

Each file beside this script goes to Parquet and to Arrow IPC, and pyarrow, Polars, DuckDB and pandas read them: all
must have the values that pyarrow reads in the original.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

HERE = Path(__file__).parent
# What the others don't read, or read as something else by their own choice.
KNOWN = {
    ("pyarrow/union.arrow", "*"): "union columns are refused",
    ("pyarrow/twice.arrow", "*"): "two columns of one name",
    ("polars/int128.arrow", "*"): "Arrow has no integers of 128 bits",
    ("fastparquet/empty.parquet", "*"): "pyarrow reads no columns of it",
    ("duckdb/types.parquet", "*"): "pyarrow has no type for INTERVAL and no time of day of 24 hours",
    ("spark/int96.parquet", "*"): "pyarrow reads INT96 as nanoseconds, in which the year 9999 is 1816",
    ("pyarrow/intervals.arrow", "*"): "Polars and pyarrow have no type for INTERVAL",
    ("pyarrow/seconds.arrow", "polars .arrow day"): "Polars reads date64 as a moment",
    ("pyarrow/decimals.parquet", "*"): "Polars has no decimals of more than 38 digits",
}


def originals() -> Iterator[tuple[str, pa.Table]]:
    for path in sorted(HERE.rglob("*")):
        name = path.relative_to(HERE).as_posix()
        if path.suffix not in (".parquet", ".arrow", ".arrows", ".feather") or "partitions" in name:
            continue
        if (name, "*") in KNOWN:
            continue
        if path.suffix == ".parquet":
            yield name, pq.read_table(path)
        elif path.suffix == ".arrows":
            yield name, ipc.open_stream(path).read_all()
        else:
            yield name, ipc.open_file(path).read_all()


def plain(column: Any) -> list[Any]:
    """Values without the types of Arrow: text for text, moments in UTC."""

    def value(x: Any) -> Any:
        if isinstance(x, pd.Timestamp):
            x = x.to_pydatetime()
        if hasattr(x, "tzinfo") and x.tzinfo is not None and hasattr(x, "astimezone"):
            import datetime as dt

            return x.astimezone(dt.UTC).replace(tzinfo=None)
        if hasattr(x, "tolist"):
            x = x.tolist()
        if isinstance(x, (bytes, str, list, dict)):
            if isinstance(x, dict):
                return {k: value(v) for k, v in x.items()}
            return [value(v) for v in x] if isinstance(x, list) else x
        if hasattr(x, "bytes") and hasattr(x, "hex"):  # a UUID
            return x.bytes
        return None if x is pd.NaT or (isinstance(x, float) and x != x) else x

    return [value(x) for x in column]


def read_by_all(path: Path) -> Iterator[tuple[str, dict[str, list[Any]]]]:
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        yield "pyarrow", {name: plain(table[name].to_pylist()) for name in table.column_names}
        frame = pl.read_parquet(path)
        yield "polars", {name: plain(frame[name].to_list()) for name in frame.columns}
        found = duckdb.sql(f"from '{path}'")
        rows = found.fetchall()
        yield "duckdb", {name: plain(row[i] for row in rows) for i, name in enumerate(found.columns)}
        pandas = pd.read_parquet(path, dtype_backend="pyarrow")
        yield "pandas", {name: plain(pandas[name].array._pa_array.to_pylist()) for name in pandas.columns}
    else:
        table = ipc.open_file(path).read_all()
        yield "pyarrow", {name: plain(table[name].to_pylist()) for name in table.column_names}
        frame = pl.read_ipc(path)
        yield "polars", {name: plain(frame[name].to_list()) for name in frame.columns}


def main(command: str) -> int:
    wrong = 0
    for name, table in originals():
        expected = {column: plain(table[column].to_pylist()) for column in table.column_names}
        for suffix in (".parquet", ".arrow"):
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / f"out{suffix}"
                pipeline = Path(folder) / "p.toml"
                pipeline.write_text(f"[source]\npath = '{HERE / name}'\n[sink]\npath = '{out}'\n")
                done = subprocess.run(
                    [command, "run", "-q", str(pipeline)], capture_output=True, text=True, check=False
                )
                if done.returncode:
                    print(f"{name} to {suffix}: {done.stderr}")
                    wrong += 1
                    continue
                readers = read_by_all(out)
                while True:
                    try:
                        tool, found = next(readers)
                    except StopIteration:
                        break
                    except Exception as error:
                        print(f"{name} to {suffix}: cannot be read: {error}")
                        wrong += 1
                        break
                    for column in expected:
                        got, wanted = found.get(column), expected[column]
                        if got != wanted and (name, f"{tool} {suffix} {column}") not in KNOWN:
                            print(f"{name} to {suffix}, {tool}, {column}: {got} is not {wanted}")
                            wrong += 1
    print(f"{wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
