//! TRIX: by how much percent the third exponential mean of a column changes per row.

use super::cascade::{Cascade, Means};
use super::seeded::{COLUMN_AND_WINDOW, SeededMean, plan_of_window};
use crate::model::Recurrence;
use crate::run::{Entry, Shape};
use crate::spec::{Family, Literal};

/// The rate of change of the third mean.
#[derive(Debug, Clone)]
pub struct Trix {
    cascade: Cascade<3>,
}

impl Recurrence for Trix {
    type Input = f64;
    type Output = f64;
    /// The means; whether the value before had a third mean, and that mean.
    type State = (Means<3>, (bool, f64));

    fn start(&self) -> Self::State {
        ((0, [0.0; 3]), (false, 0.0))
    }

    #[inline(always)]
    fn step(&self, state: &mut Self::State, x: f64) -> Option<f64> {
        let (means, before) = state;
        *before = (self.cascade.exists(means.0), means.1[2]);
        self.cascade.step(means, x);
        self.skip(state)
    }

    #[inline]
    fn skip(&self, ((_, means), (exists, before)): &mut Self::State) -> Option<f64> {
        let change = || if *before == 0.0 { 0.0 } else { (means[2] - *before) / *before * 100.0 };
        exists.then(change)
    }
}

pub(crate) const TRIX: Entry = Entry {
    names: &["trix"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Change per row of the triple exponential moving average, in percent.",
    formula: "y[i] = 100 * (e3[i] / e3[i-1] - 1), with e1 = ema(x, window), e2 = ema(e1, window) and e3 = ema(e2, window)",
    notes: "Null before the first 3 * window - 1 values: each mean begins with the mean of the first `window` values of its \
            input. A null row is not counted and returns the last result. A NaN stays in every later result of its key. 0 if \
            the earlier mean is 0, as in TA-Lib. The error is at most about 6 * `window` eps of the largest value, in percent of \
            the mean.",
    source: "TA-Lib `TRIX`.",
    parameters: COLUMN_AND_WINDOW,
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(1))],
    plan: |arguments| plan_of_window(arguments, 1, |window| Trix { cascade: Cascade::new(SeededMean::ema(window)) }),
    #[cfg(test)]
    reference: reference::trix,
};

/// Each mean as a column of its own.
#[cfg(test)]
mod reference {
    use super::super::plain::{held, scale, seeded, window};
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, column, exact};

    pub fn trix(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, n) = (column(spec, table), window(spec));
        let mut mean = values.clone();
        for _ in 0..3 {
            mean = seeded(&mean, n, 2.0 / (n + 1.0));
        }
        let mut last = None;
        held(&values, |i| {
            let (Some(now), before) = (mean[i], std::mem::replace(&mut last, mean[i])) else { return exact(None) };
            let Some(before) = before else { return exact(None) };
            let error = 100.0 * (n + 2.0) * EPS * scale(&values[..=i]);
            if before.abs() <= 4.0 * error {
                let exactly = before == 0.0 && error == 0.0;
                return if exactly { exact(Some(0.0)) } else { bounded(0.0, f64::INFINITY) };
            }
            let change = now / before - 1.0;
            bounded(100.0 * change, 400.0 * (1.0 + change.abs()) * (error / before.abs() + EPS))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, huge_windows_are_cheap, of_z, result, table_of};
    use crate::KernelSpec;

    #[test]
    fn worked_values() {
        let spec = KernelSpec::new("trix").with("column", "z").with("window", 3);
        assert_close(&of_z(&spec), 7, &[25.191_001_697_792_87, 17.486_014_578_742_17]);
        assert_refused(&spec.clone().with("window", 0), "parameter 'window': must be at least 1, got 0");
        huge_windows_are_cheap(&spec, "window");
    }

    #[test]
    fn zeros_do_not_change() {
        let zeros = table_of(&[("x", vec![Some(0.0); 3])]);
        let spec = KernelSpec::new("trix").with("column", "x").with("window", 1);
        assert_eq!(result(&spec, &zeros, None), [None, Some(0.0), Some(0.0)]);
    }
}
