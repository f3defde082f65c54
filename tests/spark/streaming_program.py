"""A program with a stream, which the tests kill: python streaming_program.py HOME."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession
from rows import KERNELS

import hypostyle.spark as hss
from conftest import SETTINGS


def main(home: Path) -> None:
    builder = SparkSession.builder.master("local[2]")
    for key, value in {**SETTINGS, "spark.local.dir": str(home / "local")}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    schema = spark.read.parquet(str(home / "in")).schema
    source = spark.readStream.schema(schema).option("maxFilesPerTrigger", 1).parquet(str(home / "in"))
    query = hss.stream(
        source,
        *KERNELS,
        order_by=["ts", "i"],
        checkpoint=home / "checkpoint",
        write=str(home / "out"),
        buckets=8,
        partitions=2,
        trigger={"availableNow": True},
    )
    query.awaitTermination()
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
