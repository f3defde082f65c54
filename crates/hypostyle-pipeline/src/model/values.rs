//! Text as values: integers, numbers, decimals, booleans, and the texts that mean null.

use std::borrow::Cow;
use std::str::FromStr;

use arrow::array::types::Decimal128Type;
use arrow::compute::kernels::cast_utils::parse_decimal;

use super::fault::{Kept, Reason};

/// How a file writes its values.
#[derive(Debug, Clone, Default)]
pub(crate) struct ValueStyle {
    pub nulls: NullValues,
    pub booleans: Booleans,
    /// `1,5` is one and a half.
    pub decimal_comma: bool,
    /// The byte between the thousands of a number.
    pub thousands: Option<u8>,
    /// What may stand before or behind a number, and is ignored.
    pub symbols: Vec<String>,
}

/// The texts that mean null.  The empty field always does, but for a quoted one in a column of strings.
#[derive(Debug, Clone, Default)]
pub(crate) struct NullValues {
    words: Vec<String>,
    /// Whether some of the words are numbers, which count by their value.
    numbers: bool,
    /// Whether the words are plain text if they are quoted.
    unquoted_only: bool,
    /// Whether a quoted empty field is an empty text, and whether one without quotes is.
    empty_text: [bool; 2],
}

impl NullValues {
    pub fn new(words: Vec<String>, unquoted_only: bool, empty_text: [bool; 2]) -> Self {
        let numbers = words.iter().any(|word| canonical(word.as_bytes()).is_some());
        Self { words, numbers, unquoted_only, empty_text }
    }

    #[inline]
    pub fn contains(&self, field: &[u8]) -> bool {
        field.is_empty() || (!self.words.is_empty() && self.words.iter().any(|word| word.as_bytes() == field))
    }

    /// As [`NullValues::contains`] for a quoted field of this text.
    pub fn contains_quoted(&self, text: &[u8]) -> bool {
        text.is_empty() || (!self.unquoted_only && self.contains(text))
    }

    /// As [`NullValues::contains_quoted`] in a column of strings.
    pub fn contains_quoted_text(&self, text: &[u8]) -> bool {
        if text.is_empty() { !self.empty_text[0] } else { self.contains_quoted(text) }
    }

    /// As [`NullValues::contains`] in a column of strings.
    #[inline]
    pub fn contains_text(&self, field: &[u8]) -> bool {
        self.contains(field) && !(field.is_empty() && self.empty_text[1])
    }

    /// Whether some of the words are numbers.
    pub fn has_numbers(&self) -> bool {
        self.numbers
    }

    /// Whether one of the words is this number, however it is written.
    #[inline]
    pub fn contains_number(&self, field: &[u8]) -> bool {
        self.numbers && self.is_number_word(field)
    }

    #[cold]
    fn is_number_word(&self, field: &[u8]) -> bool {
        canonical(field).is_some_and(|number| self.words.iter().any(|word| canonical(word.as_bytes()) == Some(number)))
    }
}

/// A number without leading and trailing zeros: whether it is negative, its digits before and behind the point.
fn canonical(text: &[u8]) -> Option<(bool, &[u8], &[u8])> {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let point = digits.iter().position(|byte| matches!(byte, b'.' | b',')).unwrap_or(digits.len());
    let (mut whole, rest) = digits.split_at(point);
    let mut part = rest.get(1..).unwrap_or_default();
    let all_digits = whole.iter().chain(part).all(u8::is_ascii_digit);
    if !all_digits || whole.is_empty() && part.is_empty() {
        return None;
    }
    while let [b'0', rest @ ..] = whole {
        whole = rest;
    }
    while let [rest @ .., b'0'] = part {
        part = rest;
    }
    let zero = whole.is_empty() && part.is_empty();
    Some((text.first() == Some(&b'-') && !zero, whole, part))
}

/// The words for true and false.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Booleans {
    /// Those that programs write: `true`, `1`, `t`, `yes`.
    #[default]
    Known,
    /// Those that the pipeline file says, and no others.
    Words { yes: Vec<String>, no: Vec<String> },
}

impl Booleans {
    #[inline]
    pub fn parse(&self, field: &[u8]) -> Result<bool, Reason> {
        let among = |words: &[String]| words.iter().any(|word| word.as_bytes() == field);
        match (self, field) {
            (Self::Known, b"true" | b"True" | b"TRUE" | b"1" | b"t" | b"T" | b"yes" | b"Yes" | b"YES") => Ok(true),
            (Self::Known, b"false" | b"False" | b"FALSE" | b"0" | b"f" | b"F" | b"no" | b"No" | b"NO") => Ok(false),
            (Self::Words { yes, .. }, _) if among(yes) => Ok(true),
            (Self::Words { no, .. }, _) if among(no) => Ok(false),
            _ => Err(Reason::Text),
        }
    }
}

impl Booleans {
    /// As [`Booleans::parse`], without the numbers that say it too.
    #[inline]
    pub fn parse_word(&self, field: &[u8]) -> Result<bool, Reason> {
        match (self, field) {
            (Self::Known, [b'0' | b'1']) => Err(Reason::Text),
            _ => self.parse(field),
        }
    }
}

impl ValueStyle {
    /// Whether numbers are written as the parsers here read them.
    pub fn is_plain(&self) -> bool {
        !self.decimal_comma && self.thousands.is_none() && self.symbols.is_empty()
    }

    /// The number without a symbol before or behind it.
    fn bare<'a>(&self, field: &'a [u8]) -> Cow<'a, [u8]> {
        if self.symbols.iter().any(|symbol| symbol == PARENTHESES)
            && let [b'(', inner @ .., b')'] = field
            && !matches!(inner, [b'+' | b'-', ..])
        {
            return Cow::Owned(self.without_symbol(&[&b"-"[..], inner.trim_ascii()].concat()).into_owned());
        }
        let bare = self.without_symbol(field);
        if self.symbols.iter().any(|symbol| symbol == MINUS_BEHIND)
            && let [inner @ .., b'-'] = bare.as_ref()
            && !matches!(inner, [b'+' | b'-', ..])
        {
            return Cow::Owned([b"-", inner.trim_ascii_end()].concat());
        }
        bare
    }

    fn without_symbol<'a>(&self, field: &'a [u8]) -> Cow<'a, [u8]> {
        let ignored = self.symbols.iter().filter(|symbol| *symbol != MINUS_BEHIND);
        for symbol in ignored.map(|symbol| symbol.trim().as_bytes()) {
            if let Some(rest) = field.strip_suffix(symbol) {
                return Cow::Borrowed(rest.trim_ascii_end());
            }
            if let Some(rest) = field.strip_prefix(symbol) {
                return Cow::Borrowed(rest.trim_ascii_start());
            }
            // `-$5`
            if let [sign @ (b'+' | b'-'), rest @ ..] = field
                && let Some(rest) = rest.strip_prefix(symbol)
                && !rest.starts_with(b"+")
                && !rest.starts_with(b"-")
            {
                return Cow::Owned([&[*sign], rest.trim_ascii_start()].concat());
            }
        }
        Cow::Borrowed(field)
    }

    /// The number with a point for decimals, and without symbols and marks between thousands.
    pub fn plain<'a>(&self, field: &'a [u8], text: &'a mut Vec<u8>) -> Result<&'a [u8], Reason> {
        if self.is_plain() {
            return Ok(field);
        }
        let blanks = with_blanks(field);
        let bare = self.bare(&blanks);
        let field = bare.as_ref();
        let Some(mark) = self.thousands else {
            if self.decimal_comma {
                return with_point(field, text);
            }
            text.clear();
            text.extend_from_slice(field);
            return Ok(text);
        };
        let point = if self.decimal_comma { b',' } else { b'.' };
        let end = field.iter().position(|byte| *byte == point).unwrap_or(field.len());
        let (whole, rest) = field.split_at(end);
        if !has_thousands(whole, mark)
            || rest.contains(&mark)
            || (self.decimal_comma && field.contains(&b'.') && mark != b'.')
        {
            return Err(Reason::Text);
        }
        text.clear();
        text.extend(whole.iter().filter(|byte| **byte != mark));
        text.extend(rest.iter().map(|byte| if *byte == point { b'.' } else { *byte }));
        Ok(text)
    }
}

/// The symbol of numbers that are negative where parentheses are around them, as accounts have them.
pub(crate) const PARENTHESES: &str = "()";

/// The symbol of numbers that are negative where a minus is behind them, as SAP writes them.
pub(crate) const MINUS_BEHIND: &str = "-";

/// The text with a plain blank for each that no line breaks at, in UTF-8 or Latin-1.
pub(crate) fn with_blanks(text: &[u8]) -> Cow<'_, [u8]> {
    const NARROW: &[u8] = "\u{202f}".as_bytes();
    if memchr::memchr2(0xa0, NARROW[2], text).is_none() {
        return Cow::Borrowed(text);
    }
    let (mut plain, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((first, behind)) = rest.split_first() {
        let blank = ["\u{a0}".as_bytes(), NARROW, b"\xa0"].into_iter().find_map(|blank| rest.strip_prefix(blank));
        plain.push(if blank.is_some() { b' ' } else { *first });
        rest = blank.unwrap_or(behind);
    }
    Cow::Owned(plain)
}

/// Whether the marks, if there are any, stand before each three digits; or as in India, `12,34,567`.
pub(crate) fn has_thousands(whole: &[u8], mark: u8) -> bool {
    let digits = whole.strip_prefix(b"-").or(whole.strip_prefix(b"+")).unwrap_or(whole);
    let mut groups = digits.split(|byte| *byte == mark);
    let first = groups.next().unwrap_or_default();
    let Some(last) = groups.next_back() else { return true };
    let is_group = |group: &[u8], length| group.len() == length && group.iter().all(u8::is_ascii_digit);
    let is_first = |most| (1..=most).contains(&first.len()) && first.iter().all(u8::is_ascii_digit);
    let thousands = is_first(3) && groups.clone().all(|group| is_group(group, 3));
    let indian = is_first(2) && groups.all(|group| is_group(group, 2));
    is_group(last, 3) && (thousands || indian)
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
pub(crate) fn float<N: fast_float2::FastFloat + PartialEq + From<f32>>(field: &[u8]) -> Result<N, Reason> {
    let value = fast_float2::parse(field).map_err(|_| Reason::Text)?;
    let infinite = value == N::from(f32::INFINITY) || value == N::from(f32::NEG_INFINITY);
    // Digits are no infinity.
    if infinite && field.iter().any(u8::is_ascii_digit) { Err(Reason::Range) } else { Ok(value) }
}

/// As [`integer`], where a number that would lose something as one is none.
#[inline]
pub(crate) fn whole_integer(field: &[u8]) -> Result<i64, Reason> {
    let value = integer(field)?;
    match field {
        [b'0', _, ..] | [b'-', b'0', _, ..] | [b'+', ..] => {
            kept(field).map_or(Ok(value), |kept| Err(Reason::Kept(kept)))
        }
        _ => Ok(value),
    }
}

/// As [`float`], where a number that would lose something as one is none.
#[inline]
pub(crate) fn whole_float(field: &[u8]) -> Result<f64, Reason> {
    let value = float(field)?;
    // With a point that early the digits behind it are those of a computation.
    let long = field.len() > f64::DIGITS as usize && !field[..12].contains(&b'.');
    let zeros = matches!(field, [b'0', b'0'..=b'9', ..] | [b'-', b'0', b'0'..=b'9', ..]);
    let doubtful = long || zeros || field.starts_with(b"+");
    let lost = if doubtful { kept(field).or_else(|| inexact(field)) } else { None };
    lost.map_or(Ok(value), |kept| Err(Reason::Kept(kept)))
}

/// An integer that a float does not hold.
fn inexact(field: &[u8]) -> Option<Kept> {
    let value = integer::<i64>(field).ok()?;
    (value as f64 as i128 != i128::from(value)).then_some(Kept::LongInteger)
}

/// The number of a telephone has at least so many digits.
const TELEPHONE: usize = 8;

/// Why a number would lose something as one.
pub(crate) fn kept(number: &[u8]) -> Option<Kept> {
    let digits = number.strip_prefix(b"-").or(number.strip_prefix(b"+")).unwrap_or(number);
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let (whole, part) = digits.split_at(point);
    if whole.is_empty() || !whole.iter().chain(part.iter().skip(1)).all(u8::is_ascii_digit) {
        return None;
    }
    match part {
        [] if matches!(whole, [b'0', _, ..]) => Some(Kept::LeadingZero),
        [] if number.starts_with(b"+") && whole.len() >= TELEPHONE => Some(Kept::Plus),
        [] => integer::<i64>(number).is_err().then_some(Kept::LongInteger),
        // Four decimals of an amount must be kept; more of them are mostly what a computation has left.
        [_, part @ ..] if whole.len() + part.len().min(4) > f64::DIGITS as usize => {
            let text = std::str::from_utf8(digits).ok()?;
            let shown = format!("{:.*}", part.len(), text.parse::<f64>().ok()?);
            (shown.trim_start_matches('0') != text.trim_start_matches('0')).then_some(Kept::LongDecimal)
        }
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The reference for numbers is the standard library.
        #[test]
        fn numbers_are_read_as_the_standard_library_does(text in "[+-]?[0-9]{0,22}(\\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?|[+-]?(inf|nan|Infinity|NaN)|[0-9 +.-]{0,4}") {
            // Digits that are too many for it are out of range.
            let has_digits = text.contains(|c: char| c.is_ascii_digit());
            let double = text.parse::<f64>().ok().filter(|x| !(has_digits && x.is_infinite()));
            let single = text.parse::<f32>().ok().filter(|x| !(has_digits && x.is_infinite()));
            prop_assert_eq!(float::<f64>(text.as_bytes()).ok().map(f64::to_bits), double.map(f64::to_bits), "{}", text);
            prop_assert_eq!(float::<f32>(text.as_bytes()).ok().map(f32::to_bits), single.map(f32::to_bits), "{}", text);
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

    #[test]
    fn null_words_by_value_and_by_quotes() {
        let words = |unquoted_only| {
            NullValues::new(vec!["NA".to_string(), "-200".to_string()], unquoted_only, [unquoted_only, false])
        };
        let (plain, strict) = (words(false), words(true));
        for (text, expected) in
            [("-200", true), ("-200.0", true), ("-0200,00", true), ("200", false), ("-200.5", false), ("NA", false)]
        {
            assert_eq!(plain.contains_number(text.as_bytes()), expected, "{text}");
        }
        assert!(plain.contains(b"NA") && plain.contains_quoted(b"NA") && plain.contains_quoted_text(b""));
        assert!(strict.contains(b"NA") && !strict.contains_quoted(b"NA") && !strict.contains_quoted_text(b""));
        assert!(strict.contains_quoted(b"") && strict.contains(b""));
        assert!(strict.contains_text(b"") && !NullValues::new(Vec::new(), false, [true, true]).contains_text(b""));
        assert_eq!(canonical(b"-0.0"), canonical(b"0"));
    }

    #[test]
    fn symbols_stand_around_numbers() {
        let style = ValueStyle {
            symbols: ["%", "$", "EUR", "()", "-"].map(String::from).to_vec(),
            thousands: Some(b','),
            ..ValueStyle::default()
        };
        for (text, plain) in [
            ("12.5%", Some("12.5")),
            ("-3 %", Some("-3")),
            ("$1,234.50", Some("1234.50")),
            ("-$5", Some("-5")),
            ("$-5", Some("-5")),
            ("EUR 7", Some("7")),
            ("7EUR", Some("7")),
            ("7", Some("7")),
            ("(800)", Some("-800")),
            ("($1,050.5)", Some("-1050.5")),
            ("7\u{a0}EUR", Some("7")),
            ("800-", Some("-800")),
            ("1,050.5 -", Some("-1050.5")),
            ("$7-", Some("-7")),
            ("7- EUR", Some("-7")),
            ("-7", Some("-7")),
            ("-7-", None),
            ("(7-)", None),
            ("-", None),
            ("(-8)", None),
            ("(8", None),
            ("-$-5", None),
            ("$5%", None),
            ("%", None),
        ] {
            let mut room = Vec::new();
            let found = style.plain(text.as_bytes(), &mut room).ok().filter(|plain| float::<f64>(plain).is_ok());
            assert_eq!(found, plain.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn thousands_are_marked_before_three_digits() {
        let english = ValueStyle { thousands: Some(b','), ..ValueStyle::default() };
        let german = ValueStyle { thousands: Some(b'.'), decimal_comma: true, ..ValueStyle::default() };
        let swiss = ValueStyle { thousands: Some(b'\''), ..ValueStyle::default() };
        let french = ValueStyle { thousands: Some(b' '), decimal_comma: true, ..ValueStyle::default() };
        assert_eq!(french.plain(b"-1\xa0245,00", &mut Vec::new()), Ok(&b"-1245.00"[..]));
        for (style, text, plain) in [
            (&english, "1,234,567.25", Some("1234567.25")),
            (&english, "-999", Some("-999")),
            (&english, "1234567", Some("1234567")),
            (&english, "1,5", None),
            (&english, "1234,567", None),
            (&english, ",123", None),
            (&english, "0.123,456", None),
            (&english, "12,34,567.89", Some("1234567.89")),
            (&english, "1,23,456", Some("123456")),
            (&english, "123,45,678", None),
            (&english, "1,23,4567", None),
            (&english, "12,34,56", None),
            (&german, "1.234.567,25", Some("1234567.25")),
            (&german, "1,5", Some("1.5")),
            (&german, "1.5", None),
            (&swiss, "1'234.5", Some("1234.5")),
            (&french, "-1 045,20", Some("-1045.20")),
            (&french, "1\u{a0}234\u{202f}567,5", Some("1234567.5")),
        ] {
            assert_eq!(style.plain(text.as_bytes(), &mut Vec::new()).ok(), plain.map(str::as_bytes), "{text}");
        }
    }
}
