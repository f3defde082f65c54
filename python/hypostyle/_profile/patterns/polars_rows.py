"""A Python function of whole rows in Polars: `frame.map_rows(lambda row: row[0] * row[1])`."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, is_a, replacing
from hypostyle._profile.syntax import SourceFile, functions_of, is_path, method


def find(file: SourceFile) -> Iterator[MapRows]:
    """Yield calls of `map_rows`."""
    for node in ast.walk(file.tree):
        called = method(node)
        if called is None or called[1] != "map_rows" or not is_path(called[0]) or not called[2].args:
            continue
        receiver, _, call = called
        function = _function(call.args[0], functions_of(file))
        if function is not None:
            yield MapRows(file, call, receiver, function)


def _function(node: ast.expr, known: dict[str, ast.FunctionDef]) -> ast.FunctionDef | None:
    """Return the function of a row as a definition."""
    match node:
        case ast.Lambda(args=arguments, body=body):
            made = ast.parse("def of_row(row): pass").body[0]
            assert isinstance(made, ast.FunctionDef)
            made.args, made.body = copy.deepcopy(arguments), [ast.Return(copy.deepcopy(body))]
        case ast.Name(id=name) if name in known and not known[name].decorator_list:
            made = copy.deepcopy(known[name])
        case _:
            return None
    only = made.args
    is_plain = len(only.args) == 1 and not (only.vararg or only.kwarg or only.kwonlyargs or only.defaults)
    return made if is_plain else None


class _Places(ast.NodeTransformer):
    """Writes `row[1]` as the name of the column there."""

    def __init__(self, row: str, names: Sequence[str]) -> None:
        self._row, self._names = row, names
        self.used: dict[int, None] = {}
        self.fits = True

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        match node:
            case ast.Subscript(value=ast.Name(id=self._row), slice=ast.Constant(value=int(at))) if (
                0 <= at < len(self._names)
            ):
                self.used[at] = None
                return ast.Name(self._names[at], ast.Load())
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        self.fits &= node.id != self._row
        return node


@dataclass(eq=False)
class MapRows:
    """A call of `map_rows` whose function returns one value."""

    file: SourceFile
    node: ast.Call
    receiver: ast.expr
    function: ast.FunctionDef

    pattern = "Polars"
    suggestion = "hs.jit"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.node)]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the selection of the function of columns."""
        owner = values.of(self.receiver)
        if not is_a(owner, "polars", "DataFrame"):
            return
        columns: list[str] = owner.columns
        written = self._written(columns)
        if written is None:
            return
        function, used = written
        definition = f"{ast.unparse(ast.fix_missing_locations(function))}\n"
        arguments = ", ".join(f"{columns[at]!r}".replace("'", '"') for at in used)
        selected = f'{function.name}({arguments}).alias("map")'
        code = f"{self.file.code(self.receiver)}.select({selected})"
        change = replacing(self.file, self.node, code, f"@hs.jit: {function.name}({arguments})", definitions=definition)
        if change is not None:
            yield change

    def _written(self, columns: Sequence[str]) -> tuple[ast.FunctionDef, list[int]] | None:
        """Return the function with columns as parameters, and their places; None where it needs the row itself."""
        function = copy.deepcopy(self.function)
        row = function.args.args[0].arg
        taken = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        names = [
            name if name.isidentifier() and name not in taken else f"column_{at}" for at, name in enumerate(columns)
        ]
        match function.body[0]:
            case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Name(id=of)) if of == row:
                given = [part.id for part in parts if isinstance(part, ast.Name)]
                if len(given) != len(parts) or len(set(given)) != len(columns):
                    return None
                names, function.body = given, function.body[1:]
        places = _Places(row, names)
        function.body = [places.visit(statement) for statement in function.body]
        read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        used = [at for at, name in enumerate(names) if at in places.used or name in read]
        returns = [n.value for n in ast.walk(function) if isinstance(n, ast.Return)]
        if not places.fits or not used or any(value is None or isinstance(value, ast.Tuple) for value in returns):
            return None
        function.name = f"{function.name}_of_columns"
        function.args.args = [ast.arg(names[at]) for at in used]
        function.returns, function.decorator_list = None, [ast.parse("hs.jit", mode="eval").body]
        return function, used
