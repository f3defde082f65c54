//! A value that fails: why, and in which row and column of a batch.

use arrow::datatypes::TimeUnit;

/// Why a row is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// The field is not a valid value of its type.
    Text,
    /// It has more decimals of a second than the unit holds.
    Precision(TimeUnit),
    /// It has more decimals than the type holds.
    Decimals,
    /// It is too large or too small for the type.
    Range,
    /// It has a UTC offset, but the type has no time zone.
    Offset,
    /// It has no UTC offset, though the type was inferred from values that have one.
    NoOffset,
    /// It names a time zone, whose offsets nobody here knows.
    Zone,
    /// The clocks of its time zone show it twice, or never.
    ClockChange,
    /// It is PostgreSQL's `infinity`, in a column of times.
    Infinity,
    /// Text follows the quote that closes it.
    Quote,
    /// It is not valid UTF-8.
    Encoding,
    /// The row repeats the header.
    Header,
    /// The type that all files have in common does not hold it.
    Widened,
    /// A number that would lose this, where the type was inferred from numbers that lose nothing.
    Kept(Kept),
    /// The row has so many fields, and not as many as there are columns.
    Fields { found: usize, expected: usize },
    /// It violates the rule of this number.
    Rule(usize),
}

/// Why a number stays a text: what it would lose as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kept {
    LeadingZero,
    /// That before the number of a telephone.
    Plus,
    LongInteger,
    LongDecimal,
}

/// A value of a format that knows its types, but that the column's type here cannot hold: in its place stands a null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub fault: Fault,
    /// The value as it is shown.
    pub text: String,
}

/// A value that cannot be read, or violates a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub row: usize,
    pub column: usize,
    pub reason: Reason,
}
