#!/usr/bin/env bash
# Sail leaves sortWithinPartitions, and orderBy, out of the plan if mapInArrow is right above: the function gets the rows of a
# partition in the order in which they came.  Spark sorts them.  With a window function between, Sail sorts too.
# Seen with pysail 0.7.2 and pyspark-client 4.2.0 on CPython 3.11, Linux x86-64: "sorted: False; by row_number: True".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pysail==0.7.2 pyspark-client==4.2.0 pyarrow==26.0.1
found=$("$folder/venv/bin/python" - 2> /dev/null <<'PYTHON'
import pyarrow as pa
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

server = SparkConnectServer(ip="127.0.0.1", port=0)
server.start(background=True)
spark = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").getOrCreate()
frame = spark.createDataFrame(pa.table({"key": [1] * 9, "at": [3, 1, 4, 2, 8, 6, 5, 9, 7]}))


def seen(batches):
    rows = [at for batch in batches for at in batch["at"].to_pylist()]
    yield pa.RecordBatch.from_pydict({"sorted": pa.array([rows == sorted(rows)])})


def is_sorted(plan):
    return all(plan.mapInArrow(seen, "sorted boolean").toArrow()["sorted"].to_pylist())


spread = frame.repartition(2, "key")
numbered = spread.withColumn("row", F.row_number().over(Window.partitionBy("key").orderBy("at")))
print(f"sorted: {is_sorted(spread.sortWithinPartitions('at'))}; by row_number: {is_sorted(numbered)}")
spark.stop()
server.stop()
PYTHON
)
echo "$found"
[ "$found" = "sorted: False; by row_number: True" ]
