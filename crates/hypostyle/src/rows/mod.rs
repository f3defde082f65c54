//! Row functions: one answer from one row's columns, without state.

pub mod risk_score;
pub mod row_dot;

use std::any::Any;

use arrow::array::{Array, ArrayRef, new_empty_array};
use arrow::buffer::NullBuffer;
use arrow::compute::concat;
use arrow::datatypes::{DataType, Schema};
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::arguments::{Arguments, find_column};
use crate::batch::Batch;
use crate::cell::{Cell, LiveRow};
use crate::column::{Domain, Output, Values, computed_type, read};
use crate::error::{Error, Result};
use crate::kernel::{Running, push_answer};
use crate::record::{Reader, Writer};

/// A function of one row's numbers, written over whole columns so that the compiler can vectorise it.
pub trait RowFunction: Clone + Send + Sync + 'static {
    /// Fills `answers` from columns of the same length; rows with a null in any column are overwritten with null after.
    fn evaluate(&self, columns: &[&[f64]], answers: &mut [f64]);
}

/// Rows that are evaluated at once: few enough that intermediate results stay in the first-level cache.
const BLOCK: usize = 2048;

/// A row function bound to its columns.
#[derive(Clone)]
pub(crate) struct RowKernel<F> {
    function: F,
    columns: Vec<usize>,
    answer: DataType,
    answers: Vec<ArrayRef>,
}

impl<F: RowFunction> RowKernel<F> {
    /// Binds a function to the columns of these names.
    pub(crate) fn boxed(
        function: F,
        arguments: &Arguments,
        schema: &Schema,
        names: &[String],
    ) -> Result<Box<dyn Running>> {
        let mut columns = Vec::new();
        let mut types = Vec::new();
        for name in names {
            let (index, data_type) = find_column(schema, arguments.kernel_name(), name)?;
            if !Domain::Float.reads(data_type) {
                let kernel = arguments.kernel_name();
                return Err(Error::column_type(kernel, name, "a number or a boolean", data_type));
            }
            columns.push(index);
            types.push(data_type);
        }
        Ok(Box::new(Self { function, columns, answer: computed_type(&types), answers: Vec::new() }))
    }

    fn answer_row(&self, row: LiveRow, answers: &mut Vec<Cell<'static>>) {
        let given = || self.columns.iter().map(|column| &row.given[*column]);
        let values: SmallVec<[f64; 16]> = given().map(|given| given.float).collect();
        let columns: SmallVec<[&[f64]; 16]> = values.chunks(1).collect();
        let mut answer = [0.0];
        self.function.evaluate(&columns, &mut answer);
        push_answer(given().all(|given| given.valid).then_some(answer[0]), &self.answer, answers);
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
    let block: Vec<&[f64]> = columns.iter().map(|column| &column[start..end]).collect();
    function.evaluate(&block, answers);
}

impl<F: RowFunction> Running for RowKernel<F> {
    fn answer_type(&self) -> &DataType {
        &self.answer
    }

    fn run(&mut self, batch: &Batch) {
        let arrays: Vec<&ArrayRef> = self.columns.iter().map(|index| batch.record.column(*index)).collect();
        let values: Vec<Values> = arrays.iter().map(|array| read(array, Domain::Float)).collect();
        let columns: Vec<&[f64]> = values
            .iter()
            .map(|values| if let Values::Float(values) = values { values.as_ref() } else { &[] })
            .collect();
        let len = batch.record.num_rows();
        let mut answers = vec![0.0; len];
        if batch.threads > 1 {
            answers
                .par_chunks_mut(BLOCK)
                .with_min_len(16)
                .enumerate()
                .for_each(|(i, part)| evaluate_block(&self.function, &columns, i * BLOCK, part));
        } else {
            for (i, part) in answers.chunks_mut(BLOCK).enumerate() {
                evaluate_block(&self.function, &columns, i * BLOCK, part);
            }
        }
        let nulls =
            arrays.iter().fold(None, |all, array| NullBuffer::union(all.as_ref(), array.logical_nulls().as_ref()));
        self.answers.push(f64::into_array(answers, nulls, &self.answer));
    }

    fn run_row(&mut self, _key: usize, row: LiveRow, answers: &mut Vec<Cell<'static>>) {
        self.answer_row(row, answers);
    }

    fn peek_row(&self, _key: Option<usize>, row: LiveRow, answers: &mut Vec<Cell<'static>>) {
        self.answer_row(row, answers);
    }

    fn take_answers(&mut self) -> ArrayRef {
        let mut answers = std::mem::take(&mut self.answers);
        match answers.len() {
            0 => new_empty_array(&self.answer),
            1 => answers.swap_remove(0),
            _ => {
                let parts: Vec<&dyn Array> = answers.iter().map(AsRef::as_ref).collect();
                concat(&parts).expect("the parts have one type")
            }
        }
    }

    fn clone_boxed(&self) -> Box<dyn Running> {
        Box::new(self.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn select(&self, _keys: &[u32]) -> Box<dyn Running> {
        self.clone_boxed()
    }

    fn write(&self, _to: &mut Writer, _key: usize) {}

    fn read(&mut self, _from: &mut Reader) -> Result<()> {
        Ok(())
    }
}
