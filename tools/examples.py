"""The worked examples: the catalog's arguments as a call, run over a small frame, with what it prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from catalog_text import Kernel

# The columns of the worked examples; the catalog's examples name them.
EXAMPLE_COLUMNS = {
    "t": "[datetime(2024, 1, 1, 9, minute) for minute in (0, 10, 20, 55, 59)]",
    "x": "[1.0, 2.0, None, 4.0, 3.0]",
    "y": "[3.0, 1.0, 2.0, 5.0, 4.0]",
    "z": "[2.0, 5.0, 4.0, 1.0, 3.0]",
}


def example(kernel: Kernel, make: Any) -> list[str]:
    """The worked example of a kernel with its results, of which at least one is not null."""
    for arguments in candidates(kernel):
        code = f"{kernel['name']}({arguments})"
        expression = eval(code, {kernel["name"]: make, "pl": pl})
        setup = frame_of(expression._kernel)
        names: dict[str, Any] = {}
        exec("\n".join(line for line in setup if "hypostyle" not in line), names)
        results = names["frame"].select(expression).to_series()
        if has_value(results):
            return [f">>> {line}" for line in setup] + shown(code, results)
    msg = f"no example of {kernel['name']} has a value"
    raise ValueError(msg)


def candidates(kernel: Kernel) -> Iterator[str]:
    """The arguments of the catalog's example, then the same with fewer samples and longer windows."""
    given = kernel["example"]
    yield called(kernel, given)
    if "min_samples" in {p["name"] for p in kernel["parameters"]}:
        first = given.get("window")
        for window in range(first, 6) if isinstance(first, int) else [first]:
            longer = {} if window is None else {"window": window}
            most = window if isinstance(window, int) else 5
            yield from (called(kernel, given | longer | {"min_samples": least}) for least in range(1, most + 1))


class Code(str):
    """Python code in the place of a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def called(kernel: Kernel, arguments: dict[str, Any]) -> str:
    """Arguments by parameter, as Python writes them."""
    parts = []
    for parameter in kernel["parameters"]:
        if parameter["name"] not in arguments:
            continue
        value = arguments[parameter["name"]]
        if parameter["kind"] == "flags" and value in EXAMPLE_COLUMNS:
            value = Code(f'pl.col("{value}") > 2')
        text = literal(value)
        parts.append(text if parameter["positional"] else f"{parameter['name']}={text}")
    return ", ".join(parts)


def literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
    if isinstance(value, str) and not isinstance(value, Code):
        return str(value) if value.startswith("pl.") else json.dumps(value)
    return repr(value)


def frame_of(kernel: Any) -> list[str]:
    """The code that makes a frame of the columns that a kernel reads."""
    computed = {root for _, expression in kernel.computed.values() for root in expression.meta.root_names()}
    columns = {*kernel.columns, *computed}
    lines = ["import hypostyle as hs", "import polars as pl"]
    if "t" in columns:
        lines.insert(0, "from datetime import datetime")
    values = {name: text for name, text in EXAMPLE_COLUMNS.items() if name in columns}
    # Long columns, and more of them than fit into a line, get a line each.
    for name in values if len(values) > 2 else values.keys() & {"t"}:
        lines.append(f"{name} = {values[name]}")
        values[name] = name
    items = ", ".join(f'"{name}": {text}' for name, text in values.items())
    return [*lines, f"frame = pl.DataFrame({{{items}}})"]


def has_value(results: pl.Series) -> bool:
    fields = results.struct.unnest().get_columns() if results.dtype == pl.Struct else [results]
    return any(field.null_count() < len(field) for field in fields)


def shown(code: str, results: pl.Series) -> list[str]:
    """The call and what it prints; of a struct the last row."""
    if results.dtype == pl.Struct:
        fields = results.struct.unnest()
        round_ = ".select(pl.all().round(4))" if all(dtype.is_numeric() for dtype in fields.dtypes) else ""
        show = f"fit.unnest({results.name!r}){round_}.row(-1)".replace("'", '"')
        last = (fields.select(pl.all().round(4)) if round_ else fields).row(-1)
        return [f">>> fit = frame.select(hs.{code})", f">>> {show}", repr(last)]
    round_ = ""
    if results.dtype.is_float() and any(len(repr(value)) > 8 for value in results.drop_nulls()):
        results, round_ = results.round(4), ".round(4)"
    return [f">>> frame.select(hs.{code}).to_series(){round_}.to_list()", repr(results.to_list())]
