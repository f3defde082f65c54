"""Prints the layers of the core and of the pipelines, with their files, lines and uses.

    python tools/house.py

The lists of layers are those of `crates/*/tests/layers.rs`.  Those tests fail on an upward use and on circles of files;
this table shows what they read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CRATES = Path(__file__).resolve().parent.parent / "crates"


@dataclass
class Layer:
    """A top-level module of a crate."""

    name: str
    files: int = 0
    lines: int = 0
    uses: set[str] = field(default_factory=set)
    # Uses of a higher layer, as "file:line uses layer".
    upward: list[str] = field(default_factory=list)


def main() -> int:
    upward = []
    for crate in sorted(path.parents[1] for path in CRATES.glob("*/tests/layers.rs")):
        layers = read(crate)
        print(table(crate.name, layers))
        upward += [use for layer in layers for use in layer.upward]
    print("upward uses:", *(upward or ["none"]), sep="\n  ")
    return 1 if upward else 0


def read(crate: Path) -> list[Layer]:
    """The layers of a crate, from the ground up."""
    declared = re.search(r"const LAYERS: .*?= \[(.*?)\];", (crate / "tests" / "layers.rs").read_text(), re.DOTALL)
    if declared is None:
        raise SystemExit(f"{crate.name}: tests/layers.rs has no list LAYERS")
    layers = [Layer(name) for name in re.findall(r'"(\w+)"', declared[1])]
    order = {layer.name: at for at, layer in enumerate(layers)}
    for layer in layers:
        for path in files(crate / "src", layer.name):
            text = path.read_text()
            layer.files += 1
            layer.lines += text.count("\n")
            for line, used in uses(text):
                if used in order and used != layer.name:
                    layer.uses.add(used)
                    if order[used] > order[layer.name]:
                        layer.upward.append(f"{path.relative_to(CRATES)}:{line} uses {used}")
    return layers


def files(source: Path, layer: str) -> list[Path]:
    """The files of a layer: a file or a folder."""
    return [path for path in [source / f"{layer}.rs", *sorted((source / layer).rglob("*.rs"))] if path.exists()]


def uses(text: str) -> Iterator[tuple[int, str]]:
    """The top-level modules that a file names after `crate::`, with their lines."""
    code = re.sub(r"//[^\n]*", "", text)
    for path in re.finditer(r"\bcrate::(?:(\w+)|\{([^;]*?)\};)", code):
        line = code.count("\n", 0, path.start()) + 1
        names = [path[1]] if path[1] else re.findall(r"(?:^|[,{])\s*(\w+)", path[2])
        yield from ((line, name) for name in names)


def table(title: str, layers: list[Layer]) -> str:
    """A crate's layers, the top one first."""
    rows = [(layer.name, str(layer.files), str(layer.lines), ", ".join(used(layer, layers))) for layer in layers[::-1]]
    total = (title, str(sum(layer.files for layer in layers)), str(sum(layer.lines for layer in layers)), "")
    head = ("layer", "files", "lines", "uses")
    widths = [max(len(row[column]) for row in [head, total, *rows]) for column in range(3)]
    rule = ("-" * widths[0], "-" * widths[1], "-" * widths[2], "----")
    return "\n".join(shown(row, widths) for row in [head, rule, *rows, rule, total]) + "\n"


def used(layer: Layer, layers: list[Layer]) -> list[str]:
    """The layers that a layer uses, in their order."""
    return [other.name for other in layers if other.name in layer.uses]


def shown(row: tuple[str, ...], widths: list[int]) -> str:
    name, files, lines, uses = row
    return f"{name:<{widths[0]}}  {files:>{widths[1]}}  {lines:>{widths[2]}}  {uses}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
