"""Python functions and keyed windows in Polars: `map_elements`, `map_batches`, `rolling_map`, `.over(...)`."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, defining, replacing
from hypostyle._profile.function_results import words_of
from hypostyle._profile.polars_code import Keyed, column_in, column_of, keys_of, quoted
from hypostyle._profile.rewrite import lambda_of, of_array
from hypostyle._profile.syntax import SourceFile, functions_of, keyword, method, text_of
from hypostyle._profile.window_code import WindowCode


def find(file: SourceFile) -> Iterator[PolarsCall | PolarsCalls]:
    """Yield calls in expressions that are a kernel or a compiled function: all of a statement, then one by one."""
    found: dict[int, list[PolarsCall]] = {}
    for unit in _calls(file):
        found.setdefault(id(unit.node), []).append(unit)
    for units in found.values():
        if len(units) > 1:
            yield PolarsCalls(file, units)
        yield from units


def _calls(file: SourceFile) -> Iterator[PolarsCall]:
    seen: set[int] = set()
    for node in ast.walk(file.tree):
        if id(node) in seen or method(node) is None:
            continue
        unit = PolarsCall(file, node)  # type: ignore[arg-type]
        if unit.code() is not None:
            seen.update(id(part) for part in ast.walk(node))
            yield unit


def _with_kernels(keyed: Keyed, node: ast.expr) -> str | None:
    """Return the new code of an expression, if there is a kernel in it."""
    code = keyed.code(node)
    return code if keyed.kernels else None


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _each(values: ast.ListComp, series: str) -> ast.expr | None:
    """Return the function of a value in `[f(v) for v in series]`."""
    match values:
        case ast.ListComp(elt=element, generators=[ast.comprehension(target=ast.Name(id=v), iter=over, ifs=[])]):
            if _is(over, series):
                arguments = ast.parse(f"lambda {v}: 0", mode="eval").body
                assert isinstance(arguments, ast.Lambda)
                return ast.Lambda(arguments.args, element)
    return None


def _mapped_over(values: ast.Call, series: str) -> ast.expr | None:
    """Return the function in `list(map(f, series))`."""
    match values:
        case ast.Call(func=ast.Name(id="list"), args=[ast.Call(func=ast.Name(id="map"), args=[function, over])]):
            return function if _is(over, series) else None
    return None


class _Fields(ast.NodeTransformer):
    """Writes `row["a"]` as `a`; `used` gets the names."""

    def __init__(self, row: str, used: dict[str, None]) -> None:
        self._row, self._used = row, used

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == self._row and (name := text_of(node.slice)):
            self._used[name] = None
            return ast.Name(name, ast.Load())
        return self.generic_visit(node)


@dataclass(eq=False)
class PolarsCall:
    """A call in an expression of Polars."""

    file: SourceFile
    call: ast.Call
    definitions: str = ""
    """Functions that the code calls."""

    pattern = "Polars"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.call)]

    @property
    def node(self) -> ast.AST:
        """The whole statement: Polars calls the function when it runs the query."""
        return self.file.statement(self.call)

    @property
    def suggestion(self) -> str:
        """The new call."""
        return self.code() or ""

    def code(self) -> str | None:
        """Return the code that replaces the call."""
        found = method(self.call)
        assert found is not None
        receiver, name, call = found
        if name == "over":
            keys = keys_of(call)
            if keys is None or call.keywords:
                return None
            mapped = PolarsCall(self.file, receiver)._mapped(keys) if isinstance(receiver, ast.Call) else None
            return mapped if mapped is not None else _with_kernels(Keyed(keys), receiver)
        return self._mapped([])

    def _mapped(self, keys: list[str]) -> str | None:
        found = method(self.call)
        if found is None or not found[2].args or found[1] not in ("map_elements", "map_batches", "rolling_map"):
            return None
        receiver, name, call = found
        function = self.file.code(call.args[0])
        over = f", over={quoted(keys)}" if keys else ""
        column = column_of(receiver)
        if name == "map_batches" and column is not None:
            return self._of_series(column, call.args[0], keys)
        if name == "rolling_map" and column is not None:
            window = call.args[1] if len(call.args) > 1 else keyword(call, "window_size")
            if window is None or keyword(call, "weights") is not None or keyword(call, "center") is not None:
                return None
            least = keyword(call, "min_samples") or window
            function = self._of_window(call.args[0]) or function
            return (
                f'hs.rolling({function})("{column}", {self.file.code(window)}, '
                f"min_samples={self.file.code(least)}{over})"
            )
        if name != "map_elements" or keys:
            return None
        if column is not None and (words := words_of(self.file, call.args[0])) is not None:
            labels, name, self.definitions = words
            table = f"{{{', '.join(f'{number}: {word!r}' for number, word in enumerate(labels.words))}}}"
            return f'{name}("{column}").replace_strict({table}, return_dtype=pl.String)'.replace("'", '"')
        if column is not None:
            return f'hs.jit({function})("{column}")'
        return self._of_struct(receiver, call.args[0])

    def _of_window(self, node: ast.expr) -> str | None:
        """Return a function of a Series as one of an array, if it is none yet."""
        made = lambda_of(node, functions_of(self.file))
        if made is None:
            return None
        name = made.args.args[0].arg
        body = of_array(made.body, name)
        word = f"window_of_line_{self.call.lineno}"
        if (text := WindowCode(name, 1).function(word, body)) is not None:
            self.definitions = text
            return word
        return None if ast.dump(body) == ast.dump(made.body) else f"lambda {name}: {ast.unparse(body)}"

    def _of_series(self, column: str, function: ast.expr, keys: list[str]) -> str | None:
        """Return the code for a function of a whole Series: kernels, or a function called for each value."""
        made = lambda_of(function, functions_of(self.file))
        if made is None:
            return None
        series = made.args.args[0].arg
        called = method(made.body)
        match made.body:
            case ast.Call(func=ast.Attribute(attr="Series"), args=[*_, ast.ListComp() as values]):
                each = _each(values, series)
            case ast.Call(func=ast.Attribute(attr="Series"), args=[*_, ast.Call() as values]):
                each = _mapped_over(values, series)
            case _:
                is_mapped = called is not None and called[1] == "map_elements" and bool(called[2].args)
                each = called[2].args[0] if called is not None and is_mapped and _is(called[0], series) else None
        if each is not None:
            return None if keys else f'hs.jit({ast.unparse(each)})("{column}")'
        return _with_kernels(Keyed(keys, column_in(series, column)), made.body)

    def _of_struct(self, receiver: ast.expr, function: ast.expr) -> str | None:
        """Return the code for `pl.struct("a", "b").map_elements(lambda row: ...)`."""
        made = method(receiver)
        if made is None or made[1] != "struct" or ast.unparse(made[0]) not in ("pl", "polars"):
            return None
        parts = [p for a in made[2].args for p in (a.elts if isinstance(a, ast.List | ast.Tuple) else [a])]
        names = [text_of(p) or column_of(p) for p in parts]
        if isinstance(function, ast.Name) and function.id in (known := functions_of(self.file)):
            short = lambda_of(function, known)
            if short is None:
                return self._of_statements(known[function.id])
            function = short
        if None in names or not isinstance(function, ast.Lambda) or len(function.args.args) != 1:
            return None
        used: dict[str, None] = {}
        fields = _Fields(function.args.args[0].arg, used)
        body = ast.unparse(fields.visit(ast.parse(ast.unparse(function.body), mode="eval")))
        if not used or not all(name.isidentifier() for name in used):
            return None
        columns = ", ".join(f'"{name}"' for name in used)
        return f"hs.jit(lambda {', '.join(used)}: {body})({columns})"

    def _of_statements(self, function: ast.FunctionDef) -> str | None:
        """Return the call of a function of a struct that is written with the fields as its parameters."""
        if len(function.args.args) != 1 or function.decorator_list:
            return None
        used: dict[str, None] = {}
        written = _Fields(function.args.args[0].arg, used).visit(copy.deepcopy(function))
        written.name, written.decorator_list = f"{function.name}_of_columns", [ast.parse("hs.jit", mode="eval").body]
        written.args.args = [ast.arg(name) for name in used]
        written.returns = None
        names = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        if not used or not all(name.isidentifier() and name not in names for name in used):
            return None
        self.definitions = f"{ast.unparse(ast.fix_missing_locations(written))}\n"
        columns = ", ".join(f'"{name}"' for name in used)
        return f"{written.name}({columns})"

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the statement with the new call."""
        code = self.code()
        if code is None:
            return
        if not isinstance(ast.parse(code, mode="eval").body, ast.Call) and isinstance(
            self.file.parent(self.call), ast.Attribute | ast.BinOp
        ):
            code = f"({code})"
        # The query as a whole is compared, so that the call may stand anywhere in it.
        statement = self.file.statement(self.call)
        change = replacing(self.file, self.call, code, self.suggestion, definitions=self.definitions)
        if change is None:
            return
        value = getattr(statement, "value", None)
        if value is not None and not isinstance(statement, ast.Assign | ast.AnnAssign):
            whole = self.file.code(value)
            change.before = f"__result__ = {whole}\n"
            change.after = f"__result__ = {whole.replace(self.file.code(self.call), code)}\n"
        elif value is not None:
            change.before = self.file.statements([statement])
            change.after = self.file.replaced(statement, self.call, code)
        yield change


@dataclass(eq=False)
class PolarsCalls:
    """Several calls of one statement, replaced together."""

    file: SourceFile
    calls: list[PolarsCall]

    pattern = "Polars"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the calls."""
        return self.calls[0].statements

    @property
    def node(self) -> ast.AST:
        """The whole statement."""
        return self.calls[0].node

    @property
    def suggestion(self) -> str:
        """The new calls."""
        return "; ".join(call.suggestion for call in self.calls)

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the statement with all new calls."""
        first, *others = self.calls
        made = next(first.changes(values), None)
        if made is None:
            return
        edited = made.edits[-1][2]
        for call in others:
            change, old = next(call.changes(values), None), self.file.code(call.call)
            code = call.code()
            if change is None or code is None or edited.count(old) != 1 or made.after.count(old) != 1:
                return
            edited, made.after = edited.replace(old, code), made.after.replace(old, code)
            made.definitions = made.definitions + change.definitions
        new = [*defining(self.file, self.statements, made.definitions), (*made.edits[-1][:2], edited)]
        yield Change(self.suggestion, made.before, made.after, made.definitions, new)
