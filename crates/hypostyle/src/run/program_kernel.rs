//! A [`Program`] bound to its columns.  Its columns and the fields of its state are known at run time only, so a state is a few
//! words, and those of all keys are one vector.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StructArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};

use super::batch::Batch;
use super::keyed::push_answer;
use super::live_row::LiveRow;
use super::row_kernel::joined;
use super::running::{KeyedStates, Running};
use super::source::Source;
use super::wiring::Wiring;
use crate::error::{Error, ErrorKind, Result};
use crate::keys::groups::Groups;
use crate::model::{Cells, Lane, Program, ProgramColumn, ProgramRows, Refused, RowKeys, Valid};
use crate::values::{Domain, Output, Scalar, ScalarValue, StateReader, StateWriter, Values, is_text, read};

/// See the module.
#[derive(Clone)]
pub(crate) struct ProgramKernel {
    program: Arc<dyn Program>,
    /// Its name, for messages.
    name: Arc<str>,
    wiring: Wiring,
    /// Where its columns are.
    sources: Vec<Source>,
    /// The fields of each key's state, key by key.
    states: Vec<u64>,
    keys: usize,
    results: Vec<ArrayRef>,
}

impl ProgramKernel {
    pub(crate) fn boxed(program: Arc<dyn Program>, name: &str, wiring: Wiring) -> Result<Box<dyn Running>> {
        for output in parts_of(&wiring.output) {
            if !Domain::Float.reads(output) && !Domain::Integer.reads(output) && !is_text(output) {
                return Err(Error::internal(format!("a program cannot return the type {output}")));
            }
        }
        let stateless = program.state().is_empty();
        let (cost, refuses) = (program.cost(), program.may_refuse());
        let state_size = program.state().len() * size_of::<u64>();
        let sources = wiring.sources.clone();
        // Without state it reads whole arrays, so nothing needs to be put into the order of keys.
        let needed = if stateless { Vec::new() } else { sources.clone() };
        let texts = program.texts();
        let wiring = Wiring {
            sources: needed,
            texts,
            interleaved: true,
            state_size,
            cost,
            refuses,
            splits: stateless,
            ..wiring
        };
        Ok(Box::new(Self {
            program,
            name: name.into(),
            wiring,
            sources,
            states: Vec::new(),
            keys: 0,
            results: Vec::new(),
        }))
    }

    fn width(&self) -> usize {
        self.program.state().len()
    }

    fn state(&self, key: usize) -> &[u64] {
        &self.states[key * self.width()..(key + 1) * self.width()]
    }

    fn start(&self) -> Vec<u64> {
        self.program.state().iter().map(|field| bits_of(field.start)).collect()
    }

    fn with_states(&self, states: Vec<u64>, keys: usize) -> Self {
        Self { states, keys, results: Vec::new(), ..self.clone_without_states() }
    }

    fn clone_without_states(&self) -> Self {
        let (program, name, wiring) = (self.program.clone(), self.name.clone(), self.wiring.clone());
        Self { program, name, wiring, sources: self.sources.clone(), states: Vec::new(), keys: 0, results: Vec::new() }
    }

    fn of(kernel: Box<dyn Running>) -> Box<Self> {
        kernel.into_any().downcast().unwrap_or_else(|_| unreachable!("kernels of one specification have one type"))
    }

    fn refusal(&self, refused: Refused, row: usize) -> Error {
        Error::new(ErrorKind::Refused, refused.problem).in_kernel(&*self.name).at_row(row as u64)
    }

    /// One step from a row and a state in words.
    fn step(
        &self,
        row: &[Option<Scalar>],
        state: &mut [u64],
        results: &mut [Option<Scalar>],
    ) -> std::result::Result<(), Refused> {
        let fields = self.program.state();
        let mut scalars: Vec<Scalar> =
            fields.iter().zip(state.iter()).map(|(field, bits)| scalar_of(*bits, field.start)).collect();
        results.fill(None);
        self.program.step(row, &mut scalars, results)?;
        state.iter_mut().zip(scalars).for_each(|(bits, scalar)| *bits = bits_of(scalar));
        Ok(())
    }

    /// A program that has no way to read many rows at once.
    fn step_by_step(&mut self, rows: &ProgramRows) -> std::result::Result<Vec<Lane>, Refused> {
        let count = parts_of(&self.wiring.output).len();
        let (mut values, mut valid) = (vec![vec![0; rows.len]; count], vec![vec![true; rows.len]; count]);
        let mut given = vec![None; rows.columns.len()];
        let (mut results, width) = (vec![None; count], self.width());
        let keys = key_of_rows(&rows.keys, rows.len);
        for (row, key) in keys.into_iter().enumerate() {
            for (slot, column) in given.iter_mut().zip(&rows.columns) {
                let scalar = match &column.values {
                    Values::Float(values) => Scalar::Float(values[row]),
                    Values::Integer(values) => Scalar::Integer(values[row]),
                    Values::Constant(x) => Scalar::Float(*x),
                    Values::Nothing => Scalar::Integer(0),
                };
                let is_valid = match &column.valid {
                    Valid::All => true,
                    Valid::Flags(flags) => flags[row],
                    Valid::Bits(nulls) => nulls.is_valid(row),
                };
                *slot = is_valid.then_some(scalar);
            }
            let key = key as usize;
            let mut state = self.states[key * width..(key + 1) * width].to_vec();
            self.step(&given, &mut state, &mut results).map_err(|refused| Refused { row, ..refused })?;
            self.states[key * width..(key + 1) * width].copy_from_slice(&state);
            for (lane, result) in results.iter().enumerate() {
                values[lane][row] = result.map_or(0, bits_of);
                valid[lane][row] = result.is_some();
            }
        }
        let lane = |(values, valid): (Vec<u64>, Vec<bool>)| {
            let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
            Lane { values: Cells::Words(values), nulls }
        };
        Ok(values.into_iter().zip(valid).map(lane).collect())
    }

    fn row_of(&self, row: LiveRow) -> Vec<Option<Scalar>> {
        let scalar = |source: &Source| {
            let valid = row.is_valid(std::slice::from_ref(source));
            valid.then(|| match source {
                Source::Column { domain: Domain::Presence, .. } => Scalar::Integer(0),
                _ => row.scalar(source),
            })
        };
        self.sources.iter().map(scalar).collect()
    }

    /// A row that is refused has been found before: see [`Wiring::refuses`].
    fn row_results(&self, row: LiveRow, state: &mut [u64]) -> Vec<Option<Scalar>> {
        let mut results = vec![None; parts_of(&self.wiring.output).len()];
        if self.step(&self.row_of(row), state, &mut results).is_err() {
            results.fill(None);
        }
        results
    }
}

/// Appends a row's results to its cells.
pub(super) fn push_results(output: &DataType, results: &[Option<Scalar>], cells: &mut Vec<ScalarValue<'static>>) {
    for (output, result) in parts_of(output).into_iter().zip(results) {
        if is_float(output) {
            push_answer(result.map(|x| x.float()), output, cells);
        } else {
            push_answer(result.map(|x| x.integer()), output, cells);
        }
    }
}

/// A whole column as a program reads it.
pub(super) fn column_of(array: &ArrayRef, domain: Domain) -> Result<ProgramColumn<'_>> {
    let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    Ok(ProgramColumn { values: read(array, domain)?, valid: nulls.map_or(Valid::All, Valid::Bits) })
}

/// The types of the fields of a result, or its own.
pub(super) fn parts_of(output: &DataType) -> Vec<&DataType> {
    match output {
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        other => vec![other],
    }
}

fn is_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float16 | DataType::Float32 | DataType::Float64)
}

fn bits_of(scalar: Scalar) -> u64 {
    match scalar {
        Scalar::Float(x) => x.to_bits(),
        Scalar::Integer(x) => x.cast_unsigned(),
    }
}

fn scalar_of(bits: u64, like: Scalar) -> Scalar {
    match like {
        Scalar::Float(_) => Scalar::Float(f64::from_bits(bits)),
        Scalar::Integer(_) => Scalar::Integer(bits.cast_signed()),
    }
}

fn key_of_rows(keys: &RowKeys, len: usize) -> Vec<u32> {
    match keys {
        RowKeys::One => vec![0; len],
        RowKeys::Each(keys) => keys.to_vec(),
        RowKeys::Runs(runs) => {
            runs.iter().flat_map(|(key, start, end)| std::iter::repeat_n(*key, end - start)).collect()
        }
    }
}

/// A lane as an array; the usual types are not copied.
fn array_of_lane(lane: Lane, len: usize, data_type: &DataType) -> ArrayRef {
    let Lane { values, nulls } = lane;
    let values = match values {
        Cells::Words(values) => values,
        Cells::Bits(bytes) if *data_type == DataType::Boolean => {
            return Arc::new(BooleanArray::new(BooleanBuffer::new(Buffer::from_vec(bytes), 0, len), nulls));
        }
        bits => (0..len).map(|row| bits.word(row)).collect(),
    };
    match data_type {
        DataType::Float64 => {
            let values = ScalarBuffer::new(Buffer::from_vec(values), 0, len);
            Arc::new(Float64Array::new(values, nulls))
        }
        DataType::Int64 => {
            let values = ScalarBuffer::new(Buffer::from_vec(values), 0, len);
            Arc::new(Int64Array::new(values, nulls))
        }
        DataType::Boolean => {
            let bits = BooleanBuffer::collect_bool(len, |row| values[row] != 0);
            Arc::new(BooleanArray::new(bits, nulls))
        }
        other if is_float(other) => f64::into_array(values.into_iter().map(f64::from_bits).collect(), nulls, other),
        other => i64::into_array(values.into_iter().map(u64::cast_signed).collect(), nulls, other),
    }
}

pub(super) fn array_of_lanes(mut lanes: Vec<Lane>, len: usize, output: &DataType) -> ArrayRef {
    match output {
        DataType::Struct(fields) => {
            let columns: Vec<ArrayRef> = lanes
                .into_iter()
                .zip(fields)
                .map(|(lane, field)| array_of_lane(lane, len, field.data_type()))
                .collect();
            // Texts are codes yet.
            let typed = fields.iter().zip(&columns);
            let typed = typed.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true));
            Arc::new(StructArray::new(typed.collect(), columns, None))
        }
        output => array_of_lane(lanes.swap_remove(0), len, output),
    }
}

impl Running for ProgramKernel {
    fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    fn expect_rows(&mut self, _rows: usize) {}

    fn run(&mut self, batch: &Batch) -> Result<()> {
        let len = batch.record.num_rows();
        let stateless = self.program.state().is_empty();
        let mut columns = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            columns.push(match (source, stateless) {
                (Source::Column { index, domain, .. }, true) => column_of(batch.record.column(*index), *domain)?,
                _ => {
                    let flags = batch.valid(std::slice::from_ref(source));
                    ProgramColumn { values: batch.values(source), valid: flags.map_or(Valid::All, Valid::Flags) }
                }
            });
        }
        let (keys, in_row_order) = match batch.groups {
            _ if stateless => (RowKeys::One, true),
            Groups::One => (RowKeys::One, true),
            Groups::Interleaved { keys } => (RowKeys::Each(keys), true),
            Groups::Runs { runs, .. } => (
                RowKeys::Runs(runs.iter().map(|run| (run.key, run.start, run.end)).collect()),
                batch.groups.keep_order(),
            ),
        };
        let rows = ProgramRows { len, columns, keys, threads: batch.threads };
        let lanes = match self.program.run(&rows, &mut self.states) {
            Some(lanes) => lanes,
            None => self.step_by_step(&rows),
        };
        let mut lanes = lanes.map_err(|refused| {
            let row = if in_row_order { refused.row } else { batch.groups.row_at(refused.row) };
            self.refusal(refused, row)
        })?;
        if !in_row_order {
            for lane in &mut lanes {
                let given: Vec<u64> = (0..len).map(|row| lane.values.word(row)).collect();
                let mut values = Vec::with_capacity(len);
                batch.groups.append_in_row_order(&given, &mut values, 1);
                lane.values = Cells::Words(values);
                lane.nulls = lane.nulls.take().map(|nulls| {
                    let mut valid = Vec::with_capacity(len);
                    batch.groups.append_in_row_order(&nulls.iter().collect::<Vec<bool>>(), &mut valid, 1);
                    NullBuffer::from(valid)
                });
            }
        }
        self.results.push(array_of_lanes(lanes, len, &self.wiring.output));
        Ok(())
    }

    fn run_row(&mut self, key: usize, row: LiveRow, results: &mut Vec<ScalarValue<'static>>) {
        let mut state = self.state(key).to_vec();
        let cells = self.row_results(row, &mut state);
        let width = self.width();
        self.states[key * width..(key + 1) * width].copy_from_slice(&state);
        push_results(&self.wiring.output, &cells, results);
    }

    fn peek_row(&self, key: Option<usize>, row: LiveRow, results: &mut Vec<ScalarValue<'static>>) {
        let mut state = key.map_or_else(|| self.start(), |key| self.state(key).to_vec());
        let cells = self.row_results(row, &mut state);
        push_results(&self.wiring.output, &cells, results);
    }

    fn take_results(&mut self) -> ArrayRef {
        joined(std::mem::take(&mut self.results), &self.wiring.output)
    }
}

impl KeyedStates for ProgramKernel {
    fn resize(&mut self, keys: usize) {
        let start = self.start();
        self.states.truncate(keys * start.len());
        for _ in self.keys..keys {
            self.states.extend_from_slice(&start);
        }
        self.keys = keys;
    }

    fn clone_boxed(&self) -> Box<dyn Running> {
        Box::new(self.with_states(self.states.clone(), self.keys))
    }

    fn select(&self, keys: &[u32]) -> Box<dyn Running> {
        let states = keys.iter().flat_map(|key| self.state(*key as usize)).copied().collect();
        Box::new(self.with_states(states, keys.len()))
    }

    fn put_back(&mut self, keys: &[u32], states: Box<dyn Running>) {
        let (copies, width) = (Self::of(states), self.width());
        for (place, key) in keys.iter().enumerate() {
            let key = *key as usize;
            self.states[key * width..(key + 1) * width].copy_from_slice(copies.state(place));
        }
    }

    fn retain(&mut self, kept: &[u32]) {
        self.states = kept.iter().flat_map(|key| self.state(*key as usize)).copied().collect();
        self.keys = kept.len();
    }

    fn append(&mut self, other: Box<dyn Running>) {
        let other = Self::of(other);
        self.states.extend(other.states);
        self.keys += other.keys;
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn write(&self, to: &mut StateWriter, key: usize) {
        for (field, bits) in self.program.state().iter().zip(self.state(key)) {
            to.scalar(&field.name, scalar_of(*bits, field.start));
        }
    }

    fn read(&mut self, from: &mut StateReader) -> Result<()> {
        for field in self.program.state() {
            self.states.push(bits_of(from.scalar(&field.name, field.start)?));
        }
        self.keys += 1;
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.states.capacity() * size_of::<u64>()
    }
}
