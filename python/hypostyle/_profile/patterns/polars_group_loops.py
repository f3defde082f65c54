"""Loops over groups of Polars: `for _, group in frame.group_by("k"): parts.append(group.with_columns(...))`.

What they append is put together by `pl.concat`; kernels go over all rows at once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, is_a, rewritten
from hypostyle._profile.patterns.polars_groups import steps_of
from hypostyle._profile.polars_code import Keyed, column_in, in_order, keys_of, quoted
from hypostyle._profile.rewrite import result_of, substituted
from hypostyle._profile.syntax import SourceFile, functions_of, method, names_read, names_set, read_after


def find(file: SourceFile) -> Iterator[PolarsGroupLoop]:
    """Yield loops, and lists, over groups that are put together again."""
    if "group_by" not in file.text and "partition_by" not in file.text:
        return
    for node in ast.walk(file.tree):
        found = None
        if isinstance(node, ast.For) and not node.orelse:
            found = _loop(file, node)
        elif isinstance(node, ast.Call):
            found = _list(file, node)
        if found is not None:
            yield found


@dataclass
class Split:
    """A frame in its groups."""

    frame: ast.expr
    keys: list[str]
    grouping: ast.Call | None
    """The call of `group_by` if the groups come in any order."""
    group: str


def _split(iterated: ast.expr, target: ast.expr) -> Split | None:
    """Read what a loop goes over: `group_by(k)`, `partition_by(k)`, `partition_by(k, as_dict=True).items()`."""
    called = method(iterated)
    if called is None:
        return None
    receiver, name, call = called
    is_pair = isinstance(target, ast.Tuple) and len(target.elts) == 2
    if name in ("items", "values") and (inner := method(receiver)) is not None and inner[1] == "partition_by":
        if is_pair != (name == "items"):
            return None
        receiver, name, call = inner
    elif (name == "group_by") != is_pair:
        return None
    group = target.elts[1] if isinstance(target, ast.Tuple) and is_pair else target
    allowed = {"maintain_order"} | ({"as_dict"} if name == "partition_by" else set())
    keys = keys_of(call)
    if name not in ("group_by", "partition_by") or keys is None or not isinstance(group, ast.Name):
        return None
    if any(k.arg not in allowed for k in call.keywords):
        return None
    is_loose = not in_order(call) if name == "group_by" else any(k.arg == "maintain_order" for k in call.keywords)
    if is_loose and name == "partition_by":
        return None
    return Split(receiver, keys, call if is_loose else None, group.id)


def _loop(file: SourceFile, node: ast.For) -> PolarsGroupLoop | None:
    split = _split(node.iter, node.target)
    if split is None:
        return None
    known: dict[str, ast.expr] = {}
    appended: tuple[str, ast.expr] | None = None
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if appended is None:
                known[name] = substituted(value, known)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=parts), attr="append"), args=[value])):
                if appended is not None:
                    return None
                appended = parts, substituted(value, known)
            case _:
                return None
    block = file.block(node)
    at = block.index(node)
    if appended is None or at == 0 or at + 1 >= len(block):
        return None
    before, after = block[at - 1], block[at + 1]
    joined = next((n for n in ast.walk(after) if _joins(n, appended[0])), None)
    is_empty = ast.unparse(before) == f"{appended[0]} = []"
    is_read = appended[0] in read_after(file, [before, node, after])
    if not is_empty or is_read or not isinstance(joined, ast.Call):
        return None
    return _made(file, node, [before, node, after], split, appended[1], joined, node.target)


def _list(file: SourceFile, node: ast.Call) -> PolarsGroupLoop | None:
    """Read `pl.concat([f(group) for _, group in frame.group_by(k)])`."""
    if not _is_concat(node) or not isinstance(node.args[0], ast.ListComp | ast.GeneratorExp):
        return None
    listed = node.args[0]
    if len(listed.generators) != 1 or listed.generators[0].ifs:
        return None
    generator = listed.generators[0]
    split = _split(generator.iter, generator.target)
    statement = file.statement(node)
    if split is None or not isinstance(statement, ast.Assign):
        return None
    return _made(file, statement, [statement], split, listed.elt, node, generator.target)


def _made(
    file: SourceFile,
    node: ast.stmt,
    statements: Sequence[ast.stmt],
    split: Split,
    value: ast.expr,
    joined: ast.Call,
    target: ast.expr,
) -> PolarsGroupLoop | None:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        function = functions_of(file).get(value.func.id)
        value = value if function is None else result_of(function, value.args, value.keywords) or value
    keyed = Keyed(split.keys, column_in(split.group))
    steps = steps_of(keyed, value, split.group)
    if not steps or not keyed.kernels or (names_set([target]) | {split.group}) & names_read([_parsed(f"it{steps}")]):
        return None
    return PolarsGroupLoop(file, node, statements, split, steps, list(dict.fromkeys(keyed.kernels)), joined)


def _is_concat(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="pl" | "polars"), attr="concat"), args=[_]):
            return all(k.arg in ("how", "rechunk") for k in node.keywords)
    return False


def _joins(node: ast.AST, name: str) -> bool:
    return _is_concat(node) and isinstance(node, ast.Call) and ast.unparse(node.args[0]) == name


def _parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


@dataclass(eq=False)
class PolarsGroupLoop:
    """A loop over groups."""

    file: SourceFile
    node: ast.stmt
    statements: Sequence[ast.stmt]
    split: Split
    steps: str
    kernels: list[str]
    joined: ast.Call

    pattern = "loops over groups"

    @property
    def suggestion(self) -> str:
        """The kernels."""
        return " and ".join(self.kernels)

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the frame in the order of its groups' first rows; where any order is right, in its own."""
        if not is_a(values.of(self.split.frame), "polars", "DataFrame"):
            return
        frame, before = self.file.code(self.split.frame), self.file.statements(self.statements)
        first = f'pl.col("_row").min().over({quoted(self.split.keys)})'
        ordered = f'{frame}.with_row_index("_row").sort({first}, "_row").drop("_row"){self.steps}'
        if self.split.grouping is not None:
            call = self.file.segment(self.split.grouping)
            if before.count(call) != 1:
                return
            before = before.replace(call, f"{call[:-1].rstrip().rstrip(',')}, maintain_order=True)")
        lines = self.file.replaced(self.statements[-1], self.joined, ordered)
        yield Change(self.suggestion, before, lines, "", [rewritten(self.file, self.statements, lines)])
