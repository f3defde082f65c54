"""Makes the pipeline file of what was read, with the values and types that the script sees."""

from __future__ import annotations

import ast
import json
import linecache
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypostyle._expr import KernelExpr
from hypostyle._profile.change import Values
from hypostyle._profile.pipelines.table import Condition, NoPipeline, Sink, Step
from hypostyle._spec import Spec

NULLS = ["NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "n/a", "<NA>"]
"""What pandas takes for missing, besides the empty field."""

_TYPES = {
    "bool": "bool", "boolean": "bool", "object": "string", "str": "string", "string": "string",
    "category": "dictionary", "float32": "f32", "float64": "f64", "Float32": "f32", "Float64": "f64",
    "Categorical": "dictionary", "String": "string", "Boolean": "bool", "Date": "date",
}  # fmt: skip
for _bits in (8, 16, 32, 64):
    _TYPES |= dict.fromkeys([f"int{_bits}", f"Int{_bits}"], f"i{_bits}")
    _TYPES |= dict.fromkeys([f"uint{_bits}", f"UInt{_bits}"], f"u{_bits}")

_SUFFIXES = {
    "csv": (".csv", ".txt"),
    "parquet": (".parquet", ".pq"),
    "ipc": (".arrow", ".ipc", ".feather", ".arrows"),
}


@dataclass
class Made:
    """A pipeline file."""

    toml: str
    input: str
    output: str
    kernels: list[str]
    """The kernels as calls, for people."""


class Writer:
    """Writes the pipeline of what is written to a file.

    Args:
        sink: What was read.
        values: The values of names.
        library: The names of libraries and functions of the user, by which code is evaluated.
    """

    def __init__(self, sink: Sink, values: Values, library: Mapping[str, Any]) -> None:
        self._sink, self._values, self._library = sink, values, library
        self._table = sink.table
        self.input = self._path(self._table.source.path)
        self.output = self._path(sink.path)
        if not Path(self.input).is_file():
            raise NoPipeline(f"{self.input} is no file")
        if Path(self.input).resolve() == Path(self.output).resolve():
            raise NoPipeline("it writes the file that it reads")
        self._types = self._types_of_source()

    def made(self, *, nulls: Sequence[str] = ()) -> Made:
        """Return the pipeline; `nulls` are the words for missing values."""
        lines = ["[source]", f"path = {_toml(self.input)}"]
        source = self._table.source
        is_csv = source.format == "csv"
        if _format(self.input) != source.format:
            lines.append(f'format = "{source.format}"')
        delimiter = "," if source.delimiter is None else self._value(source.delimiter)
        if is_csv and delimiter != ",":
            lines.append(f"delimiter = {_toml(delimiter)}")
        if nulls and is_csv:
            lines.append(f"null_values = {_toml(list(nulls))}")
        if source.columns is not None:
            lines.append(f"columns = {_toml(list(self._types))}")
        if is_csv:
            lines += ["", "[source.schema]", *(f"{_key(n)} = {_toml(t)}" for n, t in self._types.items())]
        lines += self._filter()
        stages, outputs, kernels = self._stages()
        lines += stages
        lines += ["", "[sink]", f"path = {_toml(self.output)}"]
        if _format(self.output) != self._sink.format:
            lines.append(f'format = "{self._sink.format}"')
        lines += self._of_sink()
        columns = self._columns(outputs)
        if columns is not None:
            lines.append(f"columns = {_toml(columns)}")
        return Made("\n".join(lines) + "\n", self.input, self.output, kernels)

    # Values

    def _value(self, node: ast.expr) -> Any:
        try:
            return ast.literal_eval(node)
        except ValueError:
            pass
        found = self._values.of(node)
        if found is None:
            try:
                return _evaluated(ast.unparse(node), self._library)
            except Exception as error:
                raise NoPipeline(f"the value of `{ast.unparse(node)}` is not known") from error
        return found

    def _path(self, node: ast.expr) -> str:
        found = self._value(node)
        if not isinstance(found, str | Path):
            raise NoPipeline(f"`{ast.unparse(node)}` is no path")
        return str(found)

    def _names(self, node: ast.expr) -> list[str]:
        found = self._value(node)
        names = [found] if isinstance(found, str) else list(found)
        if not all(isinstance(name, str) for name in names):
            raise NoPipeline(f"`{ast.unparse(node)}` are no names of columns")
        return names

    # Types

    def _types_of_source(self) -> dict[str, str]:
        """Return the type of each column, as the script sees them."""
        source = self._table.source
        frame = _evaluated(ast.unparse(source.call), self._library)
        if source.library == "polars":
            schema = frame.collect_schema()
            return {name: _type(name, str(kind)) for name, kind in schema.items()}
        return {str(name): _type(str(name), str(kind)) for name, kind in frame.dtypes.items()}

    # Filters

    def _filter(self) -> list[str]:
        found: dict[str, dict[str, Any]] = {}
        notes: dict[str, str] = {}
        for columns in self._table.not_null:
            for name in self._types if columns is None else self._names(columns):
                found.setdefault(name, {})["not_null"] = True
        for condition in self._table.conditions:
            name, value, note = self._condition(condition)
            words = found.setdefault(condition.column, {})
            if name in words and words[name] != value:
                raise NoPipeline(f"two conditions `{name}` on {condition.column}")
            words[name] = value
            notes[condition.column] = notes.get(condition.column, "") + note
        if not found:
            return []
        lines = [f"{_key(column)} = {_toml(words)}{notes.get(column, '')}" for column, words in found.items()]
        return ["", "[source.filter]", *lines]

    def _condition(self, condition: Condition) -> tuple[str, Any, str]:
        """Return name and value of a condition, and a comment."""
        value = self._value(condition.value)
        kind = self._types.get(condition.column)
        if kind is None:
            raise NoPipeline(f"{condition.column} is no column of the file")
        if condition.name == "one_of":
            return "one_of", list(value) if isinstance(value, list | tuple | set) else [value], ""
        if condition.name not in ("above", "below"):
            return condition.name, value, ""
        is_above = condition.name == "above"
        if kind[0] in "iu" and isinstance(value, int):
            return ("min", value + 1, "") if is_above else ("max", value - 1, "")
        if kind != "f64" or not isinstance(value, int | float):
            raise NoPipeline(f"a filter knows >= and <=, and no {'>' if is_above else '<'} for {condition.column}")
        # The next number, so that the value itself does not match.
        near = math.nextafter(value, math.inf if is_above else -math.inf)
        return ("min" if is_above else "max"), near, f"  # {condition.column} {'>' if is_above else '<'} {value}"

    # Stages

    def _stages(self) -> tuple[list[str], list[str], list[str]]:
        """Return the lines of the stages, the columns that they add, and the kernels for people."""
        stages: list[tuple[tuple[str, ...], list[dict[str, Any]]]] = []
        outputs: list[str] = []
        shown: list[str] = []
        fresh = 0
        for step in self._table.steps:
            names = {}
            for name, code in step.kernels.items():
                temporary = name
                if step.value is not None:
                    fresh += 1
                    temporary = f"_{step.column}_{fresh}"
                    while temporary in self._types:
                        temporary += "_"
                names[name] = temporary
                spec = self._kernel(code)
                shown.append(spec.call)
                _add(stages, spec, temporary)
                if step.value is None:
                    outputs.append(step.column)
            if step.value is not None:
                spec = self._arithmetic(step, names)
                shown.append(f'"{step.column}" = {_shown(step.value)}' if not names else spec.call)
                _add(stages, spec, step.column)
                outputs.append(step.column)
        lines = []
        for over, kernels in stages:
            lines += ["", "[[stage]]"]
            if over:
                lines.append(f"over = {_toml(over[0] if len(over) == 1 else list(over))}")
            for kernel in kernels:
                lines += ["", "[[stage.kernel]]", *(f"{_key(k)} = {_toml(v)}" for k, v in kernel.items())]
        return lines, outputs, shown

    def _kernel(self, code: str) -> Spec:
        import hypostyle

        try:
            made = _evaluated(code, {**self._library, "hs": hypostyle, "math": math})
        except Exception as error:
            raise NoPipeline(f"`{code}`: {str(error).splitlines()[0]}") from error
        assert isinstance(made, KernelExpr)
        return made._kernel

    def _arithmetic(self, step: Step, names: Mapping[str, str]) -> Spec:
        """Return the compiled function of a column that is arithmetic."""
        assert step.value is not None
        used: dict[str, str] = {}

        class Columns(ast.NodeTransformer):
            def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
                name = str(getattr(node.slice, "value", ""))
                column = names.get(name, name)
                return ast.Name(used.setdefault(column, f"x{len(used) + 1}"), ast.Load())

        tree = Columns().visit(ast.parse(step.value, mode="eval")).body
        numbers = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - set(used.values()) - {"math", "abs"}
        constants = {name: self._value(ast.Name(name, ast.Load())) for name in numbers}
        if not used or not all(type(value) in (int, float) for value in constants.values()):
            raise NoPipeline(f"`{step.value}` has something else than columns and numbers")

        class Numbers(ast.NodeTransformer):
            def visit_Name(self, node: ast.Name) -> ast.AST:
                return ast.Constant(constants[node.id]) if node.id in constants else node

        text = f"lambda {', '.join(used.values())}: {ast.unparse(Numbers().visit(tree))}"
        arguments = ", ".join(map(repr, used))
        return self._kernel(f"hs.jit({text!r})({arguments})")

    # Sink

    def _of_sink(self) -> list[str]:
        options = self._sink.options
        lines = []
        separator = next((options[n] for n in ("sep", "separator") if n in options), None)
        if separator is not None and (delimiter := self._value(separator)) != ",":
            lines.append(f"delimiter = {_toml(delimiter)}")
        given = options.get("compression")
        compression = None if given is None else self._value(given)
        if self._sink.format == "parquet":
            default = "snappy" if self._table.source.library == "pandas" else "zstd"
            compression = default if given is None else compression or "none"
            if compression in ("zstd", "snappy", "lz4", "none", "uncompressed"):
                lines.append(f'compression = "{"none" if compression == "uncompressed" else compression}"')
        elif compression not in (None, "infer"):
            raise NoPipeline(f"compression {compression!r} of {self._sink.format} has no counterpart")
        return lines

    def _columns(self, outputs: Sequence[str]) -> list[str] | None:
        """Return the columns that are written, if they are not those that a pipeline writes anyway."""
        every = list(dict.fromkeys([*self._types, *outputs]))
        picked = self._sink.columns or self._table.columns
        names = every if picked is None else self._names(picked)
        if self._sink.columns is not None and self._table.columns is not None:
            names = self._names(self._sink.columns)
        dropped = {name for columns in self._table.dropped for name in self._names(columns)}
        names = [name for name in names if name not in dropped]
        if lacking := [name for name in names if name not in every]:
            raise NoPipeline(f"{lacking[0]} is no column of the file, and no kernel's")
        has_temporary = any(step.value is not None and step.kernels for step in self._table.steps)
        return names if names != every or has_temporary else None


_files = 0


def _evaluated(code: str, names: Mapping[str, Any]) -> Any:
    """Evaluate an expression whose functions have their source, which compiling them needs."""
    global _files
    _files += 1
    file = f"<hypostyle profile pipeline {_files}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    return eval(compile(code, file, "eval", dont_inherit=True), dict(names))


def _add(stages: list[tuple[tuple[str, ...], list[dict[str, Any]]]], spec: Spec, alias: str) -> None:
    """Add a kernel to the last stage, or to a new one if it has other keys or reads what that stage makes."""
    written = {kernel["alias"] for kernel in stages[-1][1]} if stages else set()
    reads = {*spec.columns, *spec.over}
    replaced = {c for kernel in (stages[-1][1] if stages else []) for c in _texts(kernel) if c == alias}
    if not stages or stages[-1][0] != spec.over or written & (reads | {alias}) or replaced:
        stages.append((spec.over, []))
    defaults = {p["name"]: p["default"] for p in spec.entry["parameters"]}
    kernel: dict[str, Any] = {"name": spec.name}
    for name, value in spec.parameters.items():
        default = defaults.get(name)
        if not (isinstance(default, Mapping) and value == next(iter(default.values()))):
            kernel[name] = value
    stages[-1][1].append({**kernel, "alias": alias})


def _texts(kernel: Mapping[str, Any]) -> set[str]:
    values = [value for name, value in kernel.items() if name not in ("name", "alias")]
    return {
        text for value in values for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)
    }


def _type(name: str, kind: str) -> str:
    if kind in _TYPES:
        return _TYPES[kind]
    if kind.startswith("datetime64["):
        unit, _, zone = kind.removeprefix("datetime64[").removesuffix("]").partition(", ")
        return f"timestamp[{unit}, {zone}]" if zone else f"timestamp[{unit}]"
    if kind.startswith("Datetime("):
        unit = kind.split("'")[1].replace("μs", "us")
        zone = kind.split("time_zone=")[1].rstrip(")")
        return f"timestamp[{unit}]" if zone == "None" else f"timestamp[{unit}, {zone.strip(chr(39))}]"
    raise NoPipeline(f"{name} is {kind}, which is no type of a pipeline")


def _format(path: str) -> str:
    name = path.lower().removesuffix(".gz").removesuffix(".zst")
    return next((kind for kind, ends in _SUFFIXES.items() if name.endswith(ends)), "")


def _key(name: str) -> str:
    return name if name.replace("_", "a").replace("-", "a").isalnum() and name.isascii() else json.dumps(name)


def _shown(code: str) -> str:
    return code.replace("table[", "").replace('"]', '"')


def _toml(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        if set(value) == {"float"}:
            return str(value["float"])
        return f"{{ {', '.join(f'{_key(k)} = {_toml(v)}' for k, v in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return (
            f"'{value}'"
            if '"' in value and "'" not in value and value.isprintable()
            else json.dumps(value, ensure_ascii=False)
        )
    raise NoPipeline(f"{value!r} is no value of a pipeline file")
