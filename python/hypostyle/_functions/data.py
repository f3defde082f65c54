"""Compiled functions called with data: arrays of numpy, Series of pandas and Polars, arrays of pyarrow.

The result is of the same kind.  NaN of a pandas float column is missing, as in every interface: the function gets None.
An array of numpy has no missing values: its NaN is a number, and a result of None becomes NaN.
"""

from __future__ import annotations

import sys
from collections import namedtuple
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from hypostyle import _native
from hypostyle._expr import KernelExpr
from hypostyle._frame import POLARS
from hypostyle._library import BUILTIN
from hypostyle._spec import IntoColumns, Spec, make_spec

if TYPE_CHECKING:
    import numpy as np

    from hypostyle._functions.program import Program

_KINDS = {"numpy": ("ndarray",), "pandas": ("Series",), "pyarrow": ("Array", "ChunkedArray")}


def kind_of(value: object) -> str | None:
    """Return the library of a column of data, `None` for other values; a library is not imported for this."""
    if isinstance(value, pl.Series):
        return "polars"
    for library, names in _KINDS.items():
        module = sys.modules.get(library)
        if module is not None and isinstance(value, tuple(getattr(module, name) for name in names)):
            return None if library == "numpy" and getattr(value, "ndim", 1) == 0 else library
    return "numpy" if _is_array_of_pandas(value) else None


def _is_array_of_pandas(value: object) -> bool:
    """Whether a value is what `.values` of a column of pandas gives where NumPy has no such type, as for strings."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.api.extensions.ExtensionArray)


def expression(program: Program, columns: Sequence[Any], over: IntoColumns | None, errors: str) -> KernelExpr:
    """Return the expression of a program over columns."""
    return KernelExpr(_spec_of(program, columns, over, errors))


def _spec_of(program: Program, columns: Sequence[Any], over: IntoColumns | None, errors: str) -> Spec:
    return make_spec("program", over, {"columns": list(columns), "program": program.json, "errors": errors})


Arrays: TypeAlias = "dict[int, np.ndarray[Any, Any]]"
"""Arrays by their places among the arguments."""

# Types whose memory is read as it is.
_PLAIN = frozenset("bhilqBHILQfd?")


def plain_arrays(values: Sequence[Any]) -> Arrays | None:
    """Return the arrays among arguments, if there are such and all data are arrays that are read as they are."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    arrays: Arrays = {}
    for at, value in enumerate(values):
        if type(value) is numpy.ndarray:
            dtype, flags = value.dtype, value.flags
            is_plain = dtype.char in _PLAIN and dtype.isnative and flags.c_contiguous and flags.aligned
            if value.ndim != 1 or not is_plain:
                return None
            arrays[at] = value
        elif not isinstance(value, int | float | bool | None):
            return None
    return arrays if len({array.shape for array in arrays.values()}) == 1 else None


@dataclass(frozen=True)
class ArraysCall:
    """A program over arrays: what the calls with other arrays in the same places have in common."""

    program: Program
    spec: str
    places: dict[str, int]

    @classmethod
    def of(cls, program: Program, places: dict[str, int], errors: str) -> ArraysCall:
        """Return the call of a program; `places` are those of its columns among the arguments."""
        return cls(program, _spec_of(program, list(places), None, errors).json, places)

    def run(self, arrays: Arrays) -> Any:
        """Return the results as an array; several are a named tuple of arrays."""
        columns: _native.Columns = {name: arrays[at] for name, at in self.places.items()}
        batch = BUILTIN.evaluate(columns, [self.spec], None, nan_is_missing=False)
        results = batch.take_numpy()
        if results is None:
            return _in_numpy(self.program, pl.DataFrame(batch).to_series(0))
        return sys.modules["numpy"].asarray(results[0][1])


def run(program: Program, columns: Mapping[str, Any], keys: Sequence[Any], errors: str) -> Any:
    """Return the results of a program over data, as the kind of its columns; `keys` are the key columns."""
    named = {**columns, **{f"over {number}": key for number, key in enumerate(keys)}}
    kind = _common_kind(program.name, named)
    _check_lengths(program.name, named)
    inputs = [_to_polars(program.name, name, value) for name, value in named.items()]
    result = evaluate(program, inputs, len(keys), errors)
    if kind == "polars":
        names = (value.name for value in columns.values() if isinstance(value, pl.Series))
        return result.alias(next(names, ""))
    if kind == "pandas":
        return _in_pandas(program.name, result, named, columns)
    if kind == "pyarrow":
        import pyarrow

        made = result.to_arrow()
        chunked = any(isinstance(value, pyarrow.ChunkedArray) for value in columns.values())
        return pyarrow.chunked_array([made]) if chunked else made
    return _in_numpy(program, result)


def evaluate(program: Program, inputs: Sequence[pl.Series], keys: int, errors: str) -> pl.Series:
    """Return the results of a program over series of Polars with distinct names, the last of them the keys."""
    names = [series.name for series in inputs]
    count = len(names) - keys
    spec = _spec_of(program, names[:count], names[count:] or None, errors)
    batch = BUILTIN.evaluate(POLARS.select(pl.DataFrame(list(inputs)), names), [spec.json])
    return pl.DataFrame(batch).to_series(0)


def to_pandas(result: pl.Series, model: Any, index: Any, name: Any) -> Any:
    """Return results as a Series of pandas, or a DataFrame if there are several, of the kind of the dtype `model`."""
    import pandas as pd

    from hypostyle._pandas import _to_pandas

    def converted(column: pl.Series, model: Any) -> Any:
        if column.dtype == pl.String and _is_of_numpy(model) and model.kind != "O":
            return pd.Series(column.to_list(), dtype=None if len(column) else "str").array
        # pandas' own loops over columns of numpy make floats of integers and booleans with missing values.
        if _is_of_numpy(model) and column.null_count() and (column.dtype.is_integer() or column.dtype == pl.Boolean):
            column = column.cast(pl.Float64)
        return _to_pandas(column, model)

    if isinstance(result.dtype, pl.Struct):
        fields = result.struct.unnest().get_columns()
        return pd.DataFrame({field.name: converted(field, model) for field in fields}, index=index)
    return pd.Series(converted(result, model), index=index, name=name)


def _is_of_numpy(dtype: Any) -> bool:
    import numpy as np

    return isinstance(dtype, np.dtype)


def _common_kind(function: str, named: Mapping[str, Any]) -> str:
    kinds = list(dict.fromkeys(kind for value in named.values() if (kind := kind_of(value)) not in (None, "numpy")))
    if len(kinds) > 1:
        msg = f"{function} takes columns of one library, not of {' and '.join(map(str, kinds))}"
        raise TypeError(msg)
    return str(kinds[0]) if kinds else "numpy"


def _check_lengths(function: str, named: Mapping[str, Any]) -> None:
    for name, value in named.items():
        if getattr(value, "ndim", 1) != 1:
            msg = f"{function}: '{name}' has {value.ndim} dimensions; a column has one: pass one for each parameter"
            raise ValueError(msg)
    lengths = {name: len(value) for name, value in named.items()}
    first, length = next(iter(lengths.items()))
    for name, other in lengths.items():
        if other != length:
            msg = f"{function}: '{first}' has {length} rows and '{name}' {other}; all columns must have the same length"
            raise ValueError(msg)


def _to_polars(function: str, name: str, value: Any) -> pl.Series:
    kind = kind_of(value)
    if kind == "polars":
        series: pl.Series = value.alias(name)
        return series
    if kind == "pandas":
        from hypostyle._pandas import _to_polars as converted

        return converted(name, value)
    if kind == "pyarrow":
        arrow = pl.from_arrow(value)
        return pl.Series(name, arrow)
    if _is_array_of_pandas(value):
        return _to_polars(function, name, sys.modules["pandas"].Series(value))
    import numpy as np

    if isinstance(value, np.ma.MaskedArray):
        msg = f"{function}: '{name}' is a masked array; fill it, or pass a Series of Polars with nulls"
        raise TypeError(msg)
    if value.dtype.kind in "OU":
        # Pandas writes NaN where an array of strings has none.
        texts = [None if text is None or text != text else text for text in value.tolist()]
        if any(text is not None for text in texts) and all(text is None or isinstance(text, str) for text in texts):
            return pl.Series(name, texts, pl.String)
    if value.dtype.kind not in "iubfmM" or value.dtype.itemsize > 8:
        msg = f"{function}: '{name}' is an array of {value.dtype}; a compiled function takes numbers, times and strings"
        raise TypeError(msg)
    if value.dtype.kind == "f" and value.dtype.itemsize < 4:
        value = value.astype("f4")
    if value.dtype.kind in "mM" and not value.dtype.str.endswith(("[ns]", "[us]", "[ms]")):
        value = value.astype(f"{value.dtype.kind}8[ms]")
    return pl.Series(name, np.ascontiguousarray(value, value.dtype.newbyteorder("=")))


def _in_numpy(program: Program, result: pl.Series) -> Any:
    """Return results as an array; several are a named tuple of arrays."""
    if isinstance(result.dtype, pl.Struct):
        fields = result.struct.unnest().get_columns()
        several: Any = namedtuple("Results", [field.name for field in fields], rename=True)  # type: ignore[misc]
        return several(*(_in_numpy(program, field) for field in fields))
    if result.dtype == pl.String:
        return sys.modules["numpy"].array(result.to_list(), dtype=object)
    if result.null_count() and not result.dtype.is_float():
        result = result.cast(pl.Float64)
    return result.to_numpy(writable=True)


def _in_pandas(function: str, result: pl.Series, named: Mapping[str, Any], columns: Mapping[str, Any]) -> Any:
    index: Any = None
    for name, value in named.items():
        if kind_of(value) != "pandas":
            continue
        if index is not None and not value.index.equals(index):
            msg = f"{function}: '{name}' has another index than the columns before it; align them first"
            raise ValueError(msg)
        index = value.index
    series = [value for value in columns.values() if kind_of(value) == "pandas"]
    names = {value.name for value in series}
    model = series[0].dtype if series else _numpy_floats()
    return to_pandas(result, model, index, names.pop() if len(names) == 1 else None)


def _numpy_floats() -> Any:
    import numpy as np

    return np.dtype("f8")
