"""Loops over the values of a key, read as the loops over groups that they are.

`for key in frame["k"].unique(): group = frame[frame["k"] == key]` goes over the same rows as `for key, group in
frame.groupby("k")`, in the order in which the keys come first, or sorted.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass

from hypostyle._profile.patterns.grouped import Grouping
from hypostyle._profile.syntax import is_path, method, text_of


@dataclass
class OfKeys:
    """A loop over the values of a key."""

    grouping: Grouping
    group: str
    body: list[ast.stmt]
    is_sorted: bool


def over_keys(node: ast.For) -> OfKeys | None:
    """Read a loop over the values of a key."""
    if not isinstance(node.target, ast.Name):
        return None
    iterated, is_sorted = node.iter, False
    match iterated:
        case ast.Call(func=ast.Name(id="sorted"), args=[inner], keywords=[]):
            iterated, is_sorted = inner, True
    called = method(iterated)
    column = called[0] if called is not None and called[1] == "unique" and not called[2].args else None
    key = text_of(column.slice) if isinstance(column, ast.Subscript) else getattr(column, "attr", None)
    if not isinstance(column, ast.Subscript | ast.Attribute) or key is None or not is_path(column.value):
        return None
    rows = _Rows(column.value, key, node.target.id)
    rows.find(node.body)
    body = [rows.visit(copy.deepcopy(s)) for s in node.body if s is not rows.mask_made]
    if any(isinstance(n, ast.Name) and n.id in (rows.value, rows.mask) for s in body for n in ast.walk(s)):
        return None
    return OfKeys(Grouping(column.value, (key,), None), rows.group, body, is_sorted)


class _Rows(ast.NodeTransformer):
    """Writes the rows of a key as a group."""

    def __init__(self, frame: ast.expr, key: str, value: str) -> None:
        self._frame, self._key, self.value = frame, key, value
        self.group, self.mask = "group", ""
        self.mask_made: ast.stmt | None = None

    def find(self, body: list[ast.stmt]) -> None:
        """Find the names of the group and of the condition."""
        for statement in body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if self._is_mask(value):
                    self.mask, self.mask_made = name, statement
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    called = method(value)
                    value = called[0] if called is not None and called[1] == "copy" else value
                    if self._is_group(value):
                        self.group = name

    def _is_mask(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return node.id == self.mask
        match node:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Name(id=value)]) if value == self.value:
                owner = left.value if isinstance(left, ast.Subscript | ast.Attribute) else None
                name = text_of(left.slice) if isinstance(left, ast.Subscript) else getattr(left, "attr", None)
                return owner is not None and name == self._key and self._is_frame(owner)
        return False

    def _is_frame(self, node: ast.expr) -> bool:
        return ast.unparse(node) == ast.unparse(self._frame)

    def _is_group(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Subscript) or not self._is_mask(node.slice):
            return False
        owner = node.value
        return self._is_frame(owner.value if isinstance(owner, ast.Attribute) and owner.attr == "loc" else owner)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        group = ast.Name(self.group, ast.Load())
        if self._is_group(node):
            return group
        match node:
            case ast.Subscript(
                value=ast.Attribute(value=owner, attr="loc") as located,
                slice=ast.Tuple(elts=[mask, ast.Constant(value=str()) as name]),
            ) if self._is_frame(owner) and self._is_mask(mask):
                if isinstance(node.ctx, ast.Load):
                    return ast.Subscript(group, name, ast.Load())
                rows = ast.Attribute(group, "index", ast.Load())
                return ast.Subscript(located, ast.Tuple([rows, name], ast.Load()), ast.Store())
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        # What is written by position is written by label as well: both have the group's rows.
        called = method(node.value)
        if isinstance(node.targets[0], ast.Subscript):
            if isinstance(node.value, ast.Attribute) and node.value.attr == "values":
                node.value = node.value.value
            elif called is not None and called[1] == "to_numpy" and not called[2].args:
                node.value = called[0]
        return node
