//! The covariance of two columns, from sums of differences to the anchor (see `variance.rs`).

use super::{Statistic, as_f64};
use crate::catalogue::{Family, Kernel, Kind, Parameter};
use crate::windowed::{BY, CENTER, CLOSED, DDOF, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding, pair_spec, rolling};

/// The covariance.
#[derive(Debug, Clone)]
pub struct Covariance {
    /// What is subtracted from the count in the divisor.
    pub ddof: usize,
}

impl Statistic for Covariance {
    type Input = [f64; 2];
    type Output = f64;
    /// Sums of dx, dy, dx dy, where d is the difference to the anchor.
    type State = [f64; 3];

    const ANCHORED: bool = true;

    fn empty(&self) -> [f64; 3] {
        [0.0; 3]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 3], [x, y]: [f64; 2], anchor: [f64; 2]) {
        let (dx, dy) = (x - anchor[0], y - anchor[1]);
        sums[0] += dx;
        sums[1] += dy;
        sums[2] += dx * dy;
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 3], row: [f64; 2], anchor: [f64; 2]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 3], later: &[f64; 3]) -> [f64; 3] {
        std::array::from_fn(|i| earlier[i] + later[i])
    }

    #[inline(always)]
    fn finish(&self, [sx, sy, sxy]: &[f64; 3], count: usize, _anchor: [f64; 2]) -> Option<f64> {
        let n = as_f64(count);
        let cov = (n * sxy - sx * sy) / (n * (n - as_f64(self.ddof)));
        (count > self.ddof).then_some(cov)
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The first column.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The second column.");

const NOTES: &str = "A row counts where both columns are valid; no answer (null) where there are not more than `ddof` of them. A \
    window with a NaN or an infinity gives NaN, and no other window does. Computed from differences to a row of the same \
    window, so a huge mean costs nothing: absolute error some w * eps * std(x) * std(y), eps = 1.1e-16.";

pub(crate) const ROLLING_COV: Kernel = Kernel {
    name: "rolling_cov",
    family: Family::Rolling,
    summary: "Covariance of two columns in a moving window.",
    formula: "y[i] = sum((x[j] - mean(x)) * (y[j] - mean(y))) / (n - ddof) over the n rows in the window where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: &[X, Y, WINDOW, BY, MIN_SAMPLES, CLOSED, CENTER, STEP, DDOF],
    example: r#""x", "z", 3"#,
    build: |arguments, schema| {
        rolling(arguments, schema, &["x", "y"], Covariance { ddof: arguments.count("ddof").unwrap_or(1) })
    },
};

pub(crate) const EXPANDING_COV: Kernel = Kernel {
    name: "expanding_cov",
    family: Family::Expanding,
    summary: "Covariance of two columns over all rows so far.",
    formula: "y[i] = sum((x[j] - mean(x)) * (y[j] - mean(y))) / (n - ddof) over the n rows up to row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: &[X, Y, FROM_ONE, DDOF],
    example: r#""x", "z""#,
    build: |arguments, schema| {
        expanding(arguments, schema, &["x", "y"], Covariance { ddof: arguments.count("ddof").unwrap_or(1) })
    },
};

/// Covariance of two columns in a moving window.
pub fn rolling_cov(x: impl Into<String>, y: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    pair_spec("rolling_cov", ("x", x), ("y", y), Some(window.into()))
}

/// Covariance of two columns over all rows so far.
pub fn expanding_cov(x: impl Into<String>, y: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_cov", ("x", x), ("y", y), None)
}
