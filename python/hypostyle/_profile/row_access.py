"""How a loop over rows reads them: `row["price"]`, `frame["price"].iloc[i - 1]`, `prices[i]`, or a name of `zip`.

Each is read as an item of a column, so that the loop can be written over arrays: `price[i]`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hypostyle._profile.change import Values, is_a
from hypostyle._profile.column_expressions import is_column_expression
from hypostyle._profile.syntax import is_path, method, text_of

_AS_ARRAY = {"values", "to_numpy", "to_list", "tolist", "array"}
_ITEMS = {"iloc", "loc", "iat", "at", "values"}


@dataclass
class Header:
    """What a loop goes over."""

    form: str
    """"rows" (of a frame), "index", or "values" (of arrays)."""
    frame: ast.expr | None = None
    index: str | None = None
    """The name of the position."""
    label: str | None = None
    """The name of the row's label in the frame's index."""
    row: str | None = None
    """The name of the row."""
    rows: dict[str, tuple[ast.expr, ast.expr]] = field(default_factory=dict)
    """Names of rows that the body looks up, with their frames and positions: `before = frame.iloc[i - 1]`."""
    names: list[str] = field(default_factory=list)
    """Names of the values of a row: of columns by position, or of `arrays`."""
    arrays: list[ast.expr] = field(default_factory=list)
    skipped: int = 0
    """How many positions of a row come before the first column: the index."""
    start: ast.expr | None = None
    length: ast.expr | None = None


def ends_early(header: Header) -> ast.expr | None:
    """Return the number of rows of a column, if a loop ends some rows before it: of `range(k, len(x) - k)`."""
    match header.length:
        case ast.BinOp(left=ast.Call(func=ast.Name(id="len")) as whole, op=ast.Sub()):
            return whole
    return None


def rows_of(header: Header) -> str:
    """Return the slice of the rows that a loop goes over, as `k:len(x) - k`; nothing if these are all."""
    start = "" if header.start is None else ast.unparse(header.start)
    stop = "" if ends_early(header) is None or header.length is None else ast.unparse(header.length)
    return f"{start}:{stop}" if start or stop else ""


_BARS = {"tqdm", "track", "progressbar"}
"""Functions that show the progress of what they go over."""


def header_of(loop: ast.For) -> Header | None:
    """Read the head of a loop; None if it does not go over rows."""
    if loop.orelse:
        return None
    if isinstance(loop.iter, ast.Call) and loop.iter.args:
        name = getattr(loop.iter.func, "attr", getattr(loop.iter.func, "id", ""))
        if name in _BARS:
            return header_of(ast.For(loop.target, loop.iter.args[0], loop.body, []))
    if (picked := _of_picked(loop)) is not None:
        return picked
    called = method(loop.iter)
    over_rows = called is not None and called[1] in _ROWS
    if called is not None and over_rows and _is_column(called[0]):
        return _over_rows(loop, *called)
    if isinstance(loop.iter, ast.Call) and isinstance(loop.iter.func, ast.Name) and not loop.iter.keywords:
        name, arguments = loop.iter.func.id, loop.iter.args
        if name == "range" and len(arguments) in (1, 2) and isinstance(arguments[-1], ast.Constant):
            return None
        if name == "range" and isinstance(loop.target, ast.Name) and len(arguments) in (1, 2):
            start = arguments[0] if len(arguments) == 2 else None
            return Header("index", index=loop.target.id, start=start, length=arguments[-1])
        if name == "enumerate" and len(arguments) == 1:
            return _enumerated(loop.target, arguments[0])
    return _over_values(loop.target, loop.iter)


_ROWS = {"iterrows", "itertuples", "iter_rows", "rows", "to_dict", "to_dicts"}


def _of_picked(loop: ast.For) -> Header | None:
    """Read loops over some columns: `frame[["a", "b"]].values`, `.itertuples(index=False)`, `.select("a").rows()`."""
    iterated, names = loop.iter, []
    called = method(iterated)
    rows = called[0] if called is not None else iterated.value if isinstance(iterated, ast.Attribute) else None
    how = called[1] if called is not None else getattr(iterated, "attr", "")
    match rows:
        case ast.Subscript(value=frame, slice=ast.List(elts=elements)):
            names = [text_of(e) for e in elements]
        case ast.Call(func=ast.Attribute(value=frame, attr="select"), args=arguments, keywords=[]):
            elements = [e for a in arguments for e in (a.elts if isinstance(a, ast.List) else [a])]
            names = [text_of(e) for e in elements]
        case _:
            return None
    if not names or None in names or not is_path(frame) or how not in ("values", "to_numpy", *_ROWS):
        return None
    columns: list[ast.expr] = [ast.Subscript(frame, ast.Constant(name), ast.Load()) for name in names]
    if isinstance(loop.target, ast.Tuple) and len(loop.target.elts) == len(columns):
        targets = [e.id for e in loop.target.elts if isinstance(e, ast.Name)]
        given = {} if called is None else {k.arg: getattr(k.value, "value", None) for k in called[2].keywords}
        is_plain = how != "itertuples" or given.get("index") is False
        if how != "iterrows" and is_plain and len(targets) == len(columns):
            return Header("values", names=targets, arrays=columns)
    if how in ("values", "to_numpy") or called is None:
        return None
    return _over_rows(loop, frame, how, called[2])


def _enumerated(target: ast.expr, iterated: ast.expr) -> Header | None:
    if not isinstance(target, ast.Tuple) or len(target.elts) != 2 or not isinstance(index := target.elts[0], ast.Name):
        return None
    inner = header_of(ast.For(target.elts[1], iterated, [], []))
    if inner is not None and inner.form == "values" and inner.start is not None:
        return None  # it counts from 0
    if inner is not None and inner.index is None:
        inner.index = index.id
    return inner


def _over_rows(loop: ast.For, frame: ast.expr, name: str, call: ast.Call) -> Header | None:
    options = {k.arg: getattr(k.value, "value", None) for k in call.keywords}
    target = loop.target
    if name == "iterrows" and isinstance(target, ast.Tuple) and len(target.elts) == 2:
        first, row = target.elts
        if isinstance(first, ast.Name) and isinstance(row, ast.Name):
            return Header("rows", frame, label=first.id, row=row.id)
        return None
    skipped = int(name == "itertuples" and options.get("index", True) is not False)
    is_record = name == "to_dicts" or (
        name == "to_dict" and [getattr(a, "value", "") for a in call.args] == ["records"]
    )
    if name in ("to_dict", "to_dicts"):
        return Header("rows", frame, row=target.id) if is_record and isinstance(target, ast.Name) else None
    if name in ("iter_rows", "rows") and isinstance(target, ast.Name) and options.get("named") is True:
        return Header("rows", frame, row=target.id)
    if name == "itertuples" and isinstance(target, ast.Name):
        return Header("rows", frame, row=target.id, skipped=skipped)
    if isinstance(target, ast.Tuple) and all(isinstance(e, ast.Name) for e in target.elts):
        names = [e.id for e in target.elts if isinstance(e, ast.Name)]
        label = names[0] if skipped else None
        return Header("rows", frame, label=label, names=names, skipped=skipped)
    return None


def _over_values(target: ast.expr, iterated: ast.expr) -> Header | None:
    is_index = isinstance(iterated, ast.Attribute) and iterated.attr == "index" and is_path(iterated.value)
    if is_index and isinstance(iterated, ast.Attribute) and isinstance(target, ast.Name):
        length = ast.Call(ast.Name("len", ast.Load()), [iterated.value], [])
        return Header("index", index=target.id, length=length)
    if isinstance(target, ast.Tuple) and isinstance(iterated, ast.Name):
        names = [e.id for e in target.elts if isinstance(e, ast.Name)]
        return Header("tuples", iterated, names=names) if len(names) == len(target.elts) else None
    if (pairs := _over_pairs(target, iterated)) is not None:
        return pairs
    start: ast.expr | None = None
    match iterated:
        case ast.Subscript(
            value=column, slice=ast.Slice(lower=ast.Constant(value=int()) as start, upper=None, step=None)
        ):
            iterated = column
    targets, arrays = [target], [iterated]
    if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name) and iterated.func.id == "zip":
        if not isinstance(target, ast.Tuple) or len(target.elts) != len(iterated.args):
            return None
        if {k.arg for k in iterated.keywords} - {"strict"}:
            return None
        targets, arrays = list(target.elts), list(iterated.args)
    if not all(isinstance(t, ast.Name) for t in targets) or not all(_is_column(_plain(a)) for a in arrays):
        return None
    return Header("values", names=[t.id for t in targets if isinstance(t, ast.Name)], arrays=arrays, start=start)


def _over_pairs(target: ast.expr, iterated: ast.expr) -> Header | None:
    """Read `for a, b in zip(x, x[1:])`: the value before and the one of the row."""
    match target, iterated:
        case (
            ast.Tuple(elts=[ast.Name(id=before), ast.Name(id=value)]),
            ast.Call(
                func=ast.Name(id="zip"),
                args=[first, ast.Subscript(value=column, slice=ast.Slice(lower=ast.Constant(value=1), upper=None))],
            ),
        ) if is_path(column) and ast.unparse(first) in (ast.unparse(column), f"{ast.unparse(column)}[:-1]"):
            length = ast.Call(ast.Name("len", ast.Load()), [column], [])
            return Header("pairs", names=[before, value], arrays=[column], start=ast.Constant(1), length=length)
    return None


def _is_column(node: ast.expr) -> bool:
    """Whether a node names a column or a frame, or computes one from others."""
    return is_path(node) or is_column_expression(node)


def _plain(node: ast.expr) -> ast.expr:
    """Return the column below `column.values`, `column.to_numpy()` and the like."""
    called = method(node)
    if called is not None and called[1] in _AS_ARRAY and not called[2].args:
        return called[0]
    if isinstance(node, ast.Attribute) and node.attr in _AS_ARRAY:
        return node.value
    return node


def _flag_code(column: Column, words: list[str | None], *, is_listed: bool) -> str:
    """Return the code of the comparison of a column with strings."""
    code, value = ast.unparse(column.argument), column.value
    if is_a(value, "polars", "Series"):
        return f"{code}.is_in({words!r})" if is_listed else f"{code}.eq_missing({words[0]!r})"
    if is_a(value, "pandas", "Series"):
        return f"{code}.isin({words!r})" if is_listed else f"({code} == {words[0]!r})"
    array = f"np.array({code}, dtype=object)"
    return f"np.isin({array}.astype(str), {words!r})" if is_listed else f"({array} == {words[0]!r})"


@dataclass
class Column:
    """A column that a loop reads."""

    parameter: str
    argument: ast.expr
    value: Any
    is_flag: bool = False
    """Whether the argument compares strings, of which compiled functions know nothing."""


class Access(ast.NodeTransformer):
    """Writes what a loop reads of its rows as items of columns.

    Args:
        header: The head of the loop.
        values: What the loop's names are.
        free: Makes a name that the loop does not use.
        by_row: Whether an item is written as the parameter itself, for a function of a row.
    """

    def __init__(self, header: Header, values: Values, free: Callable[[str], str], *, by_row: bool = False) -> None:
        self._header = header
        self._values = values
        self._free = free
        self._by_row = by_row
        self.columns: dict[str, Column] = {}
        """By the code of the column."""
        self.index = header.index or free("i")
        self.problem: str | None = None
        self._rows: dict[str, tuple[ast.expr | None, ast.expr | None]] = dict(header.rows)
        if header.row:
            self._rows[header.row] = header.frame, None
        self.uses_index = False
        self._keyed: Column | None = None
        """The key of which a loop sees only the rows, so that their numbers come as a column."""
        self._frame = header.frame
        self._position = {header.index, header.label} - {None}
        self.written: set[str] = set()
        """Arrays that a loop with a state per key writes, at the row."""
        self._names: dict[str, ast.expr] = {}
        self._known: dict[str, Any] = {}
        """Values of columns that are no names, by their code."""
        self._before: dict[str, ast.expr] = {}
        if header.form == "pairs":
            self._before[header.names[0]] = self._names[header.names[1]] = header.arrays[0]
        if header.form == "values":
            self._names = {name: _plain(array) for name, array in zip(header.names, header.arrays, strict=True)}

    @property
    def frame_value(self) -> Any:
        """The frame, if the loop goes over one."""
        return None if self._frame is None else self._values.of(self._frame)

    def by_position(self) -> None:
        """Look up the columns that names of a row stand for."""
        frame = self.frame_value
        if self._header.form == "tuples":
            self._of_tuples(frame)
            return
        for at, name in enumerate(self._header.names):
            if self._header.form != "rows" or at < self._header.skipped:
                continue
            if frame is None or at - self._header.skipped >= len(frame.columns):
                self.problem = "the row has another number of columns"
                return
            self._names[name] = self._of_frame(str(frame.columns[at - self._header.skipped]))

    def _of_tuples(self, rows: Any) -> None:
        """Take the items of a list of tuples for columns."""
        names = self._header.names
        if not isinstance(rows, list) or not rows or not all(type(r) is tuple and len(r) == len(names) for r in rows):
            self.problem = "the rows are no tuples"
            return
        assert isinstance(self._header.frame, ast.Name)
        for at, name in enumerate(names):
            column = ast.parse(f"[row[{at}] for row in {self._header.frame.id}]", mode="eval").body
            self._names[name] = column
            self._known[ast.unparse(column)] = [row[at] for row in rows]

    def length(self) -> ast.expr:
        """Return the number of rows as the function writes it."""
        first = next(iter(self.columns.values()))
        return ast.parse(f"len({first.parameter})", mode="eval").body

    def is_length(self, node: ast.expr, rows: int) -> bool:
        """Whether an expression is the number of rows."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
            value = self._values.of(node.args[0]) if len(node.args) == 1 and is_path(node.args[0]) else None
            return value is not None and len(value) == rows
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            value = self._values.of(node.value.value)
            return value is not None and len(value) == rows
        return is_path(node) and self._values.of(node) == rows and type(self._values.of(node)) is int

    # Items

    def _of_frame(self, name: str, frame: ast.expr | None = None) -> ast.expr:
        frame = frame or self._frame
        assert frame is not None
        return ast.Subscript(frame, ast.Constant(name), ast.Load())

    def _of_row(self, row: str, name: str, context: ast.expr_context) -> ast.AST:
        """Return the value of a column in a row."""
        frame, position = self._rows[row]
        return self._item(self._of_frame(name, frame), position, context)

    def _item(
        self,
        column: ast.expr,
        position: ast.expr | None,
        context: ast.expr_context,
        value: Any = None,
        word: str | None = None,
    ) -> ast.AST:
        """Return an item of a column; without a position that of the row."""
        code = ast.unparse(column)
        if code not in self.columns:
            value = self._known.get(code) if value is None else value
            value = self._values.of(column) if value is None else value
            if value is None or not hasattr(value, "__len__"):
                self.problem = f"{code} is not a column"
            if word is None:
                word = text_of(column.slice) if isinstance(column, ast.Subscript) else getattr(column, "attr", None)
            named = next((n for n, known in self._names.items() if known is column), "column")
            word = word or (column.id if isinstance(column, ast.Name) else named)
            name = word if word.isidentifier() else "column"
            self.columns[code] = Column(self._free(name), column, value)
        parameter = self.columns[code].parameter
        if position is None or (isinstance(position, ast.Name) and position.id in self._position):
            if self._by_row:
                return ast.Name(parameter, context)
            position = ast.Name(self.index, ast.Load())
        else:
            if self._keyed is not None:
                self.problem = "other rows are read, which may be of another key"
            self.uses_index = True
            position = self.visit(position)
        return ast.Subscript(ast.Name(parameter, ast.Load()), position, context)

    def name_column(self, name: str, column: ast.expr, items: Any) -> None:
        """Take a name for the row's item of a column that is made before the loop."""
        self._names[name] = column
        self._known[ast.unparse(column)] = items

    def number_rows(self, key: Column) -> None:
        """Take the numbers of rows from a column: the loop will see only those of one key at a time."""
        self._keyed = key

    def add_numbers(self, key: Column) -> str:
        """Add the column of the rows' numbers, and return its parameter."""
        if "row" not in self.columns:
            code = ast.parse(f"np.arange(len({ast.unparse(key.argument)}))", mode="eval").body
            self.columns["row"] = Column(self._free("row"), code, range(len(key.value)))
        return self.columns["row"].parameter

    def column_at_row(self, node: ast.expr) -> ast.expr | None:
        """Return the column, or the index, of which an expression is the value at the row."""
        frame = self._frame
        is_label = isinstance(node, ast.Name) and node.id == self._header.label
        is_label |= (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in self._rows
            and node.attr == ("Index" if self._header.skipped else "name")
        )
        if is_label and frame is not None:
            return ast.Attribute(frame, "index", ast.Load())
        found = self._plainly(node)
        return None if found is node or not is_path(found) else found

    def column_of(self, node: ast.expr) -> Column | None:
        """Return the column that an expression of the row reads, which is no parameter for that."""
        known = dict(self.columns)
        self.visit(node)
        new = [column for code, column in self.columns.items() if code not in known]
        read = [c for c in self.columns.values() if ast.unparse(self._plainly(node)) == ast.unparse(c.argument)]
        self.columns = known
        return next(iter([*new, *read]), None)

    def _plainly(self, node: ast.expr) -> ast.expr:
        """Return the column that an expression names."""
        if isinstance(node, ast.Name) and node.id in self._names:
            return self._names[node.id]
        if not isinstance(node, ast.Subscript | ast.Attribute):
            return node
        name = text_of(node.slice) if isinstance(node, ast.Subscript) else node.attr
        row = self._rows.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if row is not None and row[0] is not None and row[1] is None and name:
            return self._of_frame(name, row[0])
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        return self._flag(node) or self.generic_visit(node)

    def _flag(self, node: ast.Compare) -> ast.AST | None:
        """Return a comparison of a column of strings with constants as a column of booleans."""
        left, right = node.left, node.comparators[0]
        if isinstance(left, ast.Constant):
            left, right = right, left
        operator = node.ops[0]
        words = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else [right]
        if len(node.ops) != 1 or not all(text_of(word) is not None for word in words):
            return None
        if not isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) or isinstance(left, ast.Constant):
            return None
        is_listed = isinstance(operator, ast.In | ast.NotIn)
        column = self.column_of(copy.deepcopy(left))
        if column is None or is_listed != isinstance(right, ast.Tuple | ast.List | ast.Set):
            return None
        constants = [text_of(word) for word in words]
        flag = _flag_code(column, constants, is_listed=is_listed)
        if flag not in self.columns:
            word = "".join(c if c.isalnum() else "_" for c in "_or_".join(map(str, constants)))
            name = self._free(f"{column.parameter.removesuffix('_')}_is_{word}")
            self.columns[flag] = Column(name, ast.parse(flag, mode="eval").body, column.value, is_flag=True)
        name = self.columns[flag].parameter
        item: ast.expr = ast.Name(name, ast.Load())
        if not self._by_row:
            item = ast.Subscript(item, ast.Name(self.index, ast.Load()), ast.Load())
        return ast.UnaryOp(ast.Not(), item) if isinstance(operator, ast.NotEq | ast.NotIn) else item

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._names and isinstance(node.ctx, ast.Load):
            return self._item(self._names[node.id], None, node.ctx)
        if node.id in self._before and isinstance(node.ctx, ast.Load):
            position = ast.BinOp(ast.Name(self.index, ast.Load()), ast.Sub(), ast.Constant(1))
            return self._item(self._before[node.id], position, node.ctx)
        if node.id in self._position:
            if self._keyed is not None:
                if node.id == self._header.label:
                    self._check_labels()
                number = ast.Name(self.add_numbers(self._keyed), ast.Load())
                return ast.Subscript(number, ast.Name(self.index, ast.Load()), node.ctx)
            self.uses_index = True
            return ast.Name(self.index, node.ctx)
        if node.id in self._rows or node.id in self._names:
            self.problem = f"{node.id} is used as a whole"
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self._rows:
            if node.attr == "Index" and self._header.skipped:
                self._check_labels()
                self.uses_index = True
                return ast.Name(self.index, ast.Load())
            return self._of_row(node.value.id, node.attr, node.ctx)
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        is_written = isinstance(node.value, ast.Name) and node.value.id in self.written
        is_here = isinstance(node.slice, ast.Name) and node.slice.id in self._position
        if self._keyed is not None and is_written and is_here:
            return ast.Subscript(node.value, ast.Name(self.index, ast.Load()), node.ctx)
        found = self._read(node)
        return self.generic_visit(node) if found is None else found

    def _read(self, node: ast.Subscript) -> ast.AST | None:
        value = node.value
        if isinstance(value, ast.Name) and value.id in self._rows:
            if name := text_of(node.slice):
                return self._of_row(value.id, name, node.ctx)
            position = getattr(node.slice, "value", None)
            frame = self.frame_value
            if isinstance(position, int) and frame is not None and position >= self._header.skipped:
                return self._item(self._of_frame(str(frame.columns[position - self._header.skipped])), None, node.ctx)
        if isinstance(value, ast.Attribute) and value.attr in _ITEMS:
            return self._located(value.value, value.attr, node)
        # frame.iloc[i]["price"]
        name = text_of(node.slice)
        if name and isinstance(value, ast.Subscript) and isinstance(located := value.value, ast.Attribute):
            if located.attr not in ("iloc", "loc") or not is_a(self._values.of(located.value), "pandas", "DataFrame"):
                return None
            if located.attr == "loc":
                self._check_labels(located.value)
            column = ast.Subscript(located.value, ast.Constant(name), ast.Load())
            return self._item(column, value.slice, node.ctx)
        if is_path(value) and text_of(node.slice) is None:
            found = self._values.of(value)
            if is_a(found, "numpy", "ndarray") and found.ndim == 2:
                return self._of_matrix(value, f"{ast.unparse(value)}[:, {{}}]", found, node)
            if is_a(found, "pandas", "Series"):
                self._check_labels(value)
                return self._item(value, node.slice, node.ctx)
            if is_a(found, "numpy", "ndarray") or is_a(found, "polars", "Series") or isinstance(found, list):
                return self._item(value, node.slice, node.ctx)
            if is_a(found, "pandas.api.extensions", "ExtensionArray"):
                return self._item(value, node.slice, node.ctx)
        return None

    def _located(self, owner: ast.expr, how: str, node: ast.Subscript) -> ast.AST | None:
        found = self._values.of(owner) if is_path(owner) else None
        if is_a(found, "pandas", "Series") or is_a(found, "numpy", "ndarray"):
            if how in ("loc", "at"):
                self._check_labels(owner)
            return self._item(owner, node.slice, node.ctx)
        if is_a(found, "pandas", "DataFrame") and how in ("iloc", "iat", "values"):
            rest = "values[:, {}]" if how == "values" else "iloc[:, {}]"
            return self._of_matrix(owner, f"{ast.unparse(owner)}.{rest}", found, node)
        if is_a(found, "pandas", "DataFrame") and isinstance(node.slice, ast.Tuple) and how in ("loc", "at"):
            position, name = node.slice.elts
            if (column := text_of(name)) is not None:
                self._check_labels(owner)
                return self._item(ast.Subscript(owner, ast.Constant(column), ast.Load()), position, node.ctx)
        return None

    def _of_matrix(self, owner: ast.expr, code: str, matrix: Any, node: ast.Subscript) -> ast.AST | None:
        """Return an item of a column that is named by its number: `matrix[i, 2]`."""
        match node.slice:
            case ast.Tuple(elts=[position, ast.Constant(value=int(number))]) if number < matrix.shape[1]:
                column = ast.parse(code.format(number), mode="eval").body
                of_columns = matrix if is_a(matrix, "numpy", "ndarray") else matrix.iloc
                word = f"{ast.unparse(owner)}_{number}"
                return self._item(column, position, node.ctx, of_columns[:, number], word)
        return None

    def _check_labels(self, owner: ast.expr | None = None) -> None:
        """Labels are positions only in an index from 0 on."""
        found = self.frame_value if owner is None else self._values.of(owner)
        index = getattr(found, "index", None)
        if index is not None and not (is_a(index, "pandas", "RangeIndex") and index.start == 0 and index.step == 1):
            self.problem = "the labels of the index are not the numbers of the rows"

    def check_label(self) -> None:
        """Check that the label of `iterrows` can stand for the position, if the body uses it."""
        if self._header.label is not None:
            self._check_labels()


def aliases(loop: ast.For, header: Header, values: Values) -> Iterator[tuple[ast.stmt, str, ast.expr, ast.expr | None]]:
    """Yield `row = frame.iloc[i]` and `before = frame.iloc[i - 1]` of a loop: statement, name, frame and position.

    The position is None for the row of the loop itself.
    """
    for statement in loop.body:
        match statement:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Subscript(value=ast.Attribute(value=frame, attr="iloc"), slice=position),
            ) if is_path(frame) and is_a(values.of(frame), "pandas", "DataFrame"):
                match position:
                    case ast.Name(id=index) if index == header.index:
                        yield statement, name, frame, None
                    case ast.BinOp(left=ast.Name(id=index), op=ast.Sub(), right=ast.Constant(value=int())) if (
                        index == header.index
                    ):
                        yield statement, name, frame, position


def argument_of(column: Column) -> tuple[str, str]:
    """Return the code of an argument, and the library of its type."""
    code = ast.unparse(column.argument).replace("'", '"')
    if isinstance(column.argument, ast.BinOp | ast.UnaryOp) or (
        isinstance(column.argument, ast.Compare) and not column.is_flag
    ):
        code = f"({code})"
    if column.is_flag:
        if is_a(column.value, "polars", "Series"):
            return code, "polars"
        if not is_a(column.value, "pandas", "Series"):
            return code, "numpy"
        return (f"({code}).to_numpy()" if " == " in code else f"{code}.to_numpy()"), "numpy"
    is_strings = is_a(column.value, "numpy", "ndarray") and column.value.dtype.kind in "OUT"
    if is_strings or is_a(column.value, "pandas.api.extensions", "ExtensionArray"):
        return f"pd.Series({code})", "pandas"
    if is_a(column.value, "polars", "Series"):
        return code, "polars"
    if is_a(column.value, "pandas", "Series"):
        is_number = getattr(column.value.dtype, "kind", "O") in "iufb" and is_a(
            column.value.to_numpy(), "numpy", "ndarray"
        )
        return (f"{code}.to_numpy()", "numpy") if is_number else (code, "pandas")
    return (code, "numpy") if is_a(column.value, "numpy", "ndarray") else (f"np.array({code})", "numpy")
