//! Programs: recurrences whose columns, state and results are known at run time only, such as a user's interpreted or compiled
//! function.

use std::borrow::Cow;

use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

use crate::values::{Domain, Scalar, Values};

/// A field of a program's state: its name in saved states, and its value before the first row, which determines its type.
#[derive(Debug, Clone, PartialEq)]
pub struct StateField {
    /// The name.
    pub name: String,
    /// The value before the first row of a key.
    pub start: Scalar,
}

/// A row that a program refuses, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The place of the row among those that the program was given.
    pub row: usize,
    /// What is wrong, and how to fix it.
    pub problem: String,
}

/// A recurrence that is made at run time.
///
/// A program without state is a function of a row; then keys and the order of rows do not matter.
pub trait Program: Send + Sync + 'static {
    /// How each column is read: as floats, as integers, or only whether there is a value (which is then the integer 0).  An
    /// integer of a `u64` column has its top bit flipped, so that all fit and keep their order; a result of type `u64` too.
    fn inputs(&self) -> &[Domain];

    /// The fields of the state.
    fn state(&self) -> &[StateField];

    /// The data type of the result: of a float, an integer, a boolean, a time or a text, or a struct of such fields.  A text is
    /// returned as its [code](crate::code_of): of a text that a column of its inputs has, or of one of its own.
    fn output_type(&self) -> DataType;

    /// Its own texts, which may be among the results.
    fn texts(&self) -> Vec<String> {
        Vec::new()
    }

    /// Reads a row, in which a null is `None`, changes the state and writes the row's results, one or one per field; `None` is
    /// null.  Results and the fields of the state keep their types: a float for float types, else an integer.
    ///
    /// # Errors
    /// A row that the program refuses, if it [may](Program::may_refuse); it has number 0.
    fn step(&self, row: &[Option<Scalar>], state: &mut [Scalar], results: &mut [Option<Scalar>])
    -> Result<(), Refused>;

    /// Whether there may be rows that it refuses.  A batch with one changes nothing.
    fn may_refuse(&self) -> bool {
        false
    }

    /// About how many nanoseconds a row takes.
    fn cost(&self) -> usize {
        20
    }

    /// Reads many rows at once, as [`Program::step`] would one by one; `states` has the fields of all keys, key by key, as the
    /// bits of floats or integers.  `None` if the program has no faster way than its steps.
    ///
    /// # Errors
    /// The first row that the program refuses; the states may have changed then.
    fn run(&self, _rows: &ProgramRows, _states: &mut [u64]) -> Option<Result<Vec<Lane>, Refused>> {
        None
    }
}

/// Rows of a batch, by column.
#[derive(Debug)]
pub struct ProgramRows<'a> {
    /// How many there are.
    pub len: usize,
    /// The columns, one per input.
    pub columns: Vec<ProgramColumn<'a>>,
    /// Whose state each row has.
    pub keys: RowKeys<'a>,
    /// How many threads of the current pool may share the work.
    pub threads: usize,
}

/// A column of a batch.
#[derive(Debug)]
pub struct ProgramColumn<'a> {
    /// Its values; those under nulls are arbitrary.
    pub values: Values<'a>,
    /// Which rows have one.
    pub valid: Valid<'a>,
}

/// Which rows have a value.
#[derive(Debug, Clone)]
pub enum Valid<'a> {
    /// All of them.
    All,
    /// Those whose flag is true.
    Flags(Cow<'a, [bool]>),
    /// Those that are not null.
    Bits(NullBuffer),
}

/// The keys of rows.
#[derive(Debug, Clone)]
pub enum RowKeys<'a> {
    /// All rows have key 0, or the program has no state.
    One,
    /// The key of each row.
    Each(&'a [u32]),
    /// Keys with the first of their consecutive rows and the row after the last.
    Runs(Vec<(u32, usize, usize)>),
}

/// A result of each row, by column.
#[derive(Debug, Clone)]
pub struct Lane {
    /// Its values; those under nulls are arbitrary.
    pub values: Cells,
    /// Which rows are null.
    pub nulls: Option<NullBuffer>,
}

/// The values of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// The bits of floats or integers; 0 and 1 for booleans.
    Words(Vec<u64>),
    /// Booleans as bits, eight in a byte, the first row lowest.
    Bits(Vec<u8>),
}

impl Cells {
    /// The value of a row.
    pub fn word(&self, row: usize) -> u64 {
        match self {
            Self::Words(words) => words[row],
            Self::Bits(bytes) => u64::from(bytes[row / 8] >> (row % 8) & 1),
        }
    }
}
