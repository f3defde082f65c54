"""Results with names: a call of a namedtuple or of a dataclass is a tuple, or a result with the names of its fields."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any


def fields_of(made: object) -> tuple[tuple[str, ...], dict[str, Any]] | str | None:
    """Return the fields of a class and their defaults; why it has none that are known; None if it is no record."""
    if not isinstance(made, type):
        return None
    names = getattr(made, "_fields", None)
    if issubclass(made, tuple) and isinstance(names, tuple):
        return names, dict(getattr(made, "_field_defaults", {}))
    if not dataclasses.is_dataclass(made):
        return None
    if hasattr(made, "__post_init__"):
        return f"{made.__name__} has a __post_init__, which is not compiled; return a dict"
    found = dataclasses.fields(made)
    if any(field.default_factory is not dataclasses.MISSING or not field.init or field.kw_only for field in found):
        return f"{made.__name__} has fields that are made in a way of their own; return a dict"
    defaults = {field.name: field.default for field in found if field.default is not dataclasses.MISSING}
    return tuple(field.name for field in found), defaults


def arguments_of(node: ast.Call, names: tuple[str, ...], defaults: dict[str, Any]) -> dict[str, ast.expr] | str:
    """Return the arguments of a record's call by field; what stands against it otherwise."""
    if len(node.args) > len(names) or any(isinstance(argument, ast.Starred) for argument in node.args):
        return f"the fields are {', '.join(names)}: give one value for each"
    given = dict(zip(names, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg not in names or keyword.arg in given:
            return f"the fields are {', '.join(names)}: give one value for each"
        given[keyword.arg] = keyword.value
    for name in names:
        if name in given:
            continue
        if name not in defaults:
            return f"the field {name} has no value"
        if not isinstance(defaults[name], int | float | bool | str | None):
            return f"the default of {name} is no number; give a value"
        given[name] = ast.copy_location(ast.Constant(defaults[name]), node)
    return {name: given[name] for name in names}
