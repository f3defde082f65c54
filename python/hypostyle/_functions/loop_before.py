"""Statements before a loop: what is the same in every row, what a variable starts with, what one row alone does."""

from __future__ import annotations

import ast

from hypostyle._functions.loop_first_rows import FirstRows
from hypostyle._functions.loop_parts import Array, names_in, pairs_of
from hypostyle._functions.loop_setup import LENGTH
from hypostyle._functions.scope import Scope
from hypostyle._functions.source import Source
from hypostyle._functions.values import Expr, Members, Statement, Table, Tup, is_constant

_MOST_ITEMS = 100
"""The most rows whose results a list has before the loop."""


class Before(FirstRows):
    """Translates the statements before a loop."""

    def __init__(self, source: Source) -> None:
        super().__init__(Scope(source))
        self.source = source
        self.changing: set[str] = set()
        """Names that the loop assigns."""
        self.head: list[Statement] = []
        self.fixed: list[tuple[int, list[Statement]]] = []
        """Statements of one row alone, with its number."""
        self.fixed_names: dict[str, int] = {}
        """Variables that get a value in one row, with its number."""

    def _before(self, statement: ast.stmt) -> None:
        """Translate a statement before the loop."""
        match statement:
            case ast.FunctionDef(name=name):
                self.inner_function(name, statement)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as made):
                self.inner_function(name, made)
            case ast.Import() | ast.ImportFrom():
                self.imports(statement)
            case ast.Assign(targets=[target], value=value):
                for inner, item in pairs_of(target, value):
                    self._assigned_before(inner, item, statement)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assigned_before(target, value, statement)
            case ast.Assign(value=value):
                for target in statement.targets:
                    self._assigned_before(target, value, statement)
            case ast.AugAssign(target=ast.Name()):
                self._plain_before(statement.target, statement.value, statement)
            case ast.Pass() | ast.AnnAssign():
                pass
            case ast.If(test=test, body=[ast.Return()], orelse=[]) if self._is_about_length(test):
                pass
            case _:
                raise self.error(statement, "before the loop only assignments are compiled")

    def _is_about_length(self, test: ast.expr) -> bool:
        match test:
            case ast.Compare(left=left, ops=[operator], comparators=[ast.Constant(value=limit)]):
                is_empty = (type(operator), limit) in ((ast.Eq, 0), (ast.LtE, 0), (ast.Lt, 1))
                return is_empty and self.is_length(left)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.is_length(operand)
        return False

    def _assigned_before(self, target: ast.expr, value: ast.expr, statement: ast.stmt) -> None:
        if isinstance(target, ast.Subscript):
            self._item_before(target, value, statement)
            return
        if not isinstance(target, ast.Name):
            self._plain_before(target, value, statement)
            return
        name = target.id
        if self.is_length(value):
            self.scope.bindings[name] = LENGTH
            return
        if isinstance(value, ast.Call) and len(value.args) == 1 and self._keeps_type(value):
            again = self.array(value.args[0])
            if again is not None and again.name == name and self.numpy_name(value.func) is not None:
                return
        if name in self.arrays:
            raise self.error(statement, f"{name} is an array already; use another name")
        if self.cells_before(name, value):
            return
        if (items := self._items_of(value)) is not None:
            self.add(Array(name, False, is_list=True, is_python=True))
            for row, item in enumerate(items):
                self._fix(row, [["set", name, self._at(row, item)]])
            return
        made = self.made(name, value)
        if made is not None:
            self.add(made)
            return
        self._plain_before(target, value, statement)

    def _keeps_type(self, value: ast.Call) -> bool:
        """Whether a call says nothing about the type of the array that it makes, or only that it has floats."""
        names = {keyword.arg for keyword in value.keywords}
        return not names or (names == {"dtype"} and self.conversion(value.keywords[0].value) == "float")

    def _items_of(self, value: ast.expr) -> list[ast.expr] | None:
        """Return the items of a list: `[]`, `[x[0]]`, `[0.0] * 20`."""
        match value:
            case ast.List(elts=items):
                return items
            case ast.BinOp(left=ast.List(elts=items), op=ast.Mult(), right=count) if not self.is_length(count):
                times = self.values_of(self.expr(count))
                if times is not None and len(times) == 1 and 0 <= len(items) * times[0] <= _MOST_ITEMS:
                    return items * times[0]
        return None

    def _at(self, row: int, value: ast.expr) -> Expr:
        """Translate a value that stands for one row."""
        self.fixed_row = row
        translated = self.expr(value)
        self.fixed_row = None
        return translated

    def _fix(self, row: int, statements: list[Statement]) -> None:
        self.fixed.append((row, statements))

    def _item_before(self, target: ast.Subscript, value: ast.expr, statement: ast.stmt) -> None:
        """Translate `out[0] = x[0]` before the loop."""
        array = self.array(target.value)
        everything = isinstance(target.slice, ast.Slice) and target.slice.lower is target.slice.upper is None
        if array is not None and everything and not array.is_input and not array.is_list:
            self.fill(array, self.plain_constant(value))
            return
        choices = self.values_of(self.expr(target.slice))
        if choices is None or len(choices) != 1 or choices[0] < 0:
            raise self.error(target, "before the loop only items with a constant number are written: out[0] = x[0]")
        row = choices[0]
        outer, self.out = self.out, []
        self.fixed_row = row
        self.assign(target, self.expr(value), statement)
        self.fixed_row = None
        self._fix(row, self.out)
        self.out = outer

    def _plain_before(self, target: ast.expr, value: ast.expr, statement: ast.stmt) -> None:
        """Translate a variable: it is the same in every row, or a start, or gets its value in the first row."""
        names, read = names_in(target), names_in(value)
        if isinstance(statement, ast.AugAssign):
            read |= names
        rows = [self.fixed_names[name] for name in read if name in self.fixed_names]
        rows += [self._last_item(value)] if read & set(self.arrays) else []
        changes = bool(names & self.changing)
        if isinstance(target, ast.Name) and changes and not rows and not isinstance(statement, ast.AugAssign):
            translated = self.value(value)
            plain = is_constant(translated) and not isinstance(translated, Tup | Table | Members)
            if plain and target.id not in self.fixed_names:
                self.starts[target.id] = translated
                if self.gives_text(translated):
                    self.texts.add(target.id)
                self.scope.maybe.add(target.id)
                return
        if not changes and not rows and not read & set(self.starts):
            outer, self.out = self.out, self.head
            self.statement(_one(target, value, statement))
            self.out = outer
            return
        row = max(rows, default=0)
        outer, self.out = self.out, []
        self.fixed_row = row
        self.statement(_one(target, value, statement))
        self.fixed_row = None
        self._fix(row, self.out)
        self.out = outer
        for name in names:
            self.fixed_names[name] = row
            self.starts.setdefault(name, None)
            self.scope.sure.discard(name)

    def _last_item(self, value: ast.expr) -> int:
        """Return the last row that a value before the loop reads."""
        last = 0
        for node in ast.walk(value):
            if isinstance(node, ast.Subscript) and self.array(node.value) is not None:
                if isinstance(node.slice, ast.Slice) and node.slice.upper is not None and node.slice.step is None:
                    ends = self.values_of(self.expr(node.slice.upper)) or [0]
                    if ends[0] > 0:
                        last = max(last, ends[0] - 1)
                        continue
                numbers = self.values_of(self.expr(node.slice)) if not isinstance(node.slice, ast.Slice) else None
                if numbers is None or len(numbers) != 1 or numbers[0] < 0:
                    raise self.error(node, "before the loop only the first items can be read: x[0]")
                last = max(last, numbers[0])
        return last

    def _start(self, node: ast.expr | None) -> int:
        """Return the first row of the loop."""
        choices = [0] if node is None else self.values_of(self.expr(node))
        if choices is None or len(choices) != 1 or choices[0] < 0:
            raise self.error(node, "the first row of the loop is a number or a captured constant: range(1, len(x))")
        start = choices[0]
        for array in self.arrays.values():
            filled = sum(array.name == s[1] for _, block in self.fixed for s in block if s[0] == "set")
            if array.is_list and filled != start:
                msg = f"{array.name} has {filled} values before the loop, which starts at row {start}"
                way = "both must be the same (for the last values read x[i - 5], or keep a variable for each)"
                raise self.error(node or self.source.node, f"{msg}; {way}")
        late = [name for name, row in self.fixed_names.items() if row > start]
        if late or any(row > start for row, _ in self.fixed):
            what = late[0] if late else "an item"
            msg = f"{what} is made from a row that comes after the loop's first, {start}"
            raise self.error(node or self.source.node, msg)
        return start


def _one(target: ast.expr, value: ast.expr, statement: ast.stmt) -> ast.stmt:
    if isinstance(statement, ast.AugAssign):
        return statement
    return ast.copy_location(ast.Assign(targets=[target], value=value), statement)
