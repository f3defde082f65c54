"""Names that Arrow's C interface cannot carry are refused before Polars or Arrow ends the process over them."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = r"""
import hypostyle as hs, pandas as pd, polars as pl, pyarrow as pa

BAD = "a\0b"
frame = pl.DataFrame({BAD: [1.0, 2.0], "x": [1.0, 2.0], "t": [1, 2]})
nested = frame.select("x", s=pl.struct(BAD))
mean = hs.rolling_mean("x", 2)

for refused in (
    lambda: hs.rolling_mean(BAD, 2),
    lambda: pl.col(BAD).hs.rolling_mean(2),
    lambda: (pl.col(BAD) * 2).hs.rolling_mean(2),
    lambda: hs.rolling_mean("x", 2, over=BAD),
    lambda: hs.rolling_mean("x", "2i", by=BAD),
    lambda: hs.rolling_mean("x", {"length": BAD}),
    lambda: hs.rolling_ols("x", [BAD], 2),
    lambda: hs.struct(mean.alias(BAD)),
    lambda: hs.with_columns(frame, **{BAD: mean}),
    lambda: hs.with_columns(frame.select("x").to_pandas(), mean.alias(BAD)),
    lambda: hs.with_columns(frame.select("x").to_arrow(), mean.alias(BAD)),
    lambda: frame.lazy().hs.with_columns(mean.alias(BAD)),
    lambda: hs.Stage(mean.alias(BAD)),
    lambda: hs.Stage(mean, time_column=BAD),
    lambda: hs.with_columns(nested, hs.rolling_mean("x", 1, over="s").alias("m")),
    lambda: hs.Stage(hs.rolling_mean("x", 1, over="s")).advance(nested),
):
    try:
        refused()
    except (ValueError, TypeError) as error:
        assert "has a NUL character; rename the" in str(error), error
    else:
        raise AssertionError("not refused")

# Other columns of a frame may have any name, also when the error lists the columns.
assert hs.with_columns(frame, mean.alias("m"))["m"].to_list() == [None, 1.5]
other = hs.with_columns(pd.DataFrame({BAD: [1.0], "x": [2.0]}), hs.rolling_mean("x", 1).alias("m"))
assert other["m"].tolist() == [2.0]
for given in (frame, pd.DataFrame({BAD: [1.0]}), frame.lazy()):
    try:
        hs.with_columns(given, hs.rolling_mean("absent", 2))
    except hs.ColumnNotFoundError:
        continue
    raise AssertionError("found")
# A backslash is a character like any other.
renamed = frame.rename({BAD: "\\u0000"})
assert hs.with_columns(renamed, hs.rolling_sum("\\u0000", 2).alias("s"))["s"].to_list() == [None, 3.0]
print("done")
"""


def test_nul_in_names() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
