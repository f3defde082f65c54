//! Days since 1970 of the proleptic Gregorian calendar, and offsets from UTC as texts have them.
//!
//! Days are counted as in Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), `days_from_civil`.

/// The seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// The names that RFC 5322 (section 4.3) gives a meaning, in hours.  Others stand for several zones: IST is Indian, Irish and
/// Israeli time.
const NAMED_ZONES: [(&[u8], i64); 11] = [
    (b"UTC", 0),
    (b"GMT", 0),
    (b"UT", 0),
    (b"EST", -5),
    (b"EDT", -4),
    (b"CST", -6),
    (b"CDT", -5),
    (b"MST", -7),
    (b"MDT", -6),
    (b"PST", -8),
    (b"PDT", -7),
];

/// The days since 1970 of a date that exists.
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

pub(super) fn month_length(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The day of the week, 0 for Monday.
pub(super) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

#[inline]
pub(super) fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// The seconds of `Z`, `+HH`, `+HHMM`, `+HH:MM` or `+HH:MM:SS` at the start of the text, and what follows.
pub(crate) fn offset(text: &[u8]) -> Option<(i64, &[u8])> {
    let (sign, rest) = match text {
        [b'Z' | b'z', rest @ ..] => return Some((0, rest)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let [h1, h0, rest @ ..] = rest else { return None };
    let hour = two(*h1, *h0)?;
    let (minute, rest) = sixty(rest).unwrap_or((0, rest));
    // Local mean times, before there were zones, have seconds.
    let (second, rest) = sixty(rest).filter(|_| rest.first() == Some(&b':')).unwrap_or((0, rest));
    (hour < 24).then_some((sign * (hour * 3600 + minute * 60 + second), rest))
}

/// `MM` or `:MM`, below 60.
fn sixty(text: &[u8]) -> Option<(i64, &[u8])> {
    let ([b':', tens, ones, rest @ ..] | [tens, ones, rest @ ..]) = text else { return None };
    two(*tens, *ones).filter(|value| *value < 60).map(|value| (value, rest))
}

/// The seconds of a zone that has a known name, such as `UTC`, and what follows.
pub(super) fn named_zone(text: &[u8]) -> Option<(i64, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (name, rest) = text.split_at(length);
    let found = NAMED_ZONES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
    found.map(|(_, hours)| (hours * 3600, rest))
}

/// How much of the text may be the name of a zone, such as `CET` or `Europe/Berlin`.
pub(super) fn zone_name(text: &[u8]) -> usize {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'+' | b'-');
    if text.first().is_some_and(u8::is_ascii_alphabetic) { text.iter().take_while(is_part).count() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_with_and_without_minutes() {
        for (text, expected) in [
            ("Z", Some((0, ""))),
            ("+00", Some((0, ""))),
            ("-03", Some((-10_800, ""))),
            ("+0530", Some((19_800, ""))),
            ("-05:30", Some((-19_800, ""))),
            ("+00:53:28", Some((3_208, ""))),
            ("-03 ", Some((-10_800, " "))),
            ("+2", None),
            ("+24", None),
            ("+02:60", Some((7_200, ":60"))),
            ("", None),
        ] {
            let found = offset(text.as_bytes()).map(|(seconds, rest)| (seconds, std::str::from_utf8(rest).unwrap()));
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(named_zone(b"pdt"), Some((-25_200, &b""[..])));
        assert_eq!((named_zone(b"CET"), named_zone(b"UTCx"), named_zone(b"")), (None, None, None));
    }
}
