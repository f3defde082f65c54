//! The correlation of two columns once what a third one explains is taken away.

use super::{Statistic, as_f64};
use crate::catalogue::{Family, Kernel, Kind, Parameter};
use crate::windowed::{BY, CENTER, CLOSED, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding, pair_spec, rolling};

/// The partial correlation coefficient of x and y given z.
#[derive(Debug, Clone)]
pub struct PartialCorrelation;

/// What z leaves of a column must be more than this part of its variance.
const LEAST_LEFT: f64 = 1e-10;

impl Statistic for PartialCorrelation {
    /// x, y and z.
    type Input = [f64; 3];
    type Output = f64;
    /// Sums of dx, dy, dz, dx dx, dy dy, dz dz, dx dy, dx dz, dy dz, where d is the difference to the anchor.
    type State = [f64; 9];

    const ANCHORED: bool = true;

    fn empty(&self) -> [f64; 9] {
        [0.0; 9]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 9], row: [f64; 3], anchor: [f64; 3]) {
        let [x, y, z]: [f64; 3] = std::array::from_fn(|i| row[i] - anchor[i]);
        let terms = [x, y, z, x * x, y * y, z * z, x * y, x * z, y * z];
        (0..9).for_each(|i| sums[i] += terms[i]);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 9], row: [f64; 3], anchor: [f64; 3]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 9], later: &[f64; 9]) -> [f64; 9] {
        std::array::from_fn(|i| earlier[i] + later[i])
    }

    #[inline(always)]
    fn finish(&self, [x, y, z, xx, yy, zz, xy, xz, yz]: &[f64; 9], count: usize, _anchor: [f64; 3]) -> Option<f64> {
        let n = as_f64(count);
        let (vx, vy, vz) = (n * xx - x * x, n * yy - y * y, n * zz - z * z);
        let (cxy, cxz, cyz) = (n * xy - x * y, n * xz - x * z, n * yz - y * z);
        // Correlations first, as products of variances leave the range of numbers early.
        let (sx, sy, sz) = (vx.sqrt(), vy.sqrt(), vz.sqrt());
        let (rxy, rxz, ryz) = (cxy / sx / sy, cxz / sx / sz, cyz / sy / sz);
        let (left_x, left_y) = (1.0 - rxz * rxz, 1.0 - ryz * ryz);
        let corr = (rxy - rxz * ryz) / (left_x.sqrt() * left_y.sqrt());
        let corr = if corr > 1.0 { 1.0 } else { corr };
        let corr = if corr < -1.0 { -1.0 } else { corr };
        let constant = (vx <= 0.0) | (vy <= 0.0) | (vz <= 0.0);
        let explained = (left_x <= LEAST_LEFT) | (left_y <= LEAST_LEFT);
        (!constant & !explained & (count > 2)).then_some(corr)
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The first column.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The second column.");

const GIVEN: Parameter = Parameter::required("given", Kind::Column, "The column whose influence is taken away.");

const NOTES: &str = "From -1 to 1. A row counts where all three columns are valid; null where one is constant, where `given` \
    explains x or y but for 1e-10 of its variance, and for less than three rows. A window with a NaN or an infinity gives NaN, and \
    no other window does. Computed from differences to a row of the same window, so a huge mean costs nothing.";

pub(crate) const ROLLING_PARTIAL_CORR: Kernel = Kernel {
    name: "rolling_partial_corr",
    family: Family::Rolling,
    summary: "Correlation of x and y in a moving window, given a third column.",
    formula: "r[i] = (rxy - rxz * ryz) / sqrt((1 - rxz^2) * (1 - ryz^2)) over the window of row i, z the given column",
    notes: NOTES,
    source: "Fisher (1924); Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[X, Y, GIVEN, WINDOW, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""x", "z", pl.col("z") ** 2, 4, min_samples=3"#,
    build: |arguments, schema| rolling(arguments, schema, &["x", "y", "given"], PartialCorrelation),
};

pub(crate) const EXPANDING_PARTIAL_CORR: Kernel = Kernel {
    name: "expanding_partial_corr",
    family: Family::Expanding,
    summary: "Correlation of x and y over all rows so far, given a third column.",
    formula: "r[i] = (rxy - rxz * ryz) / sqrt((1 - rxz^2) * (1 - ryz^2)) over the rows up to row i, z the given column",
    notes: NOTES,
    source: "Fisher (1924); Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[X, Y, GIVEN, FROM_ONE],
    example: r#""x", "z", pl.col("z") ** 2"#,
    build: |arguments, schema| expanding(arguments, schema, &["x", "y", "given"], PartialCorrelation),
};

/// Correlation of x and y in a moving window, given a third column.
pub fn rolling_partial_corr(
    x: impl Into<String>,
    y: impl Into<String>,
    given: impl Into<String>,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_partial_corr", ("x", x), ("y", y), Some(window.into())).with("given", given.into())
}

/// Correlation of x and y over all rows so far, given a third column.
pub fn expanding_partial_corr(
    x: impl Into<String>,
    y: impl Into<String>,
    given: impl Into<String>,
) -> crate::KernelSpec {
    pair_spec("expanding_partial_corr", ("x", x), ("y", y), None).with("given", given.into())
}
