//! Robust measures of spread: the interquartile range and the median absolute deviation, which outliers hardly move.

use std::marker::PhantomData;

use super::abreast::{ABREAST, OfSorted, Positions, in_order, sorted_abreast};
use super::block_deviation::median_deviations;
use super::block_rank::by_blocks;
use super::median::{mean_of_two, median_of};
use super::quantile::{Interpolation, Quantile};
use super::sorted::{SHORT, SortedValues, has_nan};
use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::OrderedWindow;
use crate::run::parameters::COLUMN;
use crate::run::{Bare, Entry, Example, Inputs, Plan, Shape, Window};
use crate::spec::{Arguments, Literal};

const QUARTILES: u8 = 0;
const DEVIATION: u8 = 1;

/// The interquartile range (0) or the median absolute deviation (1).
#[derive(Debug, Clone)]
pub struct Spread<T, const KIND: u8>(PhantomData<T>);

/// The value with `n` values before it among the distances to `center`, which lies between the values before position `split`
/// and the others: two sorted lists, one going down from the split and one going up.
fn nth_distance<T: Value>(sorted: &SortedValues<T>, base: T, center: f64, split: usize, n: usize) -> f64 {
    let (lower, upper) = (split, sorted.len() - split);
    let down = |i: usize| center - sorted.nth(split - 1 - i).above(base);
    let up = |i: usize| sorted.nth(split + i).above(base) - center;
    // How many of the n nearest are below: the smallest number after which the next one below is not nearer than the last one
    // taken from above.
    let (mut fewest, mut most) = (n.saturating_sub(upper), n.min(lower));
    while fewest < most {
        let taken = (fewest + most) / 2;
        if n - taken > 0 && down(taken) < up(n - taken - 1) {
            fewest = taken + 1;
        } else {
            most = taken;
        }
    }
    match (fewest < lower, n - fewest < upper) {
        (true, true) => down(fewest).min(up(n - fewest)),
        (true, false) => down(fewest),
        _ => up(n - fewest),
    }
}

/// The median above the base, which is the smallest value, and the median absolute deviation from it; NaN if a value is NaN, `None` if there are no values.
pub(super) fn median_and_deviation<T: Value>(sorted: &SortedValues<T>) -> Option<[f64; 2]> {
    if sorted.has_nan() {
        return Some([f64::NAN; 2]);
    }
    if sorted.is_empty() {
        return None;
    }
    let (n, base) = (sorted.len(), sorted.nth(0));
    let upper = sorted.nth(n / 2).above(base);
    let center = if n % 2 == 1 { upper } else { mean_of_two(sorted.nth(n / 2 - 1).above(base), upper) };
    if center.is_infinite() {
        return Some([center, f64::NAN]); // infinity minus infinity
    }
    let nth = |position| nth_distance(sorted, base, center, n / 2, position);
    Some([center, if n % 2 == 1 { nth(n / 2) } else { mean_of_two(nth(n / 2 - 1), nth(n / 2)) }])
}

/// The median and the median absolute deviation from it of sorted windows with `count` values each, which may be fewer than
/// there are positions.
///
/// The nearest values are next to each other in the sorted window: the distance of the n-th nearest one is that of the farther
/// end of the best of all runs of n values.
#[inline(always)]
pub(super) fn medians_and_deviations<const W: usize>(
    sorted: &Positions,
    windows: [usize; W],
    count: usize,
) -> [[f64; 2]; W] {
    let centers = windows.map(|window| median_of(sorted, window, count));
    let nth = |n: usize| {
        let mut nearest = [f64::INFINITY; W];
        for (first, last) in sorted[..count - n].iter().zip(&sorted[n..count]) {
            for (lane, window) in windows.into_iter().enumerate() {
                let (a, b) = ((first[window] - centers[lane]).abs(), (last[window] - centers[lane]).abs());
                let farther = if a > b { a } else { b };
                nearest[lane] = if farther < nearest[lane] { farther } else { nearest[lane] };
            }
        }
        nearest
    };
    let upper = nth(count / 2);
    let lower = if count % 2 == 1 { upper } else { nth(count / 2 - 1) };
    std::array::from_fn(|lane| {
        let deviation = if count % 2 == 1 { upper[lane] } else { mean_of_two(lower[lane], upper[lane]) };
        // Infinity minus infinity.
        [centers[lane], if centers[lane].is_infinite() { f64::NAN } else { deviation }]
    })
}

/// All windows, by their numbers.
#[inline(always)]
pub(super) fn all_windows() -> [usize; ABREAST] {
    std::array::from_fn(|window| window)
}

impl<T: Value, const KIND: u8> OfSorted for Spread<T, KIND> {
    type Output = f64;

    #[inline(always)]
    fn of_full(&self, sorted: &Positions) -> [Option<f64>; ABREAST] {
        if KIND == DEVIATION {
            return medians_and_deviations(sorted, all_windows(), sorted.len()).map(|[_, deviation]| Some(deviation));
        }
        std::array::from_fn(|window| self.of_some(sorted, window, sorted.len()))
    }

    #[inline(always)]
    fn of_some(&self, sorted: &Positions, window: usize, count: usize) -> Option<f64> {
        if KIND == DEVIATION {
            return medians_and_deviations(sorted, [window], count).map(|[_, deviation]| deviation).into_iter().next();
        }
        let quantile =
            |quantile| Quantile { quantile, interpolation: Interpolation::Linear }.of_some(sorted, window, count);
        quantile(0.75).zip(quantile(0.25)).map(|(upper, lower)| upper - lower)
    }
}

impl<T: Value, const KIND: u8> OrderedWindow for Spread<T, KIND> {
    type Input = T;
    type Output = f64;
    type State = SortedValues<T>;

    fn empty(&self) -> SortedValues<T> {
        SortedValues::default()
    }

    fn insert(&self, state: &mut SortedValues<T>, x: T) {
        state.insert(x);
    }

    fn remove(&self, state: &mut SortedValues<T>, x: T) {
        state.remove(x);
    }

    fn replace(&self, state: &mut SortedValues<T>, old: T, new: T) {
        state.replace(old, new);
    }

    fn answer(&self, state: &SortedValues<T>, _: Option<T>) -> Option<f64> {
        if KIND == DEVIATION {
            return median_and_deviation(state).map(|[_, deviation]| deviation);
        }
        if state.has_nan() {
            return Some(f64::NAN);
        }
        let quantile = |quantile| Quantile { quantile, interpolation: Interpolation::Linear }.of(state, state.nth(0));
        (!state.is_empty()).then(|| quantile(0.75) - quantile(0.25))
    }

    fn answer_all(
        &self,
        rows: &[T],
        valid: Option<&[bool]>,
        len: usize,
        answer: impl FnMut(usize, usize, Option<f64>),
    ) -> bool {
        let Some(rows) = T::floats(rows).filter(|_| !has_nan(rows, valid)) else { return false };
        if len <= SHORT {
            return sorted_abreast(rows, valid, len, self, answer);
        }
        let mut next = in_order(answer);
        if KIND == DEVIATION {
            median_deviations(rows, valid, len, |count, found| next(count, found.map(|[_, deviation]| deviation)));
        } else {
            let quantile = |quantile| Quantile { quantile, interpolation: Interpolation::Linear };
            let (upper, lower) = (quantile(0.75), quantile(0.25));
            by_blocks(
                rows,
                valid,
                len,
                #[inline(always)]
                |within| {
                    next(within.count, (within.count > 0).then(|| upper.within(within) - lower.within(within)));
                },
            );
        }
        true
    }

    fn heap_bytes(&self, state: &SortedValues<T>) -> usize {
        state.heap_bytes()
    }
}

fn plan<const KIND: u8>(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?);
    Ok(window.plan(move |window, binding| {
        if inputs.has_long_integer(binding)? {
            window.ordered(binding, inputs.bind_exactly(binding)?, Spread::<i64, KIND>(PhantomData), Bare)
        } else {
            let wiring = inputs.bind::<f64, f64>(binding)?;
            window.ordered(binding, wiring, Spread::<f64, KIND>(PhantomData), Bare)
        }
    }))
}

const EXAMPLE: Example =
    &[("column", Literal::Text("x")), ("window", Literal::Count(3)), ("min_samples", Literal::Count(2))];

pub(crate) const IQR: Entry = Entry {
    names: &["rolling_iqr", "expanding_iqr"],
    shape: Shape::Windowed,
    summary: "Interquartile range of {the values in a moving window|all values so far}.",
    formula: "y[i] = quantile 0.75 minus quantile 0.25 of the values {in the window of|up to} row i, both interpolated linearly",
    notes: "Nulls are skipped and do not count for `min_samples`. {A window with a NaN gives NaN|After a NaN the result is NaN}. A few \
            roundings.{| The state holds every value of the key.}",
    source: "scipy.stats.iqr; sorted arrays.",
    parameters: &[COLUMN],
    example: EXAMPLE,
    plan: plan::<QUARTILES>,
    #[cfg(test)]
    reference: reference::iqr,
};

pub(crate) const MAD: Entry = Entry {
    names: &["rolling_mad", "expanding_mad"],
    shape: Shape::Windowed,
    summary: "Median absolute deviation of {the values in a moving window|all values so far}.",
    formula: "y[i] = median of |x[j] - m|, m the median of x[j], for {j in the window of row i|j <= i}",
    notes: "Nulls are skipped and do not count for `min_samples`. {A window with a NaN, or with an infinite median, gives NaN|After a \
            NaN, or while the median is infinite, the result is NaN}. Not scaled: times 1.4826 it estimates the standard deviation of \
            normal data. A few roundings.{| The state holds every value of the key.}",
    source: "scipy.stats.median_abs_deviation; sorted arrays.",
    parameters: &[COLUMN],
    example: EXAMPLE,
    plan: plan::<DEVIATION>,
    #[cfg(test)]
    reference: reference::mad,
};

/// Sorts each window.
#[cfg(test)]
mod reference {
    use super::super::quantile::reference::of_window as quantile;
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, median_deviation, of_column};

    pub fn iqr(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, &table.exact(), |window| {
            let (upper, lower) = (quantile(window, 0.75, "linear").answer, quantile(window, 0.25, "linear").answer);
            exact(upper.zip(lower).map(|(upper, lower)| upper - lower))
        })
    }

    pub fn mad(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, &table.exact(), median_deviation)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_those_of_the_sorted_windows(
            drawn in proptest::collection::vec((-9i32..9, 0u32..100), 0..1500),
            len in prop_oneof![1usize..9, 1usize..70, 60usize..500],
            // Values that are equal, all over the place, in two heaps far from each other, rising.
            shape in 0..4,
            nulls in prop_oneof![Just(0u32), Just(10), Just(90)],
        ) {
            let wild = |(i, (x, part)): (usize, &(i32, u32))| match (shape, *x) {
                (1, 8) => f64::INFINITY,
                (1, -9) => f64::NEG_INFINITY,
                (1, x) => f64::from(x) + f64::from(*part).sqrt(),
                (2, x) => f64::from(x % 2) * 1e6 + f64::from(*part) / 7.0,
                (3, x) => i as f64 + f64::from(x) / 3.0,
                (_, 0) => -0.0,
                (_, x) => f64::from(x),
            };
            let values: Vec<f64> = drawn.iter().enumerate().map(wild).collect();
            let flags: Vec<bool> = drawn.iter().rev().map(|(_, drawn)| *drawn >= nulls).collect();
            let mut end = len;
            median_deviations(&values, (nulls > 0).then_some(&flags), len, |count, found| {
                let mut sorted = SortedValues::<f64>::default();
                let rows = end + 1 - len..=end;
                rows.filter(|row| nulls == 0 || flags[*row]).for_each(|row| sorted.insert(values[row]));
                assert_eq!(count, sorted.len());
                let bits = |found: Option<[f64; 2]>| found.map(|found| found.map(f64::to_bits));
                assert_eq!(bits(found), bits(median_and_deviation(&sorted)), "row {end}");
                end += 1;
            });
            prop_assert_eq!(end, values.len().max(len));
        }
    }
}
