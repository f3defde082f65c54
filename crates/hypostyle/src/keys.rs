//! Keys as dense numbers.  Each distinct key of a stage gets the next number; what follows from a key (its states) is then
//! an index away.
//!
//! Three ways, chosen once a stage from the key columns' types: one column of integers, dates or booleans; one column of
//! strings, where up to twelve bytes are compared as one 128-bit number; and everything else by Arrow's row format.  A row
//! with the key of the row before it is not looked up, so sorted input costs next to nothing.

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use rayon::prelude::*;
use std::hash::{BuildHasher, Hash};

use crate::column::{Domain, Output, read_integer};
use crate::error::Result;

/// The keys seen so far.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    types: Vec<DataType>,
    names: Names,
}

/// The distinct keys in the order of their numbers.
#[derive(Debug, Clone)]
enum Names {
    Integers(Interner<Option<i64>>, Dense),
    Strings(Strings),
    Rows(Interner<Box<[u8]>>),
}

/// Distinct strings; the null has a name of its own.
type Strings = Interner<Short, Option<Box<str>>>;

/// A string of up to twelve bytes as a number, or the hash of a longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Short(u128);

/// Distinct names and their numbers; `T` is compared first, `L` is what must be equal too.
#[derive(Debug, Clone)]
struct Interner<T, L = ()> {
    /// The names again, so that a look-up touches one place in memory.
    table: HashTable<(T, u32)>,
    names: Vec<(T, L)>,
    hasher: FixedState,
}

impl<T: Hash + Eq + Clone, L: PartialEq> Interner<T, L> {
    fn new() -> Self {
        Self { table: HashTable::new(), names: Vec::new(), hasher: FixedState::default() }
    }

    #[inline]
    fn find(&self, first: &T, same: impl Fn(&L) -> bool) -> Option<u32> {
        let is_it = |(known, number): &(T, u32)| known == first && same(&self.names[*number as usize].1);
        self.table.find(self.hasher.hash_one(first), is_it).map(|(_, number)| *number)
    }

    #[expect(clippy::cast_possible_truncation, reason = "2^32 keys don't fit into memory")]
    fn number(&mut self, first: T, same: impl Fn(&L) -> bool, make: impl FnOnce() -> L) -> u32 {
        if let Some(number) = self.find(&first, same) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.push((first.clone(), make()));
        let hasher = &self.hasher;
        self.table.insert_unique(hasher.hash_one(&first), (first, number), |(name, _)| hasher.hash_one(name));
        number
    }

    fn truncate(&mut self, len: usize) {
        while self.names.len() > len {
            if let Some((name, _)) = self.names.pop() {
                let (hash, gone) = (self.hasher.hash_one(&name), self.names.len());
                if let Ok(entry) = self.table.find_entry(hash, |(_, number)| *number as usize == gone) {
                    entry.remove();
                }
            }
        }
    }

    fn bytes(&self) -> usize {
        self.names.capacity() * size_of::<(T, L)>() + self.table.capacity() * (size_of::<(T, u32)>() + 1)
    }
}

fn is_string(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_string(values),
        _ => false,
    }
}

impl Keys {
    pub(crate) fn new(types: Vec<DataType>) -> Result<Self> {
        let names = match types.as_slice() {
            [one] if Domain::Integer.reads(one) => Names::Integers(Interner::new(), Dense::default()),
            [one] if is_string(one) => Names::Strings(Interner::new()),
            _ => {
                RowConverter::new(types.iter().cloned().map(SortField::new).collect())?;
                Names::Rows(Interner::new())
            }
        };
        Ok(Self { types, names })
    }

    /// Whether a column of this type can hold the same keys as one of that type: all string types can.
    pub(crate) fn compatible(one: &DataType, other: &DataType) -> bool {
        one == other || (is_string(one) && is_string(other))
    }

    pub(crate) fn types(&self) -> &[DataType] {
        &self.types
    }

    pub(crate) fn len(&self) -> usize {
        match &self.names {
            Names::Integers(names, _) => names.names.len(),
            Names::Strings(names) => names.names.len(),
            Names::Rows(names) => names.names.len(),
        }
    }

    /// Forgets the keys beyond the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        match &mut self.names {
            Names::Integers(names, dense) => {
                names.truncate(len);
                dense.truncate(len);
            }
            Names::Strings(names) => names.truncate(len),
            Names::Rows(names) => names.truncate(len),
        }
    }

    /// The number of each row's key; unknown keys get new numbers.
    pub(crate) fn number(&mut self, columns: &[ArrayRef], threads: usize) -> Result<Vec<u32>> {
        match &mut self.names {
            Names::Integers(names, dense) => Ok(number_integers(names, dense, &columns[0])),
            Names::Strings(names) => number_strings(names, &columns[0], threads),
            Names::Rows(names) => {
                let same_types: Vec<ArrayRef> = columns
                    .iter()
                    .zip(&self.types)
                    .map(|(column, data_type)| cast(column, data_type))
                    .collect::<std::result::Result<_, _>>()?;
                let converter = RowConverter::new(self.types.iter().cloned().map(SortField::new).collect())?;
                let rows = converter.convert_columns(&same_types)?;
                let mut last: Option<(arrow::row::Row, u32)> = None;
                Ok(rows
                    .iter()
                    .map(|row| match last {
                        Some((same, number)) if same == row => number,
                        _ => {
                            let number = names.number(row.as_ref().into(), |()| true, || ());
                            last = Some((row, number));
                            number
                        }
                    })
                    .collect())
            }
        }
    }

    /// The keys as columns, in the order of their numbers.
    pub(crate) fn columns(&self) -> Result<Vec<ArrayRef>> {
        match &self.names {
            Names::Integers(names, _) => {
                let values = names.names.iter().map(|(name, ())| name.unwrap_or_default()).collect();
                let nulls = names.names.iter().map(|(name, ())| name.is_some()).collect::<Vec<bool>>();
                let nulls = nulls.contains(&false).then(|| nulls.into());
                Ok(vec![i64::into_array(values, nulls, &self.types[0])])
            }
            Names::Strings(names) => {
                let mut builder = StringViewBuilder::new();
                names.names.iter().for_each(|(_, name)| builder.append_option(name.as_deref()));
                Ok(vec![std::sync::Arc::new(builder.finish())])
            }
            Names::Rows(names) => {
                let converter = RowConverter::new(self.types.iter().cloned().map(SortField::new).collect())?;
                let parser = converter.parser();
                Ok(converter.convert_rows(names.names.iter().map(|(name, ())| parser.parse(name)))?)
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match &self.names {
            Names::Integers(names, dense) => names.bytes() + dense.0.capacity() * size_of::<u32>(),
            Names::Strings(names) => {
                names.bytes() + names.names.iter().map(|(_, name)| name.as_ref().map_or(0, |n| n.len())).sum::<usize>()
            }
            Names::Rows(names) => names.bytes() + names.names.iter().map(|(name, ())| name.len()).sum::<usize>(),
        }
    }
}

/// The numbers of small integers, one more than they are, by the integer itself; 0 where it has none yet.
#[derive(Debug, Clone, Default)]
struct Dense(Vec<u32>);

impl Dense {
    /// Integers below this have a place: at most 4 MiB.
    const LIMIT: usize = 1 << 20;

    #[inline]
    fn place(integer: i64) -> Option<usize> {
        usize::try_from(integer).ok().filter(|place| *place < Self::LIMIT)
    }

    fn remember(&mut self, integer: i64, number: u32) {
        if let Some(place) = Self::place(integer) {
            if place >= self.0.len() {
                self.0.resize((place + 1).next_power_of_two(), 0);
            }
            self.0[place] = number + 1;
        }
    }

    fn truncate(&mut self, len: usize) {
        self.0.iter_mut().filter(|number| **number as usize > len).for_each(|number| *number = 0);
    }
}

fn number_integers(names: &mut Interner<Option<i64>>, dense: &mut Dense, column: &ArrayRef) -> Vec<u32> {
    let values = read_integer(column);
    let nulls = column.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    let mut last: Option<(i64, u32)> = None;
    let mut number = |row: usize, integer: i64| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return names.number(None, |()| true, || ());
        }
        match Dense::place(integer).and_then(|place| dense.0.get(place)) {
            Some(number) if *number > 0 => return *number - 1,
            _ => {}
        }
        match last {
            Some((same, number)) if same == integer => number,
            _ => {
                let number = names.number(Some(integer), |()| true, || ());
                dense.remember(integer, number);
                last = Some((integer, number));
                number
            }
        }
    };
    values.iter().enumerate().map(|(row, integer)| number(row, *integer)).collect()
}

impl Short {
    const INLINE: usize = 12;

    /// No view has this length.
    const NULL: Self = Self(u128::MAX);

    /// Laid out as Arrow's string views: the length, then the bytes.
    fn of(text: &str, hasher: &FixedState) -> Self {
        let bytes = text.as_bytes();
        if bytes.len() > Self::INLINE {
            return Self(u128::from(hasher.hash_one(bytes)) << 64 | bytes.len() as u128);
        }
        let mut view = [0u8; 16];
        view[0] = bytes.len().to_le_bytes()[0];
        view[4..4 + bytes.len()].copy_from_slice(bytes);
        Self(u128::from_le_bytes(view))
    }
}

impl Strings {
    fn number_text(&mut self, text: Option<&str>) -> u32 {
        match text {
            None => self.number(Short::NULL, |_| true, || None),
            Some(text) => {
                let short = Short::of(text, &self.hasher);
                let is_inline = text.len() <= Short::INLINE;
                self.number(short, |known| is_inline || known.as_deref() == Some(text), || Some(text.into()))
            }
        }
    }

    fn find_text(&self, text: &str) -> Option<u32> {
        self.find(&Short::of(text, &self.hasher), |known| known.as_deref() == Some(text))
    }

    /// The numbers of the rows from `start` on whose strings are known; `UNKNOWN` for the others.
    fn look_up(&self, column: &StringViewArray, start: usize, end: usize) -> Vec<u32> {
        let nulls = column.nulls();
        // A view of a short string is its value; that of a long one at least tells repetitions of one place.
        let mut last = (column.views().get(start).map_or(0, |view| !view), UNKNOWN);
        column.views()[start..end]
            .iter()
            .enumerate()
            .map(|(i, view)| {
                let row = start + i;
                if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                    return self.find(&Short::NULL, |_| true).unwrap_or(UNKNOWN);
                }
                if last.0 != *view {
                    let is_inline = (view & 0xFFFF_FFFF) as usize <= Short::INLINE;
                    let found =
                        if is_inline { self.find(&Short(*view), |_| true) } else { self.find_text(column.value(row)) };
                    last = (*view, found.unwrap_or(UNKNOWN));
                }
                last.1
            })
            .collect()
    }

    fn number_views(&mut self, column: &StringViewArray, threads: usize) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(column.len());
        while numbers.len() < column.len() {
            // New keys come early: what the rows so far teach lets as many again be looked up at once.
            let start = numbers.len();
            let end = column.len().min(start + start.max(LEARN));
            if threads > 1 && end - start > LEARN {
                let starts: Vec<usize> = (start..end).step_by(LEARN).collect();
                let parts: Vec<Vec<u32>> =
                    starts.into_par_iter().map(|at| self.look_up(column, at, end.min(at + LEARN))).collect();
                parts.into_iter().for_each(|part| numbers.extend(part));
            } else {
                numbers.extend(self.look_up(column, start, end));
            }
            for (row, number) in numbers.iter_mut().enumerate().skip(start).filter(|(_, number)| **number == UNKNOWN) {
                *number = self.number_text(column.is_valid(row).then(|| column.value(row)));
            }
        }
        numbers
    }
}

/// No key has this number.
const UNKNOWN: u32 = u32::MAX;

/// Rows that are looked up before new keys among them are numbered, at first; and that one thread looks up at a time.
const LEARN: usize = 1 << 14;

fn number_strings(names: &mut Strings, column: &ArrayRef, threads: usize) -> Result<Vec<u32>> {
    let DataType::Dictionary(..) = column.data_type() else {
        let views = cast(column, &DataType::Utf8View)?;
        return Ok(names.number_views(views.as_string_view(), threads));
    };
    let dictionary = column.as_any_dictionary();
    let values = cast(dictionary.values(), &DataType::Utf8View)?;
    let values = values.as_string_view();
    let nulls = column.logical_nulls();
    if values.is_empty() {
        return Ok((0..column.len()).map(|_| names.number_text(None)).collect());
    }
    // A value is numbered when a row first shows it, so that unused ones don't become keys.
    let mut numbers: Vec<Option<u32>> = vec![None; values.len() + 1];
    Ok(dictionary
        .normalized_keys()
        .into_iter()
        .enumerate()
        .map(|(row, place)| {
            let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            let place = if valid { place } else { values.len() };
            *numbers[place].get_or_insert_with(|| names.number_text(valid.then(|| values.value(place))))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{DictionaryArray, Int32Array, StringArray, StringViewArray};
    use arrow::datatypes::Int8Type;
    use std::sync::Arc;

    const LONG: &str = "a name that is longer than twelve bytes";

    #[test]
    fn all_string_types_give_the_same_numbers() {
        let names = [Some("a"), None, Some(LONG), Some(""), Some("a"), Some("twelve bytes"), None, Some(LONG)];
        let columns: [ArrayRef; 3] = [
            Arc::new(StringArray::from_iter(names)),
            Arc::new(StringViewArray::from_iter(names)),
            Arc::new(names.into_iter().collect::<DictionaryArray<Int8Type>>()),
        ];
        let mut keys = Keys::new(vec![DataType::Utf8]).unwrap();
        for column in columns {
            assert_eq!(keys.number(&[column], 1).unwrap(), [0, 1, 2, 3, 0, 4, 1, 2]);
        }
        keys.truncate(2);
        let again: ArrayRef = Arc::new(StringArray::from(vec![Some("new"), None, Some("a")]));
        assert_eq!(keys.number(&[again], 2).unwrap(), [2, 1, 0]);
        let column = keys.columns().unwrap().remove(0);
        assert_eq!(column.as_string_view().iter().collect::<Vec<_>>(), [Some("a"), None, Some("new")]);
    }

    #[test]
    fn several_columns_make_one_key() {
        let a: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(1), None, Some(1)]));
        let b: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "x", "x"]));
        let mut keys = Keys::new(vec![DataType::Int32, DataType::Utf8]).unwrap();
        assert_eq!(keys.number(&[a.clone(), b], 1).unwrap(), [0, 1, 2, 0]);
        let columns = keys.columns().unwrap();
        assert_eq!(columns[0].as_ref(), &Int32Array::from(vec![Some(1), Some(1), None]) as &dyn Array);

        let mut integers = Keys::new(vec![DataType::Int32]).unwrap();
        assert_eq!(integers.number(&[a], 1).unwrap(), [0, 0, 1, 0]);
    }
}
