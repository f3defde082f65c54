//! A [`Program`] bound to its columns.  Its columns and the fields of its state are known at run time only, so a row is a slice
//! of scalars and the states of all keys are one vector.

use std::any::Any;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::DataType;

use super::batch::Batch;
use super::keyed::push_answer;
use super::live_row::LiveRow;
use super::row_kernel::joined;
use super::running::{KeyedStates, Running};
use super::source::Source;
use super::wiring::Wiring;
use crate::error::{Error, Result};
use crate::keys::groups::Groups;
use crate::model::Program;
use crate::values::{Domain, Output, Scalar, ScalarValue, StateReader, StateWriter, Values};

/// See the module.
#[derive(Clone)]
pub(crate) struct ProgramKernel {
    program: Arc<dyn Program>,
    wiring: Wiring,
    /// The fields of each key's state, key by key.
    states: Vec<Scalar>,
    keys: usize,
    results: Vec<ArrayRef>,
}

impl ProgramKernel {
    pub(crate) fn boxed(program: Arc<dyn Program>, wiring: Wiring) -> Result<Box<dyn Running>> {
        let output = &wiring.output;
        if !Domain::Float.reads(output) && !Domain::Integer.reads(output) {
            return Err(Error::internal(format!("a program cannot return the type {output}")));
        }
        let state_size = program.state().len() * size_of::<Scalar>();
        let wiring = Wiring { interleaved: true, state_size, ..wiring };
        Ok(Box::new(Self { program, wiring, states: Vec::new(), keys: 0, results: Vec::new() }))
    }

    fn width(&self) -> usize {
        self.program.state().len()
    }

    fn state(&self, key: usize) -> &[Scalar] {
        &self.states[key * self.width()..(key + 1) * self.width()]
    }

    fn start(&self) -> Vec<Scalar> {
        self.program.state().iter().map(|field| field.start).collect()
    }

    fn with_states(&self, states: Vec<Scalar>, keys: usize) -> Self {
        let (program, wiring) = (self.program.clone(), self.wiring.clone());
        Self { program, wiring, states, keys, results: Vec::new() }
    }

    fn is_float(&self) -> bool {
        matches!(self.wiring.output, DataType::Float16 | DataType::Float32 | DataType::Float64)
    }

    fn of(kernel: Box<dyn Running>) -> Box<Self> {
        kernel.into_any().downcast().unwrap_or_else(|_| unreachable!("kernels of one specification have one type"))
    }

    fn row_of(&self, row: LiveRow) -> Vec<Option<Scalar>> {
        let scalar = |source: &Source| {
            let valid = row.is_valid(std::slice::from_ref(source));
            valid.then(|| match source {
                Source::Column { domain: Domain::Presence, .. } => Scalar::Integer(0),
                _ => row.scalar(source),
            })
        };
        self.wiring.sources.iter().map(scalar).collect()
    }

    fn push(&self, result: Option<Scalar>, results: &mut Vec<ScalarValue<'static>>) {
        if self.is_float() {
            push_answer(result.map(|x| x.float()), &self.wiring.output, results);
        } else {
            push_answer(result.map(|x| x.integer()), &self.wiring.output, results);
        }
    }
}

impl Running for ProgramKernel {
    fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    fn expect_rows(&mut self, _rows: usize) {}

    fn run(&mut self, batch: &Batch) -> Result<()> {
        let len = batch.record.num_rows();
        let sources = &self.wiring.sources;
        let columns: Vec<Values> = sources.iter().map(|source| batch.values(source)).collect();
        let valid: Vec<_> = sources.iter().map(|source| batch.valid(std::slice::from_ref(source))).collect();
        let keys: Vec<u32> = match batch.groups {
            Groups::One => vec![0; len],
            Groups::Interleaved { keys } => keys.to_vec(),
            Groups::Runs { runs, .. } => {
                runs.iter().flat_map(|run| std::iter::repeat_n(run.key, run.end - run.start)).collect()
            }
        };
        let (mut given, mut results) = (vec![None; columns.len()], Vec::with_capacity(len));
        let width = self.program.state().len();
        for (row, key) in keys.iter().enumerate() {
            for (lane, slot) in given.iter_mut().enumerate() {
                let scalar = match &columns[lane] {
                    Values::Float(values) => Scalar::Float(values[row]),
                    Values::Integer(values) => Scalar::Integer(values[row]),
                    Values::Constant(x) => Scalar::Float(*x),
                    Values::Nothing => Scalar::Integer(0),
                };
                *slot = valid[lane].as_ref().is_none_or(|valid| valid[row]).then_some(scalar);
            }
            let key = *key as usize;
            results.push(self.program.step(&given, &mut self.states[key * width..(key + 1) * width]));
        }
        let mut in_order = Vec::with_capacity(len);
        batch.groups.append_in_row_order(&results, &mut in_order, 1);
        let results = if batch.groups.keep_order() { results } else { in_order };
        let nulls = results.iter().any(Option::is_none);
        let nulls = nulls.then(|| NullBuffer::new(BooleanBuffer::collect_bool(len, |row| results[row].is_some())));
        let array = if self.is_float() {
            let numbers = results.iter().map(|x| x.map_or(0.0, |x| x.float())).collect();
            f64::into_array(numbers, nulls, &self.wiring.output)
        } else {
            let numbers = results.iter().map(|x| x.map_or(0, |x| x.integer())).collect();
            i64::into_array(numbers, nulls, &self.wiring.output)
        };
        self.results.push(array);
        Ok(())
    }

    fn run_row(&mut self, key: usize, row: LiveRow, results: &mut Vec<ScalarValue<'static>>) {
        let (row, width) = (self.row_of(row), self.width());
        let result = self.program.step(&row, &mut self.states[key * width..(key + 1) * width]);
        self.push(result, results);
    }

    fn peek_row(&self, key: Option<usize>, row: LiveRow, results: &mut Vec<ScalarValue<'static>>) {
        let mut state = key.map_or_else(|| self.start(), |key| self.state(key).to_vec());
        let result = self.program.step(&self.row_of(row), &mut state);
        self.push(result, results);
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
        for (field, x) in self.program.state().iter().zip(self.state(key)) {
            to.scalar(&field.name, *x);
        }
    }

    fn read(&mut self, from: &mut StateReader) -> Result<()> {
        for field in self.program.state() {
            self.states.push(from.scalar(&field.name, field.start)?);
        }
        self.keys += 1;
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.states.capacity() * size_of::<Scalar>()
    }
}
