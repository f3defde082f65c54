"""Loops over groups, and functions that add columns to a group: `for _, group in frame.groupby("symbol"): ...`."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from hypostyle._profile.change import Change, Values, is_a, replacing, rewritten
from hypostyle._profile.patterns.grouped import Grouping, grouping_of, inside, restored, whole
from hypostyle._profile.rewrite import Rewriter, Step, in_steps, substituted
from hypostyle._profile.syntax import SourceFile, functions_of, is_path, method, read_after, text_of
from hypostyle._profile.templates import Kernel
from hypostyle._profile.unique_loops import over_keys


@dataclass
class Added:
    """What a function or a loop does with a group."""

    masked: Added | None = None
    """The same, with running sums missing where their column is."""

    steps: list[Step] = field(default_factory=list)
    """What the new columns need."""
    columns: dict[str, str] = field(default_factory=dict)
    """The code of new columns of the group itself."""
    located: dict[str, str] = field(default_factory=dict)
    """That of new columns of the frame, written at the group's labels."""
    appended: str | None = None
    """The list that gets the group, or what is in `series`."""
    series: str | None = None
    sort: str = ""
    """The call by which the rows of a group are sorted."""
    index: str | None = None
    """The column that becomes the index of a group, for windows of time."""
    resets: bool = False
    """Whether the index becomes a column again, and rows are counted in each group."""
    returned: bool = False
    in_order: bool = False
    """Whether the groups come in the order of their first rows, and are not sorted."""


def find(file: SourceFile) -> Iterator[GroupLoop | GroupFunction]:
    """Yield loops over groups, and calls of functions that add columns."""
    if "groupby" not in file.text and "unique" not in file.text:
        return
    functions = functions_of(file)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.For) and (found := _loop(file, node)) is not None:
            yield found
        called = method(node)
        if called is None or called[1] != "apply" or (grouping := grouping_of(called[0])) is None:
            continue
        call = called[2]
        if grouping.column is not None or len(call.args) != 1 or any(k.arg != "include_groups" for k in call.keywords):
            continue
        function: ast.FunctionDef | ast.Lambda | None = None
        if isinstance(call.args[0], ast.Name):
            function = functions.get(call.args[0].id)
        elif isinstance(call.args[0], ast.Lambda):
            function = call.args[0]
        if function is None or len(function.args.args) != 1:
            continue
        body = [ast.Return(function.body)] if isinstance(function, ast.Lambda) else function.body
        added = read(body, function.args.args[0].arg, grouping, None)
        if added is not None and added.columns and added.returned:
            yield GroupFunction(file, call, grouping, added)


def _by_labels(node: ast.For) -> ast.For:
    """Return a loop over `frame.groupby("k").groups.items()`, which has each group's labels, as one over the groups."""
    match node:
        case ast.For(
            target=ast.Tuple(elts=[ast.Name(), ast.Name(id=labels)]),
            iter=ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(value=ast.Call() as groups, attr="groups" | "indices"), attr="items"
                )
            ),
        ):
            grouping = grouping_of(groups)
        case _:
            return node
    if grouping is None:
        return node
    frame = ast.unparse(grouping.frame)

    class Groups(ast.NodeTransformer):
        def visit_Subscript(self, part: ast.Subscript) -> ast.AST:
            match part:
                case ast.Subscript(
                    value=ast.Attribute(value=owner, attr="loc"), slice=ast.Tuple(elts=[ast.Name(id=name), column])
                ) if name == labels and ast.unparse(owner) == frame:
                    if isinstance(part.ctx, ast.Load):
                        return ast.Subscript(ast.Name(labels, ast.Load()), column, ast.Load())
                    index = ast.Attribute(ast.Name(labels, ast.Load()), "index", ast.Load())
                    return ast.Subscript(part.value, ast.Tuple([index, column], ast.Load()), part.ctx)
                case ast.Subscript(value=ast.Attribute(value=owner, attr="loc"), slice=ast.Name(id=name)):
                    if name == labels and ast.unparse(owner) == frame:
                        return ast.Name(labels, ast.Load())
            return self.generic_visit(part)

    body = [Groups().visit(copy.deepcopy(statement)) for statement in node.body]
    return ast.For(node.target, groups, body, node.orelse)


def _loop(file: SourceFile, node: ast.For) -> GroupLoop | None:
    read_as = _by_labels(node)
    grouping, keyed = grouping_of(read_as.iter), over_keys(node)
    body = read_as.body
    if keyed is not None:
        grouping, group, body = keyed.grouping, keyed.group, keyed.body
    else:
        if grouping is None or grouping.column is not None or not is_path(grouping.frame):
            return None
        if not isinstance(node.target, ast.Tuple) or len(node.target.elts) != 2:
            return None
        if not isinstance(node.target.elts[1], ast.Name):
            return None
        group = node.target.elts[1].id
    if node.orelse:
        return None
    added = read(body, group, grouping, ast.unparse(grouping.frame))
    if added is None or not (added.located or added.appended):
        return None
    added.in_order = keyed is not None and not keyed.is_sorted
    if added.masked is not None:
        added.masked.in_order = added.in_order
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
    column_of = inside(grouping, group)
    read_back = {name for s in body for n in ast.walk(s) if _is_read(n) and (name := column_of(n)) is not None}
    rewriter = Rewriter(column_of, whole(grouping))
    rewriter.masks = masks

    def rewrite(value: ast.expr) -> str | None:
        return rewriter.more(substituted(value, known))

    def add(column: str | None, value: ast.expr) -> bool:
        code = rewrite(value)
        if code is None or column is None:
            return False
        added.columns[column] = code
        if column in read_back:
            rewriter.steps.append((column, code))
        return True

    for statement in body:
        rewriter.time = added.index
        match statement:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == group:
                if not _same_group(value, group, added, add):
                    return None
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                known[name] = substituted(value, known)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=owner), slice=name)], value=value) if (
                owner == group
            ):
                if not add(text_of(name), value):
                    return None
            case ast.Assign(targets=[target], value=value) if frame is not None and _located(target, frame, group):
                code = rewrite(value)
                if code is None:
                    return None
                added.located[_located(target, frame, group) or ""] = code
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=parts), attr="append"), args=[value])):
                added.appended = parts
                if not _same_group(value, group, added, add):
                    added.series = rewrite(value)
                    if added.series is None:
                        return None
            case ast.Return(value=value) if value is not None and _same_group(value, group, added, add):
                added.returned = True
            case _:
                return None
    added.steps = rewriter.steps
    if added.index is not None and (added.returned or added.located or added.series is not None):
        return None
    return added if any(isinstance(made, Kernel) for _, made in added.steps) else None


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Load)


def _same_group(value: ast.expr, group: str, added: Added, add: Callable[[str | None, ast.expr], bool]) -> bool:
    """Whether a value is the group: as it is, a copy of it, sorted, or with more columns."""
    if isinstance(value, ast.Name):
        return value.id == group
    called = method(value)
    if called is None or not _same_group(called[0], group, added, add):
        return False
    _, name, call = called
    if name == "copy":
        return True
    if name == "sort_values" and not added.columns and not added.sort:
        added.sort = ast.unparse(ast.Call(ast.Name("sort_values", ast.Load()), call.args, call.keywords))
        return True
    if name == "set_index" and not added.columns and added.index is None and len(call.args) == 1:
        added.index = text_of(call.args[0])
        return added.index is not None and not call.keywords
    if name == "sort_index" and not added.columns and not added.sort and added.index is not None:
        added.sort = f'sort_values("{added.index}")'
        return not call.args and not call.keywords
    if name == "reset_index" and added.index is not None and not added.resets:
        added.resets = True
        return not call.args and not call.keywords
    if name != "assign" or call.args:
        return False
    for k in call.keywords:
        made = k.value
        if isinstance(made, ast.Lambda) and len(made.args.args) == 1:
            made = substituted(made.body, {made.args.args[0].arg: ast.Name(group, ast.Load())})
        if not add(k.arg, made):
            return False
    return True


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


def _listed(codes: dict[str, str]) -> str:
    return ", ".join(f"{name}={code}" for name, code in codes.items())


def _indexed(added: Added, keys: Sequence[str]) -> str:
    """Return the calls that give the joined groups the index that each of them had."""
    if added.index is None:
        return ""
    code = f'.set_index("{added.index}")'
    if added.resets:
        by = str(list(keys)).replace("'", '"')
        code += f".reset_index().pipe(lambda rows: rows.set_axis(rows.groupby({by}, sort=False).cumcount().to_numpy()))"
    return code


def _use(added: Added, keys: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(made.code(keys) for _, made in added.steps if isinstance(made, Kernel)))


def _sorted(frame: str, keys: Sequence[str], *, in_order: bool = False) -> str:
    if in_order:
        return f'{frame}.sort_values("{keys[0]}", kind="stable", key=lambda keys: pd.factorize(keys)[0])'
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
            lines = in_steps(frame, added.steps, keys)
            for name, code in added.located.items():
                lines += f'{frame}["{name}"] = {code}\n'
        elif added.appended in read_after(self.file, self.statements):
            return
        elif added.series is not None:
            setup = in_steps(_sorted(frame, keys, in_order=added.in_order), added.steps, keys)
            lines = setup + self.file.replaced(self.statements[-1], self.joined, added.series)
        else:
            if not all(name.isidentifier() for name in added.columns):
                return
            ordered = _sorted(f"{frame}.{added.sort}" if added.sort else frame, keys, in_order=added.in_order)
            setup = in_steps(ordered, added.steps, keys)
            code = f"{ordered}.assign({_listed(added.columns)}){_indexed(added, keys)}"
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
        frame = f"{frame}.{added.sort}" if added.sort else frame
        names = str(list(keys)).replace("'", '"')
        if not all(name.isidentifier() for name in added.columns):
            return
        for node in dict.fromkeys([restored(self.file, self.node), self.node]):
            for dropped in (f".drop(columns={names})", ""):  # pandas 3 leaves the keys out
                setup = in_steps(frame, added.steps, keys)
                assigned = _listed(added.columns)
                plain = f"{frame}.assign({assigned}){dropped}"
                setup_sorted = in_steps(_sorted(frame, keys), added.steps, keys)
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
