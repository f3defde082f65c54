//! The median of the values in a window.

use super::abreast::{OfSorted, Positions, in_order, sorted_abreast};
use super::block_order::neighbors;
use super::block_rank::by_blocks;
use super::sorted::{SHORT, SortedValues, has_nan};
use crate::model::OrderedWindow;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Plan, Shape};
use crate::spec::Literal;

/// The middle value, or the mean of the two middle values.
#[derive(Debug, Clone)]
pub struct Median;

impl OrderedWindow for Median {
    type Input = f64;
    type Output = f64;
    type State = SortedValues;

    fn empty(&self) -> SortedValues {
        SortedValues::default()
    }

    fn insert(&self, state: &mut SortedValues, x: f64) {
        state.insert(x);
    }

    fn remove(&self, state: &mut SortedValues, x: f64) {
        state.remove(x);
    }

    fn replace(&self, state: &mut SortedValues, old: f64, new: f64) {
        state.replace(old, new);
    }

    fn answer(&self, state: &SortedValues, _: Option<f64>) -> Option<f64> {
        if state.has_nan() {
            return Some(f64::NAN);
        }
        let n = state.len();
        if n == 0 {
            return None;
        }
        let upper = state.nth(n / 2);
        // Halves are added so that two huge values do not overflow.
        Some(if n % 2 == 1 { upper } else { mean_of_two(state.nth(n / 2 - 1), upper) })
    }

    fn answer_all(
        &self,
        rows: &[f64],
        valid: Option<&[bool]>,
        len: usize,
        answer: impl FnMut(usize, usize, Option<f64>),
    ) -> bool {
        if has_nan(rows, valid) {
            return false;
        }
        if len <= SHORT {
            return sorted_abreast(rows, valid, len, self, answer);
        }
        let mut next = in_order(answer);
        if valid.is_some() {
            by_blocks(
                rows,
                valid,
                len,
                #[inline(always)]
                |within| {
                    let middle = |count: usize| {
                        let upper = within.nth(count / 2);
                        if count % 2 == 1 { upper } else { mean_of_two(within.nth(count / 2 - 1), upper) }
                    };
                    next(within.count, (within.count > 0).then(|| middle(within.count)));
                },
            );
            return true;
        }
        neighbors(rows, len, len / 2, |lower, upper| {
            next(len, Some(if len % 2 == 1 { upper } else { mean_of_two(lower, upper) }));
        });
        true
    }

    fn heap_bytes(&self, state: &SortedValues) -> usize {
        state.heap_bytes()
    }
}

impl OfSorted for Median {
    type Output = f64;

    #[inline(always)]
    fn of_some(&self, sorted: &Positions, window: usize, count: usize) -> Option<f64> {
        Some(median_of(sorted, window, count))
    }
}

/// The median of a sorted window with so many values.
#[inline(always)]
pub(super) fn median_of(sorted: &Positions, window: usize, count: usize) -> f64 {
    let upper = sorted[count / 2][window];
    if count % 2 == 1 { upper } else { mean_of_two(sorted[count / 2 - 1][window], upper) }
}

#[inline(always)]
pub(super) fn mean_of_two(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if sum.is_infinite() && a.is_finite() && b.is_finite() { a / 2.0 + b / 2.0 } else { sum / 2.0 }
}

pub(crate) const MEDIAN: Entry = Entry {
    names: &["rolling_median", "expanding_median"],
    shape: Shape::Windowed,
    summary: "Median of {the values in a moving window|all values so far}.",
    formula: "y[i] = the middle value of the sorted {window of row i|x[j], j <= i}, or the mean of the two middle values",
    notes: "Nulls are skipped and do not count for `min_samples`. {A window with a NaN gives NaN|After a NaN the result is NaN}; \
            infinities are values. Exact, except for the one rounding of the mean of two values.{| The state holds every value \
            of the key.}",
    source: "{Suomela (2014) for long runs of values; sorted arrays otherwise|pandas `Series.expanding().median()`; sorted arrays}.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("x")), ("window", Literal::Count(3)), ("min_samples", Literal::Count(2))],
    plan: |arguments| Plan::ordered(arguments, &["column"], Median),
    #[cfg(test)]
    reference: reference::median,
};

/// Sorts each window.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, of_column};

    pub fn median(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, crate::reference::median)
    }
}
