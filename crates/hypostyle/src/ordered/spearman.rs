//! Spearman's rank correlation.  Each value's rank is kept as twice its average rank, a whole number, so that nothing is
//! rounded before the last step; a row that comes or goes moves the ranks of those above it, in one pass.

use super::OrderedWindow;
use crate::catalogue::{Family, Kernel, Kind, Parameter};
use crate::windowed::{
    BY, CENTER, CLOSED, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding_ordered, pair_spec, rolling_ordered,
};

/// The rank correlation coefficient.
#[derive(Debug, Clone)]
pub struct Spearman;

/// The values of one side, and twice the average rank of each.
#[derive(Debug, Clone, Default)]
struct Side {
    values: Vec<f64>,
    ranks: Vec<i64>,
}

/// The rows of the window in any order.
#[derive(Debug, Clone, Default)]
pub struct Ranked {
    sides: [Side; 2],
    nans: usize,
}

impl Side {
    fn insert(&mut self, x: f64) {
        let mut rank = 2;
        for (value, other) in self.values.iter().zip(&mut self.ranks) {
            let (above, equal) = (i64::from(*value > x), i64::from(*value == x));
            *other += 2 * above + equal;
            rank += 2 - 2 * above - equal;
        }
        self.values.push(x);
        self.ranks.push(rank);
    }

    fn remove(&mut self, at: usize) {
        let x = self.values.swap_remove(at);
        self.ranks.swap_remove(at);
        for (value, other) in self.values.iter().zip(&mut self.ranks) {
            *other -= 2 * i64::from(*value > x) + i64::from(*value == x);
        }
    }
}

/// Sum of products, exactly.
fn dot(a: &[i64], b: &[i64]) -> i128 {
    // Ranks of up to 2^20 rows leave the sum in the range of i64.
    if a.len() < 1 << 20 {
        return i128::from(a.iter().zip(b).map(|(a, b)| a * b).sum::<i64>());
    }
    a.iter().zip(b).map(|(a, b)| i128::from(*a) * i128::from(*b)).sum()
}

impl OrderedWindow for Spearman {
    type Input = [f64; 2];
    type Output = f64;
    type State = Ranked;

    fn empty(&self) -> Ranked {
        Ranked::default()
    }

    fn insert(&self, state: &mut Ranked, row: [f64; 2]) {
        if row[0].is_nan() || row[1].is_nan() {
            state.nans += 1;
        } else {
            state.sides.iter_mut().zip(row).for_each(|(side, x)| side.insert(x));
        }
    }

    fn remove(&self, state: &mut Ranked, row: [f64; 2]) {
        if row[0].is_nan() || row[1].is_nan() {
            state.nans -= 1;
            return;
        }
        let [xs, ys] = &state.sides;
        let at = xs.values.iter().zip(&ys.values).position(|(x, y)| (*x, *y) == (row[0], row[1]));
        if let Some(at) = at {
            state.sides.iter_mut().for_each(|side| side.remove(at));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "the only rounding")]
    fn answer(&self, state: &Ranked, _: Option<[f64; 2]>) -> Option<f64> {
        if state.nans > 0 {
            return Some(f64::NAN);
        }
        let [x, y] = &state.sides;
        let n = i128::try_from(x.values.len()).unwrap_or(0);
        // Twice the average ranks of n rows add up to n (n + 1).
        let mean = n * (n + 1) * (n + 1);
        let (xx, yy) = (dot(&x.ranks, &x.ranks) - mean, dot(&y.ranks, &y.ranks) - mean);
        let xy = dot(&x.ranks, &y.ranks) - mean;
        if xx == yy && xx != 0 {
            return Some(xy as f64 / xx as f64);
        }
        let corr = xy as f64 / ((xx as f64).sqrt() * (yy as f64).sqrt());
        (xx > 0 && yy > 0).then(|| corr.clamp(-1.0, 1.0))
    }

    fn heap_bytes(&self, state: &Ranked) -> usize {
        let bytes = |side: &Side| side.values.capacity() * size_of::<f64>() + side.ranks.capacity() * size_of::<i64>();
        state.sides.iter().map(bytes).sum()
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The first column.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The second column.");

const NOTES: &str = "From -1 to 1; equal values have the mean of their ranks. A row counts where both columns are valid; null where a column \
    is constant, and for a single row. A window with a NaN gives NaN; infinities are values. A row costs a pass over its window: the \
    ranks of all values above the one that comes or goes move. Ranks and their sums are exact; the last step has a few roundings.";

pub(crate) const ROLLING_SPEARMAN: Kernel = Kernel {
    name: "rolling_spearman",
    family: Family::Rolling,
    summary: "Spearman's rank correlation of two columns in a moving window.",
    formula: "r[i] = corr(rank(x), rank(y)) over the rows in the window of row i where both are valid",
    notes: NOTES,
    source: "scipy.stats.spearmanr.",
    parameters: &[X, Y, WINDOW, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""x", "z", 4, min_samples=2"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["x", "y"], Spearman),
};

pub(crate) const EXPANDING_SPEARMAN: Kernel = Kernel {
    name: "expanding_spearman",
    family: Family::Expanding,
    summary: "Spearman's rank correlation of two columns over all rows so far.",
    formula: "r[i] = corr(rank(x), rank(y)) over the rows up to row i where both are valid",
    notes: NOTES,
    source: "scipy.stats.spearmanr.",
    parameters: &[X, Y, FROM_ONE],
    example: r#""x", "z""#,
    build: |arguments, schema| expanding_ordered(arguments, schema, &["x", "y"], Spearman),
};

/// Spearman's rank correlation of two columns in a moving window.
pub fn rolling_spearman(
    x: impl Into<String>,
    y: impl Into<String>,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_spearman", ("x", x), ("y", y), Some(window.into()))
}

/// Spearman's rank correlation of two columns over all rows so far.
pub fn expanding_spearman(x: impl Into<String>, y: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_spearman", ("x", x), ("y", y), None)
}
