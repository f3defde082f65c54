//! What a stage needs to know of a bound kernel to feed it.

use arrow::datatypes::DataType;

use super::source::Source;
use crate::spec::Bounds;

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Wiring {
    /// The data type of the output column.
    pub output: DataType,
    /// The columns that it reads, grouped by key.
    pub sources: Vec<Source>,
    /// The sources that are columns of u64, read as integers.
    pub unsigned: Vec<usize>,
    /// The columns that are no integers, but read as such.
    pub coded: Vec<usize>,
    /// Texts that may be among its results though no column has them.
    pub texts: Vec<String>,
    /// Its time column.
    pub time: Option<usize>,
    /// The column that sets where each row's window begins.
    pub bounds: Option<Bounds>,
    /// Every `step`-th row of a key has a result; the others are null.
    pub step: usize,
    /// Whether a result needs later rows of its key, so that all rows of a key must come at once.
    pub looks_ahead: bool,
    /// Whether rows of many keys are processed faster in row order.
    pub interleaved: bool,
    /// The approximate size of a key's state in bytes, in the long run.
    pub state_size: usize,
    /// About how many nanoseconds a row takes on one thread.
    pub cost: usize,
    /// Whether several threads can share the rows of one key.
    pub splits: bool,
    /// Whether it may refuse rows, so that a batch has to be undone.
    pub refuses: bool,
}

impl Wiring {
    /// Whether it needs each row's number within its key.
    pub(crate) fn numbers_rows(&self) -> bool {
        self.step > 1
            || self.sources.contains(&Source::Position)
            || self.bounds.as_ref().is_some_and(|bounds| bounds.time.is_none())
    }
}
