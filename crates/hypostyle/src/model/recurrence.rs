//! Recurrences: state machines that read rows in order and return a value per row.

use crate::values::{Input, Output, Persist};

/// A state machine over the rows of a key.
pub trait Recurrence: Clone + Send + Sync + 'static {
    /// A row; the driver never passes a null to [`Recurrence::step`].
    type Input: Input;
    /// The result.
    type Output: Output;
    /// The state; small, because it is looked up for each row.
    type State: Clone + Send + Sync + Persist;

    /// The state before the first row.
    fn start(&self) -> Self::State;

    /// Reads a row and returns its result; `None` is null.
    fn step(&self, state: &mut Self::State, row: Self::Input) -> Option<Self::Output>;

    /// Reads consecutive rows, as [`Recurrence::step`] one by one, with the same bits: a recurrence that can tell once for all
    /// of them what it would ask of each says so here.
    #[inline(always)]
    fn steps(
        &self,
        state: &mut Self::State,
        rows: impl Iterator<Item = Self::Input>,
        mut answer: impl FnMut(Option<Self::Output>),
    ) {
        // Not `for_each`, whose closure may not be inlined: the state would be in memory.
        for row in rows {
            answer(self.step(state, row));
        }
    }

    /// Returns the result of a row in which an input is null.
    fn skip(&self, state: &mut Self::State) -> Option<Self::Output>;
}
