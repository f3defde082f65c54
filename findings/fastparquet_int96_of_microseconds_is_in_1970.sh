#!/usr/bin/env bash
# pandas 3 makes times of microseconds where it made nanoseconds.  fastparquet.write(times="int96") takes the microseconds for
# nanoseconds: 2024 is written as 1970, without a word, and read back so by pyarrow and by fastparquet itself.  With times
# of nanoseconds, or without times="int96", the same call writes 2024.
# Seen with fastparquet 2026.9.0, pandas 3.1.1 and pyarrow 26.0.1 on CPython 3.11, Linux x86-64: "int96 of us: 1970 and 1970;
# int96 of ns: 2024; int64 of us: 2024".
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


def years(unit: str, times: str) -> tuple[int, int]:
    frame = pd.DataFrame({"t": pd.to_datetime(["2024-01-02 03:04:05"]).as_unit(unit)})
    fastparquet.write(path, frame, times=times)
    return pq.read_table(path)["t"][0].as_py().year, fastparquet.ParquetFile(path).to_pandas()["t"][0].year


pyarrow_says, fastparquet_says = years("us", "int96")
print(
    f"int96 of us: {pyarrow_says} and {fastparquet_says}; int96 of ns: {years('ns', 'int96')[0]}; "
    f"int64 of us: {years('us', 'int64')[0]}"
)
PYTHON
)
echo "$found"
[ "$found" = "int96 of us: 1970 and 1970; int96 of ns: 2024; int64 of us: 2024" ]
