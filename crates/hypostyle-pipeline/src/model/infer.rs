//! Inference of a column's type from a sample: the narrowest of bool, i64, f64, date and timestamp that fits every value, else
//! string.
//!
//! A column with leading zeros (postcodes, accounts), or with integers too large for i64 (identifiers), is inferred as string, so
//! that no information is lost.

use arrow::datatypes::{DataType, TimeUnit};

use super::timestamp::{date, timestamp};
use super::values::{NullValues, float, integer, with_point};

/// What the texts seen so far could all be.
#[derive(Debug, Clone)]
pub(crate) struct TypeGuess {
    values: u64,
    numbers: u64,
    boolean: bool,
    whole: bool,
    number: bool,
    date: bool,
    timestamp: bool,
    zoned: bool,
    digits: u32,
    /// The one text that alone keeps the column from being numbers.
    odd: Odd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Odd {
    None,
    One(Vec<u8>),
    Many,
}

impl Default for TypeGuess {
    fn default() -> Self {
        Self {
            values: 0,
            numbers: 0,
            boolean: true,
            whole: true,
            number: true,
            date: true,
            timestamp: true,
            zoned: false,
            digits: 0,
            odd: Odd::None,
        }
    }
}

impl TypeGuess {
    /// Takes another field's text into account, in whatever way the file writes numbers.
    pub fn observe_written(&mut self, field: &[u8], nulls: &NullValues, decimal_comma: bool) {
        let mut text = Vec::new();
        match with_point(field, &mut text) {
            _ if !decimal_comma => self.observe(field, nulls),
            Ok(number) => self.observe(number, nulls),
            // A point makes it no number, as the parser has it.
            Err(_) => self.observe_text(field, nulls, false),
        }
    }

    /// Takes another text into account.
    pub fn observe(&mut self, field: &[u8], nulls: &NullValues) {
        self.observe_text(field, nulls, is_number(field.trim_ascii()));
    }

    fn observe_text(&mut self, field: &[u8], nulls: &NullValues, numeric: bool) {
        let field = field.trim_ascii();
        if nulls.contains(field) {
            return;
        }
        self.values += 1;
        self.boolean &= matches!(field, b"true" | b"True" | b"TRUE" | b"false" | b"False" | b"FALSE");
        self.numbers += u64::from(numeric);
        if !numeric && self.odd != Odd::Many {
            self.odd = match &self.odd {
                Odd::One(text) if text == field => return self.rule_out(),
                Odd::None => Odd::One(field.to_vec()),
                _ => Odd::Many,
            };
        }
        if !numeric {
            self.rule_out();
        }
        self.whole &= numeric && integer::<i64>(field).is_ok();
        self.date &= date(field).is_some();
        match timestamp(field) {
            Some(found) if self.timestamp => {
                self.zoned |= found.offset.is_some();
                self.digits = self.digits.max(found.digits);
            }
            _ => self.timestamp = false,
        }
    }

    fn rule_out(&mut self) {
        (self.whole, self.number) = (false, false);
    }

    /// The type; a column without a value is a string.
    pub fn data_type(&self) -> DataType {
        if self.values == 0 {
            return DataType::Utf8;
        }
        match self {
            Self { boolean: true, .. } => DataType::Boolean,
            Self { whole: true, .. } => DataType::Int64,
            Self { number: true, .. } => DataType::Float64,
            Self { date: true, .. } => DataType::Date32,
            Self { timestamp: true, .. } => {
                let unit = if self.digits > 6 { TimeUnit::Nanosecond } else { TimeUnit::Microsecond };
                DataType::Timestamp(unit, self.zoned.then(|| "UTC".into()))
            }
            _ => DataType::Utf8,
        }
    }

    /// A remark about the type, if any.
    pub fn remark(&self) -> Option<String> {
        match &self.odd {
            _ if self.values == 0 => Some("no value in the sample, so string".to_string()),
            Odd::One(text) if self.numbers > 0 && self.data_type() == DataType::Utf8 && !is_odd_number(text) => {
                let text = String::from_utf8_lossy(text);
                Some(format!("all numbers except {text:?}: null_values = [{text:?}] in [source] would make it f64"))
            }
            _ => None,
        }
    }
}

fn is_number(field: &[u8]) -> bool {
    let digits = field.strip_prefix(b"-").or(field.strip_prefix(b"+")).unwrap_or(field);
    let leading_zero = matches!(digits, [b'0', b'0'..=b'9', ..]);
    let too_long = digits.iter().all(u8::is_ascii_digit) && integer::<i64>(field).is_err();
    !leading_zero && !too_long && float::<f64>(field).is_ok()
}

/// A number that was refused for what it would lose.
fn is_odd_number(field: &[u8]) -> bool {
    float::<f64>(field).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(texts: &[&str]) -> String {
        let mut guess = TypeGuess::default();
        for text in texts {
            guess.observe(text.as_bytes(), &NullValues(vec!["NA".to_string()]));
        }
        crate::model::types::name(&guess.data_type())
    }

    #[test]
    fn the_narrowest_type_that_holds_every_text() {
        for (texts, expected) in [
            (&["1", "-2", "", "NA"][..], "i64"),
            (&["1", "2.5"], "f64"),
            (&["1e3", "NaN"], "f64"),
            (&["true", "FALSE"], "bool"),
            (&["true", "1"], "string"),
            (&["2024-01-01"], "date"),
            (&["2024-01-01", "2024-01-01T05:00:00"], "timestamp[us]"),
            (&["2024-01-01T05:00:00.123456789"], "timestamp[ns]"),
            (&["2024-01-01T05:00:00Z"], "timestamp[us, UTC]"),
            (&["1", "2024-01-01"], "string"),
            (&["1/2/2024"], "string"),
            (&["007"], "string"),
            (&["0", "0.5"], "f64"),
            (&["12345678901234567890"], "string"),
            (&["", "NA"], "string"),
        ] {
            assert_eq!(inferred(texts), expected, "{texts:?}");
        }
    }

    #[test]
    fn a_word_among_numbers_is_remarked() {
        let mut guess = TypeGuess::default();
        for text in ["1", "n/a", "2", "n/a"] {
            guess.observe(text.as_bytes(), &NullValues::default());
        }
        assert_eq!(guess.data_type(), DataType::Utf8);
        assert!(guess.remark().is_some_and(|remark| remark.contains(r#"null_values = ["n/a"]"#)));
        guess.observe(b"other", &NullValues::default());
        assert_eq!(guess.remark(), None);
    }
}
