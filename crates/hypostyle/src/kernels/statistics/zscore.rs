//! The z-score: how many standard deviations the current row is from the mean of its window.

use super::relative::Relative;
use super::variance::{VARIANCE, Variance};
use crate::drive::rolling_lanes;
use crate::error::Result;
use crate::model::scale::times_power;
use crate::model::{Blocks, ByRow, Lanewise, Statistic, Sums};
use crate::run::parameters::{COLUMN, DDOF};
use crate::run::{Entry, Inputs, Plan, Shape, Then, Window};
use crate::spec::{Arguments, Literal};
use crate::values::{Exact, Number};

/// A value of the window, the mean's difference to it, and the standard deviation.
#[derive(Debug, Clone)]
pub struct ZScore {
    /// The variance.
    pub variance: Variance<VARIANCE>,
}

impl Statistic for ZScore {
    type Input = f64;
    type Output = [f64; 3];
    type State = [f64; 2];

    const ANCHORED: bool = true;

    const DEGREE: u32 = 2;

    fn unscale(&self, answer: [f64; 3], exponents: &[i32]) -> [f64; 3] {
        answer.map(|x| times_power(x, exponents[0]))
    }

    fn rescale(&self, sums: &mut [f64; 2], exponents: &[i32]) {
        self.variance.rescale(sums, exponents);
    }

    fn empty(&self) -> [f64; 2] {
        self.variance.empty()
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 2], x: f64, anchor: f64) {
        self.variance.push(sums, x, anchor);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 2], x: f64, anchor: f64) {
        self.variance.push_front(sums, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 2], later: &[f64; 2]) -> [f64; 2] {
        self.variance.merge(earlier, later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 2], count: usize, anchor: f64) -> Option<[f64; 3]> {
        self.answer_one(*sums, count, [anchor])
    }

    fn answer_blocks(&self, blocks: Blocks<f64>, answers: &mut [[f64; 3]], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl Sums<1, 2, 3> for ZScore {
    #[inline(always)]
    fn terms<N: Number>(&self, row: [N; 1]) -> [N; 2] {
        self.variance.terms(row)
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, sums: [N; 2], n: N, anchor: [N; 1]) -> ([N; 3], N::Flag) {
        let ([variance], defined) = self.variance.of_sums(sums, n, anchor);
        ([anchor[0], sums[0] / n, variance.sqrt()], defined)
    }
}

/// The current row's distance to the mean in standard deviations.
#[derive(Debug, Clone)]
pub struct Score;

impl ByRow for Score {
    type Input = f64;
    type Inner = [f64; 3];
    type Output = f64;

    fn with_row(&self, [anchor, mean, deviation]: [f64; 3], x: f64, valid: bool) -> Option<f64> {
        (valid && deviation != 0.0).then_some(((x - anchor) - mean) / deviation)
    }
}

/// As [`ZScore`], of integers that a float cannot hold; the value of the window is two floats that add up to it.
#[derive(Debug, Clone)]
pub struct ExactZScore(Relative<ZScore>);

impl Statistic for ExactZScore {
    type Input = [Exact; 1];
    type Output = [f64; 4];
    type State = [f64; 2];

    const ANCHORED: bool = true;

    fn empty(&self) -> [f64; 2] {
        self.0.empty()
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 2], x: [Exact; 1], anchor: [Exact; 1]) {
        self.0.push(sums, x, anchor);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 2], x: [Exact; 1], anchor: [Exact; 1]) {
        self.0.push_front(sums, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 2], later: &[f64; 2]) -> [f64; 2] {
        self.0.merge(earlier, later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 2], count: usize, anchor: [Exact; 1]) -> Option<[f64; 4]> {
        let [_, mean, deviation] = self.0.finish(sums, count, anchor)?;
        let [high, low] = anchor[0].parts();
        Some([high, low, mean, deviation])
    }
}

/// As [`Score`].
#[derive(Debug, Clone)]
pub struct ExactScore;

impl ByRow for ExactScore {
    type Input = [Exact; 1];
    type Inner = [f64; 4];
    type Output = f64;

    fn with_row(&self, [high, low, mean, deviation]: [f64; 4], [x]: [Exact; 1], valid: bool) -> Option<f64> {
        let distance = x.minus(Exact::of_parts([high, low])) - mean;
        (valid && deviation != 0.0).then_some(distance / deviation)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?);
    let zscore = ZScore { variance: Variance { ddof: arguments.count("ddof")? } };
    Ok(window.plan(move |window, binding| {
        if inputs.has_long_integer(binding)? {
            let (wiring, zscore) = (inputs.bind_exactly(binding)?, ExactZScore(Relative(zscore.clone())));
            return window.statistic(binding, wiring, zscore, Then(ExactScore));
        }
        window.statistic(binding, inputs.bind::<f64, f64>(binding)?, zscore.clone(), Then(Score))
    }))
}

const NOTES: &str = "A row with a null gives null; nulls in the window are skipped and do not count for `min_samples`. Null if the \
    window is constant or has not more than `ddof` values. {With `closed='left'` the row is compared to the rows before it. |}A \
    window with a NaN or an infinity gives NaN, and no other window does. Computed from differences to a value of the same window, \
    so a huge mean costs nothing.";

pub(crate) const ZSCORE: Entry = Entry {
    names: &["rolling_zscore", "expanding_zscore"],
    shape: Shape::Windowed,
    summary: "Standard score of the current row's value among {the values in a moving window|all values so far}.",
    formula: "y[i] = (x[i] - mean) / std over {the window of|the values up to} row i",
    notes: NOTES,
    source: "scipy.stats.zscore; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[COLUMN, DDOF],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(3))],
    plan,
    #[cfg(test)]
    reference: reference::zscore,
};

/// Two passes over each window.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, by_row, constant, ddof, exact, largest, variance};

    pub fn zscore(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        by_row(spec, &table.exact(), |x, window| score(x, window, ddof(spec)))
    }

    fn score(x: f64, window: &[f64], ddof: f64) -> Slow {
        let Slow { answer: Some(variance), error } = variance(window, ddof) else { return exact(None) };
        if constant(window) {
            return exact(None);
        }
        let (n, deviation) = (window.len() as f64, variance.sqrt());
        let mean = window.iter().sum::<f64>() / n;
        let answer = (x - mean) / deviation;
        let part = error / variance;
        let sound = part < 0.01 && (1e-140..1e140).contains(&variance);
        let error = 4.0 * answer.abs() * part + 8.0 * n * EPS * (largest(window) + x.abs()) / deviation;
        bounded(answer, if sound { error } else { f64::INFINITY })
    }
}
