"""`frame.groupby("symbol")["price"].transform(f)` of a function that loops over the values: `@hs.loop` with `over`."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, is_a, replacing
from hypostyle._profile.patterns.grouped import Grouping, grouping_of
from hypostyle._profile.syntax import SourceFile, functions_of, method
from hypostyle._profile.whole_columns import SAME_VALUES, without_aliases


def find(file: SourceFile) -> Iterator[GroupFunction]:
    """Yield transforms by a function of the user's with a loop in it."""
    if "groupby" not in file.text:
        return
    functions = functions_of(file)
    for node in ast.walk(file.tree):
        called = method(node)
        if called is None or called[1] not in ("transform", "apply") or not called[2].args:
            continue
        grouping, given = grouping_of(called[0]), _called(called[2])
        if grouping is None or grouping.column is None or len(grouping.keys) != 1 or given is None:
            continue
        function = functions.get(given[0])
        if function is not None and any(isinstance(n, ast.For) for n in ast.walk(function)):
            yield GroupFunction(file, called[2], grouping, function, given[1])


def _called(call: ast.Call) -> tuple[str, str] | None:
    """Return the name of `f`, and the code of what it gets beside the group.

    Both `transform(f, 2.0, cap=3)` and `transform(lambda s: f(s, 2.0, cap=3))` are read.
    """
    function, *others = call.args
    keywords = call.keywords
    match function:
        case ast.Name(id=name):
            if any(k.arg in ("engine", "engine_kwargs", "include_groups") for k in keywords):
                return None
            return name, _further(others, keywords)
        case ast.Lambda(
            args=ast.arguments(args=[ast.arg(arg=parameter)]),
            body=ast.Call(func=ast.Name(id=name), args=[ast.Name(id=first), *bound], keywords=named),
        ) if first == parameter and not others and not keywords:
            return name, _further(bound, named)
    return None


def _further(arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> str:
    return "".join(f", {ast.unparse(part)}" for part in [*arguments, *keywords])


@dataclass(eq=False)
class GroupFunction:
    """A transform by a function with a loop."""

    file: SourceFile
    node: ast.Call
    grouping: Grouping
    function: ast.FunctionDef
    further: str
    """The code of the arguments behind the values."""

    pattern = "functions of groups"
    suggestion = "@hs.loop"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.node)]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the function over all rows, by key."""
        if not is_a(values.of(self.grouping.frame), "pandas", "DataFrame") or not self.function.args.args:
            return
        name = f"{self.function.name}_of_key"
        frame, key = self.file.code(self.grouping.frame), self.grouping.keys[0]
        parameter = self.function.args.args[0].arg
        made = _OfArrays(parameter).visit(copy.deepcopy(self.function))
        made.body = without_aliases(made.body, {parameter})
        made.name, made.returns, made.decorator_list = name, None, []
        made.body = [s for s in made.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        definition = f"@hs.loop\n{ast.unparse(ast.fix_missing_locations(made))}\n"
        column, over = f'{frame}["{self.grouping.column}"]', f'{frame}["{key}"]'
        of_columns = f"{name}({column}{self.further}, over={over})"
        of_arrays = f"{name}({column}.to_numpy(){self.further}, over={over}.to_numpy())"
        kept = f"pd.Series({of_arrays}, index={frame}.index)"
        # Pandas returns values of the column's own type where they fit in it.
        for code in (of_columns, f"{of_columns}.astype({column}.dtype)", kept, f"{kept}.astype({column}.dtype)"):
            use = f"@hs.loop {name} (written below)"
            change = replacing(self.file, self.node, code, use, definitions=definition)
            if change is not None:
                yield change


class _OfArrays(ast.NodeTransformer):
    """Writes a function of a Series as one of an array that returns one."""

    def __init__(self, parameter: str) -> None:
        self._parameter = parameter

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = method(node)
        if called is not None and called[1] in SAME_VALUES and self._is_whole(called[0]):
            return called[0]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return node.value if node.attr in ("values", "iloc") and self._is_whole(node.value) else node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        match node.value:
            case ast.Call(func=ast.Attribute(attr="Series" | "array" | "asarray"), args=[made, *_]):
                return ast.Return(made)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def _is_whole(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self._parameter
