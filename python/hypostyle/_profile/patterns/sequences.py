"""Windows and running statistics of one column: `frame["price"].rolling(20).apply(f)`, `a.rolling(50).corr(b)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, is_a, replacing
from hypostyle._profile.patterns.grouped import grouping_of
from hypostyle._profile.rewrite import ADJUSTMENTS, Adjusts, Rewriter, Rewritten, in_steps
from hypostyle._profile.syntax import SourceFile, functions_of, is_path, method, text_of

_STARTS = {"rolling", "expanding", "ewm", "cumsum", "cumprod", "cummax", "cummin", "shift", "diff"}


def find(file: SourceFile) -> Iterator[Sequenced]:
    """Yield calls over a column that are kernels."""
    seen: set[int] = set()
    functions = functions_of(file)
    for node in ast.walk(file.tree):
        called = method(node)
        if called is None or id(node) in seen:
            continue
        unit = Sequenced(file, called[2], functions)
        if unit.rewritten("t") is not None:
            if any(grouping_of(part) for part in ast.walk(node)):
                continue
            if any(isinstance(above, ast.Lambda) for above in file.above(node)):
                continue
            seen.update(id(part) for part in ast.walk(node))
            yield unit


@dataclass(eq=False)
class Sequenced:
    """A call over a column, or over two."""

    file: SourceFile
    node: ast.Call
    functions: dict[str, ast.FunctionDef]

    pattern = "windows"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.node)]

    @property
    def suggestion(self) -> str:
        """The kernels."""
        rewritten = self.rewritten("t")
        return "" if rewritten is None else _use(rewritten)

    def rewritten(self, time: str | None, *, adjusts: Adjusts = "array") -> Rewritten | None:
        """Return what ends with a kernel; columns are named by their code: `frame["price"]`."""
        rewriter = Rewriter(self._column, None, time, self.functions)
        rewriter.adjust = adjusts
        rewritten = rewriter.rewrite(self.node)
        return rewritten if rewritten is not None and rewritten.ends_with_kernel else None

    @property
    def _target(self) -> ast.expr | None:
        statement = self.statements[0]
        return statement.targets[0] if isinstance(statement, ast.Assign) else ast.Name("")

    @staticmethod
    def _read(rewritten: Rewritten) -> set[str]:
        """Return the columns of the script that are read."""
        made = {name for name, _ in rewritten.steps}
        read = {name for kernel in rewritten.kernels.values() for name in kernel.columns}
        read |= {name for _, code in rewritten.steps if isinstance(code, str) for name in _names(code)}
        return read - made

    def _column(self, node: ast.AST) -> str | None:
        if not is_path(node) or not isinstance(node, ast.Name | ast.Subscript | ast.Attribute):
            return None
        if isinstance(node, ast.Subscript):
            return text_of(node.slice)
        if isinstance(node, ast.Attribute):
            return None if node.attr in _STARTS or isinstance(self.file.parent(node), ast.Call) else node.attr
        return node.id

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the code that gives the column with its index."""
        sources = {name: node for node in ast.walk(self.node) if (name := self._column(node))}
        paths = self._sources(values, sources)
        if paths is None:
            return
        frame, time = paths
        for adjusts in ADJUSTMENTS:
            rewritten = self.rewritten(time, adjusts=adjusts)
            if rewritten is None:
                return
            kernels = list(rewritten.kernels.values())
            if (kernel := rewritten.only) is not None:
                setup, code = "", f'hs.with_columns({frame}, {kernel.code()})["{kernel.columns[0]}"]'
                names = [""]
            else:
                setup, code = in_steps(frame, rewritten.steps), rewritten.code
                read = [name for name in sources if name in self._read(rewritten)]
                names = [f'.rename("{read[0]}")'] if len(read) == 1 else [".rename(None)"]
                names = names if isinstance(self._target, ast.Name) else [""]
            for name in names:
                change = replacing(self.file, self.node, f"{code}{name}", _use(rewritten), setup, rewritten.definitions)
                if change is not None:
                    yield change
            if not any(kernel.name.startswith("rolling(") for kernel in kernels):
                return

    def _sources(self, values: Values, sources: dict[str, ast.AST]) -> tuple[str, str | None] | None:
        """Return the code of a frame with all columns, and the name of its time index."""
        rewritten = self.rewritten("t") or self.rewritten(None)
        if rewritten is None:
            return None
        read = self._read(rewritten)
        series = {name: sources[name] for name in sources if name in read}
        found = {name: values.of(node) for name, node in series.items()}
        if not found or not all(is_a(value, "pandas", "Series") for value in found.values()):
            return None
        first = next(iter(found.values()))
        time = str(first.index.name) if is_a(first.index, "pandas", "DatetimeIndex") and first.index.name else None
        frames = {ast.unparse(n.value) for n in series.values() if isinstance(n, ast.Subscript | ast.Attribute)}
        if len(frames) == 1 and all(isinstance(n, ast.Subscript | ast.Attribute) for n in series.values()):
            return frames.pop(), time
        if len(series) == 1:
            ((name, node),) = series.items()
            return f'{ast.unparse(node)}.to_frame("{name}")', time
        if not all(value.index.equals(first.index) for value in found.values()):
            return None
        parts = ", ".join(f'"{name}": {ast.unparse(node)}' for name, node in series.items())
        return f"pd.DataFrame({{{parts}}})", time


def _use(rewritten: Rewritten) -> str:
    return " and ".join(kernel.code() for kernel in rewritten.kernels.values())


def _names(code: str) -> list[str]:
    """Return the names of columns in code of a table."""
    found = [n.slice for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Subscript)]
    return [name for part in found if (name := text_of(part)) is not None]
