"""The functions of custom kernels, made from their catalog as those of `hypostyle` are generated from its own."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from inspect import Parameter, Signature
from types import ModuleType, SimpleNamespace
from typing import Any

from hypostyle._expr import KernelExpr
from hypostyle._library import BUILTIN, Library, catalog_of, library_of
from hypostyle._spec import make_spec
from hypostyle._suggestions import misfit

_TYPES = {
    "column": "IntoColumn",
    "columns": "IntoColumns",
    "time": "IntoColumn",
    "number": "float",
    "number_or_column": "IntoNumberOrColumn",
    "numbers": "Sequence[float]",
    "table": "Sequence[Sequence[int]]",
    "numbers_or_columns": "IntoNumbersOrColumns",
    "count": "int",
    "flag": "bool",
    "window": "IntoWindow",
    "duration": "IntoDuration",
    "half_life": "IntoHalfLife",
    "offset": "IntoOffset",
    "flags": "IntoColumn",
    "rows": "int",
    "weights": "IntoWeights",
}
_OVER = "The key columns: the rows of each key are a sequence of their own."
_WIDTH = 112


def functions(native: ModuleType) -> SimpleNamespace:
    """Return a function for each custom kernel of an extension module; docs/custom-kernels.md shows how to write one.

    The functions are like those of `hypostyle`: they return expressions that run in Polars, `hypostyle.with_columns`,
    `hypostyle.Stage` and `LazyFrame.hs.with_columns`, beside kernels of `hypostyle`.  `hypostyle.Stage.load`,
    `hypostyle.Stage.from_bytes` and `hypostyle.Pipeline` take the module as `native=`.

    Args:
        native: An extension module that the Rust function `hypostyle_polars::init` has filled.

    Returns:
        A namespace with one function per kernel that `hypostyle` itself does not have.

    Raises:
        TypeError: `native` is not such a module.
        ImportError: The module was built with another version of hypostyle.

    Examples:
        >>> import hypostyle as hs
        >>> from hypostyle import _native
        >>> vars(hs.functions(_native))  # it has no custom kernels
        {}
    """
    library = library_of(native)
    known = catalog_of(BUILTIN)
    return SimpleNamespace(
        **{name: _function(library, kernel) for name, kernel in catalog_of(library).items() if name not in known}
    )


def _function(library: Library, kernel: dict[str, Any]) -> Callable[..., KernelExpr]:
    name = kernel["name"]
    signature = Signature(list(_parameters(kernel)), return_annotation="KernelExpr")

    def function(*args: Any, **kwargs: Any) -> KernelExpr:
        try:
            arguments = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(misfit(name, signature, args, kwargs) or f"{name}() {error}") from None
        return KernelExpr(make_spec(name, arguments.get("over"), arguments, library))

    function.__name__ = function.__qualname__ = name
    function.__module__ = library.__name__
    function.__doc__ = _documentation(kernel)
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


def _parameters(kernel: dict[str, Any]) -> Iterator[Parameter]:
    """Parameters that are taken by position come first."""
    for parameter in sorted(kernel["parameters"], key=lambda parameter: not parameter["positional"]):
        kind = Parameter.POSITIONAL_OR_KEYWORD if parameter["positional"] else Parameter.KEYWORD_ONLY
        annotation = _type(parameter)
        default: Any = Parameter.empty
        if isinstance(parameter["default"], dict):
            (default,) = parameter["default"].values()
        elif parameter["default"] == "omitted":
            annotation, default = f"{annotation} | None", None
        yield Parameter(parameter["name"], kind, default=default, annotation=annotation)
    if _keyed(kernel):
        yield Parameter("over", Parameter.KEYWORD_ONLY, default=None, annotation="IntoColumns | None")


def _type(parameter: dict[str, Any]) -> str:
    if (kind := parameter["kind"]) not in ("choice", "words"):
        return _TYPES[kind]
    choices = f"Literal[{', '.join(map(repr, parameter['choices']))}]"
    return choices if kind == "choice" else f"Sequence[{choices}]"


def _documentation(kernel: dict[str, Any]) -> str:
    explained = [(parameter["name"], parameter["doc"]) for parameter in kernel["parameters"]]
    if _keyed(kernel):
        explained.append(("over", _OVER))
    lines = [_filled(kernel["summary"]), "", textwrap.indent(kernel["formula"], "    "), ""]
    lines += [_filled(kernel["notes"]), ""] if kernel["notes"] else []
    lines += ["Windows, nulls, keys, errors: `help(hypostyle)`.", "", "Args:"]
    lines += [
        textwrap.fill(f"{name}: {doc}", _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8)
        for name, doc in explained
    ]
    lines += ["", _filled(f"Source: {kernel['source']}")] if kernel["source"] else []
    return "\n".join(lines) + "\n"


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), _WIDTH)


def _keyed(kernel: dict[str, Any]) -> bool:
    return bool(kernel["family"] != "row")
