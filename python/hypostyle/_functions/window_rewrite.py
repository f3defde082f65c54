"""From array expressions over the window to loops over it, before a function is translated.

`np.mean(window[1:] / window[:-1] - 1)` becomes a loop that adds up quotients, and its result a variable.  A function
that needs no loop stays as it is: kernels compute the statistics of a whole window at no cost that grows with it.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from hypostyle._functions.scope import assigned
from hypostyle._functions.source import Source
from hypostyle._functions.window_arrays import (
    Array,
    Bound,
    Turn,
    Vector,
    copied,
    plus,
    put,
)
from hypostyle._functions.window_calls import Calls
from hypostyle._functions.window_loops import located


@dataclass(frozen=True)
class Rewritten:
    """A function whose array expressions are loops."""

    source: Source
    objects: Mapping[str, object] = field(default_factory=dict)
    """What the names of functions stand for that the loops call."""
    numpy: frozenset[str] = frozenset()
    """Variables with numbers of NumPy, besides those that the function itself assigns."""


def rewrite(source: Source, window: str, known: Mapping[str, Any]) -> Rewritten:
    """Return a function of a window with loops in the place of array expressions."""
    made = Rewriter(source, window, dict(known), by_kernels=True)
    body = made.function()
    if made.loops:
        made = Rewriter(source, window, dict(known), by_kernels=False)
        body = made.function()
    if not made.changed:
        return Rewritten(source)
    node = ast.FunctionDef(
        name=source.name, args=source.node.args, body=body, decorator_list=[], returns=None, type_comment=None
    )
    node.type_params = []  # type: ignore[attr-defined,unused-ignore]
    ast.fix_missing_locations(ast.copy_location(node, source.node))
    return Rewritten(replace(source, node=node), made.objects, frozenset(made.numpy))


class Rewriter(Calls):
    """Rewrites statements."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._depth = 0

    def function(self) -> list[ast.stmt]:
        """Return the statements of the function."""
        self._refuse_changes(self.window)
        body = self.block(self.source.body)
        first = [located(put(guard, ast.Constant(False)), self.source.body[0]) for guard in self.guards]
        return [*first, *body]

    def block(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Return statements, each after the loops that it needs."""
        if self.barriers:
            return [made for statement in statements for made in self.statement(statement)]
        outer, self.out = self.out, []
        for statement in statements:
            self.out += self.statement(statement)
        made, self.out = self.out, outer
        return made

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        """Return one statement without arrays."""
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value):
                return self._assignment(target, value, node)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value):
                return self._assignment(target, value, node)
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(
                values
            ) and self._any_arrays(values):
                return self._assignments(targets, values, node)
            case ast.If():
                return self._if(node)
            case ast.For():
                return self._for(node)
            case ast.While() | ast.Try() | ast.With() | ast.Match():
                return self._behind(node)
            case ast.FunctionDef() | ast.ClassDef():
                return [node]
        return [self._rest(node)]

    def _rest(self, node: ast.stmt) -> ast.stmt:
        made = copied(node, self._inside)
        assert isinstance(made, ast.stmt)
        return made

    # Names of arrays

    def _any_arrays(self, values: Sequence[ast.expr]) -> bool:
        outer, changed, loops = self.out, self.changed, self.loops
        self.out = []
        found = any(isinstance(self.array(value), Array) for value in values)
        self.out, self.changed, self.loops = outer, changed, loops
        return found

    def _assignments(self, targets: Sequence[ast.expr], values: Sequence[ast.expr], node: ast.stmt) -> list[ast.stmt]:
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        read = {part.id for value in values for part in ast.walk(value) if isinstance(part, ast.Name)}
        if names & read:
            raise self.error(node, "write these assignments one after another")
        made = []
        for target, value in zip(targets, values, strict=True):
            made += self.statement(ast.copy_location(ast.Assign([target], value), node))
        return made

    def _assignment(self, target: str, value: ast.expr, node: ast.stmt) -> list[ast.stmt]:
        array: Array | Vector | None = None
        if not isinstance(value, ast.Lambda):
            array = self.array(value)
        if isinstance(value, ast.Call) and self.numpy_name(value.func) in ("array", "asarray"):
            array = array or self.vector(value)
        if array is None:
            if target in self.arrays:
                raise self.error(node, f"{target} is an array here, and a number too; use two names")
            bound = self.bound(value)
            if bound is not None and bound.base == "n" and self.scope.assignments[target] == 1:
                self.bounds[target] = bound
            return [self._rest(node)]
        times = self.scope.assignments[target]
        self._refuse_changes(target)
        if (times > 1 and target not in self.arrays and target in self._numbers) or self.barriers:
            raise self.error(node, f"{target} is an array that changes in a loop; compute it before")
        if self._depth and times > 1:
            raise self.error(node, f"{target} is one of several arrays here; compute it before the if")
        self.arrays[target] = array
        self.changed = True
        return []

    def _refuse_changes(self, target: str) -> None:
        """Raise if an array is changed in place somewhere."""
        for part in ast.walk(ast.Module(self.source.body, [])):
            match part:
                case (
                    ast.AugAssign(target=ast.Name(id=found))
                    | ast.Assign(targets=[ast.Subscript(value=ast.Name(id=found))])
                ) if found == target:
                    message = f"an array is not changed in place; give the new one a name: new = {target} - 1"
                    raise self.error(part, message)

    @property
    def _numbers(self) -> set[str]:
        """Names that are assigned otherwise than by a plain assignment."""
        plain = [
            target.id
            for part in ast.walk(ast.Module(self.source.body, []))
            if isinstance(part, ast.Assign)
            for target in part.targets
            if isinstance(target, ast.Name)
        ]
        return {found for found, times in self.scope.assignments.items() if times > plain.count(found)}

    # Branches and loops

    def _if(self, node: ast.If) -> list[ast.stmt]:
        test = self.test(node.test)
        self._depth += 1
        body, orelse = self.block(node.body), self.block(node.orelse)
        self._depth -= 1
        if not any(self.is_loop(statement) for statement in [*body, *orelse]):
            if test is node.test and [*body, *orelse] == [*node.body, *node.orelse]:
                return [node]
            return [ast.copy_location(ast.If(test, body or [ast.copy_location(ast.Pass(), node)], orelse), node)]
        first, second = self.branches(test, node)
        return [*self.guarded(body, first), *self.guarded(orelse, second)]

    def _behind(self, node: ast.stmt) -> list[ast.stmt]:
        """Return a statement with others in it, which changes names while it runs."""
        self.barriers.append((set(assigned([node])), node))
        made = copied(node, self._part_of)
        self.barriers.pop()
        assert isinstance(made, ast.stmt)
        return [made]

    def _part_of(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.stmt):
            made = self.statement(node)
            if len(made) == 1:
                return made[0]
            raise self.error(node, "a loop over the window cannot stand here; write it before")
        return self._inside(node) if isinstance(node, ast.expr) else copied(node, self._part_of)

    def _for(self, node: ast.For) -> list[ast.stmt]:
        if self._counts_only(node):
            return self._behind(node)
        stream = self.stream(node.iter)
        if stream is None:
            return self._behind(node)
        if self.barriers:
            message = "a loop over the window cannot stand in another loop; write it before"
            raise self.error(node, message)
        if node.orelse:
            raise self.error(node.orelse[0], "else of a loop is not compiled; set a flag before break, and test it")
        if self.is_whole(node.iter) and not isinstance(node.target, ast.Name):
            raise self.error(node.target, "the values of a window are numbers: for value in window")
        return self._through(node, stream)

    def _counts_only(self, node: ast.For) -> bool:
        """Whether a loop counts, and reads no item of an array by its number."""
        if not isinstance(node.iter, ast.Call) or self.object_of(node.iter.func) is not range:
            return False
        return not any(self._indexed(node, part) for part in ast.walk(node) if isinstance(part, ast.Subscript))

    def _indexed(self, node: ast.For, part: ast.Subscript) -> Bound | None:
        """Return where an item of an array lies that a loop reads by its number."""
        if not isinstance(part.value, ast.Name) or not isinstance(self.arrays.get(part.value.id), Array):
            return None
        if isinstance(part.slice, ast.Slice | ast.Tuple):
            return None
        targets = {inner.id for inner in ast.walk(node.target) if isinstance(inner, ast.Name)}
        bound = self.bound(part.slice)
        return bound if bound is not None and bound.base in targets else None

    def stream(self, node: ast.expr) -> Any:
        """Return what a loop goes through: an array, or a tuple of these; None if it is no array."""
        function = self.object_of(node.func) if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and function is zip:
            read = [self.stream(part) for part in node.args]
            if all(part is None for part in read):
                return None
            return self._side_by_side(read, node)
        if isinstance(node, ast.Call) and function is pairwise and len(node.args) == 1:
            inner = self.array(node.args[0])
            if not isinstance(inner, Array):
                return None
            later = self.difference(inner, node)
            return replace(inner.later(1), stops=later.stops), replace(later, at=inner.at, kind=inner.kind)
        if isinstance(node, ast.Call) and function is enumerate and node.args:
            inner = self.stream(node.args[0])
            if inner is None:
                return None
            given = [*node.args[1:], *(keyword.value for keyword in node.keywords)]
            start = self.bound(given[0]) if given else Bound("", 0)
            if start is None or start.base:
                raise self.error(node, "the start of enumerate is a constant")
            model = next(iter(_leaves(inner)))
            if model.masks or model.first is None:
                raise self.error(node, "enumerate is compiled of the window and its slices from a constant")
            offset = start.offset - model.first
            at = replace(
                model,
                at=lambda turn, lag: plus(turn.index(lag), offset),
                kind="int",
                offset=offset,
                is_window=False,
                positional=True,
            )
            return at, inner
        array = self.array(node)
        return array if isinstance(array, Array) else None

    def _side_by_side(self, read: Sequence[Any], node: ast.Call) -> tuple[Any, ...]:
        leaves = [leaf for part in read if part is not None for leaf in _leaves(part)]
        strict = any(
            k.arg == "strict" and not (isinstance(k.value, ast.Constant) and not k.value.value) for k in node.keywords
        )
        if strict and (None in read or len({leaf.lacks for leaf in leaves}) > 1 or leaves[0].lacks is None):
            raise self.error(node, "zip with strict=True is compiled of slices of one length")
        moved = iter(self.align(leaves, node))
        found: list[Any] = []
        for part, of in zip(read, node.args, strict=True):
            if part is None:
                vector = self.vector(of)
                model = self.align(leaves, node)[0]
                if vector is None or model.first is None:
                    raise self.error(of, "zip is compiled of arrays of the window, and of constants")
                stops = frozenset({*model.stops, Bound("", model.first + vector.length)})
                element = self._weights(vector, model)
                found.append(replace(model, at=element, kind="any", stops=stops, is_window=False, offset=None))
            else:
                found.append(_rebuilt(part, moved))
        # All end with the shortest.
        stops = frozenset(stop for part in found for leaf in _leaves(part) for stop in leaf.stops)
        return tuple(_changed(part, stops) for part in found)

    def _weights(self, vector: Vector, model: Array) -> Any:
        return lambda turn, lag: vector.at(self.position_in(model, turn, lag))

    def _through(self, node: ast.For, stream: Any) -> list[ast.stmt]:
        """Return a loop over the window in the place of one over an array."""
        turn = Turn(self.fresh)
        values = self.unpacked(node.target, stream)
        model = next(iter(_leaves(stream)))
        ahead = 0
        for part in ast.walk(ast.Module(node.body, [])):
            bound = self._indexed(node, part) if isinstance(part, ast.Subscript) else None
            if bound is None or not isinstance(part, ast.Subscript):
                continue
            counted = values.get(bound.base)
            array = self.arrays[part.value.id]  # type: ignore[attr-defined]
            if counted is not None and counted.offset is not None and isinstance(array, Array):
                ahead = max(ahead, -self.lag_of(array, counted.offset * -1, bound, part))
        moved = {found: array.later(ahead) for found, array in values.items()}
        model = model.later(ahead)
        if any(stop.base == "n" and stop.offset > 0 for stop in model.stops) and not any(
            stop.base == "n" and stop.offset <= 0 for stop in model.stops
        ):
            raise self.error(node, "the last rounds read values beyond the window; end the range earlier")
        outer, lows = self.indices, self.lows
        counts = {found: array for found, array in moved.items() if array.offset is not None}
        self.indices = outer | {found: (turn, -(array.offset or 0)) for found, array in counts.items()}
        self.lows = lows | {
            found: array.first + (array.offset or 0) for found, array in counts.items() if array.first is not None
        }
        changed = set(assigned([node]))
        self.barriers.append((changed, node))
        hidden = {found: self.arrays.pop(found) for found in values if found in self.arrays}
        bounds = {found: self.bounds.pop(found) for found in values if found in self.bounds}
        body = self.block(node.body)
        self.arrays |= hidden
        self.bounds |= bounds
        self.barriers.pop()
        self.indices, self.lows = outer, lows
        if self.is_whole(node.iter) and isinstance(node.target, ast.Name):
            self.loops += 1
            same = len(body) == len(node.body) and all(map(operator.is_, body, node.body))
            return [node if same else _for_of(node, node.target, body)]
        if odd := sorted(set(counts) & set(assigned(node.body))):
            raise self.error(node, f"{odd[0]} counts the rounds and is changed in the loop; use another name")
        self._typed(values)
        head = [located(put(found, array.at(turn, 0)), node.target) for found, array in moved.items()]
        inner = self.within(model, turn, [*head, *body])
        self.changed = True
        made = self.loop(turn, inner)
        return [located(statement, node) for statement in made]

    def _typed(self, values: Mapping[str, Array]) -> None:
        self.kinds |= {found: array.kind for found, array in values.items() if self.scope.assignments[found] <= 2}


def _for_of(node: ast.For, target: ast.expr, body: list[ast.stmt]) -> ast.For:
    return ast.copy_location(ast.For(target, node.iter, body, [], None), node)


def _leaves(stream: Any) -> list[Array]:
    return [leaf for part in stream for leaf in _leaves(part)] if isinstance(stream, tuple) else [stream]


def _rebuilt(stream: Any, leaves: Any) -> Any:
    return tuple(_rebuilt(part, leaves) for part in stream) if isinstance(stream, tuple) else next(leaves)


def _changed(stream: Any, stops: frozenset[Bound]) -> Any:
    if isinstance(stream, tuple):
        return tuple(_changed(part, stops) for part in stream)
    return replace(stream, stops=stops)
