"""A compiled function through every face gives the bits of a plain loop of Python."""

from __future__ import annotations

import json
import math
import multiprocessing
import pickle
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_series_equal

import hypostyle as hs

# mypy: allow-untyped-defs, allow-untyped-calls

ROWS = 211


# The functions


def ratio(x, n):
    return x / n if n is None or n != 3 else None


def collatz(n):
    return n // 2 if n % 2 == 0 else 3 * n + 1


def is_wild(x, b):
    return b or x > 4 or x != x


def limits(x, n):
    if n == 2:
        return None
    if x < 0:
        return {"high": 0.0, "low": x, "count": 0}
    return {"low": x - 1, "high": x + n, "count": n}


def cusum(state, x, drift=0.25):
    up = max(0.0, state.up + x - drift)
    return hs.state(up=up), up


def counted(state, n):
    total = state.total * 2 + n
    return hs.state(total=total % 1000), total


def toggled(state, b):
    return hs.state(on=state.on != b), state.on


def filled(state, x):
    if x is None:
        return state, state.last
    return hs.state(last=x), x


def both(state, x, n):
    low = x if state.low is None else min(state.low, x)
    seen = state.seen + 1
    return hs.state(low=low, seen=seen), {"low": low, "ratio": n / seen}


def graded(x, n):
    if n == 2:
        return None
    return "above the limit" if x > 2 else "low"


def named(n, w):
    return {"word": w if n is None or n < 0 else "none of these", "size": n}


def alarmed(state, x):
    mode = state.mode
    if mode == "waiting for the first" or x > 3:
        mode = "high" if x > 3 else "idle"
    return hs.state(mode=mode), mode


def change(c):
    out = np.empty(len(c))
    total = 0.0
    for i in range(len(c)):
        total = total * 0.5 + c[i]
        out[i] = total - c[i - 2] if i > 1 else total
    return out


@dataclass(frozen=True)
class Case:
    """A function with its columns."""

    plain: Callable[..., Any]
    columns: Sequence[str]
    state: Mapping[str, Any] = field(default_factory=dict)
    is_loop: bool = False

    @property
    def compiled(self) -> Any:
        if self.is_loop:
            return hs.loop(self.plain)
        return hs.scan(**self.state)(self.plain) if self.state else hs.jit(self.plain)

    def call(self, **more: Any) -> Any:
        return self.compiled(*self.columns, **more).alias("y")

    def expected(self, frame: pl.DataFrame, keys: Sequence[Any] | None = None) -> list[Any]:
        """Return what Python gives: a row that raises is None and leaves the state."""
        rows = list(zip(*(frame[name].to_list() for name in self.columns), strict=True))
        keys = [None] * len(rows) if keys is None else keys
        found: list[Any] = [None] * len(rows)
        if self.is_loop:
            for key in set(keys):
                at = [i for i, other in enumerate(keys) if other == key]
                for i, value in zip(at, self.plain([rows[i][0] for i in at]), strict=True):
                    found[i] = float(value)
            return found
        states: dict[Any, Any] = {}
        for i, (row, key) in enumerate(zip(rows, keys, strict=True)):
            try:
                if self.state:
                    states[key], found[i] = self.plain(states.get(key, SimpleNamespace(**self.state)), *row)
                else:
                    found[i] = self.plain(*row)
            except (TypeError, ValueError, ArithmeticError):
                pass
        return found


CASES = {
    case.plain.__name__: case
    for case in (
        Case(ratio, ["x", "n"]),
        Case(collatz, ["n"]),
        Case(is_wild, ["x", "b"]),
        Case(limits, ["x", "n"]),
        Case(cusum, ["x"], {"up": 0.0}),
        Case(counted, ["n"], {"total": 1}),
        Case(toggled, ["b"], {"on": False}),
        Case(filled, ["x"], {"last": None}),
        Case(both, ["x", "n"], {"low": None, "seen": 0}),
        Case(graded, ["x", "n"]),
        Case(named, ["n", "w"]),
        Case(alarmed, ["x"], {"mode": "waiting for the first"}),
        Case(change, ["c"], is_loop=True),
    )
}
every_case = pytest.mark.parametrize("case", list(CASES.values()), ids=list(CASES))


def sample(*, wild: bool = True) -> pl.DataFrame:
    draw = random.Random(4)
    special = [None, float("nan"), float("inf"), -0.0, 0.0, 1e300] if wild else [None, 0.0, -0.0, 2.5]
    return pl.DataFrame(
        {
            "k": [draw.choice([1, 2, 3, None]) for _ in range(ROWS)],
            "x": [draw.choice([*special, *(draw.gauss(0, 5) for _ in range(9))]) for _ in range(ROWS)],
            "n": [draw.choice([None, 0, 1, 2, 3, 10**6, draw.randrange(-50, 50)]) for _ in range(ROWS)],
            "b": [draw.choice([None, True, False]) for _ in range(ROWS)],
            "c": [draw.gauss(0, 5) for _ in range(ROWS)],
            "w": [draw.choice([None, "some", "short", "one that is longer", "x"]) for _ in range(ROWS)],
        },
        schema={"k": pl.Int64, "x": pl.Float64, "n": pl.Int64, "b": pl.Boolean, "c": pl.Float64, "w": pl.String},
    )


FRAME = sample()
KEYS = FRAME["k"].to_list()


def bits(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: bits(item) for name, item in value.items()}
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value.hex()
    return value


def as_number(value: Any) -> Any:
    """A value of NumPy or pandas, where what is missing is NaN; a string as it is."""
    if isinstance(value, str):
        return value
    return bits(float("nan") if value is None else float(value))


def same(found: Sequence[Any], expected: Sequence[Any]) -> None:
    """Compare results; a struct whose fields are all null is None.  Numbers are in the type of their column."""
    assert len(found) == len(expected)
    names = next((list(value) for value in found if isinstance(value, dict)), None)
    kinds: dict[Any, type] = {}
    for name in names or [None]:
        values = [value[name] if name is not None and value is not None else value for value in found]
        kinds[name] = next((type(value) for value in values if value is not None), float)
    for at, (one, other) in enumerate(zip(found, expected, strict=True)):
        if names is None:
            wanted = None if other is None else kinds[None](other)
        else:
            fields = dict.fromkeys(names) if other is None else other
            one = dict.fromkeys(names) if one is None else one
            wanted = {name: None if fields[name] is None else kinds[name](fields[name]) for name in names}
        assert bits(one) == bits(wanted), f"row {at}"


def pieces(frame: pl.DataFrame) -> list[pl.DataFrame]:
    draw = random.Random(9)
    cuts = sorted(draw.randrange(frame.height) for _ in range(7))
    return [frame[low:high] for low, high in zip([0, *cuts], [*cuts, frame.height], strict=True)]


def stage_saved(call: hs.KernelExpr, tmp_path: Path) -> pl.DataFrame:
    stage = hs.Stage(call)
    found = []
    for number, piece in enumerate(pieces(FRAME)):
        seen = stage.peek(piece)
        found.append(stage.advance(piece))
        assert seen.equals(found[-1])
        if number % 2:
            stage.save(tmp_path / "state.arrow")
            stage = hs.Stage.load(tmp_path / "state.arrow", threads=number)
        else:
            stage = hs.Stage.from_bytes(stage.to_bytes())
    return pl.concat(found)


def stage_by_rows(call: hs.KernelExpr, tmp_path: Path) -> pl.DataFrame:
    stage = hs.Stage(call)
    stage.set_schema(FRAME)
    found = []
    for row in FRAME.iter_rows(named=True):
        seen = stage.peek_row(row)["y"]
        found.append(stage.advance_row(row)["y"])
        assert bits(seen) == bits(found[-1])
    return pl.DataFrame({"y": pl.Series(found, strict=False)})


def pyarrow_batch(call: hs.KernelExpr, tmp_path: Path) -> pl.DataFrame:
    table = FRAME.rechunk().to_arrow()
    batch = pa.RecordBatch.from_arrays([c.combine_chunks() for c in table.columns], names=table.schema.names)
    return pl.DataFrame(hs.with_columns(batch, call))


def lazy_source(call: hs.KernelExpr, tmp_path: Path) -> pl.DataFrame:
    FRAME.write_parquet(tmp_path / "in.parquet", row_group_size=20)
    return pl.scan_parquet(tmp_path / "in.parquet").hs.with_columns(call).collect()  # type: ignore[attr-defined]


def pipeline(call: hs.KernelExpr, tmp_path: Path) -> pl.DataFrame:
    FRAME.write_parquet(tmp_path / "in.parquet", row_group_size=20)
    hs.Pipeline(toml_of(call)).run(input=tmp_path / "in.parquet", output=tmp_path / "out.parquet")
    return pl.read_parquet(tmp_path / "out.parquet")


def toml_of(call: hs.KernelExpr) -> str:
    spec = call._kernel
    over = f"over = {json.dumps(list(spec.over))}\n" if spec.over else ""
    given = "".join(f"{name} = {json.dumps(value)}\n" for name, value in spec.parameters.items())
    return f'[[stage]]\n{over}[[stage.kernel]]\nname = "program"\nalias = "{spec.alias}"\n{given}'


Face = Callable[[Any, Path], Any]
FACES: dict[str, Face] = {
    "select": lambda call, _: FRAME.select(call),
    "with_columns": lambda call, _: FRAME.with_columns(call),
    "lazy": lambda call, _: FRAME.lazy().with_columns(call).collect(),
    "streaming": lambda call, _: FRAME.lazy().with_columns(call).collect(engine="streaming"),
    "hs.with_columns": lambda call, _: hs.with_columns(FRAME, call),
    "struct": lambda call, _: FRAME.select(hs.struct(call).struct.unnest()),
    "pyarrow table": lambda call, _: pl.DataFrame(hs.with_columns(FRAME.to_arrow(), call)),
    "pyarrow batch": pyarrow_batch,
    "one thread": lambda call, _: hs.Stage(call, threads=1).advance(FRAME),
    "two threads": lambda call, _: hs.Stage(call, threads=2).advance(FRAME),
    "saved": stage_saved,
    "rows": stage_by_rows,
    "lazy source": lazy_source,
    "pipeline": pipeline,
    "pickled": lambda call, _: FRAME.select(pickle.loads(pickle.dumps(call))),
}


@every_case
@pytest.mark.parametrize("face", list(FACES.values()), ids=list(FACES))
def test_one_sequence(case: Case, face: Face, tmp_path: Path) -> None:
    same(face(case.call(), tmp_path)["y"].to_list(), case.expected(FRAME))


@every_case
@pytest.mark.parametrize("face", list(FACES.values()), ids=list(FACES))
def test_by_key(case: Case, face: Face, tmp_path: Path) -> None:
    same(face(case.call(over="k"), tmp_path)["y"].to_list(), case.expected(FRAME, KEYS))


@every_case
def test_over_of_polars(case: Case) -> None:
    same(FRAME.select(case.call().over("k"))["y"].to_list(), case.expected(FRAME, KEYS))


@every_case
@pytest.mark.parametrize("by_key", [False, True])
def test_pandas_frames(case: Case, by_key: bool) -> None:
    frame = FRAME.fill_nan(None)
    over: Any = {"over": "k"} if by_key else {}
    pandas = pd.DataFrame({name: frame[name].to_list() for name in ("k", "x", "c", "w")}, index=range(5, 5 + ROWS))
    pandas = pandas.assign(n=pd.array(frame["n"].to_list(), "Int64"), b=pd.array(frame["b"].to_list(), "boolean"))
    found = hs.with_columns(pandas, case.call(**over))
    assert found.index.equals(pandas.index)
    expected = case.expected(frame, KEYS if by_key else None)
    for name in [column for column in found if str(column).startswith("y")]:
        part = str(name).partition(".")[2]
        wanted = [value if value is None or not part else value[part] for value in expected]
        values = [None if pd.isna(value) else value for value in found[name].tolist()]
        assert list(map(as_number, values)) == list(map(as_number, wanted))


@every_case
@pytest.mark.parametrize("source", ["csv", "parquet"])
def test_pipelines(case: Case, source: str, tmp_path: Path) -> None:
    frame = sample(wild=False).drop_nulls("k")
    path = tmp_path / f"in.{source}"
    frame.write_csv(path) if source == "csv" else frame.write_parquet(path)
    schema = (
        '[source]\nschema = { x = "f64", n = "i64", b = "bool", c = "f64", w = "string" }\n' if source == "csv" else ""
    )
    hs.Pipeline(schema + toml_of(case.call(over="k"))).run(input=path, output=tmp_path / "out.parquet")
    found = pl.read_parquet(tmp_path / "out.parquet")["y"].to_list()
    same(found, case.expected(frame, frame["k"].to_list()))


@every_case
def test_split_and_merge(case: Case) -> None:
    stage = hs.Stage(case.call(over="k"))
    first, second = FRAME[:100], FRAME[100:]
    stage.advance(first)
    low, high = stage.split([2])
    of_low = pl.col("k").is_null() | (pl.col("k") < 2)
    parts = [low.advance(second.with_row_index().filter(of_low)), high.advance(second.with_row_index().filter(~of_low))]
    found = pl.concat(parts).sort("index")["y"].to_list()
    expected = case.expected(FRAME, KEYS)
    same(found, expected[100:])
    low.merge(high)
    whole = stage.copy()
    whole.advance(second)
    assert low.advance(first)["y"].equals(whole.advance(first)["y"])


def test_several_functions_at_once() -> None:
    calls = {name: case.call(over="k").alias(name) for name, case in CASES.items()}
    for found in (hs.with_columns(FRAME, **calls), hs.Stage(list(calls.values())).advance(FRAME)):
        for name, case in CASES.items():
            same(found[name].to_list(), case.expected(FRAME, KEYS))


# Calls with data


@every_case
@pytest.mark.parametrize("by_key", [False, True])
def test_data_of_polars_and_arrow(case: Case, by_key: bool) -> None:
    series = [FRAME[name] for name in case.columns]
    expected = case.expected(FRAME, KEYS if by_key else None)
    found = case.compiled(*series, **({"over": FRAME["k"]} if by_key else {}))
    assert isinstance(found, pl.Series)
    assert found.name == case.columns[0]
    same(found.to_list(), expected)
    arrays = [column.to_arrow() for column in series]
    found = case.compiled(*arrays, **({"over": [FRAME["k"].to_arrow()]} if by_key else {}))
    assert isinstance(found, pa.Array)
    same(found.to_pylist(), expected)
    chunked = [pa.chunked_array([column[:50].to_arrow(), column[50:].to_arrow()]) for column in series]
    found = case.compiled(*chunked, **({"over": FRAME["k"].to_arrow()} if by_key else {}))
    assert isinstance(found, pa.ChunkedArray)
    same(found.to_pylist(), expected)


@every_case
def test_data_of_numpy_and_pandas(case: Case) -> None:
    frame = FRAME.drop_nulls()
    arrays = [frame[name].to_numpy() for name in case.columns]
    found = case.compiled(*arrays)
    expected = case.expected(frame)
    for part in getattr(found, "_fields", [None]):
        values = found if part is None else getattr(found, part)
        assert isinstance(values, np.ndarray)
        wanted = [v if v is None or part is None else v[part] for v in expected]
        assert list(map(as_number, values)) == list(map(as_number, wanted))
    index = pd.Index(range(7, 7 + frame.height), name="i")
    missing = frame.fill_nan(None)
    pandas = case.compiled(*(pd.Series(values, index, name="s") for values in arrays))
    assert pandas.index.equals(index)
    expected = case.expected(missing)
    for name in pandas.columns if isinstance(pandas, pd.DataFrame) else ["s"]:
        values = pandas[name] if isinstance(pandas, pd.DataFrame) else pandas
        wanted = [v if v is None or name == "s" else v[name] for v in expected]
        assert values.name == name
        assert list(map(as_number, values)) == list(map(as_number, wanted))


def test_what_is_missing_in_data() -> None:
    seen = hs.jit("lambda x: -1.0 if x is None else (0.0 if x != x else x)")
    values = [1.0, float("nan")]
    assert seen(np.array(values)).tolist() == [1.0, 0.0]
    assert seen(pl.Series(values)).to_list() == [1.0, 0.0]
    assert seen(pl.Series([1.0, None])).to_list() == [1.0, -1.0]
    assert seen(pd.Series(values)).tolist() == [1.0, -1.0]
    assert seen(pd.Series([1.0, None], dtype="Float64")).tolist() == [1.0, -1.0]
    assert np.isnan(hs.jit("lambda x: None if x > 1 else x")(np.array([1, 2]))).tolist() == [False, True]


def test_calls_with_arrays_are_told_apart() -> None:
    @hs.jit
    def mixed(a, b, c=1, d=2):
        return a - 10 * b + 100 * c - 1000 * d

    x, y, z = np.array([1.0, 2.0]), np.array([3.0, 5.0]), np.array([7.0, 11.0])

    def at(a: Any, b: Any, c: Any = 1, d: Any = 2) -> list[float]:
        return [float(v) for v in np.broadcast_to(a - 10 * b + 100 * c - 1000 * d, 2)]

    for _ in range(2):  # the second time from what was kept
        assert mixed(x, x).tolist() == at(x, x)
        assert mixed(x, y).tolist() == at(x, y)
        assert mixed(y, x).tolist() == at(y, x)
        assert mixed(x, y, z).tolist() == at(x, y, z)
        assert mixed(x, y, d=z).tolist() == at(x, y, d=z)
        assert mixed(x, d=z, b=y).tolist() == at(x, y, d=z)
        assert mixed(2, y).tolist() == at(2, y)
        assert mixed(x, 2).tolist() == at(x, 2)
        for c in (1, 1.0, True, 0.0, -0.0):
            assert mixed(x, y, c).tolist() == at(x, y, c)
    whole = np.array([1, 2])
    scaled = hs.jit("lambda x, c: x * c")
    assert [scaled(whole, c).dtype.kind for c in (1, 1.0, True, 1)] == ["i", "f", "i", "i"]
    assert np.signbit(scaled(x, -0.0)).all() and not np.signbit(scaled(x, 0.0)).any()  # noqa: PT018


def test_results_of_arrays_are_arrays_of_their_own() -> None:
    x = np.array([1.0, 2.0])
    same = hs.jit("lambda x: x")
    result = same(x)
    result[0] = 9.0
    assert x.tolist() == [1.0, 2.0]
    x.flags.writeable = False
    same(x)[0] = 9.0
    assert same(x).tolist() == [1.0, 2.0]
    assert same(x[::-1]).tolist() == [2.0, 1.0]
    assert same(x[:0]).tolist() == []
    assert same(np.array([math.nan, math.inf])).tolist()[1] == math.inf
    assert hs.jit("lambda x: x != x")(np.array([math.nan, 1.0])).tolist() == [True, False]
    with pytest.raises(ValueError, match="same length"):
        hs.jit("lambda x, y: x + y")(x, x[:1])


def test_layouts_and_types_of_arrays() -> None:
    double = hs.jit("lambda x: x * 2")
    grid = np.arange(12.0).reshape(6, 2)
    for values in (
        grid[:, 1],
        grid[::-1, 0],
        grid[:, 0].astype(">f8"),
        grid[:, 0].astype("f4"),
        grid[:, 0].astype("f2"),
    ):
        assert double(values).tolist() == (values * 2).tolist()
    for dtype in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"):
        assert double(np.array([1, 0], dtype)).tolist() == [2, 0]
    assert double(np.array([], "f8")).tolist() == []
    assert double(np.array(["2024-01-02"], "M8[D]")).tolist() == [2 * 19724 * 86_400_000]
    found = double(np.arange(3.0))
    found[0] = 7.0
    scaled = hs.jit("lambda x, k=3: x * k")
    assert scaled(np.array([1, 2])).tolist() == [3, 6]
    assert scaled(np.array([1, 2]), np.float64(0.5)).tolist() == [0.5, 1.0]
    assert scaled(pd.Series([1, 2], name="a"), np.array([4, 5])).tolist() == [4, 10]


def test_wrong_data() -> None:
    add = hs.jit("lambda a, b: a + b")
    one = np.ones(3)
    wrong: list[tuple[tuple[Any, ...], type[Exception], str]] = [
        ((one, np.ones(2)), ValueError, "'a' has 3 rows and 'b' 2"),
        ((one.reshape(3, 1), 1), ValueError, "'a' has 2 dimensions; a column has one"),
        ((np.array(["u"]), 1), TypeError, r"an operand is a string\nhelp: .* of strings: 'a'"),
        ((np.array([1, "u"], object), 1), TypeError, "'a' is an array of object"),
        ((np.array([None]), 1), TypeError, "'a' is an array of object"),
        ((np.ma.masked_array(one, one > 0), 1), TypeError, "'a' is a masked array"),
        ((pd.Series(one), pl.Series(one)), TypeError, "columns of one library, not of pandas and polars"),
        ((pd.Series(one), pd.Series(one, index=[1, 2, 3])), ValueError, "'b' has another index"),
        (("a", one), TypeError, "parameter 'b' takes a column .* or a number, not a ndarray"),
        ((one, [1.0]), TypeError, "parameter 'b' takes a column .* or a number, not a list"),
        ((pl.DataFrame({"a": one}), 1), TypeError, "not a DataFrame"),
        ((pa.table({"a": one}), 1), TypeError, "not a Table"),
        ((pl.Series(["u"]), 1), TypeError, r"an operand is a string\nhelp: .* of strings: 'a'"),
        ((one,), TypeError, "parameter 'b': required"),
    ]
    for arguments, error, message in wrong:
        with pytest.raises(error, match=message):
            add(*arguments)
    with pytest.raises(TypeError, match="with data, over takes data too, not 'k'"):
        add(one, one, over="k")
    with pytest.raises(ValueError, match="'over 0' 2"):
        add(one, one, over=np.ones(2))


def test_arrays_of_strings_are_keys() -> None:
    @hs.loop
    def total(x: Any) -> Any:
        out, level = [], 0.0
        for value in x:
            level += value
            out.append(level)
        return out

    values, words = np.array([1.0, 2.0, 4.0, 8.0]), ["a", "b", "a", None]
    for keys in (np.array(words, dtype=object), pd.Series(words).values, pd.Series(words).to_numpy()):
        found = total(values, over=keys)
        assert isinstance(found, np.ndarray)
        assert found.tolist() == [1.0, 2.0, 5.0, 8.0]
    assert total(values, over=np.array(["u", "v", "v", "u"])).tolist() == [1.0, 2.0, 6.0, 9.0]
    assert total(pd.array([1.0, 2.0, 4.0, 8.0]), over=pd.array(words)).tolist() == [1.0, 2.0, 5.0, 8.0]


# Rows on which Python raises


def inverted(state, x):
    total = state.total + 1 / x
    return hs.state(total=total), total


RAISING: Any = hs.scan(total=0.0, errors="raise")(inverted)
BAD = pl.DataFrame({"k": [1, 2, 2, 1], "x": [1.0, 2.0, 0.0, 0.0]})
GOOD = pl.DataFrame({"k": [1, 2], "x": [4.0, 4.0]})


def pipeline_of_bad(call: Any, folder: Path) -> None:
    BAD.write_csv(folder / "bad.csv")
    hs.Pipeline(toml_of(call)).run(input=folder / "bad.csv", output=folder / "out.csv")


RAISES: dict[str, Face] = {
    "select": lambda call, _: BAD.select(call),
    "streaming": lambda call, _: BAD.lazy().select(call).collect(engine="streaming"),
    "hs.with_columns": lambda call, _: hs.with_columns(BAD, call),
    "pandas": lambda call, _: hs.with_columns(pd.DataFrame(BAD.to_dict(as_series=False)), call),
    "pyarrow": lambda call, _: hs.with_columns(BAD.to_arrow(), call),
    "stage": lambda call, _: hs.Stage(call).advance(BAD),
    "peek": lambda call, _: hs.Stage(call).peek(BAD),
    "lazy source": lambda call, _: BAD.lazy().hs.with_columns(call).collect(),  # type: ignore[attr-defined]
    "pipeline": pipeline_of_bad,
}


@pytest.mark.parametrize("over", [None, "k"])
@pytest.mark.parametrize("face", list(RAISES.values()), ids=list(RAISES))
def test_the_first_bad_row_is_named(face: Face, over: str | None, tmp_path: Path) -> None:
    with pytest.raises((ValueError, pl.exceptions.ComputeError), match=r"row 2\b.*inverted.* raises in Python here"):
        face(RAISING("x", over=over).alias("y"), tmp_path)


def test_the_first_bad_row_of_data_is_named() -> None:
    for values in (BAD["x"], BAD["x"].to_numpy(), BAD["x"].to_arrow(), pd.Series(BAD["x"].to_list())):
        with pytest.raises(ValueError, match=r"row 2\b"):
            RAISING(values)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("over", [None, "k"])
def test_nothing_is_half_applied(over: str | None, threads: int) -> None:
    stage = hs.Stage([RAISING("x", over=over).alias("y"), hs.expanding_sum("x", over=over).alias("s")], threads=threads)
    stage.advance(GOOD)
    before = stage.to_bytes()
    for attempt in (stage.advance, stage.peek):
        with pytest.raises(ValueError, match=r"row 4\b"):
            attempt(BAD)
        assert stage.to_bytes() == before
    for step in (stage.advance_row, stage.peek_row):
        with pytest.raises(ValueError, match="raises in Python"):
            step({"k": 1, "x": 0.0})
        assert stage.to_bytes() == before
    again = hs.Stage.from_bytes(before)
    assert stage.advance(GOOD).equals(again.advance(GOOD))
    assert stage.n_rows == 4


# States and programs that do not fit


def test_a_state_of_another_program_is_refused(tmp_path: Path) -> None:
    one: Any = hs.scan(up=0.0)(cusum)
    other: Any = hs.scan(up=1.0)(cusum)
    stage = hs.Stage(one("x", over="k").alias("y"))
    stage.advance(FRAME)
    stage.save(tmp_path / "state.arrow")
    lazy: Any = FRAME.lazy()
    assert lazy.hs.with_columns(one("x", over="k").alias("y"), state=tmp_path / "state.arrow").collect().height == ROWS
    for call in (other("x", over="k"), one("c", over="k"), one("x", over="k", drift=0.5)):
        with pytest.raises(ValueError, match="the state cannot be used"):
            lazy.hs.with_columns(call.alias("y"), state=tmp_path / "state.arrow").collect()
        with pytest.raises(ValueError, match=r"cusum [0-9a-f]{8}.* instead of .*cusum [0-9a-f]{8}"):
            lazy.hs.with_columns(call.alias("y"), state=stage).collect()
        with pytest.raises(ValueError, match="cannot be merged"):
            stage.merge(hs.Stage(call.alias("y")))


def test_a_state_is_of_the_types_it_has_seen() -> None:
    stage = hs.Stage(hs.jit("lambda x: x + 1")("x").alias("y"))
    stage.advance(pl.DataFrame({"x": [1]}))
    with pytest.raises(TypeError, match="column 'x'"):
        stage.advance(pl.DataFrame({"x": [1.0]}))
    with pytest.raises(TypeError, match="column 'x'"):
        stage.advance_row({"x": "a"})


def spec_of(program: object, columns: Sequence[str] = ("x", "n")) -> str:
    text = program if isinstance(program, str) else json.dumps(program)
    return json.dumps({"name": "program", "columns": list(columns), "program": text, "alias": "y"})


def attempt(program: object, columns: Sequence[str]) -> str | None:
    """Return the error of a program through the checks and a run; `None` if it runs."""
    spec = spec_of(program, columns)
    try:
        hs._native.check(spec)
        hs._native.evaluate(FRAME[:20], [spec])
    except (ValueError, TypeError) as error:
        return str(error)
    return None


def damaged(draw: random.Random, part: Any) -> Any:
    """Return a program with one part at random deleted, doubled or replaced."""
    places: list[tuple[Any, Any]] = []

    def collect(node: Any) -> None:
        for key, item in node.items() if isinstance(node, dict) else enumerate(node):
            places.append((node, key))
            if isinstance(item, dict | list):
                collect(item)

    part = json.loads(json.dumps(part))
    collect(part)
    node, key = draw.choice(places)
    kind = draw.randrange(4)
    if kind == 0:
        del node[key]
    elif kind == 1 and isinstance(node, list):
        node.insert(key, node[key])
    elif kind == 2:
        other, place = draw.choice(places)
        node[key] = json.loads(json.dumps(other[place]))
    else:
        node[key] = draw.choice([None, True, -1, 2**64, 1.5, "x", "", [], {}, ["get", "x"], ["get"], ["break"], 10**30])
    return part


@every_case
def test_damaged_programs_give_errors(case: Case) -> None:
    draw = random.Random(case.plain.__name__)
    spec = case.call()._kernel
    program, columns = json.loads(spec.parameters["program"]), spec.parameters["columns"]
    assert attempt(program, columns) is None
    for _ in range(150):
        broken = damaged(draw, program)
        message = attempt(broken, columns)
        if message is None:
            continue
        assert hs._native.INTERNAL_ERROR not in message, (message, broken)
        names = ("parameter 'program'", "parameter 'columns'", f"{broken.get('name')}: ", f"{broken.get('name')}, ")
        assert any(name in message for name in names), (message, broken)
    text = spec.parameters["program"]
    for _ in range(40):
        low = draw.randrange(len(text))
        cut = text[:low] + text[low + draw.randrange(1, 9) :]
        message = attempt(cut, columns)
        assert message is None or hs._native.INTERNAL_ERROR not in message, (message, cut)


def nested(depth: int, kind: str) -> Any:
    node: Any = ["get", "x"]
    statements: list[Any] = [["return", [node], []]]
    for _ in range(depth):
        node = {"neg": ["neg", node], "and": ["and", [node]], "block": ["block", [["return", [node], []]]]}.get(kind)
        if kind == "if":
            statements = [["if", True, statements, []]]
    body = statements if kind == "if" else [["return", [node], []]]
    return {"name": "deep", "inputs": ["x"], "state": [], "outputs": [], "body": body}


def wide(**more: Any) -> Any:
    plain: dict[str, Any] = {"name": "f", "inputs": ["x"], "state": [], "outputs": []}
    return plain | {"body": [["return", [["get", "x"]], []]]} | more


LARGE: dict[str, Callable[[], Any]] = {
    "nested negations": lambda: nested(50_000, "neg"),
    "nested and": lambda: nested(50_000, "and"),
    "nested blocks": lambda: nested(50_000, "block"),
    "nested if": lambda: nested(50_000, "if"),
    "many statements": lambda: wide(body=[["set", "y", ["get", "x"]]] * 200_000 + wide()["body"]),
    "many rounds": lambda: wide(body=[["for", "i", list(range(100_000)), [["set", "y", 1]]], *wide()["body"]]),
    "growing product": lambda: wide(
        body=[*[["set", "x", ["*", ["get", "x"], ["get", "x"]]] for _ in range(5_000)], *wide()["body"]]
    ),
    "many branches": lambda: wide(
        body=[
            *[["if", ["compare", ["get", "x"], [[">", i]]], [["return", [i], []]], []] for i in range(500)],
            *wide()["body"],
        ]
    ),
    "an endless loop": lambda: wide(body=[["while", True, []], *wide()["body"]]),
    "many fields": lambda: wide(
        state=[[f"s{i}", 0] for i in range(20_000)],
        body=[["return", [["get", "x"]], [["field", f"s{i}"] for i in range(20_000)]]],
    ),
    "many outputs": lambda: wide(
        outputs=[f"o{i}" for i in range(1_000)], body=[["return", [["get", "x"]] * 1_000, []]]
    ),
    "wide minimum": lambda: wide(body=[["return", [["call", "min", [["get", "x"]] * 100_000]], []]]),
}


def dumped(program: Any) -> str:
    """Return JSON of any depth: Python's own writer recurses."""
    parts: list[str] = []
    stack: list[Any] = [program]
    while stack:
        node = stack.pop()
        if isinstance(node, _Raw):
            parts.append(node.text)
        elif isinstance(node, list):
            stack.append(_Raw("]"))
            for at, item in reversed(list(enumerate(node))):
                stack.append(item)
                if at:
                    stack.append(_Raw(","))
            stack.append(_Raw("["))
        elif isinstance(node, dict):
            stack.append(_Raw("}"))
            for at, (key, item) in reversed(list(enumerate(node.items()))):
                stack += [item, _Raw(f"{',' if at else ''}{json.dumps(key)}:")]
            stack.append(_Raw("{"))
        else:
            parts.append(json.dumps(node))
    return "".join(parts)


@dataclass(frozen=True)
class _Raw:
    text: str


@pytest.mark.parametrize("make", list(LARGE.values()), ids=list(LARGE))
def test_large_programs(make: Callable[[], Any]) -> None:
    text = dumped(make())
    message = attempt(text, ["x"])
    if message is not None:
        assert hs._native.INTERNAL_ERROR not in message
        assert "parameter 'program'" in message or message.startswith("f: "), message[:300]


def test_rounds_without_statements_are_bounded() -> None:
    empty: Any = []
    for name in "ijk":
        empty = [["for", name, [0] * 120, empty]]
    message = attempt(wide(body=[*empty, *wide()["body"]]), ["x"])
    assert message is not None, "1.7 million rounds are written out"


def test_damaged_programs_in_a_pipeline(tmp_path: Path) -> None:
    FRAME[["x"]].write_parquet(tmp_path / "in.parquet")
    good = toml_of(hs.jit("lambda x: x + 1.5")("x").alias("y"))
    where = {"input": tmp_path / "in.parquet", "output": tmp_path / "out.parquet"}
    assert "y" in hs.Pipeline(good).check(**where)
    wrong = {
        good.replace("float", "flout"): "parameter 'program': .*flout",
        good.replace('\\"body\\"', '\\"boddy\\"'): "parameter 'program': a program has no part 'boddy'",
        good.replace('columns = ["x"]', 'columns = ["x", "x"]'): "1 parameters, and 2 columns",
        good.replace('columns = ["x"]', 'columns = ["z"]'): "column 'z'",
        good.replace("program = ", "programme = "): "parameter 'programme': unknown parameter",
        good.split("program = ")[0]: "parameter 'program'",
        good.split("program = ")[0] + "program = 1\n": "parameter 'program'",
        good.split("program = ")[0] + 'program = ""\n': "parameter 'program'",
        good.replace('errors = "null"', 'errors = "ieee"'): "parameter 'errors'",
    }
    for toml, message in wrong.items():
        with pytest.raises((ValueError, TypeError, hs.ColumnNotFoundError), match=message):
            hs.Pipeline(toml).run(**where)


# Column types


@pytest.mark.parametrize(
    "dtype",
    [pl.Float32, pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Boolean],
    ids=str,
)
def test_types_of_numbers(dtype: Any) -> None:
    column = pl.Series("x", [1, 0, None, 1]).cast(dtype)
    call = hs.jit("lambda x: -1 if x is None else x * 3 - 1")("x")
    expected = [-1 if x is None else x * 3 - 1 for x in column.to_list()]
    frame = column.to_frame()
    for found in (frame.select(call)["x"], hs.Stage(call.alias("y")).advance(frame)["y"]):
        assert found.to_list() == expected
        assert found.dtype == (pl.Float64 if dtype == pl.Float32 else pl.Int64)
    if dtype == pl.Float32:
        exact = pl.Series("x", [0.1], dtype=pl.Float32)
        assert exact.to_frame().select(call).item() == exact.item() * 3 - 1


def test_integers_beyond_64_bits() -> None:
    frame = pl.DataFrame({"x": [2**63 - 1, 2**63, 2**64 - 1, None]}, schema={"x": pl.UInt64})
    same_value = hs.jit("lambda x: 0 if x is None else x")
    assert frame.select(same_value("x"))["x"].to_list() == [2**63 - 1, None, None, 0]
    with pytest.raises(ValueError, match=r"row 1\b"):
        hs.with_columns(frame, hs.jit("lambda x: 0 if x is None else x", errors="raise")("x").alias("y"))
    assert frame.select(hs.jit("lambda x: x + 1")("x"))["x"].to_list() == [None] * 4


def test_times_are_of_the_type_of_their_column() -> None:
    at = datetime(2024, 1, 2, 3)
    same_value = hs.jit("lambda x: x")
    cases = [
        pl.Series([date(2024, 1, 2)]),
        pl.Series([at], dtype=pl.Datetime("us")),
        pl.Series([at], dtype=pl.Datetime("ns")),
        pl.Series([at], dtype=pl.Datetime("ms", "UTC")),
        pl.Series([at], dtype=pl.Datetime("us", "Europe/Berlin")),
        pl.Series([timedelta(seconds=5)], dtype=pl.Duration("ms")),
    ]
    for series in cases:
        assert_series_equal(same_value(series), series)
        stage = hs.Stage(same_value("t").alias("y"))
        assert_series_equal(stage.advance(series.alias("t").to_frame())["y"], series.alias("y"))
        assert stage.advance_row({"t": series.item()}) == {"y": series.item()}


def test_times_of_day_are_integers() -> None:
    assert hs.jit("lambda x: x")(pl.Series([datetime(2024, 1, 2, 3).time()])).to_list() == [3 * 3600 * 10**9]


def never_set(state, i):
    return hs.state(last=state.last, level=state.last or 1.5), state.level + i


def never_seen(state, i):
    return hs.state(seen=None), ((8 if state.seen is None else state.seen) >> 3) + i


@pytest.mark.parametrize(
    ("plain", "state", "expected"),
    [
        (never_set, {"last": None, "level": 0.5}, [2.5, None, 4.5]),
        (never_seen, {"seen": None}, [3, None, 4]),
    ],
)
def test_a_field_that_is_always_none(plain: Any, state: dict[str, Any], expected: list[Any]) -> None:
    for values in ([2, None, 3], [2, 9, 3]):
        found = Case(plain, ["i"], state).call()
        with_nulls = pl.DataFrame({"i": values}, schema={"i": pl.Int64}).select(found)["y"].to_list()
        assert [with_nulls[0], with_nulls[2]] == [expected[0], expected[2]]
        assert (with_nulls[1] is None) == (values[1] is None)


@pytest.mark.parametrize("function", [lambda x: round(x, 2), abs])
def test_what_a_builtin_makes_of_none_has_no_type(function: Any) -> None:
    def seen(state, i):
        before = None if state.seen is None else i
        shift = 0 if state.seen is None else state.seen
        return hs.state(seen=function(before) if i > 5 else None), i >> shift

    found = Case(seen, ["i"], {"seen": None}).call()
    # Python raises in the second row, so the row is null and changes nothing.
    assert pl.DataFrame({"i": [2, 9, 3]}).select(found)["y"].to_list() == [2, None, 3]


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (pl.Series([1], dtype=pl.Decimal(10, 2)), "Decimal"),
        (pl.Series([[1]]), "list|List"),
        (pl.Series([{"a": 1}]), "Struct"),
        (pl.Series([b"a"]), "binary"),
    ],
    ids=str,
)
def test_refused_types(column: pl.Series, found: str) -> None:
    frame = column.alias("x").to_frame()
    call = hs.jit("lambda x: x")("x").alias("y")
    message = f"column 'x': expected a number, a boolean, a date, a time or a string, got .*({found})"
    with pytest.raises(pl.exceptions.ComputeError, match=message):
        frame.select(call)
    with pytest.raises(TypeError, match=message):
        hs.with_columns(frame, call)
    stage = hs.Stage(call)
    with pytest.raises(TypeError, match=message):
        stage.advance(frame)
    assert stage.advance(pl.DataFrame({"x": [1]}))["y"].to_list() == [1]


def test_a_column_of_nulls() -> None:
    frame = pl.DataFrame({"x": [None, None]})
    assert frame.select(hs.jit("lambda x: x is None")("x"))["x"].to_list() == [True, True]
    assert hs.with_columns(frame, hs.jit("lambda x: x")("x").alias("y"))["y"].to_list() == [None, None]


# Names, reprs, pickles


def test_expressions_travel_to_other_processes() -> None:
    step: Any = hs.scan(up=0.0)(cusum)
    pickled = pickle.dumps(step("x"))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(_spawned(), (pickled, [1.0, 2.0]))
    assert found == [0.75, 2.5]


def _spawned() -> Callable[..., Any]:
    """Return a function that a new process can import: tests are not modules there."""
    from functions_elsewhere import selected

    return selected


def test_pickles() -> None:
    for name, case in CASES.items():
        function = pickle.loads(pickle.dumps(case.compiled))
        assert repr(function) == repr(case.compiled)
        same(FRAME.select(function(*case.columns))[case.columns[0]].to_list(), case.expected(FRAME))
        call = pickle.loads(pickle.dumps(case.call(over="k")))
        assert isinstance(call, hs.KernelExpr), name
        same(hs.with_columns(FRAME, call)["y"].to_list(), case.expected(FRAME, KEYS))
    stage = hs.Stage(CASES["both"].call(over="k"))
    stage.advance(FRAME)
    assert pickle.loads(pickle.dumps(stage)).advance(FRAME).equals(stage.advance(FRAME))
    assert pickle.loads(pickle.dumps(hs.jit(errors="raise"))).errors == "raise"


def test_no_program_is_shown() -> None:
    step: Any = hs.scan(up=0.0)(cusum)
    call = step("x", over="k")
    lazy: Any = FRAME.lazy()
    shown = [repr(call), str(call), call._repr_html_(), repr(step), repr(hs.Stage(call)), lazy.select(call).explain()]
    shown.append(lazy.hs.with_columns(call.alias("y")).explain())
    assert not [text for text in shown if "body" in text or "inputs" in text]
    assert repr(hs.Stage(call)).startswith("Stage(x=cusum(\"x\"), over=['k'], ")
    with pytest.raises(ValueError, match="cusum and cusum have the same output name 'x'"):
        hs.Stage([call, step("x", over="k", drift=0.1)])


def test_no_program_is_shown_by_rust() -> None:
    step: Any = hs.scan(up=0.0)(cusum)
    stage = hs.Stage(step("x", over="k"))
    with pytest.raises(ValueError, match="cannot be merged") as caught:
        stage.merge(hs.Stage(step("x", over="k", drift=0.1)))
    assert "body" not in str(caught.value)
