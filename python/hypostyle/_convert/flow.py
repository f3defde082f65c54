"""Which assignments reach which uses of a variable.

Python's variable may be several of Rust's: an int first and a float later.  Assignments that reach a common use are one
variable; others are not, even if they have one name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Node: TypeAlias = "list[Any]"
Reaching: TypeAlias = "Mapping[str, frozenset[int]] | None"
"""The assignments of each variable that reach a place; None for a place that nothing reaches."""

UNBOUND = -1
_NOTHING = frozenset({UNBOUND})


@dataclass
class Definition:
    """One place where a variable gets a value: a `set`, a `for`, or an input (no node)."""

    name: str
    node: Node | None
    earlier: set[int] = field(default_factory=set)
    """What the variable may hold before."""


class Flow:
    """The reaching definitions of a program."""

    def __init__(self, inputs: Sequence[str], body: list[Node]) -> None:
        self.definitions: list[Definition] = []
        self.of_node: dict[int, int] = {}
        """The definition of a `set` or a `for`."""
        self.of_use: dict[int, set[int]] = {}
        """What reaches a `get`."""
        self.falls: set[int] = set()
        """Blocks, by their lists of statements, whose end is reached."""
        self._exits: list[Reaching] = []
        self._loops: list[tuple[list[Reaching], list[Reaching]]] = []
        start: Reaching = {name: frozenset({self._defined(name, None)}) for name in inputs}
        if self._block(body, start) is not None:
            self.falls.add(id(body))

    def _defined(self, name: str, node: Node | None) -> int:
        if node is not None and id(node) in self.of_node:
            return self.of_node[id(node)]
        self.definitions.append(Definition(name, node))
        number = len(self.definitions) - 1
        if node is not None:
            self.of_node[id(node)] = number
        return number

    def _set(self, node: Node, name: str, env: Reaching) -> Reaching:
        if env is None:
            return None
        number = self._defined(name, node)
        self.definitions[number].earlier |= env.get(name, _NOTHING)
        return {**env, name: frozenset({number})}

    def _block(self, body: list[Node], env: Reaching) -> Reaching:
        for statement in body:
            if env is None:
                return None
            env = self._statement(statement, env)
        return env

    def _statement(self, node: Node, env: Reaching) -> Reaching:
        match node:
            case ["set", name, value]:
                return self._set(node, name, self._value(value, env))
            case ["if", test, yes, no]:
                env = self._value(test, env)
                return joined(self._block(yes, env), self._block(no, env))
            case ["for", name, items, body]:
                env = self._values(items, env)
                return self._for(node, name, body, env)
            case ["while", test, body]:
                return self._while(test, body, env)
            case ["break"]:
                self._loops[-1][0].append(env)
            case ["continue"]:
                self._loops[-1][1].append(env)
            case ["return", results, state]:
                self._exits.append(self._values(results, self._values(state, env)))
        return None

    def _for(self, node: Node, name: str, body: list[Node], env: Reaching) -> Reaching:
        start = env
        while True:
            # The front end leaves out loops over nothing: the body runs at least once.
            self._loops.append(([], []))
            end = self._block(body, self._set(node, name, start))
            breaks, continues = self._loops.pop()
            end = joined(end, *continues)
            again = joined(env, start, end)
            if again == start:
                return joined(end, *breaks)
            start = again

    def _while(self, test: Any, body: list[Node], env: Reaching) -> Reaching:
        start = env
        while True:
            self._loops.append(([], []))
            after = self._value(test, start)
            end = self._block(body, after)
            breaks, continues = self._loops.pop()
            again = joined(env, start, end, *continues)
            if again == start:
                return joined(*breaks) if is_endless(test) else joined(after, *breaks)
            start = again

    def _values(self, values: Sequence[Any], env: Reaching) -> Reaching:
        for value in values:
            env = self._value(value, env)
        return env

    def _value(self, node: Any, env: Reaching) -> Reaching:
        if env is None or not isinstance(node, list):
            return env
        match node:
            case ["get", name]:
                self.of_use.setdefault(id(node), set()).update(env.get(name, _NOTHING))
                return env
            case ["float" | "text" | "field", _]:
                return env
            case ["compare", first, pairs]:
                env = self._value(pairs[0][1], self._value(first, env))
                return self._some([value for _, value in pairs[1:]], env)
            case ["and" | "or", [first, *others]]:
                return self._some(others, self._value(first, env))
            case ["if", test, yes, no]:
                env = self._value(test, env)
                return joined(self._value(yes, env), self._value(no, env))
            case ["in", item, items]:
                return self._values(items, self._value(item, env))
            case ["call", _, arguments]:
                return self._values(arguments, env)
            case ["block", body]:
                outer = self._exits, self._loops
                self._exits, self._loops = [], []
                end = self._block(body, env)
                if end is not None:
                    self.falls.add(id(body))
                end = joined(end, *self._exits)
                self._exits, self._loops = outer
                return end
        return self._values(node[1:], env)

    def _some(self, values: Sequence[Any], env: Reaching) -> Reaching:
        """Evaluate values of which the first may be the last."""
        for value in values:
            env = joined(env, self._value(value, env))
        return env


def is_endless(test: Any) -> bool:
    """Return whether the condition of a loop is a constant that holds."""
    return isinstance(test, bool | int) and bool(test)


def leaves(body: list[Node]) -> bool:
    """Return whether the end of statements is never reached."""
    if not body:
        return False
    last = body[-1]
    return last[0] in ("return", "break", "continue") or (last[0] == "if" and leaves(last[2]) and leaves(last[3]))


def joined(*places: Reaching) -> Reaching:
    """Return what reaches a place that is come to from others."""
    reached = [place for place in places if place is not None]
    if not reached:
        return None
    names = {name: None for place in reached for name in place}
    return {name: frozenset().union(*(place.get(name, _NOTHING) for place in reached)) for name in names}
