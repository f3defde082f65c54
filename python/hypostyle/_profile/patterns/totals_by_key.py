"""Totals by key in a dictionary: `totals[row.symbol] = totals.get(row.symbol, 0) + row.size`: pandas' own `groupby`.

No kernel does it, as there is no order to keep; a loop over the rows is not needed either.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, is_a, rewritten
from hypostyle._profile.patterns.asof_loops import of_row
from hypostyle._profile.row_access import Header, header_of
from hypostyle._profile.syntax import SourceFile, names_read, names_set, read_after, text_of

_EMPTY = {
    "{}": "{}",
    "dict()": "{}",
    "defaultdict(int)": "defaultdict(int, {})",
    "defaultdict(float)": "defaultdict(float, {})",
    "collections.defaultdict(int)": "collections.defaultdict(int, {})",
    "collections.defaultdict(float)": "collections.defaultdict(float, {})",
    "Counter()": "Counter({})",
    "collections.Counter()": "collections.Counter({})",
}
"""What an empty dictionary is made by, with a place for its items between the braces."""


@dataclass(frozen=True)
class _Total:
    name: str
    key: ast.expr
    statistic: str
    value: ast.expr
    test: ast.expr | None


def find(file: SourceFile) -> Iterator[TotalsByKey]:
    """Yield loops that do nothing but add up by key."""
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.For) or (header := header_of(node)) is None:
            continue
        total = _read(node.body)
        block = file.block(node)
        at = block.index(node)
        made = block[at - 1] if at else None
        if total is None or not isinstance(made, ast.Assign) or ast.unparse(made.targets[0]) != total.name:
            continue
        if ast.unparse(made.value) in _EMPTY:
            yield TotalsByKey(file, node, header, total, [made, node], _EMPTY[ast.unparse(made.value)])


def _read(body: Sequence[ast.stmt], test: ast.expr | None = None) -> _Total | None:
    match list(body):
        case [ast.If(test=found, body=inner, orelse=[])] if test is None:
            return _read(inner, found)
        case [
            ast.If(test=ast.Compare(ops=[ast.NotIn()], comparators=[ast.Name(id=name)]), body=[ast.Assign() as made]),
            ast.AugAssign(target=ast.Subscript(value=ast.Name(id=found)), op=ast.Add()) as last,
        ] if name == found and ast.unparse(made.value) in ("0", "0.0"):
            return _read([last], test)
        case [ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name), slice=key), op=ast.Add(), value=value)]:
            return _Total(name, key, "sum", value, test)
        case [ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=key)], value=value)]:
            before = f"{name}.get({ast.unparse(key)}, "
            match value:
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    if ast.unparse(left) in (f"{before}0)", f"{before}0.0)"):
                        return _Total(name, key, "sum", right, test)
                case ast.Call(func=ast.Name(id="max" | "min" as of), args=[left, right], keywords=[]):
                    if ast.unparse(left).startswith(before) and name not in names_read([right]):
                        return _Total(name, key, of, right, test)
    return None


class _Columns(ast.NodeTransformer):
    """Writes values of a row as columns."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self.frames: set[str] = set()
        self.is_known = True

    def _column(self, node: ast.expr) -> ast.expr | None:
        found = of_row(node, self._header)
        if found is None:
            return None
        self.frames.add(ast.unparse(found[0]))
        return ast.Subscript(found[0], ast.Constant(found[1]), ast.Load())

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._column(node) or node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._column(node) or self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._column(node) or self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        parts: list[ast.expr] = [self.visit(part) for part in node.values]
        operator: ast.operator = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        made = parts[0]
        for part in parts[1:]:
            made = ast.BinOp(made, operator, part)
        return made

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.is_known &= ast.unparse(node.func) == "abs"
        return self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.is_known = False
        return node


@dataclass(eq=False)
class TotalsByKey:
    """A loop that adds up by key."""

    file: SourceFile
    node: ast.For
    header: Header
    total: _Total
    statements: Sequence[ast.stmt]
    made: str

    pattern = "totals by key"
    suggestion = "groupby of pandas itself"

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the dictionary by `groupby`: with numbers of Python, then of NumPy as rows of a frame have."""
        if names_set([self.node.target]) & read_after(self.file, self.statements):
            return
        columns = _Columns(self.header)
        key = columns.visit(copy.deepcopy(self.total.key))
        value = columns.visit(copy.deepcopy(self.total.value))
        test = None if self.total.test is None else columns.visit(copy.deepcopy(self.total.test))
        names = names_read([self.total.value, *([] if self.total.test is None else [self.total.test])])
        if len(columns.frames) != 1 or not columns.is_known or self.total.name in names:
            return
        frame = columns.frames.pop()
        if (
            not is_a(values.of(ast.parse(frame, mode="eval").body), "pandas", "DataFrame")
            or ast.unparse(key)[-1] != "]"
        ):
            return
        rows = frame if test is None else f"{frame}[{ast.unparse(test)}]"
        one = isinstance(value, ast.Constant) and value.value == 1
        name = ast.unparse(key).removeprefix(frame).strip("[]'\"")
        groups = f'{rows}.groupby("{name}", sort=False)'
        if one:
            found = f"{groups}.size()"
        elif isinstance(value, ast.Subscript) and (column := text_of(value.slice)) is not None:
            found = f'{groups}["{column}"].{self.total.statistic}()'
        else:
            found = f'{rows}.assign(value_={ast.unparse(value)}).groupby("{name}", sort=False)["value_"]'
            found += f".{self.total.statistic}()"
        before = self.file.statements(self.statements)
        # A loop adds up missing values too.
        sums = [found, f"{found[:-1]}skipna=False)"] if self.total.statistic == "sum" and not one else [found]
        for total in sums:
            for items in (f"{total}.to_dict()", f"dict(zip({total}.index, {total}.to_numpy(), strict=True))"):
                code = items if self.made == "{}" else self.made.replace("{}", items)
                lines = f"{self.total.name} = {code}\n".replace("'", '"')
                use = f"groupby(...).{'size' if one else self.total.statistic}() of pandas itself"
                yield Change(use, before, lines, "", [rewritten(self.file, self.statements, lines)])
