"""Reads the values that a script assigns to columns of its frame: kernels, and arithmetic around them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TypeAlias

from hypostyle._profile.patterns.grouped import grouping_of, read_call
from hypostyle._profile.pipelines.table import Condition, NoPipeline, Step
from hypostyle._profile.polars_code import Keyed, column_of, keys_of, quoted
from hypostyle._profile.rewrite import Rewriter
from hypostyle._profile.syntax import keyword, method, text_of

IsFrame: TypeAlias = "Callable[[ast.AST], bool]"
"""Whether a node is the frame."""

_COMPARED: Mapping[type[ast.cmpop], str] = {
    ast.GtE: "min",
    ast.LtE: "max",
    ast.Gt: "above",
    ast.Lt: "below",
    ast.Eq: "one_of",
}
_MIRRORED = {"min": "max", "max": "min", "above": "below", "below": "above", "one_of": "one_of"}
_MATH = {"log": "math.log", "sqrt": "math.sqrt", "exp": "math.exp", "abs": "abs"}


def pandas_step(name: str, value: ast.expr, is_frame: IsFrame, functions: dict[str, ast.FunctionDef]) -> Step:
    """Read `frame["name"] = value`."""
    reader = _Pandas(is_frame, functions)
    code = reader.code(value)
    return _step(name, code, reader.kernels)


def _step(name: str, code: str, kernels: dict[str, str]) -> Step:
    if len(kernels) == 1 and code == f'table["{next(iter(kernels))}"]':
        return Step(name, {name: next(iter(kernels.values()))})
    return Step(name, kernels, code)


class _Pandas:
    def __init__(self, is_frame: IsFrame, functions: dict[str, ast.FunctionDef]) -> None:
        self._is_frame, self._functions = is_frame, functions
        self.kernels: dict[str, str] = {}

    def column(self, node: ast.AST) -> str | None:
        """Return the name of `frame["x"]` or `frame.x`."""
        if isinstance(node, ast.Subscript) and self._is_frame(node.value):
            return text_of(node.slice)
        if isinstance(node, ast.Attribute) and self._is_frame(node.value):
            return node.attr
        return None

    def code(self, node: ast.expr) -> str:
        """Return an expression as code over columns of `table`."""
        called = method(node)
        if called is not None and called[1] in ("reset_index", "droplevel", "to_numpy", "sort_index"):
            return self.code(called[0])
        if isinstance(node, ast.Attribute) and node.attr == "values":
            return self.code(node.value)
        if called is not None and (found := self._of_groups(node)) is not None:
            return found
        if called is not None and not any(grouping_of(part) for part in ast.walk(node)):
            rewritten = Rewriter(self.column, None, None, self._functions).rewrite(node)
            if rewritten is not None and rewritten.only is not None:
                return self._kept(rewritten.only.code())
            if called[1] in ("map", "apply") and (name := self.column(called[0])) and len(called[2].args) == 1:
                return self._kept(f'hs.jit({ast.unparse(called[2].args[0])})("{name}")')
        if (name := self.column(node)) is not None:
            return f'table["{name}"]'
        return self._arithmetic(node)

    def _of_groups(self, node: ast.expr) -> str | None:
        found = read_call(node, self._functions)
        if found is None:
            return None
        _, grouping, _, _, rewritten = found
        if not self._is_frame(grouping.frame):
            raise NoPipeline(f"{ast.unparse(grouping.frame)} is another frame")
        if any(isinstance(made, str) for _, made in rewritten.steps):
            raise NoPipeline(f"`{ast.unparse(node)}` is a kernel of something computed")
        code = rewritten.code
        if "transform(" in code:
            raise NoPipeline("a statistic of all rows of a key is known only at the end of the file")
        names = {}
        for name, kernel in rewritten.kernels.items():
            names[name] = self._kept(kernel.code(grouping.keys))
        for name, new in names.items():
            code = code.replace(f'table["{name}"]', new.replace('table["_', 'table["\0'))
        code = code.replace("\0", "_")
        return self._arithmetic(ast.parse(code, mode="eval").body) if rewritten.only is None else code

    def _kept(self, code: str) -> str:
        name = next((name for name, known in self.kernels.items() if known == code), f"_{len(self.kernels) + 1}")
        self.kernels[name] = code
        return f'table["{name}"]'

    def _arithmetic(self, node: ast.expr) -> str:
        match node:
            case ast.Subscript(value=ast.Name(id="table")):
                return ast.unparse(node).replace("'", '"')
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow() as op, right=right):
                return ast.unparse(ast.BinOp(_parsed(self.code(left)), op, _parsed(self.code(right)))).replace("'", '"')
            case ast.UnaryOp(op=ast.USub() as op, operand=operand):
                return ast.unparse(ast.UnaryOp(op, _parsed(self.code(operand)))).replace("'", '"')
            case ast.Constant(value=int() | float()) | ast.Name():
                return ast.unparse(node)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name), args=[argument], keywords=[]):
                if name in _MATH:
                    return f"{_MATH[name]}({self.code(argument)})"
            case ast.Call(func=ast.Attribute(attr="abs", value=value), args=[], keywords=[]):
                return f"abs({self.code(value)})"
        raise NoPipeline(f"`{ast.unparse(node)}` is no kernel and no arithmetic")


def polars_step(node: ast.expr, alias: str | None) -> Step:
    """Read an argument of `with_columns`."""
    called = method(node)
    if called is not None and called[1] == "alias" and (name := text_of(called[2].args[0] if called[2].args else None)):
        return polars_step(called[0], name)
    if called is not None and called[1] == "over":
        keys = keys_of(called[2])
        if keys is None or called[2].keywords:
            raise NoPipeline(f"`{ast.unparse(node)}` has keys that are no columns")
        return _polars_step(called[0], keys, alias)
    return _polars_step(node, [], alias)


def _polars_step(node: ast.expr, keys: list[str], alias: str | None) -> Step:
    called = method(node)
    first = next((name for part in ast.walk(node) if (name := column_of(part)) is not None), None)
    name = alias or first or ""
    if not name:
        raise NoPipeline(f"`{ast.unparse(node)}` reads no column")
    if called is not None and called[1] == "map_elements" and (column := column_of(called[0])) and not keys:
        return Step(name, {name: f'hs.jit({ast.unparse(called[2].args[0])})("{column}")'})
    if called is not None and called[1] == "rolling_map" and (column := column_of(called[0])):
        window = called[2].args[1] if len(called[2].args) > 1 else keyword(called[2], "window_size")
        if window is not None and not {k.arg for k in called[2].keywords} - {"window_size", "min_samples"}:
            least = keyword(called[2], "min_samples") or window
            over = f", over={quoted(keys)}" if keys else ""
            function = ast.unparse(called[2].args[0])
            rows = f"{ast.unparse(window)}, min_samples={ast.unparse(least)}"
            return Step(name, {name: f'hs.rolling({function})("{column}", {rows}{over})'})
    keyed = Keyed(keys)
    code = keyed.code(node)
    if code is None or ".over(" in code:
        raise NoPipeline(f"`{ast.unparse(node)}` is no kernel and no arithmetic")
    kernels: dict[str, str] = {}
    for at, kernel in enumerate(dict.fromkeys(keyed.kernels), 1):
        kernels[f"_{at}"] = kernel
        code = code.replace(kernel, f'table["_{at}"]')
    tree = _parsed(code)
    written = _Columns().visit(tree)
    return _step(name, _Pandas(lambda node: False, {}).code(written), kernels)


class _Columns(ast.NodeTransformer):
    """Writes `pl.col("x")` as `table["x"]`."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = column_of(node)
        return self.generic_visit(node) if name is None else _parsed(f'table["{name}"]')


def conditions(node: ast.expr, column: Callable[[ast.AST], str | None]) -> tuple[Condition, ...]:
    """Read what selects rows: `(frame["x"] >= 0) & frame["k"].isin(words)`."""
    match node:
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            return conditions(left, column) + conditions(right, column)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
            name = _COMPARED[type(op)]
            if (of := column(left)) is not None and not _reads(right, column):
                return (Condition(of, name, right),)
            if (of := column(right)) is not None and not _reads(left, column):
                return (Condition(of, _MIRRORED[name], left),)
        case ast.Call(func=ast.Attribute(value=value, attr=attr), args=arguments, keywords=[]):
            of = column(value)
            if of is not None and attr in ("notna", "notnull", "is_not_null") and not arguments:
                return (Condition(of, "not_null", ast.Constant(True)),)
            if of is not None and attr in ("isin", "is_in") and len(arguments) == 1:
                return (Condition(of, "one_of", arguments[0]),)
            if of is not None and attr in ("between", "is_between") and len(arguments) == 2:
                return (Condition(of, "min", arguments[0]), Condition(of, "max", arguments[1]))
    raise NoPipeline(f"the condition `{ast.unparse(node)}` has no counterpart in a filter")


def _reads(node: ast.AST, column: Callable[[ast.AST], str | None]) -> bool:
    return any(column(part) is not None for part in ast.walk(node))


def _parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body
