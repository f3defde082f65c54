//! Results that combine a window's result with the current row: a z-score, an offset, a prediction.

use crate::values::{Input, Output};

/// A last step that combines a window's result with the current row.
pub trait ByRow: Clone + Send + Sync + 'static {
    /// A row.
    type Input: Input;
    /// The window's result.
    type Inner: Output;
    /// The row's result.
    type Output: Output;

    /// The row's result from its window's; `valid` says whether all inputs of the row are.
    fn with_row(&self, inner: Self::Inner, row: Self::Input, valid: bool) -> Option<Self::Output>;
}
