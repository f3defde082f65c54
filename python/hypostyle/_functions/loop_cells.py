"""Few values that a loop keeps in an array, a list or a `deque` of its own: each of them is a field of the state.

`ring = np.zeros(20)` with `ring[i % 20] = x[i]`, `last = deque(maxlen=5)` with `last.append(x[i])`.  An item whose
number depends on the row is chosen among all of them; a number beyond them is an error of the row, as it is in Python.
"""

from __future__ import annotations

import ast
import collections
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypostyle._functions.array_reductions import reduction
from hypostyle._functions.loop_parts import names_in
from hypostyle._functions.loop_rows import Rows
from hypostyle._functions.loop_types import converted, start_of
from hypostyle._functions.scope import Scope
from hypostyle._functions.values import ERROR, Expr, Some, Statement, Table, Tup, Value, is_constant, is_text

MOST = 64
"""The most values that a loop keeps in one of them."""

_FILLS = {"zeros": 0, "ones": 1, "empty": 0}


@dataclass
class Cells:
    """An array, a list or a `deque` of few values."""

    name: str
    variables: list[str]
    """Of a deque the last ones are there."""
    conversion: str | None = None
    is_numpy: bool = False
    count: str | None = None
    """The variable with the number of values of a deque."""

    @property
    def size(self) -> int:
        """How many there can be."""
        return len(self.variables)

    @property
    def value(self) -> Value:
        """What the name stands for."""
        items = tuple(["get", variable] for variable in self.variables)
        if self.count is None:
            return Tup(items)
        count: Expr = ["get", self.count]
        return Some(tuple((["compare", count, [[">", self.size - 1 - at]]], item) for at, item in enumerate(items)))


class RowsWithCells(Rows):
    """Translates what a loop does with few values of its own."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.cells: dict[str, Cells] = {}
        self.results: set[str] = set()
        """The names that the function returns."""
        self.body: list[ast.stmt] = []
        """The statements of the loop."""

    # Before the loop

    def cells_before(self, name: str, value: ast.expr) -> bool:
        """Note the cells that an assignment before the loop makes; return whether it makes any."""
        if name in self.results or name in self.arrays or name in self.cells:
            return False
        return self._deque_before(name, value) or self._array_before(name, value)

    def _array_before(self, name: str, value: ast.expr) -> bool:
        if any(_appends(node, name) for s in self.body for node in ast.walk(s)):
            return False
        found = self._items_made(value)
        if found is None:
            return False
        items, conversion, is_numpy = found
        if len(items) > MOST:
            raise self.error(value, f"{name} keeps {len(items)} values from row to row; at most {MOST} are compiled")
        if not any(_writes(node, name) for s in self.body for node in ast.walk(s)):
            self.scope.bindings[name] = Tup(tuple(items))
            return True
        cells = Cells(name, [f"{name}[{at}]" for at in range(len(items))], conversion, is_numpy)
        self._keep(cells, items)
        return True

    def _items_made(self, value: ast.expr) -> tuple[list[Expr], str | None, bool] | None:
        """Return what an expression puts into an array or a list of constant length, and its type."""
        match value:
            case ast.List(elts=[_, *_] as elements):
                items = self._constants(elements)
                return None if items is None else (items, None, False)
            case ast.BinOp(left=ast.List(elts=[_, *_] as elements), op=ast.Mult(), right=count):
                times, items = self._size(count), self._constants(elements)
                return None if times is None or items is None else (items * times, None, False)
            case ast.Call(func=function, args=[count, *others], keywords=keywords):
                maker = self.numpy_name(function)
                size = self._size(count) if maker in ("zeros", "ones", "empty", "full") else None
                if maker is None or size is None or len(others) > 1 or len(keywords) > 1:
                    return None
                fill: Expr = _FILLS.get(maker)
                named = {keyword.arg: keyword.value for keyword in keywords}
                dtype = named.pop("dtype", None)
                if maker == "full":
                    given = others[0] if others else named.pop("fill_value", None)
                    fill = None if given is None else self.expr(given)
                elif others:
                    dtype = others[0]
                if fill is None or not is_constant(fill) or named:
                    return None
                conversion = "float" if dtype is None and maker != "full" else None
                conversion = conversion if dtype is None else self.conversion(dtype)
                return [_filled(conversion, fill)] * size, conversion, True
        return None

    def _constants(self, elements: Sequence[ast.expr]) -> list[Expr] | None:
        if any(isinstance(node, ast.Starred) or names_in(node) & set(self.arrays) for node in elements):
            return None
        items = [self.expr(node) for node in elements]
        return items if all(is_constant(item) and not is_text(item) for item in items) else None

    def _size(self, node: ast.expr) -> int | None:
        if self.is_length(node) or isinstance(node, ast.Tuple | ast.List) or self.array(node) is not None:
            return None
        choices = self.values_of(self.expr(node))
        return choices[0] if choices is not None and len(choices) == 1 and choices[0] > 0 else None

    def _deque_before(self, name: str, value: ast.expr) -> bool:
        """Note a `deque(maxlen=n)`, or a list from which the loop drops the first value when there are too many."""
        items: list[Expr] | None = []
        size: int | None = None
        match value:
            case ast.Call(func=function, args=given, keywords=keywords) if (
                self.object_of(function) is collections.deque
            ):
                if len(given) > 1 or any(keyword.arg != "maxlen" for keyword in keywords):
                    return False
                made = self._items_made(given[0]) if given and not _is_empty(given[0]) else ([], None, False)
                items = None if made is None else made[0]
                size = self._size(keywords[0].value) if keywords else self._most(name)
            case ast.List(elts=[]):
                size = self._most(name)
            case _:
                return False
        if items is None or size is None:
            return False
        if size > MOST:
            raise self.error(value, f"{name} keeps {size} values from row to row; at most {MOST} are compiled")
        cells = Cells(name, [f"{name}[{at - size}]" for at in range(size)], count=f"len({name})")
        items = items[-size:]
        self._keep(cells, [*[None] * (size - len(items)), *items], len(items))
        return True

    def _most(self, name: str) -> int | None:
        """Return how many values a list has at most, if each append is next to a test of its length."""
        sizes: set[int | None] = set()

        def look(block: Sequence[ast.stmt]) -> None:
            for at, statement in enumerate(block):
                if _appends(statement, name):
                    behind, before = block[at + 1 : at + 2], block[max(at - 1, 0) : at]
                    limit = _limit(behind[0], name, (ast.Gt,)) if behind else None
                    if limit is not None:
                        most = self._size(limit)
                        sizes.add(None if most is None else most + 1)
                        continue
                    limit = _limit(before[0], name, (ast.GtE, ast.Eq)) if before else None
                    sizes.add(None if limit is None else self._size(limit))
                for part in ("body", "orelse"):
                    inner = getattr(statement, part, None)
                    if isinstance(inner, list):
                        look(inner)

        look(self.body)
        return sizes.pop() if len(sizes) == 1 else None

    def _keep(self, cells: Cells, items: Sequence[Expr], count: int = 0) -> None:
        for variable, item in zip(cells.variables, items, strict=True):
            self.starts[variable] = item
            self.carried[variable] = None
        if cells.count is not None:
            self.starts[cells.count] = count
            self.carried[cells.count] = None
        self.cells[cells.name] = cells
        self.scope.bindings[cells.name] = cells.value

    # In the loop

    def cells_of(self, node: ast.AST) -> Cells | None:
        """Return the cells that a node names."""
        return self.cells.get(node.id) if isinstance(node, ast.Name) and not self.scope.is_helper else None

    def pairs(self, target: ast.expr, value: Value, node: ast.AST) -> Any:
        """Yield the variables of a target with their values; of an item whose number is not known, all of them."""
        cells = self.cells_of(target.value) if isinstance(target, ast.Subscript) else None
        if cells is None or not isinstance(target, ast.Subscript):
            if self.cells_of(getattr(node, "value", node)) is not None and isinstance(target, ast.Name):
                raise self.error(node, f"{target.id} would be the same list as the other name; read its items")
            yield from super().pairs(target, value, node)
            return
        if isinstance(value, Tup | Table | Some) or is_text(value):
            raise self.error(node, "an item of an array is a number")
        if cells.count is not None or isinstance(target.slice, ast.Slice):
            raise self.error(target, f"only one item of an array is written: {cells.name}[k] = v")
        stored = converted(cells.conversion, value)
        number, choices = self._place_of(target.slice, cells)
        if len(choices) == 1:
            yield cells.variables[choices[0]], stored
            return
        stored = self.kept(stored, self.out)
        for at in choices:
            yield cells.variables[at], ["if", ["compare", number, [["==", at]]], stored, ["get", cells.variables[at]]]

    def _place_of(self, node: ast.expr, cells: Cells) -> tuple[Expr, list[int]]:
        """Return the number of an item from the front, and what it can be; one beyond is an error of the row."""
        size = cells.size
        index = self.expr(node)
        choices = self.values_of(index)
        if choices is not None:
            inside = sorted({choice % size for choice in choices if -size <= choice < size})
            if len(choices) == 1 and not inside:
                raise self.error(node, f"item {choices[0]} is beyond {cells.name}, which has {size}")
            if len(choices) == 1:
                return inside[0], inside
        number = self.fresh("number")
        read: Expr = ["get", number]
        # Of a float Python makes no index; neither does it of its bits.
        self.out += [
            ["set", number, ["|", index, 0]],
            ["set", number, ["if", ["compare", read, [["<", 0]]], ["+", read, size], read]],
            ["if", ["compare", 0, [["<=", read], ["<", size]]], [], [["set", self.fresh("beyond"), ERROR]]],
        ]
        return read, list(range(size))

    def subscript(self, node: ast.Subscript) -> Value:
        """Translate an item."""
        cells = self.cells_of(node.value)
        if cells is None or cells.count is None or isinstance(node.slice, ast.Slice):
            return super().subscript(node)
        before: list[Statement] = []
        index = self.kept(["|", self.expr(node.slice), 0], before)
        count: Expr = ["get", cells.count]
        from_end = self.kept(["if", ["compare", index, [["<", 0]]], index, ["-", index, count]], before)
        pairs = [(at - cells.size, ["get", variable]) for at, variable in enumerate(cells.variables)]
        chosen = self.choose(from_end, pairs, node)
        inside: Expr = ["compare", ["neg", count], [["<=", from_end], ["<", 0]]]
        return self.after(before, ["if", inside, chosen, ERROR])

    def length(self, node: ast.Call) -> Expr:
        """Translate `len`."""
        cells = self.cells_of(node.args[0]) if len(node.args) == 1 else None
        return super().length(node) if cells is None or cells.count is None else ["get", cells.count]

    def append(self, node: ast.stmt) -> bool:
        """Translate what changes a deque; return whether it is that."""
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=name), args=given, keywords=[])):
                cells = self.cells_of(owner)
                if cells is None or cells.count is None:
                    return super().append(node)
                first = name == "popleft" or (name == "pop" and [ast.unparse(a) for a in given] == ["0"])
                if name == "append" and len(given) == 1:
                    self._appended(cells, self.expr(given[0]))
                elif first and (name == "pop") == bool(given):
                    self._dropped(cells)
                elif name == "clear" and not given:
                    self.out.append(["set", cells.count, 0])
                else:
                    raise self.error(node, f"of {cells.name} append, popleft and clear are compiled")
                return True
            case ast.Delete(targets=[ast.Subscript(value=owner, slice=ast.Constant(value=0))]):
                cells = self.cells_of(owner)
                if cells is not None and cells.count is not None:
                    self._dropped(cells)
                    return True
        return super().append(node)

    def _appended(self, cells: Cells, value: Expr) -> None:
        assert cells.count is not None
        kept = self.kept(value, self.out)
        for variable, following in zip(cells.variables, cells.variables[1:], strict=False):
            self.out.append(["set", variable, ["get", following]])
        count: Expr = ["get", cells.count]
        more = ["if", ["compare", count, [["<", cells.size]]], ["+", count, 1], cells.size]
        self.out += [["set", cells.variables[-1], kept], ["set", cells.count, more]]

    def _dropped(self, cells: Cells) -> None:
        assert cells.count is not None
        count: Expr = ["get", cells.count]
        is_empty: Expr = ["compare", count, [["==", 0]]]
        self.out += [
            ["if", is_empty, [["set", self.fresh("empty"), ERROR]], []],
            ["set", cells.count, ["-", count, 1]],
        ]

    def for_loop(self, node: ast.For) -> None:
        """Translate a loop over the values of a deque: over all places of which those behind are taken."""
        cells = self.cells_of(node.iter)
        if cells is None or cells.count is None:
            super().for_loop(node)
            return
        place = ast.Name(self.fresh("place"), ast.Load())
        self.scope.locals.add(place.id)
        self.scope.assignments[place.id] = 2
        number = ast.BinOp(place, ast.Sub(), ast.Constant(cells.size))  # from the end
        known = ast.BinOp(number, ast.Add(), ast.Call(ast.Name("len", ast.Load()), [node.iter], []))
        item = ast.Assign([node.target], ast.Subscript(node.iter, number, ast.Load()))
        places = ast.Tuple([ast.Constant(at) for at in range(cells.size)], ast.Load())
        inner = ast.If(ast.Compare(known, [ast.GtE()], [ast.Constant(0)]), [item, *node.body], [])
        made = ast.For(ast.Name(place.id, ast.Store()), places, [inner], node.orelse)
        for part in ast.walk(made):
            if not hasattr(part, "lineno"):
                ast.copy_location(part, node)
        super().for_loop(made)

    # What NumPy computes of them

    def first_items(self, _node: ast.expr) -> Sequence[Value] | None:
        """Return the items of the first rows of an array, if a node is these."""
        return None

    def call(self, node: ast.Call) -> Value:
        """Translate a call; `ring.sum()` and `np.mean(ring)` are added in NumPy's order."""
        found = self._reduced(node)
        return super().call(node) if found is None else found

    def _reduced(self, node: ast.Call) -> Value | None:
        numpy: Any = sys.modules.get("numpy")
        match node:
            case ast.Call(func=ast.Attribute(value=given, attr=name), args=[], keywords=[]):
                cells = self.cells_of(given)
                name = {"max": "maximum", "min": "minimum"}.get(name, name)
            case ast.Call(func=function, args=[given], keywords=[]) if numpy is not None:
                cells, called = self.cells_of(given), self.object_of(function)
                known = {"maximum": numpy.max, "minimum": numpy.min}
                known |= {name: getattr(numpy, name) for name in ("sum", "mean", "std", "var")}
                name = next((name for name, made in known.items() if made is called), "")
            case _:
                return None
        if cells is not None:
            items = [["get", variable] for variable in cells.variables] if cells.is_numpy else []
        else:
            items = list(self.first_items(given) or []) if name else []
        if not items:
            return None
        before: list[Statement] = []
        found = reduction(name, items, lambda value: self.kept(value, before))
        return None if found is None else self.after(before, found)


def _filled(conversion: str | None, fill: Expr) -> Expr:
    return start_of(fill) if conversion == "float" else converted(conversion, fill)


def _is_empty(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple) and not node.elts


def _writes(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Subscript(value=ast.Name(id=found), ctx=ast.Store()):
            return found == name
    return False


def _appends(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="append"))):
            return found == name
        case ast.AugAssign(target=ast.Name(id=found), value=ast.List()):
            return found == name
    return False


def _limit(statement: ast.stmt, name: str, signs: tuple[type[ast.cmpop], ...]) -> ast.expr | None:
    """Return n of `if len(name) > n: name.pop(0)`."""
    match statement:
        case ast.If(
            test=ast.Compare(
                left=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=found)]), ops=[sign], comparators=[n]
            ),
            body=[dropping],
            orelse=[],
        ) if found == name and isinstance(sign, signs):
            return n if ast.unparse(dropping) in (f"{name}.pop(0)", f"{name}.popleft()", f"del {name}[0]") else None
    return None
