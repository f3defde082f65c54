"""Who else computes the exponentially weighted kernels: pandas, and the weights by their definition where it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from oracle import Oracle
from reference import Arrays, Case, duration

PACE = ("com", "span", "half_life", "alpha")


def exponential(statistic: str) -> Callable[[pd.DataFrame, Case], Any]:
    """pandas' `ewm`, or the weights by their definition."""

    def compute(frame: pd.DataFrame, case: Case) -> Any:
        if "by" in case or isinstance(case.get("alpha"), str):
            return by_definition(statistic, frame, case)
        given = {"halflife" if name == "half_life" else name: case[name] for name in PACE if name in case}
        columns = [frame[case[name]].astype("f8") for name in ("column", "x", "y") if name in case]
        valid = np.logical_and.reduce([column.notna() for column in columns])
        first = (
            columns[0]
            .where(valid)
            .ewm(
                **given,
                adjust=case.get("adjust", True),
                ignore_na=case.get("ignore_nulls", False),
                min_periods=case.get("min_samples", 1),
            )
        )
        bias = {"bias": True} if case.get("bias") else {}
        match statistic:
            case "zscore":
                return ((columns[0] - first.mean()) / spread(first.std(**bias))).to_numpy()
            case "cov":
                return first.cov(columns[1].where(valid), **bias).to_numpy()
            case "corr":
                return first.corr(columns[1].where(valid)).where(spread(first.var()).notna()).to_numpy()
            case "beta":
                return (first.cov(columns[1].where(valid)) / spread(first.var())).to_numpy()
            case "mean" | "sum":
                return getattr(first, statistic)().to_numpy()
            case _:
                return getattr(first, statistic)(**bias).to_numpy()

    return compute


def spread(values: Any) -> Any:
    """Without the zeros, which pandas may leave a rounding error away from 0."""
    return values.where(values > 1e-12)


def weights(frame: pd.DataFrame, case: Case, valid: Any) -> Iterator[Any]:
    """Yield for each row the weights of all rows so far, before any scaling; 0 for those without a value."""
    adjust, found, last = case.get("adjust", True), np.zeros(len(frame)), None
    for row in range(len(frame)):
        if "by" in case:
            times: Any = frame["ts"]
            fade: Any = 0.0 if last is None else 0.5 ** ((times[row] - times[last]) / duration(case["half_life"]))
        else:
            fade = 1 - frame[case["alpha"]].iloc[row]
        if valid[row]:
            total = found.sum()
            found = found * fade * (1 if adjust or total == 0 else 1 / total)
            found[row] = 1.0 if adjust or last is None else 1 - fade
            last = row
        yield found.copy()


def by_definition(statistic: str, frame: pd.DataFrame, case: Case) -> Any:
    columns = [frame[case[name]].to_numpy("f8") for name in ("column", "x", "y") if name in case]
    valid = np.logical_and.reduce([~np.isnan(column) for column in columns])
    filled = [np.where(valid, column, 0.0) for column in columns]
    found = []
    for row, w in enumerate(weights(frame, case, valid)):
        count, total = int(valid[: row + 1].sum()), w.sum()
        if count < case.get("min_samples", 1) or count == 0:
            found.append(np.nan)
            continue
        means = [(w * column).sum() / total for column in filled]
        # Relative to the newest value, so that no digit is lost where it has nearly all the weight.
        newest = np.flatnonzero(valid[: row + 1])[-1]
        relative = [np.where(valid, column - column[newest], 0.0) for column in filled]
        away = [np.where(valid, column - (w * column).sum() / total, 0.0) for column in relative]
        # 1 - (sum of w^2) / (sum of w)^2, without a difference.
        unbiased = 2 * (w[1:] * np.cumsum(w)[:-1]).sum() / total**2
        correction = 1.0 if case.get("bias") else unbiased
        moment = [[(w * a * b).sum() / total for b in away] for a in away]
        flat = [all_same(column[: row + 1][valid[: row + 1]]) for column in columns]
        with np.errstate(all="ignore"):
            match statistic:
                case "mean":
                    found.append(means[0])
                case "sum":
                    found.append(means[0] * total)
                case "var" | "std" | "zscore":
                    var = np.nan if count == 1 and not case.get("bias") else moment[0][0] / correction
                    score = away[0][row] / np.sqrt(var) if valid[row] and not flat[0] else np.nan
                    found.append({"var": var, "std": np.sqrt(var), "zscore": score}[statistic])
                case "cov":
                    found.append(np.nan if count == 1 and not case.get("bias") else moment[0][1] / correction)
                case "corr":
                    found.append(np.nan if any(flat) else moment[0][1] / np.sqrt(moment[0][0] * moment[1][1]))
                case _:
                    # The slope is of y against x, whichever comes first in the signature.
                    found.append(np.nan if flat[0] else moment[0][1] / moment[0][0])
    return np.array(found, dtype="f8")


def all_same(values: Any) -> bool:
    return bool((values == values[0]).all())


def numbagg(name: str) -> Callable[[Arrays, Case], Any]:
    def compute(arrays: Arrays, case: Case) -> Any:
        import numbagg

        alpha = case["alpha"] if "alpha" in case else 2.0 / (case["span"] + 1.0)
        columns = [arrays[case[name]] for name in ("column", "x", "y") if name in case]
        return getattr(numbagg, f"move_exp_nan{name}")(*columns, alpha=alpha)

    return compute


def polars(method: str) -> Callable[[Case], pl.Expr]:
    return lambda case: getattr(pl.col(case["column"]), method)(**{k: v for k, v in case.items() if k != "column"})


BY_ROW: list[Case] = [
    {"span": 20},
    {"com": 0.5, "adjust": False},
    {"half_life": 3, "ignore_nulls": True},
    {"alpha": 0.3, "adjust": False, "ignore_nulls": True},
]
BY_TIME: list[Case] = [
    {"half_life": "10m", "by": "ts"},
    {"half_life": "2m", "by": "ts", "adjust": False, "min_samples": 3},
    {"alpha": "a"},
    {"alpha": "a", "adjust": False},
]
BIASED: list[Case] = [{"alpha": 0.2, "bias": True}, {"half_life": "10m", "by": "ts", "bias": True}]


def of(columns: Case, *cases: list[Case]) -> list[Case]:
    return [columns | case for group in cases for case in group]


def single(*cases: list[Case], sum_only: bool = False) -> list[Case]:
    """Cases of one column: x, and integers and f32 for the first of them."""
    found = [*of({"column": "x"}, *cases), {"column": "i", "span": 5, "min_samples": 4}, {"column": "f", "alpha": 0.4}]
    return [{k: v for k, v in case.items() if k != "adjust"} for case in found] if sum_only else found


def paired(*cases: list[Case]) -> list[Case]:
    return [*of({"x": "x", "y": "y"}, *cases), {"x": "i", "y": "f", "span": 7}]


ORACLES: dict[str, Oracle] = {
    "ewm_mean": Oracle(
        [*single(BY_ROW, BY_TIME), {"column": "x", "alpha": 1.0}],
        exponential("mean"),
        polars("ewm_mean"),
        numbagg("mean"),
        tolerance=1e-10,
    ),
    "ewm_sum": Oracle(single(BY_ROW, BY_TIME, sum_only=True), exponential("sum"), None, numbagg("sum"), tolerance=1e-9),
    "ewm_var": Oracle(
        single(BY_ROW, BY_TIME, BIASED), exponential("var"), polars("ewm_var"), numbagg("var"), tolerance=1e-9
    ),
    "ewm_std": Oracle(
        single(BY_ROW, BY_TIME, BIASED), exponential("std"), polars("ewm_std"), numbagg("std"), tolerance=1e-7
    ),
    "ewm_zscore": Oracle(single(BY_ROW, BY_TIME, BIASED), exponential("zscore"), tolerance=1e-6),
    "ewm_cov": Oracle(paired(BY_ROW, BY_TIME, BIASED), exponential("cov"), None, numbagg("cov"), tolerance=1e-9),
    "ewm_corr": Oracle(paired(BY_ROW, BY_TIME), exponential("corr"), None, numbagg("corr"), tolerance=1e-7),
    "ewm_beta": Oracle(
        [{"y": case["y"], "x": case["x"]} | case for case in paired(BY_ROW, BY_TIME)],
        exponential("beta"),
        tolerance=1e-7,
    ),
}
