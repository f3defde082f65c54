//! Higher moments of two columns: how x moves with the square and the cube of y, from sums of differences to the anchor
//! (see `variance.rs`).

use super::relative::plan_of_differences;
use crate::drive::rolling_lanes;
use crate::model::scale::shift;
use crate::model::{Blocks, Lanewise, Statistic, Sums, joined, more_than};
use crate::run::{Entry, Example, Shape};
use crate::spec::{Kind, Literal, Parameter};
use crate::values::Number;

const SKEW: u8 = 0;
const KURT: u8 = 1;

/// The co-skewness (0) or the co-kurtosis (1) of x with y.
#[derive(Debug, Clone)]
pub struct Comoment<const KIND: u8>;

impl<const KIND: u8> Statistic for Comoment<KIND> {
    /// x, then y.
    type Input = [f64; 2];
    type Output = f64;
    /// Sums of dx, dy, dx dx, dx dy, dy dy, dx dy dy, dy dy dy, dx dy dy dy, where d is the difference to the anchor.
    type State = [f64; 8];

    const ANCHORED: bool = true;

    const DEGREE: u32 = 4;

    fn rescale(&self, sums: &mut [f64; 8], exponents: &[i32]) {
        let [x, y] = [exponents[0], exponents[1]];
        shift(sums, [x, y, 2 * x, x + y, 2 * y, x + 2 * y, 3 * y, x + 3 * y]);
    }

    fn empty(&self) -> [f64; 8] {
        [0.0; 8]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 8], row: [f64; 2], anchor: [f64; 2]) {
        self.add(sums, row, anchor);
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 8], row: [f64; 2], anchor: [f64; 2]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 8], later: &[f64; 8]) -> [f64; 8] {
        joined(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 8], count: usize, anchor: [f64; 2]) -> Option<f64> {
        self.answer_one(*sums, count, anchor).map(|[answer]| answer)
    }

    fn answer_blocks(&self, blocks: Blocks<[f64; 2]>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl<const KIND: u8> Sums<2, 8, 1> for Comoment<KIND> {
    #[inline(always)]
    fn terms<N: Number>(&self, [dx, dy]: [N; 2]) -> [N; 8] {
        let (dxy, dyy) = (dx * dy, dy * dy);
        let none = dx.like(0.0);
        let [yyy, xyyy] = if KIND == KURT { [dyy * dy, dxy * dyy] } else { [none; 2] };
        [dx, dy, dx * dx, dxy, dyy, dx * dyy, yyy, xyyy]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, sums: [N; 8], n: N, _anchor: [N; 2]) -> ([N; 1], N::Flag) {
        let mut means = sums;
        for mean in &mut means {
            *mean = *mean / n;
        }
        let [mx, my, xx, xy, yy, xyy, yyy, xyyy] = means;
        let (vx, vy) = (xx - mx * mx, yy - my * my);
        let answer = if KIND == SKEW {
            let together = xyy - my * 2.0 * xy - mx * yy + mx * 2.0 * my * my;
            together / (vx.sqrt() * vy)
        } else {
            let together =
                xyyy - my * 3.0 * xyy + my * 3.0 * my * xy - mx * yyy + mx * 3.0 * my * yy - mx * 3.0 * my * my * my;
            together / (vx.sqrt() * (vy * vy.sqrt()))
        };
        // A constant column has no co-moment. NaN passes through.
        let constant = vx.at_most(0.0) | vy.at_most(0.0);
        ([answer], !constant & more_than(n, 1))
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The column that enters by itself.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The column that enters by its square or cube.");

const EXAMPLE: Example = &[
    ("x", Literal::Text("x")),
    ("y", Literal::Text("z")),
    ("window", Literal::Count(4)),
    ("min_samples", Literal::Count(3)),
];

const NOTES: &str = "Of the population (no correction for the sample size). With x = y it is the skewness or the kurtosis (3 for \
    normal data). A row counts if both columns are valid. Null if one of them is constant, and for a single row. A window with a NaN \
    or an infinity gives NaN, and no other window does. Computed from differences to a row of the same window, so a huge mean costs \
    nothing. An outlier of k standard deviations in the window costs about log10(k^3) of the 16 digits, for the kurtosis log10(k^4).";

const SOURCE: &str = "Christie-David, Chaudhry (2001); Chan, Golub, LeVeque (1983), shifted data.";

pub(crate) const COSKEW: Entry = Entry {
    names: &["rolling_coskew", "expanding_coskew"],
    shape: Shape::Windowed,
    summary: "Co-skewness of x with y {in a moving window|over all rows so far}: how x moves with the square of y.",
    formula: "s[i] = E[(x - mx) * (y - my)^2] / (sx * sy^2) over the valid rows {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: &[X, Y],
    example: EXAMPLE,
    plan: |arguments| plan_of_differences(arguments, &["x", "y"], Comoment::<SKEW>),
    #[cfg(test)]
    reference: reference::coskew,
};

pub(crate) const COKURT: Entry = Entry {
    names: &["rolling_cokurt", "expanding_cokurt"],
    shape: Shape::Windowed,
    summary: "Co-kurtosis of x with y {in a moving window|over all rows so far}: how x moves with the cube of y.",
    formula: "k[i] = E[(x - mx) * (y - my)^3] / (sx * sy^3) over the valid rows {in the window of|up to} row i",
    notes: NOTES,
    source: SOURCE,
    parameters: &[X, Y],
    example: EXAMPLE,
    plan: |arguments| plan_of_differences(arguments, &["x", "y"], Comoment::<KURT>),
    #[cfg(test)]
    reference: reference::cokurt,
};

/// Two passes over each window.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, constant, exact, largest, noise, of_pairs, spread, variance};

    pub fn coskew(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, &table.exact(), ("x", "y"), |window| comoment(window, 2))
    }

    pub fn cokurt(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, &table.exact(), ("x", "y"), |window| comoment(window, 3))
    }

    /// Co-skewness (power 2) or co-kurtosis (power 3); `window` holds (x, y).
    fn comoment(window: &[(f64, f64)], power: i32) -> Slow {
        let (xs, ys): (Vec<f64>, Vec<f64>) = window.iter().copied().unzip();
        if window.len() < 2 || constant(&xs) || constant(&ys) {
            return exact(None);
        }
        let n = window.len() as f64;
        let (mx, my) = (xs.iter().sum::<f64>() / n, ys.iter().sum::<f64>() / n);
        let deviation = |values: &[f64]| variance(values, 0.0).answer.unwrap_or(f64::NAN).sqrt();
        let (sx, sy) = (deviation(&xs), deviation(&ys));
        let answer = window.iter().map(|(x, y)| (x - mx) / sx * ((y - my) / sy).powi(power)).sum::<f64>() / n;
        let noise = noise(&xs) + noise(&ys);
        let reach = (spread(&xs) / sx) * (spread(&ys) / sy).powi(power);
        let shift = EPS * n * (largest(&xs) / sx + largest(&ys) / sy);
        let sound = noise < 1e-4 && shift < 1e-4 && (1e-45..1e45).contains(&sx) && (1e-45..1e45).contains(&sy);
        bounded(answer, if sound { 64.0 * n * reach * (EPS * n + noise + shift) } else { f64::INFINITY })
    }
}
