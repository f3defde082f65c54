"""docs/writing-kernels.md adds a kernel in four places: its blocks, applied to a copy of the repository, compile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from data import ROOT

PAGE = ROOT / "docs" / "writing-kernels.md"
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
# What `cargo check -p hypostyle --tests` reads, and the table of oracles.
COPIED = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo",
    "rustfmt.toml",
    "tools/pyo3.txt",
    "crates/hypostyle",
    "benches/kernels.rs",
    "benches/latency.rs",
    "tests/python/oracles.py",
]
KERNEL = "crates/hypostyle/src/kernels/statistics/midrange.rs"
NAMED = {
    KERNEL,
    "crates/hypostyle/src/kernels/statistics/mod.rs",
    "crates/hypostyle/src/catalog.rs",
    "tests/python/oracles.py",
}


def steps() -> list[tuple[str, str, str]]:
    """The blocks that change the repository: the file that the text before names, the language, the text."""
    section = PAGE.read_text(encoding="utf-8").split("\n## In this repository\n")[1].split("\n## ")[0]
    found = []
    path = ""
    for before, language, block in re.findall(r"(.*?)^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE):
        path = [path, *re.findall(r"`([\w./-]+\.(?:rs|py))`", before)][-1]
        if language in ("rust", "diff"):
            found.append((path, language, block))
    return found


def patched(text: str, diff: str) -> str:
    """The text with the lines of a diff that begin with `+`; the others are the lines around them."""
    lines = diff.splitlines()
    old = "\n".join(line[1:] for line in lines if line.startswith(" "))
    new = "\n".join(line[1:] for line in lines)
    assert all(line.startswith((" ", "+")) for line in lines), diff
    assert text.count(f"{old}\n") == 1, f"the lines around the new ones are not there:\n{old}"
    return text.replace(f"{old}\n", f"{new}\n")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def copy_to(folder: Path) -> None:
    for name in COPIED:
        source, copy = ROOT / name, folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy)
    workspace = folder / "Cargo.toml"
    members = re.compile(r"^members = \[.*?\]$", re.DOTALL | re.MULTILINE)
    text, count = members.subn('members = ["crates/hypostyle"]', workspace.read_text(encoding="utf-8"))
    assert count == 1
    workspace.write_text(text, encoding="utf-8")


def test_the_kernel_of_the_page_compiles(tmp_path: Path) -> None:
    copy_to(tmp_path)
    before = files(tmp_path)
    for path, language, block in steps():
        file = tmp_path / path
        assert (language == "diff") == file.exists(), path
        file.write_text(patched(file.read_text(encoding="utf-8"), block) if language == "diff" else block, "utf-8")
    after = files(tmp_path)
    assert {path for path in after if after[path] != before.get(path)} == NAMED

    command = ["cargo", "check", "--release", "--offline", "-p", "hypostyle", "--tests", "--message-format", "short"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"CARGO_TARGET_DIR": str(TARGET)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Checking hypostyle" in done.stderr, done.stderr
    complaints = [line for line in done.stderr.splitlines() if re.search(r"\b(warning|error)\b", line)]
    # Profiles of the crates that the copy leaves out are unused there.
    assert [line for line in complaints if "profile package spec" not in line] == []
    formatted = subprocess.run(["rustfmt", "--edition", "2024", "--check", KERNEL], cwd=tmp_path, capture_output=True)
    assert formatted.returncode == 0, formatted.stdout
