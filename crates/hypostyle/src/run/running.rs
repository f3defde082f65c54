//! A kernel bound to its columns, with the states of all keys: the dynamic interface between a stage and the drivers.  Every
//! method is required, so that no kernel can lose a state by omitting one.

use std::any::Any;

use arrow::array::ArrayRef;

use super::batch::Batch;
use super::live_row::LiveRow;
use super::wiring::Wiring;
use crate::error::Result;
use crate::values::{ScalarValue, StateReader, StateWriter};

/// A kernel bound to its columns.
pub trait Running: KeyedStates + Send + Sync {
    /// What it reads and returns.
    fn wiring(&self) -> &Wiring;

    /// Reserves memory for the results of this many rows.
    fn expect_rows(&mut self, rows: usize);

    /// Reads a batch; the results are kept until they are taken.
    ///
    /// # Errors
    /// Internal ones only: invalid input is found before the first kernel runs.
    fn run(&mut self, batch: &Batch) -> Result<()>;

    /// Reads a single row and appends its result to `results`: a value, or one per field of a struct.
    fn run_row(&mut self, key: usize, row: LiveRow, results: &mut Vec<ScalarValue<'static>>);

    /// As [`Running::run_row`], with a copy of the key's state; `None` is a key not seen yet.
    fn peek_row(&self, key: Option<usize>, row: LiveRow, results: &mut Vec<ScalarValue<'static>>);

    /// The results of all rows since they were last taken.
    fn take_results(&mut self) -> ArrayRef;
}

/// The states of a kernel's keys, which are numbered from 0.
pub trait KeyedStates {
    /// Starts states for new keys, or drops those beyond this many.
    fn resize(&mut self, keys: usize);

    /// A copy of the kernel with the states of all keys.
    fn clone_boxed(&self) -> Box<dyn Running>;

    /// A copy of the kernel with the states of these keys only, in this order.
    fn select(&self, keys: &[u32]) -> Box<dyn Running>;

    /// Replaces the states of these keys by those of a kernel that [`select`](KeyedStates::select) returned for them.
    fn put_back(&mut self, keys: &[u32], states: Box<dyn Running>);

    /// Keeps the states of these keys, which are in increasing order, and drops all others.
    fn retain(&mut self, kept: &[u32]);

    /// Appends the states of a kernel of the same specification.
    fn append(&mut self, other: Box<dyn Running>);

    /// The kernel as a concrete type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// Writes a key's state.
    fn write(&self, to: &mut StateWriter, key: usize);

    /// Reads the state of one more key.
    ///
    /// # Errors
    /// If the columns are not those of this kernel's state.
    fn read(&mut self, from: &mut StateReader) -> Result<()>;

    /// The bytes of all states.
    fn state_bytes(&self) -> usize;
}
