"""Pipelines over files: the command `hypostyle run` from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from hypostyle._html import preformatted, size, table
from hypostyle._library import library_of
from hypostyle._progress import bars
from hypostyle._suggestions import explained


@dataclass(frozen=True)
class Progress:
    """The progress of a run."""

    rows_written: int
    """Rows written."""
    bytes_read: int
    """Bytes of the input that were read, or skipped for the filter."""
    total_bytes: int
    """Bytes of the whole input; 0 if unknown, as for standard input."""


@dataclass(frozen=True)
class Summary:
    """The outcome of a run."""

    rows_written: int
    """Rows written."""
    rows_read: int
    """Rows of the input: those written, those filtered out, and bad ones that were left out."""
    filtered_rows: int
    """Rows filtered out, with those of skipped row groups."""
    skipped_row_groups: int
    """Parquet row groups that were never read, since no row in them matches the filter."""
    skipped_files: int
    """Files that were never opened, since their partition columns do not match the filter."""
    filled_rows: int
    """Rows with too few fields that were filled up with nulls, as `ragged = "fit"` says."""
    cut_rows: int
    """Rows with too many fields whose last ones were cut off, as `ragged = "fit"` says."""
    bad_rows: int
    """Bad rows: made null, left out or rejected, as the pipeline says."""
    bad_row_counts: Mapping[str, int]
    """The number of bad values for each column and reason."""
    rejects: Path | None
    """The file of rejected rows."""
    bytes_read: int
    """Bytes of the input that were read."""
    bytes_written: int
    """Bytes of the output."""
    seconds: float
    """The time of the run, without planning."""
    peak_memory: int | None
    """Peak memory of the process in bytes; `None` if the OS does not report it."""
    output: Path
    """The output."""

    def _repr_html_(self) -> str:
        shown = vars(self) | {name: _shown_bytes(getattr(self, name)) for name in _SIZES}
        shown["seconds"] = f"{self.seconds:.3f}"
        shown["bad_row_counts"] = ", ".join(f"{reason}: {count}" for reason, count in self.bad_row_counts.items())
        rows = [(name, "" if value is None else value) for name, value in shown.items()]
        return table(f"Summary: {self.output}", rows)


_SIZES = ("bytes_read", "bytes_written", "peak_memory")


def _shown_bytes(count: int | None) -> str | None:
    return None if count is None else size(count)


class Pipeline:
    """A source, stages of kernels and a sink, as a pipeline file (docs/pipelines.md) describes them.

    Rows are read, computed and written in batches, on several threads, in bounded memory. Results are bit-identical to
    those of one batch. The output is written atomically.

    Args:
        toml: The pipeline as TOML. `Pipeline.from_file` reads it from a file.
        native: The extension module of custom kernels in the pipeline: that of `hypostyle.functions`.

    Raises:
        ValueError: The text is not valid TOML, or has an unknown setting.

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
    >>> summary.rows_written
    3
    >>> (folder / "out.csv").read_text()
    'symbol,price,mean\\nA,1.0,1.0\\nB,10.0,10.0\\nA,3.0,2.0\\n'
    """

    @explained
    def __init__(self, toml: str, *, native: ModuleType | None = None) -> None:
        self._native = library_of(native).Pipeline(toml)
        self._toml = toml
        self._path: Path | None = None

    @classmethod
    def from_file(cls, path: str | PathLike[str], *, native: ModuleType | None = None) -> Pipeline:
        """Read a pipeline file. Relative paths in it start at the working directory.

        Args:
            path: The file.
            native: The extension module of custom kernels in the pipeline: that of `hypostyle.functions`.

        Raises:
            ValueError: The file cannot be read, is not valid TOML, or has an unknown setting.
        """
        pipeline = cls.__new__(cls)
        pipeline._native = library_of(native).Pipeline.from_file(path)
        pipeline._path = Path(path)
        pipeline._toml = pipeline._path.read_text(encoding="utf-8")
        return pipeline

    @explained
    def check(self, *, input: str | PathLike[str] | None = None, output: str | PathLike[str] | None = None) -> str:
        """Check the pipeline and return its plan: columns with their types, kernels and output.

        Nothing is written.

        Args:
            input: File, directory or glob pattern to read instead of the one in `[source]`.
            output: File to write instead of the one in `[sink]`.

        Raises:
            ValueError, TypeError, ColumnNotFoundError, OSError: An error of the pipeline, with its line in the file.
        """
        return self._native.adjusted(input, output, None, None, None, False).check()

    @explained
    def run(
        self,
        *,
        input: str | PathLike[str] | None = None,
        output: str | PathLike[str] | None = None,
        threads: int | None = None,
        memory_limit: int | None = None,
        limit: int | None = None,
        restart: bool = False,
        progress: bool | Callable[[Progress], Any] | None = None,
    ) -> Summary:
        """Run the pipeline.

        Args:
            input: File, directory or glob pattern to read instead of the one in `[source]`.
            output: File to write instead of the one in `[sink]`.
            threads: Number of threads. Default: all cores. Results do not depend on it.
            memory_limit: Limit on the memory of the process in bytes. The run fails if it needs more.
            limit: Stop after this number of rows that match the filter.
            restart: Discard the checkpoint of an interrupted run and start over.
            progress: `True` for a progress bar, which needs the package tqdm. Or a function that is called with a
                `Progress` at most about twenty times per second; an exception in it stops the run.

        Raises:
            ValueError: A bad row, times that are not sorted, an invalid pipeline.
            OSError: An input that cannot be read, an output that cannot be written; FileNotFoundError if a file or
                directory does not exist.
            ImportError: `progress=True` without tqdm.
            MemoryError: More memory is needed than `memory_limit`.
            KeyboardInterrupt: Ctrl-C. No output is written, and an existing one is unchanged.
        """
        native = self._native.adjusted(input, output, threads, memory_limit, limit, restart)
        if progress is True:
            with bars("Pipeline.run")(unit="B", unit_scale=True) as shown:
                return Summary(**native.run(lambda *fields: _advance(shown, Progress(*fields))))
        report = progress if callable(progress) else None
        return Summary(**native.run(None if report is None else lambda *fields: report(Progress(*fields))))

    def __repr__(self) -> str:
        if self._path is not None:
            return f"Pipeline.from_file({str(self._path)!r})"
        return f"Pipeline({self._toml!r})"

    def _repr_html_(self) -> str:
        return preformatted("Pipeline" if self._path is None else f"Pipeline {self._path}", self._toml)


def _advance(shown: Any, progress: Progress) -> None:
    """Move a progress bar to the bytes that were read."""
    shown.total = progress.total_bytes or None
    shown.set_postfix_str(f"{progress.rows_written:,} rows", refresh=False)
    shown.update(progress.bytes_read - shown.n)
