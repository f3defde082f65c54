//! The product, computed by blocks like the sum and without division: a zero that has left the window leaves no trace.

use crate::drive::rolling_lanes;
use crate::model::{Blocks, Lanewise, Statistic, always};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Plan, Shape};
use crate::spec::Literal;
use crate::values::Number;

/// The product of the values.
#[derive(Debug, Clone)]
pub struct Product;

impl Statistic for Product {
    type Input = f64;
    type Output = f64;
    type State = f64;

    const TOTAL: bool = true;

    fn empty(&self) -> f64 {
        1.0
    }

    #[inline(always)]
    fn push(&self, product: &mut f64, x: f64, _anchor: f64) {
        *product *= x;
    }

    #[inline(always)]
    fn push_front(&self, product: &mut f64, x: f64, anchor: f64) {
        // Multiplication commutes.
        self.push(product, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &f64, later: &f64) -> f64 {
        earlier * later
    }

    #[inline(always)]
    fn finish(&self, product: &f64, _count: usize, _anchor: f64) -> Option<f64> {
        Some(*product)
    }

    fn finish_empty(&self) -> Option<f64> {
        Some(1.0)
    }

    fn answer_blocks(&self, blocks: Blocks<f64>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl Lanewise<1, 1, 1> for Product {
    #[inline(always)]
    fn none<N: Number>(&self, like: N) -> [N; 1] {
        [like.like(1.0)]
    }

    #[inline(always)]
    fn add<N: Number>(&self, product: &mut [N; 1], row: [N; 1], _anchor: [N; 1]) {
        *product = self.join(*product, row);
    }

    #[inline(always)]
    fn add_front<N: Number>(&self, product: &mut [N; 1], row: [N; 1], anchor: [N; 1]) {
        // Multiplication commutes.
        self.add(product, row, anchor);
    }

    #[inline(always)]
    fn join<N: Number>(&self, earlier: [N; 1], later: [N; 1]) -> [N; 1] {
        [earlier[0] * later[0]]
    }

    #[inline(always)]
    fn answer<N: Number>(&self, product: [N; 1], _count: N, _anchor: [N; 1]) -> ([N; 1], N::Flag) {
        (product, always(product[0]))
    }
}

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`. The product of no values (with `min_samples=0`) is 1. \
    NaN, infinities and overflow follow IEEE 754{ in the windows that hold them and in no other; a zero that has left the window \
    leaves no trace|}. Relative error at most w * eps for w values, eps = 1.1e-16, unless a part of the product over- or \
    underflows.";

pub(crate) const PRODUCT: Entry = Entry {
    names: &["rolling_product", "expanding_product"],
    shape: Shape::Windowed,
    summary: "Product of {the values in a moving window|all values so far}.",
    formula: "y[i] = product of x[j] for j {in the window of row i|<= i}",
    notes: NOTES,
    source: "{van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time|pandas \
             `Series.cumprod()`; by blocks of 1,024 rows}.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("x")), ("window", Literal::Count(2))],
    plan: |arguments| Plan::statistic(arguments, &["column"], Product),
    #[cfg(test)]
    reference: reference::product,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, of_column};

    pub fn product(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| {
            let answer: f64 = window.iter().product();
            // Beyond this a part of the product may over- or underflow.
            let digits: f64 = window.iter().filter(|x| **x != 0.0).map(|x| x.abs().log2().abs()).sum();
            let error = 4.0 * window.len() as f64 * EPS * answer.abs();
            bounded(answer, if digits < 1000.0 { error } else { f64::INFINITY })
        })
    }
}
