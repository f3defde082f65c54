//! Pearson's correlation of two columns, from sums of differences to the anchor (see `variance.rs`).

use super::relative::plan_of_differences;
use crate::model::scale::shift;
use crate::model::{Statistic, as_f64};
use crate::run::{Entry, Shape};
use crate::spec::{Kind, Literal, Parameter};

/// Pearson's correlation coefficient.
#[derive(Debug, Clone)]
pub struct Correlation;

impl Statistic for Correlation {
    type Input = [f64; 2];
    type Output = f64;
    /// Sums of dx, dy, dx dx, dy dy, dx dy, where d is the difference to the anchor.
    type State = [f64; 5];

    const ANCHORED: bool = true;

    // The two variances are multiplied.
    const DEGREE: u32 = 4;

    fn rescale(&self, sums: &mut [f64; 5], exponents: &[i32]) {
        let [x, y] = [exponents[0], exponents[1]];
        shift(sums, [x, y, 2 * x, 2 * y, x + y]);
    }

    fn empty(&self) -> [f64; 5] {
        [0.0; 5]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 5], [x, y]: [f64; 2], anchor: [f64; 2]) {
        let (dx, dy) = (x - anchor[0], y - anchor[1]);
        sums[0] += dx;
        sums[1] += dy;
        sums[2] += dx * dx;
        sums[3] += dy * dy;
        sums[4] += dx * dy;
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
    fn finish(&self, [sx, sy, sxx, syy, sxy]: &[f64; 5], count: usize, _anchor: [f64; 2]) -> Option<f64> {
        let n = as_f64(count);
        let vx = n * sxx - sx * sx;
        let vy = n * syy - sy * sy;
        let corr = (n * sxy - sx * sy) / (vx * vy).sqrt();
        let corr = if corr > 1.0 { 1.0 } else { corr };
        let corr = if corr < -1.0 { -1.0 } else { corr };
        // Undefined for one row or a constant column; NaN passes.
        let constant = (vx <= 0.0) | (vy <= 0.0);
        (!constant & (count > 1)).then_some(corr)
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The first column.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The second column.");

const NOTES: &str = "A row counts if both columns are valid. Always within [-1, 1]; null if one of the columns is constant, and for \
    a single row. A window with a NaN or an infinity gives NaN, and no other window does. Computed from differences to a row of \
    the same window, so a huge mean costs nothing.";

pub(crate) const CORR: Entry = Entry {
    names: &["rolling_corr", "expanding_corr"],
    shape: Shape::Windowed,
    summary: "Pearson's correlation of two columns {in a moving window|over all rows so far}.",
    formula: "y[i] = cov(x, y) / (std(x) * std(y)) over the rows {in the window of|up to} row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; {van Herk (1992), Gil and Werman (1993) for the windows|sums by blocks of \
             1,024 rows}.",
    parameters: &[X, Y],
    example: &[
        ("x", Literal::Text("x")),
        ("y", Literal::Text("z")),
        ("window", Literal::Count(4)),
        ("min_samples", Literal::Count(2)),
    ],
    plan: |arguments| plan_of_differences(arguments, &["x", "y"], Correlation),
    #[cfg(test)]
    reference: reference::corr,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{self, Slow, Table, of_pairs};

    pub fn corr(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, &table.exact(), ("x", "y"), reference::corr)
    }
}
