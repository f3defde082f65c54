"""A stage: kernels that keep their state from one batch of rows to the next."""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

import polars as pl

from hypostyle import _native
from hypostyle._expr import KernelExpr, check_distinct, kernels_of
from hypostyle._frame import adapter_of, needed, select
from hypostyle._spec import IntoDuration, Spec, from_json, plain

Frame = TypeVar("Frame")


class Stage:
    """Kernels with their state, fed batch by batch.

    However the rows are cut into batches, the outputs are the same to the bit as for one batch.  The state survives the
    process: `save` it, `load` it elsewhere and go on.  A batch that raises leaves the state as it was.  Threads may
    share a stage; their calls follow one another.

    Args:
        exprs: kernels with the same `over`, such as `hs.rolling_mean("price", 20, over="symbol").alias("m20")`; their
            columns are given by name.
        threads: how many threads a batch may use; by default POLARS_MAX_THREADS, or as many as there are cores.
        time: a column of dates, timestamps or integers that tells when a key was last seen, for `forget`; needless
            where the kernels have a time column `by`.  Unlike that it may go back and hold nulls.

    Raises:
        ValueError: the kernels can't share a stage, one can't run on a stream (a centred window), or an input is a
            computed expression.

    Examples:
        >>> import hypostyle as hs
        >>> import polars as pl
        >>> stage = hs.Stage([hs.rolling_mean("price", 2, over="symbol").alias("m2")])
        >>> stage.advance(pl.DataFrame({"symbol": ["a", "b"], "price": [1.0, 5.0]}))["m2"].to_list()
        [None, None]
        >>> stage.peek(pl.DataFrame({"symbol": ["a"], "price": [9.0]}))["m2"].to_list()
        [5.0]
        >>> stage.advance(pl.DataFrame({"symbol": ["a", "b"], "price": [3.0, 7.0]}))["m2"].to_list()
        [2.0, 6.0]
    """

    _running: _native.Stage
    _specs: list[Spec]
    _columns: list[str]

    def __init__(
        self, exprs: KernelExpr | Iterable[KernelExpr], *, threads: int | None = None, time: str | None = None
    ) -> None:
        self._specs = kernels_of([exprs] if isinstance(exprs, KernelExpr) else [list(exprs)], {}, "Stage")
        check_distinct(self._specs)
        self._columns = _columns_of(self._specs, time)
        self._running = _native.Stage([spec.json for spec in self._specs], threads, time)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int | None = None) -> Stage:
        """The stage that was saved to `path`, ready to go on.

        Args:
            path: a file that `save` wrote; any Arrow IPC reader opens it.
            threads: how many threads a batch may use.

        Raises:
            ValueError: the file is damaged, or of another version.
            OSError: the file can't be read.
        """
        return cls._wrap(_native.Stage.load(path, threads=threads))

    @classmethod
    def _wrap(cls, native: _native.Stage) -> Stage:
        stage = cls.__new__(cls)
        stage._running = native
        stage._specs = [from_json(text) for text in native.specs()]
        stage._columns = _columns_of(stage._specs, native.time())
        return stage

    def advance(self, frame: Frame) -> Frame:
        """The frame with the kernels' columns added; its rows are kept in the state.

        Args:
            frame: the next rows, as a frame of Polars or pandas or a Table or RecordBatch of pyarrow.

        Raises:
            ColumnNotFoundError: the frame lacks a column.
            TypeError: a column's type doesn't suit, or differs from earlier batches.
            ValueError: the time column isn't sorted or has nulls.
        """
        adapter = adapter_of(frame, "Stage.advance")
        outputs = self._running.advance(select(adapter, frame, self._specs, self._columns))
        return cast("Frame", adapter.attach(frame, outputs, self._specs))

    def peek(self, frame: Frame) -> Frame:
        """What `advance` would give, with the state left as it is.

        The states of the frame's keys are copied for it, so over many keys it takes up to twice as long.
        """
        adapter = adapter_of(frame, "Stage.peek")
        outputs = self._running.peek(select(adapter, frame, self._specs, self._columns))
        return cast("Frame", adapter.attach(frame, outputs, self._specs))

    def begin(self, schema: pl.Schema | Mapping[str, pl.DataType | type[pl.DataType]] | pl.DataFrame) -> None:
        """Tell the types of the columns before the first row, for rows that come alone.

        Args:
            schema: the columns that the kernels read, and their types; or a frame that has them.

        Raises:
            ColumnNotFoundError: a column is missing.
            TypeError: a column's type doesn't suit, or the stage knows it to be another.
        """
        frame = schema.clear() if isinstance(schema, pl.DataFrame) else pl.DataFrame(schema=dict(schema))
        self._running.begin(select(adapter_of(frame, "Stage.begin"), frame, self._specs, self._columns))

    def advance_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The kernels' answers to one row, which is kept in the state.

        The answers are those of `advance` on a frame of this row, and come in a few microseconds: no frame is made.
        The GIL is kept meanwhile, unless another thread is at the stage.

        Args:
            row: a value for each column that the kernels read, by name; `None` is null.  More may be in it.  Dates and
                times are objects of `datetime`, or integers as the column holds them.

        Returns:
            The answers by the names of their columns; a struct as a dict, or `None` where no field has a value.

        Raises:
            ColumnNotFoundError: the row lacks a column.
            TypeError: a column can't hold a value.
            ValueError: the time goes back; or the stage knows no types yet, because it has seen no frame: call `begin`.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage(hs.rolling_mean("price", 2, over="symbol").alias("m2"))
            >>> stage.begin({"symbol": pl.String, "price": pl.Float64})
            >>> stage.advance_row({"symbol": "a", "price": 1.0})
            {'m2': None}
            >>> stage.peek_row({"symbol": "a", "price": 9.0})
            {'m2': 5.0}
            >>> stage.advance_row({"symbol": "a", "price": 3.0})
            {'m2': 2.0}
        """
        return self._running.advance_row(row if isinstance(row, dict) else dict(row))

    def peek_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What `advance_row` would give, with the state left as it is."""
        return self._running.peek_row(row if isinstance(row, dict) else dict(row))

    def merge(self, other: Stage) -> None:
        """Take the keys of another stage in, so that their rows can go on here; the other one stays as it is.

        Args:
            other: a stage of the same kernels and types that has seen none of this one's keys.

        Raises:
            ValueError: the kernels or types differ, both have seen a key, or there are no keys.  Nothing is changed.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage(hs.expanding_sum("x", over="key").alias("sum"))
            >>> _ = stage.advance(pl.DataFrame({"key": [1, 2, 3], "x": [1.0, 2.0, 3.0]}))
            >>> low, high = stage.split([3])
            >>> high.advance_row({"key": 3, "x": 1.0})
            {'sum': 4.0}
            >>> low.merge(high)
            >>> low.advance_row({"key": 3, "x": 1.0})
            {'sum': 5.0}
        """
        if not isinstance(other, Stage):
            msg = f"Stage.merge takes another Stage, not a {type(other).__name__}"
            raise TypeError(msg)
        self._running.merge(other._running)

    def split(self, borders: int | Iterable[Any] | pl.DataFrame) -> list[Stage]:
        """Share the keys among new stages, by ranges, to move work elsewhere; this one stays as it is.

        Args:
            borders: the least key of each stage but the first, in increasing order: values of the first key column,
                tuples of the first key columns, or a frame of them.  Nulls come before everything, and strings are in
                the order of their bytes.  Or the number of stages: each then gets about as many keys.

        Returns:
            One stage more than there are borders.

        Raises:
            ValueError: the borders don't increase or don't suit the key columns, or the stage has no keys.
        """
        if isinstance(borders, numbers.Integral) and not isinstance(borders, bool):
            if borders < 1:
                msg = f"Stage.split needs a positive number of stages, not {borders}"
                raise ValueError(msg)
            return [self._wrap(part) for part in self._running.split_evenly(int(borders))]
        if isinstance(borders, pl.DataFrame):
            if borders.columns != list(self._specs[0].over[: borders.width]):
                msg = f"Stage.split needs borders in the columns {list(self._specs[0].over)}, not {borders.columns}"
                raise ValueError(msg)
        else:
            borders = _border_rows(borders)
        if borders.is_empty():
            return [self.copy()]
        return [self._wrap(part) for part in self._running.split(borders)]

    def forget(self, *, before: Any = None, idle_for: IntoDuration | None = None) -> int:
        """Forget the keys that had no row for long, so that memory stays bounded when keys come and go.

        A key that comes again begins anew.  A row's time is that of the column `time` of the stage, or else of the
        kernels' time column `by`; rows without a time don't count.

        Args:
            before: forget the keys whose last row is earlier than this: a `datetime` for a column of them, a `date` for
                dates, or an integer as the time column holds it.
            idle_for: forget the keys whose last row is earlier than the latest of all rows by more than this: `"1h"`, a
                `timedelta`, or `"100i"` for a column of integers.

        Returns:
            How many keys were forgotten.

        Raises:
            ValueError: the stage has no time column, or no keys.
            TypeError: neither or both are given, or a value doesn't suit the time column.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage(hs.expanding_sum("x", over="key").alias("sum"), time="minute")
            >>> _ = stage.advance(pl.DataFrame({"key": ["a", "b"], "minute": [1, 90], "x": [1.0, 2.0]}))
            >>> stage.forget(idle_for="60i")
            1
            >>> stage.keys
            1
        """
        span = None if idle_for is None else _duration(idle_for)
        return self._running.forget(before, span)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state to `path`: whole or not at all, even when the process dies meanwhile.

        Raises:
            OSError: the file can't be written.
        """
        self._running.save(path)

    def state(self) -> pl.DataFrame:
        """The state as a frame to read: one row a key, in the order in which the keys were first seen.

        Returns:
            The key columns, the last times, and for each kernel the fields of its state, named `OUTPUT:FIELD` as in a
            saved file.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage(hs.rolling_sum("price", 2, over="symbol").alias("sum"))
            >>> _ = stage.advance(pl.DataFrame({"symbol": ["a", "b", "a"], "price": [1.0, 5.0, 3.0]}))
            >>> stage.state().select("symbol", "sum:rows").rows()
            [('a', [1.0, 3.0]), ('b', [5.0])]
        """
        return pl.DataFrame(self._running.state())

    def state_bytes(self) -> int:
        """How much memory the state takes, in bytes."""
        return self._running.state_bytes()

    def copy(self) -> Stage:
        """A stage of its own with the same state, for what-if questions; `peek` asks one for a few rows."""
        return self._wrap(self._running.copy())

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._running.to_bytes(),)

    def __copy__(self) -> Stage:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Stage:
        return self.copy()

    @property
    def rows(self) -> int:
        """How many rows the stage has seen."""
        return self._running.rows()

    @property
    def keys(self) -> int:
        """How many keys the stage holds; 1 without keys, once the types are known."""
        return self._running.keys()

    @property
    def kernels(self) -> list[KernelExpr]:
        """The kernels as expressions."""
        return [KernelExpr(spec) for spec in self._specs]

    def __repr__(self) -> str:
        kernels = ", ".join(f"{spec.output_name}={spec.name}" for spec in self._specs)
        over = f", over={list(self._specs[0].over)}" if self._specs[0].over else ""
        return f"Stage({kernels}{over})"


def _unpickled(state: bytes) -> Stage:
    return Stage._wrap(_native.Stage.from_bytes(state))


def _columns_of(specs: list[Spec], time: str | None) -> list[str]:
    return list(dict.fromkeys([*needed(specs), *([] if time is None else [time])]))


def _border_rows(borders: object) -> pl.DataFrame:
    """Borders as a frame: a column for each key column that they name."""
    if isinstance(borders, str | bytes | bool) or not isinstance(borders, Iterable) or hasattr(borders, "columns"):
        msg = f"Stage.split takes a number of stages, a list of borders or a Polars frame of them, not {borders!r}"
        raise TypeError(msg)
    rows = [border if isinstance(border, tuple) else (border,) for border in borders]
    if len({len(row) for row in rows}) > 1 or any(value is None for row in rows for value in row):
        msg = "Stage.split needs borders that all name the same key columns, and none of them null"
        raise ValueError(msg)
    width = len(rows[0]) if rows else 0
    frame = pl.DataFrame({str(at): [row[at] for row in rows] for at in range(width)}, strict=False)
    return frame.with_columns(pl.col(pl.Int128).cast(pl.UInt64, strict=True))


def _duration(value: IntoDuration) -> str:
    """A duration as Rust reads it; an integer counts steps of an integer column."""
    if isinstance(value, int):
        return f"{value}i"
    return str(plain("forget", "idle_for", value))
