"""Follows a frame through the lines of a script, without running them.

Functions of the user are read where they are called, with the arguments in the place of their parameters.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from hypostyle._profile.pipelines.columns import conditions, pandas_step, polars_step
from hypostyle._profile.pipelines.table import NoPipeline, Sink, Source, Step, Table
from hypostyle._profile.polars_code import column_of
from hypostyle._profile.syntax import SourceFile, functions_of, method, names_read, names_set, text_of

Known: TypeAlias = "dict[str, Table | ast.expr]"
"""Frames by name, and names that stand for a part of one, such as `groups = frame.groupby("symbol")`."""

READERS = {
    "read_csv": "csv",
    "scan_csv": "csv",
    "read_table": "csv",
    "read_parquet": "parquet",
    "scan_parquet": "parquet",
    "read_feather": "ipc",
    "read_ipc": "ipc",
    "scan_ipc": "ipc",
}
WRITERS = {
    "to_csv": "csv",
    "to_parquet": "parquet",
    "to_feather": "ipc",
    "write_csv": "csv",
    "write_parquet": "parquet",
    "write_ipc": "ipc",
    "sink_csv": "csv",
    "sink_parquet": "parquet",
    "sink_ipc": "ipc",
}
_OF_READER = {
    "sep", "delimiter", "separator", "usecols", "columns", "parse_dates", "try_parse_dates", "dtype", "dtypes",
    "schema", "schema_overrides", "engine", "low_memory", "infer_schema_length", "encoding", "dtype_backend",
    "memory_map",
}  # fmt: skip
"""Options without an effect but on types, which the proof sees."""
_OF_WRITER = {"index", "compression", "columns", "sep", "separator", "engine"}
_MOST = 8
"""Calls of the user's functions within each other."""


@dataclass
class Read:
    """What was read of a block of statements."""

    first: ast.stmt
    """The statement that reads the file."""
    last: ast.stmt
    """The one that writes it."""
    statements: list[ast.stmt]
    """Those that have to do with the frame."""
    names: set[str]
    """The names that they set."""
    sink: Sink | None = None
    why: str = ""
    """Why it is no pipeline."""
    tables: Mapping[str, Table] = field(default_factory=dict)
    """The frames by name, when the file is written."""
    counts: list[ast.expr] = field(default_factory=list)
    """Where the number of rows is read afterwards."""


def reads(file: SourceFile, block: Sequence[ast.stmt]) -> Iterator[Read]:
    """Yield what a block reads, computes and writes, once for each file that is written."""
    if not any(_is_writer(node) for s in block for node in ast.walk(s) if not isinstance(s, ast.FunctionDef)):
        return
    follower = _Follower(functions_of(file), {})
    for at, statement in enumerate(block):
        if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        follower.step(statement)
        if follower.sinks:
            sink = follower.sinks.pop()
            mine = [s for s in follower.related if s in block[: at + 1]]
            tables = {name: found for name, found in follower.known.items() if isinstance(found, Table)}
            yield Read(mine[0], statement, mine, names_set(mine), sink, follower.why, tables)
            return
    if follower.related and follower.why and (last := _last_writer(block)) is not None:
        mine = [s for s in follower.related if s.lineno < last.lineno]
        if mine:
            yield Read(mine[0], last, [*mine, last], names_set(mine), None, follower.why)


def _is_writer(node: ast.AST) -> bool:
    called = method(node)
    return called is not None and called[1] in WRITERS


def _last_writer(block: Sequence[ast.stmt]) -> ast.stmt | None:
    found = [s for s in block if isinstance(s, ast.Expr) and any(_is_writer(n) for n in ast.walk(s))]
    return found[-1] if found else None


@dataclass
class _Follower:
    functions: dict[str, ast.FunctionDef]
    known: Known
    depth: int = 0
    related: list[ast.stmt] = field(default_factory=list)
    sinks: list[Sink] = field(default_factory=list)
    why: str = ""
    returned: Table | None = None

    def step(self, statement: ast.stmt) -> None:
        """Follow the frames through a statement."""
        before = dict(self.known)
        try:
            is_related = self._statement(statement)
        except NoPipeline as error:
            if not self.why:
                self.why = f"line {statement.lineno}: {error}" if self.depth == 0 else str(error)
            if self.depth:
                raise
            self.known = before
            is_related = True
        if is_related:
            self.related.append(statement)

    def _statement(self, statement: ast.stmt) -> bool:
        """Return whether a statement has to do with a frame."""
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return self._named(name, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                return self._named(name, value)
            case ast.Assign(targets=[ast.Subscript() as target], value=value):
                owner, column = _column_target(target)
                table = self.known.get(owner or "")
                if isinstance(table, Table) and column is not None and table.source.library == "pandas":
                    self.known[owner or ""] = table.adding(self._pandas(column, value, owner or ""))
                    return True
            case ast.AugAssign(target=ast.Subscript() as target, op=op, value=value):
                owner, column = _column_target(target)
                table = self.known.get(owner or "")
                if isinstance(table, Table) and column is not None and table.source.library == "pandas":
                    old = copy.deepcopy(target)
                    old.ctx = ast.Load()
                    new = ast.copy_location(ast.BinOp(old, op, value), value)
                    self.known[owner or ""] = table.adding(self._pandas(column, new, owner or ""))
                    return True
            case ast.Expr(value=ast.Call() as call):
                return self._call(call)
            case ast.Return(value=value) if self.depth and value is not None:
                self.returned = self._table(self._substituted(value))
                return True
        self._check_unread(statement)
        return False

    def _named(self, name: str, value: ast.expr) -> bool:
        value = self._substituted(value)
        table = self._table(value)
        if table is not None:
            self.known[name] = table
            return True
        if self._mentions(value):
            self.known[name] = value
            return True
        if self.depth:
            self.known[name] = value
        else:
            self.known.pop(name, None)
        return False

    def _call(self, call: ast.Call) -> bool:
        called = method(call)
        if called is None:
            self._check_unread(call)
            return False
        receiver, name, _ = called
        table = self._table(self._substituted(receiver)) if name in WRITERS or name == "dropna" else None
        new = self._substituted(call)
        if table is None or not isinstance(new, ast.Call):
            self._check_unread(call)
            return False
        if name in WRITERS:
            self.sinks.append(self._sink(table, name, new))
            return True
        is_inplace = isinstance(receiver, ast.Name) and any(k.arg == "inplace" for k in call.keywords)
        if is_inplace and isinstance(receiver, ast.Name) and (less := self._method(table, name, new)) is not None:
            self.known[receiver.id] = less
        return is_inplace

    def _check_unread(self, node: ast.AST) -> None:
        """Raise if something else is done with a frame."""
        if self._mentions(node):
            text = ast.unparse(node).splitlines()[0]
            raise NoPipeline(f"`{text}` is no step of a pipeline")

    def _mentions(self, node: ast.AST) -> bool:
        names = names_read([node]) | names_set([node])
        return any(name in self.known and self._is_of_frame(name) for name in names)

    def _is_of_frame(self, name: str) -> bool:
        found = self.known[name]
        return isinstance(found, Table) or bool(
            names_read([found]) & {n for n, v in self.known.items() if isinstance(v, Table)}
        )

    def _substituted(self, node: ast.expr) -> ast.expr:
        """Return an expression with what names of parts and parameters stand for."""
        parts = {name: value for name, value in self.known.items() if isinstance(value, ast.expr)}

        class Names(ast.NodeTransformer):
            def visit_Name(self, name: ast.Name) -> ast.AST:
                if isinstance(name.ctx, ast.Load) and name.id in parts:
                    return copy.deepcopy(parts[name.id])
                return name

        made = Names().visit(copy.deepcopy(node)) if parts else node
        assert isinstance(made, ast.expr)
        return made

    # Frames

    def _table(self, node: ast.expr) -> Table | None:
        """Return the frame that an expression is; None if it is none."""
        if isinstance(node, ast.Name):
            found = self.known.get(node.id)
            return found if isinstance(found, Table) else None
        if isinstance(node, ast.Subscript):
            table = self._table(node.value)
            return None if table is None else self._picked(table, node)
        if not isinstance(node, ast.Call):
            return None
        if isinstance(node.func, ast.Name):
            return self._inlined(node)
        called = method(node)
        if called is None:
            return None
        receiver, name, call = called
        if isinstance(receiver, ast.Name) and receiver.id in ("pd", "pl", "pandas", "polars"):
            return self._source(receiver.id, name, call)
        table = self._table(receiver)
        return None if table is None else self._method(table, name, call, receiver)

    def _source(self, library: str, name: str, call: ast.Call) -> Table | None:
        if name not in READERS:
            return None
        options = {k.arg: k.value for k in call.keywords if k.arg is not None}
        path = call.args[0] if call.args else next((options.pop(n) for n in _PATHS if n in options), None)
        unknown = set(options) - _OF_READER
        if path is None or len(call.args) > 1 or unknown or len(options) < len(call.keywords) - (not call.args):
            raise NoPipeline(f"{name}({', '.join(sorted(unknown)) or '...'}=) has no counterpart")
        columns = options.get("usecols", options.get("columns"))
        delimiter = next((options[n] for n in ("sep", "delimiter", "separator") if n in options), None)
        kind = "pandas" if library in ("pd", "pandas") else "polars"
        return Table(Source(kind, call, READERS[name], path, columns, delimiter))

    def _picked(self, table: Table, node: ast.Subscript) -> Table | None:
        if table.source.library != "pandas" or text_of(node.slice) is not None:
            return None
        if isinstance(node.slice, ast.List):
            return table.picking(node.slice)
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        found = conditions(node.slice, lambda part: self._column(part, name))
        return table.where(found)

    def _column(self, node: ast.AST, frame: str) -> str | None:
        """Return the name of `frame["x"]` or `frame.x`."""
        if (
            isinstance(node, ast.Subscript | ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == frame
        ):
            return text_of(node.slice) if isinstance(node, ast.Subscript) else node.attr
        return None

    def _pandas(self, column: str, value: ast.expr, frame: str) -> Step:
        return pandas_step(
            column, self._substituted(value), lambda n: isinstance(n, ast.Name) and n.id == frame, self.functions
        )

    def _method(self, table: Table, name: str, call: ast.Call, receiver: ast.expr | None = None) -> Table | None:
        options = {k.arg: k.value for k in call.keywords}
        if name in ("lazy", "collect", "copy", "rechunk") and not call.args:
            return table
        if table.source.library == "pandas":
            return self._pandas_method(table, name, call, options, receiver)
        if name == "filter" and not options:
            return table.where(tuple(c for a in call.args for c in conditions(a, column_of)))
        if name == "drop_nulls":
            given = call.args[0] if call.args else options.get("subset")
            return table.without_nulls(given)
        if name == "with_columns":
            parts = [p for a in call.args for p in (a.elts if isinstance(a, ast.List | ast.Tuple) else [a])]
            # All of them see the frame as it was.
            steps = [polars_step(part, None) for part in parts]
            steps += [polars_step(value, alias) for alias, value in options.items() if alias is not None]
            new = {step.column for step in steps}
            if any(
                f'"{column}"' in (s.value or "") + "".join(s.kernels.values())
                for s in steps
                for column in new - {s.column}
            ):
                raise NoPipeline("with_columns reads a column that it replaces")
            for step in steps:
                table = table.adding(step)
            return table
        if name == "select" and not options:
            names = [
                text_of(a) or column_of(a) for b in call.args for a in (b.elts if isinstance(b, ast.List) else [b])
            ]
            if None not in names:
                return table.picking(ast.List([ast.Constant(n) for n in names], ast.Load()))
        if name == "drop" and not options and call.args:
            return table.dropping(ast.List(list(call.args), ast.Load()) if len(call.args) > 1 else call.args[0])
        raise NoPipeline(f"`.{name}(...)` is no step of a pipeline")

    def _pandas_method(
        self, table: Table, name: str, call: ast.Call, options: dict[str | None, ast.expr], receiver: ast.expr | None
    ) -> Table | None:
        if name == "dropna" and not call.args and not set(options) - {"subset", "inplace"}:
            return table.without_nulls(options.get("subset"))
        if name == "drop" and set(options) <= {"columns", "axis"}:
            given = options.get("columns") or (call.args[0] if call.args and "axis" in options else None)
            if given is not None:
                return table.dropping(given)
        if name == "reset_index" and getattr(options.get("drop"), "value", False) is True:
            return table
        if name == "assign" and not call.args:
            for column, value in options.items():
                frame = receiver.id if isinstance(receiver, ast.Name) else ""
                if isinstance(value, ast.Lambda) and len(value.args.args) == 1:
                    frame, value = value.args.args[0].arg, value.body
                table = table.adding(self._pandas(column or "", value, frame))
            return table
        if name == "pipe" and len(call.args) >= 1 and isinstance(call.args[0], ast.Name) and receiver is not None:
            return self._inlined(ast.Call(call.args[0], [receiver, *call.args[1:]], call.keywords))
        if name in ("groupby", "rolling", "expanding", "ewm", "shift", "diff", "pct_change"):
            return None
        raise NoPipeline(f"`.{name}(...)` is no step of a pipeline")

    def _inlined(self, call: ast.Call) -> Table | None:
        """Return the frame that a function of the user returns."""
        assert isinstance(call.func, ast.Name)
        function = self.functions.get(call.func.id)
        if function is None or self.depth >= _MOST or function.args.vararg or function.args.kwarg:
            return None
        parameters = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        names = [p.arg for p in parameters]
        given: dict[str, ast.expr] = dict(zip(names, call.args, strict=False))
        given |= {k.arg: k.value for k in call.keywords if k.arg is not None}
        defaults = function.args.defaults
        given = dict(zip(names[len(function.args.args) - len(defaults) :], defaults, strict=False)) | given
        inner = _Follower(self.functions, {}, self.depth + 1)
        reads_file = False
        for name, value in given.items():
            table = self._table(value)
            inner.known[name] = value if table is None else table
            reads_file |= table is not None
        body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        if not reads_file and not any(_is_reader(n) for s in body for n in ast.walk(s)):
            return None
        for statement in body:
            inner.step(statement)
            is_step = bool(inner.related) and inner.related[-1] is statement
            if not is_step and not isinstance(statement, ast.Assign | ast.Pass):
                text = ast.unparse(statement).splitlines()[0]
                raise NoPipeline(f"{function.name} does more than a step: `{text}`")
        if inner.sinks:
            raise NoPipeline(f"{function.name} writes the file")
        return inner.returned

    def _sink(self, table: Table, name: str, call: ast.Call) -> Sink:
        options = {k.arg: k.value for k in call.keywords if k.arg is not None}
        path = call.args[0] if call.args else next((options.pop(n) for n in _PATHS if n in options), None)
        unknown = set(options) - _OF_WRITER
        if path is None or len(call.args) > 1 or unknown:
            raise NoPipeline(f"{name}({', '.join(sorted(unknown)) or '...'}=) has no counterpart")
        if name == "to_csv" and getattr(options.get("index"), "value", True) is not False:
            raise NoPipeline("to_csv writes the index: with index=False it could be a pipeline")
        return Sink(table, call, WRITERS[name], path, options.get("columns"), options)


_PATHS = ("filepath_or_buffer", "path_or_buf", "path", "source", "file")


def _is_reader(node: ast.AST) -> bool:
    called = method(node)
    return called is not None and called[1] in READERS


def _column_target(target: ast.Subscript) -> tuple[str | None, str | None]:
    """Return frame and column of `frame["x"] = ...` and `frame.loc[:, "x"] = ...`."""
    match target:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(column))):
            return name, column
        case ast.Subscript(
            value=ast.Attribute(value=ast.Name(id=name), attr="loc"),
            slice=ast.Tuple(elts=[ast.Slice(lower=None, upper=None), ast.Constant(value=str(column))]),
        ):
            return name, column
    return None, None
