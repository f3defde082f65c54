//! Where the least and the greatest value stand: how many rows before the current one.

use arrow::datatypes::{DataType, Schema};

use super::extremum::Ranked;
use super::{Part, Statistic};
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::column::{Domain, Input, Placed};
use crate::drive::by_row::ByRow;
use crate::error::Result;
use crate::kernel::{Running, Source};
use crate::record::Record;
use crate::windowed::{
    BY, CENTER, CLOSED, COLUMN, FROM_ONE, MIN_SAMPLES, STEP, Then, WINDOW, column_domain, expanding_around,
    expanding_spec, rolling_around, rolling_spec,
};

/// The number of the row with the least value, or the greatest; of the first such row, or the last.
#[derive(Debug, Clone)]
pub struct ArgExtremum<T, const GREATEST: bool> {
    /// Which of several rows with the same value.
    pub last: bool,
    value: std::marker::PhantomData<T>,
}

impl<T, const GREATEST: bool> ArgExtremum<T, GREATEST> {
    /// The statistic.
    pub fn new(last: bool) -> Self {
        Self { last, value: std::marker::PhantomData }
    }
}

/// A type that can hold a row's number too.
pub trait Numbered: Ranked {
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

impl<T: Numbered, const GREATEST: bool> ArgExtremum<T, GREATEST> {
    /// Of two rows, the earlier one first, the one that is looked for.  A NaN beats every number.
    #[inline(always)]
    #[expect(clippy::eq_op, reason = "only NaN differs from itself")]
    fn pick(&self, [now, row]: [T; 2], [x, at]: [T; 2]) -> [T; 2] {
        let none = T::of_row(-1);
        let (was_nan, is_nan) = (now != now, x != x);
        let beats = if GREATEST { x > now } else { x < now };
        let ties = (x == now) | (was_nan & is_nan);
        let later = (row == none) | (is_nan & !was_nan) | (beats & !was_nan) | (ties & self.last);
        if later & (at != none) { [x, at] } else { [now, row] }
    }
}

impl<T: Numbered, const GREATEST: bool> Statistic for ArgExtremum<T, GREATEST>
where
    Placed<T>: Input,
    T: Part + Record,
{
    type Input = Placed<T>;
    type Output = i64;
    /// The value, and the number of its row; -1 where there is none.
    type State = [T; 2];

    const TOTAL: bool = true;

    fn empty(&self) -> [T; 2] {
        [T::of_row(0), T::of_row(-1)]
    }

    #[inline(always)]
    fn push(&self, state: &mut [T; 2], x: Placed<T>, _anchor: Placed<T>) {
        *state = self.pick(*state, [x.value, T::of_row(x.place)]);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[T; 2], later: &[T; 2]) -> [T; 2] {
        self.pick(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, [_, row]: &[T; 2], _count: usize, _anchor: Placed<T>) -> Option<i64> {
        Some(row.row())
    }
}

/// How many rows the found one stands before the current one.
#[derive(Debug, Clone)]
pub struct Offset<T>(std::marker::PhantomData<T>);

impl<T: Send + Sync + Clone + 'static> ByRow for Offset<T>
where
    Placed<T>: Input,
{
    type Input = Placed<T>;
    type Inner = i64;
    type Output = i64;

    fn with_row(&self, row: i64, current: Placed<T>, _valid: bool) -> Option<i64> {
        Some(current.place - row)
    }
}

fn build<const GREATEST: bool>(arguments: &Arguments, schema: &Schema, rolling: bool) -> Result<Box<dyn Running>> {
    let last = arguments.text("ties").as_deref() == Some("last");
    let domain = column_domain(arguments, schema, "column")?;
    let (index, _) = crate::arguments::find_column(schema, arguments.kernel_name(), &arguments.column("column")?)?;
    let inputs = (vec![Source::Column { index, domain }, Source::Position], DataType::Int64);
    match (domain, rolling) {
        (Domain::Integer, true) => {
            let statistic = ArgExtremum::<i64, GREATEST>::new(last);
            rolling_around(arguments, schema, inputs, statistic, Then(Offset(std::marker::PhantomData)))
        }
        (Domain::Integer, false) => {
            let statistic = ArgExtremum::<i64, GREATEST>::new(last);
            Ok(expanding_around(arguments, inputs, statistic, Then(Offset(std::marker::PhantomData))))
        }
        (_, true) => {
            let statistic = ArgExtremum::<f64, GREATEST>::new(last);
            rolling_around(arguments, schema, inputs, statistic, Then(Offset(std::marker::PhantomData)))
        }
        (_, false) => {
            let statistic = ArgExtremum::<f64, GREATEST>::new(last);
            Ok(expanding_around(arguments, inputs, statistic, Then(Offset(std::marker::PhantomData))))
        }
    }
}

const TIES: Parameter = Parameter::optional(
    "ties",
    Kind::Choice(&["first", "last"]),
    Literal::Text("first"),
    "Which of several rows with that value: the first, or the last.",
);

const PARAMETERS: &[Parameter] = &[COLUMN, WINDOW, TIES, BY, MIN_SAMPLES, CLOSED, CENTER, STEP];

const EXPANDING: &[Parameter] = &[COLUMN, TIES, FROM_ONE];

const NOTES: &str = "Gives a 64-bit integer: 0 for the current row itself, 1 for the row before it, counting the rows of the \
    key, those with a null too; negative for a later row of a centred window. Takes integers, booleans, dates and times \
    too. Nulls are skipped and do not count for `min_samples`; NaN wins over every number. bottleneck takes the last of several. Exact.";

pub(crate) const ROLLING_ARGMIN: Kernel = Kernel {
    name: "rolling_argmin",
    family: Family::Rolling,
    summary: "How many rows ago the least value in a moving window was.",
    formula: "y[i] = i - j, where x[j] is the least value in the window of row i",
    notes: NOTES,
    source: "bottleneck `move_argmin`; van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time.",
    parameters: PARAMETERS,
    example: r#""x", 3, min_samples=1"#,
    build: |arguments, schema| build::<false>(arguments, schema, true),
};

pub(crate) const ROLLING_ARGMAX: Kernel = Kernel {
    name: "rolling_argmax",
    family: Family::Rolling,
    summary: "How many rows ago the greatest value in a moving window was.",
    formula: "y[i] = i - j, where x[j] is the greatest value in the window of row i",
    notes: NOTES,
    source: "bottleneck `move_argmax`; van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time.",
    parameters: PARAMETERS,
    example: r#""x", 3, min_samples=1"#,
    build: |arguments, schema| build::<true>(arguments, schema, true),
};

pub(crate) const EXPANDING_ARGMIN: Kernel = Kernel {
    name: "expanding_argmin",
    family: Family::Expanding,
    summary: "How many rows ago the least value so far was.",
    formula: "y[i] = i - j, where x[j] is the least value up to row i",
    notes: NOTES,
    source: "numpy `argmin` of every prefix.",
    parameters: EXPANDING,
    example: r#""x""#,
    build: |arguments, schema| build::<false>(arguments, schema, false),
};

pub(crate) const EXPANDING_ARGMAX: Kernel = Kernel {
    name: "expanding_argmax",
    family: Family::Expanding,
    summary: "How many rows ago the greatest value so far was.",
    formula: "y[i] = i - j, where x[j] is the greatest value up to row i",
    notes: NOTES,
    source: "numpy `argmax` of every prefix.",
    parameters: EXPANDING,
    example: r#""x""#,
    build: |arguments, schema| build::<true>(arguments, schema, false),
};

/// How many rows ago the least value in a moving window was.
pub fn rolling_argmin(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_argmin", column, window)
}

/// How many rows ago the greatest value in a moving window was.
pub fn rolling_argmax(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_argmax", column, window)
}

/// How many rows ago the least value so far was.
pub fn expanding_argmin(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_argmin", column)
}

/// How many rows ago the greatest value so far was.
pub fn expanding_argmax(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_argmax", column)
}
