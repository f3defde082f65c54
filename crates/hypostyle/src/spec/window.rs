//! Which earlier rows a window covers: its size in rows or in time, and which of its ends are inclusive.

use std::fmt;

use arrow::datatypes::{DataType, TimeUnit};

use crate::error::{Error, Result, type_name};

/// The size of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// A number of rows, at least 1; rows with a null count as rows.
    Rows(usize),
    /// A duration of the time column.
    Duration(Duration),
    /// The size that this column has in each row.
    LengthIn(String),
    /// From the start that this column has in each row.
    StartIn(String),
}

/// How far away another row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// So many rows earlier, or later if it is negative.
    Rows(i64),
    /// So long before.
    Duration(Duration),
}

/// A window whose start or size is in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// The column's index in the input's schema.
    pub(crate) column: usize,
    /// The time column; `None` if rows are counted.
    pub(crate) time: Option<usize>,
    /// Whether the column holds the window's size rather than its start.
    pub(crate) is_length: bool,
    pub(crate) includes_far_end: bool,
}

/// Where the window of a row begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// The row has no window: its bound is null.
    Missing,
    /// The window holds no rows.
    Empty,
    /// At this place, which is not after the row.
    At(i64),
}

impl Bounds {
    /// The start of the window of a row at `place`.
    pub(crate) fn far_end(&self, place: i64, bound: i64) -> i64 {
        if self.is_length { place.saturating_sub(bound) } else { bound }
    }

    /// The first place in the window of a row at `place`.
    pub(crate) fn first(&self, place: i64, bound: i64) -> First {
        let (place, bound) = (i128::from(place), i128::from(bound));
        let far_end = if self.is_length { place - bound } else { bound };
        let first = far_end + i128::from(!self.includes_far_end);
        // A window of length 0 is empty even if both ends are inclusive.
        if first > place || self.is_length && bound <= 0 {
            return First::Empty;
        }
        First::At(i64::try_from(first).unwrap_or(i64::MIN))
    }
}

/// A positive duration, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duration {
    /// Nanoseconds, for dates and timestamps.
    Nanoseconds(u128),
    /// Steps of an integer time column.
    Units(u64),
}

/// Which ends of the window are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The current row, but not the window start: `(t - d, t]`, or the last `n` rows.
    Right,
    /// The window start, but not the current row: `[t - d, t)`, or the `n` rows before this one.
    Left,
    /// `[t - d, t]`, or `n` rows and this one.
    Both,
    /// `(t - d, t)`, or the `n - 1` rows before this one.
    Neither,
}

impl Closed {
    pub(crate) fn includes_current(self) -> bool {
        matches!(self, Self::Right | Self::Both)
    }

    pub(crate) fn includes_far_end(self) -> bool {
        matches!(self, Self::Left | Self::Both)
    }

    /// How many rows a window of `rows` rows holds.
    pub(crate) fn rows_held(self, rows: usize) -> usize {
        match self {
            Self::Right | Self::Left => rows,
            Self::Both => rows.saturating_add(1),
            Self::Neither => rows - 1,
        }
    }
}

/// Why a string is not a duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DurationError {
    /// It is not a sequence of integers and units.
    Invalid {
        /// The string.
        text: String,
    },
    /// It has a unit without a fixed length.
    CalendarUnit {
        /// The string.
        text: String,
        /// The unit: months, quarters or years.
        unit: String,
    },
    /// It is zero.
    NotPositive {
        /// The string.
        text: String,
    },
}

impl DurationError {
    /// What to write instead.
    pub fn help(&self) -> &'static str {
        match self {
            Self::CalendarUnit { .. } => "use days instead, such as '30d'",
            Self::Invalid { .. } | Self::NotPositive { .. } => {
                "write an integer and a unit, such as '5m', '1h30m' or '250ms' (ns, us, ms, s, m, h, d, w), \
                 or '10i' for ten steps of an integer time column"
            }
        }
    }
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { text } => write!(f, "{text:?} is not a valid duration"),
            Self::CalendarUnit { text, unit } => {
                write!(f, "{text:?} uses the calendar unit '{unit}', which has no fixed length")
            }
            Self::NotPositive { text } => write!(f, "must be positive, got {text:?}"),
        }
    }
}

impl std::error::Error for DurationError {}

impl fmt::Display for Duration {
    /// The shortest way to write it: `90m` is `1h30m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = match self {
            Self::Units(units) => return write!(f, "{units}i"),
            Self::Nanoseconds(length) => *length,
        };
        for (unit, nanoseconds) in UNITS.iter().rev().filter(|(unit, _)| *unit != "µs") {
            let amount = rest / nanoseconds;
            rest %= nanoseconds;
            if amount > 0 {
                write!(f, "{amount}{unit}")?;
            }
        }
        Ok(())
    }
}

const UNITS: [(&str, u128); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
    ("w", 7 * 86_400 * 1_000_000_000),
];

impl Duration {
    /// Parses `5m`, `1h30m`, `250ms`, or `10i` for ten steps of an integer time column.
    ///
    /// # Errors
    /// If the string is not a duration; [`DurationError`] says why and how to fix it.
    pub fn parse(text: &str) -> std::result::Result<Self, DurationError> {
        let invalid = || DurationError::Invalid { text: text.to_string() };
        let mut rest = text.trim();
        let mut total: u128 = 0;
        let mut units: Option<u64> = None;
        if rest.is_empty() {
            return Err(invalid());
        }
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let amount: u64 = rest[..digits].parse().map_err(|_| invalid())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let unit = &rest[..letters];
            rest = &rest[letters..];
            match unit {
                "i" if total == 0 && units.is_none() && rest.is_empty() => units = Some(amount),
                "mo" | "q" | "y" => {
                    return Err(DurationError::CalendarUnit { text: text.to_string(), unit: unit.to_string() });
                }
                _ => {
                    let (_, nanoseconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
                    total += u128::from(amount) * nanoseconds;
                }
            }
        }
        match units {
            Some(0) => Err(DurationError::NotPositive { text: text.to_string() }),
            Some(units) => Ok(Self::Units(units)),
            None if total == 0 => Err(DurationError::NotPositive { text: text.to_string() }),
            None => Ok(Self::Nanoseconds(total)),
        }
    }

    /// The duration in units of this time column.
    #[expect(clippy::cast_precision_loss, reason = "more than 2^53 nanoseconds are rounded")]
    pub(crate) fn units(self, kernel: &str, column: &str, time: &DataType) -> Result<f64> {
        let (length, unit) = self.length(kernel, column, time)?;
        Ok(length as f64 / unit as f64)
    }

    /// The largest difference of two times of this column, in its own unit, that is still within the duration.
    /// With `inclusive` a difference of exactly the duration is within.
    pub(crate) fn reach(self, kernel: &str, column: &str, time: &DataType, inclusive: bool) -> Result<u64> {
        let (length, unit) = self.length(kernel, column, time)?;
        let reach = if inclusive { length / unit } else { length.div_ceil(unit) - 1 };
        Ok(u64::try_from(reach).unwrap_or(u64::MAX))
    }

    /// The duration and the column's unit, in nanoseconds or in units of integers.
    fn length(self, kernel: &str, column: &str, time: &DataType) -> Result<(u128, u128)> {
        Ok(match (self, nanoseconds_per_unit(time)) {
            (Self::Nanoseconds(length), Some(unit)) => (length, unit),
            (Self::Units(length), None) if time.is_integer() => (u128::from(length), 1),
            (Self::Nanoseconds(_), None) if time.is_integer() => {
                return Err(Error::column_type(
                    kernel,
                    column,
                    "a date or a timestamp (or, for integers, a length such as '10i')",
                    time,
                ));
            }
            (Self::Units(length), Some(_)) => {
                return Err(Error::column_type(
                    kernel,
                    column,
                    &format!("an integer for a length of {length} steps (or a duration such as '5m')"),
                    time,
                ));
            }
            _ => return Err(Error::column_type(kernel, column, "a date, a timestamp or an integer", time)),
        })
    }
}

/// Checks the type of a column that sets windows: integers count rows; a start has the type of the time column, and a size is a
/// difference of two of its values.
pub(crate) fn check_bound_type(
    kernel: &str,
    (name, data_type): (&str, &DataType),
    time: Option<&DataType>,
    is_length: bool,
) -> Result<()> {
    let integer = DataType::Int64;
    let wanted = match time {
        Some(
            DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) | DataType::Duration(unit),
        ) if is_length => DataType::Duration(*unit),
        Some(DataType::Date64) if is_length => DataType::Duration(TimeUnit::Millisecond),
        Some(time) if !is_length => time.clone(),
        _ => integer.clone(),
    };
    let fits = match &wanted {
        // Unsigned integers of 64 bits are not read unchanged.
        wanted if *wanted == integer => data_type.is_integer() && *data_type != DataType::UInt64,
        wanted => data_type == wanted,
    };
    if fits { Ok(()) } else { Err(Error::column_type(kernel, name, &type_name(&wanted), data_type)) }
}

fn nanoseconds_per_unit(time: &DataType) -> Option<u128> {
    match time {
        DataType::Date32 => Some(86_400 * 1_000_000_000),
        DataType::Date64 => Some(1_000_000),
        DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) | DataType::Duration(unit) => {
            Some(match unit {
                TimeUnit::Second => 1_000_000_000,
                TimeUnit::Millisecond => 1_000_000,
                TimeUnit::Microsecond => 1_000,
                TimeUnit::Nanosecond => 1,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        assert_eq!(Duration::parse("1h30m"), Ok(Duration::Nanoseconds(5_400_000_000_000)));
        assert_eq!(Duration::parse("10i"), Ok(Duration::Units(10)));
        for text in ["", "5", "m", "0s", "0i", "5 m", "-5m", "5i3s", "1.5h", "5fortnights", "99999999999999999999s"] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
        assert!(matches!(Duration::parse("1mo"), Err(DurationError::CalendarUnit { unit, .. }) if unit == "mo"));
    }

    #[test]
    fn a_duration_is_written_in_one_way_and_read_back() {
        for (text, written) in
            [("90m", "1h30m"), ("300000000us", "5m"), ("7d", "1w"), ("1001ns", "1us1ns"), ("3i", "3i")]
        {
            let duration = Duration::parse(text).unwrap();
            assert_eq!(duration.to_string(), written);
            assert_eq!(Duration::parse(written), Ok(duration));
        }
    }

    #[test]
    fn a_duration_between_two_units_reaches_down() {
        let seconds = DataType::Timestamp(TimeUnit::Second, None);
        let reach =
            |text: &str, inclusive| Duration::parse(text).unwrap().reach("k", "t", &seconds, inclusive).unwrap();
        assert_eq!((reach("2s", false), reach("2s", true)), (1, 2));
        assert_eq!((reach("2500ms", false), reach("2500ms", true)), (2, 2));
        assert_eq!((reach("1ms", false), reach("1ms", true)), (0, 0));
    }
}
