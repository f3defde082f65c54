//! Durations as programs write them: `1 days 02:03:04.5` (pandas, DuckDB, PostgreSQL), `26:03:04`, `1d 2h 3m` (Polars),
//! `PT26H3M4.5S` (ISO 8601), `2 hours 30 minutes`.
//!
//! Each part has its own sign: `-1 days 23:00:00` is an hour, backwards.  Months and years have no length.

use arrow::datatypes::TimeUnit;

use super::clock::{clock, fraction, in_unit};
use super::fault::Reason;

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// The names of units, in nanoseconds.
const UNITS: [(&[&str], i128); 8] = [
    (&["w", "week", "weeks"], 7 * DAY),
    (&["d", "day", "days"], DAY),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600 * SECOND),
    (&["m", "min", "mins", "minute", "minutes"], 60 * SECOND),
    (&["s", "sec", "secs", "second", "seconds"], SECOND),
    (&["ms", "millisecond", "milliseconds"], 1_000_000),
    (&["us", "µs", "microsecond", "microseconds"], 1_000),
    (&["ns", "nanosecond", "nanoseconds"], 1),
];

/// The duration in the unit.
pub(crate) fn duration(text: &[u8], unit: TimeUnit) -> Result<i64, Reason> {
    let text = std::str::from_utf8(text).map_err(|_| Reason::Text)?;
    let nanos = match text.strip_prefix('-') {
        Some(rest) if rest.starts_with('P') => iso(rest).and_then(i128::checked_neg),
        _ if text.starts_with('P') => iso(text),
        _ => parts(text),
    };
    in_unit(nanos.ok_or(Reason::Text)?, unit)
}

/// `P1DT2H3M4.5S` or `P2W`.
fn iso(text: &str) -> Option<i128> {
    let text = text.strip_prefix('P')?;
    let (date, time) = match text.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (text, ""),
    };
    let sum = |text: &str, units: &[(char, i128)]| {
        let (mut rest, mut units, mut sum) = (text, units, 0_i128);
        while !rest.is_empty() {
            let end = rest.find(|letter: char| letter.is_ascii_alphabetic())?;
            let (number, letter) = (&rest[..end], rest[end..].chars().next()?);
            let place = units.iter().position(|(unit, _)| *unit == letter)?;
            sum = sum.checked_add(amount(number, units[place].1)?)?;
            // In this order, and each once.
            (rest, units) = (&rest[end + 1..], &units[place + 1..]);
        }
        Some(sum)
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let days = sum(date, &[('W', 7 * DAY), ('D', DAY)])?;
    days.checked_add(sum(time, &[('H', 3_600 * SECOND), ('M', 60 * SECOND), ('S', SECOND)])?)
}

/// Numbers with units, and a clock behind them.
fn parts(text: &str) -> Option<i128> {
    let mut rest = text;
    let (mut sum, mut is_negative, mut count) = (0_i128, false, 0);
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || (letter == ',' && count > 0));
        if rest.is_empty() {
            return (count > 0).then_some(sum);
        }
        count += 1;
        let number_end = rest
            .find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, '+' | '-' | '.'))
            .unwrap_or(rest.len());
        let (number, behind) = rest.split_at(number_end);
        if behind.starts_with(':') {
            let (sign, digits) = match rest.strip_prefix('-') {
                Some(digits) => (-1, digits),
                None => (1, rest.strip_prefix('+').unwrap_or(rest)),
            };
            return sum.checked_add(sign * clock(digits.as_bytes())?.nanos);
        }
        let name = behind.trim_ascii_start();
        let name_end = name.find(|letter: char| !letter.is_alphabetic()).unwrap_or(name.len());
        let (name, behind) = name.split_at(name_end);
        let each = UNITS.iter().find(|(names, _)| names.contains(&name))?.1;
        // Some take the first sign for that of all.
        if is_negative && !number.starts_with(['+', '-']) {
            return None;
        }
        is_negative |= number.starts_with('-');
        sum = sum.checked_add(amount(number, each)?)?;
        rest = behind;
    }
}

/// A number of units, with or without decimals.
fn amount(number: &str, each: i128) -> Option<i128> {
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, decimals) = match number.split_once(['.', ',']) {
        Some((whole, decimals)) => (whole, fraction(decimals.as_bytes())?),
        None => (number, 0),
    };
    if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = i128::from(decimals).checked_mul(each)?;
    // Finer than a nanosecond.
    if part % SECOND != 0 {
        return None;
    }
    whole.parse::<i128>().ok()?.checked_mul(each)?.checked_add(part / SECOND)?.checked_mul(sign)
}

/// A duration as pandas, DuckDB and PostgreSQL read it, and as it is read here: `1 days 02:03:04.500`.
pub(crate) fn shown(value: i64, unit: TimeUnit) -> String {
    let nanos = i128::from(value) * i128::from(super::timestamp::per_second(unit).1);
    let (days, of_day) = (nanos.div_euclid(DAY), nanos.rem_euclid(DAY));
    let (seconds, part) = (of_day / SECOND, of_day % SECOND);
    let clock = format!("{days} days {:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match part {
        0 => clock,
        _ if part % 1_000_000 == 0 => format!("{clock}.{:03}", part / 1_000_000),
        _ if part % 1_000 == 0 => format!("{clock}.{:06}", part / 1_000),
        _ => format!("{clock}.{part:09}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_shown_is_read(value: i64, unit in 0..4_usize) {
            use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
            let unit = [Second, Millisecond, Microsecond, Nanosecond][unit];
            prop_assert_eq!(duration(shown(value, unit).as_bytes(), unit), Ok(value), "{}", shown(value, unit));
        }

        #[test]
        fn no_text_panics(text in "[-+P0-9dhmsuWDTHMS.:, ]{0,24}|\\PC{0,12}") {
            let _ = duration(text.as_bytes(), TimeUnit::Nanosecond);
        }
    }

    #[test]
    fn durations_as_programs_write_them() {
        let day = 86_400_000;
        for (text, millis) in [
            ("1 day 02:03:04", Ok(day + 7_384_000)),
            ("1 days 02:03:04.500000000", Ok(day + 7_384_500)),
            ("1 day, 2:03:04", Ok(day + 7_384_000)),
            ("-1 days +23:00:00", Ok(-3_600_000)),
            ("-1 days 23:00:00", Ok(-3_600_000)),
            ("-1 days -01:00:00", Ok(-day - 3_600_000)),
            ("26:03:04", Ok(93_784_000)),
            ("-00:00:01.5", Ok(-1_500)),
            ("2:30", Ok(9_000_000)),
            ("1d 2h 3m 4s 500ms", Ok(day + 7_384_500)),
            ("1h30m", Ok(5_400_000)),
            ("1.5 hours", Ok(5_400_000)),
            ("-90 s", Ok(-90_000)),
            ("1500 µs", Err(Reason::Precision(TimeUnit::Millisecond))),
            ("P1DT2H3M4.5S", Ok(day + 7_384_500)),
            ("-PT1S", Ok(-1_000)),
            ("PT-1.5S", Ok(-1_500)),
            ("P2W", Ok(14 * day)),
            ("PT36H", Ok(36 * 3_600_000)),
            ("P0D", Ok(0)),
            ("P", Err(Reason::Text)),
            ("P1DT", Err(Reason::Text)),
            ("PT1S1H", Err(Reason::Text)),
            ("P1M", Err(Reason::Text)),
            ("1 month", Err(Reason::Text)),
            ("-1d 2h", Err(Reason::Text)),
            ("1 day 02:03:04 x", Err(Reason::Text)),
            ("90", Err(Reason::Text)),
            ("1 day ago", Err(Reason::Text)),
            ("", Err(Reason::Text)),
            ("99999999999999999999 days", Err(Reason::Range)),
        ] {
            assert_eq!(duration(text.as_bytes(), TimeUnit::Millisecond), millis, "{text}");
        }
    }
}
