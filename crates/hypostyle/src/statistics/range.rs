//! The range: the greatest value less the least.

use super::Statistic;
use super::extremum::Extremum;
use crate::catalogue::{Family, Kernel};
use crate::windowed::{EXPANDING_PARAMETERS, ROLLING_PARAMETERS, expanding, expanding_spec, rolling, rolling_spec};

/// The greatest value less the least.
#[derive(Debug, Clone)]
pub struct Range;

impl Statistic for Range {
    type Input = f64;
    type Output = f64;
    /// The least and the greatest value.
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
        let least = Extremum::<f64, false>::pick(earlier[0], later[0]);
        let greatest = Extremum::<f64, true>::pick(earlier[1], later[1]);
        [least, greatest]
    }

    #[inline(always)]
    fn finish(&self, [least, greatest]: &[f64; 2], _count: usize, _anchor: f64) -> Option<f64> {
        Some(greatest - least)
    }
}

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`; a window with a NaN, or with infinities only, gives \
    NaN. One rounding.";

pub(crate) const ROLLING_RANGE: Kernel = Kernel {
    name: "rolling_range",
    family: Family::Rolling,
    summary: "Greatest less least value in a moving window.",
    formula: "y[i] = max of x[j] - min of x[j] for j in the window of row i",
    notes: NOTES,
    source: "van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 2"#,
    build: |arguments, schema| rolling(arguments, schema, &["column"], Range),
};

pub(crate) const EXPANDING_RANGE: Kernel = Kernel {
    name: "expanding_range",
    family: Family::Expanding,
    summary: "Greatest less least value so far.",
    formula: "y[i] = max of x[j] - min of x[j] for j <= i",
    notes: NOTES,
    source: "numpy `ptp`, over all rows so far.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| expanding(arguments, schema, &["column"], Range),
};

/// Greatest less least value in a moving window.
pub fn rolling_range(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_range", column, window)
}

/// Greatest less least value so far.
pub fn expanding_range(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_range", column)
}
