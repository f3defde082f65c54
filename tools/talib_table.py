"""TA-Lib's functions, and what gives the same here: docs/ta-lib.md is made of it, and a test runs every line.

The code is an expression over the columns `open`, `high`, `low`, `close` and `volume`, with TA-Lib's default
parameters.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Same:
    """A function of TA-Lib, and the code for each of its outputs.

    `note` says what differs; `earlier` is how many rows earlier than TA-Lib's the first result of each output comes.
    """

    name: str
    code: list[str]
    note: str = ""
    earlier: tuple[int, ...] = (0, 0, 0)


def one(name: str, code: str, note: str = "", earlier: int = 0) -> Same:
    return Same(name, [code], note, (earlier,))


TYPICAL = '(pl.col("high") + pl.col("low") + pl.col("close")) / 3'
MEDIAN = '(pl.col("high") + pl.col("low")) / 2'
RANGE = '(pl.col("high") - pl.col("low"))'
DM = 'hs.directional_movement("high", "low", "close").struct.field("{}")'
FASTK = (
    '100 * (pl.col("close") - hs.rolling_min("low", {0})) / (hs.rolling_max("high", {0}) - hs.rolling_min("low", {0}))'
)
FLOW = '(2 * pl.col("close") - pl.col("high") - pl.col("low")) / (pl.col("high") - pl.col("low")) * pl.col("volume")'
PRESSURE = '(pl.col("close") - pl.min_horizontal("low", pl.col("close").shift()))'
TRUE_RANGE = 'hs.true_range("high", "low", "close")'

SECTIONS: dict[str, list[Same]] = {
    "Means": [
        one("SMA", 'hs.rolling_mean("close", 30)'),
        one("MA", 'hs.rolling_mean("close", 30)', "`matype=0`; the other types are the functions of their names"),
        one("EMA", 'hs.ema("close", 30)'),
        one("RMA", 'hs.wilder("close", 30)'),
        one("DEMA", 'hs.dema("close", 30)'),
        one("TEMA", 'hs.tema("close", 30)'),
        one("T3", 'hs.t3("close", 5)'),
        one("KAMA", 'hs.kama("close", 30)'),
        one("WMA", 'hs.rolling_fir_mean("close", 30, "linear")'),
        one("TRIMA", 'hs.rolling_mean(hs.rolling_mean("close", 15), 16)', "an odd n: twice (n + 1) / 2 rows"),
        one(
            "HMA",
            'hs.rolling_fir_mean(2 * hs.rolling_fir_mean("close", 10, "linear")'
            ' - hs.rolling_fir_mean("close", 20, "linear"), 4, "linear")',
        ),
        one("ZLEMA", 'hs.ema(2 * pl.col("close") - hs.shift("close", 14), 30)'),
        one("VWMA", 'hs.rolling_weighted_mean("close", "volume", 30)'),
        one("MIDPOINT", '(hs.rolling_max("close", 14) + hs.rolling_min("close", 14)) / 2'),
        one("MIDPRICE", '(hs.rolling_max("high", 14) + hs.rolling_min("low", 14)) / 2'),
    ],
    "Bands": [
        Same(
            "BBANDS",
            [
                'hs.rolling_mean("close", 20) + 2 * hs.rolling_std("close", 20, ddof=0)',
                'hs.rolling_mean("close", 20)',
                'hs.rolling_mean("close", 20) - 2 * hs.rolling_std("close", 20, ddof=0)',
            ],
        ),
        Same(
            "DONCHIAN",
            [
                'hs.rolling_max("high", 20)',
                '(hs.rolling_max("high", 20) + hs.rolling_min("low", 20)) / 2',
                'hs.rolling_min("low", 20)',
            ],
        ),
        Same(
            "ACCBANDS",
            [
                f'hs.rolling_mean(pl.col("high") * (1 + 4 * {RANGE} / (pl.col("high") + pl.col("low"))), 20)',
                'hs.rolling_mean("close", 20)',
                f'hs.rolling_mean(pl.col("low") * (1 - 4 * {RANGE} / (pl.col("high") + pl.col("low"))), 20)',
            ],
        ),
    ],
    "Momentum": [
        one("MOM", 'hs.diff("close", 10)'),
        one("ROC", '100 * hs.pct_change("close", 10)'),
        one("ROCP", 'hs.pct_change("close", 10)'),
        one("ROCR", 'pl.col("close") / hs.shift("close", 10)'),
        one("ROCR100", '100 * pl.col("close") / hs.shift("close", 10)'),
        one("RSI", 'hs.rsi("close")'),
        one("CMO", 'hs.cmo("close")'),
        one("TRIX", 'hs.trix("close", 30)'),
        Same(
            "MACD",
            [f'hs.macd("close").struct.field("{name}")' for name in ("macd", "signal", "histogram")],
            earlier=(8, 0, 0),
        ),
        Same(
            "MACDEXT",
            [
                'hs.rolling_mean("close", 12) - hs.rolling_mean("close", 26)',
                'hs.rolling_mean(hs.rolling_mean("close", 12) - hs.rolling_mean("close", 26), 9)',
                'hs.rolling_mean("close", 12) - hs.rolling_mean("close", 26)'
                ' - hs.rolling_mean(hs.rolling_mean("close", 12) - hs.rolling_mean("close", 26), 9)',
            ],
            "`matype=0`",
            (8, 0, 0),
        ),
        one("APO", 'hs.ema("close", 12) - hs.ema("close", 26)'),
        one("PPO", '100 * (hs.ema("close", 12) / hs.ema("close", 26) - 1)'),
        one("ADX", DM.format("adx")),
        one("ADXR", DM.format("adxr")),
        one("DX", DM.format("dx")),
        one("PLUS_DI", DM.format("plus_di")),
        one("MINUS_DI", DM.format("minus_di")),
        one("PLUS_DM", DM.format("plus_dm")),
        one("MINUS_DM", DM.format("minus_dm")),
        Same(
            "AROON",
            [
                '100 * (14 - hs.rolling_argmin("low", 15, ties="last")) / 14',
                '100 * (14 - hs.rolling_argmax("high", 15, ties="last")) / 14',
            ],
        ),
        one(
            "AROONOSC",
            '100 * (hs.rolling_argmin("low", 15, ties="last") - hs.rolling_argmax("high", 15, ties="last")) / 14',
        ),
        one("WILLR", FASTK.format(14) + " - 100"),
        Same("STOCHF", [FASTK.format(5), f"hs.rolling_mean({FASTK.format(5)}, 3)"], earlier=(2, 0)),
        Same(
            "STOCH",
            [
                f"hs.rolling_mean({FASTK.format(5)}, 3)",
                f"hs.rolling_mean(hs.rolling_mean({FASTK.format(5)}, 3), 3)",
            ],
            earlier=(2, 0),
        ),
        Same(
            "STOCHRSI",
            [
                '100 * (hs.rsi("close") - hs.rolling_min(hs.rsi("close"), 5)) / hs.rolling_range(hs.rsi("close"), 5)',
                'hs.rolling_mean(100 * (hs.rsi("close") - hs.rolling_min(hs.rsi("close"), 5))'
                ' / hs.rolling_range(hs.rsi("close"), 5), 3)',
            ],
            earlier=(2, 0),
        ),
        one(
            "ULTOSC",
            "100 * ("
            + " + ".join(
                f"{weight} * hs.rolling_sum({PRESSURE}, {n}) / hs.rolling_sum({TRUE_RANGE}, {n})"
                for weight, n in ((4, 7), (2, 14), (1, 28))
            )
            + ") / 7",
        ),
        one("AO", f"hs.rolling_mean({MEDIAN}, 5) - hs.rolling_mean({MEDIAN}, 34)"),
        one("BOP", '(pl.col("close") - pl.col("open")) / (pl.col("high") - pl.col("low"))'),
        one("QSTICK", 'hs.rolling_mean(pl.col("close") - pl.col("open"), 10)'),
        one(
            "IMI",
            '100 * hs.rolling_sum((pl.col("close") - pl.col("open")).clip(0), 14)'
            ' / hs.rolling_sum((pl.col("close") - pl.col("open")).abs(), 14)',
        ),
        one("ER", 'hs.diff("close", 10).abs() / hs.rolling_sum(hs.diff("close").abs(), 10)'),
        Same("ERI", ['pl.col("high") - hs.ema("close", 13)', 'pl.col("low") - hs.ema("close", 13)']),
        one(
            "TSI",
            '100 * hs.ema(hs.ema(hs.diff("close"), 25), 13) / hs.ema(hs.ema(hs.diff("close").abs(), 25), 13)',
        ),
        one(
            "COPPOCK",
            'hs.rolling_fir_mean(100 * (hs.pct_change("close", 11) + hs.pct_change("close", 14)), 10, "linear")',
        ),
        one("DPO", 'hs.shift("close", 11) - hs.rolling_mean("close", 20)'),
        Same(
            "VORTEX",
            [
                '(hs.rolling_sum((pl.col("high") - hs.shift("low")).abs(), 14)'
                ' / hs.rolling_sum(hs.true_range("high", "low", "close"), 14))',
                '(hs.rolling_sum((pl.col("low") - hs.shift("high")).abs(), 14)'
                ' / hs.rolling_sum(hs.true_range("high", "low", "close"), 14))',
            ],
        ),
    ],
    "Prices": [
        one("AVGPRICE", '(pl.col("open") + pl.col("high") + pl.col("low") + pl.col("close")) / 4'),
        one("MEDPRICE", MEDIAN),
        one("TYPPRICE", TYPICAL),
        one("WCLPRICE", '(pl.col("high") + pl.col("low") + 2 * pl.col("close")) / 4'),
    ],
    "Statistics": [
        one("CORREL", 'hs.rolling_corr("high", "low", 30)'),
        one("BETA", 'hs.rolling_beta(hs.pct_change("low"), hs.pct_change("high"), 5)', "of the returns"),
        one("LINEARREG_SLOPE", 'hs.rolling_trend("close", 14)'),
        one("LINEARREG", 'hs.rolling_mean("close", 14) + 6.5 * hs.rolling_trend("close", 14)', "6.5 is (14 - 1) / 2"),
        one("LINEARREG_INTERCEPT", 'hs.rolling_mean("close", 14) - 6.5 * hs.rolling_trend("close", 14)'),
        one("TSF", 'hs.rolling_mean("close", 14) + 7.5 * hs.rolling_trend("close", 14)'),
        one("LINEARREG_ANGLE", 'hs.rolling_trend("close", 14).arctan().degrees()'),
        one("STDDEV", 'hs.rolling_std("close", 5, ddof=0)'),
        one("VAR", 'hs.rolling_var("close", 5, ddof=0)'),
        one("SUM", 'hs.rolling_sum("close", 30)'),
        one("MAX", 'hs.rolling_max("close", 30)'),
        one("MIN", 'hs.rolling_min("close", 30)'),
        Same("MINMAX", ['hs.rolling_min("close", 30)', 'hs.rolling_max("close", 30)']),
        one("MAXINDEX", 'pl.int_range(pl.len()) - hs.rolling_argmax("close", 30, ties="last")'),
        one("MININDEX", 'pl.int_range(pl.len()) - hs.rolling_argmin("close", 30, ties="last")'),
        one("CUMSUM", 'hs.cum_sum("close")'),
    ],
    "Volatility": [
        one("TRANGE", 'hs.true_range("high", "low", "close")'),
        one("SAR", 'hs.sar("high", "low")'),
        one("ATR", 'hs.atr("high", "low", "close")'),
        one("NATR", '100 * hs.atr("high", "low", "close") / pl.col("close")'),
        one("ADR", f"hs.rolling_mean({RANGE}, 14)"),
        one("CVI", f"100 * hs.pct_change(hs.ema({RANGE}, 10), 10)"),
        one("MASSI", f"hs.rolling_sum(hs.ema({RANGE}, 9) / hs.ema(hs.ema({RANGE}, 9), 9), 25)"),
    ],
    "Volume": [
        one("AD", f"hs.cum_sum({FLOW})"),
        one(
            "ADOSC",
            f"hs.ewm_mean(hs.cum_sum({FLOW}), span=3, adjust=False)"
            f" - hs.ewm_mean(hs.cum_sum({FLOW}), span=10, adjust=False)",
            earlier=9,
        ),
        one("CMF", f'hs.rolling_sum({FLOW}, 20) / hs.rolling_sum("volume", 20)'),
        one("EFI", 'hs.ema(hs.diff("close") * pl.col("volume"), 13)'),
        one("OBV", 'hs.cum_sum(hs.diff("close").sign().fill_null(1) * pl.col("volume"))'),
        one("PVT", 'hs.cum_sum((hs.pct_change("close") * pl.col("volume")).fill_null(0))'),
        one("PVO", '100 * (hs.ema("volume", 12) / hs.ema("volume", 26) - 1)'),
        one("MARKETFI", '(pl.col("high") - pl.col("low")) / pl.col("volume")'),
        one("VWAP", f'hs.cum_sum({TYPICAL} * pl.col("volume")) / hs.cum_sum("volume")'),
        one(
            "MFI",
            f'100 * hs.rolling_sum(pl.when(hs.diff({TYPICAL}) > 0).then({TYPICAL} * pl.col("volume")).otherwise(0), 14,'
            f' closed="right") / hs.rolling_sum(pl.when(hs.diff({TYPICAL}) != 0).then({TYPICAL} * pl.col("volume"))'
            ".otherwise(0), 14)",
            earlier=1,
        ),
    ],
}
