"""The same kernel through every face gives the same bits."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import hypostyle as hs
from data import SHAPES, plain, same, wild
from kernels_under_test import IN_MEMORY_ONLY, NAMES, ROW_FUNCTIONS, STREAMING, call, expressions
from oracles import ORACLES

Exprs = list[hs.KernelExpr]
SHAPES_HERE = {"wild": wild(), "one_row": SHAPES["one_row"], "no_rows": SHAPES["no_rows"]}


def polars_streaming(frame: pl.DataFrame, exprs: Exprs) -> pl.DataFrame:
    return frame.lazy().with_columns(exprs).collect(engine="streaming")


def pyarrow_table(frame: pl.DataFrame, exprs: Exprs) -> pl.DataFrame:
    out = hs.with_columns(chunked(frame).to_arrow(), *exprs)
    assert isinstance(out, pa.Table)
    return pl.DataFrame(out)


def pyarrow_batch(frame: pl.DataFrame, exprs: Exprs) -> pl.DataFrame:
    table = frame.rechunk().to_arrow()
    batch = pa.RecordBatch.from_arrays([c.combine_chunks() for c in table.columns], names=table.schema.names)
    out = hs.with_columns(batch, *exprs)
    assert isinstance(out, pa.RecordBatch)
    return pl.DataFrame(out)


def stage_whole(frame: pl.DataFrame, exprs: Exprs) -> pl.DataFrame:
    return hs.Stage(exprs).advance(frame)


def stage_cut(frame: pl.DataFrame, exprs: Exprs) -> pl.DataFrame:
    stage = hs.Stage(exprs)
    return pl.concat([stage.advance(piece) for piece in pieces(frame)])


def stage_peeked(frame: pl.DataFrame, exprs: Exprs) -> pl.DataFrame:
    stage = hs.Stage(exprs)
    out = []
    for piece in pieces(frame):
        seen = stage.peek(piece)
        out.append(stage.advance(piece))
        assert seen.equals(out[-1])
    return pl.concat(out)


def lazy(frame: pl.DataFrame, exprs: Exprs) -> pl.DataFrame:
    return frame.lazy().hs.with_columns(*exprs).collect()


def lazy_streaming(frame: pl.DataFrame, exprs: Exprs) -> pl.DataFrame:
    lf = frame.lazy().hs.with_columns(exprs)
    return pl.concat(list(lf.collect_batches()) or [lf.collect_schema().to_frame()])


def pieces(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """The frame cut at random, with empty pieces, single rows and pieces of several chunks among them."""
    random = np.random.default_rng(len(frame))
    cuts = sorted([0, 0, 1, *random.integers(0, len(frame) + 1, 12), len(frame)])
    cut = [frame[int(a) : int(b)] for a, b in zip([0, *cuts], [*cuts, len(frame)], strict=True)]
    return [chunked(piece) if at % 2 else piece for at, piece in enumerate(cut)]


def chunked(frame: pl.DataFrame) -> pl.DataFrame:
    half = len(frame) // 2
    return pl.concat([frame[:half], frame[half:]], rechunk=False)


IN_MEMORY: dict[str, Callable[[pl.DataFrame, Exprs], pl.DataFrame]] = {
    "polars": lambda frame, exprs: frame.with_columns(exprs),
    "polars_chunked": lambda frame, exprs: chunked(frame).with_columns(exprs),
    "polars_streaming": polars_streaming,
    "polars_each": lambda frame, exprs: pl.concat([frame.select(e) for e in exprs], how="horizontal"),
    "hs_chunked": lambda frame, exprs: hs.with_columns(chunked(frame), *exprs),
    "pyarrow_table": pyarrow_table,
    "pyarrow_batch": pyarrow_batch,
}
ON_STREAMS = {
    "stage_whole": stage_whole,
    "stage_cut": stage_cut,
    "stage_peeked": stage_peeked,
    "lazy": lazy,
    "lazy_streaming": lazy_streaming,
}


def assert_same(found: pl.DataFrame, expected: pl.DataFrame, exprs: Exprs) -> None:
    for expr in exprs:
        name = expr.meta.output_name()
        assert same(found[name], expected[name]), (
            f"{name}:\n{pl.DataFrame([found[name], expected[name].alias('expected')])}"
        )


@pytest.mark.parametrize("shape", SHAPES_HERE)
@pytest.mark.parametrize(
    ("face", "name"), [*itertools.product(IN_MEMORY, NAMES), *itertools.product(ON_STREAMS, STREAMING)]
)
def test_same_bits(face: str, name: str, shape: str) -> None:
    frame = SHAPES_HERE[shape]
    exprs = expressions(name, streams=face in ON_STREAMS)
    found = (IN_MEMORY | ON_STREAMS)[face](frame, exprs)
    assert_same(found, hs.with_columns(frame, *exprs), exprs)


@pytest.mark.parametrize("name", NAMES)
def test_namespace(name: str) -> None:
    if name not in dir(pl.col("x").hs):
        assert name == "row_dot", "a kernel whose first parameter is a column has a method"
        return
    cases = [case for case in ORACLES[name].cases if isinstance(next(iter(case.values())), str)]
    assert cases
    for case in cases:
        (first, column), *others = case.items()
        keyed: dict[str, Any] = {} if name in ROW_FUNCTIONS else {"over": "key"}
        found = getattr(pl.col(column).hs, name)(**dict(others), **keyed)
        expected = call(name, case)
        assert found._kernel == expected._kernel, first


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ROW_FUNCTIONS])
def test_over_of_polars(name: str) -> None:
    frame = wild()
    exprs = expressions(name)
    by_polars = [e.over("key") for e in expressions(name, over=None)]
    assert_same(frame.with_columns(by_polars), hs.with_columns(frame, *exprs), exprs)


@pytest.mark.parametrize("backend", ["numpy", "masked", "arrow"])
@pytest.mark.parametrize("shape", SHAPES_HERE)
@pytest.mark.parametrize("name", NAMES)
def test_pandas(name: str, shape: str, backend: str) -> None:
    # In pandas NaN means missing, so it is null for the kernels.
    frame = SHAPES_HERE[shape].with_columns(pl.col(pl.Float64, pl.Float32).fill_nan(None))
    exprs = expressions(name)
    expected = hs.with_columns(frame, *exprs)
    given = {
        # numpy has no booleans with nulls.
        "numpy": lambda: frame.to_pandas().astype({"b": "boolean"}),
        "masked": lambda: frame.to_pandas().astype({"f": "Float32", "x": "Float64", "i": "Int64", "b": "boolean"}),
        "arrow": lambda: frame.to_pandas(use_pyarrow_extension_array=True),
    }[backend]()
    given.index = pd.RangeIndex(len(given)) * 7 + 3
    before = given.copy(deep=True)
    found = hs.with_columns(given, *exprs)
    pd.testing.assert_frame_equal(given, before)
    assert found.index.equals(given.index)
    for expr in exprs:
        column = expected[expr.meta.output_name()]
        struct = isinstance(column.dtype, pl.Struct)
        # pandas has no structs: each field is a column.
        parts = (
            {f"{column.name}.{part.name}": part for part in column.struct.unnest()} if struct else {column.name: column}
        )
        for name, part in parts.items():
            if backend == "arrow":
                assert isinstance(found[name].dtype, pd.ArrowDtype)
            numbers = found[name].to_numpy(dtype="f8", na_value=np.nan)
            values = pl.Series(np.where(found[name].isna(), np.nan, numbers), nan_to_null=True)
            assert same(values, part.cast(pl.Float64).fill_nan(None)), name


SAVE_AND_GO_ON = """
import sys
import hypostyle as hs
import polars as pl
folder = sys.argv[1]
for state in sys.argv[2:]:
    stage = hs.Stage.load(f"{folder}/{state}")
    stage.advance(pl.read_ipc(f"{folder}/rest.arrow")).write_ipc(f"{folder}/{state}.out")
"""


@pytest.mark.parametrize("shape", ["wild", "plain"])
def test_resumed_in_another_process(tmp_path: Path, shape: str) -> None:
    frame = {"wild": wild(), "plain": plain(300, seed=5)}[shape]
    first, rest = frame[:170], frame[170:]
    rest.write_ipc(tmp_path / "rest.arrow")
    for name in STREAMING:
        stage = hs.Stage(expressions(name, streams=True))
        stage.advance(first)
        stage.save(tmp_path / name)
    subprocess.run([sys.executable, "-c", SAVE_AND_GO_ON, str(tmp_path), *STREAMING], check=True)
    for name in STREAMING:
        exprs = expressions(name, streams=True)
        assert_same(pl.read_ipc(tmp_path / f"{name}.out"), hs.with_columns(frame, *exprs)[170:], exprs)


@pytest.mark.parametrize("name", sorted(IN_MEMORY_ONLY))
@pytest.mark.parametrize("face", ON_STREAMS)
def test_kernels_that_need_later_rows_are_refused_on_streams(face: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: it needs later rows, so it cannot run in a stage"):
        ON_STREAMS[face](wild(), expressions(name))


def test_the_parameter_that_asks_for_later_rows_is_named() -> None:
    with pytest.raises(ValueError, match="shift, parameter 'n': it needs later rows"):
        hs.Stage([hs.shift("x", -1)])
    with pytest.raises(ValueError, match="rolling_sum, parameter 'center': it needs later rows"):
        hs.Stage([hs.rolling_sum("x", 3, center=True)])


def test_several_kernels_and_overs_at_once() -> None:
    frame = wild()
    exprs = [e for name in NAMES for e in expressions(name)] + [hs.expanding_mean("x").alias("unkeyed")]
    found = hs.with_columns(frame, exprs)
    assert found.columns == frame.columns + [e.meta.output_name() for e in exprs]
    assert_same(frame.with_columns(exprs), found, exprs)
    streams = [e for name in NAMES for e in expressions(name, streams=True)] + [exprs[-1]]
    assert_same(frame.lazy().hs.with_columns(streams).collect(), hs.with_columns(frame, streams), streams)


def test_computed_inputs() -> None:
    frame = plain(100)
    twice = (pl.col("x") * 2).hs.rolling_mean(3, over="key")
    expected = frame.with_columns(z=pl.col("x") * 2).select(x=hs.rolling_mean("z", 3, over="key"))
    assert frame.select(twice).equals(expected)
    assert hs.with_columns(frame, twice)["x"].equals(expected["x"])
    # The same name for a column and for an expression of it, and a key that is computed.
    corr = hs.rolling_corr(pl.col("x") * -1, "x", 5, min_samples=3, over=pl.col("key").str.to_lowercase())
    assert frame.select(corr)["x"].drop_nulls().round(9).unique().to_list() == [-1.0]
    # Several columns at once, as Polars' own functions take them.
    several = frame.select(pl.col("x", "y").hs.rolling_max(3, over="key"))
    assert several.equals(frame.select(hs.rolling_max("x", 3, over="key"), hs.rolling_max("y", 3, over="key")))


def test_centered_windows_by_key_over_many_rows() -> None:
    """Rows are processed in slices, which must not cut a window that needs later rows."""
    rows = 300_000
    frame = pl.DataFrame({"x": np.arange(rows) % 7.0, "key": np.arange(rows) * 7919 % 50})
    found = frame.select(hs.rolling_sum("x", 5, center=True, over="key"))
    assert found.equals(frame.select(pl.col("x").rolling_sum(5, center=True).over("key")))


def test_literals() -> None:
    frame = pl.DataFrame({"b": [1.0, 2.0, 3.0]})
    assert frame.select(hs.affine_scan(pl.lit(0.5), "b"))["literal"].to_list() == [1.0, 2.5, 4.25]
    assert frame.select(hs.affine_scan(0.5, "b"))["b"].to_list() == [1.0, 2.5, 4.25]


def test_replaces_a_column_of_the_same_name() -> None:
    frame = pl.DataFrame({"x": [1.0, 3.0], "z": [0, 0]})
    for given in (frame, frame.to_pandas(), frame.to_arrow(), frame.lazy()):
        found = hs.with_columns(given, hs.expanding_mean("x"))
        found = found.collect() if isinstance(found, pl.LazyFrame) else pl.DataFrame(found)
        assert found.columns == ["x", "z"]
        assert found["x"].to_list() == [1.0, 2.0]


def test_the_expression_remembers() -> None:
    import copy
    import pickle

    kernel = hs.rolling_mean("x", np.int64(2))
    assert isinstance(kernel.alias("m"), hs.KernelExpr)
    assert type(kernel + 1) is pl.Expr
    assert type(kernel.over("key")) is pl.Expr
    for twin in (pickle.loads(pickle.dumps(kernel)), copy.deepcopy(kernel)):
        assert isinstance(twin, hs.KernelExpr)
        assert twin._kernel == kernel._kernel
    assert hs.with_columns(plain(9), m=kernel).columns[-1] == "m"
