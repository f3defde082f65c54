//! Conditions on single values: not null, min and max, one of a list or none of it, a regex.  Rules and filters share them.  They are
//! evaluated per column with Arrow's kernels.
//!
//! Arrow's order of floats is total: it puts -0 below 0, and NaNs at both ends.  Here zeros are equal, and a NaN lies within
//! no bounds.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Datum, Decimal256Array, Float64Array, Int64Array, Scalar, StringArray,
    UInt64Array,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp::{eq, gt, gt_eq, lt_eq};
use arrow::compute::{CastOptions, and, cast, cast_with_options, is_not_null, not, or, take};
use arrow::datatypes::{DECIMAL256_MAX_PRECISION, DataType, Float64Type, TimeUnit, i256};
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;
use regex::Regex;

use crate::config::{Conditions, Scalar as Given};
use crate::error::{Error, Result};
use crate::model::column::Column;
use crate::model::time_value::{self, is_clock};
use crate::model::types;

/// A condition on values.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    NotNull,
    Min(ArrayRef),
    Max(ArrayRef),
    OneOf(List),
    NoneOf(List),
    Regex(Regex),
}

/// Values, each an array of one row; and as texts where that is what they are.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub values: Vec<ArrayRef>,
    texts: Option<HashSet<String>>,
}

impl Test {
    /// Reads the conditions of a table such as `[source.rules]`, each with its text.
    pub fn read(conditions: Conditions<'_>, column: &Column, table: &str) -> Result<Vec<(Self, String)>> {
        let wrong = |what: String| Error::pipeline(format!("{table} {}: {what}", column.name));
        let data_type = plain(&column.data_type);
        let value = |key: &str, given: &Given| {
            typed(given, data_type).ok_or_else(|| {
                wrong(format!("{key}: {} is not a valid {}", shown(given), types::name(data_type)))
                    .help(match data_type {
                        DataType::Timestamp(_, Some(_)) => {
                            "give a UTC offset, such as \"2024-12-31T23:59:59Z\", or change the column's type in [source.schema]"
                        }
                        _ => "use a value of the column's type, or change the type in [source.schema]",
                    })
            })
        };
        let list = |key: &str, given: &[Given]| {
            if given.is_empty() {
                return Err(wrong(format!("{key}: the list is empty")).help(format!("add a value, or remove {key}")));
            }
            if data_type.is_nested() {
                let message = format!("{key}: does not support type {}", types::name(data_type));
                return Err(wrong(message).help(format!("remove {key}")));
            }
            let values = given.iter().map(|given| value(key, given)).collect::<Result<Vec<_>>>()?;
            let text = format!("{key} = [{}]", given.iter().map(shown).collect::<Vec<_>>().join(", "));
            let short = if text.len() > 80 { format!("{key} ({} values)", given.len()) } else { text };
            Ok((List::new(values, data_type).map_err(misfit)?, short))
        };
        let mut tests = Vec::new();
        if conditions.not_null {
            tests.push((Self::NotNull, "not_null".to_string()));
        }
        let mut bounds = Vec::new();
        for (key, given) in [("min", conditions.min), ("max", conditions.max)] {
            let Some(given) = given else { continue };
            if data_type.is_nested() {
                return Err(wrong(format!("{key}: does not support type {}", types::name(data_type)))
                    .help(format!("remove {key}")));
            }
            if matches!(given, Given::Float(number, ..) if number.is_nan()) {
                return Err(
                    wrong(format!("{key}: got nan, expected a number")).help(format!("use a number, or remove {key}"))
                );
            }
            let bound = value(key, given)?;
            let text = format!("{key} = {}", shown(given));
            bounds.push(bound.clone());
            tests.push(match key {
                "min" => (Self::Min(zero(bound, -0.0).map_err(misfit)?), text),
                _ => (Self::Max(zero(bound, 0.0).map_err(misfit)?), text),
            });
        }
        if let ([min, max], Some(least), Some(greatest)) = (&bounds[..], conditions.min, conditions.max) {
            let [min, max] = [min, max].map(|bound| zero(bound.clone(), 0.0).map(Scalar::new));
            let empty = min.and_then(|min| gt(&min, &max?)).map_err(misfit)?;
            if empty.true_count() > 0 {
                let message = format!("min is {}, greater than max, {}", shown(least), shown(greatest));
                return Err(wrong(message).help("swap them, or remove one"));
            }
        }
        if let Some(given) = conditions.one_of {
            let (values, text) = list("one_of", given)?;
            tests.push((Self::OneOf(values), text));
        }
        if let Some(given) = conditions.none_of {
            let (values, text) = list("none_of", given)?;
            tests.push((Self::NoneOf(values), text));
        }
        if let Some(pattern) = conditions.regex {
            if !data_type.is_string() {
                let message = format!("regex: got a column of type {}, expected string", types::name(data_type));
                return Err(wrong(message)
                    .help(format!("remove regex, or set {} = \"string\" in [source.schema] for CSV", column.name)));
            }
            let regex = Regex::new(pattern).map_err(|error| {
                wrong("regex: not a valid regular expression".to_string())
                    .help("fix the regex, or remove it")
                    .because(error)
            })?;
            tests.push((Self::Regex(regex), format!("regex = {pattern:?}")));
        }
        Ok(tests)
    }

    /// Which of the values pass; null where a value is missing, but for `not_null`.
    pub fn kept(&self, values: &ArrayRef) -> std::result::Result<BooleanArray, ArrowError> {
        if let Self::NotNull = self {
            return is_not_null(values);
        }
        if let Some(dictionary) = values.as_any_dictionary_opt() {
            // Each distinct value is tested once.
            let kept = take(&self.kept(dictionary.values())?, dictionary.keys(), None)?;
            return Ok(kept.as_boolean().clone());
        }
        match self {
            Self::NotNull => is_not_null(values),
            Self::Min(bound) => {
                let kept = gt_eq(values, &Scalar::new(bound))?;
                if values.data_type().is_floating() {
                    and(&kept, &lt_eq(values, &limit(values, 1.0)?)?)
                } else {
                    Ok(kept)
                }
            }
            Self::Max(bound) => {
                let kept = lt_eq(values, &Scalar::new(bound))?;
                if values.data_type().is_floating() {
                    and(&kept, &gt_eq(values, &limit(values, -1.0)?)?)
                } else {
                    Ok(kept)
                }
            }
            Self::OneOf(list) => list.holds(values),
            Self::NoneOf(list) => not(&list.holds(values)?),
            Self::Regex(regex) => Ok(of_texts(values, |text| regex.is_match(text))),
        }
    }
}

impl List {
    fn new(mut values: Vec<ArrayRef>, data_type: &DataType) -> std::result::Result<Self, ArrowError> {
        let text =
            |value: &ArrayRef| cast(value, &DataType::Utf8).map(|text| text.as_string::<i32>().value(0).to_string());
        let texts = match data_type.is_string() {
            true => Some(values.iter().map(text).collect::<std::result::Result<_, _>>()?),
            false => None,
        };
        if data_type.is_floating() {
            let signed = |sign: f64| -> std::result::Result<Vec<ArrayRef>, ArrowError> {
                values.iter().map(|value| zero(Arc::clone(value), sign)).collect()
            };
            let (negative, positive) = (signed(-0.0)?, signed(0.0)?);
            let zeros: Vec<ArrayRef> = negative.into_iter().filter(|value| !positive.contains(value)).collect();
            values = [positive, zeros].concat();
        }
        Ok(Self { values, texts })
    }

    fn holds(&self, values: &ArrayRef) -> std::result::Result<BooleanArray, ArrowError> {
        if let Some(texts) = &self.texts {
            return Ok(of_texts(values, |text| texts.contains(text)));
        }
        let mut held = BooleanArray::new(BooleanBuffer::new_unset(values.len()), values.logical_nulls());
        for value in &self.values {
            held = or(&held, &eq(values, &Scalar::new(value) as &dyn Datum)?)?;
        }
        Ok(held)
    }
}

/// Tests each string.
fn of_texts(values: &ArrayRef, is_kept: impl Fn(&str) -> bool) -> BooleanArray {
    match values.data_type() {
        DataType::LargeUtf8 => values.as_string::<i64>().iter().map(|text| text.map(&is_kept)).collect(),
        DataType::Utf8View => values.as_string_view().iter().map(|text| text.map(&is_kept)).collect(),
        _ => values.as_string::<i32>().iter().map(|text| text.map(&is_kept)).collect(),
    }
}

/// Which values are numbers, infinite ones included.
pub(super) fn is_no_nan(values: &ArrayRef) -> std::result::Result<BooleanArray, ArrowError> {
    and(&lt_eq(values, &limit(values, 1.0)?)?, &gt_eq(values, &limit(values, -1.0)?)?)
}

/// The infinity of this sign, behind which only NaNs come.
fn limit(values: &ArrayRef, sign: f64) -> std::result::Result<Scalar<ArrayRef>, ArrowError> {
    Ok(Scalar::new(cast(&Float64Array::from(vec![sign * f64::INFINITY]), values.data_type())?))
}

/// The float, with this sign if it is zero.
fn zero(value: ArrayRef, signed: f64) -> std::result::Result<ArrayRef, ArrowError> {
    if !value.data_type().is_floating() {
        return Ok(value);
    }
    let wide = cast(&value, &DataType::Float64)?;
    match wide.as_primitive::<Float64Type>().value(0) == 0.0 {
        true => cast(&Float64Array::from(vec![signed]), value.data_type()),
        false => Ok(value),
    }
}

fn misfit(error: ArrowError) -> Error {
    Error::internal("the value of a condition cannot be compared").because(error)
}

/// The type of the values where they stand in a dictionary.
fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

/// A value of the pipeline file as an array of one row of the column's type; `None` if it is no such value, or only nearly.
fn typed(given: &Given, data_type: &DataType) -> Option<ArrayRef> {
    if data_type.is_numeric() {
        return number(given, data_type);
    }
    if is_clock(data_type) {
        let Given::Text(text) = given else { return None };
        return time_value::of_text(text, data_type);
    }
    let array: ArrayRef = match given {
        Given::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
        Given::Text(value) => Arc::new(StringArray::from(vec![value.as_str()])),
        Given::Integer(_) | Given::Float(..) => return None,
    };
    let fits = matches!(given, Given::Bool(_)) == (*data_type == DataType::Boolean);
    let value = read(&array, data_type)?;
    // What is finer than the type would be cut off without a word.
    let finer = match (given, data_type) {
        (Given::Text(_), DataType::Timestamp(_, zone)) => DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()),
        (Given::Text(_), DataType::Date32) => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => data_type.clone(),
    };
    let exact = match (read(&array, &finer), cast_with_options(&value, &finer, &STRICT)) {
        (Some(meant), Ok(taken)) => meant == taken,
        // Too far away for the finer type.
        _ => true,
    };
    (fits && exact && value.null_count() == 0).then_some(value)
}

/// A number, exactly: one that the type would round is none of its values.
fn number(given: &Given, data_type: &DataType) -> Option<ArrayRef> {
    let text = match given {
        Given::Bool(_) => return None,
        Given::Integer(value) => value.to_string(),
        Given::Float(_, text, _) | Given::Text(text) => text.clone(),
    };
    if data_type.is_decimal() {
        return decimal(&text, data_type);
    }
    let array: ArrayRef = match (given, text.parse::<i128>()) {
        (Given::Float(value, ..), _) if data_type.is_floating() => Arc::new(Float64Array::from(vec![*value])),
        (Given::Float(..), _) => return None,
        (_, Ok(value)) => match i64::try_from(value) {
            Ok(value) => Arc::new(Int64Array::from(vec![value])),
            Err(_) => Arc::new(UInt64Array::from(vec![u64::try_from(value).ok()?])),
        },
        (_, Err(_)) if data_type.is_floating() => Arc::new(Float64Array::from(vec![text.parse::<f64>().ok()?])),
        _ => return None,
    };
    let value = cast_with_options(&array, data_type, &STRICT).ok()?;
    let exact = array.data_type().is_floating()
        || cast_with_options(&value, array.data_type(), &STRICT).is_ok_and(|back| back == array);
    (exact && value.null_count() == 0).then_some(value)
}

/// A decimal number with all of its digits: `12.50`, `-3`, `1e-3`.
fn decimal(text: &str, data_type: &DataType) -> Option<ArrayRef> {
    let (DataType::Decimal32(_, scale)
    | DataType::Decimal64(_, scale)
    | DataType::Decimal128(_, scale)
    | DataType::Decimal256(_, scale)) = data_type
    else {
        return None;
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !plain || whole.len() + fraction.len() == 0 {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    // Zeros that the scale asks for, or that the number ends in beyond it.
    let zeros = i64::from(*scale) + i64::from(exponent) - i64::try_from(fraction.len()).ok()?;
    let digits = format!("{whole}{fraction}");
    let digits = match usize::try_from(zeros) {
        Ok(zeros) => digits + &"0".repeat(zeros.min(usize::from(DECIMAL256_MAX_PRECISION) + 1)),
        Err(_) => {
            let cut = digits.len().checked_sub(usize::try_from(-zeros).ok()?)?;
            let (kept, lost) = digits.split_at(cut);
            lost.bytes().all(|byte| byte == b'0').then(|| kept.to_string())?
        }
    };
    let digits = digits.trim_start_matches('0');
    let value = i256::from_string(&format!("{sign}{}", if digits.is_empty() { "0" } else { digits }))?;
    let wide = Decimal256Array::from(vec![value]).with_precision_and_scale(DECIMAL256_MAX_PRECISION, *scale).ok()?;
    cast_with_options(&wide, data_type, &STRICT).ok().filter(|value| value.is_valid(0))
}

const STRICT: CastOptions<'static> = CastOptions { safe: false, format_options: FormatOptions::new() };

/// The array as one of this type.  Of zones Arrow knows but offsets here: a text with an offset of its own needs none.
fn read(array: &ArrayRef, data_type: &DataType) -> Option<ArrayRef> {
    let (DataType::Utf8, DataType::Timestamp(unit, Some(zone))) = (array.data_type(), data_type) else {
        return cast_with_options(array, data_type, &STRICT).ok();
    };
    let at = |offset: &str| cast_with_options(array, &DataType::Timestamp(*unit, Some(offset.into())), &STRICT).ok();
    let value = match &**zone {
        "UTC" | "Etc/UTC" | "Z" | "z" => at("+00:00"),
        offset if offset.starts_with(['+', '-']) => at(offset),
        _ => at("+00:00").filter(|value| {
            let number = |value: &ArrayRef| cast(value, &DataType::Int64).ok();
            at("+01:00").is_some_and(|other| number(&other) == number(value))
        }),
    };
    cast_with_options(&value?, data_type, &STRICT).ok()
}

fn shown(given: &Given) -> String {
    match given {
        Given::Bool(value) => value.to_string(),
        Given::Integer(value) => value.to_string(),
        Given::Float(_, text, _) => text.clone(),
        Given::Text(value) => format!("{value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Decimal128Type, Int64Type, UInt64Type};

    use super::*;

    fn text(text: &str, data_type: &DataType) -> Option<ArrayRef> {
        typed(&Given::Text(text.to_string()), data_type)
    }

    #[test]
    fn timestamps_are_parsed_to_the_unit_and_the_zone() {
        let timestamp = |unit, zone: Option<&str>| DataType::Timestamp(unit, zone.map(Into::into));
        let seconds = |array: ArrayRef| cast(&array, &DataType::Int64).unwrap().as_primitive::<Int64Type>().value(0);
        for (zone, given, expected) in [
            (None, "1970-01-02", Some(86_400)),
            (Some("UTC"), "1970-01-02", Some(86_400)),
            (Some("+02:00"), "1970-01-02", Some(86_400 - 7_200)),
            (Some("+02:00"), "1970-01-02T00:00:00Z", Some(86_400)),
            (Some("UTC"), "1970-01-02T00:00:00+01:00", Some(86_400 - 3_600)),
            // What the clock of New York showed isn't known here.
            (Some("America/New_York"), "1970-01-02T00:00:00Z", Some(86_400)),
            (Some("America/New_York"), "1970-01-02", None),
            (None, "soon", None),
        ] {
            let value = text(given, &timestamp(TimeUnit::Second, zone));
            assert!(value.as_ref().is_none_or(|value| *value.data_type() == timestamp(TimeUnit::Second, zone)));
            assert_eq!(value.map(seconds), expected, "{zone:?} {given}");
        }
        // Nothing is cut off, and what lies outside of the nanoseconds' reach is taken all the same.
        for (given, unit, fits) in [
            ("2024-01-01T00:00:00.5", TimeUnit::Second, false),
            ("2024-01-01T00:00:00.5", TimeUnit::Millisecond, true),
            ("2024-01-01T00:00:00.0005", TimeUnit::Millisecond, false),
            ("9999-12-31", TimeUnit::Microsecond, true),
        ] {
            assert_eq!(text(given, &timestamp(unit, None)).is_some(), fits, "{given}");
            assert_eq!(text(given, &timestamp(unit, Some("UTC"))).is_some(), fits, "{given}");
        }
        assert!(text("2024-01-01", &DataType::Date32).is_some());
        assert!(text("2024-01-01T10:00:00", &DataType::Date32).is_none());
    }

    #[test]
    fn numbers_are_taken_as_they_are() {
        let float = |text: &str| Given::Float(text.parse().unwrap(), text.to_string(), 0..0);
        assert!(typed(&Given::Integer(300), &DataType::UInt8).is_none());
        assert!(typed(&float("1.0"), &DataType::Int64).is_none());
        assert!(text("1.5", &DataType::Float64).is_some());
        assert!(text("1.5", &DataType::Int64).is_none());
        assert!(typed(&Given::Integer((1 << 53) + 1), &DataType::Float64).is_none());
        for given in [Given::Integer(1 << 63), Given::Text("9223372036854775808".to_string())] {
            let value = typed(&given, &DataType::UInt64).unwrap();
            assert_eq!(value.as_primitive::<UInt64Type>().value(0), 1 << 63);
        }
    }

    #[test]
    fn decimals_keep_every_digit() {
        for (given, unscaled) in [
            ("12345678901234567.89", Some(1_234_567_890_123_456_789)),
            ("90071992547409.93", Some(9_007_199_254_740_993)),
            ("-0.01", Some(-1)),
            ("749.750", Some(74_975)),
            ("3", Some(300)),
            ("1.5e1", Some(1_500)),
            ("1500e-3", Some(150)),
            ("0.015", None),
            ("1e-3", None),
            ("1e40", None),
            (".", None),
            ("", None),
            ("nan", None),
            ("1_0", None),
        ] {
            let data_type = DataType::Decimal128(20, 2);
            let value = text(given, &data_type).map(|value| value.as_primitive::<Decimal128Type>().value(0));
            assert_eq!(value, unscaled, "{given}");
        }
        let types = [DataType::Decimal32(9, 2), DataType::Decimal64(18, 2), DataType::Decimal256(50, 2)];
        for data_type in types {
            assert!(typed(&Given::Float(0.25, "0.25".to_string(), 0..0), &data_type).is_some(), "{data_type}");
        }
        assert!(typed(&Given::Integer(12_000), &DataType::Decimal128(5, -3)).is_some());
        assert!(typed(&Given::Integer(12_001), &DataType::Decimal128(5, -3)).is_none());
        assert!(typed(&Given::Integer(1_000), &DataType::Decimal128(4, 2)).is_none());
    }
}
