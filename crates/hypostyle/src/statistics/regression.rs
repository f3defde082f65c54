//! The line through the points (x, y) by least squares: slope, intercept and coefficient of determination.
//!
//! From sums of differences to the anchor (see `variance.rs`); the intercept adds the anchor back at the very end.

use super::{Statistic, as_f64};
use crate::catalogue::{Family, Kernel, Kind, Parameter};
use crate::windowed::{expanding, expanding_pair, pair_spec, rolling, rolling_pair};

const BETA: u8 = 0;
const ALPHA: u8 = 1;
const R2: u8 = 2;

/// The slope (0), the intercept (1) or the coefficient of determination (2) of y against x.
#[derive(Debug, Clone)]
pub struct Regression<const KIND: u8>;

impl<const KIND: u8> Statistic for Regression<KIND> {
    /// y, then x.
    type Input = [f64; 2];
    type Output = f64;
    /// Sums of dy, dx, dx dx, dx dy, dy dy, where d is the difference to the anchor.
    type State = [f64; 5];

    const ANCHORED: bool = true;

    fn empty(&self) -> [f64; 5] {
        [0.0; 5]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 5], [y, x]: [f64; 2], anchor: [f64; 2]) {
        let (dy, dx) = (y - anchor[0], x - anchor[1]);
        sums[0] += dy;
        sums[1] += dx;
        sums[2] += dx * dx;
        sums[3] += dx * dy;
        if KIND == R2 {
            sums[4] += dy * dy;
        }
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 5], row: [f64; 2], anchor: [f64; 2]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 5], later: &[f64; 5]) -> [f64; 5] {
        std::array::from_fn(|i| earlier[i] + later[i])
    }

    #[inline(always)]
    fn finish(&self, [sy, sx, sxx, sxy, syy]: &[f64; 5], count: usize, anchor: [f64; 2]) -> Option<f64> {
        let n = as_f64(count);
        let (vx, cov) = (n * sxx - sx * sx, n * sxy - sx * sy);
        // An infinity makes the line NaN, whichever row is the anchor.
        let beta = cov / vx + (sx * 0.0 + sy * 0.0);
        // A constant x has no slope, a constant y nothing to explain; NaN goes on.
        let constant = vx <= 0.0;
        let defined = !constant & (count > 1);
        match KIND {
            BETA => defined.then_some(beta),
            ALPHA => defined.then_some((anchor[0] - beta * anchor[1]) + (sy - beta * sx) / n),
            _ => {
                let vy = n * syy - sy * sy;
                let share = (cov / vx) * (cov / vy);
                let share = if share > 1.0 { 1.0 } else { share };
                let flat = vy <= 0.0;
                (defined & !flat).then_some(share)
            }
        }
    }
}

const Y: Parameter = Parameter::required("y", Kind::Column, "The column that is explained.");

const X: Parameter = Parameter::required("x", Kind::Column, "The column that explains.");

const NOTES: &str = "A row counts where both columns are valid; null where x is constant, for a single row, and for `r2` where y \
    is constant. A window with a NaN or an infinity gives NaN, and no other window does. Computed from differences to a row \
    of the same window, so a huge mean costs nothing; the intercept of far away data has the error of its own size times eps.";

pub(crate) const ROLLING_BETA: Kernel = Kernel {
    name: "rolling_beta",
    family: Family::Rolling,
    summary: "Slope of the least squares line of y against x in a moving window.",
    formula: "b[i] = cov(x, y) / var(x) over the rows in the window of row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: &rolling_pair(Y, X),
    example: r#""x", "z", 3"#,
    build: |arguments, schema| rolling(arguments, schema, &["y", "x"], Regression::<BETA>),
};

pub(crate) const EXPANDING_BETA: Kernel = Kernel {
    name: "expanding_beta",
    family: Family::Expanding,
    summary: "Slope of the least squares line of y against x over all rows so far.",
    formula: "b[i] = cov(x, y) / var(x) over the rows up to row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: &expanding_pair(Y, X),
    example: r#""x", "z""#,
    build: |arguments, schema| expanding(arguments, schema, &["y", "x"], Regression::<BETA>),
};

pub(crate) const ROLLING_ALPHA: Kernel = Kernel {
    name: "rolling_alpha",
    family: Family::Rolling,
    summary: "Intercept of the least squares line of y against x in a moving window.",
    formula: "a[i] = mean(y) - cov(x, y) / var(x) * mean(x) over the rows in the window of row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: &rolling_pair(Y, X),
    example: r#""x", "z", 3"#,
    build: |arguments, schema| rolling(arguments, schema, &["y", "x"], Regression::<ALPHA>),
};

pub(crate) const EXPANDING_ALPHA: Kernel = Kernel {
    name: "expanding_alpha",
    family: Family::Expanding,
    summary: "Intercept of the least squares line of y against x over all rows so far.",
    formula: "a[i] = mean(y) - cov(x, y) / var(x) * mean(x) over the rows up to row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: &expanding_pair(Y, X),
    example: r#""x", "z""#,
    build: |arguments, schema| expanding(arguments, schema, &["y", "x"], Regression::<ALPHA>),
};

pub(crate) const ROLLING_R2: Kernel = Kernel {
    name: "rolling_r2",
    family: Family::Rolling,
    summary: "Coefficient of determination of y against x in a moving window.",
    formula: "r2[i] = cov(x, y)^2 / (var(x) * var(y)) over the rows in the window of row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: &rolling_pair(Y, X),
    example: r#""x", "z", 3"#,
    build: |arguments, schema| rolling(arguments, schema, &["y", "x"], Regression::<R2>),
};

pub(crate) const EXPANDING_R2: Kernel = Kernel {
    name: "expanding_r2",
    family: Family::Expanding,
    summary: "Coefficient of determination of y against x over all rows so far.",
    formula: "r2[i] = cov(x, y)^2 / (var(x) * var(y)) over the rows up to row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: &expanding_pair(Y, X),
    example: r#""x", "z""#,
    build: |arguments, schema| expanding(arguments, schema, &["y", "x"], Regression::<R2>),
};

/// Slope of the least squares line of y against x in a moving window.
pub fn rolling_beta(y: impl Into<String>, x: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    pair_spec("rolling_beta", ("y", y), ("x", x), Some(window.into()))
}

/// Slope of the least squares line of y against x over all rows so far.
pub fn expanding_beta(y: impl Into<String>, x: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_beta", ("y", y), ("x", x), None)
}

/// Intercept of the least squares line of y against x in a moving window.
pub fn rolling_alpha(y: impl Into<String>, x: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    pair_spec("rolling_alpha", ("y", y), ("x", x), Some(window.into()))
}

/// Intercept of the least squares line of y against x over all rows so far.
pub fn expanding_alpha(y: impl Into<String>, x: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_alpha", ("y", y), ("x", x), None)
}

/// Coefficient of determination of y against x in a moving window.
pub fn rolling_r2(y: impl Into<String>, x: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    pair_spec("rolling_r2", ("y", y), ("x", x), Some(window.into()))
}

/// Coefficient of determination of y against x over all rows so far.
pub fn expanding_r2(y: impl Into<String>, x: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_r2", ("y", y), ("x", x), None)
}
