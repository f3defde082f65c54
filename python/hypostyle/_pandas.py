"""pandas frames: NaN in a float column means missing, so it is read as null, and nulls are returned as NaN.

Columns backed by numpy do not need pyarrow; others (strings, categories, backed by Arrow) do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl

from hypostyle import _native
from hypostyle._frame import POLARS
from hypostyle._spec import Spec


class PandasFrames:
    """`pandas.DataFrame`, of which one is read: the columns that were found are kept until the outputs are attached."""

    def __init__(self) -> None:
        self._found: dict[str, pd.Series[Any]] = {}

    def names(self, frame: pd.DataFrame) -> list[str]:
        return [str(name) for name in frame.columns]

    def missing(self, frame: pd.DataFrame, names: list[str]) -> list[str]:
        labels = {name: _label(frame, name) for name in names}
        self._found = {name: frame[label] for name, label in labels.items() if label is not None}
        return [name for name in names if name not in self._found]

    def found(self, names: Sequence[str]) -> dict[str, pd.Series[Any]]:
        """Return the columns that `missing` found."""
        return {name: self._found[name] for name in names}

    def select(self, frame: pd.DataFrame, names: list[str]) -> _native.Columns:
        return {name: _to_native(name, self._found[name]) for name in names}

    def empty(self, frame: pd.DataFrame, names: list[str]) -> pl.DataFrame:
        return pl.DataFrame([_to_polars(name, self._found[name]) for name in names]).clear()

    def attach(self, frame: pd.DataFrame, outputs: _native.Batch, specs: Sequence[Spec]) -> pd.DataFrame:
        result = frame.copy(deep=False)
        models = [self._found[spec.columns[0]].dtype if spec.columns else _FLOATS for spec in specs]
        of_numpy = all(isinstance(model, np.dtype) for model in models)
        if of_numpy and (arrays := outputs.take_numpy()) is not None:
            for name, values in arrays:
                _put(result, name, np.asarray(values))
            return result
        for model, column in zip(models, pl.DataFrame(outputs).get_columns(), strict=True):
            for part in _flat(column):
                _put(result, part.name, _to_pandas(part, model))
        return result


def _put(frame: pd.DataFrame, name: str, values: Any) -> None:
    """Add a column, or replace it; `insert` takes half the time of an assignment."""
    if name in frame.columns:
        frame[name] = values
    else:
        frame.insert(frame.shape[1], name, values)


_FLOATS = np.dtype("f8")


def _flat(column: pl.Series) -> list[pl.Series]:
    """Return the fields of a struct as columns, named as pyarrow's `flatten` does: pandas has no structs."""
    if not isinstance(column.dtype, pl.Struct):
        return [column]
    return [part.alias(f"{column.name}.{part.name}") for part in column.struct.unnest()]


def _label(frame: pd.DataFrame, name: str) -> Any:
    """Return the label of the column of this name; `None` if there is none."""
    labels = frame.columns
    if labels.is_unique and labels.inferred_type == "string" and name in labels:
        return name
    at = [label for label in labels if label == name or str(label) == name]
    if len(at) > 1:
        msg = f"the input has more than one column '{name}'; rename all but one"
        raise ValueError(msg)
    return at[0] if at else None


def _to_native(name: str, column: pd.Series[Any]) -> np.ndarray[Any, Any] | _native.ArrowStream:
    """Return a column as Rust reads it: an array of numpy, or a frame with this column only."""
    dtype = column.dtype
    if (
        isinstance(dtype, np.dtype)
        and ((dtype.kind in "iubf" and dtype.itemsize <= 8) or dtype.str[1:] in _TIMES)
        and dtype.isnative
    ):
        return np.ascontiguousarray(column.to_numpy())
    return POLARS.select(pl.DataFrame([_to_polars(name, column)]), [name])


_TIMES = {f"{kind}8[{unit}]" for kind in "Mm" for unit in ("s", "ms", "us", "ns")}


def _to_polars(name: str, column: pd.Series[Any]) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        values = column.to_numpy()
        if dtype.kind == "f":
            return pl.Series(name, values, nan_to_null=True)
        if dtype.kind in "iub":
            return pl.Series(name, values)
        if dtype.kind in "mM":
            fits = dtype.str.endswith(("[ns]", "[us]", "[ms]"))
            return pl.Series(name, values if fits else values.astype(f"{dtype.kind}8[ms]"))
        # pandas holds a list as an array, which Polars would take for its type of arrays of one size.
        lists = (value.tolist() if isinstance(value, np.ndarray) else value for value in values)
        return pl.Series(name, [None if null else value for null, value in zip(pd.isna(values), lists, strict=True)])
    if isinstance(dtype, pd.DatetimeTZDtype):
        utc = _to_polars(name, column.dt.tz_convert("UTC").dt.tz_localize(None)).dt.replace_time_zone("UTC")
        # Polars knows zones by name only; an offset stays UTC.
        return utc.dt.convert_time_zone(dtype.tz.key) if isinstance(dtype.tz, ZoneInfo) else utc
    numpy_dtype = getattr(dtype, "numpy_dtype", None)
    if isinstance(numpy_dtype, np.dtype) and numpy_dtype.kind in "iubf" and not isinstance(dtype, pd.ArrowDtype):
        values = column.to_numpy(dtype=numpy_dtype, na_value=numpy_dtype.type(0))
        missing = column.isna().to_numpy()
        series = pl.Series(name, values)
        return series if not missing.any() else series.scatter(np.flatnonzero(missing), None)
    try:
        return pl.from_pandas(column).rename(name)
    except ImportError as error:
        msg = f"column '{name}' of type {dtype} needs pyarrow to be converted to Arrow: pip install 'hypostyle[pandas]'"
        raise ImportError(msg) from error


def _to_pandas(column: pl.Series, model: Any) -> Any:
    """Return a kernel's output as an array of the same kind as its first input."""
    if isinstance(model, pd.ArrowDtype):
        return pd.array(column.to_arrow(), dtype=pd.ArrowDtype(column.to_arrow().type))
    if column.dtype.is_temporal():
        return _temporal(column, model)
    if column.dtype == pl.Boolean or column.dtype.is_numeric():
        if not isinstance(model, np.dtype) and hasattr(model, "numpy_dtype"):
            return _masked(column)
        if column.null_count() and not column.dtype.is_float():
            column = column.cast(pl.Float64)
        return column.to_numpy(writable=True)
    return np.array(column.to_list(), dtype=object)


def _masked(column: pl.Series) -> Any:
    values = column.fill_null(0 if column.dtype.is_numeric() else False).to_numpy(writable=True)
    missing = column.is_null().to_numpy(writable=True)
    if column.dtype.is_float():
        return pd.arrays.FloatingArray(values, missing)
    if column.dtype == pl.Boolean:
        return pd.arrays.BooleanArray(values, missing)
    return pd.arrays.IntegerArray(values, missing)


def _temporal(column: pl.Series, model: Any) -> Any:
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        naive = pd.Series(column.dt.convert_time_zone("UTC").dt.replace_time_zone(None).to_numpy(writable=True))
        return naive.dt.tz_localize("UTC").astype(model).array
    values = column.to_numpy(writable=True)
    return values.astype(model) if isinstance(model, np.dtype) and model.kind == values.dtype.kind else values
