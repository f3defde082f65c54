"""Loops over groups with a loop over the rows in them, whose results become a column of the group.

`for key, group in frame.groupby("symbol"): out = []; for i in range(len(group)): ...; group["ema"] = out` becomes one
function with `@hs.loop` over all rows, with the key in `over=`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hypostyle._profile.change import Change, Values, defining, is_a, rewritten
from hypostyle._profile.patterns.grouped import Grouping, grouping_of
from hypostyle._profile.row_access import header_of
from hypostyle._profile.syntax import SourceFile, is_path, method, names_read, read_after, text_of
from hypostyle._profile.whole_columns import SAME_VALUES, without_aliases

_ATTRIBUTES = {"values", "iloc", "array"}


@dataclass
class _Read:
    """What the body of a loop over groups does."""

    group: str
    before: list[ast.stmt] = field(default_factory=list)
    inner: ast.For | None = None
    column: str = ""
    """The column that gets the results, of the group or of the frame at its labels."""
    result: str = ""
    appended: str | None = None
    """The list of the groups; none if the frame itself gets the column."""


def find(file: SourceFile) -> Iterator[LoopInGroups]:
    """Yield such loops."""
    if "groupby" not in file.text:
        return
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.For) or node.orelse:
            continue
        grouping = grouping_of(node.iter)
        if grouping is None or grouping.column is not None or len(grouping.keys) != 1 or not is_path(grouping.frame):
            continue
        match node.target:
            case ast.Tuple(elts=[ast.Name(id=key), ast.Name(id=group)]):
                read = _read(node.body, group, ast.unparse(grouping.frame))
            case _:
                continue
        if read is None or key in names_read(node.body):
            continue
        statements, joined = _around(file, node, read)
        if statements:
            yield LoopInGroups(file, node, grouping, read, statements, joined)


def _read(body: Sequence[ast.stmt], group: str, frame: str) -> _Read | None:
    found = _Read(group)
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == group and found.inner is None:
                called = method(value)
                if called is None or called[1] != "copy" or ast.unparse(called[0]) != group:
                    return None
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id=owner), attr="assign"),
                    args=[],
                    keywords=[ast.keyword(arg=str(column), value=value)],
                ),
            ) if name == owner == group and found.inner is not None and not found.column:
                found.column, found.result = column, _named(value)
            case ast.Assign(targets=[ast.Name() | ast.Tuple()]) if found.inner is None:
                found.before.append(statement)
            case ast.For() if found.inner is None:
                found.inner = statement
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=owner), slice=column)], value=value) if (
                owner == group and found.inner is not None and not found.column
            ):
                found.column, found.result = text_of(column) or "", _named(value)
            case ast.Assign(
                targets=[
                    ast.Subscript(
                        value=ast.Attribute(value=owner, attr="loc"),
                        slice=ast.Tuple(elts=[ast.Attribute(value=ast.Name(id=name), attr="index"), column]),
                    )
                ],
                value=value,
            ) if name == group and ast.unparse(owner) == frame and found.inner is not None and not found.column:
                found.column, found.result = text_of(column) or "", _named(value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=parts), attr="append"), args=[value])):
                if ast.unparse(value) != group or not found.column:
                    return None
                found.appended = parts
            case _:
                return None
    return found if found.inner is not None and found.column and found.result else None


def _named(value: ast.expr) -> str:
    """Return the name of what a column gets, as it is or as an array or a Series."""
    if isinstance(value, ast.Call) and value.args and ast.unparse(value.func) in ("np.array", "pd.Series"):
        value = value.args[0]
    return value.id if isinstance(value, ast.Name) else ""


def _around(file: SourceFile, node: ast.For, read: _Read) -> tuple[list[ast.stmt], ast.Call | None]:
    """Return the statements that go, and the call that joins the groups; no statements if something else is there."""
    if read.appended is None:
        return [node], None
    block = file.block(node)
    at = block.index(node)
    first = max((n for n, s in enumerate(block[:at]) if ast.unparse(s) == f"{read.appended} = []"), default=None)
    after = block[at + 1 : at + 2]
    if first is None or not after or not all(isinstance(s, ast.Assign) for s in block[first:at]):
        return [], None
    before = block[first:at]
    for call in ast.walk(after[0]):
        match call:
            case ast.Call(func=ast.Attribute(attr="concat"), args=[ast.Name(id=name)], keywords=[]):
                if name == read.appended and name not in read_after(file, [*before, node, *after]):
                    return [*before, node, *after], call
    return [], None


@dataclass(eq=False)
class LoopInGroups:
    """A loop over groups with one over their rows."""

    file: SourceFile
    node: ast.For
    grouping: Grouping
    read: _Read
    statements: Sequence[ast.stmt]
    joined: ast.Call | None

    pattern = "loops over groups"
    suggestion = "@hs.loop"

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the function over all rows, by key."""
        frame = values.of(self.grouping.frame)
        if not is_a(frame, "pandas", "DataFrame") or not self.read.column.isidentifier():
            return
        name = f"{self.read.column}_of_key"
        while values.has(name):
            name += "_"
        made = _Columns(self.read.group, set(map(str, frame.columns)))
        function = made.function(name, self.read)
        if function is None:
            return
        definition = f"@hs.loop\n{ast.unparse(function)}\n"
        code, key = ast.unparse(self.grouping.frame), self.grouping.keys[0]

        def call(rows: str) -> str:
            columns = [self._column(frame[column], f'{rows}["{column}"]') for column in made.found]
            return f'{name}({", ".join(columns)}, over={rows}["{key}"]).to_numpy()'

        if self.joined is None:
            lines = f'{code}["{self.read.column}"] = {call(code)}\n'
            if self.read.column in frame.columns:
                lines = lines[:-1] + f'.astype({code}["{self.read.column}"].dtype)\n'
        else:
            ordered = f'{code}.sort_values("{key}", kind="stable")'
            joined = f"{ordered}.assign({self.read.column}=lambda rows: {call('rows')})"
            lines = self.file.replaced(self.statements[-1], self.joined, joined)
            if kept := self.statements[1 : self.statements.index(self.node)]:
                lines = self.file.statements(kept) + lines
        use = f"@hs.loop {name} (written below)"
        edits = [*defining(self.file, self.statements, definition), rewritten(self.file, self.statements, lines)]
        yield Change(use, self.file.statements(self.statements), lines, definition, edits)

    @staticmethod
    def _column(column: object, code: str) -> str:
        return f"{code}.to_numpy()" if getattr(getattr(column, "dtype", None), "kind", "O") in "iufb" else code


class _Columns(ast.NodeTransformer):
    """Writes what a loop does with a group as a function of the group's columns."""

    def __init__(self, group: str, columns: set[str]) -> None:
        self._group, self._columns = group, columns
        self.found: dict[str, str] = {}
        """The parameters by column."""
        self._rows: dict[str, str] = {}
        """Names of rows, with the names of their positions."""

    def function(self, name: str, read: _Read) -> ast.FunctionDef | None:
        """Return the function; None if it uses the group in another way."""
        assert read.inner is not None
        body = [self.visit(copy.deepcopy(s)) for s in [*read.before, self._by_position(read.inner)]]
        parameters = list(self.found.values())
        if not parameters:
            return None
        for node in (n for s in body for n in ast.walk(s)):
            match node:
                case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=group) as given]) if group == self._group:
                    given.id = parameters[0]
        body = without_aliases(body, set(parameters))
        if self._group in names_read(body):
            return None
        made = ast.parse(f"def {name}({', '.join(parameters)}): return {read.result}").body[0]
        assert isinstance(made, ast.FunctionDef)
        made.body = [*body, *made.body]
        return ast.fix_missing_locations(made)

    def _by_position(self, loop: ast.For) -> ast.For:
        """Return a loop over the rows of the group as one over their positions."""
        header = header_of(loop)
        if header is None or header.form != "rows" or header.row is None:
            return loop
        self._rows[header.row] = index = header.index or "i"
        made = copy.deepcopy(loop)
        made.target = ast.Name(index, ast.Store())
        made.iter = ast.parse(f"range(len({self._group}))", mode="eval").body
        return made

    def _of(self, column: str | None) -> ast.Name | None:
        if column is None or column not in self._columns:
            return None
        parameter = column if column.isidentifier() else f"column_{len(self.found)}"
        return ast.Name(self.found.setdefault(column, f"{parameter}_"), ast.Load())

    def _item(self, owner: ast.expr, column: str | None) -> ast.expr | None:
        """Return the code of a column of the group, or of a row's value of it."""
        if not isinstance(owner, ast.Name) or (owner.id != self._group and owner.id not in self._rows):
            return None
        name = self._of(column)
        if name is None or owner.id == self._group:
            return name
        return ast.Subscript(name, ast.Name(self._rows[owner.id], ast.Load()), ast.Load())

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        item = self._item(node.value, text_of(node.slice)) if isinstance(node.ctx, ast.Load) else None
        return self.generic_visit(node) if item is None else item

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        item = self._item(node.value, node.attr)
        if item is not None:
            return item
        self.generic_visit(node)
        return node.value if node.attr in _ATTRIBUTES and self._is_column(node.value) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = method(node)
        if called is not None and called[1] in SAME_VALUES and self._is_column(called[0]):
            return called[0]
        if isinstance(node.func, ast.Name) and node.func.id == "list" and node.args and self._is_column(node.args[0]):
            return node.args[0]
        return node

    def _is_column(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self.found.values()
