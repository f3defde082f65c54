//! Keys of two numbers: that of the key's prefix, and that of the next column's value.

use super::interner::{Interner, UNKNOWN, next_number, number_rows};
use super::spare::give_back;

/// Pairs in the order of their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairs {
    names: Vec<u64>,
    table: Interner<u64>,
}

fn pack(first: u32, second: u32) -> u64 {
    u64::from(first) << 32 | u64::from(second)
}

impl Pairs {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn find_pair(&self, first: u32, second: u32) -> Option<u32> {
        self.table.find(pack(first, second), |_| true)
    }

    pub(super) fn number_pair(&mut self, first: u32, second: u32) -> u32 {
        self.find_pair(first, second).unwrap_or_else(|| {
            let (name, number) = (pack(first, second), next_number(self.names.len()));
            self.table.insert(name, number);
            self.names.push(name);
            number
        })
    }

    pub(super) fn number(&mut self, first: &[u32], second: &[u32], threads: usize) -> Vec<u32> {
        let look_up = |names: &Self, rows: std::ops::Range<usize>, numbers: &mut Vec<u32>| {
            let mut last = None;
            numbers.extend(first[rows.clone()].iter().zip(&second[rows]).map(|(first, second)| {
                let name = pack(*first, *second);
                match last {
                    Some((same, number)) if same == name => number,
                    _ => {
                        let number = names.find_pair(*first, *second).unwrap_or(UNKNOWN);
                        last = Some((name, number));
                        number
                    }
                }
            }));
        };
        number_rows(self, first.len(), threads, look_up, |names, row| names.number_pair(first[row], second[row]))
    }

    /// The two numbers of each of these pairs.
    #[expect(clippy::cast_possible_truncation, reason = "a pair is two numbers of 32 bits")]
    pub(super) fn split(&self, pairs: &[u32]) -> (Vec<u32>, Vec<u32>) {
        pairs.iter().map(|pair| self.names[*pair as usize]).map(|name| ((name >> 32) as u32, name as u32)).unzip()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        for (number, name) in self.names.iter().enumerate().skip(len) {
            self.table.remove(*name, next_number(number));
        }
        self.names.truncate(len);
        give_back(&mut self.names);
        self.table.give_back();
    }

    pub(super) fn bytes(&self) -> usize {
        self.names.capacity() * size_of::<u64>() + self.table.bytes()
    }
}
