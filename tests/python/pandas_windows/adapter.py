"""pandas' window methods, answered by Hypostyle.

A method is answered column by column: pandas' machinery picks the columns and builds the index, and what it would hand
to its own compiled loops goes to a Hypostyle kernel as it stands, infinities and types of its own included. Calls for
what Hypostyle does not have pass on to pandas; `BEYOND` lists them.
"""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.indexers import BaseIndexer
from pandas.core.window.ewm import ExponentialMovingWindow
from pandas.core.window.expanding import Expanding
from pandas.core.window.rolling import Rolling

import hypostyle as hs

Given = dict[str, Any]

# pandas' methods: the parameters that a kernel shares with each, under pandas' name and the kernel's.
METHODS: dict[str, dict[str, str]] = {
    "count": {},
    "sum": {},
    "mean": {},
    "median": {},
    "var": {"ddof": "ddof"},
    "std": {"ddof": "ddof"},
    "sem": {"ddof": "ddof"},
    "min": {},
    "max": {},
    "skew": {},
    "kurt": {},
    "quantile": {"q": "quantile", "interpolation": "interpolation"},
    "rank": {"method": "method", "pct": "pct"},
    "nunique": {},
    "first": {},
    "last": {},
    "corr": {},
    "cov": {"ddof": "ddof"},
}
PAIRS = ("corr", "cov")
FAMILIES: dict[str, tuple[type, list[str]]] = {
    "rolling": (Rolling, list(METHODS)),
    "expanding": (Expanding, list(METHODS)),
    "ewm": (ExponentialMovingWindow, ["mean"]),
}
KERNELS = [f"{family}_{method}" for family, (_, methods) in FAMILIES.items() for method in methods]
INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")

# What passes on to pandas, by reason.
BEYOND: list[tuple[str, Callable[[Any, Given], bool]]] = [
    (
        "another engine",
        lambda window, given: (
            given.get("engine") not in (None, "cython")
            or given.get("engine_kwargs") is not None
            or pd.get_option("compute.use_numba")
            or window.method == "table"
        ),
    ),
    ("step of pairs, of 0, or over time", lambda window, given: no_step(window, given)),
    ("windows by an indexer", lambda window, given: isinstance(window.window, BaseIndexer)),
    ("window of 0 rows", lambda window, given: isinstance(window, Rolling) and window.window == 0),
    ("centred window of time", lambda window, given: spans_time(window) and window.center),
    ("part of a period", lambda window, given: spans_time(window) and window._win_freq_i8 % 1 != 0),
    ("no time in an empty frame", lambda window, given: spans_time(window) and window._index_array is None),
    ("decreasing time", lambda window, given: spans_time(window) and decreases(window)),
    ("weights by time", lambda window, given: vars(window).get("times") is not None),
    ("centred rank", lambda window, given: "pct" in given and window.center),
    ("descending rank", lambda window, given: not given.get("ascending", True)),
    (
        "a quantile that is none",
        lambda window, given: "q" in given and not (isinstance(given["q"], (int, float)) and 0 <= given["q"] <= 1),
    ),
    (
        "an unknown interpolation",
        lambda window, given: given.get("interpolation", "linear") not in INTERPOLATIONS,
    ),
    (
        "a longer partner",
        lambda window, given: hasattr(given.get("other"), "index") and len(given["other"]) > len(window._on),
    ),
]


@dataclass
class Calls:
    """What became of the calls, and how answers are given."""

    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    passed_on: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Whether answers of other types are turned into float64, the only type that pandas answers with; and how often.
    as_float64: bool = False
    turned: int = 0
    # Whether every number is made wrong, to see which tests notice.
    spoilt: bool = False


def install(calls: Calls, patch: Callable[[type, str, Any], None] = setattr) -> None:
    """Let Hypostyle answer pandas' window methods from here on."""
    for family, (owner, methods) in FAMILIES.items():
        # Some are newer than the oldest pandas that Hypostyle works with.
        for method in [method for method in methods if hasattr(owner, method)]:
            patch(owner, method, answered(family, method, getattr(owner, method), calls))


def answered(family: str, method: str, own: Any, calls: Calls) -> Any:
    kernel = f"{family}_{method}"
    signature = inspect.signature(own)

    @functools.wraps(own)
    def call(window: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(window, *args, **kwargs)
        except TypeError:
            return own(window, *args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        for reason, holds in BEYOND:
            if holds(window, given):
                calls.passed_on[kernel, reason] += 1
                return own(window, *args, **kwargs)
        try:
            result = answer(window, family, method, given, calls)
        except Exception:
            calls.refused[kernel] += 1
            raise
        calls.answered[kernel] += 1
        return result

    return call


def answer(window: Any, family: str, method: str, given: Given, calls: Calls) -> Any:
    parameters = bounds(window, family) | {theirs: given[name] for name, theirs in METHODS[method].items()}
    if method == "rank":
        parameters.pop("center", None)
    kernel = functools.partial(getattr(hs, f"{family}_{method}"), **parameters)
    window._validate_numeric_only(method, given["numeric_only"])

    if method in PAIRS:

        def pair(x: Any, y: Any) -> Any:
            answers = compute(window, kernel(x="x", y="y"), {"x": x.array, "y": y.array}, calls)
            return pd.Series(answers, index=x.index, name=x.name)

        return window._apply_pairwise(
            window._selected_obj, given["other"], given["pairwise"], pair, given["numeric_only"]
        )

    # pandas prepares each column by making it float64 and its infinities NaN; the kernel takes it as it is.
    window._prep_values = lambda values: compute(window, kernel(column="x"), {"x": values}, calls)
    try:
        # Under the name "count" pandas would replace the values by whether they are there.
        return window._apply(
            lambda answers, *_: answers[:: window.step or 1], f"hypostyle {method}", given["numeric_only"]
        )
    finally:
        del window._prep_values


def bounds(window: Any, family: str) -> dict[str, Any]:
    """The kernel's parameters for the windows of a pandas object."""
    given: dict[str, Any] = {"over": "key"} if grouped(window) else {}
    if window.min_periods is not None:
        given["min_samples"] = int(window.min_periods)
    if family == "ewm":
        return given | {"com": window._com, "adjust": window.adjust, "ignore_nulls": window.ignore_na}
    if family == "expanding":
        return given
    given |= {"closed": window.closed or "right", "center": bool(window.center)}
    if not spans_time(window):
        return given | {"window": int(window.window), "step": window.step or 1}
    unit = window._on.unit if isinstance(window._on, pd.DatetimeIndex) else "i"
    return given | {"window": f"{int(window._win_freq_i8)}{unit}", "by": "time"}


def compute(window: Any, kernel: hs.KernelExpr, columns: dict[str, Any], calls: Calls) -> Any:
    """A kernel's answers on columns whose rows are in pandas' order: group after group."""
    frame = pd.DataFrame(columns)
    order = np.arange(len(frame))
    if grouped(window):
        groups = list(window._grouper.indices.values())
        order = np.concatenate(groups) if groups else order
        frame["key"] = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    if spans_time(window):
        times = window._on if isinstance(window._on, pd.DatetimeIndex) else pd.Index(window._index_array)
        frame["time"] = times.take(order)
    # The kernel gets the rows of all keys as they lie in the frame.
    back = np.argsort(order, kind="stable")
    answers = hs.with_columns(frame.take(back), kernel.alias("answer"))["answer"].take(np.argsort(back))
    if calls.spoilt and pd.api.types.is_numeric_dtype(answers):
        answers = answers + 1
    nullable = isinstance(answers.array, pd.arrays.IntegerArray | pd.arrays.BooleanArray)
    if nullable and not any(hasattr(dtype, "numpy_dtype") for dtype in frame.dtypes):
        return answers.to_numpy(dtype="f8", na_value=np.nan)  # integers with nulls, which pandas has as floats
    if calls.as_float64 and answers.dtype != np.float64:
        calls.turned += 1
        return answers.to_numpy(dtype="f8", na_value=np.nan)
    return answers.array


def grouped(window: Any) -> bool:
    return "_grouper" in vars(window)


def no_step(window: Any, given: Given) -> bool:
    """Whether a step is given where pandas takes none."""
    return window.step == 0 or (window.step is not None and ("other" in given or spans_time(window)))


def spans_time(window: Any) -> bool:
    return window._win_freq_i8 is not None


def decreases(window: Any) -> bool:
    """Whether time goes backwards in some group; pandas takes that where it does so throughout."""
    groups = window._grouper.indices.values() if grouped(window) else [slice(None)]
    return any((np.diff(window._index_array[group]) < 0).any() for group in groups)
