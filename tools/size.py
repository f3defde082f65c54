"""Prints what the extension module consists of: bytes of code by crate, by kernel and by driver.

    touch crates/hypostyle-polars/src/lib.rs       maturin has stripped the library of its symbols, if it ran
    cargo build --release -p hypostyle-polars
    python tools/size.py [target/release/libhypostyle_polars.so]

It reads the names of the symbols (`nm -C`, of binutils), which tell for which types a function was compiled.  Code of
generic functions counts for the crate whose types it was compiled for.  The last lines are the file without symbols, as
it is in a wheel, and compressed as a wheel compresses it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

LIBRARY = Path("target/release/libhypostyle_polars.so")
LINES = 25
GENERIC = {"core", "alloc", "std", "hashbrown", "rayon", "rayon_core", "pulp", "smallvec", "thin_vec", "arrayvec"}
"""Crates whose functions are mostly compiled for the types of others."""


def main() -> None:
    library = Path(sys.argv[1]) if len(sys.argv) > 1 else LIBRARY
    functions = list(read(library))
    if not functions:
        sys.exit(f"{library} has no symbols; touch crates/hypostyle-polars/src/lib.rs and build it again with cargo")
    print_table("crate", functions, crate_of)
    own = [(size, name) for size, name in functions if "hypostyle::" in name]
    print_table("kernel", own, lambda name: first(r"\bhypostyle::kernels::(\w+::\w+)", name))
    print_table("driver", own, lambda name: first(r"\bhypostyle::(?:drive|run)::(\w+)", name))
    print_table("kernel and type", own, lambda name: first(r"\bhypostyle::kernels::\w+::(\w+::\w+(?:<[^<>]*>)?)", name))
    with tempfile.TemporaryDirectory() as directory:
        stripped = Path(directory) / "stripped.so"
        subprocess.run(["strip", "-o", stripped, library], check=True)
        content = stripped.read_bytes()
    print(f"without symbols: {len(content) / 1e6:.1f} MB, compressed: {len(zlib.compress(content, 6)) / 1e6:.1f} MB")


def read(library: Path) -> Iterator[tuple[int, str]]:
    """The functions of a library: their sizes and names."""
    listed = subprocess.run(["nm", "-S", "-C", "--defined-only", library], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        parts = line.split(" ", 3)
        if len(parts) == 4 and parts[1] and parts[2] in "tTwW":  # assembler's labels have no size
            yield int(parts[1], 16), parts[3]


def crate_of(name: str) -> str:
    """The crate of a function: of a generic one, that of the first type of another crate."""
    crates = [crate for crate in re.findall(r"(?<![\w:])([a-z]\w*)::", name) if crate not in GENERIC]
    if crates:
        return str(crates[0])
    return first(r"(?<![\w:])([a-z]\w*)::", name)


def first(pattern: str, name: str) -> str:
    """The first match of a pattern, or a dash."""
    found = re.search(pattern, name)
    return found[1] if found else "-"


def print_table(title: str, functions: list[tuple[int, str]], group: Callable[[str], str]) -> None:
    """The largest groups of functions."""
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for size, name in functions:
        sizes[key := group(name)] += size
        counts[key] += 1
    print(f"{'MB':>8} {'functions':>10}  {title}")
    for key, size in sizes.most_common(LINES):
        print(f"{size / 1e6:8.2f} {counts[key]:10}  {key[:120]}")
    print(f"{sum(sizes.values()) / 1e6:8.2f} {sum(counts.values()):10}  all\n")


if __name__ == "__main__":
    main()
