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
        /// Each row's place in the key order; `None` where that is the rows' order already.
        places: Option<Vec<u32>>,
    },
}

impl Groups {
    /// Groups rows by key; `total` is the number of keys of the stage.
    pub(crate) fn by_key(keys: &[u32], total: usize) -> Self {
        if keys.is_sorted() {
            return Self::Runs { runs: runs_of(keys.iter().copied()), places: None };
        }
        let (runs, places) = if keys.len() < total / 8 { by_sorting(keys) } else { by_counting(keys, total) };
        Self::Runs { runs, places: Some(places) }
    }

    /// Puts values into key order.
    pub(crate) fn in_key_order<'v, T: Copy + Default>(&self, values: Cow<'v, [T]>) -> Cow<'v, [T]> {
        let Self::Runs { places: Some(places), .. } = self else {
            return values;
        };
        let mut grouped = vec![T::default(); values.len()];
        for (place, value) in places.iter().zip(values.iter()) {
            grouped[*place as usize] = *value;
        }
        grouped.into()
    }

    /// The number of each of `len` rows within its key, in key order; `seen` counts the rows of each key.
    pub(crate) fn number_rows(&self, seen: &mut [i64], len: usize) -> Vec<i64> {
        let take = |seen: &mut i64| {
            *seen += 1;
            *seen - 1
        };
        match self {
            Self::One => (0..len).map(|_| take(&mut seen[0])).collect(),
            Self::Interleaved { keys } => keys.iter().map(|key| take(&mut seen[*key as usize])).collect(),
            Self::Runs { runs, .. } => runs
                .iter()
                .flat_map(|run| std::iter::repeat_n(run.key as usize, run.end - run.start))
                .map(|key| take(&mut seen[key]))
                .collect(),
        }
    }

    /// Whether the rows stand in the key order already.
    pub(crate) fn keep_order(&self) -> bool {
        !matches!(self, Self::Runs { places: Some(_), .. })
    }

    /// Puts answers back into the rows' order, at the end of `rows`.
    pub(crate) fn append_in_row_order<T: Copy + Send + Sync>(&self, values: &[T], rows: &mut Vec<T>, threads: usize) {
        match self {
            Self::Runs { places: Some(places), .. } if threads > 1 => {
                rows.par_extend(places.par_iter().with_min_len(1 << 13).map(|place| values[*place as usize]));
            }
            Self::Runs { places: Some(places), .. } => {
                rows.extend(places.iter().map(|place| values[*place as usize]));
            }
            _ => rows.extend_from_slice(values),
        }
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
fn by_sorting(keys: &[u32]) -> (Vec<Run>, Vec<u32>) {
    let mut order: Vec<u32> = (0..keys.len() as u32).collect();
    order.sort_by_key(|row| keys[*row as usize]);
    let mut places = vec![0; keys.len()];
    for (place, row) in order.iter().enumerate() {
        places[*row as usize] = place as u32;
    }
    (runs_of(order.iter().map(|row| keys[*row as usize])), places)
}

#[expect(clippy::cast_possible_truncation, reason = "a slice of a batch has at most 2^32 rows")]
fn by_counting(keys: &[u32], total: usize) -> (Vec<Run>, Vec<u32>) {
    let mut next = vec![0u32; total];
    for key in keys {
        next[*key as usize] += 1;
    }
    let mut runs = Vec::new();
    let mut start = 0;
    for (key, next) in next.iter_mut().enumerate() {
        let end = start + *next as usize;
        if end > start {
            runs.push(Run { key: key as u32, start, end });
        }
        *next = start as u32;
        start = end;
    }
    let places = keys
        .iter()
        .map(|key| {
            let place = &mut next[*key as usize];
            *place += 1;
            *place - 1
        })
        .collect();
    (runs, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_same_order() {
        let keys = [3, 0, 3, 1, 0, 7];
        assert_eq!(by_sorting(&keys), by_counting(&keys, 8));
        let groups = Groups::by_key(&keys, 8);
        let values = groups.in_key_order(Cow::Borrowed(&[10, 20, 30, 40, 50, 60])).into_owned();
        assert_eq!(values, [20, 50, 40, 10, 30, 60]);
        let mut rows = vec![0];
        groups.append_in_row_order(&values, &mut rows, 1);
        assert_eq!(rows, [0, 10, 20, 30, 40, 50, 60]);
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
