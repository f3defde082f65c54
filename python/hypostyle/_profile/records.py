"""Rows that a loop puts into a list: `rows.append({"price": price, "position": position})`, or tuples.

Each item becomes a list of its own, which a compiled loop can return.  A loop that appends in some rows only returns
beside it in which.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypostyle._profile.loop_syntax import appended, at_end
from hypostyle._profile.syntax import text_of


@dataclass
class Record:
    """A list that a loop appends to."""

    name: str
    keys: list[str] | None
    """Of dictionaries; None for tuples and single values."""
    lists: list[str]
    """The lists of the items."""
    is_single: bool = False
    is_list: bool = False
    """Whether the rows are lists, and no tuples."""
    kept: str | None = None
    """The list that says in which rows something was appended; None if in all."""
    passed: dict[str, str] = field(default_factory=dict)
    """Code of the columns that lists hold as they are."""


def records_of(
    body: list[ast.stmt], free: Callable[[str], str], own: set[str]
) -> tuple[list[ast.stmt], list[Record]] | None:
    """Return a body with lists of items, and the records, but for `own`; None if a list cannot be taken apart."""
    records: list[Record] = []
    lists = dict.fromkeys(found[0] for s in body for n in ast.walk(s) if (found := appended(n)))
    for name in (name for name in lists if name not in own):
        values = [found[1] for s in body for n in ast.walk(s) if (found := appended(n)) and found[0] == name]
        record = _record(name, values, free)
        if record is None:
            return None
        times = _times(body, name)
        if times is None or max(times) > 1:
            return None
        if times == {1} and record.is_single:
            continue
        if 0 in times:
            record.kept = free(f"{name}_kept")
        body = [s for statement in body for s in _apart(statement, record)]
        records.append(record)
    return body, records


def _record(name: str, values: Sequence[ast.expr], free: Callable[[str], str]) -> Record | None:
    if all(isinstance(value, ast.Dict) for value in values):
        keys = [[text_of(k) for k in value.keys] for value in values if isinstance(value, ast.Dict)]
        if any(k != keys[0] for k in keys) or None in keys[0] or not keys[0]:
            return None
        words = [str(k) for k in keys[0]]
        return Record(name, words, [free(_word(name, word)) for word in words])
    if all(isinstance(value, ast.Tuple | ast.List) for value in values):
        lengths = {len(value.elts) for value in values if isinstance(value, ast.Tuple | ast.List)}
        kinds = {type(value) for value in values}
        if len(lengths) > 1 or len(kinds) > 1 or not max(lengths):
            return None
        made = Record(name, None, [free(f"{name}_{at}") for at in range(lengths.pop())])
        made.is_list = kinds == {ast.List}
        return made
    if any(isinstance(value, ast.Dict | ast.Tuple | ast.List) for value in values):
        return None
    return Record(name, None, [name], is_single=True)


def _word(name: str, key: str) -> str:
    return f"{name}_{key}" if f"{name}_{key}".isidentifier() else f"{name}_item"


def _times(body: Sequence[ast.stmt], name: str) -> set[int] | None:
    """Return how often the ways through a body append to a list; None if a loop does."""
    totals = {0}
    for statement in body:
        if (found := appended(statement)) is not None and found[0] == name:
            totals = {t + 1 for t in totals}
        elif isinstance(statement, ast.If):
            parts = [_times(statement.body, name), _times(statement.orelse, name)]
            if parts[0] is None or parts[1] is None:
                return None
            totals = {t + p for t in totals for part in parts for p in part or ()}
        elif any((found := appended(n)) and found[0] == name for n in ast.walk(statement)):
            return None
    return totals


def _apart(statement: ast.stmt, record: Record) -> list[ast.stmt]:
    """Write the append of a record as one append for each item."""

    class Apart(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
            found = appended(node)
            if found is None or found[0] != record.name:
                return node
            value = found[1]
            parts = value.values if isinstance(value, ast.Dict) else getattr(value, "elts", [value])
            made = [_append(name, part) for name, part in zip(record.lists, parts, strict=True)]
            return made if record.kept is None else [*made, _append(record.kept, ast.Constant(True))]

    made = Apart().visit(copy.deepcopy(statement))
    return made if isinstance(made, list) else [made]


def _append(name: str, value: ast.expr) -> ast.stmt:
    function = ast.Attribute(ast.Name(name, ast.Load()), "append", ast.Load())
    return ast.fix_missing_locations(ast.Expr(ast.Call(function, [value], []), lineno=0, col_offset=0))


def in_every_row(body: list[ast.stmt], names: Sequence[str], free: Callable[[str], str]) -> list[ast.stmt]:
    """Write appends of some rows as one of every row, with any value in the others."""
    variables = {name: free(f"{name}_value") for name in names}
    firsts: dict[str, bool | int] = {}

    class Kept(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.AST:
            found = appended(node)
            if found is None or found[0] not in variables:
                return node
            firsts[found[0]] = _first(found[1])
            return ast.Assign([ast.Name(variables[found[0]], ast.Store())], found[1], lineno=0)

    written = [Kept().visit(statement) for statement in body]
    start = [ast.Assign([ast.Name(v, ast.Store())], ast.Constant(firsts[n]), lineno=0) for n, v in variables.items()]
    return [*start, *at_end(written, [_append(name, ast.Name(v, ast.Load())) for name, v in variables.items()])]


def _first(value: ast.expr) -> bool | int:
    """Return a value of the same kind, for rows in which nothing is appended."""
    is_not = isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
    is_bool = isinstance(value, ast.Constant) and isinstance(value.value, bool)
    return False if is_not or is_bool or isinstance(value, ast.Compare | ast.BoolOp) else 0


def without(body: list[ast.stmt], name: str) -> list[ast.stmt]:
    """Return a body that appends nothing to a list."""

    class Without(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.AST:
            found = appended(node)
            return node if found is None or found[0] != name else ast.Pass()

    return [Without().visit(statement) for statement in body]


def composed(record: Record, arrays: dict[str, str], mask: str | None, *, as_frame: bool) -> str:
    """Return the code of the list from that of the columns of its items; or of a table's columns."""
    pieces = [record.passed.get(name) or arrays[name] for name in record.lists]
    pieces = [piece if mask is None else f"{piece}[{mask}]" for piece in pieces]
    if as_frame:
        keys = record.keys or [str(at) for at in range(len(pieces))]
        return "{" + ", ".join(f'"{key}": {piece}' for key, piece in zip(keys, pieces, strict=True)) + "}"
    lists = [f"{piece}.tolist()" for piece in pieces]
    if record.is_single:
        return lists[0]
    if record.is_list:
        return f"[list(row) for row in zip({', '.join(lists)})]"
    if record.keys is None:
        return f"list(zip({', '.join(lists)}{',' if len(lists) == 1 else ''}))"
    names = [f"item_{at}" for at in range(len(lists))]
    items = ", ".join(f'"{key}": {name}' for key, name in zip(record.keys, names, strict=True))
    if len(lists) == 1:
        return f"[{{{items}}} for item_0 in {lists[0]}]"
    return f"[{{{items}}} for {', '.join(names)} in zip({', '.join(lists)})]"
