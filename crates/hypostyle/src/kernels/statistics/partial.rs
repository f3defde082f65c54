//! The correlation of two columns after the influence of a third one is removed.

use super::relative::plan_of_differences;
use crate::drive::rolling_lanes;
use crate::model::scale::shift;
use crate::model::{Blocks, Lanewise, Statistic, Sums, joined, more_than};
use crate::run::{Entry, Shape};
use crate::spec::{Kind, Literal, Parameter};
use crate::values::Number;

/// The partial correlation coefficient of x and y given z.
#[derive(Debug, Clone)]
pub struct PartialCorrelation;

/// The part of a column's variance that z does not explain must be more than this.
const LEAST_LEFT: f64 = 1e-10;

impl Statistic for PartialCorrelation {
    /// x, y and z.
    type Input = [f64; 3];
    type Output = f64;
    /// Sums of dx, dy, dz, dx dx, dy dy, dz dz, dx dy, dx dz, dy dz, where d is the difference to the anchor.
    type State = [f64; 9];

    const ANCHORED: bool = true;

    const DEGREE: u32 = 2;

    fn rescale(&self, sums: &mut [f64; 9], exponents: &[i32]) {
        let [x, y, z] = [exponents[0], exponents[1], exponents[2]];
        shift(sums, [x, y, z, 2 * x, 2 * y, 2 * z, x + y, x + z, y + z]);
    }

    fn empty(&self) -> [f64; 9] {
        [0.0; 9]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 9], row: [f64; 3], anchor: [f64; 3]) {
        self.add(sums, row, anchor);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 9], row: [f64; 3], anchor: [f64; 3]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 9], later: &[f64; 9]) -> [f64; 9] {
        joined(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 9], count: usize, anchor: [f64; 3]) -> Option<f64> {
        self.answer_one(*sums, count, anchor).map(|[answer]| answer)
    }

    fn answer_blocks(&self, blocks: Blocks<[f64; 3]>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl Sums<3, 9, 1> for PartialCorrelation {
    #[inline(always)]
    fn terms<N: Number>(&self, [x, y, z]: [N; 3]) -> [N; 9] {
        [x, y, z, x * x, y * y, z * z, x * y, x * z, y * z]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, sums: [N; 9], n: N, _anchor: [N; 3]) -> ([N; 1], N::Flag) {
        let [x, y, z, xx, yy, zz, xy, xz, yz] = sums;
        let (vx, vy, vz) = (n * xx - x * x, n * yy - y * y, n * zz - z * z);
        let (cxy, cxz, cyz) = (n * xy - x * y, n * xz - x * z, n * yz - y * z);
        // Correlations first, as products of variances leave the range of numbers early.
        let (sx, sy, sz) = (vx.sqrt(), vy.sqrt(), vz.sqrt());
        let (rxy, rxz, ryz) = (cxy / sx / sy, cxz / sx / sz, cyz / sy / sz);
        let one = n.like(1.0);
        let (left_x, left_y) = (one - rxz * rxz, one - ryz * ryz);
        let corr = (rxy - rxz * ryz) / (left_x.sqrt() * left_y.sqrt());
        let constant = vx.at_most(0.0) | vy.at_most(0.0) | vz.at_most(0.0);
        let explained = left_x.at_most(LEAST_LEFT) | left_y.at_most(LEAST_LEFT);
        ([corr.no_more_than(1.0).no_less_than(-1.0)], !constant & !explained & more_than(n, 2))
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The first column.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The second column.");

const COVAR: Parameter =
    Parameter::required("covar", Kind::Column, "The covariate: the column whose influence is removed.");

const NOTES: &str = "From -1 to 1. A row counts if all three columns are valid. Null if one of them is constant, if `covar` explains \
    x or y except for at most 1e-10 of its variance, and for fewer than three rows. A window with a NaN or an infinity gives NaN, and \
    no other window does. Computed from differences to a row of the same window, so a huge mean costs nothing.";

pub(crate) const PARTIAL_CORR: Entry = Entry {
    names: &["rolling_partial_corr", "expanding_partial_corr"],
    shape: Shape::Windowed,
    summary: "Correlation of x and y {in a moving window|over all rows so far}, given a third column.",
    formula: "r[i] = (rxy - rxz * ryz) / sqrt((1 - rxz^2) * (1 - ryz^2)) over the {window of row i|rows up to row i}, z the \
              covariate",
    notes: NOTES,
    source: "Fisher (1924); Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[X, Y, COVAR],
    example: &[
        ("x", Literal::Text("x")),
        ("y", Literal::Text("z")),
        ("covar", Literal::Text("y")),
        ("window", Literal::Count(5)),
        ("min_samples", Literal::Count(3)),
    ],
    plan: |arguments| plan_of_differences(arguments, &["x", "y", "covar"], PartialCorrelation),
    #[cfg(test)]
    reference: reference::partial_corr,
};

/// From the three correlations, each by its definition.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, bounded, constant, corr, exact, triples, windowed};

    pub fn partial_corr(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        windowed(spec, table, &triples(spec, &table.exact(), ["x", "y", "covar"]), partial)
    }

    /// `window` holds x, y and the covariate.
    fn partial(window: &[[f64; 3]]) -> Slow {
        let [x, y, z] = [0, 1, 2].map(|k| window.iter().map(|row| row[k]).collect::<Vec<f64>>());
        if window.len() < 3 || constant(&x) || constant(&y) || constant(&z) {
            return exact(None);
        }
        let pairs = |a: &[f64], b: &[f64]| -> Vec<(f64, f64)> { a.iter().copied().zip(b.iter().copied()).collect() };
        let (rxy, rxz, ryz) = (corr(&pairs(&x, &y)), corr(&pairs(&x, &z)), corr(&pairs(&y, &z)));
        let error = rxy.error + rxz.error + ryz.error;
        let (Some(xy), Some(xz), Some(yz)) = (rxy.answer, rxz.answer, ryz.answer) else {
            return Slow { answer: None, error: f64::INFINITY };
        };
        let left = (1.0 - xz * xz).min(1.0 - yz * yz);
        let answer = (xy - xz * yz) / ((1.0 - xz * xz).sqrt() * (1.0 - yz * yz).sqrt());
        let sound = left > 1e-6 && error < 1e-3 * left;
        bounded(answer.clamp(-1.0, 1.0), if sound { 16.0 * error / left / left } else { f64::INFINITY })
    }
}
