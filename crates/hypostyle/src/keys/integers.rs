//! The distinct integers of a key column.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;

use super::interner::{Interner, UNKNOWN, next_number, number_rows};
use super::spare::{SPARE, give_back};
use crate::error::Result;
use crate::values::{Output, read_integer};

/// Integers in the order of their numbers.  Small ones are looked up in a plain table, others by hash.
#[derive(Debug, Clone, Default)]
pub(super) struct Integers {
    names: Vec<i64>,
    null: Option<u32>,
    /// Indexed by the integer: one more than its number; 0 if it has none, or is in `others`.
    small: Vec<u32>,
    others: Interner<i64>,
}

/// Integers below this are always in the plain table.
const SMALL: usize = 1 << 10;

/// The plain table has at most this many entries per name.
const PLACES_PER_NAME: usize = 16;

impl Integers {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    #[inline]
    fn find(&self, integer: i64) -> u32 {
        match usize::try_from(integer).ok().and_then(|place| self.small.get(place)) {
            Some(number) if *number > 0 => *number - 1,
            _ => self.others.find(integer, |_| true).unwrap_or(UNKNOWN),
        }
    }

    pub(super) fn number_integer(&mut self, integer: Option<i64>) -> u32 {
        let next = next_number(self.names.len());
        let Some(integer) = integer else {
            return *self.null.get_or_insert_with(|| {
                self.names.push(0);
                next
            });
        };
        let known = self.find(integer);
        if known != UNKNOWN {
            return known;
        }
        let limit = SMALL.max(self.names.len() * PLACES_PER_NAME);
        match usize::try_from(integer).ok().filter(|place| *place < limit) {
            Some(place) => {
                if place >= self.small.len() {
                    self.small.resize((place + 1).next_power_of_two(), 0);
                }
                self.small[place] = next + 1;
            }
            None => self.others.insert(integer, next),
        }
        self.names.push(integer);
        next
    }

    pub(super) fn find_integer(&self, integer: Option<i64>) -> Option<u32> {
        match integer {
            None => self.null,
            Some(integer) => Some(self.find(integer)).filter(|number| *number != UNKNOWN),
        }
    }

    pub(super) fn number(&mut self, column: &ArrayRef, threads: usize) -> Result<Vec<u32>> {
        let values = read_integer(column)?;
        let nulls = column.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        let valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let look_up = |names: &Self, rows: std::ops::Range<usize>, numbers: &mut Vec<u32>| {
            let mut last: Option<(i64, u32)> = None;
            let mut find = |integer: i64| match last {
                Some((same, number)) if same == integer => number,
                _ => {
                    let number = names.find(integer);
                    last = Some((integer, number));
                    number
                }
            };
            match &nulls {
                None => numbers.extend(values[rows].iter().map(|integer| find(*integer))),
                Some(nulls) => numbers.extend(rows.map(|row| match nulls.is_valid(row) {
                    true => find(values[row]),
                    false => names.null.unwrap_or(UNKNOWN),
                })),
            }
        };
        Ok(number_rows(self, values.len(), threads, look_up, |names, row| {
            names.number_integer(valid(row).then(|| values[row]))
        }))
    }

    pub(super) fn truncate(&mut self, len: usize) {
        for number in (len..self.names.len()).rev() {
            let (integer, number) = (self.names[number], next_number(number));
            if self.null == Some(number) {
                self.null = None;
                continue;
            }
            match usize::try_from(integer).ok().and_then(|place| self.small.get_mut(place)) {
                Some(place) if *place == number + 1 => *place = 0,
                _ => self.others.remove(integer, number),
            }
        }
        self.names.truncate(len);
        give_back(&mut self.names);
        self.others.give_back();
        if self.small.len() > 2 * PLACES_PER_NAME * len + SPARE {
            self.small.truncate(self.small.iter().rposition(|number| *number > 0).map_or(0, |place| place + 1));
            self.small.shrink_to_fit();
        }
    }

    pub(super) fn array(&self, data_type: &DataType) -> ArrayRef {
        let nulls = self.null.map(|null| (0..self.names.len()).map(|number| number != null as usize).collect());
        i64::into_array(self.names.clone(), nulls, data_type)
    }

    pub(super) fn bytes(&self) -> usize {
        self.names.capacity() * size_of::<i64>() + self.small.capacity() * size_of::<u32>() + self.others.bytes()
    }
}
