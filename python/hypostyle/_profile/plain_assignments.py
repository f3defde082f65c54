"""Assignments with a type, `seen: dict[str, int] = {}`, as those without one."""

from __future__ import annotations

import ast


def without_types(tree: ast.Module) -> ast.Module:
    """Return the tree with plain assignments in the place of those with a type, but for the fields of classes."""
    made = _Plain().visit(tree)
    assert isinstance(made, ast.Module)
    return made


class _Plain(ast.NodeTransformer):
    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [s if isinstance(s, ast.AnnAssign) else self.visit(s) for s in node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None or not isinstance(node.target, ast.Name):
            return node
        return ast.copy_location(ast.Assign([node.target], node.value), node)
