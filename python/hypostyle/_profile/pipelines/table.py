"""What a script does with a frame between reading and writing it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


class NoPipeline(Exception):
    """Why something is no pipeline, in words for people."""


@dataclass(frozen=True)
class Source:
    """The call that reads the file."""

    library: str
    """"pandas" or "polars"."""
    call: ast.Call
    """With the values of a function's parameters in their place."""
    format: str
    """"csv", "parquet" or "ipc"."""
    path: ast.expr
    columns: ast.expr | None = None
    """The columns that are read, where the call says so."""
    delimiter: ast.expr | None = None


@dataclass(frozen=True)
class Condition:
    """What rows must fulfill."""

    column: str
    name: str
    """The name of the condition in `[source.filter]`; "above" and "below" are `>` and `<`."""
    value: ast.expr


@dataclass(frozen=True)
class Step:
    """A new column: a kernel, or arithmetic with columns."""

    column: str
    kernels: Mapping[str, str]
    """The code of kernels by the names of their columns."""
    value: str | None = None
    """The arithmetic over columns, as code of `table["name"]`; None if the kernel is the column."""


@dataclass(frozen=True)
class Table:
    """A frame; operations return another one."""

    source: Source
    conditions: tuple[Condition, ...] = ()
    not_null: tuple[ast.expr | None, ...] = ()
    """Columns without a value of which rows are dropped; None: all columns."""
    steps: tuple[Step, ...] = ()
    columns: ast.expr | None = None
    """The columns that are picked last."""
    dropped: tuple[ast.expr, ...] = ()

    def where(self, conditions: tuple[Condition, ...]) -> Table:
        """Return the rows that match."""
        self._check_filter()
        return replace(self, conditions=self.conditions + conditions)

    def without_nulls(self, columns: ast.expr | None) -> Table:
        """Return the rows that have values."""
        self._check_filter()
        return replace(self, not_null=(*self.not_null, columns))

    def _check_filter(self) -> None:
        if self.steps:
            raise NoPipeline("rows are dropped after columns were added, and a pipeline drops rows first")
        self._check_open()

    def _check_open(self) -> None:
        if self.columns is not None or self.dropped:
            raise NoPipeline("it goes on after columns were picked")

    def adding(self, step: Step) -> Table:
        """Return it with another column."""
        self._check_open()
        return replace(self, steps=(*self.steps, step))

    def picking(self, columns: ast.expr) -> Table:
        """Return some of its columns."""
        self._check_open()
        return replace(self, columns=columns)

    def dropping(self, columns: ast.expr) -> Table:
        """Return it without some columns."""
        return replace(self, dropped=(*self.dropped, columns))


@dataclass(frozen=True)
class Sink:
    """The call that writes the file."""

    table: Table
    call: ast.Call
    format: str
    path: ast.expr
    columns: ast.expr | None = None
    options: Mapping[str, ast.expr] = field(default_factory=dict)
