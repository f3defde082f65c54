"""What a pipeline writes is read by other tools with the values of the input: Parquet, Arrow IPC and CSV.

The inputs are the files in `tests/files/`, which other tools wrote: all readers must have the values that pyarrow reads
in the original.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

import hypostyle as hs

FILES = Path(__file__).parent.parent / "files"

# What the others do not read, or read as something else by their own choice.
LEFT_OUT = {
    "pyarrow/union.arrow": "union columns are refused",
    "pyarrow/twice.arrow": "two columns of one name",
    "polars/int128.arrow": "Arrow has no integers of 128 bits",
    "polars/int128.parquet": "Arrow has no integers of 128 bits",
    "fastparquet/empty.parquet": "pyarrow reads no columns of it",
    "duckdb/types.parquet": "pyarrow has no type for INTERVAL and no time of day of 24 hours",
    "spark/int96.parquet": "pyarrow reads INT96 as nanoseconds, in which the year 9999 is 1816",
    "pyarrow/intervals.arrow": "Polars and pyarrow have no type for INTERVAL",
    "pyarrow/decimals.parquet": "Polars has no decimals of more than 38 digits",
}
# Columns that a reader shows in another way: Polars reads date64 as a timestamp, DuckDB gives UUIDs to Arrow as texts.
OTHERWISE = {
    ("pyarrow/seconds.arrow", ".arrow", "polars", "day"),
    ("pyarrow/extension.arrow", ".parquet", "duckdb", "id"),
}


def names() -> list[str]:
    found = (path for path in FILES.rglob("*") if path.suffix in (".parquet", ".arrow", ".arrows", ".feather"))
    names = sorted(path.relative_to(FILES).as_posix() for path in found)
    return [name for name in names if "partitions" not in name and "_delta_log" not in name]


def original(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    return (ipc.open_stream if path.suffix == ".arrows" else ipc.open_file)(path).read_all()


def value(x: Any) -> Any:
    """The value without the types of Arrow: text for text, moments in UTC."""
    if isinstance(x, pd.Timestamp):
        x = x.to_pydatetime()
    if isinstance(x, dt.datetime) and x.tzinfo is not None:
        return x.astimezone(dt.UTC).replace(tzinfo=None)
    if hasattr(x, "tolist"):
        x = x.tolist()
    if isinstance(x, dict):
        return {key: value(item) for key, item in x.items()}
    if isinstance(x, list):
        return [value(item) for item in x]
    if hasattr(x, "bytes") and hasattr(x, "hex") and not isinstance(x, (bytes, str)):  # a UUID
        return x.bytes
    return None if x is pd.NaT or (isinstance(x, float) and x != x) else x


def of_arrow(table: pa.Table) -> dict[str, list[Any]]:
    return {name: [value(x) for x in table[name].to_pylist()] for name in table.column_names}


def of_polars(frame: pl.DataFrame) -> dict[str, list[Any]]:
    return {name: [value(x) for x in frame[name].to_list()] for name in frame.columns}


def of_pandas(frame: pd.DataFrame) -> dict[str, list[Any]]:
    return of_arrow(pa.Table.from_pandas(frame, preserve_index=False))


def of_duckdb(path: Path) -> dict[str, list[Any]]:
    import duckdb

    # Its own values with a time zone need a package more.
    return of_arrow(duckdb.sql(f"from '{path}'").to_arrow_table())


READERS: dict[str, dict[str, Callable[[Path], dict[str, list[Any]]]]] = {
    ".parquet": {
        "pyarrow": lambda path: of_arrow(pq.read_table(path)),
        "polars": lambda path: of_polars(pl.read_parquet(path)),
        "pandas": lambda path: of_pandas(pd.read_parquet(path, dtype_backend="pyarrow")),
    },
    ".arrow": {
        "pyarrow": lambda path: of_arrow(ipc.open_file(path).read_all()),
        "polars": lambda path: of_polars(pl.read_ipc(path)),
    },
}
if importlib.util.find_spec("duckdb"):
    READERS[".parquet"]["duckdb"] = of_duckdb


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("name", [name for name in names() if name not in LEFT_OUT])
def test_other_tools_read_what_is_written(name: str, suffix: str, tmp_path: Path) -> None:
    output = tmp_path / f"out{suffix}"
    hs.Pipeline("").run(input=FILES / name, output=output)
    expected = of_arrow(original(FILES / name))
    for reader, read in READERS[suffix].items():
        found = read(output)
        for column, values in expected.items():
            if (name, suffix, reader, column) not in OTHERWISE:
                assert found[column] == values, (reader, column)


def test_what_is_left_out_is_there() -> None:
    assert set(LEFT_OUT) <= set(names())


def csv_by_pyarrow(path: Path) -> dict[str, list[Any]]:
    options = pc.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    return of_arrow(pc.read_csv(path, convert_options=options))


def csv_by_duckdb(path: Path) -> dict[str, list[Any]]:
    import duckdb

    return of_arrow(duckdb.sql(f"from read_csv('{path}', allow_quoted_nulls = false)").to_arrow_table())


def csv_by_hypostyle(path: Path) -> dict[str, list[Any]]:
    hs.Pipeline('[source]\nempty = "text"').run(input=path, output=path.with_suffix(".parquet"))
    return of_polars(pl.read_parquet(path.with_suffix(".parquet")))


CSV_READERS = {
    "polars": lambda path: of_polars(pl.read_csv(path)),
    "pyarrow": csv_by_pyarrow,
    "hypostyle": csv_by_hypostyle,
}
if importlib.util.find_spec("duckdb"):
    CSV_READERS["duckdb"] = csv_by_duckdb


@pytest.mark.parametrize("reader", CSV_READERS)
def test_empty_strings_and_nulls_of_csv(reader: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"text": ["", None, 'say "no"', "a,b"], "number": [1.5, None, -0.25, 1e300]})
    frame.write_parquet(tmp_path / "in.parquet")
    hs.Pipeline("").run(input=tmp_path / "in.parquet", output=tmp_path / "out.csv")
    assert CSV_READERS[reader](tmp_path / "out.csv") == frame.to_dict(as_series=False)
