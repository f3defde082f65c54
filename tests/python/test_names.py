"""Names that do not exist: each error says which name was meant, in every interface."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hypostyle as hs
from data import ROOT
from hypostyle._counterparts import NO_PARAMETERS, PARAMETERS, SECTIONS, Counterpart, by_key, counterparts
from hypostyle._spec import CATALOG
from kernels_under_test import NAMES

X: Any = pl.col("x")
XS: Any = X.hs
ANY: Any = hs

CALLS: list[tuple[Callable[[], object], str]] = [
    (
        lambda: ANY.rolling_mean("x", window_size=3),
        "rolling_mean, parameter 'window_size': .*\nhelp: did you mean 'window'",
    ),
    (lambda: ANY.rolling_mean("x", 3, min_periods=1), "'min_periods': unknown .*\nhelp: did you mean 'min_samples'"),
    (lambda: ANY.rolling_mean("x", windw=3), "'windw': unknown parameter\nhelp: did you mean 'window'"),
    (lambda: ANY.rolling_mean("x", 3, on="t"), "'on': unknown parameter\nhelp: did you mean 'by'"),
    (lambda: ANY.rolling_mean("x", 3, partition_by="k"), "'partition_by': .*\nhelp: did you mean 'over'"),
    (lambda: ANY.rolling_mean("x", 3, weights=[1, 2, 3]), "'weights': .*\nhelp: .*hs.rolling_fir_mean"),
    (
        lambda: ANY.rolling_mean("x", 3, shade=1),
        "'shade': unknown parameter\nhelp: the parameters are column, window, ",
    ),
    (lambda: ANY.ewm_mean("x", halflife=3), "ewm_mean, parameter 'halflife': .*\nhelp: did you mean 'half_life'"),
    (lambda: ANY.ewm_mean("x", span=3, times="t"), "'times': .*\nhelp: did you mean 'by'"),
    (lambda: ANY.rolling_mean("x"), "rolling_mean, parameter 'window': required.*\nhelp: window= is the window size"),
    (lambda: ANY.rolling_mean(), "rolling_mean, parameter 'column': required"),
    (
        lambda: ANY.rolling_mean("x", 3, 2),
        "takes column and window by position, got 3 values\nhelp: name the others: by=",
    ),
    (lambda: ANY.rolling_mean("x", 3, window=4), "parameter 'window': given twice"),
    (lambda: XS.rolling_mean(window_size=3), "rolling_mean, parameter 'window_size': .*\nhelp: did you mean 'window'"),
    (lambda: XS.rolling_mean("x", 3), "takes window by position, got 2 values\nhelp: the expression is the column; "),
    (lambda: XS.rolling_mean(), "rolling_mean, parameter 'window': required"),
    (
        lambda: ANY.Stage(hs.expanding_mean("x"), time="t"),
        "Stage, parameter 'time': .*\nhelp: did you mean 'time_column'",
    ),
    (lambda: ANY.Stage(), "Stage, parameter 'exprs': required"),
    (
        lambda: ANY.Stage(hs.expanding_mean("x")).evict(idle="1h"),
        "Stage.evict, parameter 'idle': .*\nhelp: .*'idle_for'",
    ),
    (lambda: ANY.Pipeline("").run(memory=1), "Pipeline.run, parameter 'memory': .*\nhelp: did you mean 'memory_limit'"),
    (lambda: ANY.jit("lambda x, drift: x + drift")("x", drif=1), "parameter 'drif': .*\nhelp: did you mean 'drift'"),
]


@pytest.mark.parametrize(("call", "message"), CALLS, ids=[message[:50] for _, message in CALLS])
def test_calls_that_do_not_fit(call: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        call()
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_two_of_one_choice() -> None:
    with pytest.raises(
        ValueError, match="exactly one of com, span, half_life and alpha is required, got 2\nhelp: set one"
    ):
        hs.ewm_mean("x", span=3, alpha=0.5)
    with pytest.raises(ValueError, match=r"parameter 'by': needs .*\nhelp: .*; key columns are named in `over`"):
        hs.ewm_mean("x", span=3, by="key")


def test_errors_inside_a_function_are_its_own() -> None:
    with pytest.raises(TypeError, match="rolling_mean, parameter 'window': expected a number of rows"):
        ANY.rolling_mean("x", 2.5)


ATTRIBUTES: list[tuple[Any, str, str]] = [
    (hs, "roling_mean", "did you mean hs.rolling_mean?"),
    (hs, "cumsum", 'use hs.cum_sum("x")'),
    (hs, "lag", 'use hs.shift("x", 1)'),
    (hs, "SMA", 'use hs.rolling_mean("x", 20)'),
    (hs, "backward_fill", 'use hs.bfill("x")'),
    (hs, "cumcount", 'use hs.expanding_count("t", over="key") - 1'),
    (hs, "rolling_apply", "@hs.rolling"),
    (hs, "hampel", "did you mean hs.rolling_hampel or hs.expanding_hampel?"),
    (hs, "move_std", "hs.rolling_std"),
    (hs, "fourier", "hs.kernels()"),
    (hs, "stage", "did you mean hs.Stage?"),
    (XS, "rolling_maen", "did you mean pl.col(...).hs.rolling_mean?"),
    (XS, "row_dot", "call the function, hs.row_dot(...)"),
    (XS, "cumsum", 'use hs.cum_sum("x")'),
    (pl.LazyFrame({"x": [1.0]}).hs, "with_column", "did you mean lf.hs.with_columns?"),  # type: ignore[attr-defined]
    (pl.LazyFrame({"x": [1.0]}).hs, "rolling_mean", "lf.hs.with_columns(hs.rolling_mean("),  # type: ignore[attr-defined]
]


@pytest.mark.parametrize(("owner", "name", "words"), ATTRIBUTES, ids=[name for _, name, _ in ATTRIBUTES])
def test_attributes_that_do_not_exist(owner: Any, name: str, words: str) -> None:
    assert not hasattr(owner, name)
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'\nhelp: .*{re.escape(words)}"):
        getattr(owner, name)
    assert name not in dir(owner)


def test_python_suggests_nothing_besides() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import hypostyle as hs; hs.roling_mean"], capture_output=True, text=True, check=False
    )
    assert done.stderr.count("id you mean") == 1, done.stderr


def test_imports_work_as_ever() -> None:
    with pytest.raises(ImportError):
        exec("from hypostyle import roling_mean")
    exec("from hypostyle import _native, _stage, Stage")
    assert getattr(hs, "roling_mean", None) is None
    assert not hasattr(hs, "__wrapped__")
    assert copy.copy(XS).rolling_mean(3).meta.eq(XS.rolling_mean(3))
    for name in NAMES:
        assert pickle.loads(pickle.dumps(getattr(hs, name))) is getattr(hs, name)
        assert "kwargs" not in inspect.signature(getattr(hs, name)).parameters


@pytest.mark.parametrize("name", ["cumsum", "roling_mean", "STDDEV", "fourier"])
def test_the_command_knows_the_same_names(name: str) -> None:
    for start in (["-c", "from hypostyle_cli import main; main()"], ["-m", "hypostyle"]):
        command = [sys.executable, *start, "kernels", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: unknown kernel '{name}'\nhelp: "), done.stderr
        with pytest.raises(AttributeError) as caught:
            getattr(hs, name)
        assert done.stderr.split("help: ")[1].strip() == str(caught.value).split("help: ")[1].replace(
            "you mean hs.", "you mean "
        )


# The list

START = datetime(2024, 1, 2, 9)
ROWS = 60
DATA = {
    "x": [float(i * 7 % 11) for i in range(ROWS)],
    "y": [float(i * i % 13) for i in range(ROWS)],
    "w": [1.0 + i % 3 for i in range(ROWS)],
    "t": [START + timedelta(minutes=i + 40 * (i // 25)) for i in range(ROWS)],
    "key": [i % 2 for i in range(ROWS)],
}
FRAME = pl.DataFrame(DATA)

OTHER: dict[str, str] = {
    "rolling(20).apply(np.argmax)": "counts from the window start",
    "cumsum().clip(0, 5)": "clips what is shown only",
    "cum_sum().clip(0, 5)": "clips what is shown only",
    'ewm(halflife="1h", times=t).mean()': "adjusts",
    "scipy.signal.lfilter([1], [1, -0.9], x)": "needs scipy",
    'rolling(20, win_type="hann").mean()': "needs scipy",
    "RollingOLS(y, X, 20)": "needs statsmodels",
}
"""Names whose results are not compared, and why."""

WITH_CODE = [counterpart for counterpart in counterparts() if counterpart.use]


def result(code: str) -> np.ndarray[Any, Any]:
    expression = eval(code, {"hs": hs, "pl": pl})
    column = FRAME.select(expression).to_series()
    column = column.struct.unnest().to_series(-1) if column.dtype == pl.Struct else column
    return column.cast(pl.Float64).to_numpy()


@pytest.mark.parametrize("counterpart", WITH_CODE, ids=[c.use for c in WITH_CODE])
def test_every_entry_runs(counterpart: Counterpart) -> None:
    found = result(counterpart.use)
    assert len(found) == ROWS
    assert np.isfinite(found).any()
    for kernel in re.findall(r"hs\.(\w+)", counterpart.use):
        assert kernel in CATALOG, f"{kernel} is not a kernel"


@pytest.mark.parametrize("counterpart", WITH_CODE, ids=[c.use for c in WITH_CODE])
def test_the_names_do_the_same(counterpart: Counterpart) -> None:
    """What pandas and Polars compute by the names, where both have a result."""
    expected = result(counterpart.use)
    in_pandas, in_polars, _, _ = counterpart.by_library
    for name in in_pandas:
        if name not in OTHER:
            compare(np.asarray(in_pandas_of(name), dtype="f8"), expected, name)
    for name in in_polars:
        if name not in OTHER:
            compare(result(name if name.startswith(("pl.", "(")) else f'pl.col("x").{name}'), expected, name)


def in_pandas_of(name: str) -> Any:
    series = {column: pd.Series(values, index=DATA["t"]) for column, values in DATA.items()}
    code = name if name.startswith(("(", "np.")) else f"x.{name}"
    return eval(code, {"np": np, "pd": pd, **series})


def compare(found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], name: str) -> None:
    both = np.isfinite(found) & np.isfinite(expected)
    assert both.sum() > 10, name
    np.testing.assert_allclose(found[both], expected[both], rtol=1e-9, atol=1e-9, err_msg=name)


def test_kernels_in_texts_exist() -> None:
    public = set(hs.__all__)
    texts = [*NO_PARAMETERS.values(), *(counterpart.note for counterpart in counterparts())]
    for text in texts:
        assert set(re.findall(r"hs\.(\w+)", text)) <= public, text
    parameters = {p["name"] for kernel in CATALOG.values() for p in kernel["parameters"]} | {"over"}
    for function in (hs.Stage, hs.Stage.evict):
        parameters |= set(inspect.signature(function).parameters)
    assert set(PARAMETERS) <= parameters


def test_the_entries_are_found() -> None:
    assert {"sma", "stddev", "rolling_mean", "shift", "lag", "cumcount", "ewm_std", "row_number"} <= set(by_key())
    page = (ROOT / "docs" / "other-names.md").read_text()
    for title in SECTIONS:
        assert f"## {title}\n" in page
