//! Times of day as data files hold them: `12:34:56.5`, `9:30`, `24:00:00`, `9:30:00 PM`; in the units of their column.

use arrow::datatypes::TimeUnit;

use super::calendar::{DAY, two};
use super::fault::Reason;
use super::timestamp::per_second;

const NANOS: i64 = 1_000_000_000;

/// What a clock shows: any number of hours, minutes, and seconds if there are any.
pub(super) struct Clock {
    pub nanos: i128,
    pub hour: i64,
    pub has_seconds: bool,
}

/// Reads `H:MM`, `H:MM:SS` or `H:MM:SS.f`.
pub(super) fn clock(text: &[u8]) -> Option<Clock> {
    let hour_digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (hour, rest) = text.split_at(hour_digits);
    if !(1..=9).contains(&hour_digits) {
        return None;
    }
    let hour = hour.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let (minute, second, rest) = match rest {
        [b':', m1, m0, b':', s1, s0, rest @ ..] => (two(*m1, *m0)?, Some(two(*s1, *s0)?), rest),
        [b':', m1, m0] => (two(*m1, *m0)?, None, &[][..]),
        _ => return None,
    };
    let nanos = match rest {
        [] => 0,
        [b'.' | b',', digits @ ..] => fraction(digits)?,
        _ => return None,
    };
    let second_of_minute = second.unwrap_or(0);
    if minute > 59 || second_of_minute > 59 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second_of_minute;
    let nanos = i128::from(seconds) * i128::from(NANOS) + i128::from(nanos);
    Some(Clock { nanos, hour, has_seconds: second.is_some() })
}

/// Decimals of a second, in nanoseconds.
pub(super) fn fraction(digits: &[u8]) -> Option<i64> {
    if !(1..=9).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some(value * 10_i64.pow(9 - digits.len() as u32))
}

/// The time of day, from midnight to the midnight after it.
pub(crate) fn time_of_day(text: &[u8], unit: TimeUnit) -> Result<i64, Reason> {
    // The end of the day is the last time that there is: 24:00:00.
    match of_day(text)?.nanos {
        nanos if nanos > i128::from(DAY) * i128::from(NANOS) => Err(Reason::Range),
        nanos => in_unit(nanos, unit),
    }
}

/// Whether a column of such texts is sure to be one of times of day.  `12:34` may be minutes and seconds too, and most programs
/// have no `24:00:00`.
pub(crate) fn is_time_of_day(text: &[u8]) -> bool {
    of_day(text).is_ok_and(|clock| clock.has_seconds && clock.hour < 24)
}

/// The clock of 24 hours, or of twice 12.
fn of_day(text: &[u8]) -> Result<Clock, Reason> {
    let (time, half) = match text {
        [time @ .., b'A' | b'a', b'M' | b'm'] => (time.trim_ascii_end(), Some(0)),
        [time @ .., b'P' | b'p', b'M' | b'm'] => (time.trim_ascii_end(), Some(12)),
        time => (time, None),
    };
    let Clock { nanos, hour, has_seconds } = clock(time).ok_or(Reason::Text)?;
    let Some(half) = half else { return Ok(Clock { nanos, hour, has_seconds }) };
    if !(1..=12).contains(&hour) {
        return Err(Reason::Text);
    }
    let meant = hour % 12 + half;
    Ok(Clock { nanos: nanos + i128::from(meant - hour) * 3600 * i128::from(NANOS), hour: meant, has_seconds })
}

/// So many nanoseconds in the unit.
pub(super) fn in_unit(nanos: i128, unit: TimeUnit) -> Result<i64, Reason> {
    let each = i128::from(per_second(unit).1);
    if nanos % each != 0 {
        return Err(Reason::Precision(unit));
    }
    i64::try_from(nanos / each).map_err(|_| Reason::Range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_in_their_unit() {
        let hour = 3_600_000;
        for (text, millis) in [
            ("00:00:00", Ok(0)),
            ("12:34:56.5", Ok(45_296_500)),
            ("12:34:56,500000", Ok(45_296_500)),
            ("9:30", Ok(9 * hour + 1_800_000)),
            ("24:00:00", Ok(24 * hour)),
            ("12:00:00 AM", Ok(0)),
            ("12:30 pm", Ok(12 * hour + 1_800_000)),
            ("1:00PM", Ok(13 * hour)),
            ("24:00:00.001", Err(Reason::Range)),
            ("25:10:00", Err(Reason::Range)),
            ("100:00:00", Err(Reason::Range)),
            ("12:34:56.0005", Err(Reason::Precision(TimeUnit::Millisecond))),
            ("12:34:56.1234567890", Err(Reason::Text)),
            ("12:34:56.", Err(Reason::Text)),
            ("12:60:00", Err(Reason::Text)),
            ("12:00:60", Err(Reason::Text)),
            ("13:00 PM", Err(Reason::Text)),
            ("0:30 AM", Err(Reason::Text)),
            ("-12:34:56", Err(Reason::Text)),
            ("12:34.5", Err(Reason::Text)),
            ("12:34:56Z", Err(Reason::Text)),
            ("12", Err(Reason::Text)),
            ("", Err(Reason::Text)),
        ] {
            assert_eq!(time_of_day(text.as_bytes(), TimeUnit::Millisecond), millis, "{text}");
        }
    }

    #[test]
    fn only_times_with_seconds_are_sure() {
        for (text, is_sure) in
            [("12:34:56", true), ("9:30:00 AM", true), ("12:34", false), ("25:00:00", false), ("1:2:3", false)]
        {
            assert_eq!(is_time_of_day(text.as_bytes()), is_sure, "{text}");
        }
    }
}
