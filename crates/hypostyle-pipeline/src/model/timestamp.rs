//! Dates and times in ISO 8601 as data files hold them: `2024-02-29`, `2024-02-29 12:30`, `2024-02-29T12:30:05.123456Z`,
//! `... +02:00`.  Written out because it is the hottest field of most files: a handful of nanoseconds a value, against
//! ten times that for a general parser, and no range narrower than the type's own.

use arrow::datatypes::TimeUnit;

use super::calendar::{DAY, days_of, month_length, named_zone, offset, two, zone_name};
use super::fault::Reason;
use super::zones::NamedZone;

/// The bytes of a date.
const DATE: usize = 10;

/// How many of the unit a second has, and how many nanoseconds the unit.
pub(super) fn per_second(unit: TimeUnit) -> (i64, u32) {
    match unit {
        TimeUnit::Second => (1, 1_000_000_000),
        TimeUnit::Millisecond => (1_000, 1_000_000),
        TimeUnit::Microsecond => (1_000_000, 1_000),
        TimeUnit::Nanosecond => (1_000_000_000, 1),
    }
}

/// A timestamp as parsed from text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ParsedTimestamp {
    /// Seconds since 1970 in local time.
    pub seconds: i64,
    pub nanos: u32,
    /// The number of digits of the fraction.
    pub digits: u32,
    /// The UTC offset in seconds, if the text has one.
    pub offset: Option<i64>,
}

/// What a column's type says about UTC offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// It has no time zone, and its texts no offset.
    None,
    /// The offset of texts without one.
    Default(i64),
    /// The time zone of texts without an offset.
    Named(NamedZone),
    /// Nobody has said where texts without an offset come from.
    Stated,
}

impl ParsedTimestamp {
    /// The timestamp in `unit`: in the text's local time if the type has no time zone, else in UTC.
    #[inline]
    pub fn in_unit(self, unit: TimeUnit, zone: Zone) -> Result<i64, Reason> {
        let ahead = match (zone, self.offset) {
            (Zone::None, None) => 0,
            (Zone::None, Some(_)) => return Err(Reason::Offset),
            (_, Some(offset)) => offset,
            (Zone::Default(offset), None) => offset,
            (Zone::Named(zone), None) => zone.offset(self.seconds).ok_or(Reason::ClockChange)?,
            (Zone::Stated, None) => return Err(Reason::NoOffset),
        };
        let (units, nanos_each) = per_second(unit);
        if !self.nanos.is_multiple_of(nanos_each) {
            return Err(Reason::Precision(unit));
        }
        let (seconds, rest) = (self.seconds - ahead, i64::from(self.nanos / nanos_each));
        match seconds.checked_mul(units).and_then(|whole| whole.checked_add(rest)) {
            Some(whole) => Ok(whole),
            // Before 1970 the product may overflow where the sum does not.
            None => {
                i64::try_from(i128::from(seconds) * i128::from(units) + i128::from(rest)).map_err(|_| Reason::Range)
            }
        }
    }
}

/// The days since 1970 of `YYYY-MM-DD`.
#[inline]
pub(crate) fn date(text: &[u8]) -> Option<i32> {
    match leading_date(text)? {
        (days, []) => i32::try_from(days).ok(),
        _ => None,
    }
}

/// A date, a date and a time, or both and an offset.
#[inline]
pub(crate) fn timestamp(text: &[u8]) -> Option<ParsedTimestamp> {
    let (days, rest) = leading_date(text)?;
    with_time(days, rest)
}

/// Parses timestamps one after the other.  Neighbors mostly have the same day, which is then not computed again.
#[derive(Debug)]
pub(crate) struct LastDate {
    text: [u8; 10],
    days: i64,
}

impl Default for LastDate {
    fn default() -> Self {
        Self { text: *b"1970-01-01", days: 0 }
    }
}

impl LastDate {
    /// As [`timestamp`].
    #[inline]
    pub fn timestamp(&mut self, text: &[u8]) -> Option<ParsedTimestamp> {
        let (date, rest) = text.split_first_chunk()?;
        if *date != self.text {
            self.days = leading_date(date)?.0;
            self.text = *date;
        }
        with_time(self.days, rest)
    }
}

/// A date's days and the text behind it.
#[inline]
fn with_time(days: i64, rest: &[u8]) -> Option<ParsedTimestamp> {
    let mut parsed = ParsedTimestamp { seconds: days * DAY, nanos: 0, digits: 0, offset: None };
    let Some((b'T' | b't' | b' ', rest)) = rest.split_first() else {
        return rest.is_empty().then_some(parsed);
    };
    let [h1, h0, b':', m1, m0, rest @ ..] = rest else { return None };
    let (hour, minute) = (two(*h1, *h0)?, two(*m1, *m0)?);
    let (second, rest) = match rest {
        [b':', s1, s0, rest @ ..] => (two(*s1, *s0)?, rest),
        _ => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    parsed.seconds += hour * 3600 + minute * 60 + second;
    let mut rest = rest;
    if let [b'.' | b',', fraction @ ..] = rest {
        let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 || count > 9 {
            return None;
        }
        let value = fraction[..count].iter().fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'));
        parsed.nanos = value * 10_u32.pow(9 - count as u32);
        parsed.digits = count as u32;
        rest = &fraction[count..];
    }
    if rest.is_empty() {
        return Some(parsed);
    }
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    parsed.offset = match offset(rest).or_else(|| named_zone(rest)) {
        Some((seconds, [])) => Some(seconds),
        found => Some(offset_of_zone(parsed.seconds, rest, found)?),
    };
    Some(parsed)
}

/// The UTC offset at a local time: of a zone such as `Europe/Berlin`, or one in front of it, as in `+01:00[Europe/Berlin]`.
#[cold]
fn offset_of_zone(local: i64, text: &[u8], before: Option<(i64, &[u8])>) -> Option<i64> {
    match before {
        Some((seconds, [b'[', name @ .., b']'])) => {
            NamedZone::find(name)?.has_offset(local, seconds).then_some(seconds)
        }
        Some(_) => None,
        None => NamedZone::find(text)?.offset(local),
    }
}

/// Why a text that is not a timestamp is none.
#[cold]
pub(super) fn fault(text: &[u8]) -> Reason {
    let begins = text.iter().rposition(|byte| *byte == b' ').map_or(0, |at| at + 1);
    let (before, name) = text.split_at(begins);
    let named = !name.is_empty() && zone_name(name) == name.len();
    let before = before.trim_ascii();
    if named && before.len() > DATE && timestamp(before).is_some_and(|found| found.offset.is_none()) {
        return if NamedZone::find(name).is_some() { Reason::ClockChange } else { Reason::Zone };
    }
    if is_infinity(text) { Reason::Infinity } else { Reason::Text }
}

/// PostgreSQL's last and first moment.
pub(super) fn is_infinity(text: &[u8]) -> bool {
    text.strip_prefix(b"-").unwrap_or(text).eq_ignore_ascii_case(b"infinity")
}

#[inline]
fn leading_date(text: &[u8]) -> Option<(i64, &[u8])> {
    let [y3, y2, y1, y0, b'-', m1, m0, b'-', d1, d0, rest @ ..] = text else { return None };
    let year = two(*y3, *y2)? * 100 + two(*y1, *y0)?;
    let (month, day) = (two(*m1, *m0)?, two(*d1, *d0)?);
    if !(1..=12).contains(&month) || day < 1 || day > month_length(year, month) {
        return None;
    }
    Some((days_of(year, month, day), rest))
}

#[cfg(test)]
mod tests {
    use arrow::array::types::{Date32Type, TimestampNanosecondType};
    use arrow::compute::kernels::cast_utils::Parser;

    use super::*;

    fn nanos(text: &str) -> Option<i64> {
        timestamp(text.as_bytes())?.in_unit(TimeUnit::Nanosecond, Zone::Default(0)).ok()
    }

    #[test]
    fn every_day_of_five_centuries_is_counted() {
        let mut days = date(b"1799-12-31").unwrap();
        for year in 1800..2300 {
            for month in 1..=12 {
                for day in 1..=month_length(year, month) {
                    days += 1;
                    let text = format!("{year}-{month:02}-{day:02}");
                    assert_eq!(date(text.as_bytes()), Some(days), "{text}");
                    assert_eq!(Date32Type::parse(&text), Some(days), "{text}");
                }
            }
        }
    }

    #[test]
    fn timestamps_agree_with_arrow() {
        for text in [
            "1970-01-01T00:00:00",
            "2024-02-29 12:30:05.123456",
            "1969-12-31T23:59:59.999999999Z",
            "2024-02-29T12:30:05.1+02:00",
            "2024-02-29T12:30:05-05:30",
            "2024-02-29",
        ] {
            assert_eq!(nanos(text), TimestampNanosecondType::parse(text), "{text}");
            assert!(nanos(text).is_some(), "{text}");
        }
        assert_eq!(nanos("2024-02-29 12:30"), nanos("2024-02-29T12:30:00"));
        for zoned in [
            "12:30:00 +0200",
            "12:30:00+02",
            "07:30-03",
            "10:30:00 UTC",
            "10:30 gmt",
            "03:30:00,000 PDT",
            "12:30+02:00:00",
            "11:30 Europe/Berlin",
            "11:30:00+01:00[Europe/Berlin]",
            "05:30:00.000 America/New_York",
        ] {
            assert_eq!(nanos(&format!("2024-02-29 {zoned}")), nanos("2024-02-29T10:30:00Z"), "{zoned}");
        }
    }

    #[test]
    fn invalid_timestamps_are_rejected() {
        for text in [
            "",
            "2024",
            "2024-1-1",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-32",
            "2024-01-01T",
            "2024-01-01T24:00",
            "2024-01-01T1:00",
            "2024-01-01T00:60",
            "2024-01-01T00:00:60",
            "2024-01-01T00:00:00.",
            "2024-01-01T00:00:00.1234567890",
            "2024-01-01T00:00:00+2",
            "2024-01-01T00:00:00+24",
            "2024-01-01T00:00:00 CET",
            "2024-01-01T00:00:00+02:00[Europe/Berlin]",
            "2024-01-01T00:00:00+01:00[CET]",
            "2024-01-01T00:00:00Zx",
            "2024-01-01x",
            "01/02/2024",
            "２０24-01-01",
        ] {
            assert_eq!(timestamp(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_day_is_worked_out_once() {
        let mut last = LastDate::default();
        for text in ["2024-02-29T12:30:05", "2024-02-29T12:30:06.5", "2024-02-30T12:30:06", "2024-02-28", "2024-02", ""]
        {
            assert_eq!(last.timestamp(text.as_bytes()), timestamp(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_a_unit_cannot_hold_is_refused() {
        let fine = timestamp(b"2024-01-01T00:00:00.000001").unwrap();
        assert!(fine.in_unit(TimeUnit::Microsecond, Zone::None).is_ok());
        assert_eq!(fine.in_unit(TimeUnit::Millisecond, Zone::None), Err(Reason::Precision(TimeUnit::Millisecond)));
        let far = timestamp(b"9999-01-01").unwrap();
        assert_eq!(far.in_unit(TimeUnit::Nanosecond, Zone::None), Err(Reason::Range));
        let zoned = timestamp(b"2024-01-01T00:00:00Z").unwrap();
        assert_eq!(zoned.in_unit(TimeUnit::Second, Zone::None), Err(Reason::Offset));
        assert_eq!(far.in_unit(TimeUnit::Second, Zone::Stated), Err(Reason::NoOffset));
        assert_eq!(
            far.in_unit(TimeUnit::Second, Zone::Default(3600)),
            far.in_unit(TimeUnit::Second, Zone::None).map(|s| s - 3600)
        );
    }

    #[test]
    fn why_a_text_is_no_timestamp() {
        for (text, reason) in [
            ("2024-01-01 05:00:00 CET", Reason::Zone),
            ("2024-01-01 05:00:00 Europe/Berlim", Reason::Zone),
            ("2024-03-31 02:30:00 Europe/Berlin", Reason::ClockChange),
            ("2024-10-27 02:30:00 Europe/Berlin", Reason::ClockChange),
            ("2024-01-01 05:00:00Z CET", Reason::Text),
            ("2024-01-01 x", Reason::Text),
            ("-infinity", Reason::Infinity),
            ("soon", Reason::Text),
        ] {
            assert_eq!((timestamp(text.as_bytes()), fault(text.as_bytes())), (None, reason), "{text}");
        }
    }
}
