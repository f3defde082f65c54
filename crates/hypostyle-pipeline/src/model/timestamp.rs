//! Dates and times in ISO 8601 as data files hold them: `2024-02-29`, `2024-02-29 12:30`, `2024-02-29T12:30:05.123456Z`,
//! `... +02:00`.  Written out because it is the hottest field of most files: a handful of nanoseconds a value, against
//! ten times that for a general parser, and no range narrower than the type's own.
//!
//! Days are counted as in Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), `days_from_civil`.

use arrow::datatypes::TimeUnit;

use super::fault::Reason;

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

impl ParsedTimestamp {
    /// The timestamp in `unit`, in the text's local time (`zone` is `None`) or in UTC (`zone` is the offset of texts without
    /// one).
    #[inline]
    pub fn in_unit(self, unit: TimeUnit, zone: Option<i64>) -> Result<i64, Reason> {
        let ahead = match (zone, self.offset) {
            (None, None) => 0,
            (None, Some(_)) => return Err(Reason::Offset),
            (Some(zone), offset) => offset.unwrap_or(zone),
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
    let mut parsed = ParsedTimestamp { seconds: days * 86_400, nanos: 0, digits: 0, offset: None };
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
    if let [b'.', fraction @ ..] = rest {
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
    let (seconds, []) = offset(rest.strip_prefix(b" ").unwrap_or(rest))? else { return None };
    parsed.offset = Some(seconds);
    Some(parsed)
}

/// The seconds of `Z`, `+HH:MM` or `+HHMM` at the start of the text, and what follows.
pub(crate) fn offset(text: &[u8]) -> Option<(i64, &[u8])> {
    let (sign, rest) = match text {
        [b'Z' | b'z', rest @ ..] => return Some((0, rest)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hour, minute, rest) = match rest {
        [h1, h0, b':', m1, m0, rest @ ..] | [h1, h0, m1, m0, rest @ ..] => (two(*h1, *h0)?, two(*m1, *m0)?, rest),
        _ => return None,
    };
    (hour < 24 && minute < 60).then_some((sign * (hour * 3600 + minute * 60), rest))
}

#[inline]
fn leading_date(text: &[u8]) -> Option<(i64, &[u8])> {
    let [y3, y2, y1, y0, b'-', m1, m0, b'-', d1, d0, rest @ ..] = text else { return None };
    let year = two(*y3, *y2)? * 100 + two(*y1, *y0)?;
    let (month, day) = (two(*m1, *m0)?, two(*d1, *d0)?);
    if !(1..=12).contains(&month) || day < 1 || day > month_length(year, month) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some((era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468, rest))
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use arrow::array::types::{Date32Type, TimestampNanosecondType};
    use arrow::compute::kernels::cast_utils::Parser;

    use super::*;

    fn nanos(text: &str) -> Option<i64> {
        timestamp(text.as_bytes())?.in_unit(TimeUnit::Nanosecond, Some(0)).ok()
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
        assert_eq!(nanos("2024-02-29 12:30:00 +0200"), nanos("2024-02-29T10:30:00Z"));
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
        assert!(fine.in_unit(TimeUnit::Microsecond, None).is_ok());
        assert_eq!(fine.in_unit(TimeUnit::Millisecond, None), Err(Reason::Precision(TimeUnit::Millisecond)));
        let far = timestamp(b"9999-01-01").unwrap();
        assert_eq!(far.in_unit(TimeUnit::Nanosecond, None), Err(Reason::Range));
        let zoned = timestamp(b"2024-01-01T00:00:00Z").unwrap();
        assert_eq!(zoned.in_unit(TimeUnit::Second, None), Err(Reason::Offset));
    }
}
