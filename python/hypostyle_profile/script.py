"""Runs a script or a module as Python itself does: as `__main__`, with its arguments, path and way to fail."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any


@dataclass(frozen=True)
class Target:
    """What is run: a script by its path, or a module by its name, with arguments."""

    name: str
    arguments: list[str]
    is_module: bool = False


class Script:
    """A script or module that was found and compiled; errors of its syntax are raised here."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._spec: ModuleSpec | None = None
        sys.argv = [target.name, *target.arguments]
        sys.orig_argv[:] = [sys.executable, *(["-m"] if target.is_module else []), *sys.argv]
        if target.is_module:
            sys.path.insert(0, os.getcwd())
            details: Any = runpy._get_module_details  # type: ignore[attr-defined]
            _, self._spec, self.code = details(target.name)
            self.file = self.code.co_filename
            sys.argv[0] = self.file
        elif os.path.isdir(target.name) or _is_archive(target.name):
            # As Python does: the folder or archive is searched for `__main__`.
            sys.path.insert(0, target.name)
            main: Any = runpy._get_main_module_details  # type: ignore[attr-defined]
            _, self._spec, self.code = main()
            self.file = self.code.co_filename
        else:
            self.file = os.path.abspath(target.name)
            sys.path.insert(0, os.path.dirname(os.path.realpath(self.file)))
            self.code = compiled(self.file)

    def main_module(self) -> ModuleType:
        """Make the module `__main__` anew, and return it."""
        module = ModuleType("__main__")
        module.__dict__.update(__file__=self.file, __builtins__=__builtins__, __spec__=self._spec)
        if self._spec is not None:
            module.__dict__.update(__package__=self._spec.parent, __loader__=self._spec.loader)
        else:
            loader = SourceFileLoader("__main__", self.file)
            module.__dict__.update(__package__=None, __annotations__={}, __loader__=loader, __cached__=None)
        sys.modules["__main__"] = module
        return module

    def run(self, around: Callable[[CodeType, dict[str, Any]], None] = exec) -> None:
        """Run it; what it raises, but SystemExit, is shown as Python shows it, and its exit code raised.

        Args:
            around: Executes code in a namespace.
        """
        module = self.main_module()
        try:
            around(self.code, module.__dict__)
        except SystemExit:
            raise
        except BaseException as error:
            _show(error)
            sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)


def _is_archive(file: str) -> bool:
    """Whether a file is a ZIP archive, by its beginning: `zipfile` is not imported for it."""
    try:
        with open(file, "rb") as archive:
            return archive.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def compiled(file: str) -> CodeType:
    """Return the code of a file."""
    with open(file, "rb") as source:
        return compile(source.read(), file, "exec", dont_inherit=True)


def _show(error: BaseException) -> None:
    """Show an error without the frames of the profiler."""
    here = os.path.dirname(__file__)
    traceback = error.__traceback__
    while traceback is not None and os.path.dirname(traceback.tb_frame.f_code.co_filename) == here:
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    sys.excepthook(type(error), error, traceback)
