//! Skewness and kurtosis, from sums of powers of the differences to the anchor (see `variance.rs`).
//!
//! With d the mean difference to the anchor, the central sums are
//! M2 = s2 - d s1, M3 = s3 - 3 d s2 + 2 d^2 s1, M4 = s4 - 4 d s3 + 6 d^2 s2 - 3 d^3 s1.

use super::relative::plan_of_differences;
use crate::drive::rolling_lanes;
use crate::model::scale::shift;
use crate::model::{Blocks, Lanewise, Statistic, Sums, joined, more_than};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Shape};
use crate::spec::Literal;
use crate::values::Number;

/// The skewness of the values, corrected for bias.
#[derive(Debug, Clone)]
pub struct Skewness;

impl Statistic for Skewness {
    type Input = f64;
    type Output = f64;
    /// Sums of the first three powers of the difference to the anchor.
    type State = [f64; 3];

    const ANCHORED: bool = true;

    const DEGREE: u32 = 3;

    fn rescale(&self, sums: &mut [f64; 3], exponents: &[i32]) {
        shift(sums, [1, 2, 3].map(|power| power * exponents[0]));
    }

    fn empty(&self) -> [f64; 3] {
        [0.0; 3]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 3], x: f64, anchor: f64) {
        self.add(sums, [x], [anchor]);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 3], x: f64, anchor: f64) {
        // Addition commutes, and no sum is -0.
        self.push(sums, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 3], later: &[f64; 3]) -> [f64; 3] {
        joined(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 3], count: usize, anchor: f64) -> Option<f64> {
        self.answer_one(*sums, count, [anchor]).map(|[answer]| answer)
    }

    fn answer_blocks(&self, blocks: Blocks<f64>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl Sums<1, 3, 1> for Skewness {
    #[inline(always)]
    fn terms<N: Number>(&self, [d]: [N; 1]) -> [N; 3] {
        [d, d * d, d * d * d]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, [s1, s2, s3]: [N; 3], n: N, _anchor: [N; 1]) -> ([N; 1], N::Flag) {
        let d = s1 / n;
        let m2 = s2 - d * s1;
        let m3 = s3 - d * (s2 * 3.0 - d * 2.0 * s1);
        let skew = n * (n - 1.0).sqrt() / (n - 2.0) * (m3 / (m2 * m2.sqrt()));
        // Undefined for a constant; NaN passes.
        ([skew], !m2.at_most(0.0) & more_than(n, 2))
    }
}

/// The excess kurtosis of the values, corrected for bias.
#[derive(Debug, Clone)]
pub struct Kurtosis;

impl Statistic for Kurtosis {
    type Input = f64;
    type Output = f64;
    /// Sums of the first four powers of the difference to the anchor.
    type State = [f64; 4];

    const ANCHORED: bool = true;

    const DEGREE: u32 = 4;

    fn rescale(&self, sums: &mut [f64; 4], exponents: &[i32]) {
        shift(sums, [1, 2, 3, 4].map(|power| power * exponents[0]));
    }

    fn empty(&self) -> [f64; 4] {
        [0.0; 4]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 4], x: f64, anchor: f64) {
        self.add(sums, [x], [anchor]);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 4], x: f64, anchor: f64) {
        // Addition commutes, and no sum is -0.
        self.push(sums, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 4], later: &[f64; 4]) -> [f64; 4] {
        joined(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 4], count: usize, anchor: f64) -> Option<f64> {
        self.answer_one(*sums, count, [anchor]).map(|[answer]| answer)
    }

    fn answer_blocks(&self, blocks: Blocks<f64>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl Sums<1, 4, 1> for Kurtosis {
    #[inline(always)]
    fn terms<N: Number>(&self, [d]: [N; 1]) -> [N; 4] {
        let square = d * d;
        [d, square, square * d, square * square]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, [s1, s2, s3, s4]: [N; 4], n: N, _anchor: [N; 1]) -> ([N; 1], N::Flag) {
        let d = s1 / n;
        let m2 = s2 - d * s1;
        let m4 = s4 - d * (s3 * 4.0 - d * (s2 * 6.0 - d * 3.0 * s1));
        let ratio = n * (n + 1.0) * (m4 / (m2 * m2)) - (n - 1.0) * 3.0;
        let kurt = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ratio;
        // Undefined for a constant; NaN passes.
        ([kurt], !m2.at_most(0.0) & more_than(n, 3))
    }
}

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`; null for constant values, and for fewer than three \
    values (skewness) or four (kurtosis). A window with a NaN or an infinity gives NaN, and no other window does. Computed from \
    differences to a value of the same window, so a huge mean costs nothing: absolute error about w * eps for ordinary data, \
    eps = 1.1e-16; an outlier that dominates the spread costs up to a factor of w^1.5 (w^2 for the kurtosis).";

pub(crate) const SKEW: Entry = Entry {
    names: &["rolling_skew", "expanding_skew"],
    shape: Shape::Windowed,
    summary: "Skewness of {the values in a moving window|all values so far}, corrected for bias.",
    formula: "y[i] = n * sqrt(n - 1) / (n - 2) * M3 / M2^1.5, where Mk = sum((x[j] - mean)^k) over the n values {in the window|up \
              to row i}",
    notes: NOTES,
    source: "pandas `Series.{rolling|expanding}().skew()`; Joanes and Gill (1998), G1{; van Herk (1992), Gil and Werman (1993) for \
             the windows|}.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(3))],
    plan: |arguments| plan_of_differences(arguments, &["column"], Skewness),
    #[cfg(test)]
    reference: reference::skew,
};

pub(crate) const KURT: Entry = Entry {
    names: &["rolling_kurt", "expanding_kurt"],
    shape: Shape::Windowed,
    summary: "Excess kurtosis of {the values in a moving window|all values so far}, corrected for bias.",
    formula: "y[i] = (n - 1) / ((n - 2) (n - 3)) * (n (n + 1) M4 / M2^2 - 3 (n - 1)), where Mk = sum((x[j] - mean)^k) over the \
              n values {in the window|up to row i}",
    notes: NOTES,
    source: "pandas `Series.{rolling|expanding}().kurt()`; Joanes and Gill (1998), G2{; van Herk (1992), Gil and Werman (1993) for \
             the windows|}.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(4))],
    plan: |arguments| plan_of_differences(arguments, &["column"], Kurtosis),
    #[cfg(test)]
    reference: reference::kurt,
};

/// Two passes over each window.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, constant, exact, largest, of_column, spread, variance};

    pub fn skew(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, &table.exact(), |window| moment(window, 3))
    }

    pub fn kurt(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, &table.exact(), |window| moment(window, 4))
    }

    /// The third (skewness) or fourth (kurtosis) standardized moment, corrected for bias.
    fn moment(window: &[f64], power: i32) -> Slow {
        let n = window.len() as f64;
        if n < f64::from(power) || constant(window) {
            return exact(None);
        }
        let mean = window.iter().sum::<f64>() / n;
        let central = |power: i32| window.iter().map(|x| (x - mean).powi(power)).sum::<f64>();
        let (m2, raw) = (central(2), central(power));
        let answer = if power == 3 {
            n * (n - 1.0).sqrt() / (n - 2.0) * raw / m2.powf(1.5)
        } else {
            (n - 1.0) / ((n - 2.0) * (n - 3.0)) * (n * (n + 1.0) * raw / (m2 * m2) - 3.0 * (n - 1.0))
        };
        let deviation = (m2 / n).sqrt();
        let shift = EPS * n * largest(window) / deviation;
        let reach = spread(window) / deviation;
        let lost = variance(window, 0.0).error * n / m2 > 1e-3 || !(1e-60..1e60).contains(&deviation) || shift > 1e-3;
        let error = 64.0 * n * n * (EPS * reach.powi(power) + shift * reach.powi(power - 1)) * (1.0 + answer.abs());
        bounded(answer, if lost { f64::INFINITY } else { error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate;

    #[test]
    fn worked_by_hand() {
        // Mean 2, M2 = 14, M3 = 12 - 8 - 1 + 27 = 18 of the differences -2, -1, 0, 3; M4 = 16 + 1 + 81 = 98.
        let values = [0.0, 1.0, 2.0, 5.0];
        let skew = aggregate(&Skewness, &values).unwrap();
        assert!((skew - 4.0 * 3.0f64.sqrt() / 2.0 * 18.0 / 14.0f64.powf(1.5)).abs() < 1e-15, "{skew}");
        let kurt = aggregate(&Kurtosis, &values).unwrap();
        assert!((kurt - 3.0 / 2.0 * (20.0 * 98.0 / 196.0 - 9.0)).abs() < 1e-14, "{kurt}");
        let shifted = values.map(|x| x + 1e15);
        assert_eq!((aggregate(&Skewness, &shifted), aggregate(&Kurtosis, &shifted)), (Some(skew), Some(kurt)));
        assert_eq!((aggregate(&Skewness, &[0.1; 5]), aggregate(&Kurtosis, &[1.0, 2.0, 3.0])), (None, None));
    }
}
