//! The true range of a row, which includes the gap since the last close, and Wilder's mean of it.

use super::seeded::{SeededMean, count_from};
use crate::model::Recurrence;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Family, Kind, Literal, Parameter};

/// The larger number; NaN if one is.
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

/// The largest distance between high, low and the last close.
#[inline(always)]
pub fn true_range(high: f64, low: f64, last_close: f64) -> f64 {
    larger(larger(high - low, (high - last_close).abs()), (low - last_close).abs())
}

/// The true range of each row.
#[derive(Debug, Clone)]
pub struct TrueRange;

impl Recurrence for TrueRange {
    /// High, low and close.
    type Input = [f64; 3];
    type Output = f64;
    /// How many rows there were, at most 2; the last close and the last true range.
    type State = (i64, [f64; 2]);

    fn start(&self) -> Self::State {
        (0, [0.0; 2])
    }

    #[inline]
    fn step(&self, state: &mut Self::State, [high, low, close]: [f64; 3]) -> Option<f64> {
        let (seen, [last, range]) = state;
        *range = true_range(high, low, *last);
        *last = close;
        *seen = 2.min(*seen + 1);
        self.skip(state)
    }

    #[inline]
    fn skip(&self, (seen, [_, range]): &mut Self::State) -> Option<f64> {
        (*seen > 1).then_some(*range)
    }
}

/// Wilder's mean of the true range.
#[derive(Debug, Clone)]
pub struct AverageTrueRange {
    mean: SeededMean,
}

impl Recurrence for AverageTrueRange {
    /// High, low and close.
    type Input = [f64; 3];
    type Output = f64;
    /// How many rows there were, the last close and the mean.
    type State = (i64, [f64; 2]);

    fn start(&self) -> Self::State {
        (0, [0.0; 2])
    }

    #[inline]
    fn step(&self, state: &mut Self::State, [high, low, close]: [f64; 3]) -> Option<f64> {
        let (seen, [last, mean]) = state;
        if *seen > 0 {
            self.mean.step(mean, *seen, true_range(high, low, *last));
        }
        *last = close;
        *seen += 1;
        self.skip(state)
    }

    #[inline]
    fn skip(&self, (seen, [_, mean]): &mut Self::State) -> Option<f64> {
        (*seen > self.mean.window).then_some(*mean)
    }
}

/// The highest value of a row.
pub const HIGH: Parameter = Parameter::required("high", Kind::Column, "The column of the highest prices.");

/// The lowest value of a row.
pub const LOW: Parameter = Parameter::required("low", Kind::Column, "The column of the lowest prices.");

/// The last value of a row.
pub const CLOSE: Parameter = Parameter::required("close", Kind::Column, "The column of the closing prices.");

pub(crate) const TRUE_RANGE: Entry = Entry {
    names: &["true_range"],
    shape: Shape::Single(Family::Recurrence),
    summary: "True range: high minus low, or the distance to the last close if that is larger.",
    formula: "y[i] = max(high[i] - low[i], abs(high[i] - close[i-1]), abs(low[i] - close[i-1]))",
    notes: "The first row has no last close and is null, as in TA-Lib. A row with a null in any input is left out: it returns the \
            last result, and the next row refers to the last close before it. A NaN in high or low makes its row NaN, a NaN in \
            close the next row. Exact but for the rounding of the differences.",
    source: "TA-Lib `TRANGE`; Wilder 1978.",
    parameters: &[HIGH, LOW, CLOSE],
    example: &[("high", Literal::Text("z")), ("low", Literal::Text("x")), ("close", Literal::Text("x"))],
    plan: |arguments| Ok(Plan::recurrence(Inputs::of(arguments, &["high", "low", "close"])?, TrueRange)),
    #[cfg(test)]
    reference: reference::true_range,
};

pub(crate) const ATR: Entry = Entry {
    names: &["atr"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Average true range: Wilder's mean of the true range.",
    formula: "y = wilder(true_range(high, low, close), window)",
    notes: "Null before the first `window` + 1 rows, as the first row has no true range. A row with a null in any input is not \
            counted and returns the last result. A NaN stays in every later result of its key. The error is a few eps per row, \
            relative to the result.",
    source: "TA-Lib `ATR`; Wilder 1978.",
    parameters: &[
        HIGH,
        LOW,
        CLOSE,
        Parameter::usual("window", Kind::Rows, Literal::Count(14), "The number of true ranges of the first mean."),
    ],
    example: &[
        ("high", Literal::Text("z")),
        ("low", Literal::Text("x")),
        ("close", Literal::Text("x")),
        ("window", Literal::Count(2)),
    ],
    plan: |arguments| {
        let mean = SeededMean::wilder(count_from(arguments, "window", 1)?);
        Ok(Plan::recurrence(Inputs::of(arguments, &["high", "low", "close"])?, AverageTrueRange { mean }))
    },
    #[cfg(test)]
    reference: reference::atr,
};

/// The true ranges as a column.
#[cfg(test)]
pub mod reference {
    use super::super::plain::{held, seeded, window};
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, exact, triples};

    pub fn ranges(rows: &[Option<[f64; 3]>]) -> Vec<Option<f64>> {
        let mut last: Option<f64> = None;
        let range = |row: &Option<[f64; 3]>| {
            let [high, low, close] = (*row)?;
            let before = last.replace(close)?;
            let all = [high - low, (high - before).abs(), (low - before).abs()];
            let nan = all.iter().any(|x| x.is_nan());
            Some(if nan { f64::NAN } else { all.into_iter().fold(f64::NEG_INFINITY, f64::max) })
        };
        rows.iter().map(range).collect()
    }

    pub fn true_range(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let rows = triples(spec, table, ["high", "low", "close"]);
        let ranges = ranges(&rows);
        held(&rows, |i| exact(ranges[i]))
    }

    pub fn atr(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (rows, n) = (triples(spec, table, ["high", "low", "close"]), window(spec));
        let means = seeded(&ranges(&rows), n, 1.0 / n);
        held(&rows, |i| means[i].map_or(exact(None), |x| bounded(x, 32.0 * (i as f64 + n) * EPS * x.abs())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, huge_windows_are_cheap, of_z, result, table_of};
    use crate::KernelSpec;

    fn of(name: &str) -> KernelSpec {
        KernelSpec::new(name).with("high", "high").with("low", "low").with("close", "close")
    }

    #[test]
    fn worked_values() {
        assert_close(&of_z(&of("true_range")), 1, &[3.0, 2.0, 4.0, 2.0]);
        let expected = [3.0, 2.666_666_666_666_666_5, 3.111_111_111_111_111, 2.740_740_740_740_741];
        let atr = of("atr").with("window", 3);
        assert_close(&of_z(&atr), 3, &expected);
        assert_refused(&of("atr").with("window", 0), "parameter 'window': must be at least 1, got 0");
        huge_windows_are_cheap(&atr, "window");
    }

    #[test]
    fn a_null_in_any_input_leaves_the_row_out() {
        let column = |values: [f64; 5]| values.map(|x| (!x.is_nan()).then_some(x)).to_vec();
        let null = f64::NAN;
        let rows = table_of(&[
            ("high", column([2.0, 5.0, null, 9.0, 9.0])),
            ("low", column([1.0, 4.0, 7.0, 8.0, 6.0])),
            ("close", column([1.0, 4.0, 7.0, null, 7.0])),
        ]);
        assert_eq!(result(&of("true_range"), &rows, None), [None, Some(4.0), Some(4.0), Some(4.0), Some(5.0)]);
    }
}
