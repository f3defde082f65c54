//! The correlation of two columns with a weight for each row, from sums of differences to the anchor (see `variance.rs`).

use super::Statistic;
use crate::catalogue::{Family, Kernel, Kind, Parameter};
use crate::windowed::{BY, CENTER, CLOSED, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding, pair_spec, rolling};

/// Pearson's correlation coefficient of weighted rows.
#[derive(Debug, Clone)]
pub struct WeightedCorrelation;

impl Statistic for WeightedCorrelation {
    /// x, y and the weight.
    type Input = [f64; 3];
    type Output = f64;
    /// Sums of w, w dx, w dy, w dx dx, w dy dy, w dx dy, where d is the difference to the anchor.
    type State = [f64; 6];

    const ANCHORED: bool = true;

    #[inline(always)]
    fn can_anchor([_, _, weight]: [f64; 3]) -> bool {
        weight != 0.0
    }

    fn empty(&self) -> [f64; 6] {
        [0.0; 6]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 6], [x, y, w]: [f64; 3], anchor: [f64; 3]) {
        // A row of weight 0 adds nothing, whatever the anchor, but for a NaN or an infinity.
        let [ax, ay, _] = if w == 0.0 { [x, y, w] } else { anchor };
        let (dx, dy) = (x - ax, y - ay);
        let terms = [w, w * dx, w * dy, w * dx * dx, w * dy * dy, w * dx * dy];
        (0..6).for_each(|i| sums[i] += terms[i]);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 6], row: [f64; 3], anchor: [f64; 3]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 6], later: &[f64; 6]) -> [f64; 6] {
        std::array::from_fn(|i| earlier[i] + later[i])
    }

    #[inline(always)]
    fn finish(&self, [w, x, y, xx, yy, xy]: &[f64; 6], count: usize, _anchor: [f64; 3]) -> Option<f64> {
        let (vx, vy) = (w * xx - x * x, w * yy - y * y);
        let corr = (w * xy - x * y) / (vx.sqrt() * vy.sqrt());
        let corr = if corr > 1.0 { 1.0 } else { corr };
        let corr = if corr < -1.0 { -1.0 } else { corr };
        // One row, a constant column and weights of nothing have no correlation; NaN goes on.
        let constant = (vx <= 0.0) | (vy <= 0.0);
        (!constant & (count > 1)).then_some(corr)
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The first column.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The second column.");

const WEIGHTS: Parameter = Parameter::required("weights", Kind::Column, "The weight of each row.");

const NOTES: &str = "From -1 to 1. A row counts where both columns and the weight are valid; null where a column is constant among the \
    rows with a weight, and for a single row. Weights should not be negative: nothing forbids it, but variances that are then \
    negative give null. A window with a NaN or an infinity gives NaN, and no other window does. Computed from differences to a row \
    of the same window, so a huge mean costs nothing.";

pub(crate) const ROLLING_WEIGHTED_CORR: Kernel = Kernel {
    name: "rolling_weighted_corr",
    family: Family::Rolling,
    summary: "Correlation of two columns in a moving window, with a weight for each row.",
    formula: "r[i] = cov(x, y) / sqrt(var(x) * var(y)), all weighted, over the rows in the window of row i",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: &[X, Y, WEIGHTS, WINDOW, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""x", "z", "z", 4, min_samples=2"#,
    build: |arguments, schema| rolling(arguments, schema, &["x", "y", "weights"], WeightedCorrelation),
};

pub(crate) const EXPANDING_WEIGHTED_CORR: Kernel = Kernel {
    name: "expanding_weighted_corr",
    family: Family::Expanding,
    summary: "Correlation of two columns over all rows so far, with a weight for each row.",
    formula: "r[i] = cov(x, y) / sqrt(var(x) * var(y)), all weighted, over the rows up to row i",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: &[X, Y, WEIGHTS, FROM_ONE],
    example: r#""x", "z", "z""#,
    build: |arguments, schema| expanding(arguments, schema, &["x", "y", "weights"], WeightedCorrelation),
};

/// Correlation of two columns in a moving window, with a weight for each row.
pub fn rolling_weighted_corr(
    x: impl Into<String>,
    y: impl Into<String>,
    weights: impl Into<String>,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_weighted_corr", ("x", x), ("y", y), Some(window.into())).with("weights", weights.into())
}

/// Correlation of two columns over all rows so far, with a weight for each row.
pub fn expanding_weighted_corr(
    x: impl Into<String>,
    y: impl Into<String>,
    weights: impl Into<String>,
) -> crate::KernelSpec {
    pair_spec("expanding_weighted_corr", ("x", x), ("y", y), None).with("weights", weights.into())
}
