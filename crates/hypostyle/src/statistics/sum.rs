//! The sum.  Blocks bound its error: it grows with the window's length as a plain sum's does, but never with the number of
//! rows before the window.

use super::Statistic;
use crate::catalogue::{Family, Kernel};
use crate::windowed::{EXPANDING_PARAMETERS, ROLLING_PARAMETERS, expanding, expanding_spec, rolling, rolling_spec};

/// The sum of the values.
#[derive(Debug, Clone)]
pub struct Sum;

impl Statistic for Sum {
    type Input = f64;
    type Output = f64;
    type State = f64;

    const TOTAL: bool = true;

    fn empty(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn push(&self, sum: &mut f64, x: f64, _anchor: f64) {
        *sum += x;
    }

    #[inline(always)]
    fn push_front(&self, sum: &mut f64, x: f64, anchor: f64) {
        // Addition commutes, and no sum is -0.
        self.push(sum, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &f64, later: &f64) -> f64 {
        earlier + later
    }

    #[inline(always)]
    fn finish(&self, sum: &f64, _count: usize, _anchor: f64) -> Option<f64> {
        Some(*sum)
    }

    fn finish_empty(&self) -> Option<f64> {
        Some(0.0)
    }
}

pub(crate) const ROLLING_SUM: Kernel = Kernel {
    name: "rolling_sum",
    family: Family::Rolling,
    summary: "Sum of the values in a moving window.",
    formula: "y[i] = sum of x[j] for j in the window of row i",
    notes: "Nulls are skipped and do not count for `min_samples`; NaN and infinities follow IEEE in the windows that hold \
            them and in no other. The sum of no values (with `min_samples=0`) is 0. Relative error at most w * eps * \
            sum(|x|) / |sum(x)| for w values, eps = 1.1e-16, whatever came before the window.",
    source: "van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 2"#,
    build: |arguments, schema| rolling(arguments, schema, &["column"], Sum),
};

pub(crate) const EXPANDING_SUM: Kernel = Kernel {
    name: "expanding_sum",
    family: Family::Expanding,
    summary: "Sum of all values so far.",
    formula: "y[i] = sum of x[j] for j <= i",
    notes: "Nulls are skipped and do not count for `min_samples`. Relative error at most (1024 + w / 1024) * eps * sum(|x|) / \
            |sum(x)| for w values, eps = 1.1e-16.",
    source: "pandas `Series.expanding().sum()`; sums by blocks of 1,024 rows.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| expanding(arguments, schema, &["column"], Sum),
};

/// Sum of the values in a moving window.
pub fn rolling_sum(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_sum", column, window)
}

/// Sum of all values so far.
pub fn expanding_sum(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_sum", column)
}
