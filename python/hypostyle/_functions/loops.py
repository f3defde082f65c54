"""`hs.loop`: a loop over arrays, as people write it for numba, becomes a function of columns with a state."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from hypostyle._functions.expressions import BINARY
from hypostyle._functions.functions import Errors, Function, P, R, python_of
from hypostyle._functions.loop_before import Before
from hypostyle._functions.loop_parts import Array, arrays_of, names_in, parts_of
from hypostyle._functions.loop_rows import LEFT
from hypostyle._functions.program import Program
from hypostyle._functions.scope import assigned
from hypostyle._functions.source import source_of
from hypostyle._functions.statements import keys_of
from hypostyle._functions.translate import Fixed, fixing, known_parameters
from hypostyle._functions.values import Expr, Statement


def translate_loop(function: Any, *, outputs: Sequence[str] | None = None, fixed: Fixed = None) -> Program:
    """Translate a function that fills arrays in one loop over their rows."""
    source = source_of(function)
    return fixing(source, fixed, lambda known: _Loop(source).program(outputs, known))


class _Loop(Before):
    """Translates a function that is a loop."""

    def program(self, wanted: Sequence[str] | None, fixed: Mapping[str, Any]) -> Program:
        """Return the program of the loop."""
        source, scope = self.source, self.scope
        arguments = source.node.args
        if arguments.vararg or arguments.kwarg:
            raise source.error(arguments.vararg or arguments.kwarg, "* cannot be a parameter; name the arrays")
        parts = parts_of(source)
        self.changing = set(assigned(parts.rows)) | {n for loop in parts.loops for n in names_in(loop.target)}
        defaults, fixed = self._parameters(fixed)
        self.results = names_in(parts.end)
        self.body = parts.rows
        for statement in parts.before:
            self.count(statement)
            self._before(statement)
        loop = self.one_loop(parts)
        header = self.header(loop)
        self.index = header.index
        if header.index is not None:
            self.counter_field = header.index
        if self.index in scope.parameters:
            raise self.error(loop.target, f"{self.index} is a parameter; use another name for the index")
        start = self._start(header.start)
        scope.maybe |= {name for name in self.changing if name in scope.locals}
        self.lowest = start
        entry: list[Statement] = []
        self.out = entry
        for target, value in header.values:
            array = self.array(value)
            self.assign(target, ["get", array.name if array else ""], loop)
        body = self.rows(loop)
        results, keys = self._returned(parts.end)
        head = self._head(start)
        self._write_ends(results)
        if wanted is not None and len(wanted) != len(keys):
            msg = f"{source.name}: outputs names {len(wanted)} fields, but the loop returns {len(results)}"
            raise ValueError(msg)
        fields = tuple(keys if wanted is None else wanted)
        inputs = tuple(name for name in scope.parameters if name in self.inputs)
        known = {name: value for name, value in defaults.items() if name in inputs}
        return Program(source.name, inputs, tuple(self._state()), fields, [*head, *entry, *body], known, fixed)

    def _parameters(self, fixed: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        scope = self.scope
        defaults, fixed = known_parameters(self, fixed)
        arrays = [name for name in arrays_of(self.source, scope.parameters) if name not in fixed]
        self.inputs = []
        for name in scope.parameters:
            if name in fixed:
                continue
            self.inputs.append(name)
            if name in arrays:
                self.add(Array(name))
            else:
                scope.sure.add(name)
                scope.maybe.add(name)
        if not arrays:
            raise self.source.error(self.source.node, "no parameter is an array: one is read as x[i], or gone over")
        return {name: value for name, value in defaults.items() if name not in arrays}, dict(fixed)

    def _returned(self, end: ast.Return) -> tuple[list[Expr], Sequence[str]]:
        """Return what a row of the returned arrays is, and the names of the outputs: none for one plain array."""
        value = end.value
        names: list[str] = []
        results: list[Expr] = []
        keys: Sequence[str] | None = [] if not isinstance(value, ast.Tuple) else names
        items = value.elts if isinstance(value, ast.Tuple) else [value]
        if isinstance(value, ast.Dict):
            items, keys = list(value.values), keys_of(value)
            if not keys or len(set(keys)) < len(keys):
                raise self.error(value, "arrays are returned by distinct names: return {'low': low, 'high': high}")
        for item in items:
            inner = item
            if isinstance(inner, ast.Call) and len(inner.args) == 1 and self.numpy_name(inner.func) is not None:
                inner = inner.args[0]
            array = self.array(inner) if inner is not None else None
            computed = None if inner is None or array is not None else self._computed(inner)
            if computed is not None:
                names.append(f"result_{len(names) + 1}")
                results.append(computed)
                continue
            if array is None or array.is_input:
                msg = "the arrays that the loop fills are returned: return out; for one number return its last row"
                raise self.error(item, msg)
            names.append(array.name)
            results.append(["get", array.name])
        if len(set(names)) < len(names):
            raise self.error(end, "an array is returned twice")
        return results, keys or []

    def _computed(self, node: ast.expr) -> Expr | None:
        """Translate `2 * a - b` of arrays for a row; None for what is more than sums, differences and products.

        Lists of Python become longer by them, and booleans of NumPy stay booleans: one side surely has numbers.
        """
        match node:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() as operator, right=right):
                first, second = self._operand_of(left), self._operand_of(right)
                is_number = self._has_numbers(left) or self._has_numbers(right)
                return [BINARY[type(operator)], first, second] if is_number and None not in (first, second) else None
            case ast.UnaryOp(op=ast.USub(), operand=operand) if self._has_numbers(operand):
                return ["neg", self._operand_of(operand)]
        return None

    def _operand_of(self, node: ast.expr) -> Expr | None:
        array = self.array(node)
        if array is not None:
            return None if array.is_python else ["get", array.name]
        is_number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
        return self.value(node) if is_number else self._computed(node)

    def _has_numbers(self, node: ast.expr) -> bool:
        """Whether what is computed is of an array that the function made for numbers."""
        array = self.array(node)
        if array is None:
            return self._computed(node) is not None
        return (
            not array.is_input
            and not array.is_python
            and (array.conversion in ("float", "int") or array.like is not None)
        )

    def _head(self, start: int) -> list[Statement]:
        """Return what every row does before the body."""
        head: list[Statement] = []
        for name in self.carried:
            head.append(["set", name, ["field", name]])
        head += self.head
        for array in self.arrays.values():
            if not array.is_input:
                head.append(["set", array.name, array.initial])
        for row, statements in self.fixed:
            test = ["compare", self.row, [["==", row]]]
            if head and head[-1][0] == "if" and head[-1][1] == test:
                head[-1][2].extend(statements)
            else:
                head.append(["if", test, list(statements), []])
        if start > 0:
            head.append(["if", ["compare", self.row, [["<", start]]], [self._end()], []])
        if LEFT in self.carried:
            head.append(["if", ["get", LEFT], [self._end()], []])
        return head

    def _end(self) -> Statement:
        """Return a statement that ends the row."""
        end: Statement = ["return", [], []]
        self.ends.append(end)
        return end

    def _write_ends(self, results: list[Expr]) -> None:
        """Write what rows return: their results and the next state."""
        carried: list[Expr] = [["get", name] for name in self.carried]
        kept: list[Expr] = [["field", name] for name in self.carried]
        delays: list[Expr] = []
        empty: list[Expr] = []
        for name, most in self.delays.items():
            array = self.arrays[name]
            older = [["field", f"{name}[i-{back}]"] for back in range(1, most)]
            delays += [["get", name], *older]
            empty += [["get", name] if array.is_input else array.initial, *older]
        counter: list[Expr] = [["+", self.row, 1]] if self.uses_counter else []
        for end in self.ends:
            end[1:] = [results, [*carried, *delays, *counter]]
        for end in self.skipped:
            end[1:] = [[None] * len(results), [*kept, *empty, *counter]]

    def _state(self) -> list[tuple[str, Expr]]:
        state = [(name, self.starts[name]) for name in self.carried]
        for name, most in self.delays.items():
            array = self.arrays[name]
            start = array.start if array.is_known else None
            state += [(f"{name}[i-{back}]", start) for back in range(1, most + 1)]
        if self.uses_counter:
            state.append((self.counter_field, 0))
        return state


@overload
def loop(function: Callable[P, R], *, errors: Errors = ..., outputs: Sequence[str] | None = ...) -> Function[P, R]: ...
@overload
def loop(
    function: None = ..., *, errors: Errors = ..., outputs: Sequence[str] | None = ...
) -> Callable[[Callable[P, R]], Function[P, R]]: ...
def loop(
    function: Callable[..., Any] | None = None,
    *,
    errors: Errors = "null",
    outputs: Sequence[str] | None = None,
) -> Any:
    """Compile a loop over arrays, as it is written for numba, into a function of columns.

    Called with columns it returns an expression; called with arrays or Series it returns data of the same kind; called
    with lists it runs as Python (or as numba compiled it).

        @hs.loop
        def smooth(x, alpha=0.1):
            out = np.empty(len(x))
            level = 0.0
            for i in range(len(x)):
                level += alpha * (x[i] - level)
                out[i] = level
            return out

    A variable that goes from row to row (`level`) is the state, and so are an earlier item (`x[i - 1]`, `out[i - 1]`)
    and up to 64 values in an array, a list or a deque of the loop's own.  A loop over the first rows may stand before.
    Where Python would read an item from the end of an array (`x[i - 1]` in the first row) the row is null, and only the
    earlier items move on; guard it (`if i > 0`) for another result.  A row on which Python raises is null too, and is
    left out of the sequence: the next row follows the one before it.  Values are Python's numbers, not numpy's: True +
    True is 2, as numba has it too, and division by zero raises.

    Args:
        function: A Python function, or one that numba compiled.  Without it, a decorator.
        errors: What a row gives on which Python raises: "null", or "raise" for an error.
        outputs: The names of the result's fields, if several arrays are returned; their own names by default.

    Returns:
        The compiled function.

    Raises:
        UnsupportedError: The function uses Python that is not compiled.
    """
    if function is None:
        return lambda given: loop(given, errors=errors, outputs=outputs)
    plain = python_of(function)
    signature = inspect.signature(plain)
    parameters = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    runs = plain if isinstance(function, Function) else function
    how = (translate_loop, {"outputs": outputs})
    program = translate_loop(plain, outputs=outputs)
    return Function(program, runs, inspect.Signature(parameters), errors, how, is_loop=True)
