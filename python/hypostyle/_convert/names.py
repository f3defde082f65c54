"""Names of Rust for those of Python."""

from __future__ import annotations

import re

_WORDS = frozenset(
    [
        "as",
        "async",
        "await",
        "break",
        "const",
        "continue",
        "crate",
        "dyn",
        "else",
        "enum",
        "extern",
        "false",
        "fn",
        "for",
        "gen",
        "if",
        "impl",
        "in",
        "let",
        "loop",
        "match",
        "mod",
        "move",
        "mut",
        "pub",
        "ref",
        "return",
        "self",
        "static",
        "struct",
        "super",
        "trait",
        "true",
        "type",
        "unsafe",
        "use",
        "where",
        "while",
        "abstract",
        "become",
        "box",
        "do",
        "final",
        "macro",
        "override",
        "priv",
        "try",
        "typeof",
        "unsized",
        "virtual",
        "yield",
        "Self",
        "None",
        "Some",
        "Option",
        "py",
    ]
)
_CANNOT_BE_RAW = ("self", "Self", "super", "crate", "None", "Some", "Option", "py")


def rust_name(name: str) -> str:
    """Return a name of a program as an identifier of Rust."""
    parts = name.split(".")
    while len(parts) >= 3 and parts[1].isdigit() and not parts[0].isdigit():
        parts = parts[2:]
    while len(parts) >= 2 and parts[0].isdigit():
        parts = parts[1:]
    plain = re.sub(r"\[i-(\d+)\]", r"_\1_before", "_".join(parts))
    plain = re.sub(r"\W", "_", plain.replace("row[i]", "row"))
    if plain == "_" or not plain.strip("_"):
        return "unnamed"
    if plain in _CANNOT_BE_RAW:
        return f"{plain}_"
    return f"r#{plain}" if plain in _WORDS else plain


def distinct(names: dict[str, str], name: str, taken: set[str]) -> str:
    """Return the identifier of a name, different from all that are taken, and remember it."""
    if name not in names:
        plain = found = rust_name(name)
        number = 1
        while found in taken:
            number += 1
            found = f"{plain.removeprefix('r#')}_{number}"
        names[name] = found
        taken.add(found)
    return names[name]
