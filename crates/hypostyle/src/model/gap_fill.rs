//! What stands in rows without a value, from the values before and after them.

use crate::values::{Input, Output};

/// A value beside a gap, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Beside<I> {
    /// The value.
    pub value: I,
    /// Its place.
    pub place: RowPlace,
}

/// A row's number within its key, and its time; 0 if the kernel has no time column.
#[derive(Debug, Clone, Copy)]
pub struct RowPlace {
    /// The row's number within its key.
    pub row: usize,
    /// The row's time.
    pub time: i64,
}

impl RowPlace {
    /// How many rows lie from this one to a later one.
    pub fn rows_to(self, later: Self) -> usize {
        later.row - self.row
    }

    /// How much time.  Times do not decrease, so that their difference is exact as an unsigned number.
    pub fn time_to(self, later: Self) -> u64 {
        later.time.wrapping_sub(self.time).cast_unsigned()
    }
}

/// What stands in rows without a value, from the values before and after them.
pub trait GapFill: Clone + Send + Sync + 'static {
    /// A value, of rows and of results: a row that has one keeps it.
    type Value: Input + Output;

    /// The result of a row without a value.  It must not panic for arbitrary values.
    fn fill(
        &self,
        before: Option<Beside<Self::Value>>,
        place: RowPlace,
        after: Option<Beside<Self::Value>>,
    ) -> Option<Self::Value>;

    /// Whether each row without a value has the value after it, however far away.
    fn carries_back(&self) -> bool {
        false
    }

    /// One of two values.
    fn either(&self, is_first: bool, first: Self::Value, second: Self::Value) -> Self::Value {
        if is_first { first } else { second }
    }
}
