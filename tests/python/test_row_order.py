"""A stage over rows without a defined order warns, and only then."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.io.plugins import register_io_source

import hypostyle as hs

FRAME = pl.DataFrame({"key": ["a", "b", "a"], "t": [1, 2, 3], "x": [1.0, 2.0, 3.0]})
OTHER = pl.LazyFrame({"key": ["a", "b"], "w": [1.0, 2.0]})
Query = Callable[[pl.LazyFrame], pl.LazyFrame]

WITHOUT_ORDER: dict[str, tuple[Query, str]] = {
    "inner join": (lambda lf: lf.join(OTHER, on="key"), "inner join without maintain_order"),
    "left join": (lambda lf: lf.join(OTHER, on="key", how="left"), "left join without maintain_order"),
    "full join": (lambda lf: lf.join(OTHER, on="key", how="full", coalesce=True), "full join without"),
    "semi join": (lambda lf: lf.join(OTHER, on="key", how="semi"), "semi join without maintain_order"),
    "cross join": (lambda lf: lf.join(OTHER.select("w"), how="cross"), "cross join without maintain_order"),
    "join_where": (lambda lf: lf.join_where(OTHER.select("w"), pl.col("x") > pl.col("w")), "cross join without"),
    "group_by": (lambda lf: lf.group_by("key").agg(pl.col("t", "x").first()), "group_by without maintain_order=True"),
    "unique": (lambda lf: lf.unique("key"), "unique without maintain_order=True"),
    "unpivot": (lambda lf: lf.unpivot(["x"], index=["key", "t"], value_name="y").rename({"y": "x"}), "unpivot"),
    "union": (lambda lf: pl.union([lf, lf]), "union"),
    "pivot": (
        lambda lf: lf.pivot("key", on_columns=["x"], index="t", values="t").with_columns(key=1, x=2.0),
        "group_by without",
    ),
    "and then others": (
        lambda lf: lf.unique().filter(pl.col("x") > 0).with_columns(z=1).head(2).select("key", "t", "x"),
        "unique",
    ),
    "before group_by": (
        lambda lf: lf.unique().group_by("key", maintain_order=True).agg(pl.col("x").first()).with_columns(t=1),
        "unique",
    ),
    "on the side of a join whose order is kept": (
        lambda lf: lf.unique().join(OTHER, on="key", maintain_order="left"),
        "unique",
    ),
    "in one part of a concat": (lambda lf: pl.concat([lf, lf.unique()]), "unique"),
    "twice": (lambda lf: lf.sort("t").unique(), "unique"),
}


def read_by_python(lf: pl.LazyFrame) -> pl.LazyFrame:
    def source(columns: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
        yield FRAME.select(columns or FRAME.columns)

    return register_io_source(source, schema=FRAME.schema)


WITH_ORDER: dict[str, Query] = {
    "frame": lambda lf: lf,
    "python source": read_by_python,
    "opaque function": lambda lf: lf.map_batches(lambda frame: frame),
    "filter": lambda lf: lf.filter(pl.col("x") > 1),
    "select": lambda lf: lf.select("x", "t", "key"),
    "with_columns": lambda lf: lf.with_columns(z=pl.col("x").cum_sum().over("key")),
    "row index": lambda lf: lf.with_row_index(),
    "slice": lambda lf: lf.slice(1, 2),
    "explode": lambda lf: lf.with_columns(x=pl.concat_list("x", "x")).explode("x"),
    "concat": lambda lf: pl.concat([lf, lf]),
    "horizontal concat": lambda lf: pl.concat([lf, lf.select(y="x")], how="horizontal"),
    "sort": lambda lf: lf.sort("t"),
    "group_by": lambda lf: lf.group_by("key", maintain_order=True).agg(pl.col("t", "x").first()),
    "group_by_dynamic": lambda lf: (
        lf.set_sorted("t").group_by_dynamic("t", every="2i").agg(pl.col("x", "key").first()).select("x", "t", "key")
    ),
    "rolling": lambda lf: lf.set_sorted("t").rolling("t", period="2i").agg(pl.col("x", "key").last()),
    "unique": lambda lf: lf.unique("key", maintain_order=True),
    "left join": lambda lf: lf.join(OTHER, on="key", how="left", maintain_order="left"),
    "right order": lambda lf: lf.unique().join(lf, on="t", maintain_order="right"),
    "left_right": lambda lf: lf.join(OTHER, on="key", maintain_order="left_right"),
    "unique on the other side": lambda lf: lf.join(OTHER.unique(), on="key", maintain_order="left"),
    "join_asof": lambda lf: lf.set_sorted("t").join_asof(lf.select("t", u="x").set_sorted("t"), on="t"),
    "merge_sorted": lambda lf: lf.merge_sorted(lf, "t"),
    "join, then sort": lambda lf: lf.join(OTHER, on="key").sort("t"),
    "unique, then top_k": lambda lf: lf.unique().top_k(2, by="t"),
    "another stage": lambda lf: hs.lazy(lf).with_columns(hs.expanding_max("x", over="key").alias("top")),
}
KERNEL = hs.expanding_sum("x", over="key").alias("sum")


@pytest.mark.parametrize("query", WITHOUT_ORDER)
def test_a_stage_warns(query: str) -> None:
    make, named = WITHOUT_ORDER[query]
    with pytest.warns(hs.RowOrderWarning, match=named) as caught:
        lf = hs.lazy(make(FRAME.lazy())).with_columns(KERNEL)
    assert [warning.filename for warning in caught] == [__file__]
    assert "sum" in lf.collect().columns
    with pytest.warns(hs.RowOrderWarning, match="expanding_sum depends on the order") as caught:
        hs.with_columns(make(FRAME.lazy()), KERNEL)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("query", WITH_ORDER)
def test_there_is_no_false_alarm(query: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lf = hs.lazy(WITH_ORDER[query](FRAME.lazy())).with_columns(KERNEL)
    assert "sum" in lf.collect().columns


@pytest.mark.parametrize("kind", ["parquet", "csv", "ipc", "ndjson"])
def test_files_have_an_order(tmp_path: Path, kind: str) -> None:
    paths = [tmp_path / f"{number}.{kind}" for number in range(2)]
    for path in paths:
        getattr(FRAME, f"write_{kind}")(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hs.lazy(getattr(pl, f"scan_{kind}")(paths)).with_columns(KERNEL)


def test_kernels_that_need_no_order_do_not_warn() -> None:
    lf = FRAME.lazy().unique()
    double = hs.jit("lambda x: x * 2")
    total = hs.scan(total=0.0)(lambda s, x: (hs.state(s.total + x), s.total + x))
    by_time = hs.rolling_sum("x", "2i", by="t").alias("sum")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hs.lazy(lf).with_columns(hs.row_dot(["x", "t"], [1.0, 2.0]).alias("dot"), double("x").alias("double"))
        hs.lazy(lf.sort("t")).with_columns(by_time)
        hs.lazy(lf).with_columns(by_time)  # it raises where the times decrease
    with pytest.warns(hs.RowOrderWarning, match=r"depends on the order.*set its maintain_order$"):
        hs.lazy(lf).with_columns(total("x").alias("total"))
    with pytest.warns(hs.RowOrderWarning, match=r"rolling_sum .* give the kernel a time column, by=\.\.\.$"):
        hs.lazy(lf).with_columns(hs.rolling_sum("x", 2))
