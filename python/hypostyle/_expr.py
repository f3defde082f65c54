"""The expression that every kernel function returns: a Polars expression that knows its kernel."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from polars.plugins import register_plugin_function

from hypostyle._library import BUILTIN, path_of
from hypostyle._spec import Spec, library_for, make_spec


class KernelExpr(pl.Expr):
    """A Polars expression that knows its kernel.

    Polars runs it like any other expression.  `hypostyle.with_columns`, `hypostyle.Stage` and `LazyFrame.hs` read the
    kernel from it.  `.alias()` keeps the kernel.  Every other method returns a plain `polars.Expr`: `expr + 1` is not a
    kernel.
    """

    _kernel: Spec
    _unnamed: pl.Expr

    def __init__(self, spec: Spec, unnamed: pl.Expr | None = None) -> None:
        """`unnamed` is the same expression without its alias, if there is one already."""
        self._kernel = spec
        self._unnamed = _plugin([spec], as_struct=False) if unnamed is None else unnamed
        self._pyexpr = (self._unnamed if spec.alias is None else self._unnamed.alias(spec.alias))._pyexpr

    @classmethod
    def _from_pyexpr(cls, pyexpr: Any) -> pl.Expr:
        return pl.Expr._from_pyexpr(pyexpr)

    def alias(self, name: str) -> KernelExpr:
        """Name the output."""
        # Without input columns the alias is the only name, which Rust wants.
        return KernelExpr(self._kernel.with_alias(name), self._unnamed if self._kernel.columns else None)

    def __repr__(self) -> str:
        return self._kernel.call + ("" if self._kernel.alias is None else f".alias({json.dumps(self._kernel.alias)})")

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"

    def __reduce__(self) -> tuple[Any, ...]:
        return KernelExpr, (self._kernel,)


def kernel_expression(name: str, given: Mapping[str, Any], **first: pl.Expr) -> KernelExpr:
    """Return the expression of the kernel `name`; arguments that are `None` take their default.

    `given` holds the local variables of the kernel's function: its parameters and `over`.  `first` is the input of a
    method.
    """
    return KernelExpr(make_spec(name, given.get("over"), {**first, **given} if first else given))


def kernels_of(expressions: Iterable[object], named: dict[str, Any], caller: str) -> list[Spec]:
    """Return the kernels of expressions, for an interface that runs only kernels."""
    specs = []
    for expression in flatten(expressions, named):
        if not isinstance(expression, KernelExpr):
            raise TypeError(_not_a_kernel(expression, named, caller))
        specs.append(expression._kernel.by_names_alone(caller))
    if not specs:
        msg = f"{caller} needs at least one kernel, such as hs.rolling_mean('price', 20)"
        raise ValueError(msg)
    return specs


def flatten(expressions: Iterable[object], named: dict[str, Any]) -> list[object]:
    """Flatten expressions given one by one, in lists, or by name, as Polars' `with_columns` takes them."""
    flat: list[object] = []
    for expression in expressions:
        if isinstance(expression, pl.Expr):
            flat.append(expression)
        elif isinstance(expression, list | tuple) or hasattr(expression, "__next__"):
            flat.extend(expression)  # type: ignore[arg-type]
        else:
            flat.append(expression)
    flat.extend(value.alias(name) if isinstance(value, pl.Expr) else value for name, value in named.items())
    return flat


def _not_a_kernel(value: object, named: Mapping[str, object], caller: str) -> str:
    """Return the error for what an interface cannot run, with where it belongs."""
    if isinstance(value, pl.Expr) and _runs_kernels(value):
        rest = "the struct's fields" if caller == "hs.struct" else "the frame that comes out"
        return (
            f"{caller} takes hypostyle kernels themselves, not an expression made of them\n"
            f"help: pass each kernel, named with .alias('m'), and compute the rest on {rest}, such as pl.col('m') - 1"
        )
    for name, given in named.items():
        if given is value and not isinstance(value, pl.Expr):
            return (
                f"{caller} takes hypostyle kernels, not a {type(value).__name__}: {name}= names an output column\n"
                f"help: parameters of a kernel go into its own call, such as hs.rolling_mean('price', 20, {name}=...)"
            )
    other = "pl.struct" if caller == "hs.struct" else "the frame's own with_columns, before or after"
    return f"{caller} takes hypostyle kernels, not {_shown(value)}\nhelp: compute other expressions with {other}"


def _runs_kernels(expression: pl.Expr) -> bool:
    """Return whether a kernel is part of an expression; Polars shows the file of a plugin's library."""
    return f"{path_of(BUILTIN)}:" in str(expression)


def _shown(value: object) -> str:
    return f"the expression {value}" if isinstance(value, pl.Expr) else f"a {type(value).__name__}"


def struct(*exprs: KernelExpr | Iterable[KernelExpr], **named: KernelExpr) -> pl.Expr:
    """Combine several kernels into one expression: a struct with one field per kernel.

    Polars evaluates each expression separately, so each kernel with `over` groups the rows by key again.  The kernels
    of one struct group them only once, and run on several threads.  `.struct.unnest()` turns the fields into columns.

    Over a LazyFrame use `LazyFrame.hs.with_columns`, which needs memory for a batch instead of all rows.  Or unnest the
    frame, `lf.with_columns(s=hs.struct(...)).unnest("s")`: for `.struct.unnest()` Polars' streaming engine computes the
    struct once per field.

    Args:
        exprs: Kernels, such as `hs.rolling_mean("price", 20, over="symbol").alias("m20")`.
        named: Kernels by field name.

    Returns:
        An expression of type Struct, named after its first input column.

    Raises:
        TypeError: An argument is not a kernel.
        ValueError: Two fields, or two computed inputs, have the same name.

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
            raise TypeError(_not_a_kernel(expression, named, "hs.struct"))
        specs.append(_of_single_columns(expression._kernel))
    if not specs:
        msg = "hs.struct needs at least one kernel, such as hs.rolling_mean('price', 20)"
        raise ValueError(msg)
    check_distinct(specs)
    return _plugin(specs, as_struct=True)


def _of_single_columns(spec: Spec) -> Spec:
    """Return the kernel; raise if an input is several columns, of which Polars would make a struct each."""
    for parameter, expression in spec.computed.values():
        if expression.meta.has_multiple_outputs():
            msg = (
                f"{spec.name}: parameter '{parameter}' is several columns, {expression}; hs.struct takes a kernel per "
                f"column: hs.struct(hs.{spec.name}(name, ...) for name in names)"
            )
            raise ValueError(msg)
    return spec


def check_distinct(specs: Sequence[Spec]) -> None:
    """Raise if the outputs of two kernels have the same name."""
    seen: dict[str, Spec] = {}
    for spec in specs:
        if (other := seen.setdefault(spec.output_name, spec)) is not spec:
            msg = (
                f"{other.shown_name} and {spec.shown_name} have the same output name '{spec.output_name}'; "
                "rename one with .alias()"
            )
            raise ValueError(msg)


def _plugin(specs: Sequence[Spec], *, as_struct: bool) -> pl.Expr:
    library = library_for(specs, "hs.struct")
    inputs: dict[str, pl.Expr] = {}
    for spec in specs:
        for name in spec.columns:
            own = spec.computed[name][1] if name in spec.computed else pl.col(name)
            if name in inputs and not own.meta.eq(inputs[name]):
                msg = (
                    f"two different inputs of the struct have the name '{name}'; rename the computed one with .alias()"
                )
                raise ValueError(msg)
            inputs[name] = own
    # The name of the function is all that Polars shows of it in its plans.
    named = not as_struct and specs[0].name in library.PLUGIN_NAMES
    return register_plugin_function(
        plugin_path=path_of(library),
        function_name=specs[0].name if named else "kernel",
        args=list(inputs.values()),
        kwargs={"specs": [spec.json for spec in specs], "columns": list(inputs), "as_struct": as_struct},
        is_elementwise=all(spec.entry["family"] == "row" for spec in specs),
    )
