//! A stage's kernels bound to their columns, with all keys and states.  A batch is processed as a whole or not at all; keys can
//! be split off, merged and evicted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, StructArray, new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema};
use hashbrown::HashSet;

use super::schedule::run_kernels;
use super::watermark::{self, BEFORE_ALL, ORDER_BY, Order, Watermark};
use crate::catalog::PlannedKernel;
use crate::error::{Error, ErrorKind, Place, Result, type_name};
use crate::keys::{Keys, Mark, shown_key};
use crate::run::{LiveRow, Running, find_column};
use crate::values::{
    Codes, Domain, Operands, ScalarValue, StateWriter, array_of, is_coded, read_value, saved_integers,
};

/// The name of a stage's own time column in messages.
const TIME_COLUMN: &str = "time_column";

/// The columns that a stage reads itself, beside those of its kernels.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StageColumns<'s> {
    /// Says when a key was last seen.
    pub(crate) time: Option<&'s str>,
    /// Must not decrease within a key.
    pub(crate) order: Option<&'s str>,
}

impl<'s> StageColumns<'s> {
    /// The columns with their names in messages.
    fn named(self) -> impl Iterator<Item = (&'static str, &'s str)> {
        let time = self.time.map(|column| (TIME_COLUMN, column));
        time.into_iter().chain(self.order.map(|column| (ORDER_BY, column)))
    }
}

/// What a stage knows once it has seen the types of its columns.
pub(crate) struct BoundKernels {
    /// The columns that the kernels read, and the keys, with their types.
    pub(crate) fields: Vec<Field>,
    /// The first kernel that reads each of the fields, and its parameter.
    pub(super) readers: Vec<Place>,
    /// The kernels, bound to `fields`.
    pub(crate) kernels: Vec<Box<dyn Running>>,
    pub(crate) keys: Option<Keys>,
    /// The indices of the key columns in `fields`.
    pub(crate) key_columns: Vec<usize>,
    pub(crate) watermarks: Vec<Watermark>,
    /// How many rows of each key there were, if a kernel needs a row's number.
    pub(crate) seen: Option<Vec<i64>>,
    /// The columns that kernels read as integers though they are none, and what is known of them.
    pub(super) coded_columns: Vec<usize>,
    pub(super) codes: Codes,
    /// What kernels may return though no column has it.
    pub(super) own_codes: Codes,
    pub(crate) rows: u64,
    /// How long batches took.
    pub(super) times: Times,
    /// The mark of no keys.
    pub(super) unused: Mark,
}

/// How long the parts of a stage ran.
#[derive(Debug, Clone)]
pub(super) struct Times {
    pub(super) keys: Duration,
    pub(super) kernels: Vec<Duration>,
}

impl Times {
    fn of_kernels(count: usize) -> Self {
        Self { keys: Duration::ZERO, kernels: vec![Duration::ZERO; count] }
    }
}

/// About how many nanoseconds a row's keys take.
const COST_OF_KEYS: usize = 10;

/// The columns that kernels read as integers though they are none.
fn coded_columns(fields: &[Field], kernels: &[Box<dyn Running>]) -> Vec<usize> {
    let read = |place: &usize| kernels.iter().any(|kernel| kernel.wiring().coded.contains(place));
    (0..fields.len()).filter(read).collect()
}

/// The keys before a batch.
struct Before {
    keys: usize,
    mark: Option<Mark>,
}

/// Whether results of this type, or fields of them, are integers that stand for something else.
fn has_coded(output: &DataType) -> bool {
    match output {
        DataType::Struct(fields) => fields.iter().any(|field| is_coded(field.data_type())),
        output => is_coded(output),
    }
}

/// The items of some keys.
fn picked(items: &[i64], keys: &[u32]) -> Vec<i64> {
    keys.iter().map(|key| items[*key as usize]).collect()
}

/// The numbers below `limit` among these, each once, in increasing order.
fn distinct_below(keys: &[u32], limit: usize) -> Vec<u32> {
    let known = keys.iter().copied().filter(|key| (*key as usize) < limit);
    // Flags for all keys, unless there are many keys and few rows.
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

impl Clone for BoundKernels {
    fn clone(&self) -> Self {
        let copy = self.with(
            self.kernels.iter().map(|kernel| kernel.clone_boxed()).collect(),
            self.keys.clone(),
            self.watermarks.clone(),
            self.seen.clone(),
        );
        Self { codes: self.codes.clone(), ..copy }
    }
}

impl BoundKernels {
    /// The same columns with other keys and states, and no codes but the kernels' own.
    fn with(
        &self,
        kernels: Vec<Box<dyn Running>>,
        keys: Option<Keys>,
        watermarks: Vec<Watermark>,
        seen: Option<Vec<i64>>,
    ) -> Self {
        let (fields, readers, key_columns) = (self.fields.clone(), self.readers.clone(), self.key_columns.clone());
        let (coded_columns, own_codes) = (self.coded_columns.clone(), self.own_codes.clone());
        let (rows, times, unused) = (self.rows, Times::of_kernels(kernels.len()), self.unused.clone());
        Self {
            fields,
            readers,
            kernels,
            keys,
            key_columns,
            watermarks,
            seen,
            coded_columns,
            codes: own_codes.clone(),
            own_codes,
            rows,
            times,
            unused,
        }
    }

    /// Looks up all columns and binds the kernels to them; `whole` says that all rows come in one batch.
    pub(crate) fn bind(
        planned: &[PlannedKernel],
        own_columns: StageColumns,
        schema: &Schema,
        whole: bool,
    ) -> Result<Self> {
        let (mut fields, mut readers): (Vec<Field>, Vec<Place>) = (Vec::new(), Vec::new());
        for (kernel, name) in planned.iter().flat_map(|kernel| kernel.input_columns().iter().map(move |c| (kernel, c)))
        {
            if fields.iter().all(|field| field.name() != name) {
                let (_, data_type) = find_column(schema, name).map_err(|error| kernel.blame(error))?;
                fields.push(Field::new(name, data_type.clone(), true));
                readers.push(kernel.reader(name));
            }
        }
        for (parameter, column) in own_columns.named() {
            let (_, data_type) = find_column(schema, column).map_err(|error| error.in_kernel(parameter))?;
            if !Domain::Integer.reads(data_type) || *data_type == DataType::Boolean {
                let expected = "a date, a timestamp or an integer";
                return Err(Error::column_type(parameter, column, expected, data_type));
            }
            if fields.iter().all(|field| field.name() != column) {
                fields.push(Field::new(column, data_type.clone(), true));
                readers.push(Place { kernel: Some(parameter.to_string()), ..Place::default() });
            }
        }
        let own = Schema::new(fields.clone());
        let kernels = planned.iter().map(|kernel| kernel.bind(&own, whole)).collect::<Result<Vec<_>>>()?;
        let over = planned.first().map_or(&[][..], |kernel| &kernel.spec().over);
        let key_columns =
            over.iter().map(|key| find_column(&own, key).map(|(place, _)| place)).collect::<Result<Vec<usize>>>()?;
        let key_types: Vec<DataType> = key_columns.iter().map(|place| fields[*place].data_type().clone()).collect();
        let keys = if key_columns.is_empty() { None } else { Some(Keys::new(key_types)?) };
        let mut watermarks: Vec<Watermark> = Vec::new();
        let mut add = |order: Order, kernel: &str| {
            if !watermarks.iter_mut().any(|known| known.order.takes(&order)) {
                watermarks.push(Watermark { order, kernel: kernel.to_string(), last: Vec::new() });
            }
        };
        for (kernel, planned) in kernels.iter().zip(planned) {
            kernel.wiring().time.into_iter().for_each(|time| add(Order::Time(time), &planned.spec().name));
        }
        if let Some(order) = own_columns.order {
            add(Order::Time(find_column(&own, order)?.0), ORDER_BY);
        }
        if !whole {
            for (kernel, planned) in kernels.iter().zip(planned) {
                let orders = kernel.wiring().bounds.iter().flat_map(Order::of_windows);
                orders.for_each(|order| add(order, &planned.spec().name));
            }
        }
        if let Some(time) = own_columns.time {
            let (column, _) = find_column(&own, time)?;
            if !watermarks.iter().any(|watermark| watermark.order.tells_time(column)) {
                let (order, kernel) = (Order::Clock(column), TIME_COLUMN.to_string());
                watermarks.push(Watermark { order, kernel, last: Vec::new() });
            }
        }
        let seen = kernels.iter().any(|kernel| kernel.wiring().numbers_rows()).then(Vec::new);
        let unused = keys.as_ref().map(Keys::mark).unwrap_or_default();
        let times = Times::of_kernels(kernels.len());
        let mut own_codes = Codes::default();
        for text in kernels.iter().flat_map(|kernel| &kernel.wiring().texts) {
            own_codes.texts.learn(text)?;
        }
        let mut bound = Self {
            coded_columns: coded_columns(&fields, &kernels),
            codes: own_codes.clone(),
            own_codes,
            fields,
            readers,
            kernels,
            keys,
            key_columns,
            watermarks,
            seen,
            rows: 0,
            times,
            unused,
        };
        bound.resize(usize::from(bound.keys.is_none()));
        Ok(bound)
    }

    pub(crate) fn key_count(&self) -> usize {
        self.keys.as_ref().map_or(1, Keys::len)
    }

    /// The kernels' columns under these names.
    pub(crate) fn output_fields(&self, names: &[String]) -> Vec<Field> {
        let named = names.iter().zip(&self.kernels);
        named.map(|(name, kernel)| Field::new(name, kernel.wiring().output.clone(), true)).collect()
    }

    /// About how many nanoseconds of the work on so many rows several threads can share.
    pub(crate) fn shareable(&self, rows: usize) -> usize {
        let costs = || self.kernels.iter().map(|kernel| (kernel.wiring().cost, kernel.wiring().splits));
        let all: usize = costs().map(|(cost, _)| cost).sum();
        let per_row = match self.keys {
            Some(_) => COST_OF_KEYS + all,
            // The rows of kernels that can be split, or whole kernels beside the longest one.
            None => {
                let splits: usize = costs().filter(|(_, splits)| *splits).map(|(cost, _)| cost).sum();
                splits.max(all - costs().map(|(cost, _)| cost).max().unwrap_or(0))
            }
        };
        rows.saturating_mul(per_row)
    }

    /// Whether these are the columns that the kernels are bound to, under the same names and of the same types.
    pub(crate) fn fits(&self, schema: &Schema) -> bool {
        self.fields.iter().all(|own| {
            let mut found = schema.fields().iter().filter(|field| field.name() == own.name());
            found.next().is_some_and(|field| field.data_type() == own.data_type()) && found.next().is_none()
        })
    }

    /// Forgets all rows and keys.
    pub(crate) fn restart(&mut self) {
        if let Some(keys) = &mut self.keys {
            keys.reset(&self.unused);
        }
        self.resize(0);
        self.resize(usize::from(self.keys.is_none()));
        self.codes = self.own_codes.clone();
        self.rows = 0;
    }

    pub(crate) fn resize(&mut self, keys: usize) {
        self.kernels.iter_mut().for_each(|kernel| kernel.resize(keys));
        self.watermarks.iter_mut().for_each(|watermark| watermark.last.resize(keys, BEFORE_ALL));
        self.seen.iter_mut().for_each(|seen| seen.resize(keys, 0));
    }

    pub(crate) fn bytes(&self) -> usize {
        self.kernels.iter().map(|kernel| kernel.state_bytes()).sum::<usize>()
            + self.keys.as_ref().map_or(0, Keys::bytes)
            + self.watermarks.iter().map(|watermark| watermark.last.capacity() * size_of::<i64>()).sum::<usize>()
            + self.seen.as_ref().map_or(0, |seen| seen.capacity() * size_of::<i64>())
            + self.codes.bytes()
    }

    /// When each key was last seen: by this column, else by any time column.
    pub(crate) fn clock(&self, time: Option<&str>) -> Option<&Watermark> {
        self.watermarks.iter().find(|watermark| {
            let column = watermark.order.column();
            watermark.order.tells_time(column) && time.is_none_or(|time| self.fields[column].name() == time)
        })
    }

    /// The stage's own columns of a batch, in the order of `fields`.
    fn project(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let same =
            |(own, field): (&Field, &Arc<Field>)| own.name() == field.name() && own.data_type() == field.data_type();
        if batch.num_columns() == self.fields.len() && self.fields.iter().zip(batch.schema_ref().fields()).all(same) {
            return Ok(batch.clone());
        }
        let mut columns = Vec::with_capacity(self.fields.len());
        let mut fields = Vec::with_capacity(self.fields.len());
        for (known, reader) in self.fields.iter().zip(&self.readers) {
            let found = find_column(batch.schema_ref(), known.name()).map_err(|error| error.read_by(reader));
            let (index, data_type) = found?;
            let column = batch.column(index);
            if !Keys::compatible(data_type, known.data_type()) {
                // A column of nulls may have been read with any type.
                if !column.is_empty() && column.logical_null_count() == column.len() {
                    fields.push(known.clone());
                    columns.push(new_null_array(known.data_type(), column.len()));
                    continue;
                }
                let expected = format!("{}, as in earlier batches", type_name(known.data_type()));
                let kernel = reader.kernel.as_deref().unwrap_or_default();
                return Err(Error::column_type(kernel, known.name(), &expected, data_type).read_by(reader));
            }
            fields.push(Field::new(known.name(), data_type.clone(), true));
            columns.push(column.clone());
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }

    /// Which rows are late in the order of this column; nothing is changed.
    pub(crate) fn late(&mut self, batch: &RecordBatch, order_by: &str) -> Result<BooleanArray> {
        let own = self.project(batch)?;
        let before = self.mark();
        let keys = self.number(&own, 1)?;
        let count = self.key_count();
        let column = self.fields.iter().position(|field| field.name() == order_by);
        let watermark =
            self.watermarks.iter_mut().find(|known| column.is_some_and(|at| known.order == Order::Time(at)));
        let late = watermark.map_or_else(
            || Err(Error::internal("a stage with an order has no position in it")),
            |watermark| watermark.late(&own, keys.as_deref(), count),
        );
        self.reset(&before);
        late
    }

    /// Checks that a batch has the stage's columns and their types.
    pub(crate) fn check_types(&self, batch: &RecordBatch) -> Result<()> {
        self.project(batch).map(drop)
    }

    /// Reads a batch and returns its results; on an error nothing is changed.
    pub(crate) fn run(&mut self, batch: &RecordBatch, threads: usize) -> Result<Vec<ArrayRef>> {
        if self.kernels.iter().any(|kernel| kernel.wiring().refuses) {
            return self.attempt(batch, threads, true);
        }
        let own = self.project(batch)?;
        let coded = self.coded(&own)?;
        let before = self.mark();
        let keys = self.number(&own, threads)?;
        self.check_and_run(&own, &coded, keys, &before, threads)
    }

    /// As [`BoundKernels::run`], but changes nothing.
    pub(crate) fn peek(&mut self, batch: &RecordBatch, threads: usize) -> Result<Vec<ArrayRef>> {
        self.attempt(batch, threads, false)
    }

    /// The states of the batch's keys are copied before it, and restored after it unless it succeeds and is to be kept.
    fn attempt(&mut self, batch: &RecordBatch, threads: usize, keep: bool) -> Result<Vec<ArrayRef>> {
        let own = self.project(batch)?;
        let coded = self.coded(&own)?;
        let before = self.mark();
        let keys = self.number(&own, threads)?;
        let touched = match &keys {
            None => vec![0],
            Some(keys) => distinct_below(keys, before.keys),
        };
        let states = self.select(&touched, None);
        let rows = self.rows;
        let answers = self.check_and_run(&own, &coded, keys, &before, threads);
        if answers.is_err() || !keep {
            self.rows = rows;
            self.put_back(&touched, states);
            self.reset(&before);
        }
        if answers.is_err() {
            self.kernels.iter_mut().for_each(|kernel| drop(kernel.take_results()));
        }
        answers.map_err(|error| match (error.kind(), error.place().row) {
            (ErrorKind::Refused, row) => self.with_key(error, &own, row).after_rows(rows),
            _ => error,
        })
    }

    /// An error about a row of these, with the row's key.
    fn with_key(&self, error: Error, own: &RecordBatch, row: Option<u64>) -> Error {
        let row = row.and_then(|row| usize::try_from(row).ok()).filter(|row| *row < own.num_rows());
        let Some(row) = row.filter(|_| !self.key_columns.is_empty()) else { return error };
        let names: Vec<String> = self.key_columns.iter().map(|at| self.fields[*at].name().clone()).collect();
        error.for_key(&shown_key(&names, &self.key_arrays(own), row))
    }

    /// The number of keys, and the mark to reset to.
    fn mark(&self) -> Before {
        Before { keys: self.key_count(), mark: self.keys.as_ref().map(Keys::mark) }
    }

    fn number(&mut self, own: &RecordBatch, threads: usize) -> Result<Option<Vec<u32>>> {
        let columns = self.key_arrays(own);
        let Some(keys) = &mut self.keys else { return Ok(None) };
        let start = Instant::now();
        let numbers = keys.number(&columns, threads);
        self.times.keys += start.elapsed();
        numbers.map(Some)
    }

    /// Removes the keys that were added since.
    fn reset(&mut self, before: &Before) {
        if let (Some(known), Some(mark)) = (&mut self.keys, &before.mark) {
            known.reset(mark);
        }
        self.resize(before.keys);
    }

    fn check_and_run(
        &mut self,
        own: &RecordBatch,
        coded: &RecordBatch,
        keys: Option<Vec<u32>>,
        before: &Before,
        threads: usize,
    ) -> Result<Vec<ArrayRef>> {
        let key_count = self.key_count();
        let (watermarks, totals) = (&mut self.watermarks, (key_count, self.rows));
        let seen = self.seen.as_deref();
        if let Err(error) = watermark::check(watermarks, own, keys.as_deref(), &self.key_columns, totals, seen) {
            self.reset(before);
            return Err(error);
        }
        self.resize(key_count);
        self.rows += own.num_rows() as u64;
        let (kernels, ran) = (&mut self.kernels, &mut self.times.kernels);
        let answers = run_kernels(kernels, ran, coded, keys, key_count, self.seen.as_deref_mut(), threads)?;
        let outputs = || self.kernels.iter().map(|kernel| &kernel.wiring().output);
        if !outputs().any(has_coded) {
            self.forget_texts()?;
            return Ok(answers);
        }
        let decoded =
            answers.into_iter().zip(outputs()).map(|(answers, output)| self.decoded(answers, output)).collect();
        self.forget_texts()?;
        decoded
    }

    /// Results with the texts and decimals that their integers stand for.
    fn decoded(&self, answers: ArrayRef, output: &DataType) -> Result<ArrayRef> {
        match output {
            DataType::Struct(fields) if has_coded(output) && answers.data_type() != output => {
                let columns = answers.as_struct().columns().iter().zip(fields);
                let columns = columns.map(|(column, field)| self.decoded(column.clone(), field.data_type()));
                let nulls = answers.nulls().cloned();
                Ok(Arc::new(StructArray::try_new(fields.clone(), columns.collect::<Result<_>>()?, nulls)?))
            }
            output if is_coded(output) && answers.data_type() != output => self.codes.decode(&answers, output),
            _ => Ok(answers),
        }
    }

    /// Whether there are texts among the columns that kernels read as integers.
    pub(super) fn codes_texts(&self) -> bool {
        self.coded_columns.iter().any(|place| !self.fields[*place].data_type().is_decimal())
    }

    /// The batch with integers for what kernels read so.
    fn coded(&mut self, own: &RecordBatch) -> Result<RecordBatch> {
        if self.coded_columns.is_empty() {
            return Ok(own.clone());
        }
        let mut columns = own.columns().to_vec();
        for place in &self.coded_columns {
            let codes = self.codes.encode(&columns[*place]);
            columns[*place] = codes.map_err(|error| self.uncodable(error, *place))?;
        }
        let fields = own.schema_ref().fields().iter().zip(&columns);
        let fields: Vec<Field> =
            fields.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(own.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }

    /// The error of a value in a column that has no integer.
    fn uncodable(&self, error: Error, place: usize) -> Error {
        error.after_rows(self.rows).at_column(self.fields[place].name()).read_by(&self.readers[place])
    }

    /// Forgets texts that no state holds, once there are many.
    fn forget_texts(&mut self) -> Result<()> {
        self.forget_texts_but(&[])
    }

    /// As [`BoundKernels::forget_texts`], but keeps those among these results.
    fn forget_texts_but(&mut self, answers: &[ScalarValue]) -> Result<()> {
        if !self.codes.are_many() {
            return Ok(());
        }
        let code = |answer: &ScalarValue| match answer {
            ScalarValue::Code(code) => Some(*code),
            _ => None,
        };
        let mut used: HashSet<i64> = answers.iter().filter_map(code).collect();
        for kernel in &self.kernels {
            let mut writer = StateWriter::default();
            for key in 0..self.key_count() {
                writer.begin_row();
                kernel.write(&mut writer, key);
            }
            for (_, column) in writer.finish()? {
                used.extend(saved_integers(&column, 0..column.len()));
            }
        }
        self.codes.keep(&used);
        self.codes.merge(&self.own_codes)
    }

    /// Restores copies of the states of these keys.
    fn put_back(&mut self, keys: &[u32], states: Self) {
        self.kernels.iter_mut().zip(states.kernels).for_each(|(kernel, states)| kernel.put_back(keys, states));
        let put = |items: &mut [i64], copies: &[i64]| {
            keys.iter().zip(copies).for_each(|(key, copy)| items[*key as usize] = *copy);
        };
        self.watermarks.iter_mut().zip(&states.watermarks).for_each(|(own, copies)| put(&mut own.last, &copies.last));
        if let (Some(own), Some(copies)) = (&mut self.seen, &states.seen) {
            put(own, copies);
        }
    }

    fn key_arrays(&self, rows: &RecordBatch) -> Vec<ArrayRef> {
        self.key_columns.iter().map(|place| rows.column(*place).clone()).collect()
    }

    /// The values of a row, converted for the kernels, and the number of its key if the key is known.
    ///
    /// # Errors
    /// A row that is not valid or not in order.
    fn read_row<'r>(&mut self, row: &[ScalarValue<'r>]) -> Result<(Operands<'r>, Option<usize>)> {
        if row.len() != self.fields.len() {
            let names: Vec<&str> = self.fields.iter().map(|field| field.name().as_str()).collect();
            let problem = format!("the row has {} values, expected {}", row.len(), names.len());
            return Err(Error::new(ErrorKind::Stage, problem)
                .with_help(format!("give a value for each of the columns {}", names.join(", "))));
        }
        let mut operands = Operands::new();
        for (value, field) in row.iter().zip(&self.fields) {
            operands.push(read_value(*value, field.name(), field.data_type())?);
        }
        for place in &self.coded_columns {
            let code = self.codes.encode_row(&operands[*place], self.fields[*place].data_type());
            operands[*place].integer = code.map_err(|error| self.uncodable(error, *place))?;
        }
        let key = match &self.keys {
            None => Some(0),
            Some(keys) => {
                keys.check_rows()?;
                keys.find_row(|at| &operands[self.key_columns[at]])
            }
        };
        if watermark::allows(&self.watermarks, &operands, key, self.number_of(key)) {
            Ok((operands, key))
        } else {
            Err(self.explain(&operands))
        }
    }

    /// The number of a key's next row, if rows are counted.
    fn number_of(&self, key: Option<usize>) -> i64 {
        match (&self.seen, key) {
            (Some(seen), Some(key)) => seen[key],
            _ => 0,
        }
    }

    /// Reads a single row and appends its results to `answers`; on an error nothing is changed.
    pub(crate) fn run_row(&mut self, row: &[ScalarValue], answers: &mut Vec<ScalarValue<'static>>) -> Result<()> {
        let (operands, known) = self.read_row(row)?;
        self.check_refusal(&operands)?;
        let key = match (known, &mut self.keys) {
            (Some(key), _) => key,
            (None, keys) => {
                let number = keys.as_mut().map_or(0, |keys| keys.number_row(|at| &operands[self.key_columns[at]]));
                self.resize(number + 1);
                number
            }
        };
        let number = self.number_of(Some(key));
        watermark::remember(&mut self.watermarks, &operands, key, number);
        self.rows += 1;
        let position = self.seen.as_mut().map_or(0, |seen| {
            seen[key] += 1;
            seen[key] - 1
        });
        let row = LiveRow { operands: &operands, position };
        self.kernels.iter_mut().for_each(|kernel| kernel.run_row(key, row, answers));
        self.forget_texts_but(answers)
    }

    /// As [`BoundKernels::run_row`], with copies of the key's states.
    pub(crate) fn peek_row(&mut self, row: &[ScalarValue], answers: &mut Vec<ScalarValue<'static>>) -> Result<()> {
        let (operands, key) = self.read_row(row)?;
        self.check_refusal(&operands)?;
        let position = self.seen.as_ref().zip(key).map_or(0, |(seen, key)| seen[key]);
        let row = LiveRow { operands: &operands, position };
        self.kernels.iter().for_each(|kernel| kernel.peek_row(key, row, answers));
        Ok(())
    }

    /// The error of a row that a kernel refuses: that of a batch of this row.
    fn check_refusal(&mut self, operands: &Operands) -> Result<()> {
        if self.kernels.iter().any(|kernel| kernel.wiring().refuses) {
            let row = self.batch_of(operands)?;
            self.peek(&row, 1)?;
        }
        Ok(())
    }

    fn batch_of(&self, operands: &Operands) -> Result<RecordBatch> {
        let columns = operands.iter().zip(&self.fields).map(|(operand, field)| array_of(operand, field.data_type()));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(Arc::new(Schema::new(self.fields.clone())), columns)?)
    }

    /// The error of a row that is not in order: that of a batch of this row.
    fn explain(&mut self, operands: &Operands) -> Error {
        let result = self.batch_of(operands).and_then(|row| self.peek(&row, 1));
        match result {
            Err(error) if error.kind() == ErrorKind::Unsorted => {
                error.with_help("leave the row out, or hold rows back until they can be passed in order")
            }
            Err(error) => error,
            Ok(_) => Error::internal("a single row is refused, but a batch of it is not"),
        }
    }

    /// Copies of the states of some keys, in this order, under other names.
    fn select(&self, chosen: &[u32], keys: Option<Keys>) -> Self {
        let watermarks =
            self.watermarks.iter().map(|known| Watermark { last: picked(&known.last, chosen), ..known.clone() });
        self.with(
            self.kernels.iter().map(|kernel| kernel.select(chosen)).collect(),
            keys,
            watermarks.collect(),
            self.seen.as_ref().map(|seen| picked(seen, chosen)),
        )
    }

    /// Only the states of some keys.
    pub(crate) fn part(&self, chosen: &[u32]) -> Result<Self> {
        let keys = self.keys.as_ref().map(|keys| keys.select(chosen)).transpose()?;
        Ok(Self { codes: self.codes.clone(), ..self.select(chosen, keys) })
    }

    /// Keeps only the states of some keys, given in the order of their numbers.
    pub(crate) fn retain(&mut self, kept: &[u32]) -> Result<()> {
        self.keys = self.keys.as_ref().map(|keys| keys.select(kept)).transpose()?;
        self.kernels.iter_mut().for_each(|kernel| kernel.retain(kept));
        self.watermarks.iter_mut().for_each(|watermark| watermark.last = picked(&watermark.last, kept));
        self.seen.iter_mut().for_each(|seen| *seen = picked(seen, kept));
        Ok(())
    }

    /// Merges the keys and states of another stage of the same kernels; on an error nothing is changed.
    pub(crate) fn append(&mut self, other: Self) -> Result<()> {
        for (own, others) in self.fields.iter().zip(&other.fields) {
            if !Keys::compatible(own.data_type(), others.data_type()) {
                let (one, other) = (type_name(own.data_type()), type_name(others.data_type()));
                return Err(Error::new(
                    ErrorKind::Stage,
                    format!("the type is {one} in one stage and {other} in the other"),
                )
                .at_column(own.name())
                .with_help("merge stages over columns of the same types only"));
            }
        }
        let (Some(keys), Some(new)) = (&mut self.keys, &other.keys) else {
            return Err(Error::new(
                ErrorKind::Stage,
                "stages without keys cannot be merged: each is one sequence of rows",
            )
            .with_help("give the kernels keys with `over`"));
        };
        let columns = new.columns()?;
        if let Some(known) = keys.find(&columns)?.iter().position(Option::is_some) {
            let names: Vec<String> = self.key_columns.iter().map(|place| self.fields[*place].name().clone()).collect();
            let key = shown_key(&names, &columns, known);
            return Err(Error::new(ErrorKind::Stage, format!("both stages have a state of the key {key}"))
                .with_help("send all rows of a key to one stage"));
        }
        self.codes.merge(&other.codes)?;
        keys.number(&columns, 1)?;
        self.rows += other.rows;
        self.kernels.iter_mut().zip(other.kernels).for_each(|(own, other)| own.append(other));
        for (own, other) in self.watermarks.iter_mut().zip(other.watermarks) {
            own.last.extend(other.last);
        }
        if let (Some(own), Some(other)) = (&mut self.seen, other.seen) {
            own.extend(other);
        }
        Ok(())
    }
}
