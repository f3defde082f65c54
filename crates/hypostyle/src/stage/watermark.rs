//! Orders within a key, times and window starts, which must not decrease, and the last position of each key in them.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Field;

use crate::error::{Error, ErrorKind, Result};
use crate::keys::shown_key;
use crate::spec::{Bounds, First};
use crate::values::{Operand, Output, read_integer, shown};

/// A value that must not decrease within a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// The times of the column at this index in the stage's fields.
    Time(usize),
    /// The start of windows that a column sets.
    Window(Starts),
    /// The time of each key's first row: a window that starts before it needs no row that is gone.
    First(usize),
    /// The times of a column by which keys are evicted.  They may decrease and be null: only the latest one of each key is
    /// used.
    Clock(usize),
}

/// Where the windows start that a column sets, for all kernels that have such windows; some of them may include their far end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Starts {
    /// The bounds, which include the far end if those of one kernel do: others have windows without rows more often.
    bounds: Bounds,
    /// Whether those of every kernel include it: the others drop one row more.
    all_inclusive: bool,
}

/// An order, the kernel that needs it, and the last position of each key in it.
#[derive(Debug, Clone)]
pub(crate) struct Watermark {
    pub(crate) order: Order,
    pub(crate) kernel: String,
    pub(crate) last: Vec<i64>,
}

/// The name of a stage's own order in messages.
pub(crate) const ORDER_BY: &str = "order_by";

/// The position of a key that has no row yet.
pub(crate) const BEFORE_ALL: i64 = i64::MIN;

/// What states of before [`Order::First`] say of a key's first time: a window may start before it.
pub(crate) const UNKNOWN: i64 = i64::MIN + 1;

impl Order {
    /// What the windows of a kernel need: where they start, and what bounds that.
    pub(crate) fn of_windows(bounds: &Bounds) -> impl Iterator<Item = Self> {
        let starts = Starts { bounds: bounds.clone(), all_inclusive: bounds.includes_far_end };
        bounds.time.map(Self::First).into_iter().chain([Self::Window(starts)])
    }

    /// Makes this order that of another kernel too, if it is the same.
    pub(crate) fn takes(&mut self, other: &Self) -> bool {
        match (&mut *self, other) {
            (Self::Window(own), Self::Window(starts)) => own.takes(starts),
            (own, other) => own == other,
        }
    }

    /// The column to name in errors about the order.
    pub(crate) fn column(&self) -> usize {
        match self {
            Self::Time(column) | Self::Clock(column) | Self::First(column) => *column,
            Self::Window(starts) => starts.bounds.column,
        }
    }

    /// Whether this is an order of the times of this column.
    pub(crate) fn tells_time(&self, time: usize) -> bool {
        matches!(self, Self::Time(column) | Self::Clock(column) if *column == time)
    }

    /// The name of the last positions in a saved state.
    pub(crate) fn saved_name(&self, fields: &[Field]) -> String {
        let name = fields[self.column()].name();
        match self {
            Self::Time(_) | Self::Clock(_) => format!("last:{name}"),
            Self::First(_) => format!("first:{name}"),
            Self::Window(Starts { bounds, .. }) => {
                let by = bounds.time.map_or("rows", |time| fields[time].name());
                format!("{}:{name} by {by}", if bounds.is_length { "length" } else { "start" })
            }
        }
    }

    fn rule(&self) -> Rule {
        Rule {
            takes_null: !matches!(self, Self::Time(_)),
            goes_back: matches!(self, Self::Clock(_)),
            is_first: matches!(self, Self::First(_)),
            leeway: i64::from(matches!(
                self,
                Self::Window(Starts { bounds: Bounds { is_length: true, time: None, .. }, .. })
            )),
        }
    }

    /// The order of the first times that bound where these windows start.
    fn bounded_by(&self) -> Option<Self> {
        match self {
            Self::Window(starts) => starts.bounds.time.map(Self::First),
            _ => None,
        }
    }

    /// The position of a window's start, if the time of its key's first row is this.
    fn bounded(&self, start: i64, first: i64) -> i64 {
        match self {
            Self::Window(starts) => start.max(starts.before_first(first)),
            _ => start,
        }
    }

    /// The rows' positions in the order; `numbers` are the rows' numbers within their keys.
    fn places<'r>(&self, rows: &'r RecordBatch, numbers: &[i64]) -> Result<Places<'r>> {
        let values = read_integer(rows.column(self.column()))?;
        let Self::Window(starts) = self else { return Ok(Places::Times(values)) };
        let start = |(here, bound): (&i64, &i64)| starts.of(*here, *bound);
        Ok(Places::Starts(match starts.bounds.time {
            Some(time) => read_integer(rows.column(time))?.iter().zip(values.iter()).map(start).collect(),
            None => numbers.iter().zip(values.iter()).map(start).collect(),
        }))
    }

    /// The position in the order of the row with this number within its key, if it has one.
    fn place(&self, row: &[Operand], number: i64) -> Option<i64> {
        let given = &row[self.column()];
        match self {
            _ if !given.valid => None,
            Self::Window(starts) => {
                starts.of(starts.bounds.time.map_or(number, |time| row[time].integer), given.integer)
            }
            _ => Some(given.integer),
        }
    }
}

/// The positions of rows in an order.
enum Places<'r> {
    Times(Cow<'r, [i64]>),
    /// `None` for a window without rows.
    Starts(Vec<Option<i64>>),
}

impl Places<'_> {
    fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::Times(times) => Some(times[row]),
            Self::Starts(starts) => starts[row],
        }
    }
}

impl Starts {
    /// Makes these those of another kernel too, if they differ in their far end at most.
    fn takes(&mut self, other: &Self) -> bool {
        let includes_far_end = self.bounds.includes_far_end || other.bounds.includes_far_end;
        let joined = Bounds { includes_far_end, ..self.bounds.clone() };
        if joined != (Bounds { includes_far_end, ..other.bounds.clone() }) {
            return false;
        }
        *self = Self { bounds: joined, all_inclusive: self.all_inclusive && other.all_inclusive };
        true
    }

    /// Where the window of a row at `here` starts, as far as it matters to later rows; `None` if it holds no rows.
    ///
    /// All windows that hold the first row of the key start at the same place.  If rows are counted, sizes are relative to the
    /// row.
    fn of(&self, here: i64, bound: i64) -> Option<i64> {
        if self.bounds.first(here, bound) == First::Empty {
            return None;
        }
        let start = self.bounds.far_end(here, bound);
        Some(match self.bounds.time {
            Some(_) => start,
            None if self.bounds.is_length => start.max(self.before_first(0)) - here,
            None => start.max(self.before_first(0)),
        })
    }

    /// The latest start of windows that hold a row at `first`.
    fn before_first(&self, first: i64) -> i64 {
        if self.all_inclusive { first } else { first.saturating_sub(1) }
    }
}

/// What an order requires of a column's rows, resolved once for all of them.
#[derive(Clone, Copy)]
struct Rule {
    takes_null: bool,
    goes_back: bool,
    is_first: bool,
    /// By how much the position of a key's next row may decrease: if a size counts rows, positions are relative to the row, and
    /// the next row is one further.
    leeway: i64,
}

impl Rule {
    /// The position of a key after a row at `place`; `None` if the row is not in order.
    #[inline]
    fn advance(self, last: i64, place: Option<i64>) -> Option<i64> {
        match place {
            None => self.takes_null.then(|| last.saturating_sub(self.leeway)),
            Some(place) if self.is_first => Some(if last == BEFORE_ALL { place.max(UNKNOWN) } else { last }),
            Some(place) if place < last => self.goes_back.then_some(last),
            Some(place) => Some(place.saturating_sub(self.leeway)),
        }
    }
}

/// The time of each key's first row, where an order needs them.
fn first_times<'w>(watermarks: &'w [Watermark], order: &Order) -> Option<&'w [i64]> {
    let wanted = order.bounded_by()?;
    watermarks.iter().find(|known| known.order == wanted).map(|known| known.last.as_slice())
}

/// The last one of times that never decrease, and that do not begin before `last`; `None` if there are others, or none at all.
fn latest_in_order(last: i64, times: &[i64]) -> Option<i64> {
    // Without a way out in between, which would cost more than it saves.
    let decrease = times.windows(2).fold(false, |found, pair| found | (pair[0] > pair[1]));
    (times.first().is_some_and(|first| last <= *first) && !decrease).then(|| times.last().copied())?
}

/// Checks that rows are in order within their key, and remembers the position of each of `total` keys; on an error nothing is
/// changed.  `rows_before` rows were read before these, and of each key `seen`, if that matters.
pub(crate) fn check(
    watermarks: &mut [Watermark],
    rows: &RecordBatch,
    keys: Option<&[u32]>,
    key_columns: &[usize],
    (total, rows_before): (usize, u64),
    seen: Option<&[i64]>,
) -> Result<()> {
    let key_of = |row: usize| keys.map_or(0, |keys| keys[row] as usize);
    let mut done: Vec<Vec<i64>> = Vec::new();
    let numbers = seen.filter(|_| watermarks.iter().any(|watermark| matches!(watermark.order, Order::Window(_))));
    let numbers = numbers.map_or_else(Vec::new, |seen| {
        let mut next = seen.to_vec();
        next.resize(total, 0);
        let number = |row| {
            next[key_of(row)] += 1;
            next[key_of(row)] - 1
        };
        (0..rows.num_rows()).map(number).collect()
    });
    let places =
        watermarks.iter().map(|watermark| watermark.order.places(rows, &numbers)).collect::<Result<Vec<_>>>()?;
    for at in 0..watermarks.len() {
        let (before, rest) = watermarks.split_at_mut(at);
        let Watermark { order, last, .. } = &mut rest[0];
        let first = first_times(before, order);
        last.resize(total, BEFORE_ALL);
        let (places, rule) = (&places[at], order.rule());
        let nulls = rows.column(order.column()).logical_nulls().filter(|nulls| nulls.null_count() > 0);
        if let (None, None, Order::Time(_), Places::Times(times), [only]) =
            (keys, &nulls, &*order, places, last.as_mut_slice())
            && let Some(latest) = latest_in_order(*only, times)
        {
            done.push(vec![std::mem::replace(only, latest)]);
            continue;
        }
        let mut replaced: Vec<i64> = Vec::with_capacity(if keys.is_some() { rows.num_rows() } else { 1 });
        let mut culprit = None;
        for row in 0..rows.num_rows() {
            let key = key_of(row);
            let previous = last[key];
            let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            let place = places.get(row).filter(|_| !null);
            let place = place.map(|place| first.map_or(place, |first| order.bounded(place, first[key])));
            let Some(next) = rule.advance(previous, place) else {
                culprit = Some((row, previous));
                break;
            };
            if keys.is_some() || row == 0 {
                replaced.push(previous);
            }
            last[key] = next;
        }
        done.push(replaced);
        let Some((row, previous)) = culprit else { continue };
        let error = watermarks[at].unsorted(rows, key_columns, row, rows_before, previous);
        // Undo, newest first.
        for (Watermark { last, .. }, replaced) in watermarks.iter_mut().zip(&done) {
            replaced.iter().enumerate().rev().for_each(|(row, place)| last[key_of(row)] = *place);
        }
        return Err(error);
    }
    Ok(())
}

/// The position of a key in one of the orders after a row with this number within the key, which may be new; `None` if the row
/// is not in order.
fn after(watermarks: &[Watermark], at: usize, row: &[Operand], key: Option<usize>, number: i64) -> Option<i64> {
    let Watermark { order, last, .. } = &watermarks[at];
    let place = order.place(row, number);
    let place = place.map(|place| match first_times(&watermarks[..at], order) {
        None => place,
        Some(first) => {
            let known = key.map(|key| first[key]).filter(|first| *first != BEFORE_ALL);
            // The first row of its key is this one.
            let own = order.bounded_by().and_then(|time| time.place(row, number));
            order.bounded(place, known.or(own).unwrap_or(BEFORE_ALL))
        }
    });
    order.rule().advance(key.map_or(BEFORE_ALL, |key| last[key]), place)
}

/// Whether the row with this number within its key, which may be new, is in order.
pub(crate) fn allows(watermarks: &[Watermark], row: &[Operand], key: Option<usize>, number: i64) -> bool {
    (0..watermarks.len()).all(|at| after(watermarks, at, row, key, number).is_some())
}

/// Remembers the position of a key after a row that is in order.
pub(crate) fn remember(watermarks: &mut [Watermark], row: &[Operand], key: usize, number: i64) {
    for at in 0..watermarks.len() {
        if let Some(next) = after(watermarks, at, row, Some(key), number) {
            watermarks[at].last[key] = next;
        }
    }
}

impl Watermark {
    /// Which rows are before an earlier row of their key, of `total` keys; the positions are as before afterwards.
    pub(crate) fn late(&mut self, rows: &RecordBatch, keys: Option<&[u32]>, total: usize) -> Result<BooleanArray> {
        let key_of = |row: usize| keys.map_or(0, |keys| keys[row] as usize);
        let column = rows.column(self.order.column());
        let (places, nulls) = (read_integer(column)?, column.logical_nulls());
        self.last.resize(total, BEFORE_ALL);
        let mut replaced = Vec::with_capacity(rows.num_rows());
        let late = (0..rows.num_rows()).map(|row| {
            let last = &mut self.last[key_of(row)];
            replaced.push(*last);
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                return false;
            }
            let is_late = places[row] < *last;
            *last = places[row].max(*last);
            is_late
        });
        let late: BooleanBuffer = late.collect();
        replaced.iter().enumerate().rev().for_each(|(row, place)| self.last[key_of(row)] = *place);
        Ok(BooleanArray::new(late, None))
    }

    /// The error of a row that is not in order, with its key and its number since the stage began.
    fn unsorted(
        &self,
        rows: &RecordBatch,
        key_columns: &[usize],
        row: usize,
        rows_before: u64,
        previous: i64,
    ) -> Error {
        let schema = rows.schema();
        let name = schema.field(self.order.column()).name();
        let (names, columns): (Vec<String>, Vec<ArrayRef>) =
            key_columns.iter().map(|place| (schema.field(*place).name().clone(), rows.column(*place).clone())).unzip();
        let for_key =
            if names.is_empty() { String::new() } else { format!(" for key {}", shown_key(&names, &columns, row)) };
        let number = rows_before + row as u64;
        let counted = match (rows_before, rows.num_rows()) {
            (0, _) => "rows are counted from 0".to_string(),
            (_, 1) => "rows are counted from 0 since the stage began".to_string(),
            _ => format!("row {row} of its batch; rows are counted from 0 since the stage began"),
        };
        let column = rows.column(self.order.column());
        let error = |problem: String| {
            Error::new(ErrorKind::Unsorted, problem).in_kernel(&self.kernel).at_column(name).at_row(number)
        };
        if let Order::Window(_) = self.order {
            return error(format!("the window start decreases{for_key} ({counted})"))
                .with_help("sort the rows, or run the kernel over a whole frame in memory");
        }
        let (ordered, value) = if self.kernel == ORDER_BY { ("column", "value") } else { ("time column", "time") };
        if column.is_null(row) {
            return error(format!("the {ordered} has a null{for_key} ({counted})"))
                .with_help(format!("drop or fill the rows without a {value}"));
        }
        let earlier = i64::into_array(vec![previous], None, column.data_type());
        let (here, before) = (shown(column, row), shown(&earlier, 0));
        let within = if names.is_empty() { "" } else { " within each key; rows of other keys may be in between" };
        error(format!("the {ordered} is not sorted{for_key}: {here} after {before} ({counted})"))
            .with_help(format!("sort by '{name}'{within}"))
    }
}
