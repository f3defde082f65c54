"""`hs.rolling`: a statistic of one's own over a moving window.

The function sees its window as NumPy would.  What it asks of the window (its length, mean, largest value) is computed
by the kernel of that name, and the function itself runs once a row, on these numbers.  Or it goes through the values,
in loops of its own, or in those that array expressions become (`window_rewrite`).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import Any, Generic, Literal, TypeVar, overload

import polars as pl

from hypostyle._expr import KernelExpr
from hypostyle._functions.functions import Data, Errors, check_errors
from hypostyle._functions.names import NOTHING
from hypostyle._functions.program import Program
from hypostyle._functions.scope import Loop, Scope, assigned
from hypostyle._functions.source import source_of
from hypostyle._functions.statements import Statements
from hypostyle._functions.translate import fixing, known_parameters, results
from hypostyle._functions.values import Expr, Statement, Value
from hypostyle._functions.window_division import Origins
from hypostyle._functions.window_rewrite import Rewritten, rewrite
from hypostyle._functions.window_statistics import Idioms
from hypostyle._spec import IntoColumn, IntoColumns, IntoWindow, make_spec

# Methods of the window, and functions of it in NumPy, with the kernels that compute them.
_METHODS = {"max": "max", "min": "min", "sum": "sum", "mean": "mean", "prod": "product", "std": "std", "var": "var"}
_NUMPY = _METHODS | {"amax": "max", "amin": "min", "median": "median", "ptp": "range"}
_BUILTIN = {"max": "max", "min": "min", "sum": "sum", "len": "count"}

# What is known of a window besides its values.
_WITH_LOOP = ("count", "first", "last")

# Names of inputs that the function's own names could be taken for.
_KNOWN = {*_NUMPY.values(), *_WITH_LOOP, "skew", "kurt", "nunique", "mad"}

_HINT = (
    "this is not known of a window; known are len(window), window.sum(), mean, min, max, median, std, var, prod, "
    "np.quantile(window, q), np.ptp, window[0] and window[-1], and of scipy.stats skew, kurtosis, iqr, sem, "
    "trim_mean and median_abs_deviation; sums, means and the like are known of arrays too: "
    "np.mean(window[1:] / window[:-1])"
)


class Windows(Statements):
    """Translates a function whose first parameter is a window."""

    def __init__(self, scope: Scope, window: str) -> None:
        super().__init__(scope)
        self.own = scope.source
        """The function itself; a helper that is inlined is another source."""
        self.window = window
        self.asked: dict[str, None] = {}
        self._idioms = Idioms(self._is_window, self.object_of)
        self._origins: Origins | None = None
        self._known_numpy: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rewritten: Rewritten, window: str) -> Windows:
        """Return the translator of a function whose array expressions are loops."""
        made = cls(Scope(rewritten.source), window)
        made.scope.objects |= rewritten.objects
        made._known_numpy = rewritten.numpy
        return made

    def call(self, node: ast.Call) -> Value:
        """Translate a call: of a method of the window, of a function of it, or any other."""
        if (found := self._idioms.found(node, self._ask)) is not None:
            return found
        if isinstance(node.func, ast.Attribute) and self._is_window(node.func.value):
            if node.func.attr not in _METHODS:
                raise self.error(node, _HINT)
            return self._reduced(_METHODS[node.func.attr], node, node.args)
        if node.args and self._is_window(node.args[0]):
            function = self.object_of(node.func)
            for name, kernel in _BUILTIN.items():
                if function is getattr(builtins, name):
                    return self._reduced(kernel, node, node.args[1:])
            name, module = getattr(function, "__name__", ""), getattr(function, "__module__", "")
            if function is NOTHING or module.partition(".")[0] != "numpy":
                raise self.error(node, _HINT)
            if name in ("quantile", "percentile"):
                return self._quantile(node, 1.0 if name == "quantile" else 100.0)
            if name not in _NUMPY:
                raise self.error(node, _HINT)
            return self._reduced(_NUMPY[name], node, node.args[1:])
        return super().call(node)

    def attribute(self, node: ast.Attribute) -> Value:
        """Translate `window.size`."""
        if self._is_window(node.value):
            if node.attr != "size":
                raise self.error(node, _HINT)
            return self._ask("count")
        found = self._idioms.found(node, self._ask)
        return super().attribute(node) if found is None else found

    def subscript(self, node: ast.Subscript) -> Value:
        """Translate `window[0]` and `window[-1]`."""
        if not self._is_window(node.value):
            return super().subscript(node)
        index = self.values_of(self.expr(node.slice)) if not isinstance(node.slice, ast.Slice) else None
        if index == [0]:
            return self._ask("first")
        if index == [-1]:
            return self._ask("last")
        raise self.error(node, "of the values of a window only window[0] and window[-1] are known")

    def name(self, node: ast.Name) -> Value:
        """Translate a name, which is not the whole window."""
        if self._is_window(node):
            raise self.error(node, _HINT)
        return super().name(node)

    def binary(self, node: ast.BinOp) -> Expr:
        """Translate arithmetic: dividing numbers of NumPy by zero raises nothing, nor does a root of a negative one."""
        if not isinstance(node.op, ast.Div | ast.Pow):
            return super().binary(node)
        is_own = self.scope.source is self.own
        if self._origins is None:
            self._origins = Origins(self.own, self.window, self._known_numpy, self.object_of)
        origins = self._origins
        if isinstance(node.op, ast.Pow):
            if is_own and origins.is_numpy(node.left):
                return ["call", "np.power", [self.expr(node.left), self.expr(node.right)]]
            return super().binary(node)
        left, right = self.expr(node.left), self.expr(node.right)
        if getattr(node, "ieee", False) or not is_own:
            return ["call", "np.divide", [left, right]]
        if origins.is_python(node.left) and origins.is_python(node.right):
            return ["/", left, right]
        if origins.is_numpy(node.left) or origins.is_numpy(node.right):
            left = ["call", "float", [left]]  # of integers of NumPy the quotient is a float too
        return ["call", "np.divide", [left, right]]

    def augmented(self, node: ast.AugAssign) -> None:
        """Translate `x /= y` as a division, and other operators as ever."""
        if isinstance(node.op, ast.Div) and isinstance(node.target, ast.Name):
            load = ast.copy_location(ast.Name(id=node.target.id, ctx=ast.Load()), node.target)
            self.assign(node.target, self.binary(ast.copy_location(ast.BinOp(load, node.op, node.value), node)), node)
            return
        super().augmented(node)

    def for_loop(self, node: ast.For) -> None:
        """Translate a loop over the window, or any other."""
        if not self._is_window(node.iter):
            super().for_loop(node)
            return
        scope = self.scope
        if node.orelse:
            raise self.error(node.orelse[0], "else of a loop is not compiled; set a flag before break, and test it")
        if not isinstance(node.target, ast.Name):
            raise self.error(node.target, "the values of a window are numbers: for value in window")
        if scope.depth or scope.loops:
            raise self.error(node, "a loop over the window cannot stand in an if or in another loop; write it before")
        scope.depth += 1
        scope.maybe |= {name for name in assigned([node]) if name in scope.locals}
        ((variable, _),) = self.declared(node.target.id, None, node.target)
        loop = Loop()
        with self.on_some_path():
            body = self.loop_body(loop, node.body)
        exits = loop.breaks + ([set.intersection(*loop.continues)] if loop.continues else [])
        # It is gone through at least once: a window without values has no result.
        scope.live = True
        scope.sure = set.intersection(*exits) if exits else scope.sure
        scope.depth -= 1
        value = variable
        if self._is_used_outside(node.target.id, node):
            # The loop's own variable is known in the loop alone.
            value = f"{variable}.{self.loops_over_window}"
            body = [["set", variable, ["get", value]], *body]
        self.loops_over_window += 1
        self.out.append(["each", value, body])

    loops_over_window = 0

    def _is_used_outside(self, name: str, loop: ast.For) -> bool:
        """Whether a variable also stands outside of a loop."""
        counts = [
            sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(part)) for part in (self.own.node, loop)
        ]
        return counts[0] > counts[1]

    def _is_window(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self.window and self.scope.source is self.own

    def _ask(self, kernel: str) -> Expr:
        self.asked[kernel] = None
        return ["get", kernel]

    def _reduced(self, kernel: str, node: ast.Call, arguments: Sequence[ast.expr]) -> Expr:
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        if kernel in ("std", "var") and not arguments and set(named) <= {"ddof"}:
            ddof = self.values_of(self.expr(named["ddof"])) if named else [0]
            if ddof is None or len(ddof) != 1 or type(ddof[0]) is not int or ddof[0] < 0:
                raise self.error(node, "ddof is a constant, not negative")
            asked = self._ask(f"{kernel}:{ddof[0]}")
            if not ddof[0]:
                return asked
            # NumPy divides by no degrees of freedom; the kernel has no result.
            return ["if", ["compare", self._ask("count"), [["==", 1]]], ["float", "nan"], asked]
        if arguments or named:
            raise self.error(node, f"{kernel} of a window takes no other arguments")
        return self._ask(kernel)

    def _quantile(self, node: ast.Call, whole: float) -> Expr:
        try:
            given = ast.literal_eval(node.args[1])
        except (IndexError, ValueError):
            given = None
        if type(given) not in (int, float) or not 0 <= given <= whole or node.keywords:
            raise self.error(
                node, f"the quantile is a constant from 0 to {whole:g}, and linear interpolation is compiled"
            )
        return self._ask(f"quantile:{given / whole!r}")


def translate_window(
    function: Any, *, outputs: Sequence[str] | None = None, fixed: Mapping[str, Any] | None = None
) -> Program:
    """Translate a function of a window: the inputs are what it asks of the window."""
    source = source_of(function)
    parameters = [argument.arg for argument in [*source.node.args.posonlyargs, *source.node.args.args]]
    if not parameters:
        raise source.error(source.node, "the first parameter is the window, and there is none")

    def run(known: Mapping[str, Any]) -> Program:
        translator = Windows.of(rewrite(source, parameters[0], known), parameters[0])
        scope = translator.scope
        if not _KNOWN.isdisjoint(scope.locals):
            scope.prefix = translator.name_prefix = "own."
        defaults, constants = known_parameters(translator, known)
        others = [name for name in scope.parameters if name != parameters[0] and name not in scope.bindings]
        if lacking := [name for name in others if name not in defaults]:
            raise source.error(
                source.node, f"{lacking[0]} needs a default: besides the window there are constants only"
            )
        if clashing := [name for name in others if name in _KNOWN]:
            raise source.error(
                source.node, f"{clashing[0]} is a name of what is known of a window; give the parameter another name"
            )
        scope.sure |= set(others)
        scope.maybe |= set(others)
        head: list[Statement] = [["set", scope.prefix + name, ["get", name]] for name in others] if scope.prefix else []
        body = [*head, *translator.block(scope.source.body)]
        names = results(translator, body, outputs)
        if translator.loops_over_window:
            if odd := [name for name in translator.asked if name not in _WITH_LOOP]:
                message = (
                    f"beside a loop over the window its {odd[0].partition(':')[0]} is not known; compute it in a loop"
                )
                raise source.error(source.node, message)
            translator.asked = dict.fromkeys(_WITH_LOOP)
        if not translator.asked:
            raise source.error(
                source.node, "the function does not use its window; write len(window), window.mean(), ..."
            )
        known_defaults = {name: value for name, value in defaults.items() if name in others}
        inputs = (*translator.asked, *others)
        return Program(source.name, inputs, (), names, body, known_defaults, constants)

    return fixing(source, fixed, run)


R = TypeVar("R")


class WindowFunction(Generic[R]):
    """A compiled function of a window: called with a column and a window it returns an expression.

    For type checkers `R` is the result of the Python function, which a call with an array has.

    Args:
        program: The translated function.
        function: The Python function itself, for calls with an array.
        outputs: The names of the fields, for a function that returns a tuple.
        errors: What a row gives on which Python raises: "null", or "raise" for an error.
    """

    def __init__(
        self, program: Program, function: Callable[..., Any], outputs: Sequence[str] | None, errors: Errors = "null"
    ) -> None:
        check_errors(program.name, errors)
        self.program = program
        self.function = function
        self.errors = errors
        self._outputs = outputs
        update_wrapper(self, function, updated=())

    @overload
    def __call__(
        self,
        column: IntoColumn,
        window: IntoWindow,
        *,
        min_samples: int = ...,
        closed: Literal["right", "left", "both", "neither"] = ...,
        by: IntoColumn | None = ...,
        center: bool = ...,
        step: int = ...,
        over: IntoColumns | None = ...,
        **constants: Any,
    ) -> KernelExpr: ...
    @overload
    def __call__(self, column: Data, **constants: Any) -> R: ...
    def __call__(
        self,
        column: Any,
        window: IntoWindow | None = None,
        *,
        min_samples: int = 1,
        closed: str = "right",
        by: IntoColumn | None = None,
        center: bool = False,
        step: int = 1,
        over: IntoColumns | None = None,
        **constants: Any,
    ) -> Any:
        """Return the expression of the statistic over windows of a column; of an array, the statistic itself.

        Args:
            column: The column: a name or a Polars expression.
            window: A number of rows, a duration such as "5m" of the time column `by`, or a column: as of every kernel.
            min_samples: The minimum number of values; with fewer the result is null.
            closed: Which ends of the window are inclusive: 'right', 'left', 'both' or 'neither'.
            by: The time column.
            center: Whether the window is centered on its row.
            step: Return a result for every `step`-th row of a key only.
            over: The key columns: the rows of each key are a sequence of their own.
            constants: The function's other parameters.
        """
        if not isinstance(column, str | pl.Expr):
            return self.function(column, **constants)
        if window is None:
            msg = f"{self.program.name}: the window is missing: {self.program.name}({column!r}, 20)"
            raise TypeError(msg)
        known = {**self.program.fixed, **self.program.defaults}
        if unknown := [name for name in constants if name not in known]:
            msg = f"{self.program.name}: there is no parameter '{unknown[0]}'"
            raise TypeError(msg)
        program = self.program
        if any(name in program.fixed for name in constants):
            fixed = {name: constants.get(name, value) for name, value in program.fixed.items()}
            program = translate_window(self.function, outputs=self._outputs, fixed=fixed)
        program = program.with_constants({name: constants.get(name, value) for name, value in program.defaults.items()})
        arguments = {
            "column": column,
            "program": program.json,
            "window": window,
            "min_samples": min_samples,
            "closed": closed,
            "by": by,
            "center": center,
            "step": step,
            "errors": None if self.errors == "null" else self.errors,
        }
        return KernelExpr(make_spec("rolling_program", over, arguments))

    def __repr__(self) -> str:
        return f"<hypostyle function {self.program.name}(window)>"


@overload
def rolling(
    function: Callable[..., R], *, errors: Errors = ..., outputs: Sequence[str] | None = ...
) -> WindowFunction[R]: ...
@overload
def rolling(
    *, errors: Errors = ..., outputs: Sequence[str] | None = ...
) -> Callable[[Callable[..., R]], WindowFunction[R]]: ...
def rolling(
    function: Callable[..., Any] | None = None, *, errors: Errors = "null", outputs: Sequence[str] | None = None
) -> Any:
    """Compile a statistic of a window, in place of `rolling(...).apply(function)`.

    The window is a NumPy array of the values in it, without nulls.  Of it the function may use `len(window)`,
    `window.sum()`, `mean`, `min`, `max`, `median`, `std` and `var` (with `ddof`, 0 as in NumPy), `prod`,
    `np.quantile(window, q)`, `np.ptp(window)`, `window[0]` and `window[-1]`; these come from the kernels of that name.
    Or it computes with arrays as NumPy does, `np.mean(window[1:] / window[:-1] - 1)`, or goes through the values,
    `for value in window`, at a cost that grows with the window.

    Args:
        function: A function of a window; its other parameters are constants with defaults.
        errors: What a row gives on which Python raises: "null", or "raise" for an error that names the row.
        outputs: The names of the fields, for a function that returns a tuple.

    Returns:
        A function of a column and a window, which returns an expression.

    Raises:
        UnsupportedError: The function uses Python that is not compiled; the error points at it.

    Examples:
        >>> import hypostyle as hs
        >>> import polars as pl
        >>> spread = hs.rolling(lambda window: window.max() - window.min() if len(window) > 1 else None)
        >>> frame = pl.DataFrame({"x": [1.0, 4.0, 2.0, 7.0]})
        >>> frame.select(spread("x", 3))["x"].to_list()
        [None, 3.0, 3.0, 5.0]
    """

    def decorate(function: Callable[..., Any]) -> WindowFunction[Any]:
        return WindowFunction(translate_window(function, outputs=outputs), function, outputs, errors)

    return decorate if function is None else decorate(function)
