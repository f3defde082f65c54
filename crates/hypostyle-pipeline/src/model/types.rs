//! The names of column types in pipeline files and in messages, and what they are in Arrow.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, FieldRef, TimeUnit};

use super::timestamp::Zone;
use super::zones::NamedZone;

const SIMPLE: [(&str, DataType); 14] = [
    ("bool", DataType::Boolean),
    ("i8", DataType::Int8),
    ("i16", DataType::Int16),
    ("i32", DataType::Int32),
    ("i64", DataType::Int64),
    ("u8", DataType::UInt8),
    ("u16", DataType::UInt16),
    ("u32", DataType::UInt32),
    ("u64", DataType::UInt64),
    ("f32", DataType::Float32),
    ("f64", DataType::Float64),
    ("string", DataType::Utf8),
    ("date", DataType::Date32),
    ("large_string", DataType::LargeUtf8),
];

const UNITS: [(&str, TimeUnit); 4] = [
    ("s", TimeUnit::Second),
    ("ms", TimeUnit::Millisecond),
    ("us", TimeUnit::Microsecond),
    ("ns", TimeUnit::Nanosecond),
];

/// The type of this name, or an error that lists the names.
pub(crate) fn parse(name: &str) -> Result<DataType, String> {
    if let Some((_, found)) = SIMPLE.iter().find(|(known, _)| *known == name) {
        return Ok(found.clone());
    }
    timestamp_type(name).or_else(|| clock(name)).or_else(|| decimal(name)).or_else(|| dictionary(name)).ok_or_else(|| {
        let known: Vec<&str> = SIMPLE.iter().map(|(name, _)| *name).collect();
        format!(
            "unknown type \"{name}\", expected one of {}, dictionary, decimal[DIGITS, DECIMALS], time[UNIT], duration[UNIT], timestamp[UNIT] or \
             timestamp[UNIT, ZONE], where UNIT is s, ms, us or ns and ZONE is UTC, an offset such as +02:00 or a name such as Europe/Berlin",
            known.join(", ")
        )
    })
}

/// A regex of the names, for editors.  It does not limit digits.
pub(crate) fn pattern() -> String {
    let names: Vec<&str> = SIMPLE.iter().map(|(name, _)| *name).collect();
    let units: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
    format!(
        r"^({names}|dictionary|decimal\[\s*[0-9]+\s*,\s*[0-9]+\s*\]|(?:time|duration)\[\s*({units})\s*\]|timestamp\[\s*({units})\s*(,\s*(UTC|[Zz]|[+-][0-9]{{2}}:?[0-9]{{2}}|[A-Za-z_]+/[A-Za-z0-9_/+-]+)\s*)?\])$",
        names = names.join("|"),
        units = units.join("|")
    )
}

/// One name of each form.
pub(crate) fn examples() -> impl Iterator<Item = &'static str> {
    let others = [
        "dictionary",
        "decimal[18, 2]",
        "time[us]",
        "time[s]",
        "duration[ms]",
        "timestamp[us]",
        "timestamp[ns, UTC]",
        "timestamp[s, +02:00]",
        "timestamp[us, Europe/Berlin]",
    ];
    SIMPLE.iter().map(|(name, _)| *name).chain(others)
}

/// A duration as windows write it, `"30s"` or `"1h30m"`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    match hypostyle::Duration::parse(text).ok()? {
        hypostyle::Duration::Nanoseconds(nanoseconds) => {
            Some(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
        }
        hypostyle::Duration::Units(_) => None,
    }
}

/// `decimal[18, 2]`: as many digits in all, as many of them behind the point.
fn decimal(name: &str) -> Option<DataType> {
    let inner = name.strip_prefix("decimal[")?.strip_suffix(']')?;
    let (digits, decimals) = inner.split_once(',')?;
    let (digits, decimals): (u8, i8) = (digits.trim().parse().ok()?, decimals.trim().parse().ok()?);
    ((1..=DECIMAL128_MAX_PRECISION).contains(&digits) && decimals >= 0 && decimals as u8 <= digits)
        .then_some(DataType::Decimal128(digits, decimals))
}

/// Dictionary-encoded strings, for few distinct values.
fn dictionary(name: &str) -> Option<DataType> {
    (name == "dictionary").then(|| DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)))
}

/// Times of day and durations.
fn clock(name: &str) -> Option<DataType> {
    let (what, unit) = name.strip_suffix(']')?.split_once('[')?;
    let unit = self::unit(unit.trim())?;
    match (what, unit) {
        ("time", TimeUnit::Second | TimeUnit::Millisecond) => Some(DataType::Time32(unit)),
        ("time", TimeUnit::Microsecond | TimeUnit::Nanosecond) => Some(DataType::Time64(unit)),
        ("duration", _) => Some(DataType::Duration(unit)),
        _ => None,
    }
}

fn timestamp_type(name: &str) -> Option<DataType> {
    let inner = name.strip_prefix("timestamp[")?.strip_suffix(']')?;
    let (unit, zone) = match inner.split_once(',') {
        Some((unit, zone)) => (unit.trim(), Some(zone.trim())),
        None => (inner.trim(), None),
    };
    let unit = self::unit(unit)?;
    if zone.is_some_and(|zone| self::zone(zone) == Zone::Stated) {
        return None;
    }
    Some(DataType::Timestamp(unit, zone.map(Into::into)))
}

/// What a zone says about times without an offset: nothing, if it is not known.
pub(crate) fn zone(name: &str) -> Zone {
    match (zone_offset(name), NamedZone::find(name.as_bytes())) {
        (Some(offset), _) => Zone::Default(offset),
        (None, Some(zone)) => Zone::Named(zone),
        (None, None) => Zone::Stated,
    }
}

/// The UTC offset in seconds of a zone that needs no time zone database.
pub(crate) fn zone_offset(zone: &str) -> Option<i64> {
    if zone == "UTC" || zone.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    match super::calendar::offset(zone.as_bytes()) {
        // With hours and minutes, as Arrow has them.
        Some((seconds, [])) if (5..=6).contains(&zone.len()) => Some(seconds),
        _ => None,
    }
}

/// The type for display: timestamps with a time zone, converted to UTC, which needs no time zone database.
pub(crate) fn in_utc(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("+00:00".into())),
        DataType::List(item) => DataType::List(field_in_utc(item)),
        DataType::LargeList(item) => DataType::LargeList(field_in_utc(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(field_in_utc(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field_in_utc).collect()),
        DataType::Map(entries, sorted) => DataType::Map(field_in_utc(entries), *sorted),
        other => other.clone(),
    }
}

fn field_in_utc(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(in_utc(field.data_type())))
}

/// The name of a type: that of pipeline files if there is one, else Arrow's.
pub(crate) fn name(data_type: &DataType) -> String {
    if let Some((name, _)) = SIMPLE.iter().find(|(_, known)| known == data_type) {
        return (*name).to_string();
    }
    match data_type {
        DataType::Timestamp(unit, zone) => {
            let unit = unit_name(*unit);
            zone.as_ref().map_or_else(|| format!("timestamp[{unit}]"), |zone| format!("timestamp[{unit}, {zone}]"))
        }
        DataType::Time32(unit) | DataType::Time64(unit) => format!("time[{}]", unit_name(*unit)),
        DataType::Duration(unit) => format!("duration[{}]", unit_name(*unit)),
        DataType::Decimal128(digits, decimals) => format!("decimal[{digits}, {decimals}]"),
        DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8 => {
            "dictionary".to_string()
        }
        DataType::Utf8View => "string_view".to_string(),
        other => other.to_string(),
    }
}

pub(crate) fn unit(name: &str) -> Option<TimeUnit> {
    UNITS.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit)
}

pub(crate) fn unit_name(unit: TimeUnit) -> &'static str {
    UNITS.iter().find(|(_, known)| *known == unit).map_or("?", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn every_name_is_read_as_it_is_written() {
        let form = Regex::new(&pattern()).unwrap();
        for text in examples().chain(["timestamp[ms, -05:30]"]) {
            assert_eq!(name(&parse(text).unwrap()), text);
            assert!(form.is_match(text), "{text}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        for text in [
            "float",
            "timestamp",
            "timestamp[h]",
            "time",
            "time[h]",
            "duration[us, UTC]",
            "timestamp[us, Mars]",
            "timestamp[us, Europe/Nowhere]",
            "timestamp[us, +2]",
            "decimal[39, 0]",
            "decimal[2, 3]",
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(text) && message.contains("f64, string, date"), "{message}");
        }
    }
}
