//! Means that outliers don't move: the extreme values are left out, or pulled in to the next ones.
//!
//! The window is kept in order, and the sum of the values between the two cuts is kept exactly (`exact_sum.rs`), so a value
//! that leaves can be subtracted without a trace.  As a value comes or goes, each cut moves by a place at most.

use super::OrderedWindow;
use super::exact_sum::ExactSum;
use super::sorted::SortedValues;
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::error::Result;
use crate::statistics::as_f64;
use crate::windowed::{
    BY, CENTER, CLOSED, COLUMN, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding_ordered, expanding_spec,
    rolling_ordered, rolling_spec,
};

/// The mean of the values between the cuts, or of all values with those beyond a cut put in its place.
#[derive(Debug, Clone)]
pub struct Trimmed {
    /// The part of the values beyond each cut: at least 0, less than 0.5.
    pub proportion: f64,
    /// Whether the values beyond a cut are put in its place instead of left out.
    pub winsorized: bool,
}

/// The window in order, and the sum of the values at the places `from..to`.
#[derive(Debug, Clone, Default)]
pub struct Between {
    values: SortedValues,
    sum: ExactSum,
    /// How many of them are minus infinity, and how many infinity.
    infinite: [usize; 2],
    from: usize,
    to: usize,
}

impl Between {
    fn enter(&mut self, x: f64) {
        match x.is_finite() {
            true => self.sum.add(x),
            false => self.infinite[usize::from(x > 0.0)] += 1,
        }
    }

    fn leave(&mut self, x: f64) {
        match x.is_finite() {
            true => self.sum.subtract(x),
            false => self.infinite[usize::from(x > 0.0)] -= 1,
        }
    }

    /// Moves the cuts to where they belong.
    fn settle(&mut self, cut: usize) {
        let (from, to) = (cut, self.values.len() - cut);
        while self.from > from {
            self.from -= 1;
            self.enter(self.values.nth(self.from));
        }
        while self.to < to {
            self.enter(self.values.nth(self.to));
            self.to += 1;
        }
        while self.from < from {
            self.leave(self.values.nth(self.from));
            self.from += 1;
        }
        while self.to > to {
            self.to -= 1;
            self.leave(self.values.nth(self.to));
        }
    }

    /// The sum over `divisor`.
    fn over(&self, divisor: f64) -> f64 {
        match self.infinite {
            [0, 0] => self.sum.over(divisor),
            [_, 0] => f64::NEG_INFINITY,
            [0, _] => f64::INFINITY,
            _ => f64::NAN,
        }
    }
}

impl Trimmed {
    /// How many values lie beyond each cut.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than half of a count")]
    fn cut(&self, count: usize) -> usize {
        (self.proportion * as_f64(count)) as usize
    }
}

impl OrderedWindow for Trimmed {
    type Input = f64;
    type Output = f64;
    type State = Between;

    fn empty(&self) -> Between {
        Between::default()
    }

    fn insert(&self, state: &mut Between, x: f64) {
        let place = if x.is_nan() { 0 } else { state.values.place(x).0 };
        state.values.insert(x);
        if x.is_nan() {
            return;
        }
        if place <= state.from {
            state.from += 1;
            state.to += 1;
        } else if place < state.to {
            state.enter(x);
            state.to += 1;
        }
        state.settle(self.cut(state.values.len()));
    }

    fn remove(&self, state: &mut Between, x: f64) {
        let place = if x.is_nan() { 0 } else { state.values.place(x).0 };
        state.values.remove(x);
        if x.is_nan() {
            return;
        }
        if place < state.from {
            state.from -= 1;
            state.to -= 1;
        } else if place < state.to {
            state.leave(x);
            state.to -= 1;
        }
        state.settle(self.cut(state.values.len()));
    }

    fn answer(&self, state: &Between, _: Option<f64>) -> Option<f64> {
        if state.values.has_nan() {
            return Some(f64::NAN);
        }
        if state.values.is_empty() {
            return None;
        }
        let count = state.values.len();
        let cut = self.cut(count);
        if !self.winsorized || cut == 0 {
            return Some(state.over(as_f64(state.to - state.from)));
        }
        let (least, greatest) = (state.values.nth(state.from), state.values.nth(state.to - 1));
        let share = as_f64(cut) / as_f64(count);
        Some(state.over(as_f64(count)) + share * least + share * greatest)
    }

    fn heap_bytes(&self, state: &Between) -> usize {
        state.values.heap_bytes() + size_of::<[i64; 70]>()
    }
}

fn trimmed(arguments: &Arguments, winsorized: bool) -> Result<Trimmed> {
    let proportion = arguments.number("proportion").unwrap_or(f64::NAN);
    if !(0.0..0.5).contains(&proportion) {
        return Err(arguments.refuse("proportion", format!("must be at least 0 and less than 0.5, not {proportion}")));
    }
    Ok(Trimmed { proportion, winsorized })
}

const CUT: Parameter = Parameter::optional(
    "proportion",
    Kind::Number,
    Literal::Number(0.1),
    "The part of the values at each end: of n values, proportion * n of them, rounded down; at least 0, less than 0.5.",
);

const PARAMETERS: &[Parameter] = &[COLUMN, WINDOW, CUT, BY, MIN_SAMPLES, CLOSED, CENTER, STEP];

const EXPANDING: &[Parameter] = &[COLUMN, CUT, FROM_ONE];

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`; a window with a NaN gives NaN. An infinity at an end is cut \
    off like any other value. The sum is kept exactly; a few roundings.";

pub(crate) const ROLLING_TRIMMED_MEAN: Kernel = Kernel {
    name: "rolling_trimmed_mean",
    family: Family::Rolling,
    summary: "Mean of the values in a moving window without the least and the greatest ones.",
    formula: "y[i] = mean of the values in the window of row i in order, the first and the last k left out, k = floor(proportion * n)",
    notes: NOTES,
    source: "scipy.stats.trim_mean; sorted arrays and Kulisch's accumulator.",
    parameters: PARAMETERS,
    example: r#""z", 3, proportion=0.4"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["column"], trimmed(arguments, false)?),
};

pub(crate) const EXPANDING_TRIMMED_MEAN: Kernel = Kernel {
    name: "expanding_trimmed_mean",
    family: Family::Expanding,
    summary: "Mean of all values so far without the least and the greatest ones.",
    formula: "y[i] = mean of the values up to row i in order, the first and the last k left out, k = floor(proportion * n)",
    notes: NOTES,
    source: "scipy.stats.trim_mean; sorted arrays and Kulisch's accumulator.",
    parameters: EXPANDING,
    example: r#""z", proportion=0.4"#,
    build: |arguments, schema| expanding_ordered(arguments, schema, &["column"], trimmed(arguments, false)?),
};

pub(crate) const ROLLING_WINSORIZED_MEAN: Kernel = Kernel {
    name: "rolling_winsorized_mean",
    family: Family::Rolling,
    summary: "Mean of the values in a moving window, the extreme ones pulled in to the next ones.",
    formula: "y[i] = mean of the values in the window of row i in order, the first and the last k replaced by the nearest of the others",
    notes: NOTES,
    source: "scipy.stats.mstats.winsorize; sorted arrays and Kulisch's accumulator.",
    parameters: PARAMETERS,
    example: r#""z", 3, proportion=0.4"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["column"], trimmed(arguments, true)?),
};

pub(crate) const EXPANDING_WINSORIZED_MEAN: Kernel = Kernel {
    name: "expanding_winsorized_mean",
    family: Family::Expanding,
    summary: "Mean of all values so far, the extreme ones pulled in to the next ones.",
    formula: "y[i] = mean of the values up to row i in order, the first and the last k replaced by the nearest of the others",
    notes: NOTES,
    source: "scipy.stats.mstats.winsorize; sorted arrays and Kulisch's accumulator.",
    parameters: EXPANDING,
    example: r#""z", proportion=0.4"#,
    build: |arguments, schema| expanding_ordered(arguments, schema, &["column"], trimmed(arguments, true)?),
};

/// Mean of the values in a moving window without the least and the greatest ones.
pub fn rolling_trimmed_mean(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_trimmed_mean", column, window)
}

/// Mean of all values so far without the least and the greatest ones.
pub fn expanding_trimmed_mean(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_trimmed_mean", column)
}

/// Mean of the values in a moving window, the extreme ones pulled in to the next ones.
pub fn rolling_winsorized_mean(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_winsorized_mean", column, window)
}

/// Mean of all values so far, the extreme ones pulled in to the next ones.
pub fn expanding_winsorized_mean(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_winsorized_mean", column)
}
