//! Variance, standard deviation and standard error of the mean, from sums of differences to the anchor.
//!
//! The anchor is a value of the same window, so its distance to the mean is at most sqrt(w) standard deviations: of
//! `s2 - s1 * s1 / w` no more than a factor of w + 1 can cancel, and for data without outliers next to nothing does.
//! A constant window gives exactly 0.

use super::{Statistic, as_f64};
use crate::catalogue::{Family, Kernel};
use crate::windowed::{
    BY, CENTER, CLOSED, COLUMN, DDOF, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding, expanding_spec, rolling,
    rolling_spec,
};

/// What is made of the sums of squares.
pub(crate) const VARIANCE: u8 = 0;
const DEVIATION: u8 = 1;
const ERROR: u8 = 2;

/// The variance of the values (0), its square root (1), or the standard error of their mean (2).
#[derive(Debug, Clone)]
pub struct Variance<const KIND: u8> {
    /// What is subtracted from the count in the divisor.
    pub ddof: usize,
}

impl<const KIND: u8> Statistic for Variance<KIND> {
    type Input = f64;
    type Output = f64;
    /// Sum of the differences to the anchor, and of their squares.
    type State = [f64; 2];

    const ANCHORED: bool = true;

    fn empty(&self) -> [f64; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn push(&self, [s1, s2]: &mut [f64; 2], x: f64, anchor: f64) {
        let d = x - anchor;
        *s1 += d;
        *s2 += d * d;
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 2], x: f64, anchor: f64) {
        // Addition commutes, and no sum is -0.
        self.push(sums, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 2], later: &[f64; 2]) -> [f64; 2] {
        [earlier[0] + later[0], earlier[1] + later[1]]
    }

    #[inline(always)]
    fn finish(&self, [s1, s2]: &[f64; 2], count: usize, _anchor: f64) -> Option<f64> {
        let (n, ddof) = (as_f64(count), as_f64(self.ddof));
        let squares = n * s2 - s1 * s1;
        // Rounding may leave a negative trace; NaN must stay.
        let squares = if squares < 0.0 { 0.0 } else { squares };
        let variance = squares / (n * (n - ddof));
        (count > self.ddof).then_some(match KIND {
            VARIANCE => variance,
            DEVIATION => variance.sqrt(),
            _ => (variance / n).sqrt(),
        })
    }
}

const PARAMETERS: &[crate::catalogue::Parameter] = &[COLUMN, WINDOW, BY, MIN_SAMPLES, CLOSED, CENTER, STEP, DDOF];

const EXPANDING: &[crate::catalogue::Parameter] = &[COLUMN, FROM_ONE, DDOF];

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`; no answer (null) where there are not more than \
    `ddof` values. A window with a NaN or an infinity gives NaN, and no other window does. Computed from differences to a \
    value of the same window: relative error at most about w * (w + 1) * eps for the worst outlier, a few eps * sqrt(w) for \
    ordinary data, whatever the mean is; exactly 0 for a constant window.";

pub(crate) const ROLLING_VAR: Kernel = Kernel {
    name: "rolling_var",
    family: Family::Rolling,
    summary: "Variance of the values in a moving window.",
    formula: "y[i] = sum((x[j] - mean)^2) / (n - ddof) over the n values in the window of row i",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: PARAMETERS,
    example: r#""x", 2"#,
    build: |arguments, schema| {
        rolling(arguments, schema, &["column"], Variance::<VARIANCE> { ddof: arguments.count("ddof").unwrap_or(1) })
    },
};

pub(crate) const ROLLING_STD: Kernel = Kernel {
    name: "rolling_std",
    family: Family::Rolling,
    summary: "Standard deviation of the values in a moving window.",
    formula: "y[i] = sqrt(sum((x[j] - mean)^2) / (n - ddof)) over the n values in the window of row i",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: PARAMETERS,
    example: r#""x", 2"#,
    build: |arguments, schema| {
        rolling(arguments, schema, &["column"], Variance::<DEVIATION> { ddof: arguments.count("ddof").unwrap_or(1) })
    },
};

pub(crate) const ROLLING_SEM: Kernel = Kernel {
    name: "rolling_sem",
    family: Family::Rolling,
    summary: "Standard error of the mean of the values in a moving window.",
    formula: "y[i] = sqrt(sum((x[j] - mean)^2) / (n - ddof) / n) over the n values in the window of row i",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: PARAMETERS,
    example: r#""x", 2"#,
    build: |arguments, schema| {
        rolling(arguments, schema, &["column"], Variance::<ERROR> { ddof: arguments.count("ddof").unwrap_or(1) })
    },
};

pub(crate) const EXPANDING_VAR: Kernel = Kernel {
    name: "expanding_var",
    family: Family::Expanding,
    summary: "Variance of all values so far.",
    formula: "y[i] = sum((x[j] - mean)^2) / (n - ddof) over the n values up to row i",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: EXPANDING,
    example: r#""x""#,
    build: |arguments, schema| {
        expanding(arguments, schema, &["column"], Variance::<VARIANCE> { ddof: arguments.count("ddof").unwrap_or(1) })
    },
};

pub(crate) const EXPANDING_STD: Kernel = Kernel {
    name: "expanding_std",
    family: Family::Expanding,
    summary: "Standard deviation of all values so far.",
    formula: "y[i] = sqrt(sum((x[j] - mean)^2) / (n - ddof)) over the n values up to row i",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: EXPANDING,
    example: r#""x""#,
    build: |arguments, schema| {
        expanding(arguments, schema, &["column"], Variance::<DEVIATION> { ddof: arguments.count("ddof").unwrap_or(1) })
    },
};

pub(crate) const EXPANDING_SEM: Kernel = Kernel {
    name: "expanding_sem",
    family: Family::Expanding,
    summary: "Standard error of the mean of all values so far.",
    formula: "y[i] = sqrt(sum((x[j] - mean)^2) / (n - ddof) / n) over the n values up to row i",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: EXPANDING,
    example: r#""x""#,
    build: |arguments, schema| {
        expanding(arguments, schema, &["column"], Variance::<ERROR> { ddof: arguments.count("ddof").unwrap_or(1) })
    },
};

/// Variance of the values in a moving window.
pub fn rolling_var(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_var", column, window)
}

/// Standard deviation of the values in a moving window.
pub fn rolling_std(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_std", column, window)
}

/// Standard error of the mean of the values in a moving window.
pub fn rolling_sem(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_sem", column, window)
}

/// Variance of all values so far.
pub fn expanding_var(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_var", column)
}

/// Standard deviation of all values so far.
pub fn expanding_std(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_std", column)
}

/// Standard error of the mean of all values so far.
pub fn expanding_sem(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_sem", column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate;

    #[test]
    fn a_huge_mean_costs_nothing() {
        let shifted: Vec<f64> = [1.0, 2.0, 4.0].iter().map(|x| x + 1e15).collect();
        assert_eq!(aggregate(&Variance::<VARIANCE> { ddof: 0 }, &shifted), Some(14.0 / 9.0));
        assert_eq!(aggregate(&Variance::<VARIANCE> { ddof: 1 }, &[0.1, 0.1, 0.1]), Some(0.0));
        assert_eq!(aggregate(&Variance::<DEVIATION> { ddof: 1 }, &[0.1]), None);
    }
}
