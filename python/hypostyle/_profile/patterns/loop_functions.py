"""Functions that are a loop over arrays, as they are written for numba: `@hs.loop` in front of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import RESULT, Change, Values, is_a
from hypostyle._profile.row_access import header_of
from hypostyle._profile.syntax import SourceFile, first_line


def find(file: SourceFile) -> Iterator[LoopFunction]:
    """Yield functions of the module that are a loop between plain statements and a return."""
    for node in file.tree.body:
        if not isinstance(node, ast.FunctionDef) or node.decorator_list or not node.args.args:
            continue
        body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        # One loop may go over the first rows.
        loops = sum(isinstance(s, ast.For) for s in body)
        if loops not in (1, 2) or len(body) < 2 or not isinstance(body[-1], ast.Return):
            continue
        known = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.If | ast.For | ast.ImportFrom | ast.Import
        before = all(isinstance(s, known) for s in body[:-2])
        if before and isinstance(loop := body[-2], ast.For) and header_of(loop) is not None:
            yield LoopFunction(file, node, body)


@dataclass(eq=False)
class LoopFunction:
    """A function that is a loop."""

    file: SourceFile
    function: ast.FunctionDef
    statements: Sequence[ast.stmt]

    pattern = "loop functions"
    suggestion = "@hs.loop"

    @property
    def node(self) -> ast.AST:
        """The loop."""
        return self.statements[-2]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the decorated function, if it is called with arrays."""
        names = [a.arg for a in self.function.args.args]
        given = {name: values.variables.get(name) for name in names}
        if not any(is_a(value, "numpy", "ndarray") or is_a(value, "polars", "Series") for value in given.values()):
            return
        name = self.function.name
        line = first_line(self.function)
        text = self.file.statements([self.function])
        arguments = ", ".join(names)
        before = f"{text}\n{RESULT} = {name}({arguments})\n"
        after = f"{RESULT} = {name}({arguments})\n"
        indentation = self.file.indentation(self.function)
        edits = [(line, line - 1, f"{indentation}@hs.loop\n")]
        yield Change(f"@hs.loop in front of {name}", before, after, f"@hs.loop\n{text}", edits)
