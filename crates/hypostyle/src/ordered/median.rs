//! The median of a moving window.

use super::OrderedWindow;
use super::block_order::neighbours;
use super::block_rank::by_blocks;
use super::sorted::{SHORT, SortedValues, has_nan};
use crate::catalogue::{Family, Kernel};
use crate::windowed::{
    EXPANDING_PARAMETERS, ROLLING_PARAMETERS, expanding_ordered, expanding_spec, rolling_ordered, rolling_spec,
};

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
        // Halves are added so that two huge values don't overflow.
        Some(if n % 2 == 1 { upper } else { mean_of_two(state.nth(n / 2 - 1), upper) })
    }

    fn answer_all(
        &self,
        rows: &[f64],
        valid: Option<&[bool]>,
        len: usize,
        mut answer: impl FnMut(usize, Option<f64>),
    ) -> bool {
        // Short windows fit into a few registers and are faster one after the other.
        if len <= SHORT || has_nan(rows, valid) {
            return false;
        }
        if valid.is_some() {
            by_blocks(rows, valid, len, |within| {
                let middle = |count: usize| {
                    let upper = within.nth(count / 2);
                    if count % 2 == 1 { upper } else { mean_of_two(within.nth(count / 2 - 1), upper) }
                };
                answer(within.count, (within.count > 0).then(|| middle(within.count)));
            });
            return true;
        }
        neighbours(rows, len, len / 2, |lower, upper| {
            answer(len, Some(if len % 2 == 1 { upper } else { mean_of_two(lower, upper) }));
        });
        true
    }

    fn heap_bytes(&self, state: &SortedValues) -> usize {
        state.heap_bytes()
    }
}

pub(super) fn mean_of_two(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if sum.is_infinite() && a.is_finite() && b.is_finite() { a / 2.0 + b / 2.0 } else { sum / 2.0 }
}

pub(crate) const ROLLING_MEDIAN: Kernel = Kernel {
    name: "rolling_median",
    family: Family::Rolling,
    summary: "Median of the values in a moving window.",
    formula: "y[i] = the middle value of the sorted window of row i, or the mean of the two middle values",
    notes: "Nulls are skipped and do not count for `min_samples`; a window with a NaN gives NaN; infinities are values. \
            Exact, but for the one rounding of the mean of two values.",
    source: "Suomela (2014) for long runs of values; sorted arrays otherwise.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 3"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["column"], Median),
};

pub(crate) const EXPANDING_MEDIAN: Kernel = Kernel {
    name: "expanding_median",
    family: Family::Expanding,
    summary: "Median of all values so far.",
    formula: "y[i] = the middle value of all x[j], j <= i, in order, or the mean of the two middle values",
    notes: "Nulls are skipped and do not count for `min_samples`; once there was a NaN the answer is NaN; infinities are values. \
            Exact, but for the one rounding of the mean of two values. The state holds every value of the key.",
    source: "pandas `Series.expanding().median()`; sorted arrays.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| expanding_ordered(arguments, schema, &["column"], Median),
};

/// Median of the values in a moving window.
pub fn rolling_median(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_median", column, window)
}

/// Median of all values so far.
pub fn expanding_median(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_median", column)
}
