//! Pearson's correlation of two columns, from sums of differences to the anchor (see `variance.rs`).

use super::relative::plan_of_differences;
use crate::drive::rolling_lanes;
use crate::model::scale::shift;
use crate::model::{Blocks, Lanewise, Statistic, Sums, joined, more_than};
use crate::run::{Entry, Shape};
use crate::spec::{Kind, Literal, Parameter};
use crate::values::Number;

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
    fn push(&self, sums: &mut [f64; 5], row: [f64; 2], anchor: [f64; 2]) {
        self.add(sums, row, anchor);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 5], row: [f64; 2], anchor: [f64; 2]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 5], later: &[f64; 5]) -> [f64; 5] {
        joined(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 5], count: usize, anchor: [f64; 2]) -> Option<f64> {
        self.answer_one(*sums, count, anchor).map(|[answer]| answer)
    }

    fn answer_blocks(&self, blocks: Blocks<[f64; 2]>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl Sums<2, 5, 1> for Correlation {
    #[inline(always)]
    fn terms<N: Number>(&self, [dx, dy]: [N; 2]) -> [N; 5] {
        [dx, dy, dx * dx, dy * dy, dx * dy]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, [sx, sy, sxx, syy, sxy]: [N; 5], n: N, _anchor: [N; 2]) -> ([N; 1], N::Flag) {
        let vx = n * sxx - sx * sx;
        let vy = n * syy - sy * sy;
        let corr = (n * sxy - sx * sy) / (vx * vy).sqrt();
        // Undefined for one row or a constant column; NaN passes.
        let constant = vx.at_most(0.0) | vy.at_most(0.0);
        ([corr.no_more_than(1.0).no_less_than(-1.0)], !constant & more_than(n, 1))
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
