//! The deepest fall from a value to a later one, as a fraction.

use super::extremum::Extremum;
use crate::model::Statistic;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Plan, Shape};
use crate::spec::Literal;

/// See the module.
#[derive(Debug, Clone)]
struct MaxDrawdown;

impl Statistic for MaxDrawdown {
    type Input = f64;
    type Output = f64;
    /// The smallest value, the largest, and the deepest fall.
    type State = [f64; 3];

    const SLOW_PUSH: bool = true;

    fn empty(&self) -> [f64; 3] {
        [f64::INFINITY, f64::NEG_INFINITY, 0.0]
    }

    #[inline(always)]
    fn push(&self, state: &mut [f64; 3], x: f64, _anchor: f64) {
        *state = self.merge(state, &[x, x, 0.0]);
    }

    // Division and subtraction keep the order, so that the deepest fall of all pairs of rows is the same however they are merged.
    #[inline(always)]
    fn merge(&self, earlier: &[f64; 3], later: &[f64; 3]) -> [f64; 3] {
        let across = if later[0] < earlier[1] { later[0] / earlier[1] - 1.0 } else { 0.0 };
        [
            Extremum::<f64, false>::pick(earlier[0], later[0]),
            Extremum::<f64, true>::pick(earlier[1], later[1]),
            earlier[2].min(later[2]).min(across),
        ]
    }

    #[inline(always)]
    fn finish(&self, [smallest, _, fall]: &[f64; 3], _count: usize, _anchor: f64) -> Option<f64> {
        let negative = *smallest < 0.0;
        (!negative).then_some(if smallest.is_nan() { *smallest } else { *fall })
    }
}

pub(crate) const MAX_DRAWDOWN: Entry = Entry {
    names: &["rolling_max_drawdown", "expanding_max_drawdown"],
    shape: Shape::Windowed,
    summary: "Maximum drawdown: the deepest fall from a value to a later one {in a moving window|so far}.",
    formula: "y[i] = min of 0 and x[k] / x[j] - 1 for j < k {in the window of row i|<= i}",
    notes: "A fraction from -1 to 0. For prices and other values that are not negative: {a window|a row} with a value below 0 \
            {in it|so far} is null. 0 where nothing falls. Nulls are skipped and do not count for `min_samples`. {A window with a \
            NaN gives|After a NaN comes} NaN. Two roundings.",
    source: "pandas `(x / x.{rolling(n)|expanding()}.max() - 1).{rolling(n)|expanding()}.min()`{, which sees peaks before its \
             window|}; `drawdown` gives the current one too.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(3))],
    plan: |arguments| Plan::statistic(arguments, &["column"], MaxDrawdown),
    #[cfg(test)]
    reference: reference::max_drawdown,
};

/// The fall of each value from the largest so far.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, of_column};

    pub fn max_drawdown(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| {
            if window.iter().any(|x| x.is_nan()) {
                return exact(Some(f64::NAN));
            }
            if window.is_empty() || window.iter().any(|x| *x < 0.0) {
                return exact(None);
            }
            let (mut peak, mut worst) = (f64::NEG_INFINITY, 0.0f64);
            for x in window {
                peak = peak.max(*x);
                if *x < peak {
                    worst = worst.min(x / peak - 1.0);
                }
            }
            exact(Some(worst))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check};

    #[test]
    fn worked_values() {
        let x: &[f64] = &[100.0, 80.0, NULL, 90.0, 120.0, 60.0, 0.0, 0.0, -1.0, 5.0, 6.0];
        let rolling =
            KernelSpec::new("rolling_max_drawdown").with("column", "x").with("window", 3).with("min_samples", 1);
        let fall = 80.0 / 100.0 - 1.0;
        check(rolling, &[("x", x)], "", &[0.0, fall, fall, 0.0, 0.0, -0.5, -1.0, -1.0, NULL, NULL, NULL]);
        let expanding = KernelSpec::new("expanding_max_drawdown").with("column", "x");
        let so_far = [0.0, fall, fall, fall, fall, -0.5, -1.0, -1.0, NULL, NULL, NULL];
        check(expanding.clone(), &[("x", x)], "", &so_far);
        check(expanding, &[("x", &[0.0, f64::INFINITY, f64::INFINITY, 5.0])], "", &[0.0, 0.0, 0.0, -1.0]);
    }
}
