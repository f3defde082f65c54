//! A stage's kernels bound to their columns: the checks, the keys and the walk over a batch, all or nothing.

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema};
use arrow::util::display::array_value_to_string;
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

use crate::arguments::find_column;
use crate::column::read_integer;
use crate::error::{Error, ErrorKind, Result};
use crate::groups::Groups;
use crate::kernel::{Batch, Running};
use crate::keys::Keys;
use crate::spec::{KernelSpec, Value};
use crate::window::Bounds;

/// Grouped rows are taken in slices of this many, so that a slice's columns stay in cache while they are put into key
/// order and back.
const SLICE: usize = 1 << 17;

/// As [`SLICE`], where the states of all keys don't fit into the cache: fetching a state then costs more than a column out
/// of cache, so that a key should have many rows when its turn comes.
const LONG_SLICE: usize = 1 << 23;

/// What the states of all keys may take for short slices.
const CACHED_STATES: usize = 2 << 20;

/// What a stage knows once it has seen the types of its columns.
pub(crate) struct Bound {
    /// The columns that the kernels read, and the keys, with their types.
    pub(crate) fields: Vec<Field>,
    /// The kernels, bound to `fields`.
    pub(crate) kernels: Vec<Box<dyn Running>>,
    pub(crate) keys: Option<Keys>,
    /// What must not go back within a key, and how far each key has come.
    pub(crate) orders: Vec<(Order, Vec<i64>)>,
    /// How many rows of each key there were, where a kernel asks for a row's number.
    pub(crate) seen: Option<Vec<i64>>,
    pub(crate) rows: u64,
}

/// What must not go back within a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// The times of the column at this place in `fields`.
    Time(usize),
    /// Where the windows begin that a column bounds.
    Window(Bounds),
}

impl Order {
    /// Which of its ends belong to a window makes no difference.
    pub(crate) fn of_window(bounds: &Bounds) -> Self {
        Self::Window(Bounds { includes_far_end: true, ..bounds.clone() })
    }

    /// The column that is at fault where the order is broken.
    pub(crate) fn column(&self) -> usize {
        match self {
            Self::Time(column) => *column,
            Self::Window(bounds) => bounds.column,
        }
    }

    /// The name that a saved state has for how far each key has come.
    pub(crate) fn saved_name(&self, fields: &[Field]) -> String {
        let name = fields[self.column()].name();
        match self {
            Self::Time(_) => format!("last:{name}"),
            Self::Window(bounds) => {
                let by = bounds.time.map_or("rows", |time| fields[time].name());
                format!("{}:{name} by {by}", if bounds.is_length { "length" } else { "start" })
            }
        }
    }

    /// By how much the place of a key's next row may lie before that of a row: where a length counts rows, places are seen
    /// from the row, and the next one is a row further on.
    fn leeway(&self) -> i64 {
        i64::from(matches!(self, Self::Window(Bounds { is_length: true, time: None, .. })))
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
}

impl Clone for Bound {
    fn clone(&self) -> Self {
        Self {
            fields: self.fields.clone(),
            kernels: self.kernels.iter().map(|kernel| kernel.clone_boxed()).collect(),
            keys: self.keys.clone(),
            orders: self.orders.clone(),
            seen: self.seen.clone(),
            rows: self.rows,
        }
    }
}

impl Bound {
    pub(crate) fn key_count(&self) -> usize {
        self.keys.as_ref().map_or(1, Keys::len)
    }

    pub(crate) fn resize(&mut self, keys: usize) {
        self.kernels.iter_mut().for_each(|kernel| kernel.resize(keys));
        self.orders.iter_mut().for_each(|(_, last)| last.resize(keys, i64::MIN));
        self.seen.iter_mut().for_each(|seen| seen.resize(keys, 0));
    }

    /// The stage's own columns of a batch, in the order of `fields`.
    pub(crate) fn project(&self, batch: &RecordBatch, kernel: &str) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(self.fields.len());
        let mut fields = Vec::with_capacity(self.fields.len());
        for known in &self.fields {
            let (index, data_type) = find_column(batch.schema_ref(), kernel, known.name())?;
            if !Keys::compatible(data_type, known.data_type()) {
                return Err(Error::new(
                    ErrorKind::ColumnType,
                    format!(
                        "column '{}' has type {data_type}, but it had type {} in earlier batches; cast it first",
                        known.name(),
                        known.data_type()
                    ),
                ));
            }
            fields.push(Field::new(known.name(), data_type.clone(), true));
            columns.push(batch.column(index).clone());
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }

    /// Answers a batch, or leaves everything as it was.
    pub(crate) fn run(&mut self, batch: &RecordBatch, specs: &[KernelSpec], threads: usize) -> Result<Vec<ArrayRef>> {
        let own = self.project(batch, &specs[0].name)?;
        let keys_before = self.key_count();
        let keys = self.number_keys(&own, &specs[0].over, threads)?;
        let key_count = self.key_count();
        if let Err(error) = self.check_orders(&own, keys.as_deref(), specs) {
            if let Some(known) = &mut self.keys {
                known.truncate(keys_before);
            }
            self.resize(keys_before);
            return Err(error);
        }
        self.resize(key_count);
        self.rows += own.num_rows() as u64;
        let numbers = Numbers { keys, key_count, seen: self.seen.as_deref_mut() };
        Ok(run_kernels(&mut self.kernels, &own, numbers, threads))
    }

    fn key_columns(&self, rows: &RecordBatch, over: &[String]) -> Vec<ArrayRef> {
        over.iter().filter_map(|key| rows.column_by_name(key).cloned()).collect()
    }

    fn number_keys(&mut self, rows: &RecordBatch, over: &[String], threads: usize) -> Result<Option<Vec<u32>>> {
        let columns = self.key_columns(rows, over);
        self.keys.as_mut().map(|keys| keys.number(&columns, threads)).transpose()
    }

    /// Checks that no time is null and nothing goes back within its key, and remembers how far each key has come; on an
    /// error nothing is remembered.
    fn check_orders(&mut self, rows: &RecordBatch, keys: Option<&[u32]>, specs: &[KernelSpec]) -> Result<()> {
        let (total, before) = (self.key_count(), self.rows);
        let mut done: Vec<Vec<i64>> = Vec::new();
        for at in 0..self.orders.len() {
            let (order, last) = &mut self.orders[at];
            last.resize(total, i64::MIN);
            let (places, leeway) = (order.places(rows), order.leeway());
            let nulls = rows.column(order.column()).logical_nulls();
            let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            let takes_null = matches!(order, Order::Window(_));
            let mut replaced: Vec<i64> = Vec::with_capacity(if keys.is_some() { rows.num_rows() } else { 1 });
            let mut culprit = None;
            for (row, place) in places.iter().enumerate() {
                let key = keys.map_or(0, |keys| keys[row] as usize);
                let previous = last[key];
                let null = is_null(row);
                if if null { !takes_null } else { *place < previous } {
                    culprit = Some((row, previous));
                    break;
                }
                if keys.is_some() || row == 0 {
                    replaced.push(previous);
                }
                last[key] = if null { previous } else { *place }.saturating_sub(leeway);
            }
            done.push(replaced);
            let Some((row, previous)) = culprit else { continue };
            let error = order_error(rows, order, row, before, previous, specs);
            // Undo, newest first.
            for ((_, last), replaced) in self.orders.iter_mut().zip(&done) {
                let undo = |(row, place): (usize, &i64)| last[keys.map_or(0, |keys| keys[row] as usize)] = *place;
                replaced.iter().enumerate().rev().for_each(undo);
            }
            return Err(error);
        }
        Ok(())
    }

    /// A stage with copies of the states of a batch's keys only.
    pub(crate) fn part_for(&mut self, batch: &RecordBatch, specs: &[KernelSpec]) -> Result<Self> {
        let own = self.project(batch, &specs[0].name)?;
        let columns = self.key_columns(&own, &specs[0].over);
        let Some(keys) = &mut self.keys else {
            return Ok(self.clone());
        };
        let known = keys.len();
        let numbers = keys.number(&columns, 1);
        keys.truncate(known);
        // The part numbers its keys anew, in the same order of first appearance.
        let mut part_keys = Keys::new(keys.types().to_vec())?;
        let part_numbers = part_keys.number(&columns, 1)?;
        let mut chosen: Vec<Option<u32>> = vec![None; part_keys.len()];
        for (part, number) in part_numbers.into_iter().zip(numbers?) {
            chosen[part as usize] = ((number as usize) < known).then_some(number);
        }
        let last_places =
            |last: &[i64]| chosen.iter().map(|key| key.map_or(i64::MIN, |key| last[key as usize])).collect();
        Ok(Self {
            fields: self.fields.clone(),
            kernels: self.kernels.iter().map(|kernel| kernel.select(&chosen)).collect(),
            orders: self.orders.iter().map(|(order, last)| (order.clone(), last_places(last))).collect(),
            seen: self
                .seen
                .as_ref()
                .map(|seen| chosen.iter().map(|key| key.map_or(0, |key| seen[key as usize])).collect()),
            keys: Some(part_keys),
            rows: self.rows,
        })
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
        Order::Time(_) => Value::Text(name.clone()),
        Order::Window(bounds) if bounds.is_length => Value::LengthIn(name.clone()),
        Order::Window(_) => Value::StartIn(name.clone()),
    };
    let kernel = specs
        .iter()
        .find(|spec| spec.parameters.values().any(|value| *value == mentions))
        .map_or("", |spec| spec.name.as_str());
    let shown = |array: &ArrayRef, row| array_value_to_string(array, row).unwrap_or_default();
    let key: Vec<String> = specs[0]
        .over
        .iter()
        .filter_map(|key| rows.column_by_name(key).map(|column| format!("{key}={:?}", shown(column, row))))
        .collect();
    let of_key = if key.is_empty() { String::new() } else { format!(" of key {}", key.join(", ")) };
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
        let earlier = <i64 as crate::column::Output>::into_array(vec![previous], None, column.data_type());
        format!(
            "decreases in row {number}{of_key}: {} after {}; sort by it first{}",
            shown(column, row),
            shown(&earlier, 0),
            if key.is_empty() { "" } else { " (rows of other keys may stand in between)" }
        )
    };
    Error::new(ErrorKind::Order, format!("{kernel}: time column '{name}' {problem} (rows are counted from 0)"))
}

/// The rows' keys and how many there are, and how many rows of each there were, where a kernel asks for a row's number.
struct Numbers<'a> {
    keys: Option<Vec<u32>>,
    key_count: usize,
    seen: Option<&'a mut [i64]>,
}

impl Numbers<'_> {
    /// Each row's number within its key, in key order.
    fn positions(&mut self, groups: &Groups, rows: usize) -> Vec<i64> {
        self.seen.as_mut().map_or_else(Vec::new, |seen| groups.number_rows(seen, rows))
    }
}

/// Runs all kernels over a batch, slice by slice where its rows are put into key order.
fn run_kernels(
    kernels: &mut [Box<dyn Running>],
    rows: &RecordBatch,
    mut numbers: Numbers,
    threads: usize,
) -> Vec<ArrayRef> {
    kernels.iter_mut().for_each(|kernel| kernel.expect_rows(rows.num_rows()));
    let key_count = numbers.key_count;
    let whole = |groups: &Groups, numbers: &mut Numbers, kernels: &mut [Box<dyn Running>]| {
        let positions = numbers.positions(groups, rows.num_rows());
        let batch = Batch::new(rows, groups, threads, kernels, positions);
        if threads > 1 && matches!(groups, Groups::Interleaved { .. }) {
            kernels.par_iter_mut().for_each(|kernel| kernel.run(&batch));
        } else {
            run_slice(kernels, &batch);
        }
    };
    match numbers.keys.take() {
        None => whole(&Groups::One, &mut numbers, kernels),
        Some(keys) if keys.is_sorted() => whole(&Groups::by_key(&keys, key_count), &mut numbers, kernels),
        Some(keys) if kernels.iter().all(|kernel| kernel.takes_interleaved()) => {
            whole(&Groups::Interleaved { keys }, &mut numbers, kernels);
        }
        Some(keys) => {
            let state_size = kernels.iter().map(|kernel| kernel.state_size()).max().unwrap_or(0);
            let cached = state_size.saturating_mul(key_count) <= CACHED_STATES;
            let slice_rows = if cached { SLICE } else { LONG_SLICE.min(keys.len().div_ceil(threads)) }.max(key_count);
            // As many slices as there are threads are put into key order at once; each then runs on all threads.
            for (i, wave) in keys.chunks(slice_rows * threads).enumerate() {
                let group = |(j, keys): (usize, &[u32])| {
                    (rows.slice((i * threads + j) * slice_rows, keys.len()), Groups::by_key(keys, key_count))
                };
                let slices: Vec<(RecordBatch, Groups)> = if threads > 1 {
                    wave.par_chunks(slice_rows).enumerate().map(group).collect()
                } else {
                    wave.chunks(slice_rows).enumerate().map(group).collect()
                };
                let numbered: Vec<(&RecordBatch, &Groups, Vec<i64>)> = slices
                    .iter()
                    .map(|(rows, groups)| (rows, groups, numbers.positions(groups, rows.num_rows())))
                    .collect();
                let prepare = |(rows, groups, positions)| Batch::new(rows, groups, threads, kernels, positions);
                let batches: Vec<Batch> = if threads > 1 {
                    numbered.into_par_iter().map(prepare).collect()
                } else {
                    numbered.into_iter().map(prepare).collect()
                };
                batches.iter().for_each(|batch| run_slice(kernels, batch));
            }
        }
    }
    kernels.iter_mut().map(|kernel| kernel.take_answers()).collect()
}

fn run_slice(kernels: &mut [Box<dyn Running>], batch: &Batch) {
    kernels.iter_mut().for_each(|kernel| kernel.run(batch));
}
