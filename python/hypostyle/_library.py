"""The compiled libraries that run kernels: `hypostyle._native`, and those that have custom kernels besides.

A library of custom kernels is an extension module that the crate hypostyle-polars has filled: docs/custom-kernels.md.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from functools import cache
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

from hypostyle import _native


class Stages(Protocol):
    """The class `Stage` of a library."""

    def __call__(
        self,
        specs: list[str],
        threads: int | None = None,
        time_column: str | None = None,
        order_by: str | None = None,
    ) -> _native.Stage:
        """Start a stage."""

    def load(
        self, path: str | PathLike[str], specs: list[str] | None = None, threads: int | None = None
    ) -> _native.Stage:
        """Load a stage."""

    def from_bytes(self, bytes: bytes, threads: int | None = None) -> _native.Stage:
        """Restore a stage."""


class Pipelines(Protocol):
    """The class `Pipeline` of a library."""

    def __call__(self, toml: str) -> _native.Pipeline:
        """Parse a pipeline."""

    def from_file(self, path: str | PathLike[str]) -> _native.Pipeline:
        """Read a pipeline file."""


class Library(Protocol):
    """An extension module that runs kernels."""

    __name__: str
    __file__: str
    __version__: str
    PLUGIN_NAMES: frozenset[str]
    Stage: Stages
    Pipeline: Pipelines

    def __hash__(self) -> int:
        """Modules are keys of caches."""

    def kernels_json(self) -> str:
        """Return the catalog."""

    def check(self, spec: str) -> list[str]:
        """Return the columns that a kernel reads."""

    def normal(self, spec: str) -> str:
        """Return the normal form of a specification."""

    def output_name(self, spec: str) -> str:
        """Return the name of a kernel's output."""

    def evaluate(
        self, frame: _native.Frame, specs: list[str], threads: int | None = None, nan_is_missing: bool = True
    ) -> _native.Batch:
        """Run kernels over a frame."""

    def output_fields(self, frame: _native.Frame, specs: list[str]) -> _native.Batch:
        """Return the types of kernels' outputs."""


BUILTIN = cast("Library", _native)
"""The library without custom kernels."""


def library_of(native: ModuleType | None) -> Library:
    """Return an extension module as a library, `None` being the one without custom kernels; raise if it is none."""
    if native is None:
        return BUILTIN
    if not hasattr(native, "kernels_json"):
        msg = f"{native!r} is not a library of kernels: an extension module that calls hypostyle_polars::init is one"
        raise TypeError(msg)
    library = cast("Library", native)
    if library.__version__ != _native.__version__:
        msg = (
            f"{library.__name__} was built with hypostyle {library.__version__}, but the version installed is "
            f"{_native.__version__}; build it with that one"
        )
        raise ImportError(msg)
    return library


def library_named(name: str) -> Library:
    """Import a library by its name, for what was pickled with it."""
    return library_of(importlib.import_module(name))


@cache
def catalog_of(library: Library) -> Mapping[str, dict[str, Any]]:
    """Return the entries of a library's kernels, by name."""
    return {kernel["name"]: kernel for kernel in json.loads(library.kernels_json())}


@cache
def path_of(library: Library) -> Path:
    """Return the file of a library, where Polars finds the expression."""
    return Path(library.__file__)
