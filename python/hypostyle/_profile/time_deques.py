"""Windows of time that a loop keeps in a `deque`, perhaps one for each key: it takes away the rows that are too old.

    recent = windows[row.card]
    while recent and row.time - recent[0][0] > limit:
        recent.popleft()
    recent.append((row.time, row.amount))

What the loop then reads of the window, `len(recent)` or `sum(x for _, x in recent)`, become columns that kernels make.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypostyle._profile.change import Values, is_a
from hypostyle._profile.keyed_state import named_keys
from hypostyle._profile.loop_syntax import appended
from hypostyle._profile.row_access import Access, Header
from hypostyle._profile.state_parts import key_in
from hypostyle._profile.syntax import names_read, names_set
from hypostyle._profile.two_pointers import duration_of
from hypostyle._profile.window_columns import Column, MadeColumns


@dataclass
class _Window:
    name: str
    """The window of the row."""
    states: set[str]
    """The names that the loop loses: the window, and the dictionary of windows."""
    key: ast.expr | None
    time: ast.expr
    values: list[ast.expr]
    """What is appended: the time alone, or the items of a tuple."""
    length: ast.expr
    keeps_edge: bool
    """Whether a row that is exactly so old stays."""
    at: int
    """The first statement at which the window is that of the row."""


def time_deques(
    body: list[ast.stmt], header: Header, values: Values, later: set[str], free: Callable[[str], str]
) -> tuple[list[ast.stmt], dict[str, Column], set[str]]:
    """Return a body with columns in the place of what it reads of a window, these columns, and the names it lost."""
    nothing = body, dict[str, Column](), set[str]()
    if sum(isinstance(s, ast.While) for s in body) != 1:
        return nothing
    plain = named_keys([_with_default(copy.deepcopy(s)) for s in body])
    found = _window(plain)
    if found is None:
        return nothing
    window, rest = found
    columns = _Columns(header, values)
    time, key = columns.of(window.time), None if window.key is None else columns.of(window.key)
    length = None if time is None else duration_of(_value(window.length, values), time[1])
    if time is None or length is None or window.states & later or (window.key is not None and key is None):
        return nothing
    made = MadeColumns(free)
    reads = _Reads(window, columns, time, key, length, made)
    if window.name in names_read(rest[: window.at]):
        return nothing  # read before the row is in it, or old ones are out
    written = [reads.visit(s) for s in _summed(rest, window.name)]
    if window.states & (names_read(written) | names_set(written)):
        return nothing
    return written, made.found, window.states


def _with_default(statement: ast.stmt) -> ast.stmt:
    """Return `window = windows[key]` as a call, whose name stays."""
    match statement:
        case ast.Assign(targets=[ast.Name()], value=ast.Subscript(value=ast.Name() as owner, slice=key)):
            if not isinstance(key, ast.Constant):
                call = ast.Attribute(owner, "setdefault", ast.Load())
                return ast.Assign(statement.targets, ast.Call(call, [key, ast.List([], ast.Load())], []), lineno=0)
    return statement


def _window(body: list[ast.stmt]) -> tuple[_Window, list[ast.stmt]] | None:
    """Read the statements that keep a window, and return those that are left."""
    loop = next(s for s in body if isinstance(s, ast.While))
    tested = _tested(loop)
    if tested is None:
        return None
    name, time, length, keeps_edge, is_tuple = tested
    key: ast.expr | None = None
    states = {name}
    rest: list[ast.stmt] = []
    values: list[ast.expr] | None = None
    at = 0
    for statement in body:
        if statement is loop:
            at = max(at, len(rest))
            continue
        match statement:
            case ast.If(test=ast.Compare(ops=[ast.NotIn()], comparators=[ast.Name(id=owner)]), body=[ast.Assign()]):
                made = statement.body[0]
                if isinstance(made, ast.Assign) and key_in(made.targets[0], owner) is not None and _is_new(made.value):
                    states.add(owner)
                    continue
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Call() as value) if found == name:
                windows = getattr(value.func, "value", None)
                key = key_in(value, windows.id) if isinstance(windows, ast.Name) else None
                if key is None or not isinstance(windows, ast.Name):
                    return None
                states.add(windows.id)
                continue
        appends = appended(statement)
        if appends is not None and appends[0] == name:
            item = appends[1]
            items = list(item.elts) if isinstance(item, ast.Tuple | ast.List) else [item]
            if values is not None or is_tuple != isinstance(item, ast.Tuple | ast.List):
                return None
            values = items
            at = max(at, len(rest))
            continue
        rest.append(statement)
    if values is None or ast.dump(values[0]) != ast.dump(time):
        return None
    return _Window(name, states, key, time, values, length, keeps_edge, at), rest


def _is_new(value: ast.expr) -> bool:
    return ast.unparse(value) in ("deque()", "collections.deque()", "[]", "list()")


def _tested(loop: ast.While) -> tuple[str, ast.expr, ast.expr, bool, bool] | None:
    """Read `while dq and row.time - dq[0][0] > limit: dq.popleft()`: window, time, limit, edge, whether of tuples."""
    match loop.body:
        case [ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="popleft"), args=[]))]:
            pass
        case [
            ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="pop"), args=[ast.Constant(value=0)])
            )
        ]:
            pass
        case _:
            return None
    tests = loop.test.values if isinstance(loop.test, ast.BoolOp) and isinstance(loop.test.op, ast.And) else [loop.test]
    ages = [test for test in tests if ast.unparse(test) not in (name, f"len({name})", f"len({name}) > 0")]
    if len(ages) != 1 or loop.orelse:
        return None
    firsts = {f"{name}[0]": False, f"{name}[0][0]": True}
    match ages[0]:
        case ast.Compare(
            left=ast.BinOp(left=new, op=ast.Sub(), right=old),
            ops=[ast.Gt() | ast.GtE() as operator],
            comparators=[limit],
        ):
            pass
        case ast.Compare(
            left=old,
            ops=[ast.Lt() | ast.LtE() as operator],
            comparators=[ast.BinOp(left=new, op=ast.Sub(), right=limit)],
        ):
            pass
        case _:
            return None
    if ast.unparse(old) not in firsts or name in names_read([new, limit]):
        return None
    return name, new, limit, isinstance(operator, ast.Gt | ast.Lt), firsts[ast.unparse(old)]


def _value(node: ast.expr, values: Values) -> Any:
    """Return a length of time: the value of a name, or of `pd.Timedelta("30s")` and `timedelta(seconds=30)`."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("Timedelta", "timedelta"):
        function = values.of(node.func)
        try:
            arguments = [ast.literal_eval(a) for a in node.args]
            return function(*arguments, **{str(k.arg): ast.literal_eval(k.value) for k in node.keywords})
        except (ValueError, TypeError):
            return None
    return values.of(node)


class _Columns:
    """Looks up the columns that expressions of the row read."""

    def __init__(self, header: Header, values: Values) -> None:
        names = iter(f"column_{n}" for n in range(999))
        self._access = Access(header, values, lambda _: next(names), by_row=True)
        self._access.by_position()

    def of(self, node: ast.expr) -> tuple[str, Any] | None:
        """Return the code of an array, and the column; None if an expression reads no column at the row."""
        column = self._access.column_of(copy.deepcopy(node))
        if column is None or self._access.problem or self._access.uses_index:
            return None
        code = ast.unparse(column.argument).replace("'", '"')
        return (f"{code}.to_numpy()" if is_a(column.value, "pandas", "Series") else code), column.value


def _summed(body: Sequence[ast.stmt], window: str) -> list[ast.stmt]:
    """Return statements with `total = sum(...)` in the place of a loop over the window that adds up."""
    made: list[ast.stmt] = []
    for statement in body:
        match made[-1:], statement:
            case (
                [ast.Assign(targets=[ast.Name(id=total)], value=ast.Constant(value=0))],
                ast.For(target=target, iter=ast.Name(id=over), body=[ast.AugAssign(op=ast.Add()) as added], orelse=[]),
            ) if over == window and ast.unparse(added.target) == total:
                generator = ast.comprehension(target, ast.Name(over, ast.Load()), [], 0)
                call = ast.Call(ast.Name("sum", ast.Load()), [ast.GeneratorExp(added.value, [generator])], [])
                made[-1] = ast.Assign([ast.Name(total, ast.Store())], call, lineno=0)
            case _:
                made.append(statement)
    return made


class _Reads(ast.NodeTransformer):
    """Puts names of columns in the place of statistics of the window."""

    def __init__(
        self,
        window: _Window,
        columns: _Columns,
        time: tuple[str, Any],
        key: tuple[str, Any] | None,
        length: str,
        made: MadeColumns,
    ) -> None:
        self._window, self._columns, self._time, self._key = window, columns, time, key
        self._length, self._made = length, made

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]) if name == self._window.name:
                return self._named("count", self._time)
            case ast.Call(
                func=ast.Name(id="sum" | "min" | "max" as statistic),
                args=[
                    ast.GeneratorExp(elt=value, generators=[generator])
                    | ast.ListComp(elt=value, generators=[generator])
                ],
                keywords=[],
            ) if ast.unparse(generator.iter) == self._window.name and not generator.ifs:
                item = self._item(value, generator.target)
                column = None if item is None else self._columns.of(item)
                if column is not None:
                    return self._named(statistic, column)
        return self.generic_visit(node)

    def _item(self, value: ast.expr, target: ast.expr) -> ast.expr | None:
        """Return what of the row an expression of an item of the window is."""
        items = self._window.values
        match target, value:
            case ast.Tuple(elts=names), ast.Name(id=word) if len(names) == len(items):
                return next((i for n, i in zip(names, items, strict=True) if ast.unparse(n) == word), None)
            case ast.Name(id=word), ast.Subscript(value=ast.Name(id=of), slice=ast.Constant(value=int(at))):
                return items[at] if of == word and len(items) > 1 and at in range(len(items)) else None
            case ast.Name(id=word), ast.Name(id=of) if word == of and len(items) == 1:
                return items[0]
        return None

    def _named(self, statistic: str, column: tuple[str, Any]) -> ast.Name:
        edge = ', closed="both"' if self._window.keeps_edge else ""
        over = "" if self._key is None else ', over="key"'
        keys = "" if self._key is None else f', "key": {self._key[0]}'
        frame = f'pl.DataFrame({{"x": {column[0]}, "t": {self._time[0]}{keys}}})'
        kernel = f'hs.rolling_{statistic}("x", "{self._length}", by="t"{edge}{over})'
        is_whole = statistic != "count" and getattr(getattr(column[1], "dtype", None), "kind", "") in ("i", "u")
        whole = ".cast(pl.Int64)" if is_whole else ""
        return self._made.named(f'{frame}.select({kernel})["x"]{whole}.to_numpy()', len(column[1]))
