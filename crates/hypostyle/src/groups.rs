//! A batch's rows by key.  Rows are put into key order once for all kernels of a stage, so that every driver runs over
//! contiguous slices; the answers are put back once for each kernel.

use std::borrow::Cow;

use rayon::prelude::*;

/// The rows of one key, in key order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub(crate) key: u32,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// How a batch's rows are handed to the drivers.
#[derive(Debug)]
pub enum Groups {
    /// All rows belong to the one sequence of a stage without keys.
    One,
    /// As they come: row `i` belongs to `keys[i]`.
    Interleaved {
        /// A key for each row.
        keys: Vec<u32>,
    },
    /// In key order.
    Runs {
        /// By increasing key.
        runs: Vec<Run>,
        /// The row that stands at each place of the key order; `None` where that is the order already.
        order: Option<Vec<u32>>,
    },
}

/// Moves over more rows than this are shared between threads.
const ROWS_PER_THREAD: usize = 1 << 15;

impl Groups {
    /// Groups rows by key; `total` is the number of keys of the stage.
    pub(crate) fn by_key(keys: &[u32], total: usize) -> Self {
        if keys.is_sorted() {
            return Self::Runs { runs: runs_of(keys.iter().copied()), order: None };
        }
        let order = if keys.len() < total / 8 { by_sorting(keys) } else { by_counting(keys, total) };
        let runs = runs_of(order.iter().map(|row| keys[*row as usize]));
        Self::Runs { runs, order: Some(order) }
    }

    /// Puts values into key order.
    pub(crate) fn gather<'v, T: Copy + Send + Sync>(&self, values: Cow<'v, [T]>, threads: usize) -> Cow<'v, [T]> {
        let Self::Runs { order: Some(order), .. } = self else {
            return values;
        };
        if threads > 1 && order.len() > ROWS_PER_THREAD {
            return order
                .par_iter()
                .with_min_len(ROWS_PER_THREAD / 4)
                .map(|row| values[*row as usize])
                .collect::<Vec<_>>()
                .into();
        }
        order.iter().map(|row| values[*row as usize]).collect()
    }

    /// Puts answers back into row order.
    pub(crate) fn scatter<T: Copy + Default>(&self, values: Vec<T>, _threads: usize) -> Vec<T> {
        let Self::Runs { order: Some(order), .. } = self else {
            return values;
        };
        let mut rows = vec![T::default(); values.len()];
        for (row, value) in order.iter().zip(values) {
            rows[*row as usize] = value;
        }
        rows
    }

    /// Shares runs into at most `parts` consecutive parts with about the same number of rows.
    pub(crate) fn share(runs: &[Run], parts: usize) -> Vec<&[Run]> {
        let total = runs.last().map_or(0, |run| run.end);
        let target = total.div_ceil(parts.max(1)).max(1);
        let mut shared = Vec::new();
        let mut begin = 0;
        for (i, run) in runs.iter().enumerate() {
            if run.end - runs[begin].start >= target {
                shared.push(&runs[begin..=i]);
                begin = i + 1;
                if begin == runs.len() {
                    return shared;
                }
            }
        }
        shared.push(&runs[begin..]);
        shared
    }
}

fn runs_of(keys: impl Iterator<Item = u32>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (row, key) in keys.enumerate() {
        match runs.last_mut() {
            Some(run) if run.key == key => run.end = row + 1,
            _ => runs.push(Run { key, start: row, end: row + 1 }),
        }
    }
    runs
}

#[expect(clippy::cast_possible_truncation, reason = "a slice of a batch has at most 2^32 rows")]
fn by_sorting(keys: &[u32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..keys.len() as u32).collect();
    order.sort_by_key(|row| keys[*row as usize]);
    order
}

#[expect(clippy::cast_possible_truncation, reason = "a slice of a batch has at most 2^32 rows")]
fn by_counting(keys: &[u32], total: usize) -> Vec<u32> {
    let mut next = vec![0u32; total + 1];
    for key in keys {
        next[*key as usize + 1] += 1;
    }
    for key in 0..total {
        next[key + 1] += next[key];
    }
    let mut order = vec![0u32; keys.len()];
    for (row, key) in keys.iter().enumerate() {
        let place = &mut next[*key as usize];
        order[*place as usize] = row as u32;
        *place += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_same_order() {
        let keys = [3, 0, 3, 1, 0, 7];
        assert_eq!(by_sorting(&keys), by_counting(&keys, 8));
        let groups = Groups::by_key(&keys, 8);
        let values = groups.gather(Cow::Borrowed(&[10, 20, 30, 40, 50, 60]), 1).into_owned();
        assert_eq!(values, [20, 50, 40, 10, 30, 60]);
        assert_eq!(groups.scatter(values, 1), [10, 20, 30, 40, 50, 60]);
    }

    #[test]
    fn parts_cover_all_runs() {
        let runs = runs_of([0, 0, 0, 0, 1, 2, 2, 5].into_iter());
        for parts in 1..6 {
            let shared = Groups::share(&runs, parts);
            assert_eq!(shared.concat(), runs);
            assert!(shared.len() <= parts);
        }
    }
}
