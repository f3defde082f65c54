"""The user's comments: each goes before the first statement below it, or behind the statement beside it."""

from __future__ import annotations

import io
import re
import tokenize

from hypostyle._functions.source import Source

_FOR_TOOLS = re.compile(r"#\s*(noqa|type:|fmt:|pragma|ruff:|mypy:|pylint:|isort:|pyright:)")


class Comments:
    """The comments of one function, which are taken one after the other."""

    def __init__(self, source: Source) -> None:
        first, last = source.node.lineno, source.node.end_lineno or source.node.lineno
        self.last = last
        self._left: list[tuple[int, str]] = []
        self._own: set[int] = set()
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO("".join(source.lines)).readline))
        except (tokenize.TokenError, SyntaxError):
            tokens = []
        for token in tokens:
            if token.type == tokenize.COMMENT and first < token.start[0] <= last and not _FOR_TOOLS.match(token.string):
                self._left.append((token.start[0], "//" + token.string.lstrip("#")))
                if not token.line[: token.start[1]].strip():
                    self._own.add(token.start[0])

    def before(self, line: int) -> list[str]:
        """Take the comments above a line."""
        taken = [text for number, text in self._left if number < line]
        self._left = [item for item in self._left if item[0] >= line]
        return taken

    def beside(self, first: int, last: int) -> list[str]:
        """Take the comments at the ends of lines."""
        taken = [item for item in self._left if first <= item[0] <= last and item[0] not in self._own]
        self._left = [item for item in self._left if item not in taken]
        return [text for _, text in taken]
