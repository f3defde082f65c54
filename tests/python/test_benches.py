"""Every kernel has a row in the benchmark, with arguments that it accepts over the benchmark's columns."""

from __future__ import annotations

import polars as pl

import hypostyle as hs
from kernels_under_test import NAMES
from table import BY_INTEGER, BY_TEXT, BY_TIME, KERNELS, WITHOUT_ROW, rows_of

ROWS = 300
# The columns of benches/inputs.py, which needs libraries that the tests don't.
FRAME = pl.select(
    ts=pl.datetime_range(
        pl.datetime(2024, 1, 1), interval="1s", closed="left", end=pl.datetime(2024, 1, 1, 0, ROWS // 60)
    ),
    n=pl.int_range(ROWS),
).with_columns(
    *(((pl.col("n") * step) % 7 + 0.5).alias(name) for step, name in enumerate(("x", "y", "z", "w", "a"), 2)),
    high=pl.col("n") % 7 + 9,
    low=pl.col("n") % 5 - 1,
    b=pl.col("n") % 3 == 0,
    key=pl.format("S{}", pl.col("n") % 5),
)


def test_every_kernel_has_a_row() -> None:
    assert KERNELS == NAMES
    timed = {row.kernel for row in rows_of("none", KERNELS, [20])}
    assert timed == set(NAMES) - set(WITHOUT_ROW)
    assert WITHOUT_ROW == ["expanding_spearman"], "a pass over all rows before each row"
    assert timed.issuperset([*BY_TIME, *BY_INTEGER, *BY_TEXT])


def test_the_rows_run() -> None:
    ran = 0
    for keys in ("none", "text", "integer"):
        for row in rows_of(keys, KERNELS, [5, "10s"]):
            kernel = getattr(hs, row.kernel)(**row.case, **({} if keys == "none" else {"over": "key"}))
            found = FRAME.select(kernel.alias("out"))["out"]
            fields = found.struct.unnest().get_columns() if found.dtype == pl.Struct else [found]
            assert all(field.null_count() < ROWS for field in fields), row.name
            ran += 1
    assert ran > len(NAMES)
