# ruff: noqa: E731
"""From a function to its syntax tree."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import linecache
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.source import function_from_text, source_of


def text(function: Any) -> str:
    return ast.unparse(source_of(function).node)


def load(path: Path, name: str = "module_of_a_test") -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_lambdas_on_one_line_are_told_apart() -> None:
    one, two, same = lambda x: x + 1, lambda x: x + 2, lambda x: x + 1
    assert [text(f) for f in (one, two, same)] == ["lambda x: x + 1", "lambda x: x + 2", "lambda x: x + 1"]
    columns = [source_of(f).node.col_offset for f in (one, two, same)]
    assert len(set(columns)) == 3


def test_a_lambda_in_a_lambda() -> None:
    outer = lambda x: lambda y: y * x
    assert text(outer) == "lambda x: lambda y: y * x"
    assert text(outer(3)) == "lambda y: y * x"


def test_a_lambda_over_several_lines() -> None:
    function = lambda x: (
        x
        + 1
    )  # fmt: skip
    assert text(function) == "lambda x: x + 1"


def test_functions_of_one_name() -> None:
    def build(flag: bool) -> Any:
        if flag:

            def step(x):
                return x + 1
        else:

            def step(x):
                return x + 2

        return step

    assert text(build(True)).endswith("return x + 1")
    assert text(build(False)).endswith("return x + 2")


def test_a_decorated_function_is_found_while_its_module_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "decorated.py"
    path.write_text(
        "import ast\n"
        "from hypostyle._functions.source import source_of\n"
        "found = []\n"
        "def note(*args):\n"
        "    def decorate(function):\n"
        "        found.append(ast.unparse(source_of(function).node.body))\n"
        "        return function\n"
        "    return decorate\n"
        "@note(1,\n"
        "      2)\n"
        "@note(3)\n"
        "def step(x):\n"
        "    return x + 1\n"
    )
    assert load(path).found == ["return x + 1"] * 2


def test_a_file_that_changed_after_its_import(tmp_path: Path) -> None:
    path = tmp_path / "changing.py"
    path.write_text("def step(x):\n    return x + 1\n")
    module = load(path)
    assert text(module.step).endswith("x + 1")
    path.write_text("def step(x):\n    return x + 45\n")
    with pytest.raises(UnsupportedError, match=r"step changed after it was imported .*line 1\); import it"):
        source_of(module.step)
    assert text(load(path).step).endswith("x + 45")
    path.write_text("def step(x:\n")
    with pytest.raises(UnsupportedError, match="the source of step changed"):
        source_of(module.step)


def test_a_function_with_a_constant_that_is_nan(tmp_path: Path) -> None:
    # Python folds the quotient to NaN, and a code object with a NaN equals none that is compiled again.
    path = tmp_path / "nan.py"
    path.write_text(
        "def step(x):\n    return x if x > 0 else (1e300 * 1e16) // 0.1\n\n\nother = lambda x: (1e300 * 1e16) % 2.0\n"
    )
    module = load(path)
    assert text(module.step).endswith("// 0.1")
    assert text(module.other).endswith("% 2.0")
    path.write_text("def step(x):\n    return x if x < 0 else (1e300 * 1e16) // 0.1\n")
    with pytest.raises(UnsupportedError, match="the source of step changed"):
        source_of(module.step)


def test_moved_lines_are_a_change_too(tmp_path: Path) -> None:
    path = tmp_path / "moving.py"
    path.write_text("step = lambda x: x + 1\n")
    module = load(path)
    path.write_text("\nstep = lambda x: x + 1\n")
    with pytest.raises(UnsupportedError, match="the source of <lambda> changed"):
        source_of(module.step)


def test_a_file_without_future_annotations(tmp_path: Path) -> None:
    path = tmp_path / "annotated.py"
    path.write_text("def step(x: int) -> float:\n    y: float = x\n    return y\nclass A:\n    f = lambda x: x\n")
    assert "y: float = x" in text(load(path).step)
    path.write_text("from __future__ import annotations\ndef step(x: Any) -> Any:\n    y: Any = x\n    return y\n")
    assert "y: Any = x" in text(load(path).step)


def test_no_source() -> None:
    names: dict[str, Any] = {}
    exec("def step(x):\n    return x + 1", names)
    with pytest.raises(UnsupportedError) as caught:
        source_of(names["step"])
    assert str(caught.value.msg) == (
        "the source of step is not available (<string>); write the function in a file or notebook, "
        "or pass its text: hs.jit('lambda x: x + 1')"
    )


def test_a_notebook_cell() -> None:
    name = "<ipython-input-7-abc>"
    cell = "scale = 2\nasync_free = [await_ for await_ in (1,)]\nstep = lambda x: x * scale\n"
    linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
    names: dict[str, Any] = {}
    exec(compile(cell, name, "exec", dont_inherit=True), names)
    assert text(names["step"]) == "lambda x: x * scale"


def test_a_doctest() -> None:
    example = (
        ">>> import ast\n"
        ">>> from hypostyle._functions.source import source_of\n"
        ">>> def step(x):\n...     return x + 1\n"
        ">>> ast.unparse(source_of(step).node.body)\n'return x + 1'\n"
    )
    test = doctest.DocTestParser().get_doctest(example, {}, "a doctest", None, 0)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_functions_from_text() -> None:
    function = function_from_text("lambda x: math.sqrt(x) + 1")
    assert function(4.0) == 3.0
    assert text(function) == "lambda x: math.sqrt(x) + 1"
    assert text(function_from_text("\ndef step(x, k=2):\n    return x * k")).startswith("def step(x, k=2)")
    for wrong in ("x + 1", "x = 1", "lambda x: x; 1"):
        with pytest.raises(UnsupportedError, match="the text of a function is one lambda or one def"):
            function_from_text(wrong)


def test_without_columns_of_code_alike_functions_of_a_line_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypostyle._functions.source._positions", lambda code: iter(()))
    one, two = lambda x: x + 1, lambda x: x + 2
    with pytest.raises(UnsupportedError, match="several functions on this line cannot be told apart"):
        source_of(one)
    alike, others = lambda x: x + 1, lambda y: y + 2
    assert text(alike) == "lambda x: x + 1"
    assert text(others) == "lambda y: y + 2"
    assert two(1) == 3
