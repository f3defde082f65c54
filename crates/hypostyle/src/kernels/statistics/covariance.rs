//! The covariance of two columns, from sums of differences to the anchor (see `variance.rs`).

use super::relative::plan_of_differences;
use crate::drive::rolling_lanes;
use crate::model::scale::{shift, times_power};
use crate::model::{Blocks, Lanewise, Statistic, Sums, as_f64, joined, more_than};
use crate::run::parameters::DDOF;
use crate::run::{Entry, Shape};
use crate::spec::{Kind, Literal, Parameter};
use crate::values::Number;

/// The covariance.
#[derive(Debug, Clone)]
pub struct Covariance {
    /// The divisor is the count minus this.
    pub ddof: usize,
}

impl Statistic for Covariance {
    type Input = [f64; 2];
    type Output = f64;
    /// Sums of dx, dy, dx dy, where d is the difference to the anchor.
    type State = [f64; 3];

    const ANCHORED: bool = true;

    const DEGREE: u32 = 2;

    fn unscale(&self, answer: f64, exponents: &[i32]) -> f64 {
        times_power(answer, exponents[0] + exponents[1])
    }

    fn rescale(&self, sums: &mut [f64; 3], exponents: &[i32]) {
        let [x, y] = [exponents[0], exponents[1]];
        shift(sums, [x, y, x + y]);
    }

    fn empty(&self) -> [f64; 3] {
        [0.0; 3]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 3], row: [f64; 2], anchor: [f64; 2]) {
        self.add(sums, row, anchor);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 3], row: [f64; 2], anchor: [f64; 2]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 3], later: &[f64; 3]) -> [f64; 3] {
        joined(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 3], count: usize, anchor: [f64; 2]) -> Option<f64> {
        self.answer_one(*sums, count, anchor).map(|[answer]| answer)
    }

    fn answer_blocks(&self, blocks: Blocks<[f64; 2]>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl Sums<2, 3, 1> for Covariance {
    #[inline(always)]
    fn terms<N: Number>(&self, [dx, dy]: [N; 2]) -> [N; 3] {
        [dx, dy, dx * dy]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, [sx, sy, sxy]: [N; 3], n: N, _anchor: [N; 2]) -> ([N; 1], N::Flag) {
        // An infinity makes it NaN, whichever row is the anchor.
        let cov = (n * sxy - sx * sy) / (n * (n - as_f64(self.ddof))) + (sx * 0.0 + sy * 0.0);
        ([cov], more_than(n, self.ddof))
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The first column.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The second column.");

const NOTES: &str = "A row counts if both columns are valid; null if there are not more than `ddof` such rows. A window with a NaN \
    or an infinity gives NaN, and no other window does. Computed from differences to a row of the same window, so a huge mean \
    costs nothing: absolute error about w * eps * std(x) * std(y), eps = 1.1e-16.";

pub(crate) const COV: Entry = Entry {
    names: &["rolling_cov", "expanding_cov"],
    shape: Shape::Windowed,
    summary: "Covariance of two columns {in a moving window|over all rows so far}.",
    formula: "y[i] = sum((x[j] - mean(x)) * (y[j] - mean(y))) / (n - ddof) over the n rows {in the window|up to row i} where both \
              are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; {van Herk (1992), Gil and Werman (1993) for the windows|sums by blocks of \
             1,024 rows}.",
    parameters: &[X, Y, DDOF],
    example: &[
        ("x", Literal::Text("x")),
        ("y", Literal::Text("z")),
        ("window", Literal::Count(3)),
        ("min_samples", Literal::Count(2)),
    ],
    plan: |arguments| plan_of_differences(arguments, &["x", "y"], Covariance { ddof: arguments.count("ddof")? }),
    #[cfg(test)]
    reference: reference::cov,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, covariance, ddof, of_pairs};

    pub fn cov(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, &table.exact(), ("x", "y"), |window| covariance(window, ddof(spec)))
    }
}
