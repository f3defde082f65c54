//! Ordered windows: multisets of the window's values that answer questions of order.

use crate::values::{Input, Output};

/// A multiset that supports insertion, removal and one question.
pub trait OrderedWindow: Clone + Send + Sync + 'static {
    /// A value; the driver never passes a null.
    type Input: Input;
    /// The answer.
    type Output: Output;
    /// The multiset.
    type State: Clone + Send + Sync;

    /// The empty multiset.
    fn empty(&self) -> Self::State;

    /// Adds a value.
    fn insert(&self, state: &mut Self::State, x: Self::Input);

    /// Takes one copy of a value away; it is there.
    fn remove(&self, state: &mut Self::State, x: Self::Input);

    /// Takes one value away and adds another.
    fn replace(&self, state: &mut Self::State, old: Self::Input, new: Self::Input) {
        self.remove(state, old);
        self.insert(state, new);
    }

    /// The answer for a window that is not empty, for a row with the value `current` (`None`: null, or not known); `None`
    /// where undefined.
    fn answer(&self, state: &Self::State, current: Option<Self::Input>) -> Option<Self::Output>;

    /// Answers all windows of `len` rows that end in `rows`, which begin with the `len` rows before the first such end: calls
    /// `answer` with the number of valid rows in each window and the answer for it; gives whether it did.  For questions
    /// that have a faster way over many windows than one after the other.
    fn answer_all(
        &self,
        _rows: &[Self::Input],
        _valid: Option<&[bool]>,
        _len: usize,
        _answer: impl FnMut(usize, Option<Self::Output>),
    ) -> bool {
        false
    }

    /// The bytes that the multiset holds beyond its own size.
    fn heap_bytes(&self, state: &Self::State) -> usize;
}
