"""Bad input gets an error that names the culprit and the way out: the same words through every face."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import hypostyle as hs
from data import plain

FRAME = plain(50).sort("ts")


def raised(action: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  the caller looks at type and text
        action()
    assert isinstance(caught.value, Exception), "never a PanicException"
    return caught.value


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: hs.rolling_mean("x", 0), ValueError, ["rolling_mean", "window", "at least 1", "0"]),
        (lambda: hs.rolling_mean("x", -3), ValueError, ["rolling_mean", "window", "-3"]),
        (lambda: hs.rolling_mean("x", 2.5), TypeError, ["rolling_mean", "window", "2.5", "number of rows"]),
        (lambda: hs.rolling_mean("x", "5 parsecs", by="ts"), ValueError, ["window", "5 parsecs", "'5m'"]),
        (lambda: hs.rolling_mean("x", timedelta(minutes=-5), by="ts"), ValueError, ["window"]),
        (lambda: hs.rolling_mean("x", "5m"), ValueError, ["rolling_mean", "by"]),
        (lambda: hs.rolling_mean("x", 3, closed="sideways"), ValueError, ["closed", "sideways", '"right"']),
        (lambda: hs.rolling_mean("x", 3, center=1), TypeError, ["center", "a boolean"]),
        (lambda: hs.rolling_mean("x", True), TypeError, ["window", "a number of rows", "got a boolean"]),
        (lambda: hs.rolling_mean("x", 3, min_samples="many"), TypeError, ["min_samples", "an integer"]),
        (lambda: hs.rolling_mean(3, 3), TypeError, ["column", "name of a column"]),
        (lambda: hs.rolling_mean("x", pl.col("y")), TypeError, ["window", "expression"]),
        (lambda: hs.rolling_mean("x", 3, over=[5]), TypeError, ["over", "5"]),
        (lambda: hs.rolling_mean("x", object()), TypeError, ["window", "object"]),
        (lambda: hs.ewm_mean("x", alpha=0), ValueError, ["ewm_mean", "alpha", "0"]),
        (lambda: hs.ewm_mean("x", alpha=1.5), ValueError, ["ewm_mean", "alpha", "1.5"]),
        (lambda: hs.ewm_mean("x", alpha=float("nan")), ValueError, ["ewm_mean", "alpha"]),
        (lambda: hs.ewm_mean("x"), ValueError, ["ewm_mean", "alpha"]),
        (lambda: hs.ewm_mean("x", alpha=0.5, span=3), ValueError, ["ewm_mean", "alpha", "span"]),
        (lambda: hs.cumsum_clip("x", 5, 3), ValueError, ["cumsum_clip", "lower", "upper"]),
        (lambda: hs.affine_scan(0.5, 1.0), ValueError, ["affine_scan", "column"]),
        (lambda: hs.session_id("ts", "0m"), ValueError, ["session_id", "gap"]),
        (lambda: hs.row_dot(["x", "y"], [1.0]), ValueError, ["row_dot", "weights"]),
        (lambda: hs.row_dot([], []), ValueError, ["row_dot", "columns"]),
    ],
)
def test_bad_parameters_when_the_expression_is_made(
    make: Callable[[], object], kind: type[Exception], words: list[str]
) -> None:
    error = raised(make)
    assert isinstance(error, kind), repr(error)
    assert all(word in str(error) for word in words), str(error)


IN_MEMORY: dict[str, Callable[[pl.DataFrame, hs.KernelExpr], object]] = {
    "hs_polars": lambda frame, kernel: hs.with_columns(frame, kernel),
    "hs_pandas": lambda frame, kernel: hs.with_columns(frame.to_pandas(), kernel),
    "hs_pyarrow": lambda frame, kernel: hs.with_columns(frame.to_arrow(), kernel),
}
ON_STREAMS: dict[str, Callable[[pl.DataFrame, hs.KernelExpr], object]] = {
    "stage": lambda frame, kernel: hs.Stage(kernel).advance(frame),
    "stage_pandas": lambda frame, kernel: hs.Stage(kernel).advance(frame.to_pandas()),
    "stage_peek": lambda frame, kernel: hs.Stage(kernel).peek(frame.to_arrow()),
    "lazy": lambda frame, kernel: frame.lazy().hs.with_columns(kernel).collect(),
}
PLUGIN: dict[str, Callable[[pl.DataFrame, hs.KernelExpr], object]] = {
    "polars": lambda frame, kernel: frame.with_columns(kernel),
    "polars_lazy": lambda frame, kernel: frame.lazy().select(kernel).collect(engine="streaming"),
}


def through_every_face(frame: pl.DataFrame, kernel: hs.KernelExpr, kind: type[Exception], words: list[str]) -> None:
    expected = raised(lambda: hs.with_columns(frame, kernel))
    assert all(word in str(expected) for word in words), str(expected)
    for name, face in (IN_MEMORY | ON_STREAMS | PLUGIN).items():
        error = raised(lambda face=face: face(frame, kernel))
        assert plain_types(expected) in plain_types(error), f"{name}: {error}\nwhere others say: {expected}"
        if name not in PLUGIN and name != "lazy":
            assert isinstance(error, kind), f"{name}: {error!r}"
            assert plain_types(error) == plain_types(expected)


def plain_types(error: Exception) -> str:
    """The message, where Polars, pandas and pyarrow have different Arrow types for a string and a time."""
    return re.sub(r"LargeUtf8|Utf8View|Timestamp\(\w+\)", "...", str(error))


def test_column_of_a_wrong_type() -> None:
    through_every_face(FRAME, hs.rolling_mean("key", 3), TypeError, ["rolling_mean", "key"])
    through_every_face(FRAME, hs.rolling_mean("x", "5m", by="y"), TypeError, ["y", "timestamp"])
    through_every_face(FRAME, hs.session_id("key", "5m"), TypeError, ["session_id", "key"])


def test_unsorted_time() -> None:
    frame = FRAME.with_columns(ts=pl.col("ts").reverse())
    through_every_face(frame, hs.rolling_mean("x", "5m", by="ts", over="key"), ValueError, ["ts"])
    through_every_face(frame, hs.session_id("ts", "5m"), ValueError, ["session_id", "ts"])


def test_polars_words_are_taken_off() -> None:
    """A computed input makes Polars run the kernel."""
    frame = FRAME.with_columns(ts=pl.col("ts").reverse())
    error = raised(lambda: hs.with_columns(frame, hs.rolling_mean(pl.col("x") + 1, "5m", by="ts")))
    assert isinstance(error, pl.exceptions.ComputeError)
    assert str(error).startswith("rolling_mean, column 'ts', row 1: "), str(error)
    assert str(error).endswith("help: sort by 'ts'"), str(error)


def test_null_time() -> None:
    frame = FRAME.with_columns(ts=pl.when(pl.int_range(pl.len()) != 7).then("ts"))
    through_every_face(frame, hs.rolling_mean("x", "5m", by="ts"), ValueError, ["ts", "null"])


@pytest.mark.parametrize("name", [*IN_MEMORY, "stage", "stage_pandas", "stage_peek", "lazy"])
@pytest.mark.parametrize(
    "kernel",
    [hs.rolling_mean("prize", 3), hs.rolling_mean("x", 3, over="sybmol"), hs.rolling_mean("x", "5m", by="time")],
    ids=["column", "over", "by"],
)
def test_missing_column(name: str, kernel: hs.KernelExpr) -> None:
    error = raised(lambda: (IN_MEMORY | ON_STREAMS)[name](FRAME, kernel))
    assert isinstance(error, hs.ColumnNotFoundError)
    assert isinstance(error, KeyError)
    assert isinstance(error, pl.exceptions.ColumnNotFoundError)
    expected = raised(lambda: hs.with_columns(FRAME, kernel))
    assert str(error) == str(expected)
    assert any(f"'{column}'" in str(error) for column in ("prize", "sybmol", "time"))
    assert all(column in str(error) for column in FRAME.columns), str(error)


def test_missing_column_by_polars() -> None:
    assert isinstance(raised(lambda: FRAME.select(hs.rolling_mean("prize", 3))), pl.exceptions.ColumnNotFoundError)


@pytest.mark.parametrize(
    "face",
    [
        lambda kernel: hs.Stage(kernel),
        lambda kernel: FRAME.lazy().hs.with_columns(kernel),
        lambda kernel: hs.with_columns(FRAME.to_pandas(), kernel),
        lambda kernel: hs.with_columns(FRAME.to_arrow(), kernel),
    ],
    ids=["stage", "lazy", "pandas", "pyarrow"],
)
def test_computed_inputs_name_the_way_out(face: Callable[[hs.KernelExpr], object]) -> None:
    error = raised(lambda: face(hs.rolling_mean(pl.col("x") + 1, 3)))
    assert isinstance(error, ValueError)
    assert all(word in str(error) for word in ["rolling_mean", "'column'", "with_columns"]), str(error)


@pytest.mark.parametrize(
    "face",
    [hs.Stage, lambda kernel: FRAME.lazy().hs.with_columns(kernel)],
    ids=["stage", "lazy"],
)
def test_centred_windows_cannot_stream(face: Callable[[Any], object]) -> None:
    error = raised(lambda: face(hs.rolling_mean("x", 3, center=True)))
    assert isinstance(error, ValueError)
    assert "center" in str(error)


def test_no_kernel_at_all() -> None:
    for face in (hs.Stage, FRAME.lazy().hs.with_columns):
        assert isinstance(raised(lambda face=face: face([])), ValueError)
        assert isinstance(raised(lambda face=face: face([pl.col("x")])), TypeError)
    assert isinstance(raised(lambda: hs.with_columns({"x": [1.0]}, hs.expanding_mean("x"))), TypeError)


def test_two_outputs_of_one_name() -> None:
    pair = [hs.rolling_mean("x", 3), hs.rolling_max("x", 3)]
    for face in (
        lambda: hs.Stage(pair),
        lambda: FRAME.lazy().hs.with_columns(pair),
        lambda: hs.with_columns(FRAME, *pair),
        lambda: hs.with_columns(FRAME.to_pandas(), *pair),
    ):
        error = raised(face)
        assert isinstance(error, ValueError)
        assert "'x'" in str(error)
        assert "alias" in str(error)


def test_a_failed_batch_leaves_the_stage_as_it_was() -> None:
    stage = hs.Stage(
        [hs.rolling_sum("x", "30m", by="ts", over="key").alias("s"), hs.expanding_mean("x", over="key").alias("m")]
    )
    twin = hs.Stage(stage.kernels)
    first, rest = FRAME[:20], FRAME[20:]
    stage.advance(first)
    twin.advance(first)
    good_then_bad = pl.concat([rest[:10], first[:5]], rechunk=False)
    assert isinstance(raised(lambda: stage.advance(good_then_bad)), ValueError)
    assert isinstance(raised(lambda: stage.advance(rest.drop("x"))), hs.ColumnNotFoundError)
    assert isinstance(raised(lambda: stage.advance(rest.with_columns(pl.col("x").cast(pl.String)))), TypeError)
    assert stage.advance(rest).equals(twin.advance(rest))


def test_states_that_cannot_be_used(tmp_path: Path) -> None:
    missing = raised(lambda: hs.Stage.load(tmp_path / "nowhere"))
    assert isinstance(missing, FileNotFoundError)
    assert "nowhere" in str(missing)
    stage = hs.Stage(hs.rolling_mean("x", 3, over="key"))
    stage.advance(FRAME)
    path = tmp_path / "state"
    stage.save(path)
    assert isinstance(raised(lambda: stage.save(tmp_path / "no" / "folder")), FileNotFoundError)
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 97)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            hs.Stage.load(path)
        except ValueError:
            continue
        pytest.fail(f"a state with byte {at} of {len(whole)} changed was taken")
    path.write_bytes(whole[:-20])
    assert isinstance(raised(lambda: hs.Stage.load(path)), ValueError)
    path.write_bytes(whole)
    other = hs.rolling_mean("x", 4, over="key")
    error = raised(lambda: FRAME.lazy().hs.with_columns(other, state=path))
    assert isinstance(error, ValueError)
    assert all(words in str(error) for words in ("window=3", "window=4", str(path)))


def test_unknown_kernel_and_parameter_in_a_specification() -> None:
    from hypostyle import _native

    error = raised(lambda: _native.check('{"name": "roling_mean"}'))
    assert isinstance(error, ValueError)
    assert "rolling_mean" in str(error)
    # A rank depends on where its row is in the window, so there is no centered one.
    error = raised(lambda: _native.check('{"name": "rolling_rank", "column": "x", "window": 3, "center": true}'))
    assert "rolling_rank, parameter 'center': unknown parameter" in str(error)
    error = raised(lambda: _native.check('{"name": "rolling_mean", "column": "x", "windw": 3}'))
    assert isinstance(error, ValueError)
    assert "windw" in str(error)
    assert "window" in str(error)


EXPRESSION: Any = hs.rolling_mean("x", 3)
ANY: Any = hs
SERIES = pl.Series("x", [1.25, 2.5])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ANY.Stage(EXPRESSION - 1), ["Stage takes hypostyle kernels themselves", ".alias("]),
        (lambda: ANY.Stage([EXPRESSION * 2]), ["Stage takes hypostyle kernels themselves", ".alias("]),
        (lambda: ANY.Stage(pl.col("x")), ["Stage takes hypostyle kernels", "the expression", "with_columns"]),
        (lambda: ANY.struct(EXPRESSION - 1), ["hs.struct takes hypostyle kernels themselves", "the struct's fields"]),
        (lambda: ANY.Stage("rolling_mean"), ["Stage takes hypostyle kernels", "a str"]),
        (lambda: ANY.Stage(3), ["Stage takes hypostyle kernels", " int"]),
        (lambda: ANY.Stage({"m": EXPRESSION}), ["Stage takes hypostyle kernels", "a dict"]),
        (
            lambda: hs.with_columns(FRAME.to_pandas(), EXPRESSION, over="key"),
            ["over= names an output column", "hs.rolling_mean('price', 20, over=...)"],
        ),
        (lambda: ANY.rolling_mean(SERIES, 3), ["rolling_mean, parameter 'column'", "polars.Series", "into a frame"]),
        (lambda: ANY.rolling_mean(SERIES.to_pandas(), 3), ["parameter 'column'", "pandas.Series", "into a frame"]),
        (lambda: ANY.rolling_mean(SERIES.to_numpy(), 3), ["parameter 'column'", "numpy.ndarray", "into a frame"]),
        (lambda: ANY.rolling_mean(SERIES.to_arrow(), 3), ["parameter 'column'", "pyarrow.", "into a frame"]),
        (lambda: ANY.rolling_mean("x", 3, over=SERIES), ["parameter 'over'", "polars.Series", "into a frame"]),
        (lambda: ANY.rolling_mean("x", 3, over=SERIES.cast(pl.String)), ["parameter 'over'", "polars.Series"]),
        (lambda: ANY.rolling_mean("x", 3, over=5), ["parameter 'over'", "a column name or several, got 5"]),
        (lambda: ANY.row_dot(SERIES, [1.0]), ["parameter 'columns'", "polars.Series", "into a frame"]),
        (lambda: ANY.rolling_mean(["x", "y"], 3), ["parameter 'column'", "one column", "a list", "kernel per column"]),
        (lambda: ANY.rolling_mean("x", SERIES), ["parameter 'window'", "polars.Series", "{'length': 'n'}"]),
    ],
)
def test_what_is_not_a_kernel_or_a_column(make: Callable[[], object], words: list[str]) -> None:
    error = raised(make)
    assert isinstance(error, TypeError), repr(error)
    assert all(word in str(error) for word in words), str(error)
    assert "1.25" not in str(error), str(error)
    assert len(str(error)) < 400, str(error)


@pytest.mark.parametrize("face", [hs.Stage, lambda kernel: hs.with_columns(FRAME.to_pandas(), kernel)])
def test_several_columns_in_one_kernel(face: Callable[[Any], object]) -> None:
    for column in (pl.all(), pl.col("x", "y"), pl.col(pl.Float64)):
        error = raised(lambda column=column: face(hs.rolling_mean(column, 3)))
        assert isinstance(error, ValueError)
        assert all(word in str(error) for word in ["'column'", "one column per kernel", "for name in names"]), str(
            error
        )


def test_messages_in_python_are_in_python() -> None:
    for make in (
        lambda: ANY.rolling_mean("x", 2.5),
        lambda: ANY.rolling_mean("x", 3, center=1),
        lambda: ANY.rolling_mean("x", "5m", by="ts", center=True),
        lambda: hs.Stage(hs.rolling_mean("x", 3, center=True)),
    ):
        message = str(raised(make))
        assert not re.search(r"\{(length|start) =|\btrue\b|\bfalse\b", message), message


def test_single_rows_are_dicts() -> None:
    stage = hs.Stage(hs.rolling_mean("x", 2))
    stage.set_schema({"x": pl.Float64})
    for call, name in ((stage.advance_row, "advance_row"), (stage.peek_row, "peek_row")):
        for rows in ([{"x": 1.0}, {"x": 2.0}], [("x", 1.0)], 1.0, FRAME, "x"):
            error = raised(lambda call=call, rows=rows: call(rows))
            assert isinstance(error, TypeError)
            assert str(error).startswith(f"Stage.{name} takes one row as a dict"), str(error)
            assert f"a frame to Stage.{name.removesuffix('_row')}" in str(error)
    assert stage.n_rows == 0


def test_rows_out_of_order_say_where() -> None:
    stage = hs.Stage(hs.rolling_sum("x", "2i", by="t"))
    stage.advance(pl.DataFrame({"t": [5, 6], "x": [1.0, 1.0]}))
    batch = str(raised(lambda: stage.advance(pl.DataFrame({"t": [7, 8, 3], "x": [1.0, 1.0, 1.0]}))))
    assert "column 't', row 4: " in batch
    assert "(row 2 of its batch; rows are counted from 0 since the stage began)\nhelp: sort by 't'" in batch
    alone = str(raised(lambda: stage.advance_row({"t": 3, "x": 1.0})))
    assert "column 't', row 2: " in alone
    assert "(rows are counted from 0 since the stage began)\nhelp: leave the row out" in alone
    assert "sort" not in alone.split("help:")[1]


def test_the_state_of_a_pipeline_is_no_stage(tmp_path: Path) -> None:
    FRAME.select("x").write_parquet(tmp_path / "in.parquet")
    pipeline = hs.Pipeline(
        f"""
        state = "{tmp_path / "state"}"
        [source]
        path = "{tmp_path / "in.parquet"}"
        [[stage]]
        [[stage.kernel]]
        name = "expanding_sum"
        column = "x"
        alias = "sum"
        [sink]
        path = "{tmp_path / "out.parquet"}"
        """
    )
    pipeline.run()
    path = tmp_path / "state"
    for load in (hs.Stage.load, lambda state: FRAME.lazy().hs.with_columns(state=state)):
        error = raised(lambda load=load: load(path))
        assert isinstance(error, ValueError)
        assert all(words in str(error) for words in (str(path), "the state of a pipeline", "stage-1.arrow")), str(error)
    (way_out,) = re.findall(r"help: load one of them: (.*)", str(error))
    stage = eval(way_out, {"hs": hs, "tarfile": tarfile, "path": path})
    assert stage.n_rows == len(FRAME)


@pytest.mark.parametrize(
    ("kernel", "parameter", "column"),
    [
        (hs.rolling_mean("gone", 3), "column", "gone"),
        (hs.rolling_mean("x", "5m", by="gone"), "by", "gone"),
        (hs.rolling_mean("x", 3, over="gone"), "over", "gone"),
        (hs.rolling_corr("x", "gone", 3), "y", "gone"),
        (hs.rolling_ols("y", ["x", "gone"], 3), "x", "gone"),
        (hs.rolling_sum("x", {"length": "gone"}), "window", "gone"),
        (hs.cumsum_clip("x", 0, "gone"), "upper", "gone"),
        (hs.risk_score("x", "y", [0.5, "gone"]), "factors", "gone"),
    ],
)
def test_the_parameter_of_a_missing_column_is_named(kernel: hs.KernelExpr, parameter: str, column: str) -> None:
    kernel = kernel.alias("out")
    stage = hs.Stage(kernel)
    stage.set_schema(FRAME.with_columns(pl.lit(1).cast(pl.Datetime if parameter == "by" else pl.Int64).alias(column)))
    for action in (
        lambda: hs.with_columns(FRAME, kernel),
        lambda: hs.Stage(kernel).advance(FRAME),
        lambda: stage.advance(FRAME),
        lambda: FRAME.lazy().hs.with_columns(kernel).collect(),
    ):
        error = raised(action)
        assert isinstance(error, hs.ColumnNotFoundError), repr(error)
        assert f", parameter '{parameter}', column '{column}': column not found" in str(error)
