"""Stages inside Polars' streaming engine: kernels over a LazyFrame in bounded memory.

The stage is an IO source: a generator that reads the LazyFrame before it batch by batch, advances the stage and yields.
Polars pushes projections, a predicate and a row limit into a source.  `Source` decides which of them may be pushed
further up, past the kernels.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import polars as pl
from polars.io.plugins import register_io_source

from hypostyle._errors import ColumnNotFoundError, RowOrderWarning, warn
from hypostyle._expr import KernelExpr, check_distinct, kernels_of
from hypostyle._frame import POLARS, adapter_of, needed, refuse_missing, select
from hypostyle._plan import row_order_lost_by
from hypostyle._progress import bars
from hypostyle._spec import CATALOG, Spec, library_for
from hypostyle._stage import Stage, loaded
from hypostyle._suggestions import no_attribute

_CALLER = "LazyFrame.hs.with_columns"

Batch = TypeVar("Batch", bound=Sized)


@pl.api.register_lazyframe_namespace("hs")
class LazyKernels:
    """The `hs` namespace of a LazyFrame: `lf.hs`."""

    def __init__(self, frame: pl.LazyFrame) -> None:
        self._frame = frame

    if not TYPE_CHECKING:  # to type checkers every name would exist

        def __getattr__(self, name: str) -> object:
            owner = "the namespace `hs` of a LazyFrame"
            if name in CATALOG:
                advice = f"pass the kernel to with_columns: lf.hs.with_columns(hs.{name}(...))"
                raise AttributeError(f"{owner} has no attribute '{name}'\nhelp: {advice}", name=name)
            raise no_attribute(owner, name, dir(self), "lf.hs.")

    def with_columns(
        self,
        *exprs: KernelExpr | Iterable[KernelExpr],
        state: str | os.PathLike[str] | Stage | None = None,
        save_state: str | os.PathLike[str] | None = None,
        progress: bool | Callable[[int], Any] = False,
        **named: KernelExpr,
    ) -> pl.LazyFrame:
        """Add kernels' columns, batch by batch, in bounded memory.

        Polars' own `with_columns` holds whole columns in memory; here a stage runs in the streaming engine.  Rows keep
        their order.  Projections, predicates and row limits that Polars pushes down do not change results: a predicate
        applies to the rows after the kernels have processed them all.  `hypostyle.explain` says what the stages of a
        LazyFrame do.

        Args:
            exprs: Kernels whose inputs are column names.
            state: A file that `save_state` or `Stage.save` wrote, or a `Stage`, to continue from.  Without `exprs` its
                kernels run (custom ones only from a `Stage`); with `exprs` they must be the same.  Every run starts
                from this state; a `Stage` given here is not changed.
            save_state: A file for the state after the last row.  It is written when all rows have been read, never when
                the query fails or stops early.  With a projection or a `head` of the stage's own rows (except
                `head(0)`) all rows are still read; a `head` or `slice` after a filter may stop the query.
            progress: `True` for a progress bar, which needs the package tqdm; or a function that is called for each
                batch with the number of rows read so far, on a thread of Polars.  An exception in it stops the query.
            named: Kernels by output name.

        Returns:
            A LazyFrame with the columns added; columns with the same name are replaced.

        Warns:
            RowOrderWarning: A kernel depends on the order of the rows, and the plan before it defines none: after a
                join, `group_by` or `unique` without `maintain_order`, an `unpivot` or a union.  Sort the rows, or give
                the kernel a time column `by`: then it checks their order.

        Raises:
            ImportError: `progress=True` without tqdm.
            ValueError: A kernel cannot run on a stream, an input is a computed expression, or the kernels of `state`
                differ.
            ColumnNotFoundError: A column is missing.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> lf = pl.LazyFrame({"symbol": ["a", "b", "a"], "price": [1.0, 5.0, 3.0]})
            >>> lf = lf.hs.with_columns(hs.expanding_mean("price", over="symbol").alias("mean"))
            >>> lf.filter(pl.col("symbol") == "a").collect()["mean"].to_list()
            [1.0, 2.0]
        """
        stages = stages_of(_CALLER, exprs, named, state, save_state)
        by_stage = {spec.output_name: spec for stage in stages for spec in stage._specs}
        order = [spec.output_name for spec in kernels_of(exprs, named, _CALLER)] if exprs or named else list(by_stage)
        specs = [by_stage[name] for name in order]
        schema = self._frame.collect_schema()
        empty = schema.to_frame()
        if not set(schema) >= set(needed(specs)):
            refuse_missing(POLARS, empty, specs)
        for missing in {name for stage in stages for name in stage._columns} - set(schema):
            msg = f"{_CALLER}: the input has no column '{missing}', which the stage given as 'state' reads"
            raise ColumnNotFoundError(msg)
        library = library_for(specs, _CALLER)
        outputs = library.output_fields(POLARS.select(empty, needed(specs)), [spec.json for spec in specs])
        _check_order(self._frame, specs)
        if progress is True:
            bars(_CALLER)  # raises now, not when the query runs
        source = Source(
            self._frame,
            list(schema),
            dict(schema) | dict(pl.DataFrame(outputs).schema),
            specs,
            stages,
            state is not None or save_state is not None,
            None if save_state is None else Path(save_state),
            progress,
        )
        return register_io_source(
            source,
            schema=source.schema,
            explain_name="hypostyle",
            explain_detail=", ".join(f"{spec.output_name} = {spec.call}" for spec in specs),
        )


def _check_order(frame: pl.LazyFrame, specs: list[Spec]) -> None:
    """Warn if a kernel depends on an order that the rows do not have."""
    ordered = next((spec for spec in specs if spec.depends_on_order and not spec.time_columns), None)
    if ordered is not None and (operation := row_order_lost_by(frame)) is not None:
        takes_time = any(parameter["name"] == "by" for parameter in ordered.entry["parameters"])
        msg = (
            f"{_CALLER}: {ordered.shown_name} depends on the order of the rows, but the input's plan defines none "
            f"after this operation: {operation}; sort the rows after it, .sort(...), or set its maintain_order"
            + (", or give the kernel a time column, by=..." if takes_time else "")
        )
        warn(msg, RowOrderWarning)


def stages_of(
    caller: str,
    exprs: tuple[object, ...],
    named: dict[str, Any],
    state: str | os.PathLike[str] | Stage | None,
    save_state: str | os.PathLike[str] | None,
) -> list[Stage]:
    """The stages that run side by side: one per `over`, and a single one if state is kept."""
    if state is not None:
        specs = kernels_of(exprs, named, caller) if exprs or named else None
        if not isinstance(state, Stage):
            wanted = None if specs is None else [spec.json for spec in specs]
            library = library_for(specs or (), caller)
            return [Stage._wrap(loaded(library, state, wanted), library)]
        if specs is not None and [spec.normal for spec in specs] != [spec.normal for spec in state._specs]:
            msg = (
                f"{caller}: the stage given as 'state' has other kernels: {_listed(state._specs)} instead of "
                f"{_listed(specs)}; pass no kernels to continue with its own"
            )
            raise ValueError(msg)
        return [state.copy()]
    specs = kernels_of(exprs, named, caller)
    check_distinct(specs)
    if save_state is not None:
        return [_stage(specs)]
    groups: dict[tuple[str, ...], list[Spec]] = {}
    for spec in specs:
        groups.setdefault(spec.over, []).append(spec)
    return [_stage(group) for group in groups.values()]


def _stage(specs: list[Spec]) -> Stage:
    library = library_for(specs, _CALLER)
    return Stage._wrap(library.Stage([spec.json for spec in specs]), library)


def _kept(stages: list[Stage], wanted: set[str]) -> list[list[Spec]]:
    kept = [[spec for spec in stage._specs if spec.output_name in wanted] for stage in stages]
    return [specs for specs in kept if specs]


def _listed(specs: list[Spec]) -> str:
    return ", ".join(spec.shown for spec in specs)


@dataclass(frozen=True, eq=False)
class Source:
    """The stages of a LazyFrame, as Polars reads them: a function of what it pushes down.

    Args:
        frame: The LazyFrame before the stages.
        inputs: Its columns.
        schema: Its columns, and those that the kernels add.
        specs: The kernels, in the order in which they were given.
        stages: The kernels by `over`, with the state that every run starts from.
        keeps_state: Whether the state is read or saved, so that every kernel must run.
        save_state: The file for the state after the last row.
        progress: Whether to draw a bar, or a function that gets the number of rows.
    """

    frame: pl.LazyFrame
    inputs: list[str]
    schema: dict[str, pl.DataType]
    specs: list[Spec]
    stages: list[Stage]
    keeps_state: bool
    save_state: Path | None
    progress: bool | Callable[[int], Any]

    def __call__(
        self, columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        """Return the batches with these columns, of rows that match, up to a number of rows."""
        return self._run(list(self.schema) if columns is None else columns, predicate, n_rows)

    def _run(self, columns: list[str], predicate: pl.Expr | None, n_rows: int | None) -> Iterator[pl.DataFrame]:
        given = {spec.output_name for spec in self.specs}
        wanted = set(columns)
        if predicate is not None:
            wanted |= set(predicate.meta.root_names())
        # Kernels with unused outputs need not run; a stage whose state is kept has to stay whole.
        running = (
            [stage.copy() for stage in self.stages]
            if self.keeps_state
            else [_stage(kept) for kept in _kept(self.stages, wanted)]
        )
        read = {name for stage in running for name in stage._columns} | (wanted - given)
        # Rows are counted even if no column is read.
        frame = self.frame.select([name for name in self.inputs if name in read] or self.inputs[:1])
        if n_rows is not None and self.save_state is None and not any(stage._late != "error" for stage in running):
            frame = frame.head(n_rows)
        left = n_rows
        last: pl.DataFrame | None = None  # the piece that fills n_rows, held back until the state is saved
        batches = gathered(frame.collect_batches(maintain_order=True), running, pl.concat)
        for batch in _reported(batches, self.progress):
            piece = advance_all(running, batch)
            if left is not None:
                if last is not None:
                    continue
                piece = piece.head(left)
                left -= piece.height
            if predicate is not None:
                piece = piece.filter(predicate)
            piece = piece.select(columns)
            if left == 0:
                last = piece
                if self.save_state is None:
                    break
            else:
                yield piece
        if self.save_state is not None:
            running[0].save(self.save_state)
        if last is not None:
            yield last


def advance_all(stages: list[Stage], batch: Batch) -> Batch:
    """Return a batch with the columns of several stages, which all read the batch as it came."""
    if stages and stages[0]._late != "error":  # then it is the only one
        return stages[0].advance(batch)
    adapter = adapter_of(batch, _CALLER)
    result: Any = batch
    for stage in stages:
        outputs = stage._running.advance(select(adapter, batch, stage._specs, stage._columns))
        result = adapter.attach(result, outputs, stage._specs)
    return cast("Batch", result)


def _reported(batches: Iterator[pl.DataFrame], progress: bool | Callable[[int], Any]) -> Iterator[pl.DataFrame]:
    """Yield batches, and report the rows so far with each."""
    if progress is False:
        yield from batches
    elif progress is True:
        with bars(_CALLER)(unit="row", unit_scale=True) as shown:
            for batch in batches:
                shown.update(batch.height)
                yield batch
    else:
        rows = 0
        for batch in batches:
            rows += batch.height
            progress(rows)
            yield batch


# A batch has at least this many rows per key, because fetching the state of a key costs more than a row; and at most
# this many rows, because memory is bounded.
_ROWS_PER_KEY = 10
_MOST_ROWS = 1 << 20


def gathered(batches: Iterable[Batch], stages: list[Stage], concat: Callable[[list[Batch]], Batch]) -> Iterator[Batch]:
    """Yield batches, combined into larger ones if there are many keys."""
    for waiting in groups(batches, stages):
        yield concat(waiting) if len(waiting) > 1 else waiting[0]


def groups(
    batches: Iterable[Batch], stages: list[Stage], rows_per_key: int = _ROWS_PER_KEY, most_rows: int = _MOST_ROWS
) -> Iterator[list[Batch]]:
    """Yield lists of batches that together have so many rows per key, or so many in all."""
    waiting: list[Batch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += len(batch)
        keys = max((stage.n_keys for stage in stages), default=0)
        if rows >= min(rows_per_key * keys, most_rows):
            yield waiting
            waiting, rows = [], 0
    if waiting:
        yield waiting
