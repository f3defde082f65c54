"""What can replace lines of the user, and the values that these lines see."""

from __future__ import annotations

import ast
import builtins
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hypostyle._profile.column_expressions import evaluated, is_column_expression
from hypostyle._profile.syntax import SourceFile, first_line

RESULT = "__result__"
"""The name that gets what a statement returns, where it has no name of its own."""

SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)


@dataclass
class Change:
    """New code for consecutive lines of a file."""

    use: str
    """What replaces them, in short."""
    before: str
    """The lines, as they can be run on their own."""
    after: str
    """What replaces them, likewise."""
    definitions: str = ""
    """Functions that `after` calls; they go in front of the lines, or of the function that these are in."""
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    """First line, last line (one less: an insertion) and text of each edit of the file."""
    lost: frozenset[str] = frozenset()
    """Names that nothing reads later, and that keep what they are."""


class Unit(Protocol):
    """Lines that a pattern has recognized."""

    @property
    def file(self) -> SourceFile:
        """The file."""

    @property
    def pattern(self) -> str:
        """The name of the pattern."""

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """What is replaced."""

    @property
    def node(self) -> ast.AST:
        """What takes the time."""

    @property
    def suggestion(self) -> str:
        """What would replace it, as far as the source says."""

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield what can replace the lines, the best first, now that the values are known."""


class Values:
    """The names that lines of the user see when they begin to run, without running anything of the user."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.variables = variables
        self._made: dict[str, Any] = {}

    def has(self, name: str) -> bool:
        """Whether there is a variable of this name."""
        return name in self.variables or hasattr(builtins, name)

    def of(self, node: ast.AST) -> Any:
        """Return the value of `name`, `name.a`, `name["b"]`, or of an expression of columns; None if there is none."""
        try:
            if isinstance(node, ast.expr) and is_column_expression(node):
                code = ast.unparse(node)
                if code not in self._made:
                    self._made[code] = evaluated(node, self.variables)
                return self._made[code]
            if isinstance(node, ast.Name):
                return self.variables.get(node.id, getattr(builtins, node.id, None))
            if isinstance(node, ast.Constant):
                return node.value
            if isinstance(node, ast.Attribute):
                return getattr(self.of(node.value), node.attr, None)
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                found = self.of(node.value)
                return None if found is None else found[node.slice.value]
        except Exception:  # whatever the user's objects raise
            return None
        return None

    def with_name(self, name: str, value: Any) -> Values:
        """Return the values with one more."""
        return Values({**self.variables, name: value})


def is_a(value: object, library: str, *names: str) -> bool:
    """Whether a value has one of the classes of a library, which is not imported for it."""
    module = sys.modules.get(library)
    return module is not None and isinstance(value, tuple(getattr(module, name) for name in names))


def replacing(
    file: SourceFile, node: ast.expr, code: str, use: str, setup: str = "", definitions: str = ""
) -> Change | None:
    """Return the change of an expression in its statement; None where it cannot be run on its own.

    Args:
        file: The file.
        node: The expression.
        code: What replaces it.
        use: The same in short.
        setup: Statements in front of it.
        definitions: Functions in front of these.
    """
    statement = file.statement(node)
    nested = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp, ast.BoolOp)
    for above in file.above(node):
        if isinstance(above, ast.stmt):
            break
        if isinstance(above, nested):
            return None
    if not isinstance(statement, SIMPLE):
        return None
    new = file.replaced(statement, node, code)
    if _assigns_only(file, statement, node):
        before, after = file.statements([statement]), setup + new
    else:
        before, after = f"{RESULT} = {file.code(node)}\n", f"{setup}{RESULT} = {code}\n"
    edit = rewritten(file, [statement], setup + new)
    return Change(use, before, after, definitions, [*defining(file, [statement], definitions), edit])


def _assigns_only(file: SourceFile, statement: ast.stmt, node: ast.expr) -> bool:
    """Whether the statement assigns the expression, and calls nothing else."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return False
    inside = {id(n) for n in ast.walk(node)}
    others = (n for n in ast.walk(statement) if isinstance(n, ast.Call) and id(n) not in inside)
    return all(isinstance(call.func, ast.Attribute) for call in others)


def rewritten(file: SourceFile, statements: Sequence[ast.stmt], code: str) -> tuple[int, int, str]:
    """Return the edit that puts code in the place of statements."""
    indentation = file.indentation(statements[0])
    last = statements[-1].end_lineno or statements[-1].lineno
    return first_line(statements[0]), last, textwrap.indent(code, indentation)


def defining(file: SourceFile, statements: Sequence[ast.stmt], definitions: str) -> list[tuple[int, int, str]]:
    """Return the edit that puts definitions in front of statements, or of the function that they are in."""
    if not definitions:
        return []
    scopes = [n for n in file.above(statements[0]) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    outermost = scopes[-1] if scopes else _outermost(file, statements[0])
    line = first_line(outermost)
    return [(line, line - 1, f"{definitions.rstrip()}\n\n\n")]


def _outermost(file: SourceFile, statement: ast.stmt) -> ast.stmt:
    """Return the statement of the module that this one is in."""
    found = statement
    for above in file.above(statement):
        if isinstance(above, ast.stmt):
            found = above
    return found
