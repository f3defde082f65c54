"""Write the table of `docs/files.md`: what the tools' files are, and the types that come in here.

python tests/files/table.py target/debug/hypostyle
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "files.md"
BEGIN, END = "<!-- table: tests/files/table.py -->\n", "<!-- end of the table -->\n"
SUFFIXES = (".parquet", ".arrow", ".arrows", ".feather")


def inputs() -> list[Path]:
    """Each file, each directory of partitions, and each table."""
    whole = [*HERE.glob("*/partitions"), *HERE.glob("*/table")]
    files = [path for path in HERE.rglob("*") if path.suffix in SUFFIXES and not {*path.parents} & {*whole}]
    return sorted([*files, *whole])


def columns(command: str, path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Path(folder) / "p.toml"
        pipeline.write_text(f"[source]\npath = '{path}'\n[sink]\nformat = 'none'\n")
        done = subprocess.run([command, "check", str(pipeline)], capture_output=True, text=True, check=False)
    if done.returncode:
        return "refused: " + done.stderr.split(": ", 2)[-1].splitlines()[0]
    rows = re.findall(r"^ {9}(\S+)  +(.+?)(?:  +.*)?$", done.stdout, re.MULTILINE)
    return ", ".join(f"`{name}` {kind.strip()}" for name, kind in rows)


def main(command: str) -> None:
    versions = json.loads((HERE / "versions.json").read_text())
    lines = ["| written by | file | comes in as |\n", "|---|---|---|\n"]
    for path in inputs():
        tool, name = path.relative_to(HERE).as_posix().split("/", 1)
        kinds = columns(command, path).replace("|", "\\|")
        lines.append(f"| {tool} {versions[tool]} | `{name}` | {kinds} |\n")
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + "".join(lines) + END + rest.split(END)[1])


if __name__ == "__main__":
    main(sys.argv[1])
