"""`hs.explain`: what a kernel, a compiled function, a stage, a LazyFrame with stages or a pipeline does, as text."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from hypostyle._expr import KernelExpr
from hypostyle._functions.explain import explained
from hypostyle._functions.functions import Function
from hypostyle._functions.program import Program
from hypostyle._functions.shown import shown
from hypostyle._lazy import Source
from hypostyle._pipeline import Pipeline
from hypostyle._plan import sources_of
from hypostyle._spec import Spec
from hypostyle._stage import Stage


def explain(what: KernelExpr | Function[..., Any] | Stage | pl.LazyFrame | Pipeline) -> str:
    """Return a text that says what a kernel does, or the kernels of a stage, a LazyFrame or a pipeline.

    Of each kernel it says the formula, the columns that it reads, the window and the keys.  For a compiled function it
    says which kernels of the catalog do the same: they are tried on the same rows.

    Args:
        what: The expression of a kernel; a function that `hs.jit`, `hs.scan` or `hs.loop` made; a `Stage`; a LazyFrame
            with the stages of `LazyFrame.hs.with_columns`, which are shown from the last to the first, each with
            Polars' plan of its input; or a `Pipeline`: its plan, for which its input is opened, as `Pipeline.check`
            does.

    Returns:
        A text of several lines.

    Raises:
        TypeError: It is none of these.
        ValueError: The LazyFrame has no stage.  An error of a pipeline.

    Examples:
        >>> import hypostyle as hs
        >>> import polars as pl
        >>> print(hs.explain(hs.jit("lambda x, y: x * 0.5 + y * 2.0")))
        function(x, y): a function of a row
        the same on 64 rows, also with nulls: hs.row_dot(['x', 'y'], [0.5, 2.0])
        >>> mean = hs.rolling_mean("price", "5m", by="ts", over="symbol").alias("m5")
        >>> print(hs.explain(mean))
        m5 = rolling_mean("price", "5m", by="ts", over="symbol")
          Arithmetic mean of the values in a moving window.
          y[i] = mean of x[j] for j in the window of row i
          reads   price, ts, symbol
          window  5m of ts
          keys    symbol: the rows of each key are a sequence of their own
        >>> print(hs.explain(pl.LazyFrame({"x": [1.0]}).hs.with_columns(hs.expanding_max("x"))))
        with_columns, batch by batch: 1 kernel
          x = expanding_max("x")
            Largest value so far.
            y[i] = max of x[j] for j <= i
            reads   x
            window  all rows so far
          input
            DF ["x"]; PROJECT */1 COLUMNS
    """
    if isinstance(what, Function):
        return explained(what)
    if isinstance(what, KernelExpr):
        return "\n".join(_kernel(what._kernel))
    if isinstance(what, Stage):
        return "\n".join([f"stage: {', '.join(_facts(what))}", *_indented(_kernels(what._specs))])
    if isinstance(what, pl.LazyFrame):
        return "\n".join(_lazy(what))
    if isinstance(what, Pipeline):
        return what.check()
    msg = (
        "hs.explain takes the expression of a kernel, a compiled function, a Stage, a LazyFrame with stages or a "
        f"Pipeline, not a {type(what).__name__}"
    )
    raise TypeError(msg)


def _kernel(spec: Spec) -> Iterator[str]:
    """Yield what a kernel does."""
    yield f"{spec.output_name} = {spec.call}"
    yield f"  {spec.entry['summary']}"
    yield f"  {spec.entry['formula']}"
    reads = [str(spec.computed[name][1]) if name in spec.computed else name for name in spec.columns]
    yield f"  reads   {', '.join(reads)}"
    yield f"  window  {_window(spec)}"
    if spec.over:
        yield f"  keys    {', '.join(spec.over)}: the rows of each key are a sequence of their own"
    program = spec.parameters.get("program") if spec.entry["family"] == "function" else None
    if program is not None:
        yield "  understood, for columns of floats:"
        yield from (f"    {line}" for line in _understood(program))


def _window(spec: Spec) -> str:
    """Return the rows that a result depends on, in words."""
    window, by = spec.parameters.get("window"), spec.parameters.get("by")
    if window is None:
        return "all rows so far" if spec.depends_on_order else "the row alone"
    if isinstance(window, Mapping):
        ((bound, column),) = window.items()
        column = str(spec.computed[column][1]) if column in spec.computed else column
        words = f"its length is in the column {column}" if bound == "length" else f"its start is in the column {column}"
        words += ", in rows of the key" if by is None else f", in terms of {by}"
    else:
        words = f"{window} {'row' if window == 1 else 'rows'}" if by is None else f"{window} of {by}"
    if spec.parameters.get("center"):
        words += ", centered on the row"
    closed = spec.parameters.get("closed", "right")
    return words if closed == "right" else f"{words}, closed: {closed}"


def _kernels(specs: Iterable[Spec]) -> Iterator[str]:
    for spec in specs:
        yield from _kernel(spec)


def _facts(stage: Stage) -> Iterator[str]:
    yield f"{len(stage._specs)} {'kernel' if len(stage._specs) == 1 else 'kernels'}"
    yield from (f"{value} {name}" for name, value in stage._facts().items())


def _lazy(frame: pl.LazyFrame) -> Iterator[str]:
    """Yield what the stages of a LazyFrame do, the last one first."""
    sources = list(sources_of(frame, Source))
    if not sources:
        msg = (
            "hs.explain: the LazyFrame has no stage: LazyFrame.hs.with_columns makes one; "
            "LazyFrame.explain() prints Polars' plan, pass a kernel itself to explain it"
        )
        raise ValueError(msg)
    for source in sources:
        count = len(source.specs)
        yield f"with_columns, batch by batch: {count} {'kernel' if count == 1 else 'kernels'}"
        yield from _indented(_kernels(source.specs))
        yield "  input"
        yield textwrap.indent(source.frame.explain(), "    ")
        if any(True for _ in sources_of(source.frame, Source)):
            yield from _lazy(source.frame)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _understood(text: str) -> list[str]:
    plain = json.loads(text)
    state = tuple((name, start) for name, start in plain["state"])
    program = Program(plain["name"], tuple(plain["inputs"]), state, tuple(plain["outputs"]), plain["body"])
    try:
        return shown(program, {}).splitlines()
    except (TypeError, ValueError) as error:
        return [f"not compiled for floats: {error}"]
