//! Format strings of dates and times: the directives of C and Python, with the meaning that Python's `strptime` gives them.
//!
//! A format is compiled once into items that match a text from left to right, each number taking as many digits as it can.  If
//! the rest does not match then, it takes fewer, as the regular expression that Python makes of a format does: `%d%m` reads
//! `311` as the 31st of January.  Case does not matter, and a space stands for any number of blanks.
//!
//! Where Python would guess, a format is refused, or a text does not match: an hour of `%I` without `%p`, a date without a year,
//! the name of another day than the date has.  Beyond Python, `%f` reads up to nine digits, and the directives that other
//! languages know are understood (`%F`, `%T`, `%q`, `%.f` and so on).

use super::calendar::{DAY, days_of, month_length, named_zone, offset, weekday, zone_name};
use super::timestamp::ParsedTimestamp;
use super::zones::NamedZone;

/// A format string, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strptime {
    items: Vec<Item>,
    date: DateRule,
}

/// Why a text does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mismatch {
    Text,
    /// It names a time zone that is not known.
    Zone,
    /// The clocks of the time zone show the time twice, or never.
    ClockChange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    /// A byte, in upper or lower case.
    Literal(u8),
    /// One or more blanks.
    Space,
    Number(Number),
    /// Decimals of a second: this number of them, or as many as there are.  With `point` they begin with one, or are missing.
    Fraction {
        digits: Option<usize>,
        point: bool,
    },
    Name(Part, Names),
    Offset,
    ZoneName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    part: Part,
    least_digits: usize,
    most_digits: usize,
    min: i64,
    max: i64,
    /// A blank may stand for the first digit.
    padded: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    ShortYear,
    Quarter,
    Month,
    Day,
    YearDay,
    /// The number of the week of the year; weeks begin on Sunday or Monday.
    SundayWeek,
    MondayWeek,
    IsoYear,
    IsoWeek,
    /// 0 is Monday.
    Weekday,
    Hour,
    HalfHour,
    /// 0 is before noon.
    Half,
    Minute,
    Second,
    Nanos,
    Zone,
}

/// The parts as they were read.
type Parts = [Option<i64>; Part::Zone as usize + 1];

/// How names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Their first three letters.
    Short,
    /// In full, or their first three letters.
    Full,
    /// `AM` and `PM`.
    Halves,
}

/// Which parts make the date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DateRule {
    /// A month that is missing is the first one, and so is a day.
    Month,
    YearDay,
    Week,
    IsoWeek,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Strptime {
    /// Compiles a format; an error says what is wrong with it.
    pub fn parse(format: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        compile(format.as_bytes(), &mut items)?;
        let parts: Vec<Part> = items.iter().filter_map(Item::part).collect();
        if parts.iter().enumerate().any(|(index, part)| parts[..index].contains(part)) {
            return Err("a part of the date or time comes twice".to_string());
        }
        Ok(Self { date: date_rule(&parts)?, items })
    }

    /// Whether texts have a time of day, and whether they have a UTC offset.
    pub fn has(&self) -> (bool, bool) {
        let any = |parts: &[Part]| self.items.iter().any(|item| item.part().is_some_and(|part| parts.contains(&part)));
        (any(&[Part::Hour, Part::HalfHour]), any(&[Part::Zone]))
    }

    pub fn timestamp(&self, text: &[u8]) -> Result<ParsedTimestamp, Mismatch> {
        let mut parts = Parts::default();
        if matches(&self.items, text, &mut parts, false) {
            let mut parsed = self.assemble(&parts).ok_or(Mismatch::Text)?;
            if let Some(zone) = parsed.offset.and_then(NamedZone::of_part) {
                parsed.offset = Some(zone.offset(parsed.seconds).ok_or(Mismatch::ClockChange)?);
            }
            return Ok(parsed);
        }
        Err(if matches(&self.items, text, &mut parts, true) { Mismatch::Zone } else { Mismatch::Text })
    }

    fn assemble(&self, parts: &Parts) -> Option<ParsedTimestamp> {
        let part = |part: Part| parts[part as usize];
        let days = self.days(parts)?;
        if part(Part::Weekday).is_some_and(|day| day != weekday(days)) {
            return None;
        }
        let hour = match (part(Part::Hour), part(Part::HalfHour), part(Part::Half)) {
            (Some(hour), _, Some(half)) if hour / 12 != half => return None,
            (Some(hour), ..) => hour,
            (None, Some(hour), half) => hour % 12 + 12 * half?,
            (None, None, _) => 0,
        };
        let (minute, second) = (part(Part::Minute).unwrap_or(0), part(Part::Second).unwrap_or(0));
        Some(ParsedTimestamp {
            seconds: days * DAY + hour * 3600 + minute * 60 + second,
            nanos: part(Part::Nanos).unwrap_or(0) as u32,
            digits: 9,
            offset: part(Part::Zone),
        })
    }

    /// The date as days since 1970; `None` if it does not exist.
    fn days(&self, parts: &Parts) -> Option<i64> {
        let part = |part: Part| parts[part as usize];
        // As POSIX has it: 69 is 1969, and 68 is 2068.
        let short = part(Part::ShortYear).map(|year| if year < 69 { 2000 + year } else { 1900 + year });
        let year = part(Part::Year).or(short).or(part(Part::IsoYear))?;
        let (first, next) = (days_of(year, 1, 1), days_of(year + 1, 1, 1));
        match self.date {
            DateRule::Month => {
                let quarter = part(Part::Quarter).map(|quarter| 3 * quarter - 2);
                let (month, day) = (part(Part::Month).or(quarter).unwrap_or(1), part(Part::Day).unwrap_or(1));
                (day <= month_length(year, month)).then(|| days_of(year, month, day))
            }
            DateRule::YearDay => Some(first + part(Part::YearDay)? - 1).filter(|days| *days < next),
            DateRule::Week => {
                let (week, ahead) = match part(Part::SundayWeek) {
                    Some(week) => (week, 1),
                    None => (part(Part::MondayWeek)?, 0),
                };
                // Days since the Sunday or Monday before.
                let since = |weekday: i64| (weekday + ahead) % 7;
                let first_week = first + (7 - since(weekday(first))) % 7;
                let days = first_week + 7 * (week - 1) + since(part(Part::Weekday)?);
                (first..next).contains(&days).then_some(days)
            }
            DateRule::IsoWeek => {
                // The week with the fourth of January is the first one.
                let monday = |year: i64| {
                    let fourth = days_of(year, 1, 4);
                    fourth - weekday(fourth)
                };
                let days = monday(year) + 7 * (part(Part::IsoWeek)? - 1);
                (days < monday(year + 1)).then_some(days + part(Part::Weekday)?)
            }
        }
    }
}

/// Which parts make the date; an error if some are missing, or contradict each other.
fn date_rule(parts: &[Part]) -> Result<DateRule, String> {
    let has = |part: Part| parts.contains(&part);
    let any = |all: &[Part]| all.iter().any(|part| has(*part));
    let year = any(&[Part::Year, Part::ShortYear]);
    let iso = any(&[Part::IsoYear, Part::IsoWeek]);
    let hour = any(&[Part::Hour, Part::HalfHour]);
    let week = any(&[Part::SundayWeek, Part::MondayWeek]);
    for (wrong, what) in [
        (has(Part::Year) && has(Part::ShortYear), "%Y and %y are both the year"),
        (has(Part::Hour) && has(Part::HalfHour), "%H and %I are both the hour"),
        (has(Part::HalfHour) && !has(Part::Half), "%I needs %p; %H is the hour of the whole day"),
        (has(Part::Half) && !hour, "%p needs %I"),
        (has(Part::Minute) && !hour, "%M is the minute and needs %H; %m is the month"),
        (has(Part::Second) && !has(Part::Minute), "%S needs %M"),
        (has(Part::Nanos) && !has(Part::Second), "%f needs %S"),
        (has(Part::SundayWeek) && has(Part::MondayWeek), "%U and %W are both the week"),
        (has(Part::Quarter) && has(Part::Month), "%q and %m cannot both be used"),
        (iso && (year || week), "%G and %V cannot be used with %Y, %U and %W"),
        (iso && !(has(Part::IsoYear) && has(Part::IsoWeek) && has(Part::Weekday)), "%G, %V and %u need each other"),
        (!iso && !year, "it has no year (%Y)"),
        (has(Part::Day) && !any(&[Part::Month, Part::Quarter]), "%d needs %m"),
        (has(Part::Day) && has(Part::Quarter), "%d needs %m, not %q"),
        (week && !has(Part::Weekday) && !has(Part::Month), "%U and %W need the day of the week (%w)"),
    ] {
        if wrong {
            return Err(what.to_string());
        }
    }
    Ok(match () {
        () if iso => DateRule::IsoWeek,
        () if has(Part::Month) || has(Part::Quarter) => DateRule::Month,
        () if has(Part::YearDay) => DateRule::YearDay,
        () if week => DateRule::Week,
        () => DateRule::Month,
    })
}

impl Item {
    fn part(&self) -> Option<Part> {
        match self {
            Self::Literal(_) | Self::Space => None,
            Self::Number(number) => Some(number.part),
            Self::Fraction { .. } => Some(Part::Nanos),
            Self::Name(part, _) => Some(*part),
            Self::Offset | Self::ZoneName => Some(Part::Zone),
        }
    }
}

fn compile(format: &[u8], items: &mut Vec<Item>) -> Result<(), String> {
    let mut rest = format;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'%' => rest = directive(tail, items)?,
            blank if blank.is_ascii_whitespace() => {
                if items.last() != Some(&Item::Space) {
                    items.push(Item::Space);
                }
            }
            byte => items.push(Item::Literal(*byte)),
        }
    }
    Ok(())
}

/// Adds the items of the directive that begins the text, and returns what follows it.
fn directive<'a>(text: &'a [u8], items: &mut Vec<Item>) -> Result<&'a [u8], String> {
    // How a number is padded when it is written does not matter when it is read.
    let text = match text {
        [b'-' | b'_' | b'0', rest @ ..] => rest,
        _ => text,
    };
    let digits = |digit: u8| Some(usize::from(digit - b'0'));
    match text {
        [b'.', b'3' | b'6' | b'9', b'f', rest @ ..] | [b'.', b'f', rest @ ..] => {
            items.push(Item::Fraction { digits: None, point: true });
            return Ok(rest);
        }
        [digit @ (b'3' | b'6' | b'9'), b'f', rest @ ..] => {
            items.push(Item::Fraction { digits: digits(*digit), point: false });
            return Ok(rest);
        }
        [b':' | b'#', b'z', rest @ ..] => {
            items.push(Item::Offset);
            return Ok(rest);
        }
        _ => {}
    }
    let [byte, rest @ ..] = text else { return Err("it ends in a single %".to_string()) };
    let several: &[u8] = match byte {
        b'c' => b"%a %b %d %H:%M:%S %Y",
        b'x' | b'D' => b"%m/%d/%y",
        b'X' | b'T' => b"%H:%M:%S",
        b'F' => b"%Y-%m-%d",
        b'R' => b"%H:%M",
        b'r' => b"%I:%M:%S %p",
        b'v' => b"%d-%b-%Y",
        _ => b"",
    };
    compile(several, items)?;
    if !several.is_empty() {
        return Ok(rest);
    }
    let number = |part, least_digits, most_digits, min, max| {
        Item::Number(Number { part, least_digits, most_digits, min, max, padded: false })
    };
    let padded =
        |part, min, max| Item::Number(Number { part, least_digits: 1, most_digits: 2, min, max, padded: true });
    items.push(match byte {
        b'Y' => number(Part::Year, 4, 4, 1, 9999),
        b'y' => number(Part::ShortYear, 2, 2, 0, 99),
        b'q' => number(Part::Quarter, 1, 1, 1, 4),
        b'm' => number(Part::Month, 1, 2, 1, 12),
        b'd' | b'e' => padded(Part::Day, 1, 31),
        b'j' => number(Part::YearDay, 1, 3, 1, 366),
        b'U' => number(Part::SundayWeek, 1, 2, 0, 53),
        b'W' => number(Part::MondayWeek, 1, 2, 0, 53),
        b'G' => number(Part::IsoYear, 4, 4, 1, 9999),
        b'V' => number(Part::IsoWeek, 1, 2, 1, 53),
        b'w' => number(Part::Weekday, 1, 1, 0, 6),
        b'u' => number(Part::Weekday, 1, 1, 1, 7),
        b'H' => number(Part::Hour, 1, 2, 0, 23),
        b'k' => padded(Part::Hour, 0, 23),
        b'I' | b'l' => padded(Part::HalfHour, 1, 12),
        b'M' => number(Part::Minute, 1, 2, 0, 59),
        b'S' => number(Part::Second, 1, 2, 0, 59),
        b'f' => Item::Fraction { digits: None, point: false },
        b'a' => Item::Name(Part::Weekday, Names::Short),
        b'A' => Item::Name(Part::Weekday, Names::Full),
        b'b' | b'h' => Item::Name(Part::Month, Names::Short),
        b'B' => Item::Name(Part::Month, Names::Full),
        b'p' | b'P' => Item::Name(Part::Half, Names::Halves),
        b'z' => Item::Offset,
        b'Z' => Item::ZoneName,
        b'n' | b't' => Item::Space,
        b'%' => Item::Literal(b'%'),
        b's' => return Err("%s is the whole time: write \"epoch[s]\"".to_string()),
        other => return Err(format!("%{} is not a known directive", char::from(*other))),
    });
    Ok(rest)
}

/// Whether the items match the whole text.  With `any_zone` a zone may have any name.
fn matches(items: &[Item], text: &[u8], parts: &mut Parts, any_zone: bool) -> bool {
    let Some((item, rest)) = items.split_first() else { return text.is_empty() };
    let mut then = |value: Option<i64>, length: usize| {
        if let (Some(part), Some(_)) = (item.part(), value) {
            parts[part as usize] = value;
        }
        matches(rest, &text[length..], parts, any_zone)
    };
    match *item {
        Item::Literal(byte) => text.first().is_some_and(|found| found.eq_ignore_ascii_case(&byte)) && then(None, 1),
        Item::Space => {
            let blanks = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            (1..=blanks).rev().any(|length| then(None, length))
        }
        Item::Number(Number { part, least_digits, most_digits, min, max, padded }) => {
            let mut fits = |digits: &[u8], length: usize| {
                let value = decimal(digits);
                // Sunday is the first day for %w, with 0, and the last one for %u, with 7.
                let meant = if part == Part::Weekday { (value + 6) % 7 } else { value };
                (min..=max).contains(&value) && then(Some(meant), length)
            };
            let blank = padded && matches!(text, [b' ', digit, ..] if digit.is_ascii_digit());
            (least_digits..=digits(text, most_digits)).rev().any(|length| fits(&text[..length], length))
                || blank && fits(&text[1..2], 2)
        }
        Item::Fraction { digits: Some(exact), .. } => {
            digits(text, exact) == exact && then(Some(nanos(&text[..exact])), exact)
        }
        Item::Fraction { point: true, .. } => match text {
            [b'.', decimals @ ..] => {
                (1..=digits(decimals, 9)).rev().any(|length| then(Some(nanos(&decimals[..length])), 1 + length))
            }
            _ => then(Some(0), 0),
        },
        Item::Fraction { .. } => (1..=digits(text, 9)).rev().any(|length| then(Some(nanos(&text[..length])), length)),
        Item::Name(part, written) => {
            let (names, first): (&[&str], i64) = match part {
                Part::Month => (&MONTHS, 1),
                Part::Half => (&["AM", "PM"], 0),
                _ => (&WEEKDAYS, 0),
            };
            let mut fits = |index: usize, name: &str| {
                let begins = text.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()));
                begins && then(Some(index as i64 + first), name.len())
            };
            let full = written != Names::Short;
            let short = written != Names::Halves;
            full && names.iter().enumerate().any(|(index, name)| fits(index, name))
                || short && names.iter().enumerate().any(|(index, name)| fits(index, &name[..3]))
        }
        Item::Offset => offset(text).is_some_and(|(seconds, after)| then(Some(seconds), text.len() - after.len())),
        Item::ZoneName => match named_zone(text) {
            Some((seconds, after)) => then(Some(seconds), text.len() - after.len()),
            None => match NamedZone::find(&text[..zone_name(text)]) {
                Some(zone) => then(Some(zone.to_part()), zone_name(text)),
                None => any_zone && zone_name(text) > 0 && then(Some(0), zone_name(text)),
            },
        },
    }
}

/// How many digits begin the text, at most this number.
fn digits(text: &[u8], most: usize) -> usize {
    text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count()
}

fn decimal(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
}

/// Decimals of a second, at most nine, as nanoseconds.
fn nanos(decimals: &[u8]) -> i64 {
    decimal(decimals) * 10_i64.pow(9 - decimals.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timestamp::{Zone, timestamp};

    /// Formats, texts and what Python's `strptime` makes of them, `-` if it refuses: by strptime.py beside this file.
    const PYTHON: &str = include_str!("strptime.tsv");

    fn read(format: &str, text: &str) -> Option<(i64, Option<i64>)> {
        let parsed = Strptime::parse(format).unwrap().timestamp(text.as_bytes()).ok()?;
        Some((parsed.seconds * 1_000_000 + i64::from(parsed.nanos / 1000), parsed.offset))
    }

    /// Every directive that Python has, on times from all years that it has, and on texts that are damaged.
    #[test]
    fn every_directive_means_what_it_means_in_python() {
        let (mut all, mut refused) = (0, 0);
        for line in PYTHON.lines() {
            let [format, text, micros, offset] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let expected = micros.parse().ok().map(|micros: i64| (micros, offset.parse().ok()));
            let mut found = read(format, text);
            if format.contains("%Z") && expected.is_some() {
                // Python reads UTC and GMT, and forgets about them.
                found = found.map(|(micros, offset)| (micros, offset.filter(|offset| *offset != 0)));
            }
            assert_eq!(found, expected, "{format:?} {text:?}");
            all += 1;
            refused += usize::from(expected.is_none());
        }
        assert!(all > 2_000 && refused > 300 && all - refused > 1_500, "{all} lines, {refused} refused");
    }

    #[test]
    fn what_is_read_beyond_python() {
        let iso = |text: &str| timestamp(text.as_bytes()).map(|t| (t.seconds, t.nanos, t.offset)).unwrap();
        for (format, text, expected) in [
            ("%F %T%.f", "2024-02-29 12:30:05.123456789", "2024-02-29 12:30:05.123456789"),
            ("%F %T%.f", "2024-02-29 12:30:05", "2024-02-29 12:30:05"),
            ("%F %T.%f", "2024-02-29 12:30:05.123456789", "2024-02-29 12:30:05.123456789"),
            ("%Y%m%d %H%M%S%3f", "20240229 123005042", "2024-02-29 12:30:05.042"),
            ("%d.%m.%Y %R", "29.2.2024 7:05", "2024-02-29 07:05"),
            ("%m/%d/%Y %r", "02/29/2024 12:30:05 am", "2024-02-29 00:30:05"),
            ("%-d-%b-%y", "29-FEB-24", "2024-02-29"),
            ("%YQ%q", "2024Q3", "2024-07-01"),
            ("%YM%m", "2024M02", "2024-02-01"),
            ("%Y", "2024", "2024-01-01"),
            ("%Y-%m-%d %H", "2024-02-29 07", "2024-02-29 07:00"),
            ("%d %B %Y", "29 Feb 2024", "2024-02-29"),
            ("%F %T%z", "2024-02-29 12:30:05+02", "2024-02-29 12:30:05+02:00"),
            ("%F %T %Z", "2024-02-29 12:00:00 PDT", "2024-02-29 12:00:00-07:00"),
            ("%F %T %Z", "2024-02-29 12:00:00 utc", "2024-02-29 12:00:00Z"),
        ] {
            let found = Strptime::parse(format).unwrap().timestamp(text.as_bytes()).unwrap();
            assert_eq!((found.seconds, found.nanos, found.offset), iso(expected), "{format} {text}");
        }
    }

    #[test]
    fn what_python_would_guess_is_refused() {
        for (format, text, mismatch) in [
            ("%a %F", "Mon 2024-02-29", Mismatch::Text),
            ("%F %H:%M %p", "2024-02-29 01:00 PM", Mismatch::Text),
            ("%F %T %Z", "2024-02-29 12:00:00 CET", Mismatch::Zone),
            ("%F %T %Z", "2024-02-29 12:00:00 Europe/Berlim", Mismatch::Zone),
            ("%F %T %Z", "2024-03-31 02:30:00 Europe/Berlin", Mismatch::ClockChange),
            ("%F %T %Z", "2024-02-29 12:00:00", Mismatch::Text),
            ("%F", "2024-02-30", Mismatch::Text),
            ("%Y %U %w", "2023 00 0", Mismatch::Text),
        ] {
            assert_eq!(Strptime::parse(format).unwrap().timestamp(text.as_bytes()), Err(mismatch), "{format} {text}");
        }
        for (format, words) in [
            ("%m/%d", "no year"),
            ("%F %I:%M", "%I needs %p"),
            ("%F %M", "%M is the minute"),
            ("%Y-%m-%d %d", "twice"),
            ("%Q", "%Q is not a known directive"),
            ("%F %", "single %"),
            ("%s %F", "epoch[s]"),
            ("%Y %d", "%d needs %m"),
            ("%G-%V", "need each other"),
        ] {
            let error = Strptime::parse(format).unwrap_err();
            assert!(error.contains(words), "{format}: {error}");
        }
        let zoned = Strptime::parse("%Z %d.%m.%Y %H:%M").unwrap().timestamp(b"Europe/Berlin 01.07.2024 12:00").unwrap();
        assert_eq!(zoned.offset, Some(7_200));
        let naive = Strptime::parse("%F %T %Z").unwrap().timestamp(b"2024-02-29 12:00:00 GMT").unwrap();
        assert!(naive.in_unit(arrow::datatypes::TimeUnit::Second, Zone::None).is_err());
    }
}
