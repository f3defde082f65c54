//! The distinct strings of a key column, or other bytes.

use std::hash::BuildHasher;

use arrow::array::{Array, ArrayRef, AsArray, GenericStringArray, OffsetSizeTrait, StringViewArray, StringViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use foldhash::fast::FixedState;

use super::interner::{Interner, UNKNOWN, next_number, number_rows};
use super::spare::give_back;
use crate::error::Result;

/// Strings in the order of their numbers, one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    /// Where each string ends.
    ends: Vec<usize>,
    null: Option<u32>,
    table: Interner<Short>,
}

/// A string of up to twelve bytes as in Arrow's string views, its length and then its bytes; or the hash and the length of a
/// longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Short([u64; 2]);

impl Short {
    const INLINE: usize = 12;

    fn of(text: &[u8], hasher: &FixedState) -> Self {
        if text.len() > Self::INLINE {
            return Self([text.len() as u64, hasher.hash_one(text)]);
        }
        let mut view = [0u8; 16];
        view[0] = text.len().to_le_bytes()[0];
        view[4..4 + text.len()].copy_from_slice(text);
        Self::of_view(u128::from_le_bytes(view))
    }

    /// For the string at this position among others; faster than [`Short::of`], because it copies a fixed number of bytes.
    #[inline]
    fn at(bytes: &[u8], start: usize, end: usize, hasher: &FixedState) -> Self {
        let len = end - start;
        match bytes[start..].first_chunk() {
            Some(text) if len <= Self::INLINE => {
                let text = u128::from_le_bytes(*text) & ((1 << (8 * len)) - 1);
                Self::of_view(text << 32 | len as u128)
            }
            _ => Self::of(&bytes[start..end], hasher),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a view is two numbers of 64 bits")]
    fn of_view(view: u128) -> Self {
        Self([view as u64, (view >> 64) as u64])
    }
}

impl Strings {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn text(&self, number: usize) -> &[u8] {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start..self.ends[number]]
    }

    #[inline]
    fn find(&self, short: Short, text: &[u8]) -> Option<u32> {
        let is_inline = text.len() <= Short::INLINE;
        self.table.find(short, |number| is_inline || self.text(number as usize) == text)
    }

    pub(super) fn find_text(&self, text: Option<&[u8]>) -> Option<u32> {
        match text {
            None => self.null,
            Some(text) => self.find(Short::of(text, self.table.hasher()), text),
        }
    }

    pub(super) fn number_text(&mut self, text: Option<&[u8]>) -> u32 {
        let next = next_number(self.len());
        let Some(text) = text else {
            return *self.null.get_or_insert_with(|| {
                self.ends.push(self.bytes.len());
                next
            });
        };
        let short = Short::of(text, self.table.hasher());
        self.find(short, text).unwrap_or_else(|| {
            self.bytes.extend_from_slice(text);
            self.ends.push(self.bytes.len());
            self.table.insert(short, next);
            next
        })
    }

    pub(super) fn number(&mut self, column: &ArrayRef, threads: usize) -> Result<Vec<u32>> {
        match column.data_type() {
            DataType::Dictionary(..) => self.number_dictionary(column),
            DataType::Utf8 => Ok(self.number_strings(column.as_string::<i32>(), threads)),
            DataType::LargeUtf8 => Ok(self.number_strings(column.as_string::<i64>(), threads)),
            _ => {
                let views = cast(column, &DataType::Utf8View)?;
                Ok(self.number_views(views.as_string_view(), threads))
            }
        }
    }

    fn number_strings<O: OffsetSizeTrait>(&mut self, column: &GenericStringArray<O>, threads: usize) -> Vec<u32> {
        let (nulls, ends, bytes) = (column.nulls(), column.value_offsets(), column.value_data());
        let look_up = |names: &Self, rows: std::ops::Range<usize>, numbers: &mut Vec<u32>| {
            // The last short string, which may repeat.
            let mut last = (None, UNKNOWN);
            numbers.extend(rows.map(|row| {
                if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                    return names.null.unwrap_or(UNKNOWN);
                }
                let (start, end) = (ends[row].as_usize(), ends[row + 1].as_usize());
                let short = Short::at(bytes, start, end, names.table.hasher());
                if last.0 != Some(short) {
                    let found = names.find(short, &bytes[start..end]);
                    let is_inline = end - start <= Short::INLINE;
                    last = (is_inline.then_some(short), found.unwrap_or(UNKNOWN));
                }
                last.1
            }));
        };
        number_rows(self, column.len(), threads, look_up, |names, row| {
            names.number_text(column.is_valid(row).then(|| column.value(row).as_bytes()))
        })
    }

    fn number_views(&mut self, column: &StringViewArray, threads: usize) -> Vec<u32> {
        let (nulls, views) = (column.nulls(), column.views());
        let look_up = |names: &Self, rows: std::ops::Range<usize>, numbers: &mut Vec<u32>| {
            // A view of a short string is its value; equal views of long ones are repetitions of one buffer position.
            let mut last = (views.get(rows.start).map_or(0, |view| !view), UNKNOWN);
            numbers.extend(views[rows.clone()].iter().zip(rows).map(|(view, row)| {
                if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                    return names.null.unwrap_or(UNKNOWN);
                }
                if last.0 != *view {
                    let is_inline = (view & 0xFFFF_FFFF) as usize <= Short::INLINE;
                    let found = if is_inline {
                        names.table.find(Short::of_view(*view), |_| true)
                    } else {
                        names.find_text(Some(column.value(row).as_bytes()))
                    };
                    last = (*view, found.unwrap_or(UNKNOWN));
                }
                last.1
            }));
        };
        number_rows(self, column.len(), threads, look_up, |names, row| {
            names.number_text(column.is_valid(row).then(|| column.value(row).as_bytes()))
        })
    }

    fn number_dictionary(&mut self, column: &ArrayRef) -> Result<Vec<u32>> {
        let dictionary = column.as_any_dictionary();
        let values = cast(dictionary.values(), &DataType::Utf8View)?;
        let values = values.as_string_view();
        let nulls = column.logical_nulls();
        if values.is_empty() {
            return Ok((0..column.len()).map(|_| self.number_text(None)).collect());
        }
        // A value is numbered when a row first has it, so that unused values do not become keys.
        let mut numbers: Vec<u32> = vec![UNKNOWN; values.len() + 1];
        let number = |(row, place): (usize, usize)| {
            let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            let place = if valid { place } else { values.len() };
            if numbers[place] == UNKNOWN {
                numbers[place] = self.number_text(valid.then(|| values.value(place).as_bytes()));
            }
            numbers[place]
        };
        Ok(dictionary.normalized_keys().into_iter().enumerate().map(number).collect())
    }

    pub(super) fn truncate(&mut self, len: usize) {
        for number in len..self.len() {
            let short = Short::of(self.text(number), self.table.hasher());
            if self.null == Some(next_number(number)) {
                self.null = None;
            } else {
                self.table.remove(short, next_number(number));
            }
        }
        self.ends.truncate(len);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
        give_back(&mut self.ends);
        give_back(&mut self.bytes);
        self.table.give_back();
    }

    /// The strings.
    pub(super) fn array(&self) -> StringViewArray {
        let mut builder = StringViewBuilder::with_capacity(self.len());
        for number in 0..self.len() {
            let text = std::str::from_utf8(self.text(number)).ok();
            builder.append_option(text.filter(|_| self.null != Some(next_number(number))));
        }
        builder.finish()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>() + self.table.bytes()
    }
}
