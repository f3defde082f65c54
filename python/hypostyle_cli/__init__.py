"""The `hypostyle` command, without Polars: the same Rust code as the command that cargo builds.

The package `hypostyle` imports Polars, which takes time and memory that no pipeline needs. So the extension module is
loaded by its path, without importing the package.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
from pathlib import Path
from types import ModuleType


def native() -> ModuleType:
    """Load the extension module from the directory of the package."""
    package = importlib.util.find_spec("hypostyle")
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = Path(folder) / f"_native{suffix}"
            spec = importlib.util.spec_from_file_location("hypostyle._native", path)
            if path.is_file() and spec is not None and spec.loader is not None:
                # The extension module would otherwise use Polars' allocator, and import Polars for it.
                os.environ["HYPOSTYLE_ALONE"] = "1"
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                del os.environ["HYPOSTYLE_ALONE"]
                return module
    raise ImportError("the package hypostyle is not installed, or not for this Python")


OTHERS = """
  convert   Turn a Python function into a Rust crate: hypostyle convert file.py:function --to crate/
            (in Python, where the function is: hypostyle convert --help)
  profile   Say where a script's time goes, and prove on its data what replaces the slow lines:
            hypostyle profile script.py (in Python: hypostyle profile --help)"""


def convert() -> None:
    """Run `hypostyle convert`, which imports the user's file, and with it the package."""
    from hypostyle._convert.command import main as run_convert

    sys.exit(run_convert(sys.argv[2:]))


def profile() -> None:
    """Run `hypostyle profile`, which runs the user's script in a process of its own."""
    from hypostyle._profile.command import main as run_profile

    sys.exit(run_profile(sys.argv[2:]))


IN_PYTHON = {"convert": convert, "profile": profile}
"""Commands that are written in Python."""


def unknown_kernel(compiled: ModuleType, name: str) -> str | None:
    """Return the error for a name that is no kernel, with what to use instead; `None` if it is one.

    What other libraries call things is in the package, which only this error imports.
    """
    names = [kernel["name"] for kernel in json.loads(compiled.kernels_json())]
    if name in names or name.startswith("-"):
        return None
    # The module that is loaded already: Python can load it only once.
    sys.modules.setdefault("hypostyle._native", compiled)
    from hypostyle._suggestions import kernel_advice

    return f"error: unknown kernel '{name}'\nhelp: {kernel_advice(name, names)}"


def run(compiled: ModuleType) -> None:
    """Run the command with the arguments of this process, and exit with its code."""
    if sys.argv[1:2] == ["kernels"] and len(sys.argv) == 3 and (error := unknown_kernel(compiled, sys.argv[2])):
        print(error, file=sys.stderr)
        sys.exit(2)
    if sys.argv[1:] in (["--help"], ["-h"], ["help"]):
        code = compiled.run_cli(["hypostyle", *sys.argv[1:]])
        print(OTHERS)
        sys.exit(code)
    # Python would notice Ctrl-C only after the command has ended. The command handles it itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(compiled.run_cli(["hypostyle", *sys.argv[1:]]))


def main() -> None:
    """Run the command."""
    if (command := " ".join(sys.argv[1:2])) in IN_PYTHON:
        IN_PYTHON[command]()
    run(native())
