//! RSI and CMO: which part of the changes were gains, by Wilder's means of gains and losses.

use super::seeded::{SeededMean, plan_of_window};
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Shape};
use crate::spec::{Family, Kind, Literal, Parameter};

/// The relative strength index, or (`SIGNED`) the Chande momentum oscillator.
#[derive(Debug, Clone)]
pub struct Momentum<const SIGNED: bool> {
    mean: SeededMean,
}

impl<const SIGNED: bool> Recurrence for Momentum<SIGNED> {
    type Input = f64;
    type Output = f64;
    /// How many values there were, the last one, and the means of gains and losses.
    type State = (i64, [f64; 3]);

    fn start(&self) -> Self::State {
        (0, [0.0; 3])
    }

    #[inline]
    fn step(&self, state: &mut Self::State, x: f64) -> Option<f64> {
        let (seen, [last, gains, losses]) = state;
        if *seen > 0 {
            // A NaN is both a gain and a loss.
            let change = x - *last;
            self.mean.step(gains, *seen, if change < 0.0 { 0.0 } else { change });
            self.mean.step(losses, *seen, if change > 0.0 { 0.0 } else { -change });
        }
        *last = x;
        *seen += 1;
        self.skip(state)
    }

    #[inline]
    fn skip(&self, (seen, [_, gains, losses]): &mut Self::State) -> Option<f64> {
        if *seen <= self.mean.window {
            return None;
        }
        let total = *gains + *losses;
        Some(match SIGNED {
            false if total == 0.0 => 50.0,
            false => 100.0 * (*gains / total),
            true if total == 0.0 => 0.0,
            true => 100.0 * ((*gains - *losses) / total),
        })
    }
}

const PARAMETERS: &[Parameter] =
    &[COLUMN, Parameter::usual("window", Kind::Rows, Literal::Count(14), "The number of changes of the first mean.")];

pub(crate) const RSI: Entry = Entry {
    names: &["rsi"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Relative strength index: the mean gain as a percentage of mean gain plus mean loss.",
    formula: "y[i] = 100 * g / (g + l), with g = wilder(max(x[i] - x[i-1], 0), window) and l = wilder(max(x[i-1] - x[i], 0), \
              window)",
    notes: "Null before the first `window` + 1 values. A null row is not counted and returns the last result; the next value is \
            compared with the last value before it. 50 if there was no movement at all, as the crate ta-lib has it; TA-Lib for \
            Python returns 0 then. A NaN stays in every later result of its key (the crate returns 50). From 0 to 100; the error \
            is a few eps per row.",
    source: "TA-Lib `RSI`; Wilder 1978.",
    parameters: PARAMETERS,
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(2))],
    plan: |arguments| plan_of_window(arguments, 1, |window| Momentum::<false> { mean: SeededMean::wilder(window) }),
    #[cfg(test)]
    reference: reference::momentum,
};

pub(crate) const CMO: Entry = Entry {
    names: &["cmo"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Chande momentum oscillator: mean gain minus mean loss, as a percentage of their sum.",
    formula: "y[i] = 100 * (g - l) / (g + l), with g = wilder(max(x[i] - x[i-1], 0), window) and l = wilder(max(x[i-1] - x[i], \
              0), window)",
    notes: "Null before the first `window` + 1 values. A null row is not counted and returns the last result; the next value is \
            compared with the last value before it. 0 if there was no movement at all. A NaN stays in every later result of its \
            key. From -100 to 100; the error is a few eps per row. Chande's own definition, and pandas-ta with `talib=False`, have \
            sums over the window in place of Wilder's means.",
    source: "TA-Lib `CMO`.",
    parameters: PARAMETERS,
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(2))],
    plan: |arguments| plan_of_window(arguments, 1, |window| Momentum::<true> { mean: SeededMean::wilder(window) }),
    #[cfg(test)]
    reference: reference::momentum,
};

/// Gains, losses and their means as columns.
#[cfg(test)]
mod reference {
    use super::super::plain::{changes, held, seeded, window};
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, column, exact};

    pub fn momentum(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, n) = (column(spec, table), window(spec));
        let changes = changes(&values);
        let part = |sign: f64| -> Vec<Option<f64>> {
            let positive = |x: f64| if x * sign > 0.0 || x.is_nan() { x * sign } else { 0.0 };
            changes.iter().map(|x| x.map(positive)).collect()
        };
        let (gains, losses) = (seeded(&part(1.0), n, 1.0 / n), seeded(&part(-1.0), n, 1.0 / n));
        held(&values, |i| {
            let (Some(gain), Some(loss)) = (gains[i], losses[i]) else { return exact(None) };
            let (none, net) = if spec.name == "rsi" { (50.0, gain) } else { (0.0, gain - loss) };
            let answer = if gain + loss == 0.0 { none } else { 100.0 * net / (gain + loss) };
            let tiny = gain + loss != 0.0 && gain + loss < 1e-290;
            let error = if tiny { f64::INFINITY } else { 100.0 * 64.0 * (i as f64 + n + 2.0) * EPS };
            bounded(answer, error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, huge_windows_are_cheap, of_z, result, table_of};
    use crate::KernelSpec;

    #[test]
    fn worked_values() {
        let rsi = KernelSpec::new("rsi").with("column", "z").with("window", 3);
        assert_close(&of_z(&rsi), 3, &[83.333_333_333_333_34, 66.666_666_666_666_66, 82.456_140_350_877_19]);
        let cmo = KernelSpec::new("cmo").with("column", "z").with("window", 3);
        assert_close(&of_z(&cmo), 3, &[66.666_666_666_666_67, 33.333_333_333_333_33, 64.912_280_701_754_38]);
        for spec in [rsi, cmo] {
            assert_refused(&spec.clone().with("window", 0), "parameter 'window': must be at least 1, got 0");
            huge_windows_are_cheap(&spec, "window");
        }
    }

    #[test]
    fn no_movement_and_nan() {
        let rows = table_of(&[("x", [1.0, 1.0, 1.0, f64::NAN, 1.0].map(Some).to_vec())]);
        for (name, still) in [("rsi", 50.0), ("cmo", 0.0)] {
            let spec = KernelSpec::new(name).with("column", "x").with("window", 2);
            let got = result(&spec, &rows, None);
            assert_eq!(got[..3], [None, None, Some(still)]);
            assert!(got[3..].iter().all(|x| x.unwrap().is_nan()));
        }
    }
}
