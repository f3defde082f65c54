//! Quantiles of a moving window.

use super::OrderedWindow;
use super::block_order::neighbours;
use super::block_rank::by_blocks;
use super::median::mean_of_two;
use super::sorted::{SHORT, SortedValues, has_nan};
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::error::Result;
use crate::windowed::{
    BY, CENTER, CLOSED, COLUMN, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding_ordered, rolling_ordered,
};

/// What a quantile between two values is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// On the straight line between them.
    Linear,
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
    /// The nearer one; half way, the one with the even place.
    Nearest,
    /// Their mean.
    Midpoint,
}

/// The quantile of the values, 0 the least and 1 the greatest.
#[derive(Debug, Clone)]
pub struct Quantile {
    /// Which one, from 0 to 1.
    pub quantile: f64,
    /// What it is between two values.
    pub interpolation: Interpolation,
}

/// The places of the two values around a quantile, and how far from the lower one it is.
#[derive(Debug, Clone, Copy)]
struct Place {
    lower: usize,
    upper: usize,
    part: f64,
}

impl Quantile {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place among less than 2^53 values"
    )]
    fn place(&self, count: usize) -> Place {
        let exact = self.quantile * (count - 1) as f64;
        let lower = (exact as usize).min(count - 1);
        let part = exact - lower as f64;
        Place { lower, upper: if part > 0.0 { (lower + 1).min(count - 1) } else { lower }, part }
    }

    fn between(&self, place: Place, lower: f64, upper: f64) -> f64 {
        if place.part == 0.0 || lower == upper {
            return lower;
        }
        match self.interpolation {
            Interpolation::Linear => lower + (upper - lower) * place.part,
            Interpolation::Lower => lower,
            Interpolation::Higher => upper,
            Interpolation::Midpoint => mean_of_two(lower, upper),
            Interpolation::Nearest if place.part == 0.5 && place.lower.is_multiple_of(2) => lower,
            Interpolation::Nearest if place.part < 0.5 => lower,
            Interpolation::Nearest => upper,
        }
    }

    /// The quantile of a multiset that is not empty.
    pub(super) fn of(&self, state: &SortedValues) -> f64 {
        let place = self.place(state.len());
        self.between(place, state.nth(place.lower), state.nth(place.upper))
    }
}

impl OrderedWindow for Quantile {
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
        (!state.is_empty()).then(|| self.of(state))
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
                let value = |place: Place| {
                    let lower = within.nth(place.lower);
                    let upper = if place.upper > place.lower { within.nth(place.upper) } else { lower };
                    self.between(place, lower, upper)
                };
                answer(within.count, (within.count > 0).then(|| value(self.place(within.count))));
            });
            return true;
        }
        let place = self.place(len);
        neighbours(rows, len, place.upper, |lower, upper| {
            answer(len, Some(self.between(place, if place.upper > place.lower { lower } else { upper }, upper)));
        });
        true
    }

    fn heap_bytes(&self, state: &SortedValues) -> usize {
        state.heap_bytes()
    }
}

fn quantile(arguments: &Arguments) -> Result<Quantile> {
    let quantile = arguments.number("quantile").unwrap_or(f64::NAN);
    if !(0.0..=1.0).contains(&quantile) {
        return Err(arguments.refuse("quantile", format!("must be from 0 to 1, not {quantile}")));
    }
    let interpolation = match arguments.text("interpolation").as_deref() {
        Some("lower") => Interpolation::Lower,
        Some("higher") => Interpolation::Higher,
        Some("nearest") => Interpolation::Nearest,
        Some("midpoint") => Interpolation::Midpoint,
        _ => Interpolation::Linear,
    };
    Ok(Quantile { quantile, interpolation })
}

const QUANTILE: Parameter =
    Parameter::required("quantile", Kind::Number, "Which quantile: from 0, the least value, to 1, the greatest.");

const INTERPOLATION: Parameter = Parameter::optional(
    "interpolation",
    Kind::Choice(&["linear", "lower", "higher", "nearest", "midpoint"]),
    Literal::Text("linear"),
    "What a quantile between two values is; 'nearest' takes the value with the even place half way.",
);

pub(crate) const ROLLING_QUANTILE: Kernel = Kernel {
    name: "rolling_quantile",
    family: Family::Rolling,
    summary: "Quantile of the values in a moving window.",
    formula: "y[i] = the value at place quantile * (n - 1), counted from 0, of the n values in the window of row i in order",
    notes: "Nulls are skipped and do not count for `min_samples`; a window with a NaN gives NaN; infinities are values. Exact, but \
            for the rounding of the interpolation.",
    source: "pandas `Series.rolling().quantile()`; Suomela (2014) for long runs of values; sorted arrays otherwise.",
    parameters: &[COLUMN, QUANTILE, WINDOW, INTERPOLATION, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""x", 0.75, 3"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["column"], quantile(arguments)?),
};

pub(crate) const EXPANDING_QUANTILE: Kernel = Kernel {
    name: "expanding_quantile",
    family: Family::Expanding,
    summary: "Quantile of all values so far.",
    formula: "y[i] = the value at place quantile * (n - 1), counted from 0, of the n values up to row i in order",
    notes: "Nulls are skipped and do not count for `min_samples`; once there was a NaN the answer is NaN; infinities are values. \
            Exact, but for the rounding of the interpolation. The state holds every value of the key.",
    source: "pandas `Series.expanding().quantile()`; sorted arrays.",
    parameters: &[COLUMN, QUANTILE, INTERPOLATION, FROM_ONE],
    example: r#""x", 0.75"#,
    build: |arguments, schema| expanding_ordered(arguments, schema, &["column"], quantile(arguments)?),
};

/// Quantile of the values in a moving window.
pub fn rolling_quantile(
    column: impl Into<String>,
    quantile: f64,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    crate::KernelSpec::new("rolling_quantile")
        .with("column", column.into())
        .with("quantile", quantile)
        .with("window", window)
}

/// Quantile of all values so far.
pub fn expanding_quantile(column: impl Into<String>, quantile: f64) -> crate::KernelSpec {
    crate::KernelSpec::new("expanding_quantile").with("column", column.into()).with("quantile", quantile)
}
