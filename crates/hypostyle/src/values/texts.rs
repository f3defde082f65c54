//! Texts as integers, for kernels that only ask whether values are equal and return them unchanged.
//!
//! A code follows from its text alone, so that states can be split, merged and resumed anywhere: texts of up to 7 bytes are their
//! own code, longer ones have a digest of 63 bits, and the text is kept beside it.  Two texts of one digest are refused.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringBuilder};
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, ErrorKind, Result};

/// Set in the codes of long texts; those of short ones have their length in these bits.
const LONG: u64 = 1 << 7;

/// The longest text that is its own code, in bytes.
const SHORT: usize = 7;

/// Texts are forgotten once there are this many more than twice those in use.
const SPARE: usize = if cfg!(test) { 4 } else { 1 << 16 };

/// The long texts that were seen, by code.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    long: HashMap<i64, Arc<str>, FixedState>,
    bytes: usize,
    /// How many were in use when the others were last forgotten.
    used: usize,
}

/// Whether values of this type are texts: strings, and dictionaries of strings.
pub fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The integer that stands for a text: see [`Inputs::with_decimals_and_texts`](crate::Inputs::with_decimals_and_texts).
pub fn code_of(text: &str) -> i64 {
    if text.len() > SHORT {
        return (xxh3_64(text.as_bytes()) | LONG).cast_signed();
    }
    let mut bytes = [0; 8];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    (u64::from_be_bytes(bytes) | text.len() as u64).cast_signed()
}

/// Calls a function with the short text of a code.
fn with_short<R>(code: i64, function: impl FnOnce(&str) -> R) -> R {
    let bytes = code.to_be_bytes();
    let len = usize::from(bytes[SHORT]).min(SHORT);
    function(&String::from_utf8_lossy(&bytes[..len]))
}

fn is_long(code: i64) -> bool {
    code.cast_unsigned() & LONG != 0
}

impl Texts {
    /// The code of a text, which is kept.
    ///
    /// # Errors
    /// Another text has the same code.
    pub(crate) fn learn(&mut self, text: &str) -> Result<i64> {
        let code = code_of(text);
        if is_long(code) {
            let Self { long, bytes, .. } = self;
            let known = long.entry(code).or_insert_with(|| {
                *bytes += text.len();
                text.into()
            });
            if **known != *text {
                let problem = format!("the texts {known:?} and {text:?} have the same digest of 63 bits");
                return Err(Error::new(ErrorKind::Refused, problem).with_help("number the texts first"));
            }
        }
        Ok(code)
    }

    /// The codes of a column of texts.
    ///
    /// # Errors
    /// As [`Texts::learn`].
    pub(crate) fn codes(&mut self, column: &ArrayRef) -> Result<ArrayRef> {
        match column.data_type() {
            DataType::Utf8 => self.codes_of(column.as_string::<i32>().iter()),
            DataType::LargeUtf8 => self.codes_of(column.as_string::<i64>().iter()),
            DataType::Utf8View => self.codes_of(column.as_string_view().iter()),
            DataType::Dictionary(..) => {
                let dictionary = column.as_any_dictionary();
                let values = self.codes(dictionary.values())?;
                Ok(take(&values, dictionary.keys(), None)?)
            }
            _ => Ok(column.clone()),
        }
    }

    fn codes_of<'t>(&mut self, texts: impl Iterator<Item = Option<&'t str>>) -> Result<ArrayRef> {
        // Rows often repeat the text of the row before.
        let (mut last, mut code) = ("", code_of(""));
        let codes = texts.map(|text| {
            let Some(text) = text else { return Ok(None) };
            if text != last {
                (last, code) = (text, self.learn(text)?);
            }
            Ok(Some(code))
        });
        Ok(Arc::new(codes.collect::<Result<Int64Array>>()?))
    }

    /// The text of a code, if it is one.
    pub(crate) fn text(&self, code: i64) -> Option<Arc<str>> {
        if is_long(code) { self.long.get(&code).cloned() } else { with_short(code, |text| Some(text.into())) }
    }

    /// The texts of a column of codes, as this type.
    ///
    /// # Errors
    /// If Arrow refuses.
    pub(crate) fn decode(&self, codes: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
        let codes = codes.as_primitive::<arrow::datatypes::Int64Type>();
        let mut texts = StringBuilder::with_capacity(codes.len(), codes.len() * SHORT);
        for code in codes {
            match code {
                None => texts.append_null(),
                Some(code) if is_long(code) => {
                    let unknown = || Error::internal("a kernel returned the code of no text");
                    texts.append_value(&**self.long.get(&code).ok_or_else(unknown)?);
                }
                Some(code) => with_short(code, |text| texts.append_value(text)),
            }
        }
        let texts: ArrayRef = Arc::new(texts.finish());
        Ok(if *data_type == DataType::Utf8 { texts } else { cast(&texts, data_type)? })
    }

    /// The long texts whose codes occur among these numbers, each once, in the order of their codes.
    pub(crate) fn among(&self, numbers: impl Iterator<Item = i64>) -> Vec<Arc<str>> {
        let mut codes: Vec<i64> = numbers.filter(|code| self.long.contains_key(code)).collect();
        codes.sort_unstable();
        codes.dedup();
        codes.iter().filter_map(|code| self.long.get(code).cloned()).collect()
    }

    /// Takes over another's texts.
    ///
    /// # Errors
    /// As [`Texts::learn`].
    pub(crate) fn merge(&mut self, other: &Self) -> Result<()> {
        other.long.values().try_for_each(|text| self.learn(text).map(drop))
    }

    /// Whether there are so many that it is worth to look which of them are still in use.
    pub(crate) fn are_many(&self) -> bool {
        self.long.len() > 2 * self.used + SPARE
    }

    /// Keeps only those whose codes occur among these numbers.
    pub(crate) fn keep(&mut self, numbers: &HashSet<i64>) {
        self.long.retain(|code, _| numbers.contains(code));
        self.long.shrink_to_fit();
        self.used = self.long.len();
        self.bytes = self.long.values().map(|text| text.len()).sum();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.long.allocation_size() + self.bytes
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, StringArray, StringViewArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    const WORDS: [Option<&str>; 8] =
        [Some(""), Some("a"), Some("\0"), None, Some("ü-seven"), Some("exactly7"), Some("a longer text"), Some("a")];

    #[test]
    fn texts_come_back_as_they_were() {
        let columns: [ArrayRef; 3] = [
            Arc::new(StringArray::from(WORDS.to_vec())),
            Arc::new(StringViewArray::from(WORDS.to_vec())),
            Arc::new(WORDS.iter().copied().collect::<DictionaryArray<Int32Type>>()),
        ];
        for column in columns {
            let mut texts = Texts::default();
            let codes = texts.codes(&column).unwrap();
            let back = texts.decode(&codes, column.data_type()).unwrap();
            let utf8 = |column: &ArrayRef| cast(column, &DataType::Utf8).unwrap();
            assert_eq!(&utf8(&back), &utf8(&column));
            assert_eq!(texts.long.len(), 3);
        }
    }

    #[test]
    fn codes_of_short_texts_sort_like_them() {
        let mut words =
            ["", "\0", "a", "a\0", "ab", "abcdefg", "b", "zz"].map(|text| (code_of(text).cast_unsigned(), text));
        let sorted = words;
        words.sort_unstable();
        assert_eq!(words, sorted);
    }

    #[test]
    fn two_texts_of_one_code_are_refused() {
        let mut texts = Texts::default();
        let code = texts.learn("some long text").unwrap();
        texts.long.insert(code, "another long text".into());
        let error = texts.learn("some long text").unwrap_err().to_string();
        assert!(error.contains("another long text") && error.contains("some long text"), "{error}");
    }

    #[test]
    fn what_is_not_in_use_is_forgotten() {
        let mut texts = Texts::default();
        let codes: Vec<i64> = (0..10).map(|i| texts.learn(&format!("text number {i}")).unwrap()).collect();
        assert!(texts.are_many());
        texts.keep(&HashSet::from([codes[3], 17]));
        assert!(!texts.are_many());
        assert_eq!(texts.text(codes[3]).as_deref(), Some("text number 3"));
        assert_eq!(texts.text(codes[4]), None);
        assert_eq!(texts.among([codes[4], 5, codes[3], codes[3]].into_iter()), [Arc::from("text number 3")]);
    }
}
