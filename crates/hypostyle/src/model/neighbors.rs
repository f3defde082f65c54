//! Functions of a row's value and that of another row.

use crate::values::{Input, Output};

/// A function of a row's value and that of another row.
pub trait Neighbors: Clone + Send + Sync + 'static {
    /// A value.
    type Input: Input;
    /// The result.
    type Output: Output;

    /// Whether a row without a value has no result; if not, its own value is arbitrary there.
    const NEEDS_OWN: bool = true;

    /// Whether two values always have a result, so that [`Neighbors::exists`] need not be asked.
    const TOTAL: bool = true;

    /// Whether there is a result; if not, [`Neighbors::pair`] is arbitrary.
    fn exists(&self, _own: Self::Input, _other: Self::Input) -> bool {
        true
    }

    /// The result; it must not panic for arbitrary values.
    fn pair(&self, own: Self::Input, other: Self::Input) -> Self::Output;
}
