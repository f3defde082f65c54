"""pandas frames: NaN in a float column of any kind means missing, as in pandas' own windows, and is read as null.

Nulls are returned as NaN in floats, and as NA in integers and booleans: these stay what they are, in pandas' nullable
types.  A level of the index is found by its name like a column.  Columns backed by numpy do not need pyarrow; others
(strings, categories, backed by Arrow) do.
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
from hypostyle._values import series_of


class PandasFrames:
    """`pandas.DataFrame`, of which one is read: the columns that were found are kept until the outputs are attached."""

    def __init__(self) -> None:
        self._found: dict[str, pd.Series[Any]] = {}

    def names(self, frame: pd.DataFrame) -> list[str]:
        columns = [str(name) for name in frame.columns]
        return columns + [str(name) for name in frame.index.names if name is not None and str(name) not in columns]

    def missing(self, frame: pd.DataFrame, names: list[str]) -> list[str]:
        found = {name: _find(frame, name) for name in names}
        self._found = {name: column for name, column in found.items() if column is not None}
        return [name for name in names if name not in self._found]

    def found(self, names: Sequence[str]) -> dict[str, pd.Series[Any]]:
        """Return the columns that `missing` found."""
        return {name: self._found[name] for name in names}

    def select(self, frame: pd.DataFrame, names: list[str]) -> _native.Columns:
        return {name: _to_native(name, self._found[name]) for name in names}

    def empty(self, frame: pd.DataFrame, names: list[str]) -> pl.DataFrame:
        return pl.DataFrame([_to_polars(name, self._found[name]) for name in names]).clear()

    def filter(self, frame: pd.DataFrame, mask: pl.Series) -> pd.DataFrame:
        return frame.loc[mask.to_numpy()]

    def attach(self, frame: pd.DataFrame, outputs: _native.Batch, specs: Sequence[Spec]) -> pd.DataFrame:
        result = frame.copy(deep=False)
        models = [self._found[spec.columns[0]].dtype if spec.columns else _FLOATS for spec in specs]
        of_numpy = all(isinstance(model, np.dtype | pd.SparseDtype) for model in models)
        if of_numpy and self._numpy_can_hold(outputs, specs, models) and (arrays := outputs.take_numpy()) is not None:
            for name, values in arrays:
                _put(result, name, np.asarray(values))
            return result
        for model, column in zip(models, pl.DataFrame(outputs).get_columns(), strict=True):
            for part in _flat(column):
                _put(result, part.name, _to_pandas(part, model))
        return result

    def _numpy_can_hold(self, outputs: _native.Batch, specs: Sequence[Spec], models: Sequence[Any]) -> bool:
        """Whether no output is an integer or a boolean with nulls; floats are known by their kernel and its inputs."""
        keys = [(spec.json, model) for spec, model in zip(specs, models, strict=True)]
        if _RETURN_FLOATS.issuperset(keys):
            return True
        columns = pl.DataFrame(outputs).get_columns()
        if len(_RETURN_FLOATS) > _KEPT:
            _RETURN_FLOATS.clear()
        # The type of a function's result depends on all columns.
        known = zip(keys, columns, specs, strict=True)
        _RETURN_FLOATS.update(
            k for k, column, spec in known if column.dtype.is_float() and "program" not in spec.parameters
        )
        return all(column.dtype.is_float() or not column.null_count() for column in columns)


# Kernels with the type of their first input, of which floats are known to come; the floats of numpy hold nulls, as NaN.
_RETURN_FLOATS: set[tuple[Any, ...]] = set()
_KEPT = 1000


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


def _find(frame: pd.DataFrame, name: str) -> pd.Series[Any] | None:
    """Return the column of this name, or else the level of the index; `None` if there is neither."""
    label = _label(frame, name)
    if label is not None:
        column: pd.Series[Any] = frame[label]
        return column
    levels = [at for at, level in enumerate(frame.index.names) if level is not None and str(level) == name]
    if len(levels) > 1:
        msg = f"the index has more than one level '{name}'; rename all but one"
        raise ValueError(msg)
    return pd.Series(frame.index.get_level_values(levels[0])) if levels else None


def _to_native(name: str, column: pd.Series[Any]) -> np.ndarray[Any, Any] | _native.ArrowStream:
    """Return a column as Rust reads it: an array of numpy, or a frame with this column only."""
    dtype = column.dtype
    if (
        isinstance(dtype, np.dtype)
        and ((dtype.kind in "iubf" and dtype.itemsize <= 8) or dtype.str[1:] in _TIMES)
        and dtype.isnative
    ):
        return np.ascontiguousarray(column.to_numpy())
    if isinstance(dtype, pd.SparseDtype):
        return _to_native(name, _dense(column))
    return POLARS.select(pl.DataFrame([_to_polars(name, column)]), [name])


_TIMES = {f"{kind}8[{unit}]" for kind in "Mm" for unit in ("s", "ms", "us", "ns")}


def _dense(column: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(np.asarray(column.array))


def _to_polars(name: str, column: pd.Series[Any], *, nan_is_missing: bool = True) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return _of_numpy(name, column.to_numpy())
    if isinstance(dtype, pd.SparseDtype):
        return _to_polars(name, _dense(column))
    if isinstance(dtype, pd.DatetimeTZDtype):
        utc = _to_polars(name, column.dt.tz_convert("UTC").dt.tz_localize(None)).dt.replace_time_zone("UTC")
        # Polars knows zones by name only; an offset stays UTC.
        return utc.dt.convert_time_zone(dtype.tz.key) if isinstance(dtype.tz, ZoneInfo) else utc
    if isinstance(dtype, pd.PeriodDtype):  # Arrow would have numbers of months
        return _to_polars(name, column.dt.to_timestamp())
    numpy_dtype = getattr(dtype, "numpy_dtype", None)
    if isinstance(numpy_dtype, np.dtype) and numpy_dtype.kind in "iubf" and not isinstance(dtype, pd.ArrowDtype):
        values = column.to_numpy(dtype=numpy_dtype, na_value=numpy_dtype.type(0))
        missing = column.isna().to_numpy()
        series = pl.Series(name, values, nan_to_null=nan_is_missing)
        return series if not missing.any() else series.scatter(np.flatnonzero(missing), None)
    try:
        series = pl.from_pandas(column).rename(name)
    except ImportError as error:
        msg = f"column '{name}' of type {dtype} needs pyarrow to be converted to Arrow: pip install 'hypostyle[pandas]'"
        raise ImportError(msg) from error
    except (TypeError, ValueError, NotImplementedError, pl.exceptions.PolarsError) as error:
        raise TypeError(_unreadable(name, dtype, str(error).split("\n", 1)[0])) from error
    return series.fill_nan(None) if nan_is_missing and series.dtype.is_float() else series


def _of_numpy(name: str, values: np.ndarray[Any, Any]) -> pl.Series:
    kind = values.dtype.kind
    if kind == "f" and values.dtype.itemsize <= 8:
        return pl.Series(name, values, nan_to_null=True)
    if kind in "iub":
        return pl.Series(name, values)
    if kind in "mM":
        fits = values.dtype.str.endswith(("[ns]", "[us]", "[ms]"))
        return pl.Series(name, values if fits else values.astype(f"{kind}8[ms]"))
    if kind != "O":
        raise TypeError(_unreadable(name, values.dtype, "it has no counterpart in Arrow"))
    # pandas holds a list as an array, which Polars would take for its type of arrays of one size.
    lists = (value.tolist() if isinstance(value, np.ndarray) else value for value in values)
    column = series_of(name, [None if null else value for null, value in zip(pd.isna(values), lists, strict=True)])
    if isinstance(column, str):
        raise TypeError(_unreadable(name, values.dtype, column))
    return column


def _unreadable(name: str, dtype: Any, reason: str) -> str:
    return f"column '{name}' has type {dtype}, which cannot be read: {reason}; convert it first, with astype('float64')"


def _to_pandas(column: pl.Series, model: Any) -> Any:
    """Return a kernel's output as an array of the same kind as its first input."""
    if isinstance(model, pd.ArrowDtype):
        values = column.to_arrow()
        if column.dtype == pl.String and "string" in str(model.pyarrow_dtype):
            values = values.cast(model.pyarrow_dtype)
        return pd.array(values, dtype=pd.ArrowDtype(values.type))
    if column.dtype.is_temporal():
        return _temporal(column, model)
    if column.dtype == pl.Boolean or (column.dtype.is_numeric() and not column.dtype.is_decimal()):
        nullable = not isinstance(model, np.dtype) and hasattr(model, "numpy_dtype")
        if nullable or (column.null_count() and not column.dtype.is_float()):
            return _masked(column)
        return column.to_numpy(writable=True)
    if column.dtype in (pl.String, pl.Categorical, pl.Enum) and isinstance(
        model, (pd.StringDtype, pd.CategoricalDtype)
    ):
        return pd.array(column.to_list(), dtype=model)
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
