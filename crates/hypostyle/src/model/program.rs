//! Programs: recurrences whose columns, state and result are known at run time only, such as a user's interpreted or compiled
//! function.

use arrow::datatypes::DataType;

use crate::values::{Domain, Scalar};

/// A field of a program's state: its name in saved states, and its value before the first row, which determines its type.
#[derive(Debug, Clone, PartialEq)]
pub struct StateField {
    /// The name.
    pub name: String,
    /// The value before the first row of a key.
    pub start: Scalar,
}

/// A recurrence that is made at run time.
pub trait Program: Send + Sync + 'static {
    /// How each column is read: as floats, as integers, or only whether there is a value (which is then the integer 0).  An
    /// integer of a `u64` column has its top bit flipped, so that all fit and keep their order; a result of type `u64` too.
    fn inputs(&self) -> &[Domain];

    /// The fields of the state.
    fn state(&self) -> &[StateField];

    /// The data type of the result: of a float, an integer, a boolean or a time.
    fn output_type(&self) -> DataType;

    /// Reads a row, in which a null is `None`, changes the state and returns the row's result; `None` is null.  The result and
    /// the fields of the state keep their types: a float for float types, else an integer.
    fn step(&self, row: &[Option<Scalar>], state: &mut [Scalar]) -> Option<Scalar>;
}
