//! The correlation of two columns with a weight per row, from sums of differences to the anchor (see `variance.rs`).

use crate::drive::rolling_lanes;
use crate::model::scale::shift;
use crate::model::{Blocks, Lanewise, Statistic, Sums, joined, more_than};
use crate::run::{Entry, Plan, Shape};
use crate::spec::{Kind, Literal, Parameter};
use crate::values::Number;

/// Pearson's correlation coefficient of weighted rows.
#[derive(Debug, Clone)]
pub struct WeightedCorrelation;

impl Statistic for WeightedCorrelation {
    /// x, y and the weight.
    type Input = [f64; 3];
    type Output = f64;
    /// Sums of w, w dx, w dy, w dx dx, w dy dy, w dx dy, where d is the difference to the anchor.
    type State = [f64; 6];

    const ANCHORED: bool = true;

    #[inline(always)]
    fn can_anchor([_, _, weight]: [f64; 3]) -> bool {
        weight != 0.0
    }

    const DEGREE: u32 = 4;

    fn rescale(&self, sums: &mut [f64; 6], exponents: &[i32]) {
        let [x, y, w] = [exponents[0], exponents[1], exponents[2]];
        shift(sums, [w, w + x, w + y, w + 2 * x, w + 2 * y, w + x + y]);
    }

    fn empty(&self) -> [f64; 6] {
        [0.0; 6]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 6], [x, y, w]: [f64; 3], anchor: [f64; 3]) {
        // A row of weight 0 adds nothing, whatever the anchor, except for a NaN or an infinity.
        self.add(sums, [x, y, w], if w == 0.0 { [x, y, w] } else { anchor });
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 6], row: [f64; 3], anchor: [f64; 3]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 6], later: &[f64; 6]) -> [f64; 6] {
        joined(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 6], count: usize, anchor: [f64; 3]) -> Option<f64> {
        self.answer_one(*sums, count, anchor).map(|[answer]| answer)
    }

    fn answer_blocks(&self, blocks: Blocks<[f64; 3]>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl Sums<3, 6, 1> for WeightedCorrelation {
    /// Weights are not relative.
    #[inline(always)]
    fn relative<N: Number>([x, y, w]: [N; 3], anchor: [N; 3]) -> [N; 3] {
        [x - anchor[0], y - anchor[1], w]
    }

    #[inline(always)]
    fn terms<N: Number>(&self, [dx, dy, w]: [N; 3]) -> [N; 6] {
        [w, w * dx, w * dy, w * dx * dx, w * dy * dy, w * dx * dy]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, [w, x, y, xx, yy, xy]: [N; 6], count: N, _anchor: [N; 3]) -> ([N; 1], N::Flag) {
        let (vx, vy) = (w * xx - x * x, w * yy - y * y);
        let corr = (w * xy - x * y) / (vx.sqrt() * vy.sqrt());
        // One row, a constant column and weights of 0 have no correlation. NaN passes through.
        let constant = vx.at_most(0.0) | vy.at_most(0.0);
        ([corr.no_more_than(1.0).no_less_than(-1.0)], !constant & more_than(count, 1))
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The first column.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The second column.");

const WEIGHTS: Parameter = Parameter::required("weights", Kind::Column, "The weight of each row.");

const NOTES: &str = "From -1 to 1. A row counts if both columns and the weight are valid. Null if a column is constant among the rows \
    of a weight other than 0, and for a single row. Negative weights are allowed but not recommended: variances that are then negative \
    give null. A window with a NaN or an infinity gives NaN, and no other window does. Computed from differences to a row of the same \
    window, so a huge mean costs nothing.";

pub(crate) const WEIGHTED_CORR: Entry = Entry {
    names: &["rolling_weighted_corr", "expanding_weighted_corr"],
    shape: Shape::Windowed,
    summary: "Correlation of two columns {in a moving window|over all rows so far}, with a weight per row.",
    formula: "r[i] = cov(x, y) / sqrt(var(x) * var(y)), all weighted, over the rows {in the window of|up to} row i",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; \
             {van Herk (1992), Gil and Werman (1993) for the windows|sums by blocks of 1,024 rows}.",
    parameters: &[X, Y, WEIGHTS],
    example: &[
        ("x", Literal::Text("x")),
        ("y", Literal::Text("z")),
        ("weights", Literal::Text("z")),
        ("window", Literal::Count(4)),
        ("min_samples", Literal::Count(2)),
    ],
    plan: |arguments| Plan::statistic(arguments, &["x", "y", "weights"], WeightedCorrelation),
    #[cfg(test)]
    reference: reference::weighted_corr,
};

/// Two passes over each window.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, constant, largest, spread, triples, windowed};

    pub fn weighted_corr(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        windowed(spec, table, &triples(spec, table, ["x", "y", "weights"]), weighted)
    }

    fn columns(window: &[[f64; 3]]) -> [Vec<f64>; 3] {
        [0, 1, 2].map(|k| window.iter().map(|row| row[k]).collect())
    }

    /// `window` holds x, y and the weight.
    fn weighted(window: &[[f64; 3]]) -> Slow {
        let [x, y, w] = columns(window);
        let whole: f64 = w.iter().sum();
        let heavy: Vec<[f64; 3]> = window.iter().copied().filter(|[_, _, w]| *w != 0.0).collect();
        let [hx, hy, _] = columns(&heavy);
        if window.len() < 2 || constant(&x) || constant(&y) || heavy.is_empty() {
            let wild = w.iter().any(|w| !w.is_finite());
            return Slow { answer: None, error: if wild { f64::INFINITY } else { 0.0 } };
        }
        let about = |values: &[f64]| values.iter().zip(&w).map(|(x, w)| x * w).sum::<f64>() / whole;
        let (mx, my) = (about(&x), about(&y));
        let product = |a: &[f64], ma: f64, b: &[f64], mb: f64| -> f64 {
            (0..window.len()).map(|i| w[i] * (a[i] - ma) * (b[i] - mb)).sum()
        };
        let (vx, vy, cov) = (product(&x, mx, &x, mx), product(&y, my, &y, my), product(&x, mx, &y, my));
        let n = window.len() as f64;
        let light = w.iter().any(|w| *w < 0.0) || constant(&hx) || constant(&hy) || !(1e-100..1e100).contains(&whole);
        let scale = |values: &[f64], v: f64| {
            let reach = spread(values);
            EPS * n * n * (reach * reach + largest(values) * reach) * whole / v
        };
        let error = 16.0 * (scale(&x, vx) + scale(&y, vy)) + 16.0 * n * EPS;
        let sound = !light && error < 0.1 && (1e-100..1e100).contains(&vx) && (1e-100..1e100).contains(&vy);
        bounded((cov / (vx.sqrt() * vy.sqrt())).clamp(-1.0, 1.0), if sound { error } else { f64::INFINITY })
    }
}
