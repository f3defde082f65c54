"""A loop's body as a compiled loop knows it: with columns for what it reads of rows, windows and objects."""

from __future__ import annotations

import ast
import copy
import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypostyle._profile.cells import cells_of
from hypostyle._profile.change import Values, is_a
from hypostyle._profile.column_expressions import is_column_expression
from hypostyle._profile.kept_rows import kept_rows
from hypostyle._profile.keyed_objects import without_keyed_objects
from hypostyle._profile.keyed_state import KeyedState, OfKey, keyed_state, named_keys
from hypostyle._profile.labels import Labels
from hypostyle._profile.lookups import Lookups
from hypostyle._profile.loop_forms import OneValue, numbers_written, rows_kept
from hypostyle._profile.loop_syntax import (
    appended,
    without_continue,
)
from hypostyle._profile.loop_totals import Total
from hypostyle._profile.made_when_missing import made_first
from hypostyle._profile.objects import Objects, without_objects
from hypostyle._profile.parallel_assignments import one_by_one
from hypostyle._profile.record_rows import columns_of
from hypostyle._profile.records import Record, records_of, without
from hypostyle._profile.row_access import Access, Column, aliases, ends_early, rows_of
from hypostyle._profile.state_parts import in_parts
from hypostyle._profile.states_left import Left
from hypostyle._profile.syntax import names_read, names_set, read_after
from hypostyle._profile.time_deques import time_deques
from hypostyle._profile.two_pointers import two_pointers
from hypostyle._profile.window_columns import Column as WindowColumn
from hypostyle._profile.window_columns import window_columns

if TYPE_CHECKING:
    from hypostyle._profile.patterns.loops import Loop


@dataclass
class Output:
    """What a loop writes."""

    name: str
    kind: str
    """"list", "array", "column", "last" (of a variable that is read afterwards) or "total" (of what rows add to it)."""
    target: str
    """The code that gets it."""
    keeps: str | None = None
    """The slice of the rows that the loop writes, if the others keep what they are."""


class LoopBody:
    """Reads a loop, with the values that it sees."""

    def __init__(
        self,
        loop: Loop,
        values: Values,
        *,
        by_row: bool,
        keeps_items: bool = False,
        as_frame: bool = False,
        only: set[str] | None = None,
        over: Column | None = None,
    ) -> None:
        self.over = over
        """The key of whose rows the loop is."""
        self.only = only
        """The outputs that are wanted; None for all."""
        self._keeps_items = keeps_items
        """Whether lists hold numbers of NumPy, as those of a loop over columns may."""
        self._as_frame = as_frame
        """Whether the table that follows is made of columns, in place of the loop's list of rows."""
        emptied = [s for s in loop.emptied if _is_empty(values, names_set([s]))]
        self.begun = [*emptied, *loop.before]
        """The statements that begin the state, as the script has them."""
        self.before = one_by_one(copy.deepcopy(self.begun))
        self.cells: set[str] = set()
        """Arrays, lists and deques of few values that are the loop's own."""
        self.records: list[Record] = []
        self.labels = Labels(set())
        self.objects = Objects([])
        self.lost: set[str] = set()
        """Windows that columns stand for."""
        self.left: list[Left] = []
        """Dictionaries of state that are read later, made of parts."""
        self.items: dict[str, tuple[ast.expr, list[Any]]] = {}
        self.windows: dict[str, WindowColumn] = {}
        self.loop, self.values, self.by_row = loop, values, by_row
        self.file, self.header = loop.file, copy.copy(loop.header)
        replaced = {*self.header.names, self.header.row, self.header.label} - names_set(loop.node.body)
        self._used = (names_read(loop.statements) | names_set(loop.statements) | set(keyword.kwlist)) - replaced
        self.node = copy.deepcopy(loop.node)
        self.rows = rows_of(self.header)
        self.ends_early = ends_early(self.header)
        """The length of the columns, if the loop ends before their last rows."""
        self.header.length = self.ends_early or self.header.length
        self.header.rows = dict(self.header.rows)
        self.frame_made = ""
        """The line that makes the frame of the rows, if the head of the loop computes it."""
        self._make_frame()
        for statement, name, frame, position in list(aliases(self.node, self.header, self.values)):
            self.node.body.remove(statement)
            if position is None and self.header.row is None:
                self.header.row, self.header.frame = name, frame
            else:
                self.header.rows[name] = frame, position or ast.Name(self.header.index or "", ast.Load())
        self.node.body = one_by_one(without_continue(self.node.body))
        self._name_again()
        self._written_plainly()
        self.access = Access(self.header, self.values, self._free, by_row=by_row)
        for word, (column, items) in {**self.items, **self.windows}.items():
            self.access.name_column(word, column, items)
        self.totals: list[Total] = []
        self.counts: dict[str, str] = {}
        """By the name of a count over all rows, the line that makes its column."""
        self.helpers: list[str] = []
        """Functions that these lines call."""
        self.outputs: list[Output] = []
        self.extra: list[str] = []
        self.starts: dict[str, str] = {}
        self.first_items: dict[str, tuple[str, int]] = {}
        """Variables for items that an array has before the loop, with array and row."""
        self.state: KeyedState | None = None

    def _make_frame(self) -> None:
        """Give the frame of the rows a name, if it has none."""
        frame = self.header.frame
        if frame is None or not is_column_expression(frame):
            return
        name = self._free("rows")
        self.frame_made = f"{name} = {ast.unparse(frame)}\n".replace("'", '"')
        self.values = self.values.with_name(name, self.values.of(frame))
        self.header.frame = ast.Name(name, ast.Load())

    def _name_again(self) -> None:
        """Give the values of a row other names if the loop assigns theirs."""
        changed = names_set(self.node.body)
        self.header.names = list(self.header.names)
        for at, name in enumerate(self.header.names):
            if name in changed:
                self.header.names[at] = new = self._free(name)
                start = ast.Assign([ast.Name(name, ast.Store())], ast.Name(new, ast.Load()), lineno=0)
                self.node.body.insert(0, start)

    def _written_plainly(self) -> None:
        """Write the body as a compiled loop knows it."""
        positions = {self.header.index, self.header.label} - {None}
        body = made_first(self.node.body)
        body = [OneValue().visit(Lookups(self.values).visit(statement)) for statement in body]
        found = without_objects(self.file, body, dict(self.values.variables), self._free)
        if found is not None:
            body, self.objects = found.body, found
            self._used |= names_set(body)
        later = read_after(self.file, self.loop.statements)
        self.cells = cells_of(self.before, body, later, self.values)
        by_key = without_keyed_objects(self.file, body, self.before, self._free)
        if by_key is not None:
            body, self.before, functions, left = by_key
            self.left += [left] if left.name in later else []
            self.objects = Objects(
                body, self.objects.starts, self.objects.functions | functions, self.objects.attributes
            )
            self._used |= names_set(body)
        body, self.before = kept_rows(body, self.before, self.header.row, later, self._free)
        body, of_deques, emptied = time_deques(body, self.header, self.values, later, self._free)
        body, of_time, lost = two_pointers(body, self.header, self.values, later, self._free)
        lost |= emptied
        self.lost |= lost
        self.before = [s for s in self.before if not names_set([s]) & lost]
        body, of_rows = window_columns(body, self.header, self.values, self._free)
        self.windows = {**of_deques, **of_time, **of_rows}
        self._used -= self.windows.keys()  # they stand for parameters, which will have these names
        body = self._of_items(body)
        body, self.before, parts = in_parts(body, self.before, later, self._free)
        self.left += parts
        if positions:
            body = numbers_written(body, set(map(str, positions)), later)
            body, self.before = rows_kept(body, self.before, set(map(str, positions)), self._free)
        self.node.body = body

    def _of_items(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return a body with names in the place of the items of rows that are dictionaries, lists or tuples."""
        if self.header.form != "values" or len(self.header.names) != 1:
            return body
        rows = self.header.arrays[0]
        items = self.values.of(rows)
        if not isinstance(items, list) or not items or not all(isinstance(item, dict | list | tuple) for item in items):
            return body
        body, self.items = columns_of(body, self.header.names[0], rows, items, self._free)
        return body

    def _of_records(self) -> bool:
        """Take apart the rows that the loop appends to lists; False if that cannot be."""
        found = records_of(self.node.body, self._free, self.cells)
        if found is None:
            return False
        self.node.body, self.records = found
        for record in self.records:
            value = self.values.variables.get(record.name)
            starts_here = any(record.name in names_set([s]) for s in self.before)
            if not starts_here and value != []:
                return False
            if not record.is_single or record.kept is not None:
                self.before = [s for s in self.before if names_set([s]) != {record.name}]
            for name in [] if record.is_single else record.lists:
                self._pass_on(record, name)
        return True

    def _pass_on(self, record: Record, name: str) -> None:
        """Take a column that a list only repeats from the frame, if it is none that a compiled loop returns."""
        given = [found[1] for s in self.node.body for n in ast.walk(s) if (found := appended(n)) and found[0] == name]
        if len({ast.dump(value) for value in given}) != 1 or self.header.start is not None:
            return
        column = self.access.column_at_row(given[0])
        if column is None:
            return
        value = self.values.of(column)
        is_list = isinstance(value, list)
        if value is None or (not is_list and getattr(getattr(value, "dtype", None), "kind", "O") in "iufb"):
            return
        code = ast.unparse(column).replace("'", '"')
        if is_a(value, "pandas", "Series") or is_a(value, "pandas", "Index") or is_a(value, "polars", "Series"):
            code += ".to_numpy()"
        elif isinstance(value, list):
            code = f"np.array({code}, dtype=object)"
        record.passed[name] = code
        self.node.body = without(self.node.body, name)

    def _of_keys(self) -> list[ast.stmt]:
        """Return the body with the items of dictionaries as variables, if the loop keeps a state per key."""
        body = named_keys(copy.deepcopy(self.node.body))
        self.state = keyed_state(body, self.before)
        if self.state is None:
            return self.node.body
        return [OfKey(self.state).visit(statement) for statement in body]

    def _before(self) -> list[ast.stmt]:
        """Return the statements before the loop, with the first values of a key's variables."""
        if self.state is None:
            return self.before
        names = set(self.state.variables)
        kept = [s for s in self.before if not names & names_set([s])]
        return [*kept, *(ast.parse(f"{v} = {start}").body[0] for v, start in self.state.starts.items())]

    def _free(self, name: str) -> str:
        """Return a name that the loop does not use, and keep it."""
        others = (f"{name}_column", f"{name}_values") if len(name) > 1 else ("j", "k", "at")
        word = next((word for word in (name, *others) if word not in self._used), name)
        while word in self._used:
            word += "_"
        self._used.add(word)
        return word


def _is_empty(values: Values, names: set[str]) -> bool:
    """Whether dictionaries are empty when the loop begins."""
    found = [values.variables.get(name) for name in names]
    return all(isinstance(value, dict | set) and not value for value in found)
