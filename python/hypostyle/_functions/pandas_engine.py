"""The engine protocol of pandas 3: `frame.apply(f, axis=1, engine=hs.jit)` and `series.map(f, engine=hs.jit)`.

pandas hands over the function and the data, and takes what comes back.  A function of a row says which columns it
reads (`r.price`, `r["price"]`), so that only these are read, each in its own dtype; pandas' own loop makes a Series of
every row, in one dtype for all columns.

The results are those of pandas' own loop, so NaN of a float column of numpy is the number NaN for the function, and
`pd.NA` of a nullable column is None.  pandas itself calls the Python function for a frame without rows or columns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from hypostyle._errors import ColumnNotFoundError
from hypostyle._functions.captured import key_of
from hypostyle._functions.data import evaluate, to_pandas
from hypostyle._functions.functions import Function, Jit, made
from hypostyle._functions.program import Program
from hypostyle._functions.translate import translate, translate_row

if TYPE_CHECKING:
    import pandas as pd

KEPT = 128
"""The most functions whose programs are kept."""

_programs: dict[Hashable, Function[..., Any]] = {}


@dataclass(frozen=True)
class PandasEngine:
    """What pandas calls, with keywords only."""

    jit: Jit

    def map(
        self,
        *,
        data: pd.Series[Any],
        func: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        decorator: Any,
        skip_na: bool,
    ) -> Any:
        """Run a function of a value over a Series."""
        function = self._compiled(func, "Series.map", translate)
        program, _ = function.bound((data, *args), kwargs, lambda value: value is data)
        if skip_na:
            program = _skipping(program)
        if program.outputs:
            named = ", ".join(program.outputs)
            msg = f"Series.map gives one column, but {program.name} returns several: {named}; call hs.jit(f)(series)"
            raise ValueError(msg)
        column = _column(program.inputs[0], data, nan_is_missing=skip_na)
        result = evaluate(program, [column], 0, function.errors)
        return to_pandas(result, data.dtype, data.index, data.name)

    def apply(
        self,
        *,
        data: Any,
        func: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        decorator: Any,
        axis: Any,
    ) -> Any:
        """Run a function of a row over a DataFrame; of a compiled function the parameters are columns by their name."""
        import pandas as pd

        if not isinstance(data, pd.DataFrame):
            msg = "DataFrame.apply: raw=True loses the names and dtypes of the columns; leave it out with engine=hs.jit"
            raise NotImplementedError(msg)
        if axis not in (1, "columns"):
            msg = f"DataFrame.apply: hs.jit compiles functions of a row, axis=1, not axis={axis!r}"
            raise NotImplementedError(msg)
        function = self._compiled(func, "DataFrame.apply", translate_row)
        program, names = _with_arguments(function, isinstance(func, Function), args, kwargs)
        columns = _columns_of(data, program.name, names)
        inputs = [_column(name, column) for name, column in columns.items()]
        result = evaluate(program, inputs, 0, function.errors)
        return to_pandas(result, next(iter(columns.values())).dtype, data.index, None)

    def _compiled(self, func: Any, caller: str, translator: Callable[[Any], Program]) -> Function[..., Any]:
        if isinstance(func, Function):
            return func
        func = getattr(func, "py_func", func)
        if not callable(func):
            msg = f"{caller} with engine=hs.jit takes a Python function, not {func!r}"
            raise TypeError(msg)
        key = (translator, self.jit.errors, key_of(func))
        found = _programs.pop(key, None)
        if found is None:
            found = made(func, self.jit.errors, (translator, {}))
        _programs[key] = found
        while len(_programs) > KEPT:
            _programs.pop(next(iter(_programs)), None)
        return found


def _with_arguments(
    function: Function[..., Any], is_compiled: bool, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Program, Sequence[str]]:
    """Return the program with `args` and `kwargs` as constants, and the names of its columns."""
    program = function.program
    if is_compiled:
        if args:
            msg = f"{program.name}: its parameters are columns; pass numbers for others by name, not in args"
            raise TypeError(msg)
        program = function.with_numbers(kwargs)
        return program, program.inputs
    parameters = list(inspect.signature(function.function).parameters.values())[1:]
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    try:
        bound = inspect.Signature(plain).bind(*args, **kwargs)
    except TypeError as reason:
        msg = f"{program.name}: {reason}"
        raise TypeError(msg) from None
    program = function.with_numbers(bound.arguments)
    return program, program.inputs


def _columns_of(frame: pd.DataFrame, function: str, names: Sequence[str]) -> dict[str, pd.Series[Any]]:
    from hypostyle._pandas import PandasFrames

    frames = PandasFrames()
    # A row of pandas' own loop has the columns, not the index.
    if missing := frames.missing(frame.set_axis(range(len(frame))), list(names)):
        known = ", ".join(map(str, frame.columns))
        msg = f"{function}: the frame has no column '{missing[0]}'; its columns are {known}"
        raise ColumnNotFoundError(msg)
    return frames.found(names)


def _column(name: str, column: pd.Series[Any], *, nan_is_missing: bool = False) -> pl.Series:
    """Return a column as the function of pandas' own loop would see it."""
    import numpy as np

    from hypostyle._pandas import _to_polars

    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind == "f" and dtype.itemsize <= 8 and not nan_is_missing:
        return pl.Series(name, np.ascontiguousarray(column.to_numpy(), dtype.newbyteorder("=")))
    made = _to_polars(name, column, nan_is_missing=nan_is_missing)
    if made.dtype.is_temporal():
        msg = (
            f"column '{name}' of type {dtype}: pandas gives the function objects for dates and times, which are not "
            f"compiled; make it a number first: frame['{name}'].astype('int64')"
        )
        raise TypeError(msg)
    return made


def _skipping(program: Program) -> Program:
    """Return the program that gives None for None, and leaves its state."""
    kept = [["field", name] for name, _ in program.state]
    returned = ["return", [None] * max(len(program.outputs), 1), kept]
    guard = ["if", ["is_none", ["get", program.inputs[0]]], [returned], []]
    return replace(program, body=[guard, *program.body])
