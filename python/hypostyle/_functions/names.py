"""Names: local variables, captured values, fields of the state, columns of a row."""

from __future__ import annotations

import ast
import enum
import types
from collections.abc import Iterator
from contextlib import contextmanager

from hypostyle._functions.base import Base
from hypostyle._functions.records import fields_of
from hypostyle._functions.values import (
    ROW,
    STATE,
    Expr,
    Tup,
    Value,
)
from hypostyle._functions.ways_out import of_attribute


class Names(Base):
    """Translates names and attributes."""

    def value(self, node: ast.expr) -> Value:
        """Translate any expression."""
        raise NotImplementedError

    def struct_time(self, node: ast.Attribute) -> Value | None:
        """Translate a field of `t.timetuple()`; None if it is none."""
        raise NotImplementedError

    def time_part(self, owner: ast.expr, name: str, *, is_call: bool) -> Value | None:
        """Translate a method or an attribute of a time; None if it is none."""
        raise NotImplementedError

    def name(self, node: ast.Name) -> Value:
        """Translate a name: a local variable, or the value of a captured one."""
        scope = self.scope
        if node.id in scope.bindings:
            return scope.bindings[node.id]
        if node.id not in scope.locals and scope.outer is not None and node.id in scope.free:
            with self.outside():
                return self.name(node)
        if node.id not in scope.locals:
            return self.encode(self.captured(node), node, f"{node.id} cannot be captured: ")
        if node.id not in scope.maybe:
            raise self.error(node, f"{node.id} has no value here: it is assigned later, or never")
        if node.id not in scope.sure:
            self.unsure(node)
        return self.read(scope.prefix + node.id, scope.shapes.setdefault(node.id, None))

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Translate in the function around the one that is inlined: its variables have the values of this moment."""
        inner = self.scope
        if inner.outer is not None:
            self.scope = inner.outer
        yield
        self.scope = inner

    def unsure(self, node: ast.Name) -> None:
        """Read a name that may have no value on some path."""
        if self.scope.is_helper:
            raise self.error(node, f"{node.id} may have no value here; give it one at the start of the function")

    def captured(self, node: ast.Name) -> object:
        """Return the object of a name that is not local."""
        try:
            return self.scope.captured(node.id)
        except NameError:
            if node.id == self.scope.function.__name__:
                raise self.error(node, f"{node.id} calls itself; write a while loop") from None
            raise self.error(node, f"{node.id} is not defined (yet); define it above the function") from None

    def object_of(self, node: ast.expr) -> object:
        """Return the object that a name or a dotted name has outside of the function; `_NOTHING` for other nodes."""
        if isinstance(node, ast.Name) and not self.scope.is_local(node.id):
            if self.scope.outer is not None and node.id in self.scope.free:
                with self.outside():
                    return self.object_of(node)
            return self.captured(node)
        if isinstance(node, ast.Attribute):
            owner = self.object_of(node.value)
            if isinstance(owner, types.ModuleType | type):
                try:
                    return getattr(owner, node.attr)
                except AttributeError:
                    raise self.error(node, f"{owner.__name__} has no attribute {node.attr}") from None
            if _is_fixed(owner, node.attr):
                return getattr(owner, node.attr)
        return NOTHING

    def attribute(self, node: ast.Attribute) -> Value:
        """Translate `state.field`, `row.column`, or a constant of a module."""
        found: object
        if isinstance(node.value, ast.Name) and self.scope.is_local(node.value.id):
            owner = self.value(node.value)
            if owner is STATE:
                return self.field(node.attr, node)
            if owner is ROW:
                return self.column_by_attribute(node)
            if isinstance(owner, Tup) and owner.names is not None and node.attr in owner.names:
                return owner.items[owner.names.index(node.attr)]
            found = NOTHING
        elif isinstance(node.value, ast.Call) and self._makes_fields(node.value.func):
            made = self.value(node.value)
            if node.attr not in made.names:
                raise self.error(node, f"it has no field {node.attr}; its fields are {', '.join(made.names)}")
            return self.after(made.before, made.items[made.names.index(node.attr)])
        else:
            found = self.object_of(node)
        if found is NOTHING:
            part = self.struct_time(node) or self.time_part(node.value, node.attr, is_call=False)
            if part is None:
                raise self.error(node, of_attribute(node))
            return part
        return self.encode(found, node, f"{ast.unparse(node)} cannot be captured: ")

    def _makes_fields(self, function: ast.expr) -> bool:
        """Whether a call makes a tuple with names."""
        is_method = isinstance(function, ast.Attribute) and function.attr == "isocalendar"
        return is_method or fields_of(self.object_of(function)) is not None

    def field(self, name: str, node: ast.AST) -> Expr:
        """Return the field of a state: as it was before the row, or as the function assigned it."""
        if name not in self.fields:
            raise self.error(node, f"the state has no field {name}; its fields are {', '.join(self.fields)}")
        return ["get", f"{self.name_prefix}state.{name}"] if name in self.assigned_fields else ["field", name]

    def column_by_attribute(self, node: ast.Attribute) -> Expr:
        """Return the column of a row that an attribute names."""
        import sys

        series = getattr(sys.modules.get("pandas"), "Series", None)
        if hasattr(series, node.attr):
            raise self.error(node, f"{node.attr} is an attribute of a row itself; for the column write ['{node.attr}']")
        return self.column(node.attr)

    def column(self, name: str) -> Expr:
        """Return a column of the row."""
        self.columns[name] = None
        return ["get", name]


def _is_fixed(owner: object, name: str) -> bool:
    """Whether an attribute of an object never changes: that of an enumeration's member, or of a frozen record."""
    if isinstance(owner, enum.Enum):
        return name in ("value", "name")
    if isinstance(owner, tuple):
        return name in getattr(owner, "_fields", ())
    parameters = getattr(type(owner), "__dataclass_params__", None)
    return bool(parameters and parameters.frozen) and name in getattr(owner, "__dataclass_fields__", {})


class _Nothing:
    pass


NOTHING = _Nothing()
"""An expression that is no object outside of the function."""
