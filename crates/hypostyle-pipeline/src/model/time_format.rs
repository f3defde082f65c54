//! The format of a column's dates and times: ISO 8601, a format string of strftime, or a number of units since 1970.

use arrow::datatypes::TimeUnit;
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{Datelike, NaiveTime, Timelike};

use super::fault::Reason;
use super::timestamp::{ParsedTimestamp, date, per_second, timestamp};

/// The format of a column's dates and times.
#[derive(Debug, Clone, Default)]
pub(crate) enum TimeFormat {
    /// ISO 8601.
    #[default]
    Iso,
    /// A number of these units since 1970.
    Epoch(TimeUnit),
    /// A format string such as `%d/%m/%Y`.
    Strftime(Vec<Item<'static>>),
}

impl TimeFormat {
    /// Reads `"epoch[ms]"` or a format string; `None` if it is not valid.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(unit) = text.strip_prefix("epoch[").and_then(|rest| rest.strip_suffix(']')) {
            return super::types::unit(unit).map(Self::Epoch);
        }
        let items = StrftimeItems::new(text).parse_to_owned().ok()?;
        text.contains('%').then_some(Self::Strftime(items))
    }

    /// The days since 1970.
    pub fn date(&self, field: &[u8]) -> Result<i32, Reason> {
        match self {
            Self::Iso => date(field).ok_or(Reason::Text),
            other => {
                let parsed = other.timestamp(field)?;
                i32::try_from(parsed.seconds.div_euclid(86_400)).map_err(|_| Reason::Range)
            }
        }
    }

    pub fn timestamp(&self, field: &[u8]) -> Result<ParsedTimestamp, Reason> {
        match self {
            Self::Iso => timestamp(field).ok_or(Reason::Text),
            Self::Epoch(unit) => {
                let count: i64 = super::values::integer(field)?;
                let (units, nanos_each) = per_second(*unit);
                let nanos = count.rem_euclid(units) * i64::from(nanos_each);
                Ok(ParsedTimestamp {
                    seconds: count.div_euclid(units),
                    nanos: nanos as u32,
                    digits: 9,
                    offset: Some(0),
                })
            }
            Self::Strftime(items) => by_items(field, items).ok_or(Reason::Text),
        }
    }
}

/// Parses by chrono, whose format strings are those of C and Python.
fn by_items(field: &[u8], items: &[Item<'static>]) -> Option<ParsedTimestamp> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, std::str::from_utf8(field).ok()?, items.iter()).ok()?;
    let offset = parsed.offset();
    if let Some(seconds) = parsed.timestamp() {
        return Some(ParsedTimestamp { seconds, nanos: parsed.nanosecond().unwrap_or(0), digits: 9, offset: Some(0) });
    }
    let day = parsed.to_naive_date().ok()?;
    let timeless = parsed.hour_mod_12().or(parsed.minute()).or(parsed.second()).is_none();
    let time = if timeless { NaiveTime::MIN } else { parsed.to_naive_time().ok()? };
    let days = i64::from(day.num_days_from_ce()) - 719_163;
    Some(ParsedTimestamp {
        seconds: days * 86_400 + i64::from(time.num_seconds_from_midnight()),
        nanos: time.nanosecond(),
        digits: 9,
        offset: offset.map(i64::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_strings_and_numbers() {
        let read = |pattern: &str, text: &str| {
            let parsed = TimeFormat::parse(pattern).unwrap().timestamp(text.as_bytes()).ok()?;
            parsed.in_unit(TimeUnit::Millisecond, Some(0)).ok()
        };
        assert_eq!(read("%d/%m/%Y", "29/02/2024"), Some(1_709_164_800_000));
        assert_eq!(read("%d/%m/%Y %H:%M:%S%.f", "29/02/2024 00:00:01.5"), Some(1_709_164_801_500));
        assert_eq!(read("%Y%m%d %H%M %z", "20240229 0130 +0200"), Some(1_709_163_000_000));
        assert_eq!(read("%s", "1709164800"), Some(1_709_164_800_000));
        assert_eq!(read("%d/%m/%Y", "30/02/2024"), None);
        assert_eq!(read("epoch[s]", "-1"), Some(-1_000));
        assert_eq!(read("epoch[us]", "1500"), None);
        assert_eq!(read("epoch[us]", "-1000"), Some(-1));
        assert_eq!(read("epoch[ms]", "1.5"), None);
        assert_eq!(TimeFormat::parse("%d/%m/%Y").unwrap().date(b"01/01/1970"), Ok(0));
        for wrong in ["epoch[h]", "%Q", "day", ""] {
            assert!(TimeFormat::parse(wrong).is_none(), "{wrong}");
        }
    }
}
