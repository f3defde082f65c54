//! The line through the points (x, y) by least squares: slope, intercept and coefficient of determination.
//!
//! From sums of differences to the anchor (see `variance.rs`). The intercept adds the anchor back at the very end.

use super::relative::plan_of_differences;
use crate::drive::rolling_lanes;
use crate::model::scale::{shift, times_power};
use crate::model::{Blocks, Lanewise, Statistic, Sums, joined, more_than};
use crate::run::{Entry, Example, Plan, Shape};
use crate::spec::{Kind, Literal, Parameter};
use crate::values::Number;

const SLOPE: u8 = 0;
const INTERCEPT: u8 = 1;
const DETERMINATION: u8 = 2;

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

    const DEGREE: u32 = 2;

    fn unscale(&self, answer: f64, exponents: &[i32]) -> f64 {
        match KIND {
            SLOPE => times_power(answer, exponents[0] - exponents[1]),
            INTERCEPT => times_power(answer, exponents[0]),
            _ => answer,
        }
    }

    fn rescale(&self, sums: &mut [f64; 5], exponents: &[i32]) {
        let [y, x] = [exponents[0], exponents[1]];
        shift(sums, [y, x, 2 * x, x + y, 2 * y]);
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

impl<const KIND: u8> Sums<2, 5, 1> for Regression<KIND> {
    #[inline(always)]
    fn terms<N: Number>(&self, [dy, dx]: [N; 2]) -> [N; 5] {
        let squares = if KIND == DETERMINATION { dy * dy } else { dy.like(0.0) };
        [dy, dx, dx * dx, dx * dy, squares]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, [sy, sx, sxx, sxy, syy]: [N; 5], n: N, anchor: [N; 2]) -> ([N; 1], N::Flag) {
        let (vx, cov) = (n * sxx - sx * sx, n * sxy - sx * sy);
        // An infinity makes the line NaN, whichever row is the anchor.
        let beta = cov / vx + (sx * 0.0 + sy * 0.0);
        // A constant x has no slope, a constant y has nothing to explain. NaN passes through.
        let defined = !vx.at_most(0.0) & more_than(n, 1);
        match KIND {
            SLOPE => ([beta], defined),
            INTERCEPT => ([(anchor[0] - beta * anchor[1]) + (sy - beta * sx) / n], defined),
            _ => {
                let vy = n * syy - sy * sy;
                let share = (cov / vx) * (cov / vy);
                ([share.no_more_than(1.0)], defined & !vy.at_most(0.0))
            }
        }
    }
}

const Y: Parameter = Parameter::required("y", Kind::Column, "The dependent variable.");

const X: Parameter = Parameter::required("x", Kind::Column, "The explanatory variable.");

const EXAMPLE: Example = &[
    ("y", Literal::Text("x")),
    ("x", Literal::Text("z")),
    ("window", Literal::Count(4)),
    ("min_samples", Literal::Count(2)),
];

const NOTES: &str = "A row counts if both columns are valid. Null if x is constant, for a single row, and for `r2` if y is constant. \
    A window with a NaN or an infinity gives NaN, and no other window does. Computed from differences to a row of the same window, so a \
    huge mean costs nothing. The intercept of data far from 0 has an error of its own size times eps.";

const SOURCE: &str = "Chan, Golub, LeVeque (1983), shifted data; \
    {van Herk (1992), Gil and Werman (1993) for the windows|sums by blocks of 1,024 rows}.";

pub(crate) const BETA: Entry = Entry {
    names: &["rolling_beta", "expanding_beta"],
    shape: Shape::Windowed,
    summary: "Slope of the least squares line of y against x {in a moving window|over all rows so far}.",
    formula: "b[i] = cov(x, y) / var(x) over the valid rows {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: &[Y, X],
    example: EXAMPLE,
    plan: |arguments| plan_of_differences(arguments, &["y", "x"], Regression::<SLOPE>),
    #[cfg(test)]
    reference: reference::beta,
};

pub(crate) const ALPHA: Entry = Entry {
    names: &["rolling_alpha", "expanding_alpha"],
    shape: Shape::Windowed,
    summary: "Intercept of the least squares line of y against x {in a moving window|over all rows so far}.",
    formula: "a[i] = mean(y) - cov(x, y) / var(x) * mean(x) over the valid rows {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: &[Y, X],
    example: EXAMPLE,
    plan: |arguments| Plan::statistic(arguments, &["y", "x"], Regression::<INTERCEPT>),
    #[cfg(test)]
    reference: reference::alpha,
};

pub(crate) const R2: Entry = Entry {
    names: &["rolling_r2", "expanding_r2"],
    shape: Shape::Windowed,
    summary: "Coefficient of determination of y against x {in a moving window|over all rows so far}.",
    formula: "r2[i] = cov(x, y)^2 / (var(x) * var(y)) over the valid rows {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: &[Y, X],
    example: EXAMPLE,
    plan: |arguments| plan_of_differences(arguments, &["y", "x"], Regression::<DETERMINATION>),
    #[cfg(test)]
    reference: reference::r2,
};

/// From the variance and the covariance of each window, each by its definition.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, line, of_pairs};

    pub fn beta(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, &table.exact(), ("y", "x"), |window| line(window, "beta"))
    }

    pub fn alpha(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, table, ("y", "x"), |window| line(window, "alpha"))
    }

    pub fn r2(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, &table.exact(), ("y", "x"), |window| line(window, "r2"))
    }
}
