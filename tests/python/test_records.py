"""`hs.from_records`: objects of every kind become columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl
import pytest

import hypostyle as hs


@dataclass
class Data:
    weight: float
    name: str


@dataclass(frozen=True, slots=True)
class Slots:
    weight: float
    name: str


class Named(NamedTuple):
    weight: float
    name: str


class Plain:
    def __init__(self, weight: Any, name: Any) -> None:
        self.weight = weight
        self.name = name
        self._hidden = 1

    @property
    def twice(self) -> float:
        return 2 * float(self.weight)


class PlainSlots:
    __slots__ = ("_hidden", "name", "weight")

    def __init__(self, weight: float, name: str) -> None:
        self.weight, self.name, self._hidden = weight, name, 1


def as_dict(weight: float, name: str) -> dict[str, Any]:
    return {"weight": weight, "name": name}


@pytest.mark.parametrize("kind", [Data, Slots, Named, Plain, PlainSlots, as_dict])
def test_kinds_of_records(kind: Any) -> None:
    frame = hs.from_records([kind(0.5, "a"), kind(None, "b")])
    assert frame.select("weight", "name").rows() == [(0.5, "a"), (None, "b")]
    assert sorted(frame.columns) == ["name", "weight"]
    assert hs.from_records((kind(w, "x") for w in (1, 2)), ["weight"]).rows() == [(1,), (2,)]


def test_fields_are_chosen() -> None:
    rows = [Plain(Plain(1.5, "inner"), "outer"), Plain(Plain(2, "inner"), "outer")]
    frame = hs.from_records(rows, ["name", "weight.weight", "weight.twice"])
    assert frame.rows() == [("outer", 1.5, 3.0), ("outer", 2.0, 4.0)]
    assert frame.columns == ["name", "weight.weight", "weight.twice"]
    assert hs.from_records([{"a.b": 1}], ["a.b"]).rows() == [(1,)]
    assert hs.from_records([]).shape == (0, 0)
    assert hs.from_records([], ["x"]).columns == ["x"]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([1, 2.5], pl.Float64), ([None, 1], pl.Int64), ([True, None], pl.Boolean), ([2**70, 0.5], pl.Float64)],
)
def test_numbers_of_several_types(values: list[Any], dtype: pl.DataType) -> None:
    column = hs.from_records([{"x": value} for value in values])["x"]
    assert column.dtype == dtype
    assert column.to_list() == values


@pytest.mark.parametrize(
    ("records", "kind", "message"),
    [
        ([{"x": 1}, {"x": "a"}], TypeError, "field 'x' cannot be a column: row 0 has an int and row 1 has a str"),
        ([{"x": object()}], TypeError, "field 'x' cannot be a column: row 0 has an object; pass the names of other"),
        ([{"x": 1}, {"y": 1}], ValueError, "record 1, a dict, has no field 'x'; pass the fields that all records have"),
        ([Data(1.0, "a"), Data], ValueError, "record 1, a type, has no field 'weight'"),
        ([1, 2], TypeError, "record 0, a int, has no named fields"),
        ([(1, 2)], TypeError, "record 0, a tuple, has no named fields"),
        ([Data], TypeError, "record 0, a type, has no named fields"),
        ({"x": 1}, TypeError, "takes a list of objects, not a dict; put a single one in a list"),
        (Data(1.0, "a"), TypeError, "takes a list of objects, not a Data"),
    ],
)
def test_mistakes(records: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        hs.from_records(records)
    with pytest.raises(TypeError, match=r"takes several fields, not a string: fields=\['x'\]"):
        hs.from_records([], "x")
