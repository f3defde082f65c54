//! Branches that stay branches.
//!
//! A branch that is foreseen costs nothing, where a choice waits for both sides, and it keeps what comes before it apart from what
//! comes after, where numbers that are computed side by side wait for each other.  The compiler does not know which rows are rare.

use std::hint::black_box;

/// A value as it is, where a row is rare.
#[cold]
#[inline(never)]
pub(crate) fn rarely<T>(x: T) -> T {
    black_box(x)
}
