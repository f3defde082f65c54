"""`hypostyle convert file.py:function --to crate/`."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from hypostyle._convert.crate import files, package_name, write
from hypostyle._convert.function import convert
from hypostyle._convert.origin import ANNOTATIONS, input_kinds, load, origin_of
from hypostyle._convert.samples import DifferenceError, sequences
from hypostyle._functions.errors import UnsupportedError

_DESCRIPTION = """Turn a Python function into a Rust crate: a Polars plugin to go on from.

The function is decorated with hs.jit, hs.scan or hs.loop, or plain. Its file is imported. What cannot be converted is
an error that shows the line; everything else compiles, and is tested against rows recorded from Python."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments."""
    made = argparse.ArgumentParser(
        prog="hypostyle convert", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("function", metavar="FILE.py:FUNCTION", help="the file, and the function in it")
    made.add_argument("--to", metavar="DIR", required=True, type=Path, help="the directory of the new crate")
    made.add_argument(
        "--types", metavar="X=INT,Y=BOOL", default="", help="types of inputs: float, int or bool; else the annotations'"
    )
    made.add_argument("--force", action="store_true", help="write into a directory that is not empty")
    made.add_argument("--check-plugin", action="store_true", help="cargo check with Polars too, which takes minutes")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    options = parser().parse_args(arguments)
    path, _, name = options.function.rpartition(":")
    if not path:
        return _failed("the function is given as FILE.py:FUNCTION")
    folder: Path = options.to
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not options.force:
        return _failed(f"{folder} is not empty; --force writes into it")
    try:
        return _convert(Path(path), name, folder, _types(options.types), options.check_plugin)
    except UnsupportedError as error:
        print("".join(traceback.format_exception_only(error)).rstrip(), file=sys.stderr)
    except (ValueError, OSError, DifferenceError) as error:
        return _failed(str(error))
    return 2


def _failed(message: str) -> int:
    print(f"hypostyle convert: {message}", file=sys.stderr)
    return 2


def _types(text: str) -> dict[str, str]:
    kinds = {}
    for part in filter(None, text.split(",")):
        name, _, kind = part.partition("=")
        if kind.strip() not in ANNOTATIONS:
            msg = f"--types: {part} is not NAME=TYPE with one of {', '.join(ANNOTATIONS)}"
            raise ValueError(msg)
        kinds[name.strip()] = kind.strip()
    return kinds


def _convert(path: Path, name: str, folder: Path, kinds: dict[str, str], check_plugin: bool) -> int:
    origin = origin_of(load(path, name))
    converted = convert(origin, input_kinds(origin, kinds))
    samples = sequences(converted)
    write(folder, files(converted, samples, f"{path.name}:{name}"))
    inputs = ", ".join(f"{column}: {kind}" for column, kind in converted.inputs.items())
    print(f"{folder}: the crate {package_name(converted)}, for {inputs}")
    return _checked(folder, sum(map(len, samples)), check_plugin)


def _checked(folder: Path, rows: int, check_plugin: bool) -> int:
    """Format, check and test the crate, and say what passed."""
    cargo = shutil.which("cargo")
    if cargo is None:
        print("There is no cargo here: the crate is written, and not checked. https://rustup.rs has it.")
        return 0
    if shutil.which("rustfmt"):
        subprocess.run([cargo, "fmt"], cwd=folder, check=False, capture_output=True)
    steps = [
        (["check", "--no-default-features"], "the function compiles"),
        (["test", "--no-default-features"], f"{rows} rows are as in Python"),
    ]
    if check_plugin:
        steps.append((["check"], "the plugin compiles"))
    for arguments, meaning in steps:
        started = time.perf_counter()
        done = subprocess.run([cargo, *arguments, "--quiet"], cwd=folder, check=False, capture_output=True, text=True)
        took = time.perf_counter() - started
        if done.returncode:
            print(f"cargo {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}", file=sys.stderr)
            return 1
        print(f"cargo {' '.join(arguments)}: {meaning} ({took:.1f} s)")
    if not check_plugin:
        print("The plugin itself is not checked: that builds Polars (--check-plugin).")
    return 0
