"""The files generated from the catalog are up to date, complete and typed."""

from __future__ import annotations

import doctest
import importlib.metadata
import inspect
import re
import subprocess
import sys

import hypostyle as hs
from data import ROOT
from kernels_under_test import NAMES


def test_files_are_what_the_generator_writes() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools" / "generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def documentation(name: str) -> str:
    return inspect.getdoc(getattr(hs, name)) or ""


def test_every_kernel_is_public_and_documented() -> None:
    assert set(NAMES) <= set(hs.__all__)
    page = (ROOT / "docs" / "kernels.md").read_text()
    for part in ("Args:", "Nulls:", "Returns:", "Raises:"):
        assert part in (hs.__doc__ or "")
    for name in NAMES:
        for part in ("Args:", "Examples:", ">>> ", "help(hypostyle)", f"docs/kernels.md#{name}"):
            assert part in documentation(name), f"{name} lacks {part}"
        (section,) = re.findall(rf"^## {name}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        for part in ("| parameter |", "Source: "):
            assert part in section, f"{name} lacks {part} on its page"
        for parameter in inspect.signature(getattr(hs, name)).parameters:
            assert f"\n    {parameter}: " in documentation(name), f"{name} does not document {parameter}"
            assert parameter == "over" or f"| `{parameter}` |" in section, f"{name} lacks {parameter} on its page"


def test_every_example_shows_a_value() -> None:
    for name in NAMES:
        *_, last = doctest.DocTestParser().get_examples(documentation(name))
        assert f"hs.{name}(" in documentation(name)
        shown = eval(last.want, {"nan": float("nan"), "inf": float("inf")})
        assert any(value is not None and value == value for value in shown), f"{name} shows {shown}"


def test_public_names_exist() -> None:
    assert all(hasattr(hs, name) for name in hs.__all__)
    assert hs.__version__ == importlib.metadata.version("hypostyle")
