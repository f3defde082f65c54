//! Ordered windows: multisets of the window's values, for statistics of order.

use crate::values::{Input, Output};

/// A multiset that supports insertion, removal and one statistic.
pub trait OrderedWindow: Clone + Send + Sync + 'static {
    /// A value; the driver never passes a null.
    type Input: Input;
    /// The result.
    type Output: Output;
    /// The multiset.
    type State: Clone + Send + Sync;

    /// The empty multiset.
    fn empty(&self) -> Self::State;

    /// Adds a value.
    fn insert(&self, state: &mut Self::State, x: Self::Input);

    /// Removes one copy of a value, which the multiset holds.
    fn remove(&self, state: &mut Self::State, x: Self::Input);

    /// Removes one value and adds another.
    fn replace(&self, state: &mut Self::State, old: Self::Input, new: Self::Input) {
        self.remove(state, old);
        self.insert(state, new);
    }

    /// The result for a window that is not empty, for a row with the value `current` (`None`: null, or not known); `None` if it
    /// is undefined.
    fn answer(&self, state: &Self::State, current: Option<Self::Input>) -> Option<Self::Output>;

    /// The result for no values.
    fn answer_empty(&self) -> Option<Self::Output> {
        None
    }

    /// Computes all windows of `len` rows that end in `rows`, which begin with the `len` rows before the first such end: calls
    /// `answer` with the row, counted from that end, the number of valid rows in its window and the result; in any order.
    /// Returns whether it did.  For statistics that are faster over many windows at once.
    fn answer_all(
        &self,
        _rows: &[Self::Input],
        _valid: Option<&[bool]>,
        _len: usize,
        _answer: impl FnMut(usize, usize, Option<Self::Output>),
    ) -> bool {
        false
    }

    /// The heap bytes of the multiset.
    fn heap_bytes(&self, state: &Self::State) -> usize;
}
