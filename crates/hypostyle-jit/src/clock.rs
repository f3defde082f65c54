//! What the durations and moments that a program names are in the unit of its time columns.
//!
//! Times are integers of the column's unit, which is known only when the types of the columns are.

use arrow::datatypes::{DataType, TimeUnit};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// The seconds from 1970-01-01 to the first moment of the year 1, and to that of the year 10000.
const YEARS: (i64, i64) = (-62_135_596_800, 253_402_300_800);

/// A time that a program names, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    pub nanoseconds: i64,
    pub of: TimeOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeOf {
    Duration,
    /// The length of a part of the day, by which a moment is taken apart.
    Calendar,
    /// A moment without a time zone, since 1970-01-01.
    Naive,
    /// A moment in some time zone, since 1970-01-01 UTC.
    Aware,
}

const NAMES: [(&str, TimeOf); 4] = [
    ("duration", TimeOf::Duration),
    ("calendar", TimeOf::Calendar),
    ("naive", TimeOf::Naive),
    ("aware", TimeOf::Aware),
];

impl TimeOf {
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, of)| *of)
    }
}

/// The unit and the zone of a function's time columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Clock {
    /// No column is a time.
    #[default]
    None,
    Ticks {
        unit: &'static str,
        nanoseconds: i64,
        zone: Zone,
    },
    /// Columns of these units.
    Differs(&'static str, &'static str),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Zone {
    Naive,
    Utc,
    Other(String),
}

fn unit_of(data_type: &DataType) -> Option<(&'static str, i64)> {
    Some(match data_type {
        DataType::Date32 => ("days", DAY),
        DataType::Date64 => ("ms", SECOND / 1_000),
        DataType::Timestamp(unit, _) | DataType::Duration(unit) | DataType::Time32(unit) | DataType::Time64(unit) => {
            match unit {
                TimeUnit::Second => ("s", SECOND),
                TimeUnit::Millisecond => ("ms", SECOND / 1_000),
                TimeUnit::Microsecond => ("us", SECOND / 1_000_000),
                TimeUnit::Nanosecond => ("ns", 1),
            }
        }
        _ => return None,
    })
}

fn zone_of(data_type: &DataType) -> Option<Zone> {
    match data_type {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, None) => Some(Zone::Naive),
        DataType::Timestamp(_, Some(zone)) if matches!(zone.as_ref(), "UTC" | "Etc/UTC" | "Z" | "+00:00" | "+0000") => {
            Some(Zone::Utc)
        }
        DataType::Timestamp(_, Some(zone)) => Some(Zone::Other(zone.to_string())),
        _ => None,
    }
}

impl Clock {
    /// The clock of columns of these types.
    pub fn of<'t>(types: impl IntoIterator<Item = &'t DataType>) -> Self {
        let (mut found, mut zone) = (None, None);
        for data_type in types {
            let Some((unit, nanoseconds)) = unit_of(data_type) else { continue };
            match found {
                Some((known, _)) if known != unit => return Self::Differs(known, unit),
                _ => found = Some((unit, nanoseconds)),
            }
            match (&zone, zone_of(data_type)) {
                (_, None) => {}
                (None, here) => zone = here,
                (Some(known), Some(here)) if *known == here => {}
                (Some(_), Some(_)) => zone = Some(Zone::Other("several time zones".to_string())),
            }
        }
        found.map_or(Self::None, |(unit, nanoseconds)| Self::Ticks {
            unit,
            nanoseconds,
            zone: zone.unwrap_or(Zone::Naive),
        })
    }

    /// That of columns in microseconds without a time zone.
    pub fn microseconds() -> Self {
        Self::of([&DataType::Timestamp(TimeUnit::Microsecond, None)])
    }

    /// A time in the unit of the columns.
    ///
    /// # Errors
    /// There is no such unit, it is too coarse, or the columns are in other time zones; in words.
    pub fn ticks(&self, time: Time) -> Result<i64, String> {
        let (unit, tick, zone) = match self {
            Self::None => return Err("it reckons with times, and no column is a time or a duration".to_string()),
            Self::Differs(one, other) => {
                return Err(format!(
                    "it reckons with times, and its time columns are in {one} and in {other}: cast one"
                ));
            }
            Self::Ticks { unit, nanoseconds, zone } => (unit, nanoseconds, zone),
        };
        match (time.of, zone) {
            (TimeOf::Calendar, Zone::Other(zone)) => {
                return Err(format!(
                    "the parts of a moment in {zone} are not compiled: convert the column to local time without a zone"
                ));
            }
            (TimeOf::Naive, Zone::Utc | Zone::Other(_)) => {
                return Err("a moment without a time zone is compared with a column that has one".to_string());
            }
            (TimeOf::Aware, Zone::Naive) => {
                return Err("a moment in a time zone is compared with a column that has none".to_string());
            }
            _ => {}
        }
        let whole = time.nanoseconds % tick == 0;
        whole.then(|| time.nanoseconds / tick).ok_or_else(|| {
            format!("{} s is no whole number of {unit}, the unit of the column: cast it", seconds(time.nanoseconds))
        })
    }

    /// The first and the last moment of the years 1 to 9999, which are those of Python; `None` if a column has no others.
    pub fn years(&self) -> Option<(i64, i64)> {
        let Self::Ticks { nanoseconds, .. } = self else { return None };
        let ticks = |seconds: i64| i64::try_from(i128::from(seconds) * i128::from(SECOND) / i128::from(*nanoseconds));
        Some((ticks(YEARS.0).ok()?, ticks(YEARS.1).ok()? - 1))
    }
}

fn seconds(nanoseconds: i64) -> String {
    let text =
        format!("{}.{:09}", nanoseconds.unsigned_abs() / SECOND as u64, nanoseconds.unsigned_abs() % SECOND as u64);
    let sign = if nanoseconds < 0 { "-" } else { "" };
    format!("{sign}{}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duration(nanoseconds: i64) -> Time {
        Time { nanoseconds, of: TimeOf::Duration }
    }

    #[test]
    fn the_years_of_python_are_in_the_unit_of_the_columns() {
        assert_eq!(Clock::of([&DataType::Date32]).years(), Some((-719_162, 2_932_896)));
        assert_eq!(Clock::microseconds().years(), Some((-62_135_596_800_000_000, 253_402_300_799_999_999)));
        assert_eq!(Clock::of([&DataType::Timestamp(TimeUnit::Nanosecond, None)]).years(), None);
    }

    #[test]
    fn a_duration_is_in_the_unit_of_the_columns() {
        let timestamps = DataType::Timestamp(TimeUnit::Microsecond, None);
        let clock = Clock::of([&DataType::Float64, &timestamps, &DataType::Duration(TimeUnit::Microsecond)]);
        assert_eq!(clock.ticks(duration(1_500_000)), Ok(1_500));
        assert_eq!(clock.ticks(duration(-SECOND)), Ok(-1_000_000));
        assert_eq!(Clock::of([&DataType::Date32]).ticks(duration(2 * DAY)), Ok(2));
        let problem = Clock::of([&DataType::Date32]).ticks(duration(-SECOND / 2));
        assert_eq!(problem, Err("-0.5 s is no whole number of days, the unit of the column: cast it".to_string()));
    }

    #[test]
    fn columns_without_one_unit_are_refused() {
        assert!(Clock::of([&DataType::Int64]).ticks(duration(1)).is_err_and(|text| text.contains("no column is")));
        let clock = Clock::of([&DataType::Date32, &DataType::Duration(TimeUnit::Second)]);
        assert!(clock.ticks(duration(DAY)).is_err_and(|text| text.contains("in days and in s")));
    }

    #[test]
    fn moments_are_of_the_same_kind_as_the_columns() {
        let of = |zone: Option<&str>, of| {
            let column = DataType::Timestamp(TimeUnit::Second, zone.map(Into::into));
            Clock::of([&column]).ticks(Time { nanoseconds: DAY, of }).is_ok()
        };
        let kinds = [TimeOf::Duration, TimeOf::Calendar, TimeOf::Naive, TimeOf::Aware];
        assert_eq!(kinds.map(|kind| of(None, kind)), [true, true, true, false]);
        assert_eq!(kinds.map(|kind| of(Some("UTC"), kind)), [true, true, false, true]);
        assert_eq!(kinds.map(|kind| of(Some("Europe/Berlin"), kind)), [true, false, false, true]);
    }
}
