//! CSV in.
//!
//! `csv-core` cuts the bytes into records ([`records`]); a block of records is then decoded a column at a time, each
//! column by one loop compiled for its type ([`decode`]).  Types that the pipeline doesn't declare are inferred from the
//! first rows ([`infer`]).  Whatever can't be understood is an error that names file, line, record, column and text
//! ([`fault`]): nothing is guessed and nothing is dropped.
//!
//! An empty field is null, quoted or not: the tokeniser doesn't tell which it was.  A blank line is no record.

pub(crate) mod decode;
pub(crate) mod fault;
pub(crate) mod infer;
pub(crate) mod moment;
pub(crate) mod reader;
pub(crate) mod records;

/// How a CSV file is written.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub delimiter: u8,
    pub header: bool,
    pub nulls: Nulls,
}

/// The texts that stand for a missing value; the empty text always does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nulls(pub Vec<String>);

impl Nulls {
    #[inline]
    pub fn contains(&self, field: &[u8]) -> bool {
        field.is_empty() || (!self.0.is_empty() && self.0.iter().any(|word| word.as_bytes() == field))
    }
}
