"""Pipelines over files: the command `hypostyle run` from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from hypostyle import _native


@dataclass(frozen=True)
class Progress:
    """How far a run is: rows written, bytes of the input read, bytes in all (0 where that can't be known)."""

    rows: int
    bytes: int
    total_bytes: int


@dataclass(frozen=True)
class Summary:
    """What a run did."""

    rows: int
    """Rows written."""
    rows_read: int
    """Rows of the input: those written, those that the filter left out, and those that were left out for being bad."""
    filtered_rows: int
    """Rows that the filter left out, with those of the row groups that were never read."""
    skipped_groups: int
    """Row groups of Parquet that were never read, as the filter takes none of their rows."""
    skipped_files: int
    """Files that were never opened, as the filter leaves them out by their folders."""
    bad_rows: int
    """Rows that were bad: made null, left out or rejected, as the pipeline says."""
    reasons: Mapping[str, int]
    """What was wrong with them, and how often."""
    rejects: Path | None
    """Where the rejected rows are."""
    bytes_read: int
    bytes_written: int
    seconds: float
    peak_memory: int | None
    """The most memory in bytes that this process has held so far, where the system says."""
    output: Path


class Pipeline:
    """A source, stages of kernels and a sink, as a pipeline file (docs/pipelines.md) describes them.

    Rows are read, computed and written in pieces, on several threads, in bounded memory; the answers are those of one
    batch, to the bit.  The output appears whole or not at all.

    Args:
        text: The pipeline as TOML.  `Pipeline.from_file` reads it from a file.

    Raises:
        ValueError: The text is no TOML, or has a key that pipelines don't know.

    >>> import tempfile, pathlib
    >>> import hypostyle as hs
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "in.csv").write_text("symbol,price\\nA,1.0\\nB,10.0\\nA,3.0\\n")
    >>> pipeline = hs.Pipeline('''
    ...     [[stage]]
    ...     over = "symbol"
    ...     [[stage.kernel]]
    ...     name = "expanding_mean"
    ...     column = "price"
    ...     alias = "mean"
    ... ''')
    >>> summary = pipeline.run(input=folder / "in.csv", output=folder / "out.csv")
    >>> summary.rows
    3
    >>> (folder / "out.csv").read_text()
    'symbol,price,mean\\nA,1.0,1.0\\nB,10.0,10.0\\nA,3.0,2.0\\n'
    """

    def __init__(self, text: str) -> None:
        self._native = _native.Pipeline(text)

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Pipeline:
        """Reads a pipeline file.  Relative paths in it start at the working directory.

        Raises:
            ValueError: The file can't be read, is no TOML, or has a key that pipelines don't know.
        """
        pipeline = cls.__new__(cls)
        pipeline._native = _native.Pipeline.from_file(path)
        return pipeline

    def check(self, *, input: str | PathLike[str] | None = None, output: str | PathLike[str] | None = None) -> str:
        """The plan in words: the columns with their types and where those come from, the kernels, the output.

        Nothing is written.

        Args:
            input: Read this file, folder or pattern instead of the one in `[source]`.
            output: Write this file instead of the one in `[sink]`.

        Raises:
            ValueError, TypeError, ColumnNotFoundError, OSError: What is wrong, with the line in the pipeline file.
        """
        return self._native.adjusted(input, output, None, None, None, False).check()

    def run(
        self,
        *,
        input: str | PathLike[str] | None = None,
        output: str | PathLike[str] | None = None,
        threads: int | None = None,
        memory: int | None = None,
        limit: int | None = None,
        restart: bool = False,
        progress: Callable[[Progress], Any] | None = None,
    ) -> Summary:
        """Runs the pipeline.

        Args:
            input: Read this file, folder or pattern instead of the one in `[source]`.
            output: Write this file instead of the one in `[sink]`.
            threads: How many threads may decode, run kernels and encode; all cores unless given.  The result does not
                depend on it.
            memory: How many bytes of memory the process may use; where that isn't enough, the run fails.
            limit: Stop after so many rows; with a filter, after so many that it takes.
            restart: Forget the checkpoint of a run that ended before its time, and begin anew.
            progress: Called now and then, at most some twenty times a second.  What it raises stops the run.

        Raises:
            ValueError: A bad row, times that aren't sorted, a pipeline that asks for what can't be done.
            OSError: An input that can't be read, an output that can't be written.
            MemoryError: More memory is needed than `memory`.
            KeyboardInterrupt: Ctrl-C.  No output is written then, and one that was there before is untouched.
        """
        native = self._native.adjusted(input, output, threads, memory, limit, restart)
        tell = None if progress is None else lambda *status: progress(Progress(*status))
        return Summary(**native.run(tell))
