//! Text as values: integers, numbers, decimals, booleans, and the texts that mean null.

use std::str::FromStr;

use arrow::array::types::Decimal128Type;
use arrow::compute::kernels::cast_utils::parse_decimal;

use super::fault::Reason;

/// The texts that mean null; the empty text always does.
#[derive(Debug, Clone, Default)]
pub(crate) struct NullValues(pub Vec<String>);

impl NullValues {
    #[inline]
    pub fn contains(&self, field: &[u8]) -> bool {
        field.is_empty() || (!self.0.is_empty() && self.0.iter().any(|word| word.as_bytes() == field))
    }
}

/// An integer: `1`, `+1`, `-1`.
#[inline]
pub(crate) fn integer<N: atoi_simd::Parse + FromStr>(field: &[u8]) -> Result<N, Reason> {
    atoi_simd::parse::<N, true, true>(field).map_err(|_| {
        let digits = field.strip_prefix(b"-").or(field.strip_prefix(b"+")).unwrap_or(field);
        let whole = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        if whole { Reason::Range } else { Reason::Text }
    })
}

/// A number as Rust writes it: `1`, `+1`, `-1.5`, `1e-3`, `NaN`, `inf`.
#[inline]
pub(crate) fn float<N: fast_float2::FastFloat>(field: &[u8]) -> Result<N, Reason> {
    fast_float2::parse(field).map_err(|_| Reason::Text)
}

/// A decimal number with no more digits than the type holds.
pub(crate) fn decimal(field: &[u8], precision: u8, scale: i8) -> Result<i128, Reason> {
    let text = std::str::from_utf8(field).map_err(|_| Reason::Text)?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !plain || whole.len() + fraction.len() == 0 {
        return Err(Reason::Text);
    }
    if fraction.trim_end_matches('0').len() > usize::try_from(scale).unwrap_or(0) {
        return Err(Reason::Decimals);
    }
    parse_decimal::<Decimal128Type>(text, precision, scale).map_err(|_| Reason::Range)
}

/// `1,5` as `1.5`; a point, which might separate thousands, is refused.
pub(crate) fn with_point<'a>(field: &[u8], text: &'a mut Vec<u8>) -> Result<&'a [u8], Reason> {
    if field.contains(&b'.') {
        return Err(Reason::Text);
    }
    text.clear();
    text.extend(field.iter().map(|byte| if *byte == b',' { b'.' } else { *byte }));
    Ok(text)
}

pub(crate) fn boolean(field: &[u8]) -> Result<bool, Reason> {
    match field {
        b"true" | b"True" | b"TRUE" | b"1" => Ok(true),
        b"false" | b"False" | b"FALSE" | b"0" => Ok(false),
        _ => Err(Reason::Text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The reference for numbers is the standard library.
        #[test]
        fn numbers_are_read_as_the_standard_library_does(text in "[+-]?[0-9]{0,22}(\\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?|[+-]?(inf|nan|Infinity|NaN)|[0-9 +.-]{0,4}") {
            prop_assert_eq!(float::<f64>(text.as_bytes()).ok().map(f64::to_bits), text.parse::<f64>().ok().map(f64::to_bits), "{}", text);
            prop_assert_eq!(float::<f32>(text.as_bytes()).ok().map(f32::to_bits), text.parse::<f32>().ok().map(f32::to_bits), "{}", text);
            prop_assert_eq!(integer::<i64>(text.as_bytes()).ok(), text.parse::<i64>().ok(), "{}", text);
            prop_assert_eq!(integer::<i8>(text.as_bytes()).ok(), text.parse::<i8>().ok(), "{}", text);
            prop_assert_eq!(integer::<u64>(text.as_bytes()).ok(), text.parse::<u64>().ok(), "{}", text);
            prop_assert_eq!(integer::<u16>(text.as_bytes()).ok(), text.parse::<u16>().ok(), "{}", text);
        }

        #[test]
        fn numbers_read_back_as_they_were(x: f64, y: f32, n: i64, m: u32) {
            prop_assert_eq!(float::<f64>(x.to_string().as_bytes()).unwrap().to_bits(), x.to_bits());
            prop_assert_eq!(float::<f32>(y.to_string().as_bytes()).unwrap().to_bits(), y.to_bits());
            prop_assert_eq!(integer::<i64>(n.to_string().as_bytes()).unwrap(), n);
            prop_assert_eq!(integer::<u32>(m.to_string().as_bytes()).unwrap(), m);
        }
    }

    #[test]
    fn what_is_no_integer_and_what_is_too_large() {
        for (text, reason) in [
            ("300", Reason::Range),
            ("-129", Reason::Range),
            ("1.0", Reason::Text),
            ("+", Reason::Text),
            ("1 2", Reason::Text),
        ] {
            assert_eq!(integer::<i8>(text.as_bytes()), Err(reason), "{text}");
        }
    }

    #[test]
    fn decimals_lose_no_digit() {
        for (text, value) in [
            ("1.5", Ok(150)),
            ("-1.500", Ok(-150)),
            ("+7", Ok(700)),
            (".5", Ok(50)),
            ("1.555", Err(Reason::Decimals)),
            ("123456.00", Err(Reason::Range)),
            ("1e3", Err(Reason::Text)),
            (".", Err(Reason::Text)),
        ] {
            assert_eq!(decimal(text.as_bytes(), 5, 2), value, "{text}");
        }
        assert_eq!(float::<f64>(with_point(b"1,5", &mut Vec::new()).unwrap()), Ok(1.5));
        assert_eq!(with_point(b"1.000,5", &mut Vec::new()), Err(Reason::Text));
    }
}
