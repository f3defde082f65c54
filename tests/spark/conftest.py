"""The session of the engine that HYPOSTYLE_ENGINE names: classic Spark, Spark Connect, or Sail."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

ENGINE = os.environ.get("HYPOSTYLE_ENGINE", "classic")
SPARK_ONLY = ["test_pages.py", "test_streaming.py", "test_spark_types.py"]
ONCE = ["test_arrow_streams.py", "test_failures.py", "test_files.py"]
collect_ignore = {"classic": [], "connect": ONCE, "sail": SPARK_ONLY + ONCE}[ENGINE]

os.environ["PYSPARK_PYTHON"] = sys.executable
warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.session.timeZone": "Europe/Berlin",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "500",  # so that partitions come in several batches
    "spark.sql.parquet.compression.codec": "zstd",  # snappy's Java library does not load beside Debian's package musl
    "spark.log.level": "OFF",
    "spark.sql.streaming.stateStore.providerClass": (
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    ),
}


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    if ENGINE == "sail":
        from pysail.spark import SparkConnectServer

        server = SparkConnectServer(ip="127.0.0.1", port=0)
        server.start(background=True)
        _, port = server.listening_address
        session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
        session.conf.set("spark.sql.session.timeZone", "Europe/Berlin")
        yield session
        session.stop()
        server.stop()
        return
    # A task is tried three times, so that a worker may die.
    builder = SparkSession.builder
    builder = builder.master("local[2,3]") if ENGINE == "classic" else builder.remote("local[2,3]")
    home = tmp_path_factory.mktemp("spark")
    for key, value in {**SETTINGS, "spark.sql.warehouse.dir": str(home), "spark.local.dir": str(home)}.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    yield session
    session.stop()
