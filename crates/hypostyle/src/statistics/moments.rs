//! Skewness and kurtosis, from sums of powers of the differences to the anchor (see `variance.rs`).
//!
//! With d the mean difference to the anchor, the central sums are
//! M2 = s2 - d s1, M3 = s3 - 3 d s2 + 2 d^2 s1, M4 = s4 - 4 d s3 + 6 d^2 s2 - 3 d^3 s1.

use super::{Statistic, as_f64};
use crate::catalogue::{Family, Kernel};
use crate::windowed::{EXPANDING_PARAMETERS, ROLLING_PARAMETERS, expanding, expanding_spec, rolling, rolling_spec};

/// The skewness of the values, corrected for bias.
#[derive(Debug, Clone)]
pub struct Skewness;

impl Statistic for Skewness {
    type Input = f64;
    type Output = f64;
    /// Sums of the first three powers of the difference to the anchor.
    type State = [f64; 3];

    const ANCHORED: bool = true;

    fn empty(&self) -> [f64; 3] {
        [0.0; 3]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 3], x: f64, anchor: f64) {
        let d = x - anchor;
        sums[0] += d;
        sums[1] += d * d;
        sums[2] += d * d * d;
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 3], x: f64, anchor: f64) {
        // Addition commutes, and no sum is -0.
        self.push(sums, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 3], later: &[f64; 3]) -> [f64; 3] {
        std::array::from_fn(|i| earlier[i] + later[i])
    }

    #[inline(always)]
    fn finish(&self, [s1, s2, s3]: &[f64; 3], count: usize, _anchor: f64) -> Option<f64> {
        let n = as_f64(count);
        let d = s1 / n;
        let m2 = s2 - d * s1;
        let m3 = s3 - d * (3.0 * s2 - 2.0 * d * s1);
        let skew = n * (n - 1.0).sqrt() / (n - 2.0) * (m3 / (m2 * m2.sqrt()));
        // A constant has none; NaN goes on.
        let constant = m2 <= 0.0;
        (!constant & (count > 2)).then_some(skew)
    }
}

/// The excess kurtosis of the values, corrected for bias.
#[derive(Debug, Clone)]
pub struct Kurtosis;

impl Statistic for Kurtosis {
    type Input = f64;
    type Output = f64;
    /// Sums of the first four powers of the difference to the anchor.
    type State = [f64; 4];

    const ANCHORED: bool = true;

    fn empty(&self) -> [f64; 4] {
        [0.0; 4]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 4], x: f64, anchor: f64) {
        let d = x - anchor;
        let square = d * d;
        sums[0] += d;
        sums[1] += square;
        sums[2] += square * d;
        sums[3] += square * square;
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 4], x: f64, anchor: f64) {
        // Addition commutes, and no sum is -0.
        self.push(sums, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 4], later: &[f64; 4]) -> [f64; 4] {
        std::array::from_fn(|i| earlier[i] + later[i])
    }

    #[inline(always)]
    fn finish(&self, [s1, s2, s3, s4]: &[f64; 4], count: usize, _anchor: f64) -> Option<f64> {
        let n = as_f64(count);
        let d = s1 / n;
        let m2 = s2 - d * s1;
        let m4 = s4 - d * (4.0 * s3 - d * (6.0 * s2 - 3.0 * d * s1));
        let ratio = n * (n + 1.0) * (m4 / (m2 * m2)) - 3.0 * (n - 1.0);
        let kurt = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ratio;
        // A constant has none; NaN goes on.
        let constant = m2 <= 0.0;
        (!constant & (count > 3)).then_some(kurt)
    }
}

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`; no answer (null) for a constant, nor for fewer than \
    three values (skewness) or four (kurtosis). A window with a NaN or an infinity gives NaN, and no other window does. \
    Computed from differences to a value of the same window, so a huge mean costs nothing: absolute error some w * eps for \
    ordinary data, eps = 1.1e-16; an outlier that dominates the spread costs up to a factor w^1.5 (w^2 for the kurtosis).";

pub(crate) const ROLLING_SKEW: Kernel = Kernel {
    name: "rolling_skew",
    family: Family::Rolling,
    summary: "Skewness of the values in a moving window, corrected for bias.",
    formula: "y[i] = n * sqrt(n - 1) / (n - 2) * M3 / M2^1.5, where Mk = sum((x[j] - mean)^k) over the n values in the window",
    notes: NOTES,
    source: "pandas `Series.rolling().skew()`; Joanes and Gill (1998), G1; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 3"#,
    build: |arguments, schema| rolling(arguments, schema, &["column"], Skewness),
};

pub(crate) const ROLLING_KURT: Kernel = Kernel {
    name: "rolling_kurt",
    family: Family::Rolling,
    summary: "Excess kurtosis of the values in a moving window, corrected for bias.",
    formula: "y[i] = (n - 1) / ((n - 2) (n - 3)) * (n (n + 1) M4 / M2^2 - 3 (n - 1)), where Mk = sum((x[j] - mean)^k) over the \
              n values in the window",
    notes: NOTES,
    source: "pandas `Series.rolling().kurt()`; Joanes and Gill (1998), G2; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 4"#,
    build: |arguments, schema| rolling(arguments, schema, &["column"], Kurtosis),
};

pub(crate) const EXPANDING_SKEW: Kernel = Kernel {
    name: "expanding_skew",
    family: Family::Expanding,
    summary: "Skewness of all values so far, corrected for bias.",
    formula: "y[i] = n * sqrt(n - 1) / (n - 2) * M3 / M2^1.5, where Mk = sum((x[j] - mean)^k) over the n values up to row i",
    notes: NOTES,
    source: "pandas `Series.expanding().skew()`; Joanes and Gill (1998), G1.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| expanding(arguments, schema, &["column"], Skewness),
};

pub(crate) const EXPANDING_KURT: Kernel = Kernel {
    name: "expanding_kurt",
    family: Family::Expanding,
    summary: "Excess kurtosis of all values so far, corrected for bias.",
    formula: "y[i] = (n - 1) / ((n - 2) (n - 3)) * (n (n + 1) M4 / M2^2 - 3 (n - 1)), where Mk = sum((x[j] - mean)^k) over the \
              n values up to row i",
    notes: NOTES,
    source: "pandas `Series.expanding().kurt()`; Joanes and Gill (1998), G2.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| expanding(arguments, schema, &["column"], Kurtosis),
};

/// Skewness of the values in a moving window.
pub fn rolling_skew(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_skew", column, window)
}

/// Excess kurtosis of the values in a moving window.
pub fn rolling_kurt(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_kurt", column, window)
}

/// Skewness of all values so far.
pub fn expanding_skew(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_skew", column)
}

/// Excess kurtosis of all values so far.
pub fn expanding_kurt(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_kurt", column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate;

    #[test]
    fn worked_by_hand() {
        // Mean 2, M2 = 14, M3 = 12 - 8 - 1 + 27 = 18 of the differences -2, -1, 0, 3; M4 = 16 + 1 + 81 = 98.
        let values = [0.0, 1.0, 2.0, 5.0];
        let skew = aggregate(&Skewness, &values).unwrap();
        assert!((skew - 4.0 * 3.0f64.sqrt() / 2.0 * 18.0 / 14.0f64.powf(1.5)).abs() < 1e-15, "{skew}");
        let kurt = aggregate(&Kurtosis, &values).unwrap();
        assert!((kurt - 3.0 / 2.0 * (20.0 * 98.0 / 196.0 - 9.0)).abs() < 1e-14, "{kurt}");
        let shifted = values.map(|x| x + 1e15);
        assert_eq!((aggregate(&Skewness, &shifted), aggregate(&Kurtosis, &shifted)), (Some(skew), Some(kurt)));
        assert_eq!((aggregate(&Skewness, &[0.1; 5]), aggregate(&Kurtosis, &[1.0, 2.0, 3.0])), (None, None));
    }
}
