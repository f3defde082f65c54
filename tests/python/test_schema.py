"""The schema of pipeline files accepts what the command takes, and marks what is wrong."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

import hypostyle as hs
from data import ROOT
from hypostyle import _native
from hypostyle._spec import CATALOG as CATALOGUE
from kernels_under_test import STREAMING, expressions

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUST_TESTS = sorted((ROOT / "crates" / "hypostyle-pipeline" / "tests").rglob("*.rs"))


@cache
def validator() -> Draft7Validator:
    schema = json.loads((ROOT / "docs" / "pipeline.schema.json").read_text(encoding="utf-8"))
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def complaints(pipeline: str | dict[str, Any]) -> list[str]:
    """What an editor marks."""
    value = tomllib.loads(pipeline) if isinstance(pipeline, str) else pipeline
    return [error.message for error in validator().iter_errors(as_json(value))]


def as_json(value: Any) -> Any:
    """As editors have it: what JSON has no number for is null."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)


def kernel_table(spec: dict[str, Any]) -> dict[str, Any]:
    return {"stage": [{"kernel": [spec]}]}


def toml_blocks(page: Path) -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_documentation_shows_is_accepted(page: Path) -> None:
    for block in toml_blocks(page):
        if page.name == "pipelines.md" or re.search(r"^\[(\[stage|source|sink)", block, re.MULTILINE):
            assert complaints(block) == [], block


def test_the_demo_is_accepted() -> None:
    assert complaints((ROOT / "data" / "demo.toml").read_text(encoding="utf-8")) == []


def pipelines_in_rust() -> Iterator[str]:
    """The pipelines that malformed files are read by, which are in order themselves, and other whole ones."""
    for path in RUST_TESTS:
        text = path.read_text(encoding="utf-8")
        cases = re.findall(r'^ *(?:Case \{ )?toml: "((?:[^"\\]|\\.)*)"', text, re.DOTALL | re.MULTILINE)
        yield from (json.loads('"' + re.sub(r"\\\n\s*", "", case) + '"', strict=False) for case in cases)
        yield from (raw for raw in re.findall(r'\br#"(\n.*?)"#', text, re.DOTALL) if "[[stage" in raw)


def test_what_the_tests_in_rust_read_by_is_accepted() -> None:
    pipelines = list(pipelines_in_rust())
    assert len(pipelines) > 15
    for pipeline in pipelines:
        assert complaints(pipeline) == [], pipeline


@pytest.mark.parametrize("name", STREAMING)
def test_every_case_of_the_oracles_is_accepted(name: str) -> None:
    for expr in expressions(name, streams=True):
        spec = {"over": list(expr._kernel.over), **json.loads(expr._kernel.json)}
        spec = {key: float(value["float"]) if is_infinite(value) else value for key, value in spec.items()}
        assert complaints(kernel_table(spec)) == [], spec


def test_functions_of_users_are_accepted() -> None:
    calls: list[Any] = [
        hs.jit(lambda x: x + 1, errors="raise")("x"),  # type: ignore[call-overload]
        hs.rolling(lambda window: window.max(), errors="raise")("x", "5m", by="t"),  # type: ignore[call-overload]
    ]
    for call in calls:
        spec = json.loads(call._kernel.json)
        assert complaints(kernel_table(spec)) == [], spec
        del spec["program"]
        assert complaints(kernel_table(spec)) == ["'program' is a required property"]


def is_infinite(value: Any) -> bool:
    return isinstance(value, dict) and "float" in value


EVERY_KEY = r"""
state = "features.state"
checkpoint_interval = "30s"
memory_limit = "1.5 GiB"

[source]
path = ["a.csv", "b/*.csv"]
version = 12
path_columns = '(?<day>[0-9-]+)\.csv$'
format = "csv"
columns = ["a", "b"]
dialect = "excel-de"
delimiter = "\t"
quote = ""
escape = "\\"
comment = "#"
header = false
header_prefix = "#Fields:"
skip_rows = 1
skip_rows_after_header = 0
null_values = ["NA", ""]
quoted_nulls = false
empty = "text"
text_formulas = true
trim = true
boolean = { true = ["Y"], false = ["N"] }
thousands = "."
decimal_comma = true
encoding = "latin1"
ragged = "fit"
symbols = ["%", "EUR"]
missing_columns = "null"
extra_columns = "ignore"
widen_types = true
batch_rows = 1
chunk_bytes = 4096
on_bad_row = "reject"
max_bad_rows = 0
rejects = "rejects.csv"

[source.schema]
a = "timestamp[ns, +02:00]"
"b c" = "decimal[18,2]"

[source.datetime_formats]
a = "epoch[ms]"
b = ["%Y", "%d.%m.%Y"]
c = { from = ["d", "t"], format = "%Y %H:%M" }

[source.rules]
a = { not_null = true, min = 0, max = inf, one_of = [1, 2.5, true, "x"], none_of = [3], unique = true, over = "k" }
b = { regex = "^x", increasing = true, over = ["k", "l"] }
c = { increasing = "strictly", min = "2024-01-01" }

[source.filter]
a = { not_null = true, min = 0, max = inf, one_of = [1, 2.5, true, "x"], none_of = ["y"], regex = "^x" }

[source.storage_options]
aws_region = "eu-central-1"

[[stage]]
over = "k"
by = "t"
kernel = [{ name = "cumsum_clip", column = "a", lower = "low", upper = inf, alias = "b", over = ["k"] }]

[sink]
path = "-"
format = "ipc"
compression = "none"
columns = ["b"]
delimiter = ";"
empty = "null"
row_group_size = 10
partition_by = ["b"]
max_rows_per_file = 100
append = true
mkdir = true
storage_options = { allow_http = "true" }
"""


def test_every_key_is_accepted_and_explained() -> None:
    assert complaints(EVERY_KEY) == []
    schema, value = validator().schema, tomllib.loads(EVERY_KEY)
    rules, filters = (
        schema["properties"]["source"]["properties"][key]["additionalProperties"] for key in ("rules", "filter")
    )
    stage = schema["properties"]["stage"]["items"]
    kernel = stage["properties"]["kernel"]["items"]
    for described, written in (
        (schema, value),
        (schema["properties"]["source"], value["source"]),
        (schema["properties"]["sink"], value["sink"]),
        (rules, {key for rule in value["source"]["rules"].values() for key in rule}),
        (filters, value["source"]["filter"]["a"]),
        (stage, value["stage"][0]),
    ):
        assert set(described["properties"]) == set(written), "a key is tried nowhere"
    for table in (schema, schema["properties"]["source"], schema["properties"]["sink"], rules, filters, stage, kernel):
        for key, said in table["properties"].items():
            assert said["description"].endswith("."), key


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ("source", "format", ["csv", "parquet", "ipc"]),
        (
            "source",
            "encoding",
            [
                *("utf8", "latin1", "windows-1252", "windows-1250", "windows-1251", "iso-8859-2", "iso-8859-15"),
            ],
        ),
        ("source", "ragged", ["bad", "fit"]),
        ("source", "on_bad_row", ["fail", "null", "skip", "reject"]),
        ("sink", "format", ["csv", "parquet", "ipc", "none"]),
        ("sink", "compression", ["zstd", "snappy", "none"]),
    ],
)
def test_words_are_accepted(table: str, key: str, words: list[str]) -> None:
    for word in words:
        assert complaints({table: {key: word}}) == []
        swapped = word[1] + word[0] + word[2:]
        assert complaints({table: {key: swapped}}) != [], swapped


MEAN = "[[stage]]\n[[stage.kernel]]\nname = 'rolling_mean'\n"


@pytest.mark.parametrize(
    ("pipeline", "words"),
    [
        ("[sauce]", "'sauce' was unexpected"),
        ("chekpoint = '5m'", "'chekpoint' was unexpected"),
        ("checkpoint_interval = 30", "30 is not of type 'string'"),
        ("checkpoint_interval = 'often'", "'often' does not match"),
        ("memory_limit = '5 apples'", "'5 apples' does not match"),
        ("[source]\npth = 'x'", "'pth' was unexpected"),
        ("[source]\npath = 1", "1 is not of type"),
        ("[source]\nformat = 'cvs'", "'cvs' is not one of"),
        ("[source]\nheader = 'yes'", "'yes' is not of type 'boolean'"),
        ("[source]\ndelimiter = ';;'", "';;' does not match '^(.|blanks)$'"),
        ("[source]\nbatch_rows = 0", "0 is less than the minimum"),
        ("[source]\nmax_bad_rows = -1", "-1 is less than the minimum"),
        ("[source.schema]\nprice = 'float'", "'float' does not match"),
        ("[source.schema]\nt = 'timestamp[us, Mars]'", "Mars]' does not match"),
        ("[source.schema]\nprice = { type = 'f64' }", "is not of type 'string'"),
        ("[source.rules]\nprice = { minimum = 0 }", "'minimum' was unexpected"),
        ("[source.rules]\nid = { increasing = 'stirctly' }", "'stirctly' is not one of"),
        ("[sink]\nrow_group_size = 1.5", "1.5 is not of type 'integer'"),
        ("[stage]", "is not of type 'array'"),
        ("[[stage]]", "'kernel' is a required property"),
        ("[[stage]]\nkernel = []", "[] should be non-empty"),
        ("[[stage]]\n[[stage.kernel]]\ncolumn = 'price'", "'name' is a required property"),
        ("[[stage]]\n[[stage.kernel]]\nname = 'rolling_maen'", "'rolling_maen' is not one of"),
        (f"{MEAN}column = 'price'", "'window' is a required property"),
        (f"{MEAN}window = 5", "'column' is a required property"),
        (f"{MEAN}column = 'price'\nwindow = 5\nwindwo = 6", "'windwo' was unexpected"),
        (f"{MEAN}column = 'price'\nwindow = 5\nspan = 6", "'span' was unexpected"),
        (f"{MEAN}column = 'price'\nwindow = '5 minutes'", "'5 minutes' does not match"),
        (f"{MEAN}column = 'price'\nwindow = {{ len = 'n' }}", "'len' was unexpected"),
        (f"{MEAN}column = ['price']\nwindow = 5", "['price'] is not of type 'string'"),
        (f"{MEAN}column = 'price'\nwindow = 5\nclosed = 'rihgt'", "'rihgt' is not one of"),
        (f"{MEAN}column = 'price'\nwindow = 5\nstep = '1'", "'1' is not of type 'integer'"),
        (f"{MEAN}column = 'price'\nwindow = 5\nalias = 1", "1 is not of type 'string'"),
    ],
)
def test_a_mistake_is_marked(pipeline: str, words: str) -> None:
    found = complaints(pipeline)
    assert any(words in complaint for complaint in found), found


# What a parameter may be given, and what suits each kind.
TRIED: list[Any] = [True, 3, 0.5, float("inf"), "price", "1h30m", "10i", "gaussian", [1, 0.5], ["a", "b"], [[1, 0]]]
TRIED += [{"length": "n"}, {"start": "since"}]
SUITABLE: dict[str, Any] = {
    "column": "x",
    "flags": "x",
    "time": "t",
    "columns": ["a", "b"],
    "number": 0.5,
    "number_or_column": 0.5,
    "numbers": [0.5, 0.25],
    "numbers_or_columns": ["a", 0.25],
    "table": [[0, 1], [1, 0]],
    "weights": "hann",
    "count": 2,
    "window": 2,
    "rows": 2,
    "flag": False,
    "duration": "5m",
    "offset": -2,
    "half_life": 2.5,
}


# Each parameter with a kernel that has it; the same parameter of another kernel is the same in the schema.
PARAMETERS = {json.dumps(p): (name, p) for name, kernel in CATALOGUE.items() for p in kernel["parameters"]}


@pytest.mark.parametrize(
    ("name", "parameter"), PARAMETERS.values(), ids=[f"{name}-{p['name']}" for name, p in PARAMETERS.values()]
)
def test_parameters_take_the_types_that_rust_takes(name: str, parameter: dict[str, Any]) -> None:
    """A value that Rust accepts is accepted; one that it finds of the wrong type is marked; one that is merely out of
    range, or doesn't go with the other parameters, may pass."""
    needed = [p for p in CATALOGUE[name]["parameters"] if p["default"] == "required"]
    smallest = {"name": name} | {p["name"]: SUITABLE[p["kind"]] for p in needed}
    assert complaints(kernel_table(smallest)) == []
    choices = parameter["choices"] if parameter["kind"] in ("choice", "words") else []
    for value in [*TRIED, *choices, *([word] for word in choices)]:
        spec = smallest | {parameter["name"]: value}
        found = complaints(kernel_table(spec))
        try:
            _native.check(json.dumps(spec | ({parameter["name"]: {"float": "inf"}} if value == float("inf") else {})))
        except TypeError:
            assert found != [], spec
        except ValueError:
            pass
        else:
            assert found == [], spec
