"""`frame.groupby("symbol")["price"].apply(lambda s: s.rolling(20).mean())` and its relatives: kernels with `over`."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypostyle._profile.change import Change, Values, is_a, replacing
from hypostyle._profile.rewrite import Adjusts, Rewriter, Rewritten, in_steps, lambda_of
from hypostyle._profile.syntax import SourceFile, functions_of, is_path, keyword, method, text_of

_NO_EFFECT = {"sort", "observed", "group_keys", "dropna"}


@dataclass(frozen=True)
class Grouping:
    """`frame.groupby(keys)`, with the column that is picked of it."""

    frame: ast.expr
    keys: tuple[str, ...]
    column: str | None


def find(file: SourceFile) -> Iterator[Grouped]:
    """Yield calls over groups that are kernels."""
    if "groupby" not in file.text:
        return
    functions = functions_of(file)
    seen: set[int] = set()
    for node in ast.walk(file.tree):
        if id(node) in seen or (found := read_call(node, functions)) is None:
            continue
        seen.update(id(part) for part in ast.walk(node))
        yield Grouped(file, *found)


def read_call(
    node: ast.AST, functions: dict[str, ast.FunctionDef]
) -> tuple[ast.Call, Grouping, Rewriter, ast.expr, Rewritten] | None:
    """Return a call over groups, what it groups, and how what it computes of a group is written; None if it is none.

    Args:
        node: The call.
        functions: The user's functions by name.
    """
    called = method(node)
    if called is None:
        return None
    receiver, name, call = called
    grouping = grouping_of(receiver)
    body: ast.expr | None = None
    if name in ("apply", "transform") and grouping is not None:
        body = _body(call, functions)
        parameter = _parameter(call, functions)
        rewriter = Rewriter(inside(grouping, parameter), whole(grouping), None, functions)
    else:
        body = _ColumnFirst().visit(copy.deepcopy(call))
        assert isinstance(body, ast.Call)
        grouping = next((g for part in ast.walk(body) if (g := grouping_of(part)) and g.column), None)
        if grouping is None:
            return None
        rewriter = Rewriter(_picked(grouping), None, None, functions)
        rewriter.nests = False  # what follows is computed over all keys
    rewriter.time = "t"  # a time index, if the values turn out to have one
    rewritten = rewriter.rewrite(body) if body is not None else None
    if body is None or rewritten is None or not (rewritten.kernels or name == "transform"):
        return None
    if name not in ("apply", "transform") and not rewritten.only:
        return None
    return call, grouping, rewriter, body, rewritten


def grouping_of(node: ast.AST) -> Grouping | None:
    """Return what a call of `groupby` groups; None if it is none."""
    column = None
    if isinstance(node, ast.Subscript) and (column := text_of(node.slice)):
        node = node.value
    elif isinstance(node, ast.Attribute) and method(node.value):
        column, node = node.attr, node.value
    called = method(node)
    if called is None or called[1] != "groupby":
        return None
    frame, _, call = called
    given = [*call.args, *(k.value for k in call.keywords if k.arg == "by")]
    if len(given) != 1 or any(k.arg not in _NO_EFFECT | {"by"} for k in call.keywords):
        return None
    keys = _keys(given[0], frame)
    if keys is None:
        return None
    # price.groupby(frame["symbol"]) of a column of the same frame.
    if column is None and isinstance(frame, ast.Subscript) and (picked := text_of(frame.slice)):
        return Grouping(frame.value, keys, picked)
    return Grouping(frame, keys, column)


def _keys(node: ast.expr, frame: ast.expr) -> tuple[str, ...] | None:
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    keys = []
    for part in parts:
        key = text_of(part)
        if key is None and isinstance(part, ast.Subscript):
            base = frame.value if isinstance(frame, ast.Subscript) else frame
            key = text_of(part.slice) if ast.dump(part.value) == ast.dump(base) else None
        if key is None:
            return None
        keys.append(key)
    return tuple(keys)


def _body(call: ast.Call, functions: dict[str, ast.FunctionDef]) -> ast.expr | None:
    """Return what the function of a group returns."""
    if len(call.args) != 1 or any(k.arg != "include_groups" for k in call.keywords):
        return None
    if name := text_of(call.args[0]):
        return ast.Call(ast.Attribute(ast.Name("group", ast.Load()), name, ast.Load()), [], [])
    made = lambda_of(call.args[0], functions)
    return None if made is None else made.body


def _parameter(call: ast.Call, functions: dict[str, ast.FunctionDef]) -> str:
    made = lambda_of(call.args[0], functions) if call.args else None
    return "group" if made is None else made.args.args[0].arg


def inside(grouping: Grouping, parameter: str) -> Any:
    """Return what is a column in a function of a group."""

    def column(node: ast.AST) -> str | None:
        if grouping.column is not None:
            return grouping.column if isinstance(node, ast.Name) and node.id == parameter else None
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id != parameter:
                return None
            if isinstance(node, ast.Subscript):
                return text_of(node.slice)
            return None if node.attr in _METHODS else node.attr
        return None

    return column


_METHODS = {"rolling", "expanding", "ewm", "shift", "diff", "cumsum", "index", "name", "iloc", "loc", "values"}


def _picked(grouping: Grouping) -> Any:
    def column(node: ast.AST) -> str | None:
        return grouping.column if grouping_of(node) == grouping or _same(node, grouping) else None

    return column


def _same(node: ast.AST, grouping: Grouping) -> bool:
    found = grouping_of(node)
    return found is not None and found.column == grouping.column and ast.dump(found.frame) == ast.dump(grouping.frame)


def whole(grouping: Grouping) -> Any:
    """Return what writes the statistic of all rows of a key."""
    keys = repr(grouping.keys[0] if len(grouping.keys) == 1 else list(grouping.keys)).replace("'", '"')
    return lambda column, name: f'table.groupby({keys})["{column}"].transform("{name}")'


class _ColumnFirst(ast.NodeTransformer):
    """Writes `groupby("k").rolling("5min", on="t")["x"]` as if the column were picked first."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        windows = method(node.value)
        if windows is None or windows[1] not in ("rolling", "expanding", "ewm") or text_of(node.slice) is None:
            return node
        groups, name, call = windows
        if grouping_of(groups) is None:
            return node
        picked = ast.Subscript(groups, node.slice, ast.Load())
        return ast.Call(ast.Attribute(picked, name, ast.Load()), call.args, call.keywords)


@dataclass(eq=False)
class Grouped:
    """A call over groups."""

    file: SourceFile
    node: ast.Call
    grouping: Grouping
    rewriter: Rewriter
    body: ast.expr
    rewritten: Rewritten

    pattern = "groups"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.node)]

    @property
    def suggestion(self) -> str:
        """The kernels."""
        calls = [kernel.code(self.grouping.keys) for kernel in self.rewritten.kernels.values()]
        return " and ".join(calls) or 'groupby(...).transform("...") of pandas itself'

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the code that gives the rows in their own order, then that of rows sorted by key."""
        frame = self.grouping.frame
        found = values.of(frame)
        if is_path(frame) and not is_a(found, "pandas", "DataFrame"):
            return
        index: Any = getattr(found, "index", None)
        is_time = is_a(index, "pandas", "DatetimeIndex") and index.name
        self.rewriter.time = self._on or (str(index.name) if is_time else None)
        tried: list[tuple[Adjusts, bool]] = [("array", False), ("array", True), ("float", False), ("", False)]
        for adjusts, masks in tried:
            self.rewriter.adjust, self.rewriter.masks = adjusts, masks
            rewritten = self.rewriter.rewrite(self.body)
            if rewritten is None or (masks and not any(k.name.startswith("cum_") for k in rewritten.kernels.values())):
                continue
            if adjusts != "array" and not any(k.name.startswith("rolling(") for k in rewritten.kernels.values()):
                continue
            yield from self._aligned(rewritten)
            if rewritten.only is not None:
                yield from self._sorted(rewritten)

    @property
    def _on(self) -> str | None:
        """The time column of `rolling("5min", on="ts")`."""
        calls = (part for part in ast.walk(self.body) if isinstance(part, ast.Call))
        return next((name for call in calls if (name := text_of(keyword(call, "on")))), None)

    def _aligned(self, rewritten: Rewritten) -> Iterator[Change]:
        """Yield the code that keeps the frame's index, in place of the call and of what restores its index."""
        frame = self.file.code(self.grouping.frame)
        for node in dict.fromkeys([restored(self.file, self.node), self.node]):
            if rewritten.only is not None:
                kernel = rewritten.only
                name = kernel.columns[0]
                code = f'hs.with_columns({frame}, {kernel.code(self.grouping.keys)})["{name}"]'
                change = replacing(
                    self.file, node, f"{code}{self._unnamed}", self.suggestion_of(rewritten), "", rewritten.definitions
                )
            else:
                setup = in_steps(frame, rewritten.steps, self.grouping.keys)
                code = rewritten.code + (f'.rename("{self.grouping.column}")' if self._is_named(node) else "")
                change = replacing(self.file, node, code, self.suggestion_of(rewritten), setup, rewritten.definitions)
            if change is not None:
                yield change

    @property
    def _unnamed(self) -> str:
        """The code that drops the name of the result: a function of two columns has none."""
        return ".rename(None)" if self.grouping.column is None else ""

    def _is_named(self, node: ast.expr) -> bool:
        """Whether the name of the result matters: not where it becomes a column."""
        statement = self.file.statement(node)
        is_column = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript)
        return self.grouping.column is not None and not is_column

    def _sorted(self, rewritten: Rewritten) -> Iterator[Change]:
        """Yield the code with the index that pandas gives: key, then the frame's own."""
        kernel = rewritten.only
        keys = self.grouping.keys
        if kernel is None or len(keys) != 1:
            return
        by = [] if self._on is None else [self._on]
        columns = list(dict.fromkeys([keys[0], *by, *kernel.columns]))
        picked = f"{self.file.code(self.grouping.frame)}[{columns!r}]".replace("'", '"')
        sort = f'{picked}.sort_values("{keys[0]}", kind="stable")'
        code = (
            f'hs.with_columns({sort}, {kernel.code(keys)}).set_index("{keys[0]}", append=True)'
            f'["{kernel.columns[0]}"].swaplevel(){self._unnamed}'
        )
        if by:
            # Of windows `on` a column that column becomes the index.
            levels = str([keys[0], *by]).replace("'", '"')
            code = (
                f"hs.with_columns({sort}, {kernel.code(keys)}).set_index({levels})"
                f'["{kernel.columns[0]}"]{self._unnamed}'
            )
        change = replacing(self.file, self.node, code, self.suggestion_of(rewritten), "", rewritten.definitions)
        if change is not None:
            yield change

    def suggestion_of(self, rewritten: Rewritten) -> str:
        """Return the kernels of a rewriting."""
        return replace(self, rewritten=rewritten).suggestion


def restored(file: SourceFile, node: ast.expr) -> ast.expr:
    """Return the expression that drops the key from the index again, if there is one."""
    while True:
        above = file.parent(node)
        call = file.parent(above) if isinstance(above, ast.Attribute) else None
        if not isinstance(above, ast.Attribute) or not isinstance(call, ast.Call) or call.func is not above:
            return node
        is_level = (
            above.attr == "reset_index"
            and (keyword(call, "level") is not None or call.args)
            and keyword(call, "drop") is not None
        )
        if not (is_level or above.attr in ("droplevel", "sort_index")):
            return node
        node = call
