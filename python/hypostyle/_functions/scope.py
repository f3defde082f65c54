"""The names of a function while it is translated: locals, what they are known to be, and captured objects."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hypostyle._functions.source import Source
from hypostyle._functions.values import Statement, Tup, Value

Shape: TypeAlias = "tuple[tuple[Any, ...], tuple[str, ...] | None] | None"
"""None for a plain value; for a tuple the shapes of its items, and their names if it has them."""


def shape_of(value: Value) -> Shape:
    """Return the shape of a value."""
    return (tuple(shape_of(item) for item in value.items), value.names) if isinstance(value, Tup) else None


@dataclass
class Loop:
    """A loop that is being translated: which names were surely set at each `break` and `continue`."""

    breaks: list[set[str]] = field(default_factory=list)
    continues: list[set[str]] = field(default_factory=list)
    is_rows: bool = False
    flag: str | None = None
    """The variable that a `break` sets, for the `else` of the loop."""


@dataclass
class Return:
    """A `return` whose statement is written when the shape of all returns is known."""

    block: list[Statement]
    placeholder: Statement
    value: Value
    node: ast.Return


@dataclass
class Scope:
    """One function, or one call of a helper."""

    source: Source
    prefix: str = ""
    shapes: dict[str, Shape] = field(default_factory=dict)
    bindings: dict[str, Value] = field(default_factory=dict)
    """Names that stand for a value known now: constants of a helper's call, a generator's variable, the state."""
    sure: set[str] = field(default_factory=set)
    """Names that have a value on every path to here."""
    maybe: set[str] = field(default_factory=set)
    """Names that have a value on some path to here."""
    live: bool = True
    depth: int = 0
    """In how many branches and loops the statement stands."""
    loops: list[Loop] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    is_helper: bool = False
    outer: Scope | None = None
    """The function around this one, if it is one inside of another."""
    free: frozenset[str] = frozenset()
    """The names of `outer` that this one reads."""
    objects: dict[str, object] = field(default_factory=dict)
    """Names of the function that stand for objects: functions inside of it, and what it imports."""

    def __post_init__(self) -> None:
        self.assignments = Counter(assigned(self.source.body))
        arguments = self.source.node.args
        self.parameters = [a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
        self.locals = {*self.assignments, *self.parameters}

    @property
    def function(self) -> Any:
        """The function that is translated."""
        return self.source.function

    def is_local(self, name: str) -> bool:
        """Return whether a name is a variable of the function."""
        return name in self.bindings or name in self.locals

    def names(self, name: str, found: object) -> bool:
        """Let a name stand for an object, if nothing else is assigned to it; return whether it does."""
        if self.depth or self.loops or self.assignments[name] != 1 or name in self.parameters:
            return False
        self.objects[name] = found
        self.locals.discard(name)
        return True

    def captured(self, name: str) -> object:
        """Return the object that a name of the surroundings has now; raise `NameError` if there is none."""
        if name in self.objects:
            return self.objects[name]
        function = self.function
        if name in function.__code__.co_freevars and function.__closure__ is not None:
            cell = function.__closure__[function.__code__.co_freevars.index(name)]
            try:
                return cell.cell_contents
            except ValueError:
                raise NameError(name) from None
        if name in function.__globals__:
            return function.__globals__[name]
        known: Any = function.__globals__.get("__builtins__", builtins)
        known = known if isinstance(known, dict) else vars(known)
        if name in known:
            return known[name]
        raise NameError(name)


def assigned(statements: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that statements assign, once for each time; loop variables and `x += 1` count as twice."""
    for statement in statements:
        yield from _assigned(statement)


def _assigned(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
            return
        case ast.Lambda():
            return
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for inner in ast.walk(node):
                if isinstance(inner, ast.NamedExpr):
                    yield inner.target.id
            return
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.AugAssign(target=ast.Name(id=name)):
            yield name
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield from (inner.id for inner in ast.walk(target) if isinstance(inner, ast.Name))
        case ast.Import() | ast.ImportFrom():
            yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
        case ast.ExceptHandler(name=str(name)):
            yield name
    for child in ast.iter_child_nodes(node):
        yield from _assigned(child)
