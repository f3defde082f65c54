//! What a window's result becomes with the row that it belongs to: a z-score, an offset, a prediction.

use crate::values::{Input, Output};

/// What a window's answer becomes with the row that it belongs to.
pub trait ByRow: Clone + Send + Sync + 'static {
    /// A row.
    type Input: Input;
    /// The window's answer.
    type Inner: Output;
    /// The row's answer.
    type Output: Output;

    /// The row's answer from its window's; `valid` tells whether all of the row's inputs are.
    fn with_row(&self, inner: Self::Inner, row: Self::Input, valid: bool) -> Option<Self::Output>;
}
