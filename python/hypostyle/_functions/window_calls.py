"""Numbers in the user's function that are computed of arrays: reductions, items, lengths."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypostyle._functions.names import NOTHING
from hypostyle._functions.window_arrays import (
    WINDOW,
    Array,
    Bound,
    ShapeError,
    Turn,
    Vector,
    aligned,
    compared,
    copied,
    name,
    put,
)
from hypostyle._functions.window_loops import located
from hypostyle._functions.window_reductions import Reductions
from hypostyle._functions.window_statistics import Idioms

_BY_KERNEL = {
    "sum", "mean", "prod", "std", "var", "max", "min", "amax", "amin", "median", "ptp", "quantile", "percentile",
}  # fmt: skip
_DEVIATIONS = {"std": (0, True), "var": (0, False), "nanstd": (0, True), "nanvar": (0, False)}
_ORDERED = {"median", "quantile", "percentile", "nanmedian", "nanquantile", "nanpercentile"}
_OF_TWO = {"dot", "vdot", "inner", "average", "polyfit", "corrcoef", "cov"}

_KNOWN = (
    "known of arrays are sum, mean, std, var, min, max, prod, any, all, argmin, argmax, ptp, np.dot, np.average, "
    "np.diff, np.polyfit, np.corrcoef, np.cov, functions of NumPy value by value, slices and masks"
)
_IS_ARRAY = f"this is an array, where a number is needed; {_KNOWN}"


def _by_itself(node: ast.expr, window: str) -> str:
    of = ast.unparse(node)
    return (
        f"{of} is not known beside a loop over the window; compute it in a function of its own, "
        f"hs.rolling(lambda {window}: {of}), and join the two columns"
    )


class Calls(Reductions):
    """Rewrites expressions that are numbers."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.lows: dict[str, int] = {}
        """The first values of variables that count in a loop over the window."""
        self.indices: dict[str, tuple[Turn, int]] = {}
        """Variables that count in a loop over the window: its turn, and how many turns before it they point at."""
        self._idioms = Idioms(self.is_whole, self.object_of)

    def is_whole(self, node: ast.expr) -> bool:
        """Whether an expression is the window by its own name."""
        return isinstance(node, ast.Name) and node.id == self.window and self.arrays.get(node.id) is WINDOW

    def expr(self, node: ast.expr) -> ast.expr:
        """Return an expression with what it computes of arrays in variables."""
        return located(self._expr(node), node)

    def _expr(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Lambda):
            return node
        if isinstance(node, ast.Call | ast.Attribute) and (left := self._left_to_kernels(node)):
            return left
        found = self._found(node)
        if found is not None:
            return found
        match node:
            case ast.IfExp():
                return self._conditional(node)
            case ast.BoolOp():
                return self._boolean(node)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ast.UnaryOp(ast.Not(), self.test(operand))
            case ast.Name() if self.is_whole(node):
                return node
        array = self.array(node)
        if isinstance(array, Array):
            raise self.error(node, _IS_ARRAY)
        if isinstance(node, ast.Name) and isinstance(array, Vector):
            return ast.Tuple([array.at(ast.Constant(place)) for place in range(array.length)], ast.Load())
        if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp):
            names = {part.id for g in node.generators for part in ast.walk(g.target) if isinstance(part, ast.Name)}
            self.barriers.append((names, node))
            made = copied(node, self._inside)
            self.barriers.pop()
        else:
            made = copied(node, self._inside)
        assert isinstance(made, ast.expr)
        return made

    def _inside(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr):
            return node if isinstance(getattr(node, "ctx", None), ast.Store) else self.expr(node)
        return copied(node, self._inside)

    # Branches

    def test(self, node: ast.expr) -> ast.expr:
        """Return a condition; a list is true if it has items."""
        array = self.array(node) if isinstance(node, ast.Name | ast.ListComp) else None
        if isinstance(array, Array) and array.is_list:
            return located(compared(self.length(array, node), ast.Gt, 0), node)
        return self.expr(node)

    def aside(self, node: ast.expr, *, is_test: bool = False) -> tuple[list[ast.stmt], ast.expr]:
        """Return an expression apart from the statements that it needs."""
        outer, self.out = self.out, []
        made = self.test(node) if is_test else self.expr(node)
        inner, self.out = self.out, outer
        return inner, made

    def _conditional(self, node: ast.IfExp) -> ast.expr:
        test = self.test(node.test)
        yes, body = self.aside(node.body)
        no, orelse = self.aside(node.orelse)
        if self.barriers or not self.may_raise([*yes, *no]):
            self.out += [*yes, *no]
            return ast.IfExp(test, body, orelse)
        first, second = self.branches(test, node)
        self.out += [*self.guarded(yes, first), *self.guarded(no, second)]
        return ast.IfExp(name(first), body, orelse)

    def branches(self, test: ast.expr, node: ast.AST) -> tuple[str, str]:
        """Return guards of both branches of a condition."""
        first, second = self.guard(), self.guard()
        true = ast.Constant(True)
        self.emit([put(first, ast.Constant(False)), put(second, ast.Constant(False))], node)
        self.emit([ast.If(test, [put(first, true)], [put(second, true)])], node)
        return first, second

    def _boolean(self, node: ast.BoolOp) -> ast.expr:
        first, *rest = node.values
        left = self.test(first)
        if not rest:
            return left
        remaining = rest[0] if len(rest) == 1 else ast.copy_location(ast.BoolOp(node.op, rest), rest[0])
        statements, right = self.aside(remaining, is_test=True)
        if self.barriers or not self.may_raise(statements):
            self.out += statements
            return ast.BoolOp(node.op, [left, right])
        kept = self.kept(left, node)
        guards = self.branches(kept, node)
        self.out += self.guarded(statements, guards[0 if isinstance(node.op, ast.And) else 1])
        return ast.BoolOp(node.op, [kept, right])

    # What kernels compute

    def _left_to_kernels(self, node: ast.Call | ast.Attribute) -> ast.expr | None:
        """Return a statistic of the whole window as it is, if a kernel computes it; raise if none can."""
        if self._idioms.found(node, lambda kernel: ["get", kernel]) is not None:
            if not self.by_kernels:
                raise self.error(node, _by_itself(node, self.window))
            return node
        if not isinstance(node, ast.Call) or not self.by_kernels:
            return None
        called, of = self._named(node)
        if (
            called in _BY_KERNEL
            and of is not None
            and self.is_whole(of)
            and self.object_of(node.func) not in (min, max)
        ):
            return node
        return None

    def _named(self, node: ast.Call) -> tuple[str | None, ast.expr | None]:
        """Return the name of a method or a function, and of what it is called."""
        function = self.object_of(node.func)
        if function is NOTHING and isinstance(node.func, ast.Attribute):
            return node.func.attr, node.func.value
        of = node.args[0] if node.args else None
        for builtin in (sum, min, max, any, all, len):
            if function is builtin:
                return builtin.__name__, of
        return self.numpy_name(node.func), of

    # Reductions

    def _found(self, node: ast.expr) -> ast.expr | None:
        match node:
            case ast.Call():
                return self._call(node)
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                return self._of_two("dot", [left, right], node, {})
            case ast.Attribute(attr="size", value=of):
                return self._length(of, node)
            case ast.Subscript(value=ast.Attribute(attr="shape", value=of), slice=ast.Constant(value=0)):
                return self._length(of, node)
            case ast.Subscript(value=ast.Call(func=function, args=[_, _]) as call):
                called = self.numpy_name(function)
                if called in ("corrcoef", "cov"):
                    return self._matrix(called, call, node)
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as op], comparators=[container]):
                array = self.array(container)
                if isinstance(array, Array):
                    value = self.kept(self.expr(left), node)
                    element = array.at
                    equal = replace(
                        array, at=lambda turn, lag: compared(element(turn, lag), ast.Eq, value), kind="bool"
                    )
                    found = self.truth_of(equal, node, is_any=True)
                    return ast.UnaryOp(ast.Not(), found) if isinstance(op, ast.NotIn) else found
        return self._item(node) if isinstance(node, ast.Subscript) else None

    def _length(self, of: ast.expr, node: ast.expr) -> ast.expr | None:
        if self.is_whole(of):
            if isinstance(node, ast.Attribute | ast.Call):
                return None
            self.changed = True
            return self.size
        array = self.array(of)
        if not isinstance(array, Array):
            return ast.Constant(array.length) if isinstance(array, Vector) else None
        self.changed = True
        return self.length(array, node)

    def _call(self, node: ast.Call) -> ast.expr | None:
        function = self.object_of(node.func)
        if function is len and len(node.args) == 1:
            return self._length(node.args[0], node)
        called, of = self._named(node)
        if called is None or of is None:
            return None
        options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
        is_method = function is NOTHING
        others = list(node.args) if is_method else list(node.args[1:])
        if called in _OF_TWO and (others or called == "average"):
            return self._of_two(called, [of, *others], node, options)
        if called not in self.reductions() and called not in _DEVIATIONS and called not in _ORDERED:
            self._refuse(node, is_method=is_method)
            return None
        if function in (min, max) and others:
            return None
        array = self.array(of)
        if isinstance(array, Vector):
            return self._of_vector(called, array, node)
        if array is None:
            if not is_method and function not in (sum, min, max, any, all):
                if isinstance(of, ast.Call):
                    self._refuse(of, is_method=self.object_of(of.func) is NOTHING)
                message = f"np.{called} is compiled of the window, and of arrays made of it: np.{called}(window ** 2)"
                raise self.error(node, message)
            return None
        if called in _ORDERED:
            message = f"np.{called} is known of the whole window only, where no loop over it is needed"
            raise self.error(node, _by_itself(node, self.window) if array.is_window else message)
        if function in (sum, min, max, any, all):
            return self._of_python(function, array, others, options, node)
        if isinstance(node.func, ast.Attribute) and is_method and array.is_list:
            raise self.error(node, "a list has no such method; write np.array([...]), or a function of NumPy")
        return self._of_numpy(called, array, others, options, node)

    def _of_numpy(
        self,
        called: str,
        array: Array,
        others: Sequence[ast.expr],
        options: dict[str, ast.expr],
        node: ast.Call,
    ) -> ast.expr:
        options = {
            option: value
            for option, value in options.items()
            if option != "axis" or self.bound(value) not in (Bound("", 0), Bound("", -1))
        }
        if called in _DEVIATIONS:
            if others or set(options) - {"ddof"}:
                raise self.error(node, f"of the options of {called} ddof is compiled")
            ddof = self.kept(self.expr(options["ddof"]), node) if options else ast.Constant(0)
            array = self.without_nan(array) if called.startswith("nan") else array
            return self.variance_of(array, node, ddof, is_root=_DEVIATIONS[called][1])
        if others or options:
            raise self.error(node, f"{called} of an array takes no other arguments here")
        return self.reductions()[called](array, node)

    def _of_python(
        self,
        function: Any,
        array: Array,
        others: Sequence[ast.expr],
        options: dict[str, ast.expr],
        node: ast.Call,
    ) -> ast.expr:
        """Return what a function of Python gives, which goes through the values one after another."""
        if function is sum and set(options) <= {"start"} and len(others) + len(options) <= 1:
            start = [*others, *options.values()]
            return self.sum_of(array, node, self.expr(start[0]) if start else None, is_numpy=False)
        if function in (any, all) and not others and not options:
            return self.truth_of(array, node, is_any=function is any)
        if function in (min, max) and set(options) <= {"default"}:
            default = self.expr(options["default"]) if options else None
            better: type[ast.cmpop] = ast.Gt if function is max else ast.Lt
            return self.extreme_of(array, node, better, default, is_numpy=False)
        raise self.error(node, f"{function.__name__} of an array is compiled without these arguments")

    def _of_vector(self, called: str, vector: Vector, node: ast.expr) -> ast.expr:
        functions = {"sum": sum, "max": max, "min": min}
        if called not in (*functions, "mean"):
            raise self.error(node, f"{called} of constants is not compiled; write its result")
        items = ast.Tuple([vector.at(ast.Constant(place)) for place in range(vector.length)], ast.Load())
        total = self.call(functions.get(called, sum), items)
        self.changed = True
        return self.divided(self.call(float, total), ast.Constant(vector.length)) if called == "mean" else total

    def _refuse(self, node: ast.Call, *, is_method: bool) -> None:
        """Raise for functions of arrays that are not known."""
        owner = node.func.value if isinstance(node.func, ast.Attribute) and is_method else None
        if owner is not None:
            array = self.array(owner) if not isinstance(owner, ast.Constant) else None
            if isinstance(array, Array) and not array.is_window and self.array(node) is None:
                raise self.error(node, f"this method of an array is not known; {_KNOWN}")
            return
        function = self.object_of(node.func)
        if getattr(builtins, getattr(function, "__name__", ""), None) is function or self.array(node) is not None:
            return
        for part in node.args:
            array = self.array(part) if not isinstance(part, ast.Starred) else None
            if isinstance(array, Array) and not self.is_whole(part):
                called = ast.unparse(node.func)
                raise self.error(node, f"{called} of an array is not known; {_KNOWN}")

    # Two arrays

    def _arrays(self, parts: Sequence[ast.expr], node: ast.expr) -> list[Array] | None:
        read = [self.array(part) for part in parts]
        first = next((array for array in read if isinstance(array, Array)), None)
        if first is None:
            return None
        read = [self.vector(part) if array is None else array for part, array in zip(parts, read, strict=True)]
        found = []
        for array in read:
            if isinstance(array, Vector):
                found.append(replace(first, at=self._by_position(array, first, node), kind="any", is_window=False))
            elif array is None:
                raise self.error(node, "both are arrays here")
            else:
                found.append(array)
        return found

    def _of_two(
        self, called: str, parts: Sequence[ast.expr], node: ast.expr, options: dict[str, ast.expr]
    ) -> ast.expr | None:
        if called == "average" and len(parts) == 1:
            parts = [*parts, options.pop("weights")] if "weights" in options else parts
            if len(parts) == 1:
                array = self.array(parts[0])
                return self.mean_of(array, node) if isinstance(array, Array) and not options else None
        arrays = self._arrays(parts[:2], node)
        if arrays is None:
            return None
        if called == "polyfit":
            degree = [*parts[2:], *(options.pop(option) for option in ("deg",) if option in options)]
            if len(degree) != 1 or self.bound(degree[0]) != Bound("", 1) or options:
                raise self.error(node, "of np.polyfit the line is compiled: np.polyfit(x, y, 1)")
            return ast.Tuple(self.line(arrays, node), ast.Load())
        if len(parts) > 2 or options:
            raise self.error(node, f"np.{called} is compiled with two arrays alone")
        if called in ("corrcoef", "cov"):
            raise self.error(node, f"a matrix is not compiled; write np.{called}(x, y)[0, 1]")
        return self.average(arrays[0], arrays[1], node) if called == "average" else self.dot(arrays, node)

    def _matrix(self, called: str, call: ast.Call, node: ast.Subscript) -> ast.expr | None:
        """Return an item of `np.corrcoef(x, y)` or `np.cov(x, y)`."""
        arrays = self._arrays(call.args, node)
        if arrays is None:
            return None
        match node.slice:
            case ast.Tuple(elts=[ast.Constant(value=int(row)), ast.Constant(value=int(column))]) if {row, column} <= {
                0,
                1,
            }:
                chosen = [arrays[row], arrays[column]]
            case _:
                raise self.error(node, f"of a matrix one item is compiled: np.{called}(x, y)[0, 1]")
        options = {keyword.arg: keyword.value for keyword in call.keywords}
        if called == "corrcoef" and not options:
            return self.correlation(chosen, node)
        ddof = self.bound(options.pop("ddof", ast.Constant(1)))
        if called != "cov" or options or ddof is None or ddof.base:
            raise self.error(node, "of the options of np.cov a constant ddof is compiled")
        return self.covariance(chosen, node, ddof.offset)

    # Items

    def _item(self, node: ast.Subscript) -> ast.expr | None:
        """Return an item of an array: at a constant place, at one that is computed, or in a loop over places."""
        if isinstance(node.slice, ast.Slice | ast.Tuple):
            return None
        array = self.array(node.value)
        if not isinstance(array, Array) or self.array(node.slice) is not None:
            return None
        bound = self.bound(node.slice)
        if bound is not None and bound.base in self.indices:
            turn, ago = self.indices[bound.base]
            return self._of_turn(array, turn, ago, bound, node)
        if array.is_window and bound in (Bound("", 0), Bound("", -1), Bound("n", -1)):
            if self.is_whole(node.value) and bound != Bound("n", -1):
                return node
            self.changed = True
            place = ast.Constant(0 if bound == Bound("", 0) else -1)
            return ast.Subscript(name(self.window), place, ast.Load())
        return self.item_of(array, node.slice, node)

    def _of_turn(self, array: Array, turn: Turn, ago: int, bound: Bound, node: ast.Subscript) -> ast.expr:
        lag = self.lag_of(array, ago, bound, node)
        value = array.at(turn, lag)
        low = self.lows.get(bound.base)
        if low is not None and low + bound.offset >= 0:
            return value
        if bound.offset >= 0 and low is not None:
            return value
        if bound.offset != -1 or low is None or low < 0:
            message = f"before the first value Python takes those at the end; begin the range at {-bound.offset}"
            raise self.error(node, message)
        last = ast.copy_location(ast.UnaryOp(ast.USub(), ast.Constant(1)), node)
        end = ast.copy_location(ast.Subscript(node.value, last, ast.Load()), node)
        located(end, node)
        return ast.IfExp(compared(name(bound.base), ast.Gt, 0), value, self.expr(end))

    def lag_of(self, array: Array, ago: int, bound: Bound, node: ast.expr) -> int:
        """Return how many turns before this one the item of a counting variable is."""
        if array.first is None or array.masks:
            raise self.error(node, "this array is not indexed in a loop; go through its values")
        return ago - bound.offset - array.first

    def align(self, arrays: Sequence[Array], node: ast.expr) -> list[Array]:
        """Return arrays as `zip` takes them."""
        try:
            return aligned(arrays, exact=False)
        except ShapeError:
            raise self.error(node, SHAPES_OF_ZIP) from None


SHAPES_OF_ZIP = "these arrays cannot be gone through side by side; slices begin at constants here"
