"""The examples of the README and of the pages in docs/ do what they say."""

from __future__ import annotations

import linecache
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from data import ROOT
from hypostyle import _native

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = ROOT / "crates" / "hypostyle" / "examples"
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """The fenced blocks of a language, each with the line that its code begins at."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in found]


def test_pages_have_examples() -> None:
    """The tests below find blocks to run."""
    pages = {page.name: page for page in PAGES}
    for name in ("README.md", "keys.md", "live.md", "state.md", "pipelines.md"):
        assert blocks(pages[name], "python"), name
    assert any("[sink]" in text for _, text in blocks(pages["pipelines.md"], "toml"))
    assert any("fn main" in text for page in PAGES for _, text in blocks(page, "rust"))
    assert len(LINK.findall(pages["README.md"].read_text(encoding="utf-8"))) > 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page's blocks are one program, run in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    for line, code in blocks(page, "python"):
        # Empty lines before the code give tracebacks the line of the page; compiled functions are found in the cache.
        text, name = "\n" * (line - 1) + code, f"<{page.name}, line {line}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), module.__dict__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pipelines_are_in_order(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every whole pipeline of a page is accepted and runs over a small file."""
    monkeypatch.chdir(tmp_path)
    Path("trades.csv").write_text(
        "ts,symbol,venue,price,size\n2024-01-02T09:30:00,A,X,1.5,10\n2024-01-02T09:31:00,A,X,2.5,20\n"
    )
    Path("earthquakes.csv").write_text(
        "Date,Latitude,Longitude,Magnitude\n01/02/1965,19.2,145.6,6.0\n1975-02-23T02:58:41.000Z,8.0,124.0,5.6\n"
    )
    for line, text in blocks(page, "toml"):
        if "[sink]" not in text:
            continue
        Path("pipeline.toml").write_text(text)
        assert _native.run_cli(["hypostyle", "run", "--quiet", "pipeline.toml"]) == 0, f"{page.name}:{line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_rust_programs_are_examples(page: Path) -> None:
    """A whole Rust program on a page is one of the examples, which `make test` runs."""
    programs = {path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.rs")}
    for line, text in blocks(page, "rust"):
        if "fn main" in text:
            assert any(program.endswith(text) for program in programs), f"{page.name}:{line} is in no example"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"
