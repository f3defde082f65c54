//! How many standard deviations the current row lies from the mean of its window.

use super::variance::{VARIANCE, Variance};
use super::{Statistic, as_f64};
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Parameter};
use crate::drive::by_row::ByRow;
use crate::windowed::{
    BY, CENTER, CLOSED, COLUMN, DDOF, FROM_ONE, MIN_SAMPLES, STEP, Then, WINDOW, expanding_around, expanding_spec,
    rolling_around, rolling_spec, sources,
};

/// A value of the window, the mean's difference to it, and the standard deviation.
#[derive(Debug, Clone)]
pub struct Standard {
    /// The variance.
    pub variance: Variance<VARIANCE>,
}

impl Statistic for Standard {
    type Input = f64;
    type Output = [f64; 3];
    type State = [f64; 2];

    const ANCHORED: bool = true;

    fn empty(&self) -> [f64; 2] {
        self.variance.empty()
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 2], x: f64, anchor: f64) {
        self.variance.push(sums, x, anchor);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 2], x: f64, anchor: f64) {
        self.variance.push_front(sums, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 2], later: &[f64; 2]) -> [f64; 2] {
        self.variance.merge(earlier, later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 2], count: usize, anchor: f64) -> Option<[f64; 3]> {
        let variance = self.variance.finish(sums, count, anchor);
        Some([anchor, sums[0] / as_f64(count), variance?.sqrt()])
    }
}

/// The current row's distance to the mean in standard deviations.
#[derive(Debug, Clone)]
pub struct Score;

impl ByRow for Score {
    type Input = f64;
    type Inner = [f64; 3];
    type Output = f64;

    fn with_row(&self, [anchor, mean, deviation]: [f64; 3], x: f64, valid: bool) -> Option<f64> {
        (valid && deviation != 0.0).then_some(((x - anchor) - mean) / deviation)
    }
}

fn standard(arguments: &Arguments) -> Standard {
    Standard { variance: Variance { ddof: arguments.count("ddof").unwrap_or(1) } }
}

const PARAMETERS: &[Parameter] = &[COLUMN, WINDOW, BY, MIN_SAMPLES, CLOSED, CENTER, STEP, DDOF];

const EXPANDING: &[Parameter] = &[COLUMN, FROM_ONE, DDOF];

const NOTES: &str = "A row with a null gets null; nulls in the window are skipped and do not count for `min_samples`. Null where the \
    window is constant or has not more than `ddof` values. With `closed='left'` the row is judged by the rows before it. A window \
    with a NaN or an infinity gives NaN, and no other window does. Computed from differences to a value of the same window, so a \
    huge mean costs nothing.";

pub(crate) const ROLLING_ZSCORE: Kernel = Kernel {
    name: "rolling_zscore",
    family: Family::Rolling,
    summary: "Standard score of the current row's value among the values in a moving window.",
    formula: "y[i] = (x[i] - mean) / std over the window of row i",
    notes: NOTES,
    source: "scipy.stats.zscore; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: PARAMETERS,
    example: r#""z", 3"#,
    build: |arguments, schema| {
        let inputs = sources::<f64>(arguments, schema, &["column"])?;
        rolling_around(arguments, schema, inputs, standard(arguments), Then(Score))
    },
};

pub(crate) const EXPANDING_ZSCORE: Kernel = Kernel {
    name: "expanding_zscore",
    family: Family::Expanding,
    summary: "Standard score of the current row's value among all values so far.",
    formula: "y[i] = (x[i] - mean) / std over the values up to row i",
    notes: NOTES,
    source: "scipy.stats.zscore; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: EXPANDING,
    example: r#""z""#,
    build: |arguments, schema| {
        let inputs = sources::<f64>(arguments, schema, &["column"])?;
        Ok(expanding_around(arguments, inputs, standard(arguments), Then(Score)))
    },
};

/// Standard score of the current row's value among the values in a moving window.
pub fn rolling_zscore(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_zscore", column, window)
}

/// Standard score of the current row's value among all values so far.
pub fn expanding_zscore(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_zscore", column)
}
