"""Loops over groups, and functions that add columns to a group: `for _, group in frame.groupby("symbol"): ...`."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hypostyle._profile.change import Change, Values, is_a, replacing, rewritten
from hypostyle._profile.patterns.grouped import Grouping, grouping_of, inside, restored
from hypostyle._profile.rewrite import Rewriter, Rewritten
from hypostyle._profile.syntax import SourceFile, functions_of, is_path, method, read_after, text_of


@dataclass
class Added:
    """What a function or a loop does with a group."""

    masked: Added | None = None
    """The same, with running sums missing where their column is."""

    columns: dict[str, Rewritten] = field(default_factory=dict)
    """New columns of the group itself."""
    located: dict[str, Rewritten] = field(default_factory=dict)
    """New columns of the frame, written at the group's labels."""
    appended: str | None = None
    """The list that gets the group, or what is in `series`."""
    series: Rewritten | None = None
    returned: bool = False


def find(file: SourceFile) -> Iterator[GroupLoop | GroupFunction]:
    """Yield loops over groups, and calls of functions that add columns."""
    if "groupby" not in file.text:
        return
    functions = functions_of(file)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.For) and (found := _loop(file, node)) is not None:
            yield found
        called = method(node)
        if called is None or called[1] != "apply" or (grouping := grouping_of(called[0])) is None:
            continue
        call = called[2]
        if grouping.column is not None or len(call.args) != 1 or call.keywords:
            continue
        if isinstance(call.args[0], ast.Name) and call.args[0].id in functions:
            function = functions[call.args[0].id]
            if len(function.args.args) == 1:
                added = read(function.body, function.args.args[0].arg, grouping, None)
                if added is not None and added.columns and added.returned:
                    yield GroupFunction(file, call, grouping, added)


def _loop(file: SourceFile, node: ast.For) -> GroupLoop | None:
    grouping = grouping_of(node.iter)
    if grouping is None or grouping.column is not None or node.orelse or not is_path(grouping.frame):
        return None
    if not isinstance(node.target, ast.Tuple) or len(node.target.elts) != 2:
        return None
    group = node.target.elts[1]
    if not isinstance(group, ast.Name):
        return None
    added = read(node.body, group.id, grouping, ast.unparse(grouping.frame))
    if added is None or not (added.located or added.appended):
        return None
    block = file.block(node)
    at = block.index(node)
    before, after = block[max(0, at - 1) : at], block[at + 1 : at + 2]
    if added.appended is None:
        return GroupLoop(file, node, grouping, added, [node], None)
    joined = next((n for s in after for n in ast.walk(s) if _joins(n, added.appended)), None)
    empties = before and ast.unparse(before[0]) == f"{added.appended} = []"
    if joined is None or not empties or not isinstance(joined, ast.Call):
        return None
    return GroupLoop(file, node, grouping, added, [*before, node, *after], joined)


def _joins(node: ast.AST, name: str) -> bool:
    """Whether a node is `pd.concat(parts)`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="concat"), args=[ast.Name(id=found)], keywords=[]):
            return found == name
    return False


def read(body: Sequence[ast.stmt], group: str, grouping: Grouping, frame: str | None) -> Added | None:
    """Return what the statements do with a group; None if they do anything else."""
    added = _read(body, group, grouping, frame)
    if added is not None and "cum_" in _use(added, grouping.keys):
        added.masked = _read(body, group, grouping, frame, masks=True)
    return added


def _read(
    body: Sequence[ast.stmt], group: str, grouping: Grouping, frame: str | None, *, masks: bool = False
) -> Added | None:
    """Return what the statements do with a group; None if they do anything else."""
    added = Added()
    known: dict[str, ast.expr] = {}

    def rewrite(value: ast.expr) -> Rewritten | None:
        plain = _Known(known).visit(copy.deepcopy(value))
        rewriter = Rewriter(inside(grouping, group), None)
        rewriter.masks = masks
        found = rewriter.rewrite(plain)
        return found if found is not None and found.kernels else None

    for statement in body:
        match statement:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == group:
                if ast.unparse(value) != f"{group}.copy()":
                    return None
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                known[name] = _Known(known).visit(copy.deepcopy(value))
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=owner), slice=name)], value=value) if (
                owner == group
            ):
                made, column = rewrite(value), text_of(name)
                if made is None or column is None:
                    return None
                added.columns[column] = made
            case ast.Assign(targets=[target], value=value) if frame is not None and _located(target, frame, group):
                made = rewrite(value)
                if made is None:
                    return None
                added.located[_located(target, frame, group) or ""] = made
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=parts), attr="append"), args=[value])):
                added.appended = parts
                if not (isinstance(value, ast.Name) and value.id == group):
                    added.series = rewrite(value)
                    if added.series is None:
                        return None
            case ast.Return(value=ast.Name(id=name)) if name == group:
                added.returned = True
            case _:
                return None
    # A new column of the group may not be read as if it were one of the frame.
    read = {c for r in added.columns.values() for k in r.kernels.values() for c in k.columns}
    return None if read & added.columns.keys() else added


def _located(target: ast.expr, frame: str, group: str) -> str | None:
    """Return the column of `frame.loc[group.index, "x"]`."""
    match target:
        case ast.Subscript(
            value=ast.Attribute(value=owner, attr="loc"),
            slice=ast.Tuple(
                elts=[ast.Attribute(value=ast.Name(id=name), attr="index"), ast.Constant(value=str(column))]
            ),
        ) if ast.unparse(owner) == frame and name == group:
            return column
    return None


class _Known(ast.NodeTransformer):
    def __init__(self, known: dict[str, ast.expr]) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self._known.get(node.id, node))


def _adding(columns: dict[str, Rewritten], frame: str, keys: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return the statement that computes the kernels, each once, and the code of the columns."""
    names: dict[str, str] = {}
    codes = {}
    for column, made in columns.items():
        renamed = {}
        for alias, kernel in made.kernels.items():
            renamed[alias] = names.setdefault(kernel.code(keys), f"_{len(names) + 1}")
        pattern = re.compile(r'table\["(_\d+)"\]')
        codes[column] = pattern.sub(lambda found, new=renamed: f'table["{new[found[1]]}"]', made.code)  # type: ignore[misc]
    kernels = ", ".join(f'{kernel}.alias("{alias}")' for kernel, alias in names.items())
    return f"table = hs.with_columns({frame}, {kernels})\n", codes


def _listed(codes: dict[str, str]) -> str:
    return ", ".join(f"{name}={code}" for name, code in codes.items())


def _use(added: Added, keys: Sequence[str]) -> str:
    made = [*added.columns.values(), *added.located.values(), *([added.series] if added.series else [])]
    return " and ".join(dict.fromkeys(k.code(keys) for r in made for k in r.kernels.values()))


def _sorted(frame: str, keys: Sequence[str]) -> str:
    by = f'"{keys[0]}"' if len(keys) == 1 else str(list(keys)).replace("'", '"')
    return f'{frame}.sort_values({by}, kind="stable")'


@dataclass(eq=False)
class GroupLoop:
    """A loop over groups."""

    file: SourceFile
    node: ast.For
    grouping: Grouping
    added: Added
    statements: Sequence[ast.stmt]
    joined: ast.Call | None

    pattern = "loops over groups"

    @property
    def suggestion(self) -> str:
        """The kernels."""
        return _use(self.added, self.grouping.keys)

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the kernels over the whole frame."""
        for added in (self.added, self.added.masked):
            if added is not None:
                yield from self._with(added, values)

    def _with(self, added: Added, values: Values) -> Iterator[Change]:
        frame, keys = ast.unparse(self.grouping.frame), self.grouping.keys
        if not is_a(values.of(self.grouping.frame), "pandas", "DataFrame"):
            return
        before = self.file.statements(self.statements)
        if self.joined is None:
            lines, codes = _adding(added.located, frame, keys)
            for name, code in codes.items():
                lines += f'{frame}["{name}"] = {code}\n'
        elif added.appended in read_after(self.file, self.statements):
            return
        elif added.series is not None:
            setup, codes = _adding({"made": added.series}, _sorted(frame, keys), keys)
            lines = setup + self.file.replaced(self.statements[-1], self.joined, codes["made"])
        else:
            if not all(name.isidentifier() for name in added.columns):
                return
            setup, codes = _adding(added.columns, _sorted(frame, keys), keys)
            code = f"{_sorted(frame, keys)}.assign({_listed(codes)})"
            lines = setup + self.file.replaced(self.statements[-1], self.joined, code)
        yield Change(self.suggestion, before, lines, "", [rewritten(self.file, self.statements, lines)])


@dataclass(eq=False)
class GroupFunction:
    """A call of `apply` with a function that adds columns to its group."""

    file: SourceFile
    node: ast.Call
    grouping: Grouping
    added: Added

    pattern = "groups"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.node)]

    @property
    def suggestion(self) -> str:
        """The kernels."""
        return _use(self.added, self.grouping.keys)

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the frame with the new columns: in its own order, then sorted by key as pandas returns it."""
        for added in (self.added, self.added.masked):
            if added is not None:
                yield from self._with(added)

    def _with(self, added: Added) -> Iterator[Change]:
        keys = self.grouping.keys
        frame = self.file.code(self.grouping.frame)
        names = str(list(keys)).replace("'", '"')
        if not all(name.isidentifier() for name in added.columns):
            return
        for node in dict.fromkeys([restored(self.file, self.node), self.node]):
            for dropped in (f".drop(columns={names})", ""):  # pandas 3 leaves the keys out
                setup, codes = _adding(added.columns, frame, keys)
                assigned = _listed(codes)
                plain = f"{frame}.assign({assigned}){dropped}"
                setup_sorted, _ = _adding(added.columns, _sorted(frame, keys), keys)
                ordered = f"{_sorted(frame, keys)}.assign({assigned})"
                candidates = [(setup, plain), (setup_sorted, f"{ordered}{dropped}")]
                if len(keys) == 1:
                    kept = "" if dropped else ", drop=False"
                    index = f'.set_index("{keys[0]}", append=True{kept}).swaplevel()'
                    candidates.append((setup_sorted, f"{ordered}{index}"))
                for first, code in candidates:
                    change = replacing(self.file, node, code, self.suggestion, first)
                    if change is not None:
                        yield change
