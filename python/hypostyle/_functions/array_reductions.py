"""What NumPy computes of an array with few items, in the order in which NumPy adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypostyle._functions.values import Expr


def reduction(name: str, items: Sequence[Expr], kept: Callable[[Expr], Expr]) -> Expr | None:
    """Return the sum, mean, variance, deviation or an extreme of items; None for anything else.

    Args:
        name: What is computed: `maximum` and `minimum` are those that are NaN if an item is.
        items: The items, at least one.
        kept: Returns an expression for a value that is read more than once.
    """
    if name in ("maximum", "minimum"):
        best = items[0]
        for item in items[1:]:
            best = ["call", f"np.{name}", [best, item]]
        return best
    if name == "sum":
        return _added(items)
    if name not in ("mean", "std", "var"):
        return None
    floats: list[Expr] = [["call", "float", [item]] for item in items]
    mean = kept(["/", _added(floats), len(items)])
    if name == "mean":
        return mean
    distances = [kept(["-", item, mean]) for item in floats]
    variance: Expr = ["/", _added([["*", d, d] for d in distances]), len(items)]
    return ["call", "np.sqrt", [variance]] if name == "std" else variance


def _added(items: Sequence[Expr]) -> Expr:
    """Return a sum in NumPy's order: eight sums of every eighth item, added in pairs, and the rest."""

    def in_turn(parts: Sequence[Expr]) -> Expr:
        total = parts[0]
        for part in parts[1:]:
            total = ["+", total, part]
        return total

    if len(items) < 8:
        return in_turn(items)
    whole = len(items) // 8 * 8
    sums = [in_turn(items[at:whole:8]) for at in range(8)]
    while len(sums) > 1:
        sums = [["+", a, b] for a, b in zip(sums[::2], sums[1::2], strict=True)]
    return in_turn([sums[0], *items[whole:]])
