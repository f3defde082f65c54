"""Functions that sum up each row of a frame, which pandas itself does for all rows at once: `df.apply(max, axis=1)`."""

from __future__ import annotations

import ast
import copy

_REDUCTIONS = {"max", "min", "sum", "mean", "median", "std", "var", "prod"}


def reduced(frame: str, function: ast.expr) -> str | None:
    """Return the code of what a function sums up of a row, `max` or `lambda row: row.max() - row.min()`, or None.

    Args:
        frame: The code of the frame.
        function: The function.
    """
    match function:
        case ast.Name(id="max" | "min" | "sum" as name):
            return f"{frame}.{name}(axis=1)"
        case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name) if name in _REDUCTIONS:
            ddof = ", ddof=0" if name in ("std", "var") else ""
            return f"{frame}.{name}(axis=1{ddof})"
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=row)]), body=body):
            written = _Reductions(frame, row)
            code = ast.unparse(written.visit(copy.deepcopy(body)))
            left = any(isinstance(n, ast.Name) and n.id == row for n in ast.walk(ast.parse(code)))
            return code if written.found and not left and isinstance(body, ast.BinOp | ast.Call) else None
    return None


class _Reductions(ast.NodeTransformer):
    """Puts statistics of all rows in the place of those of one row, in arithmetic."""

    def __init__(self, frame: str, row: str) -> None:
        self._frame, self._row = frame, row
        self.found = False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=row), attr=name), args=[], keywords=named):
                if row == self._row and name in _REDUCTIONS and not any(k.arg == "axis" for k in named):
                    self.found = True
                    options = "".join(f", {ast.unparse(k)}" for k in named)
                    return ast.parse(f"{self._frame}.{name}(axis=1{options})", mode="eval").body
        return node
