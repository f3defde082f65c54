"""Kernels over any stream of Arrow: batches are pulled one by one, in bounded memory, and are a stream again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypostyle._expr import KernelExpr
from hypostyle._lazy import advance_all, gathered, stages_of
from hypostyle._stage import Stage

if TYPE_CHECKING:
    import pyarrow

_CALLER = "stream"

# Batches that are larger are cut, because a stage reads a batch as a whole.
_MOST_ROWS = 1 << 18


def stream(
    source: Any,
    *exprs: KernelExpr | Iterable[KernelExpr],
    state: str | os.PathLike[str] | Stage | None = None,
    save: str | os.PathLike[str] | None = None,
    **named: KernelExpr,
) -> Stream:
    """Add kernels' columns to a stream of Arrow data, batch by batch, in bounded memory.

    Nothing is read before the result is.  Rows keep their order: the source must have them in the order in which the
    kernels take them.  Needs pyarrow.

    Args:
        source: An object with `__arrow_c_stream__`: a relation of DuckDB, a reader or table of pyarrow, a frame of
            Polars, pandas, Daft, Ibis or narwhals, a reader of ADBC, or of Arrow Flight after `to_reader()`.
        exprs: Kernels whose inputs are column names.
        state: A file that `save` or `Stage.save` wrote, or a `Stage`, to continue from; it is not changed.  Without
            `exprs` its kernels run; with `exprs` they must be the same.
        save: A file for the state after the last row.  It is written when all rows have been read, and not before.
        named: Kernels by output name.

    Returns:
        A stream: it has `__arrow_c_stream__` itself, and is an iterable of batches of pyarrow.

    Raises:
        TypeError: `source` has no `__arrow_c_stream__`.
        ColumnNotFoundError: A column is missing.  This and other errors about columns come when the stream is read.
        ValueError: A kernel cannot run on a stream, an input is a computed expression, or the kernels of `state`
            differ.
        ImportError: pyarrow is not installed.

    Examples:
        >>> import hypostyle as hs
        >>> import polars as pl
        >>> ticks = pl.DataFrame({"symbol": ["a", "b", "a"], "price": [1.0, 5.0, 3.0]})
        >>> stream = hs.stream(ticks, hs.expanding_mean("price", over="symbol").alias("mean"))
        >>> pl.DataFrame(stream)["mean"].to_list()
        [1.0, 5.0, 2.0]
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        msg = f"{_CALLER} needs pyarrow\nhelp: pip install 'hypostyle[pyarrow]'"
        raise ImportError(msg) from error
    if not hasattr(source, "__arrow_c_stream__"):
        advice = (
            "pass its to_reader()"  # Arrow Flight
            if hasattr(source, "to_reader")
            else "relations of DuckDB, frames of Polars and pandas, tables and readers of pyarrow have it; a "
            "LazyFrame of Polars has kernels of its own: lf.hs.with_columns"
        )
        msg = (
            f"{_CALLER} takes an object with __arrow_c_stream__, not a "
            f"{type(source).__module__}.{type(source).__qualname__}\nhelp: {advice}"
        )
        raise TypeError(msg)
    return Stream(source, stages_of(_CALLER, exprs, named, state, save), None if save is None else Path(save))


class Stream:
    """What `stream` returns: Arrow data with kernels' columns, read batch by batch.

    Every reader starts from the first row again, and from the same state.  A source that can be read only once, as a
    reader of pyarrow, is an error for the second reader.
    """

    def __init__(self, source: Any, stages: list[Stage], save: Path | None) -> None:
        self._source = source
        self._stages = stages
        self._save = save
        self._read = False
        self._ended: Stage | None = None

    @property
    def stage(self) -> Stage:
        """The stage after the last row.

        Raises:
            ValueError: The stream was not read to its end, or its kernels have several `over`, each a stage.
        """
        if self._ended is None:
            several = len(self._stages) > 1
            reason = "its kernels have different `over`" if several else "it has not been read to its end"
            msg = f"{_CALLER}: the stream has no stage to continue with: {reason}"
            raise ValueError(msg)
        return self._ended.copy()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the stream for other libraries: the Arrow PyCapsule interface."""
        return self.reader().__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Iterator[pyarrow.RecordBatch]:
        """Return the batches."""
        return iter(self.reader())

    def reader(self) -> pyarrow.RecordBatchReader:
        """Return a reader of pyarrow, for libraries that take no other stream."""
        import pyarrow

        if self._read and isinstance(self._source, pyarrow.RecordBatchReader):
            msg = (
                f"{_CALLER}: the source is a reader of pyarrow, which was read already\n"
                "help: keep the result in a table, pyarrow.table(stream), or pass a source that can be read again"
            )
            raise ValueError(msg)
        self._read = True
        source = pyarrow.RecordBatchReader.from_stream(self._source)
        stages = [stage.copy() for stage in self._stages]
        none = pyarrow.RecordBatch.from_pylist([], schema=source.schema)
        schema = advance_all([stage.copy() for stage in stages], none).schema
        return pyarrow.RecordBatchReader.from_batches(schema, self._run(source, stages, schema))

    def _run(
        self, source: pyarrow.RecordBatchReader, stages: list[Stage], schema: pyarrow.Schema
    ) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        for batch in gathered(_cut(source), stages, pyarrow.concat_batches):
            done = advance_all(stages, batch)
            yield pyarrow.RecordBatch.from_arrays(done.columns, schema=schema)
        if self._save is not None:
            stages[0].save(self._save)
        if len(stages) == 1:
            self._ended = stages[0]


def _cut(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
    """Yield batches that are not too large."""
    for batch in batches:
        for start in range(0, batch.num_rows, _MOST_ROWS):
            yield batch.slice(start, _MOST_ROWS)
