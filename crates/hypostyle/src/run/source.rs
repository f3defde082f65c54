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
        /// Whether a null in it makes the row null; if not, a [`Source::Presence`] says which rows have a value.
        required: bool,
    },
    /// 1.0 in rows where this column of the input has a value, else 0.0.
    Presence(usize),
    /// The same number for every row.
    Constant(f64),
    /// The row's number within its key, from 0.
    Position,
}
