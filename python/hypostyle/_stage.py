"""A stage: kernels that keep their state from one batch of rows to the next."""

from __future__ import annotations

import numbers
import os
import sys
import tarfile
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any, TypeAlias, TypeVar, cast

import polars as pl

from hypostyle import _durations, _native
from hypostyle._expr import KernelExpr, check_distinct, kernels_of
from hypostyle._frame import Adapter, adapter_of, needed, select
from hypostyle._html import size, table
from hypostyle._late import Late, checked, frame_of_row
from hypostyle._library import BUILTIN, Library, library_named, library_of
from hypostyle._spec import IntoDuration, Spec, check_column_name, from_json, library_for, plain
from hypostyle._suggestions import explained
from hypostyle._times import InexactTimeError

Frame = TypeVar("Frame")
IntoSchema: TypeAlias = "pl.Schema | Mapping[str, pl.DataType | type[pl.DataType]] | pl.DataFrame"


class Stage:
    """Kernels with their state, advanced batch by batch.

    Results are bit-identical to those of one whole frame, wherever one batch ends and the next begins.  The state
    outlives the process: `save` it, then `load` it elsewhere and continue.  A batch that raises leaves the state
    unchanged.  Threads may share a stage; their calls run one after another.

    Args:
        exprs: Kernels with the same `over`, such as `hs.rolling_mean("price", 20, over="symbol").alias("m20")`.  Their
            inputs are column names.
        threads: Number of threads per batch.  Default: POLARS_MAX_THREADS, or the number of cores.
        time_column: A column of dates, timestamps or integers that says when a key was last seen, for `evict`.  Not
            needed if the kernels have a time column `by`.  Unlike that column it may decrease and hold nulls.
        order_by: A column of dates, timestamps or integers that must be sorted within each key and must not hold nulls,
            as the time column `by` of a kernel: a check for kernels that count rows.  It is part of the state.
        late: What happens to rows that come late: an earlier row of their key has a later value of `order_by`.
            `"error"` raises and leaves the state unchanged; `"drop"` leaves the rows out of state and results, and
            counts them in `n_late`; a function also gets them, as a frame of the kind that was passed in (or as the
            row).

    Raises:
        ValueError: The kernels cannot share a stage, one cannot run on a stream (a centered window), or an input is a
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

        >>> stage = hs.Stage(hs.cum_sum("x").alias("sum"), order_by="at", late="drop")
        >>> stage.advance(pl.DataFrame({"at": [1, 5, 4, 6], "x": [1.0, 2.0, 9.0, 3.0]})).rows()
        [(1, 1.0, 1.0), (5, 2.0, 3.0), (6, 3.0, 6.0)]
        >>> stage.n_late
        1
    """

    _library: Library
    _running: _native.Stage
    _specs: list[Spec]
    _columns: list[str]
    # The categories of the Enum columns, which Arrow knows only as strings; `None` before the first frame or schema.
    _enums: dict[str, frozenset[str]] | None
    _late: Late
    _n_late: int
    _counting: threading.Lock

    @explained
    def __init__(
        self,
        exprs: KernelExpr | Iterable[KernelExpr],
        *,
        threads: int | None = None,
        time_column: str | None = None,
        order_by: str | None = None,
        late: Late = "error",
    ) -> None:
        is_list = isinstance(exprs, Iterable) and not isinstance(exprs, str | Mapping)
        self._specs = kernels_of(cast("Iterable[object]", exprs) if is_list else [exprs], {}, "Stage")
        check_distinct(self._specs)
        for parameter, name in (("time_column", time_column), ("order_by", order_by)):
            if name is not None:
                check_column_name("Stage", parameter, name)
        self._columns = _columns_of(self._specs, time_column, order_by)
        self._enums = None
        self._late, self._n_late, self._counting = checked("Stage", late, order_by), 0, threading.Lock()
        self._library = library_for(self._specs, "Stage")
        self._running = self._library.Stage([spec.json for spec in self._specs], threads, time_column, order_by)

    @classmethod
    @explained
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        threads: int | None = None,
        native: ModuleType | None = None,
        late: Late = "error",
    ) -> Stage:
        """Load a stage that `save` wrote.

        Args:
            path: A file that `save` wrote.  Any Arrow IPC reader opens it.
            threads: Number of threads per batch.
            native: The extension module of custom kernels in the stage: that of `hypostyle.functions`.
            late: What happens to rows that come late, as in `Stage`; a file does not hold it.

        Raises:
            ValueError: The file is damaged, or of another version.
            OSError: The file cannot be read; FileNotFoundError if it does not exist.
        """
        library = library_of(native)
        stage = cls._wrap(loaded(library, path, threads=threads), library)
        stage._late = checked("Stage.load", late, stage.order_by)
        return stage

    @classmethod
    def from_bytes(
        cls, state: bytes, *, threads: int | None = None, native: ModuleType | None = None, late: Late = "error"
    ) -> Stage:
        """Restore a stage from the bytes that `to_bytes` returned.

        Args:
            state: The bytes.
            threads: Number of threads per batch.
            native: The extension module of custom kernels in the stage: that of `hypostyle.functions`.
            late: What happens to rows that come late, as in `Stage`; the bytes do not hold it.

        Raises:
            ValueError: The bytes are damaged, or of another version.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage(hs.expanding_sum("x").alias("sum"))
            >>> _ = stage.advance(pl.DataFrame({"x": [1.0, 2.0]}))
            >>> hs.Stage.from_bytes(stage.to_bytes()).advance_row({"x": 4.0})
            {'sum': 7.0}
        """
        library = library_of(native)
        stage = cls._wrap(library.Stage.from_bytes(state, threads), library)
        stage._late = checked("Stage.from_bytes", late, stage.order_by)
        return stage

    @classmethod
    def _wrap(cls, running: _native.Stage, library: Library) -> Stage:
        stage = cls.__new__(cls)
        stage._enums = None
        stage._late, stage._n_late, stage._counting = "error", 0, threading.Lock()
        stage._library = library
        stage._running = running
        stage._specs = [from_json(text, library) for text in running.specs()]
        stage._columns = _columns_of(stage._specs, running.time_column(), running.order_by())
        return stage

    def _alike(self, running: _native.Stage) -> Stage:
        """A stage of the same kernels with another state."""
        stage = self._wrap(running, self._library)
        stage._enums, stage._late = self._enums, self._late
        return stage

    def advance(self, frame: Frame) -> Frame:
        """Return the frame with the kernels' columns added, and keep its rows in the state.

        Args:
            frame: The next rows: a frame of Polars or pandas, or a Table or RecordBatch of pyarrow.

        Raises:
            ColumnNotFoundError: A column is missing.
            TypeError: A column has a type that the kernel does not support, or another type than in earlier batches.
            ValueError: The time column, or the column `order_by`, is not sorted or has nulls.
        """
        adapter = adapter_of(frame, "Stage.advance")
        frame, outputs, late = self._in_order(adapter, frame, self._running.advance)
        if self._enums is None and isinstance(frame, pl.DataFrame):
            self._enums = _enums_of(frame.schema, self._columns)
        for rows in late:
            self._leave_out(rows, len(rows))
        return cast("Frame", adapter.attach(frame, outputs, self._specs))

    def _in_order(
        self, adapter: Adapter, frame: Any, run: Callable[[_native.Frame], _native.Batch]
    ) -> tuple[Any, _native.Batch, list[Any]]:
        """Return the rows that were run with their outputs, and those that are late, unless these are an error."""
        late: list[Any] = []
        while True:
            try:
                return frame, run(select(adapter, frame, self._specs, self._columns)), late
            except ValueError:
                if self._late == "error":
                    raise
                mask = pl.DataFrame(self._running.late(select(adapter, frame, self._specs, self._columns))).to_series()
                if not mask.any():
                    raise
                # Another thread may advance the stage in between: then more rows are late.
                late.append(adapter.filter(frame, mask))
                frame = adapter.filter(frame, ~mask)

    def _leave_out(self, rows: Any, count: int) -> None:
        with self._counting:
            self._n_late += count
        if callable(self._late):
            self._late(rows)

    def peek(self, frame: Frame) -> Frame:
        """Return the same as `advance`, without changing the state.

        The states of the frame's keys are copied for this, so that it takes up to twice as long over many keys.
        """
        adapter = adapter_of(frame, "Stage.peek")
        frame, outputs, _ = self._in_order(adapter, frame, self._running.peek)
        return cast("Frame", adapter.attach(frame, outputs, self._specs))

    def set_schema(self, schema: IntoSchema) -> None:
        """Set the types of the columns before the first row, for single rows.

        Args:
            schema: The columns that the kernels read and their types, or a frame that has them.

        Raises:
            ColumnNotFoundError: A column is missing.
            TypeError: A column has a type that the kernel does not support, or another type than in earlier batches.
        """
        self._running.set_schema(self._empty(schema, "Stage.set_schema"))
        self._enums = _enums_of(schema.schema if isinstance(schema, pl.DataFrame) else schema, self._columns)

    def advance_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the kernels' results for one row, and keep the row in the state.

        The results equal those of `advance` on a frame of this row.  They take a few microseconds, because no frame is
        made.  The GIL is held meanwhile, unless another thread is using the stage.

        Args:
            row: A value for each column that the kernels read, by name; `None` is null.  Other names are ignored.
                Dates and times are objects of `datetime`, or integers as the column holds them.

        Returns:
            The results by output name.  A struct is a dict, or `None` if all of its fields are null.  An empty dict for
            a late row that is left out.

        Raises:
            ColumnNotFoundError: The row has no value for a column.
            TypeError: A column cannot hold a value: a string that is none of an Enum's categories, or a time finer than
                the column's unit.  Values are never cut.
            ValueError: The time decreases; or the types of the columns are not known yet, because the stage has seen no
                frame: call `set_schema` first.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage(hs.rolling_mean("price", 2, over="symbol").alias("m2"))
            >>> stage.set_schema({"symbol": pl.String, "price": pl.Float64})
            >>> stage.advance_row({"symbol": "a", "price": 1.0})
            {'m2': None}
            >>> stage.peek_row({"symbol": "a", "price": 9.0})
            {'m2': 5.0}
            >>> stage.advance_row({"symbol": "a", "price": 3.0})
            {'m2': 2.0}
        """
        row = row if isinstance(row, dict) else _as_dict(row, "advance_row")
        if self._enums:
            self._check_enums(row)
        try:
            return self._running.advance_row(row)
        except InexactTimeError as error:
            raise self._named(error, row) from None
        except ValueError:
            if not self._is_late(row):
                raise
            self._leave_out(row, 1)
            return {}

    def peek_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the same as `advance_row`, without changing the state."""
        row = row if isinstance(row, dict) else _as_dict(row, "peek_row")
        if self._enums:
            self._check_enums(row)
        try:
            return self._running.peek_row(row)
        except InexactTimeError as error:
            raise self._named(error, row) from None
        except ValueError:
            if not self._is_late(row):
                raise
            return {}

    def _is_late(self, row: Mapping[str, Any]) -> bool:
        """Whether a row that was refused is one to leave out."""
        schema = self.input_schema
        if self._late == "error" or schema is None:
            return False
        frame = frame_of_row(row, schema, [*self.over, *([self.order_by] if self.order_by else [])])
        return bool(pl.DataFrame(self._running.late(frame)).item())

    def _check_enums(self, row: Mapping[str, Any]) -> None:
        for name, categories in (self._enums or {}).items():
            value = row.get(name)
            if isinstance(value, str) and value not in categories:
                msg = (
                    f"column '{name}' is an Enum without the category {value!r}; pass one of its categories, or "
                    "declare the column as pl.String or pl.Categorical in Stage.set_schema"
                )
                raise TypeError(msg)

    def _named(self, error: InexactTimeError, row: Mapping[str, Any]) -> TypeError:
        """Return the error with the column of the value."""
        return error.in_column(next(name for name in self._columns if row.get(name) is error.value))

    def merge(self, other: Stage) -> None:
        """Add the keys of another stage, so that their rows can continue here; the other stage does not change.

        Args:
            other: A stage with the same kernels and types that has seen none of this stage's keys.

        Raises:
            ValueError: The kernels or types differ, both stages have seen a key, or there are no key columns.  Neither
                stage is changed.

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
        same = other._library is self._library
        # Each library has a class of its own.
        self._running.merge(other._running if same else self._library.Stage.from_bytes(other.to_bytes()))

    def split(self, breaks: int | Iterable[Any] | pl.DataFrame) -> list[Stage]:
        """Share the keys among new stages, by ranges, to move work elsewhere; this stage does not change.

        Args:
            breaks: The smallest key of each stage except the first, in increasing order: values of the first key
                column, tuples of the first key columns, or a frame of them.  Nulls come first, and strings are in byte
                order.  Or the number of stages: each then has about as many keys.

        Returns:
            One stage more than there are breaks.

        Raises:
            ValueError: The breaks do not increase or do not match the key columns, or there are no key columns.
        """
        if isinstance(breaks, numbers.Integral) and not isinstance(breaks, bool):
            if breaks < 1:
                msg = f"Stage.split needs a positive number of stages, not {breaks}"
                raise ValueError(msg)
            return [self._alike(part) for part in self._running.split_evenly(int(breaks))]
        if isinstance(breaks, pl.DataFrame):
            if breaks.columns != self.over[: breaks.width]:
                msg = f"Stage.split needs breaks in the columns {self.over}, not {breaks.columns}"
                raise ValueError(msg)
        else:
            breaks = _break_rows(breaks)
        if breaks.is_empty():
            return [self.copy()]
        return [self._alike(part) for part in self._running.split(breaks)]

    def split_by(self, numbers: Iterable[int], count: int) -> list[Stage]:
        """Share the keys among new stages by a number for each key, such as a hash bucket; this stage does not change.

        Args:
            numbers: For each key the number of the stage that it goes to, in the order of the rows of `state`.
            count: The number of stages.

        Raises:
            ValueError: There is not one number below `count` for each key, or there are no key columns.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage(hs.expanding_sum("x", over="key").alias("sum"))
            >>> _ = stage.advance(pl.DataFrame({"key": [7, 8, 9], "x": [1.0, 2.0, 3.0]}))
            >>> odd, even = stage.split_by([0, 1, 0], 2)
            >>> odd.state()["key"].to_list(), even.state()["key"].to_list()
            ([7, 9], [8])
        """
        return [self._alike(part) for part in self._running.split_by([int(number) for number in numbers], count)]

    @explained
    def evict(self, *, before: Any = None, idle_for: IntoDuration | None = None) -> int:
        """Evict idle keys, so that memory stays bounded when keys come and go.

        An evicted key that returns starts over.  The time of a row is that of the stage's `time_column`, or else of the
        kernels' time column `by`; rows without a time are ignored.

        Args:
            before: Evict the keys last seen before this time: a `datetime` for a column of them, a `date` for dates, or
                an integer as the time column holds it.
            idle_for: Evict the keys last seen earlier than this long before the latest row of all: `"1h"`, a
                `timedelta`, or `"100i"` for a column of integers.

        Returns:
            The number of keys evicted.

        Raises:
            ValueError: The stage has no time column, or no key columns.
            TypeError: Neither or both are given, or a value does not match the type of the time column.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage(hs.expanding_sum("x", over="key").alias("sum"), time_column="minute")
            >>> _ = stage.advance(pl.DataFrame({"key": ["a", "b"], "minute": [1, 90], "x": [1.0, 2.0]}))
            >>> stage.evict(idle_for="60i")
            1
            >>> stage.n_keys
            1
        """
        span = None if idle_for is None else _duration(idle_for)
        try:
            return self._running.evict(before, span)
        except InexactTimeError as error:
            raise error.in_column(self.time_column or self.by[0]) from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state to `path`, atomically: the old file stays until the new one is complete.

        Raises:
            OSError: The file cannot be written.
        """
        self._running.save(path)

    def to_bytes(self) -> bytes:
        """Return the state as the bytes that `save` would write; `from_bytes` restores them."""
        return self._running.to_bytes()

    def state(self) -> pl.DataFrame:
        """Return the state as a frame: one row per key, in the order in which the keys were first seen.

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
        """Return the size of the state in memory, in bytes."""
        return self._running.state_bytes()

    def profile(self) -> pl.DataFrame:
        """Return where the time of the batches went, the slowest part first.

        Returns:
            A row for each kernel, and one for finding the keys of the rows: the output column, the kernel, the seconds
            since the stage was made or loaded, and their share of the sum.  Single rows are not timed.  Kernels that
            run at the same time, on several threads, count in full.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage([hs.rolling_mean("x", 2).alias("m"), hs.rolling_median("x", 9).alias("med")])
            >>> _ = stage.advance(pl.DataFrame({"x": [1.0, 2.0, 4.0] * 1000}))
            >>> stage.profile().sort("column")["kernel"].to_list()
            ['rolling_mean("x", 2)', 'rolling_median("x", 9)']
        """
        seconds, of_keys = self._running.times()
        parts: list[tuple[str | None, str]]
        parts = [(spec.output_name, replace(spec, over=()).call) for spec in self._specs]
        if self.over:
            parts, seconds = [*parts, (None, f"keys: {', '.join(self.over)}")], [*seconds, of_keys]
        frame = pl.DataFrame(parts, schema={"column": pl.String, "kernel": pl.String}, orient="row")
        frame = frame.with_columns(pl.Series("seconds", seconds, pl.Float64))
        share = pl.col("seconds") / pl.max_horizontal(pl.col("seconds").sum(), sys.float_info.min)
        return frame.with_columns(share.alias("share")).sort("seconds", descending=True, maintain_order=True)

    def copy(self) -> Stage:
        """Return an independent stage with the same state, for what-if questions; `peek` is enough for a few rows."""
        return self._alike(self._running.copy())

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.to_bytes(), None if self._library is BUILTIN else self._library.__name__, self._late)

    def __copy__(self) -> Stage:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Stage:
        return self.copy()

    @property
    def n_rows(self) -> int:
        """The number of rows that the stage has seen."""
        return self._running.n_rows()

    @property
    def n_late(self) -> int:
        """The number of rows that were left out because they came late, since this stage was made or loaded."""
        return self._n_late

    @property
    def n_keys(self) -> int:
        """The number of keys that the stage holds; without key columns 1, as soon as the types are known."""
        return self._running.n_keys()

    @property
    def kernels(self) -> list[KernelExpr]:
        """The kernels as expressions."""
        return [KernelExpr(spec) for spec in self._specs]

    @property
    def over(self) -> list[str]:
        """The key columns; empty if the rows are one sequence."""
        return list(self._specs[0].over)

    @property
    def by(self) -> list[str]:
        """The time columns of the kernels, each once: the rows of a key must be sorted by them."""
        return list(dict.fromkeys(name for spec in self._specs for name in spec.time_columns))

    @property
    def time_column(self) -> str | None:
        """The column that says when a key was last seen, if one was given."""
        return self._running.time_column()

    @property
    def order_by(self) -> str | None:
        """The column that the rows of a key must be sorted by, if one was given."""
        return self._running.order_by()

    @property
    def input_schema(self) -> pl.Schema | None:
        """The columns that the stage reads and their types; `None` until the types are known.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage(hs.rolling_count("price", 2, over="symbol").alias("n"))
            >>> stage.set_schema({"symbol": pl.String, "price": pl.Float64})
            >>> stage.input_schema
            Schema([('price', Float64), ('symbol', String)])
        """
        schema = pl.DataFrame(self._running.input_schema()).schema
        return schema if len(schema) else None

    def output_schema(self, schema: IntoSchema | None = None) -> pl.Schema:
        """Return the columns that the kernels add, and their types.

        Args:
            schema: The columns of the input and their types, or a frame that has them.  Default: those that the stage
                has seen.

        Raises:
            ColumnNotFoundError: A column is missing.
            TypeError: A column has a type that the kernel does not support.
            ValueError: No schema is given, and the stage has seen none: call `set_schema` first.

        Examples:
            >>> import hypostyle as hs
            >>> import polars as pl
            >>> stage = hs.Stage(hs.rolling_count("price", 2, over="symbol").alias("n"))
            >>> stage.output_schema({"symbol": pl.String, "price": pl.Float64})
            Schema([('n', Int64)])
        """
        if schema is not None:
            return pl.DataFrame(self._running.output_schema(self._empty(schema, "Stage.output_schema"))).schema
        known = pl.DataFrame(self._running.output_schema()).schema
        if not len(known):
            msg = "Stage.output_schema: the types of the columns are not known; pass a schema, or call set_schema first"
            raise ValueError(msg)
        return known

    def _empty(self, schema: IntoSchema, caller: str) -> _native.Frame:
        frame = schema.clear() if isinstance(schema, pl.DataFrame) else pl.DataFrame(schema=dict(schema))
        return select(adapter_of(frame, caller), frame, self._specs, self._columns)

    def _facts(self) -> dict[str, int | str]:
        """Return what the state holds, for people; nothing if it cannot be read, as after a fork."""
        try:
            facts = {"rows so far": self.n_rows, "keys": self.n_keys}
            return facts | {"of state": size(self.state_bytes())}
        except RuntimeError:
            return {}

    def __repr__(self) -> str:
        parts = [f"{spec.output_name}={replace(spec, over=()).call}" for spec in self._specs]
        if self.over:
            parts.append(f"over={self.over}")
        parts += [f"{value} {name}" for name, value in self._facts().items()]
        return f"Stage({', '.join(parts)})"

    def _repr_html_(self) -> str:
        facts = [f"{value} {name}" for name, value in self._facts().items()]
        title = ", ".join(["Stage", *([f"over {', '.join(self.over)}"] if self.over else []), *facts])
        rows = [(spec.output_name, replace(spec, over=()).call, spec.entry["summary"]) for spec in self._specs]
        return table(title, rows, ("column", "kernel", "summary"))


def _restored(state: bytes, library: str | None, late: Late) -> Stage:
    """A pickled stage; the library of custom kernels is imported by name."""
    named = BUILTIN if library is None else library_named(library)
    stage = Stage._wrap(named.Stage.from_bytes(state), named)
    stage._late = late
    return stage


def loaded(
    library: Library, path: str | os.PathLike[str], specs: list[str] | None = None, threads: int | None = None
) -> _native.Stage:
    """Load a stage; the state of a pipeline holds those of its stages, and the error says how to get at them."""
    try:
        return library.Stage.load(path, specs, threads)
    except ValueError:
        if not tarfile.is_tarfile(path):
            raise
        with tarfile.open(path) as archive:
            stages = [name for name in archive.getnames() if name.startswith("stage-")]
        if not stages:
            raise
    msg = (
        f"'{os.fspath(path)}': this is the state of a pipeline, an archive of the states of its stages: "
        f"{', '.join(stages)}\n"
        f"help: load one of them: hs.Stage.from_bytes(tarfile.open(path).extractfile('{stages[0]}').read())"
    )
    raise ValueError(msg)


def _as_dict(row: Any, caller: str) -> dict[str, Any]:
    """Return a mapping, or what has `keys` as one does, as a dict."""
    if isinstance(row, Mapping) or (hasattr(row, "keys") and not hasattr(row, "columns")):
        return dict(row)
    msg = (
        f"Stage.{caller} takes one row as a dict, a value by column name, not a {type(row).__name__}\n"
        f"help: for several rows pass a frame to Stage.{caller.removesuffix('_row')}, or call {caller} for each"
    )
    raise TypeError(msg)


def _enums_of(schema: Mapping[str, pl.DataType | type[pl.DataType]], columns: list[str]) -> dict[str, frozenset[str]]:
    dtypes = {name: schema.get(name) for name in columns}
    return {name: frozenset(dtype.categories) for name, dtype in dtypes.items() if isinstance(dtype, pl.Enum)}


def _columns_of(specs: list[Spec], *own: str | None) -> list[str]:
    return list(dict.fromkeys([*needed(specs), *(name for name in own if name is not None)]))


def _break_rows(breaks: object) -> pl.DataFrame:
    """Breaks as a frame: a column for each key column that they name."""
    if isinstance(breaks, str | bytes | bool) or not isinstance(breaks, Iterable) or hasattr(breaks, "columns"):
        msg = f"Stage.split takes a number of stages, a list of breaks or a Polars frame of them, not {breaks!r}"
        raise TypeError(msg)
    rows = [row if isinstance(row, tuple) else (row,) for row in breaks]
    if len({len(row) for row in rows}) > 1 or any(value is None for row in rows for value in row):
        msg = "Stage.split needs breaks that all name the same key columns, and none of them null"
        raise ValueError(msg)
    width = len(rows[0]) if rows else 0
    frame = pl.DataFrame({str(at): [row[at] for row in rows] for at in range(width)}, strict=False)
    return frame.with_columns(pl.col(pl.Int128).cast(pl.UInt64, strict=True))


def _duration(value: IntoDuration) -> str:
    """A duration as Rust reads it; an integer counts steps of an integer column."""
    if isinstance(value, int):
        return f"{value}i"
    if isinstance(value, str):
        return _durations.of_text("Stage.evict", "idle_for", value)
    return str(plain("Stage.evict", "idle_for", value))
