"""What is generated from the catalogue is up to date, complete and typed."""

from __future__ import annotations

import importlib.metadata
import inspect
import subprocess
import sys

import hypostyle as hs
from data import ROOT
from kernels_under_test import NAMES


def test_files_are_what_the_generator_writes() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools" / "generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_kernel_is_public_and_documented() -> None:
    assert set(NAMES) <= set(hs.__all__)
    for name in NAMES:
        doc = inspect.getdoc(getattr(hs, name)) or ""
        for part in ("Args:", "Returns:", "Raises:", "Source:", "Examples:", ">>> "):
            assert part in doc, f"{name} lacks {part}"


def test_public_names_exist() -> None:
    assert all(hasattr(hs, name) for name in hs.__all__)
    assert hs.__version__ == importlib.metadata.version("hypostyle")
