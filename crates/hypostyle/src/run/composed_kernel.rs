//! A program over the results of other kernels: what it needs of a window is computed by kernels, and it sees one row.

use std::any::Any;
use std::sync::Arc;

use arrow::array::ArrayRef;

use super::batch::Batch;
use super::live_row::LiveRow;
use super::program_kernel::{array_of_lanes, column_of, parts_of, push_results};
use super::row_kernel::joined;
use super::running::{KeyedStates, Running};
use super::wiring::Wiring;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Program, ProgramRows, RowKeys};
use crate::values::{Scalar, ScalarValue, StateReader, StateWriter};

/// See the module.
pub(crate) struct ComposedKernel {
    /// The kernels, by the names that their states have.
    parts: Vec<(String, Box<dyn Running>)>,
    program: Arc<dyn Program>,
    /// The program's name, for messages.
    name: Arc<str>,
    wiring: Wiring,
    results: Vec<ArrayRef>,
}

impl ComposedKernel {
    pub(crate) fn boxed(
        parts: Vec<(String, Box<dyn Running>)>,
        program: Arc<dyn Program>,
        name: &str,
    ) -> Result<Box<dyn Running>> {
        let wirings = || parts.iter().map(|(_, part)| part.wiring());
        let Some(first) = wirings().next() else {
            return Err(Error::internal("a program over the results of other kernels needs one of them"));
        };
        if !program.state().is_empty() || program.inputs().len() != parts.len() {
            return Err(Error::internal("a program over other kernels has no state, and an input for each of them"));
        }
        if wirings().any(|part| (part.time, &part.bounds, part.step) != (first.time, &first.bounds, first.step)) {
            return Err(Error::internal("kernels under one program have one window"));
        }
        let mut sources = Vec::new();
        wirings().flat_map(|part| &part.sources).for_each(|source| {
            if !sources.contains(source) {
                sources.push(*source);
            }
        });
        let wiring = Wiring {
            unsigned: Vec::new(),
            coded: wirings().flat_map(|part| &part.coded).copied().collect(),
            texts: program.texts(),
            output: program.output_type(),
            sources,
            time: first.time,
            bounds: first.bounds.clone(),
            step: first.step,
            looks_ahead: wirings().any(|part| part.looks_ahead),
            interleaved: wirings().all(|part| part.interleaved),
            state_size: wirings().map(|part| part.state_size).sum(),
            cost: wirings().map(|part| part.cost).sum::<usize>() + program.cost(),
            splits: wirings().all(|part| part.splits),
            refuses: program.may_refuse(),
        };
        Ok(Box::new(Self { parts, program, name: name.into(), wiring, results: Vec::new() }))
    }

    fn with_parts(&self, change: impl Fn(&dyn Running) -> Box<dyn Running>) -> Box<dyn Running> {
        let parts = self.parts.iter().map(|(name, part)| (name.clone(), change(part.as_ref()))).collect();
        let (program, name, wiring) = (self.program.clone(), self.name.clone(), self.wiring.clone());
        Box::new(Self { parts, program, name, wiring, results: Vec::new() })
    }

    fn of(kernel: Box<dyn Running>) -> Box<Self> {
        kernel.into_any().downcast().unwrap_or_else(|_| unreachable!("kernels of one specification have one type"))
    }

    /// The results of a row whose parts are these.
    fn finish_row(&self, cells: &[ScalarValue<'static>], results: &mut Vec<ScalarValue<'static>>) {
        let scalar = |cell: &ScalarValue| match cell {
            ScalarValue::Float(x) => Some(Scalar::Float(*x)),
            ScalarValue::Integer(x) => Some(Scalar::Integer(*x)),
            ScalarValue::Boolean(x) => Some(Scalar::Integer(i64::from(*x))),
            _ => None,
        };
        let row: Vec<Option<Scalar>> = cells.iter().map(scalar).collect();
        let mut answers = vec![None; parts_of(&self.wiring.output).len()];
        if self.program.step(&row, &mut [], &mut answers).is_err() {
            answers.fill(None);
        }
        push_results(&self.wiring.output, &answers, results);
    }
}

impl Running for ComposedKernel {
    fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    fn expect_rows(&mut self, _rows: usize) {}

    fn run(&mut self, batch: &Batch) -> Result<()> {
        let mut arrays = Vec::with_capacity(self.parts.len());
        for (_, part) in &mut self.parts {
            part.run(batch)?;
            arrays.push(part.take_results());
        }
        let columns = arrays.iter().zip(self.program.inputs()).map(|(array, domain)| column_of(array, *domain));
        let len = batch.record.num_rows();
        let rows =
            ProgramRows { len, columns: columns.collect::<Result<_>>()?, keys: RowKeys::One, threads: batch.threads };
        let lanes =
            self.program.run(&rows, &mut []).ok_or_else(|| Error::internal("a program reads rows one by one"))?;
        let lanes = lanes.map_err(|refused| {
            Error::new(ErrorKind::Refused, refused.problem).in_kernel(&*self.name).at_row(refused.row as u64)
        })?;
        self.results.push(array_of_lanes(lanes, len, &self.wiring.output));
        Ok(())
    }

    fn run_row(&mut self, key: usize, row: LiveRow, results: &mut Vec<ScalarValue<'static>>) {
        let mut cells = Vec::with_capacity(self.parts.len());
        self.parts.iter_mut().for_each(|(_, part)| part.run_row(key, row, &mut cells));
        self.finish_row(&cells, results);
    }

    fn peek_row(&self, key: Option<usize>, row: LiveRow, results: &mut Vec<ScalarValue<'static>>) {
        let mut cells = Vec::with_capacity(self.parts.len());
        self.parts.iter().for_each(|(_, part)| part.peek_row(key, row, &mut cells));
        self.finish_row(&cells, results);
    }

    fn take_results(&mut self) -> ArrayRef {
        joined(std::mem::take(&mut self.results), &self.wiring.output)
    }
}

impl KeyedStates for ComposedKernel {
    fn resize(&mut self, keys: usize) {
        self.parts.iter_mut().for_each(|(_, part)| part.resize(keys));
    }

    fn clone_boxed(&self) -> Box<dyn Running> {
        self.with_parts(|part| part.clone_boxed())
    }

    fn select(&self, keys: &[u32]) -> Box<dyn Running> {
        self.with_parts(|part| part.select(keys))
    }

    fn put_back(&mut self, keys: &[u32], states: Box<dyn Running>) {
        let parts = self.parts.iter_mut().zip(Self::of(states).parts);
        parts.for_each(|((_, part), (_, states))| part.put_back(keys, states));
    }

    fn retain(&mut self, kept: &[u32]) {
        self.parts.iter_mut().for_each(|(_, part)| part.retain(kept));
    }

    fn append(&mut self, other: Box<dyn Running>) {
        let parts = self.parts.iter_mut().zip(Self::of(other).parts);
        parts.for_each(|((_, part), (_, other))| part.append(other));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn write(&self, to: &mut StateWriter, key: usize) {
        for (name, part) in &self.parts {
            to.part(name, |to| part.write(to, key));
        }
    }

    fn read(&mut self, from: &mut StateReader) -> Result<()> {
        self.parts.iter_mut().try_for_each(|(name, part)| from.part(name, |from| part.read(from)))
    }

    fn state_bytes(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.state_bytes()).sum()
    }
}
