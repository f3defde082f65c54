"""`hs.jit`, `hs.scan`: the decorators, and the functions that they make."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import update_wrapper
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    overload,
)

import polars as pl

from hypostyle._functions.data import Arrays, ArraysCall, expression, kind_of, plain_arrays, run
from hypostyle._functions.program import Program
from hypostyle._functions.shown import shown
from hypostyle._functions.source import function_from_text
from hypostyle._functions.translate import translate, translate_scan
from hypostyle._spec import IntoColumn, IntoColumns
from hypostyle._suggestions import misfit

if TYPE_CHECKING:
    import datetime as dt

    from hypostyle._expr import KernelExpr
    from hypostyle._functions.pandas_engine import PandasEngine

Errors: TypeAlias = Literal["null", "raise"]

StartValue: TypeAlias = "float | bool | str | dt.date | dt.timedelta | None"
"""What a field of a state begins with; a moment is a `datetime.date` too."""

How: TypeAlias = "tuple[Callable[..., Program], dict[str, Any]]"
"""A function that translates, with its options."""

_ERRORS = ("null", "raise")
_KEPT = 100

P = ParamSpec("P")
R = TypeVar("R")


class Data(Protocol):
    """A column of data: an array of numpy or pyarrow, a Series of Polars or pandas."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the values as an array of numpy."""


class Function(Generic[P, R]):
    """A compiled function: called with columns it returns an expression, called with numbers it runs as Python.

    For type checkers `P` and `R` are the parameters and the result of the Python function, which a call with numbers
    has.  A call whose first argument is a column returns a `KernelExpr`, one with a Series of Polars a Series.

    Args:
        program: The translated function.
        function: The Python function itself, for calls with numbers.
        signature: Its parameters without the state, as calls with columns give them.
        errors: What a row gives on which Python raises: "null", or "raise" for an error.
        how: The translation that made the program, for other values of parameters that it must know.
        is_loop: The Python function itself takes whole arrays.
    """

    def __init__(
        self,
        program: Program,
        function: Any,
        signature: inspect.Signature,
        errors: Errors,
        how: How,
        *,
        is_loop: bool = False,
    ) -> None:
        check_errors(program.name, errors)
        if "over" in signature.parameters:
            msg = f"{program.name}: a parameter cannot be named 'over': it takes the key columns; rename it"
            raise ValueError(msg)
        self.program = program
        self.function = function
        self.errors = errors
        self.is_loop = is_loop
        self._columns = signature
        self._how = how
        self._variants: dict[str, Program] = {}
        self._calls: dict[str, ArraysCall] = {}
        if function is not None:
            update_wrapper(self, function, updated=())

    @overload
    def __call__(
        self,
        first: IntoColumn,
        /,
        *args: IntoColumn | float | None,
        over: IntoColumns | None = ...,
        **kwargs: IntoColumn | float | None,
    ) -> KernelExpr: ...
    @overload
    def __call__(
        self,
        first: pl.Series,
        /,
        *args: pl.Series | float | None,
        over: pl.Series | Sequence[pl.Series] | None = ...,
        **kwargs: pl.Series | float | None,
    ) -> pl.Series: ...
    @overload
    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(
        self,
        /,
        *args: IntoColumn | Data | float | None,
        over: IntoColumns | Data | Sequence[Data] | None = ...,
        **kwargs: IntoColumn | Data | float | None,
    ) -> Any: ...
    def __call__(self, /, *args: Any, over: Any = None, **kwargs: Any) -> Any:
        """Return the expression of the columns given, the results over data, or what the Python function returns.

        Args:
            args: A column for each parameter, or a number in its place.  Columns are names or Polars expressions: the
                call returns an expression.  Or they are data: arrays of numpy or pyarrow, Series of Polars or pandas;
                the call returns data of the same kind, several outputs as a struct, a DataFrame of pandas or a named
                tuple of arrays.  With numbers alone the Python function itself runs.
            over: The key columns: the rows of each key are a sequence of their own.
            kwargs: The same by the parameters' names.

        Raises:
            TypeError: The arguments do not fit the parameters.
            ValueError: Columns of data have different lengths or indexes.
        """
        values = [*args, *kwargs.values()]
        if over is None and (arrays := plain_arrays(values)):
            return self._over_arrays(arrays, values, args, kwargs)
        if any(isinstance(value, str | pl.Expr) for value in values):
            program, columns = self.bound(args, kwargs, lambda value: isinstance(value, str | pl.Expr))
            return expression(program, list(columns.values()), over, self.errors)
        if any(kind_of(value) for value in values):
            keys = [] if over is None else list(over) if isinstance(over, list | tuple) else [over]
            for key in keys:
                if kind_of(key) is None:
                    msg = f"{self.program.name}: with data, over takes data too, not {key!r}"
                    raise TypeError(msg)
            program, columns = self.bound(args, kwargs, lambda value: kind_of(value) is not None)
            return run(program, columns, keys, self.errors)
        return self._run(args, kwargs, over)

    def _over_arrays(
        self, arrays: Arrays, values: Sequence[Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """Return the results over arrays; what follows from the other arguments is kept for the next call like it."""
        # 1, 1.0 and True are equal, but other constants.
        others = ",".join("" if at in arrays else repr(value) for at, value in enumerate(values))
        key = f"{others};{','.join(kwargs)}"
        call = self._calls.get(key)
        if call is None:
            program, columns = self.bound(args, kwargs, lambda value: kind_of(value) is not None)
            count = len(args)
            places = self._columns.bind(*range(count), **dict(zip(kwargs, range(count, len(values)), strict=True)))
            if len(self._calls) > _KEPT:
                self._calls.clear()
            call = ArraysCall.of(program, {name: places.arguments[name] for name in columns}, self.errors)
            self._calls[key] = call
        return call.run(arrays)

    def bound(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], is_column: Callable[[Any], bool]
    ) -> tuple[Program, dict[str, Any]]:
        """Return the program with constants in place of the parameters that are no columns, and its columns in order.

        Raises:
            TypeError: The arguments do not fit the parameters.
        """
        try:
            bound = self._columns.bind(*args, **kwargs)
        except TypeError as reason:
            name = self.program.name
            raise TypeError(misfit(name, self._columns, tuple(args), kwargs) or f"{name}: {reason}") from None
        columns = {name: value for name, value in bound.arguments.items() if is_column(value)}
        numbers = {name: value for name, value in bound.arguments.items() if name not in columns}
        program = self.with_numbers(numbers, columns)
        return program, {name: columns[name] for name in program.inputs}

    def with_numbers(self, numbers: Mapping[str, Any], columns: Collection[str] = ()) -> Program:
        """Return the program with numbers in place of parameters, and defaults of those that are no columns."""
        numbers = dict(numbers)
        program = self._variant(columns, {name: numbers.pop(name) for name in self.program.fixed if name in numbers})
        for name, value in numbers.items():
            _check_constant(self.program.name, name, value)
        defaults = {name: value for name, value in program.defaults.items() if name not in columns}
        return program.with_constants({**defaults, **numbers})

    def _variant(self, columns: Collection[str], fixed: Mapping[str, Any]) -> Program:
        """Return the program for parameters that it must know."""
        name = self.program.name
        for parameter in columns:
            if parameter in self.program.fixed:
                msg = f"{name}: parameter '{parameter}' is known when the function is compiled; it takes no column"
                raise TypeError(msg)
        wanted = {**self.program.fixed, **fixed}
        key = repr(wanted)  # 1, 1.0 and True are equal, but other constants
        if key == repr(dict(self.program.fixed)):
            return self.program
        if key not in self._variants:
            if self.function is None:
                msg = f"{name} has lost its Python function in a pickle; it keeps {dict(self.program.fixed)}"
                raise TypeError(msg)
            translator, options = self._how
            self._variants[key] = translator(python_of(self.function), fixed=wanted, **options)
        return self._variants[key]

    def _run(self, args: Sequence[Any], kwargs: Mapping[str, Any], over: IntoColumns | None) -> Any:
        name = self.program.name
        if over is not None or (self.program.state and not self.is_loop):
            what = "over" if over is not None else "a state"
            msg = f"{name} with {what} needs columns: {name}('price'), by name or as Polars expressions"
            raise TypeError(msg)
        if self.function is None:
            msg = f"{name} has lost its Python function in a pickle; call it with columns, by name or as expressions"
            raise TypeError(msg)
        for value in [*args, *kwargs.values()]:
            if self.is_loop:
                break
            if type(value).__module__.partition(".")[0] in ("pandas", "polars", "pyarrow"):
                msg = f"{name} takes columns, such as names, expressions or Series, not a {type(value).__name__}"
                raise TypeError(msg)
        return self.function(*args, **kwargs)

    def ir(self, **types: Literal["float", "int", "bool", "str"]) -> str:
        """Return what was understood of the function: its operations with their types, as they are compiled.

        Args:
            types: The types of parameters; others are floats, or their default if they have one.

        Raises:
            TypeError: A parameter is unknown, or the function cannot be compiled for these types.
        """
        return shown(self.program, types)

    def explain(self) -> str:
        """Return a text that says what the function does, and which kernels of the catalog do the same.

        The function and the kernels are run on the same rows, and their results are compared bit by bit.
        """
        from hypostyle._functions.explain import explained

        return explained(self)

    def __repr__(self) -> str:
        return f"<hypostyle function {self.program.name}({', '.join(self._columns.parameters)})>"

    def __reduce__(self) -> tuple[Any, ...]:
        where = None
        if self.function is not None:
            where = self.function.__module__, self.function.__qualname__
        return _restored, (self.program, where, self._columns, self.errors, self._how, self.is_loop)


def _restored(
    program: Program,
    where: tuple[str, str] | None,
    signature: inspect.Signature,
    errors: Errors,
    how: How,
    is_loop: bool,
) -> Function[..., Any]:
    """Return the function of a pickle: its program is data; the Python function is looked up, and may be gone."""
    found: Any = None
    if where is not None:
        found = sys.modules.get(where[0])
        if found is None:
            try:
                found = __import__(where[0], fromlist=["_"])
            except ImportError:
                found = None
        for part in where[1].split("."):
            found = getattr(found, part, None)
    function = found.function if isinstance(found, Function) else found
    return Function(program, function if callable(function) else None, signature, errors, how, is_loop=is_loop)


def check_errors(function: str, errors: object) -> None:
    if errors not in _ERRORS:
        msg = f"{function}: errors must be one of 'null', 'raise', not {errors!r}"
        raise ValueError(msg)


def _check_constant(function: str, parameter: str, value: object) -> None:
    if hasattr(value, "__len__") and not isinstance(value, str):
        msg = (
            f"{function}: parameter '{parameter}' takes a column (a name or a Polars expression) or a number, "
            f"not a {type(value).__name__}"
        )
        raise TypeError(msg)


def made(function: Any, errors: Errors, how: How) -> Function[..., Any]:
    """Translate a function."""
    translator, options = how
    program = translator(function, **options)
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if program.state:
        parameters = parameters[1:]
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    return Function(program, function, inspect.Signature(plain), errors, how)


class Jit:
    """Compile a Python function of numbers into a function of columns.

    It is a decorator, `@hs.jit` or `@hs.jit(errors="raise")`, a function, and an engine of pandas 3:
    `frame.apply(f, axis=1, engine=hs.jit)` for a function of a row, `series.map(f, engine=hs.jit)` for one of a value.

    Args:
        errors: What a row gives on which Python raises: "null", or "raise" for an error.
        outputs: The names of the result's fields, if the function returns a tuple.

    Examples:
        >>> import hypostyle as hs
        >>> import polars as pl
        >>> @hs.jit
        ... def ratio(a, b):
        ...     return a / b if b > 0 else None
        >>> pl.DataFrame({"a": [1.0, 2.0], "b": [4.0, 0.0]}).select(ratio("a", "b"))["a"].to_list()
        [0.25, None]
        >>> ratio(pl.Series([3.0]), 2).to_list()
        [1.5]
        >>> ratio(3.0, 2.0)
        1.5
    """

    def __init__(self, errors: Errors = "null", outputs: Sequence[str] | None = None) -> None:
        check_errors("hs.jit", errors)
        self.errors: Errors = errors
        self.outputs = outputs

    @overload
    def __call__(
        self, function: Callable[P, R], *, errors: Errors | None = ..., outputs: Sequence[str] | None = ...
    ) -> Function[P, R]: ...
    @overload
    def __call__(
        self, function: str, *, errors: Errors | None = ..., outputs: Sequence[str] | None = ...
    ) -> Function[..., Any]: ...
    @overload
    def __call__(
        self, function: None = ..., *, errors: Errors | None = ..., outputs: Sequence[str] | None = ...
    ) -> Jit: ...
    def __call__(
        self,
        function: Callable[..., Any] | str | None = None,
        *,
        errors: Errors | None = None,
        outputs: Sequence[str] | None = None,
    ) -> Function[..., Any] | Jit:
        """Compile a function.

        Args:
            function: The function, or its text: `hs.jit("lambda x: x + 1")`.  Without it, a decorator.
            errors: What a row gives on which Python raises: "null" (the default), or "raise" for an error.
            outputs: The names of the result's fields, if the function returns a tuple.

        Returns:
            The compiled function.

        Raises:
            UnsupportedError: The function uses Python that is not compiled.
        """
        errors = self.errors if errors is None else errors
        outputs = self.outputs if outputs is None else outputs
        if function is None:
            return Jit(errors, outputs)
        plain = function_from_text(function) if isinstance(function, str) else python_of(function)
        return made(plain, errors, (translate, {"outputs": outputs}))

    @property
    def __pandas_udf__(self) -> PandasEngine:
        """What pandas calls if this is the `engine` of `apply` or `map`."""
        from hypostyle._functions.pandas_engine import PandasEngine

        return PandasEngine(self)

    def __repr__(self) -> str:
        return "hs.jit" if self.errors == "null" and self.outputs is None else f"hs.jit(errors={self.errors!r})"


jit = Jit()


def scan(
    *, errors: Errors = "null", outputs: Sequence[str] | None = None, **state: StartValue
) -> Callable[[Callable[Concatenate[Any, P], Any]], Function[P, Any]]:
    """Compile a Python function of a state and numbers into a function of columns, whose rows follow each other.

    The function gets the state as its first parameter, and returns the next state and the row's result.

    Args:
        errors: What a row gives on which Python raises: "null", or "raise" for an error.
        outputs: The names of the result's fields, if the result is a tuple.
        state: The fields of the state, with what they are before the first row.

    Returns:
        A decorator.

    Raises:
        UnsupportedError: The function uses Python that is not compiled.
        ValueError: There is no state.
    """
    if not state:
        msg = "hs.scan needs the fields of the state: @hs.scan(total=0.0); without a state use hs.jit"
        raise ValueError(msg)

    def decorate(function: Callable[Concatenate[Any, P], Any]) -> Function[P, Any]:
        how = (translate_scan, {"state": state, "outputs": outputs})
        return cast("Function[P, Any]", made(python_of(function), errors, how))

    return decorate


def python_of(function: Any) -> Any:
    """Return the Python function below a compiled one, ours or numba's."""
    if isinstance(function, Function):
        return function.function
    return getattr(function, "py_func", function)
