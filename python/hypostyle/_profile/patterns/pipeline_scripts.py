"""Scripts that read a file, add columns and write a file: a pipeline file for `hypostyle run`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values
from hypostyle._profile.pipelines.read import Read, reads
from hypostyle._profile.syntax import SourceFile, first_line


def find(file: SourceFile) -> Iterator[PipelineScript]:
    """Yield what reads and writes a file: in the module, in its functions and in `if __name__ == ...`."""
    if not any(name in file.text for name in ("to_parquet", "to_csv", "to_feather", ".write_", ".sink_")):
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.If | ast.With | ast.For):
            for block in (node.body, getattr(node, "orelse", [])):
                for read in reads(file, block):
                    yield PipelineScript(file, _checked(file, read))


def _checked(file: SourceFile, read: Read) -> Read:
    """Say why it is no pipeline if something else needs what it makes, other than the number of rows."""
    if read.why:
        return read
    inside = {id(node) for s in read.statements for node in ast.walk(s)}
    scope = file.scope(read.first)
    names = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id in read.names and id(n) not in inside]
    end = read.last.end_lineno or read.last.lineno
    is_set_again = {n.id for n in names if not isinstance(n.ctx, ast.Load) and n.lineno > end}
    for node in names:
        count = _count_of(file, node)
        is_last = node.lineno > end and file.scope(node) is scope and node.id not in is_set_again
        if count is not None and is_last and _has_rows_of(read, node.id):
            read.counts.append(count)
        elif not isinstance(node.ctx, ast.Store) and (node.lineno > read.first.lineno or file.in_loop(read.first)):
            text = ast.unparse(file.statement(node)).splitlines()[0]
            read.why = f"line {node.lineno} reads {node.id} too: `{text}`"
            break
    return read


def _count_of(file: SourceFile, node: ast.Name) -> ast.expr | None:
    """Return `len(frame)`, `frame.shape[0]` or `frame.height`, if the name stands in one."""
    above = file.parent(node)
    match above:
        case ast.Call(func=ast.Name(id="len"), args=[only]) if only is node:
            return above
        case ast.Attribute(attr="height"):
            return above
        case ast.Attribute(attr="shape"):
            item = file.parent(above)
            is_rows = isinstance(item, ast.Subscript) and getattr(item.slice, "value", None) == 0
            return item if is_rows and isinstance(item, ast.Subscript) else None
    return None


def _has_rows_of(read: Read, name: str) -> bool:
    """Whether a frame has the rows that are written."""
    table = read.tables.get(name)
    if table is None or read.sink is None:
        return False
    written = read.sink.table
    return (table.conditions, table.not_null) == (written.conditions, written.not_null)


@dataclass(eq=False)
class PipelineScript:
    """Lines from reading a file to writing one."""

    file: SourceFile
    read: Read

    pattern = "pipelines"
    is_whole = True
    """Whether it is proven when its last line has run."""

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statements from reading to writing."""
        block = self.file.block(self.read.first)
        return block[block.index(self.read.first) : block.index(self.read.last) + 1]

    @property
    def node(self) -> ast.AST:
        """What writes the file."""
        return self.read.last

    @property
    def lines(self) -> tuple[int, int]:
        """The first and the last line."""
        return first_line(self.read.first), self.read.last.end_lineno or self.read.last.lineno

    @property
    def suggestion(self) -> str:
        """The command."""
        return "a pipeline file for `hypostyle run`"

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield nothing: a pipeline is proven by the files that are written."""
        yield from ()
