"""Writes what follows from the catalog: __init__.py, _kernels.py and _namespace.py of python/hypostyle, functions.rs of
crates/hypostyle, plugin/symbols.rs of crates/hypostyle-polars, docs/kernels.md and the README's kernel table; and
docs/other-names.md and spec/other_names.rs of crates/hypostyle, from the list in python/hypostyle/_counterparts.py; and
docs/ta-lib.md, from that in tools/talib_table.py; and docs/types.md, from the kernels' answers.

    python tools/generate.py            write the files
    python tools/generate.py --check    fail if a file is out of date

The catalog comes from the compiled extension, so build that first (`maturin develop --release`).  The text of a kernel
is in its Rust file (crates/hypostyle/src/kernels/...), in the constant that the catalog lists.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import types
from pathlib import Path

from catalog_text import Kernel
from pages import between, handbook, table
from python_files import init, kernels, namespace
from rust_functions import functions
from rust_symbols import symbols

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "hypostyle"
RUST = ROOT / "crates" / "hypostyle" / "src"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args().check
    catalog = import_without_init()
    # They import a file of the package, which can be imported only now.
    from names_page import names_page
    from rust_names import other_names
    from talib_page import talib_page
    from types_page import types_page

    readme = ROOT / "README.md"
    texts = {
        PACKAGE / "_kernels.py": kernels(catalog),
        PACKAGE / "_namespace.py": namespace(catalog),
        PACKAGE / "__init__.py": formatted(init(catalog), PACKAGE / "__init__.py"),
        RUST / "functions.rs": rustfmt(functions(catalog)),
        RUST / "spec" / "other_names.rs": rustfmt(other_names()),
        ROOT / "crates" / "hypostyle-polars" / "src" / "plugin" / "symbols.rs": symbols(catalog),
        ROOT / "docs" / "kernels.md": handbook(catalog),
        ROOT / "docs" / "other-names.md": names_page(),
        ROOT / "docs" / "ta-lib.md": talib_page(),
        ROOT / "docs" / "types.md": types_page(catalog),
        readme: between(readme.read_text(), table(catalog)),
    }
    outdated = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    if check and outdated:
        names = ", ".join(str(path.relative_to(ROOT)) for path in outdated)
        print(f"out of date: {names}; run python tools/generate.py", file=sys.stderr)
        return 1
    for path in outdated:
        path.write_text(texts[path])
    return 0


def import_without_init() -> list[Kernel]:
    """Make `hypostyle._expr` importable without hypostyle/__init__.py, which needs the files that are written here."""
    package = types.ModuleType("hypostyle")
    package.__path__ = [str(PACKAGE)]
    sys.modules["hypostyle"] = package
    native = importlib.import_module("hypostyle._native")
    catalog: list[Kernel] = json.loads(native.kernels_json())
    # Users' own functions have decorators instead, in python/hypostyle/_functions.
    return [kernel for kernel in catalog if kernel["family"] != "function"]


def formatted(text: str, path: Path) -> str:
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(path), "-"]
    return subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def rustfmt(text: str) -> str:
    command = ["rustfmt", "--edition", "2024", "--config-path", str(ROOT / "rustfmt.toml")]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout


if __name__ == "__main__":
    sys.exit(main())
