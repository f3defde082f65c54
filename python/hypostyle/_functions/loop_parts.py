"""The parts of a loop over arrays: what is made before it, what it goes over, and what is returned."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypostyle._functions.source import Source
from hypostyle._functions.values import Expr

ONE_LOOP = (
    "one loop over the rows is compiled, perhaps with one over the first rows before it: range(n), range(n, len(x)); "
    "make each other loop a function of its own"
)


@dataclass
class Array:
    """An array of the loop: an input, or an output that the loop writes."""

    name: str
    is_input: bool = True
    is_list: bool = False
    """Whether the loop appends to it."""
    initial: Expr = None
    """What a row holds that is not written."""
    is_known: bool = False
    """Whether `initial` is the array's own, before any row: of an empty array it is not."""
    is_python: bool = False
    """Whether it is a list of Python, of which `+` and `*` make longer ones."""
    is_object: bool = False
    """Whether its items may be strings: it is a list, or an array of objects."""
    conversion: str | None = None
    """The function that the array's type stands for: float, int or bool."""
    start: Expr = None
    """What stands before the first row, as a constant: `initial` before it has the type of a column."""
    like: str | None = None
    """The input whose type the array has."""


@dataclass
class Header:
    """What the loop goes over: an index, and the arrays whose values the targets are."""

    index: str | None = None
    start: ast.expr | None = None
    values: list[tuple[ast.expr, ast.expr]] = field(default_factory=list)
    """Each target with the array that it goes over."""


@dataclass
class Parts:
    """A function that is a loop."""

    before: list[ast.stmt]
    loops: list[ast.For]
    """One, or one over the first rows and one over the others."""
    between: list[ast.stmt]
    """The statements between two loops."""
    end: ast.Return

    @property
    def rows(self) -> list[ast.stmt]:
        """All statements of rows."""
        return [*(s for loop in self.loops for s in loop.body), *self.between]


def parts_of(source: Source) -> Parts:
    """Split a function at its loop."""
    body = [s for s in source.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    loops = [number for number, statement in enumerate(body) if isinstance(statement, ast.For | ast.While)]
    if not loops:
        raise source.error(source.node, "there is no loop over the rows: for i in range(len(x)); use hs.jit or hs.scan")
    if len(loops) > 2:
        raise source.error(body[loops[2]], ONE_LOOP)
    found: list[ast.For] = []
    for number in loops:
        loop = body[number]
        if not isinstance(loop, ast.For):
            raise source.error(loop, "while over the rows is not compiled; write for i in range(len(x))")
        if loop.orelse:
            raise source.error(loop.orelse[0], "else of a loop is not compiled; leave it out")
        found.append(loop)
    after = body[loops[-1] + 1 :]
    if not after:
        raise source.error(body[loops[-1]], "the array that the loop fills must be returned: return out")
    if not isinstance(after[0], ast.Return) or after[0].value is None:
        raise source.error(after[0], "after the loop only return out, or return out, other is compiled")
    return Parts(body[: loops[0]], found, body[loops[0] + 1 : loops[-1]], after[0])


def arrays_of(source: Source, parameters: list[str]) -> list[str]:
    """Return the parameters that are arrays: they are indexed, gone over, or asked for their length."""
    found = set()
    for statement in source.body:
        for node in ast.walk(statement):
            for part in _used_as_array(node):
                if isinstance(part, ast.Name):
                    found.add(part.id)
    return [name for name in parameters if name in found]


def _used_as_array(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Subscript(value=value):
            yield value
        case ast.Attribute(value=value, attr="shape" | "size" | "copy"):
            yield value
        case ast.For(iter=iterated):
            yield iterated
        case ast.Call(func=ast.Name(id="len" | "zip" | "enumerate"), args=arguments):
            yield from arguments
        case ast.Call(func=ast.Attribute(attr=name), args=[first, *_]) if name.endswith("_like") or name in _COPIES:
            yield first


_COPIES = ("asarray", "array", "copy", "ascontiguousarray")


def pairs_of(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield targets with their values; a tuple of values is split, if none of them reads a target before it."""
    both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts)
    if both and isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        written = {node.id for part in target.elts for node in ast.walk(part) if isinstance(node, ast.Name)}
        read = {node.id for part in value.elts for node in ast.walk(part) if isinstance(node, ast.Name)}
        if written.isdisjoint(read):
            for inner, item in zip(target.elts, value.elts, strict=True):
                yield from pairs_of(inner, item)
            return
    yield target, value


def names_in(node: ast.AST) -> set[str]:
    """Return the names that a node has."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
