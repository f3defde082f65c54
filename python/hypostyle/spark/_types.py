"""Types of Spark as Polars' and Arrow's, for the columns that kernels read and return.

Columns that no kernel reads go through as Spark's own Arrow data, whatever their type.  pyspark is imported only where
a type of it is made, and its objects are `Any` here: it has no types for this, and it need not be installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from hypostyle._errors import ColumnNotFoundError
from hypostyle._stage import Stage

_READ: dict[str, pl.DataType] = {
    "boolean": pl.Boolean(),
    "tinyint": pl.Int8(),
    "smallint": pl.Int16(),
    "int": pl.Int32(),
    "bigint": pl.Int64(),
    "float": pl.Float32(),
    "double": pl.Float64(),
    "string": pl.String(),
    "binary": pl.Binary(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
    "timestamp_ntz": pl.Datetime("us"),
}
"""What a kernel reads a column of Spark as, by the type's short name."""

_MONTHS = re.compile(r"interval (year|month)")


def quoted(name: str) -> str:
    """Return a column's name as Spark's expressions take it: a dot would be a field."""
    return "`" + name.replace("`", "``") + "`"


def key_columns(keys: list[str], schema: Mapping[str, pl.DataType]) -> list[Any]:
    """Return the key columns as Spark's expressions, equal where a stage takes them for one key.

    0.0 and -0.0 are one key, and so is every NaN: Sail would send them to several partitions.
    """
    from pyspark.sql import functions as F

    columns = {name: F.col(quoted(name)) for name in keys}
    for name in keys:
        if schema[name].is_float():
            columns[name] = F.nanvl(columns[name] + F.lit(0.0), F.lit(float("nan")))
    return list(columns.values())


def checked_columns(caller: str, df: Any, wanted: list[str]) -> None:
    """Raise if the frame lacks a column, has one twice, or has one that Python cannot get from Spark."""
    names = [field.name for field in df.schema.fields]
    for name in wanted:
        if name not in names:
            alike = [other for other in names if other.lower() == name.lower()]
            advice = f"; names are case-sensitive here: '{alike[0]}'" if alike else f"; it has {', '.join(names)}"
            raise ColumnNotFoundError(f"{caller}: the frame has no column '{name}'{advice}")
    for at, name in enumerate(names):
        if name in names[:at]:
            raise ValueError(f"{caller}: the frame has two columns '{name}'\nhelp: rename one, or drop it")
    for field in df.schema.fields:
        if _MONTHS.search(shown := field.dataType.simpleString()):
            msg = (
                f"{caller}: column '{field.name}' has type {shown}, which Spark cannot pass to Python\n"
                f"help: cast it to a number of months, or drop it: df.drop('{field.name}')"
            )
            raise TypeError(msg)


def read_schema(caller: str, df: Any, stage: Stage) -> pl.Schema:
    """Return the columns that the stage reads, as it will see them; raise for a type that kernels cannot read."""
    known = stage.input_schema or pl.Schema()
    schema = {}
    for field in df.schema.fields:
        if field.name not in stage._columns:
            continue
        dtype = _read(field.dataType)
        if dtype is None:
            msg = (
                f"{caller}: column '{field.name}' has type {field.dataType.simpleString()}, which kernels cannot read\n"
                "help: cast it first, or read a part of it"
            )
            raise TypeError(msg)
        before = known.get(field.name)
        if isinstance(dtype, pl.Datetime) and isinstance(before, pl.Datetime) and dtype.time_zone and before.time_zone:
            dtype = pl.Datetime("us", before.time_zone)  # zones are names of the same times
        schema[field.name] = dtype
    return pl.Schema(schema)


def _read(given: Any) -> pl.DataType | None:
    kind = given.simpleString()
    if (dtype := _READ.get(kind)) is not None:
        return dtype
    if re.fullmatch(r"(var)?char\(\d+\)", kind):
        return pl.String()
    if (decimal := re.fullmatch(r"decimal\((\d+),(\d+)\)", kind)) is not None:
        return pl.Decimal(int(decimal[1]), int(decimal[2]))
    if re.match(r"interval (day|hour|minute|second)", kind):
        return pl.Duration("us")
    if re.fullmatch(r"time(\(\d\))?", kind):
        return pl.Time()
    if kind.startswith("array<"):
        inner = _read(given.elementType)
        return None if inner is None else pl.List(inner)
    if kind.startswith("struct<"):
        fields = {field.name: _read(field.dataType) for field in given.fields}
        return None if None in fields.values() else pl.Struct(fields)  # type: ignore[arg-type]
    return None


def written(dtype: pl.DataType) -> tuple[Any, Any]:
    """Return the types of Spark and of Arrow that hold a kernel's results; `TypeError` if there are none."""
    import pyarrow as pa
    from pyspark.sql import types as T

    plain = {
        pl.Boolean: (T.BooleanType, pa.bool_),
        pl.Int8: (T.ByteType, pa.int8),
        pl.Int16: (T.ShortType, pa.int16),
        pl.Int32: (T.IntegerType, pa.int32),
        pl.Int64: (T.LongType, pa.int64),
        pl.UInt8: (T.ShortType, pa.int16),
        pl.UInt16: (T.IntegerType, pa.int32),
        pl.UInt32: (T.LongType, pa.int64),
        pl.Float32: (T.FloatType, pa.float32),
        pl.Float64: (T.DoubleType, pa.float64),
        pl.String: (T.StringType, pa.string),
        pl.Categorical: (T.StringType, pa.string),
        pl.Enum: (T.StringType, pa.string),
        pl.Binary: (T.BinaryType, pa.binary),
        pl.Date: (T.DateType, pa.date32),
    }
    if (pair := plain.get(type(dtype))) is not None:
        return pair[0](), pair[1]()
    if isinstance(dtype, pl.UInt64):  # Spark has no unsigned integers
        return T.DecimalType(20, 0), pa.decimal128(20, 0)
    if isinstance(dtype, pl.Decimal):
        precision = 38 if dtype.precision is None else dtype.precision
        return T.DecimalType(precision, dtype.scale), pa.decimal128(precision, dtype.scale)
    if isinstance(dtype, pl.Datetime):
        zoned = dtype.time_zone is not None
        return (T.TimestampType(), pa.timestamp("us", "UTC")) if zoned else (T.TimestampNTZType(), pa.timestamp("us"))
    if isinstance(dtype, pl.Duration):
        return T.DayTimeIntervalType(), pa.duration("us")
    if isinstance(dtype, pl.Time) and hasattr(T, "TimeType"):
        return T.TimeType(), pa.time64("ns")
    if isinstance(dtype, pl.List):
        spark, arrow = written(dtype.inner)  # type: ignore[arg-type]
        return T.ArrayType(spark), pa.list_(arrow)
    if isinstance(dtype, pl.Struct):
        parts = [(field.name, *written(field.dtype)) for field in dtype.fields]  # type: ignore[arg-type]
        return (
            T.StructType([T.StructField(name, spark) for name, spark, _ in parts]),
            pa.struct([pa.field(name, arrow) for name, _, arrow in parts]),
        )
    raise TypeError(f"a result of type {dtype} has no counterpart in Spark\nhelp: cast it, or leave it out")


def output_schema(df: Any, added: pl.Schema) -> tuple[Any, dict[str, Any]]:
    """Return the schema of the result, and the Arrow types of the columns that the kernels add."""
    from pyspark.sql import types as T

    types = {name: written(dtype) for name, dtype in added.items()}
    fields = [T.StructField(name, spark, True) for name, (spark, _) in types.items()]
    new = {field.name: field for field in fields}
    kept = [new.pop(field.name, field) for field in df.schema.fields]
    return T.StructType([*kept, *new.values()]), {name: arrow for name, (_, arrow) in types.items()}
