//! Statistics with a weight per row: sum, mean (of prices weighted by volumes, the volume-weighted average price), variance
//! and standard deviation.

use crate::drive::rolling_lanes;
use crate::model::scale::{shift, times_power};
use crate::model::{Blocks, Lanewise, Statistic, Sums, always, joined};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Example, Plan, Shape};
use crate::spec::{Kind, Literal, Parameter};
use crate::values::Number;

const SUM: u8 = 0;
const MEAN: u8 = 1;
const VAR: u8 = 2;
const STD: u8 = 3;

/// The weighted sum (0), mean (1), variance (2) or standard deviation (3).
#[derive(Debug, Clone)]
pub struct Weighted<const KIND: u8>;

impl<const KIND: u8> Statistic for Weighted<KIND> {
    /// The value, then its weight.
    type Input = [f64; 2];
    type Output = f64;
    /// Sums of w, w d and w d d, where d is the difference of the value to the anchor; for the sum, d is the value.
    type State = [f64; 3];

    const ANCHORED: bool = KIND != SUM;

    #[inline(always)]
    fn can_anchor([_, weight]: [f64; 2]) -> bool {
        weight != 0.0
    }

    const DEGREE: u32 = if KIND == SUM { 0 } else { 3 };

    fn unscale(&self, answer: f64, exponents: &[i32]) -> f64 {
        times_power(answer, if KIND == VAR { 2 * exponents[0] } else { exponents[0] })
    }

    fn rescale(&self, sums: &mut [f64; 3], exponents: &[i32]) {
        let [x, weight] = [exponents[0], exponents[1]];
        shift(sums, [weight, weight + x, weight + 2 * x]);
    }

    fn empty(&self) -> [f64; 3] {
        [0.0; 3]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 3], [x, weight]: [f64; 2], anchor: [f64; 2]) {
        // A row of weight 0 adds nothing, whatever the anchor, except for a NaN or an infinity.
        let from = if weight == 0.0 { x } else { anchor[0] };
        self.add(sums, [x, weight], [from, weight]);
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

    fn finish_empty(&self) -> Option<f64> {
        (KIND == SUM).then_some(0.0)
    }

    fn answer_blocks(&self, blocks: Blocks<[f64; 2]>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl<const KIND: u8> Sums<2, 3, 1> for Weighted<KIND> {
    /// Weights are not relative.
    #[inline(always)]
    fn relative<N: Number>([x, weight]: [N; 2], anchor: [N; 2]) -> [N; 2] {
        [if KIND == SUM { x } else { x - anchor[0] }, weight]
    }

    #[inline(always)]
    fn terms<N: Number>(&self, [d, weight]: [N; 2]) -> [N; 3] {
        let weighted = weight * d;
        [weight, weighted, if KIND == VAR || KIND == STD { weighted * d } else { d.like(0.0) }]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, [weight, first, second]: [N; 3], _count: N, anchor: [N; 2]) -> ([N; 1], N::Flag) {
        let mean = first / weight;
        // Rounding may leave a negative trace; NaN must stay.
        let variance = (second / weight - mean * mean).no_less_than(0.0);
        let defined = !(weight.at_most(0.0) & !weight.below(0.0));
        match KIND {
            SUM => ([first], always(first)),
            MEAN => ([anchor[0] + mean], defined),
            VAR => ([variance], defined),
            _ => ([variance.sqrt()], defined),
        }
    }
}

const WEIGHTS: Parameter = Parameter::required("weights", Kind::Column, "The weight of each row.");

const EXAMPLE: Example = &[
    ("column", Literal::Text("x")),
    ("weights", Literal::Text("z")),
    ("window", Literal::Count(3)),
    ("min_samples", Literal::Count(2)),
];

const NOTES: &str = "A row counts if value and weight are valid. Weights need not add up to 1. If they add up to 0, mean, variance and \
    standard deviation are null. A row of weight 0 counts for `min_samples` and adds nothing. Negative weights are allowed but not \
    recommended: the variance is then cut off at 0. A window with a NaN or an infinity follows IEEE, and no other window does. Mean and \
    variance are computed from differences to a value of the same window, so a huge mean costs nothing.";

const SOURCE: &str = "Chan, Golub, LeVeque (1983), shifted data; \
    {van Herk (1992), Gil and Werman (1993) for the windows|sums by blocks of 1,024 rows}.";

pub(crate) const WEIGHTED_SUM: Entry = Entry {
    names: &["rolling_weighted_sum", "expanding_weighted_sum"],
    shape: Shape::Windowed,
    summary: "Weighted sum of {the values in a moving window|all values so far}.",
    formula: "y[i] = sum(w * x) over the valid rows {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: &[COLUMN, WEIGHTS],
    example: EXAMPLE,
    plan: |arguments| Plan::statistic(arguments, &["column", "weights"], Weighted::<SUM>),
    #[cfg(test)]
    reference: reference::sum,
};

pub(crate) const WEIGHTED_MEAN: Entry = Entry {
    names: &["rolling_weighted_mean", "expanding_weighted_mean"],
    shape: Shape::Windowed,
    summary: "Weighted mean of {the values in a moving window|all values so far}.",
    formula: "y[i] = sum(w * x) / sum(w) over the valid rows {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: &[COLUMN, WEIGHTS],
    example: EXAMPLE,
    plan: |arguments| Plan::statistic(arguments, &["column", "weights"], Weighted::<MEAN>),
    #[cfg(test)]
    reference: reference::mean,
};

pub(crate) const WEIGHTED_VAR: Entry = Entry {
    names: &["rolling_weighted_var", "expanding_weighted_var"],
    shape: Shape::Windowed,
    summary: "Weighted variance of {the values in a moving window|all values so far}.",
    formula: "y[i] = sum(w * (x - m)^2) / sum(w), m the weighted mean, over the valid rows {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: &[COLUMN, WEIGHTS],
    example: EXAMPLE,
    plan: |arguments| Plan::statistic(arguments, &["column", "weights"], Weighted::<VAR>),
    #[cfg(test)]
    reference: reference::var,
};

pub(crate) const WEIGHTED_STD: Entry = Entry {
    names: &["rolling_weighted_std", "expanding_weighted_std"],
    shape: Shape::Windowed,
    summary: "Weighted standard deviation of {the values in a moving window|all values so far}.",
    formula: "y[i] = sqrt(sum(w * (x - m)^2) / sum(w)), m the weighted mean, over the valid rows {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: &[COLUMN, WEIGHTS],
    example: EXAMPLE,
    plan: |arguments| Plan::statistic(arguments, &["column", "weights"], Weighted::<STD>),
    #[cfg(test)]
    reference: reference::std,
};

/// Two passes over each window.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, exact, largest, of_pairs, root, spread};

    pub fn sum(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, table, ("column", "weights"), |window| weighted(window, "sum"))
    }

    pub fn mean(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, table, ("column", "weights"), |window| weighted(window, "mean"))
    }

    pub fn var(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, table, ("column", "weights"), |window| weighted(window, "var"))
    }

    pub fn std(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, table, ("column", "weights"), |window| weighted(window, "std"))
    }

    /// `window` holds (value, weight).
    fn weighted(window: &[(f64, f64)], kind: &str) -> Slow {
        let (xs, ws): (Vec<f64>, Vec<f64>) = window.iter().copied().unzip();
        let n = window.len() as f64;
        let products: Vec<f64> = window.iter().map(|(x, w)| x * w).collect();
        let total = crate::reference::sum(&products);
        if kind == "sum" {
            return bounded(total.answer.unwrap_or(0.0), total.error);
        }
        if ws.iter().all(|w| *w == 0.0) {
            return exact(None);
        }
        let (weight, size): (f64, f64) = (ws.iter().sum(), ws.iter().map(|w| w.abs()).sum());
        let unbalanced = size / weight.abs();
        let mean = total.answer.unwrap_or(0.0) / weight;
        let lost =
            !(0.0..1e3).contains(&unbalanced) || !(1e-140..1e140).contains(&weight.abs()) || largest(&xs) > 1e140;
        let error = 16.0 * n * EPS * largest(&xs) * unbalanced * unbalanced;
        let error = if lost { f64::INFINITY } else { error };
        if kind == "mean" {
            return bounded(mean, error);
        }
        let squares: f64 = window.iter().map(|(x, w)| w * (x - mean) * (x - mean)).sum();
        let reach = spread(&xs) + error;
        let error = 64.0 * n * EPS * reach * reach * unbalanced * unbalanced + 4.0 * reach * error * unbalanced;
        let variance = squares / weight;
        let slow = bounded(if variance < 0.0 { 0.0 } else { variance }, error);
        if kind == "var" { slow } else { root(slow) }
    }
}
