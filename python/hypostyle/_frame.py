"""Kernels over frames of Polars, pandas and pyarrow.

Only the columns that a kernel reads are passed to Rust; the outputs are attached to the user's own frame.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar, cast, overload

import polars as pl

from hypostyle import _native
from hypostyle._errors import ColumnNotFoundError
from hypostyle._expr import KernelExpr, check_distinct, flatten, kernels_of
from hypostyle._spec import Spec, library_for

Frame = TypeVar("Frame")

# Arrow lacks the integers, and objects are pointers.
_UNSUPPORTED = {pl.Int128(), pl.UInt128(), pl.Object()}

_OF_PLUGIN = "the plugin failed with message: "
"""What Polars writes before the message of a kernel that it runs."""


class Adapter(Protocol):
    """The operations on a type of frame."""

    def names(self, frame: Any) -> list[str]:
        """Return the column names."""

    def missing(self, frame: Any, names: list[str]) -> list[str]:
        """Return those of these names that are no columns."""
        columns = self.names(frame)
        return [name for name in names if name not in columns]

    def select(self, frame: Any, names: list[str]) -> _native.Frame:
        """Return these columns as Rust reads them."""

    def empty(self, frame: Any, names: list[str]) -> pl.DataFrame:
        """Return an empty frame with these columns."""
        return pl.DataFrame(self.select(frame, names)).clear()

    def filter(self, frame: Any, mask: pl.Series) -> Any:
        """Return the rows that the mask has as true."""

    def attach(self, frame: Any, outputs: _native.Batch, specs: Sequence[Spec]) -> Any:
        """Return the frame with the kernels' columns added; columns with the same name are replaced."""


class PolarsFrames(Adapter):
    """`polars.DataFrame`."""

    def names(self, frame: pl.DataFrame) -> list[str]:
        return frame.columns

    def select(self, frame: pl.DataFrame, names: list[str]) -> _native.ArrowStream:
        picked = frame if frame.width == len(names) else frame[:, names]
        dtypes = picked.dtypes
        for dtype in _UNSUPPORTED.intersection(dtypes):
            name = picked.columns[dtypes.index(dtype)]
            raise TypeError(f"column '{name}' has type {dtype}, which is not supported; cast it first")
        for at, dtype in enumerate(dtypes):
            if dtype.is_nested() and _has_nul(dtype):
                raise TypeError(
                    f"column '{picked.columns[at]}': a field of its type has a NUL character; rename the field"
                )
        if pl.Null in dtypes:  # a column of type null is read as floats
            picked = picked.with_columns(pl.col(pl.Null).cast(pl.Float64))
        return picked

    def filter(self, frame: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
        return frame.filter(mask)

    def attach(self, frame: pl.DataFrame, outputs: _native.Batch, specs: Sequence[Spec]) -> pl.DataFrame:
        names = frame.columns
        columns = pl.DataFrame(outputs).get_columns()
        new = [column for column in columns if column.name not in names]
        if len(new) < len(columns):
            frame = frame.clone()
            for column in columns:
                if column.name in names:
                    frame.replace_column(names.index(column.name), column)
        return frame.hstack(new) if new else frame


class PyarrowFrames(Adapter):
    """`pyarrow.Table` and `pyarrow.RecordBatch`."""

    def names(self, frame: Any) -> list[str]:
        return cast("list[str]", frame.schema.names)

    def select(self, frame: Any, names: list[str]) -> _native.ArrowStream:
        import pyarrow

        picked = frame.select(names)
        for at, field in enumerate(picked.schema):
            if field.type == pyarrow.null():  # a column of type null is read as floats
                picked = picked.set_column(at, field.name, picked.column(at).cast(pyarrow.float64()))
        return cast("_native.ArrowStream", picked)

    def filter(self, frame: Any, mask: pl.Series) -> Any:
        return frame.filter(mask.to_arrow())

    def attach(self, frame: Any, outputs: _native.Batch, specs: Sequence[Spec]) -> Any:
        import pyarrow

        added = pyarrow.table(outputs)
        whole = isinstance(frame, pyarrow.Table)
        for name, column in zip(added.schema.names, added.columns, strict=True):
            values = column if whole else column.combine_chunks()
            at = frame.schema.get_field_index(name)
            frame = frame.append_column(name, values) if at < 0 else frame.set_column(at, name, values)
        return frame


def _has_nul(dtype: pl.DataType) -> bool:
    """Whether a field has a name that Arrow's C interface cannot carry: Polars ends the process over it."""
    if isinstance(dtype, pl.Struct):
        return any("\0" in field.name or _has_nul(field.dtype) for field in dtype.fields)  # type: ignore[arg-type]
    return isinstance(dtype, pl.List | pl.Array) and _has_nul(dtype.inner)  # type: ignore[arg-type]


POLARS = PolarsFrames()


def adapter_of(frame: object, caller: str) -> Adapter:
    """Return the adapter for a frame, without importing pandas or pyarrow."""
    if isinstance(frame, pl.DataFrame):
        return POLARS
    if (pandas := sys.modules.get("pandas")) is not None and isinstance(frame, pandas.DataFrame):
        from hypostyle._pandas import PandasFrames

        return PandasFrames()
    if (pyarrow := sys.modules.get("pyarrow")) is not None and isinstance(frame, pyarrow.Table | pyarrow.RecordBatch):
        return PyarrowFrames()
    msg = (
        f"{caller} takes a DataFrame of Polars or pandas, or a Table or RecordBatch of pyarrow, not a "
        f"{type(frame).__module__}.{type(frame).__qualname__}"
    )
    raise TypeError(msg)


@overload
def with_columns(frame: pl.DataFrame, *exprs: pl.Expr | Iterable[pl.Expr], **named: Any) -> pl.DataFrame: ...
@overload
def with_columns(frame: Frame, *exprs: KernelExpr | Iterable[KernelExpr], **named: KernelExpr) -> Frame: ...
def with_columns(frame: Any, *exprs: object, **named: Any) -> Any:
    """Add kernels' columns to a frame of Polars, pandas or pyarrow.

    Kernels with the same `over` group the rows by key only once, so one call with several kernels is faster than
    several calls.

    Args:
        frame: A `polars.DataFrame`, `polars.LazyFrame`, `pandas.DataFrame`, `pyarrow.Table` or `pyarrow.RecordBatch`.
            NaN in a float column of pandas means missing, in nullable and Arrow-backed columns too: it is read as
            null, and nulls are returned as NaN.  Integers and booleans with nulls become pandas' nullable types.  The
            index is kept, and its levels can be inputs by their names.
        exprs: Kernels, such as `hs.rolling_mean("price", 20)`.  For Polars frames also other expressions.
        named: Kernels by output name.

    Returns:
        A frame of the same type with the columns added; columns with the same name are replaced.

    Raises:
        ColumnNotFoundError: A column is missing.
        TypeError: A column has a type that the kernel does not support, or `frame` is not a frame.
        ValueError: The time column is not sorted, or an input is a computed expression and `frame` is not from Polars.

    Examples:
        >>> import hypostyle as hs
        >>> import pyarrow as pa
        >>> table = pa.table({"symbol": ["a", "b", "a", "b"], "price": [1.0, 5.0, 3.0, 7.0]})
        >>> hs.with_columns(table, hs.expanding_mean("price", over="symbol").alias("mean"))["mean"].to_pylist()
        [1.0, 5.0, 2.0, 6.0]
    """
    if isinstance(frame, pl.LazyFrame):
        lazy = cast("Any", frame)
        return lazy.hs.with_columns(*exprs, **named)
    adapter = adapter_of(frame, "with_columns")
    if not isinstance(frame, pl.DataFrame):
        specs = kernels_of(exprs, named, f"with_columns over a frame of {type(frame).__module__.split('.')[0]}")
        outputs = _evaluate(adapter, frame, specs)
        return adapter.attach(frame, distinct(outputs, specs), specs)
    expressions = flatten(exprs, named)
    if expressions and all(isinstance(e, KernelExpr) and not e._kernel.computed for e in expressions):
        specs = [cast("KernelExpr", expression)._kernel for expression in expressions]
        return adapter.attach(frame, distinct(_evaluate(adapter, frame, specs), specs), specs)
    at = [i for i, e in enumerate(expressions) if isinstance(e, KernelExpr) and not e._kernel.computed]
    specs = [cast("KernelExpr", expressions[i])._kernel for i in at]
    if specs:
        batch = _evaluate(adapter, frame, specs)
        for i, column in zip(at, pl.DataFrame(distinct(batch, specs)).get_columns(), strict=True):
            expressions[i] = column
    try:
        return frame.with_columns(cast("Any", expressions))
    except pl.exceptions.ComputeError as error:
        if not str(error).startswith(_OF_PLUGIN):
            raise
        message = str(error).removeprefix(_OF_PLUGIN).partition("\n\nThis error occurred")[0]
    raise pl.exceptions.ComputeError(message)


def _evaluate(adapter: Adapter, frame: Any, specs: Sequence[Spec]) -> _native.Batch:
    library = library_for(specs, "with_columns")
    return library.evaluate(select(adapter, frame, specs), [spec.json for spec in specs])


def distinct(outputs: _native.Batch, specs: Sequence[Spec]) -> _native.Batch:
    """Return the outputs; raise if two have the same name."""
    check_distinct(specs)
    return outputs


def needed(specs: Sequence[Spec]) -> list[str]:
    """Return the columns that the kernels read, each once."""
    return list(dict.fromkeys(name for spec in specs for name in spec.columns))


def select(adapter: Adapter, frame: Any, specs: Sequence[Spec], wanted: list[str] | None = None) -> _native.Frame:
    """Select the columns that the kernels read; `wanted` is their list if it is known already."""
    if wanted is None:
        wanted = needed(specs)
    if missing := adapter.missing(frame, wanted):
        refuse_missing(adapter, frame, specs)
        raise ColumnNotFoundError(
            f"the input has no column '{missing[0]}', which the stage itself reads (time_column, order_by)"
        )
    return adapter.select(frame, wanted)


def refuse_missing(adapter: Adapter, frame: Any, specs: Sequence[Spec]) -> None:
    """Let Rust raise the error about a missing column, which lists the columns that exist."""
    names = [name for name in adapter.names(frame) if "\0" not in name]  # Arrow's C interface has no such names
    wanted = set(needed(specs))
    present = [name for name in names if name in wanted]
    known = adapter.empty(frame, present)
    schema = {name: known.schema.get(name, pl.Null) for name in names}
    for spec in specs:
        if not set(spec.columns) <= set(names):
            spec.library.output_fields(pl.DataFrame(schema=schema), [spec.json])
