"""`hs.struct`: several kernels in one call of the plugin."""

from __future__ import annotations

import polars as pl
import pytest

import hypostyle as hs
from data import plain

KERNELS = [
    hs.rolling_mean("x", 3, over="key").alias("m"),
    hs.ewm_mean("x", span=4, over="key").alias("e"),
    hs.rolling_sum("i", "10m", by="ts", over=["key", "f"]).alias("s"),
    hs.rolling_max("y", 5, center=True).alias("top"),
    hs.row_dot(["x", "y"], [1.0, 2.0]).alias("risk"),
]


def test_fields_are_the_kernels_columns() -> None:
    frame = plain(500)
    expected = frame.with_columns(KERNELS)
    out = frame.with_columns(hs.struct(KERNELS).struct.unnest())
    assert out.equals(expected)
    named = frame.select(hs.struct(KERNELS[0], other=KERNELS[1]).alias("both"))["both"].struct
    assert named.fields == ["m", "other"]
    assert named.field("other").equals(expected["e"].alias("other"))


def test_lazy_and_grouped() -> None:
    frame = plain(300)
    expected = frame.select(KERNELS)
    out = frame.lazy().select(hs.struct(KERNELS).struct.unnest())
    assert out.collect_schema() == expected.schema
    assert out.collect().equals(expected)
    alone = hs.struct(hs.rolling_sum("x", 2).alias("a"), hs.rolling_sum("y", 2).alias("b"))
    by_key = frame.select(alone.over("key").struct.unnest())
    kernels = [hs.rolling_sum("x", 2, over="key").alias("a"), hs.rolling_sum("y", 2, over="key").alias("b")]
    assert by_key.equals(frame.select(kernels))


def test_an_unnested_frame_runs_the_kernels_once() -> None:
    """The streaming engine would compute `.struct.unnest()` once per field."""
    frame = plain(300)
    lf = frame.lazy().with_columns(s=hs.struct(KERNELS)).unnest("s")
    assert lf.explain(engine="streaming").count(":kernel(") == 1
    assert lf.collect(engine="streaming").equals(frame.with_columns(KERNELS))


def test_computed_inputs() -> None:
    frame = plain(50)
    twice = (pl.col("x") * 2).alias("twice")
    out = frame.select(
        hs.struct(hs.rolling_sum(twice, 2).alias("a"), hs.expanding_sum(twice).alias("b")).struct.unnest()
    )
    assert out.equals(
        frame.with_columns(twice).select(hs.rolling_sum("twice", 2).alias("a"), hs.expanding_sum("twice").alias("b"))
    )
    with pytest.raises(
        ValueError, match="two different inputs of the struct have the name 'x'; rename the computed one"
    ):
        hs.struct(hs.rolling_sum(pl.col("x") * 2, 2), hs.rolling_sum("x", 2).alias("b"))


def test_mistakes() -> None:
    with pytest.raises(
        TypeError, match=r"hs.struct takes hypostyle kernels, not .*\nhelp: compute other expressions with pl.struct"
    ):
        hs.struct(pl.col("x"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"hs.struct needs at least one kernel"):
        hs.struct()
    with pytest.raises(ValueError, match="rolling_sum and expanding_sum have the same output name 'x'"):
        hs.struct(hs.rolling_sum("x", 2), hs.expanding_sum("x"))
    with pytest.raises(pl.exceptions.ComputeError, match=r"rolling_sum, column 'key': expected a number.*, got string"):
        plain(5).select(hs.struct(hs.rolling_sum("key", 2), hs.expanding_sum("x")))


def test_a_field_has_the_name_of_one_column() -> None:
    for several in (pl.col("x", "y"), pl.all(), pl.col("x", "y") * 2):
        with pytest.raises(
            ValueError, match=r"rolling_sum: parameter 'column' is several columns.* a kernel per column"
        ):
            hs.struct(several.hs.rolling_sum(2))
    out = plain(5).select(hs.struct(hs.rolling_sum(name, 2) for name in ("x", "y"))).to_series()
    assert out.struct.fields == ["x", "y"]
