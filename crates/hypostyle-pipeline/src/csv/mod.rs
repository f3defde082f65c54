//! CSV in, on all threads.
//!
//! One thread reads the files and cuts them into chunks of some megabytes at the ends of records, quotes respected
//! ([`split`]); the chunks are decoded on a pool of threads and handed on in their order ([`reader`]).  A chunk is decoded
//! ([`chunk`]) in two steps: its separators are found ([`field_index`]), then each column is turned into an array by one loop
//! compiled for its type ([`decode`]).  Types that the pipeline doesn't declare are inferred from the first rows ([`crate::model::infer`]).
//! Whatever cannot be parsed becomes a bad row with file, line, record, column, offset and text
//! ([`crate::model::bad_row`]): nothing is guessed and nothing is dropped unseen.
//!
//! An empty field is null, quoted or not, unless the pipeline says otherwise.  A blank line is no record.  A quote opens a quoted
//! field only as the field's first byte; elsewhere it is text, as for the `csv` crate.  Text behind the closing quote makes the value
//! bad.  What a file looks like is proposed ([`sniff`]), never guessed.

pub(crate) mod annotated;
pub(crate) mod chunk;
pub(crate) mod decode;
pub(crate) mod dialect;
pub(crate) mod field_index;
pub(crate) mod header;
pub(crate) mod reader;
pub(crate) mod sniff;
pub(crate) mod split;
