"""`frame.groupby("symbol").apply(f)` of a function that loops over the rows of a group and adds a column.

The function is written anew for the whole frame: its loop becomes one by key, and the rest of it stays.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hypostyle._profile.change import Change, Values, defining, is_a, replacing, rewritten
from hypostyle._profile.column_expressions import is_column_expression
from hypostyle._profile.loop_code import Making
from hypostyle._profile.patterns.grouped import Grouping, grouping_of
from hypostyle._profile.patterns.loops import Loop
from hypostyle._profile.patterns.loops import find as loops_of
from hypostyle._profile.row_access import Column
from hypostyle._profile.syntax import (
    SourceFile,
    functions_of,
    is_path,
    method,
    names_read,
    names_set,
    read_after,
    text_of,
)


def find(file: SourceFile) -> Iterator[FrameFunction]:
    """Yield such calls."""
    if "groupby" not in file.text:
        return
    functions = functions_of(file)
    for node in ast.walk(file.tree):
        found = _applied(file, node) or _listed(node) or _looped(file, node)
        if found is None:
            continue
        replaced, over, named, in_order = found
        lines = [file.statement(replaced)]
        if isinstance(node, ast.For):
            block = file.block(node)
            lines = block[block.index(node) - 1 : block.index(node) + 2]
        groups, columns = _picked(over)
        grouping = grouping_of(groups)
        function = functions.get(getattr(named, "id", ""))
        if grouping is None or grouping.column is not None or len(grouping.keys) != 1 or function is None:
            continue
        is_frame = is_path(grouping.frame) or is_column_expression(grouping.frame)
        if is_frame and _is_of_frame(function):
            yield FrameFunction(file, node, grouping, columns, function, in_order, replaced, lines)


Found: TypeAlias = "tuple[ast.Call, ast.expr, ast.expr, str]"
"""The call that is replaced, what is grouped, the function, and how the order of the groups shows in the result."""


def _applied(file: SourceFile, node: ast.AST) -> Found | None:
    """Read `groups.apply(f)`, perhaps with `.droplevel(0)` behind it."""
    called = method(node)
    if called is None or called[1] != "apply" or len(called[2].args) != 1:
        return None
    if any(k.arg != "include_groups" for k in called[2].keywords):
        return None
    replaced = called[2]
    behind = file.parent(replaced)
    call = None if behind is None else file.parent(behind)
    if isinstance(behind, ast.Attribute) and isinstance(call, ast.Call):
        text = ast.unparse(call).removeprefix(ast.unparse(replaced))
        if text in (".droplevel(0)", ".reset_index(level=0, drop=True)", ".reset_index(0, drop=True)"):
            return call, called[0], called[2].args[0], ""
    return replaced, called[0], called[2].args[0], ""


def _listed(node: ast.AST) -> Found | None:
    """Read `pd.concat([f(g) for _, g in groups])`."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="concat"),
            args=[
                ast.ListComp(
                    elt=ast.Call(func=named, args=[ast.Name(id=given)], keywords=[]),
                    generators=[
                        ast.comprehension(
                            target=ast.Tuple(elts=[_, ast.Name(id=group)]), iter=groups, ifs=[], is_async=0
                        )
                    ],
                )
            ],
            keywords=keywords,
        ) if given == group:
            options = [ast.unparse(k) for k in keywords]
            if options in ([], ["ignore_index=True"]):
                return node, groups, named, "".join(f", {option}" for option in options) or " "
    return None


def _picked(node: ast.expr) -> tuple[ast.expr, list[str] | None]:
    """Return what is grouped, and the columns that are picked of it: `groupby("s")[["x", "y"]]`."""
    match node:
        case ast.Subscript(value=groups, slice=ast.List(elts=elements)):
            names = [text_of(e) for e in elements]
            return groups, [str(name) for name in names if name is not None]
    return node, None


def _is_of_frame(function: ast.FunctionDef) -> bool:
    """Whether a function of one parameter has one loop among plain statements, and a return at the end."""
    body = _body(function)
    loops = [s for s in body if isinstance(s, ast.For | ast.While)]
    plain = all(isinstance(s, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For) for s in body[:-1])
    is_last = bool(body) and isinstance(body[-1], ast.Return) and body[-1].value is not None
    return len(function.args.args) == 1 and len(loops) == 1 and plain and is_last and not function.decorator_list


def _begins(statement: ast.stmt) -> bool:
    """Whether a statement gives a variable a constant, or makes a list or an array."""
    match statement:
        case ast.Assign(targets=targets, value=value) if all(isinstance(t, ast.Name | ast.Tuple) for t in targets):
            names = {
                getattr(n.func, "attr", getattr(n.func, "id", "")) for n in ast.walk(value) if isinstance(n, ast.Call)
            }
            return not any(isinstance(n, ast.Subscript) for n in ast.walk(value)) and names <= _MAKERS
    return False


_MAKERS = {"zeros", "empty", "full", "ones", "len", "list", "dict", "deque", "zeros_like", "empty_like"}


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    return [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]


def _looped(file: SourceFile, node: ast.AST) -> Found | None:
    """Read `parts = []`, `for key, g in groups: parts.append(f(g))` and `pd.concat(parts)`."""
    match node:
        case ast.For(
            target=ast.Tuple(elts=[_, ast.Name(id=group)]), iter=groups, body=[ast.Expr(value=added)], orelse=[]
        ):
            pass
        case _:
            return None
    block = file.block(node)
    at = block.index(node)
    around = [*block[max(at - 1, 0) : at], *block[at + 1 : at + 2]]
    match added, around:
        case (
            ast.Call(
                func=ast.Attribute(value=ast.Name(id=parts), attr="append"),
                args=[ast.Call(func=named, args=[ast.Name(id=given)], keywords=[])],
            ),
            [
                ast.Assign(targets=[ast.Name(id=made)], value=ast.List(elts=[])),
                ast.Assign(value=ast.Call(func=ast.Attribute(attr="concat"), args=[ast.Name(id=joined)]) as call),
            ],
        ) if given == group and parts == made == joined and parts not in read_after(file, [node, block[at + 1]]):
            options = [ast.unparse(k) for k in call.keywords]
            if options in ([], ["ignore_index=True"]):
                return call, groups, named, "".join(f", {option}" for option in options) or " "
    return None


@dataclass(eq=False)
class FrameFunction:
    """A call of such a function for each group."""

    file: SourceFile
    node: ast.AST
    grouping: Grouping
    columns: list[str] | None
    function: ast.FunctionDef
    in_order: str
    """Arguments of the sorting by key that shows in the result; nothing if pandas does not keep the order of groups."""
    replaced: ast.Call
    """The call in whose place the new one stands."""
    statements: Sequence[ast.stmt]
    """What is replaced."""

    pattern = "functions of frames"
    suggestion = "@hs.loop with over"

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the function over the whole frame."""
        frame = values.of(self.grouping.frame)
        parameter, key = self.function.args.args[0].arg, self.grouping.keys[0]
        if not is_a(frame, "pandas", "DataFrame") or key not in frame.columns:
            return
        alone = SourceFile(self.file.path, self._alone())
        seen = self._seen(alone, values.with_name(parameter, frame))
        over = Column("key", ast.parse(f'{parameter}["{key}"]', mode="eval").body, frame[key])
        for loop in loops_of(alone):
            for keeps_items in (False, True):
                made = Making(loop, seen, by_row=False, keeps_items=keeps_items, over=over).change()
                if made is not None:
                    yield from self._of_frame(alone, loop, made)

    def _alone(self) -> str:
        """Return the body as lines of a module; what only begins the loop's variables stands right before it."""
        body = _body(self.function)
        at = next(place for place, statement in enumerate(body) if isinstance(statement, ast.For))
        before = body[:at]
        begins = [
            s for s in before if _begins(s) and not names_set([s]) & names_read([o for o in before if o is not s])
        ]
        ordered = [*(s for s in before if s not in begins), *begins, *body[at:]]
        return "".join(self.file.statements([statement]) for statement in ordered)

    def _seen(self, alone: SourceFile, values: Values) -> Values:
        """Return the values that the loop sees, of a group that is the whole frame."""
        for statement in alone.tree.body:
            match statement:
                case ast.For():
                    break
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="len"), args=[of])):
                    found = values.of(of)
                    values = values if found is None else values.with_name(name, len(found))
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found = values.of(value)
                    values = values if found is None else values.with_name(name, found)
        return values

    def _of_frame(self, alone: SourceFile, loop: Loop, made: Change) -> Iterator[Change]:
        name, key = f"{self.function.name}_of_all", self.grouping.keys[0]
        first, last = loop.statements[0].lineno, loop.statements[-1].end_lineno or 0
        lines = "".join(alone.lines[: first - 1]) + made.after + "".join(alone.lines[last:])
        head = f"def {name}({self.function.args.args[0].arg}):\n"
        definition = f"{made.definitions}\n\n{head}{textwrap.indent(lines.rstrip(), '    ')}\n"
        frame = self.file.code(self.grouping.frame)
        use = made.use.replace("(written below)", f'(written below) with over="{key}"')
        for code in self._calls(name, frame, key):
            if len(self.statements) == 1:
                change = replacing(self.file, self.replaced, code, use, definitions=definition)
                if change is not None:
                    yield change
                continue
            before, after = (
                self.file.statements(self.statements),
                self.file.replaced(self.statements[-1], self.replaced, code),
            )
            edits = [
                *defining(self.file, self.statements, definition),
                rewritten(self.file, self.statements, after),
            ]
            lost = names_set(self.statements[:-1]) - names_set(self.statements[-1:])
            yield Change(use, before, after, definition, edits, frozenset(lost))

    def _calls(self, name: str, frame: str, key: str) -> Iterator[str]:
        """Yield calls that give the frame that pandas gives: without the key, or with the columns that were picked."""
        if self.columns is not None:
            picked = ", ".join(f'"{column}"' for column in dict.fromkeys([*self.columns, key]))
            frame = f"{frame}[[{picked}]]"
        if self.in_order:
            options = f'"{key}", kind="stable"{self.in_order.rstrip()}'
            yield f"{name}({frame}).sort_values({options})"
            yield f"{name}({frame}.sort_values({options}))"
            return
        match _body(self.function)[-1]:
            case ast.Return(value=ast.Call(func=ast.Attribute(attr="Series"))):
                yield f"{name}({frame})"
                return
        without = "" if self.columns is not None and key in self.columns else f'.drop(columns="{key}")'
        yield f"{name}({frame}){without}"
        yield f"{name}({frame})"
        # Of sorted groups pandas leaves the rows in the order of the keys.
        yield f'{name}({frame}.sort_values("{key}", kind="stable")){without}'
        yield f'{name}({frame}).sort_values("{key}", kind="stable"){without}'
