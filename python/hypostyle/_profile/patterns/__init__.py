"""What is recognized: one kind of code per file.

Each module has `find(file)`, which yields the units of a file.  A unit knows its lines, and what replaces them once the
values are known.  Statistics of windows and the like are not listed here: `templates` has them from the catalog.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TypeAlias

from hypostyle._profile.change import Unit
from hypostyle._profile.patterns import (
    asof_loops,
    filtered_rows,
    folds,
    frame_functions,
    group_functions,
    group_loops,
    grouped,
    grouped_columns,
    lists_of_objects,
    loop_functions,
    loops,
    loops_in_groups,
    moving_windows,
    pipeline_scripts,
    polars_calls,
    polars_group_loops,
    polars_groups,
    polars_rows,
    row_functions,
    rows_of_groups,
    sequences,
    totals_by_key,
)
from hypostyle._profile.syntax import SourceFile

Finder: TypeAlias = "Callable[[SourceFile], Iterator[Unit]]"

FINDERS: tuple[Finder, ...] = (
    grouped.find,
    grouped_columns.find,
    group_functions.find,
    frame_functions.find,
    group_loops.find,
    sequences.find,
    asof_loops.find,
    filtered_rows.find,
    moving_windows.find,
    lists_of_objects.find,
    row_functions.find,
    folds.find,
    polars_groups.find,
    polars_group_loops.find,
    polars_calls.find,
    polars_rows.find,
    totals_by_key.find,
    loop_functions.find,
    rows_of_groups.find,
    loops_in_groups.find,
    loops.find,
    pipeline_scripts.find,
)


def recognize(file: SourceFile) -> list[Unit]:
    """Return the units of a file, in the order in which they are tried."""
    return [unit for find in FINDERS for unit in find(file)]


def place(unit: Unit) -> tuple[int, int]:
    """Return the first and the last line of what takes the time."""
    if isinstance(unit, pipeline_scripts.PipelineScript):
        return unit.lines
    node = unit.node
    assert isinstance(node, ast.expr | ast.stmt)
    return node.lineno, node.end_lineno or node.lineno
