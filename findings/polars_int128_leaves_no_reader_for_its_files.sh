#!/usr/bin/env bash
# Polars 2.1.0 writes a column of Int128 to Parquet as 16 plain bytes, with an Arrow schema beside that names a 128-bit
# integer, which Arrow does not have (Arrow columnar format, "Int": 8 to 64 bits).  pyarrow 26.0.1 then refuses the whole
# file, its other columns too, and DuckDB 2.0.0 reads the numbers as BLOB; only Polars reads them back.
# Seen with polars 2.1.0, pyarrow 26.0.1 and duckdb 2.0.0 on CPython 3.11, Linux x86-64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 pyarrow==26.0.1 duckdb==2.0.0
found=$("$folder/venv/bin/python" - "$folder/wide.parquet" <<'PYTHON'
import sys

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

path = sys.argv[1]
pl.DataFrame({"k": [1, 2], "i": pl.Series([5, 2**100], dtype=pl.Int128)}).write_parquet(path)
print("polars:", pl.read_parquet(path)["i"].to_list() == [5, 2**100])
try:
    pq.read_table(path, columns=["k"])
    print("pyarrow: read")
except pa.ArrowNotImplementedError as error:
    print("pyarrow:", error)
print("duckdb:", duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()[1][1])
PYTHON
)
echo "$found"
[ "$found" = "polars: True
pyarrow: Integers with more than 64 bits not implemented
duckdb: BLOB" ]
