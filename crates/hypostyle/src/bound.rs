//! A stage's kernels bound to their columns, with all keys and states: rows go in all or nothing, and keys can be taken out,
//! put together and forgotten.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, Schema};

use crate::arguments::find_column;
use crate::cell::{Cell, Givens, LiveRow, array_of, read_cell};
use crate::error::{Error, ErrorKind, Result};
use crate::kernel::Running;
use crate::keys::{Keys, Mark, shown_key};
use crate::orders::{self, BEFORE_ALL, Progress};
use crate::schedule::run_kernels;
use crate::spec::KernelSpec;

/// What a stage knows once it has seen the types of its columns.
pub(crate) struct Bound {
    /// The columns that the kernels read, and the keys, with their types.
    pub(crate) fields: Vec<Field>,
    /// The kernels, bound to `fields`.
    pub(crate) kernels: Vec<Box<dyn Running>>,
    pub(crate) keys: Option<Keys>,
    /// The places of the key columns in `fields`.
    pub(crate) key_columns: Vec<usize>,
    pub(crate) progress: Vec<Progress>,
    /// How many rows of each key there were, where a kernel asks for a row's number.
    pub(crate) seen: Option<Vec<i64>>,
    pub(crate) rows: u64,
}

/// What there was before a batch.
struct Before {
    keys: usize,
    mark: Option<Mark>,
}

/// The items of some keys.
fn picked(items: &[i64], keys: &[u32]) -> Vec<i64> {
    keys.iter().map(|key| items[*key as usize]).collect()
}

/// The numbers below `limit` among these, each once, in increasing order.
fn distinct_below(keys: &[u32], limit: usize) -> Vec<u32> {
    let known = keys.iter().copied().filter(|key| (*key as usize) < limit);
    // Flags for all keys, unless they are too many for so few rows.
    if keys.len() < limit / 16 {
        let mut distinct: Vec<u32> = known.collect();
        distinct.sort_unstable();
        distinct.dedup();
        return distinct;
    }
    let mut seen = vec![false; limit];
    known.for_each(|key| seen[key as usize] = true);
    (0u32..).zip(seen).filter(|(_, seen)| *seen).map(|(key, _)| key).collect()
}

impl Clone for Bound {
    fn clone(&self) -> Self {
        self.with(
            self.kernels.iter().map(|kernel| kernel.clone_boxed()).collect(),
            self.keys.clone(),
            self.progress.clone(),
            self.seen.clone(),
        )
    }
}

impl Bound {
    /// The same columns with other keys and states.
    fn with(
        &self,
        kernels: Vec<Box<dyn Running>>,
        keys: Option<Keys>,
        progress: Vec<Progress>,
        seen: Option<Vec<i64>>,
    ) -> Self {
        let (fields, key_columns) = (self.fields.clone(), self.key_columns.clone());
        Self { fields, kernels, keys, key_columns, progress, seen, rows: self.rows }
    }

    pub(crate) fn key_count(&self) -> usize {
        self.keys.as_ref().map_or(1, Keys::len)
    }

    pub(crate) fn resize(&mut self, keys: usize) {
        self.kernels.iter_mut().for_each(|kernel| kernel.resize(keys));
        self.progress.iter_mut().for_each(|progress| progress.last.resize(keys, BEFORE_ALL));
        self.seen.iter_mut().for_each(|seen| seen.resize(keys, 0));
    }

    pub(crate) fn bytes(&self) -> usize {
        self.kernels.iter().map(|kernel| kernel.state_bytes()).sum::<usize>()
            + self.keys.as_ref().map_or(0, Keys::bytes)
            + self.progress.iter().map(|progress| progress.last.capacity() * size_of::<i64>()).sum::<usize>()
            + self.seen.as_ref().map_or(0, |seen| seen.capacity() * size_of::<i64>())
    }

    /// When each key was last seen: by this column, or else by any time column.
    pub(crate) fn clock(&self, time: Option<&str>) -> Option<&Progress> {
        self.progress.iter().find(|progress| {
            let column = progress.order.column();
            progress.order.tells_time(column) && time.is_none_or(|time| self.fields[column].name() == time)
        })
    }

    /// The stage's own columns of a batch, in the order of `fields`.
    fn project(&self, batch: &RecordBatch, kernel: &str) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(self.fields.len());
        let mut fields = Vec::with_capacity(self.fields.len());
        for known in &self.fields {
            let (index, data_type) = find_column(batch.schema_ref(), kernel, known.name())?;
            let column = batch.column(index);
            if !Keys::compatible(data_type, known.data_type()) {
                // A column without any value may have been taken for one of any type.
                if !column.is_empty() && column.logical_null_count() == column.len() {
                    fields.push(known.clone());
                    columns.push(new_null_array(known.data_type(), column.len()));
                    continue;
                }
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
            columns.push(column.clone());
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }

    /// Checks that a batch has the stage's columns and their types.
    pub(crate) fn check_types(&self, batch: &RecordBatch, specs: &[KernelSpec]) -> Result<()> {
        self.project(batch, &specs[0].name).map(drop)
    }

    /// Answers a batch, or leaves everything as it was.
    pub(crate) fn run(&mut self, batch: &RecordBatch, specs: &[KernelSpec], threads: usize) -> Result<Vec<ArrayRef>> {
        let own = self.project(batch, &specs[0].name)?;
        let before = self.mark();
        let keys = self.number(&own, threads)?;
        self.check_and_run(&own, keys, &before, specs, threads)
    }

    /// As [`Bound::run`], and leaves everything as it was in any case: the states of the batch's keys are copied before it
    /// and put back after it.
    pub(crate) fn peek(&mut self, batch: &RecordBatch, specs: &[KernelSpec], threads: usize) -> Result<Vec<ArrayRef>> {
        let own = self.project(batch, &specs[0].name)?;
        let before = self.mark();
        let keys = self.number(&own, threads)?;
        let touched = match &keys {
            None => vec![0],
            Some(keys) => distinct_below(keys, before.keys),
        };
        let states = self.select(&touched, None);
        let rows = self.rows;
        let answers = self.check_and_run(&own, keys, &before, specs, threads)?;
        self.rows = rows;
        self.put_back(&touched, states);
        self.reset(&before);
        Ok(answers)
    }

    /// How many keys there are, and what to reset to.
    fn mark(&self) -> Before {
        Before { keys: self.key_count(), mark: self.keys.as_ref().map(Keys::mark) }
    }

    fn number(&mut self, own: &RecordBatch, threads: usize) -> Result<Option<Vec<u32>>> {
        let columns = self.key_arrays(own);
        self.keys.as_mut().map(|keys| keys.number(&columns, threads)).transpose()
    }

    /// Forgets the keys that came since.
    fn reset(&mut self, before: &Before) {
        if let (Some(known), Some(mark)) = (&mut self.keys, &before.mark) {
            known.reset(mark);
        }
        self.resize(before.keys);
    }

    fn check_and_run(
        &mut self,
        own: &RecordBatch,
        keys: Option<Vec<u32>>,
        before: &Before,
        specs: &[KernelSpec],
        threads: usize,
    ) -> Result<Vec<ArrayRef>> {
        let key_count = self.key_count();
        if let Err(error) = orders::check(&mut self.progress, own, keys.as_deref(), (key_count, self.rows), specs) {
            self.reset(before);
            return Err(error);
        }
        self.resize(key_count);
        self.rows += own.num_rows() as u64;
        Ok(run_kernels(&mut self.kernels, own, keys, key_count, self.seen.as_deref_mut(), threads))
    }

    /// Puts copies of the states of these keys back.
    fn put_back(&mut self, keys: &[u32], states: Self) {
        self.kernels.iter_mut().zip(states.kernels).for_each(|(kernel, states)| kernel.put_back(keys, states));
        let put = |items: &mut [i64], copies: &[i64]| {
            keys.iter().zip(copies).for_each(|(key, copy)| items[*key as usize] = *copy);
        };
        self.progress.iter_mut().zip(&states.progress).for_each(|(own, copies)| put(&mut own.last, &copies.last));
        if let (Some(own), Some(copies)) = (&mut self.seen, &states.seen) {
            put(own, copies);
        }
    }

    fn key_arrays(&self, rows: &RecordBatch) -> Vec<ArrayRef> {
        self.key_columns.iter().map(|place| rows.column(*place).clone()).collect()
    }

    /// The values of a row that may come next, read as the kernels need them, and its key's number if the key is known.
    fn read_row<'r>(&mut self, row: &[Cell<'r>], specs: &[KernelSpec]) -> Result<(Givens<'r>, Option<usize>)> {
        if row.len() != self.fields.len() {
            let names: Vec<&str> = self.fields.iter().map(|field| field.name().as_str()).collect();
            return Err(Error::new(
                ErrorKind::Stage,
                format!("a row of this stage has {} values ({}), not {}", names.len(), names.join(", "), row.len()),
            ));
        }
        let mut given = Givens::new();
        for (cell, field) in row.iter().zip(&self.fields) {
            given.push(read_cell(*cell, field.name(), field.data_type())?);
        }
        let key = match &self.keys {
            None => Some(0),
            Some(keys) => {
                keys.check_rows()?;
                keys.find_row(|at| &given[self.key_columns[at]])
            }
        };
        if orders::allows(&self.progress, &given, key) { Ok((given, key)) } else { Err(self.explain(&given, specs)) }
    }

    /// Answers a row that comes alone, or leaves everything as it was; the answers are put behind those that are there.
    pub(crate) fn run_row(
        &mut self,
        row: &[Cell],
        specs: &[KernelSpec],
        answers: &mut Vec<Cell<'static>>,
    ) -> Result<()> {
        let (given, known) = self.read_row(row, specs)?;
        let key = match (known, &mut self.keys) {
            (Some(key), _) => key,
            (None, keys) => {
                let number = keys.as_mut().map_or(0, |keys| keys.number_row(|at| &given[self.key_columns[at]]));
                self.resize(number + 1);
                number
            }
        };
        orders::remember(&mut self.progress, &given, key);
        self.rows += 1;
        let position = self.seen.as_mut().map_or(0, |seen| {
            seen[key] += 1;
            seen[key] - 1
        });
        let row = LiveRow { given: &given, position };
        self.kernels.iter_mut().for_each(|kernel| kernel.run_row(key, row, answers));
        Ok(())
    }

    /// As [`Bound::run_row`], with copies of the key's states.
    pub(crate) fn peek_row(
        &mut self,
        row: &[Cell],
        specs: &[KernelSpec],
        answers: &mut Vec<Cell<'static>>,
    ) -> Result<()> {
        let (given, key) = self.read_row(row, specs)?;
        let position = self.seen.as_ref().zip(key).map_or(0, |(seen, key)| seen[key]);
        let row = LiveRow { given: &given, position };
        self.kernels.iter().for_each(|kernel| kernel.peek_row(key, row, answers));
        Ok(())
    }

    /// Why a row may not come next, as a batch of that row would have it.
    fn explain(&mut self, given: &Givens, specs: &[KernelSpec]) -> Error {
        let columns = given.iter().zip(&self.fields).map(|(given, field)| array_of(given, field.data_type()));
        let row = columns
            .collect::<Result<Vec<_>>>()
            .and_then(|columns| Ok(RecordBatch::try_new(Arc::new(Schema::new(self.fields.clone())), columns)?));
        let told = row.and_then(|row| self.peek(&row, specs, 1));
        told.err().unwrap_or_else(|| Error::new(ErrorKind::Order, "the row may not come next"))
    }

    /// Copies of the states of some keys, in this order, under other names.
    fn select(&self, chosen: &[u32], keys: Option<Keys>) -> Self {
        let progress = self
            .progress
            .iter()
            .map(|progress| Progress { order: progress.order.clone(), last: picked(&progress.last, chosen) });
        self.with(
            self.kernels.iter().map(|kernel| kernel.select(chosen)).collect(),
            keys,
            progress.collect(),
            self.seen.as_ref().map(|seen| picked(seen, chosen)),
        )
    }

    /// The states of some keys alone.
    pub(crate) fn part(&self, chosen: &[u32]) -> Result<Self> {
        let keys = self.keys.as_ref().map(|keys| keys.select(chosen)).transpose()?;
        Ok(self.select(chosen, keys))
    }

    /// Keeps the states of some keys, which are named in the order of their numbers.
    pub(crate) fn retain(&mut self, kept: &[u32]) -> Result<()> {
        self.keys = self.keys.as_ref().map(|keys| keys.select(kept)).transpose()?;
        self.kernels.iter_mut().for_each(|kernel| kernel.retain(kept));
        self.progress.iter_mut().for_each(|progress| progress.last = picked(&progress.last, kept));
        self.seen.iter_mut().for_each(|seen| *seen = picked(seen, kept));
        Ok(())
    }

    /// Takes the keys and states of another stage of the same kernels in; on an error nothing is changed.
    pub(crate) fn append(&mut self, other: Self, kernel: &str) -> Result<()> {
        for (own, others) in self.fields.iter().zip(&other.fields) {
            if !Keys::compatible(own.data_type(), others.data_type()) {
                return Err(Error::new(
                    ErrorKind::Stage,
                    format!(
                        "column '{}' has type {} in one stage and {} in the other; only stages over the same types can be \
                         merged",
                        own.name(),
                        own.data_type(),
                        others.data_type()
                    ),
                ));
            }
        }
        let (Some(keys), Some(new)) = (&mut self.keys, &other.keys) else {
            return Err(Error::new(
                ErrorKind::Stage,
                format!(
                    "{kernel}: a stage without keys is one sequence of rows, so two of them can't be merged; give the \
                     kernels keys with 'over'"
                ),
            ));
        };
        let columns = new.columns()?;
        if let Some(known) = keys.find(&columns)?.iter().position(Option::is_some) {
            let names: Vec<String> = self.key_columns.iter().map(|place| self.fields[*place].name().clone()).collect();
            let key = shown_key(&names, &columns, known);
            return Err(Error::new(
                ErrorKind::Stage,
                format!(
                    "both stages have seen the key {key}, and the states of one key can't be merged; each key's rows must \
                     go to one stage"
                ),
            ));
        }
        keys.number(&columns, 1)?;
        self.rows += other.rows;
        self.kernels.iter_mut().zip(other.kernels).for_each(|(own, other)| own.append(other));
        for (own, other) in self.progress.iter_mut().zip(other.progress) {
            own.last.extend(other.last);
        }
        if let (Some(own), Some(other)) = (&mut self.seen, other.seen) {
            own.extend(other);
        }
        Ok(())
    }
}
