//! Quantiles of the values in a window.

use super::abreast::{OfSorted, Positions, in_order, sorted_abreast};
use super::block_order::neighbors;
use super::block_rank::{Within, by_blocks};
use super::median::mean_of_two;
use super::sorted::{SHORT, SortedValues, has_nan};
use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::OrderedWindow;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Plan, Shape};
use crate::spec::{Arguments, Kind, Literal, Parameter};

/// The value of a quantile between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// On the straight line between them.
    Linear,
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
    /// The nearer one; half way, the one with the even position.
    Nearest,
    /// Their mean.
    Midpoint,
}

/// The quantile of the values: 0 is the smallest, 1 the largest.
#[derive(Debug, Clone)]
pub struct Quantile {
    /// Which one, from 0 to 1.
    pub quantile: f64,
    /// Its value between two values.
    pub interpolation: Interpolation,
}

/// The value at this part of the way from one value to a larger one; never outside of them.
fn on_the_line(lower: f64, upper: f64, part: f64) -> f64 {
    let width = upper - lower;
    if width.is_finite() {
        return (lower + width * part).min(upper);
    }
    match (lower.is_finite(), upper.is_finite()) {
        (true, true) => lower * (1.0 - part) + upper * part, // only their distance is too large
        (false, true) => lower,
        (true, false) => upper,
        (false, false) => f64::NAN,
    }
}

/// The positions of the two values around a quantile, and how far it is from the lower one.
#[derive(Debug, Clone, Copy)]
struct Position {
    lower: usize,
    upper: usize,
    part: f64,
}

impl Quantile {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a position among less than 2^53 values"
    )]
    fn position(&self, count: usize) -> Position {
        let exact = self.quantile * (count - 1) as f64;
        let lower = (exact as usize).min(count - 1);
        let part = exact - lower as f64;
        Position { lower, upper: if part > 0.0 { (lower + 1).min(count - 1) } else { lower }, part }
    }

    fn between(&self, position: Position, lower: f64, upper: f64) -> f64 {
        if position.part == 0.0 || lower == upper {
            return lower;
        }
        match self.interpolation {
            Interpolation::Linear => on_the_line(lower, upper, position.part),
            Interpolation::Lower => lower,
            Interpolation::Higher => upper,
            Interpolation::Midpoint => mean_of_two(lower, upper),
            Interpolation::Nearest if position.part == 0.5 && position.lower.is_multiple_of(2) => lower,
            Interpolation::Nearest if position.part < 0.5 => lower,
            Interpolation::Nearest => upper,
        }
    }

    /// The quantile of a multiset that is not empty, above a base.
    pub(super) fn of<T: Value>(&self, state: &SortedValues<T>, base: T) -> f64 {
        let position = self.position(state.len());
        self.between(position, state.nth(position.lower).above(base), state.nth(position.upper).above(base))
    }

    /// The quantile of a window that is not empty.
    #[inline(always)]
    pub(super) fn within(&self, within: &Within<f64>) -> f64 {
        let position = self.position(within.count);
        let lower = within.nth(position.lower);
        let upper = if position.upper > position.lower { within.nth(position.upper) } else { lower };
        self.between(position, lower, upper)
    }
}

impl OfSorted for Quantile {
    type Output = f64;

    #[inline(always)]
    fn of_some(&self, sorted: &Positions, window: usize, count: usize) -> Option<f64> {
        let position = self.position(count);
        Some(self.between(position, sorted[position.lower][window], sorted[position.upper][window]))
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
        (!state.is_empty()).then(|| self.of(state, 0.0))
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
                    next(within.count, (within.count > 0).then(|| self.within(within)));
                },
            );
            return true;
        }
        let position = self.position(len);
        neighbors(rows, len, position.upper, |lower, upper| {
            next(len, Some(self.between(position, if position.upper > position.lower { lower } else { upper }, upper)));
        });
        true
    }

    fn heap_bytes(&self, state: &SortedValues) -> usize {
        state.heap_bytes()
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let quantile = arguments.number("quantile")?;
    if !(0.0..=1.0).contains(&quantile) {
        return Err(arguments.refuse("quantile", format!("must be from 0 to 1, got {quantile}")));
    }
    let meanings = [
        ("linear", Interpolation::Linear),
        ("lower", Interpolation::Lower),
        ("higher", Interpolation::Higher),
        ("nearest", Interpolation::Nearest),
        ("midpoint", Interpolation::Midpoint),
    ];
    let interpolation = arguments.choice("interpolation", &meanings)?;
    Plan::ordered(arguments, &["column"], Quantile { quantile, interpolation })
}

const QUANTILE_PARAMETER: Parameter =
    Parameter::required("quantile", Kind::Number, "Which quantile: from 0, the smallest value, to 1, the largest.");

const INTERPOLATION: Parameter = Parameter::optional(
    "interpolation",
    Kind::Choice(&["linear", "lower", "higher", "nearest", "midpoint"]),
    Literal::Text("linear"),
    "The value of a quantile between two values; half way, 'nearest' takes the one with the even position.",
);

pub(crate) const QUANTILE: Entry = Entry {
    names: &["rolling_quantile", "expanding_quantile"],
    shape: Shape::Windowed,
    summary: "Quantile of {the values in a moving window|all values so far}.",
    formula: "y[i] = the value at position quantile * (n - 1), counted from 0, of the n sorted values {in the window of|up to} row i",
    notes: "Nulls are skipped and do not count for `min_samples`. {A window with a NaN gives NaN|After a NaN the result is NaN}; \
            infinities are values. Exact, except for the rounding of the interpolation.{| The state holds every value of the key.}",
    source: "pandas `Series.{rolling|expanding}().quantile()`; {Suomela (2014) for long runs of values; sorted arrays otherwise|sorted \
             arrays}.",
    parameters: &[COLUMN, QUANTILE_PARAMETER, INTERPOLATION],
    example: &[
        ("column", Literal::Text("x")),
        ("quantile", Literal::Number(0.75)),
        ("window", Literal::Count(3)),
        ("min_samples", Literal::Count(2)),
    ],
    plan,
    #[cfg(test)]
    reference: reference::quantile,
};

/// Sorts each window.
#[cfg(test)]
pub(super) mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, choice, exact, median, number, of_column, ordered};

    pub fn quantile(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (quantile, interpolation) = (number(spec, "quantile").unwrap(), choice(spec, "interpolation", "linear"));
        of_column(spec, table, |window| of_window(window, quantile, &interpolation))
    }

    pub fn of_window(window: &[f64], quantile: f64, interpolation: &str) -> Slow {
        let Some(sorted) = ordered(window) else { return exact(Some(f64::NAN)) };
        if sorted.is_empty() {
            return exact(None);
        }
        let position = quantile * (sorted.len() - 1) as f64;
        let (lower, upper) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
        exact(Some(match interpolation {
            _ if lower == upper => lower,
            "lower" => lower,
            "higher" => upper,
            "nearest" => sorted[position.round_ties_even() as usize],
            "midpoint" => median(&[lower, upper]).answer.unwrap(),
            // Halves, so that the distance of two huge values is finite.
            _ if lower.is_infinite() || upper.is_infinite() => lower + upper,
            _ => {
                let (lower, upper) = (lower / 2.0, upper / 2.0);
                if upper - lower > 1e300 {
                    2.0 * (lower * (1.0 - position.fract()) + upper * position.fract())
                } else {
                    sorted[position.floor() as usize]
                        + (sorted[position.ceil() as usize] - sorted[position.floor() as usize]) * position.fract()
                }
            }
        }))
    }
}
