//! Inference of a column's type from a sample: the narrowest of bool, i64, f64, date, timestamp and time of day that fits every
//! value, else string.
//!
//! What is inferred, the parser reads: a value fits a type if the parser of the type says so.  A column is inferred as string
//! where a narrower type would lose something: with leading zeros (postcodes, accounts), or with digits that the type cannot hold
//! (identifiers, exact amounts).  Dates and times in other formats than ISO 8601 are inferred if only one of the
//! [known formats](super::known_formats) reads them all.

use arrow::datatypes::{DataType, TimeUnit};

use super::clock::{is_time_of_day, time_of_day};
use super::fault::Kept;
use super::known_formats::{KNOWN_FORMATS, KnownFormat};
use super::time_format::TimeFormat;
use super::timestamp::{Zone, date, timestamp};
use super::values::{Booleans, ValueStyle, float, integer, kept};

/// What the texts seen so far could all be.
#[derive(Debug, Clone, Default)]
pub(crate) struct TypeGuess {
    pub(super) values: u64,
    pub(super) boolean: Fit,
    pub(super) whole: Fit,
    pub(super) number: Fit,
    pub(super) date: Fit,
    pub(super) timestamp: Fit,
    /// Timestamps with a UTC offset.
    pub(super) zoned: Fit,
    pub(super) micros: Fit,
    pub(super) nanos: Fit,
    /// Times of day.
    pub(super) clock: Fit,
    /// Whether one of them has decimals beyond microseconds.
    fine_clock: bool,
    /// Which known formats read all values so far; `None` if no value was tried.
    formats: Option<Vec<usize>>,
    /// Words that none of them reads, and that may mean null.
    pub(super) format_words: Fit,
    /// Which of the words for true and false were there.
    pub(super) words: [bool; 2],
    /// Whether one of the texts is the name of the column.
    pub named: bool,
    /// The smallest and largest integer.
    pub(super) range: Option<(i64, i64)>,
    /// Whether an integer is not exactly an f64.
    pub(super) inexact: bool,
    /// Numbers that no number type keeps as they are.
    pub(super) kept: Option<Kept>,
    /// Which of [`NULL_WORDS`] are among the texts.
    pub(super) null_words: [bool; NULL_WORDS.len()],
}

/// What programs write for null, and hardly anyone for anything else.
pub(super) const NULL_WORDS: [&str; 5] = ["NULL", "\\N", "(null)", "<null>", "#N/A"];

/// How many values a type does not fit, and which ones, if they are few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fit {
    pub misfits: u64,
    pub texts: Vec<Vec<u8>>,
}

/// So many different texts are kept.
pub(super) const MISFITS: usize = 3;

impl Fit {
    pub fn all(&self) -> bool {
        self.misfits == 0
    }

    /// Whether so many texts do not fit that no more need be tried.
    fn is_out(&self) -> bool {
        self.texts.len() > MISFITS
    }

    fn merge(&mut self, other: &Self) {
        self.misfits += other.misfits;
        for text in &other.texts {
            if !self.is_out() && !self.texts.contains(text) {
                self.texts.push(text.clone());
            }
        }
    }

    fn observe(&mut self, field: &[u8], fits: impl FnOnce() -> bool) -> bool {
        if self.is_out() {
            return false;
        }
        let fits = fits();
        if !fits {
            self.misfits += 1;
            if !self.texts.iter().any(|text| text == field) {
                self.texts.push(field.to_vec());
            }
        }
        fits
    }
}

impl TypeGuess {
    /// Whether any value was seen.
    pub fn has_values(&self) -> bool {
        self.values > 0
    }

    /// Takes the values of another file into account.
    pub fn merge(&mut self, other: &Self) {
        self.values += other.values;
        let fits = [
            (&mut self.boolean, &other.boolean),
            (&mut self.whole, &other.whole),
            (&mut self.number, &other.number),
            (&mut self.date, &other.date),
            (&mut self.timestamp, &other.timestamp),
            (&mut self.zoned, &other.zoned),
            (&mut self.micros, &other.micros),
            (&mut self.nanos, &other.nanos),
            (&mut self.clock, &other.clock),
        ];
        fits.into_iter().for_each(|(fit, other)| fit.merge(other));
        self.formats = match (self.formats.take(), &other.formats) {
            (Some(left), Some(others)) => Some(left.into_iter().filter(|format| others.contains(format)).collect()),
            (left, others) => left.or_else(|| others.clone()),
        };
        self.format_words.merge(&other.format_words);
        self.words = [0, 1].map(|word| self.words[word] || other.words[word]);
        self.named |= other.named;
        self.range = match (self.range, other.range) {
            (Some((min, max)), Some((least, most))) => Some((min.min(least), max.max(most))),
            (range, other) => range.or(other),
        };
        self.kept = self.kept.or(other.kept);
        self.null_words.iter_mut().zip(other.null_words).for_each(|(own, other)| *own |= other);
        self.inexact |= other.inexact;
        self.fine_clock |= other.fine_clock;
    }

    /// Takes another field's text into account.
    pub fn observe(&mut self, field: &[u8], style: &ValueStyle) {
        let field = field.trim_ascii();
        if !style.nulls.contains(field) {
            self.observe_value(field, style);
        }
    }

    /// Takes the text of a quoted field into account.
    pub fn observe_quoted(&mut self, text: &[u8], style: &ValueStyle) {
        let field = text.trim_ascii();
        if !style.nulls.contains_quoted(field) {
            self.observe_value(field, style);
        }
    }

    fn observe_value(&mut self, field: &[u8], style: &ValueStyle) {
        let mut plain = Vec::new();
        let number = style.plain(field, &mut plain).unwrap_or(b"x");
        if style.nulls.contains_number(field) && float::<f64>(number).is_ok() {
            // In a column of numbers it means null; in one of texts it would not.
            self.values += 1;
            for fit in [&mut self.boolean, &mut self.date, &mut self.timestamp, &mut self.zoned, &mut self.clock] {
                fit.observe(field, || false);
            }
            self.formats = Some(Vec::new());
            return;
        }
        self.values += 1;
        if let Some(word) = NULL_WORDS.iter().position(|word| word.as_bytes() == field) {
            self.null_words[word] = true;
        }
        let words = &mut self.words;
        self.boolean.observe(field, || is_boolean(field, &style.booleans, words));
        let kept = kept(number);
        let whole = self.whole.observe(field, || kept.is_none() && integer::<i64>(number).is_ok());
        if whole && let Ok(value) = integer::<i64>(number) {
            self.inexact |= value as f64 as i128 != i128::from(value);
            self.range = Some(self.range.map_or((value, value), |(min, max)| (min.min(value), max.max(value))));
        }
        let is_number = self.number.observe(field, || kept.is_none() && float::<f64>(number).is_ok());
        if kept.is_some() && float::<f64>(number).is_ok() {
            self.kept = self.kept.or(kept);
        }
        self.date.observe(field, || date(field).is_some());
        if !(self.timestamp.is_out() && self.zoned.is_out()) {
            let found = timestamp(field);
            self.timestamp.observe(field, || found.is_some_and(|found| found.offset.is_none()));
            self.zoned.observe(field, || found.is_some_and(|found| found.offset.is_some()));
            let holds = |unit| found.is_none_or(|found| found.in_unit(unit, Zone::Default(0)).is_ok());
            self.micros.observe(field, || holds(TimeUnit::Microsecond));
            self.nanos.observe(field, || holds(TimeUnit::Nanosecond));
        }
        if self.clock.observe(field, || is_time_of_day(field)) {
            self.fine_clock |= time_of_day(field, TimeUnit::Microsecond).is_err();
        }
        self.observe_formats(field, is_number);
    }

    fn observe_formats(&mut self, field: &[u8], is_number: bool) {
        let reads = |index: &usize| KNOWN_FORMATS[*index].format.timestamp(field).is_ok();
        let left: Vec<usize> = match &self.formats {
            Some(left) if left.is_empty() => return,
            _ if self.format_words.texts.iter().any(|word| word == field) => Vec::new(),
            Some(left) => left.iter().copied().filter(reads).collect(),
            None if is_number => Vec::new(),
            None => (0..KNOWN_FORMATS.len()).filter(reads).collect(),
        };
        if left.is_empty() && !is_number && is_word(field) && !self.format_words.is_out() {
            self.format_words.observe(field, || false);
            return;
        }
        self.formats = Some(left);
    }

    /// The type; a column without a value is a string.  The known formats are left aside.
    pub fn data_type(&self) -> DataType {
        if self.values == 0 {
            return DataType::Utf8;
        }
        let timestamp = |zone: Option<&str>| {
            let unit = match (self.micros.all(), self.nanos.all()) {
                (true, _) => TimeUnit::Microsecond,
                (false, true) => TimeUnit::Nanosecond,
                (false, false) => return DataType::Utf8,
            };
            DataType::Timestamp(unit, zone.map(Into::into))
        };
        match self {
            _ if self.boolean.all() && self.has_booleans() => DataType::Boolean,
            _ if self.whole.all() => DataType::Int64,
            // Integers of 17 digits and more beside others.
            _ if self.number.all() && self.inexact => DataType::Utf8,
            _ if self.number.all() => DataType::Float64,
            _ if self.date.all() => DataType::Date32,
            _ if self.timestamp.all() => timestamp(None),
            _ if self.zoned.all() => timestamp(Some("UTC")),
            _ if self.clock.all() && self.fine_clock => DataType::Time64(TimeUnit::Nanosecond),
            _ if self.clock.all() => DataType::Time64(TimeUnit::Microsecond),
            _ => DataType::Utf8,
        }
    }

    /// The type and the format of dates and times that one known format alone reads.
    pub fn by_format(&self) -> Option<(DataType, &'static str, TimeFormat)> {
        let [only] = self.formats.as_deref().filter(|_| self.format_words.all())? else { return None };
        let KnownFormat { text, format } = &KNOWN_FORMATS[*only];
        let format = TimeFormat::Strptime(format.clone());
        (self.data_type() == DataType::Utf8).then(|| (format.data_type(), text.as_str(), format))
    }

    /// The known formats that read all values.
    pub(super) fn formats(&self) -> impl Iterator<Item = &'static KnownFormat> {
        self.formats.iter().flatten().map(|index| &KNOWN_FORMATS[*index])
    }

    /// Whether the words for true and false are sure to be that: `f` alone, or `no`, may be anything.
    pub(super) fn has_booleans(&self) -> bool {
        self.words == [true, true]
    }
}

/// Whether a text is a word for true or false; numbers are not, unless the pipeline file says so.
fn is_boolean(field: &[u8], known: &Booleans, words: &mut [bool; 2]) -> bool {
    let Ok(value) = known.parse_word(field) else { return false };
    words[usize::from(value)] = true;
    if *known != Booleans::Known || field.len() >= 4 {
        // `true` and `false` say it alone.
        *words = [true, true];
    }
    true
}

/// Whether a text may mean null: without a digit, unlike a number that is written in another way; or a limit of detection such
/// as `<0.5`.
pub(super) fn is_word(text: &[u8]) -> bool {
    let limit = || text.strip_prefix(b"<").or(text.strip_prefix(b">")).map(|text| text.trim_ascii());
    text.len() <= 40 && (!text.iter().any(u8::is_ascii_digit) || limit().is_some_and(|text| float::<f64>(text).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::values::NullValues;

    fn guess(texts: &[&str]) -> TypeGuess {
        let nulls = NullValues::new(vec!["NA".to_string(), "-999".to_string()], false, [false; 2]);
        let style = ValueStyle { nulls, ..ValueStyle::default() };
        let mut guess = TypeGuess::default();
        texts.iter().for_each(|text| guess.observe(text.as_bytes(), &style));
        guess
    }

    #[test]
    fn the_narrowest_type_that_holds_every_text() {
        for (texts, expected) in [
            (&["1", "-2", "", "NA"][..], "i64"),
            (&["1", "2.5"], "f64"),
            (&["1e3", "NaN"], "f64"),
            (&["true", "FALSE"], "bool"),
            (&["true"], "bool"),
            (&["t", "f", "t"], "bool"),
            (&["yes", "No"], "bool"),
            (&["f", "f"], "string"),
            (&["f", "m"], "string"),
            (&["true", "1"], "string"),
            (&["2024-01-01"], "date"),
            (&["2024-01-01", "2024-01-01T05:00:00"], "timestamp[us]"),
            (&["2024-01-01T05:00:00,5"], "timestamp[us]"),
            (&["2024-01-01T05:00:00.123456789"], "timestamp[ns]"),
            (&["2024-01-01T05:00:00.123456789", "9999-12-31"], "string"),
            (&["9999-12-31 23:59:59.999999"], "timestamp[us]"),
            (&["2024-01-01T05:00:00Z"], "timestamp[us, UTC]"),
            (&["2024-01-01 05:00:00+00", "2024-01-01 05:00:00-03"], "timestamp[us, UTC]"),
            (&["2024-01-01T05:00:00Z", "2024-01-01T05:00:00"], "string"),
            (&["12:34:56", "9:30:00.5", "NA"], "time[us]"),
            (&["12:34:56.1234567"], "time[ns]"),
            (&["11:59:59 PM", "12:00:00 am"], "time[us]"),
            (&["12:34"], "string"),
            (&["12:34:56", "24:00:00"], "string"),
            (&["12:34:56", "2024-01-01 12:34:56"], "string"),
            (&["1", "2024-01-01"], "string"),
            (&["1/2/2024"], "string"),
            (&["007"], "string"),
            (&["+4915112345678", "5"], "string"),
            (&["+5", "-5"], "i64"),
            (&["08.5", "-09.25"], "f64"),
            (&["0", "0.5"], "f64"),
            (&["9007199254740993", "1"], "i64"),
            (&["9007199254740993", "0.5"], "string"),
            (&["9007199254740992", "0.5"], "f64"),
            (&["12345678901234567890"], "string"),
            (&["12345678901234567.89"], "string"),
            (&["12345678901234.567891"], "string"),
            (&["123456789012345678901234", "0.5"], "string"),
            (&["0.0099999999999999999998", "3.1415926535897932385"], "f64"),
            (&["1234.56000000000005911716", "1e300"], "f64"),
            (&["1", "-999.0"], "i64"),
            (&["", "NA"], "string"),
        ] {
            assert_eq!(crate::model::types::name(&guess(texts).data_type()), expected, "{texts:?}");
        }
    }

    #[test]
    fn formats_are_inferred_where_only_one_reads_all() {
        for (texts, expected) in [
            (&["31.12.2024 23:59"][..], Some(("timestamp[us]", "%d.%m.%Y %H:%M"))),
            (&["12/31/2024 11:59 PM", "01/02/2024 1:05 AM"], Some(("timestamp[us]", "%m/%d/%Y %I:%M %p"))),
            (&["1/2/2024", "31/2/2024"], None),
            (&["1/2/2024", "31/1/2024"], Some(("date", "%d/%m/%Y"))),
            (&["1/2/2024"], None),
            (&["20241231 235959"], Some(("timestamp[us]", "%Y%m%d %H%M%S"))),
            (&["29/Feb/2024:12:30:05 +0100"], Some(("timestamp[us, UTC]", "%d/%b/%Y:%H:%M:%S %z"))),
            (&["01-JAN-24", "29-FEB-24"], Some(("date", "%d-%b-%y"))),
            (&["5", "31.12.2024"], None),
            (&["31.12.2024", "-"], None),
            (&["01JAN2010", "15MAR2011"], Some(("date", "%d%b%Y"))),
            (&["31OCT2024:13:45:00"], Some(("timestamp[us]", "%d%b%Y:%H:%M:%S%.f"))),
            (&["31-OCT-24 10.15.02.000000 AM"], Some(("timestamp[us]", "%d-%b-%y %I.%M.%S.%f %p"))),
            (&["31/Oct/24 10:15 AM"], Some(("timestamp[us]", "%d/%b/%y %I:%M %p"))),
            (&["20241031-10:15:02.123"], Some(("timestamp[us]", "%Y%m%d-%H:%M:%S%.f"))),
            (&["20200101:0010"], Some(("timestamp[us]", "%Y%m%d:%H%M"))),
            (&["Oct 31 2024 10:15AM"], Some(("timestamp[us]", "%b %d %Y %I:%M%p"))),
            (&["10/31/2024, 10:15:02 AM"], Some(("timestamp[us]", "%m/%d/%Y, %I:%M:%S %p"))),
            (&["31.10.2024, 10:15:02"], Some(("timestamp[us]", "%d.%m.%Y, %H:%M:%S"))),
            (&["Thursday, October 31, 2024"], Some(("date", "%A, %B %d, %Y"))),
            (&["31.12.2024", "5"], None),
            (&["2024-01-01"], None),
        ] {
            let found = guess(texts);
            let found = found.by_format().map(|(data_type, format, _)| (crate::model::types::name(&data_type), format));
            assert_eq!(found, expected.map(|(name, format)| (name.to_string(), format)), "{texts:?}");
        }
    }
}
