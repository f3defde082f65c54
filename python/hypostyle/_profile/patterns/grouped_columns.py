"""`frame.groupby("symbol")[["price", "size"]].transform(lambda s: s.rolling(20).mean())`: a kernel for each column."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, is_a, replacing
from hypostyle._profile.patterns.grouped import Grouping, grouping_of, inside, whole
from hypostyle._profile.rewrite import Rewriter, lambda_of
from hypostyle._profile.syntax import SourceFile, functions_of, is_path, method, text_of
from hypostyle._profile.templates import Kernel


def find(file: SourceFile) -> Iterator[GroupedColumns]:
    """Yield functions of groups of several columns that are one kernel."""
    if "groupby" not in file.text:
        return
    functions = functions_of(file)
    for node in ast.walk(file.tree):
        called = method(node)
        if called is None or called[1] != "transform" or len(called[2].args) != 1 or called[2].keywords:
            continue
        found = _columns_of(called[0])
        made = lambda_of(called[2].args[0], functions)
        if found is None or made is None:
            continue
        grouping, names = found
        kernels = []
        for name in names:
            of_column = Grouping(grouping.frame, grouping.keys, name)
            rewriter = Rewriter(inside(of_column, made.args.args[0].arg), whole(of_column), None, functions)
            rewriter.adjust = "array"
            rewritten = rewriter.rewrite(made.body)
            if rewritten is not None and rewritten.only is not None and not rewritten.definitions:
                kernels.append(rewritten.only)
        if len(kernels) == len(names):
            yield GroupedColumns(file, called[2], grouping, kernels)


def _columns_of(node: ast.expr) -> tuple[Grouping, list[str]] | None:
    """Return what a call of `groupby` groups, and the columns that are picked of it."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.List):
        return None
    grouping = grouping_of(node.value)
    names = [name for part in node.slice.elts if (name := text_of(part)) is not None]
    if grouping is None or grouping.column is not None or not names or len(names) != len(node.slice.elts):
        return None
    return grouping, names


@dataclass(eq=False)
class GroupedColumns:
    """A call of `transform` over several columns."""

    file: SourceFile
    node: ast.Call
    grouping: Grouping
    kernels: list[Kernel]

    pattern = "groups"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.node)]

    @property
    def suggestion(self) -> str:
        """The kernels."""
        return " and ".join(kernel.code(self.grouping.keys) for kernel in self.kernels)

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the code that computes all columns at once."""
        frame = self.grouping.frame
        if not is_path(frame) or not is_a(values.of(frame), "pandas", "DataFrame"):
            return
        calls = ", ".join(kernel.code(self.grouping.keys) for kernel in self.kernels)
        names = ", ".join(f'"{kernel.columns[0]}"' for kernel in self.kernels)
        code = f"hs.with_columns({self.file.code(frame)}, {calls})[[{names}]]"
        change = replacing(self.file, self.node, code, self.suggestion)
        if change is not None:
            yield change
