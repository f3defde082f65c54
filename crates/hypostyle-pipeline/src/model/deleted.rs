//! Rows of a file that are not part of its table any more.

use std::hash::Hasher;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

/// The numbers of the rows, and what tells them from others in a saved state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deleted {
    #[serde(skip)]
    rows: Arc<[u64]>,
    count: u64,
    digest: u64,
}

impl PartialEq for Deleted {
    fn eq(&self, other: &Self) -> bool {
        (self.count, self.digest) == (other.count, other.digest)
    }
}

impl Eq for Deleted {}

#[cfg_attr(not(feature = "delta"), allow(dead_code))]
impl Deleted {
    /// These rows, in ascending order; the first is 0.
    pub fn new(rows: Vec<u64>) -> Self {
        let mut digest = XxHash64::with_seed(0);
        rows.iter().for_each(|row| digest.write_u64(*row));
        Self { count: rows.len() as u64, digest: digest.finish(), rows: rows.into() }
    }

    /// How many they are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those among some rows.
    pub fn within(&self, rows: Range<u64>) -> &[u64] {
        let place = |row: u64| self.rows.partition_point(|deleted| *deleted < row);
        &self.rows[place(rows.start)..place(rows.end)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_in_a_range() {
        let deleted = Deleted::new(vec![3, 4, 7, 11]);
        assert!(deleted.within(0..3).is_empty());
        assert_eq!(deleted.within(3..8), &[3, 4, 7]);
        assert_eq!(deleted.within(8..100), &[11]);
        assert_eq!(deleted.count(), 4);
    }

    #[test]
    fn others_are_told_apart_in_a_saved_state() {
        let (deleted, other) = (Deleted::new(vec![3, 4]), Deleted::new(vec![3, 5]));
        let saved: Deleted = serde_json::from_str(&serde_json::to_string(&deleted).unwrap()).unwrap();
        assert_eq!(saved, deleted);
        assert_ne!(saved, other);
    }
}
