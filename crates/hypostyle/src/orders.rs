//! What must not go back within a key, and how far each key has come: times, and the far ends of windows that a column
//! bounds.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::Field;

use crate::cell::Given;
use crate::column::{Output, read_integer, shown};
use crate::error::{Error, ErrorKind, Result};
use crate::keys::shown_key;
use crate::spec::{KernelSpec, Value};
use crate::window::Bounds;

/// What must not go back within a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// The times of the column at this place in the stage's fields.
    Time(usize),
    /// Where the windows begin that a column bounds.
    Window(Bounds),
    /// The times of a column by which keys are forgotten.  They may go back and be null: only the last one of each key
    /// counts.
    Clock(usize),
}

/// An order, and how far each key has come in it.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    pub(crate) order: Order,
    pub(crate) last: Vec<i64>,
}

/// Where a key stands that has no row yet.
pub(crate) const BEFORE_ALL: i64 = i64::MIN;

impl Order {
    /// Which of its ends belong to a window makes no difference.
    pub(crate) fn of_window(bounds: &Bounds) -> Self {
        Self::Window(Bounds { includes_far_end: true, ..bounds.clone() })
    }

    /// The column that is at fault where the order is broken.
    pub(crate) fn column(&self) -> usize {
        match self {
            Self::Time(column) | Self::Clock(column) => *column,
            Self::Window(bounds) => bounds.column,
        }
    }

    /// Whether it is an order of the times of this column.
    pub(crate) fn tells_time(&self, time: usize) -> bool {
        matches!(self, Self::Time(column) | Self::Clock(column) if *column == time)
    }

    /// The name that a saved state has for how far each key has come.
    pub(crate) fn saved_name(&self, fields: &[Field]) -> String {
        let name = fields[self.column()].name();
        match self {
            Self::Time(_) | Self::Clock(_) => format!("last:{name}"),
            Self::Window(bounds) => {
                let by = bounds.time.map_or("rows", |time| fields[time].name());
                format!("{}:{name} by {by}", if bounds.is_length { "length" } else { "start" })
            }
        }
    }

    fn rule(&self) -> Rule {
        Rule {
            takes_null: !matches!(self, Self::Time(_)),
            goes_back: matches!(self, Self::Clock(_)),
            leeway: i64::from(matches!(self, Self::Window(Bounds { is_length: true, time: None, .. }))),
        }
    }

    /// The rows' places in the order.
    fn places<'r>(&self, rows: &'r RecordBatch) -> Cow<'r, [i64]> {
        let values = read_integer(rows.column(self.column()));
        match self {
            Self::Window(bounds) if bounds.is_length => match bounds.time {
                Some(time) => {
                    let times = read_integer(rows.column(time));
                    times.iter().zip(values.iter()).map(|(time, length)| bounds.far_end(*time, *length)).collect()
                }
                None => values.iter().map(|length| bounds.far_end(0, *length)).collect(),
            },
            _ => values,
        }
    }

    /// A row's place in the order, if it has one.
    fn place(&self, row: &[Given]) -> Option<i64> {
        let given = &row[self.column()];
        given.valid.then(|| match self {
            Self::Window(bounds) => bounds.far_end(bounds.time.map_or(0, |time| row[time].integer), given.integer),
            _ => given.integer,
        })
    }
}

/// What an order asks of a column's rows, looked up once for all of them.
#[derive(Clone, Copy)]
struct Rule {
    takes_null: bool,
    goes_back: bool,
    /// By how much the place of a key's next row may lie before that of a row: where a length counts rows, places are seen
    /// from the row, and the next one is a row further on.
    leeway: i64,
}

impl Rule {
    /// How far a key has come with a row at `place`; `None` where it may not stand there.
    #[inline]
    fn advance(self, last: i64, place: Option<i64>) -> Option<i64> {
        match place {
            None => self.takes_null.then(|| last.saturating_sub(self.leeway)),
            Some(place) if place < last => self.goes_back.then_some(last),
            Some(place) => Some(place.saturating_sub(self.leeway)),
        }
    }
}

/// Checks that nothing goes back within its key, and remembers how far each of `total` keys has come; on an error nothing is
/// remembered.  `rows_before` rows came before these.
pub(crate) fn check(
    progress: &mut [Progress],
    rows: &RecordBatch,
    keys: Option<&[u32]>,
    (total, rows_before): (usize, u64),
    specs: &[KernelSpec],
) -> Result<()> {
    let key_of = |row: usize| keys.map_or(0, |keys| keys[row] as usize);
    let mut done: Vec<Vec<i64>> = Vec::new();
    for at in 0..progress.len() {
        let Progress { order, last } = &mut progress[at];
        last.resize(total, BEFORE_ALL);
        let (places, rule) = (order.places(rows), order.rule());
        let nulls = rows.column(order.column()).logical_nulls().filter(|nulls| nulls.null_count() > 0);
        let mut replaced: Vec<i64> = Vec::with_capacity(if keys.is_some() { rows.num_rows() } else { 1 });
        let mut culprit = None;
        for (row, place) in places.iter().enumerate() {
            let key = key_of(row);
            let previous = last[key];
            let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            let Some(next) = rule.advance(previous, (!null).then_some(*place)) else {
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
        let error = order_error(rows, order, row, rows_before, previous, specs);
        // Undo, newest first.
        for (Progress { last, .. }, replaced) in progress.iter_mut().zip(&done) {
            replaced.iter().enumerate().rev().for_each(|(row, place)| last[key_of(row)] = *place);
        }
        return Err(error);
    }
    Ok(())
}

/// Whether a row of a key, or of a new one, may come next.
pub(crate) fn allows(progress: &[Progress], row: &[Given], key: Option<usize>) -> bool {
    progress.iter().all(|Progress { order, last }| {
        let last = key.map_or(BEFORE_ALL, |key| last[key]);
        order.rule().advance(last, order.place(row)).is_some()
    })
}

/// Remembers how far a key has come with a row that may come next.
pub(crate) fn remember(progress: &mut [Progress], row: &[Given], key: usize) {
    for Progress { order, last } in progress {
        if let Some(next) = order.rule().advance(last[key], order.place(row)) {
            last[key] = next;
        }
    }
}

/// What is wrong with the time in a row, with its key, its number since the stage began, and the way out.
fn order_error(
    rows: &RecordBatch,
    order: &Order,
    row: usize,
    rows_before: u64,
    previous: i64,
    specs: &[KernelSpec],
) -> Error {
    let name = rows.schema().field(order.column()).name().clone();
    let mentions = match order {
        Order::Time(_) | Order::Clock(_) => Value::Text(name.clone()),
        Order::Window(bounds) if bounds.is_length => Value::LengthIn(name.clone()),
        Order::Window(_) => Value::StartIn(name.clone()),
    };
    let kernel = specs
        .iter()
        .find(|spec| spec.parameters.values().any(|value| *value == mentions))
        .map_or("", |spec| spec.name.as_str());
    let over = &specs[0].over;
    let columns: Vec<ArrayRef> = over.iter().filter_map(|key| rows.column_by_name(key).cloned()).collect();
    let of_key = if over.is_empty() { String::new() } else { format!(" of key {}", shown_key(over, &columns, row)) };
    let number = rows_before + row as u64;
    let column = rows.column(order.column());
    if let Order::Window(_) = order {
        let message = format!(
            "{kernel}: column '{name}' lets a window begin before the one of the row above, in row {number}{of_key} (rows \
             are counted from 0), and a stage keeps only what windows still need; run the kernel over a whole frame in \
             memory, or let the column not go back"
        );
        return Error::new(ErrorKind::Order, message);
    }
    let problem = if column.is_null(row) {
        format!("is null in row {number}{of_key}; drop or fill such rows first")
    } else {
        let earlier = i64::into_array(vec![previous], None, column.data_type());
        format!(
            "decreases in row {number}{of_key}: {} after {}; sort by it first{}",
            shown(column, row),
            shown(&earlier, 0),
            if over.is_empty() { "" } else { " (rows of other keys may stand in between)" }
        )
    };
    Error::new(ErrorKind::Order, format!("{kernel}: time column '{name}' {problem} (rows are counted from 0)"))
}
