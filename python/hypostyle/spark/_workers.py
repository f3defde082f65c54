"""What runs in Spark's Python workers: batches of Arrow in, batches of Arrow out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypostyle._late import Late
from hypostyle._lazy import groups
from hypostyle._library import library_named
from hypostyle._stage import Stage

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Work:
    """What a worker needs to know, which is pickled.

    Args:
        packed: The stage to start from: its bytes, and the library of its custom kernels.
        late: What happens to late rows.
        names: The columns of the result, in order: Spark takes them by place and checks no name.
        added: The Arrow types of the columns that the kernels add, as Spark declares them.
        zones: The types of the timestamps that the stage reads, whose zone is not that of Spark's session.
    """

    packed: tuple[bytes, str | None]
    late: Late
    names: list[str]
    added: Mapping[str, Any]
    zones: Mapping[str, Any]

    def stage(self) -> Stage:
        """Return the stage to start from."""
        return self.restored(self.packed[0])

    def restored(self, state: bytes) -> Stage:
        """Return a stage of the same kernels with another state."""
        library = self.packed[1]
        native: Any = None if library is None else library_named(library)
        return Stage.from_bytes(state, threads=1, native=native, late=self.late)

    def advance(self, stage: Stage, batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Return batches with the columns that Spark expects, and keep their rows in the stage.

        The stage runs over all of them at once, and only the columns that it reads are copied for that.
        """
        import pyarrow as pa

        if self.late != "error":  # rows may be left out
            whole = pa.concat_batches(batches) if len(batches) > 1 else batches[0]
            done = stage.advance(self._zoned(whole))
            kept = pa.schema([field for field in whole.schema if field.name not in self.added])
            batches = [done.select(kept.names).cast(kept)]
        else:
            read = [batch.select(stage._columns) for batch in batches]
            done = stage.advance(self._zoned(pa.concat_batches(read) if len(read) > 1 else read[0]))
        added = {name: _cast(done.column(name), wanted, name) for name, wanted in self.added.items()}
        start = 0
        for batch in batches:
            columns = {name: column.slice(start, batch.num_rows) for name, column in added.items()}
            start += batch.num_rows
            yield pa.RecordBatch.from_arrays(
                [columns[name] if name in columns else batch.column(name) for name in self.names],
                schema=self._declared(batch.schema),
            )

    def _zoned(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        for name, zone in self.zones.items():
            at = batch.schema.get_field_index(name)
            if batch.schema.field(at).type != zone:
                batch = batch.set_column(at, name, batch.column(at).cast(zone))
        return batch

    def _declared(self, given: pa.Schema) -> pa.Schema:
        import pyarrow as pa

        added = self.added
        return pa.schema([pa.field(name, added[name]) if name in added else given.field(name) for name in self.names])


def _cast(column: Any, wanted: Any, name: str) -> Any:
    import pyarrow as pa

    try:
        return column if column.type == wanted else column.cast(wanted)
    except pa.ArrowInvalid as error:
        msg = f"column '{name}': a result of type {column.type} does not fit in {wanted}, as Spark declares it: {error}"
        raise ValueError(msg) from error


_ROWS_PER_KEY = 50
_MOST_ROWS = 1 << 18
"""How many rows a stage runs over at once: states of many keys are fetched less often, and memory is bounded."""


def run_partition(work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Return a partition with the kernels' columns: one stage for all of its keys."""
    stage = work.stage()
    for some in groups(batches, [stage], _ROWS_PER_KEY, _MOST_ROWS):
        yield from work.advance(stage, some)
