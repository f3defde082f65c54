"""The variables of Rust: their assignments, their types, and where they are declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hypostyle._convert.flow import UNBOUND, Flow, Node, is_endless

Path: TypeAlias = "tuple[tuple[int, int], ...]"
"""A path to a statement: the list that it is in, by identity, with its number, from the outermost."""


@dataclass(frozen=True)
class Type:
    """What a value can be."""

    kind: str
    """`float`, `int` or `bool`; `none` for nothing else than None; `text`; `unknown` while types are inferred."""
    nullable: bool = False


UNKNOWN, NONE = Type("unknown"), Type("none", True)
ORDER = ("bool", "int", "float")


def join(a: Type, b: Type) -> Type:
    """Return the type of a value that is one or the other."""
    nullable = a.nullable or b.nullable
    for first, second in ((a.kind, b.kind), (b.kind, a.kind)):
        if first == "unknown" or (first == "none" and second != "unknown"):
            return Type(second, nullable)
    if a.kind in ORDER and b.kind in ORDER:
        return Type(max(a.kind, b.kind, key=ORDER.index), nullable)
    return Type(a.kind if a.kind == b.kind else "mixed", nullable)


@dataclass(eq=False)
class Variable:
    """A variable of Rust."""

    name: str
    """Its name in the program."""
    definitions: set[int]
    type: Type = UNKNOWN
    unbound: bool = False
    """Whether it may have no value where it is used."""
    is_used: bool = False
    rust: str = ""
    places: list[tuple[Path, bool]] = field(default_factory=list)
    """The statements that set it (True) or use it."""
    declared: tuple[int, int] = (0, 0)
    """The list and the number of the statement at, or before, which it is declared."""
    at_set: bool = False
    """Whether its declaration is its first assignment."""
    mutable: bool = False
    starts: bool = False
    """Whether Rust has to be told a first value, which nobody reads."""


class Variables:
    """All variables of a program, by their definitions and uses."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._of = [Variable(item.name, {number}) for number, item in enumerate(flow.definitions)]
        for reaching in flow.of_use.values():
            first, *others = sorted(reaching - {UNBOUND}) or [UNBOUND]
            if first == UNBOUND:
                continue
            for other in others:
                self.merge(self._of[first], self._of[other])
            variable = self._of[first]
            variable.is_used = True
            variable.unbound = variable.unbound or UNBOUND in reaching

    def merge(self, into: Variable, other: Variable) -> None:
        """Make one variable of two."""
        if into is other:
            return
        into.definitions |= other.definitions
        into.unbound = into.unbound or other.unbound
        into.is_used = into.is_used or other.is_used
        for number in other.definitions:
            self._of[number] = into

    def set_by(self, node: Node) -> Variable | None:
        """Return the variable of a `set` or a `for`; None if nothing reaches it."""
        number = self.flow.of_node.get(id(node))
        return None if number is None else self._of[number]

    def used_by(self, node: Node) -> Variable | None:
        """Return the variable of a `get`; None if it never has a value there."""
        bound = self.flow.of_use.get(id(node), set()) - {UNBOUND}
        return self._of[min(bound)] if bound else None

    def of_input(self, number: int) -> Variable:
        """Return the variable that an input is at first."""
        return self._of[number]

    def all(self) -> list[Variable]:
        """Return the variables, in the order of their first assignments."""
        return list(dict.fromkeys(self._of))

    def merge_alike(self) -> None:
        """Make one variable of those with one name and one type, if one is assigned where the other has a value."""
        for number, definition in enumerate(self.flow.definitions):
            for earlier in definition.earlier - {UNBOUND}:
                a, b = self._of[earlier], self._of[number]
                if a.type == b.type and not (a.unbound or b.unbound):
                    self.merge(a, b)

    def settle_places(self, body: list[Node], inputs: int) -> None:
        """Find where each variable is declared, and whether it changes."""
        for number in range(inputs):
            self._of[number].places.append((((id(body), -1),), True))
        self._find(body, ())
        for variable in self.all():
            _declare(variable, id(body))
        for _ in range(2):
            _Assigned(self, body, inputs).run()

    def _find(self, body: list[Node], path: Path) -> None:
        for number, statement in enumerate(body):
            here: Path = (*path, (id(body), number))
            variable = self.set_by(statement) if statement[0] in ("set", "for") else None
            if variable is not None:
                inner = (*here, (id(statement[3]), -1)) if statement[0] == "for" else here
                variable.places.append((inner, True))
            for block, values in parts(statement):
                self._find_uses(values, here)
                self._find(block, here)

    def _find_uses(self, node: Any, here: Path) -> None:
        if not isinstance(node, list):
            return
        if len(node) == 2 and node[0] == "get":
            variable = self.used_by(node)
            if variable is not None:
                variable.places.append((here, False))
        elif len(node) == 2 and node[0] == "block":
            self._find(node[1], here)
        else:
            for item in node:
                self._find_uses(item, here)


def _declare(variable: Variable, root: int) -> None:
    paths = [path for path, _ in variable.places]
    if variable.unbound:
        variable.declared = (root, 0)
        return
    depth = 0
    while all(len(path) > depth for path in paths) and len({path[depth][0] for path in paths}) == 1:
        depth += 1
        if len({path[depth - 1][1] for path in paths}) > 1:
            break
    number = min(path[depth - 1][1] for path in paths)
    variable.declared = (paths[0][depth - 1][0], number)
    first = [(path, is_set) for path, is_set in variable.places if path[depth - 1][1] == number]
    variable.at_set = len(first) == 1 and first[0][1] and len(first[0][0]) == depth


def hides(a: Variable, b: Variable) -> bool:
    """Return whether the declaration of a variable, under the same name, would hide another where that is meant."""
    if a.unbound or b.unbound:
        return True
    block, number = a.declared
    first = number + 1 if a.at_set else number
    behind = [any(part == block and n >= first for part, n in path) for path, _ in b.places]
    return any(behind) and not all(behind)


_State: TypeAlias = "tuple[frozenset[Variable], frozenset[Variable]] | None"
"""The variables that may have a value, and those that have one for certain, as Rust sees it."""


class _Assigned:
    """Finds which variables change, and which Rust does not know to have a value."""

    def __init__(self, variables: Variables, body: list[Node], inputs: int) -> None:
        self.variables, self.body, self.inputs = variables, body, inputs
        self.exits: list[_State] = []
        self.loops: list[tuple[list[_State], list[_State]]] = []
        self.declared: dict[int, list[Variable]] = {}
        for variable in variables.all():
            self.declared.setdefault(variable.declared[0], []).append(variable)

    def run(self) -> None:
        """Walk through the program."""
        inputs = frozenset(self.variables.of_input(number) for number in range(self.inputs))
        self._block(self.body, (inputs, inputs))

    def _block(self, body: list[Node], state: _State) -> _State:
        if state is not None:
            own = [v for v in self.declared.get(id(body), []) if v.declared[1] >= 0 or body is not self.body]
            fresh = [v for v in own if not (body is self.body and min(v.definitions) < self.inputs)]
            first = frozenset(v for v in fresh if v.starts)
            pattern = frozenset(v for v in fresh if v.declared[1] < 0)
            state = (state[0] - set(fresh) | first | pattern, state[1] - set(fresh) | first | pattern)
        for statement in body:
            if state is None:
                return None
            state = self._statement(statement, state)
        return state

    def _set(self, node: Node, state: _State) -> _State:
        variable = self.variables.set_by(node)
        if state is None or variable is None:
            return state
        if node[0] == "set" and isinstance(node[2], list) and self.variables.used_by(node[2]) is variable:
            # x = x
            return state
        variable.mutable = variable.mutable or variable in state[0]
        return state[0] | {variable}, state[1] | {variable}

    def _statement(self, node: Node, state: _State) -> _State:
        match node:
            case ["set", _, value]:
                return self._set(node, self._value(value, state))
            case ["if", test, yes, no]:
                state = self._value(test, state)
                return _either(self._block(yes, state), self._block(no, state))
            case ["for", _, items, body]:
                return self._loop(None, node, body, self._value(items, state))
            case ["while", test, body]:
                return self._loop(test, None, body, state)
            case ["break"]:
                self.loops[-1][0].append(state)
            case ["continue"]:
                self.loops[-1][1].append(state)
            case ["return", results, values]:
                self.exits.append(self._value([*results, *values], state))
        return None

    def _loop(self, test: Any, node: Node | None, body: list[Node], state: _State) -> _State:
        breaks: list[_State] = []
        for _ in range(2):
            self.loops.append(([], []))
            after = self._value(test, state)
            variable = self.variables.set_by(node) if node is not None else None
            outside = variable is not None and variable.declared[0] != id(body)
            end = self._block(body, self._set(node, after) if node is not None and outside else after)
            breaks, continues = self.loops.pop()
            if end is not None or continues:
                state = _either(state, end, *continues)
        endless = node is None and is_endless(test)
        return _either(*breaks) if endless else _either(self._value(test, state), *breaks)

    def _value(self, node: Any, state: _State) -> _State:
        if state is None or not isinstance(node, list):
            return state
        if len(node) == 2 and node[0] == "get":
            variable = self.variables.used_by(node)
            if variable is not None and variable not in state[1]:
                variable.starts = True
        elif len(node) == 2 and node[0] == "block":
            outer = self.exits, self.loops
            self.exits, self.loops = [], []
            end = self._block(node[1], state)
            state = _either(end, *self.exits)
            self.exits, self.loops = outer
        elif node[:1] in (["and"], ["or"], ["if"], ["compare"]):
            ends: list[_State] = [state]
            for item in node[1:]:
                for inner in item if isinstance(item, list) and item and isinstance(item[0], list) else [item]:
                    ends.append(state := self._value(inner, state))
            return _either(*ends)
        else:
            for item in node:
                state = self._value(item, state)
        return state


def _either(*states: _State) -> _State:
    reached = [state for state in states if state is not None]
    if not reached:
        return None
    may = frozenset().union(*(state[0] for state in reached))
    must = frozenset.intersection(*(state[1] for state in reached))
    return may, must


def parts(statement: Node) -> Iterator[tuple[list[Node], Any]]:
    """Yield the lists of statements in a statement, and before them the expressions."""
    match statement:
        case ["set", _, value]:
            yield [], [value]
        case ["if", test, yes, no]:
            yield yes, [test]
            yield no, []
        case ["for", _, items, body]:
            yield body, items
        case ["while", test, body]:
            yield body, [test]
        case ["return", results, state]:
            yield [], [*results, *state]
