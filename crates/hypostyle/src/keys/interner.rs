//! A hash table from names to their numbers, and the walk over rows that looks them up.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use rayon::prelude::*;

use super::spare::SPARE;

/// No name has this number.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// How many rows are looked up before new names among them are numbered, at first; and how many one thread looks up at a time.
const LEARN: usize = 1 << 14;

/// Names and their numbers.  A name may be a digest: the original is then compared too.
#[derive(Debug, Clone)]
pub(super) struct Interner<T> {
    table: HashTable<(T, u32)>,
    hasher: FixedState,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { table: HashTable::new(), hasher: FixedState::default() }
    }
}

impl<T: Hash + Eq + Copy> Interner<T> {
    pub(super) fn hasher(&self) -> &FixedState {
        &self.hasher
    }

    #[inline]
    pub(super) fn find(&self, name: T, same: impl Fn(u32) -> bool) -> Option<u32> {
        let is_it = |(known, number): &(T, u32)| *known == name && same(*number);
        self.table.find(self.hasher.hash_one(name), is_it).map(|(_, number)| *number)
    }

    /// Adds a name that is not there yet.
    pub(super) fn insert(&mut self, name: T, number: u32) {
        let hasher = &self.hasher;
        self.table.insert_unique(hasher.hash_one(name), (name, number), |(name, _)| hasher.hash_one(name));
    }

    pub(super) fn remove(&mut self, name: T, number: u32) {
        if let Ok(entry) = self.table.find_entry(self.hasher.hash_one(name), |(_, known)| *known == number) {
            entry.remove();
        }
    }

    /// Returns memory if much more was needed before.
    pub(super) fn give_back(&mut self) {
        let hasher = &self.hasher;
        if self.table.capacity() > 4 * self.table.len() + SPARE {
            self.table.shrink_to_fit(|(name, _)| hasher.hash_one(name));
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.table.allocation_size()
    }
}

/// A number of a name.
#[expect(clippy::cast_possible_truncation, reason = "2^32 keys do not fit into memory")]
pub(super) fn next_number(names: usize) -> u32 {
    names as u32
}

/// Numbers `rows` rows: `look_up` returns the known numbers of some rows, `number` that of one row, known or new.  New names
/// get their numbers in the order of the rows, for any number of threads.
pub(super) fn number_rows<N: Sync>(
    names: &mut N,
    rows: usize,
    threads: usize,
    look_up: impl Fn(&N, std::ops::Range<usize>, &mut Vec<u32>) + Sync,
    number: impl Fn(&mut N, usize) -> u32,
) -> Vec<u32> {
    let mut numbers = Vec::with_capacity(rows);
    while numbers.len() < rows {
        // New keys come early, so after each step twice as many rows are looked up at once.
        let start = numbers.len();
        let end = rows.min(start + start.max(LEARN));
        if threads > 1 && end - start > LEARN {
            let starts: Vec<usize> = (start..end).step_by(LEARN).collect();
            let part = |at: usize| {
                let mut part = Vec::with_capacity(LEARN);
                look_up(names, at..end.min(at + LEARN), &mut part);
                part
            };
            let parts: Vec<Vec<u32>> = starts.into_par_iter().map(part).collect();
            parts.into_iter().for_each(|part| numbers.extend(part));
        } else {
            look_up(names, start..end, &mut numbers);
        }
        for (row, known) in numbers.iter_mut().enumerate().skip(start).filter(|(_, known)| **known == UNKNOWN) {
            *known = number(names, row);
        }
    }
    numbers
}
