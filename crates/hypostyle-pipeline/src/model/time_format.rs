//! The format of a column's dates and times: ISO 8601, a format string, or a number of units since 1970.

use arrow::datatypes::{DataType, TimeUnit};

use super::calendar::DAY;
use super::fault::Reason;
use super::strptime::{Mismatch, Strptime};
use super::timestamp::{ParsedTimestamp, Zone, date, fault, is_infinity, per_second, timestamp};

/// The format of a column's dates and times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// ISO 8601.
    #[default]
    Iso,
    /// A number of these units since 1970, with or without decimals.
    Epoch(TimeUnit),
    /// A format string such as `%d/%m/%Y`.
    Strptime(Strptime),
    /// Several, of which the first one that fits counts.
    Several(Vec<TimeFormat>),
}

impl TimeFormat {
    /// Reads `"epoch[ms]"` or a format string; an error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(unit) = text.strip_prefix("epoch[").and_then(|rest| rest.strip_suffix(']')) {
            return super::types::unit(unit).map(Self::Epoch).ok_or("the units are s, ms, us and ns".to_string());
        }
        match text {
            "%s" | "%s%.f" | "%s.%f" => Ok(Self::Epoch(TimeUnit::Second)),
            _ if !text.contains('%') => Err("it has no directive such as %Y".to_string()),
            _ => Strptime::parse(text).map(Self::Strptime),
        }
    }

    /// The type of a column that is not declared.
    pub fn data_type(&self) -> DataType {
        let timestamp = |unit, zoned: bool| DataType::Timestamp(unit, zoned.then(|| "UTC".into()));
        match self {
            Self::Iso => timestamp(TimeUnit::Microsecond, false),
            Self::Epoch(unit) => timestamp(*unit, true),
            Self::Strptime(format) => match format.has() {
                (false, _) => DataType::Date32,
                (true, zoned) => timestamp(TimeUnit::Microsecond, zoned),
            },
            Self::Several(formats) => {
                let types: Vec<DataType> = formats.iter().map(Self::data_type).collect();
                let zoned = types.iter().any(|found| matches!(found, DataType::Timestamp(_, Some(_))));
                let dates = types.iter().all(|found| *found == DataType::Date32);
                if dates { DataType::Date32 } else { timestamp(TimeUnit::Microsecond, zoned) }
            }
        }
    }

    /// The days since 1970.
    pub fn date(&self, field: &[u8]) -> Result<i32, Reason> {
        match self {
            Self::Iso => date(field).ok_or_else(|| if is_infinity(field) { Reason::Infinity } else { Reason::Text }),
            other => {
                let parsed = other.timestamp(field)?;
                i32::try_from(parsed.seconds.div_euclid(DAY)).map_err(|_| Reason::Range)
            }
        }
    }

    /// Reads a list of formats.
    pub fn parse_all(texts: &[String]) -> Result<Self, String> {
        match texts {
            [] => Err("the list is empty".to_string()),
            [text] => Self::parse(text).map_err(|what| format!("{text:?} is not a valid format string: {what}")),
            texts => {
                let each = texts.iter().map(|text| Self::parse_all(std::slice::from_ref(text)));
                each.collect::<Result<_, _>>().map(Self::Several)
            }
        }
    }

    /// The timestamp of a column of this unit and zone.
    pub fn instant(&self, field: &[u8], unit: TimeUnit, zone: Zone) -> Result<i64, Reason> {
        if let Self::Several(formats) = self {
            return first_fit(formats, |format| format.instant(field, unit, zone));
        }
        let zone = match (self, zone) {
            // Counted from 1970 in UTC, whatever the zone.
            (Self::Epoch(_), Zone::None) => Zone::Default(0),
            (_, zone) => zone,
        };
        self.timestamp(field)?.in_unit(unit, zone)
    }

    pub fn timestamp(&self, field: &[u8]) -> Result<ParsedTimestamp, Reason> {
        match self {
            Self::Iso => timestamp(field).ok_or_else(|| fault(field)),
            Self::Epoch(unit) => epoch(field, *unit),
            Self::Several(formats) => first_fit(formats, |format| format.timestamp(field)),
            Self::Strptime(format) => format.timestamp(field).map_err(|mismatch| match mismatch {
                Mismatch::Zone => Reason::Zone,
                Mismatch::ClockChange => Reason::ClockChange,
                Mismatch::Text if is_infinity(field) => Reason::Infinity,
                Mismatch::Text => Reason::Text,
            }),
        }
    }
}

/// What the first format says that fits, or has another fault than that it does not.
fn first_fit<T>(formats: &[TimeFormat], read: impl Fn(&TimeFormat) -> Result<T, Reason>) -> Result<T, Reason> {
    let mut outcomes = formats.iter().map(read).filter(|outcome| !matches!(outcome, Err(Reason::Text)));
    outcomes.next().unwrap_or(Err(Reason::Text))
}

/// A number of units since 1970; its decimals reach down to nanoseconds.
fn epoch(field: &[u8], unit: TimeUnit) -> Result<ParsedTimestamp, Reason> {
    let point = field.iter().position(|byte| *byte == b'.').unwrap_or(field.len());
    let (whole, decimals) = field.split_at(point);
    let whole: i64 = super::values::integer(whole)?;
    let (units, nanos_each) = per_second(unit);
    let mut nanos = whole.rem_euclid(units) * i64::from(nanos_each);
    let mut seconds = whole.div_euclid(units);
    if let [_, digits @ ..] = decimals {
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Reason::Text);
        }
        let mut part = 0;
        let mut each = i64::from(nanos_each);
        for digit in trimmed(digits) {
            if each % 10 != 0 {
                return Err(Reason::Precision(TimeUnit::Nanosecond));
            }
            each /= 10;
            part += i64::from(digit - b'0') * each;
        }
        // -1.5 lies half a unit before -1.
        nanos += if field[0] == b'-' { -part } else { part };
        seconds += nanos.div_euclid(1_000_000_000);
        nanos = nanos.rem_euclid(1_000_000_000);
    }
    Ok(ParsedTimestamp { seconds, nanos: nanos as u32, digits: 9, offset: Some(0) })
}

/// Without the zeros at its end.
fn trimmed(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    &digits[..digits.len() - zeros]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_strings_and_numbers() {
        let read = |format: &str, text: &str| {
            let parsed = TimeFormat::parse(format).unwrap().timestamp(text.as_bytes()).ok()?;
            parsed.in_unit(TimeUnit::Millisecond, Zone::Default(0)).ok()
        };
        assert_eq!(read("%d/%m/%Y", "29/02/2024"), Some(1_709_164_800_000));
        assert_eq!(read("%d/%m/%Y %H:%M:%S%.f", "29/02/2024 00:00:01.5"), Some(1_709_164_801_500));
        assert_eq!(read("%d/%m/%Y %H:%M:%S.%f", "29/02/2024 00:00:01.5"), Some(1_709_164_801_500));
        assert_eq!(read("%Y%m%d %H%M %z", "20240229 0130 +0200"), Some(1_709_163_000_000));
        assert_eq!(read("%d/%m/%Y", "30/02/2024"), None);
        for (format, text, millis) in [
            ("%s", "1709164800", Some(1_709_164_800_000)),
            ("%s%.f", "1709164800.125", Some(1_709_164_800_125)),
            ("epoch[s]", "-1", Some(-1_000)),
            ("epoch[s]", "-1.5", Some(-1_500)),
            ("epoch[s]", "-0.25", Some(-250)),
            ("epoch[s]", "1.5000000000000", Some(1_500)),
            ("epoch[s]", "1.", None),
            ("epoch[s]", ".5", None),
            ("epoch[s]", "1.5e3", None),
            ("epoch[us]", "1500", None),
            ("epoch[us]", "-1000", Some(-1)),
            ("epoch[ms]", "1.5", None),
            ("epoch[ms]", "1.000", Some(1)),
            ("epoch[ns]", "1.5", None),
        ] {
            assert_eq!(read(format, text), millis, "{format} {text}");
        }
        assert_eq!(TimeFormat::parse("%d/%m/%Y").unwrap().date(b"01/01/1970"), Ok(0));
        let several = TimeFormat::parse_all(&["%d.%m.%Y", "epoch[s]", "%Y"].map(String::from)).unwrap();
        for (text, days) in
            [("29.02.2024", Ok(19_782)), ("86400", Ok(1)), ("30.02.2024", Err(Reason::Text)), ("x", Err(Reason::Text))]
        {
            assert_eq!(several.date(text.as_bytes()), days, "{text}");
        }
        assert!(TimeFormat::parse_all(&[]).is_err());
        for wrong in ["epoch[h]", "%Q", "day", "", "%d/%m"] {
            assert!(TimeFormat::parse(wrong).is_err(), "{wrong}");
        }
    }
}
