"""`hs.jit`, `hs.scan`: the decorators, and the functions that they make."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import Any, Literal, TypeAlias, overload

import polars as pl

from hypostyle._expr import KernelExpr
from hypostyle._functions.program import Program
from hypostyle._functions.source import function_from_text
from hypostyle._functions.translate import translate, translate_scan
from hypostyle._spec import IntoColumns, make_spec

Errors: TypeAlias = Literal["null", "raise"]

How: TypeAlias = "tuple[Callable[..., Program], dict[str, Any]]"
"""A function that translates, with its options."""

_ERRORS = ("null", "raise")


class Function:
    """A compiled function: called with columns it returns an expression, called with numbers it runs as Python.

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
        if errors not in _ERRORS:
            msg = f"{program.name}: errors must be one of 'null', 'raise', not {errors!r}"
            raise ValueError(msg)
        if "over" in signature.parameters:
            msg = f"{program.name}: a parameter cannot be named 'over': it takes the key columns; rename it"
            raise ValueError(msg)
        self.program = program
        self.function = function
        self.errors = errors
        self.is_loop = is_loop
        self._columns = signature
        self._how = how
        self._variants: dict[tuple[Any, ...], Program] = {}
        if function is not None:
            update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, over: IntoColumns | None = None, **kwargs: Any) -> Any:
        """Return the expression of the columns given, or run the Python function if there are none.

        Args:
            args: A column for each parameter (a name or a Polars expression), or a number in its place.
            over: The key columns: the rows of each key are a sequence of their own.
            kwargs: The same by the parameters' names.

        Raises:
            TypeError: The arguments do not fit the parameters.
        """
        if not any(isinstance(value, str | pl.Expr) for value in [*args, *kwargs.values()]):
            return self._run(args, kwargs, over)
        try:
            bound = self._columns.bind(*args, **kwargs)
        except TypeError as reason:
            msg = f"{self.program.name}: {reason}"
            raise TypeError(msg) from None
        columns = {name: value for name, value in bound.arguments.items() if isinstance(value, str | pl.Expr)}
        numbers = {name: value for name, value in bound.arguments.items() if name not in columns}
        program = self._variant(columns, {name: numbers.pop(name) for name in self.program.fixed if name in numbers})
        for name, value in numbers.items():
            _check_constant(self.program.name, name, value)
        defaults = {name: value for name, value in program.defaults.items() if name not in columns}
        program = program.with_constants({**defaults, **numbers})
        given = [columns[name] for name in program.inputs]
        arguments = {"columns": given, "program": program.json, "errors": self.errors}
        return KernelExpr(make_spec("program", over, arguments))

    def _variant(self, columns: Mapping[str, Any], fixed: Mapping[str, Any]) -> Program:
        """Return the program for parameters that it must know."""
        name = self.program.name
        for parameter in columns:
            if parameter in self.program.fixed:
                msg = f"{name}: parameter '{parameter}' is known when the function is compiled; it takes no column"
                raise TypeError(msg)
        wanted = {**self.program.fixed, **fixed}
        if wanted == self.program.fixed:
            return self.program
        key = tuple(wanted.items())
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
            if isinstance(value, pl.Series) or type(value).__module__.partition(".")[0] == "pandas":
                msg = f"{name} takes columns by name or as Polars expressions, not a {type(value).__name__}"
                raise TypeError(msg)
        return self.function(*args, **kwargs)

    def ir(self) -> str:
        """Return the program as text."""
        return json.dumps(self.program.plain, indent=1)

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
) -> Function:
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


def _check_constant(function: str, parameter: str, value: object) -> None:
    if hasattr(value, "__len__") and not isinstance(value, str):
        msg = (
            f"{function}: parameter '{parameter}' takes a column (a name or a Polars expression) or a number, "
            f"not a {type(value).__name__}"
        )
        raise TypeError(msg)


def made(function: Any, errors: Errors, how: How) -> Function:
    """Translate a function."""
    translator, options = how
    program = translator(function, **options)
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if program.state:
        parameters = parameters[1:]
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    return Function(program, function, inspect.Signature(plain), errors, how)


@overload
def jit(
    function: Callable[..., Any] | str, *, errors: Errors = ..., outputs: Sequence[str] | None = ...
) -> Function: ...
@overload
def jit(
    function: None = ..., *, errors: Errors = ..., outputs: Sequence[str] | None = ...
) -> Callable[[Callable[..., Any]], Function]: ...
def jit(
    function: Callable[..., Any] | str | None = None,
    *,
    errors: Errors = "null",
    outputs: Sequence[str] | None = None,
) -> Function | Callable[[Callable[..., Any]], Function]:
    """Compile a Python function of numbers into a function of columns.

    Args:
        function: The function, or its text: `hs.jit("lambda x: x + 1")`.  Without it, a decorator.
        errors: What a row gives on which Python raises: "null", or "raise" for an error.
        outputs: The names of the result's fields, if the function returns a tuple.

    Returns:
        The compiled function.

    Raises:
        UnsupportedError: The function uses Python that is not compiled.
    """
    if function is None:
        return lambda given: jit(given, errors=errors, outputs=outputs)
    plain = function_from_text(function) if isinstance(function, str) else python_of(function)
    return made(plain, errors, (translate, {"outputs": outputs}))


def scan(
    *, errors: Errors = "null", outputs: Sequence[str] | None = None, **state: float | bool | None
) -> Callable[[Callable[..., Any]], Function]:
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

    def decorate(function: Callable[..., Any]) -> Function:
        how = (translate_scan, {"state": state, "outputs": outputs})
        return made(python_of(function), errors, how)

    return decorate


def python_of(function: Any) -> Any:
    """Return the Python function below a compiled one, ours or numba's."""
    if isinstance(function, Function):
        return function.function
    return getattr(function, "py_func", function)
