"""Which inputs make the row null when they are None, whatever the path: Rust unwraps those first.

A row is null where Python would use None as a number.  If that happens on every path, before any result and without a
change of the state, then `let x = x?;` at the start means the same, and the body reads like the Python.
"""

from __future__ import annotations

from typing import Any

from hypostyle._convert.flow import Flow, Node

_LOOSE = ("bool", "np.where")


def strict_inputs(flow: Flow, body: list[Node], inputs: list[str], has_state: bool) -> set[str]:
    """Return the inputs that are never compared with None, and that make the row null when they are None."""
    return {name for number, name in enumerate(inputs) if _Strict(flow, number, has_state).holds(body)}


class _Strict:
    def __init__(self, flow: Flow, number: int, has_state: bool) -> None:
        self.flow, self.number, self.has_state = flow, number, has_state
        self.name = flow.definitions[number].name
        self.leaves = False
        """Whether a loop is left, or its next turn begun, before an error."""

    def holds(self, body: list[Node]) -> bool:
        if self._is_tested(body):
            return False
        falls, fine = self._block(body, False)
        return fine and not (falls and self.has_state) and self._is_used(body)

    def _is_input(self, node: Any) -> bool:
        return isinstance(node, list) and node[:1] == ["get"] and self.number in self.flow.of_use.get(id(node), ())

    def _is_used(self, node: Any) -> bool:
        return self._is_input(node) or (isinstance(node, list) and any(self._is_used(item) for item in node))

    def _is_tested(self, node: Any) -> bool:
        if not isinstance(node, list):
            return False
        if node[:1] == ["is_none"] and len(node) == 2 and self.number in self.flow.of_use.get(id(node[1]), ()):
            return True
        return any(self._is_tested(item) for item in node)

    def _block(self, body: list[Node], in_block: bool) -> tuple[bool, bool]:
        """Return whether the end is reached without an error, and whether all results before it are None."""
        fine = True
        for statement in body:
            falls, kept = self._statement(statement, in_block)
            fine = fine and kept
            if not falls:
                return False, fine
        return True, fine

    def _statement(self, node: Node, in_block: bool) -> tuple[bool, bool]:
        match node:
            case ["set", name, value]:
                # A new value before any use: from here on nothing is known.
                return not (raises := self.raises(value)), raises or name != self.name
            case ["if", test, yes, no]:
                if self.raises(test):
                    return False, True
                first, second = self._block(yes, in_block), self._block(no, in_block)
                return first[0] or second[0], first[1] and second[1]
            case ["for", _, items, body]:
                if any(self.raises(item) for item in items):
                    return False, True
                outer, self.leaves = self.leaves, False
                falls, fine = self._block(body, in_block)
                falls, self.leaves = falls or self.leaves, outer
                return falls, fine
            case ["break" | "continue"]:
                self.leaves = True
                return False, True
            case ["while", test, body]:
                if self.raises(test):
                    return False, True
                outer = self.leaves
                fine = self._block(body, in_block)[1]
                self.leaves = outer
                return True, fine
            case ["return", results, state]:
                if any(self.raises(value) for value in [*state, *results]):
                    return False, True
                return False, not in_block and not self.has_state and all(value is None for value in results)
        return True, True

    def raises(self, node: Any) -> bool:
        """Return whether an expression cannot be evaluated when the input is None."""
        match node:
            case ["not" | "is_none", value]:
                return self.raises(value)
            case ["neg" | "pos" | "invert", value]:
                return self._number(value)
            case ["compare", first, [[sign, second], *_]]:
                use = self.raises if sign in ("==", "!=") else self._number
                return use(first) or use(second)
            case ["in", item, items]:
                return any(self.raises(value) for value in [item, *items])
            case ["and" | "or", [first, *_]]:
                return self.raises(first)
            case ["if", test, yes, no]:
                return self.raises(test) or (self.raises(yes) and self.raises(no))
            case ["call", name, arguments]:
                use = self.raises if name in _LOOSE else self._number
                return any(use(argument) for argument in arguments)
            case ["block", body]:
                falls, fine = self._block(body, True)
                return not falls and fine
            case [str(), a, b]:
                return self._number(a) or self._number(b)
        return False

    def _number(self, node: Any) -> bool:
        return self._is_input(node) or self.raises(node)
