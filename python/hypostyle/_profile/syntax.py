"""A user's file as text and syntax tree, with what patterns ask of both."""

from __future__ import annotations

import ast
import copy
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from hypostyle._profile.named_groups import without_names
from hypostyle._profile.plain_assignments import without_types
from hypostyle._profile.while_loops import counted

Scope: TypeAlias = "ast.Module | ast.FunctionDef | ast.AsyncFunctionDef"
SCOPES = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(eq=False)
class SourceFile:
    """A file of the user."""

    path: str
    text: str
    tree: ast.Module = field(init=False)

    def __post_init__(self) -> None:
        self.tree = without_names(counted(without_types(ast.parse(self.text, self.path))))
        self._parents: dict[int, ast.AST] = {}
        self._made: list[ast.AST] = []
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self._parents[id(child)] = node

    @cached_property
    def lines(self) -> list[str]:
        """The lines with their ends."""
        return lines_of(self.text)

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """Return the text of a node as it stands; columns count bytes."""
        last = node.end_lineno or node.lineno
        lines = [line.encode() for line in self.lines[node.lineno - 1 : last]]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"".join(lines).decode()

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node above."""
        return self._parents.get(id(node))

    def put_in_place(self, new: ast.AST, old: ast.AST) -> None:
        """Take a node for one that stands where another does."""
        above = self.parent(old)
        if above is not None:
            self._parents[id(new)] = above
            self._made.append(new)  # so that no other node gets its id

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes above, the nearest first."""
        found = self.parent(node)
        while found is not None:
            yield found
            found = self.parent(found)

    def statement(self, node: ast.AST) -> ast.stmt:
        """Return the statement that a node is in."""
        while not isinstance(node, ast.stmt):
            above = self.parent(node)
            assert above is not None, "a module holds statements only"
            node = above
        return node

    def scope(self, node: ast.AST) -> Scope:
        """Return the function that a node is in, or the module."""
        for above in self.above(node):
            if isinstance(above, SCOPES):
                return above
        return self.tree

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return the statements of which this is one."""
        above = self.parent(statement)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(above, name, [])
            if isinstance(block, list) and statement in block:
                return block
        return [statement]

    def in_loop(self, node: ast.AST) -> bool:
        """Whether a node runs more than once in its scope."""
        for above in self.above(node):
            if isinstance(above, SCOPES):
                return False
            if isinstance(above, ast.For | ast.AsyncFor | ast.While):
                return True
        return False

    def code(self, node: ast.AST) -> str:
        """Return the text of a node, in one line if it is an expression."""
        segment = self.segment(node) if isinstance(node, ast.expr | ast.stmt) else ast.unparse(node)
        if isinstance(node, ast.expr):
            return segment if "\n" not in segment else ast.unparse(node)
        return segment

    def statements(self, statements: Sequence[ast.stmt]) -> str:
        """Return the text of consecutive statements, without their indentation."""
        first, last = first_line(statements[0]), statements[-1].end_lineno or statements[-1].lineno
        return textwrap.dedent("".join(self.lines[first - 1 : last])).rstrip("\n") + "\n"

    def indentation(self, statement: ast.stmt) -> str:
        """Return the white space before a statement."""
        line = self.lines[statement.lineno - 1]
        return line[: len(line) - len(line.lstrip())]

    def replaced(self, statement: ast.stmt, node: ast.expr, code: str) -> str:
        """Return the text of a statement with another expression in place of one of it."""
        segment, whole = self.segment(node), self.segment(statement)
        if whole.count(segment) != 1:
            return _replaced_anew(statement, node, code)
        return textwrap.dedent(" " * statement.col_offset + whole.replace(segment, code)) + "\n"


def _replaced_anew(statement: ast.stmt, node: ast.expr, code: str) -> str:
    """Return the text of a statement, written anew, with another expression in place of one of it."""
    mark = "hypostyle_replaces_this"

    class Marked(ast.NodeTransformer):
        def visit(self, visited: ast.AST) -> ast.AST:
            return ast.Name(mark) if visited is node else self.generic_visit(visited)

    return ast.unparse(Marked().visit(copy.deepcopy(statement, {id(node): node}))).replace(mark, code) + "\n"


def lines_of(text: str) -> list[str]:
    """Return the lines of a text with their ends, as Python counts them: a form feed ends none."""
    return re.findall(r".*\n|.+$", text)


def first_line(statement: ast.stmt) -> int:
    """Return the first line of a statement, decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def names_read(nodes: Sequence[ast.AST]) -> set[str]:
    """Return the names that are loaded in nodes."""
    return {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def names_set(nodes: Sequence[ast.AST]) -> set[str]:
    """Return the names that are assigned in nodes."""
    return {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def root(node: ast.AST) -> str | None:
    """Return the name at the beginning of `name.a["b"].c`."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def is_path(node: ast.AST) -> bool:
    """Whether a node is `name`, `name.a` or `name["b"]`, which can be looked up without running anything."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
            return False
        node = node.value
    return isinstance(node, ast.Name)


def is_literal(node: ast.expr) -> bool:
    """Whether a node is a constant that is written out, perhaps with a sign."""
    return isinstance(node.operand if isinstance(node, ast.UnaryOp) else node, ast.Constant)


def text_of(node: ast.AST | None) -> str | None:
    """Return the value of a constant string."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def method(node: ast.AST) -> tuple[ast.expr, str, ast.Call] | None:
    """Return receiver, name and call of a method call."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.value, node.func.attr, node
    return None


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return the value of a keyword argument."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def functions_of(file: SourceFile) -> dict[str, ast.FunctionDef]:
    """Return the functions that a file defines once, by name."""
    found: dict[str, list[ast.FunctionDef]] = {}
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, []).append(node)
    return {name: nodes[0] for name, nodes in found.items() if len(nodes) == 1}


def read_after(file: SourceFile, statements: Sequence[ast.stmt]) -> set[str]:
    """Return the names that may be read after statements ran: in their scope, and in functions that see a module's.

    A name that another loop or assignment sets first is not: `i` of one loop after the other.
    """
    inside = {id(node) for statement in statements for node in ast.walk(statement)}
    scope = file.scope(statements[0])
    end = statements[-1].end_lineno or 0
    again = file.in_loop(statements[0])
    killed = {} if again else _set_again(file, statements[-1])
    found = set()
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in inside:
            if _is_bound_between(file, node, scope):
                continue
            is_next = again and not _is_set_first(file, node, statements[0])
            is_later = node.lineno > end or is_next or file.scope(node) is not scope
            if is_later and not (file.scope(node) is scope and node.lineno > killed.get(node.id, node.lineno)):
                found.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
    return found


def _sets_before(body: Sequence[ast.stmt], node: ast.Name) -> bool:
    """Whether statements of a loop's body set a name before the one that reads it."""
    for statement in body:
        if any(part is node for part in ast.walk(statement)):
            return False
        if isinstance(statement, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == node.id for t in statement.targets
        ):
            return any(part is node for rest in body for part in ast.walk(rest))
    return False


def _is_set_first(file: SourceFile, node: ast.Name, statement: ast.stmt) -> bool:
    """Whether a name that the next turn of a loop reads is set by that turn before."""
    around = {id(above) for above in file.above(statement)}
    for above in file.above(node):
        if isinstance(above, ast.For | ast.While) and id(above) in around:
            return _sets_before(above.body, node)
    return False


def _set_again(file: SourceFile, last: ast.stmt) -> dict[str, int]:
    """Return the names that later statements of a block set before they read them, with the line from which on."""
    block = file.block(last)
    killed: dict[str, int] = {}
    read: set[str] = set()
    for statement in block[block.index(last) + 1 :]:
        if isinstance(statement, ast.For):
            read |= names_read([statement.iter])
            new = names_set([statement.target])
            line = statement.lineno - 1
        elif isinstance(statement, ast.Assign):
            read |= names_read([statement])
            new = {t.id for t in statement.targets if isinstance(t, ast.Name)}
            line = statement.lineno - 1
        else:
            new, line = set(), 0
        for name in new - read:
            killed.setdefault(name, line)
        read |= names_read([statement])
    return killed


def _is_bound_between(file: SourceFile, node: ast.Name, scope: ast.AST) -> bool:
    """Whether a name is one of a function, loop or comprehension inside of a scope."""
    for above in file.above(node):
        if above is scope:
            return False
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            arguments = above.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
            parameters = {a.arg for a in every if a is not None}
            body = [] if isinstance(above, ast.Lambda) else above.body
            outer = {n for s in body for g in ast.walk(s) if isinstance(g, ast.Global | ast.Nonlocal) for n in g.names}
            if node.id in parameters or (node.id in names_set(body) and node.id not in outer):
                return True
        if isinstance(above, ast.For) and node.id in names_set([above.target]):
            inside = (part for statement in above.body for part in ast.walk(statement))
            if any(part is node for part in inside):
                return True  # it reads what the loop has set
        if isinstance(above, ast.For) and _sets_before(above.body, node):
            return True
        if isinstance(above, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            first = above.generators[0].iter
            is_outside = any(part is node for part in ast.walk(first))
            if node.id in names_set([g.target for g in above.generators]) and not is_outside:
                return True
    return False
