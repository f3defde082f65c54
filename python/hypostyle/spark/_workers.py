"""What runs in Spark's Python workers: batches of Arrow in, batches of Arrow out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypostyle._late import Late
from hypostyle._lazy import gathered
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

    def advance(self, stage: Stage, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with the columns that Spark expects, and keep its rows in the stage."""
        return self._declared(stage.advance(self._zoned(batch)), batch.schema)

    def _zoned(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        for name, zone in self.zones.items():
            at = batch.schema.get_field_index(name)
            if batch.schema.field(at).type != zone:
                batch = batch.set_column(at, name, batch.column(at).cast(zone))
        return batch

    def _declared(self, done: pa.RecordBatch, given: pa.Schema) -> pa.RecordBatch:
        import pyarrow as pa

        columns, fields = [], []
        for name in self.names:
            column = done.column(name)
            if name in self.added:
                column = _cast(column, self.added[name], name)
                field = pa.field(name, column.type)
            else:
                field = given.field(name)
                column = column.cast(field.type) if name in self.zones else column
            columns.append(column)
            fields.append(field)
        return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))


def _cast(column: Any, wanted: Any, name: str) -> Any:
    import pyarrow as pa

    try:
        return column if column.type == wanted else column.cast(wanted)
    except pa.ArrowInvalid as error:
        msg = f"column '{name}': a result of type {column.type} does not fit in {wanted}, as Spark declares it: {error}"
        raise ValueError(msg) from error


def run_partition(work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Return a partition with the kernels' columns: one stage for all of its keys."""
    import pyarrow as pa

    stage = work.stage()
    for batch in gathered(batches, [stage], pa.concat_batches):
        yield work.advance(stage, batch)
