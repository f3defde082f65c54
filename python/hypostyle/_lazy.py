"""Stages inside Polars' streaming engine: kernels over a LazyFrame in bounded memory.

The stage is an IO source whose generator pulls the rows of the LazyFrame before it batch by batch, advances the stage
and yields.  Polars pushes into a source the columns it wants, a predicate and a number of rows; what may be pushed
further up, past the kernels, is decided in `_source`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from hypostyle import _native
from hypostyle._errors import ColumnNotFoundError
from hypostyle._expr import check_distinct, kernels_of
from hypostyle._frame import POLARS, needed, refuse_missing
from hypostyle._spec import Spec
from hypostyle._stage import Stage

_FACE = "LazyFrame.hs.with_columns"


@pl.api.register_lazyframe_namespace("hs")
class LazyKernels:
    """Hypostyle's part of a LazyFrame: `lf.hs`."""

    def __init__(self, frame: pl.LazyFrame) -> None:
        self._frame = frame

    def with_columns(
        self,
        *exprs: object,
        state: str | os.PathLike[str] | Stage | None = None,
        save: str | os.PathLike[str] | None = None,
        **named: Any,
    ) -> pl.LazyFrame:
        """Add kernels' columns, batch by batch, in bounded memory.

        Polars' own `with_columns` holds the whole column in memory; here a stage runs in the streaming engine.  Rows
        keep their order.  Columns, predicates and row limits that Polars pushes down give the right answer: a predicate
        acts on the rows after the kernels have seen them all.

        Args:
            exprs: kernels, with their columns given by name.
            state: a file that `save` wrote, or a `Stage`, to go on from.  Without `exprs` its kernels run; with `exprs`
                they must be the same.  Every run starts from this state; a `Stage` given here isn't changed.
            save: a file for the state after the last row.  It is written when the rows have all been read, never when
                the query fails or stops early.  A projection or a `head` of the stage's own rows (but for `head(0)`)
                keeps no rows from being read; a `head` or `slice` after a filter may stop the query.
            named: kernels by the names of their outputs.

        Returns:
            A LazyFrame with the columns added, or replaced where there were columns of these names.

        Raises:
            ValueError: a kernel can't run on a stream, an input is a computed expression, or `state` is of others.
            ColumnNotFoundError: the frame lacks a column.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> lf = pl.LazyFrame({"symbol": ["a", "b", "a"], "price": [1.0, 5.0, 3.0]})
            >>> lf = lf.hs.with_columns(hs.expanding_mean("price", over="symbol").alias("mean"))
            >>> lf.filter(pl.col("symbol") == "a").collect()["mean"].to_list()
            [1.0, 2.0]
        """
        stages = _stages(exprs, named, state, save)
        by_stage = {spec.output_name: spec for stage in stages for spec in stage._specs}
        order = [spec.output_name for spec in kernels_of(exprs, named, _FACE)] if exprs or named else list(by_stage)
        specs = [by_stage[name] for name in order]
        schema = self._frame.collect_schema()
        empty = schema.to_frame()
        if not set(schema) >= set(needed(specs)):
            refuse_missing(POLARS, empty, specs)
        for missing in {name for stage in stages for name in stage._columns} - set(schema):
            msg = f"{_FACE}: the input has no column '{missing}', by which the stage given as 'state' tells the time"
            raise ColumnNotFoundError(msg)
        outputs = _native.output_fields(POLARS.select(empty, needed(specs)), [spec.json for spec in specs])
        whole_schema = dict(schema) | dict(pl.DataFrame(outputs).schema)
        target = None if save is None else Path(save)
        whole = state is not None or save is not None

        def source(
            columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
        ) -> Iterator[pl.DataFrame]:
            wanted = list(whole_schema) if columns is None else columns
            return _source(self._frame, list(schema), stages, whole, target, wanted, predicate, n_rows)

        return register_io_source(
            source,
            schema=whole_schema,
            explain_name="hypostyle",
            explain_detail=", ".join(f"{spec.output_name} = {spec.name}" for spec in specs),
        )


def _stages(
    exprs: tuple[object, ...],
    named: dict[str, Any],
    state: str | os.PathLike[str] | Stage | None,
    save: str | os.PathLike[str] | None,
) -> list[Stage]:
    """The stages that run one beside the other: one for each `over`, and just one where state is kept."""
    if state is not None:
        specs = kernels_of(exprs, named, _FACE) if exprs or named else None
        if not isinstance(state, Stage):
            wanted = None if specs is None else [spec.json for spec in specs]
            return [Stage._wrap(_native.Stage.load(state, wanted))]
        if specs is not None and [spec.normal for spec in specs] != [spec.normal for spec in state._specs]:
            msg = (
                f"{_FACE}: the stage given as 'state' has other kernels: {_listed(state._specs)} instead of "
                f"{_listed(specs)}; give no kernels to go on with its own"
            )
            raise ValueError(msg)
        return [state.copy()]
    specs = kernels_of(exprs, named, _FACE)
    check_distinct(specs)
    if save is not None:
        return [_stage(specs)]
    groups: dict[tuple[str, ...], list[Spec]] = {}
    for spec in specs:
        groups.setdefault(spec.over, []).append(spec)
    return [_stage(group) for group in groups.values()]


def _stage(specs: list[Spec]) -> Stage:
    return Stage._wrap(_native.Stage([spec.json for spec in specs]))


def _kept(stages: list[Stage], wanted: set[str]) -> list[list[Spec]]:
    kept = [[spec for spec in stage._specs if spec.output_name in wanted] for stage in stages]
    return [specs for specs in kept if specs]


def _listed(specs: list[Spec]) -> str:
    return ", ".join(spec.json for spec in specs)


def _source(
    frame: pl.LazyFrame,
    inputs: list[str],
    stages: list[Stage],
    whole: bool,
    save: Path | None,
    columns: list[str],
    predicate: pl.Expr | None,
    n_rows: int | None,
) -> Iterator[pl.DataFrame]:
    given = {spec.output_name for stage in stages for spec in stage._specs}
    wanted = set(columns)
    if predicate is not None:
        wanted |= set(predicate.meta.root_names())
    # Kernels whose outputs nobody wants need not run; a stage whose state is kept has to stay whole.
    running = [stage.copy() for stage in stages] if whole else [_stage(kept) for kept in _kept(stages, wanted)]
    read = {name for stage in running for name in stage._columns} | (wanted - given)
    # Even where no column is wanted, the rows are counted.
    frame = frame.select([name for name in inputs if name in read] or inputs[:1])
    if n_rows is not None and save is None:
        frame = frame.head(n_rows)
    left = n_rows
    last: pl.DataFrame | None = None  # the piece that fills n_rows, held back until the state is saved
    for batch in _gathered(frame, running):
        piece = batch
        for stage in running:
            outputs = stage._running.advance(POLARS.select(batch, stage._columns))
            piece = POLARS.attach(piece, outputs, stage._specs)
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
            if save is None:
                break
        else:
            yield piece
    if save is not None:
        running[0].save(save)
    if last is not None:
        yield last


# Batches have at least so many rows for each key, as fetching a key's state costs more than a row of it; and at most so
# many rows, as memory is bounded.
_ROWS_PER_KEY = 10
_MOST_ROWS = 1 << 20


def _gathered(frame: pl.LazyFrame, stages: list[Stage]) -> Iterator[pl.DataFrame]:
    """The batches of a LazyFrame, put together to larger ones where there are many keys."""
    waiting: list[pl.DataFrame] = []
    rows = 0
    for batch in frame.collect_batches(maintain_order=True):
        waiting.append(batch)
        rows += batch.height
        keys = max((stage.keys for stage in stages), default=0)
        if rows >= min(_ROWS_PER_KEY * keys, _MOST_ROWS):
            yield pl.concat(waiting) if len(waiting) > 1 else waiting[0]
            waiting, rows = [], 0
    if waiting:
        yield pl.concat(waiting)
