//! The position of the smallest and of the largest value: how many rows before the current one.

use std::marker::PhantomData;

use crate::drive::rolling_lanes;
use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::{Blocks, ByRow, Lanewise, Statistic, always};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Example, Inputs, Plan, Shape, Then, Window};
use crate::spec::{Arguments, Kind, Literal, Parameter};
use crate::values::{Domain, Input, Number, whole_number};

/// The number of the row with the smallest value, or the largest; of several such rows the first, or the last.
#[derive(Debug, Clone)]
pub struct ArgExtremum<T, const LARGEST: bool> {
    /// Whether the last of several rows with that value is wanted, not the first.
    pub last: bool,
    value: PhantomData<T>,
}

impl<T, const LARGEST: bool> ArgExtremum<T, LARGEST> {
    /// The statistic.
    pub fn new(last: bool) -> Self {
        Self { last, value: PhantomData }
    }
}

/// A type that can hold a row's number too.
pub trait Numbered: Value {
    /// A row's number; exact below 2^53.
    fn of_row(row: i64) -> Self;
    /// The row's number again.
    fn row(self) -> i64;
}

impl Numbered for f64 {
    #[expect(clippy::cast_precision_loss, reason = "a key has less than 2^53 rows")]
    fn of_row(row: i64) -> Self {
        row as f64
    }
    #[expect(clippy::cast_possible_truncation, reason = "only what `of_row` gave comes back")]
    fn row(self) -> i64 {
        self as i64
    }
}

impl Numbered for i64 {
    fn of_row(row: i64) -> Self {
        row
    }
    fn row(self) -> i64 {
        self
    }
}

impl<T: Numbered, const LARGEST: bool> ArgExtremum<T, LARGEST> {
    /// The wanted one of two rows, the earlier of which comes first.  NaN beats every number.
    #[inline(always)]
    #[expect(clippy::eq_op, reason = "only NaN differs from itself")]
    fn pick(&self, [now, row]: [T; 2], [x, at]: [T; 2]) -> [T; 2] {
        let none = T::of_row(-1);
        let (was_nan, is_nan) = (now != now, x != x);
        let beats = if LARGEST { x > now } else { x < now };
        let ties = (x == now) | (was_nan & is_nan);
        let later = (row == none) | (is_nan & !was_nan) | (beats & !was_nan) | (ties & self.last);
        if later & (at != none) { [x, at] } else { [now, row] }
    }
}

impl<T: Numbered, const LARGEST: bool> Statistic for ArgExtremum<T, LARGEST> {
    type Input = (T, i64);
    type Output = i64;
    /// The value, and the number of its row; -1 if there is none.
    type State = [T; 2];

    const TOTAL: bool = true;

    // Comparisons, looks for NaN and two choices.
    const SLOW_PUSH: bool = true;

    fn empty(&self) -> [T; 2] {
        [T::of_row(0), T::of_row(-1)]
    }

    #[inline(always)]
    fn push(&self, state: &mut [T; 2], (x, row): (T, i64), _anchor: (T, i64)) {
        *state = self.pick(*state, [x, T::of_row(row)]);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[T; 2], later: &[T; 2]) -> [T; 2] {
        self.pick(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, [_, row]: &[T; 2], _count: usize, _anchor: (T, i64)) -> Option<i64> {
        Some(row.row())
    }

    fn answer_blocks(&self, blocks: Blocks<(T, i64)>, answers: &mut [i64], valid: &mut [bool]) -> bool {
        if T::floats(&[]).is_none() {
            return false;
        }
        // Rows are numbered from the first one, so that a float holds their numbers.
        let base = blocks.before.first().map_or(0, |(_, row)| *row);
        let numbered = |rows: &[(T, i64)]| -> Vec<[f64; 2]> {
            rows.iter().map(|(x, row)| [x.above(*x), whole_number(*row - base)]).collect()
        };
        let (before, rows) = (numbered(blocks.before), numbered(blocks.rows));
        let blocks = blocks.of(before.as_slice(), rows.as_slice());
        let mut found = vec![0.0; answers.len()];
        let done =
            rolling_lanes::answer_blocks(&ArgExtremum::<f64, LARGEST>::new(self.last), blocks, &mut found, valid);
        answers.iter_mut().zip(found).filter(|_| done).for_each(|(answer, row)| *answer = base + row.row());
        done
    }
}

impl<const LARGEST: bool> Lanewise<2, 2, 1> for ArgExtremum<f64, LARGEST> {
    #[inline(always)]
    fn none<N: Number>(&self, like: N) -> [N; 2] {
        [like.like(0.0), like.like(-1.0)]
    }

    #[inline(always)]
    fn add<N: Number>(&self, state: &mut [N; 2], row: [N; 2], _anchor: [N; 2]) {
        *state = self.join(*state, row);
    }

    #[inline(always)]
    fn join<N: Number>(&self, [now, row]: [N; 2], [x, at]: [N; 2]) -> [N; 2] {
        // As `pick`.
        let (was_nan, is_nan) = (!now.is_at_most(now), !x.is_at_most(x));
        let beats = if LARGEST { now.is_below(x) } else { x.is_below(now) };
        let beats =
            if self.last { beats | (now.is_at_most(x) & x.is_at_most(now)) | (was_nan & is_nan) } else { beats };
        let later = row.below(0.0) | (is_nan & !was_nan) | beats;
        let later = later & !at.below(0.0);
        [now.or(later, x), row.or(later, at)]
    }

    #[inline(always)]
    fn answer<N: Number>(&self, [_, row]: [N; 2], _count: N, _anchor: [N; 2]) -> ([N; 1], N::Flag) {
        ([row], always(row))
    }
}

/// How many rows the found one is before the current one.
#[derive(Debug, Clone)]
pub struct Offset<T>(PhantomData<T>);

impl<T: Input> ByRow for Offset<T> {
    type Input = (T, i64);
    type Inner = i64;
    type Output = i64;

    fn with_row(&self, row: i64, current: (T, i64), _valid: bool) -> Option<i64> {
        Some(current.1 - row)
    }
}

fn plan<const LARGEST: bool>(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) =
        (Window::of(arguments)?, Inputs::of(arguments, &["column"])?.with_decimals().with_position());
    let column = arguments.column("column")?;
    let last = arguments.choice("ties", &[("first", false), ("last", true)])?;
    Ok(window.plan(move |window, binding| match inputs.exact_domain(binding, &column)? {
        Domain::Integer => {
            let wiring = inputs.bind::<(i64, i64), i64>(binding)?;
            let statistic = ArgExtremum::<i64, LARGEST>::new(last);
            window.statistic(binding, wiring, statistic, Then(Offset(PhantomData)))
        }
        _ => {
            let wiring = inputs.bind::<(f64, i64), i64>(binding)?;
            let statistic = ArgExtremum::<f64, LARGEST>::new(last);
            window.statistic(binding, wiring, statistic, Then(Offset(PhantomData)))
        }
    }))
}

const TIES: Parameter = Parameter::optional(
    "ties",
    Kind::Choice(&["first", "last"]),
    Literal::Text("first"),
    "Which of several rows with that value: the first or the last.",
);

const PARAMETERS: &[Parameter] = &[COLUMN, TIES];

const EXAMPLE: Example = &[("column", Literal::Text("z")), ("window", Literal::Count(3))];

const NOTES: &str = "Returns a 64-bit integer: 0 for the current row itself, 1 for the row before it. All rows of the key are \
    counted, including those with a null{; the result is negative for a later row of a centered window|}. Takes integers, booleans, \
    dates and times too. Nulls are skipped and do not count for `min_samples`. NaN beats every number. bottleneck takes the last \
    of several rows. Exact.";

pub(crate) const ARGMIN: Entry = Entry {
    names: &["rolling_argmin", "expanding_argmin"],
    shape: Shape::Windowed,
    summary: "How many rows ago the smallest value {in a moving window|so far} was.",
    formula: "y[i] = i - j, where x[j] is the smallest value {in the window of|up to} row i",
    notes: NOTES,
    source: "{bottleneck `move_argmin`; van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for \
             time|numpy `argmin` of every prefix}.",
    parameters: PARAMETERS,
    example: EXAMPLE,
    plan: plan::<false>,
    #[cfg(test)]
    reference: reference::argmin,
};

pub(crate) const ARGMAX: Entry = Entry {
    names: &["rolling_argmax", "expanding_argmax"],
    shape: Shape::Windowed,
    summary: "How many rows ago the largest value {in a moving window|so far} was.",
    formula: "y[i] = i - j, where x[j] is the largest value {in the window of|up to} row i",
    notes: NOTES,
    source: "{bottleneck `move_argmax`; van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for \
             time|numpy `argmax` of every prefix}.",
    parameters: PARAMETERS,
    example: EXAMPLE,
    plan: plan::<true>,
    #[cfg(test)]
    reference: reference::argmax,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, choice, column, exact, text, windows_of};

    pub fn argmin(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        positions(spec, table, f64::min)
    }

    pub fn argmax(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        positions(spec, table, f64::max)
    }

    fn positions(spec: &KernelSpec, table: &Table, better: fn(f64, f64) -> f64) -> Vec<Slow> {
        let (mut values, last) = (column(spec, table), choice(spec, "ties", "first") == "last");
        if text(spec, "column") == "whole" {
            // Differences, as integers near the end of their range are not all floats.
            let whole = table.times("whole");
            let base = whole.iter().max().copied().unwrap_or(0);
            values.iter_mut().zip(whole).for_each(|(x, whole)| *x = x.map(|_| whole.wrapping_sub(base) as f64));
        }
        let row = |i: usize| match windows_of(spec, table, &values, i) {
            Some(window) => position(&window, i, better, last),
            None => exact(None),
        };
        (0..values.len()).map(row).collect()
    }

    /// How many rows ago the extreme value was; `window` holds the rows' numbers and their values.
    fn position(window: &[(usize, f64)], current: usize, better: fn(f64, f64) -> f64, last: bool) -> Slow {
        let nan = window.iter().any(|(_, x)| x.is_nan());
        let best = window.iter().map(|(_, x)| *x).reduce(better);
        let mut found = window.iter().filter(|(_, x)| if nan { x.is_nan() } else { Some(*x) == best });
        let row = if last { found.next_back() } else { found.next() };
        exact(row.map(|(row, _)| current as f64 - *row as f64))
    }
}
