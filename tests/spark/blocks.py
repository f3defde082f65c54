"""The blocks of docs/clusters.md that need Spark or DuckDB: ```python spark and ```python duckdb."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "clusters.md"


def programs(language: str) -> list[str]:
    """The code of each section that has any, as one program, on the lines that it has on the page."""
    found = []
    text = PAGE.read_text()
    for section in re.finditer(r"^##+ .*?$(.*?)(?=^##+ |\Z)", text, re.DOTALL | re.MULTILINE):
        code = ""
        for block in re.finditer(rf"^```python {language}\n(.*?)^```$", section[1], re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, section.start(1) + block.start(1))
            code += "\n" * (line - code.count("\n")) + block[1]
        if code:
            found.append(code)
    return found


def run(code: str, **given: Any) -> dict[str, Any]:
    """Run a program with these names, and return its names."""
    exec(compile(code, str(PAGE), "exec"), given)
    return given
