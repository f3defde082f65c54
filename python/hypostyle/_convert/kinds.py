"""The types of variables, fields and results: the smallest that hold all that is assigned.

An int joined with a float is a float, and must be one exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from hypostyle._convert.flow import UNBOUND, Node, leaves
from hypostyle._convert.variables import NONE, ORDER, UNKNOWN, Type, Variables, join
from hypostyle._functions.program import Program

FLOAT, INT, BOOL, TEXT = Type("float"), Type("int"), Type("bool"), Type("text")
NO_VALUE = object()
"""What stands for a value that is not known before it runs."""

_OF_MATH = {"floor": INT, "ceil": INT, "trunc": INT, "isnan": BOOL, "isinf": BOOL, "isfinite": BOOL}
_OF_NUMPY = {"isnan": BOOL, "isinf": BOOL, "isfinite": BOOL}


def constant_of(node: Any) -> Any:
    """Return a constant of a program as a Python object, or `NO_VALUE`."""
    match node:
        case bool() | int() | None:
            return node
        case ["float", text]:
            return float(text)
        case ["text", text]:
            return text
    return NO_VALUE


def type_of_constant(value: Any) -> Type:
    """Return the type of a Python object."""
    return NONE if value is None else TEXT if isinstance(value, str) else Type(type(value).__name__)


class Types:
    """Types of a program."""

    def __init__(self, program: Program, variables: Variables, inputs: Mapping[str, Type]) -> None:
        self.program, self.variables = program, variables
        self.fields = {name: type_of_constant(constant_of(start)) for name, start in program.state}
        self.results = [UNKNOWN] * max(len(program.outputs), 1)
        self.blocks: dict[int, Type] = {}
        """The value of a block, by its list."""
        for number, name in enumerate(program.inputs):
            variables.of_input(number).type = inputs[name]
        self._known: dict[int, Type] = {}
        self._there: frozenset[str | int] = frozenset()
        while self._round():
            pass
        if id(program.body) in variables.flow.falls and not program.state:
            self.results = [join(of, NONE) for of in self.results]

    def _round(self) -> bool:
        self._known.clear()
        before = self._all()
        self._block(self.program.body, None)
        return self._all() != before

    def _all(self) -> list[Any]:
        variables = [variable.type for variable in self.variables.all()]
        return [*variables, *self.fields.values(), *self.results, *self.blocks.values()]

    def constant(self, node: Any) -> Any:
        """Return the value that an expression always has, or `NO_VALUE`."""
        if isinstance(node, list) and node[0] == "get":
            definitions = self.variables.flow.of_use.get(id(node), {UNBOUND})
            nodes = [None if n == UNBOUND else self.variables.flow.definitions[n].node for n in definitions]
            if len(nodes) == 1 and nodes[0] is not None and nodes[0][0] == "set":
                return constant_of(nodes[0][2])
            return NO_VALUE
        return constant_of(node)

    def counts(self, node: Any) -> bool:
        """Return whether an expression is a loop's variable that goes over integers from 0 up."""
        if not (isinstance(node, list) and node[0] == "get"):
            return False
        for number in self.variables.flow.of_use.get(id(node), {UNBOUND}):
            source = None if number == UNBOUND else self.variables.flow.definitions[number].node
            if source is None or source[0] != "for" or not all(type(i) is int and i >= 0 for i in source[2]):
                return False
        return True

    # Statements

    def _block(self, body: list[Node], block: int | None) -> None:
        outer = self._there
        for statement in body:
            match statement:
                case ["set", _, value]:
                    self._assign(statement, self.of(value))
                case ["if", test, yes, no]:
                    self.of(test)
                    with self._knowing(self._facts(test, True)):
                        self._block(yes, block)
                    with self._knowing(self._facts(test, False)):
                        self._block(no, block)
                    if leaves(yes):
                        self._there |= self._facts(test, False)
                case ["for", _, items, inner]:
                    for item in items:
                        self._assign(statement, self.of(item))
                    self._block(inner, block)
                case ["while", test, inner]:
                    self.of(test)
                    self._block(inner, block)
                case ["return", results, state]:
                    found = [self.of(value) for value in results]
                    if block is not None:
                        self.blocks[block] = join(self.blocks.get(block, UNKNOWN), found[0])
                        continue
                    self.results = [join(a, b) for a, b in zip(self.results, found, strict=True)]
                    for (name, old), value in zip(list(self.fields.items()), state, strict=True):
                        self.fields[name] = join(old, self.of(value))
        self._there = outer

    # What is not None

    @contextmanager
    def _knowing(self, facts: frozenset[str | int]) -> Iterator[None]:
        outer, self._there = self._there, self._there | facts
        yield
        self._there = outer

    def _facts(self, test: Any, truth: bool) -> frozenset[str | int]:
        """Return the fields, and the variables by their only assignments, that are not None if a test is so."""
        match test:
            case ["not", value]:
                return self._facts(value, not truth)
            case ["is_none", value]:
                return frozenset() if truth else self._key(value)
            case ["and" | "or" as word, values] if truth == (word == "and"):
                return frozenset().union(*(self._facts(value, truth) for value in values))
            case ["get" | "field", _]:
                return self._key(test) if truth else frozenset()
        return frozenset()

    def _key(self, node: Any) -> frozenset[str | int]:
        match node:
            case ["field", name]:
                return frozenset({name})
            case ["get", _]:
                reaching = self.variables.flow.of_use.get(id(node), set())
                variable = self.variables.used_by(node)
                if variable is not None and not variable.unbound and len(variable.definitions) == 1:
                    return frozenset(reaching)
        return frozenset()

    def _present(self, node: Any, of: Type) -> Type:
        key = self._key(node)
        return Type(of.kind) if of.nullable and of.kind in ORDER and key and key <= self._there else of

    def _assign(self, node: Node, of: Type) -> None:
        variable = self.variables.set_by(node)
        if variable is not None:
            variable.type = join(variable.type, of)

    # Expressions

    def of(self, node: Any) -> Type:
        """Return the type of an expression."""
        if not isinstance(node, list):
            return type_of_constant(node)
        if id(node) not in self._known:
            self._known[id(node)] = self._of(node)
        return self._known[id(node)]

    def _of(self, node: Node) -> Type:
        match node:
            case ["float", _]:
                return FLOAT
            case ["text", _]:
                return TEXT
            case ["get", _]:
                variable = self.variables.used_by(node)
                return self._present(node, variable.type) if variable is not None else NONE
            case ["field", name]:
                return self._present(node, self.fields[name])
            case ["not" | "is_none", value]:
                self.of(value)
                return BOOL
            case ["compare", first, pairs]:
                for value in [first, *(value for _, value in pairs)]:
                    self.of(value)
                return BOOL
            case ["in", item, items]:
                for value in [item, *items]:
                    self.of(value)
                return BOOL
            case ["neg" | "pos" | "invert" as sign, value]:
                return _signed(sign, self.of(value))
            case ["and" | "or" as word, values]:
                found = [self.of(values[0])]
                known: frozenset[str | int] = frozenset()
                for before, value in pairwise(values):
                    known |= self._facts(before, word == "and")
                    with self._knowing(known):
                        found.append(self.of(value))
                kind = UNKNOWN
                for of in found:
                    kind = join(kind, of)
                nullable = any(of.nullable for of in found) if word == "and" else found[-1].nullable
                return Type(kind.kind, nullable)
            case ["if", test, yes, no]:
                self.of(test)
                with self._knowing(self._facts(test, True)):
                    first = self.of(yes)
                with self._knowing(self._facts(test, False)):
                    return join(first, self.of(no))
            case ["call", name, arguments]:
                return self._call(name, arguments)
            case ["block", body]:
                self._block(body, id(body))
                found_of = self.blocks.get(id(body), UNKNOWN)
                return join(found_of, NONE) if id(body) in self.variables.flow.falls else found_of
            case [operator, a, b]:
                return self._binary(operator, self.of(a), self.of(b), b)
        raise AssertionError(node)

    def _binary(self, operator: str, a: Type, b: Type, right: Any) -> Type:
        kinds = {a.kind, b.kind}
        if "unknown" in kinds:
            return UNKNOWN
        kinds -= {"none"}
        if operator in "&|^" and kinds == {"bool"}:
            return BOOL
        if operator == "/" or "float" in kinds or not kinds:
            return FLOAT
        if operator == "**":
            exponent = self.constant(right)
            return FLOAT if isinstance(exponent, int) and exponent < 0 else INT
        return INT

    def _call(self, name: str, arguments: list[Any]) -> Type:
        found = [self.of(argument) for argument in arguments]
        module, _, function = name.rpartition(".")
        if module == "math":
            return _OF_MATH.get(function, FLOAT)
        if name == "np.where":
            return join(found[1], found[2])
        if module == "np" and function not in ("abs", "square", "maximum", "minimum", "clip"):
            return _OF_NUMPY.get(function, FLOAT)
        if name in ("int", "float", "bool"):
            return Type(name)
        if any(of.kind == "unknown" for of in found):
            return UNKNOWN
        if name in ("min", "max", "np.maximum", "np.minimum", "np.clip"):
            kind = NONE
            for of in found:
                kind = join(kind, of)
            return Type(kind.kind if kind.kind != "none" else "float")
        if name == "round" and len(found) == 1:
            return INT
        return FLOAT if found[0].kind in ("float", "none") else INT


def _signed(sign: str, of: Type) -> Type:
    if of.kind == "unknown":
        return UNKNOWN
    return FLOAT if of.kind in ("float", "none") and sign != "invert" else INT
