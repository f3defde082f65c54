//! Means that outliers do not move: the extreme values are left out, or replaced by the nearest of the others.
//!
//! The window is kept sorted, and the sum of the values between the two cuts is kept exactly (`exact_sum.rs`), so that a value
//! that leaves can be subtracted without a trace.  When a value enters or leaves, each cut moves by at most one position.

use super::abreast::{ABREAST, OfSorted, Positions, in_order, sorted_abreast};
use super::block_trimmed::{Middle, WideSum, middles};
use super::exact_sum::sums_of;
use super::sorted::{SHORT, SortedValues, has_nan};
use super::spread::all_windows;
use crate::error::Result;
use crate::model::{OrderedWindow, as_f64};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Example, Plan, Shape};
use crate::spec::{Arguments, Kind, Literal, Parameter};

/// The mean of the values between the cuts, or of all values with those beyond a cut replaced by the nearest value within.
#[derive(Debug, Clone)]
pub struct Trimmed {
    /// The share of the values beyond each cut: at least 0, less than 0.5.
    pub proportion: f64,
    /// Whether the values beyond a cut are replaced instead of left out.
    pub winsorized: bool,
}

/// The sorted window, and the sum of its values at the positions `from..to`.
#[derive(Debug, Clone, Default)]
pub struct TrimmedWindow {
    values: SortedValues,
    sum: WideSum,
    from: usize,
    to: usize,
}

impl TrimmedWindow {
    /// Moves the cuts to where they belong.
    fn settle(&mut self, cut: usize) {
        let (from, to) = (cut, self.values.len() - cut);
        while self.from > from {
            self.from -= 1;
            self.sum.add(self.values.nth(self.from));
        }
        while self.to < to {
            self.sum.add(self.values.nth(self.to));
            self.to += 1;
        }
        while self.from < from {
            self.sum.subtract(self.values.nth(self.from));
            self.from += 1;
        }
        while self.to > to {
            self.to -= 1;
            self.sum.subtract(self.values.nth(self.to));
        }
    }
}

/// The mean of these values.
#[cold]
fn exactly(values: impl Iterator<Item = f64>, divisor: f64) -> f64 {
    let mut sum = WideSum::default();
    values.for_each(|x| sum.add(x));
    sum.over(divisor)
}

/// The mean with the values beyond each cut replaced by the nearest one within.
#[inline(always)]
fn replacing(mean: f64, [smallest, largest]: [f64; 2], cut: usize, count: usize) -> f64 {
    let share = as_f64(cut) / as_f64(count);
    mean + share * smallest + share * largest
}

impl Trimmed {
    /// How many values are beyond each cut.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than half of a count")]
    fn cut(&self, count: usize) -> usize {
        (self.proportion * as_f64(count)) as usize
    }
}

impl Trimmed {
    /// The results of sorted windows with `count` values each, at least one.
    #[inline(always)]
    fn of<const W: usize>(&self, sorted: &Positions, windows: [usize; W], count: usize) -> [Option<f64>; W] {
        let cut = self.cut(count);
        let within = &sorted[cut..count - cut];
        let replaced = self.winsorized && cut > 0;
        let divisor = as_f64(if replaced { count } else { within.len() });
        let sums = sums_of(within, windows);
        std::array::from_fn(|lane| {
            let window = windows[lane];
            let mean = match sums[lane] {
                Some(sum) => sum / divisor,
                None => exactly(within.iter().map(|position| position[window]), divisor),
            };
            Some(if replaced {
                replacing(mean, [within[0][window], within[within.len() - 1][window]], cut, count)
            } else {
                mean
            })
        })
    }
}

impl OfSorted for Trimmed {
    type Output = f64;

    #[inline(always)]
    fn of_full(&self, sorted: &Positions) -> [Option<f64>; ABREAST] {
        self.of(sorted, all_windows(), sorted.len())
    }

    #[inline(always)]
    fn of_some(&self, sorted: &Positions, window: usize, count: usize) -> Option<f64> {
        let [answer] = self.of(sorted, [window], count);
        answer
    }
}

impl OrderedWindow for Trimmed {
    type Input = f64;
    type Output = f64;
    type State = TrimmedWindow;

    fn empty(&self) -> TrimmedWindow {
        TrimmedWindow::default()
    }

    fn insert(&self, state: &mut TrimmedWindow, x: f64) {
        let position = if x.is_nan() { 0 } else { state.values.rank(x).0 };
        state.values.insert(x);
        if x.is_nan() {
            return;
        }
        if position <= state.from {
            state.from += 1;
            state.to += 1;
        } else if position < state.to {
            state.sum.add(x);
            state.to += 1;
        }
        state.settle(self.cut(state.values.len()));
    }

    fn remove(&self, state: &mut TrimmedWindow, x: f64) {
        let position = if x.is_nan() { 0 } else { state.values.rank(x).0 };
        state.values.remove(x);
        if x.is_nan() {
            return;
        }
        if position < state.from {
            state.from -= 1;
            state.to -= 1;
        } else if position < state.to {
            state.sum.subtract(x);
            state.to -= 1;
        }
        state.settle(self.cut(state.values.len()));
    }

    fn answer(&self, state: &TrimmedWindow, _: Option<f64>) -> Option<f64> {
        if state.values.has_nan() {
            return Some(f64::NAN);
        }
        if state.values.is_empty() {
            return None;
        }
        let count = state.values.len();
        let cut = self.cut(count);
        if !self.winsorized || cut == 0 {
            return Some(state.sum.over(as_f64(state.to - state.from)));
        }
        let ends = [state.values.nth(state.from), state.values.nth(state.to - 1)];
        Some(replacing(state.sum.over(as_f64(count)), ends, cut, count))
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
        middles(
            rows,
            valid,
            len,
            |count| self.cut(count),
            |within, middle| {
                let (count, cut) = (within.count, self.cut(within.count));
                let of = |middle: &Middle| {
                    if !self.winsorized || cut == 0 {
                        return middle.over(within, as_f64(count - 2 * cut)).0;
                    }
                    let (mean, ends) = middle.over(within, as_f64(count));
                    replacing(mean, ends, cut, count)
                };
                next(count, middle.map(of));
            },
        );
        true
    }

    fn heap_bytes(&self, state: &TrimmedWindow) -> usize {
        state.values.heap_bytes() + size_of::<[i64; 70]>()
    }
}

fn plan(arguments: &Arguments, winsorized: bool) -> Result<Plan> {
    let proportion = arguments.number("proportion")?;
    if !(0.0..0.5).contains(&proportion) {
        return Err(arguments.refuse("proportion", format!("must be at least 0 and less than 0.5, got {proportion}")));
    }
    Plan::ordered(arguments, &["column"], Trimmed { proportion, winsorized })
}

const PROPORTION: Parameter = Parameter::optional(
    "proportion",
    Kind::Number,
    Literal::Number(0.1),
    "The share of the values at each end: of n values, proportion * n of them, rounded down; at least 0, less than 0.5.",
);

const EXAMPLE: Example =
    &[("column", Literal::Text("z")), ("window", Literal::Count(3)), ("proportion", Literal::Number(0.4))];

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`. A window with a NaN gives NaN. An infinity at an end is cut \
    off like any other value. The sum is kept exactly; a few roundings.";

pub(crate) const TRIMMED_MEAN: Entry = Entry {
    names: &["rolling_trimmed_mean", "expanding_trimmed_mean"],
    shape: Shape::Windowed,
    summary: "Mean of {the values in a moving window|all values so far} without the smallest and the largest ones.",
    formula: "y[i] = mean of the sorted values {in the window of|up to} row i without the first and the last k, k = floor(proportion * n)",
    notes: NOTES,
    source: "scipy.stats.trim_mean; sorted arrays and Kulisch's accumulator.",
    parameters: &[COLUMN, PROPORTION],
    example: EXAMPLE,
    plan: |arguments| plan(arguments, false),
    #[cfg(test)]
    reference: reference::trimmed_mean,
};

pub(crate) const WINSORIZED_MEAN: Entry = Entry {
    names: &["rolling_winsorized_mean", "expanding_winsorized_mean"],
    shape: Shape::Windowed,
    summary: "Mean of {the values in a moving window|all values so far} with the extreme ones replaced by the nearest of the others.",
    formula: "y[i] = mean of the sorted values {in the window of|up to} row i with the first and the last k replaced by the nearest of \
              the others, k = floor(proportion * n)",
    notes: NOTES,
    source: "scipy.stats.mstats.winsorize; sorted arrays and Kulisch's accumulator.",
    parameters: &[COLUMN, PROPORTION],
    example: EXAMPLE,
    plan: |arguments| plan(arguments, true),
    #[cfg(test)]
    reference: reference::winsorized_mean,
};

/// Sorts each window and cuts it.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, exact, number, of_column, ordered};

    pub fn trimmed_mean(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let proportion = number(spec, "proportion").unwrap_or(0.1);
        of_column(spec, table, |window| of_window(window, proportion, false))
    }

    pub fn winsorized_mean(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let proportion = number(spec, "proportion").unwrap_or(0.1);
        of_column(spec, table, |window| of_window(window, proportion, true))
    }

    fn of_window(window: &[f64], proportion: f64, winsorized: bool) -> Slow {
        let Some(mut sorted) = ordered(window) else { return exact(Some(f64::NAN)) };
        let cut = (proportion * sorted.len() as f64) as usize;
        let (from, to) = (cut, sorted.len() - cut);
        if sorted.is_empty() {
            return exact(None);
        }
        if winsorized {
            let (smallest, largest) = (sorted[from], sorted[to - 1]);
            sorted[..from].fill(smallest);
            sorted[to..].fill(largest);
        } else {
            sorted = sorted[from..to].to_vec();
        }
        let n = sorted.len() as f64;
        let size = sorted.iter().map(|x| (x / n).abs()).sum::<f64>();
        let answer = sorted.iter().map(|x| x / n).sum::<f64>();
        if answer.is_nan() || sorted.iter().any(|x| x.is_infinite()) {
            return exact(Some(answer));
        }
        Slow { answer: Some(answer), error: 4.0 * n * EPS * size + 1e-300 * f64::EPSILON }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_those_of_the_sorted_windows(
            drawn in proptest::collection::vec((-9i32..9, 0u32..100), 0..1200),
            len in prop_oneof![65usize..80, 65usize..400],
            shape in 0..4,
            nulls in prop_oneof![Just(0u32), Just(10), Just(90), Just(99)],
            (percent, winsorized) in (0u32..50, any::<bool>()),
        ) {
            let wild = |(i, (x, part)): (usize, &(i32, u32))| match (shape, *x) {
                (1, 8) => f64::INFINITY,
                (1, -9) => f64::NEG_INFINITY,
                (1, x) => f64::from(x) + f64::from(*part).sqrt(),
                (2, x) => f64::from(x % 2) * 1e300 + f64::from(*part) / 7.0,
                (3, x) => i as f64 + f64::from(x) / 3.0,
                (_, 0) => -0.0,
                (_, x) => f64::from(x),
            };
            let values: Vec<f64> = drawn.iter().enumerate().map(wild).collect();
            let flags: Vec<bool> = drawn.iter().rev().map(|(_, drawn)| *drawn >= nulls).collect();
            let window = Trimmed { proportion: f64::from(percent) / 100.0, winsorized };
            let is_valid = |row: usize| nulls == 0 || flags[row];
            let mut state = window.empty();
            (0..len.min(values.len())).filter(|row| is_valid(*row)).for_each(|row| window.insert(&mut state, values[row]));
            let mut end = len;
            let done = window.answer_all(&values, (nulls > 0).then_some(&flags), len, |row, count, found| {
                assert_eq!(row, end - len);
                if is_valid(row) {
                    window.remove(&mut state, values[row]);
                }
                if is_valid(end) {
                    window.insert(&mut state, values[end]);
                }
                assert_eq!(count, (row + 1..=end).filter(|row| is_valid(*row)).count());
                assert_eq!(found.map(f64::to_bits), window.answer(&state, None).map(f64::to_bits), "row {end}");
                end += 1;
            });
            prop_assert!(done);
            prop_assert_eq!(end, values.len().max(len));
        }
    }
}
