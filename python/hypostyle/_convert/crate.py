"""The files of the crate."""

from __future__ import annotations

import ast
import platform
import re
from pathlib import Path

from hypostyle._convert.code import RUST, type_name
from hypostyle._convert.function import Converted
from hypostyle._convert.samples import Row, shown
from hypostyle._convert.variables import Type

DTYPES = {"float": "Float64", "int": "Int64", "bool": "Boolean"}
ACCESS = {"float": "f64", "int": "i64", "bool": "bool"}
ANNOTATED = {"float": "float", "int": "int", "bool": "bool"}
WRITTEN_BY = "hypostyle convert"


def package_name(converted: Converted) -> str:
    """Return the name of the crate and of the Python package."""
    plain = re.sub(r"[^a-z0-9_]", "_", converted.origin.name.lower()).strip("_")
    return f"{plain if plain[:1].isalpha() else 'function'}_plugin"


def files(converted: Converted, samples: list[list[Row]], origin: str) -> dict[str, str]:
    """Return the files of a crate by their paths."""
    package = package_name(converted)
    has_python = bool(re.search(r"\bpub fn\b", converted.python_rs))
    return {
        "Cargo.toml": _cargo(converted, package, origin),
        "pyproject.toml": _pyproject(package),
        "README.md": _readme(converted, package, origin),
        ".gitignore": "/target\n*.so\n*.pyd\n__pycache__/\n",
        "rustfmt.toml": 'max_width = 120\nuse_small_heuristics = "Max"\n',
        "src/lib.rs": _lib(converted, has_python),
        "src/function.rs": converted.function_rs,
        **({"src/python.rs": converted.python_rs} if has_python else {}),
        "src/plugin.rs": _plugin(converted),
        "tests/rows.rs": _rows(converted, package, samples),
        f"python/{package}/__init__.py": _stub(converted),
        f"python/{package}/py.typed": "",
    }


def write(folder: Path, content: dict[str, str]) -> None:
    """Write the files."""
    for name, text in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _cargo(converted: Converted, package: str, origin: str) -> str:
    struct = ', features = ["dtype-struct"]' if converted.origin.program.outputs else ""
    return f"""[package]
name = "{package}"
version = "0.1.0"
edition = "2024"
rust-version = "1.87"
description = "{converted.origin.name} of {origin}, as a Polars plugin"

[lib]
crate-type = ["cdylib", "rlib"]
doctest = false

[features]
default = ["plugin"]
# Without it there is only the function, and no dependency: cargo test --no-default-features
plugin = ["dep:polars", "dep:pyo3", "dep:pyo3-polars"]

# These go together: pyo3-polars 0.28 is for polars 0.55 and pyo3 0.29.
[dependencies]
polars = {{ version = "0.55.2", default-features = false{struct}, optional = true }}
pyo3 = {{ version = "0.29", features = ["abi3-py310"], optional = true }}
pyo3-polars = {{ version = "0.28", features = ["derive"], optional = true }}
"""


def _pyproject(package: str) -> str:
    return f"""[build-system]
requires = ["maturin>=1.9,<2"]
build-backend = "maturin"

[project]
name = "{package.replace("_", "-")}"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["polars>=2.0"]

[tool.maturin]
module-name = "{package}._internal"
python-source = "python"
"""


def _lib(converted: Converted, has_python: bool) -> str:
    python = "mod python;\n" if has_python else ""
    return f"""//! `{converted.origin.name}`: the function is in `function`, what Polars needs in `plugin`.

pub mod function;
#[cfg(feature = "plugin")]
mod plugin;
{python}"""


def _plugin(converted: Converted) -> str:
    program, name = converted.origin.program, converted.plugin_function
    inputs = list(converted.inputs.items())
    columns = "\n".join(
        f"    let c{n} = column(inputs, {n}, {_quoted(column)}, &DataType::{DTYPES[kind]})?;\n"
        f"    let c{n} = c{n}.{ACCESS[kind]}()?;"
        for n, (column, kind) in enumerate(inputs)
    )
    arguments = ", ".join(f"c{n}.get(row % c{n}.len())" for n in range(len(inputs)))
    state = "    let mut state = function::State::default();\n" if converted.has_state else ""
    call = f"function::{converted.rust_function}({'&mut state, ' if converted.has_state else ''}{arguments})"
    if program.outputs:
        output = "output_type_func=fields"
        kinds = [DTYPES[of.kind] for of in converted.results]
        names = [_quoted(output) for output in program.outputs]
        declared = ", ".join(f"Field::new({n}.into(), DataType::{k})" for n, k in zip(names, kinds, strict=True))
        extra = f"""
fn fields(inputs: &[Field]) -> PolarsResult<Field> {{
    let fields = vec![{declared}];
    Ok(Field::new(inputs[0].name().clone(), DataType::Struct(fields)))
}}
"""
        columns_of = []
        for n, of in enumerate(converted.results):
            taken = f"result.and_then(|result| result.{n})" if of.nullable else f"result.map(|result| result.{n})"
            columns_of.append(
                f"{kinds[n]}Chunked::from_iter_options({names[n]}.into(), results.iter().map(|result| {taken}))"
                ".into_series()"
            )
        result = f"""    let results: Vec<_> = (0..rows).map(|row| {call}).collect();
    let columns = [{", ".join(columns_of)}];
    Ok(StructChunked::from_series(name, rows, columns.iter())?.into_series())"""
    else:
        dtype = DTYPES[converted.results[0].kind]
        output, extra = f"output_type={dtype}", ""
        result = f"""    let results = (0..rows).map(|row| {call});
    Ok({dtype}Chunked::from_iter_options(name, results).into_series())"""
    return f"""//! The function as a plugin of Polars: one value or null of every input is a row.

use polars::prelude::*;
use pyo3::prelude::*;
use pyo3_polars::derive::polars_expr;

use crate::function;

#[pymodule]
fn _internal(_module: &Bound<'_, PyModule>) -> PyResult<()> {{
    Ok(())
}}
{extra}
#[polars_expr({output})]
fn {name}(inputs: &[Series]) -> PolarsResult<Series> {{
    let name = inputs[0].name().clone();
    let rows = inputs.iter().map(|series| series.len()).max().unwrap_or(0);
    let rows = if inputs.iter().any(|series| series.is_empty()) {{ 0 }} else {{ rows }};
{columns}
{state}{result}
}}

/// An input with the type that the function has for it; what would change by the conversion is an error.
fn column(inputs: &[Series], number: usize, name: &str, wanted: &DataType) -> PolarsResult<Series> {{
    let series = &inputs[number];
    let given = series.dtype();
    let fits = given == wanted
        || given.is_null()
        || match wanted {{
            DataType::Int64 => matches!(
                given,
                DataType::Int8
                    | DataType::Int16
                    | DataType::Int32
                    | DataType::UInt8
                    | DataType::UInt16
                    | DataType::UInt32
            ),
            DataType::Float64 => matches!(
                given,
                DataType::Float32
                    | DataType::Int8
                    | DataType::Int16
                    | DataType::Int32
                    | DataType::UInt8
                    | DataType::UInt16
                    | DataType::UInt32
            ),
            _ => false,
        }};
    if !fits {{
        polars_bail!(InvalidOperation: "{{name}} takes a column of {{wanted}}, not of {{given}}: cast it first");
    }}
    Ok(series.cast(wanted)?.rechunk())
}}
"""


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _rows(converted: Converted, package: str, samples: list[list[Row]]) -> str:
    inputs = list(converted.inputs.items())
    types = [type_name(Type(kind, True)) for _, kind in inputs]
    names = [f"x{n}" for n in range(len(inputs))]
    call = ", ".join(names)
    outputs = bool(converted.origin.program.outputs)
    inexact = converted.is_inexact

    def row(values: list[object], results: list[object] | None, ulps: int) -> str:
        cells = [shown(value, kind) for value, (_, kind) in zip(values, inputs, strict=True)]
        if results is None:
            want = "None"
        elif outputs:
            parts = [shown(r, of.kind) for r, of in zip(results, converted.results, strict=True)]
            plain = [part if of.nullable else _inner(part) for part, of in zip(parts, converted.results, strict=True)]
            want = f"Some(({', '.join(plain)}{',' if len(plain) == 1 else ''}))"
        else:
            want = shown(results[0], converted.results[0].kind)
        return f"({', '.join([*cells, want, *([str(ulps)] if inexact else [])])})"

    row_type = f"({', '.join([*types, converted.result_type, *(['u64'] if inexact else [])])})"
    lines = []
    for rows in samples:
        inner = "\n".join(f"        {row(values, results, ulps)}," for values, results, ulps in rows)
        lines.append(f"    &[\n{inner}\n    ],")
    table = "\n".join(lines)
    start = "        let mut state = function::State::default();\n" if converted.has_state else ""
    state = "&mut state, " if converted.has_state else ""
    unchanged = ""
    if converted.has_state:
        unchanged = "            let before = state;\n"
    arity = len(converted.results)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:arity]
    tuple_impl = ""
    if outputs:
        bounds = ", ".join(f"{letter}: Same" for letter in letters)
        tests = " && ".join(f"self.{n}.same(&want.{n}, ulps)" for n in range(arity))
        comma = "," if arity == 1 else ""
        tuple_impl = f"""
impl<{bounds}> Same for ({", ".join(letters)}{comma}) {{
    fn same(&self, want: &Self, ulps: u64) -> bool {{
        {tests}
    }}
}}
"""
    given = ", ".join(f'format!("{{{name}:?}}")' for name in names)
    bits = "const fn f(bits: u64) -> Option<f64> {\n    Some(f64::from_bits(bits))\n}\n\n" if "f(0x" in table else ""
    note = ""
    if inexact:
        note = """/// Inputs, the result, and by how many units in the last place a float of it may differ: the last
/// bits of `exp` and the like are the system's C library's, and what comes after may make more of them.
"""
    ulps_name, no_ulps = (", ulps", "ulps") if inexact else ("", "0")
    return f"""//! Rows with what CPython {platform.python_version()} gave for them. Floats are given by their bits.
#![allow(clippy::all)]

use {package}::function;

{note}type Row = {row_type};

{bits}trait Same {{
    fn same(&self, want: &Self, ulps: u64) -> bool;
}}

impl Same for f64 {{
    fn same(&self, want: &Self, ulps: u64) -> bool {{
        let place = |x: f64| if x.is_sign_negative() {{ -(x.abs().to_bits() as i128) }} else {{ x.to_bits() as i128 }};
        let near = ulps > 0 && place(*self).abs_diff(place(*want)) <= u128::from(ulps);
        self.to_bits() == want.to_bits() || (self.is_nan() && want.is_nan()) || near
    }}
}}

impl Same for i64 {{
    fn same(&self, want: &Self, _ulps: u64) -> bool {{
        self == want
    }}
}}

impl Same for bool {{
    fn same(&self, want: &Self, _ulps: u64) -> bool {{
        self == want
    }}
}}

impl<T: Same> Same for Option<T> {{
    fn same(&self, want: &Self, ulps: u64) -> bool {{
        match (self, want) {{
            (Some(got), Some(want)) => got.same(want, ulps),
            (None, None) => true,
            _ => false,
        }}
    }}
}}
{tuple_impl}
#[test]
fn rows_are_as_in_python() {{
    for (part, rows) in SEQUENCES.iter().enumerate() {{
{start}        for (number, &({call}, want{ulps_name})) in rows.iter().enumerate() {{
{unchanged}            let got = function::{converted.rust_function}({state}{call});
            let given = [{given}].join(", ");
            let place = format!("row {{number}} of part {{part}}, {{given}}{_before(converted)}");
            assert!(got.same(&want, {no_ulps}), "{{place}}: {{got:?}}, in Python {{want:?}}");
        }}
    }}
}}

#[rustfmt::skip]
const SEQUENCES: &[&[Row]] = &[
{table}
];
"""


def _before(converted: Converted) -> str:
    return "; the state was {before:?}" if converted.has_state else ""


def _inner(part: str) -> str:
    """Return what is in a `Some`; of a float the bits."""
    if part.startswith("f("):
        return f"f64::from_bits{part[1:]}"
    return part.removeprefix("Some(").removesuffix(")")


def _stub(converted: Converted) -> str:
    origin, program = converted.origin, converted.origin.program
    node = origin.source.node
    text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
    required = [name for name in program.inputs if name not in program.defaults]
    order = [*required, *(name for name in program.inputs if name in program.defaults)]
    parameters = ", ".join(
        f"{name}: IntoExpr" + (f" = {program.defaults[name]!r}" if name in program.defaults else "") for name in order
    )
    parameters = re.sub(r"= (-?)(inf|nan)\b", r'= float("\1\2")', parameters)
    kinds = ", ".join(f"{name}: {ANNOTATED[kind]}" for name, kind in converted.inputs.items())
    doc = text or f"`{origin.name}` of each row."
    doc = doc.replace("\\", "\\\\").replace('"""', "'''")
    lines = "\n".join(f"    {line}".rstrip() for line in doc.splitlines())
    note = (
        "    The rows follow each other: with keys write `.over(...)` behind it."
        if converted.has_state
        else "    A row depends on nothing but its own values."
    )
    return f'''"""The function `{origin.name}` as an expression of Polars."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from polars.plugins import register_plugin_function

try:
    from polars._typing import IntoExpr
except ImportError:
    from typing import Any as IntoExpr

__all__ = ["{origin.name}"]


def {origin.name}({parameters}) -> pl.Expr:
    """{lines.strip()}

{note}

    Columns: {kinds}.
    """
    return register_plugin_function(
        plugin_path=Path(__file__).parent,
        function_name="{converted.plugin_function}",
        args=[{", ".join(program.inputs)}],
        is_elementwise={not converted.has_state},
    )
'''


def _readme(converted: Converted, package: str, origin: str) -> str:
    name = converted.origin.name
    columns = ", ".join(f'"{column}"' for column in converted.inputs)
    over = '.over("key")' if converted.has_state else ""
    keys = "The state goes from row to row; `.over(...)` keeps one for each key.\n" if converted.has_state else ""
    return f"""# {package}

`{name}` of `{origin}` as Rust, written by `{WRITTEN_BY}`. From here on it is yours.

```sh
cargo test --no-default-features    # the function alone, against rows recorded from Python: takes seconds
maturin develop --release           # the plugin: builds Polars, which takes minutes
```

```python
import polars as pl
from {package} import {name}

df.with_columns({name}({columns}){over})
```

{keys}
| file | what is in it |
|---|---|
| `src/function.rs` | the function; `None` is a null, and what a row is where Python raises |
| `src/python.rs` | what Python means where Rust means something else, if the function needs it |
| `src/plugin.rs` | the expression of Polars (the feature `plugin`) |
| `tests/rows.rs` | rows with what CPython gave for them |
| `python/{package}` | the Python function that makes the expression |

`polars`, `pyo3-polars` and `pyo3` in `Cargo.toml` go together: raise all three at once.
"""


__all__ = ["RUST", "files", "package_name", "write"]
