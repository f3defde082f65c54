"""The directory of a stream: Spark's own checkpoint, and beside it the state of each bucket of keys by batch number.

    checkpoint/
      spark/                     Spark's checkpoint: offsets and commits
      hypostyle.json             what the states are of: kernels, order, buckets, and the directory that holds them
      committed                  the number of the last batch whose results are written and whose states are complete
      states-0/00012/17.state    bucket 12 after batch 17
      late/17-00012.rows         how many rows of batch 17 came late for bucket 12; .parquet has the rows, if kept

A batch starts from the newest state before its own number, so that a batch that Spark repeats gives the same rows and
the same states.  All files are written under another name and renamed.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from hypostyle._late import Late
from hypostyle._library import library_named
from hypostyle._stage import Stage

FORMAT = 1
KEPT = 2  # states before the newest one, for readers that were told the number of the last batch a while ago


@dataclass(frozen=True)
class Layout:
    """What the states of a checkpoint are of.

    Args:
        kernels: The kernels, in their normal form.
        order_by: The column that rows must be sorted by.
        buckets: The number of buckets that keys are hashed to.
        states: The directory of the states.
        since: The number of the batch before the first one that may run on these states.
        library: The module of custom kernels, if there are any.
    """

    kernels: list[dict[str, Any]]
    order_by: str | None
    buckets: int
    states: str = "states-0"
    since: int = -1
    library: str | None = None
    format: int = FORMAT

    def check(self, caller: str, where: str, wanted: Layout) -> None:
        """Raise if the states are of other kernels, or of keys spread in another way, than are wanted."""
        for what, one, other, advice in (
            ("kernels", self.kernels, wanted.kernels, "name another directory"),
            ("order_by", self.order_by, wanted.order_by, "name another directory"),
            ("buckets", self.buckets, wanted.buckets, f"pass buckets={self.buckets}"),
        ):
            if one != other:
                raise ValueError(f"{caller}: {where} is of other {what}: {one}, not {other}\nhelp: {advice}")


class Checkpoint:
    """The directory of a stream, which the driver and all workers must see under this path."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", os.fspath(path)):  # one letter is a drive
            msg = (
                f"checkpoint '{os.fspath(path)}': expected a path, got an address\n"
                "help: name a directory that the driver and all workers see, such as a mounted one; or keep the states "
                "in Spark's own store: hypostyle.spark.with_columns over the streaming DataFrame"
            )
            raise ValueError(msg)
        self.path = Path(path).absolute()

    def layout(self) -> Layout | None:
        """Return what the states are of; `None` if there are none yet."""
        try:
            read = json.loads((self.path / "hypostyle.json").read_text())
        except FileNotFoundError:
            return None
        if read.get("format") != FORMAT:
            msg = f"'{self.path}': got a checkpoint of format {read.get('format')}, expected format {FORMAT}"
            raise ValueError(msg)
        return Layout(**read)

    def found(self) -> Layout:
        """Return what the states are of; raise if there are none."""
        layout = self.layout()
        if layout is None:
            raise FileNotFoundError(f"'{self.path}' is not a checkpoint of hypostyle.spark: it has no hypostyle.json")
        return layout

    def write_layout(self, layout: Layout) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        _replace(self.path / "hypostyle.json", json.dumps(asdict(layout), indent=1))

    def committed(self) -> int:
        """Return the number of the last complete batch, -1 before the first one."""
        try:
            return int((self.path / "committed").read_text())
        except FileNotFoundError:
            return -1

    def commit(self, number: int) -> None:
        _replace(self.path / "committed", str(number))

    def state_path(self, layout: Layout, bucket: int, number: int) -> Path:
        return self.path / layout.states / f"{bucket:05}" / f"{number}.state"

    def numbers(self, layout: Layout, bucket: int) -> list[int]:
        """Return the numbers of the batches that left a state of this bucket, in increasing order."""
        try:
            files = os.listdir(self.path / layout.states / f"{bucket:05}")
        except FileNotFoundError:
            return []
        return sorted(int(name.removesuffix(".state")) for name in files if name.endswith(".state"))

    def newest(self, layout: Layout, bucket: int, at_most: int) -> Path | None:
        """Return the newest state of a bucket up to this batch."""
        numbers = [number for number in self.numbers(layout, bucket) if number <= at_most]
        return self.state_path(layout, bucket, numbers[-1]) if numbers else None

    def save(self, layout: Layout, bucket: int, number: int, stage: Stage) -> None:
        """Write the state of a bucket after a batch, and remove those that nobody needs any more."""
        path = self.state_path(layout, bucket, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        stage.save(path)
        for old in [earlier for earlier in self.numbers(layout, bucket) if earlier < number][:-KEPT]:
            self.state_path(layout, bucket, old).unlink(missing_ok=True)

    def load(self, layout: Layout, path: Path, late: Late = "error") -> Stage:
        native = None if layout.library is None else library_named(layout.library)
        return Stage.load(path, threads=1, native=native, late=late)  # type: ignore[arg-type]

    def stages(self, layout: Layout) -> list[Stage | None]:
        """Return the stage of each bucket after the last complete batch; `None` for one that had no rows."""
        last = self.committed()
        paths = [self.newest(layout, bucket, last) for bucket in range(layout.buckets)]
        return [None if path is None else self.load(layout, path) for path in paths]

    def done_path(self, number: int) -> Path:
        """The directory where each task notes that it has read all of its rows of a batch."""
        return self.path / "done" / str(number)


def _replace(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)


def load_stage(checkpoint: str | os.PathLike[str], *, late: Late = "error") -> Stage:
    """Return a live `Stage` with all keys of a stream, after its last complete batch.

    The stream may be running; it is not changed.

    Args:
        checkpoint: The directory that was given to `stream` or `seed`.
        late: What happens to late rows of the stage, as in `Stage`.

    Raises:
        FileNotFoundError: The directory is not a checkpoint of `hypostyle.spark`.
        ValueError: No row has been read yet, or a state is damaged.
    """
    own = Checkpoint(checkpoint)
    stages = [stage for stage in own.stages(own.found()) if stage is not None]
    if not stages:
        raise ValueError(f"'{own.path}': no batch is complete yet, so there is no state")
    merged = reduce(_merged, stages[1:], stages[0])
    return Stage.from_bytes(merged.to_bytes(), native=cast("ModuleType", merged._library), late=late)


def _merged(one: Stage, other: Stage) -> Stage:
    one.merge(other)
    return one


def late_rows(checkpoint: str | os.PathLike[str]) -> int:
    """Return how many rows came late so far, of a stream that leaves them out (`late="drop"` or `"save"`)."""
    own = Checkpoint(checkpoint)
    own.found()
    last = own.committed()
    counts = (path for path in (own.path / "late").glob("*.rows") if int(path.name.split("-")[0]) <= last)
    return sum(int(path.read_text()) for path in counts)
