//! Plain values, for single rows: no Arrow array is made for them.

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScalarValue<'a> {
    /// No value.
    Null,
    /// For boolean columns.
    Boolean(bool),
    /// For integers; for dates, times and durations in the column's unit, counted from 1970-01-01; also for float columns.
    Integer(i64),
    /// For integers beyond `i64`.
    Unsigned(u64),
    /// For floats.
    Float(f64),
    /// For strings and dictionaries of strings.
    Text(&'a str),
    /// A decimal of the column's type, in steps of its last digit.
    Decimal(i128),
    /// A string among results: `Stage::text` returns it.
    Code(i64),
}
