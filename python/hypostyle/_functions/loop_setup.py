"""What stands before a loop: arrays that are made, lengths, and variables with what they are before the first row."""

from __future__ import annotations

import ast
import builtins
import sys
from typing import Any

from hypostyle._functions.loop_parts import Array, Header
from hypostyle._functions.loop_types import as_column, converted, start_of, type_of
from hypostyle._functions.scope import Scope
from hypostyle._functions.statements import Statements
from hypostyle._functions.values import Expr, Tup, Value, is_constant, is_text
from hypostyle._functions.ways_out import OF_COLUMN


class Length:
    """The number of rows."""


LENGTH = Length()

Target = tuple[ast.expr, ast.expr]
"""A target of a loop, with the array that it goes over."""

_MAKERS = ("empty", "zeros", "ones", "full", "empty_like", "zeros_like", "ones_like", "full_like")
_COPIES = ("asarray", "array", "copy", "ascontiguousarray")


class Setup(Statements):
    """Recognises arrays and lengths."""

    def counted(self, node: ast.For) -> bool:
        """Return that no range ends where the row says: it could well be as long as the rows before are many."""
        return False

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.arrays: dict[str, Array] = {}

    def add(self, array: Array) -> None:
        """Note an array."""
        self.arrays[array.name] = array
        self.scope.bindings[array.name] = array

    def array(self, node: ast.AST) -> Array | None:
        """Return the array that a node names."""
        found = self.scope.bindings.get(node.id) if isinstance(node, ast.Name) else None
        return found if isinstance(found, Array) else None

    def operand_of(self, value: Value, node: ast.expr) -> Expr:
        """Return a value; raise if it is an array or its length."""
        value = super().operand_of(value, node)
        if isinstance(value, Array):
            raise self.error(node, f"an array is read at the loop's row: {value.name}[i]")
        if isinstance(value, Length):
            raise self.error(node, "the number of rows is not known inside of the loop: rows may still come")
        return value

    def iterable(self, node: ast.expr) -> Tup:
        """Translate something with a number of items that is known, as no array is."""
        array = self.array(node)
        if array is not None:
            way = OF_COLUMN.format(name="mean").replace("'x'", f"'{array.name}'")
            raise self.error(node, f"{array.name} has rows that may still come; {way}")
        return super().iterable(node)

    def length(self, node: ast.Call) -> Expr:
        """Translate `len`; of an array it is not known."""
        if self.is_length(node):
            raise self.error(node, "the number of rows is not known inside of the loop: rows may still come")
        return super().length(node)

    def is_length(self, node: ast.expr) -> bool:
        """Return whether a node is the number of rows: `n`, `len(x)`, `x.size` or `x.shape[0]`."""
        match node:
            case ast.Name(id=name):
                return isinstance(self.scope.bindings.get(name), Length)
            case ast.Call(func=ast.Name() as function, args=[_, _, *_] as lengths, keywords=[]):
                return all(map(self.is_length, lengths)) and self.object_of(function) is builtins.min
            case ast.Call(func=ast.Name() as function, args=[array], keywords=[]):
                return self.array(array) is not None and self.object_of(function) is builtins.len
            case ast.Attribute(value=array, attr="size"):
                return self.array(array) is not None
            case ast.Subscript(value=ast.Attribute(value=array, attr="shape"), slice=ast.Constant(value=0)):
                return self.array(array) is not None
            case ast.Attribute(value=array, attr="shape"):
                return self.array(array) is not None
        return False

    def numpy_name(self, node: ast.expr) -> str | None:
        """Return the name of a numpy function that makes or copies an array."""
        found = self.object_of(node) if isinstance(node, ast.Name | ast.Attribute) else None
        numpy: Any = sys.modules.get("numpy")
        for name in (*_MAKERS, *_COPIES):
            if numpy is not None and found is getattr(numpy, name):
                return name
        return None

    def made(self, name: str, node: ast.expr) -> Array | None:
        """Return the output that an expression makes, if it makes one."""
        match node:
            case ast.BinOp(left=ast.List(elts=[item]), op=ast.Mult(), right=count) if self.is_length(count):
                item_of = self.plain_constant(item)
                return Array(name, False, initial=item_of, start=item_of, is_known=True, is_python=True, is_object=True)
            case ast.Call(func=ast.Attribute(value=array, attr="copy"), args=[]) if self.array(array) is not None:
                return self._copy_of(name, self.arrays[_name(array)])
            case ast.Call(func=function, args=[first, *others]):
                maker = self.numpy_name(function)
                if maker in _COPIES and self.array(first) is not None and name != _name(first):
                    return self._copy_of(name, self.arrays[_name(first)])
                if maker in _MAKERS and (self.is_length(first) or self.array(first) is not None):
                    return self._from_maker(name, maker, node, others)
        return None

    def _copy_of(self, name: str, array: Array) -> Array:
        like = array.name if array.is_input else array.like
        return Array(name, False, initial=["get", array.name], conversion=array.conversion, like=like)

    def stored(self, array: Array, value: Expr) -> Expr:
        """Return a value as an array keeps it."""
        return converted(array.conversion, value) if array.like is None else as_column(array.like, value)

    def _from_maker(self, name: str, maker: str, node: ast.Call, others: list[ast.expr]) -> Array:
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        kind, _, like = maker.partition("_")
        fill = keywords.pop("fill_value", None)
        if kind == "full":
            fill, others = (others[0], others[1:]) if others else (fill, others)
            if fill is None:
                raise self.error(node, "np.full needs a value")
        dtype = keywords.pop("dtype", others[0] if others else None)
        if keywords:
            raise self.error(node, f"np.{maker} is compiled without {next(iter(keywords))}")
        constants: dict[str, Expr] = {"zeros": 0, "ones": 1, "empty": None}
        initial = constants[kind] if fill is None else self.plain_constant(fill)
        if is_text(initial) and (dtype is None or not self._is_object(dtype)):
            raise self.error(node, "an array of strings cuts them off at a length; make one of objects: dtype=object")
        made = Array(name, False)
        model = self.array(node.args[0])
        if dtype is not None and self._is_object(dtype):
            made.is_object = True
        elif dtype is not None:
            made.conversion = self.conversion(dtype)
        elif like and model is not None:
            made.conversion, made.like = model.conversion, model.name if model.is_input else model.like
        else:
            made.conversion = type_of(initial) if kind == "full" else "float"
        if kind != "empty":
            self.fill(made, initial)
        return made

    def fill(self, array: Array, constant: Expr) -> None:
        """Let every item of an array be a constant."""
        array.initial = self.stored(array, constant)
        array.start = array.initial if array.like is None else start_of(constant)
        array.is_known = True

    def conversion(self, node: ast.expr) -> str:
        """Return the function that a type of numpy stands for."""
        name: str | None = None
        if isinstance(node, ast.Constant):
            name = str(node.value)
        elif (found := self.object_of(node)) is not None:
            name = getattr(found, "__name__", None)
        for conversion, names in _TYPES.items():
            if name in names:
                return conversion
        raise self.error(node, "arrays of float64, int64 and bool are compiled")

    def _is_object(self, dtype: ast.expr) -> bool:
        """Whether a type of numpy is that of objects, which are kept as they are."""
        if isinstance(dtype, ast.Constant):
            return dtype.value in ("object", "O")
        return self.object_of(dtype) is builtins.object

    def plain_constant(self, node: ast.expr) -> Expr:
        """Translate a constant that is no tuple."""
        value = self.value(node)
        if isinstance(value, Tup) or not is_constant(value):
            raise self.error(node, "what an array starts with must be a constant")
        return value

    def header(self, loop: ast.For) -> Header:
        """Return what a loop goes over."""
        header = Header()
        target, iterated = loop.target, loop.iter
        if isinstance(iterated, ast.Call) and self._is(iterated, enumerate) and len(iterated.args) == 1:
            if not (isinstance(target, ast.Tuple) and len(target.elts) == 2 and isinstance(target.elts[0], ast.Name)):
                raise self.error(target, "enumerate gives two: for i, v in enumerate(x)")
            header.index = target.elts[0].id
            target, iterated = target.elts[1], iterated.args[0]
        elif isinstance(iterated, ast.Call) and (
            self._is(iterated, range) or getattr(self.object_of(iterated.func), "__name__", "") == "prange"
        ):
            return self._range(loop, iterated)
        if isinstance(iterated, ast.Call) and self._is(iterated, zip):
            if not (isinstance(target, ast.Tuple) and len(target.elts) == len(iterated.args)):
                raise self.error(target, "zip gives one value for each array: for a, b in zip(x, y)")
            header.values = list(zip(target.elts, iterated.args, strict=True))
        else:
            header.values = [(target, iterated)]
        header.values, header.start = self._from_row(header.values)
        if header.start is not None and header.index is not None:
            raise self.error(loop.iter, "enumerate of x[1:] counts from 0; write for i in range(1, len(x))")
        for _, value in header.values:
            array = self.array(value)
            if array is None or not array.is_input:
                msg = "the loop goes over rows: for i in range(len(x)), for v in x, or with zip or enumerate"
                raise self.error(value, msg)
        return header

    def _from_row(self, values: list[Target]) -> tuple[list[Target], ast.expr | None]:
        """Return the arrays of slices `x[1:]`, and the row that all of them begin at."""
        starts: list[ast.expr | None] = []
        arrays: list[Target] = []
        for target, value in values:
            match value:
                case ast.Subscript(value=array, slice=ast.Slice(lower=lower, upper=None, step=None)):
                    starts.append(lower)
                    arrays.append((target, array))
                case _:
                    starts.append(None)
                    arrays.append((target, value))
        if len({None if start is None else ast.dump(start) for start in starts}) > 1:
            raise self.error(values[0][1], "all arrays of a loop begin at the same row: zip(x[1:], y[1:])")
        return arrays, starts[0]

    def _is(self, node: ast.Call, function: object) -> bool:
        # Columns have one length, so that `zip` says nothing by `strict`.
        keywords = {keyword.arg for keyword in node.keywords} - ({"strict"} if function is zip else set())
        return self.object_of(node.func) is function and not keywords

    def _range(self, loop: ast.For, node: ast.Call) -> Header:
        arguments = self.arguments(node)
        if len(arguments) == 3 and isinstance(arguments[2], ast.Constant) and arguments[2].value == 1:
            arguments = arguments[:2]
        if not isinstance(loop.target, ast.Name) or len(arguments) not in (1, 2):
            raise self.error(loop.iter, "the loop goes over all rows, forwards: for i in range(len(x))")
        if not self.is_length(arguments[-1]):
            msg = "the loop goes to the last row: range(len(x)); a loop to len(x) - 1 looks at the next row"
            raise self.error(arguments[-1], msg)
        return Header(loop.target.id, arguments[0] if len(arguments) == 2 else None)


_TYPES = {
    "float": ("float", "float64", "f8", "double"),
    "int": ("int", "int64", "i8", "intp"),
    "bool": ("bool", "bool_", "?"),
}


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""
