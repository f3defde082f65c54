"""Loops over the rows of each group, with state that begins anew: `for k, g in df.groupby("k"): n = 0; for r in g...`.

The same is one loop over all rows, ordered by key, with a state per key; `loops` writes that as a kernel with `over=`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hypostyle._profile.change import Change, Values, defining, is_a, rewritten
from hypostyle._profile.patterns.grouped import Grouping, grouping_of
from hypostyle._profile.patterns.loops import Loop
from hypostyle._profile.row_access import header_of
from hypostyle._profile.syntax import SourceFile, is_literal, is_path, keyword, method, names_read, names_set

_ROWS = "rows_by_key"
_KEY = "key_of_row"


def find(file: SourceFile) -> Iterator[RowsOfGroups]:
    """Yield loops over groups in which there is a loop over the group's rows, and nothing else but first values."""
    if "groupby" not in file.text:
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.For) and (found := _read(file, node)) is not None:
            yield found


def _read(file: SourceFile, node: ast.For) -> RowsOfGroups | None:
    grouping = grouping_of(node.iter)
    if grouping is None or grouping.column is not None or not is_path(grouping.frame) or len(grouping.keys) != 1:
        return None
    match node.target:
        case ast.Tuple(elts=[ast.Name(id=key), ast.Name(id=group)]) if not node.orelse:
            pass
        case _:
            return None
    order = ""
    starts: dict[str, ast.expr] = {}
    for statement in node.body[:-1]:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == group and not order:
                called = method(value)
                if called is None or called[1] != "sort_values" or ast.unparse(called[0]) != group:
                    return None
                words = [*called[2].args, *called[2].keywords]
                order = f".sort_values({', '.join(map(ast.unparse, words))})"
            case ast.Assign(targets=targets, value=value) if is_literal(value):
                for target in targets:
                    if not isinstance(target, ast.Name):
                        return None
                    starts[target.id] = value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=first)):
                for target, value in zip(names, first, strict=True):
                    if not isinstance(target, ast.Name) or not is_literal(value):
                        return None
                    starts[target.id] = value
            case _:
                return None
    inner = node.body[-1]
    if not isinstance(inner, ast.For) or not starts:
        return None
    return RowsOfGroups(file, node, grouping, key, group, order, starts, inner)


class _OverAll(ast.NodeTransformer):
    """Writes the loop over the rows of a group as one over all rows."""

    def __init__(self, unit: RowsOfGroups, key: ast.expr) -> None:
        self._unit, self._key = unit, key

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == self._unit.group:
            return ast.Name(_ROWS, node.ctx)
        if node.id == self._unit.key:
            return copy.deepcopy(self._key)
        if node.id in self._unit.starts:
            return ast.Subscript(ast.Name(node.id, ast.Load()), copy.deepcopy(self._key), node.ctx)
        return node


@dataclass(eq=False)
class RowsOfGroups:
    """A loop over groups, and over the rows of each."""

    file: SourceFile
    node: ast.For
    grouping: Grouping
    key: str
    """The name that the key has in the loop."""
    group: str
    order: str
    """The call that sorts the rows of a group, as code."""
    starts: dict[str, ast.expr]
    """The first values of a group's variables."""
    inner: ast.For

    pattern = "loops over groups"
    suggestion = "@hs.loop with over="

    @property
    def _whole(self) -> Loop | None:
        """The loop over all rows, in a file of its own."""
        inner = copy.deepcopy(self.inner)
        column = ast.Constant(self.grouping.keys[0])
        header = header_of(inner)
        if header is None or header.index is not None:
            return None
        if header.form == "values":
            arrays = [*header.arrays, ast.Subscript(ast.Name(self.group, ast.Load()), column, ast.Load())]
            names: list[ast.expr] = [ast.Name(name, ast.Store()) for name in [*header.names, _KEY]]
            inner.target = ast.Tuple(names, ast.Store())
            inner.iter = ast.Call(ast.Name("zip", ast.Load()), arrays, [])
            key: ast.expr = ast.Name(_KEY, ast.Load())
        elif header.row is not None and header.label not in names_read(inner.body):
            called = method(inner.iter)
            row = ast.Name(header.row, ast.Load())
            is_tuple = called is not None and called[1] == "itertuples"
            picked = ast.Attribute(row, self.grouping.keys[0], ast.Load())
            key = picked if is_tuple else ast.Subscript(row, column, ast.Load())
        else:
            return None
        made = _OverAll(self, key).visit(inner)
        before = [*self._lists]
        for name, value in self.starts.items():
            before += ast.parse(f"{name} = defaultdict(lambda: {ast.unparse(value)})").body
        text = "\n".join(map(ast.unparse, [*before, ast.fix_missing_locations(made), *self._after])) + "\n"
        file = SourceFile(self.file.path, text)
        loop = file.tree.body[len(before)]
        assert isinstance(loop, ast.For)
        header = header_of(loop)
        return None if header is None else Loop(file, loop, header)

    @property
    def _lists(self) -> list[ast.stmt]:
        """The statements before the loop that make its lists."""
        block = self.file.block(self.node)
        at = block.index(self.node)
        first = at
        while first > 0 and self._makes_list(block[first - 1]):
            first -= 1
        return block[first:at]

    def _makes_list(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.List(elts=[])):
                return name in names_read([self.inner])
        return False

    @property
    def _after(self) -> list[ast.stmt]:
        """The statement that takes the list, if it follows at once."""
        block = self.file.block(self.node)
        at = block.index(self.node)
        lists = names_set(self._lists)
        return [s for s in block[at + 1 : at + 2] if isinstance(s, ast.Assign) and names_read([s]) & lists]

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The loop with its lists, and what takes them."""
        return [*self._lists, self.node, *self._after]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield one loop over all rows, ordered by key."""
        frame, key = values.of(self.grouping.frame), self.grouping.keys[0]
        loop = self._whole
        if loop is None or not is_a(frame, "pandas", "DataFrame") or key not in frame.columns:
            return
        sort = keyword(self.node.iter, "sort") if isinstance(self.node.iter, ast.Call) else None
        if sort is not None:
            return
        order = f'{self.order}.sort_values("{key}", kind="stable")'
        code = f"{ast.unparse(self.grouping.frame)}{order}"
        try:
            rows = eval(f"frame{order}", {"frame": frame})
        except Exception:  # an order of the user that pandas refuses
            return
        inner = Values({**values.variables, _ROWS: rows})
        before = self.file.statements(self.statements)
        for change in loop.changes(inner):
            after = f"{_ROWS} = {code}\n{change.after}"
            edit = rewritten(self.file, self.statements, after)
            edits = [*defining(self.file, self.statements, change.definitions), edit]
            yield replace(change, before=before, after=after, edits=edits)
