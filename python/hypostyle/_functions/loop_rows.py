"""The body of a loop as the program of one row.

`x[i]` is the input, `x[i - 2]` a field of the state that holds the value of two rows before, `out[i]` a variable, and a
variable that is read before the loop assigns it is a field.  Before the first row `x[i - 2]` would be an item from the
end of the array: such a row is null, unless the loop guards against it (`if i >= 2`), and nothing but the fields of
earlier values changes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from hypostyle._functions.loop_parts import Array
from hypostyle._functions.loop_setup import Setup
from hypostyle._functions.scope import Loop, Scope
from hypostyle._functions.values import Expr, Members, Some, Statement, Table, Tup, Value
from hypostyle._functions.ways_out import STATE

LEFT = "break"
"""The field that says that the loop was left."""

LENGTH_OF = "len(x)"

FUTURE = "this reads a later row, which may not have come yet; shift the loop: x[i] and x[i - 1]"


class Rows(Setup):
    """Translates the statements of a loop over the rows."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.index: str | None = None
        self.counter_field = "row[i]"
        self.uses_counter = False
        self.fixed_row: int | None = None
        """The row for which a statement before the loop stands."""
        self.lowest = 0
        """The lowest row that can be here."""
        self.wraps = 0
        """How many rows before its own a statement reads without a guard."""
        self.delays: dict[str, int] = {}
        self.starts: dict[str, Expr] = {}
        self.carried: dict[str, None] = {}
        self.ends: list[Statement] = []
        self.skipped: list[Statement] = []
        self.filled: set[str] = set()
        """The lists that may have this row's value on the path that is translated."""
        self.filled_before: set[str] = set()
        """Those that may have it on an earlier path that goes on behind the same `if`."""

    # The index

    @property
    def row(self) -> Expr:
        """The number of the row."""
        self.uses_counter = True
        return ["field", self.counter_field]

    def name(self, node: ast.Name) -> Value:
        """Translate a name; the loop's index is a field that counts the rows."""
        if self.is_index(node):
            return self.row
        return super().name(node)

    def is_index(self, node: ast.AST) -> bool:
        """Return whether a node is the loop's index."""
        if not isinstance(node, ast.Name) or self.fixed_row is not None or self.scope.is_helper:
            return False
        return node.id == self.index and node.id not in self.scope.bindings

    def unsure(self, node: ast.Name) -> None:
        """Read a variable that has its value from an earlier row."""
        if self.scope.is_helper:
            super().unsure(node)
            return
        if node.id not in self.starts and self.lowest > 0:
            self.starts[node.id] = None
        if node.id not in self.starts:
            raise self.error(node, f"{node.id} may be read before it has a value; give it one before the loop")
        if self.scope.shapes.setdefault(node.id, None) is not None:
            raise self.error(node, f"{node.id} goes from row to row and is a tuple; use a variable for each item")
        self.carried[node.id] = None

    def offsets(self, node: ast.expr, array: Array) -> tuple[Expr, list[int]]:
        """Return how many rows before the current one an index stands, with all values that this can have."""
        if self.scope.is_helper:
            raise self.error(node, f"an array cannot be passed to a function; pass its item: {array.name}[i]")
        back = self.steps_back(node)
        if back is not None:
            choices = self.values_of(back)
            if choices is None:
                what = f"how far {array.name} looks back"
                raise self.error(node, f"{what} is a number or a captured constant: {array.name}[i - 1]")
            if min(choices) < 0:
                raise self.error(node, FUTURE)
            return back, choices
        if isinstance(node, ast.Slice):
            raise self.error(node, "a slice of an array is not compiled; for moving windows use hs.rolling_mean")
        numbers = self.values_of(self.expr(node)) if not isinstance(node, ast.Tuple) else None
        if numbers is not None and len(numbers) == 1:
            return self._constant_offset(numbers[0], node, array)
        raise self.error(node, f"an array is read at the row or before: {array.name}[i], {array.name}[i - 1]")

    def steps_back(self, node: ast.expr) -> Expr | None:
        """Return how many rows before the current one `i - k` is; None if the index is not part of it."""
        if self.is_index(node):
            return 0
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub | ast.Add):
            return None
        left = self.steps_back(node.left)
        if left is None:
            return None
        return ["+" if isinstance(node.op, ast.Sub) else "-", left, self.expr(node.right)]

    def _constant_offset(self, number: int, node: ast.expr, array: Array) -> tuple[Expr, list[int]]:
        if array.is_list and number < 0 and self.fixed_row is None:
            appended = array.name in self.scope.sure
            if not appended and array.name in self.filled:
                raise self.error(node, f"{array.name} may have this row's value or not; append once, at the end")
            back = -number - (1 if appended else 0)
            return back, [back]
        if self.fixed_row is None or number < 0:
            msg = f"inside of the loop an array is read at the row: {array.name}[i]"
            raise self.error(node, f"{msg}; for a fixed item write first = {array.name}[0] before the loop")
        back = self.fixed_row - number
        if back < 0:
            raise self.error(node, FUTURE)
        return back, [back]

    def subscript(self, node: ast.Subscript) -> Value:
        """Translate an item of an array."""
        array = self.array(node.value)
        if array is None:
            if self.is_length(node):
                raise self.error(node, "the number of rows is not known inside of the loop: rows may still come")
            return super().subscript(node)
        back, choices = self.offsets(node.slice, array)
        if len(choices) == 1:
            return self.delayed(array, choices[0])
        return self.choose(back, [(number, self.delayed(array, number)) for number in choices], node)

    def delayed(self, array: Array, back: int) -> Expr:
        """Return an item of an array some rows before."""
        if back == 0:
            return ["get", array.name]
        self.delays[array.name] = max(self.delays.get(array.name, 0), back)
        if back > self.lowest and not array.is_known and self.fixed_row is None:
            self.wraps = max(self.wraps, back)
        field: Expr = ["field", f"{array.name}[i-{back}]"]
        return field if array.like is None or not array.is_known else self.stored(array, field)

    # What is known about the index

    def narrowed(self, test: ast.expr, truth: bool) -> None:
        """Raise the lowest row by a condition on the index."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.narrowed(operand, not truth)
            case ast.BoolOp(op=ast.And()) if truth:
                for value in test.values:
                    self.narrowed(value, True)
            case ast.BoolOp(op=ast.Or()) if not truth:
                for value in test.values:
                    self.narrowed(value, False)
            case ast.Name() if self.is_index(test) and truth and self.lowest == 0:
                self.lowest = 1
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                self._compared(left, type(operator).__name__, right, truth)

    def _compared(self, left: ast.expr, sign: str, right: ast.expr, truth: bool) -> None:
        if self.is_index(right):
            left, right, sign = right, left, _MIRRORED.get(sign, sign)
        if not self.is_index(left):
            return
        limits = self.values_of(self.value(right)) if not isinstance(right, ast.Tuple) else None
        sign = sign if truth else _NEGATED.get(sign, "")
        if limits is None or len(limits) != 1:
            return
        limit = limits[0]
        if sign == "NotEq" and limit == self.lowest:
            self.lowest += 1
        elif sign in ("Gt", "GtE", "Eq"):
            self.lowest = max(self.lowest, limit + (sign == "Gt"))

    @contextmanager
    def on_some_path(self) -> Iterator[None]:
        """Translate a part that may not run: what it knows about the index ends with it."""
        lowest, filled = self.lowest, set(self.filled)
        with super().on_some_path():
            yield
        if self.scope.live and self.filled != filled:
            self.filled_before |= self.filled
        self.lowest, self.filled = lowest, filled

    def conditional_statement(self, node: ast.If) -> None:
        """Translate `if`; behind it a list may have its value from either branch."""
        outer, self.filled_before = self.filled_before, set()
        super().conditional_statement(node)
        self.filled |= self.filled_before
        self.filled_before = outer

    # Statements

    def statement(self, node: ast.stmt) -> None:
        """Translate a statement; before it, leave a row that would read items from the end of an array."""
        outer, self.wraps, out = self.wraps, 0, self.out
        position = len(out)
        if not self.append(node):
            super().statement(node)
        if self.wraps:
            skip: Statement = ["return", [], []]
            self.skipped.append(skip)
            out.insert(position, ["if", ["compare", self.row, [["<", self.wraps]]], [skip], []])
        self.wraps = outer

    def append(self, node: ast.stmt) -> bool:
        """Translate `out.append(x)`, or `out += [x]`; return whether it is one."""
        match node:
            case ast.AugAssign(target=ast.Name() as name, op=ast.Add(), value=ast.List(elts=items)):
                array = self.array(name)
                if array is not None and array.is_list:
                    if len(items) != 1:
                        raise self.error(node, f"a row appends one value: {array.name}.append(x)")
                    owner = ast.copy_location(ast.Name(name.id, ast.Load()), name)
                    call = ast.Call(ast.Attribute(owner, "append", ast.Load()), items, [])
                    return self.append(ast.fix_missing_locations(ast.copy_location(ast.Expr(call), node)))
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="append"), args=[item])):
                array = self.array(owner)
                if array is None or not array.is_list:
                    return False
                if array.name in self.filled or not self.scope.loops[-1].is_rows:
                    raise self.error(node, f"{array.name} can get two values in one row; append once in every row")
                if isinstance(item, ast.Tuple | ast.List | ast.Dict):
                    message = "one list has one result: make a list for each, low.append(a) and high.append(b)"
                    raise self.error(item, f"{message}, and return low, high")
                self.out.append(["set", array.name, self.operand(item)])
                self.scope.sure.add(array.name)
                self.scope.maybe.add(array.name)
                self.filled.add(array.name)
                return True
        return False

    def pairs(self, target: ast.expr, value: Value, node: ast.AST) -> Iterator[tuple[str, Expr]]:
        """Yield the variables of a target with their values; `out[i]` is one."""
        if isinstance(target, ast.Name) and target.id == self.index:
            raise self.error(target, f"{target.id} is the loop's index; use another name")
        if not isinstance(target, ast.Subscript):
            yield from super().pairs(target, value, node)
            return
        array = self.array(target.value)
        if isinstance(target.value, ast.Name) and isinstance(self.scope.bindings.get(target.value.id), Table):
            raise self.error(target, f"{target.value.id}[...] = is not compiled: {STATE}")
        if array is None:
            raise self.error(target, "only an array made before the loop can be written: out = np.empty(len(x))")
        if array.is_input:
            raise self.error(target, f"{array.name} is an input; write to an array of its own: out = np.empty(len(x))")
        if array.is_list:
            message = f"{array.name} is a list that grows; append to it"
            raise self.error(target, f"{message} (for the last values read x[i - 5], or keep a variable for each)")
        if self.offsets(target.slice, array)[1] != [0]:
            raise self.error(target, f"a row writes its own item only: {array.name}[i]")
        if isinstance(value, Tup | Table | Some | Members):
            raise self.error(node, "an item of an array is a number")
        if self.gives_text(value) and not array.is_object:
            raise self.error(node, f"an array of strings is one of objects: np.empty({LENGTH_OF}, dtype=object)")
        yield array.name, self.stored(array, value)

    def leave_rows(self, node: ast.Break | ast.Continue) -> None:
        """Translate `continue` and `break` of the loop over the rows; after `break` rows keep what arrays hold."""
        if isinstance(node, ast.Break):
            if any(array.is_list for array in self.arrays.values()):
                raise self.error(node, "break ends a list that grows early; write to an array: out = np.zeros(len(x))")
            self.starts[LEFT] = False
            self.carried[LEFT] = None
            self.out.append(["set", LEFT, True])
        self.end_row(node)

    def return_statement(self, node: ast.Return) -> None:
        """Refuse a return inside of the loop over the rows."""
        if not self.scope.is_helper:
            raise self.error(node, "return inside of the loop is not compiled; write continue")
        super().return_statement(node)

    def end_row(self, node: ast.AST) -> None:
        """Write the end of a row; what it returns is known when the whole body is translated."""
        for array in self.arrays.values():
            if array.is_list and array.name not in self.scope.sure:
                raise self.error(node, f"this path appends nothing to {array.name}; append once in every row")
        end: Statement = ["return", [], []]
        self.ends.append(end)
        self.out.append(end)
        self.scope.live = False

    def rows(self, loop: ast.For) -> list[Statement]:
        """Translate the body of the loop."""
        self.scope.loops.append(Loop(is_rows=True))
        body = self.block(loop.body)
        if self.scope.live:
            outer, self.out = self.out, body
            self.end_row(loop)
            self.out = outer
        self.scope.loops.pop()
        return body


_MIRRORED = {"Lt": "Gt", "LtE": "GtE", "Gt": "Lt", "GtE": "LtE"}
_NEGATED = {"Lt": "GtE", "LtE": "Gt", "Gt": "LtE", "GtE": "Lt", "Eq": "NotEq", "NotEq": "Eq"}
