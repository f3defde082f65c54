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
        made = copy.deepcopy(self.function)
        outputs = _with_outputs(made, parameter)
        made = _OfArrays(parameter, outputs).visit(made)
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


def _with_outputs(function: ast.FunctionDef, parameter: str) -> set[str]:
    """Make arrays of columns that a function begins with, `res = s.copy()`, and fills; return their names."""
    found = set()
    for statement in function.body:
        match statement:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=copied), attr="copy"), args=[]),
            ) if copied == parameter and _is_filled(function, name):
                statement.value = ast.parse(f"np.empty_like({parameter})", mode="eval").body
                _begin_rows(function, name, parameter)
                found.add(name)
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Attribute(attr="Series"), args=[value], keywords=[ast.keyword(arg="index")]),
            ) if isinstance(value, ast.Constant | ast.Attribute) and _is_filled(function, name):
                code = f"np.full(len({parameter}), {ast.unparse(value)})"
                statement.value = ast.parse(code, mode="eval").body
                found.add(name)
    return found


def _is_filled(function: ast.FunctionDef, name: str) -> bool:
    """Whether a function writes items of a column: `res.iloc[i] = v`."""
    written = (n.value for n in ast.walk(function) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store))
    return any(isinstance(n, ast.Attribute) and ast.unparse(n) in (f"{name}.iloc", f"{name}.values") for n in written)


def _begin_rows(function: ast.FunctionDef, name: str, parameter: str) -> None:
    """Let each row begin with its own value, where the loop does not write it in any case."""
    for loop in function.body:
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name):
            row = loop.target.id
            written = {ast.unparse(t) for s in loop.body if isinstance(s, ast.Assign) for t in s.targets}
            if not written & {f"{name}.iloc[{row}]", f"{name}.values[{row}]"}:
                loop.body[:0] = ast.parse(f"{name}[{row}] = {parameter}[{row}]").body


class _OfArrays(ast.NodeTransformer):
    """Writes a function of a Series as one of an array that returns one."""

    def __init__(self, parameter: str, outputs: set[str]) -> None:
        self._columns = {parameter, *outputs}

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
        return isinstance(node, ast.Name) and node.id in self._columns
