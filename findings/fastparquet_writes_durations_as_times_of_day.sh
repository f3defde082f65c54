#!/usr/bin/env bash
# Parquet has a type for a time of the day, and none for a duration.  fastparquet.write gives columns of pandas' timedelta64 the type of a
# time of the day all the same: of a duration of 1 day and 1 s pyarrow makes the time 00:00:01, of one of -1 ms 23:59:59.999, without a
# word; fastparquet itself reads the durations back, by what pandas notes in the file.  pyarrow writes such a column as a plain
# integer with a note of its own.
# Seen with fastparquet 2026.9.0, pandas 3.1.1 and pyarrow 26.0.1 on CPython 3.11, Linux x86-64: "time64[us] 00:00:01 23:59:59.999000;
# 1 days 00:00:01 -1 days +23:59:59.999000".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fastparquet==2026.9.0 pandas==3.1.1 pyarrow==26.0.1
found=$("$folder/venv/bin/python" - "$folder/t.parquet" <<'PYTHON'
import sys

import fastparquet
import pandas as pd
import pyarrow.parquet as pq

path = sys.argv[1]
frame = pd.DataFrame({"gap": pd.to_timedelta([86_401_000_000, -1_000], unit="us").as_unit("us")})
fastparquet.write(path, frame)
column = pq.read_table(path)["gap"]
back = fastparquet.ParquetFile(path).to_pandas()["gap"]
print(f"{column.type} {column[0].as_py()} {column[1].as_py()}; {back[0]} {back[1]}")
PYTHON
)
echo "$found"
[ "$found" = "time64[us] 00:00:01 23:59:59.999000; 1 days 00:00:01 -1 days +23:59:59.999000" ]
