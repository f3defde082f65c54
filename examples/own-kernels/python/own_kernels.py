"""Custom kernels for Polars, pandas, stages, LazyFrames and pipelines.

>>> import hypostyle as hs
>>> import own_kernels as own
>>> import polars as pl
>>> frame = pl.DataFrame({"key": ["a", "b", "a"], "x": [8.0, 1.0, 1.0]})
>>> peak = own.fading_peak("x", keep=0.5, over="key").alias("peak")
>>> frame.with_columns(peak)["peak"].to_list()
[8.0, 1.0, 4.0]

A stage runs custom kernels beside those of hypostyle; loading it takes the module that has them.

>>> stage = hs.Stage([peak, hs.expanding_mean("x", over="key").alias("mean")])
>>> _ = stage.advance(frame)
>>> hs.Stage.from_bytes(stage.to_bytes(), native=own.native).advance_row({"key": "a", "x": 0.0})
{'peak': 2.0, 'mean': 3.0}
"""

import own_kernels_native as native

import hypostyle

_functions = hypostyle.functions(native)

fading_peak = _functions.fading_peak
rolling_rms = _functions.rolling_rms
expanding_rms = _functions.expanding_rms
relative_spread = _functions.relative_spread

__all__ = ["expanding_rms", "fading_peak", "native", "relative_spread", "rolling_rms"]
