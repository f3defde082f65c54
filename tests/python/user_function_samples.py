"""What a function of `user_functions.py` is listed with: its columns, its state, how exact its result is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from function_oracle import ALONE, Kind, Program, Value

Array = npt.NDArray[Any]
Random = np.random.Generator


@dataclass(frozen=True)
class Sample:
    """A column drawn at random."""

    kind: Kind
    draw: Callable[[Random, int], Array]
    nulls: float = 0.0

    def series(self, name: str, random: Random, rows: int) -> pl.Series:
        made = pl.Series(name, self.draw(random, rows))
        holes = np.flatnonzero(random.random(rows) < self.nulls)
        return made.scatter(holes, None) if len(holes) else made


def normal(mean: float, deviation: float, nulls: float = 0.0) -> Sample:
    return Sample("float", lambda random, rows: random.normal(mean, deviation, rows), nulls)


def uniform(low: float, high: float, nulls: float = 0.0, *, rising: bool = False) -> Sample:
    """Return numbers from a range, or with `rising` their running sum."""
    if rising:
        return Sample("float", lambda random, rows: random.uniform(low, high, rows).cumsum(), nulls)
    return Sample("float", lambda random, rows: random.uniform(low, high, rows), nulls)


def whole(low: int, high: int) -> Sample:
    return Sample("int", lambda random, rows: random.integers(low, high, rows, endpoint=True))


def flags(share: float) -> Sample:
    return Sample("bool", lambda random, rows: random.random(rows) < share)


def choice(*values: float) -> Sample:
    return Sample("float", lambda random, rows: random.choice(values, rows))


@dataclass(frozen=True)
class Example:
    """A function, the columns of its parameters in order, and its result."""

    function: Callable[..., Any]
    samples: Sequence[Sample]
    kind: Kind
    ulps: int = 0
    state: Mapping[str, Value] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def columns(self) -> list[str]:
        names = list(inspect.signature(self.function).parameters)
        return names[1:] if self.state else names

    @property
    def nullable(self) -> bool:
        return any(sample.nulls for sample in self.samples)

    def frame(self, rows: int, seed: int = 0) -> pl.DataFrame:
        """Return sample columns."""
        random = np.random.default_rng(seed)
        named = zip(self.columns, self.samples, strict=True)
        return pl.DataFrame([sample.series(name, random, rows) for name, sample in named])

    def program(self) -> Program:
        """Return what the oracle runs."""
        kinds = {name: sample.kind for name, sample in zip(self.columns, self.samples, strict=True)}
        return Program.of(self.function, columns=kinds, results={ALONE: self.kind}, state=self.state, ulps=self.ulps)
