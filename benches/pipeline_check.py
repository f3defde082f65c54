"""Whether contenders of `pipeline.py` agree, in a process of its own, which may take memory.

    python benches/pipeline_check.py HOW FOUND EXPECTED KERNEL...

prints the first difference between two Parquet files of trades as JSON, or null.  HOW is "rows", row by row; "sorted",
where rows come in another order, row by row of the sorted files; or "sums", for each symbol.  "totals" prints what
a file adds up to.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_jobs import BATCH, TYPES, Totals, polars_parquet, polars_totals

if TYPE_CHECKING:
    import polars as pl

TOLERANCE = 1e-9


def close(found: float, expected: float) -> bool:
    """False for a NaN."""
    return abs(found - expected) <= TOLERANCE * abs(expected)


def totals_differ(found: Totals, expected: Totals) -> str | None:
    """What two have read of a file."""
    for name, value in expected.items():
        if not close(found[name], value):
            return f"differs in {name}: {found[name]!r}, expected {value!r}"
    return None


def rows_differ(found: Path, expected: Path, kernels: Sequence[str], ordered: bool = True) -> str | None:
    """The first row that differs: texts, times and sizes exactly, other numbers by more than 1e-9 of theirs."""
    theirs, right = (polars_parquet(path).select(*TYPES, *kernels) for path in (found, expected))
    if not ordered:
        theirs, right = (frame.sort([*TYPES, *kernels]) for frame in (theirs, right))
    for start in range(0, sys.maxsize, BATCH):
        one, other = (frame.slice(start, BATCH).collect(engine="streaming") for frame in (theirs, right))
        if len(one) != len(other):
            return f"differs in the number of rows: {start + len(one)}, expected {start + len(other)}"
        if not len(other):
            return None
        for column in other.columns:
            at = first_difference(one[column], other[column])
            if at is not None:
                return f"differs in {column}, row {start + at}: {one[column][at]!r}, expected {other[column][at]!r}"
    return None


def first_difference(found: pl.Series, expected: pl.Series) -> int | None:
    if not expected.dtype.is_float():
        wrong = found.ne_missing(expected)
    else:
        # A NaN is above every number.
        far = ((found - expected).abs() > TOLERANCE * expected.abs()).fill_null(value=False)
        wrong = (found.is_null() != expected.is_null()) | far
    at = wrong.arg_true()
    return int(at[0]) if len(at) else None


def sums_differ(found: Path, expected: Path, kernels: Sequence[str]) -> str | None:
    """For each symbol: rows, nulls, bytes of texts, sums, and products that tie each number to its row's time."""
    one, other = (sums(path, kernels) for path in (found, expected))
    if one["symbol"].ne_missing(other["symbol"]).any() if len(one) == len(other) else True:
        return "differs in the symbols"
    for column in other.columns[1:]:
        at = first_difference(one[column].cast(float), other[column].cast(float))
        if at is not None:
            where = f"{column} of {other['symbol'][at]}"
            return f"differs in {where}: {one[column][at]!r}, expected {other[column][at]!r}"
    return None


def sums(path: Path, kernels: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    day = pl.col("ts").dt.truncate("1d")
    time = (pl.col("ts") - day).dt.total_microseconds().cast(pl.Float64)
    figures = [pl.len().alias("rows"), time.sum().alias("time")]
    for text in ("side", "note"):
        figures += [pl.col(text).null_count().alias(f"nulls of {text}"), pl.col(text).str.len_bytes().sum()]
    for value in ("price", "size", *kernels):
        figures += [pl.col(value).null_count().alias(f"nulls of {value}"), pl.col(value).sum()]
        figures += [(pl.col(value) * time).sum().alias(f"{value} by time")]
    return polars_parquet(path).group_by("symbol").agg(figures).sort("symbol").collect(engine="streaming")


def main() -> None:
    how, found, expected, *kernels = sys.argv[1:]
    answer: Any
    if how == "totals":
        answer = polars_totals(polars_parquet, Path(found))
    elif how == "sums":
        answer = sums_differ(Path(found), Path(expected), kernels)
    else:
        answer = rows_differ(Path(found), Path(expected), kernels, how == "rows")
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
