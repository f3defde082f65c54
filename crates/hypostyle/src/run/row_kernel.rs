//! A row function bound to its columns, evaluated block by block.

use std::any::Any;
use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, new_empty_array};
use arrow::buffer::NullBuffer;
use arrow::compute::concat;
use arrow::datatypes::DataType;
use rayon::prelude::*;
use smallvec::SmallVec;

use super::batch::Batch;
use super::keyed::push_answer;
use super::live_row::LiveRow;
use super::running::{KeyedStates, Running};
use super::source::Source;
use super::wiring::Wiring;
use crate::error::{Error, Result};
use crate::model::RowFunction;
use crate::values::{Domain, Output, ScalarValue, StateReader, StateWriter, read_float};

/// How many rows are evaluated at once: few enough that intermediate results stay in the first-level cache.
const BLOCK: usize = 2048;

/// A row function bound to its columns.
#[derive(Clone)]
pub(crate) struct RowKernel<F> {
    function: F,
    inputs: Vec<RowInput>,
    wiring: Wiring,
    answers: Vec<ArrayRef>,
}

/// An input of a row function.
#[derive(Clone)]
enum RowInput {
    /// The column at this index.
    Column(usize),
    /// The same number in every row, of a block of them.
    Constant(Vec<f64>),
}

impl<F: RowFunction> RowKernel<F> {
    /// `wiring` with its sources, all of which are numbers or columns of floats.
    pub(crate) fn boxed(function: F, wiring: Wiring) -> Result<Box<dyn Running>> {
        let input = |source: &Source| match source {
            Source::Column { index, domain: Domain::Float, required: true } => Ok(RowInput::Column(*index)),
            Source::Constant(x) => Ok(RowInput::Constant(vec![*x; BLOCK])),
            _ => Err(Error::internal("a row function reads numbers and columns of numbers only")),
        };
        let inputs = wiring.sources.iter().map(input).collect::<Result<Vec<_>>>()?;
        // It reads whole arrays, so nothing needs to be grouped by key.
        let wiring = Wiring { sources: Vec::new(), interleaved: true, state_size: 0, splits: true, ..wiring };
        Ok(Box::new(Self { function, inputs, wiring, answers: Vec::new() }))
    }

    fn columns(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().filter_map(|input| match input {
            RowInput::Column(column) => Some(*column),
            RowInput::Constant(_) => None,
        })
    }

    fn answer_row(&self, row: LiveRow, answers: &mut Vec<ScalarValue<'static>>) {
        let values = self.inputs.iter().map(|input| match input {
            RowInput::Column(column) => row.operands[*column].float,
            RowInput::Constant(numbers) => numbers[0],
        });
        let values: SmallVec<[f64; 16]> = values.collect();
        let columns: SmallVec<[&[f64]; 16]> = values.chunks(1).collect();
        let mut answer = [0.0];
        self.function.evaluate(&columns, &mut answer);
        let valid = self.columns().all(|column| row.operands[column].valid);
        push_answer(valid.then_some(answer[0]), &self.wiring.output, answers);
    }
}

/// Evaluates a row function over columns of the same length.
///
/// ```
/// use hypostyle::{RowFunction, map_rows};
///
/// #[derive(Clone)]
/// struct Norm;
/// impl RowFunction for Norm {
///     fn evaluate(&self, columns: &[&[f64]], answers: &mut [f64]) {
///         for (i, y) in answers.iter_mut().enumerate() {
///             *y = columns.iter().map(|x| x[i] * x[i]).sum::<f64>().sqrt();
///         }
///     }
/// }
/// assert_eq!(map_rows(&Norm, &[&[3.0, 0.0], &[4.0, 1.0]]), [5.0, 1.0]);
/// ```
pub fn map_rows<F: RowFunction>(function: &F, columns: &[&[f64]]) -> Vec<f64> {
    let len = columns.iter().map(|column| column.len()).min().unwrap_or(0);
    let mut answers = vec![0.0; len];
    for (i, part) in answers.chunks_mut(BLOCK).enumerate() {
        evaluate_block(function, columns, i * BLOCK, part);
    }
    answers
}

fn evaluate_block<F: RowFunction>(function: &F, columns: &[&[f64]], start: usize, answers: &mut [f64]) {
    let end = start + answers.len();
    let block: SmallVec<[&[f64]; 16]> = columns.iter().map(|column| &column[start..end]).collect();
    function.evaluate(&block, answers);
}

/// The numbers of an input.
enum Lane<'a> {
    Column(Cow<'a, [f64]>),
    Constant(&'a [f64]),
}

impl<F: RowFunction> Running for RowKernel<F> {
    fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    fn expect_rows(&mut self, _rows: usize) {}

    fn run(&mut self, batch: &Batch) -> Result<()> {
        let lane = |input| {
            Ok(match input {
                &RowInput::Column(index) => Lane::Column(read_float(batch.record.column(index))?),
                RowInput::Constant(numbers) => Lane::Constant(numbers),
            })
        };
        let lanes = self.inputs.iter().map(lane).collect::<Result<Vec<_>>>()?;
        let evaluate = |i: usize, answers: &mut [f64]| {
            let (start, end) = (i * BLOCK, i * BLOCK + answers.len());
            let block: SmallVec<[&[f64]; 16]> = lanes
                .iter()
                .map(|lane| match lane {
                    Lane::Column(values) => &values[start..end],
                    Lane::Constant(numbers) => &numbers[..answers.len()],
                })
                .collect();
            self.function.evaluate(&block, answers);
        };
        let len = batch.record.num_rows();
        let mut answers = vec![0.0; len];
        if batch.threads > 1 {
            answers.par_chunks_mut(BLOCK).with_min_len(16).enumerate().for_each(|(i, part)| evaluate(i, part));
        } else {
            answers.chunks_mut(BLOCK).enumerate().for_each(|(i, part)| evaluate(i, part));
        }
        let nulls = self.columns().fold(None, |all, column| {
            NullBuffer::union(all.as_ref(), batch.record.column(column).logical_nulls().as_ref())
        });
        self.answers.push(f64::into_array(answers, nulls, &self.wiring.output));
        Ok(())
    }

    fn run_row(&mut self, _key: usize, row: LiveRow, answers: &mut Vec<ScalarValue<'static>>) {
        self.answer_row(row, answers);
    }

    fn peek_row(&self, _key: Option<usize>, row: LiveRow, answers: &mut Vec<ScalarValue<'static>>) {
        self.answer_row(row, answers);
    }

    fn take_results(&mut self) -> ArrayRef {
        joined(std::mem::take(&mut self.answers), &self.wiring.output)
    }
}

/// The arrays of several batches as one.
pub(super) fn joined(mut parts: Vec<ArrayRef>, data_type: &DataType) -> ArrayRef {
    match parts.len() {
        0 => new_empty_array(data_type),
        1 => parts.swap_remove(0),
        _ => {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            concat(&parts).expect("the parts have one type")
        }
    }
}

/// Row functions have no state, so keys do not matter.
impl<F: RowFunction> KeyedStates for RowKernel<F> {
    fn resize(&mut self, _keys: usize) {}

    fn clone_boxed(&self) -> Box<dyn Running> {
        Box::new(self.clone())
    }

    fn select(&self, _keys: &[u32]) -> Box<dyn Running> {
        self.clone_boxed()
    }

    fn put_back(&mut self, _keys: &[u32], _states: Box<dyn Running>) {}

    fn retain(&mut self, _kept: &[u32]) {}

    fn append(&mut self, _other: Box<dyn Running>) {}

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn write(&self, _to: &mut StateWriter, _key: usize) {}

    fn read(&mut self, _from: &mut StateReader) -> Result<()> {
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        0
    }
}
