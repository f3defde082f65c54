"""What the plan of a LazyFrame says: whether its rows have an order, and which stages are in it.

Polars prints plans, but the text does not say which order a join keeps.  So the plan is read through the visitor that
Polars gives to its GPU engine.  The visitor is not public, so any error of it is caught: what it cannot show is taken
as a node that keeps the order of its inputs, and a warning about the order is never false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import polars as pl

Source = TypeVar("Source")


@dataclass(frozen=True)
class Node:
    """A node of a plan; `view` is what Polars shows of it, `None` if it shows nothing."""

    view: Any
    inputs: list[int]

    @property
    def kind(self) -> str:
        """The name of the operation, as Polars has it."""
        return type(self.view).__name__

    @property
    def join(self) -> tuple[str, str]:
        """The type of a join, and the order that it keeps."""
        how, *_, order = self.view.options
        return (how if isinstance(how, str) else how[0]), order


def row_order_lost_by(frame: pl.LazyFrame) -> str | None:
    """Return the operation after which the rows of a plan have no defined order, `None` if they have one.

    A sort gives the rows an order again, whatever came before it.
    """
    return next(filter(None, (_lost(node) for node in _walked(frame, _ordered_by))), None)


def sources_of(frame: pl.LazyFrame, wanted: type[Source]) -> Iterator[Source]:
    """Yield the IO sources of a class in a plan, those of the left input first."""
    for node in _walked(frame, lambda node: node.inputs):
        source = getattr(node.view.options[0], "io_source", None) if node.kind == "PythonScan" else None
        if isinstance(source, wanted):
            yield source


def _walked(frame: pl.LazyFrame, inputs: Callable[[Node], list[int]]) -> Iterator[Node]:
    """Yield the nodes of a plan from the last operation down, each once; none if Polars has no such visitor.

    The plan is the user's own: optimized, it would drop an order that an operation below has not.
    """
    try:
        visitor = frame._ldf.with_optimizations(pl.QueryOptFlags.none()._pyoptflags).visit()
    except Exception:
        return
    waiting, seen = [visitor.get_node()], set()
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        visitor.set_node(number)
        try:
            view = visitor.view_current_node()
        except Exception:
            view = None
        node = Node(view, visitor.get_inputs())
        yield node
        waiting += reversed(inputs(node))


def _lost(node: Node) -> str | None:
    """Return the name of an operation that gives no order."""
    view, kind = node.view, node.kind
    if kind == "Join":
        how, order = node.join
        return None if how == "AsOf" or order != "none" else f"{how.lower()} join without maintain_order"
    if kind == "GroupBy" and not view.maintain_order:
        return "group_by without maintain_order=True"
    if kind == "Distinct" and not view.options[2]:
        return "unique without maintain_order=True"
    if kind == "Union" and not view.maintain_order:
        return "union"
    if kind == "MapFunction" and view.function[0] == "unpivot":
        return "unpivot"
    return None


def _ordered_by(node: Node) -> list[int]:
    """Return the inputs whose order the rows keep."""
    if node.kind == "Sort":
        return []
    if node.kind == "Join":
        left, right = node.inputs
        return [right] if node.join[1].startswith("right") else [left]
    return node.inputs
