//! The ground types: columns and their types, text as values, chunks of rows, bad rows, tables by their directories.  Nothing
//! here reads or writes a file of data, or knows the pipeline file or the run.

pub(crate) mod bad_row;
pub(crate) mod calendar;
pub(crate) mod chunk;
pub(crate) mod clock;
pub(crate) mod column;
pub(crate) mod deleted;
pub(crate) mod duration;
pub(crate) mod fault;
pub(crate) mod infer;
pub(crate) mod known_formats;
pub(crate) mod logical;
pub(crate) mod matching;
pub(crate) mod remark;
pub(crate) mod strptime;
pub(crate) mod table_columns;
pub(crate) mod table_format;
pub(crate) mod time_format;
pub(crate) mod time_value;
pub(crate) mod timestamp;
pub(crate) mod types;
pub(crate) mod values;
pub(crate) mod widen;
pub(crate) mod zones;
