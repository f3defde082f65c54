"""The expression that every kernel function returns: Polars' own, which also remembers its kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        expression = _plugin([spec], as_struct=False)
        self._pyexpr = (expression if spec.alias is None else expression.alias(spec.alias))._pyexpr

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


def struct(*exprs: KernelExpr | Iterable[KernelExpr], **named: KernelExpr) -> pl.Expr:
    """Several kernels as one expression: a struct with a field for each.

    Polars runs every expression for itself, so that each kernel with `over` tells the keys apart anew.  Kernels of one
    struct do it once, and run on several threads at that.  `.struct.unnest()` makes columns of the fields.

    Args:
        exprs: kernels, such as `hs.rolling_mean("price", 20, over="symbol").alias("m20")`.
        named: kernels by the names of their fields.

    Returns:
        An expression of type Struct, named after its first input column.

    Raises:
        TypeError: something else than a kernel is given.
        ValueError: two fields, or two computed inputs, have the same name.

    Examples:
        >>> import hypostyle as hs
        >>> import polars as pl
        >>> frame = pl.DataFrame({"symbol": ["a", "b", "a"], "price": [1.0, 5.0, 3.0]})
        >>> kernels = hs.struct(
        ...     mean=hs.expanding_mean("price", over="symbol"), last=hs.rolling_sum("price", 1, over="symbol")
        ... )
        >>> frame.with_columns(kernels.struct.unnest())["mean"].to_list()
        [1.0, 5.0, 2.0]
    """
    specs = []
    for expression in flatten(exprs, dict(named)):
        if not isinstance(expression, KernelExpr):
            msg = f"hs.struct takes hypostyle's kernels, not {_shown(expression)}; use pl.struct for other expressions"
            raise TypeError(msg)
        specs.append(expression._kernel)
    if not specs:
        msg = "hs.struct needs at least one kernel, such as hs.rolling_mean('price', 20)"
        raise ValueError(msg)
    check_distinct(specs)
    return _plugin(specs, as_struct=True)


def check_distinct(specs: Sequence[Spec]) -> None:
    """Refuses kernels whose outputs have the same name."""
    seen: dict[str, Spec] = {}
    for spec in specs:
        if (other := seen.setdefault(spec.output_name, spec)) is not spec:
            msg = f"both {other.name} and {spec.name} would give a column '{spec.output_name}'; name one with .alias()"
            raise ValueError(msg)


def _plugin(specs: Sequence[Spec], *, as_struct: bool) -> pl.Expr:
    inputs: dict[str, pl.Expr] = {}
    for spec in specs:
        for name in spec.columns:
            own = spec.computed[name][1] if name in spec.computed else pl.col(name)
            if not own.meta.eq(inputs.setdefault(name, own)):
                msg = f"two different inputs of the struct are called '{name}'; name the computed one with .alias()"
                raise ValueError(msg)
    return register_plugin_function(
        plugin_path=Path(_native.__file__),
        function_name="kernel",
        args=list(inputs.values()),
        kwargs={"specs": [spec.json for spec in specs], "columns": list(inputs), "as_struct": as_struct},
        is_elementwise=all(CATALOGUE[spec.name]["family"] == "row" for spec in specs),
    )
