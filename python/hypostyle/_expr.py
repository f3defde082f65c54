"""The expression that every kernel function returns: Polars' own, which also remembers its kernel."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
from polars.plugins import register_plugin_function

from hypostyle import _native
from hypostyle._spec import CATALOGUE, IntoColumns, Spec, make_spec


class KernelExpr(pl.Expr):
    """A Polars expression that remembers which kernel it is.

    Polars runs it like any other expression.  `hypostyle.with_columns`, `hypostyle.Stage` and `LazyFrame.hs` read the
    kernel from it.  `.alias()` keeps the memory; every other method gives a plain `polars.Expr`, since `expr + 1` is no
    kernel any more.
    """

    _kernel: Spec

    def __init__(self, spec: Spec) -> None:
        self._kernel = spec
        self._pyexpr = _plugin(spec)._pyexpr

    @classmethod
    def _from_pyexpr(cls, pyexpr: Any) -> pl.Expr:
        return pl.Expr._from_pyexpr(pyexpr)

    def alias(self, name: str) -> KernelExpr:
        """Name the output."""
        return KernelExpr(self._kernel.with_alias(name))

    def __reduce__(self) -> tuple[Any, ...]:
        return KernelExpr, (self._kernel,)


def kernel_expression(name: str, over: IntoColumns | None = None, **arguments: Any) -> KernelExpr:
    """The expression of the kernel `name`; arguments that are `None` count as not given."""
    return KernelExpr(make_spec(name, over, arguments))


def kernels_of(expressions: Iterable[object], named: dict[str, Any], face: str) -> list[Spec]:
    """The kernels of expressions, for a face that runs kernels alone."""
    specs = []
    for expression in flatten(expressions, named):
        if not isinstance(expression, KernelExpr):
            msg = (
                f"{face} takes hypostyle's kernels, not {_shown(expression)}; "
                "compute other expressions with with_columns of the frame, before or after"
            )
            raise TypeError(msg)
        specs.append(expression._kernel.by_names_alone(face))
    if not specs:
        msg = f"{face} needs at least one kernel, such as hs.rolling_mean('price', 20)"
        raise ValueError(msg)
    return specs


def flatten(expressions: Iterable[object], named: dict[str, Any]) -> list[object]:
    """Expressions given one by one, in lists, or by name, as Polars' `with_columns` takes them."""
    flat: list[object] = []
    for expression in expressions:
        if isinstance(expression, list | tuple) or hasattr(expression, "__next__"):
            flat.extend(expression)  # type: ignore[arg-type]
        else:
            flat.append(expression)
    flat.extend(value.alias(name) if isinstance(value, pl.Expr) else value for name, value in named.items())
    return flat


def _shown(value: object) -> str:
    return f"the expression {value}" if isinstance(value, pl.Expr) else f"a {type(value).__name__}"


def _plugin(spec: Spec) -> pl.Expr:
    columns = spec.columns
    inputs = [spec.computed[name][1] if name in spec.computed else pl.col(name) for name in columns]
    expression = register_plugin_function(
        plugin_path=Path(_native.__file__),
        function_name="kernel",
        args=inputs,
        kwargs={"spec": spec.json, "columns": columns},
        is_elementwise=CATALOGUE[spec.name]["family"] == "row",
    )
    return expression if spec.alias is None else expression.alias(spec.alias)
