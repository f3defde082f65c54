"""A value that goes from row to row without a loop in sight: `accumulate`, `reduce`, and generators in a list.

`list(accumulate(x, f))` and `list(smoothed(x))`, where `smoothed` yields one value for each of `x`, are loops that
carry variables: `hs.loop`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, is_a, replacing
from hypostyle._profile.patterns.row_functions import column_code
from hypostyle._profile.rewrite import result_of, substituted
from hypostyle._profile.syntax import SourceFile, functions_of, keyword, names_read, names_set

_OPERATORS = {"add": ast.Add(), "mul": ast.Mult()}


def find(file: SourceFile) -> Iterator[Fold | Generated]:
    """Yield calls that carry a value over a column."""
    functions = functions_of(file)
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node)
        if name == "reduce" and len(node.args) in (2, 3) and not node.keywords:
            start = node.args[2] if len(node.args) == 3 else None
            yield Fold(file, node, node.args[1], node.args[0], start, is_list=False)
        inner = node.args[0] if len(node.args) == 1 else None
        if name not in ("list", "Series", "array") or not isinstance(inner, ast.Call):
            continue
        if _name(inner) == "accumulate" and len(inner.args) in (1, 2) and name == "list":
            step = inner.args[1] if len(inner.args) == 2 else keyword(inner, "func")
            yield Fold(file, node, inner.args[0], step, keyword(inner, "initial"), is_list=True)
        function = functions.get(_name(inner)) if isinstance(inner.func, ast.Name) else None
        if name == "list" and function is not None and (loop := _yielding(function)) is not None:
            yield Generated(file, node, inner, function, loop)


def _name(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _yielding(function: ast.FunctionDef) -> ast.For | None:
    """Return the loop of a generator that is assignments and one loop."""
    loops = [s for s in function.body if isinstance(s, ast.For)]
    rest = [s for s in function.body if not isinstance(s, ast.For | ast.Assign | ast.AnnAssign | ast.Expr)]
    yields = [n for n in ast.walk(function) if isinstance(n, ast.Yield)]
    if len(loops) != 1 or rest or function.decorator_list or not function.args.args:
        return None
    inside = {id(n) for n in ast.walk(loops[0])}
    return loops[0] if yields and all(id(n) in inside and n.value is not None for n in yields) else None


@dataclass(eq=False)
class Fold:
    """A call of `accumulate` or `reduce`."""

    file: SourceFile
    node: ast.Call
    column: ast.expr
    step: ast.expr | None
    start: ast.expr | None
    is_list: bool

    pattern = "folds"
    suggestion = "@hs.loop"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.node)]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield a loop over the column."""
        column, step = column_code(self.file, self.column, values), self._step()
        name = f"folded_in_line_{self.node.lineno}"
        if column is None or step is None or not _is_numbers(values.of(self.column)):
            return
        free = names_read([step]) - {"value", "carried"}
        if free & _locals(self.file, self.node):
            return
        first, parameters = ("values[0]", "values") if self.start is None else ("start", "values, start")
        definition = (
            f"@hs.loop\ndef {name}({parameters}):\n    out = []\n    carried = {first}\n"
            f"    for i in range(len(values)):\n        value = values[i]\n"
            + ("        if i > 0:\n    " if self.start is None else "")
            + f"        carried = {ast.unparse(step)}\n        out.append(carried)\n    return out\n"
        )
        start = "" if self.start is None else f", {self.file.code(self.start)}"
        call = f"{name}({column}{start})"
        is_polars = is_a(values.of(self.column), "polars", "Series")
        as_list = ".to_list()" if is_polars else ".tolist()"
        if not self.is_list:
            codes = [f"{call}[-1]"]
        elif self.start is not None:
            codes = [f"[{self.file.code(self.start)}, *{call}{as_list}]"]
        else:
            codes = [f"{call}{as_list}", f"list({call})"]
        for code in codes:
            made = replacing(self.file, self.node, code, f"@hs.loop {name} (written below)", definitions=definition)
            if made is not None:
                yield made

    def _step(self) -> ast.expr | None:
        """Return the next value, from `carried` and `value`."""
        carried: list[ast.expr] = [ast.Name("carried", ast.Load()), ast.Name("value", ast.Load())]
        match self.step:
            case None:
                return ast.BinOp(carried[0], ast.Add(), carried[1])
            case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=a), ast.arg(arg=b)]), body=body):
                return substituted(body, {a: carried[0], b: carried[1]})
            case ast.Attribute(value=ast.Name(id="operator"), attr="add" | "mul" as name):
                return ast.BinOp(carried[0], _OPERATORS[name], carried[1])
            case ast.Name(id=name):
                function = functions_of(self.file).get(name)
                written = None if function is None else result_of(function, carried, [])
                return written or ast.Call(ast.Name(name, ast.Load()), carried, [])
        return None


def _is_numbers(column: object) -> bool:
    """Whether a column has numbers, as far as its first value tells."""
    if isinstance(column, list):
        return bool(column) and type(column[0]) in (int, float)
    return column is not None and hasattr(column, "__len__") and len(column) > 0


def _locals(file: SourceFile, node: ast.AST) -> set[str]:
    """Return the names that only the function around a node knows: definitions stand in front of it."""
    scope = file.scope(node)
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        return set()
    return names_set(scope.body) | {a.arg for a in [*scope.args.args, *scope.args.kwonlyargs]}


@dataclass(eq=False)
class Generated:
    """A list of what a generator yields."""

    file: SourceFile
    call: ast.Call
    inner: ast.Call
    function: ast.FunctionDef
    node: ast.For
    """The loop of the generator."""

    pattern = "folds"
    suggestion = "@hs.loop"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement that makes the list."""
        return [self.file.statement(self.call)]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the generator as a loop that fills a list."""
        name = f"{self.function.name}_loop"
        if (
            values.has(name)
            or "out" in names_set([self.function])
            or self.file.scope(self.function) is not self.file.tree
        ):
            return
        arguments = [self._argument(a, values) for a in self.inner.args]
        arguments += [f"{k.arg}={self._argument(k.value, values)}" for k in self.inner.keywords if k.arg]
        definition = f"@hs.loop\n{ast.unparse(self._filling(name))}\n"
        call = f"{name}({', '.join(arguments)})"
        is_polars = any(is_a(values.of(a), "polars", "Series") for a in self.inner.args)
        for code in [f"{call}.to_list()"] if is_polars else [f"{call}.tolist()", f"list({call})"]:
            made = replacing(self.file, self.call, code, f"@hs.loop {name} (written below)", definitions=definition)
            if made is not None:
                yield made

    def _argument(self, node: ast.expr, values: Values) -> str:
        is_number = isinstance(values.of(node), int | float | str | None.__class__) and not isinstance(node, ast.Call)
        return self.file.code(node) if is_number else column_code(self.file, node, values) or self.file.code(node)

    def _filling(self, name: str) -> ast.FunctionDef:
        """Return the generator as a function that returns a list."""

        class Appends(ast.NodeTransformer):
            def visit_Expr(self, node: ast.Expr) -> ast.AST:
                if not isinstance(node.value, ast.Yield) or node.value.value is None:
                    return node
                append = ast.Attribute(ast.Name("out", ast.Load()), "append", ast.Load())
                return ast.Expr(ast.Call(append, [node.value.value], []))

        made = copy.deepcopy(self.function)
        made.name = name
        body = [Appends().visit(s) for s in made.body if not isinstance(s, ast.Expr)]
        made.body = [*ast.parse("out = []").body, *body, *ast.parse("return out").body]
        made.returns = None
        return ast.fix_missing_locations(made)
