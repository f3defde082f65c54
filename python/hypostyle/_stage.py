"""A stage: kernels that keep their state from one batch of rows to the next."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypeVar, cast

import polars as pl

from hypostyle import _native
from hypostyle._expr import KernelExpr, kernels_of
from hypostyle._frame import adapter_of, check_distinct, needed, select
from hypostyle._spec import Spec, from_json

Frame = TypeVar("Frame")


class Stage:
    """Kernels with their state, fed batch by batch.

    However the rows are cut into batches, the outputs are the same to the bit as for one batch.  The state survives the
    process: `save` it, `load` it elsewhere and go on.  A batch that raises leaves the state as it was.  Threads may
    share a stage; their calls follow one another.

    Args:
        exprs: kernels with the same `over`, such as `hs.rolling_mean("price", 20, over="symbol").alias("m20")`; their
            columns are given by name.
        threads: how many threads a batch may use; by default as many as there are cores.

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

    def __init__(self, exprs: KernelExpr | Iterable[KernelExpr], *, threads: int | None = None) -> None:
        self._specs = kernels_of([exprs] if isinstance(exprs, KernelExpr) else [list(exprs)], {}, "Stage")
        check_distinct(self._specs)
        self._columns = needed(self._specs)
        self._running = _native.Stage([spec.json for spec in self._specs], threads)

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
        stage._columns = needed(stage._specs)
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
        """What `advance` would give, with the state left as it is."""
        adapter = adapter_of(frame, "Stage.peek")
        outputs = self._running.peek(select(adapter, frame, self._specs, self._columns))
        return cast("Frame", adapter.attach(frame, outputs, self._specs))

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
        """A stage of its own with the same state."""
        return self._wrap(self._running.copy())

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._running.to_bytes(),)

    def __copy__(self) -> Stage:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Stage:
        return self.copy()

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
