"""pandas' own tests of windows, run with its window methods answered by Hypostyle.

`python -m pandas_windows` in `tests/python` runs them; `docs/pandas-tests.md` has the outcome.
"""
