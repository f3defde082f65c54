//! Spearman's rank correlation.
//!
//! Each value's rank is kept as twice its average rank, an integer, so that nothing is rounded before the last step.  A row that
//! enters or leaves moves the ranks of the values above it, in one pass.  Long runs of rows are computed with less (see
//! `ranked_windows.rs`), from the same integers.

use std::marker::PhantomData;

use super::ranked_windows::{MOST, RankSums, rank_windows};
use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::OrderedWindow;
use crate::run::{Bare, Binding, Entry, Inputs, Plan, Running, Shape, Window};
use crate::spec::{Arguments, Kind, Literal, Parameter};
use crate::values::{Domain, arch};

/// The rank correlation coefficient.
#[derive(Debug, Clone)]
pub struct Spearman<A, B>(PhantomData<(A, B)>);

/// The values of one column, and twice the average rank of each.
#[derive(Debug, Clone, Default)]
struct Column<T> {
    values: Vec<T>,
    ranks: Vec<i64>,
}

/// The rows of the window in any order.
#[derive(Debug, Clone, Default)]
pub struct RankedRows<A, B> {
    x: Column<A>,
    y: Column<B>,
    nans: usize,
}

impl<T: Value> Column<T> {
    fn insert(&mut self, x: T) {
        let mut rank = 2;
        arch().dispatch(
            #[inline(always)]
            || {
                for (value, other) in self.values.iter().zip(&mut self.ranks) {
                    let (above, equal) = (i64::from(*value > x), i64::from(*value == x));
                    *other += 2 * above + equal;
                    rank += 2 - 2 * above - equal;
                }
            },
        );
        self.values.push(x);
        self.ranks.push(rank);
    }

    fn heap_bytes(&self) -> usize {
        self.values.capacity() * size_of::<T>() + self.ranks.capacity() * size_of::<i64>()
    }

    fn remove(&mut self, at: usize) {
        let x = self.values.swap_remove(at);
        self.ranks.swap_remove(at);
        arch().dispatch(
            #[inline(always)]
            || {
                for (value, other) in self.values.iter().zip(&mut self.ranks) {
                    *other -= 2 * i64::from(*value > x) + i64::from(*value == x);
                }
            },
        );
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

/// The correlation from the sums of products and squares of the ranks' distances to their mean.
#[expect(clippy::cast_precision_loss, reason = "the only rounding")]
fn coefficient(xy: i128, xx: i128, yy: i128) -> Option<f64> {
    of_floats(xy as f64, xx as f64, yy as f64, xx == yy)
}

/// The same of sums of fewer rows.
#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "the only rounding")]
fn of_sums(RankSums { rows, xx, yy, xy }: RankSums) -> Option<f64> {
    let mean = rows * (rows + 1) * (rows + 1);
    of_floats((xy - mean) as f64, (xx - mean) as f64, (yy - mean) as f64, xx == yy)
}

#[inline(always)]
fn of_floats(xy: f64, xx: f64, yy: f64, are_equal: bool) -> Option<f64> {
    if are_equal && xx != 0.0 {
        return Some(xy / xx);
    }
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

impl<A: Value, B: Value> OrderedWindow for Spearman<A, B> {
    type Input = (A, B);
    type Output = f64;
    type State = RankedRows<A, B>;

    fn empty(&self) -> RankedRows<A, B> {
        RankedRows::default()
    }

    fn insert(&self, state: &mut RankedRows<A, B>, (x, y): (A, B)) {
        if x.is_nan() || y.is_nan() {
            state.nans += 1;
        } else {
            state.x.insert(x);
            state.y.insert(y);
        }
    }

    fn remove(&self, state: &mut RankedRows<A, B>, row: (A, B)) {
        if row.0.is_nan() || row.1.is_nan() {
            state.nans -= 1;
            return;
        }
        let at = state.x.values.iter().zip(&state.y.values).position(|(x, y)| (*x, *y) == row);
        if let Some(at) = at {
            state.x.remove(at);
            state.y.remove(at);
        }
    }

    fn answer(&self, state: &RankedRows<A, B>, _: Option<(A, B)>) -> Option<f64> {
        if state.nans > 0 {
            return Some(f64::NAN);
        }
        let RankedRows { x, y, .. } = state;
        let n = i128::try_from(x.values.len()).unwrap_or(0);
        // Twice the average ranks of n rows add up to n (n + 1).
        let mean = n * (n + 1) * (n + 1);
        let (xx, yy) = (dot(&x.ranks, &x.ranks) - mean, dot(&y.ranks, &y.ranks) - mean);
        coefficient(dot(&x.ranks, &y.ranks) - mean, xx, yy)
    }

    fn answer_all(
        &self,
        rows: &[(A, B)],
        valid: Option<&[bool]>,
        len: usize,
        mut answer: impl FnMut(usize, usize, Option<f64>),
    ) -> bool {
        if len > MOST {
            return false;
        }
        let is_valid = |row: usize| valid.is_none_or(|valid| valid[row]);
        let is_nan = |row: usize| is_valid(row) && (rows[row].0.is_nan() || rows[row].1.is_nan());
        let mut nans = (0..len).filter(|row| is_nan(*row)).count();
        let mut count = (0..len).filter(|row| is_valid(*row)).count();
        let with_nans = (0..rows.len()).any(is_nan);
        let counts: Vec<bool> = (0..rows.len()).map(|row| is_valid(row) && !is_nan(row)).collect();
        let counts = (valid.is_some() || with_nans).then_some(counts.as_slice());
        let (x, y): (Vec<A>, Vec<B>) = rows.iter().copied().unzip();
        let mut row = 0;
        rank_windows(&x, &y, counts, len, |sums| {
            count = count + usize::from(is_valid(row + len)) - usize::from(is_valid(row));
            if with_nans {
                nans = nans + usize::from(is_nan(row + len)) - usize::from(is_nan(row));
            }
            answer(row, count, if nans > 0 { Some(f64::NAN) } else { of_sums(sums) });
            row += 1;
        });
        true
    }

    fn heap_bytes(&self, state: &RankedRows<A, B>) -> usize {
        state.x.heap_bytes() + state.y.heap_bytes()
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["x", "y"])?.with_decimals());
    let (x, y) = (arguments.column("x")?, arguments.column("y")?);
    Ok(window.plan(move |window, binding| {
        let bound = Bound { window, inputs: &inputs, binding };
        match (inputs.exact_domain(binding, &x)?, inputs.exact_domain(binding, &y)?) {
            (Domain::Integer, Domain::Integer) => bound.over::<i64, i64>(),
            (Domain::Integer, _) => bound.over::<i64, f64>(),
            (_, Domain::Integer) => bound.over::<f64, i64>(),
            _ => bound.over::<f64, f64>(),
        }
    }))
}

/// A window and the columns that it is bound to.
struct Bound<'a> {
    window: &'a Window,
    inputs: &'a Inputs,
    binding: &'a Binding<'a>,
}

impl Bound<'_> {
    fn over<A: Value, B: Value>(&self) -> Result<Box<dyn Running>> {
        let wiring = self.inputs.bind::<(A, B), f64>(self.binding)?;
        self.window.ordered(self.binding, wiring, Spearman::<A, B>(PhantomData), Bare)
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The first column.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The second column.");

pub(crate) const SPEARMAN: Entry = Entry {
    names: &["rolling_spearman", "expanding_spearman"],
    shape: Shape::Windowed,
    summary: "Spearman's rank correlation of two columns {in a moving window|over all rows so far}.",
    formula: "r[i] = corr(rank(x), rank(y)) over the rows {in the window of|up to} row i where both are valid",
    notes: "From -1 to 1; equal values have the mean of their ranks. A row counts if both columns are valid; null if a column is \
            constant, and for a single row. A window with a NaN gives NaN; infinities are values. Integers, booleans, dates and times are ranked exactly. A row costs a pass over its window, \
            because the ranks of all values above the one that enters or leaves move. Ranks and their sums are exact; the last step \
            has a few roundings.",
    source: "scipy.stats.spearmanr.",
    parameters: &[X, Y],
    example: &[
        ("x", Literal::Text("x")),
        ("y", Literal::Text("z")),
        ("window", Literal::Count(4)),
        ("min_samples", Literal::Count(2)),
    ],
    plan,
    #[cfg(test)]
    reference: reference::spearman,
};

/// The correlation of the ranks.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, corr, exact, of_pairs};

    /// The average rank of each value.
    fn ranks(values: &[f64]) -> Vec<f64> {
        let rank = |x: &f64| {
            let below = values.iter().filter(|y| *y < x).count() as f64;
            let equal = values.iter().filter(|y| *y == x).count() as f64;
            below + (equal + 1.0) / 2.0
        };
        values.iter().map(rank).collect()
    }

    pub fn spearman(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_pairs(spec, &table.exact(), ("x", "y"), |window| {
            if window.iter().any(|(x, y)| x.is_nan() || y.is_nan()) {
                return exact(Some(f64::NAN));
            }
            let (xs, ys): (Vec<f64>, Vec<f64>) = window.iter().copied().unzip();
            let pairs: Vec<(f64, f64)> = ranks(&xs).into_iter().zip(ranks(&ys)).collect();
            Slow { answer: corr(&pairs).answer, error: 1e-12 }
        })
    }
}
