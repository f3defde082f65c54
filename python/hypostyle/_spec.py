"""From Python arguments to a kernel specification: plain data that Rust checks.

Only types of Python are handled here (expressions, timedeltas, numpy scalars).  Rust checks the values, so that an
error reads the same in every interface.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, cached_property
from typing import Any, Literal, TypeAlias

import polars as pl

from hypostyle import _durations
from hypostyle._library import BUILTIN, Library, catalog_of, library_named

IntoColumn: TypeAlias = "str | pl.Expr"
IntoColumns: TypeAlias = "str | pl.Expr | Sequence[str | pl.Expr]"
IntoNumberOrColumn: TypeAlias = "float | str | pl.Expr"
IntoNumbersOrColumns: TypeAlias = "float | str | pl.Expr | Sequence[float | str | pl.Expr]"
IntoWindow: TypeAlias = "int | str | timedelta | Mapping[Literal['length', 'start'], IntoColumn]"
IntoDuration: TypeAlias = "int | str | timedelta"
IntoHalfLife: TypeAlias = "float | str | timedelta"
IntoOffset: TypeAlias = "int | str | timedelta"
IntoWeights: TypeAlias = "str | Sequence[float]"

CATALOG: Mapping[str, dict[str, Any]] = {
    name: kernel for name, kernel in catalog_of(BUILTIN).items() if kernel["family"] != "function"
}
"""The entry of every kernel that is not a custom one or a user's function, by name."""

_COLUMN_KINDS = {"column", "flags", "columns", "time", "number_or_column", "numbers_or_columns"}
_DURATION_KINDS = {"window", "duration", "half_life", "offset"}
_LIST_KINDS = {"columns", "numbers", "numbers_or_columns", "table", "weights", "words"}
_ONE_IS_A_LIST = {"columns", "numbers_or_columns"}


@dataclass(frozen=True)
class Spec:
    """A kernel with its parameters.

    `computed` holds the inputs that are expressions rather than columns, under placeholder names.  `library` is the
    extension module that has the kernel.
    """

    name: str
    parameters: Mapping[str, Any]
    over: tuple[str, ...] = ()
    alias: str | None = None
    computed: Mapping[str, tuple[str, pl.Expr]] = field(default_factory=dict)
    library: Library = field(default=BUILTIN, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """A module is pickled by its name."""
        return self.__dict__ | {"library": self.library.__name__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, library=library_named(state["library"]))

    @property
    def entry(self) -> dict[str, Any]:
        """The kernel's entry in the catalog."""
        return catalog_of(self.library)[self.name]

    @property
    def shown_name(self) -> str:
        """The kernel's name for people: that of the user's function, if it is one."""
        program = self.parameters.get("program") if self.entry["family"] == "function" else None
        return self.name if program is None else str(json.loads(program)["name"])

    @property
    def shown(self) -> str:
        """The specification for people: a user's function by its name and a mark of what it does."""
        program = self.parameters.get("program") if self.entry["family"] == "function" else None
        if program is None:
            return self.json
        mark = hashlib.sha256(program.encode()).hexdigest()[:8]
        return replace(self, parameters={**self.parameters, "program": f"{self.shown_name} {mark}"}).json

    @property
    def call(self) -> str:
        """The specification as a call, for people: without defaults and alias, a user's function by its name."""
        named = dict(self.parameters)
        parts = []
        if self.entry["family"] == "function" and "program" in named:
            del named["program"]
            parts += [self._written(value) for value in named.pop("columns", ())]
        by_position = True
        for parameter in self.entry["parameters"]:
            name = parameter["name"]
            if name in self.parameters and name not in named:
                continue
            if name not in named or _is_default(parameter, named[name]):
                # What follows one that is left out has to be named.
                by_position = False
                continue
            value = self._written(named[name])
            parts.append(value if parameter["positional"] and by_position else f"{name}={value}")
        if self.over:
            keys = list(self.over)
            parts.append(f"over={self._written(keys[0] if len(keys) == 1 else keys)}")
        return f"{self.shown_name}({', '.join(parts)})"

    def _written(self, value: Any) -> str:
        """Return a parameter's value as Python writes it."""
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(self._written, value))}]"
        if isinstance(value, Mapping):
            if set(value) == {"float"}:
                return f'float("{value["float"]}")'
            return f"{{{', '.join(f'{json.dumps(key)}: {self._written(item)}' for key, item in value.items())}}}"
        if isinstance(value, str) and value in self.computed:
            return str(self.computed[value][1])
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)

    @property
    def depends_on_order(self) -> bool:
        """Whether a row's result depends on other rows: not for functions of a row."""
        if self.entry["family"] != "function":
            return bool(self.entry["family"] != "row")
        program = json.loads(self.parameters["program"])
        return self.name != "program" or bool(program["state"])

    @cached_property
    def json(self) -> str:
        """The specification as Rust reads it."""
        plain: dict[str, Any] = {"name": self.name}
        if self.alias is not None:
            plain["alias"] = self.alias
        if self.over:
            plain["over"] = list(self.over)
        text = json.dumps(plain | dict(self.parameters))
        if "\\u0000" in text:
            self._refuse_nul({**plain, **self.parameters})
        return text

    def _refuse_nul(self, values_of: Mapping[str, Any]) -> None:
        for parameter, value in values_of.items():
            values = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
            for name in values:
                if isinstance(name, str):
                    refuse_nul(self.name, parameter, name)

    @cached_property
    def columns(self) -> list[str]:
        """The columns that the kernel reads; raises if the specification is not valid."""
        return self.library.check(self.json)

    @cached_property
    def output_name(self) -> str:
        """The name of the output column."""
        return self.library.output_name(self.json)

    @property
    def time_columns(self) -> list[str]:
        """The columns by which the kernel's rows must be sorted."""
        times = (p["name"] for p in self.entry["parameters"] if p["kind"] == "time")
        return [self.parameters[name] for name in times if name in self.parameters]

    @property
    def normal(self) -> dict[str, Any]:
        """The specification in its normal form, for comparisons."""
        plain: dict[str, Any] = json.loads(self.library.normal(self.json))
        return plain

    def with_alias(self, alias: str) -> Spec:
        """Return the same kernel with another output name."""
        return replace(self, alias=alias)

    def by_names_alone(self, caller: str) -> Spec:
        """Return itself if every input is a column; raise otherwise."""
        for parameter, expression in self.computed.values():
            if expression.meta.has_multiple_outputs():
                msg = (
                    f"{self.name}, parameter '{parameter}': {caller} takes one column per kernel, by name, got an "
                    "expression of several\n"
                    f"help: make a kernel per column: [hs.{self.name}(name, ...).alias(...) for name in names]"
                )
                raise ValueError(msg)
            msg = (
                f"{self.name}, parameter '{parameter}': {caller} takes columns by name, got the computed expression "
                f"{str(expression).strip('[]')}\n"
                f"help: add the expression as a column first, with_columns((...).alias('{parameter}')), and pass its "
                f"name: {parameter}='{parameter}'"
            )
            raise ValueError(msg)
        return self


def _is_default(parameter: Mapping[str, Any], value: Any) -> bool:
    default = parameter["default"]
    return isinstance(default, Mapping) and value == next(iter(default.values()))


def library_for(specs: Iterable[Spec], caller: str) -> Library:
    """Return the library that runs these kernels together: one with custom kernels has all others too."""
    custom: Spec | None = None
    for spec in specs:
        if spec.library is BUILTIN:
            continue
        if custom is not None and custom.library is not spec.library:
            msg = (
                f"{caller}: {custom.name} is a kernel of {custom.library.__name__} and {spec.name} one of "
                f"{spec.library.__name__}; one call takes the custom kernels of one library: use two calls"
            )
            raise ValueError(msg)
        custom = spec
    return BUILTIN if custom is None else custom.library


def make_spec(name: str, over: IntoColumns | None, arguments: Mapping[str, Any], library: Library = BUILTIN) -> Spec:
    """Return the specification of the kernel `name` with these arguments; `None` means the default."""
    inputs = _Inputs(name, over, arguments)
    parameters: dict[str, Any] = {}
    for parameter, kind in _parameters_of(library)[name]:
        value = arguments.get(parameter)
        if value is None:
            continue
        if kind in _ONE_IS_A_LIST and (isinstance(value, str | pl.Expr) or not isinstance(value, Iterable)):
            value = [value]
        if type(value) is str and kind in _DURATION_KINDS:
            parameters[parameter] = _durations.of_text(name, parameter, value)
        else:
            parameters[parameter] = value if type(value) in _AS_THEY_ARE else inputs.convert(parameter, kind, value)
    keys: tuple[str, ...] = ()
    if over is not None:
        keys = inputs.keys(over)
    return Spec(name, parameters, keys, computed=inputs.computed, library=library)


_AS_THEY_ARE = {str, int, bool}


@cache
def _parameters_of(library: Library) -> Mapping[str, list[tuple[str, str]]]:
    """The parameters of each kernel with their kinds."""
    catalog = catalog_of(library).items()
    return {name: [(p["name"], p["kind"]) for p in kernel["parameters"]] for name, kernel in catalog}


@dataclass
class _Inputs:
    """The inputs of a kernel, as Python gives them; `computed` becomes those that are expressions."""

    name: str
    over: IntoColumns | None
    arguments: Mapping[str, Any]
    computed: dict[str, tuple[str, pl.Expr]] = field(default_factory=dict)

    def convert(self, parameter: str, kind: str, value: Any) -> Any:
        """Return an argument as a JSON value."""
        if isinstance(value, pl.Expr):
            if kind not in _COLUMN_KINDS:
                more = ", or a column as {'length': ...} or {'start': ...}" if kind == "window" else ""
                msg = f"{self.name}, parameter '{parameter}': cannot be an expression\nhelp: pass a plain value{more}"
                raise TypeError(msg)
            return self.column(parameter, value)
        if isinstance(value, Mapping):
            return {part: self.column(parameter, item) for part, item in _bound(self.name, parameter, value).items()}
        if isinstance(value, Iterable) and not isinstance(value, str | bytes):
            numbers = kind == "numbers_or_columns" and type(value).__module__ == "numpy"
            if kind not in _LIST_KINDS or (kind in _ONE_IS_A_LIST and _is_data(value) and not numbers):
                raise TypeError(_several_given(self.name, parameter, kind, value))
            of = "numbers" if kind == "table" else "column"
            return [self.convert(parameter, of, item) for item in value]
        return plain(self.name, parameter, value)

    def keys(self, value: Any) -> tuple[str, ...]:
        """Return the names of the key columns."""
        if isinstance(value, str | pl.Expr):
            return (self.column("over", value),)
        if _is_data(value):
            raise TypeError(_several_given(self.name, "over", "columns", value))
        names = list(value) if isinstance(value, Iterable) else [value]
        for name in names:
            if not isinstance(name, str | pl.Expr):
                msg = f"{self.name}, parameter 'over': expected a column name or several, got {name!r}"
                raise TypeError(msg)
        return tuple(self.column("over", name) for name in names)

    def column(self, parameter: str, value: str | pl.Expr) -> str:
        """Return the name of a column, or a placeholder for an expression."""
        if isinstance(value, str):
            return value
        if value.meta.is_column():
            return value.meta.root_names()[0]
        wanted = parameter if value.meta.has_multiple_outputs() else value.meta.output_name(raise_if_undetermined=False)
        placeholder = wanted = wanted or parameter
        plain_names = _plain_names(self.over, self.arguments)
        while placeholder in plain_names or placeholder in self.computed:
            placeholder = f"{wanted} (computed {len(self.computed) + 1})"
        self.computed[placeholder] = (parameter, value)
        return placeholder


def refuse_nul(caller: str, parameter: str, name: str) -> None:
    """Raise if a name has a NUL: Arrow's C interface, and Polars with it, ends the process at such a column."""
    if "\0" in name:
        msg = f"{caller}: parameter '{parameter}': the name {name!r} has a NUL character; rename the column without it"
        raise ValueError(msg)


def check_column_name(caller: str, parameter: str, name: object) -> None:
    """Raise if this does not name one column."""
    if not isinstance(name, str):
        msg = f"{caller}, parameter '{parameter}': expected the name of one column, got {name!r}"
        raise TypeError(msg)
    refuse_nul(caller, parameter, name)


def from_json(text: str, library: Library) -> Spec:
    """Parse a specification that the library wrote."""
    plain = json.loads(text)
    name, over, alias = plain.pop("name"), tuple(plain.pop("over", ())), plain.pop("alias", None)
    return Spec(name, plain, over, alias, library=library)


def _is_data(value: Any) -> bool:
    """Return whether this is a column of data; an array or index of strings may be names."""
    if type(value).__module__.partition(".")[0] == "pyarrow" or type(value).__name__ == "Series":
        return True
    return hasattr(value, "dtype") and not all(isinstance(name, str) for name in value)


def _several_given(name: str, parameter: str, kind: str, value: Any) -> str:
    """Return the error for a list or data in the place of one value, without the values."""
    own = type(value).__module__.partition(".")[0]
    given = type(value).__name__ if own == "builtins" else f"{own}.{type(value).__name__}"
    where = f"{name}, parameter '{parameter}'"
    if kind not in _COLUMN_KINDS:
        more = "\nhelp: a column that sets each row's window is {'length': 'n'} or {'start': 'since'}"
        return f"{where}: expected a single value, got a {given}{more if kind == 'window' else ''}"
    if not _is_data(value) and all(isinstance(item, str | pl.Expr) for item in value):
        return f"{where}: expected one column, got a {given}\nhelp: make a kernel per column, in a list comprehension"
    return (
        f"{where}: expected the name of a column or a Polars expression, got data: a {given}\n"
        f"help: put it into a frame, pl.DataFrame({{'{parameter}': data}}), and pass the name '{parameter}'"
    )


def _plain_names(over: IntoColumns | None, arguments: Mapping[str, Any]) -> set[str]:
    """Return the columns given by name: no placeholder may have such a name."""
    names = set()
    for value in [over, *arguments.values()]:
        if isinstance(value, Mapping):
            value = list(value.values())
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, str):
                names.add(item)
            elif isinstance(item, pl.Expr) and item.meta.is_column():
                names.add(item.meta.root_names()[0])
    return names


def _bound(name: str, parameter: str, value: Mapping[str, Any]) -> Mapping[str, str | pl.Expr]:
    """Return the column that bounds a window, as the only item of a mapping."""
    if (
        len(value) == 1
        and set(value) <= {"length", "start"}
        and all(isinstance(v, str | pl.Expr) for v in value.values())
    ):
        return value
    wanted = "{'length': column} or {'start': column}"
    msg = f"{name}, parameter '{parameter}': expected a column as {wanted}, got {dict(value)}"
    raise TypeError(msg)


def plain(name: str, parameter: str, value: Any) -> Any:
    """Return a value of Python, numpy or pandas as a JSON value."""
    if isinstance(value, bool | str):
        return value
    if (duration := _durations.of_object(name, parameter, value)) is not None:
        return duration
    if type(value).__module__ == "numpy" and type(value).__name__.startswith("bool"):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        return number if math.isfinite(number) else {"float": str(number)}
    msg = f"{name}, parameter '{parameter}': cannot be a {type(value).__name__}"
    raise TypeError(msg)
