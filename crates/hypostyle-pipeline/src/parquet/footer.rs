//! Footers, and one that is mended: fastparquet writes the list of no row groups with the type of no element, which the
//! `parquet` crate takes for damage.
//!
//! The footer is a struct in Thrift's compact protocol.  Its fourth field is the list of the row groups.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::Result;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::reader::{ChunkReader, Length};

use super::file::SharedFile;

/// The number of the field, its type, and that of its elements.
const ROW_GROUPS: i64 = 4;
const LIST: u8 = 9;
const STRUCT: u8 = 12;
/// The footer's length and the magic bytes behind it.
const TAIL: usize = 8;
/// Structs within structs: more than these make no footer.
const DEPTH: usize = 32;

pub(super) fn load(file: &SharedFile) -> Result<ArrowReaderMetadata> {
    ArrowReaderMetadata::load(file, ArrowReaderOptions::new()).or_else(|error| {
        let Some(mended) = footer(file).ok().and_then(|footer| without_row_groups(&footer)) else { return Err(error) };
        let footer = ParquetMetaDataReader::decode_metadata(&mended)?;
        ArrowReaderMetadata::try_new(Arc::new(footer), ArrowReaderOptions::new())
    })
}

/// The bytes of the footer.
fn footer(file: &SharedFile) -> Result<Bytes> {
    let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let start = file.len().checked_sub(TAIL as u64).ok_or_else(end)?;
    let tail = file.get_bytes(start, TAIL)?;
    let length = tail.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    file.get_bytes(start.checked_sub(u64::from(length)).ok_or_else(end)?, length as usize)
}

/// The footer with an empty list of row groups as a list of structs; `None` if it isn't one.
fn without_row_groups(footer: &[u8]) -> Option<Vec<u8>> {
    let mut rest = footer;
    let mut number = 0;
    loop {
        let kind = field(&mut rest, &mut number)?;
        if number == ROW_GROUPS && kind == LIST {
            let place = footer.len() - rest.len();
            let mut mended = footer.to_vec();
            let header = mended.get_mut(place).filter(|header| **header >> 4 == 0)?;
            *header = STRUCT;
            return Some(mended);
        }
        skip(&mut rest, kind, DEPTH)?;
    }
}

/// Reads the header of a field: its type; `None` at the end of the struct.
fn field(rest: &mut &[u8], number: &mut i64) -> Option<u8> {
    let header = byte(rest)?;
    match (header >> 4, header & 15) {
        (_, 0) => None,
        (0, kind) => {
            let zigzag = varint(rest)?;
            *number = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
            Some(kind)
        }
        (step, kind) => {
            *number += i64::from(step);
            Some(kind)
        }
    }
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    Some(*first)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let next = byte(rest)?;
        value |= u64::from(next & 0x7f) << shift;
        if next & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Passes over a value.  Booleans that are fields are in their headers.
fn skip(rest: &mut &[u8], kind: u8, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match kind {
        1 | 2 => Some(()),
        3 => byte(rest).map(drop),
        4..=6 => varint(rest).map(drop),
        7 => pass(rest, 8),
        8 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            pass(rest, length)
        }
        LIST | 10 => {
            let header = byte(rest)?;
            let count = if header >> 4 == 15 { varint(rest)? } else { u64::from(header >> 4) };
            let kind = if matches!(header & 15, 1 | 2) { 3 } else { header & 15 };
            (0..count).try_for_each(|_| skip(rest, kind, depth))
        }
        STRUCT => {
            let mut number = 0;
            // The byte of its end was there if some of it is read.
            while !rest.is_empty() {
                match field(rest, &mut number) {
                    Some(kind) => skip(rest, kind, depth)?,
                    None => return Some(()),
                }
            }
            None
        }
        _ => None,
    }
}

fn pass(rest: &mut &[u8], bytes: usize) -> Option<()> {
    *rest = rest.get(bytes..)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_list_of_row_groups_is_mended() {
        // version, schema of one struct with a name, no rows, and the list.
        let start = [0x15, 2, 0x19, 0x1c, 0x48, 1, b'm', 0, 0x16, 0];
        let footer = |list: &[u8]| [&start[..], list, &[0]].concat();
        assert_eq!(without_row_groups(&footer(&[0x19, 0])), Some(footer(&[0x19, 0x0c])));
        assert_eq!(without_row_groups(&footer(&[0x19, 0x1c, 0])), None);
        assert_eq!(without_row_groups(&footer(&[])), None);
        for end in 0..start.len() {
            assert_eq!(without_row_groups(&start[..end]), None);
        }
    }
}
