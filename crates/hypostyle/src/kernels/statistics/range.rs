//! The range: the largest value minus the smallest.

use super::extremum::Extremum;
use crate::model::Statistic;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Plan, Shape};
use crate::spec::Literal;

/// The largest value minus the smallest.
#[derive(Debug, Clone)]
pub struct Range;

impl Statistic for Range {
    type Input = f64;
    type Output = f64;
    /// The smallest and the largest value.
    type State = [f64; 2];

    const TOTAL: bool = true;

    fn empty(&self) -> [f64; 2] {
        [f64::INFINITY, f64::NEG_INFINITY]
    }

    #[inline(always)]
    fn push(&self, state: &mut [f64; 2], x: f64, _anchor: f64) {
        *state = self.merge(state, &[x, x]);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 2], later: &[f64; 2]) -> [f64; 2] {
        let smallest = Extremum::<f64, false>::pick(earlier[0], later[0]);
        let largest = Extremum::<f64, true>::pick(earlier[1], later[1]);
        [smallest, largest]
    }

    #[inline(always)]
    fn finish(&self, [smallest, largest]: &[f64; 2], _count: usize, _anchor: f64) -> Option<f64> {
        Some(largest - smallest)
    }
}

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`. A window with a NaN, or with only infinities of one \
    sign, gives NaN. One rounding.";

pub(crate) const RANGE: Entry = Entry {
    names: &["rolling_range", "expanding_range"],
    shape: Shape::Windowed,
    summary: "Difference between the largest and the smallest value {in a moving window|so far}.",
    formula: "y[i] = max of x[j] - min of x[j] for j {in the window of row i|<= i}",
    notes: NOTES,
    source: "{van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time|numpy `ptp`, over all \
             rows so far}.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(2))],
    plan: |arguments| Plan::statistic(arguments, &["column"], Range),
    #[cfg(test)]
    reference: reference::range,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, extreme, of_column};

    pub fn range(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| {
            let (smallest, largest) = (extreme(window, f64::min).answer, extreme(window, f64::max).answer);
            exact(largest.zip(smallest).map(|(largest, smallest)| largest - smallest))
        })
    }
}
