"""Whether two results are equal: type, length, index, nulls, and numbers to the last bit or within a stated bound.

Floats may differ by rounding, as sums in another order do: by 1e-8 of the value, plus 1e-10 of the largest value, which
is what the running sums of pandas and Polars lose over a million rows.  Everything else is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypostyle._profile.change import is_a

RELATIVE = 1e-8
OF_LARGEST = 1e-10

BITS = 1000
"""Up to so many units in the last place a difference is told in them, beyond it relative to the largest value."""


@dataclass
class Comparison:
    """How two results compare."""

    rows: int = 0
    ulps: float = 0.0
    relative: float = 0.0
    why: str = ""
    """Where and how they differ; empty if they are equal."""

    @property
    def is_equal(self) -> bool:
        """Whether they are equal, or within the bound."""
        return not self.why

    @property
    def exactness(self) -> str:
        """How exactly they are equal, in words."""
        if self.ulps == 0:
            return "bit for bit"
        return f"max {self.ulps:.0f} ulp" if self.ulps <= BITS else f"within {self.relative:.0e} of the largest"

    def add(self, other: Comparison, where: str = "") -> None:
        """Add the comparison of a part."""
        self.rows = max(self.rows, other.rows)
        self.ulps = max(self.ulps, other.ulps)
        self.relative = max(self.relative, other.relative)
        if other.why and not self.why:
            self.why = f"{where}{other.why}"


_WRITTEN_IN_PYTHON = 1 << 9
"""The flag of classes that a `class` statement has made (Py_TPFLAGS_HEAPTYPE): functions and modules are of others."""


def compare(before: Any, after: Any) -> Comparison:
    """Compare what the user's code made with what its replacement made."""
    if isinstance(before, float) and isinstance(after, float):
        # One number: whether a loop leaves Python's float or NumPy's often depends on the data.
        return _items([float(before)], [float(after)])
    if type(before) is not type(after):
        return Comparison(why=f"a {_name(before)} before, a {_name(after)} after")
    if is_a(before, "pandas", "DataFrame"):
        return _frames(before, after)
    if is_a(before, "pandas", "Series"):
        found = _indexes(before.index, after.index)
        if not found.why and before.name != after.name:
            found.why = f"named {before.name!r} before, {after.name!r} after"
        found.add(_pandas(before, after))
        return found
    if is_a(before, "pandas", "Index"):
        return _indexes(before, after)
    if is_a(before, "polars", "LazyFrame"):
        return compare(before.collect(), after.collect())
    if is_a(before, "polars", "DataFrame"):
        if before.columns != after.columns:
            return Comparison(why=f"columns {before.columns} before, {after.columns} after")
        found = Comparison(len(before))
        for name in before.columns:
            found.add(compare(before[name], after[name]), f"column '{name}': ")
        return found
    if is_a(before, "polars", "Series"):
        return _polars(before, after)
    if is_a(before, "numpy", "ndarray"):
        return _arrays(before, after)
    if isinstance(before, Mapping):
        if list(before) != list(after):
            return Comparison(why="other keys")
        return _items(list(before.values()), list(after.values()))
    if isinstance(before, list | tuple):
        return _items(before, after)
    if is_plain_object(before) and is_plain_object(after):
        return compare(vars(before), vars(after)) if vars(before).keys() == vars(after).keys() else _other_attributes()
    return _items([before], [after])


def _other_attributes() -> Comparison:
    return Comparison(why="other attributes")


def _name(value: object) -> str:
    module = type(value).__module__.partition(".")[0]
    return type(value).__name__ if module == "builtins" else f"{module} {type(value).__name__}"


def _items(before: Sequence[Any], after: Sequence[Any]) -> Comparison:
    if len(before) != len(after):
        return Comparison(why=f"{len(before):,} values before, {len(after):,} after")
    found = Comparison(len(before))
    for at, (a, b) in enumerate(zip(before, after, strict=True)):
        if type(a) is not type(b) and not (isinstance(a, float) and isinstance(b, float)):  # NumPy's floats are some
            return Comparison(why=f"row {at:,}: {_shown(a)} before, {_shown(b)} after")
        if not isinstance(a, float) and (_is_nested(a) or not (a is b or a == b)):
            if not _is_nested(a):
                return Comparison(why=f"row {at:,}: {_shown(a)} before, {_shown(b)} after")
            found.add(compare(a, b), f"row {at:,}: ")
    floats = [at for at, value in enumerate(before) if isinstance(value, float)]
    if floats:
        import numpy as np

        found.add(_numbers(np.array([before[at] for at in floats]), np.array([after[at] for at in floats]), floats))
    return found


def _is_nested(value: object) -> bool:
    library = type(value).__module__.partition(".")[0]
    return (
        isinstance(value, list | tuple | dict)
        or is_plain_object(value)
        or (library in ("pandas", "polars", "numpy") and hasattr(value, "__len__"))
    )


def is_plain_object(value: object) -> bool:
    """Whether a value is of a class of a script that compares by identity, with numbers and words as attributes."""
    if type(value).__eq__ is not object.__eq__ or not type(value).__flags__ & _WRITTEN_IN_PYTHON:
        return False
    attributes = getattr(value, "__dict__", None)
    return type(attributes) is dict and all(v is None or isinstance(v, int | float | str) for v in attributes.values())


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) < 40 else f"{text[:36]} ..."


def _frames(before: Any, after: Any) -> Comparison:
    if list(before.columns) != list(after.columns):
        return Comparison(why=f"columns {list(before.columns)} before, {list(after.columns)} after")
    found = _indexes(before.index, after.index)
    for at, name in enumerate(before.columns):
        found.add(_pandas(before.iloc[:, at], after.iloc[:, at]), f"column '{name}': ")
    return found


def _indexes(before: Any, after: Any) -> Comparison:
    if len(before) != len(after):
        return Comparison(why=f"{len(before):,} rows before, {len(after):,} after")
    if before.names != after.names or before.nlevels != after.nlevels or not before.equals(after):
        is_order = before.nlevels == after.nlevels and before.sort_values().equals(after.sort_values())
        return Comparison(why="the rows are in another order" if is_order else "another index")
    return Comparison(len(before))


def _pandas(before: Any, after: Any) -> Comparison:
    if before.dtype != after.dtype:
        return Comparison(why=f"{before.dtype} before, {after.dtype} after")
    if getattr(before.dtype, "kind", "O") == "f":
        import numpy as np

        return _numbers(before.to_numpy(np.float64, na_value=np.nan), after.to_numpy(np.float64, na_value=np.nan))
    if before.equals(after):
        return Comparison(len(before))
    return _items(before.to_list(), after.to_list())


def _polars(before: Any, after: Any) -> Comparison:
    if before.dtype != after.dtype:
        return Comparison(why=f"{before.dtype} before, {after.dtype} after")
    if len(before) != len(after):
        return Comparison(why=f"{len(before):,} rows before, {len(after):,} after")
    if before.equals(after, null_equal=True):
        return Comparison(len(before))
    if not before.dtype.is_float():
        return _items(before.to_list(), after.to_list())
    nulls = before.is_null() != after.is_null()
    if nulls.any():
        at = int(nulls.arg_max() or 0)
        return Comparison(why=f"row {at:,}: {before[at]} before, {after[at]} after")
    return _numbers(before.fill_null(0.0).cast(float).to_numpy(), after.fill_null(0.0).cast(float).to_numpy())


def _arrays(before: Any, after: Any) -> Comparison:
    if before.dtype != after.dtype or before.shape != after.shape:
        return Comparison(why=f"{before.dtype} {before.shape} before, {after.dtype} {after.shape} after")
    if before.dtype.kind == "f":
        import numpy as np

        return _numbers(before.ravel().astype(np.float64), after.ravel().astype(np.float64))
    if (before == after).all():
        return Comparison(len(before) if before.ndim else 1)
    return _items(before.ravel().tolist(), after.ravel().tolist())


def _numbers(before: Any, after: Any, rows: Iterable[int] | None = None) -> Comparison:
    """Compare arrays of floats of one length; `rows` are the numbers of the rows that they stand for."""
    import numpy as np

    if len(before) != len(after):
        return Comparison(why=f"{len(before):,} values before, {len(after):,} after")
    different = ~((before == after) | (np.isnan(before) & np.isnan(after)))
    if not different.any():
        return Comparison(len(before))
    with np.errstate(all="ignore"):
        distance = np.abs(before - after)
        size = np.maximum(np.abs(before), np.abs(after))
        finite = np.abs(before[np.isfinite(before)])
        largest = finite.max() if len(finite) else 0.0
        allowed = distance <= RELATIVE * size + OF_LARGEST * largest
        wrong = different & ~allowed
        if wrong.any():
            at = int(wrong.argmax())
            row = at if rows is None else list(rows)[at]
            more = int(wrong.sum()) - 1
            also = f", and {more:,} more" if more else ""
            return Comparison(why=f"row {row:,}: {before[at]} before, {after[at]} after{also}")
        ulps = float((distance / np.spacing(size))[different].max())
        relative = float(distance[different].max()) / largest if largest else 0.0
    return Comparison(len(before), ulps, relative)
