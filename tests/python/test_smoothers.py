"""The worked values of the smoothers: those of TA-Lib, R, statsmodels, pykalman and scipy on small columns."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import hypostyle as hs

Z = [1.0, 3, 2, 5, 4, 7, 6, 9, 8, 10, 12, 11, 9, 13, 14, 12, 15, 16, 13, 17]
Q = [3.0, 5, 9, 20, 12, 8, 15, 24, 14, 12, 18, 30]
BARS = ("high", "low", "z")
HOLT_WINTERS: dict[str, Any] = {"period": 4, "alpha": 0.5, "beta": 0.25, "gamma": 0.125}


def over_z(kernel: Any, field: str | None = None) -> list[float | None]:
    frame = pl.DataFrame({"z": Z}).with_columns(high=pl.col("z") + 1, low=pl.col("z") - 1)
    return results(frame, kernel, field)


def results(frame: pl.DataFrame, kernel: Any, field: str | None = None) -> list[float | None]:
    found = frame.select(kernel.alias("y"))["y"]
    return (found if field is None else found.struct.field(field)).to_list()


def starts(found: list[float | None], first: int, expected: list[float]) -> None:
    """Nulls, and these values from a row on."""
    assert found[:first] == [None] * first
    assert found[first : first + len(expected)] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("kernel", "first", "expected"),
    [
        (hs.ema("z", 3), 2, [2, 3.5, 3.75, 5.375, 5.6875]),
        (hs.wilder("z", 3), 2, [2, 3, 3.3333333333333335, 4.555555555555555, 5.037037037037036]),
        (hs.dema("z", 3), 4, [4.416666666666666, 6.520833333333333, 6.416666666666666, 8.536458333333332]),
        (hs.tema("z", 3), 6, [6.277777777777776, 8.698784722222221, 8.297309027777779, 9.831597222222223]),
        (hs.t3("z", 3), 12, [10.713506946453832, 11.295231868853788, 12.422409473309308]),
        (hs.trix("z", 3), 7, [25.19100169779287, 17.48601457874217]),
        (hs.kama("z", 3), 3, [2.6513277064785905, 2.697459191195364, 3.750086818832155, 3.8270453476235406]),
        (hs.rsi("z", 3), 3, [83.33333333333334, 66.66666666666666, 82.45614035087719]),
        (hs.cmo("z", 3), 3, [66.66666666666667, 33.33333333333333, 64.91228070175438]),
        (hs.true_range(*BARS), 1, [3, 2, 4, 2]),
        (hs.atr(*BARS, 3), 3, [3, 2.6666666666666665, 3.111111111111111, 2.740740740740741]),
    ],
    ids=str,
)
def test_talib(kernel: Any, first: int, expected: list[float]) -> None:
    starts(over_z(kernel), first, expected)


def test_macd() -> None:
    kernel = hs.macd("z", 3, 5, 2)
    starts(over_z(kernel, "macd"), 4, [2 / 3, 1])
    starts(over_z(kernel, "signal"), 5, [0.8333333333333333])
    starts(over_z(kernel, "histogram"), 5, [1 - 0.8333333333333333])


@pytest.mark.parametrize(
    ("field", "first", "expected"),
    [
        ("plus_dm", 2, [2, 4.333333333333334, 2.8888888888888893]),
        ("plus_di", 3, [59.09090909090909, 41.935483870967744]),
        ("dx", 3, [73.33333333333333, 33.33333333333333]),
        ("adx", 5, [57.98742138364779, 49.76939203354297, 54.899743128234064]),
        ("adxr", 7, [(57.98742138364779 + 54.899743128234064) / 2]),
    ],
)
def test_directional_movement(field: str, first: int, expected: list[float]) -> None:
    starts(over_z(hs.directional_movement(*BARS, 3), field), first, expected)


def test_holt() -> None:
    frame, kernel = pl.DataFrame({"q": Q}), hs.holt("q", 0.5, 0.25)
    level = [3, 5, 8, 15.125, 15.296875, 12.970703125, 14.686279296875]
    starts(results(frame, kernel, "level"), 0, level)
    starts(results(frame, kernel, "trend"), 1, [2, 2.25, 3.46875, 2.64453125, 1.40185546875, 1.48028564453125])
    starts(results(frame, kernel, "forecast"), 1, [7, 10.25, 18.59375])
    gap = pl.DataFrame({"q": [3.0, 5, None, 9]})
    starts(results(gap, kernel, "level"), 0, [3, 5, 7, 9])


def test_holt_winters() -> None:
    frame, kernel = pl.DataFrame({"q": Q}), hs.holt_winters("q", **HOLT_WINTERS)
    forecast = [10.221512876451015, 13.80213733855635, 18.309762446559034, 29.69231858594867]
    starts(results(frame, kernel, "forecast"), 7, forecast)
    starts(results(frame, kernel, "level"), 7, [14.966313391923904, 17.55604986473918])
    factors = hs.holt_winters("q", **HOLT_WINTERS, seasonal="multiplicative")
    forecast = [6.832649559329046, 13.43812919551971, 24.917172416029718, 48.765261955328135]
    starts(results(frame, factors, "forecast"), 7, forecast)


def test_kalman() -> None:
    frame, kernel = pl.DataFrame({"x": [5.0, 5, None, 5, 6]}), hs.kalman("x", 0.5, 1)
    starts(results(frame, kernel, "level"), 0, [5, 5, 5, 5, 5.527272727272727])
    starts(results(frame, kernel, "variance"), 0, [1, 0.6, 1.1, 0.6153846153846154, 0.5272727272727273])
    starts(results(frame, kernel, "gain"), 0, [1, 0.6, 0, 0.6153846153846154, 0.5272727272727273])
    known = hs.kalman("x", 0.5, 1, initial=0, initial_variance=1)
    starts(results(frame, known, "level"), 0, [2.5, 3.75, 3.75, 4.5, 5.285714285714286])
    starts(results(frame, known, "variance"), 0, [0.5, 0.5, 1, 0.6, 0.5238095238095238])


def test_lfilter() -> None:
    frame = pl.DataFrame({"x": [1.0, 3, 2, 5, 4]})
    starts(results(frame, hs.lfilter("x", [0.5], [1, -0.5])), 0, [0.5, 1.75, 1.875, 3.4375, 3.71875])
    starts(results(frame, hs.lfilter("x", [0.5], [1, -0.5], zi=[0.5])), 0, [1, 2, 2, 3.5, 3.75])
    b = [0.09763107293781749, 0.19526214587563498, 0.09763107293781749]
    butter = [0.09763107293781749, 0.5802028229942198, 1.3931564329314727, 2.291652415561744, 3.2583023069162436]
    starts(results(frame, hs.lfilter("x", b, [1, -0.9428090415820632, 0.3333333333333332])), 0, butter)


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: hs.ema("x", 0), "parameter 'window': must be at least 1, got 0"),
        (lambda: hs.t3("x", 3, volume_factor=2), "parameter 'volume_factor': must be from 0 to 1, got 2"),
        (lambda: hs.macd("x", 26, 12), "parameter 'fast': must be below slow=12, got 26"),
        (lambda: hs.directional_movement("h", "l", "c", 1), "parameter 'window': must be at least 2, got 1"),
        (lambda: hs.holt("x", 0, 0.5), "parameter 'alpha': must be above 0 and at most 1, got 0"),
        (lambda: hs.holt("x", 1, 0.5, initial_level=1), "parameter 'initial_trend': must be given if initial_level is"),
        (lambda: hs.holt_winters("x", 1, 0.5, 0.5, 0.5), "parameter 'period': must be at least 2, got 1"),
        (lambda: hs.kalman("x", 1, 0), "parameter 'measurement_noise': must be finite and above 0, got 0"),
        (lambda: hs.lfilter("x", [1], [0, 1]), "parameter 'a': the first number must not be 0"),
        (lambda: hs.lfilter("x", [1], [1, 2], zi=[1, 2]), "parameter 'zi': must be 1 number"),
    ],
)
def test_invalid_parameters(call: Any, part: str) -> None:
    with pytest.raises(ValueError, match=part.replace("(", r"\(")):
        call()
