"""Names that do not exist: the errors say which name was meant.

Parameters, kernels and methods are looked up in one place, for functions, namespaces, stages and the command.  What
other libraries call them is in `_counterparts`; otherwise the most similar name is offered.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from hypostyle._counterparts import NO_PARAMETERS, PARAMETERS, Counterpart, by_key

P = ParamSpec("P")
T = TypeVar("T")

_OUR_PREFIXES = ("rolling_", "expanding_")
_MOST = 3


def explained(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function: a call that does not fit its parameters says which one was meant.

    The signature, documentation and name stay; a call costs half a microsecond more.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            # The function itself did not begin: the arguments do not fit.
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise
            message = misfit(function.__qualname__, inspect.signature(function), args, kwargs) or str(error)
        raise TypeError(message)

    return call


def misfit(
    name: str, signature: inspect.Signature, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> str | None:
    """Return what is wrong with the arguments of a call; `None` if they fit."""
    is_method = next(iter(signature.parameters), "") in ("self", "cls")
    shown = name.removeprefix("ExprKernels.").removesuffix(".__init__")
    parameters = {p.name: p for p in signature.parameters.values() if p.name not in ("self", "cls")}
    positional = [p.name for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    given = args[1:] if is_method else args
    for key in kwargs:
        if key not in parameters:
            return f"{shown}, parameter '{key}': unknown parameter\nhelp: {parameter_advice(key, parameters)}"
    if len(given) > len(positional):
        others = [f"{p}=" for p in parameters if p not in positional and p not in kwargs]
        takes = f"takes {_listed(positional)} by position" if positional else "takes no arguments by position"
        first = "the expression is the column; " if is_method and shown in _kernel_names() else ""
        advice = f"{first}name the others: {', '.join(others) or 'there are none'}"
        return f"{shown} {takes}, got {len(given)} values\nhelp: {advice}"
    for key in positional[: len(given)]:
        if key in kwargs:
            return f"{shown}, parameter '{key}': given twice, by position and by name\nhelp: remove one of them"
    for key, parameter in parameters.items():
        if parameter.default is parameter.empty and key not in kwargs and key not in positional[: len(given)]:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            return f"{shown}, parameter '{key}': required, but not given\nhelp: {required_advice(shown, key)}"
    return None


def parameter_advice(key: str, known: Iterable[str]) -> str:
    """Return what to write instead of an unknown parameter."""
    known = list(known)
    meant = [ours for ours, theirs in PARAMETERS.items() if key in theirs.split(", ") and ours in known]
    if not meant and key in NO_PARAMETERS:
        return NO_PARAMETERS[key]
    meant = meant or difflib.get_close_matches(key, known, 1)
    return f"did you mean '{meant[0]}'?" if meant else f"the parameters are {_listed(known)}"


def required_advice(kernel: str, key: str) -> str:
    """Return what to give for a required parameter, from the catalog."""
    from hypostyle._spec import CATALOG

    for parameter in CATALOG.get(kernel, {}).get("parameters", ()):
        if parameter["name"] == key:
            text = " ".join(parameter["doc"].split())
            return f"{key}= is {text[:1].lower()}{text[1:].split('. ')[0].rstrip('.')}"
    return f"pass {key}="


def no_attribute(owner: str, name: str, known: Iterable[str], prefix: str) -> AttributeError:
    """Return the error for an attribute that does not exist; `prefix` is what the known ones are written after."""
    # With a name but without an object, Python adds no suggestion of its own.
    message = f"{owner} has no attribute '{name}'"
    if name.startswith("_"):  # Python and its tools look for such names
        return AttributeError(message, name=name)
    advice = f"call the function, hs.{name}(...)" if name in _kernel_names() else kernel_advice(name, known, prefix)
    return AttributeError(f"{message}\nhelp: {advice}", name=name)


def kernel_advice(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return what to use instead of an unknown kernel."""
    known = [other for other in known if not other.startswith("_")]
    plain = name.lower()
    near = [other for other in known if other.lower() == plain]
    if not near and (found := by_key().get(plain)):
        return advice_of(found)
    near = near or [start + plain for start in _OUR_PREFIXES if start + plain in known]
    near = near or difflib.get_close_matches(plain, known, 1, 0.75)
    if near:
        return f"did you mean {' or '.join(prefix + other for other in near)}?"
    # The prefixes of bottleneck, and of what does not exist with this one.
    if (rest := plain.partition("_")[2]) and (rest in by_key() or f"rolling_{rest}" in known):
        return kernel_advice(rest, known, prefix)
    return "`hypostyle kernels` and hs.kernels() list the kernels; docs/other-names.md has names of other libraries"


def advice_of(found: Iterable[Counterpart]) -> str:
    """Return what to use, the general before the particular, and each function once."""
    by_function: dict[str, Counterpart] = {}
    for counterpart in sorted(found, key=lambda counterpart: bool(counterpart.use)):
        by_function.setdefault(counterpart.use.partition("(")[0], counterpart)
    return "; or ".join(counterpart.advice for counterpart in list(by_function.values())[:_MOST])


@cache
def _kernel_names() -> frozenset[str]:
    from hypostyle._spec import CATALOG

    return frozenset(CATALOG)


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
