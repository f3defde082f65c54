//! Where a kernel reads a number of its row from, once it is bound to a schema.

use crate::values::Domain;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// A column of the input.
    Column {
        /// Its index in the input's schema.
        index: usize,
        /// How it is read.
        domain: Domain,
    },
    /// The same number for every row.
    Constant(f64),
    /// The row's number within its key, from 0.
    Position,
}
