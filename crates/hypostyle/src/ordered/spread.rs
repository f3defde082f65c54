//! Spread by order: the interquartile range and the median absolute deviation, which outliers hardly move.

use super::OrderedWindow;
use super::median::mean_of_two;
use super::quantile::{Interpolation, Quantile};
use super::sorted::SortedValues;
use crate::catalogue::{Family, Kernel};
use crate::windowed::{
    EXPANDING_PARAMETERS, ROLLING_PARAMETERS, expanding_ordered, expanding_spec, rolling_ordered, rolling_spec,
};

const IQR: u8 = 0;
const MAD: u8 = 1;

/// The interquartile range (0) or the median absolute deviation (1).
#[derive(Debug, Clone)]
pub struct Spread<const KIND: u8>;

/// The value with `n` values before it among the distances to `centre`, which lies between the values below place `split`
/// and those from it on: two lists that are in order, one going down from the split and one going up.
fn nth_distance(sorted: &SortedValues, centre: f64, split: usize, n: usize) -> f64 {
    let (lower, upper) = (split, sorted.len() - split);
    let down = |i: usize| centre - sorted.nth(split - 1 - i);
    let up = |i: usize| sorted.nth(split + i) - centre;
    // How many of the n nearest lie below: the least number after which the next one above is no nearer than the last below.
    let (mut least, mut most) = (n.saturating_sub(upper), n.min(lower));
    while least < most {
        let taken = (least + most) / 2;
        if n - taken > 0 && down(taken) < up(n - taken - 1) {
            least = taken + 1;
        } else {
            most = taken;
        }
    }
    match (least < lower, n - least < upper) {
        (true, true) => down(least).min(up(n - least)),
        (true, false) => down(least),
        _ => up(n - least),
    }
}

/// The median, and the median absolute deviation from it; NaN where a value is NaN, `None` where there is none.
pub(super) fn median_and_deviation(sorted: &SortedValues) -> Option<[f64; 2]> {
    if sorted.has_nan() {
        return Some([f64::NAN; 2]);
    }
    if sorted.is_empty() {
        return None;
    }
    let n = sorted.len();
    let upper = sorted.nth(n / 2);
    let centre = if n % 2 == 1 { upper } else { mean_of_two(sorted.nth(n / 2 - 1), upper) };
    if centre.is_infinite() {
        return Some([centre, f64::NAN]); // infinity less infinity
    }
    let nth = |place| nth_distance(sorted, centre, n / 2, place);
    Some([centre, if n % 2 == 1 { nth(n / 2) } else { mean_of_two(nth(n / 2 - 1), nth(n / 2)) }])
}

impl<const KIND: u8> OrderedWindow for Spread<KIND> {
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
        if KIND == MAD {
            return median_and_deviation(state).map(|[_, deviation]| deviation);
        }
        if state.has_nan() {
            return Some(f64::NAN);
        }
        let quantile = |quantile| Quantile { quantile, interpolation: Interpolation::Linear }.of(state);
        (!state.is_empty()).then(|| quantile(0.75) - quantile(0.25))
    }

    fn heap_bytes(&self, state: &SortedValues) -> usize {
        state.heap_bytes()
    }
}

pub(crate) const ROLLING_IQR: Kernel = Kernel {
    name: "rolling_iqr",
    family: Family::Rolling,
    summary: "Interquartile range of the values in a moving window.",
    formula: "y[i] = quantile 0.75 less quantile 0.25 of the values in the window of row i, both interpolated linearly",
    notes: "Nulls are skipped and do not count for `min_samples`; a window with a NaN gives NaN. A few roundings.",
    source: "scipy.stats.iqr; sorted arrays.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 3"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["column"], Spread::<IQR>),
};

pub(crate) const ROLLING_MAD: Kernel = Kernel {
    name: "rolling_mad",
    family: Family::Rolling,
    summary: "Median absolute deviation of the values in a moving window.",
    formula: "y[i] = median of |x[j] - m|, m the median of x[j], for j in the window of row i",
    notes: "Nulls are skipped and do not count for `min_samples`; a window with a NaN, or with an infinite median, gives NaN. Not \
            scaled: times 1.4826 it estimates the standard deviation of normal data. A few roundings.",
    source: "scipy.stats.median_abs_deviation; sorted arrays.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 3"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["column"], Spread::<MAD>),
};

pub(crate) const EXPANDING_IQR: Kernel = Kernel {
    name: "expanding_iqr",
    family: Family::Expanding,
    summary: "Interquartile range of all values so far.",
    formula: "y[i] = quantile 0.75 less quantile 0.25 of the values up to row i, both interpolated linearly",
    notes: "Nulls are skipped and do not count for `min_samples`; once there was a NaN the answer is NaN. A few roundings. The \
            state holds every value of the key.",
    source: "scipy.stats.iqr; sorted arrays.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| expanding_ordered(arguments, schema, &["column"], Spread::<IQR>),
};

pub(crate) const EXPANDING_MAD: Kernel = Kernel {
    name: "expanding_mad",
    family: Family::Expanding,
    summary: "Median absolute deviation of all values so far.",
    formula: "y[i] = median of |x[j] - m|, m the median of x[j], for j <= i",
    notes: "Nulls are skipped and do not count for `min_samples`; once there was a NaN, or while the median is infinite, the answer \
            is NaN. Not scaled: times 1.4826 it estimates the standard deviation of normal data. A few roundings. The state \
            holds every value of the key.",
    source: "scipy.stats.median_abs_deviation; sorted arrays.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| expanding_ordered(arguments, schema, &["column"], Spread::<MAD>),
};

/// Interquartile range of the values in a moving window.
pub fn rolling_iqr(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_iqr", column, window)
}

/// Median absolute deviation of the values in a moving window.
pub fn rolling_mad(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_mad", column, window)
}

/// Interquartile range of all values so far.
pub fn expanding_iqr(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_iqr", column)
}

/// Median absolute deviation of all values so far.
pub fn expanding_mad(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_mad", column)
}
