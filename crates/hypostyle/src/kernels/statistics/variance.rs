//! Variance, standard deviation and standard error of the mean, from sums of differences to the anchor.
//!
//! The anchor is a value of the same window, so its distance to the mean is at most sqrt(w) standard deviations.
//! Cancellation in `s2 - s1 * s1 / w` costs at most a factor of w + 1, and next to nothing for data without outliers.
//! A constant window gives exactly 0.

use super::relative::plan_of_differences;
use crate::drive::rolling_lanes;
use crate::model::scale::{shift, times_power};
use crate::model::{Blocks, Lanewise, Statistic, Sums, as_f64, joined, more_than};
use crate::run::parameters::{COLUMN, DDOF};
use crate::run::{Entry, Example, Shape};
use crate::spec::{Literal, Parameter};
use crate::values::Number;

/// The results that the sums of squares give.
pub(crate) const VARIANCE: u8 = 0;
const DEVIATION: u8 = 1;
const ERROR: u8 = 2;

/// The variance of the values (0), its square root (1), or the standard error of their mean (2).
#[derive(Debug, Clone)]
pub struct Variance<const KIND: u8> {
    /// The divisor is the count minus this.
    pub ddof: usize,
}

impl<const KIND: u8> Statistic for Variance<KIND> {
    type Input = f64;
    type Output = f64;
    /// Sum of the differences to the anchor, and of their squares.
    type State = [f64; 2];

    const ANCHORED: bool = true;

    const DEGREE: u32 = 2;

    fn unscale(&self, answer: f64, exponents: &[i32]) -> f64 {
        times_power(answer, if KIND == VARIANCE { 2 * exponents[0] } else { exponents[0] })
    }

    fn rescale(&self, sums: &mut [f64; 2], exponents: &[i32]) {
        shift(sums, [exponents[0], 2 * exponents[0]]);
    }

    fn empty(&self) -> [f64; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 2], x: f64, anchor: f64) {
        self.add(sums, [x], [anchor]);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 2], x: f64, anchor: f64) {
        // Addition commutes, and no sum is -0.
        self.push(sums, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 2], later: &[f64; 2]) -> [f64; 2] {
        joined(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 2], count: usize, anchor: f64) -> Option<f64> {
        self.answer_one(*sums, count, [anchor]).map(|[answer]| answer)
    }

    fn answer_blocks(&self, blocks: Blocks<f64>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl<const KIND: u8> Sums<1, 2, 1> for Variance<KIND> {
    #[inline(always)]
    fn terms<N: Number>(&self, [d]: [N; 1]) -> [N; 2] {
        [d, d * d]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, [s1, s2]: [N; 2], n: N, _anchor: [N; 1]) -> ([N; 1], N::Flag) {
        // Rounding may give a small negative number; NaN must stay.
        let squares = (n * s2 - s1 * s1).no_less_than(0.0);
        let variance = squares / (n * (n - as_f64(self.ddof)));
        let answer = match KIND {
            VARIANCE => variance,
            DEVIATION => variance.sqrt(),
            _ => (variance / n).sqrt(),
        };
        ([answer], more_than(n, self.ddof))
    }
}

const PARAMETERS: &[Parameter] = &[COLUMN, DDOF];

const EXAMPLE: Example = &[("column", Literal::Text("x")), ("window", Literal::Count(2))];

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`; null if there are not more than `ddof` \
    values. A window with a NaN or an infinity gives NaN, and no other window does. Computed from differences to a \
    value of the same window: relative error at most about w * (w + 1) * eps for the worst outlier, a few eps * sqrt(w) for \
    ordinary data, whatever the mean is; exactly 0 for a constant window.";

const SOURCE: &str = "Chan, Golub, LeVeque (1983), shifted data; \
    {van Herk (1992), Gil and Werman (1993) for the windows|sums by blocks of 1,024 rows}.";

pub(crate) const VAR: Entry = Entry {
    names: &["rolling_var", "expanding_var"],
    shape: Shape::Windowed,
    summary: "Variance of {the values in a moving window|all values so far}.",
    formula: "y[i] = sum((x[j] - mean)^2) / (n - ddof) over the n values {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: PARAMETERS,
    example: EXAMPLE,
    plan: |arguments| {
        plan_of_differences(arguments, &["column"], Variance::<VARIANCE> { ddof: arguments.count("ddof")? })
    },
    #[cfg(test)]
    reference: reference::var,
};

pub(crate) const STD: Entry = Entry {
    names: &["rolling_std", "expanding_std"],
    shape: Shape::Windowed,
    summary: "Standard deviation of {the values in a moving window|all values so far}.",
    formula: "y[i] = sqrt(sum((x[j] - mean)^2) / (n - ddof)) over the n values {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: PARAMETERS,
    example: EXAMPLE,
    plan: |arguments| {
        plan_of_differences(arguments, &["column"], Variance::<DEVIATION> { ddof: arguments.count("ddof")? })
    },
    #[cfg(test)]
    reference: reference::std,
};

pub(crate) const SEM: Entry = Entry {
    names: &["rolling_sem", "expanding_sem"],
    shape: Shape::Windowed,
    summary: "Standard error of the mean of {the values in a moving window|all values so far}.",
    formula: "y[i] = sqrt(sum((x[j] - mean)^2) / (n - ddof) / n) over the n values {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: PARAMETERS,
    example: EXAMPLE,
    plan: |arguments| plan_of_differences(arguments, &["column"], Variance::<ERROR> { ddof: arguments.count("ddof")? }),
    #[cfg(test)]
    reference: reference::sem,
};

/// Two passes over each window.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, ddof, of_column, root, variance};

    pub fn var(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, &table.exact(), |window| variance(window, ddof(spec)))
    }

    pub fn std(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, &table.exact(), |window| root(variance(window, ddof(spec))))
    }

    pub fn sem(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, &table.exact(), |window| {
            let n = window.len() as f64;
            let Slow { answer, error } = variance(window, ddof(spec));
            root(Slow { answer: answer.map(|v| v / n), error: error / n + answer.unwrap_or(0.0) / n * 2.0 * EPS })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate;

    #[test]
    fn a_huge_mean_costs_nothing() {
        let shifted: Vec<f64> = [1.0, 2.0, 4.0].iter().map(|x| x + 1e15).collect();
        assert_eq!(aggregate(&Variance::<VARIANCE> { ddof: 0 }, &shifted), Some(14.0 / 9.0));
        assert_eq!(aggregate(&Variance::<VARIANCE> { ddof: 1 }, &[0.1, 0.1, 0.1]), Some(0.0));
        assert_eq!(aggregate(&Variance::<DEVIATION> { ddof: 1 }, &[0.1]), None);
    }
}
