"""Python functions and keyed windows in Polars: `map_elements`, `rolling_map`, `.over(...)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, replacing
from hypostyle._profile.syntax import SourceFile, functions_of, keyword, method, text_of
from hypostyle._profile.templates import kernel_for


def find(file: SourceFile) -> Iterator[PolarsCall]:
    """Yield calls in expressions that are a kernel or a compiled function."""
    seen: set[int] = set()
    for node in ast.walk(file.tree):
        if id(node) in seen or method(node) is None:
            continue
        unit = PolarsCall(file, node)  # type: ignore[arg-type]
        if unit.code() is not None:
            seen.update(id(part) for part in ast.walk(node))
            yield unit


def _column(node: ast.AST) -> str | None:
    """Return the name of `pl.col("x")`."""
    called = method(node)
    if called is None or called[1] != "col" or not isinstance(called[0], ast.Name) or len(called[2].args) != 1:
        return None
    return text_of(called[2].args[0]) if called[0].id in ("pl", "polars") else None


@dataclass(eq=False)
class PolarsCall:
    """A call in an expression of Polars."""

    file: SourceFile
    call: ast.Call

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
            keys = [text_of(k) for a in call.args for k in (a.elts if isinstance(a, ast.List) else [a])]
            if not keys or None in keys or call.keywords:
                return None
            mapped = PolarsCall(self.file, receiver)._mapped(tuple(map(str, keys))) if method(receiver) else None  # type: ignore[arg-type]
            if mapped is not None:
                return mapped
            kernel = kernel_for(receiver, _column, "polars")
            return None if kernel is None else kernel.code([str(k) for k in keys])
        return self._mapped(())

    def _mapped(self, keys: tuple[str, ...]) -> str | None:
        found = method(self.call)
        if found is None or not found[2].args or found[1] not in ("map_elements", "rolling_map"):
            return None
        receiver, name, call = found
        function = self.file.code(call.args[0])
        over = f", over={keys[0] if len(keys) == 1 else list(keys)!r}" if keys else ""
        over = over.replace(f"over={keys[0]}", f'over="{keys[0]}"') if len(keys) == 1 else over
        column = _column(receiver)
        if name == "rolling_map" and column is not None:
            window = call.args[1] if len(call.args) > 1 else keyword(call, "window_size")
            if window is None or keyword(call, "weights") is not None or keyword(call, "center") is not None:
                return None
            least = keyword(call, "min_samples") or window
            return (
                f'hs.rolling({function})("{column}", {self.file.code(window)}, '
                f"min_samples={self.file.code(least)}{over})"
            )
        if name != "map_elements" or keys:
            return None
        if column is not None:
            return f'hs.jit({function})("{column}")'
        return self._of_struct(receiver, call.args[0])

    def _of_struct(self, receiver: ast.expr, function: ast.expr) -> str | None:
        """Return the code for `pl.struct("a", "b").map_elements(lambda row: ...)`."""
        made = method(receiver)
        if made is None or made[1] != "struct" or ast.unparse(made[0]) not in ("pl", "polars"):
            return None
        parts = [p for a in made[2].args for p in (a.elts if isinstance(a, ast.List | ast.Tuple) else [a])]
        names = [text_of(p) or _column(p) for p in parts]
        if isinstance(function, ast.Name) and function.id in (known := functions_of(self.file)):
            only = known[function.id].body[-1]
            if len(known[function.id].body) == 1 and isinstance(only, ast.Return) and only.value is not None:
                function = ast.Lambda(known[function.id].args, only.value)
        if None in names or not isinstance(function, ast.Lambda) or len(function.args.args) != 1:
            return None
        row = function.args.args[0].arg
        used: dict[str, None] = {}

        class Fields(ast.NodeTransformer):
            def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
                if isinstance(node.value, ast.Name) and node.value.id == row and (name := text_of(node.slice)):
                    used[name] = None
                    return ast.Name(name, ast.Load())
                return self.generic_visit(node)

        body = ast.unparse(Fields().visit(ast.parse(ast.unparse(function.body), mode="eval")))
        if not used or not all(name.isidentifier() for name in used):
            return None
        columns = ", ".join(f'"{name}"' for name in used)
        return f"hs.jit(lambda {', '.join(used)}: {body})({columns})"

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the statement with the new call."""
        code = self.code()
        if code is None:
            return
        # The query as a whole is compared, so that the call may stand anywhere in it.
        statement = self.file.statement(self.call)
        change = replacing(self.file, self.call, code, code)
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
