//! The format of a file by its name, and the separator of CSV files, for input and output alike.

use std::path::Path;

use super::bytes::Codec;
use crate::config::Format;
use crate::error::{Error, Result};

/// The format that a table sets, or that of the path's extension, before the one of a compressed file.
pub(crate) fn format_of(path: &Path, stated: Option<Format>, table: &str) -> Result<Format> {
    if let Some(format) = stated {
        return Ok(format);
    }
    format_by_name(path).ok_or_else(|| {
        Error::pipeline(format!("cannot infer the format of '{}' from its extension", path.display()))
            .help(format!("set format = \"csv\", \"parquet\" or \"ipc\" in {table}"))
    })
}

pub(crate) fn format_by_name(path: &Path) -> Option<Format> {
    let inner;
    let path = match Codec::of(path) {
        Codec::None => path,
        _ => {
            inner = path.with_extension("");
            &inner
        }
    };
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv" | "tsv" | "txt") => Some(Format::Csv),
        Some("parquet" | "pq") => Some(Format::Parquet),
        Some("arrow" | "ipc" | "feather" | "arrows") => Some(Format::Ipc),
        _ => None,
    }
}

/// The byte of `delimiter = "..."`; a tab for `.tsv` files that don't say.
pub(crate) fn delimiter(stated: Option<&str>, path: Option<&Path>, table: &str) -> Result<u8> {
    let tabs = || path.is_some_and(|path| path.to_string_lossy().trim_end_matches(".gz").ends_with(".tsv"));
    match byte(stated, "delimiter", table)? {
        Some(b'"') => Err(not_one_byte("\"", "delimiter", table)),
        Some(byte) => Ok(byte),
        None if tabs() => Ok(b'\t'),
        None => Ok(b','),
    }
}

/// A key that is one ASCII character and no line end.
pub(crate) fn byte(stated: Option<&str>, key: &str, table: &str) -> Result<Option<u8>> {
    match stated.map(str::as_bytes) {
        None => Ok(None),
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(Some(*byte)),
        Some(_) => Err(not_one_byte(stated.unwrap_or_default(), key, table)),
    }
}

fn not_one_byte(stated: &str, key: &str, table: &str) -> Error {
    let example = if key == "delimiter" { "\";\" or \"\\t\"" } else { "\"'\"" };
    Error::pipeline(format!("{table} {key}: got {stated:?}, expected one ASCII character"))
        .help(format!("use a character other than a quote or line end, such as {example}"))
}
