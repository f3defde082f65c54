"""Kernels on Spark 4 and Sail: the same kernels and the same bits as in memory, over DataFrames and streams of Spark.

>>> import hypostyle as hs
>>> import hypostyle.spark as hss
>>> mean = hs.rolling_mean("price", 20, over="symbol").alias("m20")
>>> def features(df):
...     return hss.with_columns(df, mean, order_by="ts")

`hypostyle` must be installed on the machines that run Spark's Python workers, and pyspark and pyarrow where this is
called.  docs/clusters.md says how rows are spread, and what is promised when a task dies.
"""

from hypostyle.spark._batch import with_columns
from hypostyle.spark._checkpoint import late_rows, load_stage
from hypostyle.spark._moving import rebalance, seed
from hypostyle.spark._streaming import stream

__all__ = ["late_rows", "load_stage", "rebalance", "seed", "stream", "with_columns"]
